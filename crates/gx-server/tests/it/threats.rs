//! Attacks on the platform around the ledger, written as whoever makes them would.
//!
//! What the contract withstands stands in `docs/threats.md` with tests of its own; what each part
//! withstands by itself is tested with it. `docs/security.md` names all of them.

use std::time::{Duration, Instant};

use gx_contract::tokenomics::Transfer;
use gx_contract::{Command, Signature, SignatureBytes};
use gx_engine::Submission;
use gx_server::config::LogFormat;
use gx_server::{Access, Route, Workers, routes};
use gx_store::admin::audit::{self, Filter};
use gx_types::{Actor, Amount};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, Reply, new_key};
use crate::decisions::{pending, two_admins};
use crate::hardening::Lines;
use crate::recovery::register_key;
use crate::server::{ADMIN_PASSWORD, Account, PASSWORD, Server};
use crate::signing::signature;

const TRANSFERS: &str = "/api/v1/transfers";

fn payment(from: &Account, to: &Account) -> Command {
    let (from, to, amount) = (from.ledger_id, to.ledger_id, Amount::from_qirat(2_000_000));
    Transfer { from, to, amount, remark: String::new() }.into()
}

/// Ada, whose account has a key, and Bob.
async fn keyed(server: &Server) -> (Client, Account, Account) {
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    register_key(&ada, 7).await;
    (admin, ada, bob)
}

/// It writes into the outbox what it likes, and has the certificate that goes with it.
#[tokio::test]
async fn a_service_process_moves_no_coins_of_an_account_with_a_key() {
    let server = Server::start().await;
    let (admin, ada, bob) = keyed(&server).await;
    let invented = SignatureBytes::from_bytes([7; 64]);
    let in_an_hour = gx_engine::Clock::system().now().plus_hours(1);
    let forged = Signature { signature: invented, expires_at: in_an_hour };
    for (signature, code) in [(None, "signature_missing"), (Some(forged), "signature_wrong")] {
        let submission = Submission {
            actor: Actor::User(ada.ledger_id),
            key: new_key(),
            command: payment(&ada, &bob),
            signature,
            service: "tokenomics",
            traceparent: None,
        };
        let accepted = server.platform.outbox().submit(submission).await.unwrap();
        let id = accepted.command_id.to_string();
        assert_eq!(server.settled(&admin, &id).await, "refused", "{code}");
        let status = admin.get(&format!("/api/v1/commands/{id}"), 200).await;
        assert_eq!(status.str("code"), code);
    }
    assert_eq!((ada.balance().await, bob.balance().await), ("500.00".into(), "500.00".into()));
}

/// Whoever has overheard a signed payment sends it again: at once, under another key, as somebody
/// else. Of two that were signed in one order both are settled in the other.
#[tokio::test]
async fn a_signed_payment_is_settled_once_however_often_it_is_sent() {
    let server = Server::start().await;
    let (_, ada, bob) = keyed(&server).await;
    let body = |key: &str| {
        let signature = signature(&ada, 7, key, payment(&ada, &bob));
        json!({ "toUserId": bob.ledger_id, "amount": "2.00", "signature": signature })
    };
    let (first, second) = (new_key(), new_key());
    let (first_body, second_body) = (body(&first), body(&second));
    let send = async |by: &Account, key: &str, body: &Value| {
        let headers = [("idempotency-key", key), ("prefer", "wait=20")];
        by.person.client.send("POST", TRANSFERS, &headers, Some(&body.to_string())).await
    };
    assert_eq!(send(&ada, &second, &second_body).await.outcome(), "committed");
    assert_eq!(send(&ada, &first, &first_body).await.outcome(), "committed");
    let paid = bob.balance().await;
    let again = send(&ada, &first, &first_body).await;
    assert_eq!((again.outcome(), again.header("idempotency-replayed")), ("committed", "true"));
    let elsewhere = send(&ada, &new_key(), &first_body).await;
    assert_eq!(elsewhere.body["code"], "signature_wrong", "{}", elsewhere.text);
    let by_bob = send(&bob, &first, &first_body).await;
    assert_ne!(by_bob.outcome(), "committed", "{}", by_bob.text);
    assert_eq!(bob.balance().await, paid, "nothing was paid again");
}

/// One with every permission: what takes two waits for the second, and both stand in the log, which
/// no route changes.
#[tokio::test]
async fn an_admin_takes_nothing_alone_and_leaves_a_trace() {
    let server = Server::start().await;
    let (mallory, other) = two_admins(&server).await;
    let ada = server.account(&mallory, "ada", "DE").await;
    let pool = "/api/v1/pools/SYSTEM_CHARITABLE_POOL";
    let before = mallory.get(pool, 200).await.body;
    let body = json!({ "userId": ada.ledger_id, "amount": "1", "purpose": "A well" });
    let path = "/api/v1/admin/pools/SYSTEM_CHARITABLE_POOL/disburse";
    let asked = mallory.settle(path, body).await;
    assert_eq!(asked.outcome(), "committed", "as a request: {}", asked.text);
    let action = pending(&other).await;
    let path = format!("/api/v1/admin/actions/{action}/approve");
    assert_eq!(mallory.settle(&path, json!({})).await.outcome(), "same_admin");
    assert_eq!(mallory.get(pool, 200).await.body, before);
    assert_eq!(ada.balance().await, "500.00");
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 1000).await.unwrap();
    let asked = ("admin:superowner", "AdminContract:DisburseFromPool");
    let is_trace = |row: &audit::AuditRow| (row.actor.as_str(), row.action.as_str()) == asked;
    assert!(rows.iter().any(is_trace), "{rows:?}");
    let audited = |route: &&Route| route.path.contains("/audit-logs");
    assert!(routes().iter().filter(audited).all(|route| route.verb.as_str() == "GET"));
    let verified = audit::verify(server.platform.store()).await.unwrap();
    assert_eq!(verified.broken, None);
}

/// The answers and what they cost; the hash is made dear, so that leaving it out would be seen.
#[tokio::test]
async fn a_log_in_tells_and_costs_the_same_whether_somebody_is_known() {
    let settings = [("auth.argon2_memory_kib", "8192"), ("auth.lockout_failures", "100")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    server.register("ada", "DE").await;
    for (path, known, unknown) in [
        (
            "/api/v1/auth/login",
            json!({ "email": "ada@example.org" }),
            json!({ "email": "eve@example.org" }),
        ),
        (
            "/api/v1/admin/auth/login",
            json!({ "username": "superowner" }),
            json!({ "username": "eve" }),
        ),
    ] {
        let mut least = [Duration::MAX; 2];
        let mut answers = Vec::new();
        for _ in 0..5 {
            for (place, name) in [&known, &unknown].into_iter().enumerate() {
                let mut body = name.clone();
                body["password"] = json!("Wrong7horse");
                let began = Instant::now();
                let reply = server.client.post(path, body, 401).await;
                least[place] = least[place].min(began.elapsed());
                answers.push(told(&reply));
            }
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{path}: {answers:?}");
        let [known, unknown] = least;
        assert!(unknown * 4 > known && known * 4 > unknown, "{path}: {known:?}, {unknown:?}");
    }
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 1000).await.unwrap();
    let failed = |action: &str| rows.iter().filter(|row| row.action == action).count();
    assert_eq!((failed("user.login.fail"), failed("admin.login.fail")), (10, 10));
}

/// What an answer says to whoever compares two: everything but its id and its time.
fn told(reply: &Reply) -> (Vec<String>, Value) {
    let mut names: Vec<_> = reply.headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    let mut body = reply.body.clone();
    for field in ["requestId", "timestamp"] {
        body[field] = Value::Null;
    }
    (names, body)
}

const INJECTED: &str = "x\r\nX-Injected: yes\r\n\r\n";

/// Every text of every body, with the end of a line in it: none is taken, none comes back as a
/// header, and none begins a line of the log.
#[tokio::test]
async fn no_text_of_a_body_ends_a_line_of_a_header_or_of_the_log() {
    let lines = Lines::default();
    let _guard = lines.collect(LogFormat::Text);
    let server = Server::start_with(&[("log.requests", "true")], Workers::NONE).await;
    server.register("ada", "DE").await;
    server.admin().await;
    let mut sent = 0;
    for route in routes() {
        let sample: Value = serde_json::from_str(route.sample.unwrap_or("{}")).unwrap();
        let mut places = Vec::new();
        texts(&sample, &mut String::new(), &mut places);
        for place in places {
            let mut body = sample.clone();
            *body.pointer_mut(&place).unwrap() = json!(INJECTED);
            let client = session(&server, route).await;
            let headers = [("idempotency-key", &*new_key())];
            let path = route.path.replace(['{', '}'], "");
            let verb = route.verb.as_str();
            let reply = client.send(verb, &path, &headers, Some(&body.to_string())).await;
            assert!(!reply.headers.contains_key("x-injected"), "{route:?} {place}");
            let refused = reply.status.is_client_error();
            assert!(refused, "{route:?} takes {place}: {}", reply.text);
            sent += 1;
        }
    }
    assert!(sent > 60, "{sent}");
    assert_no_line_is_forged(&lines);
}

async fn session(server: &Server, route: &Route) -> Client {
    let (path, body) = match route.access() {
        Access::Public | Access::System | Access::Partner => return server.client.with_token(""),
        Access::User => {
            let body = json!({ "email": "ada@example.org", "password": PASSWORD });
            ("/api/v1/auth/login", body)
        }
        Access::Either | Access::AnyAdmin | Access::Admin(_) => {
            let body = json!({ "username": "superowner", "password": ADMIN_PASSWORD });
            ("/api/v1/admin/auth/login", body)
        }
    };
    let reply = server.client.post(path, body, 200).await;
    server.client.with_token(reply.str("accessToken"))
}

/// Where texts stand in a body, as JSON pointers.
fn texts(value: &Value, at: &mut String, found: &mut Vec<String>) {
    let mut inside = |name: String, value: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&name);
        texts(value, at, found);
        at.truncate(length);
    };
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| inside(name.clone(), value));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| inside(at.to_string(), value));
        }
        Value::String(_) => found.push(at.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn assert_no_line_is_forged(lines: &Lines) {
    let logged = lines.text();
    assert!(logged.contains("request answered"), "{logged}");
    for line in logged.split(['\r', '\n']) {
        let begins = line.trim_start().to_ascii_lowercase();
        assert!(!begins.starts_with("x-injected"), "a line of somebody else's: {line}");
    }
}

/// What is echoed of a request: its id, its path, and the names of its fields and parameters.
#[tokio::test]
async fn no_header_path_or_query_ends_a_line_of_a_header_or_of_the_log() {
    let lines = Lines::default();
    let _guard = lines.collect(LogFormat::Text);
    let server = Server::start_with(&[("log.requests", "true")], Workers::NONE).await;
    let injected = "x%0d%0aX-Injected:%20yes%0d%0a%0d%0a";
    for path in [
        format!("/api/v1/{injected}"),
        format!("/{injected}"),
        format!("/api/v1/blocks/{injected}"),
        format!("/api/v1/pools/{injected}"),
        format!("/api/v1/countries/{injected}/stats"),
        format!("/api/v1/blocks?{injected}=1"),
        format!("/api/v1/blocks?limit={injected}"),
        format!("/api/v1/blocks?after={injected}"),
    ] {
        let reply = server.client.send("GET", &path, &[], None).await;
        assert!(reply.status.is_client_error(), "{path}: {}", reply.text);
        assert!(!reply.headers.contains_key("x-injected"), "{path}");
        assert!(!reply.text.contains('\r'), "{path}: {}", reply.text);
    }
    let body = json!({ INJECTED: 1 }).to_string();
    let reply = server.client.send("POST", "/api/v1/auth/login", &[], Some(&body)).await;
    assert_eq!(reply.status, 400);
    for line in [
        "x-request-id: a\r\n x-injected: yes",
        "x-request-id: a\rx-injected: yes",
        "x-request-id: a b\tx-injected: yes",
        "traceparent: 00-\u{1}x-injected: yes",
        "user-agent: a\u{b}x-injected: yes",
        "origin: https://a.example.org\tx-injected: yes",
    ] {
        let answer = exchange(&server, &format!("GET /livez HTTP/1.1\r\n{line}\r\n")).await;
        let head = answer.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        assert!(!head.contains("x-injected"), "{line:?}: {head}");
    }
    server.client.get("/api/v1/countries", 200).await;
    assert_no_line_is_forged(&lines);
}

/// Sends a request as it stands, and reads what comes back until the connection ends.
async fn exchange(server: &Server, head: &str) -> String {
    let mut stream = TcpStream::connect(server.client.address).await.unwrap();
    let request = format!("{head}host: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Where a request ends is said once, or it is not answered; and no method shows what was sent.
#[tokio::test]
async fn requests_that_end_in_two_places_are_not_answered() {
    let server = Server::start_with(&[], Workers::NONE).await;
    for lengths in [
        "content-length: 2\r\ncontent-length: 3\r\n",
        "content-length: 2, 3\r\n",
        "content-length: +2\r\n",
        "transfer-encoding: gzip\r\n",
        "transfer-encoding: chunked, identity\r\n",
    ] {
        let head = format!("POST /api/v1/auth/login HTTP/1.1\r\n{lengths}");
        let answer = exchange(&server, &head).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{lengths:?}: {answer}");
    }
    for path in ["/livez", "/api/v1/supply", "/api/v1/auth/login"] {
        let reply = server.client.send("TRACE", path, &[("x-secret", "seven")], None).await;
        assert_eq!(reply.status, 405, "{path}");
        assert!(!reply.text.contains("seven"), "{path}");
    }
}

/// An access token that was stolen ends with the session; so does the refresh token beside it.
#[tokio::test]
async fn what_was_stolen_ends_with_the_session_of_its_owner() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let login = json!({ "email": ada.email, "password": PASSWORD });
    let stolen = server.client.post("/api/v1/auth/login", login, 200).await;
    assert!(!stolen.headers.contains_key("set-cookie"), "nothing that a browser adds by itself");
    let thief = server.client.with_token(stolen.str("accessToken"));
    thief.get("/api/v1/users/profile", 200).await;
    let sessions = ada.client.get("/api/v1/sessions", 200).await;
    for session in sessions.body["data"].as_array().unwrap() {
        if session["isCurrent"] == false {
            let path = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());
            let ended = ada.client.send("DELETE", &path, &[], None).await;
            assert!(ended.status.is_success(), "{}", ended.text);
        }
    }
    thief.get("/api/v1/users/profile", 401).await;
    let refresh = json!({ "refreshToken": stolen.str("refreshToken") });
    server.client.post("/api/v1/auth/refresh", refresh, 401).await;
    ada.client.get("/api/v1/users/profile", 200).await;
}

/// A log line for who is kept out, with what was tried and by whom, at the level that is the
/// default.
#[tokio::test]
async fn whoever_is_kept_out_is_logged() {
    let lines = Lines::default();
    let _guard = lines.collect(LogFormat::Json);
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    server.client.get("/api/v1/users/profile", 401).await;
    ada.client.get("/api/v1/admin/users", 403).await;
    let logged = lines.text();
    let denied: Vec<Value> = logged
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["message"] == "access denied")
        .collect();
    let told = |line: &Value| ["caller", "route", "code", "level"].map(|key| line[key].clone());
    let ada = format!("user:{}", ada.id);
    assert_eq!(
        denied.iter().map(told).collect::<Vec<_>>(),
        [
            ["nobody", "/api/v1/users/profile", "authorization_missing", "INFO"].map(Value::from),
            [&*ada, "/api/v1/admin/users", "forbidden", "INFO"].map(Value::from),
        ]
    );
}
