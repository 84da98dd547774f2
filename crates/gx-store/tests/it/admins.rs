//! Administrators of the platform.

use gx_store::admin::admins::{self, AdminChange, NewAdmin};
use gx_store::login::Subject;
use gx_store::login::credentials::{self, PasswordHash};
use gx_types::TimeMs;

use crate::backend::for_each_backend;
use crate::chain;

pub(crate) fn new(number: i64) -> NewAdmin {
    NewAdmin {
        admin_id: format!("a{number}"),
        email: format!("admin{number}@example.org"),
        display_name: format!("Admin {number}"),
        role: "SUPER_OWNER".to_owned(),
        ledger_id: None,
        password_hash: "$argon2id$hash".to_owned(),
        must_change_password: true,
        created_at: TimeMs(number),
    }
}

#[test]
fn an_admin_is_added_changed_and_found() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        assert_eq!(admins::count(store).await.unwrap(), 0);
        let mut tx = store.begin().await.unwrap();
        let first = NewAdmin { ledger_id: Some(chain::admin()), ..new(1) };
        admins::create(&mut tx, &first).await.unwrap();
        admins::create(&mut tx, &new(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(admins::count(store).await.unwrap(), 2);
        let found = admins::by_email(store, "admin1@example.org").await.unwrap().unwrap();
        assert_eq!(Some(&found), admins::get(store, "a1").await.unwrap().as_ref());
        assert_eq!((found.ledger_id, found.enabled), (Some(chain::admin()), true));
        assert!(found.must_change_password);
        let mut tx = store.begin().await.unwrap();
        let subject = Subject::admin("a1");
        credentials::login_succeeded(&mut tx, subject, TimeMs(60)).await.unwrap();
        let password = PasswordHash { hash: "new hash", must_change: false };
        assert!(credentials::set_password(&mut tx, subject, password, TimeMs(61)).await.unwrap());
        let to = AdminChange {
            email: "first@example.org",
            display_name: "First",
            role: "AUDITOR",
            enabled: false,
        };
        assert!(admins::update(&mut tx, "a1", to, TimeMs(62)).await.unwrap());
        assert!(!admins::update(&mut tx, "a9", to, TimeMs(62)).await.unwrap());
        tx.commit().await.unwrap();
        let page = admins::page(store, None, 1).await.unwrap();
        let found = &page[0];
        assert_eq!((page.len(), found.email.as_str(), found.role.as_str()), (1, to.email, to.role));
        let after = admins::page(store, Some("a1"), 10).await.unwrap();
        assert_eq!(after.iter().map(|row| row.admin_id.as_str()).collect::<Vec<_>>(), ["a2"]);
        assert_eq!((found.enabled, found.must_change_password), (false, false));
        assert_eq!((found.last_login_at, found.updated_at), (Some(TimeMs(60)), TimeMs(62)));
        let mut tx = store.begin().await.unwrap();
        let again = NewAdmin { email: new(2).email, ..new(3) };
        assert!(admins::create(&mut tx, &again).await.unwrap_err().is_unique("admins.email"));
    });
}

#[test]
fn who_is_removed_leaves_the_id_and_nothing_to_log_in_with() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        let first = NewAdmin { ledger_id: Some(chain::admin()), ..new(1) };
        admins::create(&mut tx, &first).await.unwrap();
        admins::create(&mut tx, &new(2)).await.unwrap();
        assert_eq!(admins::others_with(&mut tx, "SUPER_OWNER", "a1").await.unwrap(), 1);
        assert!(admins::remove(&mut tx, "a1", TimeMs(9)).await.unwrap());
        assert!(!admins::remove(&mut tx, "a1", TimeMs(9)).await.unwrap());
        assert_eq!(admins::others_with(&mut tx, "SUPER_OWNER", "a2").await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert_eq!(admins::get(store, "a1").await.unwrap(), None);
        assert_eq!(admins::by_email(store, &first.email).await.unwrap(), None);
        assert_eq!(credentials::get(store, Subject::admin("a1")).await.unwrap(), None);
        // The person may come back under another name, but nobody under theirs.
        let mut tx = store.begin().await.unwrap();
        let back = NewAdmin { admin_id: "a3".to_owned(), ..first.clone() };
        admins::create(&mut tx, &back).await.unwrap();
        let same = NewAdmin { email: "other@example.org".to_owned(), ledger_id: None, ..first };
        assert!(admins::create(&mut tx, &same).await.unwrap_err().is_unique("admins.admin_id"));
    });
}
