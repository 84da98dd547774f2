//! What is settled and old goes; what is not stays, and so does the order.

use gx_contract::Envelope;
use gx_store::commands::{self, State};
use gx_store::retention::Kept;
use gx_store::{outbox, retention, submission};
use gx_types::{BatchId, Role, TimeMs};

use crate::backend::for_each_backend;
use crate::chain::{Chain, person};
use crate::outbox::{accept, new};
use crate::projection::apply;

#[test]
fn only_old_commands_with_an_outcome_go() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (submitter, projector) = (backend.submitter().await, backend.projector().await);
        let mut chain = Chain::default();
        chain.bootstrap();
        chain.create_users(&[person(1), person(2)]);
        let mut envelopes: Vec<Envelope> = Vec::new();
        for batch in 1..=3 {
            let batch_id = BatchId::from_u128(batch);
            let part: Vec<Envelope> =
                (0..4).map(|_| chain.transfer(&person(1), &person(2), "1")).collect();
            let mut rows: Vec<_> = part.iter().map(new).collect();
            rows.iter_mut().for_each(|row| row.created_at = TimeMs(i64::try_from(batch).unwrap()));
            let mut tx = store.begin().await.unwrap();
            outbox::insert(&mut tx, &rows).await.unwrap();
            tx.commit().await.unwrap();
            let run = submission::next_run(store, &[], 100, 1 << 20).await.unwrap().unwrap();
            let mut tx = store.begin().await.unwrap();
            submission::record_run(&mut tx, &submitter, &run, &[batch_id], TimeMs(0))
                .await
                .unwrap();
            tx.commit().await.unwrap();
            // The third batch never reaches the ledger.
            if batch < 3 {
                chain.execute_as(batch_id, Role::PartnerApi, part.clone());
            }
            envelopes.extend(part);
        }
        apply(store, &projector, &chain.blocks).await;
        let purge = |before: i64, max: u32| async move {
            let mut tx = store.begin().await.unwrap();
            let gone =
                retention::purge(&mut tx, Kept::Commands, TimeMs(before), max).await.unwrap();
            tx.commit().await.unwrap();
            gone
        };
        assert_eq!(purge(1, 100).await, 0, "all are younger");
        assert_eq!(purge(2, 3).await, 3, "some at a time");
        assert_eq!(purge(2, 100).await, 1);
        assert_eq!(purge(99, 100).await, 4, "up to the first without an outcome");
        assert_eq!(purge(99, 100).await, 0);
        let ids: Vec<_> = envelopes.iter().map(|envelope| envelope.command_id).collect();
        let left = commands::statuses(store, &ids).await.unwrap();
        assert!(left[..8].iter().all(Option::is_none));
        for status in &left[8..] {
            let state = &status.as_ref().unwrap().state;
            assert_eq!(*state, State::Submitted { batch_id: BatchId::from_u128(3) });
        }
        assert_eq!(submission::unanswered(store).await.unwrap().len(), 1);
        let seq = accept(store, &[chain.transfer(&person(1), &person(2), "1")]).await[0].seq();
        assert!(seq > left[11].as_ref().unwrap().seq);
    });
}

#[test]
fn the_newest_row_stays() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let projector = backend.projector().await;
        let mut chain = Chain::default();
        chain.bootstrap();
        chain.create_users(&[person(1), person(2)]);
        let envelopes: Vec<Envelope> =
            (0..3).map(|_| chain.transfer(&person(1), &person(2), "1")).collect();
        let last = accept(store, &envelopes).await[2].seq();
        chain.execute(Role::PartnerApi, envelopes);
        apply(store, &projector, &chain.blocks).await;
        let mut tx = store.begin().await.unwrap();
        let far = TimeMs(i64::MAX);
        assert_eq!(retention::purge(&mut tx, Kept::Commands, far, 100).await.unwrap(), 2);
        tx.commit().await.unwrap();
        let next = accept(store, &[chain.transfer(&person(1), &person(2), "1")]).await[0].seq();
        assert!(next > last, "a number is never given twice");
    });
}
