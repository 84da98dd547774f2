//! Names that lie: what people write is shown to others as it was written, or not taken.

use gx_store::identity::users::{self, Decision, NewUser};
use gx_store::login::{Subject, credentials};
use gx_types::TimeMs;
use serde_json::{Value, json};

use crate::server::{PASSWORD, Server, registration};

/// Turns the order of what follows round.
const OVERRIDE: char = '\u{202E}';

fn codes(body: &Value) -> Vec<(&str, &str)> {
    let details = body["details"].as_array().unwrap();
    details.iter().map(|d| (d["field"].as_str().unwrap(), d["code"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn names_show_what_was_written() {
    let server = Server::start().await;
    let mut body = registration("ada", "DE");
    body["firstName"] = json!(format!("Ada{OVERRIDE}gro"));
    body["lastName"] = json!("\u{200B}\u{2800}");
    let reply = server.client.post("/api/v1/auth/register", body, 400).await;
    let invalid = [("firstName", "invalid_characters"), ("lastName", "invalid_characters")];
    assert_eq!(codes(&reply.body), invalid);
    let mut body = registration("ada", "DE");
    body["firstName"] = json!(" Jose\u{301}  Mari\u{301}a ");
    server.client.post("/api/v1/auth/register", body, 201).await;
    let ada = server.log_in("ada@example.org").await;
    let profile = ada.get("/api/v1/users/profile", 200).await;
    assert_eq!(profile.str("firstName"), "José María");
}

#[tokio::test]
async fn nobody_registers_with_an_address_that_looks_like_anothers() {
    let server = Server::start().await;
    server.register("ada", "DE").await;
    let mut body = registration("ada", "DE");
    body["email"] = json!("\u{430}da@example.org");
    let reply = server.client.post("/api/v1/auth/register", body.clone(), 400).await;
    assert_eq!(codes(&reply.body), [("email", "confusable_characters")]);
    body["email"] = json!("ada@bücher.example");
    server.client.post("/api/v1/auth/register", body.clone(), 201).await;
    body["email"] = json!("Ada@xn--bcher-kva.example");
    let reply = server.client.post("/api/v1/auth/register", body, 409).await;
    assert_eq!(reply.str("code"), "email_already_exists");
    server.log_in("ada@BÜCHER.example").await;
}

#[tokio::test]
async fn an_account_from_before_logs_in_as_it_always_did() {
    let server = Server::start().await;
    let ada = server.register("ada", "DE").await;
    let store = server.platform.store();
    let hash =
        credentials::get(store, Subject::user(&ada.id)).await.unwrap().unwrap().password_hash;
    let emails = ["\u{430}da@example.org", "ada@bücher.example"];
    for (at, email) in emails.iter().enumerate() {
        let old = NewUser {
            user_id: format!("old-{at}"),
            email: (*email).to_owned(),
            phone: None,
            first_name: format!("{OVERRIDE}ada"),
            last_name: "Example".to_owned(),
            country: "DE".parse().unwrap(),
            gender: None,
            date_of_birth: "1990-06-15".to_owned(),
            password_hash: hash.clone(),
            decision: Decision::PendingAdminApproval,
            identity_hash: format!("{at:064}"),
            created_at: TimeMs(1),
        };
        let mut tx = store.begin().await.unwrap();
        users::create(&mut tx, &old).await.unwrap();
        tx.commit().await.unwrap();
        let body = json!({ "email": email, "password": PASSWORD });
        server.client.post("/api/v1/auth/login", body, 200).await;
    }
}

#[tokio::test]
async fn remarks_reasons_notes_and_devices_are_held_to_the_same() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let lie = format!("paid{OVERRIDE}ton");
    let payee = bob.ledger_id.to_string();
    let pay = |remark: &str| json!({ "toUserId": payee, "amount": "1.00", "remark": remark });
    let client = &ada.person.client;
    let reply = client.post("/api/v1/transfers", pay(&lie), 400).await;
    assert_eq!(codes(&reply.body), [("remark", "invalid_characters")]);
    client.settle("/api/v1/transfers", pay("for lunch ❤\u{FE0F}")).await;

    let path = format!("/api/v1/admin/users/{}/deny", ada.person.id);
    let body = json!({ "reason": lie.repeat(2) });
    let reply = admin.post(&path, body, 400).await;
    assert!(codes(&reply.body).contains(&("reason", "invalid_characters")), "{}", reply.text);
    let path = format!("/api/v1/admin/users/{}/approve", ada.person.id);
    let reply = admin.post(&path, json!({ "notes": lie }), 400).await;
    assert_eq!(codes(&reply.body), [("notes", "invalid_characters")]);
    let body = json!({
        "email": "ada@example.org", "password": PASSWORD, "deviceFingerprint": lie
    });
    let reply = server.client.post("/api/v1/auth/login", body, 400).await;
    assert_eq!(codes(&reply.body), [("deviceFingerprint", "invalid_characters")]);
}
