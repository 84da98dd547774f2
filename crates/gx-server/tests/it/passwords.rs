//! Passwords that are changed, or were forgotten.

use std::time::Instant;

use gx_server::{Mail, Workers, read_mailbox};
use gx_store::mailbox;
use serde_json::json;

use crate::server::{PASSWORD, Server};

const OTHER: &str = "Other7horse";

const FORGOT: &str = "/api/v1/auth/password/forgot";
const RESET: &str = "/api/v1/auth/password/reset";

async fn mail(server: &Server) -> Vec<Mail> {
    read_mailbox(server.platform.config(), 10).await.unwrap()
}

/// The token of the newest mail.
pub(crate) async fn newest_token(server: &Server) -> String {
    let mail = mail(server).await;
    // People are told of other things meanwhile.
    let newest = mail.iter().find(|mail| mail.title == "Set another password").unwrap();
    let body = newest.body.as_deref().unwrap();
    body.lines().find_map(|line| line.strip_prefix("    ")).unwrap().to_owned()
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_once() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    server.client.post(FORGOT, json!({ "email": "Ada@example.org" }), 200).await;
    let sent = mail(&server).await;
    assert_eq!((sent.len(), sent[0].recipient.as_str()), (1, "ada@example.org"));
    let token = newest_token(&server).await;
    let kept = mailbox::newest(server.platform.store(), 1).await.unwrap();
    assert!(!kept[0].mail.body.contains(&token), "sealed");

    // What is no password does not use the token up.
    let body = |new: &str| json!({ "token": token, "newPassword": new });
    server.client.post(RESET, body("password"), 400).await;
    let mut unlike = body(OTHER);
    unlike["confirmPassword"] = json!("Another7horse");
    server.client.post(RESET, unlike, 400).await;
    ada.client.get("/api/v1/users/profile", 200).await;
    server.client.post(RESET, body(OTHER), 200).await;
    ada.client.get("/api/v1/users/profile", 401).await;
    let login = |password: &str| json!({ "email": ada.email, "password": password });
    server.client.post("/api/v1/auth/login", login(PASSWORD), 401).await;
    server.client.post("/api/v1/auth/login", login(OTHER), 200).await;
    let again = server.client.post(RESET, body(PASSWORD), 400).await;
    assert_eq!(again.str("code"), "reset_token_invalid");
}

#[tokio::test]
async fn nobody_learns_whether_an_address_is_known() {
    let server = Server::start_with(&[], Workers::NONE).await;
    server.register("ada", "DE").await;
    let mut answers = Vec::new();
    for email in ["ada@example.org", "nobody@example.org"] {
        let began = Instant::now();
        let reply = server.client.post(FORGOT, json!({ "email": email }), 200).await;
        assert!(began.elapsed().as_millis() >= 240, "{email}: after the same time");
        answers.push(reply.text);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(mail(&server).await.len(), 1);
}

#[tokio::test]
async fn one_reset_ends_all_tokens_and_mail_is_bounded() {
    let server = Server::start_with(&[], Workers::NONE).await;
    server.register("ada", "DE").await;
    server.client.post(FORGOT, json!({ "email": "ada@example.org" }), 200).await;
    let first = newest_token(&server).await;
    for _ in 0..4 {
        server.client.post(FORGOT, json!({ "email": "ada@example.org" }), 200).await;
    }
    assert_eq!(mail(&server).await.len(), 3);
    let body = json!({ "token": newest_token(&server).await, "newPassword": OTHER });
    server.client.post(RESET, body, 200).await;
    let body = json!({ "token": first, "newPassword": PASSWORD });
    server.client.post(RESET, body, 400).await;
}

#[tokio::test]
async fn a_user_changes_the_password() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let other = server.log_in(&ada.email).await;
    let path = "/api/v1/auth/password/change";
    let body = |current: &str, new: &str| json!({ "currentPassword": current, "newPassword": new });
    ada.client.post(path, body("Wrong7horse", OTHER), 401).await;
    ada.client.post(path, body(PASSWORD, PASSWORD), 400).await;
    ada.client.post(path, body(PASSWORD, OTHER), 200).await;
    other.get("/api/v1/users/profile", 401).await;
    ada.client.get("/api/v1/users/profile", 200).await;
    let login = json!({ "email": ada.email, "password": OTHER });
    server.client.post("/api/v1/auth/login", login, 200).await;
}
