//! The same request twice is one request.

use std::sync::Arc;

use serde_json::json;

use crate::client::{Client, Reply, new_key};
use crate::server::{Server, registration};

#[tokio::test]
async fn one_key_is_one_command_however_often_it_is_sent() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    let body = json!({ "toUserId": bob.ledger_id, "amount": "2.00" });
    let token = ada.person.client.token.clone().unwrap();
    let (client, key) = (Arc::new(server.client.with_token(&token)), new_key());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let client: Client = client.with_token(&token);
        let (key, body) = (key.clone(), body.clone());
        tasks.spawn(async move {
            let headers = [("idempotency-key", key.as_str())];
            client.post_with("/api/v1/transfers", body, &headers, 202).await
        });
    }
    let replies = tasks.join_all().await;
    let fresh = replies.iter().filter(|reply| reply.header("idempotency-replayed").is_empty());
    assert_eq!(fresh.count(), 1);
    assert!(replies.iter().all(|reply| reply.text == replies[0].text));
    server.committed(&ada.person.client, replies[0].str("commandId")).await;
    assert_eq!(ada.balance().await, "498.00");
    let headers = [("idempotency-key", key.as_str())];
    let other = json!({ "toUserId": bob.ledger_id, "amount": "3.00" });
    let reply = client.post_with("/api/v1/transfers", other, &headers, 422).await;
    assert_eq!(reply.str("code"), "idempotency_key_reused");
    // Another person's key of the same text is another key.
    let back = json!({ "toUserId": ada.ledger_id, "amount": "1.00" });
    let reply = bob.person.client.post_with("/api/v1/transfers", back, &headers, 202).await;
    assert_eq!(reply.header("idempotency-replayed"), "");
}

#[tokio::test]
async fn a_repeated_registration_gets_the_first_answer() {
    let server = Server::start().await;
    let (key, path) = (new_key(), "/api/v1/auth/register");
    let headers = [("idempotency-key", key.as_str())];
    let body = registration("ada", "DE");
    let first = server.client.post_with(path, body.clone(), &headers, 201).await;
    let second = server.client.post_with(path, body, &headers, 201).await;
    assert_eq!(second.text, first.text);
    assert_eq!(second.header("idempotency-replayed"), "true");
    // The headers come again as well, but for what belongs to one exchange.
    let of_the_answer = |reply: &Reply| {
        let mut headers = reply.headers.clone();
        for name in ["date", "x-request-id", "traceparent", "idempotency-replayed"] {
            headers.remove(name);
        }
        headers
    };
    assert_eq!(of_the_answer(&second), of_the_answer(&first));
    let other = registration("bob", "DE");
    let reply = server.client.post_with(path, other, &headers, 422).await;
    assert_eq!(reply.str("code"), "idempotency_key_reused");
}

#[tokio::test]
async fn a_request_that_failed_may_be_made_again_under_its_key() {
    let server = Server::start().await;
    let (key, path) = (new_key(), "/api/v1/auth/register");
    let headers = [("idempotency-key", key.as_str())];
    server.client.post_with(path, json!({}), &headers, 400).await;
    server.client.post_with(path, registration("ada", "DE"), &headers, 201).await;
}

#[tokio::test]
async fn log_ins_are_never_answered_from_memory() {
    let server = Server::start().await;
    let ada = server.register("ada", "DE").await;
    let key = new_key();
    let headers = [("idempotency-key", key.as_str())];
    let body = json!({ "email": ada.email, "password": crate::server::PASSWORD });
    let path = "/api/v1/auth/login";
    let first = server.client.post_with(path, body.clone(), &headers, 200).await;
    let second = server.client.post_with(path, body, &headers, 200).await;
    assert_ne!(first.str("refreshToken"), second.str("refreshToken"));
    assert_eq!(second.header("idempotency-replayed"), "");
}
