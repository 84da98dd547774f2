//! What the housekeeper removes, and what a retry is told afterwards.

use std::time::Duration;

use gx_metrics::ByHolder;
use gx_store::Engine;
use gx_store::commands::{self, State};
use gx_store::retention::{self, Kept};
use gx_types::TimeMs;
use tokio_util::sync::CancellationToken;

use super::rig::{DEADLINE, Rig};
use crate::{Clock, Housekeeper, Random, Terms, holder_name};

const MONTH: Duration = Duration::from_secs(30 * 86_400);

async fn a_retry_after_the_purge_is_answered_by_the_ledger(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(2).await;
    let paid = rig.pay(users[0], users[1], 100_000_000, "the payment").await.unwrap();
    let State::Committed { block, .. } = rig.outcome(paid).await else { panic!("refused") };
    let last = rig.pay(users[1], users[0], 1_000_000, "one more").await.unwrap();
    rig.outcome(last).await;

    let now = Clock::system().now();
    let in_a_year = Clock::at(TimeMs(now.0 + 365 * 86_400_000));
    let keeper = Housekeeper {
        store: rig.store.clone(),
        metrics: rig.metrics.clone(),
        clock: in_a_year,
        terms: Terms {
            every: MONTH,
            commands: Some(MONTH),
            sessions: Some(MONTH),
            notifications: Some(MONTH),
            deliveries: Some(MONTH),
        },
    };
    let stop = CancellationToken::new();
    let kept = tokio::spawn(keeper.run(holder_name(&Random::system()), stop.clone()));
    let gone = async {
        while commands::status(&rig.store, &paid.command_id).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.expect("the row is removed");
    // The supply is added up as long as somebody leads, and no longer.
    let counted = async {
        while rig.metrics.supply_checked_timestamp_seconds.get() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, counted).await.expect("the supply is added up");
    assert_eq!(rig.metrics.supply_missing_qirat.get(), 0);
    let users_hold = ByHolder { holder: "users" };
    assert!(rig.metrics.supply_qirat.get_or_create(&users_hold).get() > 0);
    stop.cancel();
    kept.await.unwrap();
    assert_eq!(rig.metrics.supply_checked_timestamp_seconds.get(), 0);
    // The newest row stays, so that no number is given twice.
    assert!(retention::oldest(&rig.store, Kept::Commands).await.unwrap().is_some());

    let again = rig.pay(users[0], users[1], 100_000_000, "the payment").await.unwrap();
    assert_eq!(again.command_id, paid.command_id);
    match rig.outcome(again).await {
        State::Committed { block: then, .. } => assert_eq!(then, block, "the outcome it had"),
        state => panic!("{state:?}"),
    }
    let (balances, _) = gx_store::tokenomics::accounts::balances(&rig.store, &users).await.unwrap();
    let qirat: Vec<u64> = balances.iter().map(|b| b.as_ref().unwrap().balance.qirat()).collect();
    assert_eq!(qirat, [400_950_000, 599_000_000], "paid once");
    rig.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_the_purge_is_answered_by_the_ledger_on_sqlite() {
    a_retry_after_the_purge_is_answered_by_the_ledger(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_the_purge_is_answered_by_the_ledger_on_postgres() {
    a_retry_after_the_purge_is_answered_by_the_ledger(Engine::Postgres).await;
}
