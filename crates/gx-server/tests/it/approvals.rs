//! Four eyes off the ledger: who asks does not decide, and it is carried out once.

use serde_json::{Value, json};

use crate::client::Client;
use crate::decisions::colleague;
use crate::server::Server;

const PATH: &str = "/api/v1/admin/approvals";

pub(crate) async fn ask(client: &Client, body: Value) -> String {
    let reply = client.post(PATH, body, 201).await;
    assert_eq!(reply.body["approval"]["status"], "PENDING");
    reply.body["approval"]["id"].as_str().unwrap().to_owned()
}

pub(crate) fn close(user: &str) -> Value {
    json!({
        "requestType": "USER_CLOSE", "targetResource": user,
        "reason": "Asked for by the user in writing",
    })
}

fn role(admin: &str, role: &str) -> Value {
    json!({
        "requestType": "ADMIN_ROLE_CHANGE", "targetResource": admin, "payload": { "role": role },
        "reason": "The office is filled anew",
    })
}

pub(crate) fn approve() -> Value {
    json!({ "decision": "APPROVE" })
}

#[tokio::test]
async fn what_a_moderator_asks_for_is_done_once_when_another_has_approved() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let clerk = colleague(&server, "clerk", "MODERATOR").await;
    let ada = server.register("ada", "DE").await;
    let direct = format!("/api/v1/admin/users/{}/close", ada.id);
    clerk.post(&direct, json!({ "reason": "Asked for by letter" }), 403).await;
    let id = ask(&clerk, close(&ada.id)).await;
    let path = |what: &str| format!("{PATH}/{id}/{what}");
    clerk.post(&path("vote"), approve(), 403).await;
    let early = owner.post(&path("execute"), json!({}), 409).await;
    assert_eq!(early.str("code"), "not_approved");
    let reply = owner.post(&path("vote"), approve(), 200).await;
    assert_eq!(reply.body["approval"]["approverId"], "superowner");
    ada.client.get("/api/v1/users/profile", 200).await;
    let execute = path("execute");
    let (one, two) = tokio::join!(
        owner.send("POST", &execute, &[], Some("{}")),
        owner.send("POST", &execute, &[], Some("{}")),
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
    let refused = ada.client.get("/api/v1/users/profile", 403).await;
    assert_eq!(refused.str("code"), "account_closed");
    let shown = clerk.get(&format!("{PATH}/{id}"), 200).await;
    assert_eq!((shown.str("status"), shown.str("executedBy")), ("APPROVED", "superowner"));
    let late = clerk.post(&path("cancel"), json!({}), 409).await;
    assert_eq!(late.str("code"), "approval_already_processed");
}

#[tokio::test]
async fn nobody_decides_on_their_own() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let id = ask(&owner, close("u1")).await;
    let path = |what: &str| format!("{PATH}/{id}/{what}");
    let refused = owner.post(&path("vote"), approve(), 403).await;
    assert_eq!(refused.str("code"), "self_approval");
    let deputy = colleague(&server, "deputy", "SUPER_ADMIN").await;
    let reject = json!({ "decision": "REJECT", "reason": "There is no such letter" });
    let reply = deputy.post(&path("vote"), reject, 200).await;
    assert_eq!(reply.body["approval"]["status"], "REJECTED");
    let refused = owner.post(&path("execute"), json!({}), 409).await;
    assert_eq!(refused.str("code"), "approval_already_processed");
    let own = ask(&owner, close("u1")).await;
    let taken_back = owner.post(&format!("{PATH}/{own}/cancel"), json!({}), 200).await;
    assert_eq!(taken_back.body["approval"]["status"], "CANCELLED");
    deputy.post(&format!("{PATH}/{own}/cancel"), json!({}), 404).await;
}

#[tokio::test]
async fn two_do_not_give_what_neither_has() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let deputy = colleague(&server, "deputy", "SUPER_ADMIN").await;
    let other = colleague(&server, "other", "SUPER_ADMIN").await;
    let clerk = colleague(&server, "clerk", "MODERATOR").await;
    let vote = async |voter: &Client, body: Value| {
        let id = ask(&deputy, body).await;
        let reply = voter
            .send("POST", &format!("{PATH}/{id}/vote"), &[], Some(&approve().to_string()))
            .await;
        (id, reply)
    };
    for (target, to) in [("deputy", "SUPER_OWNER"), ("clerk", "SUPER_ADMIN")] {
        let (_, reply) = vote(&other, role(target, to)).await;
        assert_eq!((reply.status.as_u16(), reply.str("code")), (403, "role_not_below_own"));
    }
    let (_, reply) = vote(&other, role("other", "SUPER_OWNER")).await;
    assert_eq!(reply.str("code"), "own_account");
    let (id, reply) = vote(&owner, role("clerk", "ADMIN")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    owner.post(&format!("{PATH}/{id}/execute"), json!({}), 200).await;
    clerk.get("/api/v1/admin/admins", 200).await;
    // What can't be done is not noted as done.
    let (id, reply) = vote(&owner, close("nobody")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    owner.post(&format!("{PATH}/{id}/execute"), json!({}), 404).await;
    let shown = owner.get(&format!("{PATH}/{id}"), 200).await;
    assert!(shown.body["executedAt"].is_null());
}

#[tokio::test]
async fn ten_are_open_at_once_and_others_see_their_own() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let clerk = colleague(&server, "clerk", "MODERATOR").await;
    let other = colleague(&server, "other", "DEVELOPER").await;
    let mut last = String::new();
    for _ in 0..10 {
        last = ask(&clerk, close("u1")).await;
    }
    let refused = clerk.post(PATH, close("u1"), 409).await;
    assert_eq!(refused.str("code"), "too_many_open");
    let wrong = json!({
        "requestType": "USER_CLOSE", "targetResource": "u1", "payload": { "role": "ADMIN" },
        "reason": "A role means nothing here",
    });
    other.post(PATH, wrong, 400).await;
    let page = owner.get(&format!("{PATH}?limit=4&page=3&status=PENDING"), 200).await;
    assert_eq!(page.body["approvals"].as_array().unwrap().len(), 2);
    assert_eq!(page.body["pagination"]["total"], 10);
    for path in [PATH.to_owned(), format!("{PATH}?requesterId=clerk")] {
        assert_eq!(other.get(&path, 200).await.body["pagination"]["total"], 0, "{path}");
    }
    other.get(&format!("{PATH}/{last}"), 404).await;
    clerk.get(&format!("{PATH}/{last}"), 200).await;
    let kinds = owner.get(&format!("{PATH}?requestType=USER_SUSPEND"), 200).await;
    assert_eq!(kinds.body["pagination"]["total"], 0);
}
