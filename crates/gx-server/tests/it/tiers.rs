//! Limits by verification, and the second factor that large payments ask for.

use gx_store::login::sessions;
use gx_types::TimeMs;
use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::client::{Client, Reply, new_key};
use crate::passkeys::register;
use crate::second_factors::{code, enrol};
use crate::server::{Account, Server};

async fn pay(from: &Account, to: &Account, amount: &str) -> Reply {
    let body = json!({ "toUserId": to.ledger_id, "amount": amount });
    let headers = [("idempotency-key", &*new_key()), ("prefer", "wait=20")];
    from.person.client.send("POST", "/api/v1/transfers", &headers, Some(&body.to_string())).await
}

/// What a payment was refused for, and by which limit.
fn refusal(reply: &Reply) -> (u16, &str, &Value) {
    (reply.status.as_u16(), reply.outcome(), &reply.body["details"][0]["code"])
}

async fn verify(admin: &Client, account: &Account) {
    let body = json!({ "documentType": "PASSPORT", "documentNumber": "L01X00T47",
        "issuingCountry": "DE" });
    account.person.client.post("/api/v1/users/kyc/submit", body, 200).await;
    let path = format!("/api/v1/admin/users/{}/approve", account.person.id);
    admin.post(&path, json!({}), 200).await;
}

#[tokio::test]
async fn payments_are_limited_until_somebody_is_verified() {
    let settings = [
        ("tiers.tier1.per_payment", "50.00"),
        ("tiers.tier1.per_day", "100.00"),
        ("tiers.tier2.per_payment", "120.00"),
    ];
    let server = Server::start_with(&settings, gx_server::Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "IN").await;
    let large = pay(&ada, &bob, "50.01").await;
    assert_eq!(refusal(&large), (403, "tier_limit", &json!("per_payment")));
    assert!(large.str("message").contains("identity document"), "{}", large.text);
    assert_eq!(pay(&ada, &bob, "50.00").await.outcome(), "committed");
    let (key, body) = (new_key(), json!({ "toUserId": bob.ledger_id, "amount": "40.00" }));
    let headers = [("idempotency-key", &*key), ("prefer", "wait=20")];
    ada.person.client.post_with("/api/v1/transfers", body.clone(), &headers, 200).await;
    let beyond = pay(&ada, &bob, "15.00").await;
    assert_eq!(refusal(&beyond), (403, "tier_limit", &json!("per_day")));
    // What was given before gets its answer, and escrows count as well.
    let again = ada.person.client.post_with("/api/v1/transfers", body, &headers, 200).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    let escrow = json!({ "toUserId": bob.ledger_id, "amount": "15.00",
        "expiresAt": "2099-01-01T00:00:00Z" });
    let reply = ada.person.client.post("/api/v1/escrows", escrow, 403).await;
    assert_eq!(refusal(&reply), (403, "tier_limit", &json!("per_day")));
    // Others have limits of their own.
    assert_eq!(pay(&bob, &ada, "20.00").await.outcome(), "committed");

    verify(&admin, &ada).await;
    assert_eq!(pay(&ada, &bob, "110.00").await.outcome(), "committed");
    let large = pay(&ada, &bob, "120.01").await;
    assert_eq!(refusal(&large), (403, "tier_limit", &json!("per_payment")));
    assert!(large.str("message").contains("proof of address"), "{}", large.text);
}

#[tokio::test]
async fn a_day_ends_and_payments_under_way_count() {
    let settings = [("tiers.tier1.per_day", "100.00")];
    let server = Server::start_with(&settings, gx_server::Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "IN").await;
    let body = json!({ "toUserId": bob.ledger_id, "amount": "30.00" });
    let mut accepted = Vec::new();
    for _ in 0..3 {
        let reply = ada.person.client.post("/api/v1/transfers", body.clone(), 202).await;
        accepted.push(reply.str("commandId").to_owned());
    }
    let fourth = ada.person.client.post("/api/v1/transfers", body.clone(), 403).await;
    assert_eq!(fourth.str("code"), "tier_limit");
    for command in &accepted {
        server.committed(&ada.person.client, command).await;
    }
    server.pass_days(1);
    // The ledger's day begins with its next block.
    assert_eq!(pay(&bob, &ada, "1.00").await.outcome(), "committed");
    assert_eq!(pay(&ada, &bob, "30.00").await.outcome(), "committed");
}

#[tokio::test]
async fn limits_can_be_left_out() {
    let settings = [("tiers.enabled", "false"), ("tiers.tier1.per_payment", "1.00")];
    let server = Server::start_with(&settings, gx_server::Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "IN").await;
    assert_eq!(pay(&ada, &bob, "300.00").await.outcome(), "committed");
    let path = format!("/api/v1/users/{}/kyc", ada.person.id);
    let limits = ada.person.client.get(&path, 200).await.body["limits"].clone();
    assert_eq!((&limits["perPayment"], &limits["perDay"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn large_payments_ask_for_a_fresh_second_factor() {
    let settings = [("tiers.step_up_above", "10.00")];
    let server = Server::start_with(&settings, gx_server::Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "IN").await;
    // Who has no second factor is not asked for one.
    assert_eq!(pay(&ada, &bob, "20.00").await.outcome(), "committed");
    let step_up = "/api/v1/auth/mfa/step-up";
    let none = ada.person.client.post(step_up, json!({ "code": "123456" }), 409).await;
    assert_eq!(none.str("code"), "mfa_not_enabled");
    let enrolled = enrol(&ada.person.client, "/api/v1/auth/mfa", "/api/v1/auth/mfa").await;
    assert_eq!(pay(&ada, &bob, "20.00").await.outcome(), "committed", "it was checked just now");

    checked_long_ago(&server, &ada).await;
    assert_eq!(pay(&ada, &bob, "20.00").await.outcome(), "step_up_required");
    assert_eq!(pay(&ada, &bob, "10.00").await.outcome(), "committed");
    let wrong = ada.person.client.post(step_up, json!({ "code": "abcde-fgh23" }), 401).await;
    assert_eq!(wrong.str("code"), "mfa_invalid");
    let right = json!({ "code": code(&enrolled.secret, 1) });
    ada.person.client.post(step_up, right.clone(), 200).await;
    assert_eq!(pay(&ada, &bob, "20.00").await.outcome(), "committed");
    ada.person.client.post(step_up, right, 401).await;
}

/// The second factor of the only session of somebody was checked once.
async fn checked_long_ago(server: &Server, of: &Account) {
    let list = of.person.client.get("/api/v1/sessions", 200).await;
    let session = list.body["data"][0]["id"].as_str().unwrap();
    let mut tx = server.platform.store().begin().await.unwrap();
    sessions::note_second_factor(&mut tx, session, TimeMs(1)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_passkey_is_a_second_factor_of_large_payments() {
    let settings = [("tiers.step_up_above", "10.00")];
    let server = Server::start_with(&settings, gx_server::Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "IN").await;
    let made = register(&ada.person.client, &mut Authenticator::ed25519()).await;
    checked_long_ago(&server, &ada).await;
    assert_eq!(pay(&ada, &bob, "20.00").await.outcome(), "step_up_required");
    let by_code = json!({ "code": made.body["recoveryCodes"][0] });
    ada.person.client.post("/api/v1/auth/mfa/step-up", by_code, 200).await;
    assert_eq!(pay(&ada, &bob, "20.00").await.outcome(), "committed");
}
