//! Accounts of administrators: added with a one-time password, changed and taken away by those
//! above them.

use gx_store::admin::audit::{self, Filter};
use serde_json::json;

use crate::client::{Client, new_key};
use crate::decisions::colleague;
use crate::server::{ADMIN_PASSWORD, Server};

const PATH: &str = "/api/v1/admin/admins";

fn new_admin(name: &str, role: &str) -> serde_json::Value {
    json!({
        "username": name, "email": format!("{name}@example.org"), "displayName": name, "role": role
    })
}

async fn patch(client: &Client, name: &str, body: serde_json::Value, expect: u16) -> String {
    let path = format!("{PATH}/{name}");
    let headers = [("idempotency-key", &*new_key())];
    let reply = client.send("PATCH", &path, &headers, Some(&body.to_string())).await;
    assert_eq!(reply.status, expect, "PATCH {path}: {}", reply.text);
    reply.body["code"].as_str().unwrap_or_default().to_owned()
}

async fn delete(client: &Client, name: &str, expect: u16) -> String {
    let path = format!("{PATH}/{name}");
    let reply = client.send("DELETE", &path, &[], None).await;
    assert_eq!(reply.status, expect, "DELETE {path}: {}", reply.text);
    reply.body["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_new_admin_logs_in_with_a_password_that_is_shown_once() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let key = new_key();
    let headers = [("idempotency-key", &*key)];
    let reply = owner.post_with(PATH, new_admin("clara", "MODERATOR"), &headers, 201).await;
    let password = reply.str("oneTimePassword").to_owned();
    assert_eq!(reply.body["admin"]["role"], "MODERATOR");
    assert_eq!(reply.body["admin"]["requirePasswordChange"], true);
    // It is kept nowhere, not even for a retry.
    let again = owner.post_with(PATH, new_admin("clara", "MODERATOR"), &headers, 409).await;
    assert_eq!(again.str("code"), "admin_already_exists");
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 100).await.unwrap();
    assert!(rows.iter().all(|row| !row.details.contains(&password)));
    let login = json!({ "username": "clara", "password": password });
    let reply = server.client.post("/api/v1/admin/auth/login", login, 200).await;
    let clara = server.client.with_token(reply.str("accessToken"));
    let refused = clara.get("/api/v1/admin/users", 403).await;
    assert_eq!(refused.str("code"), "password_change_required");
    let body = json!({ "currentPassword": password, "newPassword": ADMIN_PASSWORD });
    clara.post("/api/v1/admin/auth/password/change", body, 200).await;
    clara.get("/api/v1/admin/users", 200).await;
    clara.get(PATH, 403).await;
    let mut other = new_admin("dora", "AUDITOR");
    other["email"] = json!("clara@example.org");
    let taken = owner.post(PATH, other, 409).await;
    assert_eq!(taken.str("code"), "email_already_exists");
}

#[tokio::test]
async fn admins_are_listed_page_by_page() {
    let server = Server::start().await;
    let owner = server.admin().await;
    for name in ["dora", "clara"] {
        owner.post(PATH, new_admin(name, "AUDITOR"), 201).await;
    }
    let first = owner.get(&format!("{PATH}?limit=2"), 200).await;
    let names = |reply: &crate::client::Reply| {
        let rows = reply.body["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["username"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["clara", "dora"]);
    let next = format!("{PATH}?limit=2&cursor={}", first.str("nextCursor"));
    let second = owner.get(&next, 200).await;
    assert_eq!(names(&second), ["superowner"]);
    assert_eq!(second.body["hasMore"], false);
    assert_eq!(owner.get(&format!("{PATH}/dora"), 200).await.str("role"), "AUDITOR");
    owner.get(&format!("{PATH}/nobody"), 404).await;
}

#[tokio::test]
async fn nobody_decides_about_themselves_or_those_above() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let deputy = colleague(&server, "deputy", "SUPER_ADMIN").await;
    let _clerk = colleague(&server, "clerk", "ADMIN").await;
    let raise = json!({ "role": "SUPER_OWNER" });
    assert_eq!(patch(&owner, "superowner", json!({ "role": "AUDITOR" }), 403).await, "own_account");
    assert_eq!(delete(&owner, "superowner", 403).await, "own_account");
    // Roles are changed by super owners alone; others decide about those below them.
    assert_eq!(patch(&deputy, "deputy", raise.clone(), 403).await, "own_account");
    assert_eq!(patch(&deputy, "clerk", raise.clone(), 403).await, "forbidden");
    assert_eq!(
        patch(&deputy, "superowner", json!({ "enabled": false }), 403).await,
        "role_not_below_own"
    );
    for role in ["SUPER_OWNER", "SUPER_ADMIN"] {
        let refused = deputy.post(PATH, new_admin("clara", role), 403).await;
        assert_eq!(refused.str("code"), "role_not_below_own");
    }
    deputy.post(PATH, new_admin("clara", "ADMIN"), 201).await;
    patch(&deputy, "clerk", json!({ "displayName": "Clerk" }), 200).await;
    assert_eq!(delete(&deputy, "clerk", 403).await, "forbidden");
    patch(&owner, "clerk", raise, 200).await;
    assert_eq!(owner.get(&format!("{PATH}/clerk"), 200).await.str("role"), "SUPER_OWNER");
}

#[tokio::test]
async fn who_is_disabled_or_removed_is_out_at_the_next_request() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let clerk = colleague(&server, "clerk", "ADMIN").await;
    clerk.get("/api/v1/admin/users", 200).await;
    patch(&owner, "clerk", json!({ "enabled": false }), 200).await;
    clerk.get("/api/v1/admin/users", 401).await;
    patch(&owner, "clerk", json!({ "enabled": true }), 200).await;
    clerk.get("/api/v1/admin/users", 401).await;
    let login = json!({ "username": "clerk", "password": ADMIN_PASSWORD });
    let reply = server.client.post("/api/v1/admin/auth/login", login.clone(), 200).await;
    let clerk = server.client.with_token(reply.str("accessToken"));
    delete(&owner, "clerk", 200).await;
    clerk.get("/api/v1/admin/users", 401).await;
    server.client.post("/api/v1/admin/auth/login", login, 401).await;
    owner.get(&format!("{PATH}/clerk"), 404).await;
    delete(&owner, "clerk", 404).await;
    // What the log says of somebody is never said of another.
    let reply = owner.post(PATH, new_admin("clerk", "ADMIN"), 409).await;
    assert_eq!(reply.str("code"), "admin_already_exists");
}

#[tokio::test]
async fn a_super_owner_always_stays() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let second = colleague(&server, "second", "SUPER_OWNER").await;
    let (one, two) = tokio::join!(
        owner.send("DELETE", "/api/v1/admin/admins/second", &[], None),
        second.send("DELETE", "/api/v1/admin/admins/superowner", &[], None),
    );
    let done = [&one, &two].iter().filter(|reply| reply.status == 200).count();
    assert_eq!(done, 1, "{} {}", one.text, two.text);
}
