//! The audit chain: whoever appends, and whatever is changed behind its back.

use gx_store::admin::audit::{self, Filter, NewAudit};
use gx_types::TimeMs;

use crate::backend::{Backend, for_each_backend};

fn new(number: i64) -> NewAudit {
    NewAudit {
        at: TimeMs(number),
        actor: format!("admin:a{}", number % 2),
        action: "user.approve".to_owned(),
        target: format!("user:{number}"),
        request_id: "r".to_owned(),
        details: "{\"note\":\"ü\"}".to_owned(),
    }
}

async fn append(backend: &Backend, rows: &[NewAudit]) {
    let mut tx = backend.store.begin().await.unwrap();
    audit::append(&mut tx, rows).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn the_chain_holds_whoever_appends() {
    for_each_backend(|backend| async move {
        let other = backend.another().await;
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..4 {
            let store = if writer % 2 == 0 { backend.store.clone() } else { other.clone() };
            writers.spawn(async move {
                for number in 0..10 {
                    let mut tx = store.begin().await.unwrap();
                    audit::append(&mut tx, &[new(number), new(number)]).await.unwrap();
                    tx.commit().await.unwrap();
                }
            });
        }
        writers.join_all().await;
        append(&backend, &[]).await;
        let verified = audit::verify(&backend.store).await.unwrap();
        assert_eq!((verified.rows, verified.broken), (80, None));
    });
}

#[test]
fn rows_are_filtered_newest_first() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let rows: Vec<NewAudit> = (0..10).map(new).collect();
        append(&backend, &rows).await;
        let any = Filter::default;
        let seqs = |filter: Filter, before| async move {
            let page = audit::page(store, &filter, before, 3).await.unwrap();
            page.into_iter().map(|row| row.seq).collect::<Vec<_>>()
        };
        assert_eq!(seqs(any(), None).await, [10, 9, 8]);
        assert_eq!(seqs(any(), Some(3)).await, [2, 1]);
        let actor = Filter { actor: Some("admin:a0".to_owned()), ..any() };
        assert_eq!(seqs(actor, None).await, [9, 7, 5]);
        let target = Filter { target: Some("user:4".to_owned()), ..any() };
        assert_eq!(seqs(target, None).await, [5]);
        let action = Filter { action: Some("user.deny".to_owned()), ..any() };
        assert!(seqs(action, None).await.is_empty());
        let times = Filter { from: Some(TimeMs(2)), to: Some(TimeMs(4)), ..any() };
        assert_eq!(seqs(times, None).await, [4, 3]);
        let row = &audit::page(store, &any(), None, 1).await.unwrap()[0];
        assert_eq!((row.details.as_str(), row.request_id.as_str()), ("{\"note\":\"ü\"}", "r"));
    });
}

#[test]
fn every_change_breaks_the_chain() {
    for_each_backend(|backend| async move {
        let changes = [
            ("UPDATE audit_log SET actor = 'admin:other' WHERE seq = 4", 4),
            ("UPDATE audit_log SET at_ms = at_ms + 1 WHERE seq = 7", 7),
            ("UPDATE audit_log SET details = '', request_id = 'r{}' WHERE seq = 2", 2),
            ("DELETE FROM audit_log WHERE seq = 5", 5),
            ("DELETE FROM audit_log WHERE seq = 10", 10),
            ("UPDATE audit_log SET hash = 'x' WHERE seq = 3", 3),
            ("UPDATE audit_head SET seq = 9 WHERE id = 1", 10),
        ];
        for (change, seq) in changes {
            let backend = Backend::migrated(backend.engine()).await;
            let rows: Vec<NewAudit> = (0..10).map(new).collect();
            append(&backend, &rows).await;
            backend.alter(change);
            let verified = audit::verify(&backend.store).await.unwrap();
            assert_eq!(verified.broken.map(|(seq, _)| seq), Some(seq), "{change}: {verified:?}");
        }
    });
}

#[test]
fn the_first_hash_is_fixed_for_ever() {
    for_each_backend(|backend| async move {
        append(&backend, &[new(1)]).await;
        let row = &audit::page(&backend.store, &Filter::default(), None, 1).await.unwrap()[0];
        let hash: String = row.hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = "9c01222f02b7b4d213854456803ccde8ce5f191de0eca494759dca899868db45";
        assert_eq!(hash, expected);
        assert_eq!(row.prev_hash, [0; 32]);
    });
}
