//! People whom others trust: relatives, and accounts that are old enough to borrow and to vote.

use std::time::Duration;

use gx_contract::Command;
use gx_contract::identity::{ConfirmRelationship, RelationshipKind, RequestRelationship};
use gx_engine::Submission;
use gx_store::commands::State;
use gx_types::{AccountId, Actor};

use crate::client::{Client, new_key};
use crate::server::{Account, Server};

/// Gives a command of a user, and waits until it is carried out.
async fn give(server: &Server, by: AccountId, command: impl Into<Command>) {
    let (actor, key, command) = (Actor::User(by), new_key(), command.into());
    let submission =
        Submission { actor, key, command, signature: None, service: "identity", traceparent: None };
    let accepted = server.platform.outbox().submit(submission).await.unwrap();
    let waited = server.platform.waiters().wait(accepted.command_id, Duration::from_secs(20)).await;
    let state = waited.unwrap().unwrap();
    assert!(matches!(state, State::Committed { .. }), "{state:?}");
}

async fn relate(server: &Server, subject: &Account, kind: RelationshipKind, object: &Account) {
    let (subject_id, object_id) = (subject.ledger_id, object.ledger_id);
    give(server, subject_id, RequestRelationship { subject_id, object_id, kind }).await;
    let relationship_id = kind.id_between(subject_id, object_id);
    give(server, object_id, ConfirmRelationship { relationship_id }).await;
}

/// Somebody with a father, a spouse and a sibling, whose trust is 80, and the father.
pub(crate) async fn trusted(server: &Server, admin: &Client) -> (Account, Account) {
    let ada = server.account(admin, "ada", "DE").await;
    let father = server.account(admin, "father", "DE").await;
    let spouse = server.account(admin, "spouse", "DE").await;
    let sibling = server.account(admin, "sibling", "DE").await;
    relate(server, &father, RelationshipKind::FatherOf, &ada).await;
    relate(server, &ada, RelationshipKind::SpouseOf, &spouse).await;
    relate(server, &ada, RelationshipKind::SiblingOf, &sibling).await;
    (ada, father)
}
