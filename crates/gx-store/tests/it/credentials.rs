//! What a log-in checks, alike for users and admins.

use gx_store::Store;
use gx_store::admin::admins;
use gx_store::login::Subject;
use gx_store::login::credentials::{self, PasswordHash};
use gx_types::TimeMs;

use crate::backend::for_each_backend;
use crate::migrations::forget_from;
use crate::{admins as some_admin, users};

const SUBJECTS: [Subject<'_>; 2] = [Subject::user("u1"), Subject::admin("a1")];

async fn make(store: &Store) {
    users::create(store, &users::new(1)).await;
    let mut tx = store.begin().await.unwrap();
    admins::create(&mut tx, &some_admin::new(1)).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn failed_logins_are_counted_until_one_succeeds() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        make(store).await;
        for subject in SUBJECTS {
            let found = async || credentials::get(store, subject).await.unwrap().unwrap();
            let mut tx = store.begin().await.unwrap();
            assert_eq!(credentials::login_failed(&mut tx, subject).await.unwrap(), 1);
            assert_eq!(credentials::login_failed(&mut tx, subject).await.unwrap(), 2);
            credentials::lock_until(&mut tx, subject, TimeMs(99)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(
                (found().await.failed_logins, found().await.locked_until),
                (2, Some(TimeMs(99)))
            );
            assert!(!format!("{:?}", found().await).contains("argon2id"));
            let mut tx = store.begin().await.unwrap();
            credentials::login_succeeded(&mut tx, subject, TimeMs(7)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!((found().await.failed_logins, found().await.locked_until), (0, None));
            assert_eq!(found().await.last_login_at, Some(TimeMs(7)));
            let mut tx = store.begin().await.unwrap();
            credentials::login_failed(&mut tx, subject).await.unwrap();
            let password = PasswordHash { hash: "new hash", must_change: true };
            assert!(
                credentials::set_password(&mut tx, subject, password, TimeMs(8)).await.unwrap()
            );
            tx.commit().await.unwrap();
            let found = found().await;
            assert_eq!((found.password_hash.as_str(), found.failed_logins), ("new hash", 0));
            assert_eq!((found.password_changed_at, found.must_change_password), (TimeMs(8), true));
        }
        let user = gx_store::identity::users::get(store, "u1").await.unwrap().unwrap();
        assert_eq!(user.last_login_at, Some(TimeMs(7)));
    });
}

#[test]
fn an_id_of_one_kind_is_nobody_of_the_other() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        make(store).await;
        for subject in [Subject::user("a1"), Subject::admin("u1"), Subject::user("nobody")] {
            assert_eq!(credentials::get(store, subject).await.unwrap(), None, "{subject}");
            let mut tx = store.begin().await.unwrap();
            assert_eq!(credentials::login_failed(&mut tx, subject).await.unwrap(), 0);
            let password = PasswordHash { hash: "x", must_change: false };
            assert!(
                !credentials::set_password(&mut tx, subject, password, TimeMs(1)).await.unwrap()
            );
        }
    });
}

#[test]
fn logins_from_before_stay_as_they_were() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        forget_from(&backend, 5);
        backend.alter(
            "INSERT INTO users (user_id, email, first_name, last_name, country, date_of_birth,
                password_hash, status, identity_hash, failed_logins, locked_until_ms,
                last_login_at_ms, password_changed_at_ms, created_at_ms, updated_at_ms)
            VALUES ('u1', 'a@example.org', 'A', 'B', 'IN', '1990-01-01', 'of the user',
                'REGISTERED', 'h', 3, 70, 60, 50, 40, 40);
            INSERT INTO admins (admin_id, email, display_name, role, status, password_hash,
                must_change_password, failed_logins, password_changed_at_ms, created_at_ms,
                updated_at_ms)
            VALUES ('a1', 'b@example.org', 'B', 'SUPER_OWNER', 'ENABLED', 'of the admin', 1, 0,
                51, 41, 41);",
        );
        store.migrate(crate::backend::NETWORK).await.unwrap();
        let [user, admin] = SUBJECTS;
        let user = credentials::get(store, user).await.unwrap().unwrap();
        assert_eq!(
            (user.password_hash.as_str(), user.must_change_password),
            ("of the user", false)
        );
        assert_eq!((user.failed_logins, user.locked_until), (3, Some(TimeMs(70))));
        assert_eq!((user.last_login_at, user.password_changed_at), (Some(TimeMs(60)), TimeMs(50)));
        let admin = credentials::get(store, admin).await.unwrap().unwrap();
        assert_eq!(
            (admin.password_hash.as_str(), admin.must_change_password),
            ("of the admin", true)
        );
        assert_eq!((admin.failed_logins, admin.locked_until, admin.last_login_at), (0, None, None));
        let found = admins::get(store, "a1").await.unwrap().unwrap();
        assert!(found.must_change_password && found.enabled);
    });
}
