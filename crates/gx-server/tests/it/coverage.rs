//! Gates that walk the route table: nobody can forget a route's access rule, audit row or command.
//!
//! When one of them fails, a route was added without its counterpart: the message says which.

use std::collections::BTreeSet;

use gx_contract::Command;
use gx_server::{Access, Route, Verb, Workers, routes};
use gx_store::admin::audit::{self, Filter};
use serde_json::{Value, json};

use crate::client::new_key;
use crate::server::{PASSWORD, Server, registration};

/// Commands that operators give by other means. The list should only ever shrink.
const OPERATOR_ONLY: &[&str] = &[];

/// Commands that programs give through `submit()`: no service has a route for them.
const WITHOUT_ROUTE: &[&str] = &[
    "AdminContract:ActivateTreasuryAccount",
    "AdminContract:AppointAdmin",
    "AdminContract:ApproveAction",
    "AdminContract:DisburseFromPool",
    "AdminContract:RemoveAdmin",
    "AdminContract:UpdateSystemParameter",
    "GovernanceContract:ExecuteProposal",
    "GovernanceContract:SubmitProposal",
    "GovernanceContract:VoteOnProposal",
    "IdentityContract:CancelRecovery",
    "IdentityContract:CompleteRecovery",
    "IdentityContract:ConfirmRecovery",
    "IdentityContract:ConfirmRelationship",
    "IdentityContract:EndRelationship",
    "IdentityContract:InitiateRecovery",
    "IdentityContract:NominateGuardians",
    "IdentityContract:RegisterKey",
    "IdentityContract:RejectRelationship",
    "IdentityContract:RequestRelationship",
    "IdentityContract:RotateKey",
    "IdentityContract:SetUserStatus",
    "LoanPoolContract:ApplyForLoan",
    "LoanPoolContract:ApproveLoan",
    "LoanPoolContract:MarkLoanDefaulted",
    "LoanPoolContract:RejectLoan",
    "LoanPoolContract:RepayLoan",
    "OrganizationContract:ActivateOrganization",
    "OrganizationContract:ApproveMultiSigTx",
    "OrganizationContract:CancelMultiSigTx",
    "OrganizationContract:DefineAuthRule",
    "OrganizationContract:EndorseMembership",
    "OrganizationContract:InitiateMultiSigTx",
    "OrganizationContract:ProposeOrganization",
    "OrganizationContract:RejectMultiSigTx",
    "OrganizationContract:SetOrganizationStatus",
    "TaxAndFeeContract:ApplyVelocityTax",
    "TaxAndFeeContract:SetVelocityTaxExempt",
];

fn path_of(route: &Route) -> String {
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
        match route.access {
            Access::Public | Access::System => {
                assert_ne!(without.status, 401, "{route:?} is public");
                assert!(!without.status.is_server_error() || path == "/readyz", "{route:?}");
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
        if matches!(route.access, Access::AnyAdmin | Access::Admin(_)) {
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
    let routed: BTreeSet<&str> = routes().iter().filter_map(|route| route.command).collect();
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

/// A request that each mutating route accepts. A route that is missing here fails the test below.
fn valid_body(path: &str) -> Option<Value> {
    Some(match path.strip_prefix("/api/v1")? {
        "/auth/register" => registration("carol", "DE"),
        "/auth/login" => json!({ "email": "ada@example.org", "password": PASSWORD }),
        "/admin/countries/initialize" => {
            json!({ "countries": [{ "countryCode": "FR", "weight": 1 }] })
        }
        "/admin/system/pause" => json!({ "reason": "Maintenance of the network" }),
        "/admin/users/{id}/deny" => json!({ "reason": "The document cannot be read" }),
        "/admin/users/{id}/freeze" | "/wallets/{userId}/freeze" => {
            json!({ "reason": "USER_REQUEST" })
        }
        "/transfers" | "/transactions/transfer" => {
            json!({ "toUserId": "SYSTEM_LOAN_POOL", "amount": "1.00" })
        }
        "/admin/bootstrap"
        | "/admin/system/resume"
        | "/admin/users/{id}/approve"
        | "/admin/users/batch-register-onchain"
        | "/admin/users/{id}/unfreeze"
        | "/wallets/{userId}/unfreeze"
        | "/auth/logout"
        | "/admin/auth/logout" => json!({}),
        // Their bodies hold tokens, passwords or ids that are made in the test.
        "/auth/refresh"
        | "/admin/auth/refresh"
        | "/admin/auth/login"
        | "/admin/auth/password/change"
        | "/genesis" => Value::Null,
        _ => return None,
    })
}

#[tokio::test]
async fn every_mutating_route_leaves_a_record() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    for route in routes().iter().filter(|route| route.verb == Verb::Post) {
        let body = valid_body(route.path);
        let body = body.unwrap_or_else(|| panic!("{route:?}: add a valid body to this test"));
        let (client, path, body) = prepared(&server, &ada, route, body).await;
        let before = records(&server).await;
        let headers = [("idempotency-key", &*new_key())];
        let reply = client.send("POST", &path, &headers, Some(&body.to_string())).await;
        assert!(reply.status.is_success(), "{route:?}: {}", reply.text);
        let after = records(&server).await;
        // Payments of users are recorded by their row in the outbox.
        assert!(after > before, "{route:?} wrote no audit row");
        if route.command.is_none() || !matches!(route.access, Access::User) {
            assert!(after.0 > before.0, "{route:?} wrote no audit row");
        }
        if let Some(id) = reply.body["commandId"].as_str() {
            // A freeze or a pause must not be in the way of the next route.
            server.settled(&fresh_admin(&server).await, id).await;
        }
        if route.path.ends_with("password/change") {
            let back = json!({
                "currentPassword": OTHER_PASSWORD, "newPassword": crate::server::ADMIN_PASSWORD
            });
            client.post(route.path, back, 200).await;
        }
    }
    let verified = audit::verify(server.platform.store()).await.unwrap();
    assert_eq!(verified.broken, None);
}

/// Rows of the audit log, and commands of the outbox.
async fn records(server: &Server) -> (usize, u64) {
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 10_000).await;
    let metrics = server.app.metrics().render();
    let submitted = metrics.lines().filter(|line| line.starts_with("commands_submitted_total"));
    let submitted = submitted.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    (rows.unwrap().len(), submitted.sum())
}

async fn fresh_admin(server: &Server) -> crate::client::Client {
    let body = json!({ "username": "superowner", "password": crate::server::ADMIN_PASSWORD });
    let reply = server.client.post("/api/v1/admin/auth/login", body, 200).await;
    server.client.with_token(reply.str("accessToken"))
}

/// Who sends the request to a route, where, and what.
async fn prepared(
    server: &Server,
    ada: &crate::server::Account,
    route: &Route,
    body: Value,
) -> (crate::client::Client, String, Value) {
    let admin = fresh_admin(server).await;
    let mut path = ada.path(&route.path.replace("{userId}", "{}"));
    if route.path.contains("{id}") {
        let needs_applicant = route.path.ends_with("approve") || route.path.ends_with("deny");
        let id = if needs_applicant {
            let name = if route.path.ends_with("approve") { "dora" } else { "emil" };
            server.register(name, "DE").await.id
        } else {
            ada.person.id.clone()
        };
        path = path.replace("{id}", &id);
    }
    if route.path.ends_with("batch-register-onchain") {
        let applicant = server.register("fred", "DE").await.id;
        admin.post(&format!("/api/v1/admin/users/{applicant}/approve"), json!({}), 200).await;
    }
    let body = match route.path {
        "/api/v1/auth/refresh" => {
            let body = json!({ "email": "ada@example.org", "password": PASSWORD });
            let reply = server.client.post("/api/v1/auth/login", body, 200).await;
            json!({ "refreshToken": reply.str("refreshToken") })
        }
        "/api/v1/admin/auth/refresh" => {
            let body =
                json!({ "username": "superowner", "password": crate::server::ADMIN_PASSWORD });
            let reply = server.client.post("/api/v1/admin/auth/login", body, 200).await;
            json!({ "refreshToken": reply.str("refreshToken") })
        }
        "/api/v1/admin/auth/login" => {
            json!({ "username": "superowner", "password": crate::server::ADMIN_PASSWORD })
        }
        "/api/v1/admin/auth/password/change" => json!({
            "currentPassword": crate::server::ADMIN_PASSWORD, "newPassword": OTHER_PASSWORD
        }),
        "/api/v1/genesis" => json!({ "userId": ada.ledger_id }),
        _ => body,
    };
    let client = match route.access {
        Access::User => server.log_in("ada@example.org").await,
        _ => admin,
    };
    (client, path, body)
}
