//! The database goes away and comes back: clients are told to try again, and nothing happens twice.

use gx_pg::{Pooler, Pooling};
use gx_server::Workers;
use hyper::StatusCode;
use serde_json::json;

use crate::server::{Server, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_requests_are_answered_503_and_may_be_sent_again() {
    let mut cluster = gx_pg::Cluster::start(gx_pg::Options::default()).unwrap();
    let database = cluster.fresh_database().unwrap();
    let environment = [("DATABASE_URL", &*database.url())];
    // Short, so that the test need not wait for a connection as long as a client would.
    let settings = [("database.acquire_timeout_ms", "500")];
    let server = Server::start_in(&environment, &settings, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "IN").await;
    let client = &ada.person.client;
    let body = json!({ "toUserId": bob.ledger_id, "amount": "25.00" }).to_string();
    let headers = [("idempotency-key", "a-payment-in-an-outage"), ("prefer", "wait=10")];
    let pay = async || client.send("POST", "/api/v1/transfers", &headers, Some(&body)).await;

    cluster.kill().unwrap();
    let path = ada.path("/api/v1/wallets/{}/balance");
    let read = client.send("GET", &path, &[], None).await;
    for reply in [pay().await, pay().await, read] {
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.text);
        assert_eq!(reply.str("code"), "store_unavailable");
        assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    }
    let alive = server.client.get("/livez", 200).await;
    assert_eq!(alive.status, StatusCode::OK);
    server.client.get("/readyz", 503).await;

    cluster.restart().unwrap();
    let paid = eventually("the payment is taken", async || {
        Some(pay().await).filter(|reply| reply.status != StatusCode::SERVICE_UNAVAILABLE)
    })
    .await;
    server.committed(client, paid.str("commandId")).await;
    assert_eq!(pay().await.str("commandId"), paid.str("commandId"), "a retry is the same payment");
    // 500 of genesis, 25 paid once, and a fee of 15 basis points.
    assert_eq!(ada.balance().await, "474.9625");
    assert_eq!(bob.balance().await, "525.00");
    server.client.get("/readyz", 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_that_lends_sessions_a_payment_is_the_same() {
    let database = gx_pg::shared().unwrap().fresh_database().unwrap();
    for pooling in [Pooling::Session, Pooling::Transaction] {
        let pooler = Pooler::start(database.server(), pooling).unwrap();
        let database = database.server().fresh_database().unwrap();
        let environment = [("DATABASE_URL", &*pooler.url(database.name()))];
        let server = Server::start_in(&environment, &[], Workers::ALL).await;
        let admin = server.bootstrapped().await;
        let ada = server.account(&admin, "ada", "DE").await;
        let bob = server.account(&admin, "bob", "IN").await;
        let body = json!({ "toUserId": bob.ledger_id, "amount": "25.00" });
        let paid = ada.person.client.settle("/api/v1/transfers", body).await;
        assert_eq!(paid.str("status"), "committed", "{pooling:?}");
        assert_eq!(ada.balance().await, "474.9625");
        assert_eq!(bob.balance().await, "525.00");
        server.client.get("/readyz", 200).await;
        drop(server.stop().await);
    }
}
