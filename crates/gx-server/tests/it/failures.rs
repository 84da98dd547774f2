//! Failures that a description lists, provoked: what many routes have in common on every one of
//! them, and that some test names each of the others.
//!
//! The API's description is walked. A route that lists a failure and can't have it is found like
//! one that has a failure of which it tells nothing.

use std::collections::BTreeSet;
use std::path::Path;

use gx_contract::Refusal;
use gx_server::{Access, Route, Services, Workers, openapi, routes};
use serde_json::{Value, json};

use crate::client::{Client, new_key};
use crate::partners::keyed;
use crate::server::Server;

/// A failure: status and code.
type Failure = (u16, &'static str);

/// The description of everything.
fn description() -> Value {
    openapi(routes(), Services::All)
}

fn operation<'d>(document: &'d Value, route: &Route) -> &'d Value {
    &document["paths"][route.path][route.verb.as_str().to_lowercase()]
}

/// The path of a route with the description's example for each parameter.
fn path(document: &Value, route: &Route) -> String {
    let parameters = operation(document, route)["parameters"].as_array();
    let parameters = parameters.into_iter().flatten().filter(|one| one["in"] == "path");
    let filled = parameters.fold(route.path.to_owned(), |path, one| {
        let name = format!("{{{}}}", one["name"].as_str().unwrap());
        path.replace(&name, one["example"].as_str().unwrap())
    });
    filled.replace(' ', "%20")
}

/// The same with bytes that are no text for each parameter.
fn path_of_no_text(route: &Route) -> String {
    let mut parts = route.path.split('{');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |path, part| path + "%FF" + part.split_once('}').unwrap().1)
}

#[test]
fn every_operation_has_an_example_of_what_it_takes() {
    let document = description();
    for route in routes() {
        let operation = operation(&document, route);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let is_shown = parameter["in"] != "path" || parameter["example"].is_string();
            assert!(is_shown, "{route:?}: {parameter}");
        }
        let Some(body) = operation.get("requestBody") else { continue };
        let example = &body["content"]["application/json"]["example"];
        assert!(example.is_object(), "{route:?} has a body and no sample");
        assert!(!example.to_string().contains("\"{"), "{route:?}: {example}");
    }
}

/// A request that is wrong in one way.
struct Wrong {
    failure: Failure,
    /// Whether the caller's token goes with it.
    has_token: bool,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

/// More than a body may be.
const TOO_LARGE: usize = 1 << 20;

/// Routes that take more than others; their own tests send too much.
const TAKES_FILES: [&str; 2] =
    ["/api/v1/users/{id}/documents", "/api/v1/users/{id}/documents/upload"];

/// Every general way in which a request to a route can be wrong, and what comes of it.
fn wrongs(document: &Value, route: &Route) -> Vec<Wrong> {
    let path = path(document, route);
    let is_get = route.verb.as_str() == "GET";
    let key = |key: &str| vec![("idempotency-key", key.to_owned())];
    let wrong = |failure: Failure| Wrong {
        failure,
        has_token: true,
        path: path.clone(),
        headers: key(&new_key()),
        body: (!is_get).then(|| "{}".to_owned()),
    };
    let with =
        |failure: Failure, body: &str| Wrong { body: Some(body.to_owned()), ..wrong(failure) };
    let asking =
        |failure: Failure, query: &str| Wrong { path: format!("{path}?{query}"), ..wrong(failure) };
    let basic = ("authorization", "Basic QTpC".to_owned());
    let takes_body = operation(document, route).get("requestBody").is_some();
    let unknown = (400, "validation_failed");
    let mut all = vec![
        Wrong { has_token: false, headers: vec![basic], ..wrong((401, "authorization_malformed")) },
        with((400, "malformed_json"), "{"),
        Wrong {
            headers: vec![
                ("idempotency-key", new_key()),
                ("content-type", "text/plain".to_owned()),
            ],
            ..with((415, "unsupported_media_type"), "{}")
        },
        Wrong { headers: Vec::new(), ..wrong((400, "idempotency_key_required")) },
        Wrong { headers: key("short"), ..wrong((400, "idempotency_key_invalid")) },
        asking((400, "malformed_query"), "after=x&after=x"),
        asking((400, "invalid_after"), "after=x"),
        Wrong { path: path_of_no_text(route), ..wrong((400, "malformed_path")) },
        match takes_body {
            true => with(unknown, r#"{"nothing of this name": 1}"#),
            false => asking(unknown, "nothing-of-this-name=1"),
        },
    ];
    if !TAKES_FILES.contains(&route.path) {
        let body = format!(r#"{{"x":"{}"}}"#, "x".repeat(TOO_LARGE));
        all.push(with((413, "body_too_large"), &body));
    }
    all.retain(|wrong| route.admits(wrong.failure.0, Some(wrong.failure.1)));
    all
}

/// Sends a request to a route, and says what is not as it should be.
async fn fault(client: &Client, route: &Route, wrong: &Wrong) -> Option<String> {
    let headers: Vec<(&str, &str)> =
        wrong.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let verb = route.verb.as_str();
    let reply = client.send(verb, &wrong.path, &headers, wrong.body.as_deref()).await;
    let told = (reply.status.as_u16(), reply.body["code"].as_str().unwrap_or_default());
    (told != wrong.failure).then(|| format!("{route:?}: {:?}, and not {told:?}", wrong.failure))
}

/// Somebody of each kind.
struct Callers {
    user: Client,
    admin: Client,
    partner: Client,
    nobody: Client,
}

impl Callers {
    async fn of(server: &Server, admin: Client, user: Client) -> Self {
        let partner = server.client.with_key(&keyed(&admin, "shop").await);
        Self { user, admin, partner, nobody: server.client.stranger() }
    }

    /// Whoever may call a route, on a connection of their own: one on which too much was sent is
    /// closed.
    fn whose(&self, route: &Route, is_known: bool) -> Client {
        let caller = match route.access() {
            _ if !is_known => &self.nobody,
            Access::User | Access::Either => &self.user,
            Access::AnyAdmin | Access::Admin(_) => &self.admin,
            Access::Partner => &self.partner,
            Access::Public | Access::System => &self.nobody,
        };
        caller.anew()
    }
}

#[tokio::test]
async fn every_route_says_what_is_wrong_with_a_request_as_described() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await.person.client;
    let callers = Callers::of(&server, admin, ada).await;
    let document = description();
    let (mut sent, mut faults) = (0, Vec::new());
    for route in routes() {
        for wrong in wrongs(&document, route) {
            let caller = callers.whose(route, wrong.has_token);
            faults.extend(fault(&caller, route, &wrong).await);
            sent += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(sent > 1_300, "{sent}");
}

/// Sends a request with each of these tokens to every route that lists the failure.
async fn check_shut_out(server: &Server, shut_out: &[(Failure, String)], least: usize) {
    let document = description();
    let (mut sent, mut faults) = (0, Vec::new());
    for route in routes() {
        // Those that nobody logs in to look at the account that is named in the body, and partners
        // have none.
        if matches!(route.access(), Access::Public | Access::System | Access::Partner) {
            continue;
        }
        for (failure, token) in shut_out {
            if !route.admits(failure.0, Some(failure.1)) {
                continue;
            }
            let wrong = Wrong {
                failure: *failure,
                has_token: true,
                path: path(&document, route),
                headers: vec![("idempotency-key", new_key())],
                body: (route.verb.as_str() != "GET").then(|| "{}".to_owned()),
            };
            faults.extend(fault(&server.client.with_token(token), route, &wrong).await);
            sent += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(sent >= least, "{sent}");
}

/// A user whom an administrator has shut out, in that way.
async fn shut_out(server: &Server, admin: &Client, how: &str) -> String {
    let user = match how {
        "freeze" => server.account(admin, how, "DE").await.person,
        _ => server.register(how, "DE").await,
    };
    let path = |verb: &str| format!("/api/v1/admin/users/{}/{verb}", user.id);
    let because = json!({ "reason": "Looked into by the office" });
    match how {
        "freeze" => {
            let frozen = admin.settle(&path(how), json!({ "reason": "COURT_ORDER" })).await;
            assert_eq!(frozen.outcome(), "committed", "{}", frozen.text);
        }
        "suspend" => {
            admin.post(&path("approve"), json!({}), 200).await;
            admin.post(&path(how), because, 200).await;
        }
        _ => {
            admin.post(&path(how), because, 200).await;
        }
    }
    user.client.token.unwrap()
}

/// An administrator whose password was given by another.
async fn newcomer(server: &Server, admin: &Client) -> String {
    let body = json!({
        "username": "newcomer", "email": "newcomer@example.org", "displayName": "New",
        "role": "SUPER_OWNER",
    });
    let made = admin.post("/api/v1/admin/admins", body, 201).await;
    let login = json!({ "username": "newcomer", "password": made.str("oneTimePassword") });
    let opened = server.client.post("/api/v1/admin/auth/login", login, 200).await;
    opened.str("accessToken").to_owned()
}

#[tokio::test]
async fn whoever_is_shut_out_is_told_so_by_every_route() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let out = [
        ((403, "account_frozen"), shut_out(&server, &admin, "freeze").await),
        ((403, "account_suspended"), shut_out(&server, &admin, "suspend").await),
        ((403, "account_closed"), shut_out(&server, &admin, "close").await),
        ((403, "password_change_required"), newcomer(&server, &admin).await),
    ];
    check_shut_out(&server, &out, 800).await;
}

#[tokio::test]
async fn outside_devnet_every_route_of_admins_asks_for_a_second_factor() {
    let settings = [
        ("network", "testnet"),
        ("auth.argon2_memory_kib", "19456"),
        ("rate_limits.credentials_per_minute", "1000"),
        ("rate_limits.commands_per_minute", "1000"),
        ("rate_limits.reads_per_minute", "1000"),
    ];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let token = server.admin().await.token.unwrap();
    check_shut_out(&server, &[((403, "mfa_required"), token)], 100).await;
}

#[tokio::test]
async fn every_route_is_limited_as_described() {
    // As many as it takes to log in: an administrator with a new password, and a user.
    let settings = [
        ("rate_limits.devnet_factor", "1"),
        ("rate_limits.credentials_per_minute", "4"),
        ("rate_limits.commands_per_minute", "3"),
        ("rate_limits.reads_per_minute", "1"),
    ];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let admin = server.admin().await;
    let ada = server.register("ada", "DE").await.client;
    // A stream that is let through has no end.
    ada.get("/api/v1/users/profile", 200).await;
    admin.get("/api/v1/admin/auth/profile", 200).await;
    let callers = Callers::of(&server, admin, ada).await;
    let document = description();
    for route in routes().iter().filter(|route| route.admits(429, Some("rate_limited"))) {
        let (verb, path) = (route.verb.as_str(), path(&document, route));
        let caller = callers.whose(route, true);
        let mut told = Vec::new();
        // One more than the most that are let through.
        for _ in 0..5 {
            let headers = [("idempotency-key", &*new_key())];
            let reply = caller.send(verb, &path, &headers, (verb != "GET").then_some("{}")).await;
            told.push(reply.status.as_u16());
            if reply.status == 429 {
                assert_eq!(reply.str("code"), "rate_limited", "{route:?}");
                assert!(!reply.header("retry-after").is_empty(), "{route:?}");
                break;
            }
        }
        assert_eq!(told.last(), Some(&429), "{route:?}: {told:?}");
    }
}

/// What the walks above provoke.
const PROVOKED: [&str; 14] = [
    "account_closed",
    "account_frozen",
    "account_suspended",
    "authorization_malformed",
    "body_too_large",
    "idempotency_key_invalid",
    "idempotency_key_required",
    "invalid_after",
    "malformed_json",
    "malformed_path",
    "malformed_query",
    "mfa_required",
    "password_change_required",
    "unsupported_media_type",
];

/// What takes more time or more rows than a test has, two requests in one moment, or a process
/// that is overwhelmed. The list should only ever shrink.
const UNNAMED: [&str; 12] = [
    "approval_expired",
    "body_too_slow",
    "busy",
    "deployment_expired",
    "last_super_owner",
    "ledger_elsewhere",
    "previous_image_unavailable",
    "request_in_flight",
    "statement_too_long",
    "timeout",
    "too_many_beneficiaries",
    "too_many_passkeys",
];

/// All codes that a document lists among its answers.
fn codes(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let listed = fields.get("properties").and_then(|properties| properties.get("code"));
            for code in listed.and_then(|code| code["enum"].as_array()).into_iter().flatten() {
                found.insert(code.as_str().unwrap().to_owned());
            }
            fields.values().for_each(|value| codes(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| codes(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The sources of these tests, but for this one.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.file_name().is_some_and(|name| name != "failures.rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
    text
}

/// The ledger's refusals have their rows among the tests of the contract.
#[test]
fn every_other_failure_is_named_by_a_test() {
    let document = description();
    let mut listed = BTreeSet::new();
    codes(&document["paths"], &mut listed);
    codes(&document["components"]["responses"], &mut listed);
    assert!(listed.len() > 250, "{}", listed.len());
    let tests = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"));
    let is_named = |code: &str| tests.contains(&format!("\"{code}\""));
    let refusals: BTreeSet<&str> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
    let unnamed: Vec<&str> = listed
        .iter()
        .map(String::as_str)
        .filter(|code| !refusals.contains(code) && !PROVOKED.contains(code) && !is_named(code))
        .collect();
    assert_eq!(unnamed, UNNAMED, "take off the list what a test names now");
}
