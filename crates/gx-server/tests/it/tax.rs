//! Fees that are asked for before they are paid, and the velocity tax: when it is due, who is
//! exempt, and that it is taken without anybody's doing.

use gx_server::Workers;
use serde_json::{Value, json};

use crate::server::{Account, Server, eventually};

/// Nobody but admins asks for the tax.
const BY_HAND: [(&str, &str); 1] = [("tax.interval_seconds", "0")];

async fn standing(account: &Account) -> Value {
    let path = account.path("/api/v1/velocity-tax/eligibility/{}");
    account.person.client.get(&path, 200).await.body
}

#[tokio::test]
async fn a_fee_is_what_the_ledger_will_take() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "IN").await);
    let ask = json!({ "toUserId": bob.ledger_id, "amount": "50.00", "transactionType": "P2P" });
    let quoted = ada.person.client.post("/api/v1/fees/calculate", ask, 200).await;
    assert_eq!((quoted.str("feeAmount"), quoted.str("totalAmount")), ("0.075", "50.075"));
    assert_eq!((quoted.str("feePercentage"), &quoted.body["rateBps"]), ("0.15", &json!(15)));
    assert_eq!((quoted.str("type"), quoted.str("scope")), ("P2P", "CROSS_BORDER"));
    assert_eq!(quoted.body["breakdown"], json!({ "baseFee": "0.075", "networkFee": "0.00" }));
    let pay = json!({ "toUserId": bob.ledger_id, "amount": "50.00" });
    ada.person.client.settle("/api/v1/transfers", pay.clone()).await;
    assert_eq!(ada.balance().await, "449.925");
    let free = json!({ "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "50.00" });
    let quoted = ada.person.client.post("/api/v1/fees/calculate", free, 200).await;
    assert_eq!((quoted.str("feeAmount"), quoted.str("type")), ("0.00", "SYSTEM"));

    let path = "/api/v1/fees/calculate";
    let own = json!({ "toUserId": ada.ledger_id, "amount": "1" });
    assert_eq!(ada.person.client.post(path, own, 400).await.str("code"), "same_account");
    let pool = json!({ "toUserId": "SYSTEM_LOAN_POOL", "amount": "1" });
    let reply = ada.person.client.post(path, pool, 422).await;
    assert_eq!(reply.str("code"), "recipient_not_allowed");
    let nowhere = json!({ "toUserId": "treasury_FR", "amount": "1" });
    ada.person.client.post(path, nowhere, 404).await;
    assert_eq!(admin.post(path, pay, 400).await.body["details"][0]["field"], "fromUserId");
    let between = json!({
        "fromUserId": ada.ledger_id, "toUserId": bob.ledger_id, "amount": "1000",
    });
    assert_eq!(admin.post(path, between, 200).await.str("feeAmount"), "2.50");
    let others = json!({ "fromUserId": bob.ledger_id, "toUserId": ada.ledger_id, "amount": "1" });
    let reply = ada.person.client.post(path, others, 403).await;
    assert_eq!(reply.str("code"), "not_own_account");
}

#[tokio::test]
async fn tax_is_taken_when_it_is_due_and_from_nobody_exempt() {
    let server = Server::start_with(&BY_HAND, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    let before = standing(&ada).await;
    assert_eq!((&before["eligible"], &before["status"]), (&json!(false), &json!("RUNNING")));
    assert_eq!((&before["taxRate"], &before["taxAmount"]), (&json!("2.50"), &json!("12.50")));
    assert_eq!((&before["threshold"], &before["periodDays"]), (&json!("100.00"), &json!(355)));
    assert_eq!(admin.get("/api/v1/velocity-tax/due", 200).await.body["data"], json!([]));

    let exempt = |exempt: bool| json!({ "accountId": bob.ledger_id, "exempt": exempt });
    let path = "/api/v1/velocity-tax/exempt";
    assert_eq!(admin.settle(path, exempt(true)).await.str("status"), "committed");
    assert_eq!(admin.settle(path, exempt(true)).await.str("code"), "exemption_unchanged");
    assert_eq!(standing(&bob).await["status"], "EXEMPT");
    server.pass_days(356);
    // What is due is due by the ledger's time, which the next block shows.
    let small = json!({ "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "1" });
    bob.person.client.settle("/api/v1/transfers", small.clone()).await;
    let quoted = ada.person.client.post("/api/v1/fees/calculate", small, 200).await;
    assert_eq!((quoted.str("taxDue"), quoted.str("totalAmount")), ("12.50", "1.00"));
    let due = admin.get("/api/v1/velocity-tax/due", 200).await;
    let [only] = due.body["data"].as_array().unwrap().as_slice() else { panic!("{}", due.text) };
    assert_eq!(only["accountId"], ada.ledger_id.to_string());
    let user = ada.path("/api/v1/fees/hoarding-tax/eligibility?userId={}");
    let now = ada.person.client.get(&user, 200).await;
    assert_eq!((&now.body["eligible"], now.str("taxAmount")), (&json!(true), "12.50"));
    assert!(now.body["lastTransactionDate"].is_string(), "{}", now.text);

    let both = json!({ "accountIds": [ada.ledger_id, bob.ledger_id] });
    let path = "/api/v1/velocity-tax/apply";
    assert_eq!(admin.settle(path, both).await.str("status"), "committed");
    assert_eq!((ada.balance().await, bob.balance().await), ("487.50".into(), "499.00".into()));
    let after = standing(&ada).await;
    assert_eq!(
        (&after["status"], &after["lastTax"]["amount"]),
        (&json!("RUNNING"), &json!("12.50"))
    );
    assert_eq!(admin.get("/api/v1/velocity-tax/due", 200).await.body["data"], json!([]));
    admin.settle(path, json!({ "accountId": ada.ledger_id })).await;
    assert_eq!(ada.balance().await, "487.50", "not twice");
    admin.post(path, json!({}), 400).await;
    admin.post(path, json!({ "accountId": ada.ledger_id, "taxRateBps": 1 }), 400).await;
}

#[tokio::test]
async fn what_is_due_is_taken_without_anybodys_doing() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    server.pass_days(356);
    eventually("the tax is taken", async || {
        Some(ada.balance().await).filter(|balance| balance == "487.50")
    })
    .await;
    assert_eq!(standing(&ada).await["lastTax"]["rateBps"], 250);
    let history = ada.path("/api/v1/wallets/{}/transactions?type=TAX");
    let movements = ada.person.client.get(&history, 200).await;
    assert_eq!(movements.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_account_is_the_business_of_its_user_and_of_admins() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    let path = ada.path("/api/v1/velocity-tax/eligibility/{}");
    bob.person.client.get(&path, 404).await;
    admin.get(&path, 200).await;
    let own = "/api/v1/fees/hoarding-tax/eligibility";
    let reply = bob.person.client.get(own, 200).await;
    assert_eq!(reply.str("accountId"), bob.ledger_id.to_string());
    let other = format!("{own}?userId={}", ada.person.id);
    bob.person.client.get(&other, 404).await;
    assert_eq!(admin.get(&other, 200).await.str("accountId"), ada.ledger_id.to_string());
    admin.get(own, 404).await;
    let pool = admin.get("/api/v1/velocity-tax/eligibility/SYSTEM_LOAN_POOL", 200).await;
    assert_eq!(pool.str("status"), "NOT_TAXABLE");
    bob.person.client.get("/api/v1/velocity-tax/due", 403).await;
    let body = json!({ "accountId": ada.ledger_id });
    bob.person.client.post("/api/v1/velocity-tax/apply", body, 403).await;
}
