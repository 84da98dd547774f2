//! One leader at a time, whatever the others believe.

use std::time::Duration;

use gx_store::lease::{self, PROJECTOR, SUBMITTER};
use gx_store::{Class, Engine};

use crate::backend::{Backend, TTL, eventually, for_each_backend, run};

#[test]
fn one_of_many_gets_the_lease() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let other = backend.another().await;
        let (one, two) = tokio::join!(
            lease::acquire(store, SUBMITTER, "one", TTL),
            lease::acquire(&other, SUBMITTER, "two", TTL)
        );
        let held: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
        assert_eq!(held.len(), 1);
        assert_eq!(held[0].epoch, 1);
        let apart = lease::acquire(store, PROJECTOR, "two", TTL).await.unwrap();
        assert!(apart.is_some(), "another lease is another lease");
        let holder = lease::holder(store, SUBMITTER).await.unwrap().unwrap();
        assert_eq!((holder.holder, holder.epoch), (held[0].holder.clone(), 1));
        assert!(!holder.expired);
    });
}

#[test]
fn an_expired_lease_changes_hands_once() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let ttl = Duration::from_millis(30);
        let old = lease::acquire(store, SUBMITTER, "old", ttl).await.unwrap().unwrap();
        // Expired, but nobody wants it: it can go on.
        eventually("the end of the lease", || async {
            lease::holder(store, SUBMITTER).await.unwrap().unwrap().expired
        })
        .await;
        lease::renew(store, &old, ttl).await.unwrap();
        eventually("the take-over", || async {
            lease::acquire(store, SUBMITTER, "new", TTL).await.unwrap().is_some()
        })
        .await;
        let holder = lease::holder(store, SUBMITTER).await.unwrap().unwrap();
        assert_eq!((holder.holder.as_str(), holder.epoch), ("new", 2));
        for error in [
            lease::renew(store, &old, TTL).await.unwrap_err(),
            lease::fence(&mut store.begin().await.unwrap(), &old).await.unwrap_err(),
        ] {
            assert_eq!(error.class(), Class::LeaseLost);
            assert_eq!(error.to_string(), "the lease \"submitter\" of epoch 1 is lost");
        }
        // What is not held any more cannot be given away.
        lease::release(store, &old).await.unwrap();
        assert!(lease::acquire(store, SUBMITTER, "third", TTL).await.unwrap().is_none());
    });
}

#[test]
fn a_released_lease_is_free_at_once() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let old = lease::acquire(store, SUBMITTER, "old", TTL).await.unwrap().unwrap();
        lease::release(store, &old).await.unwrap();
        let new = lease::acquire(store, SUBMITTER, "new", TTL).await.unwrap().unwrap();
        assert_eq!(new.epoch, 2);
    });
}

#[test]
fn a_take_over_waits_for_the_transaction_of_the_leader() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let ttl = Duration::from_millis(10);
        let old = lease::acquire(store, SUBMITTER, "old", ttl).await.unwrap().unwrap();
        let mut tx = store.begin().await.unwrap();
        lease::fence(&mut tx, &old).await.unwrap();
        let other = backend.another().await;
        let take_over = tokio::spawn(async move {
            let ended = || async {
                matches!(lease::acquire(&other, SUBMITTER, "new", TTL).await, Ok(Some(_)))
            };
            eventually("the take-over", ended).await;
        });
        eventually("the end of the lease", || async {
            lease::holder(store, SUBMITTER).await.unwrap().unwrap().expired
        })
        .await;
        // The leader is in the middle of a transaction: nobody else leads before it has ended.
        assert!(!take_over.is_finished());
        tx.commit().await.unwrap();
        take_over.await.unwrap();
        assert_eq!(lease::holder(store, SUBMITTER).await.unwrap().unwrap().epoch, 2);
    });
}

#[test]
fn a_leader_paused_in_a_transaction_is_thrown_out() {
    run(async {
        let backend = Backend::migrated(Engine::Postgres).await;
        let store = &backend.store;
        let ttl = Duration::from_millis(10);
        let old = lease::acquire(store, SUBMITTER, "old", ttl).await.unwrap().unwrap();
        let mut tx = store.begin().await.unwrap();
        lease::fence(&mut tx, &old).await.unwrap();
        // It does nothing for longer than the server lets a transaction idle.
        let other = backend.another().await;
        eventually("the take-over", || async {
            matches!(lease::acquire(&other, SUBMITTER, "new", TTL).await, Ok(Some(_)))
        })
        .await;
        assert!(tx.commit().await.is_err(), "it wakes up and can write nothing");
    });
}
