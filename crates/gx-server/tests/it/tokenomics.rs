//! Payments, wallets, supply, blocks and the way of a command as its owner sees it.

use std::time::Duration;

use gx_types::{AccountId, AccountType};
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::client::new_key;
use crate::server::Server;

#[tokio::test]
async fn a_payment_moves_coins_and_is_seen_by_both() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "IN").await);
    let body = json!({ "toUserId": bob.ledger_id, "amount": "50.00", "description": "rent" });
    let accepted = ada.person.client.post("/api/v1/transfers", body, 202).await;
    assert_eq!(accepted.str("status"), "queued");
    let id = accepted.str("commandId").to_owned();
    assert_eq!(accepted.header("location"), format!("/api/v1/commands/{id}"));
    let path = ada.path(&format!("/api/v1/wallets/{{}}/balance?after={id}"));
    let balance = ada.person.client.get(&path, 200).await;
    // 15 basis points across borders.
    assert_eq!(balance.str("balance"), "449.925");
    assert_eq!(balance.str("availableBalance"), "449.925");
    assert_eq!(balance.str("frozenAmount"), "0.00");
    assert_eq!(balance.header("gx-lag-blocks"), "0");
    assert!(balance.header("gx-applied-block").parse::<u64>().unwrap() > 0);
    assert_eq!(bob.balance().await, "550.00");
    let page = ada.person.client.get(&ada.path("/api/v1/wallets/{}/transactions"), 200).await;
    let newest = &page.body["data"][0];
    assert_eq!(newest["type"], "SENT");
    assert_eq!(newest["amount"], "50.00");
    assert_eq!(newest["fee"], "0.075");
    assert_eq!(newest["to"], bob.ledger_id.to_string());
    assert_eq!(newest["description"], "rent");
    assert_eq!(newest["commandId"], id);
    let history = ada.path("/api/v1/transactions/{}/history?page=1&limit=1");
    let history = ada.person.client.get(&history, 200).await;
    assert_eq!(history.body["transactions"].as_array().unwrap().len(), 1);
    assert_eq!(history.body["pagination"]["totalPages"], 2);
}

#[tokio::test]
async fn history_is_paged_and_filtered() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    for amount in ["1.00", "2.00", "2.50"] {
        let body = json!({ "toUserId": bob.ledger_id, "amount": amount });
        ada.person.client.settle("/api/v1/transfers", body).await;
    }
    let first = bob.path("/api/v1/wallets/{}/transactions?limit=2");
    let first = bob.person.client.get(&first, 200).await;
    assert_eq!(first.body["hasMore"], true);
    let cursor = first.str("nextCursor");
    let rest = bob.path(&format!("/api/v1/wallets/{{}}/transactions?cursor={cursor}"));
    let rest = bob.person.client.get(&rest, 200).await;
    let amounts = |page: &crate::client::Reply| -> Vec<String> {
        let rows = page.body["data"].as_array().unwrap();
        rows.iter().map(|row| row["amount"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(amounts(&first), ["2.50", "2.00"]);
    assert_eq!(amounts(&rest), ["1.00", "500.00"]);
    let genesis = bob.path("/api/v1/wallets/{}/transactions?type=GENESIS");
    assert_eq!(amounts(&bob.person.client.get(&genesis, 200).await), ["500.00"]);
    for wrong in [
        "type=GIFT",
        "limit=0",
        "limit=101",
        "limit=1&limit=2",
        "cursor=x",
        "unknown=1",
        "from=yesterday",
    ] {
        let path = bob.path(&format!("/api/v1/wallets/{{}}/transactions?{wrong}"));
        bob.person.client.get(&path, 400).await;
    }
}

#[tokio::test]
async fn a_balance_can_be_asked_as_of_a_block() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    let body = json!({ "toUserId": bob.ledger_id, "amount": "2.00" });
    let paid = ada.person.client.settle("/api/v1/transfers", body).await;
    let block = paid.body["block"].as_u64().unwrap();
    for (block, balance) in [(block - 1, "500.00"), (block, "498.00")] {
        let path = ada.path(&format!("/api/v1/wallets/{{}}/balance?asOfBlock={block}"));
        assert_eq!(ada.person.client.get(&path, 200).await.str("balance"), balance);
    }
    let path = ada.path(&format!("/api/v1/wallets/{{}}/balance?asOfBlock={}", block + 100));
    ada.person.client.get(&path, 404).await;
}

#[tokio::test]
async fn what_is_somebody_elses_does_not_exist() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    let body = json!({ "toUserId": bob.ledger_id, "amount": "2.00" });
    let paid = ada.person.client.settle("/api/v1/transfers", body).await;
    let id = paid.str("commandId");
    for path in [
        ada.path("/api/v1/wallets/{}/balance"),
        ada.path("/api/v1/wallets/{}/transactions"),
        ada.path("/api/v1/transactions/{}/history"),
        format!("/api/v1/commands/{id}"),
        format!("/api/v1/commands/{id}/events"),
        format!("/api/v1/ledger/transactions/{id}"),
    ] {
        ada.person.client.get(&path, 200).await;
        bob.person.client.get(&path, 404).await;
    }
    admin.get(&format!("/api/v1/commands/{id}"), 200).await;
    let from_bob = json!({
        "fromUserId": bob.ledger_id, "toUserId": ada.ledger_id, "amount": "2.00"
    });
    let reply = ada.person.client.post("/api/v1/transfers", from_bob, 403).await;
    assert_eq!(reply.str("code"), "not_own_account");
}

#[tokio::test]
async fn a_refusal_of_the_ledger_is_an_answer() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    let too_much = json!({ "toUserId": bob.ledger_id, "amount": "500.00" });
    let reply = ada.person.client.settle("/api/v1/transfers", too_much).await;
    assert_eq!((reply.str("status"), reply.str("code")), ("refused", "insufficient_balance"));
    let to_oneself = json!({ "toUserId": ada.ledger_id, "amount": "1.00" });
    let reply = ada.person.client.post("/api/v1/transfers", to_oneself, 400).await;
    assert_eq!(reply.str("code"), "same_account");
    for amount in [json!(50), json!("0.0000001"), json!("0"), json!("-1"), json!(null)] {
        let body = json!({ "toUserId": bob.ledger_id, "amount": amount });
        let reply = ada.person.client.post("/api/v1/transfers", body, 400).await;
        assert_eq!(reply.body["details"][0]["field"], "amount");
    }
    assert_eq!(ada.balance().await, "500.00");
}

#[tokio::test]
async fn who_is_not_on_the_ledger_cannot_pay() {
    let server = Server::start().await;
    let ada = server.register("ada", "DE").await;
    let body = json!({ "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "1.00" });
    let reply = ada.client.post("/api/v1/transfers", body, 409).await;
    assert_eq!(reply.str("code"), "not_on_ledger");
}

#[tokio::test]
async fn the_stream_of_a_command_ends_with_its_outcome() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    let body = json!({ "toUserId": bob.ledger_id, "amount": "2.00" });
    let accepted = ada.person.client.post("/api/v1/transactions/transfer", body, 202).await;
    let path = format!("/api/v1/commands/{}/events", accepted.str("commandId"));
    let response = ada.person.client.open(&path).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let whole = tokio::time::timeout(Duration::from_secs(10), response.into_body().collect());
    let bytes = whole.await.unwrap().unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: committed\ndata: {"), "{text}");
}

#[tokio::test]
async fn supply_countries_and_treasuries_add_up() {
    let server = Server::start().await;
    let before = server.client.get("/api/v1/supply", 409).await;
    assert_eq!(before.str("code"), "not_bootstrapped");
    let admin = server.bootstrapped().await;
    server.account(&admin, "ada", "DE").await;
    server.account(&admin, "bob", "IN").await;
    let supply = server.client.get("/api/v1/supply", 200).await;
    assert_eq!(supply.str("maxSupply"), "1250000000000.00");
    assert_eq!(supply.str("totalMinted"), "1100.00");
    assert_eq!(supply.str("availableToMint"), "1249999998900.00");
    assert_eq!(supply.str("circulatingSupply"), "1000.00");
    assert_eq!(supply.body["pools"].as_array().unwrap().len(), 6);
    let countries = server.client.get("/api/v1/countries", 200).await;
    assert_eq!(countries.body["total"], 2);
    let india = server.client.get("/api/v1/countries/IN/stats", 200).await;
    assert_eq!(india.body["users"], 1);
    assert_eq!(india.body["slots"][0], 40_000_000);
    assert_eq!(india.body["slotsUsed"][0], 1);
    let treasury = server.client.get("/api/v1/treasury/IN/balance", 200).await;
    assert_eq!(treasury.str("balance"), "50.00");
    server.client.get("/api/v1/treasury/FR/balance", 404).await;
    server.client.get("/api/v1/countries/in/stats", 404).await;
}

#[tokio::test]
async fn blocks_show_what_was_done_and_not_by_whom() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let page = server.client.get("/api/v1/blocks?limit=2", 200).await;
    assert_eq!(page.body["hasMore"], true);
    let number = page.body["data"][0]["number"].as_u64().unwrap();
    let block = server.client.get(&format!("/api/v1/blocks/{number}"), 200).await;
    assert_eq!(block.body["data"][0]["function"], "IdentityContract:CreateUser");
    assert_eq!(block.body["previousHash"], page.body["data"][1]["hash"]);
    assert!(!block.text.contains(ada.ledger_id.as_str()), "{}", block.text);
    server.client.get("/api/v1/blocks/999999", 404).await;
    server.client.get("/api/v1/blocks/x", 404).await;
    let info = server.client.get("/api/v1/ledger/info", 200).await;
    assert_eq!(info.body["appliedBlock"], number);
    assert_eq!(info.body["tipBlock"], number);
    assert_eq!(info.str("engine"), crate::combination::engine());
    assert_eq!(info.str("network"), "devnet");
}

#[tokio::test]
async fn genesis_comes_once() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let body = json!({ "userIds": [ada.ledger_id] });
    let reply = admin.settle("/api/v1/genesis", body).await;
    assert_eq!(reply.str("status"), "committed");
    assert_eq!(ada.balance().await, "500.00");
    admin.post("/api/v1/genesis", json!({}), 400).await;
    let bob = server.account(&admin, "bob", "IN").await;
    let both = json!({ "userIds": [bob.ledger_id], "userId": ada.ledger_id });
    assert_eq!(admin.settle("/api/v1/genesis", both).await.str("status"), "committed");
    assert_eq!((ada.balance().await, bob.balance().await), ("500.00".into(), "500.00".into()));
    let nobody = AccountId::from_entropy("DE".parse().unwrap(), AccountType::Individual, [7; 16]);
    let unknown = json!({ "userIds": [bob.ledger_id, nobody] });
    let reply = admin.post("/api/v1/genesis", unknown, 404).await;
    assert_eq!(reply.str("message"), "User not found");
}

#[tokio::test]
async fn wallets_are_frozen_by_ledger_id_too() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, bob) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "bob", "DE").await);
    let path = bob.path("/api/v1/wallets/{}/freeze");
    admin.settle(&path, json!({ "reason": "COMPLIANCE_REVIEW" })).await;
    let body = json!({ "toUserId": bob.ledger_id, "amount": "2.00" });
    let reply = ada.person.client.settle("/api/v1/transfers", body).await;
    assert_eq!(reply.str("code"), "counterparty_frozen");
    admin.settle(&bob.path("/api/v1/wallets/{}/unfreeze"), json!({})).await;
    admin.post(&path, json!({ "reason": "BECAUSE" }), 400).await;
}

#[tokio::test]
async fn a_read_does_not_wait_for_a_command_that_nobody_sent() {
    let server = Server::start().await;
    let path = format!("/api/v1/countries?after={}", "0".repeat(26));
    server.client.get(&path, 404).await;
    server.client.get("/api/v1/countries?after=x", 400).await;
    let _ = new_key();
}
