//! What people are told of what the ledger did, once and as it comes.

use std::time::Duration;

use gx_store::mailbox;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::client::{Client, new_key};
use crate::server::{Account, Server, eventually};

const PATH: &str = "/api/v1/notifications";

async fn patch(client: &Client, path: &str, expect: u16) -> Value {
    let headers = [("idempotency-key", &*new_key())];
    let reply = client.send("PATCH", path, &headers, Some("{}")).await;
    assert_eq!(reply.status, expect, "PATCH {path}: {}", reply.text);
    reply.body
}

fn said(topic: &str, in_app: bool, by_email: bool) -> Value {
    json!({ "type": topic, "inApp": in_app, "byEmail": by_email })
}

/// Waits until somebody is told of a type, and gives the newest of it back.
async fn told(client: &Client, path: &str, topic: &str) -> Value {
    eventually(topic, async || {
        let list = client.get(path, 200).await.body;
        let all = list["notifications"].as_array().unwrap();
        all.iter().find(|one| one["type"] == topic).cloned()
    })
    .await
}

async fn pay(by: &Account, to: &Account, amount: &str) {
    let body = json!({ "toUserId": to.ledger_id, "amount": amount });
    let paid = by.person.client.settle("/api/v1/transfers", body).await;
    assert_eq!(paid.outcome(), "committed", "{}", paid.text);
}

#[tokio::test]
async fn both_sides_are_told_of_a_payment_and_nobody_else() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let client = &bob.person.client;
    told(client, PATH, "ACCOUNT_STATUS").await;
    pay(&ada, &bob, "2.50").await;
    let sent = told(&ada.person.client, PATH, "WALLET_DEBITED").await;
    assert_eq!(sent["message"], format!("2.50 GX to {}", bob.ledger_id));
    let received = eventually("the payment is told", async || {
        let list = client.get(&format!("{PATH}?limit=1"), 200).await.body;
        Some(list).filter(|list| list["notifications"][0]["title"] == "Payment received")
    })
    .await;
    let (page, total) = (&received["pagination"], received["total"].as_u64().unwrap());
    assert_eq!((&page["hasMore"], &page["limit"]), (&json!(true), &json!(1)));
    let one = &received["notifications"][0];
    assert_eq!(one["message"], format!("2.50 GX from {}", ada.ledger_id));
    assert_eq!((&one["status"], &one["resourceType"]), (&json!("UNREAD"), &json!("COMMAND")));
    let id = one["id"].as_str().unwrap();

    let older = format!("{PATH}?cursor={}", received["nextCursor"].as_str().unwrap());
    let older = client.get(&older, 200).await.body;
    let older = older["notifications"].as_array().unwrap();
    assert_eq!(u64::try_from(older.len()).unwrap(), total - 1);
    assert!(older.iter().all(|one| one["id"] != id));
    client.get(&format!("{PATH}?cursor=x"), 400).await;
    client.get(&format!("{PATH}?status=SEEN&limit=0"), 400).await;

    let unread = async || {
        let count = client.get(&format!("{PATH}/unread-count"), 200).await;
        count.body["unreadCount"].as_u64().unwrap()
    };
    assert_eq!(unread().await, total);
    patch(&ada.person.client, &format!("{PATH}/{id}x/read"), 404).await;
    let kept = patch(client, &format!("{PATH}/{id}/read"), 200).await;
    assert_eq!(kept["notification"]["status"], "READ");
    assert_eq!(unread().await, total - 1);
    let read = client.get(&format!("{PATH}?status=READ"), 200).await.body;
    assert_eq!((&read["total"], &read["notifications"][0]["id"]), (&json!(1), &json!(id)));
    let rest = client.post(&format!("{PATH}/mark-all-read"), json!({}), 200).await;
    assert_eq!(rest.body["count"], total - 1);
    assert_eq!(patch(client, &format!("{PATH}/mark-all-read"), 200).await["count"], 0);
    assert_eq!(unread().await, 0);
    let theirs = admin.get("/api/v1/admin/notifications", 200).await.body;
    assert_eq!(theirs["notifications"], json!([]));
}

#[tokio::test]
async fn people_choose_how_they_are_told() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    let client = &bob.person.client;
    told(client, PATH, "ACCOUNT_STATUS").await;
    told(client, PATH, "WALLET_CREDITED").await;
    let path = format!("{PATH}/preferences");
    let put = async |body: Value| {
        let headers = [("idempotency-key", &*new_key())];
        client.send("PUT", &path, &headers, Some(&body.to_string())).await
    };
    let wrong = put(json!({ "preferences": [said("GOSSIP", true, true), { "inApp": 1 }] })).await;
    assert_eq!(wrong.status, 400);
    let fields: Vec<&str> = wrong.body["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["field"].as_str().unwrap())
        .collect();
    assert!(fields.contains(&"preferences[0].type") && fields.contains(&"preferences[1].inApp"));
    let twice = [said("LOAN_UPDATE", true, true), said("LOAN_UPDATE", false, true)];
    assert_eq!(put(json!({ "preferences": twice })).await.status, 400);
    let wanted = [said("WALLET_CREDITED", false, true), said("ACCOUNT_STATUS", false, false)];
    let kept = put(json!({ "preferences": wanted })).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    let all = client.get(&path, 200).await.body;
    let of = |topic: &str| {
        let all = all["preferences"].as_array().unwrap();
        all.iter().find(|one| one["type"] == topic).unwrap().clone()
    };
    assert_eq!(of("WALLET_CREDITED")["byEmail"], true);
    let mandatory = of("ACCOUNT_STATUS");
    assert_eq!((&mandatory["inApp"], &mandatory["isMandatory"]), (&json!(true), &json!(true)));

    let before = client.get(PATH, 200).await.body["total"].clone();
    pay(&ada, &bob, "1.00").await;
    let mail = eventually("the mail is written", async || {
        let all = mailbox::newest(server.platform.store(), 50).await.unwrap();
        all.into_iter()
            .map(|kept| kept.mail)
            .find(|mail| mail.recipient == "bob@example.org" && mail.title == "Payment received")
    })
    .await;
    assert!(!mail.body.contains("1.00"), "sealed");
    assert_eq!(client.get(PATH, 200).await.body["total"], before, "by mail alone");
    let freeze = json!({ "reason": "SUSPICIOUS_ACTIVITY" });
    admin.settle(&format!("/api/v1/admin/users/{}/freeze", bob.person.id), freeze).await;
    let frozen = eventually("the freeze is told", async || {
        let store = server.platform.store();
        let bob = gx_store::login::Subject::user(&bob.person.id);
        let which = gx_store::notifications::Which::default();
        let rows = gx_store::notifications::page(store, bob, which, 1).await.unwrap();
        rows.into_iter().find(|row| row.title == "The account is frozen")
    })
    .await;
    assert_eq!(frozen.resource_type.as_deref(), Some("ACCOUNT"), "alarms come in any case");
}

/// A stream of events, as far as it has come.
struct Stream {
    body: Incoming,
    text: String,
}

impl Stream {
    async fn open(client: &Client, headers: &[(&str, &str)]) -> Self {
        let response = client.open_with(&format!("{PATH}/stream"), headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// Waits for more; `false` at the end.
    async fn more(&mut self) -> bool {
        let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame()).await;
        match frame.expect("the stream goes on or ends") {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                self.text.push_str(std::str::from_utf8(&data).unwrap());
                true
            }
            Some(Err(_)) | None => false,
        }
    }

    /// Waits for the next event and gives its id and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((whole, rest)) = self.text.split_once("\n\n") {
                let (whole, rest) = (whole.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    whole.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
                };
                if let (Some(id), Some(data)) = (field("id:"), field("data:")) {
                    assert_eq!(field("event:"), Some("notification"));
                    return (id.to_owned(), serde_json::from_str(data).unwrap());
                }
            } else {
                assert!(self.more().await, "the stream has ended: {}", self.text);
            }
        }
    }
}

#[tokio::test]
async fn a_stream_tells_as_it_comes_goes_on_and_ends_with_the_session() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    told(&bob.person.client, PATH, "WALLET_CREDITED").await;
    let token = bob.person.client.token.clone().unwrap();
    let mut stream = Stream::open(&server.client.with_token(&token), &[]).await;
    pay(&ada, &bob, "1.00").await;
    let (first, data) = stream.next().await;
    assert_eq!(data["title"], "Payment received", "what was before is not told");
    pay(&ada, &bob, "2.00").await;
    let (second, data) = stream.next().await;
    assert_eq!(data["message"], format!("2.00 GX from {}", ada.ledger_id));
    drop(stream);

    let again = server.client.with_token(&token);
    let mut stream = Stream::open(&again, &[("last-event-id", &first)]).await;
    assert_eq!(stream.next().await.0, second, "what was missed, once");
    bob.person.client.post("/api/v1/auth/logout", json!({}), 200).await;
    pay(&ada, &bob, "3.00").await;
    while stream.more().await {}
    assert!(!stream.text.contains("3.00 GX"), "{}", stream.text);
    again.get(PATH, 401).await;
}
