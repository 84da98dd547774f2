//! Beneficiaries belong to one user, each account once.

use gx_store::Store;
use gx_store::identity::beneficiaries::{self, Beneficiary, OWNERS_ACCOUNT};
use gx_types::TimeMs;

use crate::backend::for_each_backend;
use crate::chain::person;

fn new(number: u16, owner: &str) -> Beneficiary {
    Beneficiary {
        beneficiary_id: format!("b{number}{owner}"),
        owner: owner.to_owned(),
        account_id: person(number.into()),
        name: format!("Name {number}"),
        nickname: None,
        favorite: false,
        created_at: TimeMs(number.into()),
        updated_at: TimeMs(number.into()),
    }
}

async fn add(store: &Store, new: &Beneficiary) -> Result<bool, gx_store::Error> {
    let mut tx = store.begin().await.unwrap();
    let added = beneficiaries::create(&mut tx, new, 3).await?;
    tx.commit().await.unwrap();
    Ok(added)
}

#[test]
fn each_account_is_there_once_for_each_owner() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        for (number, owner) in [(1, "u1"), (2, "u1"), (1, "u2")] {
            assert!(add(store, &new(number, owner)).await.unwrap());
        }
        let again = Beneficiary { beneficiary_id: "other".to_owned(), ..new(1, "u1") };
        assert!(add(store, &again).await.unwrap_err().is_unique(OWNERS_ACCOUNT));
        assert!(add(store, &new(3, "u1")).await.unwrap());
        assert!(!add(store, &new(4, "u1")).await.unwrap(), "three are enough here");
        let (page, total) = beneficiaries::list(store, "u1", 1, 1).await.unwrap();
        assert_eq!((page, total), (vec![new(2, "u1")], 3));
        let mut tx = store.begin().await.unwrap();
        let clash = Beneficiary { account_id: person(1), ..new(2, "u1") };
        let error = beneficiaries::update(&mut tx, &clash).await.unwrap_err();
        assert!(error.is_unique(OWNERS_ACCOUNT), "{error}");
    });
}

#[test]
fn nobody_else_sees_changes_or_removes_them() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        assert!(add(store, &new(1, "u1")).await.unwrap());
        let id = "b1u1";
        assert_eq!(beneficiaries::get(store, "u2", id).await.unwrap(), None);
        let mut tx = store.begin().await.unwrap();
        let foreign = Beneficiary { owner: "u2".to_owned(), ..new(1, "u1") };
        assert!(!beneficiaries::update(&mut tx, &foreign).await.unwrap());
        assert!(!beneficiaries::remove(&mut tx, "u2", id).await.unwrap());
        let nickname = Some("Al".to_owned());
        let changed =
            Beneficiary { nickname, favorite: true, updated_at: TimeMs(9), ..new(1, "u1") };
        assert!(beneficiaries::update(&mut tx, &changed).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(beneficiaries::get(store, "u1", id).await.unwrap(), Some(changed));
        let mut tx = store.begin().await.unwrap();
        assert!(beneficiaries::remove(&mut tx, "u1", id).await.unwrap());
        assert!(!beneficiaries::remove(&mut tx, "u1", id).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(beneficiaries::list(store, "u1", 0, 10).await.unwrap(), (Vec::new(), 0));
    });
}
