//! Loans from the application to the last repayment, and what borrowers are told on the way.

use serde_json::{Value, json};

use crate::client::{Client, Reply, new_key};
use crate::server::Server;
use crate::trust::trusted;

fn application(amount: &str) -> Value {
    json!({
        "amount": amount, "purpose": "A kiln", "durationDays": 180,
        "collateralHash": "c".repeat(64),
    })
}

/// The checks of eligibility that are not passed.
async fn in_the_way(client: &Client, query: &str) -> Vec<String> {
    let reply = client.get(&format!("/api/v1/loans/eligibility{query}"), 200).await;
    let checks = reply.body["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["passed"] == false);
    let failed: Vec<_> = failed.map(|check| check["code"].as_str().unwrap().to_owned()).collect();
    assert_eq!(reply.body["eligible"], failed.is_empty(), "{}", reply.text);
    failed
}

/// Sends `DELETE` and waits for the outcome.
async fn cancel(client: &Client, path: &str) -> Reply {
    let headers = [("idempotency-key", &*new_key()), ("prefer", "wait=20")];
    client.send("DELETE", path, &headers, Some("{}")).await
}

#[tokio::test]
async fn a_loan_is_applied_for_paid_out_and_repaid() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, father) = trusted(&server, &admin).await;
    let borrower = &ada.person.client;
    assert_eq!(in_the_way(borrower, "").await, ["account_too_young"]);
    let refused = borrower.settle("/api/v1/loans", application("500")).await;
    assert_eq!(refused.str("code"), "account_too_young");
    assert!(refused.body.get("loanId").is_none(), "{}", refused.text);
    server.pass_days(31);
    let accepted = borrower.settle("/api/v1/loans/apply", application("500")).await;
    assert_eq!(accepted.str("status"), "committed");
    let id = accepted.str("loanId").to_owned();
    let command = format!("/api/v1/commands/{}", accepted.str("commandId"));
    assert_eq!(borrower.get(&command, 200).await.str("loanId"), id);
    assert_eq!(in_the_way(borrower, "?amount=500&durationDays=10").await, [""; 0]);

    let path = format!("/api/v1/loans/{id}");
    let loan = borrower.get(&path, 200).await;
    assert_eq!((loan.str("status"), loan.str("amount")), ("PENDING_APPROVAL", "500.00"));
    assert_eq!(
        (&loan.body["repaymentPeriod"], &loan.body["approvedAmount"]),
        (&json!(6), &json!(null))
    );
    let queue = admin.get("/api/v1/loans", 200).await;
    assert_eq!(queue.body["data"][0]["id"], id.as_str());
    let approved = admin.settle(&format!("{path}/approve"), json!({})).await;
    assert_eq!(approved.str("status"), "committed");
    assert!(approved.body.get("actionId").is_none(), "one admin was enough: {}", approved.text);
    assert_eq!(ada.balance().await, "1000.00");
    assert_eq!(admin.get("/api/v1/loans", 200).await.body["data"], json!([]));

    let pay = format!("{path}/repay");
    let reply = borrower.settle(&pay, json!({ "amount": "501" })).await;
    assert_eq!(reply.str("code"), "repayment_too_large");
    let part = borrower.settle(&pay, json!({ "amount": "200" })).await;
    assert_eq!(part.str("status"), "committed");
    // Anybody may pay for somebody else.
    let rest = father.person.client.settle(&pay, json!({ "amount": "300" })).await;
    assert_eq!(rest.str("status"), "committed");
    let loan = borrower.get(&path, 200).await;
    assert_eq!((loan.str("status"), loan.str("remainingBalance")), ("REPAID", "0.00"));
    let paid = loan.body["repayments"].as_array().unwrap();
    assert_eq!((&paid[0]["remainingBalance"], paid.len()), (&json!("300.00"), 2));
    assert_eq!(paid[1]["paidBy"], father.ledger_id.to_string());
    let late = admin.settle(&format!("{path}/default"), json!({})).await;
    assert_eq!(late.str("code"), "loan_not_active");
    let mine = borrower.get(&ada.path("/api/v1/users/{}/loans"), 200).await;
    assert_eq!((mine.body["data"].as_array().unwrap().len(), mine.str("outstanding")), (1, "0.00"));
}

#[tokio::test]
async fn an_application_is_turned_down_or_taken_back() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, _) = trusted(&server, &admin).await;
    let borrower = &ada.person.client;
    server.pass_days(31);
    let mut loans = Vec::new();
    for amount in ["100", "200", "300"] {
        let reply = borrower.settle("/api/v1/loans", application(amount)).await;
        loans.push(reply.str("loanId").to_owned());
    }
    let path = |loan: &str, verb: &str| format!("/api/v1/loans/{loan}{verb}");
    let short = admin.post(&path(&loans[0], "/reject"), json!({ "reason": "no" }), 400).await;
    assert_eq!(short.body["details"][0]["field"], "reason");
    let reason = json!({ "reason": "The collateral is pledged already" });
    admin.settle(&path(&loans[0], "/reject"), reason.clone()).await;
    let rejected = borrower.get(&path(&loans[0], ""), 200).await;
    assert_eq!(rejected.str("status"), "REJECTED");
    assert_eq!(rejected.str("rejectReason"), "The collateral is pledged already");
    assert_eq!(cancel(borrower, &path(&loans[0], "")).await.str("code"), "loan_not_pending");
    assert_eq!(cancel(borrower, &path(&loans[1], "")).await.str("status"), "committed");
    let page = borrower.get(&ada.path("/api/v1/users/{}/loans?limit=2"), 200).await;
    let states: Vec<&Value> =
        page.body["data"].as_array().unwrap().iter().map(|loan| &loan["status"]).collect();
    assert_eq!(states, ["PENDING_APPROVAL", "CANCELLED"]);
    let rest = format!("/api/v1/users/{{}}/loans?cursor={}", page.str("nextCursor"));
    let rest = borrower.get(&ada.path(&rest), 200).await;
    assert_eq!(rest.body["data"][0]["status"], "REJECTED");

    // Nobody decides on the third: after thirty days it can't be decided on any more.
    server.pass_days(31);
    let late = admin.settle(&path(&loans[2], "/approve"), json!({})).await;
    assert_eq!(late.str("code"), "loan_application_lapsed");
    assert_eq!(borrower.get(&path(&loans[2], ""), 200).await.str("status"), "LAPSED");
    assert_eq!(admin.get("/api/v1/loans", 200).await.body["data"], json!([]));
    assert_eq!(in_the_way(borrower, "?amount=10000000").await, ["loan_amount_invalid"]);
}

#[tokio::test]
async fn a_loan_is_the_business_of_its_borrower_and_of_admins() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, father) = trusted(&server, &admin).await;
    server.pass_days(31);
    let months = json!({
        "amount": "500", "purpose": "A kiln", "repaymentPeriod": 6, "collateral": "The kiln",
        "borrowerId": ada.ledger_id,
    });
    let other = father.person.client.post("/api/v1/loans", months.clone(), 403).await;
    assert_eq!(other.str("code"), "not_own_account");
    let reply = ada.person.client.settle("/api/v1/loans", months).await;
    let path = format!("/api/v1/loans/{}", reply.str("loanId"));
    let loan = admin.get(&path, 200).await;
    assert_eq!(loan.body["durationDays"], 182);
    assert_ne!(loan.str("collateralHash"), "0".repeat(64));
    father.person.client.get(&path, 404).await;
    father.person.client.get(&ada.path("/api/v1/users/{}/loans"), 404).await;
    ada.person.client.get("/api/v1/loans/LOAN_1", 404).await;
    ada.person.client.get("/api/v1/loans", 403).await;
    admin.get(&format!("/api/v1/users/{}/loans", ada.person.id), 200).await;
    let nobody = admin.get("/api/v1/users/nobody/loans", 404).await;
    assert_eq!(nobody.str("message"), "User not found");
    let refused = cancel(&father.person.client, &path).await;
    assert_eq!(refused.str("code"), "not_party");
    let incomplete = json!({ "amount": "500", "collateral": "The kiln" });
    let reply = ada.person.client.post("/api/v1/loans", incomplete, 400).await;
    assert_eq!(reply.body["details"][0]["field"], "durationDays");
    // Twenty thousand need two admins.
    let large = ada.person.client.settle("/api/v1/loans", application("20000")).await;
    let approve = format!("/api/v1/loans/{}/approve", large.str("loanId"));
    let proposed = admin.settle(&approve, json!({})).await;
    let action = format!("/api/v1/admin/actions/{}", proposed.str("actionId"));
    assert_eq!(admin.get(&action, 200).await.str("status"), "PENDING");
    assert_eq!(ada.balance().await, "500.00");
    let late = admin.get("/api/v1/loans?status=OVERDUE", 200).await;
    assert_eq!(late.body["data"], json!([]));
}

#[tokio::test]
async fn a_loan_that_is_long_overdue_is_given_up_and_stays_owed() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, father) = trusted(&server, &admin).await;
    let borrower = &ada.person.client;
    server.pass_days(31);
    let applied = borrower.settle("/api/v1/loans", application("500")).await;
    let path = format!("/api/v1/loans/{}", applied.str("loanId"));
    admin.settle(&format!("{path}/approve"), json!({})).await;
    server.pass_days(181);
    let default = format!("{path}/default");
    let early = admin.settle(&default, json!({})).await;
    assert_eq!(early.str("code"), "loan_not_overdue");
    let overdue = admin.get("/api/v1/loans?status=OVERDUE", 200).await;
    assert_eq!(overdue.body["data"][0]["loanId"], applied.str("loanId"));
    server.pass_days(90);
    assert_eq!(admin.settle(&default, json!({})).await.str("status"), "committed");
    let mine = borrower.get(&ada.path("/api/v1/users/{}/loans?status=DEFAULTED"), 200).await;
    assert_eq!((&mine.body["defaults"], mine.str("outstanding")), (&json!(1), "500.00"));
    // A default costs fifty of eighty points.
    assert_eq!(in_the_way(borrower, "").await, ["trust_too_low"]);
    let refused = borrower.settle("/api/v1/loans", application("100")).await;
    assert_eq!(refused.str("code"), "trust_too_low");
    let paid = json!({ "amount": "100" });
    let paid = father.person.client.settle(&format!("{path}/repay"), paid).await;
    assert_eq!(paid.str("status"), "committed");
    assert_eq!(borrower.get(&path, 200).await.str("remainingBalance"), "400.00");
}
