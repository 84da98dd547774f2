//! Partners: keys that are good for what a user has agreed to, and for nothing else.

use gx_contract::Command;
use gx_server::{Access, Route, Scope, Workers, routes};
use gx_store::admin::audit::{self, Filter};
use gx_types::{Actor, Role};
use serde_json::{Value, json};

use crate::client::{Client, Reply, new_key};
use crate::coverage::path_of;
use crate::server::{Account, Server, eventually};

pub(crate) const PATH: &str = "/api/v1/admin/partners";
pub(crate) const GRANTS: &str = "/api/v1/partners/grants";

/// A partner with every scope, a key, and what a user lets it do; its id and that of the key.
pub(crate) async fn made(admin: &Client, id: &str, user: Option<&Client>) -> (String, String) {
    partner(admin, id).await;
    let (key_id, _) = key(admin, id, json!({})).await;
    if let Some(user) = user {
        user.post(GRANTS, json!({ "partnerId": id, "scopes": ["balance:read"] }), 201).await;
    }
    (id.to_owned(), key_id)
}

/// A partner with every scope, and a key in full.
pub(crate) async fn keyed(admin: &Client, id: &str) -> String {
    partner(admin, id).await;
    key(admin, id, json!({})).await.1
}

pub(crate) async fn partner(admin: &Client, id: &str) {
    let scopes = Scope::ALL.map(Scope::as_str);
    let body = json!({ "partnerId": id, "name": format!("The {id}"), "scopes": scopes });
    admin.post(PATH, body, 201).await;
}

/// A new key: its id and the whole of it.
pub(crate) async fn key(admin: &Client, partner: &str, body: Value) -> (String, String) {
    let reply = admin.post(&format!("{PATH}/{partner}/keys"), body, 201).await;
    (reply.str("keyId").to_owned(), reply.str("apiKey").to_owned())
}

/// A time that a test can wait for.
pub(crate) fn soon() -> String {
    let ms = gx_engine::Clock::system().now().0 + 1500;
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

/// Everything, with these limits of payments.
pub(crate) fn all(partner: &str, per_payment: &str, per_day: &str) -> Value {
    json!({
        "partnerId": partner, "scopes": Scope::ALL.map(Scope::as_str),
        "perPayment": per_payment, "perDay": per_day,
    })
}

/// A program of a partner's.
pub(crate) struct Program {
    client: Client,
    key: String,
    user: String,
}

impl Program {
    pub(crate) fn new(server: &Server, key: &str, user: &Account) -> Self {
        let client = Client::new(server.client.address);
        Self { client, key: key.to_owned(), user: user.ledger_id.to_string() }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&str>) -> Reply {
        let id = new_key();
        let headers = [
            ("x-api-key", self.key.as_str()),
            ("x-on-behalf-of", &self.user),
            ("idempotency-key", &id),
            ("prefer", "wait=20"),
        ];
        self.client.send(method, path, &headers, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None).await
    }

    pub(crate) async fn pay(&self, to: &Account, amount: &str) -> Reply {
        let body = json!({ "toUserId": to.ledger_id, "amount": amount }).to_string();
        self.send("POST", "/api/v1/transfers", Some(&body)).await
    }

    /// Status and code of what is refused.
    pub(crate) async fn refusal(&self, path: &str) -> (u16, String) {
        let reply = self.get(path).await;
        (reply.status.as_u16(), reply.str("code").to_owned())
    }
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A super owner, two accounts, and a partner that has a key and nobody's consent.
async fn shop(server: &Server) -> (Client, Account, Account, String) {
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let bob = server.account(&admin, "bob", "DE").await;
    partner(&admin, "shop").await;
    let (_, key) = key(&admin, "shop", json!({})).await;
    (admin, ada, bob, key)
}

#[tokio::test]
async fn a_partner_does_what_the_user_has_agreed_to() {
    let server = Server::start().await;
    let (admin, ada, bob, key) = shop(&server).await;
    let program = Program::new(&server, &key, &ada);
    let balance = ada.path("/api/v1/wallets/{}/balance");
    assert_eq!(program.refusal(&balance).await, refused(403, "no_consent"));
    let agreed = ada.person.client.post(GRANTS, all("shop", "5.00", "8.00"), 201).await;
    assert_eq!((agreed.str("partnerName"), agreed.str("perDay")), ("The shop", "8.00"));
    assert_eq!(program.get(&balance).await.str("balance"), "500.00");
    for path in [
        "/api/v1/wallets/{}/transactions",
        "/api/v1/transactions/{}/history",
        "/api/v1/wallets/{}/statements",
    ] {
        assert_eq!(program.get(&ada.path(path)).await.status, 200, "{path}");
    }
    let paid = program.pay(&bob, "5.00").await;
    assert_eq!(paid.outcome(), "committed", "{}", paid.text);
    let status = format!("/api/v1/commands/{}", paid.str("commandId"));
    assert_eq!(program.get(&status).await.str("status"), "committed");

    let filter = Filter { actor: Some("partner:shop".to_owned()), ..Filter::default() };
    let rows = audit::page(server.platform.store(), &filter, None, 10).await.unwrap();
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.action, "TokenomicsContract:Transfer");
    assert_eq!(row.target, format!("user:{}", ada.person.id));
    assert!(row.details.contains(paid.str("commandId")) && !row.details.contains(&key));

    // What the user has paid is none of the partner's business, but for the history.
    let body = json!({ "toUserId": bob.ledger_id, "amount": "1.00" });
    let own = ada.person.client.settle("/api/v1/transfers", body).await;
    let status = format!("/api/v1/commands/{}", own.str("commandId"));
    assert_eq!(program.refusal(&status).await, refused(404, "not_found"));
    let bobs = bob.path("/api/v1/wallets/{}/balance");
    assert_eq!(program.refusal(&bobs).await, refused(404, "not_found"));

    let listed = ada.person.client.get(GRANTS, 200).await;
    assert_eq!(listed.body["data"][0]["partnerId"], "shop");
    let path = format!("{GRANTS}/shop");
    let reply = ada.person.client.send("DELETE", &path, &[], None).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(program.refusal(&balance).await, refused(403, "no_consent"));
    let shown = admin.get(&format!("{PATH}/shop"), 200).await;
    assert!(shown.body["keys"][0]["lastUsedAt"].is_string(), "{}", shown.text);
    assert!(!shown.text.contains(&key));
}

#[tokio::test]
async fn only_a_key_that_is_good_opens() {
    let server = Server::start().await;
    let (admin, ada, _, key_text) = shop(&server).await;
    ada.person.client.post(GRANTS, all("shop", "5.00", "8.00"), 201).await;
    let balance = ada.path("/api/v1/wallets/{}/balance");
    let with = |key: &str| Program::new(&server, key, &ada);
    assert_eq!(with(&key_text).get(&balance).await.status, 200);
    assert_eq!(server.client.get(&balance, 401).await.str("code"), "authorization_missing");
    let last = if key_text.ends_with('A') { "B" } else { "A" };
    let wrong_secret = format!("{}{last}", &key_text[..key_text.len() - 1]);
    let nobodys = format!("gxp_0123456789abcdef_{}", "x".repeat(43));
    for wrong in [wrong_secret.as_str(), &nobodys, "gxp_", "x"] {
        assert_eq!(with(wrong).refusal(&balance).await, refused(401, "api_key_invalid"));
    }

    let (old, old_text) = key(&admin, "shop", json!({ "label": "old" })).await;
    assert_eq!(with(&old_text).get(&balance).await.status, 200, "two are good at once");
    let path = format!("{PATH}/shop/keys/{old}");
    assert_eq!(admin.send("DELETE", &path, &[], None).await.status, 200);
    assert_eq!(with(&old_text).refusal(&balance).await, refused(401, "api_key_revoked"));
    assert_eq!(admin.send("DELETE", &path, &[], None).await.status, 404);

    let (_, short) = key(&admin, "shop", json!({ "expiresAt": soon() })).await;
    let short = with(&short);
    eventually("the key has expired", async || {
        let reply = short.get(&balance).await;
        (reply.status == 401 && reply.str("code") == "api_key_expired").then_some(())
    })
    .await;

    let (_, reader) = key(&admin, "shop", json!({ "scopes": ["history:read"] })).await;
    assert_eq!(with(&reader).refusal(&balance).await, refused(403, "scope_missing"));
    let patch = async |body: Value| {
        let (path, id) = (format!("{PATH}/shop"), new_key());
        let headers = [("idempotency-key", id.as_str())];
        let reply = admin.send("PATCH", &path, &headers, Some(&body.to_string())).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    };
    patch(json!({ "suspended": true })).await;
    assert_eq!(with(&key_text).refusal(&balance).await, refused(403, "partner_suspended"));
    patch(json!({ "suspended": false, "scopes": ["history:read"] })).await;
    assert_eq!(with(&key_text).refusal(&balance).await, refused(403, "scope_missing"));
    assert_eq!(admin.send("DELETE", &format!("{PATH}/shop"), &[], None).await.status, 200);
    assert_eq!(with(&key_text).refusal(&balance).await, refused(401, "api_key_revoked"));
    admin.get(&format!("{PATH}/shop"), 404).await;
    let again = json!({ "partnerId": "shop", "name": "Shop", "scopes": ["balance:read"] });
    let again = admin.post(PATH, again, 409).await;
    assert_eq!(again.str("code"), "partner_already_exists");
}

#[tokio::test]
async fn a_key_comes_in_its_header_from_its_networks_and_says_for_whom() {
    let settings = [("http.trusted_proxies", "127.0.0.0/8")];
    let server = Server::start_with(&settings, Workers::ALL).await;
    let (admin, ada, _, key_text) = shop(&server).await;
    ada.person.client.post(GRANTS, all("shop", "5.00", "8.00"), 201).await;
    let balance = ada.path("/api/v1/wallets/{}/balance");
    let user = ada.ledger_id.to_string();
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let reply = server.client.send("GET", path, headers, None).await;
        (reply.status.as_u16(), reply.body["code"].as_str().unwrap_or_default().to_owned())
    };
    for query in [format!("?api_key={key_text}"), format!("?asOfBlock={key_text}")] {
        let path = format!("{balance}{query}");
        assert_eq!(ask(&path, &[]).await, refused(400, "api_key_in_query"));
    }
    let key = ("x-api-key", key_text.as_str());
    assert_eq!(ask(&balance, &[key]).await, refused(400, "on_behalf_of_required"));
    let twice = [key, key, ("x-on-behalf-of", &user)];
    assert_eq!(ask(&balance, &twice).await, refused(401, "api_key_invalid"));
    let token = format!("Bearer {}", ada.person.client.token.as_deref().unwrap());
    let both = [key, ("x-on-behalf-of", &user), ("authorization", &token)];
    assert_eq!(ask(&balance, &both).await, refused(400, "two_credentials"));
    for nobody in ["nonsense", &ada.person.id, "DE 7K3 ABC123 1WXYZ 1234"] {
        let headers = [key, ("x-on-behalf-of", nobody)];
        assert_eq!(ask(&balance, &headers).await, refused(403, "no_consent"), "{nobody}");
    }
    let body = json!({ "networks": ["203.0.113.0/24"] });
    let (_, inside) = self::key(&admin, "shop", body).await;
    let from = async |address: &str| {
        let headers = [
            ("x-api-key", inside.as_str()),
            ("x-on-behalf-of", &user),
            ("x-forwarded-for", address),
        ];
        ask(&balance, &headers).await
    };
    assert_eq!(from("203.0.113.7").await.0, 200);
    assert_eq!(from("198.51.100.7").await, refused(403, "network_not_allowed"));
}

#[tokio::test]
async fn payments_stay_within_what_the_user_has_agreed_to() {
    let server = Server::start().await;
    let (_, ada, bob, key) = shop(&server).await;
    ada.person.client.post(GRANTS, all("shop", "6.00", "10.00"), 201).await;
    let (one, two) = (Program::new(&server, &key, &ada), Program::new(&server, &key, &ada));
    let over = one.pay(&bob, "6.000001").await;
    assert_eq!((over.status.as_u16(), over.str("code")), (403, "consent_payment_limit"));
    // Two at once that are too much together: one is taken.
    let (first, second) = tokio::join!(one.pay(&bob, "6.00"), two.pay(&bob, "6.00"));
    let (taken, over) = if first.status == 200 { (first, second) } else { (second, first) };
    assert_eq!(taken.outcome(), "committed", "{}", taken.text);
    assert_eq!((over.status.as_u16(), over.str("code")), (403, "consent_day_limit"));
    // What the ledger refuses does not count.
    let own = one.pay(&ada, "4.00").await;
    assert_eq!(own.outcome(), "same_account", "{}", own.text);
    // The same request again is the same payment.
    let id = new_key();
    let headers = [
        ("x-api-key", key.as_str()),
        ("x-on-behalf-of", &one.user),
        ("idempotency-key", &id),
        ("prefer", "wait=20"),
    ];
    let body = json!({ "toUserId": bob.ledger_id, "amount": "4.00" });
    let path = "/api/v1/transfers";
    let paid = one.client.post_with(path, body.clone(), &headers, 200).await;
    let again = one.client.post_with(path, body, &headers, 200).await;
    assert_eq!(again.str("commandId"), paid.str("commandId"));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let full = one.pay(&bob, "0.000001").await;
    assert_eq!(full.str("code"), "consent_day_limit", "{}", full.text);
    assert_eq!(bob.balance().await, "510.00");
    server.pass_days(1);
    // A block of the next day tells the platform which day it is.
    let body = json!({ "toUserId": bob.ledger_id, "amount": "1.00" });
    ada.person.client.settle("/api/v1/transfers", body).await;
    assert_eq!(one.pay(&bob, "6.00").await.outcome(), "committed");
}

#[tokio::test]
async fn who_is_frozen_or_signs_is_not_gone_around() {
    let server = Server::start().await;
    let (admin, ada, bob, key) = shop(&server).await;
    ada.person.client.post(GRANTS, all("shop", "5.00", "8.00"), 201).await;
    let program = Program::new(&server, &key, &ada);
    let balance = ada.path("/api/v1/wallets/{}/balance");
    let reason = json!({ "reason": "COMPLIANCE_REVIEW" });
    admin.settle(&ada.path("/api/v1/wallets/{}/freeze"), reason).await;
    assert_eq!(program.refusal(&balance).await, refused(403, "account_frozen"));
    admin.settle(&ada.path("/api/v1/wallets/{}/unfreeze"), json!({})).await;
    assert_eq!(program.get(&balance).await.status, 200);

    let id = new_key();
    let proof = crate::signing::proof(7, ada.ledger_id, &Actor::User(ada.ledger_id), &id);
    let body = json!({ "publicKey": crate::signing::public(7), "proof": proof });
    let headers = [("idempotency-key", id.as_str()), ("prefer", "wait=20")];
    let client = &ada.person.client;
    let reply = client.post_with("/api/v1/keys", body, &headers, 200).await;
    assert_eq!(reply.outcome(), "committed", "{}", reply.text);
    let unsigned = program.pay(&bob, "1.00").await;
    assert_eq!(unsigned.outcome(), "signature_missing", "{}", unsigned.text);
}

#[tokio::test]
async fn a_key_has_a_limit_of_its_own() {
    let server = Server::start().await;
    let (admin, ada, ..) = shop(&server).await;
    ada.person.client.post(GRANTS, all("shop", "5.00", "8.00"), 201).await;
    let (_, slow) = key(&admin, "shop", json!({ "requestsPerMinute": 2 })).await;
    let program = Program::new(&server, &slow, &ada);
    let balance = ada.path("/api/v1/wallets/{}/balance");
    for left in ["1", "0"] {
        assert_eq!(program.get(&balance).await.header("ratelimit-remaining"), left);
    }
    assert_eq!(program.refusal(&balance).await, refused(429, "rate_limited"));
    ada.person.client.get(&balance, 200).await;
}

#[tokio::test]
async fn what_is_wrong_is_told_with_every_field() {
    let server = Server::start().await;
    let (admin, ada, ..) = shop(&server).await;
    let fields = |reply: &Reply| {
        let details = reply.body["details"].as_array().unwrap().clone();
        details.iter().map(|one| one["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let client = &ada.person.client;
    let without = json!({ "partnerId": "shop", "scopes": ["transfer:create"],
        "expiresAt": "2001-01-01" });
    let reply = client.post(GRANTS, without, 400).await;
    assert_eq!(fields(&reply), ["perPayment", "perDay", "expiresAt"]);
    let nobody = json!({ "partnerId": "nobody", "scopes": ["balance:read"] });
    client.post(GRANTS, nobody, 404).await;
    let odd = json!({ "partnerId": "No", "name": "", "scopes": ["moon:land"] });
    let reply = admin.post(PATH, odd, 400).await;
    assert_eq!(fields(&reply), ["partnerId", "name", "scopes[0]"]);
    let past = json!({ "expiresAt": "2001-01-01", "networks": ["x"] });
    let reply = admin.post(&format!("{PATH}/shop/keys"), past, 400).await;
    assert_eq!(fields(&reply), ["networks[0]"]);
    for number in 1..10 {
        key(&admin, "shop", json!({ "label": format!("Key {number}") })).await;
    }
    let full = admin.post(&format!("{PATH}/shop/keys"), json!({}), 409).await;
    assert_eq!(full.str("code"), "too_many_keys");
}

/// With a key that is good, and no route names a scope by chance.
#[tokio::test]
async fn everything_else_is_closed_to_partners() {
    let server = Server::start().await;
    let (_, ada, _, key) = shop(&server).await;
    ada.person.client.post(GRANTS, all("shop", "5.00", "8.00"), 201).await;
    let program = Program::new(&server, &key, &ada);
    let is_closed = |route: &&Route| {
        let is_open = matches!(route.access(), Access::Public | Access::System);
        !is_open && route.partner_scope().is_none()
    };
    for route in routes().iter().filter(is_closed) {
        let body = route.mutates().then_some("{}");
        let reply = program.send(route.verb.as_str(), &path_of(route), body).await;
        assert_eq!((reply.status.as_u16(), reply.str("code")), (401, "authorization_missing"));
    }
    let open: Vec<String> = routes()
        .iter()
        .filter_map(|route| {
            let scope = route.partner_scope()?;
            Some(format!("{} {} {}", route.verb.as_str(), route.path, scope.as_str()))
        })
        .collect();
    let expected = [
        "DELETE /api/v1/partner/webhooks/{webhookId} events:read",
        "GET /api/v1/commands/{id} transfer:create",
        "GET /api/v1/partner/webhooks events:read",
        "GET /api/v1/partner/webhooks/{webhookId} events:read",
        "GET /api/v1/partner/webhooks/{webhookId}/deliveries events:read",
        "GET /api/v1/transactions/{userId}/history history:read",
        "GET /api/v1/wallets/{userId}/balance balance:read",
        "GET /api/v1/wallets/{userId}/statements statement:read",
        "GET /api/v1/wallets/{userId}/transactions history:read",
        "PATCH /api/v1/partner/webhooks/{webhookId} events:read",
        "POST /api/v1/partner/webhooks events:read",
        "POST /api/v1/partner/webhooks/{webhookId}/deliveries/{deliveryId}/replay events:read",
        "POST /api/v1/partner/webhooks/{webhookId}/rotate-secret events:read",
        "POST /api/v1/partner/webhooks/{webhookId}/test events:read",
        "POST /api/v1/transactions/transfer transfer:create",
        "POST /api/v1/transfers transfer:create",
    ];
    let mut open: Vec<&str> = open.iter().map(String::as_str).collect();
    open.sort_unstable();
    assert_eq!(open, expected);
}

#[test]
fn what_partners_give_goes_to_the_ledger_as_the_partner_api() {
    for route in routes().iter().filter(|route| route.partner_scope().is_some()) {
        let gates = route.command().and_then(Command::describe).map(|known| known.gates);
        let roles = gates.into_iter().flatten().map(|gate| gate.role);
        assert!(roles.into_iter().all(|role| role == Role::PartnerApi), "{route:?}");
    }
}
