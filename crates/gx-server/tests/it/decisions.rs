//! What two administrators decide on, from the proposal to what came of it.

use gx_server::reset_admin_password;
use gx_store::admin::admins::{self, NewAdmin};
use gx_store::admin::ledger;
use gx_types::TimeMs;
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{ADMIN_PASSWORD, Server};

/// Another administrator of the platform, with a session; on the ledger they are nobody yet.
async fn deputy(server: &Server) -> Client {
    colleague(server, "deputy", "SUPER_OWNER").await
}

/// The same with a name and a role.
pub(crate) async fn colleague(server: &Server, name: &str, role: &str) -> Client {
    let new = NewAdmin {
        admin_id: name.to_owned(),
        email: format!("{name}@example.org"),
        display_name: name.to_owned(),
        role: role.to_owned(),
        ledger_id: Some(name.parse().unwrap()),
        password_hash: String::new(),
        must_change_password: true,
        created_at: TimeMs(0),
    };
    let mut tx = server.platform.store().begin().await.unwrap();
    admins::create(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    let given = reset_admin_password(server.platform.config(), name).await.unwrap();
    let body = json!({ "username": name, "password": given.password });
    let reply = server.client.post("/api/v1/admin/auth/login", body, 200).await;
    let colleague = server.client.with_token(reply.str("accessToken"));
    let body = json!({ "currentPassword": given.password, "newPassword": ADMIN_PASSWORD });
    colleague.post("/api/v1/admin/auth/password/change", body, 200).await;
    colleague
}

/// Two super admins on the ledger, and the first user.
pub(crate) async fn two_admins(server: &Server) -> (Client, Client) {
    let first = server.bootstrapped().await;
    let second = deputy(server).await;
    let path = "/api/v1/admin/admins/deputy/appoint";
    let reply = first.settle(path, json!({ "level": "SUPER_ADMIN", "userId": null })).await;
    assert_eq!(reply.str("status"), "committed", "the only super admin names the second");
    (first, second)
}

/// The one action that waits.
pub(crate) async fn pending(client: &Client) -> String {
    let reply = client.get("/api/v1/admin/actions?status=PENDING", 200).await;
    let [action] = reply.body["data"].as_array().unwrap().as_slice() else {
        panic!("{}", reply.text)
    };
    assert_eq!(action["status"], "PENDING");
    action["actionId"].as_str().unwrap().to_owned()
}

pub(crate) async fn decide(client: &Client, action: &str, verb: &str) -> Value {
    client.settle(&format!("/api/v1/admin/actions/{action}/{verb}"), json!({})).await.body
}

async fn status(client: &Client, action: &str) -> Value {
    client.get(&format!("/api/v1/admin/actions/{action}"), 200).await.body["status"].clone()
}

#[tokio::test]
async fn a_parameter_is_changed_by_two() {
    let server = Server::start().await;
    let (first, second) = two_admins(&server).await;
    let change = json!({ "paramId": "votingDays", "newValue": "21" });
    let reply = first.settle("/api/v1/admin/parameters", change.clone()).await;
    let action = pending(&second).await;
    assert_eq!(reply.str("actionId"), action);
    let alone = decide(&first, &action, "approve").await;
    assert_eq!((&alone["status"], &alone["code"]), (&json!("refused"), &json!("same_admin")));
    assert_eq!(decide(&second, &action, "approve").await["status"], "committed");
    assert_eq!(status(&first, &action).await, "EXECUTED");
    let parameters = first.get("/api/v1/admin/parameters", 200).await;
    let parameters = parameters.body.as_array().unwrap().clone();
    let days = parameters.iter().find(|one| one["paramId"] == "votingDays").unwrap();
    assert_eq!((&days["value"], &days["scheduled"]["newValue"]), (&json!("14"), &json!("21")));
    let reply = first.settle("/api/v1/admin/parameters", change).await;
    assert_eq!(reply.body["code"], "parameter_change_scheduled");
    let change = json!({ "paramId": "votingQuorum", "newValue": "121" });

    for (by, verb, expected) in [(&second, "reject", "REJECTED"), (&first, "withdraw", "WITHDRAWN")]
    {
        first.settle("/api/v1/admin/parameters", change.clone()).await;
        let action = pending(&first).await;
        assert_eq!(decide(by, &action, verb).await["status"], "committed");
        assert_eq!(status(&first, &action).await, expected);
        assert_eq!(decide(&second, &action, "approve").await["code"], "action_closed");
    }
    let all = first.get("/api/v1/admin/actions?limit=2", 200).await;
    assert_eq!(
        (all.body["data"].as_array().unwrap().len(), &all.body["hasMore"]),
        (2, &json!(true))
    );
    let rest = format!("/api/v1/admin/actions?limit=2&cursor={}", all.str("nextCursor"));
    assert_eq!(first.get(&rest, 200).await.body["data"][0]["status"], "EXECUTED");
    let wrong = json!({ "paramId": "votingDays", "newValue": "many" });
    let reply = first.post("/api/v1/admin/parameters", wrong, 400).await;
    assert_eq!(reply.body["details"][0]["code"], "invalid_value");
}

#[tokio::test]
async fn a_court_moves_coins_of_a_frozen_account() {
    let server = Server::start().await;
    let (first, second) = two_admins(&server).await;
    let ada = server.account(&first, "ada", "DE").await;
    let bob = server.account(&first, "bob", "DE").await;
    let order = json!({
        "fromUserId": ada.ledger_id, "toUserId": bob.ledger_id, "amount": "100",
        "reason": "COURT_ORDER", "orderHash": "9".repeat(64),
    });
    let path = "/api/v1/admin/orders/transfer";
    let refused = first.settle(path, order.clone()).await;
    assert_eq!(refused.str("code"), "not_frozen");
    assert!(refused.body.get("actionId").is_none(), "{}", refused.text);
    let freeze = ada.path("/api/v1/wallets/{}/freeze");
    first.settle(&freeze, json!({ "reason": "COURT_ORDER" })).await;
    assert_eq!(first.settle(path, order).await.str("status"), "committed");
    assert_eq!(bob.balance().await, "500.00");
    let action = pending(&second).await;
    let shown = second.get(&format!("/api/v1/admin/actions/{action}"), 200).await.body;
    assert_eq!(shown["arguments"]["amount"], "100.00");
    assert_eq!(shown["arguments"]["currency"], "GXC");
    assert_eq!(decide(&second, &action, "approve").await["status"], "committed");
    assert_eq!(bob.balance().await, "600.00");
    let orders = first.get("/api/v1/admin/orders", 200).await;
    let order = &orders.body["data"][0];
    assert_eq!((&order["amount"], &order["reason"]), (&json!("100.00"), &json!("COURT_ORDER")));
    let history = bob.path("/api/v1/wallets/{}/transactions?type=ORDER");
    let movements = bob.person.client.get(&history, 200).await;
    assert_eq!(movements.body["data"].as_array().unwrap().len(), 1, "{}", movements.text);
}

#[tokio::test]
async fn a_change_of_a_parameter_is_called_off_before_it_takes_effect() {
    let server = Server::start().await;
    let (first, second) = two_admins(&server).await;
    let change = json!({ "paramId": "votingDays", "newValue": "21" });
    first.settle("/api/v1/admin/parameters", change).await;
    let action = pending(&second).await;
    assert_eq!(decide(&second, &action, "approve").await["status"], "committed");
    let path = "/api/v1/admin/parameters/votingDays/cancel";
    assert_eq!(second.settle(path, json!({})).await.str("status"), "committed");
    let parameters = server.client.get("/api/v1/parameters", 200).await;
    let parameters = parameters.body.as_array().unwrap().clone();
    let days = parameters.iter().find(|one| one["paramId"] == "votingDays").unwrap();
    assert_eq!((&days["value"], &days["scheduled"]), (&json!("14"), &json!(null)));
    let again = second.settle(path, json!({})).await;
    assert_eq!(again.str("code"), "parameter_change_not_scheduled");
    second.post("/api/v1/admin/parameters/nothing/cancel", json!({}), 404).await;
}

#[tokio::test]
async fn an_administrator_is_replaced_by_two() {
    let server = Server::start().await;
    let (first, second) = two_admins(&server).await;
    let office = json!({ "level": "ADMIN", "userId": null });
    first.settle("/api/v1/admin/admins/third/appoint", office).await;
    decide(&second, &pending(&second).await, "approve").await;
    let path = "/api/v1/admin/admins/third/replace";
    let instead = json!({ "newAdminId": "fourth", "userId": null });
    assert_eq!(first.settle(path, instead.clone()).await.str("status"), "committed");
    decide(&second, &pending(&second).await, "approve").await;
    let store = server.platform.store();
    for (id, in_office) in [("third", false), ("fourth", true)] {
        let found = ledger::get_admin(store, &id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(found.removed_at.is_none(), in_office, "{id}");
    }
    assert_eq!(first.settle(path, instead).await.str("code"), "admin_unknown");
    let unsaid = json!({ "newAdminId": "fifth" });
    let reply = first.post(path, unsaid, 400).await;
    assert_eq!(reply.body["details"][0]["field"], "userId");
}

#[tokio::test]
async fn in_an_emergency_one_proposes_and_waits() {
    let server = Server::start().await;
    let (first, second) = two_admins(&server).await;
    let alone = json!({ "level": "SUPER_ADMIN", "userId": null, "emergency": true });
    first.settle("/api/v1/admin/admins/third/appoint", alone).await;
    let action = pending(&first).await;
    let shown = second.get(&format!("/api/v1/admin/actions/{action}"), 200).await;
    assert!(shown.body["aloneFrom"].is_string(), "{}", shown.text);
    let early = decide(&first, &action, "approve").await;
    assert_eq!(early["status"], "refused", "{early}");
    server.pass_days(31);
    assert_eq!(decide(&first, &action, "approve").await["status"], "committed");
    assert_eq!(status(&first, &action).await, "EXECUTED");
}

#[tokio::test]
async fn a_treasury_that_nobody_governs_is_not_given_to_another() {
    let server = Server::start().await;
    let (first, _) = two_admins(&server).await;
    let body = json!({
        "countryCode": "DE", "organizationId": "SYSTEM_CHARITABLE_POOL",
        "orderHash": "9".repeat(64),
    });
    let path = "/api/v1/admin/treasury/reassign";
    let refused = first.settle(path, body).await;
    assert_eq!(refused.str("code"), "treasury_locked");
    let wrong = json!({ "countryCode": "Germany", "organizationId": "x", "orderHash": "9" });
    let reply = first.post(path, wrong, 400).await;
    assert_eq!(reply.body["details"].as_array().unwrap().len(), 2, "{}", reply.text);
}
