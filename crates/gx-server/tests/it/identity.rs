//! Registration, log-in, refresh, log-out and profile of users.

use std::collections::BTreeSet;

use gx_store::admin::audit::{self, Filter};
use serde_json::json;

use crate::server::{ADMIN_PASSWORD, PASSWORD, Server, registration};

#[tokio::test]
async fn a_person_registers_and_sees_their_profile() {
    let server = Server::start().await;
    let mut body = registration("ada", "DE");
    body["phone"] = json!("+4915112345678");
    body["nationalId"] = json!("L01X 00T47");
    let reply = server.client.post("/api/v1/auth/register", body, 201).await;
    assert_eq!(reply.str("kycStatus"), "PENDING");
    assert_eq!(reply.str("status"), "PENDING_ADMIN_APPROVAL");
    let ada = server.log_in("ada@example.org").await;
    let profile = ada.get("/api/v1/users/profile", 200).await;
    assert_eq!(profile.str("email"), "ada@example.org");
    assert_eq!(profile.str("phone"), "+4915112345678");
    assert_eq!(profile.str("accountStatus"), "ACTIVE");
    assert_eq!(profile.str("tier"), "TIER1");
    assert!(profile.body["userId"].is_null());
    for secret in ["password", "L01X", "identityHash", "argon2"] {
        assert!(!profile.text.contains(secret), "{secret}: {}", profile.text);
    }
}

#[tokio::test]
async fn every_fault_of_a_registration_is_listed() {
    let server = Server::start().await;
    let body = json!({ "email": "ada", "password": "password", "dateOfBirth": "3000-01-01",
        "countryCode": "XX", "firstName": "", "isAdmin": true });
    let reply = server.client.post("/api/v1/auth/register", body, 400).await;
    assert_eq!(reply.str("code"), "validation_failed");
    assert_eq!(reply.str("error"), "Bad Request");
    let fields: Vec<&str> = reply.body["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["isAdmin", "email", "firstName", "lastName"]);
    let mut body = registration("ada", "DE");
    body["password"] = json!("password");
    body["dateOfBirth"] = json!("3000-01-01");
    let reply = server.client.post("/api/v1/auth/register", body, 400).await;
    assert_eq!(reply.body["details"].as_array().unwrap().len(), 4, "{}", reply.text);
}

#[tokio::test]
async fn an_address_and_a_number_belong_to_one_person() {
    let server = Server::start().await;
    let mut body = registration("ada", "DE");
    body["phone"] = json!("+4915112345678");
    server.client.post("/api/v1/auth/register", body.clone(), 201).await;
    let same = registration("ada", "DE");
    let reply = server.client.post("/api/v1/auth/register", same, 409).await;
    assert_eq!(reply.str("code"), "email_already_exists");
    body["email"] = json!("bob@example.org");
    let reply = server.client.post("/api/v1/auth/register", body, 409).await;
    assert_eq!(reply.str("code"), "phone_already_exists");
}

#[tokio::test]
async fn countries_are_checked_once_there_are_some() {
    let server = Server::start().await;
    server.bootstrapped().await;
    let body = registration("ada", "FR");
    let reply = server.client.post("/api/v1/auth/register", body, 404).await;
    assert_eq!(reply.str("code"), "country_not_found");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let server = Server::start().await;
    server.register("ada", "DE").await;
    let mut answers = Vec::new();
    for (email, password) in [("ada@example.org", "Wrong7horse"), ("eve@example.org", PASSWORD)] {
        let body = json!({ "email": email, "password": password });
        let reply = server.client.post("/api/v1/auth/login", body, 401).await;
        answers.push((reply.str("code").to_owned(), reply.str("message").to_owned()));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn five_failures_lock_an_account() {
    let server = Server::start().await;
    let ada = server.register("ada", "DE").await;
    let admin = server.admin().await;
    for (path, name, right) in [
        ("/api/v1/auth/login", json!({ "email": ada.email }), PASSWORD),
        ("/api/v1/admin/auth/login", json!({ "username": "superowner" }), ADMIN_PASSWORD),
    ] {
        let body = |password: &str| {
            let mut body = name.clone();
            body["password"] = json!(password);
            body
        };
        for _ in 0..4 {
            server.client.post(path, body("Wrong7horse"), 401).await;
        }
        // Whoever gets in begins anew.
        server.client.post(path, body(right), 200).await;
        for _ in 0..5 {
            server.client.post(path, body("Wrong7horse"), 401).await;
        }
        let locked = server.client.post(path, body(right), 401).await;
        assert_eq!(locked.str("code"), "invalid_credentials", "{path}");
    }
    // Who is logged in already stays so.
    ada.client.get("/api/v1/users/profile", 200).await;
    admin.get("/api/v1/admin/auth/profile", 200).await;
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 100).await.unwrap();
    let locks = rows.iter().filter(|row| row.action.ends_with(".lock"));
    let by: BTreeSet<_> = locks.map(|row| (row.action.as_str(), row.actor.as_str())).collect();
    let user = format!("user:{}", ada.id);
    let both = [("admin.lock", "admin:superowner"), ("user.lock", user.as_str())];
    assert_eq!(by, BTreeSet::from(both));
}

#[tokio::test]
async fn log_out_ends_the_session_at_the_next_request() {
    let server = Server::start().await;
    let ada = server.register("ada", "DE").await;
    ada.client.post("/api/v1/auth/logout", json!({}), 200).await;
    let reply = ada.client.get("/api/v1/users/profile", 401).await;
    assert_eq!(reply.str("message"), "Invalid or expired token");
}

#[tokio::test]
async fn public_keys_verify_what_was_signed() {
    let server = Server::start().await;
    let reply = server.client.get("/.well-known/jwks.json", 200).await;
    let key = &reply.body["keys"][0];
    assert_eq!((key["kty"].as_str(), key["crv"].as_str()), (Some("OKP"), Some("Ed25519")));
    assert!(key["d"].is_null());
}
