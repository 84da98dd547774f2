//! A command's state, from accepted to its outcome, whichever way the outcome comes.

use gx_contract::Envelope;
use gx_store::commands::{self, State};
use gx_store::lease::Lease;
use gx_store::{Store, projection, submission};
use gx_types::{BatchId, CommandId, Role, TimeMs};

use crate::backend::{Backend, for_each_backend};
use crate::chain::{Chain, START, person};
use crate::outbox::{accept, transfers};
use crate::projection::apply;

async fn state(store: &Store, envelope: &Envelope) -> State {
    commands::status(store, &envelope.command_id).await.unwrap().unwrap().state
}

/// Sends what waits as one batch, and returns it as it was sent.
async fn send(store: &Store, lease: &Lease, id: BatchId) -> Vec<Envelope> {
    let run = submission::next_run(store, &[], 100, 1 << 20).await.unwrap().unwrap();
    let mut tx = store.begin().await.unwrap();
    submission::record_run(&mut tx, lease, &run, &[id], TimeMs(0)).await.unwrap();
    tx.commit().await.unwrap();
    run.batches[0].rows.iter().map(|row| row.envelope().unwrap()).collect()
}

/// A ledger with two users, applied.
async fn two_users(backend: &Backend) -> (Chain, Lease) {
    let lease = backend.projector().await;
    let mut chain = Chain::default();
    chain.bootstrap();
    chain.create_users(&[person(1), person(2)]);
    apply(&backend.store, &lease, &chain.blocks).await;
    (chain, lease)
}

#[test]
fn a_command_moves_from_queued_to_its_outcome() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (mut chain, projector) = two_users(&backend).await;
        let submitter = backend.submitter().await;
        let good = chain.transfer(&person(1), &person(2), "10");
        let bad = chain.transfer(&person(1), &person(2), "10000");
        accept(store, &[good.clone(), bad.clone()]).await;
        assert_eq!(state(store, &good).await, State::Queued);
        assert!(!state(store, &good).await.is_final());
        let batch_id = BatchId::from_u128(77);
        let sent = send(store, &submitter, batch_id).await;
        assert_eq!(sent, [good.clone(), bad.clone()]);
        for envelope in [&good, &bad] {
            assert_eq!(state(store, envelope).await, State::Submitted { batch_id });
        }
        chain.execute_as(batch_id, Role::PartnerApi, sent);
        apply(store, &projector, &chain.blocks[2..]).await;
        let at = TimeMs(START + 3000);
        assert_eq!(state(store, &good).await, State::Committed { block: 3, at });
        let State::Refused { block: 3, code, detail, .. } = state(store, &bad).await else {
            panic!("not refused")
        };
        assert_eq!(code, "insufficient_balance");
        assert!(!detail.is_empty());
        let status = commands::status(store, &good.command_id).await.unwrap().unwrap();
        assert_eq!((status.actor, status.role), (good.actor, Role::PartnerApi));
        assert_eq!(status.function, "TokenomicsContract:Transfer");
        assert!(status.state.is_final());
    });
}

#[test]
fn statuses_come_in_the_order_of_the_ids() {
    for_each_backend(|backend| async move {
        let mut chain = Chain::default();
        let envelopes = transfers(&mut chain, 70);
        accept(&backend.store, &envelopes).await;
        let mut ids: Vec<CommandId> =
            envelopes.iter().rev().map(|envelope| envelope.command_id).collect();
        ids.insert(30, CommandId::from_u128(1));
        let found = commands::statuses(&backend.store, &ids).await.unwrap();
        assert!(found[30].is_none());
        for (id, status) in ids.iter().zip(&found).filter(|(_, status)| status.is_some()) {
            assert_eq!(status.as_ref().unwrap().command_id, *id);
        }
        assert_eq!(found.iter().flatten().count(), 70);
    });
}

#[test]
fn a_batch_sent_twice_keeps_the_first_outcomes() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (mut chain, projector) = two_users(&backend).await;
        let submitter = backend.submitter().await;
        let good = chain.transfer(&person(1), &person(2), "10");
        let bad = chain.transfer(&person(1), &person(2), "10000");
        accept(store, &[good.clone(), bad.clone()]).await;
        let batch_id = BatchId::from_u128(77);
        let sent = send(store, &submitter, batch_id).await;
        chain.execute_as(batch_id, Role::PartnerApi, sent.clone());
        chain.execute_as(batch_id, Role::PartnerApi, sent);
        // Together and one by one: the second block repeats what the first one did.
        apply(store, &projector, &chain.blocks[2..]).await;
        assert!(matches!(state(store, &good).await, State::Committed { block: 3, .. }));
        assert!(matches!(state(store, &bad).await, State::Refused { block: 3, .. }));
    });
}

#[test]
fn an_outcome_of_before_the_outbox_row_is_found() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (mut chain, projector) = two_users(&backend).await;
        let submitter = backend.submitter().await;
        let good = chain.transfer(&person(1), &person(2), "10");
        let bad = chain.transfer(&person(1), &person(2), "10000");
        let mut other = chain.transfer(&person(1), &person(2), "11");
        // Sent by an outbox that was lost: the ledger has them, the database has only the block.
        chain.execute(Role::PartnerApi, vec![good.clone(), bad.clone(), other.clone()]);
        apply(store, &projector, &chain.blocks[2..]).await;
        let gx_contract::Command::Transfer(transfer) = &mut other.command else { unreachable!() };
        transfer.amount = gx_types::Amount::from_gx(12);
        accept(store, &[good.clone(), bad.clone(), other.clone()]).await;
        assert_eq!(state(store, &good).await, State::Queued);
        let batch_id = BatchId::from_u128(77);
        let sent = send(store, &submitter, batch_id).await;
        chain.execute_as(batch_id, Role::PartnerApi, sent);
        apply(store, &projector, &chain.blocks[3..]).await;
        let at = TimeMs(START + 3000);
        assert_eq!(state(store, &good).await, State::Committed { block: 3, at });
        assert!(matches!(state(store, &bad).await, State::Refused { block: 3, .. }));
        // Another command under an id that was used: that is its outcome, in the later block.
        let State::Refused { block: 4, code, .. } = state(store, &other).await else {
            panic!("not refused")
        };
        assert_eq!(code, "command_id_reused");
    });
}

#[test]
fn commands_of_a_foreign_batch_are_found_by_their_ids() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (mut chain, projector) = two_users(&backend).await;
        let mine = chain.transfer(&person(1), &person(2), "10");
        let foreign = chain.transfer(&person(2), &person(1), "10");
        accept(store, std::slice::from_ref(&mine)).await;
        chain.execute(Role::PartnerApi, vec![foreign.clone(), mine.clone()]);
        apply(store, &projector, &chain.blocks[2..]).await;
        assert!(matches!(state(store, &mine).await, State::Committed { block: 3, .. }));
        assert!(commands::status(store, &foreign.command_id).await.unwrap().is_none());
    });
}

#[test]
fn outcomes_survive_a_rebuild() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (mut chain, projector) = two_users(&backend).await;
        let submitter = backend.submitter().await;
        let good = chain.transfer(&person(1), &person(2), "10");
        accept(store, std::slice::from_ref(&good)).await;
        let batch_id = BatchId::from_u128(77);
        let sent = send(store, &submitter, batch_id).await;
        chain.execute_as(batch_id, Role::PartnerApi, sent);
        apply(store, &projector, &chain.blocks[2..]).await;
        let before = state(store, &good).await;
        let mut tx = store.begin().await.unwrap();
        projection::clear(&mut tx, &projector).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(state(store, &good).await, State::Submitted { batch_id });
        apply(store, &projector, &chain.blocks).await;
        assert_eq!(state(store, &good).await, before);
    });
}
