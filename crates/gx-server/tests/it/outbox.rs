//! The outbox and the projector as operators see and steer them.

use gx_store::outbox::{self, NewCommand};
use gx_types::{Actor, CommandId, Role, TimeMs};
use serde_json::json;

use crate::client::{Client, new_key};
use crate::decisions::colleague;
use crate::server::{Server, eventually};

const PATH: &str = "/api/v1/admin/outbox";

/// A command that this build can't read, set aside by the submitter.
pub(crate) async fn dead_command(server: &Server, admin: &Client) -> String {
    let command_id = CommandId::derive(&Actor::System, &new_key());
    let new = NewCommand {
        command_id,
        actor: Actor::System,
        role: Role::Admin,
        function: "FutureContract:DoSomething",
        args: "{}".to_owned(),
        signature: None,
        service: "admin".to_owned(),
        traceparent: None,
        created_at: TimeMs(1_700_000_000_000),
    };
    let mut tx = server.platform.store().begin().await.unwrap();
    outbox::insert(&mut tx, &[new]).await.unwrap();
    tx.commit().await.unwrap();
    let id = command_id.to_string();
    assert_eq!(server.settled(admin, &id).await, "dead");
    id
}

fn because() -> serde_json::Value {
    json!({ "reason": "Looked into by the office" })
}

#[tokio::test]
async fn a_dead_command_is_sent_again_or_discarded_for_ever() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let id = dead_command(&server, &admin).await;
    let list = admin.get(&format!("{PATH}?state=DEAD"), 200).await;
    let row = &list.body["data"][0];
    assert_eq!(
        (&row["commandId"], &row["function"]),
        (&json!(id), &json!("FutureContract:DoSomething"))
    );
    assert!(row["deadReason"].is_string() && row["args"].is_null(), "{row}");
    assert!(admin.get(PATH, 200).await.body["data"].as_array().unwrap().is_empty());
    let young = format!("{PATH}?state=DEAD&olderThanSeconds=315360000");
    assert!(admin.get(&young, 200).await.body["data"].as_array().unwrap().is_empty());
    let path = |what: &str| format!("{PATH}/{id}/{what}");
    let reply = admin.post(&path("requeue"), because(), 200).await;
    assert_eq!(reply.str("decision"), "REQUEUE");
    // This build still can't read it.
    assert_eq!(server.settled(&admin, &id).await, "dead");
    let reply = admin.post(&path("discard"), because(), 200).await;
    assert_eq!((reply.str("decision"), reply.str("decidedBy")), ("DISCARD", "admin:superowner"));
    for what in ["requeue", "discard"] {
        let refused = admin.post(&path(what), because(), 409).await;
        assert_eq!(refused.str("code"), "not_dead");
    }
    let told = admin.get(&format!("/api/v1/commands/{id}"), 200).await;
    assert_eq!(told.str("status"), "dead");
    assert!(told.str("message").contains("discarded"), "{}", told.text);
    let list = admin.get(&format!("{PATH}?state=DEAD"), 200).await;
    assert_eq!(list.body["data"][0]["decision"]["decision"], "DISCARD");
}

#[tokio::test]
async fn only_dead_commands_are_decided_about_and_only_by_those_who_may() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let reply = admin.settle("/api/v1/admin/bootstrap", json!({ "userId": null })).await;
    let id = reply.str("commandId").to_owned();
    let refused = admin.post(&format!("{PATH}/{id}/requeue"), because(), 409).await;
    assert_eq!(refused.str("code"), "not_dead");
    admin.post(&format!("{PATH}/nothing/requeue"), because(), 404).await;
    let clerk = colleague(&server, "clerk", "ADMIN").await;
    clerk.get(PATH, 200).await;
    clerk.post(&format!("{PATH}/{id}/discard"), because(), 403).await;
}

#[tokio::test]
async fn read_models_are_filled_anew_while_the_platform_runs() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let path = "/api/v1/admin/projector";
    let before = admin.get(path, 200).await;
    assert_eq!((&before.body["lagBlocks"], &before.body["isLed"]), (&json!(0), &json!(true)));
    assert!(before.body["rebuild"].is_null());
    let asked = admin.post(&format!("{path}/rebuild"), because(), 202).await;
    assert_eq!((asked.str("status"), asked.str("requestedBy")), ("REQUESTED", "admin:superowner"));
    rebuilt(&admin).await;
    let after = admin.get(path, 200).await;
    assert_eq!(after.body["appliedHash"], before.body["appliedHash"]);
    assert_eq!(after.body["rebuild"]["percent"], 100);
    assert_eq!(ada.balance().await, "500.00");
}

/// Waits until the last rebuild is done.
pub(crate) async fn rebuilt(admin: &Client) {
    eventually("the read models are filled again", async || {
        let shown = admin.get("/api/v1/admin/projector", 200).await;
        Some(()).filter(|()| shown.body["rebuild"]["status"] == "FINISHED")
    })
    .await;
}
