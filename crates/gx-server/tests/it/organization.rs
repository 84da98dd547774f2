//! Organizations from the proposal on: endorsed, paying by the approvals of several, changed.

use serde_json::{Value, json};

use crate::client::{Client, new_key};
use crate::decisions::{colleague, decide, two_admins};
use crate::server::{Account, Server};

const ORGANIZATIONS: &str = "/api/v1/organizations";

/// An organization's path, and what comes after it.
fn at(id: &str, rest: &str) -> String {
    format!("{ORGANIZATIONS}/{}{rest}", id.replace(' ', "%20"))
}

async fn outcome(client: &Client, path: &str, body: Value) -> String {
    client.settle(path, body).await.outcome().to_owned()
}

/// An active organization of these, with 100 GX from the first of them.
pub(crate) async fn active(stakeholders: &[&Account]) -> String {
    let ids: Vec<_> = stakeholders.iter().map(|one| one.ledger_id).collect();
    let body = json!({ "name": "Example Works", "type": "BUSINESS", "stakeholders": ids });
    let first = &stakeholders[0].person.client;
    let proposed = first.settle(ORGANIZATIONS, body).await;
    assert_eq!(proposed.outcome(), "committed", "{}", proposed.text);
    let id = proposed.str("organizationId").to_owned();
    for one in stakeholders {
        let path = at(&id, "/endorse");
        assert_eq!(outcome(&one.person.client, &path, json!({})).await, "committed");
    }
    assert_eq!(outcome(first, &at(&id, "/activate"), json!({})).await, "committed");
    let gift = json!({ "toUserId": id, "amount": "100.00" });
    assert_eq!(outcome(first, "/api/v1/transfers", gift).await, "committed");
    id
}

/// Initiates a payment, and says its id.
pub(crate) async fn initiate(
    by: &Account,
    organization: &str,
    to: &Account,
    amount: &str,
) -> String {
    let body = json!({ "toUserId": to.ledger_id, "amount": amount, "remark": "rent" });
    let reply = by.person.client.settle(&at(organization, "/transactions"), body).await;
    assert_eq!(reply.outcome(), "committed", "{}", reply.text);
    reply.str("pendingTxId").to_owned()
}

/// The payment as the organization's list has it.
async fn payment(by: &Account, organization: &str, id: &str) -> Value {
    let list = by.person.client.get(&at(organization, "/transactions"), 200).await;
    let rows = list.body["data"].as_array().unwrap().clone();
    rows.into_iter().find(|row| row["pendingTxId"] == id).unwrap()
}

#[tokio::test]
async fn an_organization_is_proposed_endorsed_and_activated() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "IN").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let body = json!({
        "name": "Example Works", "type": "COOPERATIVE", "approvalThreshold": 2,
        "description": "We make examples",
        "stakeholders": [
            { "userId": ada.ledger_id, "role": "CEO", "votingWeight": 60 },
            { "userId": bob.ledger_id, "role": "CFO", "votingWeight": 40 },
        ],
    });
    let (key, path) = (new_key(), "/api/v1/organizations/propose");
    let headers = [("idempotency-key", &*key)];
    let first = ada.person.client.post_with(path, body.clone(), &headers, 202).await;
    let id = first.str("organizationId").to_owned();
    assert!(id.starts_with("DE "), "of the proposer's country: {id}");
    let again = ada.person.client.post_with(path, body, &headers, 202).await;
    assert_eq!((again.str("organizationId"), again.header("idempotency-replayed")), (&*id, "true"));
    server.committed(&admin, first.str("commandId")).await;

    let seen = ada.person.client.get(&at(&id, ""), 200).await;
    assert_eq!((seen.str("id"), seen.str("type")), (&*id, "BUSINESS"));
    assert_eq!(seen.str("status"), "PENDING_ENDORSEMENT");
    assert_eq!((seen.str("balance"), &seen.body["approvalThreshold"]), ("0.00", &json!(2)));
    for (client, path, expected) in [
        (&eve, "/endorse", "not_stakeholder"),
        (&ada, "/activate", "endorsements_missing"),
        (&ada, "/endorse", "committed"),
        (&ada, "/endorse", "already_endorsed"),
        (&bob, "/endorse", "committed"),
        (&eve, "/activate", "not_stakeholder"),
        (&bob, "/activate", "committed"),
        (&bob, "/activate", "organization_not_pending"),
    ] {
        let reply = client.person.client.settle(&at(&id, path), json!({})).await;
        assert_eq!(reply.outcome(), expected, "{path} by {}", client.person.email);
    }
    let seen = bob.person.client.get(&at(&id, ""), 200).await;
    assert_eq!(seen.str("status"), "ACTIVE");
    assert!(seen.body["stakeholders"][1]["joinedAt"].is_string(), "{}", seen.text);

    eve.person.client.get(&at(&id, ""), 404).await;
    eve.person.client.get(&at("nobody", ""), 404).await;
    assert_eq!(admin.get(&at(&id, ""), 200).await.str("name"), "Example Works");
    for (client, count) in [(&eve.person.client, 0), (&ada.person.client, 1), (&admin, 1)] {
        let list = client.get(&format!("{ORGANIZATIONS}?status=ACTIVE"), 200).await;
        assert_eq!(list.body["data"].as_array().unwrap().len(), count, "{}", list.text);
    }
    let developer = colleague(&server, "dev", "DEVELOPER").await;
    assert_eq!(developer.get(&at(&id, ""), 403).await.str("code"), "forbidden");
    assert_eq!(developer.get(ORGANIZATIONS, 403).await.str("code"), "forbidden");
    let list = format!("{ORGANIZATIONS}?cursor=x");
    assert_eq!(ada.person.client.get(&list, 400).await.str("code"), "invalid_cursor");
}

#[tokio::test]
async fn what_can_be_refused_without_the_ledger_is() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let client = &ada.person.client;
    let two = json!([ada.ledger_id, "IN 7K3 ABC123 0WXYZ 1234"]);
    for (body, status, code) in [
        (
            json!({ "name": "Ab", "type": "BUSINESS", "stakeholders": two }),
            400,
            "validation_failed",
        ),
        (json!({ "name": "Abc", "type": "GUILD", "stakeholders": two }), 400, "validation_failed"),
        (
            json!({ "name": "Abc", "type": "NGO", "stakeholders": [ada.ledger_id] }),
            400,
            "validation_failed",
        ),
        (
            json!({ "name": "Abc", "type": "GOVERNMENT", "stakeholders": two }),
            403,
            "actor_not_allowed",
        ),
        (
            json!({ "name": "Abc", "type": "NGO", "accountType": "1", "stakeholders": two }),
            400,
            "user_id_mismatch",
        ),
    ] {
        let reply = client.post(ORGANIZATIONS, body, status).await;
        assert_eq!(reply.str("code"), code, "{}", reply.text);
    }
    let rules = json!({ "rules": [
        { "fromAmount": "5", "requiredApprovers": 1, "approverGroup": [ada.ledger_id] },
    ]});
    let path = at("DE 7K3 ABC123 1WXYZ 1234", "/rules");
    let reply = client.post(&path, rules, 400).await;
    assert_eq!(reply.str("code"), "auth_rule_invalid");
    let reply = client.settle(&path, json!({ "rules": [] })).await;
    assert_eq!(reply.outcome(), "organization_not_found");
    let nothing = at("DE 7K3 ABC123 1WXYZ 1234", "/stakeholders");
    assert_eq!(client.post(&nothing, json!({}), 400).await.str("code"), "list_invalid");
    client.post("/api/v1/transactions/nothing/approve", json!({}), 404).await;
}

#[tokio::test]
async fn an_organization_pays_when_enough_approve() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let id = active(&[&ada, &bob]).await;
    let ptx = initiate(&ada, &id, &eve, "10.00").await;
    let path = |verb: &str| format!("/api/v1/transactions/{ptx}/{verb}");

    let waiting = bob.person.client.get("/api/v1/transactions/pending", 200).await;
    assert_eq!(waiting.body["data"][0]["pendingTxId"], ptx);
    let own = ada.person.client.get("/api/v1/transactions/pending", 200).await;
    assert_eq!(own.body["data"], json!([]), "she has approved it already");
    let pending = ada.person.client.get(&at(&id, "/transactions/pending"), 200).await;
    let row = &pending.body["data"][0];
    assert_eq!((&row["amount"], &row["isOpen"]), (&json!("10.00"), &json!(true)));
    assert_eq!((&row["approvalCount"], &row["requiredApprovals"]), (&json!(1), &json!(2)));
    let one = format!("/api/v1/transactions/{ptx}");
    assert_eq!(bob.person.client.get(&one, 200).await.str("remark"), "rent");
    assert_eq!(admin.get(&one, 200).await.str("initiatorId"), ada.ledger_id.to_string());
    assert_eq!(eve.person.client.get(&one, 404).await.str("message"), "Payment not found");
    bob.person.client.get("/api/v1/transactions/nothing", 404).await;
    for rest in ["/transactions", "/transactions/pending", ""] {
        eve.person.client.get(&at(&id, rest), 404).await;
        admin.get(&at(&id, rest), 200).await;
    }

    let none = json!({});
    assert_eq!(outcome(&eve.person.client, &path("approve"), none.clone()).await, "not_approver");
    assert_eq!(outcome(&bob.person.client, &path("cancel"), none.clone()).await, "not_party");
    let withdrawn = ada.person.client.settle_by("DELETE", &path("approval"), none.clone()).await;
    assert_eq!(withdrawn.outcome(), "committed");
    let back = ada.person.client.settle(&path("approval/withdraw"), none.clone()).await;
    assert_eq!(back.outcome(), "not_approver", "there is nothing to take back any more");
    assert_eq!(outcome(&bob.person.client, &path("approve"), none.clone()).await, "committed");
    assert_eq!(payment(&ada, &id, &ptx).await["status"], "PENDING");
    assert_eq!(outcome(&ada.person.client, &path("approve"), none.clone()).await, "committed");
    let made = payment(&ada, &id, &ptx).await;
    assert_eq!((&made["status"], &made["isOpen"]), (&json!("EXECUTED"), &json!(false)));
    assert_eq!(eve.balance().await, "510.00");
    assert!(made["fee"].is_string() && made["settledBy"].is_string(), "{made}");

    let rejected = initiate(&ada, &id, &eve, "5.00").await;
    let cancelled = initiate(&ada, &id, &eve, "6.00").await;
    let verb = |ptx: &str, verb: &str| format!("/api/v1/transactions/{ptx}/{verb}");
    let reject = verb(&rejected, "reject");
    assert_eq!(outcome(&bob.person.client, &reject, none.clone()).await, "committed");
    let cancel = verb(&cancelled, "cancel");
    assert_eq!(outcome(&ada.person.client, &cancel, none.clone()).await, "committed");
    assert_eq!(payment(&ada, &id, &rejected).await["status"], "REJECTED");
    assert_eq!(payment(&ada, &id, &cancelled).await["status"], "CANCELLED");
    let page = ada.person.client.get(&at(&id, "/transactions?limit=2"), 200).await;
    assert_eq!(
        (page.body["data"].as_array().unwrap().len(), &page.body["hasMore"]),
        (2, &json!(true))
    );
    let rest = format!("/transactions?cursor={}", page.str("nextCursor"));
    let rest = ada.person.client.get(&at(&id, &rest), 200).await;
    assert_eq!(rest.body["data"][0]["pendingTxId"], ptx);
    let executed = ada.person.client.get(&at(&id, "/transactions?status=EXECUTED"), 200).await;
    assert_eq!(executed.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn rules_hold_when_all_have_approved_them() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let id = active(&[&ada, &bob]).await;
    let both = json!([ada.ledger_id, bob.ledger_id]);
    let rules = json!({ "rules": [
        { "fromAmount": "0", "requiredApprovers": 1, "approverGroup": both },
        { "fromAmount": "20.00", "requiredApprovers": 2, "approverGroup": both },
    ]});
    let path = at(&id, "/rules");
    assert_eq!(outcome(&eve.person.client, &path, rules.clone()).await, "not_stakeholder");
    assert_eq!(outcome(&ada.person.client, &path, rules.clone()).await, "committed");
    let seen = bob.person.client.get(&at(&id, ""), 200).await.body;
    assert_eq!((&seen["rules"], &seen["approvalThreshold"]), (&json!([]), &json!(2)));
    assert_eq!(seen["proposedRules"]["rules"][1]["fromAmount"], "20.00");
    assert_eq!(outcome(&bob.person.client, &path, rules).await, "committed");
    let seen = bob.person.client.get(&at(&id, ""), 200).await.body;
    assert_eq!((&seen["proposedRules"], &seen["approvalThreshold"]), (&Value::Null, &json!(1)));

    let small = initiate(&ada, &id, &eve, "15.00").await;
    assert_eq!(payment(&ada, &id, &small).await["status"], "EXECUTED");
    let second = initiate(&ada, &id, &eve, "15.00").await;
    let judged = payment(&ada, &id, &second).await;
    assert_eq!(judged["requiredApprovals"], 2, "judged with what was paid today: {judged}");
    let seen = ada.person.client.get(&at(&id, ""), 200).await.body;
    assert_eq!(seen["paidSinceYesterday"], "15.00");
    let treasury = json!({
        "toUserId": eve.ledger_id, "amount": "1.00", "treasuryCountryCode": "DE",
    });
    ada.person.client.post(&at(&id, "/transactions"), treasury, 404).await;
}

#[tokio::test]
async fn stakeholders_come_when_all_agree() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let id = active(&[&ada, &bob]).await;
    let (path, change) = (at(&id, "/stakeholders"), json!({ "add": [eve.ledger_id] }));
    assert_eq!(outcome(&eve.person.client, &path, change.clone()).await, "not_stakeholder");
    assert_eq!(outcome(&ada.person.client, &path, change.clone()).await, "committed");
    let withdraw = at(&id, "/stakeholders/withdraw");
    assert_eq!(outcome(&bob.person.client, &withdraw, json!({})).await, "committed");
    assert_eq!(
        outcome(&bob.person.client, &withdraw, json!({})).await,
        "stakeholder_change_not_found"
    );
    eve.person.client.get(&at(&id, ""), 404).await;

    assert_eq!(outcome(&ada.person.client, &path, change.clone()).await, "committed");
    let invited = eve.person.client.get(&at(&id, ""), 200).await.body;
    assert_eq!(invited["stakeholderChange"]["add"], json!([eve.ledger_id]));
    assert_eq!((&invited["balance"], &invited["paidSinceYesterday"]), (&Value::Null, &Value::Null));
    eve.person.client.get(&at(&id, "/transactions"), 404).await;
    for one in [&bob, &eve] {
        assert_eq!(outcome(&one.person.client, &path, change.clone()).await, "committed");
    }
    let seen = eve.person.client.get(&at(&id, ""), 200).await.body;
    assert_eq!(seen["stakeholders"].as_array().unwrap().len(), 3);
    assert_eq!((&seen["balance"], &seen["stakeholderChange"]), (&json!("100.00"), &Value::Null));
}

#[tokio::test]
async fn administrators_lock_and_order() {
    let server = Server::start().await;
    let (first, second) = two_admins(&server).await;
    let ada = server.account(&first, "ada", "DE").await;
    let bob = server.account(&first, "bob", "DE").await;
    let eve = server.account(&first, "eve", "DE").await;
    let id = active(&[&ada, &bob]).await;
    let admin_path = |rest: &str| at(&id, rest).replace("/v1/", "/v1/admin/");
    let (status, stakeholders) = (admin_path("/status"), admin_path("/stakeholders"));
    let locked = json!({ "status": "LOCKED", "notes": "Under inquiry" });
    ada.person.client.post(&status, locked.clone(), 403).await;
    let moderator = colleague(&server, "moderator", "MODERATOR").await;
    moderator.post(&status, locked.clone(), 403).await;
    assert_eq!(outcome(&first, &status, locked.clone()).await, "committed");
    assert_eq!(outcome(&first, &status, locked).await, "status_unchanged");
    let body = json!({ "toUserId": eve.ledger_id, "amount": "1.00" });
    let refused = outcome(&ada.person.client, &at(&id, "/transactions"), body).await;
    assert_eq!(refused, "organization_not_active");
    assert_eq!(outcome(&first, &status, json!({ "status": "ACTIVE" })).await, "committed");

    let order = json!({
        "remove": [bob.ledger_id], "add": [eve.ledger_id], "orderHash": "9".repeat(64),
    });
    first.post(&stakeholders, json!({ "remove": [bob.ledger_id] }), 400).await;
    moderator.post(&stakeholders, order.clone(), 403).await;
    let freeze = bob.path("/api/v1/wallets/{}/freeze");
    first.settle(&freeze, json!({ "reason": "COURT_ORDER" })).await;
    let proposed = first.settle(&stakeholders, order).await;
    assert_eq!(proposed.outcome(), "committed", "{}", proposed.text);
    assert_eq!(decide(&second, proposed.str("actionId"), "approve").await["status"], "committed");
    let seen = eve.person.client.get(&at(&id, ""), 200).await;
    assert_eq!(seen.body["stakeholders"].as_array().unwrap().len(), 2, "{}", seen.text);
}

#[tokio::test]
async fn a_government_is_proposed_by_two_administrators() {
    let server = Server::start().await;
    let (first, second) = two_admins(&server).await;
    let ada = server.account(&first, "ada", "DE").await;
    let bob = server.account(&first, "bob", "DE").await;
    let body = json!({
        "name": "Ministry of Examples", "countryCode": "DE",
        "stakeholders": [ada.ledger_id, bob.ledger_id],
    });
    let path = "/api/v1/admin/organizations";
    ada.person.client.post(path, body.clone(), 403).await;
    let proposed = first.settle(path, body).await;
    assert_eq!(proposed.outcome(), "committed", "{}", proposed.text);
    let id = proposed.str("organizationId").to_owned();
    ada.person.client.get(&at(&id, ""), 404).await;
    assert_eq!(decide(&second, proposed.str("actionId"), "approve").await["status"], "committed");
    let seen = ada.person.client.get(&at(&id, ""), 200).await;
    assert_eq!((seen.str("type"), seen.str("proposedBy")), ("GOVERNMENT", "admin:superowner"));
    for one in [&ada, &bob] {
        assert_eq!(outcome(&one.person.client, &at(&id, "/endorse"), json!({})).await, "committed");
    }
    assert_eq!(outcome(&bob.person.client, &at(&id, "/activate"), json!({})).await, "committed");
    let treasury = json!({ "countryCode": "DE", "organizationId": id });
    let proposed = first.settle("/api/v1/admin/treasury/activate", treasury).await;
    assert_eq!(decide(&second, proposed.str("actionId"), "approve").await["status"], "committed");
    let seen = ada.person.client.get(&at(&id, ""), 200).await;
    assert_eq!(seen.body["treasuries"][0]["countryCode"], "DE", "{}", seen.text);
    let payment = json!({
        "toUserId": ada.ledger_id, "amount": "1.00", "treasuryCountryCode": "DE",
    });
    let early = ada.person.client.settle(&at(&id, "/transactions"), payment).await;
    assert_eq!(early.outcome(), "treasury_not_payable", "not before seven days: {}", early.text);
    server.pass_days(8);
    let payment = json!({
        "toUserId": bob.ledger_id, "amount": "1.00", "treasuryCountryCode": "DE",
    });
    let later = ada.person.client.settle(&at(&id, "/transactions"), payment).await;
    let approve = format!("/api/v1/transactions/{}/approve", later.str("pendingTxId"));
    assert_eq!(outcome(&bob.person.client, &approve, json!({})).await, "committed");
    assert_eq!(bob.balance().await, "501.00");
    let pending = ada.person.client.get(&at(&id, "/transactions"), 200).await;
    assert_eq!(pending.body["data"][0]["fromUserId"], "treasury_DE", "{}", pending.text);
}
