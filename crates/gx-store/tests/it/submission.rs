//! Every accepted command is sent once, in order, also when rows become visible late.

use std::collections::BTreeSet;

use gx_contract::Envelope;
use gx_contract::admin::ResumeSystem;
use gx_store::lease::{self, Lease};
use gx_store::submission::{self, BatchNo, Run};
use gx_store::{Class, Engine, Store, Tx, commands, outbox};
use gx_types::{Actor, BatchId, Role, TimeMs};

use crate::backend::{Backend, TTL, for_each_backend, run};
use crate::chain::{Chain, admin, person};
use crate::outbox::{accept, new, transfers};

const AT: TimeMs = TimeMs(1_700_000_000_500);

async fn next(store: &Store, max: usize) -> Option<Run> {
    submission::next_run(store, max, 1 << 20).await.unwrap()
}

async fn record(store: &Store, lease: &Lease, run: &Run, batch: u128) -> BatchNo {
    let mut tx = store.begin().await.unwrap();
    let id = BatchId::from_u128(batch);
    let number = submission::record_batch(&mut tx, lease, run, id, AT).await.unwrap();
    tx.commit().await.unwrap();
    number
}

fn seqs(run: &Run) -> Vec<i64> {
    run.rows.iter().map(|row| row.seq).collect()
}

/// Takes one run, if there is one, and returns its numbers.
async fn take(store: &Store, lease: &Lease, max: usize, batch: u128) -> Vec<i64> {
    let Some(run) = next(store, max).await else { return Vec::new() };
    record(store, lease, &run, batch).await;
    seqs(&run)
}

#[test]
fn runs_are_of_one_role_and_within_limits() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut chain = Chain::default();
        let mut envelopes = transfers(&mut chain, 5);
        envelopes.push(chain.envelope(Actor::Admin(admin()), ResumeSystem {}));
        envelopes.push(chain.envelope(Actor::Admin(admin()), ResumeSystem {}));
        envelopes.extend(transfers(&mut chain, 2));
        accept(store, &envelopes).await;
        let lease = backend.submitter().await;
        let mut sizes = Vec::new();
        for batch in 0.. {
            let Some(run) = next(store, 3).await else { break };
            assert!(run.rows.iter().all(|row| row.role == run.role));
            assert_eq!(seqs(&run), seqs(&next(store, 3).await.unwrap()), "until it is recorded");
            sizes.push((run.role, run.rows.len()));
            record(store, &lease, &run, batch).await;
        }
        let (user, admin) = (Role::PartnerApi, Role::SuperAdmin);
        assert_eq!(sizes, [(user, 3), (user, 2), (admin, 2), (user, 2)]);
    });
}

#[test]
fn a_run_is_cut_by_its_bytes_but_never_empty() {
    for_each_backend(|backend| async move {
        let mut chain = Chain::default();
        accept(&backend.store, &transfers(&mut chain, 4)).await;
        let one = submission::next_run(&backend.store, 10, 1).await.unwrap().unwrap();
        assert_eq!(one.rows.len(), 1);
        let bytes = one.rows[0].args.len();
        let two = submission::next_run(&backend.store, 10, 2 * bytes).await.unwrap().unwrap();
        assert_eq!(two.rows.len(), 2);
    });
}

#[test]
fn what_waits_is_counted() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let waiting = submission::waiting(store).await.unwrap();
        assert_eq!((waiting.queued, waiting.oldest), (0, None));
        let mut chain = Chain::default();
        accept(store, &transfers(&mut chain, 4)).await;
        let waiting = submission::waiting(store).await.unwrap();
        assert_eq!(waiting.queued, 4);
        assert!(waiting.oldest.is_some());
        let lease = backend.submitter().await;
        let batch = record(store, &lease, &next(store, 3).await.unwrap(), 1).await;
        let waiting = submission::waiting(store).await.unwrap();
        assert_eq!((waiting.queued, waiting.unanswered_batches), (1, 1));
        assert!(waiting.unanswered_since.is_some());
        let mut tx = store.begin().await.unwrap();
        submission::mark_answered(&mut tx, &lease, batch).await.unwrap();
        tx.commit().await.unwrap();
        let waiting = submission::waiting(store).await.unwrap();
        assert_eq!((waiting.unanswered_batches, waiting.unanswered_since), (0, None));
    });
}

#[test]
fn an_unanswered_batch_is_found_as_it_was_sent() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut chain = Chain::default();
        accept(store, &transfers(&mut chain, 10)).await;
        let lease = backend.submitter().await;
        let mut sent = Vec::new();
        for batch in 1..=3 {
            let run = next(store, 3).await.unwrap();
            sent.push((record(store, &lease, &run, batch).await, batch, run.rows));
        }
        let mut tx = store.begin().await.unwrap();
        submission::mark_answered(&mut tx, &lease, sent[0].0).await.unwrap();
        tx.commit().await.unwrap();
        let found = submission::unanswered(store).await.unwrap();
        assert_eq!(found.len(), 2);
        for (found, (number, id, rows)) in found.iter().zip(&sent[1..]) {
            assert_eq!((found.batch_no, found.batch_id), (*number, BatchId::from_u128(*id)));
            assert_eq!((found.role, found.submitted_at), (Role::PartnerApi, AT));
            assert_eq!(&found.rows, rows);
        }
    });
}

#[test]
fn a_dead_command_leaves_its_batch_and_blocks_nobody() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut chain = Chain::default();
        let envelopes = transfers(&mut chain, 4);
        accept(store, &envelopes).await;
        let lease = backend.submitter().await;
        let run = next(store, 4).await.unwrap();
        record(store, &lease, &run, 1).await;
        let dead = run.rows[2].seq;
        let mut tx = store.begin().await.unwrap();
        for reason in ["cannot be read", "the first reason counts"] {
            submission::mark_dead(&mut tx, &lease, dead, reason, AT).await.unwrap();
        }
        tx.commit().await.unwrap();
        let found = submission::unanswered(store).await.unwrap();
        let left: Vec<i64> = found[0].rows.iter().map(|row| row.seq).collect();
        assert_eq!(left, [run.rows[0].seq, run.rows[1].seq, run.rows[3].seq]);
        let state = commands::status(store, &envelopes[2].command_id).await.unwrap().unwrap().state;
        let reason = "cannot be read".to_owned();
        assert_eq!(state, commands::State::Dead { reason, at: AT });
        let listed = commands::dead(store, None, 10).await.unwrap();
        assert_eq!((listed.len(), listed[0].seq), (1, dead));
        assert_eq!(commands::dead_count(store).await.unwrap(), 1);
        assert!(commands::dead(store, Some(dead), 10).await.unwrap().is_empty());
    });
}

#[test]
fn who_has_lost_the_lease_records_nothing() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut chain = Chain::default();
        accept(store, &transfers(&mut chain, 4)).await;
        let old = backend.submitter().await;
        let run = next(store, 2).await.unwrap();
        lease::release(store, &old).await.unwrap();
        let new = lease::acquire(store, lease::SUBMITTER, "new", TTL).await.unwrap().unwrap();
        async fn refused(tx: &mut Tx, lease: &Lease, run: &Run) -> Class {
            let id = BatchId::from_u128(9);
            submission::record_batch(tx, lease, run, id, AT).await.unwrap_err().class()
        }
        let mut tx = store.begin().await.unwrap();
        assert_eq!(refused(&mut tx, &old, &run).await, Class::LeaseLost);
        drop(tx);
        record(store, &new, &run, 1).await;
        // The run that was taken over cannot be recorded twice, even under a good lease.
        let mut tx = store.begin().await.unwrap();
        assert_eq!(refused(&mut tx, &new, &run).await, Class::LeaseLost);
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        let error = submission::mark_answered(&mut tx, &old, BatchNo(1)).await.unwrap_err();
        assert_eq!(error.class(), Class::LeaseLost);
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        let error = submission::mark_dead(&mut tx, &old, 1, "no", AT).await.unwrap_err();
        assert_eq!(error.class(), Class::LeaseLost);
    });
}

/// Inserts without committing.
async fn hold(store: &Store, envelopes: &[Envelope]) -> (Tx, Vec<i64>) {
    let rows: Vec<_> = envelopes.iter().map(new).collect();
    let mut tx = store.begin().await.unwrap();
    let inserted = outbox::insert(&mut tx, &rows).await.unwrap();
    (tx, inserted.iter().map(|one| one.seq()).collect())
}

fn gaps(backend: &Backend) -> String {
    backend.database().sql("SELECT gaps FROM submission").unwrap()
}

#[test]
fn a_row_that_commits_late_is_taken_late() {
    run(async {
        let backend = Backend::migrated(Engine::Postgres).await;
        let store = &backend.store;
        let lease = backend.submitter().await;
        let mut chain = Chain::default();
        let (late, late_seqs) = hold(store, &transfers(&mut chain, 3)).await;
        let early = accept(store, &transfers(&mut chain, 2)).await;
        let early: Vec<i64> = early.iter().map(|one| one.seq()).collect();
        assert!(late_seqs < early);
        // Later rows go on, and nothing else comes as long as the transaction is open.
        assert_eq!(take(store, &lease, 10, 1).await, early);
        assert_ne!(gaps(&backend), "[]");
        assert!(take(store, &lease, 10, 2).await.is_empty());
        late.commit().await.unwrap();
        // A part at a time: what is left stays known.
        assert_eq!(take(store, &lease, 2, 3).await, late_seqs[..2]);
        let more = accept(store, &transfers(&mut chain, 1)).await[0].seq();
        assert_eq!(take(store, &lease, 10, 4).await, [late_seqs[2], more]);
        assert_eq!(gaps(&backend), "[]");
        assert!(next(store, 10).await.is_none());
    });
}

#[test]
fn a_gap_that_was_rolled_back_is_dropped() {
    run(async {
        let backend = Backend::migrated(Engine::Postgres).await;
        let store = &backend.store;
        let lease = backend.submitter().await;
        let mut chain = Chain::default();
        let (lost, _) = hold(store, &transfers(&mut chain, 3)).await;
        accept(store, &transfers(&mut chain, 1)).await;
        take(store, &lease, 10, 1).await;
        assert_ne!(gaps(&backend), "[]");
        lost.rollback().await.unwrap();
        // The horizon is that of the whole server: transactions of other tests hold it back.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        for batch in 2.. {
            accept(store, &transfers(&mut chain, 1)).await;
            assert_eq!(take(store, &lease, 10, batch).await.len(), 1);
            if gaps(&backend) == "[]" {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{}", gaps(&backend));
        }
    });
}

#[test]
fn a_batch_across_a_gap_is_found_as_it_was_sent() {
    run(async {
        let backend = Backend::migrated(Engine::Postgres).await;
        let store = &backend.store;
        let lease = backend.submitter().await;
        let mut chain = Chain::default();
        accept(store, &transfers(&mut chain, 1)).await;
        let (late, late_seqs) = hold(store, &transfers(&mut chain, 1)).await;
        let envelopes = transfers(&mut chain, 1);
        accept(store, &envelopes).await;
        let run = next(store, 10).await.unwrap();
        assert_eq!(run.rows.len(), 2);
        record(store, &lease, &run, 1).await;
        late.commit().await.unwrap();
        // The late row lies between the batch's rows and does not belong to it.
        assert_eq!(submission::unanswered(store).await.unwrap()[0].rows, run.rows);
        let late_row = next(store, 10).await.unwrap().rows.remove(0);
        assert_eq!(late_row.seq, late_seqs[0]);
        let state = commands::status(store, &late_row.command_id).await.unwrap().unwrap().state;
        assert_eq!(state, commands::State::Queued);
        let state = commands::status(store, &envelopes[0].command_id).await.unwrap().unwrap().state;
        assert_eq!(state, commands::State::Submitted { batch_id: BatchId::from_u128(1) });
    });
}

/// Small, fast and the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[test]
fn transactions_that_end_in_any_order_lose_and_double_nothing() {
    run(async {
        for seed in 0..6 {
            let backend = Backend::migrated(Engine::Postgres).await;
            let store = &backend.store;
            let lease = backend.submitter().await;
            let mut chain = Chain::default();
            let mut dice = Dice(seed);
            let mut open: Vec<(Tx, Vec<i64>)> = Vec::new();
            let (mut committed, mut taken) = (BTreeSet::new(), Vec::new());
            for step in 0..80 {
                match dice.roll(5) {
                    0 | 1 if open.len() < 6 => {
                        let count = 1 + usize::try_from(dice.roll(4)).unwrap();
                        open.push(hold(store, &transfers(&mut chain, count)).await);
                    }
                    2 if !open.is_empty() => {
                        let which = usize::try_from(dice.roll(6)).unwrap() % open.len();
                        let (tx, seqs) = open.swap_remove(which);
                        tx.commit().await.unwrap();
                        committed.extend(seqs);
                    }
                    3 if !open.is_empty() => open.swap_remove(0).0.rollback().await.unwrap(),
                    _ => taken.extend(take(store, &lease, 5, step).await),
                }
            }
            for (tx, seqs) in open {
                tx.commit().await.unwrap();
                committed.extend(seqs);
            }
            for step in 1000.. {
                let seqs = take(store, &lease, 5, step).await;
                if seqs.is_empty() {
                    break;
                }
                taken.extend(seqs);
            }
            let once: BTreeSet<i64> = taken.iter().copied().collect();
            assert_eq!(once.len(), taken.len(), "nothing twice, seed {seed}");
            assert_eq!(once, committed, "nothing lost, seed {seed}");
        }
    });
}

#[test]
fn a_writer_and_the_submitter_side_by_side_lose_nothing() {
    for_each_backend(|backend| async move {
        let store = backend.store.clone();
        let lease = backend.submitter().await;
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..4 {
            let store = store.clone();
            writers.spawn(async move {
                let mut chain = Chain::default();
                for _ in 0..30 {
                    let mut envelopes = transfers(&mut chain, 5);
                    for envelope in &mut envelopes {
                        envelope.actor = Actor::User(person(100 + writer));
                        let key = envelope.command_id.to_string();
                        let id = gx_types::CommandId::derive(&envelope.actor, &key);
                        envelope.command_id = id;
                    }
                    accept(&store, &envelopes).await;
                }
            });
        }
        let mut taken = Vec::new();
        let mut batch = 0;
        loop {
            let over = writers.is_empty();
            batch += 1;
            let seqs = take(&store, &lease, 64, batch).await;
            if over && seqs.is_empty() {
                break;
            }
            taken.extend(seqs);
            while let Some(done) = writers.try_join_next() {
                done.unwrap();
            }
        }
        let once: BTreeSet<i64> = taken.iter().copied().collect();
        assert_eq!((once.len(), taken.len()), (600, 600));
    });
}
