//! A partner's integration: a bookkeeper whose program pays bills for a user who has agreed to it,
//! hears of payments, reads statements, and changes its keys without a pause.

use std::sync::atomic::Ordering;

use gx_server::Workers;
use serde_json::{Value, json};

use super::{ending, v1};
use crate::client::{Client, Reply};
use crate::partners::{GRANTS, PATH, Program, all, key, partner, refused};
use crate::server::{Account, Server};
use crate::webhooks::{LOCAL, Message, Sink, delivery, make};

const BOOKS: &str = "books";

/// The bookkeeper's endpoint, as the platform knows it.
struct Endpoint {
    sink: Sink,
    path: String,
    secret: String,
}

impl Endpoint {
    async fn register(admin: &Client) -> Self {
        let sink = Sink::start().await;
        let (path, secret) = make(admin, &sink.url(), &["transferred"]).await;
        Self { sink, path, secret }
    }

    /// The newest of so many payments that it was told of, if its signature is right.
    async fn told(&self, count: usize) -> Message {
        let message = self.sink.received("transferred", count).await.remove(count - 1);
        assert!(message.is_signed_with(&self.secret));
        message
    }
}

/// Postings of a payment, whose sum has to be nothing.
fn check_postings(event: &Value) {
    let change = |posting: &Value| posting[1].as_str().unwrap().parse::<i128>().unwrap();
    let changes = event["postings"].as_array().unwrap().iter().map(change);
    assert_eq!(changes.sum::<i128>(), 0, "{event}");
}

/// The program pays a bill, and finds its own payment in what it is told.
async fn pays_a_bill(program: &Program, endpoint: &Endpoint, shop: &Account) {
    let paid = program.pay(shop, "12.50").await;
    assert_eq!(paid.outcome(), "committed", "{}", paid.text);
    let command = v1(&format!("/commands/{}", paid.str("commandId")));
    assert_eq!(program.get(&command).await.str("status"), "committed");
    let told = endpoint.told(1).await.json();
    assert_eq!(told["data"]["commandId"], paid.str("commandId"));
    let event = &told["data"]["event"];
    assert_eq!((&event["amount"], &event["to"]), (&json!("12500000"), &json!(shop.ledger_id)));
    check_postings(event);
}

/// What happens while the endpoint is out of order waits, and is sent as it was.
async fn misses_nothing(admin: &Client, endpoint: &Endpoint, ada: &Account, shop: &Account) {
    endpoint.sink.status.store(503, Ordering::SeqCst);
    let back = json!({ "toUserId": ada.ledger_id, "amount": "2.00" });
    let back = shop.person.client.settle(&v1("/transfers"), back).await;
    let missed = endpoint.told(2).await;
    let waiting = delivery(admin, &endpoint.path, "PENDING").await;
    assert_eq!(waiting["data"]["commandId"], back.str("commandId"));
    endpoint.sink.status.store(204, Ordering::SeqCst);
    let id = waiting["id"].as_str().unwrap();
    admin.post(&format!("{}/deliveries/{id}/replay", endpoint.path), json!({}), 200).await;
    let again = endpoint.told(3).await;
    assert_eq!((again.header("webhook-id"), &again.body), (id, &missed.body));
}

/// The statement in the form that somebody's books take.
async fn statement(api_key: &str, client: &Client, of: &Account, form: &str) -> Reply {
    let path = of.path(&v1("/wallets/{}/statements?from=2000-01-01&to=2200-01-01"));
    let user = of.ledger_id.to_string();
    let headers = [("x-api-key", api_key), ("x-on-behalf-of", &*user), ("accept", form)];
    let reply = client.send("GET", &path, &headers, None).await;
    assert_eq!(reply.status, 200, "{form}: {}", reply.text);
    reply
}

/// Every form says the same, and the last balance is what the user has.
async fn keeps_the_books(server: &Server, api_key: &str, ada: &Account) {
    let read = async |form: &str| statement(api_key, &server.client, ada, form).await;
    let books = read("application/json").await;
    assert_eq!(books.str("closingBalance"), ada.balance().await);
    assert_eq!((&books.body["credits"], &books.body["debits"]), (&json!(2), &json!(1)));
    let lines = books.body["transactions"].as_array().unwrap();
    let types: Vec<&Value> = lines.iter().map(|line| &line["type"]).collect();
    assert_eq!(types, ["GENESIS", "SENT", "RECEIVED"]);
    let (table, camt) = (read("text/csv").await, read("application/xml").await);
    assert_eq!(table.text.lines().count(), 1 + lines.len());
    for line in lines {
        let id = line["commandId"].as_str().unwrap();
        assert!(table.text.contains(id) && camt.text.contains(id), "{id}");
    }
}

/// A second key comes first, then the old one goes; the same with the endpoint's secret.
async fn changes_its_keys(
    server: &Server,
    admin: &Client,
    ada: &Account,
    (old_id, old): (&str, &Program),
    endpoint: &Endpoint,
) -> Program {
    let (_, new) = key(admin, BOOKS, json!({ "label": "second" })).await;
    let new = Program::new(server, &new, ada);
    let balance = ada.path(&v1("/wallets/{}/balance"));
    for program in [&new, old] {
        assert_eq!(program.get(&balance).await.str("balance"), ada.balance().await);
    }
    let gone = admin.send("DELETE", &format!("{PATH}/{BOOKS}/keys/{old_id}"), &[], None).await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    assert_eq!(old.refusal(&balance).await, refused(401, "api_key_revoked"));
    let rotated = admin.post(&format!("{}/rotate-secret", endpoint.path), json!({}), 200).await;
    admin.post(&format!("{}/test", endpoint.path), json!({}), 200).await;
    let probe = endpoint.sink.received("webhook.test", 1).await.remove(0);
    assert!(probe.is_signed_with(rotated.str("secret")) && probe.is_signed_with(&endpoint.secret));
    new
}

/// What the user has agreed to is a limit, and can be taken back.
async fn is_held_to_it(program: &Program, ada: &Account, shop: &Account) {
    let over = program.pay(shop, "20.01").await;
    assert_eq!((over.status.as_u16(), over.str("code")), (403, "consent_payment_limit"));
    let over = program.pay(shop, "18.00").await;
    assert_eq!((over.status.as_u16(), over.str("code")), (403, "consent_day_limit"));
    let path = format!("{GRANTS}/{BOOKS}");
    let taken_back = ada.person.client.send("DELETE", &path, &[], None).await;
    assert_eq!(taken_back.status, 200, "{}", taken_back.text);
    let balance = ada.path(&v1("/wallets/{}/balance"));
    assert_eq!(program.refusal(&balance).await, refused(403, "no_consent"));
    assert_eq!(program.pay(shop, "1.00").await.str("code"), "no_consent");
}

#[tokio::test]
async fn a_partner_integrates_keeps_books_and_is_held_to_what_was_agreed() {
    let server = Server::start_with(&LOCAL, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let shop = server.account(&admin, "shop", "DE").await;
    partner(&admin, BOOKS).await;
    let (key_id, api_key) = key(&admin, BOOKS, json!({ "label": "first" })).await;
    let program = Program::new(&server, &api_key, &ada);
    let balance = ada.path(&v1("/wallets/{}/balance"));
    assert_eq!(program.refusal(&balance).await, refused(403, "no_consent"), "not yet");
    let agreed = ada.person.client.post(GRANTS, all(BOOKS, "20.00", "30.00"), 201).await;
    assert_eq!((agreed.str("perPayment"), agreed.str("perDay")), ("20.00", "30.00"));
    let endpoint = Endpoint::register(&admin).await;
    pays_a_bill(&program, &endpoint, &shop).await;
    misses_nothing(&admin, &endpoint, &ada, &shop).await;
    keeps_the_books(&server, &api_key, &ada).await;
    let program =
        changes_its_keys(&server, &admin, &ada, (key_id.as_str(), &program), &endpoint).await;
    is_held_to_it(&program, &ada, &shop).await;
    ending::check(&server, &admin, &[&ada, &shop], &[]).await;
}
