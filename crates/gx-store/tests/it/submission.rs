//! Every accepted command is sent once, in order, also when rows become visible late.

use std::collections::BTreeSet;

use gx_contract::Envelope;
use gx_contract::admin::ResumeSystem;
use gx_store::lease::{self, Lease};
use gx_store::outbox::Queued;
use gx_store::submission::{self, BatchNo, Run, Stuck, listing};
use gx_store::{Class, Engine, Store, Tx, commands, outbox};
use gx_types::{Actor, BatchId, Role, TimeMs};

use crate::backend::{Backend, TTL, for_each_backend, run};
use crate::chain::{Chain, admin, person};
use crate::outbox::{accept, new, transfers};

const AT: TimeMs = TimeMs(1_700_000_000_500);

async fn next(store: &Store, max: usize) -> Option<Run> {
    submission::next_run(store, &[], max, 1 << 20).await.unwrap()
}

/// Records a run; its batches are numbered from `batch` on.
async fn record(store: &Store, lease: &Lease, run: &Run, batch: u128) {
    let mut tx = store.begin().await.unwrap();
    let ids: Vec<_> = (batch..).map(BatchId::from_u128).take(run.batches.len()).collect();
    submission::record_run(&mut tx, lease, run, &ids, AT).await.unwrap();
    tx.commit().await.unwrap();
}

fn numbers(rows: &[Queued]) -> Vec<i64> {
    rows.iter().map(|row| row.seq).collect()
}

fn seqs(run: &Run) -> Vec<i64> {
    run.batches.iter().flat_map(|batch| numbers(&batch.rows)).collect()
}

/// Takes one run, if there is one, and returns its numbers.
async fn take(store: &Store, lease: &Lease, max: usize, batch: u128) -> Vec<i64> {
    let Some(run) = next(store, max).await else { return Vec::new() };
    record(store, lease, &run, batch).await;
    seqs(&run)
}

/// Commands of users and of a super admin, in turn.
async fn mixed(store: &Store, chain: &mut Chain, pairs: usize) -> (Vec<i64>, Vec<i64>) {
    let mut envelopes = Vec::new();
    for _ in 0..pairs {
        envelopes.extend(transfers(chain, 1));
        envelopes.push(chain.envelope(Actor::Admin(admin()), ResumeSystem {}));
    }
    let seqs: Vec<i64> = accept(store, &envelopes).await.iter().map(|one| one.seq()).collect();
    let of = |first: usize| seqs.iter().copied().skip(first).step_by(2).collect();
    (of(0), of(1))
}

#[test]
fn a_run_has_a_batch_for_each_lane_and_keeps_within_limits() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (users, admins) = mixed(store, &mut Chain::default(), 4).await;
        let lease = backend.submitter().await;
        let (user, admin) = (Role::PartnerApi, Role::SuperAdmin);
        for (batch, part) in [(1, 0..2), (3, 2..3), (5, 3..4)] {
            let max = if batch == 1 { 4 } else { 2 };
            let run = next(store, max).await.unwrap();
            assert_eq!(seqs(&run), seqs(&next(store, max).await.unwrap()), "until it is recorded");
            let found: Vec<_> =
                run.batches.iter().map(|one| (one.role, numbers(&one.rows))).collect();
            let expected = [(user, users[part.clone()].to_vec()), (admin, admins[part].to_vec())];
            assert_eq!(found, expected);
            record(store, &lease, &run, batch).await;
        }
        assert!(next(store, 2).await.is_none());
    });
}

#[test]
fn a_stuck_lane_holds_up_no_other_and_makes_up_in_order() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (user, admin) = (Role::PartnerApi, Role::SuperAdmin);
        let lease = backend.submitter().await;
        let mut chain = Chain::default();
        let (users, admins) = mixed(store, &mut chain, 3).await;
        let first = next(store, 2).await.unwrap();
        record(store, &lease, &first, 1).await;
        let stuck =
            |max| async move { submission::next_run(store, &[admin], max, 1 << 20).await.unwrap() };
        let run = stuck(10).await.unwrap();
        assert_eq!((run.commands(), seqs(&run)), (4, users[1..].to_vec()));
        record(store, &lease, &run, 3).await;
        assert!(stuck(10).await.is_none(), "what is deferred stays");
        // Both batches that are on their way are known, whoever leads next.
        let found = submission::unanswered(store).await.unwrap();
        let found: Vec<_> = found.iter().map(|batch| (batch.role, numbers(&batch.rows))).collect();
        let sent = [(admin, admins[..1].to_vec()), (user, users[1..].to_vec())];
        assert_eq!(found, sent);
        let waiting = submission::waiting(store).await.unwrap();
        assert_eq!((waiting.queued, waiting.unanswered_batches), (2, 2));
        assert!(waiting.oldest.is_some());
        // A run of nothing but a stuck lane moves the cursor as well.
        let more = chain.envelope(Actor::Admin(self::admin()), ResumeSystem {});
        let more = accept(store, &[more]).await[0].seq();
        let run = stuck(10).await.unwrap();
        assert_eq!((run.commands(), run.batches.len()), (1, 0));
        record(store, &lease, &run, 4).await;
        // The lane is free: older commands first, and newer ones not before these.
        let (_, newer) = mixed(store, &mut chain, 1).await;
        let mut sent = Vec::new();
        for batch in 5.. {
            let Some(run) = next(store, 2).await else { break };
            for one in run.batches.iter().filter(|one| one.role == admin) {
                sent.extend(numbers(&one.rows));
            }
            record(store, &lease, &run, batch * 10).await;
        }
        let expected = [&admins[1..], &[more][..], &newer[..]].concat();
        assert_eq!(sent, expected);
        let contradictions = gx_store::projection::contradictions(store).await.unwrap();
        assert!(!contradictions.cursor_misplaced && contradictions.lost == 0);
    });
}

#[test]
fn why_a_lane_is_stuck_is_known_to_all() {
    for_each_backend(|backend| async move {
        let (store, role) = (&backend.store, Role::Admin);
        let lease = backend.submitter().await;
        let reason = "x".repeat(2000);
        let stuck = Stuck { since: AT, class: "misconfigured".to_owned(), reason };
        for state in [Some(&stuck), None] {
            let mut tx = store.begin().await.unwrap();
            submission::set_stuck(&mut tx, &lease, role, state).await.unwrap();
            tx.commit().await.unwrap();
            let found = submission::waiting(store).await.unwrap().stuck;
            let found: Vec<_> = found.iter().map(|lane| (lane.role, lane.stuck.since)).collect();
            assert_eq!(found, state.iter().map(|state| (role, state.since)).collect::<Vec<_>>());
        }
    });
}

#[test]
fn a_run_is_cut_by_its_bytes_but_never_empty() {
    for_each_backend(|backend| async move {
        let mut chain = Chain::default();
        accept(&backend.store, &transfers(&mut chain, 4)).await;
        let within = async |bytes| {
            submission::next_run(&backend.store, &[], 10, bytes).await.unwrap().unwrap()
        };
        let one = within(1).await;
        assert_eq!(one.commands(), 1);
        let bytes = one.batches[0].rows[0].args.len();
        assert_eq!(within(2 * bytes).await.commands(), 2);
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
        record(store, &lease, &next(store, 3).await.unwrap(), 1).await;
        let waiting = submission::waiting(store).await.unwrap();
        assert_eq!((waiting.queued, waiting.unanswered_batches), (1, 1));
        assert!(waiting.unanswered_since.is_some());
        let mut tx = store.begin().await.unwrap();
        submission::mark_answered(&mut tx, &lease, Role::PartnerApi).await.unwrap();
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
        for batch in 1..=3 {
            let run = next(store, 3).await.unwrap();
            record(store, &lease, &run, batch).await;
            // A batch is recorded when all before it in its lane are answered.
            let found = submission::unanswered(store).await.unwrap();
            let [found] = &found[..] else { panic!("{found:?}") };
            let number = i64::try_from(batch).unwrap();
            assert_eq!(
                (found.batch_no, found.batch_id),
                (BatchNo(number), BatchId::from_u128(batch))
            );
            assert_eq!((found.role, found.submitted_at), (Role::PartnerApi, AT));
            assert_eq!(found.rows, run.batches[0].rows);
        }
        let mut tx = store.begin().await.unwrap();
        submission::mark_answered(&mut tx, &lease, Role::PartnerApi).await.unwrap();
        tx.commit().await.unwrap();
        assert!(submission::unanswered(store).await.unwrap().is_empty());
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
        let rows = &run.batches[0].rows;
        let dead = rows[2].seq;
        let mut tx = store.begin().await.unwrap();
        for reason in ["cannot be read", "the first reason counts"] {
            submission::mark_dead(&mut tx, &lease, dead, reason, AT).await.unwrap();
        }
        tx.commit().await.unwrap();
        let found = submission::unanswered(store).await.unwrap();
        let left: Vec<i64> = found[0].rows.iter().map(|row| row.seq).collect();
        assert_eq!(left, [rows[0].seq, rows[1].seq, rows[3].seq]);
        let state = commands::status(store, &envelopes[2].command_id).await.unwrap().unwrap().state;
        let reason = "cannot be read".to_owned();
        assert_eq!(state, commands::State::Dead { reason, at: AT, discarded: false });
        let stage = listing::Stage::Dead;
        let listed = listing::list(store, stage, None, None, 10).await.unwrap();
        assert_eq!((listed.len(), listed[0].seq), (1, dead));
        assert_eq!(commands::dead_count(store).await.unwrap(), 1);
        assert!(listing::list(store, stage, None, Some(dead), 10).await.unwrap().is_empty());
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
            submission::record_run(tx, lease, run, &[id], AT).await.unwrap_err().class()
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
        let error = submission::mark_answered(&mut tx, &old, Role::PartnerApi).await.unwrap_err();
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
        assert_eq!(run.commands(), 2);
        record(store, &lease, &run, 1).await;
        late.commit().await.unwrap();
        // The late row lies between the batch's rows and does not belong to it.
        assert_eq!(submission::unanswered(store).await.unwrap()[0].rows, run.batches[0].rows);
        let late_row = next(store, 10).await.unwrap().batches.remove(0).rows.remove(0);
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
