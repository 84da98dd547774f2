//! Requests for a payment: shown, checked, paid once, and told as the ledger has settled them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gx_server::Route;
use serde_json::{Value, json};

use crate::client::{Client, Reply, new_key};
use crate::server::{Account, Server};

const QSEND: &str = "/api/v1/qsend";

async fn ask(by: &Account, amount: &str) -> Reply {
    let body = json!({
        "amount": amount, "description": "Two coffees", "reference": "Table 7",
        "validitySeconds": 60,
    });
    by.person.client.post(QSEND, body, 201).await
}

fn at(request: &Reply, rest: &str) -> String {
    format!("{QSEND}/{}{rest}", request.str("requestCode"))
}

/// Pays, and says how that ended: `committed`, or what it was refused for.
async fn pay(by: &Account, request: &Reply) -> String {
    let (headers, path) = ([("idempotency-key", &*new_key()), ("prefer", "wait=20")], "/pay");
    let reply = by.person.client.send("POST", &at(request, path), &headers, Some("{}")).await;
    reply.outcome().to_owned()
}

async fn see(by: &Account, request: &Reply) -> Value {
    by.person.client.get(&at(request, ""), 200).await.body
}

async fn verify(by: &Account, qr_data: &str) -> Value {
    let body = json!({ "qrData": qr_data });
    by.person.client.post(&format!("{QSEND}/verify"), body, 200).await.body
}

#[tokio::test]
async fn a_request_is_shown_paid_and_told() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let request = ask(&ada, "12.50").await;
    assert_eq!((request.str("status"), request.str("amount")), ("ACTIVE", "12.50"));
    assert_eq!((request.str("currency"), &request.body["validitySeconds"]), ("GXC", &json!(60)));
    assert_eq!(request.str("creatorFabricId"), ada.ledger_id.to_string());
    assert_eq!(request.str("creatorName"), "ada Example");
    let other = ask(&ada, "1").await;
    assert_ne!(other.str("requestCode"), request.str("requestCode"));

    let qr_data = request.str("qrData");
    let held: Value = serde_json::from_slice(&STANDARD.decode(qr_data).unwrap()).unwrap();
    assert_eq!((&held["t"], &held["a"]), (&json!("QSEND"), &json!("12.50")));
    assert_eq!((&held["c"], &held["n"]), (&request.body["requestCode"], &json!("ada Example")));
    let checked = verify(&bob, qr_data).await;
    assert_eq!((&checked["valid"], &checked["error"]), (&json!(true), &Value::Null));
    assert_eq!(checked["request"]["reference"], "Table 7");
    let mut lie = held.clone();
    lie["a"] = json!("1.00");
    for (text, error) in [
        (STANDARD.encode(lie.to_string()), "altered"),
        (STANDARD.encode(r#"{"t":"OTHER"}"#), "malformed"),
        ("nothing".to_owned(), "malformed"),
    ] {
        let checked = verify(&bob, &text).await;
        assert_eq!((&checked["valid"], &checked["error"]), (&json!(false), &json!(error)));
        assert_eq!(checked["request"], Value::Null);
    }
    let picture = bob.person.client.get(&at(&request, "/qr.svg"), 200).await;
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert!(picture.text.contains("<svg"), "{}", picture.text);

    assert_eq!(pay(&ada, &request).await, "qsend_own_request");
    let key = new_key();
    let headers = [("idempotency-key", &*key), ("prefer", "wait=20")];
    let path = at(&request, "/pay");
    let paid = bob.person.client.post_with(&path, json!({}), &headers, 200).await;
    assert_eq!(paid.outcome(), "committed", "{}", paid.text);
    let again = bob.person.client.post_with(&path, json!({}), &headers, 200).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.str("commandId"), paid.str("commandId"));
    assert_eq!(pay(&bob, &request).await, "qsend_paid");
    assert_eq!(pay(&eve, &request).await, "qsend_paid");
    assert_eq!(ada.balance().await, "512.50", "once");

    for side in [&ada, &bob] {
        let seen = see(side, &request).await;
        assert_eq!((&seen["status"], &seen["payerName"]), (&json!("PAID"), &json!("bob Example")));
        assert_eq!(seen["onChainTxId"], paid.str("commandId"));
        assert!(seen["paidAt"].is_string() && seen["remainingSeconds"] == 0, "{seen}");
    }
    let seen = see(&eve, &request).await;
    assert_eq!((&seen["status"], &seen["payerName"]), (&json!("PAID"), &Value::Null));
    assert_eq!(seen["onChainTxId"], Value::Null, "who has paid is a matter of the two");
    assert_eq!(verify(&eve, qr_data).await["error"], "paid");
    let history = bob.path("/api/v1/wallets/{}/transactions?type=SENT");
    let history = bob.person.client.get(&history, 200).await;
    let remark = history.body["data"][0]["description"].as_str().unwrap();
    assert!(!remark.contains("coffees"), "what it is for stays here: {remark}");
}

#[tokio::test]
async fn lists_and_totals_are_of_those_who_ask() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let first = ask(&ada, "10").await;
    let second = ask(&ada, "20").await;
    let third = ask(&ada, "30").await;
    assert_eq!(pay(&bob, &second).await, "committed");
    ada.person.client.post(&at(&third, "/cancel"), json!({}), 200).await;
    let codes = async |by: &Account, query: &str| -> Vec<String> {
        let list = by.person.client.get(&format!("{QSEND}{query}"), 200).await;
        let rows = list.body["data"].as_array().unwrap();
        rows.iter().map(|row| row["requestCode"].as_str().unwrap().to_owned()).collect()
    };
    let of = |requests: &[&Reply]| -> Vec<String> {
        requests.iter().map(|request| request.str("requestCode").to_owned()).collect()
    };
    assert_eq!(codes(&ada, "").await.len(), 3);
    assert_eq!(codes(&ada, "?status=ACTIVE").await, of(&[&first]));
    assert_eq!(codes(&ada, "?status=CANCELLED&role=creator").await, of(&[&third]));
    assert_eq!(codes(&ada, "?role=payer").await, of(&[]));
    assert_eq!(codes(&bob, "?role=payer").await, of(&[&second]));
    assert_eq!(codes(&bob, "?role=creator").await, of(&[]));
    assert_eq!(codes(&ada, "?endDate=2020-01-01T00:00:00Z").await, of(&[]));
    let page = ada.person.client.get(&format!("{QSEND}?limit=2"), 200).await;
    assert_eq!(page.body["hasMore"], true);
    let next = format!("?limit=2&cursor={}", page.str("nextCursor"));
    assert_eq!(codes(&ada, &next).await.len(), 1);
    ada.person.client.get(&format!("{QSEND}?cursor=x"), 400).await;
    let faults = ada.person.client.get(&format!("{QSEND}?status=NEW&role=nobody"), 400).await;
    assert_eq!(faults.body["details"].as_array().unwrap().len(), 2, "{}", faults.text);

    let board = ada.person.client.get(&format!("{QSEND}/dashboard"), 200).await;
    let stats = &board.body["stats"];
    assert_eq!((&stats["totalRequests"], &stats["activeRequests"]), (&json!(3), &json!(1)));
    assert_eq!((&stats["paidRequests"], &stats["cancelledRequests"]), (&json!(1), &json!(1)));
    assert_eq!(stats["totalAmountRequested"], "60.00");
    assert_eq!(stats["totalAmountReceived"], "20.00");
    assert_eq!(board.body["recentRequests"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn of_two_who_pay_at_once_one_does() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    for _ in 0..5 {
        let request = ask(&ada, "1").await;
        let (one, two) = tokio::join!(pay(&bob, &request), pay(&eve, &request));
        let (won, lost) = if one == "committed" { (one, two) } else { (two, one) };
        assert_eq!(won, "committed");
        assert!(lost == "qsend_being_paid" || lost == "qsend_paid", "{lost}");
    }
    assert_eq!(ada.balance().await, "505.00");
}

#[tokio::test]
async fn a_payment_that_the_ledger_refuses_leaves_the_request_open() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let request = ask(&ada, "550").await;
    let key = new_key();
    let headers = [("idempotency-key", &*key), ("prefer", "wait=20")];
    let path = at(&request, "/pay");
    let refused = bob.person.client.post_with(&path, json!({}), &headers, 200).await;
    assert_eq!(refused.outcome(), "insufficient_balance");
    let seen = see(&ada, &request).await;
    assert_eq!((&seen["status"], &seen["payerName"]), (&json!("ACTIVE"), &Value::Null));
    let list = bob.person.client.get(QSEND, 200).await;
    assert_eq!(list.body["data"], json!([]), "whoever was refused is no payer");
    let gift = json!({ "toUserId": eve.ledger_id, "amount": "100" });
    ada.person.client.settle("/api/v1/transfers", gift).await;
    assert_eq!(pay(&eve, &request).await, "committed");
    assert_eq!(see(&ada, &request).await["payerName"], "eve Example");
    // The refusal stays what a retry is answered, and nothing is paid twice.
    let again = bob.person.client.post_with(&path, json!({}), &headers, 200).await;
    assert_eq!(again.outcome(), "insufficient_balance");
}

#[tokio::test]
async fn what_has_expired_or_was_taken_back_is_not_paid() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let taken = ask(&ada, "5").await;
    bob.person.client.post(&at(&taken, "/cancel"), json!({}), 404).await;
    let back = ada.person.client.post(&at(&taken, "/cancel"), json!({}), 200).await;
    assert_eq!(back.str("status"), "CANCELLED");
    let again = ada.person.client.post(&at(&taken, "/cancel"), json!({}), 409).await;
    assert_eq!(again.str("code"), "qsend_cancelled");
    assert_eq!(pay(&bob, &taken).await, "qsend_cancelled");

    let (late, paid) = (ask(&ada, "5").await, ask(&ada, "7").await);
    assert_eq!(pay(&bob, &paid).await, "committed");
    server.pass_days(1);
    // The ledger's time is known with its next block.
    let gift = json!({ "toUserId": bob.ledger_id, "amount": "1" });
    ada.person.client.settle("/api/v1/transfers", gift).await;
    let seen = see(&bob, &late).await;
    assert_eq!((&seen["status"], &seen["remainingSeconds"]), (&json!("EXPIRED"), &json!(0)));
    assert_eq!(pay(&bob, &late).await, "qsend_expired");
    let reply = ada.person.client.post(&at(&late, "/cancel"), json!({}), 409).await;
    assert_eq!(reply.str("code"), "qsend_expired");
    assert_eq!(see(&bob, &paid).await["status"], "PAID");
    assert_eq!(verify(&bob, late.str("qrData")).await["error"], "expired");
}

#[tokio::test]
async fn faults_are_told_at_once() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let client = &ada.person.client;
    let body = json!({ "amount": 5, "validitySeconds": 601, "description": "x".repeat(201) });
    let reply = client.post(QSEND, body, 400).await;
    let fields: Vec<_> = reply.body["details"].as_array().unwrap().iter().collect();
    let fields: Vec<_> = fields.iter().map(|one| one["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["amount", "description", "validitySeconds"]);
    client.post(QSEND, json!({ "amount": "1", "validitySeconds": 59 }), 400).await;
    client.post(QSEND, json!({ "amount": "0" }), 400).await;
    let unknown = format!("{QSEND}/QS-AAAAAAAAAAAAAAAA");
    client.get(&unknown, 404).await;
    client.get(&format!("{unknown}/qr.svg"), 404).await;
    client.post(&format!("{unknown}/pay"), json!({}), 404).await;
    client.post(&format!("{unknown}/cancel"), json!({}), 404).await;
    let carol = server.register("carol", "DE").await;
    let reply = carol.client.post(QSEND, json!({ "amount": "1" }), 409).await;
    assert_eq!(reply.str("code"), "not_on_ledger");
}

/// The code of a request that a route is about: of the caller, or of somebody whom they pay.
pub(crate) async fn prepared(
    server: &Server,
    client: &Client,
    name: &str,
    route: &Route,
) -> String {
    let body = json!({ "amount": "1" });
    if !route.path.ends_with("/pay") {
        return client.post(QSEND, body, 201).await.str("requestCode").to_owned();
    }
    let login = json!({ "username": "superowner", "password": crate::server::ADMIN_PASSWORD });
    let admin = server.client.post("/api/v1/admin/auth/login", login, 200).await;
    let admin = server.client.with_token(admin.str("accessToken"));
    let payee = server.account(&admin, &format!("{name}-payee"), "DE").await;
    payee.person.client.post(QSEND, body, 201).await.str("requestCode").to_owned()
}
