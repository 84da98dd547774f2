//! What operators decide about dead commands, and the outbox as they see it.

use gx_store::commands::{self, State};
use gx_store::lease::Lease;
use gx_store::retention::{self, Kept};
use gx_store::submission::listing::{self, Listed, Stage};
use gx_store::submission::{self, DeadDecision, DecidedBy};
use gx_store::{Store, outbox, projection};
use gx_types::{BatchId, CommandId, Role, TimeMs};

use crate::backend::{Backend, for_each_backend};
use crate::chain::Chain;
use crate::outbox::{accept, new, transfers};

const AT: TimeMs = TimeMs(1_700_000_000_500);

/// Four accepted commands, the first two of them in a batch, the first of these dead.
async fn with_a_dead_one(backend: &Backend, lease: &Lease) -> Vec<(i64, CommandId)> {
    let store = &backend.store;
    let envelopes = transfers(&mut Chain::default(), 4);
    let accepted = accept(store, &envelopes).await;
    let run = submission::next_run(store, &[], 2, 1 << 20).await.unwrap().unwrap();
    let mut tx = store.begin().await.unwrap();
    submission::record_run(&mut tx, lease, &run, &[BatchId::from_u128(1)], AT).await.unwrap();
    let dead = accepted[0].seq();
    submission::mark_dead(&mut tx, lease, dead, "cannot be read", AT).await.unwrap();
    tx.commit().await.unwrap();
    let ids = envelopes.iter().map(|envelope| envelope.command_id);
    accepted.iter().map(|one| one.seq()).zip(ids).collect()
}

async fn decide(store: &Store, seq: i64, decision: DeadDecision) -> bool {
    let mut tx = store.begin().await.unwrap();
    let decided = DecidedBy { by: "admin:a1", note: "looked into", at: AT };
    let done = submission::decide_dead(&mut tx, seq, decision, decided).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn seqs(store: &Store, stage: Stage) -> Vec<i64> {
    let rows = listing::list(store, stage, None, None, 10).await.unwrap();
    rows.iter().map(|row| row.seq).collect()
}

async fn state(store: &Store, id: &CommandId) -> State {
    commands::status(store, id).await.unwrap().unwrap().state
}

#[test]
fn each_list_of_the_outbox_has_its_commands() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.submitter().await;
        let all = with_a_dead_one(&backend, &lease).await;
        assert_eq!(seqs(store, Stage::Dead).await, [all[0].0]);
        assert_eq!(seqs(store, Stage::Submitted).await, [all[1].0]);
        assert_eq!(seqs(store, Stage::Waiting).await, [all[2].0, all[3].0]);
        let run = submission::next_run(store, &[Role::PartnerApi], 1, 1 << 20).await;
        let run = run.unwrap().unwrap();
        let mut tx = store.begin().await.unwrap();
        submission::record_run(&mut tx, &lease, &run, &[], AT).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(seqs(store, Stage::Deferred).await, [all[2].0]);
        assert_eq!(seqs(store, Stage::Waiting).await, [all[3].0]);
        let before = |time| listing::list(store, Stage::Waiting, Some(time), None, 10);
        let row: Listed = before(TimeMs(i64::MAX)).await.unwrap().remove(0);
        assert_eq!((row.command_id, row.dead, row.decision), (all[3].1, None, None));
        assert!(before(row.created_at).await.unwrap().is_empty(), "only older ones");
        let after = listing::list(store, Stage::Dead, None, Some(all[0].0), 10).await.unwrap();
        assert!(after.is_empty());
    });
}

#[test]
fn a_dead_command_is_sent_again_once_for_each_decision() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.submitter().await;
        let all = with_a_dead_one(&backend, &lease).await;
        let (dead, id) = all[0];
        assert!(!decide(store, all[1].0, DeadDecision::Requeue).await, "it is not dead");
        assert!(decide(store, dead, DeadDecision::Requeue).await);
        assert!(!decide(store, dead, DeadDecision::Discard).await, "decided already");
        assert_eq!(state(store, &id).await, State::Queued);
        assert_eq!(commands::dead_count(store).await.unwrap(), 0);
        let waiting = submission::requeued(store, 10).await.unwrap();
        assert_eq!(waiting.iter().map(|row| row.seq).collect::<Vec<_>>(), [dead]);
        let later = TimeMs(AT.0 + 1);
        let mut tx = store.begin().await.unwrap();
        submission::mark_dead_again(&mut tx, &lease, dead, "as before", later).await.unwrap();
        tx.commit().await.unwrap();
        let reason = "as before".to_owned();
        assert_eq!(state(store, &id).await, State::Dead { reason, at: later, discarded: false });
        assert!(decide(store, dead, DeadDecision::Requeue).await, "it can be tried once more");
        let mut tx = store.begin().await.unwrap();
        submission::mark_sent_again(&mut tx, &lease, dead, later).await.unwrap();
        tx.commit().await.unwrap();
        assert!(submission::requeued(store, 10).await.unwrap().is_empty());
        assert_eq!(state(store, &id).await, State::Queued, "until it has its outcome");
    });
}

#[test]
fn what_is_discarded_stays_for_ever() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.submitter().await;
        let all = with_a_dead_one(&backend, &lease).await;
        let (dead, id) = all[0];
        assert!(decide(store, dead, DeadDecision::Discard).await);
        assert!(!decide(store, dead, DeadDecision::Requeue).await);
        let mut tx = store.begin().await.unwrap();
        submission::mark_dead(&mut tx, &lease, all[1].0, "this one as well", AT).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let gone = retention::purge(&mut tx, Kept::Commands, TimeMs(i64::MAX), 100).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(gone, 1, "only the one that was not discarded");
        assert!(commands::status(store, &all[1].1).await.unwrap().is_none());
        let reason = "cannot be read".to_owned();
        assert_eq!(state(store, &id).await, State::Dead { reason, at: AT, discarded: true });
        // Who gives it again finds it, and it is not sent.
        let again = transfers(&mut Chain::default(), 4);
        let mut tx = store.begin().await.unwrap();
        let found = outbox::insert(&mut tx, &[new(&again[0])]).await.unwrap();
        assert_eq!(found, [outbox::Inserted::Existing { seq: dead, same_body: true }]);
        tx.commit().await.unwrap();
        let found = projection::contradictions(store).await.unwrap();
        assert_eq!((found.lost, found.batches), (0, 0));
        let oldest = retention::oldest(store, Kept::Commands).await.unwrap();
        assert!(oldest.is_some(), "what waits to be sent");
    });
}
