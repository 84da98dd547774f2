//! Rebuilds that are asked for while the platform runs.

use gx_store::Store;
use gx_store::projection::{self, rebuild};
use gx_types::TimeMs;

use crate::backend::for_each_backend;
use crate::chain::{Chain, person};
use crate::projection::apply;

async fn ask(store: &Store, at: i64) -> bool {
    let mut tx = store.begin().await.unwrap();
    let asked = rebuild::ask(&mut tx, "admin:a1", "Columns are new", TimeMs(at)).await.unwrap();
    tx.commit().await.unwrap();
    asked
}

#[test]
fn one_rebuild_is_open_at_a_time_and_says_how_far_it_is() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let mut chain = Chain::default();
        chain.bootstrap();
        chain.create_users(&[person(1)]);
        apply(store, &lease, &chain.blocks).await;
        assert_eq!(rebuild::last(store).await.unwrap(), None);
        assert!(ask(store, 1).await);
        assert!(!ask(store, 2).await, "one is open");
        let asked = rebuild::last(store).await.unwrap().unwrap();
        assert_eq!((asked.rebuild_no, asked.requested_at, asked.started_at), (1, TimeMs(1), None));
        let mut tx = store.begin().await.unwrap();
        rebuild::begin(&mut tx, &lease, 1, 2, TimeMs(3)).await.unwrap();
        tx.commit().await.unwrap();
        let position = projection::position(store).await.unwrap();
        assert_eq!(position.checkpoint, None, "the read models are empty");
        let begun = rebuild::last(store).await.unwrap().unwrap();
        assert_eq!((begun.started_at, begun.target_block), (Some(TimeMs(3)), Some(2)));
        apply(store, &lease, &chain.blocks).await;
        assert!(!ask(store, 4).await, "it is open until the projector says that it is done");
        let mut tx = store.begin().await.unwrap();
        rebuild::end(&mut tx, &lease, 1, TimeMs(5)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(ask(store, 6).await);
        let next = rebuild::last(store).await.unwrap().unwrap();
        assert_eq!((next.rebuild_no, next.finished_at), (2, None));
        assert_eq!(
            (next.requested_by.as_str(), next.reason.as_str()),
            ("admin:a1", asked.reason.as_str())
        );
    });
}
