//! Commands that carry a signature for the ledger, beside the fields of their body.

use ed25519_dalek::{Signer, SigningKey};
use gx_contract::admin::PauseSystem;
use gx_contract::{Envelope, PublicKey, key_proof_bytes};
use gx_types::{Actor, CommandId, NetworkId, TimeMs};
use serde_json::{Value, json};

use crate::client::{Client, new_key};
use crate::server::Server;

const PAUSE: &str = "/api/v1/admin/system/pause";
const REASON: &str = "Maintenance of the network";

fn actor() -> Actor {
    "admin:superowner".parse().unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> String {
    PublicKey::from_bytes(key(seed).verifying_key().to_bytes()).to_string()
}

async fn give(client: &Client, path: &str, id: &str, body: Value, expect: u16) -> Value {
    let headers = [("idempotency-key", id), ("prefer", "wait=20")];
    client.post_with(path, body, &headers, expect).await.body
}

/// What a wallet does: the id follows from actor and idempotency key, the bytes from the command.
fn signature(id: &str, seed: u8, expires_at: TimeMs) -> String {
    let command = PauseSystem { reason: REASON.to_owned() }.into();
    let (command_id, actor) = (CommandId::derive(&actor(), id), actor());
    let envelope = Envelope { command_id, actor, command, signature: None };
    hex::encode(key(seed).sign(&envelope.signed_bytes(NetworkId::Devnet, expires_at)).to_bytes())
}

#[tokio::test]
async fn an_admin_with_a_key_signs_every_command() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let id = new_key();
    let bytes = key_proof_bytes(NetworkId::Devnet, &actor(), CommandId::derive(&actor(), &id));
    let proof = hex::encode(key(7).sign(&bytes).to_bytes());
    let body = json!({ "publicKey": public(7), "proof": proof });
    let reply = give(&admin, "/api/v1/admin/keys", &id, body.clone(), 200).await;
    assert_eq!(reply["status"], "committed", "{reply}");

    let unsigned = json!({ "reason": REASON });
    let reply = give(&admin, PAUSE, &new_key(), unsigned, 200).await;
    assert_eq!(reply["code"], "signature_missing", "{reply}");

    let time = gx_engine::Clock::system().now().plus_hours(2);
    let until = jiff::Timestamp::from_millisecond(time.0).unwrap().to_string();
    let signed = |value: String, public_key: Option<String>| {
        let signature = json!({ "value": value, "expiresAt": until, "publicKey": public_key });
        json!({ "reason": REASON, "signature": signature })
    };
    let id = new_key();
    let reply = give(&admin, PAUSE, &id, signed(signature(&id, 8, time), None), 200).await;
    assert_eq!(reply["code"], "signature_wrong", "the ledger looks: {reply}");
    let id = new_key();
    let body = signed(signature(&id, 8, time), Some(public(7)));
    let reply = give(&admin, PAUSE, &id, body, 403).await;
    assert_eq!(reply["code"], "signature_wrong", "refused at once: {reply}");
    let body = signed("00".to_owned(), Some("11".to_owned()));
    let reply = give(&admin, PAUSE, &id, body, 400).await;
    let fields: Vec<&str> = reply["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| detail["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["signature.publicKey", "signature.value"]);
    let body = signed(signature(&id, 7, time), Some(public(7)));
    let reply = give(&admin, PAUSE, &id, body, 200).await;
    assert_eq!(reply["status"], "committed", "{reply}");
}

/// Elsewhere it is a field like any other that nobody knows.
#[tokio::test]
async fn what_is_no_command_takes_no_signature() {
    let server = Server::start().await;
    let body = json!({ "username": "ada", "password": "Secret-1234", "signature": {} });
    let reply = server.client.post("/api/v1/admin/auth/login", body, 400).await;
    assert_eq!(reply.body["details"][0]["code"], "unknown_field", "{}", reply.text);
}
