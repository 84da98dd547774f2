//! Users who are shut out of the platform, for a while or for ever.

use serde_json::{Value, json};

use crate::server::{PASSWORD, Server};

fn because() -> Value {
    json!({ "reason": "Looked into by the office" })
}

#[tokio::test]
async fn a_suspended_users_tokens_stop_until_they_are_reinstated() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let path = |what: &str| format!("/api/v1/admin/users/{}/{what}", ada.person.id);
    admin.post(&path("suspend"), json!({ "reason": "short" }), 400).await;
    let reply = admin.post(&path("suspend"), because(), 200).await;
    assert_eq!(reply.str("status"), "SUSPENDED");
    let refused = ada.person.client.get("/api/v1/users/profile", 403).await;
    assert_eq!(refused.str("code"), "account_suspended");
    let login = json!({ "email": ada.person.email, "password": PASSWORD });
    let refused = server.client.post("/api/v1/auth/login", login, 403).await;
    assert_eq!(refused.str("code"), "account_suspended");
    let again = admin.post(&path("suspend"), because(), 409).await;
    assert_eq!(again.str("code"), "user_status_wrong");
    let reply = admin.post(&path("reinstate"), because(), 200).await;
    assert_eq!(reply.str("status"), "ACTIVE");
    ada.person.client.get("/api/v1/users/profile", 200).await;
    admin.post(&path("reinstate"), because(), 409).await;
}

#[tokio::test]
async fn a_closed_user_stays_out() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let ada = server.register("ada", "DE").await;
    let path = |what: &str| format!("/api/v1/admin/users/{}/{what}", ada.id);
    let early = admin.post(&path("suspend"), because(), 409).await;
    assert_eq!(early.str("code"), "user_status_wrong", "who is not approved is denied");
    let reply = admin.post(&path("close"), because(), 200).await;
    assert_eq!(reply.str("status"), "CLOSED");
    let refused = ada.client.get("/api/v1/users/profile", 403).await;
    assert_eq!(refused.str("code"), "account_closed");
    for what in ["close", "reinstate", "suspend"] {
        admin.post(&path(what), because(), 409).await;
    }
    admin.post(&path("approve"), json!({}), 409).await;
    let user = admin.get(&format!("/api/v1/admin/users/{}", ada.id), 200).await;
    assert_eq!(user.str("statusReason"), "Looked into by the office");
    admin.post("/api/v1/admin/users/nobody/close", because(), 404).await;
}

#[tokio::test]
async fn frozen_users_are_listed() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    server.account(&admin, "bob", "DE").await;
    let path = "/api/v1/admin/users/frozen";
    assert_eq!(admin.get(path, 200).await.body["total"], 0);
    let freeze = format!("/api/v1/admin/users/{}/freeze", ada.person.id);
    admin.settle(&freeze, json!({ "reason": "COURT_ORDER" })).await;
    let list = admin.get(path, 200).await;
    assert_eq!(
        (&list.body["total"], &list.body["users"][0]["id"]),
        (&json!(1), &json!(ada.person.id))
    );
}
