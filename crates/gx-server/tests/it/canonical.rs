//! The bytes to sign, for a wallet that has no library of ours: here it has a key and nothing else.

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use crate::client::{Client, new_key};
use crate::server::Server;
use crate::signing::public;

const CANONICAL: &str = "/api/v1/commands/canonical";

/// Signs bytes in hexadecimal digits.
fn sign(seed: u8, bytes: &Value) -> String {
    let bytes = hex::decode(bytes.as_str().unwrap()).unwrap();
    hex::encode(SigningKey::from_bytes(&[seed; 32]).sign(&bytes).to_bytes())
}

async fn ask(client: &Client, key: &str, route: &str, body: &Value) -> Value {
    let asked = json!({ "route": route, "body": body });
    client.post_with(CANONICAL, asked, &[("idempotency-key", key)], 200).await.body
}

async fn give(client: &Client, key: &str, path: &str, body: &Value) -> String {
    let headers = [("idempotency-key", key), ("prefer", "wait=20")];
    let reply = client.post_with(path, body.clone(), &headers, 200).await;
    reply.outcome().to_owned()
}

#[tokio::test]
async fn a_wallet_registers_a_key_and_pays_with_it() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let client = &ada.person.client;
    let (key, keys) = (new_key(), "/api/v1/keys");
    let mut body = json!({ "publicKey": public(7), "proof": "0".repeat(128) });
    let told = ask(client, &key, "POST /api/v1/keys", &body).await;
    assert_eq!(told["newKey"]["holder"], format!("user:{}", ada.ledger_id));
    body["proof"] = sign(7, &told["newKey"]["proofBytes"]).into();
    assert_eq!(give(client, &key, keys, &body).await, "committed");

    let key = new_key();
    let mut payment = json!({ "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "2.50" });
    let told = ask(client, &key, "POST /api/v1/transfers", &payment).await;
    let id = told["commandId"].as_str().unwrap();
    client.get(&format!("/api/v1/commands/{id}"), 404).await;
    assert_eq!(ada.balance().await, "500.00", "nothing was given");
    assert_eq!(told["function"], "TokenomicsContract:Transfer");
    assert_eq!((&told["network"], &told["newKey"]), (&json!("devnet"), &Value::Null));
    let arguments: Value = serde_json::from_str(told["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments["amount"], "2500000", "as the ledger counts");
    payment["signature"] = json!({
        "value": sign(7, &told["signedBytes"]), "expiresAt": told["expiresAt"],
        "publicKey": public(7),
    });
    assert_eq!(give(client, &key, "/api/v1/transfers", &payment).await, "committed");
    client.get(&format!("/api/v1/commands/{id}"), 200).await;
    assert_eq!(ada.balance().await, "497.50");
}

#[tokio::test]
async fn what_would_not_be_given_has_no_bytes() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let client = &ada.person.client;
    for (route, body, status, code) in [
        ("POST /api/v1/nothing", json!({}), 404, "route_not_found"),
        ("/api/v1/transfers", json!({}), 404, "route_not_found"),
        ("POST /api/v1/transfers?x=1", json!({}), 404, "route_not_found"),
        ("GET /api/v1/keys", json!({}), 404, "route_not_found"),
        ("POST /api/v1/auth/login", json!({}), 404, "route_not_found"),
        ("POST /api/v1/commands/canonical", json!({}), 404, "route_not_found"),
        ("POST /api/v1/admin/users/batch-register-onchain", json!({}), 404, "route_not_found"),
        ("POST /api/v1/transfers", json!({ "amount": 5 }), 400, "validation_failed"),
        (
            "POST /api/v1/transfers",
            json!({ "toUserId": ada.ledger_id, "amount": "1" }),
            400,
            "same_account",
        ),
        (
            "POST /api/v1/admin/system/pause",
            json!({ "reason": "Maintenance of it" }),
            403,
            "forbidden",
        ),
    ] {
        let asked = json!({ "route": route, "body": body });
        let reply = client.post(CANONICAL, asked, status).await;
        assert_eq!(reply.str("code"), code, "{route}: {}", reply.text);
    }
    let asked = json!({ "route": "POST /api/v1/transfers", "body": {} });
    let reply = client.send("POST", CANONICAL, &[], Some(&asked.to_string())).await;
    assert_eq!((reply.status.as_u16(), reply.str("code")), (400, "idempotency_key_required"));
    let pause = json!({ "reason": "Maintenance of the network" });
    let told = ask(&admin, &new_key(), "POST /api/v1/admin/system/pause", &pause).await;
    assert_eq!(told["actor"], "admin:superowner");
    let limits = json!({ "perDay": null });
    let told = ask(client, &new_key(), "PUT /api/v1/wallets/limits", &limits).await;
    assert_eq!(told["function"], "TokenomicsContract:SetSpendingLimit");
    let freeze = ada.path("POST /api/v1/wallets/{}/freeze");
    let told = ask(&admin, &new_key(), &freeze, &json!({ "reason": "USER_REQUEST" })).await;
    assert!(told["arguments"].as_str().unwrap().contains(ada.ledger_id.as_str()), "{told}");
}
