//! Documents have an object that is whole, and objects without a document are found.

use gx_store::Store;
use gx_store::identity::documents::{self, Added, Document, DocumentType};
use gx_types::TimeMs;

use crate::backend::for_each_backend;

pub(crate) fn document(number: u32, owner: &str, document_type: DocumentType) -> Document {
    Document {
        document_id: format!("d{number}{owner}"),
        owner: owner.to_owned(),
        application_id: None,
        document_type,
        side: Some("FRONT".to_owned()),
        object_key: format!("o{number}{owner}"),
        media_type: "image/png".to_owned(),
        size_bytes: 70,
        sha256: "aa".to_owned(),
        received_sha256: "bb".to_owned(),
        details: "sealed".to_owned(),
        number_hash: Some("n1".to_owned()),
        scan: "CLEAN".to_owned(),
        uploaded_at: TimeMs(i64::from(number)),
    }
}

pub(crate) async fn add(store: &Store, new: &Document) -> Added {
    let mut tx = store.begin().await.unwrap();
    documents::loosen(&mut tx, &new.object_key, TimeMs(100)).await.unwrap();
    let added = documents::add(&mut tx, new, 3).await.unwrap();
    tx.commit().await.unwrap();
    added
}

#[test]
fn a_document_takes_its_object_along_and_leaves_it_behind() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let one = document(1, "u1", DocumentType::Passport);
        assert_eq!(add(store, &one).await, Added::Yes);
        assert!(documents::due(store, TimeMs(1000), 10).await.unwrap().is_empty());
        assert_eq!(documents::get(store, "d1u1").await.unwrap(), Some(one.clone()));
        let mut tx = store.begin().await.unwrap();
        let someone_elses = Document { owner: "u2".to_owned(), ..one.clone() };
        assert!(!documents::remove(&mut tx, &someone_elses, TimeMs(5)).await.unwrap());
        assert!(documents::remove(&mut tx, &one, TimeMs(5)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(documents::due(store, TimeMs(4), 10).await.unwrap(), [""; 0]);
        assert_eq!(documents::due(store, TimeMs(5), 10).await.unwrap(), ["o1u1"]);
        let mut tx = store.begin().await.unwrap();
        assert!(documents::forget(&mut tx, "o1u1").await.unwrap());
        assert!(!documents::forget(&mut tx, "o1u1").await.unwrap());
        // Whoever took too long finds the object swept.
        let late = document(2, "u1", DocumentType::Other);
        assert_eq!(documents::add(&mut tx, &late, 3).await.unwrap(), Added::Swept);
        tx.commit().await.unwrap();
    });
}

#[test]
fn lists_are_newest_first_and_bounded() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        for number in [1, 3, 2] {
            let new = document(number, "u1", DocumentType::UtilityBill);
            assert_eq!(add(store, &new).await, Added::Yes);
        }
        let more = document(4, "u1", DocumentType::UtilityBill);
        assert_eq!(add(store, &more).await, Added::TooMany);
        let ids = |rows: &[Document]| -> Vec<String> {
            rows.iter().map(|row| row.document_id.clone()).collect()
        };
        let (rows, total) = documents::list(store, "u1", 1, 2).await.unwrap();
        assert_eq!((ids(&rows), total), (vec!["d2u1".to_owned(), "d1u1".to_owned()], 3));
        let mut tx = store.begin().await.unwrap();
        assert!(documents::submit(&mut tx, "u1", "d1u1", "k1").await.unwrap());
        assert!(!documents::submit(&mut tx, "u1", "d1u1", "k2").await.unwrap(), "once");
        assert!(!documents::submit(&mut tx, "u2", "d2u1", "k2").await.unwrap(), "another's");
        let submitted = documents::get(&mut tx, "d1u1").await.unwrap().unwrap();
        assert!(!documents::remove(&mut tx, &submitted, TimeMs(9)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(ids(&documents::of_application(store, "k1").await.unwrap()), ["d1u1"]);
        assert_eq!(ids(&documents::unsubmitted(store, "u1").await.unwrap()), ["d2u1", "d3u1"]);
    });
}
