//! What users see and change of themselves, and of nobody else; and numbers of identity cards.

use gx_server::Workers;
use gx_store::admin::audit::{self, Filter};
use serde_json::json;

use crate::client::{Client, Reply, new_key};
use crate::decisions::colleague;
use crate::server::Server;

async fn patch(client: &Client, path: &str, body: serde_json::Value, expect: u16) -> Reply {
    let headers = [("idempotency-key", &*new_key())];
    let reply = client.send("PATCH", path, &headers, Some(&body.to_string())).await;
    assert_eq!(reply.status, expect, "PATCH {path}: {}", reply.text);
    reply
}

const OWN: &str = "/api/v1/users/profile";

#[tokio::test]
async fn a_user_tells_more_and_takes_it_back() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let told = json!({
        "firstName": " Jose\u{301} ", "gender": "FEMALE", "language": "pt-br", "city": "Ulm",
        "addressLine1": "Street 1", "addressCountry": "DE", "isPEP": false,
        "workEmail": "Ada@Example.org", "phoneNum": "4915155501234",
    });
    let reply = patch(&ada.client, OWN, told, 200).await;
    let fields = reply.body["updatedFields"].as_array().unwrap();
    assert_eq!(fields.len(), 9, "{}", reply.text);
    let profile = ada.client.get(OWN, 200).await;
    assert_eq!((profile.str("firstName"), profile.str("language")), ("José", "pt-BR"));
    assert_eq!(
        (profile.str("phone"), profile.str("phoneNum")),
        ("+4915155501234", "+4915155501234")
    );
    assert_eq!(
        (&profile.body["phoneVerified"], &profile.body["isPEP"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(profile.body["address"]["city"], "Ulm");
    assert_eq!(profile.body["address"]["countryCode"], "DE");
    let path = format!("/api/v1/users/{}", ada.id);
    let taken_back = json!({ "city": "" });
    let reply = patch(&ada.client, &path, taken_back, 200).await;
    assert_eq!(reply.body["profile"]["address"]["city"], json!(null));
    assert_eq!(reply.body["profile"]["address"]["addressLine1"], "Street 1");
    // The log has the names of fields, and nothing of what was told.
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 50).await.unwrap();
    let log = format!("{rows:?}");
    assert!(log.contains("addressLine1") && !log.contains("Street 1"), "{log}");
}

#[tokio::test]
async fn every_fault_of_a_profile_is_listed() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let faults = json!({
        "firstName": "", "gender": "X", "language": "de_DE", "workEmail": "ada", "email": "a@b.de",
        "dateOfBirth": "yesterday", "phone": "0151", "city": "\u{202E}Ulm", "addressCountry": "D",
    });
    let reply = patch(&ada.client, OWN, faults, 400).await;
    assert_eq!(reply.body["details"].as_array().unwrap().len(), 9, "{}", reply.text);
    let reply = patch(&ada.client, OWN, json!({}), 400).await;
    assert_eq!(reply.body["details"][0]["code"], "nothing_to_change");
    let twice = json!({ "phone": "+4915155501234", "phoneNum": "+4915155501234",
        "dateOfBirth": "3000-01-01" });
    let reply = patch(&ada.client, OWN, twice, 400).await;
    assert_eq!(reply.body["details"].as_array().unwrap().len(), 2, "{}", reply.text);
    let bob = server.register("bob", "DE").await;
    patch(&bob.client, OWN, json!({ "phone": "+4915155501234" }), 200).await;
    let reply = patch(&ada.client, OWN, json!({ "phone": "+4915155501234" }), 409).await;
    assert_eq!(reply.str("code"), "phone_already_exists");
}

#[tokio::test]
async fn what_was_approved_stays() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    for field in [json!({ "firstName": "New" }), json!({ "dateOfBirth": "1991-01-01" })] {
        let reply = patch(&ada.person.client, OWN, field, 409).await;
        assert_eq!(reply.str("code"), "profile_is_approved");
    }
    // Both ids are the user's own.
    let path = ada.path("/api/v1/users/{}");
    let reply = patch(&ada.person.client, &path, json!({ "city": "Ulm" }), 200).await;
    assert_eq!(reply.body["profile"]["userId"], ada.ledger_id.to_string());
    let seen = ada.person.client.get(&path, 200).await;
    assert_eq!(seen.body["user"]["address"]["city"], "Ulm");
    let seen = admin.get(&path, 200).await;
    assert_eq!(seen.body["user"]["id"], ada.person.id);
}

#[tokio::test]
async fn others_do_not_exist_for_a_user() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let (ada, bob) = (server.register("ada", "DE").await, server.register("bob", "DE").await);
    let path = format!("/api/v1/users/{}", bob.id);
    let (theirs, nobodys) =
        (ada.client.get(&path, 404).await, ada.client.get("/api/v1/users/0123", 404).await);
    assert_eq!(theirs.str("message"), nobodys.str("message"));
    patch(&ada.client, &path, json!({ "city": "Ulm" }), 404).await;
    assert_eq!(admin.get(&path, 200).await.body["user"]["email"], bob.email);
    admin.get("/api/v1/users/0123", 404).await;
    let developer = colleague(&server, "dev", "DEVELOPER").await;
    developer.get(&path, 403).await;
}

#[tokio::test]
async fn numbers_of_identity_cards_are_looked_at() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let path = "/api/v1/validation/national-id";
    let given = |number: &str| json!({ "nationalIdNumber": number, "countryCode": "ES" });
    let reply = ada.client.post(path, given("12345678-z"), 200).await;
    assert_eq!((&reply.body["valid"], reply.str("normalised")), (&json!(true), "12345678Z"));
    assert_eq!(reply.str("rule"), "DNI");
    let reply = ada.client.post(path, given("12345678A"), 200).await;
    assert_eq!(reply.body["valid"], false);
    assert_eq!(reply.body["problems"][0]["code"], "invalid_number");
    let body = json!({ "nationalIdNumber": "", "countryCode": "Spain" });
    let reply = ada.client.post(path, body, 400).await;
    assert_eq!(reply.body["details"].as_array().unwrap().len(), 2);
}
