//! Behind PgBouncer, which lends a session for a transaction: the same database, only slower.

use std::time::{Duration, Instant};

use gx_pg::{Pooler, Pooling};
use gx_store::{Config, Engine, Store, lease};
use tokio::task::JoinSet;

use crate::backend::{Backend, NETWORK, TTL, run};

/// Runs a test through a pooler of each kind.
fn through_each<F: Future<Output = ()>>(test: impl Fn(Backend, Store) -> F) {
    run(async {
        for pooling in [Pooling::Session, Pooling::Transaction, Pooling::TransactionSilent] {
            let backend = Backend::empty(Engine::Postgres).await;
            let pooler = Pooler::start(backend.database().server(), pooling).unwrap();
            let config: Config = pooler.url(backend.database().name()).parse().unwrap();
            let store = Store::connect(&config).await.unwrap();
            store.migrate(NETWORK).await.unwrap();
            test(backend, store).await;
        }
    });
}

#[test]
fn a_pooler_is_found_out_about_and_statements_find_their_session() {
    through_each(async |_, store| {
        store.check(NETWORK).await.unwrap();
        // More at once than the pooler has sessions, so that these change hands all the time.
        let mut tasks = JoinSet::new();
        for number in 0..64 {
            let store = store.clone();
            tasks.spawn(async move {
                for round in 0..5 {
                    let name = format!("lease-{number}-{round}");
                    let held = lease::acquire(&store, &name, "test", TTL).await.unwrap();
                    assert!(held.is_some());
                    let mut view = store.snapshot().await.unwrap();
                    gx_store::projection::position(&mut view).await.unwrap();
                    drop(view);
                    store.ping().await.unwrap();
                }
            });
        }
        tasks.join_all().await;
    });
}

#[test]
fn a_transaction_that_is_left_behind_leaves_nothing_and_nobody_waits_for_it() {
    through_each(async |backend, store| {
        let tx = store.begin().await.unwrap();
        drop(tx);
        store.begin().await.unwrap().commit().await.unwrap();
        // The limits of a connection hold for each transaction here.
        let idle = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'";
        let _view = store.snapshot().await.unwrap();
        // What was left behind is rolled back after it is let go of, at nobody's cost.
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let left = backend.database().sql(idle).unwrap();
            if left == "1" {
                break;
            }
            assert!(Instant::now() < deadline, "{left} transactions stay open");
        }
    });
}
