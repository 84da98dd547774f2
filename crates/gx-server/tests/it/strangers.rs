//! Somebody else's id in every route that has one in its path.
//!
//! The route table is walked, so that no route can be forgotten: one with a parameter that has no
//! line in the table of ids fails until it gets one.

use std::collections::BTreeMap;

use gx_server::{Access, Route, routes};
use serde_json::{Value, json};

use crate::client::{Client, new_key};
use crate::organization::{active, initiate as initiate_payment};
use crate::recovery::{initiate as initiate_recovery, nominate, register_key};
use crate::server::{Account, PASSWORD, Server};
use crate::trust::trusted;

/// What is everybody's to see and to act on, so that no id of it is somebody's.
const FOR_EVERYBODY: &str = "/api/v1/proposals/";

/// Ids that nobody has: the tests of their routes make some that somebody has.
const OF_NOBODY: [(&str, &str); 6] = [
    ("documentId", "00000000000000000000000000000007"),
    ("kycId", "00000000000000000000000000000007"),
    ("notificationId", "00000000000000000000000000000007"),
    ("partnerId", "nobodys-partner"),
    ("passkeyId", "AAAAAAAAAAAAAAAAAAAAAA"),
    ("requestCode", "QS-AAAAAAAAAAAAAAAA"),
];

/// What stands where in paths, by the name of the parameter.
type Ids = BTreeMap<&'static str, String>;

#[tokio::test]
async fn an_id_of_somebody_else_opens_nothing_in_any_route() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (ada, ids) = things_of_somebody(&server, &admin).await;
    let eve = server.account(&admin, "eve", "DE").await;
    let before = belongings(&ada).await;
    let mut open = Vec::new();
    let mut walked = 0;
    let by_users = |route: &&Route| matches!(route.access(), Access::User | Access::Either);
    for route in routes().iter().filter(by_users).filter(|route| route.path.contains('{')) {
        if route.path.starts_with(FOR_EVERYBODY) {
            continue;
        }
        let path = filled(route.path, route, &ids).replace(' ', "%20");
        let body = route.sample.map(|sample| filled_body(sample, &ids));
        let headers = [("idempotency-key", &*new_key()), ("prefer", "wait=20")];
        let client = &eve.person.client;
        let reply = client.send(route.verb.as_str(), &path, &headers, body.as_deref()).await;
        let kept_out = match reply.status.as_u16() {
            403 | 404 => true,
            // The ledger looks whose it is: a command's place in the queue says nothing of it.
            200 => reply.body["status"] == "refused",
            _ => false,
        };
        if !kept_out {
            open.push(format!("{route:?} answers {}: {}", reply.status, reply.text));
        }
        walked += 1;
    }
    assert!(open.is_empty(), "to somebody else:\n{}", open.join("\n"));
    assert!(walked > 30, "{walked}");
    assert_eq!(belongings(&ada).await, before, "nothing of hers has changed");
}

/// The routes by which an id could be guessed are those that take one; lists show one's own.
#[tokio::test]
async fn lists_hold_nothing_of_somebody_else() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let (_, ids) = things_of_somebody(&server, &admin).await;
    let eve = server.account(&admin, "eve", "DE").await;
    for path in [
        "sessions",
        "beneficiaries",
        "relationships",
        "recovery",
        "recovery/wards",
        "escrows",
        "organizations",
        "transactions/pending",
        "keys",
        "wallets/limits",
    ] {
        let reply = eve.person.client.get(&format!("/api/v1/{path}"), 200).await;
        for (name, id) in &ids {
            assert!(!reply.text.contains(id.as_str()), "{path} shows her {name}: {}", reply.text);
        }
    }
}

/// Somebody with one of everything, and the ids.
async fn things_of_somebody(server: &Server, admin: &Client) -> (Account, Ids) {
    let (ada, father) = trusted(server, admin).await;
    let bob = server.account(admin, "bob", "DE").await;
    let recovery = recovery(server, admin, &bob, &father).await;
    server.pass_days(31);
    let client = &ada.person.client;
    let loan = json!({
        "amount": "500", "purpose": "A kiln", "durationDays": 180,
        "collateralHash": "c".repeat(64),
    });
    let loan = made(client, "/api/v1/loans", loan, "loanId").await;
    let org = active(&[&ada, &father]).await;
    let ptx = initiate_payment(&ada, &org, &bob, "10.00").await;
    let asked = json!({ "userId": bob.ledger_id, "type": "FRIEND_OF" });
    let relationship = made(client, "/api/v1/relationships", asked, "relationshipId").await;
    let escrow = json!({ "toUserId": bob.ledger_id, "amount": "10.00", "expiresAt": in_hours(48) });
    let escrow = made(client, "/api/v1/escrows", escrow, "escrowId").await;
    let payment = json!({ "toUserId": bob.ledger_id, "amount": "1.00" });
    let command = made(client, "/api/v1/transfers", payment, "commandId").await;
    let friend = json!({ "name": "A friend", "walletAddress": bob.ledger_id });
    let kept = client.post("/api/v1/beneficiaries", friend, 201).await;
    let login =
        json!({ "email": ada.person.email, "password": PASSWORD, "deviceFingerprint": "phone" });
    server.client.post("/api/v1/auth/login", login, 200).await;
    let session = client.get("/api/v1/sessions", 200).await;
    let device = client.get("/api/v1/devices", 200).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ids = [
        ("accountId", ada.ledger_id.to_string()),
        ("beneficiaryId", text(&kept.body["beneficiary"]["id"])),
        ("commandId", command),
        ("deviceId", text(&device.body["data"][0]["id"])),
        ("escrowId", escrow),
        ("loanId", loan),
        ("orgId", org),
        ("platformId", ada.person.id.clone()),
        ("ptxId", ptx),
        ("recoveryId", recovery),
        ("relationshipId", relationship),
        ("sessionId", text(&session.body["data"][0]["id"])),
        ("userId", ada.ledger_id.to_string()),
    ];
    (ada, ids.into_iter().collect())
}

/// Gives a command that makes something, and says its id.
async fn made(client: &Client, path: &str, body: Value, id: &str) -> String {
    let reply = client.settle(path, body).await;
    assert_eq!(reply.outcome(), "committed", "{path}: {}", reply.text);
    reply.str(id).to_owned()
}

/// The recovery of an account with a key, which one of its guardians has begun.
async fn recovery(server: &Server, admin: &Client, bob: &Account, father: &Account) -> String {
    let carol = server.account(admin, "carol", "DE").await;
    let dora = server.account(admin, "dora", "DE").await;
    register_key(&dora, 7).await;
    let guardians = [bob.ledger_id, father.ledger_id, carol.ledger_id];
    let named = nominate(&dora, 7, &guardians).await;
    assert_eq!(named.outcome(), "committed", "{}", named.text);
    let begun = initiate_recovery(bob, &dora, 8).await;
    assert_eq!(begun.outcome(), "committed", "{}", begun.text);
    begun.str("recoveryId").to_owned()
}

fn in_hours(hours: u32) -> String {
    // After the days that have passed, by the clock of the ledger.
    let at = gx_engine::Clock::system().now().plus_days(31).plus_hours(hours);
    jiff::Timestamp::from_millisecond(at.0).unwrap().to_string()
}

/// What she has and what others would change of it.
async fn belongings(ada: &Account) -> Vec<Value> {
    let mut all = vec![json!(ada.balance().await)];
    for path in ["beneficiaries", "relationships", "recovery", "escrows", "keys"] {
        all.push(ada.person.client.get(&format!("/api/v1/{path}"), 200).await.body);
    }
    let sessions = ada.person.client.get("/api/v1/sessions", 200).await;
    all.push(json!(sessions.body["data"].as_array().unwrap().len()));
    all
}

/// The path with her ids in it.
fn filled(pattern: &str, route: &Route, ids: &Ids) -> String {
    let mut path = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        let name = match (name, before) {
            ("id", before) if before.ends_with("/commands/") => "commandId",
            ("id", before) if before.ends_with("/users/") => "platformId",
            _ => name,
        };
        let of_nobody = OF_NOBODY.iter().find(|(known, _)| *known == name);
        let id = ids.get(name).map(String::as_str).or(of_nobody.map(|(_, id)| *id));
        let id = id.unwrap_or_else(|| panic!("{route:?}: an id of somebody for {name} is missing"));
        path.push_str(before);
        path.push_str(id);
        rest = after;
    }
    path + rest
}

/// The sample with her ids in it, and anything where the moment would give something.
fn filled_body(sample: &str, ids: &Ids) -> String {
    let ledger = ids["accountId"].as_str();
    let known = [("{ledgerId}", ledger), ("{userId}", ledger), ("{id}", &ids["platformId"])];
    known.iter().fold(sample.to_owned(), |body, (name, id)| body.replace(name, id))
}
