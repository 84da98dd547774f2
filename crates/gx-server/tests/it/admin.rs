//! Administrators: log-in, decisions about users, the system as a whole.

use serde_json::json;

use crate::client::new_key;
use crate::server::{ADMIN_PASSWORD, Server, eventually};

#[tokio::test]
async fn the_one_time_password_must_be_changed_before_anything_else() {
    let server = Server::start().await;
    let body = json!({ "username": "superowner", "password": server.first_password });
    let reply = server.client.post("/api/v1/admin/auth/login", body, 200).await;
    assert_eq!(reply.body["requiresMfa"], false);
    assert_eq!(reply.body["admin"]["requirePasswordChange"], true);
    let admin = server.client.with_token(reply.str("accessToken"));
    let refused = admin.get("/api/v1/admin/users", 403).await;
    assert_eq!(refused.str("code"), "password_change_required");
    admin.get("/api/v1/admin/auth/profile", 200).await;
    let path = "/api/v1/admin/auth/password/change";
    let weak = json!({ "currentPassword": server.first_password, "newPassword": "Blue7horse" });
    let reply = admin.post(path, weak, 400).await;
    assert_eq!(reply.body["details"].as_array().unwrap().len(), 2, "{}", reply.text);
    let wrong = json!({ "currentPassword": "Wrong7horse-cart", "newPassword": ADMIN_PASSWORD });
    admin.post(path, wrong, 401).await;
    let right = json!({ "currentPassword": server.first_password, "newPassword": ADMIN_PASSWORD });
    admin.post(path, right, 200).await;
    admin.get("/api/v1/admin/users", 200).await;
}

#[tokio::test]
async fn the_first_admin_is_made_once() {
    let server = Server::start().await;
    assert!(server.app.ensure_first_admin().await.unwrap().is_none());
}

#[tokio::test]
async fn tokens_of_users_and_admins_are_not_taken_for_each_other() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let ada = server.register("ada", "DE").await;
    ada.client.get("/api/v1/admin/users", 403).await;
    admin.get("/api/v1/users/profile", 403).await;
}

#[tokio::test]
async fn an_approved_user_gets_an_account_and_genesis() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.register("ada", "IN").await;
    let list = admin.get("/api/v1/admin/users?status=PENDING_ADMIN_APPROVAL&search=ad", 200).await;
    assert_eq!(list.body["total"], 1);
    assert_eq!(list.body["users"][0]["id"], ada.id.as_str());
    let approve = format!("/api/v1/admin/users/{}/approve", ada.id);
    let approved = admin.post(&approve, json!({ "notes": "seen in person" }), 200).await;
    assert_eq!(approved.str("status"), "APPROVED_PENDING_ONCHAIN");
    let reply = admin.post(&approve, json!({}), 409).await;
    assert_eq!(reply.str("code"), "user_status_wrong");
    let pending = admin.get("/api/v1/admin/users/pending-onchain", 200).await;
    assert_eq!(pending.body["total"], 1);
    let batch = "/api/v1/admin/users/batch-register-onchain";
    let reply = admin.post(batch, json!({}), 202).await;
    assert_eq!(reply.body["count"], 1);
    // `id` is the platform's, `userId` the ledger's; what an administrator approves has no other.
    let opened = &reply.body["commands"][0];
    assert_eq!(
        (opened["id"].as_str(), &opened["userId"]),
        (Some(&*ada.id), &approved.body["userId"])
    );
    assert_eq!(opened["ledgerId"], opened["userId"]);
    let command = reply.body["commands"][0]["commandId"].as_str().unwrap();
    server.committed(&admin, command).await;
    // The account is opened once, however often it is asked for.
    let again = admin.post(batch, json!({ "userIds": [ada.id, "nobody"] }), 202).await;
    assert_eq!(again.body["count"], 0);
    let reasons: Vec<&str> = again.body["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|skipped| skipped["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["not_found", "not_pending"]);
    let user = admin.get(&format!("/api/v1/admin/users/{}", ada.id), 200).await;
    assert_eq!(user.str("status"), "ACTIVE");
    assert_eq!((user.str("id"), user.str("userId")), (&*ada.id, user.str("ledgerId")));
    let own = ada.client.get("/api/v1/users/profile", 200).await;
    assert_eq!((own.str("id"), own.str("userId")), (user.str("id"), user.str("userId")));
    let id = user.str("ledgerId").replace(' ', "%20");
    let balance = ada.client.get(&format!("/api/v1/wallets/{id}/balance"), 200).await;
    assert_eq!(balance.str("balance"), "500.00");
    assert_eq!(balance.str("currency"), "GXC");
}

#[tokio::test]
async fn a_refused_account_can_be_tried_again() {
    let server = Server::start().await;
    let admin = server.admin().await;
    admin.settle("/api/v1/admin/bootstrap", json!({ "userId": null })).await;
    let ada = server.register("ada", "DE").await;
    admin.post(&format!("/api/v1/admin/users/{}/approve", ada.id), json!({}), 200).await;
    let batch = "/api/v1/admin/users/batch-register-onchain";
    let refused = admin.post(batch, json!({}), 202).await;
    let id = refused.body["commands"][0]["commandId"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/commands/{id}");
    let reply = eventually("the account is refused", async || {
        Some(admin.get(&path, 200).await).filter(|reply| reply.body["status"] == "refused")
    })
    .await;
    assert_eq!(reply.str("code"), "countries_not_sealed");
    assert_eq!(reply.body["transient"], true);
    let countries = json!({ "countries": [{ "countryCode": "DE", "weight": 100_000_000 }] });
    admin.settle("/api/v1/admin/countries/initialize", countries).await;
    let accepted = admin.post(batch, json!({}), 202).await;
    let second = accepted.body["commands"][0]["commandId"].as_str().unwrap();
    assert_ne!(second, id);
    server.committed(&admin, second).await;
}

#[tokio::test]
async fn a_denied_user_is_told_so_and_can_be_approved_later() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let ada = server.register("ada", "DE").await;
    let deny = format!("/api/v1/admin/users/{}/deny", ada.id);
    admin.post(&deny, json!({ "reason": "too short" }), 400).await;
    admin.post(&deny, json!({ "reason": "The document cannot be read" }), 200).await;
    let profile = ada.client.get("/api/v1/users/profile", 200).await;
    assert_eq!(profile.str("status"), "DENIED");
    assert_eq!(profile.str("kycStatus"), "REJECTED");
    admin.post(&format!("/api/v1/admin/users/{}/approve", ada.id), json!({}), 200).await;
    admin.post("/api/v1/admin/users/nobody/approve", json!({}), 404).await;
}

#[tokio::test]
async fn a_frozen_users_tokens_stop_at_the_next_request() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let path = format!("/api/v1/admin/users/{}/freeze", ada.person.id);
    let body = json!({ "reason": "COURT_ORDER", "notes": "case 7" });
    let reply = admin.settle(&path, body.clone()).await;
    assert_eq!(reply.str("status"), "committed");
    let reply = ada.person.client.get("/api/v1/users/profile", 403).await;
    assert_eq!(reply.str("code"), "account_frozen");
    let login = json!({ "email": ada.person.email, "password": crate::server::PASSWORD });
    server.client.post("/api/v1/auth/login", login, 403).await;
    let again = admin.settle(&path, body).await;
    assert_eq!(again.str("code"), "already_frozen");
    admin.settle(&path.replace("freeze", "unfreeze"), json!({})).await;
    ada.person.client.get("/api/v1/users/profile", 200).await;
    assert_eq!(ada.balance().await, "500.00");
}

#[tokio::test]
async fn a_pause_stops_payments_until_it_ends() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "IN").await);
    let pause = json!({ "reason": "Maintenance of the network" });
    admin.settle("/api/v1/admin/system/pause", pause).await;
    let status = admin.get("/api/v1/admin/system/status", 200).await;
    assert_eq!(status.str("status"), "PAUSED");
    assert_eq!(status.str("pauseReason"), "Maintenance of the network");
    let pay = json!({ "toUserId": bob.ledger_id, "amount": "1.00" });
    let reply = ada.person.client.settle("/api/v1/transfers", pay.clone()).await;
    assert_eq!((reply.str("status"), reply.str("code")), ("refused", "system_paused"));
    admin.settle("/api/v1/admin/system/resume", json!({})).await;
    let reply = ada.person.client.settle("/api/v1/transfers", pay).await;
    assert_eq!(reply.str("status"), "committed");
}

#[tokio::test]
async fn a_command_needs_a_key() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let path = "/api/v1/admin/bootstrap";
    let reply = admin.post_with(path, json!({ "userId": null }), &[], 400).await;
    assert_eq!(reply.str("code"), "idempotency_key_required");
    let reply = admin
        .post_with(path, json!({ "userId": null }), &[("idempotency-key", "short")], 400)
        .await;
    assert_eq!(reply.str("code"), "idempotency_key_invalid");
    admin
        .post_with(path, json!({ "userId": null }), &[("x-idempotency-key", &new_key())], 202)
        .await;
}
