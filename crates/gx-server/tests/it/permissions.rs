//! Single permissions of administrators: granted and withdrawn by those above, at once, and never
//! more than who grants has by the role.

use std::collections::BTreeSet;

use gx_server::{Access, Permission, routes};
use gx_store::admin::audit::{self, Filter};
use serde_json::{Value, json};

use crate::client::{Client, Reply, new_key};
use crate::decisions::colleague;
use crate::partners::soon;
use crate::server::{Server, eventually};

/// Asked for by a handler beside the permission of its route.
const IN_HANDLERS: [&str; 3] = [
    "admin:role:change",
    "deployment:promote:devnet-testnet",
    "deployment:promote:testnet-mainnet",
];

#[test]
fn every_permission_opens_something() {
    let routed = routes().iter().filter_map(|route| match route.access() {
        Access::Admin(permission) => Some(permission.code()),
        _ => None,
    });
    let mut asked: BTreeSet<&str> = routed.collect();
    asked.extend(IN_HANDLERS);
    let all: BTreeSet<&str> = Permission::ALL.iter().map(|permission| permission.code()).collect();
    assert_eq!(asked, all);
}

fn path(name: &str) -> String {
    format!("/api/v1/admin/admins/{name}/permissions")
}

async fn put(by: &Client, name: &str, permissions: Value) -> Reply {
    let body = json!({ "permissions": permissions }).to_string();
    by.send("PUT", &path(name), &[("idempotency-key", &new_key())], Some(&body)).await
}

async fn refused(by: &Client, name: &str, permissions: Value) -> (u16, String) {
    let reply = put(by, name, permissions).await;
    (reply.status.as_u16(), reply.str("code").to_owned())
}

fn one(permission: &str, effect: &str) -> Value {
    json!([{ "permission": permission, "effect": effect }])
}

#[tokio::test]
async fn a_single_permission_counts_with_the_next_request() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let clerk = colleague(&server, "clerk", "MODERATOR").await;
    clerk.get("/api/v1/admin/audit-logs", 403).await;
    let granted = json!([
        { "permission": "audit:view", "effect": "GRANTED", "reason": "For the yearly audit" },
        { "permission": "user:list", "effect": "WITHDRAWN" },
    ]);
    let reply = put(&owner, "clerk", granted.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    clerk.get("/api/v1/admin/audit-logs", 200).await;
    clerk.get("/api/v1/admin/users", 403).await;

    let profile = clerk.get("/api/v1/admin/auth/profile", 200).await;
    let has = profile.body["permissions"].as_array().unwrap();
    assert!(has.contains(&json!("audit:view")) && !has.contains(&json!("user:list")));
    let sources = profile.body["permissionSources"].as_array().unwrap();
    let of = |code: &str| sources.iter().find(|one| one["permission"] == code).unwrap();
    assert_eq!(of("user:view")["source"], "ROLE");
    assert_eq!(of("user:list")["source"], "WITHDRAWN");
    let audit_view = of("audit:view");
    assert_eq!(audit_view["source"], "GRANTED");
    assert_eq!(audit_view["decidedBy"], "superowner");
    assert_eq!(audit_view["reason"], "For the yearly audit");
    let listed = owner.get("/api/v1/admin/admins/clerk", 200).await;
    assert_eq!(listed.body["permissions"], profile.body["permissions"]);

    assert_eq!(put(&owner, "clerk", json!([])).await.status, 200);
    clerk.get("/api/v1/admin/audit-logs", 403).await;
    clerk.get("/api/v1/admin/users", 200).await;
    let filter = Filter { action: Some("admin.permissions".to_owned()), ..Filter::default() };
    let rows = audit::page(server.platform.store(), &filter, None, 10).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.target == "clerk" && row.actor == "admin:superowner"));
    assert!(rows.iter().any(|row| row.details.contains("For the yearly audit")));
}

#[tokio::test]
async fn a_grant_ends_by_itself() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let clerk = colleague(&server, "clerk", "MODERATOR").await;
    let lent = json!([
        { "permission": "audit:view", "effect": "GRANTED", "expiresAt": soon() }
    ]);
    assert_eq!(put(&owner, "clerk", lent).await.status, 200);
    clerk.get("/api/v1/admin/audit-logs", 200).await;
    eventually("the grant has ended", async || {
        let reply = clerk.send("GET", "/api/v1/admin/audit-logs", &[], None).await;
        (reply.status == 403).then_some(())
    })
    .await;
    let shown = owner.get(&path("clerk"), 200).await;
    assert!(!shown.body["effective"].as_array().unwrap().contains(&json!("audit:view")));
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_have_or_to_themselves() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let deputy = colleague(&server, "deputy", "SUPER_ADMIN").await;
    let clerk = colleague(&server, "clerk", "ADMIN").await;
    let helper = colleague(&server, "helper", "MODERATOR").await;
    let audit = one("audit:view", "GRANTED");
    let not_held = (403, "permission_not_held".to_owned());
    assert_eq!(refused(&clerk, "helper", audit.clone()).await, (403, "forbidden".to_owned()));
    let own = refused(&owner, "superowner", audit.clone()).await;
    assert_eq!(own, (403, "own_account".to_owned()));
    let above = refused(&deputy, "superowner", audit.clone()).await;
    assert_eq!(above, (403, "role_not_below_own".to_owned()));
    let delete = one("admin:delete", "GRANTED");
    assert_eq!(refused(&deputy, "clerk", delete.clone()).await, not_held);
    // What was lent is not lent on.
    assert_eq!(put(&owner, "deputy", delete.clone()).await.status, 200);
    assert_eq!(refused(&deputy, "clerk", delete.clone()).await, not_held);
    // What somebody else has given may stay, and may go.
    assert_eq!(put(&owner, "clerk", delete.clone()).await.status, 200);
    assert_eq!(put(&deputy, "clerk", delete).await.status, 200);
    assert_eq!(put(&deputy, "clerk", json!([])).await.status, 200);
    // What is withdrawn comes back by somebody who has it.
    let no_delete = one("admin:delete", "WITHDRAWN");
    assert_eq!(put(&owner, "clerk", no_delete).await.status, 200);
    assert_eq!(refused(&deputy, "clerk", json!([])).await, not_held);
    // The permission to decide about permissions can be granted as well, for those below.
    assert_eq!(put(&owner, "clerk", one("admin:update", "GRANTED")).await.status, 200);
    assert_eq!(put(&clerk, "helper", audit).await.status, 200);
    helper.get("/api/v1/admin/audit-logs", 200).await;
    let treasury = refused(&clerk, "helper", one("treasury:view", "GRANTED")).await;
    assert_eq!(treasury, not_held);
}

#[tokio::test]
async fn super_owners_have_all_and_faults_are_told_at_once() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let _second = colleague(&server, "second", "SUPER_OWNER").await;
    let _clerk = colleague(&server, "clerk", "ADMIN").await;
    let all = refused(&owner, "second", one("user:list", "WITHDRAWN")).await;
    assert_eq!(all, (409, "super_owner_has_all".to_owned()));
    let wrong = json!([
        { "permission": "audit:view", "effect": "GRANTED", "expiresAt": "2001-01-01" },
        { "permission": "audit:view", "effect": "WITHDRAWN" },
    ]);
    let reply = put(&owner, "clerk", wrong).await;
    let fields: Vec<&str> = reply.body["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| detail["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["permissions[0].expiresAt", "permissions[1].permission"]);
    let unknown = put(&owner, "clerk", one("moon:land", "GRANTED")).await;
    assert_eq!(unknown.body["details"][0]["code"], "invalid_permission", "{}", unknown.text);
    owner.get(&path("nobody"), 404).await;
}
