//! Applications: one open for each person, in the order in which they came.

use gx_store::Store;
use gx_store::identity::documents::{self, DocumentType};
use gx_store::identity::kyc::{self, Application, Evidence, KycStatus, OWNERS_OPEN, Verdict};
use gx_types::TimeMs;

use crate::backend::for_each_backend;
use crate::documents::{add, document};

fn application(kyc_id: &str, owner: &str, at: i64) -> Application {
    Application {
        kyc_id: kyc_id.to_owned(),
        owner: owner.to_owned(),
        status: KycStatus::Pending,
        document_type: Some(DocumentType::Passport),
        details: "sealed".to_owned(),
        number_hash: Some("n1".to_owned()),
        expires_on: Some("2030-01-31".to_owned()),
        evidence: Evidence {
            hash: Some("cc".to_owned()),
            size: Some(7),
            mime: Some("image/png".to_owned()),
        },
        submitted_at: TimeMs(at),
        reason: None,
        decided_by: None,
        decided_at: None,
    }
}

async fn submit(store: &Store, new: &Application) -> Result<(), gx_store::Error> {
    let mut tx = store.begin().await.unwrap();
    kyc::submit(&mut tx, new).await?;
    tx.commit().await
}

async fn decide(store: &Store, owner: &str, approves: bool) -> Option<Application> {
    let mut tx = store.begin().await.unwrap();
    let verdict = Verdict { approves, reason: Some("seen"), by: "admin:a", at: TimeMs(50) };
    let decided = kyc::decide(&mut tx, owner, verdict).await.unwrap();
    tx.commit().await.unwrap();
    decided
}

#[test]
fn one_is_open_at_a_time_and_what_was_decided_stays() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let first = application("k1", "u1", 10);
        submit(store, &first).await.unwrap();
        assert_eq!(kyc::get(store, "k1").await.unwrap(), Some(first.clone()));
        let again = submit(store, &application("k2", "u1", 11)).await.unwrap_err();
        assert!(again.is_unique(OWNERS_OPEN), "{again}");
        assert_eq!(decide(store, "u1", false).await.unwrap().kyc_id, "k1");
        assert!(decide(store, "u1", true).await.is_none(), "nothing is open");
        submit(store, &application("k2", "u1", 11)).await.unwrap();
        assert_eq!(kyc::latest(store, "u1").await.unwrap().unwrap().kyc_id, "k2");
        let rejected = kyc::get(store, "k1").await.unwrap().unwrap();
        assert_eq!(rejected.status, KycStatus::Rejected);
        assert_eq!(rejected.reason.as_deref(), Some("seen"));
        assert_eq!(rejected.decided_at, Some(TimeMs(50)));
    });
}

#[test]
fn the_queue_is_in_order_and_paged() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        for (kyc_id, owner, at) in [("k3", "u3", 20), ("k1", "u1", 20), ("k2", "u2", 10)] {
            submit(store, &application(kyc_id, owner, at)).await.unwrap();
        }
        submit(store, &application("k4", "u4", 5)).await.unwrap();
        decide(store, "u4", true).await.unwrap();
        let ids = async |after: Option<(TimeMs, &str)>| -> Vec<String> {
            let rows = kyc::pending(store, after, 2).await.unwrap();
            rows.into_iter().map(|row| row.kyc_id).collect()
        };
        assert_eq!(ids(None).await, ["k2", "k1"]);
        assert_eq!(ids(Some((TimeMs(20), "k1"))).await, ["k3"]);
        assert_eq!(ids(Some((TimeMs(20), "k3"))).await, [""; 0]);
    });
}

#[test]
fn numbers_are_found_with_others_and_what_was_verified_is_told() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        add(store, &document(1, "u1", DocumentType::UtilityBill)).await;
        submit(store, &application("k1", "u1", 10)).await.unwrap();
        submit(store, &application("k2", "u2", 10)).await.unwrap();
        let others = |owner: &'static str| kyc::others_with_number(store, "n1", owner, 5);
        assert_eq!(others("u1").await.unwrap(), ["u2"]);
        assert_eq!(others("u3").await.unwrap(), ["u1", "u2"]);
        let verified = async |day: &str| {
            let found = kyc::verified(store, "u1", day).await.unwrap();
            (found.identity, found.address)
        };
        assert_eq!(verified("2026-01-01").await, (false, false));
        let mut tx = store.begin().await.unwrap();
        assert!(documents::submit(&mut tx, "u1", "d1u1", "k1").await.unwrap());
        tx.commit().await.unwrap();
        decide(store, "u1", true).await.unwrap();
        assert_eq!(verified("2030-01-31").await, (true, true));
        assert_eq!(verified("2030-02-01").await, (false, true), "the document has ended");
    });
}
