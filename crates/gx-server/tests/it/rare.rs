//! Failures that few requests meet: one too many of something, what only one configuration has,
//! and what only time brings.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gx_server::Workers;
use serde_json::{Value, json};

use crate::client::Client;
use crate::documents::{picture, uploaded};
use crate::second_factors::enrol;
use crate::server::{Server, eventually};

/// Sends a request that fails, and says for what.
async fn failure(client: &Client, path: &str, body: Value, status: u16) -> String {
    client.post(path, body, status).await.str("code").to_owned()
}

#[tokio::test]
async fn nobody_has_endpoints_or_documents_without_end() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let path = "/api/v1/admin/webhooks";
    let endpoint =
        || json!({ "name": "Books", "url": "https://hooks.example.org/gx", "events": ["*"] });
    for _ in 0..50 {
        admin.post(path, endpoint(), 201).await;
    }
    assert_eq!(failure(&admin, path, endpoint(), 409).await, "too_many_webhooks");

    let ada = server.register("ada", "DE").await;
    let mut newest = String::new();
    for _ in 0..100 {
        newest = uploaded(&ada, "OTHER").await;
    }
    let path = format!("/api/v1/users/{}/documents", ada.id);
    let list = ada.client.get(&path, 200).await;
    assert_eq!(list.body["pagination"]["total"], 100);
    let picture = BASE64_STANDARD.encode(picture());
    let one_more = json!({ "documentType": "OTHER", "file": picture });
    assert_eq!(failure(&ada.client, &path, one_more, 409).await, "too_many_documents");
    let path = format!("/api/v1/documents/{newest}");
    assert_eq!(ada.client.send("DELETE", &path, &[], None).await.status, 200);
    uploaded(&ada, "OTHER").await;
}

#[tokio::test]
async fn what_is_taken_runs_or_was_never_ours_is_said_to_be_so() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let partner =
        |id: &str| json!({ "partnerId": id, "name": "Books", "scopes": ["balance:read"] });
    let path = "/api/v1/admin/partners";
    admin.post(path, partner("books"), 201).await;
    assert_eq!(failure(&admin, path, partner("others"), 409).await, "partner_name_taken");

    // Nobody is there who would carry it out.
    let path = "/api/v1/admin/projector/rebuild";
    let because = || json!({ "reason": "A column is computed anew" });
    admin.post(path, because(), 202).await;
    assert_eq!(failure(&admin, path, because(), 409).await, "rebuild_running");

    let link = "/api/v1/documents/00000000000000000000000000000007/content?expires=0&signature=00";
    assert_eq!(server.client.get(link, 403).await.str("code"), "link_invalid");
}

#[tokio::test]
async fn an_account_with_two_reasons_and_a_statement_in_no_form_are_asked_about() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let statement = ada.path("/api/v1/wallets/{}/statements");
    let headers = [("accept", "image/png")];
    let picture = ada.person.client.send("GET", &statement, &headers, None).await;
    assert_eq!((picture.status.as_u16(), picture.str("code")), (406, "not_acceptable"));

    for reason in ["COURT_ORDER", "COMPLIANCE_REVIEW"] {
        let freeze = ada.path("/api/v1/wallets/{}/freeze");
        let frozen = admin.settle(&freeze, json!({ "reason": reason })).await;
        assert_eq!(frozen.outcome(), "committed", "{}", frozen.text);
    }
    let unfreeze = ada.path("/api/v1/wallets/{}/unfreeze");
    assert_eq!(failure(&admin, &unfreeze, json!({}), 409).await, "reason_required");
    let one = admin.settle(&unfreeze, json!({ "reason": "COURT_ORDER" })).await;
    assert_eq!(one.outcome(), "committed", "{}", one.text);
    let other = admin.settle(&unfreeze, json!({})).await;
    assert_eq!(other.outcome(), "committed", "one is left, and needs no name: {}", other.text);
}

#[tokio::test]
async fn an_admin_who_does_nothing_is_logged_out() {
    let server = Server::start_with(&[("auth.admin_idle_seconds", "1")], Workers::NONE).await;
    let admin = server.admin().await;
    // Asking counts as doing something only once in a while.
    eventually("the session has lain idle", async || {
        let reply = admin.send("GET", "/api/v1/admin/auth/profile", &[], None).await;
        (reply.status == 401).then(|| assert_eq!(reply.str("code"), "idle_timeout"))
    })
    .await;
}

#[tokio::test]
async fn outside_devnet_nobody_comes_to_the_ledger_without_an_attester() {
    let settings = [
        ("network", "testnet"),
        ("auth.argon2_memory_kib", "19456"),
        ("rate_limits.credentials_per_minute", "100"),
    ];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let admin = server.admin().await;
    enrol(&admin, "/api/v1/admin/auth/mfa/setup", "/api/v1/admin/auth/mfa/enable").await;
    let ada = server.register("ada", "DE").await;
    admin.post(&format!("/api/v1/admin/users/{}/approve", ada.id), json!({}), 200).await;
    let path = "/api/v1/admin/users/batch-register-onchain";
    assert_eq!(failure(&admin, path, json!({}), 409).await, "attester_not_configured");
}
