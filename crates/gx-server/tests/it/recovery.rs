//! Account keys: the first, the next, and what happens when one is lost.

use gx_contract::Command;
use gx_contract::identity::{CancelRecovery, NominateGuardians, RotateKey, VetoKeyReset};
use gx_contract::tokenomics::Transfer;
use gx_types::{AccountId, Actor, Amount, Pool};
use serde_json::{Value, json};

use crate::client::{Reply, new_key};
use crate::decisions::{decide, two_admins};
use crate::server::{Account, Server};
use crate::signing::{give_signed, proof, public, without_session};

fn user(account: &Account) -> Actor {
    Actor::User(account.ledger_id)
}

/// Gives the account a first key.
pub(crate) async fn register_key(account: &Account, seed: u8) {
    let id = new_key();
    let proof = proof(seed, account.ledger_id, &user(account), &id);
    let body = json!({ "publicKey": public(seed), "proof": proof });
    let headers = [("idempotency-key", &*id), ("prefer", "wait=20")];
    let reply = account.person.client.post_with("/api/v1/keys", body, &headers, 200).await;
    assert_eq!(reply.outcome(), "committed", "{}", reply.text);
}

pub(crate) async fn nominate(account: &Account, seed: u8, guardians: &[AccountId]) -> Reply {
    let (user_id, guardians) = (account.ledger_id, guardians.to_vec());
    let body = json!({ "guardians": guardians });
    let command = |_: &str| NominateGuardians { user_id, guardians }.into();
    give_signed(account, seed, "/api/v1/recovery/guardians", body, command).await
}

/// Begins the recovery of an account, as one of its guardians.
pub(crate) async fn initiate(by: &Account, of: &Account, seed: u8) -> Reply {
    let id = new_key();
    let proof = proof(seed, of.ledger_id, &user(by), &id);
    let body = json!({ "userId": of.ledger_id, "publicKey": public(seed), "proof": proof });
    let headers = [("idempotency-key", &*id), ("prefer", "wait=20")];
    by.person.client.post_with("/api/v1/recovery/initiate", body, &headers, 200).await
}

async fn outcome(by: &Account, path: &str) -> String {
    by.person.client.settle(path, json!({})).await.outcome().to_owned()
}

#[tokio::test]
async fn an_account_gets_a_key_and_another() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let key = ada.person.client.get("/api/v1/keys", 200).await.body;
    assert_eq!((&key["publicKey"], &key["resets"]), (&Value::Null, &json!([])));
    register_key(&ada, 7).await;
    let key = ada.person.client.get("/api/v1/keys", 200).await.body;
    assert_eq!(key["publicKey"], public(7));
    assert!(key["since"].is_string());
    let payment = json!({ "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "1.00" });
    let unsigned = ada.person.client.settle("/api/v1/transfers", payment).await;
    assert_eq!(unsigned.outcome(), "signature_missing");

    let user_id = ada.ledger_id;
    let rotated = |id: &str| -> Command {
        let proof = proof(8, user_id, &Actor::User(user_id), id).parse().unwrap();
        RotateKey { user_id, public_key: public(8).parse().unwrap(), proof }.into()
    };
    let body = json!({ "publicKey": public(8), "proof": "" });
    let reply = give_signed(&ada, 7, "/api/v1/keys/rotate", body, rotated).await;
    assert_eq!(reply.outcome(), "committed", "{}", reply.text);
    assert_eq!(ada.person.client.get("/api/v1/keys", 200).await.body["publicKey"], public(8));
    let body = json!({ "publicKey": public(9), "proof": "00".repeat(64) });
    let weak = json!({ "publicKey": "00".repeat(32), "proof": "00".repeat(64) });
    let reply = ada.person.client.post("/api/v1/keys", weak, 400).await;
    assert_eq!(reply.str("code"), "public_key_invalid");
    let bob = server.account(&admin, "bob", "DE").await;
    let reply = bob.person.client.settle("/api/v1/keys", body).await;
    assert_eq!(reply.outcome(), "key_not_proven");
}

#[tokio::test]
async fn guardians_recover_a_key_and_its_owner_stops_them() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let dan = server.account(&admin, "dan", "DE").await;
    let zoe = server.account(&admin, "zoe", "DE").await;
    register_key(&ada, 7).await;
    let guardians = [bob.ledger_id, eve.ledger_id, dan.ledger_id];
    assert_eq!(nominate(&ada, 7, &guardians).await.outcome(), "committed");
    let too_few = json!({ "guardians": [bob.ledger_id] });
    ada.person.client.post("/api/v1/recovery/guardians", too_few, 400).await;
    let own = ada.person.client.get("/api/v1/recovery", 200).await.body;
    assert_eq!(own["guardians"][1]["userId"], json!(eve.ledger_id));
    for (client, wards) in [(&bob, json!([{ "userId": ada.ledger_id }])), (&zoe, json!([]))] {
        let list = client.person.client.get("/api/v1/recovery/wards", 200).await;
        assert_eq!(list.body["data"], wards, "{}", list.text);
    }

    assert_eq!(initiate(&zoe, &ada, 9).await.outcome(), "not_guardian");
    let begun = initiate(&bob, &ada, 9).await;
    assert_eq!(begun.outcome(), "committed", "{}", begun.text);
    let id = begun.str("recoveryId").to_owned();
    let path = |verb: &str| format!("/api/v1/recovery/{id}{verb}");
    zoe.person.client.get(&path(""), 404).await;
    zoe.person.client.get("/api/v1/recovery/nothing", 404).await;
    for client in [&ada, &bob, &eve] {
        let seen = client.person.client.get(&path(""), 200).await.body;
        assert_eq!((&seen["status"], &seen["isOpen"]), (&json!("PENDING"), &json!(true)));
    }
    let open = ada.person.client.get("/api/v1/recovery", 200).await.body;
    assert_eq!(open["own"][0]["recoveryId"], id);
    let open = dan.person.client.get("/api/v1/recovery", 200).await.body;
    assert_eq!((&open["own"], &open["asGuardian"][0]["recoveryId"]), (&json!([]), &json!(id)));

    assert_eq!(outcome(&zoe, &path("/confirm")).await, "not_guardian");
    assert_eq!(outcome(&bob, &path("/confirm")).await, "already_confirmed");
    assert_eq!(outcome(&eve, &path("/confirm")).await, "committed");
    let seen = dan.person.client.get(&path(""), 200).await.body;
    assert_eq!(seen["status"], "CONFIRMED");
    assert!(seen["completableAt"].is_string(), "{seen}");
    assert_eq!(outcome(&bob, &path("/complete")).await, "recovery_too_early");
    assert_eq!(outcome(&bob, &path("/cancel")).await, "not_party");
    let recovery_id = id.parse().unwrap();
    let veto = |_: &str| CancelRecovery { recovery_id }.into();
    let cancelled = give_signed(&ada, 7, &path("/cancel"), json!({}), veto).await;
    assert_eq!(cancelled.outcome(), "committed", "{}", cancelled.text);
    let seen = ada.person.client.get(&path(""), 200).await.body;
    assert_eq!((&seen["status"], &seen["isOpen"]), (&json!("CANCELLED"), &json!(false)));
    assert_eq!(ada.person.client.get("/api/v1/recovery", 200).await.body["own"], json!([]));
}

#[tokio::test]
async fn a_frozen_owner_vetoes_without_a_session() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let dan = server.account(&admin, "dan", "DE").await;
    register_key(&ada, 7).await;
    let guardians = [bob.ledger_id, eve.ledger_id, dan.ledger_id];
    assert_eq!(nominate(&ada, 7, &guardians).await.outcome(), "committed");
    let begun = initiate(&bob, &ada, 9).await;
    let recovery_id = begun.str("recoveryId").parse().unwrap();
    let freeze = json!({ "reason": "SUSPICIOUS_ACTIVITY" });
    admin.settle(&format!("/api/v1/admin/users/{}/freeze", ada.person.id), freeze).await;
    ada.person.client.get("/api/v1/recovery", 403).await;

    let veto = || CancelRecovery { recovery_id }.into();
    let path = "/api/v1/commands/signed";
    let id = new_key();
    let headers = [("idempotency-key", &*id), ("prefer", "wait=20")];
    for (seed, other_id) in [(8, &*id), (7, "another-key-than-that")] {
        let foreign = without_session(&ada, seed, other_id, veto());
        let reply = server.client.post_with(path, foreign, &headers, 401).await;
        assert_eq!(reply.str("code"), "signature_wrong");
    }
    let nobodys = without_session(&bob, 7, &id, veto());
    server.client.post_with(path, nobodys, &headers, 401).await;
    let mut unfit = without_session(&ada, 7, &id, veto());
    unfit["arguments"] = json!({ "recoveryId": 7 });
    server.client.post_with(path, unfit, &headers, 400).await;
    let own = without_session(&ada, 7, &id, veto());
    let first = server.client.post_with(path, own.clone(), &headers, 200).await;
    assert_eq!(first.outcome(), "committed", "{}", first.text);
    let again = server.client.post_with(path, own, &headers, 200).await;
    assert_eq!(again.str("commandId"), first.str("commandId"));

    // What a frozen account may not do needs a session, and has none.
    let (to, amount) = (Pool::Charitable.account(), Amount::from_qirat(1));
    let pay = Transfer { from: ada.ledger_id, to, amount, remark: "".into() };
    let id = new_key();
    let headers = [("idempotency-key", &*id), ("prefer", "wait=20")];
    let paid = without_session(&ada, 7, &id, pay.into());
    let reply = server.client.post_with(path, paid, &headers, 403).await;
    assert_eq!(reply.str("code"), "session_required");
}

#[tokio::test]
async fn a_recovery_that_nobody_stops_is_completed() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let eve = server.account(&admin, "eve", "DE").await;
    let dan = server.account(&admin, "dan", "DE").await;
    register_key(&ada, 7).await;
    let guardians = [bob.ledger_id, eve.ledger_id, dan.ledger_id];
    assert_eq!(nominate(&ada, 7, &guardians).await.outcome(), "committed");
    let begun = initiate(&bob, &ada, 9).await;
    let path = |verb: &str| format!("/api/v1/recovery/{}/{verb}", begun.str("recoveryId"));
    assert_eq!(outcome(&eve, &path("confirm")).await, "committed");
    server.pass_days(3);
    assert_eq!(outcome(&dan, &path("complete")).await, "committed");
    assert_eq!(ada.person.client.get("/api/v1/keys", 200).await.body["publicKey"], public(9));
    let over = dan.person.client.get("/api/v1/recovery", 200).await.body;
    assert_eq!(over["asGuardian"], json!([]));
    let again = initiate(&bob, &ada, 10).await;
    assert_eq!(again.outcome(), "committed", "{}", again.text);
    server.pass_days(8);
    let seen = format!("/api/v1/recovery/{}", again.str("recoveryId"));
    assert_eq!(outcome(&eve, &format!("{seen}/confirm")).await, "recovery_expired");
    assert_eq!(eve.person.client.get(&seen, 200).await.body["isOpen"], false);
}

#[tokio::test]
async fn a_key_is_reset_by_order_unless_its_holder_vetoes() {
    let server = Server::start().await;
    let (first, second) = two_admins(&server).await;
    let ada = server.account(&first, "ada", "DE").await;
    register_key(&ada, 7).await;
    let path = format!("/api/v1/admin/users/{}/key-reset", ada.person.id);
    let id = new_key();
    let actor = "admin:superowner".parse().unwrap();
    let proof = proof(9, ada.ledger_id, &actor, &id);
    let body = json!({ "publicKey": public(9), "proof": proof, "orderHash": "9".repeat(64) });
    ada.person.client.post(&path, body.clone(), 403).await;
    let headers = [("idempotency-key", &*id), ("prefer", "wait=20")];
    let proposed = first.post_with(&path, body.clone(), &headers, 200).await;
    assert_eq!(proposed.outcome(), "committed", "{}", proposed.text);
    assert_eq!(decide(&second, proposed.str("actionId"), "approve").await["status"], "committed");
    first.post("/api/v1/admin/users/nobody/key-reset", body, 404).await;

    let key = ada.person.client.get("/api/v1/keys", 200).await.body;
    let reset = &key["resets"][0];
    assert_eq!((&reset["status"], &reset["publicKey"]), (&json!("OPEN"), &json!(public(9))));
    let early = first.settle(&format!("{path}/complete"), json!({})).await;
    assert_eq!(early.outcome(), "recovery_too_early");
    ada.person.client.post(&format!("{path}/complete"), json!({}), 403).await;
    let user_id = ada.ledger_id;
    let veto = |_: &str| VetoKeyReset { user_id }.into();
    let vetoed = give_signed(&ada, 7, "/api/v1/keys/reset/veto", json!({}), veto).await;
    assert_eq!(vetoed.outcome(), "committed", "{}", vetoed.text);
    let key = ada.person.client.get("/api/v1/keys", 200).await.body;
    assert_eq!(key["resets"][0]["status"], "CANCELLED");
    assert_eq!(key["publicKey"], public(7));
    let late = first.settle(&format!("{path}/complete"), json!({})).await;
    assert_eq!(late.outcome(), "key_reset_not_found");

    let id = new_key();
    let proof = crate::signing::proof(9, ada.ledger_id, &actor, &id);
    let body = json!({ "publicKey": public(9), "proof": proof, "orderHash": "8".repeat(64) });
    let headers = [("idempotency-key", &*id), ("prefer", "wait=20")];
    let proposed = first.post_with(&path, body, &headers, 200).await;
    assert_eq!(decide(&second, proposed.str("actionId"), "approve").await["status"], "committed");
    server.pass_days(8);
    let set = first.settle(&format!("{path}/complete"), json!({})).await;
    assert_eq!(set.outcome(), "committed", "{}", set.text);
    let key = ada.person.client.get("/api/v1/keys", 200).await.body;
    assert_eq!(
        (&key["publicKey"], &key["resets"][0]["status"]),
        (&json!(public(9)), &json!("COMPLETED"))
    );
}

#[tokio::test]
async fn administrators_decide_whether_somebody_may_act() {
    let server = Server::start().await;
    let (first, second) = two_admins(&server).await;
    let ada = server.account(&first, "ada", "DE").await;
    let path = format!("/api/v1/admin/users/{}/status", ada.person.id);
    let locked = json!({ "status": "LOCKED" });
    ada.person.client.post(&path, locked.clone(), 403).await;
    assert_eq!(first.settle(&path, locked).await.outcome(), "committed");
    let payment = json!({ "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "1.00" });
    let refused = ada.person.client.settle("/api/v1/transfers", payment.clone()).await;
    assert_eq!(refused.outcome(), "account_locked");
    assert_eq!(first.settle(&path, json!({ "status": "ACTIVE" })).await.outcome(), "committed");
    let paid = ada.person.client.settle("/api/v1/transfers", payment).await;
    assert_eq!(paid.outcome(), "committed");
    let deceased = json!({ "status": "DECEASED" });
    assert_eq!(first.post(&path, deceased, 400).await.str("code"), "order_missing");
    let deceased = json!({ "status": "DECEASED", "orderHash": "9".repeat(64) });
    let proposed = first.settle(&path, deceased).await;
    assert_eq!(decide(&second, proposed.str("actionId"), "approve").await["status"], "committed");
    let again = first.settle(&path, json!({ "status": "ACTIVE" })).await;
    assert_eq!(again.outcome(), "status_final");
}
