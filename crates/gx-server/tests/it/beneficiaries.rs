//! Whom users pay often: their own list, and nobody else's.

use serde_json::{Value, json};

use crate::client::{Client, Reply, new_key};
use crate::server::{Account, Server};

const PATH: &str = "/api/v1/beneficiaries";

fn friend(of: &Account) -> Value {
    json!({ "name": "A friend", "walletAddress": of.ledger_id })
}

async fn put(client: &Client, id: &str, body: &Value) -> Reply {
    let headers = [("idempotency-key", &*new_key())];
    client.send("PUT", &format!("{PATH}/{id}"), &headers, Some(&body.to_string())).await
}

#[tokio::test]
async fn each_account_is_on_the_list_once() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let client = &ada.person.client;
    let kept = client.post(PATH, friend(&bob), 201).await;
    let kept = &kept.body["beneficiary"];
    assert_eq!((&kept["name"], &kept["isFavorite"]), (&json!("A friend"), &json!(false)));
    assert_eq!(kept["walletAddress"], json!(bob.ledger_id));
    let again = client.post(PATH, friend(&bob), 409).await;
    assert_eq!(again.str("code"), "beneficiary_already_exists");
    let own = client.post(PATH, friend(&ada), 409).await;
    assert_eq!(own.str("code"), "own_account");
    let unknown = json!({ "name": "Nobody", "walletAddress": "DE 7K3 ABC123 1WXYZ 1234" });
    let unknown = client.post(PATH, unknown, 404).await;
    assert_eq!(unknown.str("code"), "account_not_found");
    let charity = json!({ "name": "Wells", "walletAddress": "SYSTEM_CHARITABLE_POOL" });
    let charity = client.post(PATH, charity, 201).await;
    let id = charity.body["beneficiary"]["id"].as_str().unwrap().to_owned();
    let clash = put(client, &id, &friend(&bob)).await;
    assert_eq!(clash.str("code"), "beneficiary_already_exists");
    let list = client.get(&format!("{PATH}?limit=1&page=2"), 200).await;
    assert_eq!((&list.body["total"], &list.body["totalPages"]), (&json!(2), &json!(2)));
    assert_eq!(list.body["beneficiaries"][0]["name"], "A friend");
}

#[tokio::test]
async fn nobody_elses_list_is_seen_or_changed() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let kept = ada.person.client.post(PATH, friend(&bob), 201).await;
    let id = kept.body["beneficiary"]["id"].as_str().unwrap();
    let other = &bob.person.client;
    assert_eq!(other.get(PATH, 200).await.body["total"], 0);
    assert_eq!(put(other, id, &friend(&ada)).await.status, 404);
    let path = format!("{PATH}/{id}");
    assert_eq!(other.send("DELETE", &path, &[], None).await.status, 404);
    let client = &ada.person.client;
    let mut body = friend(&bob);
    (body["nickname"], body["isFavorite"]) = (json!("Bobby"), json!(true));
    let changed = put(client, id, &body).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let changed = &changed.body["beneficiary"];
    assert_eq!((&changed["nickname"], &changed["isFavorite"]), (&json!("Bobby"), &json!(true)));
    assert_eq!(client.send("DELETE", &path, &[], None).await.status, 200);
    assert_eq!(client.send("DELETE", &path, &[], None).await.status, 404);
    assert_eq!(client.get(PATH, 200).await.body["total"], 0);
}
