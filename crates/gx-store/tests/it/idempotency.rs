//! A key is claimed by one request, and its answer is kept for the others.

use gx_store::Store;
use gx_store::idempotency::{self, Answer, Claim, Claimed};
use gx_store::retention::{self, Kept};
use gx_types::TimeMs;

use crate::backend::for_each_backend;

fn request(body_hash: &str, now: i64) -> Claim<'_> {
    Claim {
        scope: "user:1",
        key: "key-0001",
        body_hash,
        now: TimeMs(now),
        in_flight_until: TimeMs(now + 30),
        expires_at: TimeMs(now + 1000),
    }
}

async fn claim(store: &Store, claim: Claim<'_>) -> Claimed {
    let mut tx = store.begin().await.unwrap();
    let claimed = idempotency::claim(&mut tx, &claim).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

fn answer() -> Answer {
    Answer { status: 201, headers: "{}".to_owned(), body: "{\"id\":1}".to_owned() }
}

async fn finish(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    idempotency::finish(&mut tx, "user:1", "key-0001", &answer()).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn one_of_many_requests_is_carried_out() {
    for_each_backend(|backend| async move {
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let store = backend.store.clone();
            callers.spawn(async move { claim(&store, request("a", 100)).await });
        }
        let claimed = callers.join_all().await;
        assert_eq!(claimed.iter().filter(|one| **one == Claimed::Mine).count(), 1);
        assert_eq!(claimed.iter().filter(|one| **one == Claimed::InFlight).count(), 19);
    });
}

#[test]
fn a_retry_gets_the_same_answer() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        assert_eq!(claim(store, request("a", 100)).await, Claimed::Mine);
        assert_eq!(claim(store, request("b", 100)).await, Claimed::OtherBody);
        assert!(idempotency::answer(store, "user:1", "key-0001").await.unwrap().is_none());
        finish(store).await;
        assert_eq!(claim(store, request("a", 101)).await, Claimed::Replay(answer()));
        assert_eq!(claim(store, request("b", 101)).await, Claimed::OtherBody);
        let kept = idempotency::answer(store, "user:1", "key-0001").await.unwrap();
        assert_eq!(kept, Some(answer()));
        let elsewhere = Claim { scope: "user:2", ..request("b", 100) };
        assert_eq!(claim(store, elsewhere).await, Claimed::Mine);
    });
}

#[test]
fn what_was_not_carried_out_can_be_claimed_again() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        claim(store, request("a", 100)).await;
        let mut tx = store.begin().await.unwrap();
        idempotency::abandon(&mut tx, "user:1", "key-0001").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claim(store, request("b", 101)).await, Claimed::Mine);
        // Its process died: nobody finishes it any more.
        assert_eq!(claim(store, request("b", 130)).await, Claimed::InFlight);
        assert_eq!(claim(store, request("b", 131)).await, Claimed::Mine);
        finish(store).await;
        assert_eq!(claim(store, request("b", 900)).await, Claimed::Replay(answer()));
        // An answer is not abandoned, and is forgotten when it expires.
        let mut tx = store.begin().await.unwrap();
        idempotency::abandon(&mut tx, "user:1", "key-0001").await.unwrap();
        assert_eq!(retention::purge(&mut tx, Kept::Answers, TimeMs(1130), 9).await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert_eq!(claim(store, request("a", 1131)).await, Claimed::Mine);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(retention::purge(&mut tx, Kept::Answers, TimeMs(9999), 9).await.unwrap(), 1);
        tx.commit().await.unwrap();
    });
}
