//! A dead command that operators want sent again has its outcome, and read models that they want
//! filled anew are as before.

use gx_store::commands::State;
use gx_store::projection::rebuild;
use gx_store::submission::{self, DeadDecision, DecidedBy};
use gx_store::{Engine, lease, projection};
use gx_types::{BatchId, TimeMs};

use super::rig::{Rig, until};
use crate::LEASE_TTL;

async fn what_is_sent_again_is_settled(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(2).await;
    submitter.abort();
    let paid = rig.pay(users[0], users[1], 1_000_000, "payment").await.unwrap();
    let id = paid.command_id;
    // As a build does that can't read the command.
    until("the submitter's lease is free", async || {
        let held = lease::acquire(&rig.store, lease::SUBMITTER, "test", LEASE_TTL).await.unwrap();
        let Some(held) = held else { return false };
        let run = submission::next_run(&rig.store, &[], 10, 1 << 20).await.unwrap().unwrap();
        let seq = run.batches[0].rows[0].seq;
        let mut tx = rig.store.begin().await.unwrap();
        let (ids, at) = ([BatchId::from_u128(9)], TimeMs(1));
        submission::record_run(&mut tx, &held, &run, &ids, at).await.unwrap();
        submission::mark_dead(&mut tx, &held, seq, "cannot be read", at).await.unwrap();
        tx.commit().await.unwrap();
        lease::release(&rig.store, &held).await.unwrap();
        true
    })
    .await;
    let status = rig.waiters.status(id).await.unwrap().unwrap();
    assert!(matches!(status.state, State::Dead { discarded: false, .. }), "{:?}", status.state);
    let _successor = rig.start_submitter();
    let decided = DecidedBy { by: "admin:root", note: "this build can", at: TimeMs(2) };
    let mut tx = rig.store.begin().await.unwrap();
    let (seq, requeue) = (status.seq, DeadDecision::Requeue);
    assert!(submission::decide_dead(&mut tx, seq, requeue, decided).await.unwrap());
    tx.commit().await.unwrap();
    let state = rig.outcome(paid).await;
    assert!(matches!(state, State::Committed { .. }), "{state:?}");
    until("it is not sent once more", async || {
        submission::requeued(&rig.store, 10).await.unwrap().is_empty()
    })
    .await;
    rig.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_settled_on_sqlite() {
    what_is_sent_again_is_settled(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_settled_on_postgres() {
    what_is_sent_again_is_settled(Engine::Postgres).await;
}

async fn read_models_are_filled_anew_on_demand(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(2).await;
    let before = projection::position(&rig.store).await.unwrap();
    let mut tx = rig.store.begin().await.unwrap();
    assert!(rebuild::ask(&mut tx, "admin:root", "to be sure", TimeMs(1)).await.unwrap());
    tx.commit().await.unwrap();
    until("the rebuild is done", async || {
        let asked = rebuild::last(&rig.store).await.unwrap().unwrap();
        asked.finished_at.is_some()
    })
    .await;
    let asked = rebuild::last(&rig.store).await.unwrap().unwrap();
    assert!(asked.started_at.is_some() && asked.target_block.is_some(), "{asked:?}");
    let after = projection::position(&rig.store).await.unwrap();
    assert_eq!((after.checkpoint, after.totals), (before.checkpoint, before.totals));
    // The projector goes on from there, and remembers nothing of what was before.
    let paid = rig.pay(users[0], users[1], 1_000_000, "payment").await.unwrap();
    assert!(matches!(rig.outcome(paid).await, State::Committed { .. }));
    rig.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_are_filled_anew_on_demand_on_sqlite() {
    read_models_are_filled_anew_on_demand(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_are_filled_anew_on_demand_on_postgres() {
    read_models_are_filled_anew_on_demand(Engine::Postgres).await;
}
