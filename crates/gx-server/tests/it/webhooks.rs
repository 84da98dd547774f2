//! Webhooks: made, signed, delivered, sent again, refused where they lead inside.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use gx_server::{Route, Workers};
use gx_store::webhooks;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use crate::client::{Client, new_key};
use crate::coverage::{DELIVERY, fresh_admin, webhook};
use crate::decisions::colleague;
use crate::partners::keyed;
use crate::server::{Server, eventually};

const PATH: &str = "/api/v1/admin/webhooks";
const OF_PARTNERS: &str = "/api/v1/partner/webhooks";
pub(crate) const LOCAL: [(&str, &str); 1] = [("webhooks.allow_local", "true")];

/// An endpoint that remembers what it was told.
#[derive(Clone)]
pub(crate) struct Sink {
    address: SocketAddr,
    pub(crate) status: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<Message>>>,
}

#[derive(Clone)]
pub(crate) struct Message {
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether one of its signatures was made with a secret, as the specification says.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{at}.{}", self.body).as_bytes());
        let expected = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|one| one == expected)
    }
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sink =
            Self { address, status: Arc::new(AtomicU16::new(204)), received: Arc::default() };
        let inside = sink.clone();
        let router = Router::new().fallback(async move |headers: HeaderMap, body: String| {
            inside.received.lock().unwrap().push(Message { headers, body });
            let status = StatusCode::from_u16(inside.status.load(Ordering::SeqCst)).unwrap();
            (status, [(header::LOCATION, "https://10.0.0.1/")]).into_response()
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        sink
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/gx?from=test", self.address)
    }

    fn all(&self) -> Vec<Message> {
        self.received.lock().unwrap().clone()
    }

    /// Waits for messages of a type until there are so many.
    pub(crate) async fn received(&self, event_type: &str, count: usize) -> Vec<Message> {
        eventually(event_type, async || {
            let of_type = |message: &Message| message.json()["type"] == event_type;
            let found: Vec<Message> = self.all().into_iter().filter(of_type).collect();
            Some(found).filter(|found| found.len() >= count)
        })
        .await
    }
}

/// Makes an endpoint: its path and its secret.
pub(crate) async fn make(admin: &Client, url: &str, events: &[&str]) -> (String, String) {
    make_at(PATH, admin, url, events).await
}

async fn make_at(at: &str, keeper: &Client, url: &str, events: &[&str]) -> (String, String) {
    let body = json!({ "name": "Books", "url": url, "events": events });
    let made = keeper.post(at, body, 201).await;
    let path = format!("{at}/{}", made.body["webhook"]["id"].as_str().unwrap());
    (path, made.str("secret").to_owned())
}

/// The sample of a route for partners, from one with an endpoint that was told something.
pub(crate) async fn prepared(server: &Server, route: &Route) -> (Client, String, Option<String>) {
    let admin = fresh_admin(server).await.0;
    let key = keyed(&admin, &format!("n{}", new_key())).await;
    let partner = server.client.with_key(&key);
    let id = webhook(server, &partner, OF_PARTNERS).await;
    let path = route.path.replace("{webhookId}", &id).replace("{deliveryId}", DELIVERY);
    (partner, path, route.sample.map(str::to_owned))
}

pub(crate) async fn delivery(admin: &Client, path: &str, state: &str) -> Value {
    eventually(state, async || {
        let list = admin.get(&format!("{path}/deliveries?state={state}"), 200).await.body;
        Some(list["deliveries"][0].clone()).filter(|one| one.is_object())
    })
    .await
}

#[tokio::test]
async fn a_message_is_signed_as_the_specification_says_and_sent_again_on_demand() {
    let server = Server::start_with(&LOCAL, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let sink = Sink::start().await;
    let (path, secret) = make(&admin, &sink.url(), &["user.created", "transferred"]).await;
    let kept = admin.get(&path, 200).await;
    assert!(!kept.text.contains("whsec_"), "shown once");
    let stored = webhooks::list(server.platform.store(), None, 0, 1).await.unwrap().0;
    assert!(!stored[0].secret.contains(&secret[6..]), "sealed");

    let ada = server.account(&admin, "ada", "DE").await;
    let message = sink.received("user.created", 1).await.remove(0);
    assert!(message.is_signed_with(&secret));
    assert_eq!(message.header("content-type"), "application/json");
    let body = message.json();
    assert_eq!(body["data"]["event"]["userId"], json!(ada.ledger_id));
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));
    let id = message.header("webhook-id").to_owned();
    assert!(!id.contains('.') && id.starts_with("evt_"), "{id}");
    let delivered = delivery(&admin, &path, "DELIVERED").await;
    assert_eq!((&delivered["id"], &delivered["httpStatus"]), (&json!(id), &json!(204)));

    admin.post(&format!("{path}/deliveries/{id}/replay"), json!({}), 200).await;
    let again = sink.received("user.created", 2).await;
    assert_eq!((again[1].header("webhook-id"), &again[1].body), (id.as_str(), &message.body));
    admin.post(&format!("{path}/deliveries/evt_0_0_0/replay"), json!({}), 404).await;
    assert!(sink.all().iter().all(|one| one.json()["type"] == "user.created"), "asked for");

    let rotated = admin.post(&format!("{path}/rotate-secret"), json!({}), 200).await;
    let newer = rotated.str("secret").to_owned();
    admin.post(&format!("{path}/test"), json!({}), 200).await;
    let probe = sink.received("webhook.test", 1).await.remove(0);
    assert!(probe.is_signed_with(&newer) && probe.is_signed_with(&secret), "for a day both sign");
    assert_eq!(admin.send("DELETE", &path, &[], None).await.status, 200);
    admin.get(&path, 404).await;
}

#[tokio::test]
async fn a_redirect_is_no_way_inside_and_a_failure_is_tried_again() {
    let server = Server::start_with(&LOCAL, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let sink = Sink::start().await;
    sink.status.store(302, Ordering::SeqCst);
    let (path, _) = make(&admin, &sink.url(), &["*"]).await;
    server.account(&admin, "ada", "DE").await;
    let waiting = eventually("an attempt has failed", async || {
        let list = admin.get(&format!("{path}/deliveries"), 200).await.body;
        let all = list["deliveries"].as_array().unwrap();
        all.iter().find(|one| one["attempts"] == 1).cloned()
    })
    .await;
    assert_eq!((&waiting["state"], &waiting["httpStatus"]), (&json!("PENDING"), &json!(302)));
    assert!(waiting["nextRetryAt"].is_string());
    let seen = admin.get(&path, 200).await.body;
    assert!(seen["failureCount"].as_u64().unwrap() > 0 && seen["lastSuccessAt"].is_null());

    // A test is sent once, whatever comes of it.
    sink.status.store(500, Ordering::SeqCst);
    let asked = admin.post(&format!("{path}/test"), json!({}), 200).await;
    let failed = delivery(&admin, &path, "FAILED").await;
    assert_eq!(failed["id"], asked.str("deliveryId"));
    assert_eq!(admin.get(&path, 200).await.body["isActive"], true);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_its_owners_hear_of_it() {
    let server = Server::start_with(&LOCAL, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let auditor = colleague(&server, "auditor", "AUDITOR").await;
    let sink = Sink::start().await;
    sink.status.store(410, Ordering::SeqCst);
    let (path, _) = make(&admin, &sink.url(), &["transferred"]).await;
    admin.post(&format!("{path}/test"), json!({}), 200).await;
    eventually("it is disabled", async || {
        let seen = admin.get(&path, 200).await.body;
        (seen["isActive"] == false).then_some(())
    })
    .await;
    let told = admin.get("/api/v1/admin/notifications", 200).await.body;
    assert_eq!(told["notifications"][0]["type"], "WEBHOOK_DISABLED", "{told}");
    let others = auditor.get("/api/v1/admin/notifications", 200).await.body;
    assert_eq!(others["total"], 0);
    let log = admin.get("/api/v1/admin/audit-logs?action=webhook.disable", 200).await;
    assert!(log.text.contains("webhook.disable"), "{}", log.text);
    let refused = admin.post(&format!("{path}/test"), json!({}), 409).await;
    assert_eq!(refused.str("code"), "webhook_disabled");
    sink.status.store(200, Ordering::SeqCst);
    let headers = [("idempotency-key", &*new_key())];
    let back = json!({ "isActive": true, "events": ["loan.approved"] }).to_string();
    let back = admin.send("PATCH", &path, &headers, Some(&back)).await;
    assert_eq!(
        (&back.body["isActive"], &back.body["disabledReason"]),
        (&json!(true), &Value::Null)
    );
    admin.post(&format!("{path}/test"), json!({}), 200).await;
    delivery(&admin, &path, "DELIVERED").await;
    auditor.get(&path, 200).await;
    let headers = [("idempotency-key", &*new_key())];
    let denied = auditor.send("DELETE", &path, &headers, None).await;
    assert_eq!(denied.status, 403);
}

#[tokio::test]
async fn addresses_inside_are_refused_and_every_fault_is_told_at_once() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    for url in [
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "http://1.1.1.1/",
    ] {
        let body = json!({ "name": "Books", "url": url, "events": ["*"] });
        let refused = admin.post(PATH, body, 400).await;
        let fault = &refused.body["details"][0];
        assert_eq!(
            (&fault["field"], &fault["code"]),
            (&json!("url"), &json!("url_refused")),
            "{url}"
        );
    }
    let body = json!({ "name": "", "url": "ftp://hooks.example.org/", "events": ["gossip"] });
    let refused = admin.post(PATH, body, 400).await;
    let fields: Vec<&str> = refused.body["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["name", "url", "events[0]"]);
    assert_eq!(admin.get(PATH, 200).await.body["pagination"]["total"], 0);
    let known = server.client.get("/api/v1/webhooks/events", 200).await.body;
    let all = known["events"].as_array().unwrap();
    let transferred = all.iter().find(|one| one["type"] == "transferred").unwrap();
    let name = transferred["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
    assert!(known["$defs"][name]["properties"]["amount"].is_object(), "{transferred}");
}

/// What each of two payers has agreed to decides; the platform's own endpoint hears of both.
#[tokio::test]
async fn a_partner_hears_of_those_who_have_agreed_to_it() {
    let server = Server::start_with(&LOCAL, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let (ada, eve) =
        (server.account(&admin, "ada", "DE").await, server.account(&admin, "eve", "DE").await);
    let (sink, own) = (Sink::start().await, Sink::start().await);
    let shop = server.client.with_key(&keyed(&admin, "shop").await);
    let (path, secret) = make_at(OF_PARTNERS, &shop, &sink.url(), &["transferred"]).await;
    make(&admin, &own.url(), &["transferred"]).await;
    let agree = json!({ "partnerId": "shop", "scopes": ["events:read"] });
    ada.person.client.post("/api/v1/partners/grants", agree, 201).await;
    // Without the scope of events a consent says nothing of them.
    let other = json!({ "partnerId": "shop", "scopes": ["balance:read"] });
    eve.person.client.post("/api/v1/partners/grants", other, 201).await;
    let give = async |from: &crate::server::Account, amount: &str| {
        let body = json!({ "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": amount });
        let paid = from.person.client.settle("/api/v1/transfers", body).await;
        assert_eq!(paid.outcome(), "committed", "{}", paid.text);
    };
    give(&eve, "2.00").await;
    give(&ada, "3.00").await;
    assert_eq!(own.received("transferred", 2).await.len(), 2);
    let heard = sink.received("transferred", 1).await.remove(0);
    assert!(heard.is_signed_with(&secret));
    assert_eq!(heard.json()["data"]["event"]["from"], json!(ada.ledger_id));
    // It was told of in the order of the ledger, so the other payment was passed over.
    assert_eq!(sink.all().len(), 1, "eve has not agreed");
    let told = shop.get(&format!("{path}/deliveries"), 200).await;
    assert_eq!(told.body["pagination"]["total"], 1);

    // Nobody else has this endpoint, and it is none of the platform's.
    let rival = server.client.with_key(&keyed(&admin, "rival").await);
    rival.get(&path, 404).await;
    let headers = [("idempotency-key", &*new_key())];
    assert_eq!(rival.send("DELETE", &path, &headers, None).await.status, 404);
    admin.get(&path.replace("/partner/", "/admin/"), 404).await;
    assert_eq!(rival.get(OF_PARTNERS, 200).await.body["pagination"]["total"], 0);
    assert_eq!(admin.get(PATH, 200).await.body["pagination"]["total"], 1);
    for number in 0..9 {
        let body = json!({
            "name": format!("Books {number}"), "url": sink.url(), "events": ["loan.repaid"],
        });
        shop.post(OF_PARTNERS, body, 201).await;
    }
    let body = json!({ "name": "Books", "url": sink.url(), "events": ["*"] });
    assert_eq!(shop.post(OF_PARTNERS, body, 409).await.str("code"), "too_many_webhooks");
}
