//! Gates that walk the route table: nobody can forget a route's access rule, audit row or command.
//!
//! When one of them fails, a route was added without its counterpart: the message says which.

use std::collections::BTreeSet;

use gx_contract::Command;
use gx_contract::spending::SetSpendingLimit;
use gx_server::{Access, Route, Workers, routes};
use gx_store::admin::audit::{self, Filter};
use gx_store::login::SubjectKind;
use gx_store::notifications::{self, NewNotification, Topic};
use gx_store::webhooks::deliveries::{self, NewDelivery};
use gx_types::{Amount, TimeMs};
use serde_json::{Value, json};

use crate::approvals::{approve, ask, close};
use crate::client::{Client, Reply, new_key};
use crate::cluster::Cluster;
use crate::decisions::colleague;
use crate::outbox::{dead_command, rebuilt};
use crate::recovery::register_key;
use crate::registration;
use crate::second_factors;
use crate::server::{ADMIN_PASSWORD, Account, PASSWORD, Server};
use crate::signing::without_session;

/// Commands that operators give by other means. The list should only ever shrink.
const OPERATOR_ONLY: &[&str] = &[];

/// Commands that programs give through `submit()`: no service has a route for them. A route takes
/// its command off the list, or the test below fails.
const WITHOUT_ROUTE: &[&str] = &[];

pub(crate) fn path_of(route: &Route) -> String {
    let mut path = String::new();
    let mut rest = route.path;
    while let Some((before, after)) = rest.split_once('{') {
        path.push_str(before);
        path.push('x');
        rest = after.split_once('}').unwrap().1;
    }
    path + rest
}

#[tokio::test]
async fn every_route_keeps_strangers_out() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let foreign = server.client.with_token("a.b.c");
    for route in routes() {
        let body = route.mutates().then_some("{}");
        let headers = [("idempotency-key", &*new_key())];
        let (method, path) = (route.verb.as_str(), path_of(route));
        let without = server.client.send(method, &path, &headers, body).await;
        let with = foreign.send(method, &path, &headers, body).await;
        match route.access() {
            Access::Public | Access::System => {
                assert_ne!(without.status, 401, "{route:?} is public");
                assert!(!without.status.is_server_error() || path == "/readyz", "{route:?}");
            }
            Access::Partner => {
                for reply in [without, with] {
                    assert_eq!(reply.status, 401, "{route:?} without a key");
                    assert_eq!(reply.str("code"), "api_key_missing", "{route:?}");
                }
            }
            Access::User | Access::Either | Access::AnyAdmin | Access::Admin(_) => {
                assert_eq!(without.status, 401, "{route:?} without a token");
                assert_eq!(without.str("code"), "authorization_missing", "{route:?}");
                assert_eq!(with.status, 401, "{route:?} with a foreign token");
                assert_eq!(with.str("code"), "token_invalid", "{route:?}");
            }
        }
    }
}

#[tokio::test]
async fn no_admin_route_is_open_to_users() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    for route in routes() {
        if matches!(route.access(), Access::AnyAdmin | Access::Admin(_)) {
            let body = route.mutates().then_some("{}");
            let headers = [("idempotency-key", &*new_key())];
            let (method, path) = (route.verb.as_str(), path_of(route));
            let reply = ada.client.send(method, &path, &headers, body).await;
            assert_eq!(reply.status, 403, "{route:?} for a user");
        }
    }
}

#[test]
fn every_command_has_a_route() {
    let routed: BTreeSet<&str> = routes().iter().filter_map(|route| route.command()).collect();
    let all: BTreeSet<&str> = Command::NAMES.iter().copied().collect();
    let operators: BTreeSet<&str> = OPERATOR_ONLY.iter().chain(WITHOUT_ROUTE).copied().collect();
    let missing: Vec<_> =
        all.difference(&routed).filter(|name| !operators.contains(*name)).collect();
    assert!(missing.is_empty(), "no route submits {missing:?}: add one, or list it here");
    assert!(routed.is_subset(&all), "routes name commands that do not exist");
    assert!(operators.is_disjoint(&routed), "remove from the lists what has a route");
}

#[test]
fn every_route_is_described() {
    let mut seen = BTreeSet::new();
    for route in routes() {
        assert!(!route.summary.is_empty(), "{route:?} has no summary");
        assert!(seen.insert((route.verb.as_str(), route.path)), "{route:?} stands twice");
        let is_root = route.service.is_none() || route.path.starts_with("/.well-known/");
        assert!(is_root || route.path.starts_with("/api/v1/"), "{route:?} is not under /api/v1");
    }
    let document = gx_server::openapi(routes(), gx_server::Services::All);
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (verb, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{verb} {path}: operation id {id} stands twice");
        }
    }
    assert_eq!(ids.len(), routes().len());
    let references = document.to_string();
    for reference in references.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "no schema {name}");
    }
}

const OTHER_PASSWORD: &str = "Other7horse-cart";

#[tokio::test]
async fn every_mutating_route_leaves_a_record() {
    let cluster = Cluster::start().await;
    let server = cluster.server(&[]).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    for route in routes().iter().filter(|route| route.mutates()) {
        let id = new_key();
        let sample = prepared(&server, &ada, route, &id).await;
        let before = records(&server).await;
        let (client, reply) = sent(route, sample, &id).await;
        let after = records(&server).await;
        // Payments of users are recorded by their row in the outbox.
        assert!(after > before, "{route:?} wrote no audit row");
        if route.command().is_none() || !matches!(route.access(), Access::User) {
            assert!(after.0 > before.0, "{route:?} wrote no audit row");
        }
        put_back(&server, route, &client, &reply).await;
    }
    let verified = audit::verify(server.platform.store()).await.unwrap();
    assert_eq!(verified.broken, None);
}

/// By a user, whom all of these answer.
#[tokio::test]
async fn every_sample_that_only_asks_is_answered() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await.person.client;
    for route in routes().iter().filter(|route| !route.mutates()) {
        let Some(sample) = route.sample else { continue };
        let headers = [("idempotency-key", &*new_key())];
        let reply = ada.send(route.verb.as_str(), route.path, &headers, Some(sample)).await;
        assert_eq!(reply.status, 200, "{route:?}: {}", reply.text);
    }
}

/// Who sends the sample of a route, where, and the body.
type Sample = (Client, String, Option<String>);

/// Sends a sample, which has to succeed.
pub(crate) async fn sent(route: &Route, (client, path, body): Sample, id: &str) -> (Client, Reply) {
    let headers = [("idempotency-key", id)];
    let reply = client.send(route.verb.as_str(), &path, &headers, body.as_deref()).await;
    assert!(reply.status.is_success(), "{route:?}: {}", reply.text);
    (client, reply)
}

/// Leaves the platform after a route as it was, so that nothing is in the way of the next one.
pub(crate) async fn put_back(server: &Server, route: &Route, client: &Client, reply: &Reply) {
    if let Some(id) = reply.body["commandId"].as_str() {
        server.settled(&fresh_admin(server).await.0, id).await;
    }
    if route.path.ends_with("projector/rebuild") {
        rebuilt(&fresh_admin(server).await.0).await;
    }
    if route.path == "/api/v1/admin/auth/password/change" {
        let back = json!({ "currentPassword": OTHER_PASSWORD, "newPassword": ADMIN_PASSWORD });
        client.post(route.path, back, 200).await;
    }
}

/// Rows of the audit log, and commands of the outbox.
async fn records(server: &Server) -> (usize, u64) {
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 10_000).await;
    let metrics = server.app.metrics().render();
    let submitted = metrics.lines().filter(|line| line.starts_with("commands_submitted_total"));
    let submitted = submitted.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    (rows.unwrap().len(), submitted.sum())
}

pub(crate) async fn fresh_admin(server: &Server) -> (Client, Reply) {
    let body = json!({ "username": "superowner", "password": ADMIN_PASSWORD });
    let reply = server.client.post("/api/v1/admin/auth/login", body, 200).await;
    (server.client.with_token(reply.str("accessToken")), reply)
}

/// Who sends the sample of a route, where, and with what of the moment filled in.
pub(crate) async fn prepared(server: &Server, ada: &Account, route: &Route, id: &str) -> Sample {
    if let Some(sample) = by_its_own_tests(server, route).await {
        return sample;
    }
    let (admin, admin_session) = fresh_admin(server).await;
    if route.path == "/api/v1/commands/signed" {
        return signed(server, &admin, route, id).await;
    }
    // Ada is frozen at times, so she logs in only where it is she who calls.
    let sample = route.sample.unwrap_or_default();
    let session = match route.access() == Access::User || sample.contains("{refreshToken}") {
        true => {
            let login = json!({ "email": ada.person.email, "password": PASSWORD,
                "deviceFingerprint": "phone" });
            server.client.post("/api/v1/auth/login", login, 200).await.body
        }
        false => Value::Null,
    };
    let token = |name: &str| session[name].as_str().unwrap_or_default();
    let new_name = format!("n{}", new_key());
    let id = match of_somebody_new(server, &admin, &new_name, route).await {
        Some(id) => id,
        None => ada.person.id.clone(),
    };
    if route.path.ends_with("batch-register-onchain") {
        let applicant = server.register(&new_name, "DE").await.id;
        admin.post(&format!("/api/v1/admin/users/{applicant}/approve"), json!({}), 200).await;
    }
    let ledger_id = ada.ledger_id.to_string();
    let user = server.client.with_token(token("accessToken"));
    let parties = (&admin, &user, ada);
    let there = what_is_there(server, parties, &new_name, route).await;
    let client = match route.access() {
        Access::User => user,
        _ => admin,
    };
    let own = own_id(&client, route).await;
    let request_code = match route.path.contains("{requestCode}") {
        true => crate::qsend::prepared(server, &client, &new_name, route).await,
        false => String::new(),
    };
    let moment = [
        ("{id}", id.as_str()),
        ("{userId}", &ledger_id),
        ("{ledgerId}", &ledger_id),
        ("{requestCode}", &request_code),
        ("{sessionId}", &own),
        ("{deviceId}", &own),
        ("{refreshToken}", token("refreshToken")),
        ("{adminRefreshToken}", admin_session.str("refreshToken")),
    ];
    let filled = |text: &str| {
        let fill = |text: String, (name, with): (&str, &str)| text.replace(name, with);
        let there = there.iter().map(|(name, value)| (*name, value.as_str()));
        let all = ANYTHING.iter().copied().chain(moment).chain(there);
        all.fold(text.to_owned(), fill)
    };
    (client, filled(route.path).replace(' ', "%20"), route.sample.map(filled))
}

/// Routes whose tests know best what they need.
async fn by_its_own_tests(server: &Server, route: &Route) -> Option<Sample> {
    let has = |part| route.path.contains(part);
    Some(if route.access() == Access::Partner {
        crate::webhooks::prepared(server, route).await
    } else if has("/passkeys/") {
        crate::passkeys::prepared(server, route).await
    } else if has("/mfa") || route.path.starts_with("/api/v1/auth/password/") {
        alone(server, route).await
    } else if has("/documents") || has("/kyc") {
        crate::documents::prepared(server, route).await
    } else if has("/registration/") {
        registration::prepared(server, route).await
    } else if has("/admin/deployments/") {
        crate::deployments::prepared(server, &fresh_admin(server).await.0, route).await
    } else {
        return None;
    })
}

/// A command that a key has signed, from somebody without a session.
async fn signed(server: &Server, admin: &Client, route: &Route, id: &str) -> Sample {
    let owner = server.account(admin, &format!("n{}", new_key()), "DE").await;
    register_key(&owner, 7).await;
    let (user_id, per_day) = (owner.ledger_id, Some(Amount::ZERO));
    let body = without_session(&owner, 7, id, SetSpendingLimit { user_id, per_day }.into());
    (server.client.stranger(), route.path.to_owned(), Some(body.to_string()))
}

/// What has to be there before a route can be asked about it, made and named.
async fn what_is_there(
    server: &Server,
    (admin, user, ada): (&Client, &Client, &Account),
    new_name: &str,
    route: &Route,
) -> Vec<(&'static str, String)> {
    let sample = route.sample.unwrap_or_default();
    let mut there = Vec::new();
    if route.path.contains("{approvalId}") {
        there.push(("{approvalId}", approval(server, admin, new_name, route).await));
    }
    if route.path.contains("/admin/outbox/") {
        there.push(("{commandId}", dead_command(server, admin).await));
    }
    if route.path.contains("{beneficiaryId}") {
        let list = user.get("/api/v1/beneficiaries", 200).await;
        let first = list.body["beneficiaries"][0]["id"].as_str().unwrap().to_owned();
        there.push(("{beneficiaryId}", first));
    }
    if route.path.contains("{webhookId}") {
        there.push(("{webhookId}", webhook(server, admin, "/api/v1/admin/webhooks").await));
    }
    if route.path.contains("{notificationId}") {
        notification(server, &ada.person.id).await;
    }
    if format!("{}{sample}", route.path).contains("{partnerId}") {
        let agrees = route.path.contains("/grants/").then_some(user);
        let (partner_id, key_id) = crate::partners::made(admin, new_name, agrees).await;
        there.extend([("{partnerId}", partner_id), ("{keyId}", key_id)]);
    }
    there
}

const NOTIFICATION: &str = "ntf_7_0_0";
pub(crate) const DELIVERY: &str = "evt_7_0_0";

/// Long after the test: nobody sends it, or takes it away for its age.
const LATER: TimeMs = TimeMs(4_000_000_000_000);

/// An endpoint that was told something.
pub(crate) async fn webhook(server: &Server, keeper: &Client, path: &str) -> String {
    let body = json!({ "name": "Books", "url": "https://hooks.example.org/gx", "events": ["*"] });
    let made = keeper.post(path, body, 201).await;
    let id = made.body["webhook"]["id"].as_str().unwrap().to_owned();
    let told = NewDelivery {
        webhook_id: id.clone(),
        message_id: DELIVERY.to_owned(),
        event_type: "transferred".to_owned(),
        data: "{}".to_owned(),
        occurred_at: LATER,
        created_at: LATER,
        until: LATER,
    };
    let mut tx = server.platform.store().begin().await.unwrap();
    deliveries::add(&mut tx, &[told]).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Something that a user and the super owner were told.
async fn notification(server: &Server, user_id: &str) {
    let told = |kind: SubjectKind, subject: &str| NewNotification {
        kind,
        subject: subject.to_owned(),
        notification_id: NOTIFICATION.to_owned(),
        topic: Topic::Security,
        title: "An alarm".to_owned(),
        message: "Of a test".to_owned(),
        resource: None,
        action_required: false,
        created_at: LATER,
    };
    let both = [told(SubjectKind::User, user_id), told(SubjectKind::Admin, "superowner")];
    let mut tx = server.platform.store().begin().await.unwrap();
    notifications::put(&mut tx, &both).await.unwrap();
    tx.commit().await.unwrap();
}

/// Ids that need to be there for nobody: the ledger says whether they are.
const ANYTHING: [(&str, &str); 14] = [
    ("{actionId}", "ACT_00000000000000000000000007"),
    ("{orgId}", "DE 7K3 ABC123 1WXYZ 1234"),
    ("{ptxId}", "PTX_00000000000000000000000007"),
    ("{relationshipId}", "REL_00000000000000000000000007"),
    ("{recoveryId}", "REC_00000000000000000000000007"),
    ("{escrowId}", "ESC_00000000000000000000000007"),
    ("{loanId}", "LOAN_00000000000000000000000007"),
    ("{proposalId}", "PROP_00000000000000000000000007"),
    ("{adminId}", "deputy"),
    ("{paramId}", "votingDays"),
    ("{attesterId}", "clinic"),
    ("{notificationId}", NOTIFICATION),
    ("{deliveryId}", DELIVERY),
    ("{poolId}", "SYSTEM_CHARITABLE_POOL"),
];

/// Somebody about whom a route decides, where that needs somebody who stands elsewhere than Ada.
async fn of_somebody_new(
    server: &Server,
    admin: &Client,
    name: &str,
    route: &Route,
) -> Option<String> {
    // What each decision comes after.
    let before: &[&str] = match route.path.rsplit('/').next().unwrap_or_default() {
        "approve" | "deny" | "close" => &[],
        "suspend" => &["approve"],
        "reinstate" => &["approve", "suspend"],
        _ => return None,
    };
    let id = server.register(name, "DE").await.id;
    for step in before {
        let body = match *step {
            "approve" => json!({}),
            _ => json!({ "reason": "Looked into by the office" }),
        };
        admin.post(&format!("/api/v1/admin/users/{id}/{step}"), body, 200).await;
    }
    Some(id)
}

/// Something that was asked for, as far as a route needs it.
async fn approval(server: &Server, admin: &Client, name: &str, route: &Route) -> String {
    let user = server.register(&format!("{name}-user"), "DE").await.id;
    if route.path.ends_with("/cancel") {
        return ask(admin, close(&user)).await;
    }
    let clerk = colleague(server, name, "MODERATOR").await;
    let id = ask(&clerk, close(&user)).await;
    if route.path.ends_with("/execute") {
        admin.post(&format!("/api/v1/admin/approvals/{id}/vote"), approve(), 200).await;
    }
    id
}

/// The session or device that a route ends.
async fn own_id(client: &Client, route: &Route) -> String {
    match route.path.rsplit_once("/{") {
        Some((list, "sessionId}" | "deviceId}")) => first_id(client, list).await,
        _ => String::new(),
    }
}

/// The first of a list that is not the session that asks, or the only one.
async fn first_id(client: &Client, path: &str) -> String {
    let list = client.get(path, 200).await;
    let rows = list.body["data"].as_array().or_else(|| list.body["sessions"].as_array()).unwrap();
    let row = rows.iter().find(|row| row["isCurrent"] == false).unwrap_or(&rows[0]);
    row["id"].as_str().unwrap().to_owned()
}

/// The same for routes about how somebody logs in: whoever sends them is asked for nothing else.
async fn alone(server: &Server, route: &Route) -> Sample {
    let name = format!("n{}", new_key());
    let is_admin = route.path.starts_with("/api/v1/admin/");
    let (client, login_path, login, enable) = if is_admin {
        let client = crate::decisions::colleague(server, &name, "AUDITOR").await;
        let login = json!({ "username": name, "password": ADMIN_PASSWORD });
        (client, "/api/v1/admin/auth/login", login, "/api/v1/admin/auth/mfa/enable")
    } else {
        let person = server.register(&name, "DE").await;
        let login = json!({ "email": person.email, "password": PASSWORD });
        (person.client, "/api/v1/auth/login", login, "/api/v1/auth/mfa")
    };
    let set_up = enable.replace("enable", "setup");
    let (mut code, mut token, mut reset) = (String::new(), String::new(), String::new());
    match (route.verb.as_str(), route.path.rsplit('/').next().unwrap()) {
        ("POST", "enable") => {
            let made = client.post(&set_up, json!({}), 200).await;
            code = second_factors::code(made.str("secret"), 0);
        }
        ("POST", "verify" | "disable" | "step-up") | ("DELETE", _) => {
            let enrolled = second_factors::enrol(&client, &set_up, enable).await;
            code = second_factors::code(&enrolled.secret, 1);
            token = server.client.post(login_path, login, 200).await.str("mfaToken").to_owned();
        }
        ("POST", "reset") => {
            let body = json!({ "email": login["email"] });
            server.client.post("/api/v1/auth/password/forgot", body, 200).await;
            reset = crate::passwords::newest_token(server).await;
        }
        _ => {}
    }
    let moment = [("{code}", &code), ("{mfaToken}", &token), ("{resetToken}", &reset)];
    let fill = |text: String, (name, with): &(&str, &String)| text.replace(name, with);
    let body = route.sample.map(|sample| moment.iter().fold(sample.to_owned(), fill));
    (client, route.path.to_owned(), body)
}
