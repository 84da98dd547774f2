//! That tax which is due is asked for once, whoever dies meanwhile.

use std::time::Duration;

use gx_store::Engine;
use gx_store::tax_and_fee::assessments;
use gx_types::AccountId;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::rig::{Rig, until};
use crate::{Collector, Random, holder_name};

const DAY: Duration = Duration::from_secs(86_400);

fn start_collector(rig: &Rig) -> JoinHandle<()> {
    let collector = Collector {
        store: rig.store.clone(),
        outbox: rig.outbox.clone(),
        waiters: rig.waiters.clone(),
        metrics: rig.metrics.clone(),
        clock: rig.clock.clone(),
        every: DAY,
    };
    tokio::spawn(collector.run(holder_name(&Random::system()), CancellationToken::new()))
}

/// How often each has paid the tax.
async fn paid(rig: &Rig, users: &[AccountId]) -> Vec<usize> {
    let mut counts = Vec::new();
    for user in users {
        counts.push(assessments::of_account(&rig.store, user, None, 9).await.unwrap().len());
    }
    counts
}

async fn tax_is_collected_once_by_one_of_two(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(3).await;
    // The third is below the threshold and owes nothing.
    let away = rig.pay(users[2], users[0], 450_000_000, "away").await.unwrap();
    rig.outcome(away).await;
    let (first, second) = (start_collector(&rig), start_collector(&rig));
    rig.clock.advance_days(356);
    // One that is killed here or anywhere gives way to the other.
    first.abort();
    until("the tax is paid", async || paid(&rig, &users).await == [1, 1, 0]).await;
    second.abort();
    // Whoever comes later in the same period finds nothing more to take.
    let third = start_collector(&rig);
    let held = async || {
        let label = gx_metrics::ByWorker { worker: gx_metrics::Worker::TaxCollector };
        rig.metrics.worker_is_leader.get_or_create(&label).get() == 1
    };
    until("another leads", held).await;
    let later = rig.pay(users[0], users[1], 1_000_000, "later").await.unwrap();
    rig.outcome(later).await;
    assert_eq!(paid(&rig, &users).await, [1, 1, 0]);
    rig.clock.advance_days(356);
    third.abort();
    let _fourth = start_collector(&rig);
    until("the next tax is paid", async || paid(&rig, &users).await == [2, 2, 0]).await;
    rig.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tax_is_collected_once_by_one_of_two_on_sqlite() {
    tax_is_collected_once_by_one_of_two(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tax_is_collected_once_by_one_of_two_on_postgres() {
    tax_is_collected_once_by_one_of_two(Engine::Postgres).await;
}
