//! Who attests people: registered by two admins, and signing where the platform approves.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer as _, SigningKey};
use gx_contract::{KeyHolder, PublicKey, key_proof_bytes};
use gx_server::Workers;
use gx_types::{Actor, AttesterId, CommandId, NetworkId};
use serde_json::{Value, json};

use crate::client::{Client, new_key};
use crate::decisions::{decide, pending, two_admins};
use crate::server::Server;

const ATTESTERS: &str = "/api/v1/admin/attesters";

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn key_file(folder: &Path) -> String {
    let path = folder.join("attester.pem");
    std::fs::write(&path, key().to_pkcs8_pem(LineEnding::LF).unwrap().as_bytes()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

/// Proposes the attester `clinic` for Germany, with the key's word for it.
async fn propose(admin: &Client) -> Value {
    let actor: Actor = "admin:superowner".parse().unwrap();
    let holder = KeyHolder::Attester("clinic".parse::<AttesterId>().unwrap());
    let id = new_key();
    let command_id = CommandId::derive(&actor, &id);
    let bytes = key_proof_bytes(NetworkId::Devnet, &holder, command_id);
    let public_key = PublicKey::from_bytes(key().verifying_key().to_bytes());
    let body = json!({
        "attesterId": "clinic", "publicKey": public_key.to_string(), "dailyMax": 2,
        "countries": ["DE"], "proof": hex::encode(key().sign(&bytes).to_bytes())
    });
    let headers = [("idempotency-key", id.as_str()), ("prefer", "wait=20")];
    admin.post_with(ATTESTERS, body, &headers, 200).await.body
}

async fn clinic(admin: &Client) -> Value {
    let all = admin.get(ATTESTERS, 200).await.body.as_array().unwrap().clone();
    all.into_iter().find(|one| one["attesterId"] == "clinic").unwrap()
}

/// Has the account of an approved applicant opened; how that went.
async fn open(server: &Server, admin: &Client, name: &str, country: &str) -> Value {
    let person = server.register(name, country).await;
    let path = format!("/api/v1/admin/users/{}/approve", person.id);
    admin.post(&path, json!({}), 200).await;
    let path = "/api/v1/admin/users/batch-register-onchain";
    let reply = admin.post(path, json!({ "userIds": [person.id] }), 202).await;
    let command = reply.body["commands"][0]["commandId"].as_str().unwrap().to_owned();
    server.settled(admin, &command).await;
    admin.get(&format!("/api/v1/commands/{command}"), 200).await.body
}

#[tokio::test]
async fn who_is_approved_is_attested_by_the_platforms_own_attester() {
    let folder = tempfile::tempdir().unwrap();
    let file = key_file(folder.path());
    let settings = [("attester.id", "clinic"), ("attester.key_file", file.as_str())];
    let server = Server::start_with(&settings, Workers::ALL).await;
    let (first, second) = two_admins(&server).await;
    let refused = open(&server, &first, "ada", "DE").await;
    assert_eq!(refused["code"], "attester_unknown", "{refused}");

    let reply = propose(&first).await;
    assert_eq!(reply["status"], "committed", "{reply}");
    let action = pending(&second).await;
    assert_eq!(decide(&second, &action, "approve").await["status"], "committed");
    let opened = open(&server, &first, "bob", "DE").await;
    assert_eq!(opened["status"], "committed", "{opened}");
    let elsewhere = open(&server, &first, "carol", "IN").await;
    assert_eq!(elsewhere["code"], "attester_country", "{elsewhere}");
    let found = clinic(&first).await;
    assert_eq!((&found["attested"], &found["attestedToday"]), (&json!(1), &json!(1)));
    assert_eq!((&found["dailyMax"], &found["countries"]), (&json!(2), &json!(["DE"])));
    assert_eq!(found["removedAt"], Value::Null);

    let remove = format!("{ATTESTERS}/clinic/remove");
    first.settle(&remove, json!({})).await;
    let action = pending(&second).await;
    assert_eq!(decide(&second, &action, "approve").await["status"], "committed");
    assert_ne!(clinic(&first).await["removedAt"], Value::Null);
    let refused = open(&server, &first, "dora", "DE").await;
    assert_eq!(refused["code"], "attester_unknown", "{refused}");
}

#[tokio::test]
async fn devnets_own_attester_is_listed_and_what_is_no_attester_is_told() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let all = admin.get(ATTESTERS, 200).await.body;
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    assert_eq!((&all[0]["attesterId"], &all[0]["publicKey"]), (&json!("devnet"), &Value::Null));
    let wrong = json!({ "attesterId": "a b", "publicKey": "0", "proof": "1", "dailyMax": 0,
        "countries": [] });
    let reply = admin.post(ATTESTERS, wrong, 400).await;
    assert_eq!(reply.body["details"].as_array().unwrap().len(), 5, "{}", reply.text);
    admin.post(&format!("{ATTESTERS}/x/remove"), json!({}), 404).await;
}
