//! Coins in escrow, and what an owner lets leave the account in a day.

use serde_json::{Value, json};

use crate::client::Reply;
use crate::server::{Account, Server};

const ESCROWS: &str = "/api/v1/escrows";

fn in_hours(hours: u32) -> String {
    let at = gx_engine::Clock::system().now().plus_hours(hours);
    jiff::Timestamp::from_millisecond(at.0).unwrap().to_string()
}

async fn open(by: &Account, to: &Account, arbiter: &Account) -> Reply {
    let body = json!({
        "toUserId": to.ledger_id, "amount": "10.00", "arbiterId": arbiter.ledger_id,
        "expiresAt": in_hours(48), "remark": "A used bicycle",
    });
    let reply = by.person.client.settle(ESCROWS, body).await;
    assert_eq!(reply.outcome(), "committed", "{}", reply.text);
    reply
}

async fn outcome(by: &Account, id: &str, verb: &str) -> String {
    let reply = by.person.client.settle(&format!("{ESCROWS}/{id}/{verb}"), json!({})).await;
    reply.outcome().to_owned()
}

#[tokio::test]
async fn coins_wait_and_are_released_or_given_back() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let zoe = server.account(&admin, "zoe", "DE").await;
    let first = open(&ada, &bob, &eve).await.str("escrowId").to_owned();
    assert_eq!(ada.balance().await, "489.995", "the fee waits as well");
    assert_eq!(bob.balance().await, "500.00");
    let path = format!("{ESCROWS}/{first}");
    for client in [&ada, &bob, &eve] {
        let seen = client.person.client.get(&path, 200).await.body;
        assert_eq!((&seen["status"], &seen["amount"]), (&json!("OPEN"), &json!("10.00")));
        assert_eq!((&seen["fee"], &seen["remark"]), (&json!("0.005"), &json!("A used bicycle")));
    }
    zoe.person.client.get(&path, 404).await;
    zoe.person.client.get(&format!("{ESCROWS}/nothing"), 404).await;
    admin.get(&path, 200).await;
    let developer = crate::decisions::colleague(&server, "dev", "DEVELOPER").await;
    developer.get(&path, 403).await;

    assert_eq!(outcome(&bob, &first, "release").await, "not_party");
    assert_eq!(outcome(&zoe, &first, "refund").await, "escrow_not_expired");
    assert_eq!(outcome(&ada, &first, "release").await, "committed");
    assert_eq!(outcome(&ada, &first, "release").await, "escrow_settled");
    assert_eq!(bob.balance().await, "510.00");
    let seen = bob.person.client.get(&path, 200).await.body;
    let by_ada = json!(ada.ledger_id);
    assert_eq!((&seen["status"], &seen["settledBy"]), (&json!("RELEASED"), &by_ada));

    let second = open(&ada, &bob, &eve).await.str("escrowId").to_owned();
    assert_eq!(outcome(&eve, &second, "refund").await, "committed");
    assert_eq!(ada.balance().await, "489.995");
    let third = open(&ada, &bob, &eve).await.str("escrowId").to_owned();
    server.pass_days(3);
    assert_eq!(outcome(&eve, &third, "release").await, "escrow_expired");
    assert_eq!(outcome(&zoe, &third, "refund").await, "committed", "anybody may, by then");
    assert_eq!(ada.balance().await, "489.995");
    let list = eve.person.client.get(&format!("{ESCROWS}?limit=1"), 200).await;
    assert_eq!(list.body["data"][0]["escrowId"], third);
    let rest = format!("{ESCROWS}?cursor={}", list.str("nextCursor"));
    let rest = eve.person.client.get(&rest, 200).await;
    assert_eq!(rest.body["data"][1]["escrowId"], first, "{}", rest.text);
    assert_eq!(zoe.person.client.get(ESCROWS, 200).await.body["data"], json!([]));
    let history = ada.path("/api/v1/wallets/{}/transactions?type=ESCROW");
    let history = ada.person.client.get(&history, 200).await;
    assert_eq!(history.body["data"].as_array().unwrap().len(), 5, "{}", history.text);
}

#[tokio::test]
async fn terms_that_are_none_are_refused() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let terms = |amount: &str, hours: u32, arbiter: &Account| {
        json!({
            "toUserId": bob.ledger_id, "amount": amount, "expiresAt": in_hours(hours),
            "arbiterId": arbiter.ledger_id,
        })
    };
    for (body, expected) in [
        (terms("10.00", 48, &bob), "arbiter_invalid"),
        (
            json!({ "toUserId": bob.ledger_id, "amount": "10", "expiresAt": in_hours(0) }),
            "expiry_invalid",
        ),
        (
            json!({ "toUserId": bob.ledger_id, "amount": "900", "expiresAt": in_hours(9) }),
            "insufficient_balance",
        ),
    ] {
        let reply = ada.person.client.settle(ESCROWS, body).await;
        assert_eq!(reply.outcome(), expected, "{}", reply.text);
        assert!(reply.body.get("escrowId").is_none(), "nothing was made: {}", reply.text);
    }
    ada.person.client.post(ESCROWS, terms("0", 48, &bob), 400).await;
    ada.person.client.post(ESCROWS, json!({ "toUserId": bob.ledger_id, "amount": "1" }), 400).await;
    let to_pool = json!({
        "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "1", "expiresAt": in_hours(9),
    });
    let reply = ada.person.client.post(ESCROWS, to_pool, 422).await;
    assert_eq!(reply.str("code"), "recipient_not_allowed");
}

#[tokio::test]
async fn a_limit_is_lowered_at_once_and_raised_a_day_later() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let (client, path) = (&ada.person.client, "/api/v1/wallets/limits");
    assert_eq!(client.get(path, 200).await.body["perDay"], Value::Null);
    let set = async |per_day: Value| {
        let reply = client.settle_by("PUT", path, json!({ "perDay": per_day })).await;
        reply.outcome().to_owned()
    };
    assert_eq!(set(json!("50.00")).await, "committed");
    assert_eq!(client.get(path, 200).await.str("perDay"), "50.00");
    let payment = |amount: &str| json!({ "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": amount });
    let paid = client.settle("/api/v1/transfers", payment("40.00")).await;
    assert_eq!(paid.outcome(), "committed");
    let refused = client.settle("/api/v1/transfers", payment("20.00")).await;
    assert_eq!(refused.outcome(), "spending_limit");
    assert_eq!(set(json!("80.00")).await, "committed");
    let limit = client.get(path, 200).await.body;
    assert_eq!((&limit["perDay"], &limit["next"]["perDay"]), (&json!("50.00"), &json!("80.00")));
    assert!(limit["next"]["holdsFrom"].is_string(), "{limit}");
    assert_eq!(set(json!("80.00")).await, "limit_unchanged");
    server.pass_days(2);
    let paid = client.settle("/api/v1/transfers", payment("60.00")).await;
    assert_eq!(paid.outcome(), "committed", "{}", paid.text);
    let limit = client.get(path, 200).await.body;
    assert_eq!((&limit["perDay"], &limit["next"]), (&json!("80.00"), &Value::Null));
    assert_eq!(set(json!(null)).await, "committed");
    assert_eq!(client.get(path, 200).await.body["next"]["perDay"], Value::Null);
    assert_eq!(set(json!("0")).await, "committed");
    let limit = client.get(path, 200).await.body;
    assert_eq!((&limit["perDay"], &limit["next"]), (&json!("0.00"), &Value::Null));
    for wrong in [json!({}), json!({ "perDay": 5 }), json!({ "perDay": "x" })] {
        let headers = [("idempotency-key", "a-key-of-limits")];
        let reply = client.send("PUT", path, &headers, Some(&wrong.to_string())).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
}
