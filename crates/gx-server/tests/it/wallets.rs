//! What a wallet shows before and after payments: quotes, the dashboard, statements and receipts.

use gx_fabric::receipt::Content;
use gx_fabric_network::Fault;
use gx_server::{AnyReceipt, ChannelReceipt, RECEIPT_BYTES_MAX, ReceiptFault, Trust};
use gx_types::{AccountId, AccountType};
use serde_json::json;

use crate::client::{Client, Reply};
use crate::server::{Account, Server};

async fn two(server: &Server) -> (Client, Account, Account) {
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "IN").await;
    (admin, ada, bob)
}

async fn quote(from: &Account, to: &impl serde::Serialize, amount: &str) -> Reply {
    let body = json!({ "toUserId": to, "amount": amount });
    let text = body.to_string();
    let reply = from.person.client.send("POST", "/api/v1/transfers/quote", &[], Some(&text)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply
}

async fn get_as(client: &Client, path: &str, accept: &str, expect: u16) -> Reply {
    let reply = client.send("GET", path, &[("accept", accept)], None).await;
    assert_eq!(reply.status, expect, "{path}: {}", reply.text);
    reply
}

#[tokio::test]
async fn a_quote_is_what_the_payment_then_does() {
    let server = Server::start().await;
    let (_, ada, bob) = two(&server).await;
    let quoted = quote(&ada, &bob.ledger_id, "50.00").await;
    assert_eq!((&quoted.body["allowed"], &quoted.body["refusal"]), (&json!(true), &json!(null)));
    assert_eq!(quoted.body["fee"]["feeAmount"], "0.075");
    assert_eq!(quoted.body["fee"]["scope"], "CROSS_BORDER");
    assert_eq!(quoted.str("balance"), "500.00");
    assert_eq!(quoted.str("taxDue"), "0.00");
    assert_eq!(ada.balance().await, "500.00", "nothing was paid");
    let body = json!({ "toUserId": bob.ledger_id, "amount": "50.00" });
    ada.person.client.settle("/api/v1/transfers", body).await;
    assert_eq!(ada.balance().await, quoted.str("balanceAfter"));
}

#[tokio::test]
async fn a_quote_tells_the_refusal_that_the_payment_gets() {
    let server = Server::start().await;
    let (admin, ada, bob) = two(&server).await;
    let nobody = AccountId::from_entropy("DE".parse().unwrap(), AccountType::Individual, [7; 16]);
    let limit = json!({ "perDay": "20.00" });
    ada.person.client.settle_by("PUT", "/api/v1/wallets/limits", limit).await;
    let five = json!({ "toUserId": bob.ledger_id, "amount": "5.00" });
    ada.person.client.settle("/api/v1/transfers", five).await;
    let refused = async |to: &AccountId, amount: &str| {
        let quoted = quote(&ada, to, amount).await;
        assert_eq!(quoted.body["allowed"], false, "{}", quoted.text);
        assert_eq!(quoted.body["balanceAfter"], json!(null));
        let body = json!({ "toUserId": to, "amount": amount });
        let text = body.to_string();
        let key = crate::client::new_key();
        let headers = [("idempotency-key", &*key), ("prefer", "wait=20")];
        let path = "/api/v1/transfers";
        let paid = ada.person.client.send("POST", path, &headers, Some(&text)).await;
        assert_eq!(quoted.body["refusal"]["code"], paid.str("code"), "{}", paid.text);
        paid.str("code").to_owned()
    };
    assert_eq!(refused(&bob.ledger_id, "15.00").await, "spending_limit");
    assert_eq!(refused(&nobody, "1.00").await, "account_not_found");
    assert_eq!(refused(&ada.ledger_id, "1.00").await, "same_account");
    let pool = "SYSTEM_LOAN_POOL".parse().unwrap();
    assert_eq!(refused(&pool, "1.00").await, "recipient_not_allowed");
    let path = bob.path("/api/v1/wallets/{}/freeze");
    admin.settle(&path, json!({ "reason": "COMPLIANCE_REVIEW" })).await;
    assert_eq!(refused(&bob.ledger_id, "1.00").await, "counterparty_frozen");
    admin.settle(&bob.path("/api/v1/wallets/{}/unfreeze"), json!({})).await;
    let too_much = quote(&bob, &ada.ledger_id, "600.00").await;
    assert_eq!(too_much.body["refusal"]["code"], "insufficient_balance");
    assert_eq!(too_much.body["refusal"]["status"], 422);
    let foreign = json!({ "toUserId": ada.ledger_id, "amount": "1.00",
        "fromUserId": ada.ledger_id });
    bob.person.client.post("/api/v1/transfers/quote", foreign, 403).await;
}

#[tokio::test]
async fn the_dashboard_shows_what_the_parts_show() {
    let server = Server::start().await;
    let (_, ada, bob) = two(&server).await;
    let body = json!({ "toUserId": bob.ledger_id, "amount": "50.00", "description": "rent" });
    ada.person.client.settle("/api/v1/transfers", body).await;
    ada.person.client.settle_by("PUT", "/api/v1/wallets/limits", json!({ "perDay": "90" })).await;
    let shown = ada.person.client.get(&ada.path("/api/v1/wallets/{}/dashboard"), 200).await;
    assert_eq!(shown.body["wallet"]["balance"], "449.925");
    assert_eq!(shown.body["wallet"]["availableBalance"], "449.925");
    assert_eq!(shown.body["escrowed"], "0.00");
    assert_eq!(shown.body["frozenReasons"], json!([]));
    assert_eq!(shown.body["thisMonth"]["incoming"], "500.00");
    assert_eq!(shown.body["thisMonth"]["outgoing"], "50.075");
    assert_eq!(shown.body["spentToday"], "50.075");
    assert_eq!(shown.body["spendingLimit"]["perDay"], "90.00");
    assert_eq!(shown.body["recentTransactions"].as_array().unwrap().len(), 2);
    assert_eq!(shown.body["recentTransactions"][0]["description"], "rent");
    let tax = ada.path("/api/v1/velocity-tax/eligibility/{}");
    let tax = ada.person.client.get(&tax, 200).await;
    assert_eq!(shown.body["tax"]["status"], tax.body["status"]);
    assert_eq!(shown.body["tax"]["dueAt"], tax.body["dueAt"]);
    bob.person.client.get(&ada.path("/api/v1/wallets/{}/dashboard"), 404).await;
}

#[tokio::test]
async fn a_statement_is_the_same_in_every_form() {
    let server = Server::start().await;
    let (_, ada, bob) = two(&server).await;
    let before = ada.person.client.get(&ada.path("/api/v1/wallets/{}/transactions"), 200).await;
    let genesis = before.body["data"][0]["timestamp"].as_str().unwrap().to_owned();
    for (amount, remark) in [("2.00", "=HYPERLINK(1)"), ("1.00", "a & b <c>")] {
        let body = json!({ "toUserId": bob.ledger_id, "amount": amount, "description": remark });
        ada.person.client.settle("/api/v1/transfers", body).await;
    }
    let path = ada.path("/api/v1/wallets/{}/statements?from=2000-01-01&to=2200-01-01");
    let whole = ada.person.client.get(&path, 200).await;
    assert_eq!(whole.str("openingBalance"), "0.00");
    assert_eq!(whole.str("totalCredits"), "500.00");
    assert_eq!(whole.str("closingBalance"), ada.balance().await);
    assert_eq!((&whole.body["credits"], &whole.body["debits"]), (&json!(1), &json!(2)));
    let after = format!("/api/v1/wallets/{{}}/statements?from={}", genesis.replace('+', "%2B"));
    let after = ada.person.client.get(&ada.path(&after), 200).await;
    assert_eq!(after.body["transactions"].as_array().unwrap().len(), 3);
    let table = get_as(&ada.person.client, &path, "text/csv", 200).await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert!(table.header("content-disposition").contains("statement-2000-01-01-2200-01-01.csv"));
    assert_eq!(table.text.lines().count(), 4);
    assert!(table.text.contains("\"'=HYPERLINK(1)\""), "{}", table.text);
    let camt = get_as(&ada.person.client, &path, "application/xml", 200).await;
    assert!(camt.text.contains("camt.053.001.08") && camt.text.contains("a &amp; b &lt;c&gt;"));
    let paper = get_as(&ada.person.client, &path, "application/pdf", 200).await;
    assert!(paper.text.starts_with("%PDF-"));
    get_as(&ada.person.client, &path, "image/png", 406).await;
    let backwards = ada.path("/api/v1/wallets/{}/statements?from=2200-01-01&to=2000-01-01");
    ada.person.client.get(&backwards, 400).await;
    bob.person.client.get(&path, 404).await;
}

#[tokio::test]
async fn history_is_a_table_where_that_is_asked_for() {
    let server = Server::start().await;
    let (_, ada, bob) = two(&server).await;
    let body = json!({ "toUserId": bob.ledger_id, "amount": "2.00", "description": "@SUM(A1)" });
    ada.person.client.settle("/api/v1/transfers", body).await;
    let path = ada.path("/api/v1/wallets/{}/transactions?limit=1");
    let first = get_as(&ada.person.client, &path, "text/csv", 200).await;
    let lines: Vec<&str> = first.text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("\"id\",\"commandId\",\"type\""));
    assert!(lines[1].contains("\"SENT\"") && lines[1].ends_with("\"'@SUM(A1)\""), "{lines:?}");
    let next = first.header("gx-next-cursor");
    let path = ada.path(&format!("/api/v1/wallets/{{}}/transactions?cursor={next}"));
    let second = get_as(&ada.person.client, &path, "text/csv", 200).await;
    assert!(second.text.contains("\"GENESIS\""));
    get_as(&ada.person.client, &path, "application/xml", 406).await;
}

#[tokio::test]
async fn treasuries_and_counters_can_be_looked_at() {
    let server = Server::start().await;
    let (admin, _ada, _bob) = two(&server).await;
    let first = server.client.get("/api/v1/treasuries?limit=1", 200).await;
    assert_eq!(first.body["data"][0]["countryCode"], "DE");
    assert_eq!(first.body["data"][0]["status"], "LOCKED");
    assert_eq!(first.body["data"][0]["balance"], "50.00");
    let rest = format!("/api/v1/treasuries?cursor={}", first.str("nextCursor"));
    let rest = server.client.get(&rest, 200).await;
    assert_eq!(rest.body["data"][0]["countryCode"], "IN");
    assert_eq!(rest.body["hasMore"], false);
    let counted = admin.get("/api/v1/admin/counters", 200).await;
    assert_eq!(counted.str("totalSupply"), "1250000000000.00");
    let figures = ["totalUsers", "usersOnLedger", "countries", "totalOrganizations"];
    assert_eq!(figures.map(|name| counted.body[name].as_u64().unwrap()), [2, 2, 2, 0]);
    assert!(counted.body["blocks"].as_u64().unwrap() >= 4);
}

#[tokio::test]
async fn a_pool_is_shown_as_the_supply_shows_it() {
    let server = Server::start().await;
    let path = "/api/v1/pools/SYSTEM_CHARITABLE_POOL";
    assert_eq!(server.client.get(path, 409).await.str("code"), "not_bootstrapped");
    server.bootstrapped().await;
    let supply = server.client.get("/api/v1/supply", 200).await;
    for pool in supply.body["pools"].as_array().unwrap() {
        let path = format!("/api/v1/pools/{}", pool["poolId"].as_str().unwrap());
        assert_eq!(server.client.get(&path, 200).await.body, *pool);
    }
    server.client.get("/api/v1/pools/SYSTEM_SWIMMING_POOL", 404).await;
}

fn check(text: &str, trust: &Trust) -> Result<AnyReceipt, ReceiptFault> {
    AnyReceipt::check(text.as_bytes(), trust)
}

#[tokio::test]
async fn a_receipt_is_checked_without_the_server() {
    let server = Server::start().await;
    let (admin, ada, bob) = two(&server).await;
    let body = json!({ "toUserId": bob.ledger_id, "amount": "2.00" });
    let paid = ada.person.client.settle("/api/v1/transfers", body).await;
    let path = format!("/api/v1/receipts/{}", paid.str("commandId"));
    bob.person.client.get(&path, 404).await;
    let told = server.client.get("/.well-known/gx", 200).await.body["receipts"].clone();
    let forge = |text: &str| {
        let forged = text.replacen("2000000", "3000000", 1);
        assert_ne!(forged, text);
        check(&forged, &Trust::default()).unwrap_err().to_string()
    };
    for client in [&ada.person.client, &admin] {
        let reply = client.get(&path, 200).await;
        assert!(reply.text.len() < RECEIPT_BYTES_MAX);
        match check(&reply.text, &Trust::default()).unwrap() {
            AnyReceipt::Embedded(receipt) => {
                assert_eq!(receipt.command_id, paid.str("commandId"));
                assert_eq!((&*receipt.outcome, &*receipt.network), ("applied", "devnet"));
                assert_eq!(json!(receipt.block_number), paid.body["block"]);
                let key = told["keys"][0]["publicKey"].as_str().unwrap().parse().unwrap();
                let trust = Trust { key: Some(key), ..Trust::default() };
                assert!(check(&reply.text, &trust).is_ok());
            }
            AnyReceipt::Channel(receipt) => {
                assert_eq!(receipt.command_id, paid.str("commandId"));
                assert_eq!((&*receipt.outcome, &*receipt.chaincode), ("applied", "gxtv3"));
                assert_eq!(json!(receipt.block_number), paid.body["block"]);
                // What others have done in the block is shown to admins alone.
                let is_whole = matches!(receipt.proof.content, Content::Block { .. });
                assert_eq!(is_whole, receipt.transaction_id.is_some());
                assert_eq!(is_whole, reply.text.contains("Transferred"), "{}", reply.text);
                assert_eq!(
                    json!(receipt.configurations[0].hash),
                    told["channel"]["configurationHash"]
                );
                check_trust_in_a_channel(&reply.text, &receipt);
            }
        }
        assert!(forge(&reply.text).contains("it says something else than its proof"));
    }
    ada.person.client.get(&format!("/api/v1/receipts/{}", "0".repeat(26)), 404).await;
}

/// A receipt of a channel is true for whoever trusts its configuration and its contract's name.
fn check_trust_in_a_channel(text: &str, receipt: &ChannelReceipt) {
    let mut hash = [0; 32];
    hex::decode_to_slice(&receipt.configurations[0].hash, &mut hash).unwrap();
    let chaincode = Some("gxtv3".to_owned());
    let trust = Trust { configurations: vec![hash], chaincode, key: None };
    assert!(check(text, &trust).is_ok());
    let refused = |trust: &Trust| check(text, trust).unwrap_err().to_string();
    let other = Trust { chaincode: Some("basic".to_owned()), ..trust.clone() };
    assert_eq!(refused(&other), "it is of the chaincode gxtv3, not of basic");
    let other = Trust { configurations: vec![[7; 32]], ..trust };
    assert!(refused(&other).ends_with("which is not trusted"));
    let key = gx_ledger::NodeKey::from_seed([7; 32]).public();
    let other = Trust { key: Some(key), ..Trust::default() };
    assert!(refused(&other).contains("no key of a node"));
}

/// On a channel, what shows too little is no receipt, and organizations that are away are waited
/// for.
#[tokio::test]
async fn where_there_is_no_receipt_it_is_said() {
    let server = Server::start().await;
    let Some(network) = server.network() else { return };
    let (_, ada, bob) = two(&server).await;
    let body = json!({ "toUserId": bob.ledger_id, "amount": "2.00" });
    let paid = ada.person.client.settle("/api/v1/transfers", body).await;
    let path = format!("/api/v1/receipts/{}", paid.str("commandId"));
    network.cause(&[Fault::OrganizationAway]);
    let reply = ada.person.client.get(&path, 503).await;
    assert_eq!(reply.str("code"), "ledger_unavailable");
    ada.person.client.get(&path, 200).await;
    let block = usize::try_from(paid.body["block"].as_u64().unwrap()).unwrap();
    network.shared.ledger.lock().unwrap().unsign(block);
    let reply = ada.person.client.get(&path, 404).await;
    assert_eq!(reply.str("code"), "no_receipt");
}
