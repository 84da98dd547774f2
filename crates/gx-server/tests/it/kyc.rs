//! Applications to have an identity accepted: submitted, reviewed, decided.

use gx_server::Workers;
use gx_store::admin::audit::{self, Filter};
use gx_store::identity::{kyc, users};
use serde_json::{Value, json};

use crate::client::Client;
use crate::decisions::colleague;
use crate::documents::uploaded;
use crate::server::{Person, Server};

fn passport(number: &str) -> Value {
    json!({ "documentType": "PASSPORT", "documentNumber": number, "issuingCountry": "DE",
        "expiryDate": "2099-12-31" })
}

async fn apply(person: &Person, body: Value) -> String {
    let path = format!("/api/v1/users/{}/kyc", person.id);
    let reply = person.client.post(&path, body, 201).await;
    assert_eq!(reply.body["kycRecord"]["status"], "PENDING");
    reply.str("kycId").to_owned()
}

async fn standing(person: &Person) -> Value {
    person.client.get(&format!("/api/v1/users/{}/kyc", person.id), 200).await.body
}

async fn decide(admin: &Client, person: &Person, what: &str, expect: u16) -> Value {
    let body = match what {
        "deny" => json!({ "reason": "The picture cannot be read" }),
        _ => json!({ "notes": "Seen" }),
    };
    admin.post(&format!("/api/v1/admin/users/{}/{what}", person.id), body, expect).await.body
}

#[tokio::test]
async fn an_application_is_reviewed_and_accepted() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let ada = server.register("ada", "DE").await;
    assert_eq!(standing(&ada).await["kycStatus"], Value::Null);
    let document = uploaded(&ada, "PASSPORT").await;
    let kyc_id = apply(&ada, passport("L01X 00T47")).await;
    let path = format!("/api/v1/users/{}/kyc", ada.id);
    let again = ada.client.post(&path, passport("L01X00T47"), 409).await;
    assert_eq!(again.str("code"), "kyc_under_review");
    let reply =
        ada.client.send("DELETE", &format!("/api/v1/documents/{document}"), &[], None).await;
    assert_eq!((reply.status.as_u16(), reply.str("code")), (409, "document_submitted"));

    let queue = admin.get("/api/v1/admin/kyc", 200).await;
    let first = &queue.body["data"][0];
    assert_eq!((&first["kycId"], &first["email"]), (&json!(kyc_id), &json!(ada.email)));
    assert!(!queue.text.contains("L01X"), "{}", queue.text);
    let review = admin.get(&format!("/api/v1/admin/kyc/{kyc_id}"), 200).await;
    assert_eq!(review.str("documentNumber"), "L01X00T47");
    assert_eq!(review.body["documents"][0]["documentId"], document.as_str());
    admin.get(&format!("/api/v1/documents/{document}/url"), 200).await;
    let rows = audit::page(server.platform.store(), &Filter::default(), None, 100).await.unwrap();
    for action in ["kyc.submit", "kyc.view", "document.view"] {
        assert!(rows.iter().any(|row| row.action == action), "{action}");
    }
    let row = kyc::get(server.platform.store(), &kyc_id).await.unwrap().unwrap();
    assert!(!row.details.contains("L01X"), "{}", row.details);

    let decided = decide(&admin, &ada, "approve", 200).await;
    assert_eq!(decided["status"], "APPROVED_PENDING_ONCHAIN");
    let user = admin.get(&format!("/api/v1/admin/users/{}", ada.id), 200).await;
    assert_eq!(user.body["kyc"]["status"], "APPROVED");
    assert_eq!(user.body["kyc"]["verifierDetails"], "Seen");
    let standing = standing(&ada).await;
    assert_eq!(standing["kycStatus"]["status"], "APPROVED");
    assert_eq!(standing["limits"]["tier"], "TIER2");
    assert_eq!(ada.client.get("/api/v1/users/profile", 200).await.str("tier"), "TIER2");
    assert_eq!(admin.get("/api/v1/admin/kyc", 200).await.body["data"], json!([]));
    let nothing_new = ada.client.post(&path, passport("L01X00T47"), 409).await;
    assert_eq!(nothing_new.str("code"), "kyc_already_approved");
}

#[tokio::test]
async fn whoever_is_denied_learns_why_and_applies_again() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let ada = server.register("ada", "DE").await;
    apply(&ada, passport("L01X00T47")).await;
    decide(&admin, &ada, "deny", 200).await;
    let rejected = standing(&ada).await;
    assert_eq!(rejected["kycStatus"]["status"], "REJECTED");
    assert_eq!(rejected["kycStatus"]["verifierDetails"], "The picture cannot be read");
    assert_eq!(rejected["limits"]["tier"], "TIER1");
    let profile = ada.client.get("/api/v1/users/profile", 200).await;
    assert_eq!(profile.str("status"), "DENIED");
    apply(&ada, passport("L01X00T47")).await;
    let profile = ada.client.get("/api/v1/users/profile", 200).await;
    assert_eq!(profile.str("status"), "PENDING_ADMIN_APPROVAL");
    decide(&admin, &ada, "approve", 200).await;
    decide(&admin, &ada, "deny", 409).await;
}

#[tokio::test]
async fn the_same_number_is_told_to_reviewers_alone() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let (ada, eve) = (server.register("ada", "DE").await, server.register("eve", "DE").await);
    apply(&ada, passport("L01X00T47")).await;
    let path = format!("/api/v1/users/{}/kyc", eve.id);
    let reply = eve.client.post(&path, passport("l01x-00t47"), 201).await;
    assert!(!reply.text.contains("uplicate") && !reply.text.contains(&ada.id), "{}", reply.text);
    let review = admin.get(&format!("/api/v1/admin/kyc/{}", reply.str("kycId")), 200).await;
    assert_eq!(review.body["duplicateNumber"], true);
    assert_eq!(review.body["sameNumber"], json!([ada.id]));
    // Another country has numbers of its own.
    let bob = server.register("bob", "IN").await;
    let mut other = passport("L01X00T47");
    other["issuingCountry"] = json!("IN");
    let kyc_id = apply(&bob, other).await;
    let review = admin.get(&format!("/api/v1/admin/kyc/{kyc_id}"), 200).await;
    assert_eq!(review.body["sameNumber"], json!([]));
    // Who was known by an address is known by the document from the approval on.
    let store = server.platform.store();
    let before = users::get(store, &ada.id).await.unwrap().unwrap().identity_hash;
    decide(&admin, &ada, "approve", 200).await;
    decide(&admin, &eve, "approve", 200).await;
    let hash = async |id: &str| users::get(store, id).await.unwrap().unwrap().identity_hash;
    assert_ne!(hash(&ada.id).await, before);
    assert_eq!(hash(&ada.id).await, hash(&eve.id).await, "the ledger takes one of them");
}

#[tokio::test]
async fn the_queue_is_paged_and_for_reviewers() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let mut expected = Vec::new();
    let mut document = String::new();
    for name in ["ada", "bob", "cyd"] {
        let person = server.register(name, "DE").await;
        document = uploaded(&person, "PASSPORT").await;
        expected.push(apply(&person, passport("L01X00T47")).await);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = admin.get(&format!("/api/v1/admin/kyc?limit=1{cursor}"), 200).await;
        seen.push(page.body["data"][0]["kycId"].as_str().unwrap().to_owned());
        if let Some(next) = page.body["nextCursor"].as_str() {
            cursor = format!("&cursor={next}");
        }
    }
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, expected, "each once");
    admin.get("/api/v1/admin/kyc?cursor=nowhere", 400).await;
    admin.get("/api/v1/admin/kyc/nothing", 404).await;
    let auditor = colleague(&server, "auditor", "AUDITOR").await;
    auditor.get("/api/v1/admin/kyc", 403).await;
    auditor.get(&format!("/api/v1/documents/{document}/url"), 403).await;
    let moderator = colleague(&server, "moderator", "MODERATOR").await;
    moderator.get(&format!("/api/v1/documents/{document}/url"), 200).await;
}

#[tokio::test]
async fn established_wallets_apply_as_they_always_did() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let ada = server.register("ada", "DE").await;
    let mut body = passport("L01X00T47");
    body["biometricHash"] = json!("abc");
    body["documents"] = json!([{ "type": "ID_FRONT", "url": "https://files.example.org/a.png" }]);
    let reply = ada.client.post("/api/v1/users/kyc/submit", body, 200).await;
    assert_eq!(reply.str("status"), "SUBMITTED");
    let review = admin.get(&format!("/api/v1/admin/kyc/{}", reply.str("kycId")), 200).await;
    assert_eq!(review.body["declared"], json!(["ID_FRONT"]));
    assert_eq!(review.body["documents"], json!([]));
    let bob = server.register("bob", "DE").await;
    let body = json!({ "evidenceHash": "a".repeat(64), "evidenceSize": 1000,
        "evidenceMime": "image/png" });
    apply(&bob, body).await;
    assert_eq!(standing(&bob).await["kycStatus"]["evidenceSize"], 1000);
}

#[tokio::test]
async fn every_fault_of_an_application_is_listed() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ada = server.register("ada", "DE").await;
    let path = format!("/api/v1/users/{}/kyc", ada.id);
    let codes = async |body: Value| -> Vec<String> {
        let reply = ada.client.post(&path, body, 400).await;
        let details = reply.body["details"].as_array().unwrap();
        let line =
            |d: &Value| format!("{} {}", d["field"].as_str().unwrap(), d["code"].as_str().unwrap());
        details.iter().map(line).collect()
    };
    assert_eq!(codes(json!({})).await, ["documentType required"]);
    let body = json!({ "documentType": "PASSPORT", "documentNumber": "L01X00T47",
        "expiryDate": "2001-01-01", "issuedDate": "2190-01-01" });
    let expected =
        ["issuingCountry required", "expiryDate document_expired", "issuedDate date_in_future"];
    assert_eq!(codes(body).await, expected);
    let body = json!({ "documentType": "MEMBER", "documentNumber": "?", "evidenceHash": "x" });
    let expected = [
        "documentType invalid_document_type",
        "documentNumber too_short",
        "evidenceHash invalid_hash",
    ];
    assert_eq!(codes(body).await, expected);
}

#[tokio::test]
async fn somebody_with_an_account_applies_for_more() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await.person;
    uploaded(&ada, "PASSPORT").await;
    apply(&ada, passport("L01X00T47")).await;
    let decided = decide(&admin, &ada, "approve", 200).await;
    assert_eq!(decided["status"], "ACTIVE");
    assert_eq!(standing(&ada).await["limits"]["tier"], "TIER2");
    uploaded(&ada, "PROOF_OF_ADDRESS").await;
    apply(&ada, json!({ "documentType": "PROOF_OF_ADDRESS" })).await;
    let decided = decide(&admin, &ada, "deny", 200).await;
    assert_eq!(decided["status"], "ACTIVE");
    assert_eq!(standing(&ada).await["limits"]["tier"], "TIER2");
    uploaded(&ada, "UTILITY_BILL").await;
    apply(&ada, json!({ "documentType": "UTILITY_BILL" })).await;
    decide(&admin, &ada, "approve", 200).await;
    let limits = standing(&ada).await["limits"].clone();
    assert_eq!((&limits["tier"], &limits["liftedBy"]), (&json!("TIER3"), &Value::Null));
}
