//! Registrations go forward step by step, and forget whom they were of.

use gx_store::identity::registrations::{self, NewCode, Step};
use gx_store::retention::{self, Kept};
use gx_store::{Store, Tx};
use gx_types::TimeMs;

use crate::backend::for_each_backend;

const EMAIL: &str = "ada@example.org";
const DAY: TimeMs = TimeMs(10_000);

fn code(hash: &str, at: i64) -> NewCode<'_> {
    NewCode { hash, sent_at: TimeMs(at), expires_at: TimeMs(at + 600) }
}

async fn in_tx<T>(
    store: &Store,
    work: impl AsyncFnOnce(&mut Tx) -> Result<T, gx_store::Error>,
) -> T {
    let mut tx = store.begin().await.unwrap();
    let done = work(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn step(store: &Store, id: &str) -> Option<Step> {
    registrations::get(store, id).await.unwrap().map(|found| found.step)
}

#[test]
fn steps_follow_one_another() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (now, country) = (TimeMs(5), "DE".parse().unwrap());
        in_tx(store, async |tx| {
            registrations::begin(tx, "r1", EMAIL, code("h1", 1), DAY).await?;
            registrations::begin(tx, "r2", EMAIL, code("h2", 2), DAY).await?;
            let name = ("Ada", "Example", country);
            assert!(!registrations::set_name_country(tx, "r1", name, now).await?, "too early");
            assert_eq!(registrations::codes_to_email(&mut *tx, EMAIL, TimeMs(0)).await?, 2);
            assert_eq!(registrations::codes_to_email(&mut *tx, EMAIL, TimeMs(1)).await?, 1);
            assert!(registrations::email_verified(tx, "r1").await?);
            assert!(!registrations::email_verified(tx, "r1").await?, "once");
            assert!(registrations::set_name_country(tx, "r1", name, now).await?);
            assert!(registrations::set_name_country(tx, "r1", name, now).await?, "corrected");
            assert!(!registrations::set_password(tx, "r1", "hash", now).await?, "too early");
            let birth = ("1990-06-15", "FEMALE");
            assert!(registrations::set_birth(tx, "r1", birth, now).await?);
            assert!(registrations::set_password(tx, "r1", "hash", now).await?);
            let phone = ("r1", "+4915112345678");
            assert!(registrations::set_phone(tx, phone, code("h3", 6), 2).await?);
            assert!(registrations::set_phone(tx, phone, code("h4", 7), 2).await?);
            assert!(!registrations::set_phone(tx, phone, code("h5", 8), 2).await?, "enough");
            let again = ("r1", Step::PhoneSent);
            assert!(!registrations::send_again(tx, again, code("h6", 8), 2).await?, "enough");
            assert_eq!(registrations::codes_to_phone(&mut *tx, phone.1, TimeMs(0)).await?, 2);
            Ok(())
        })
        .await;
        assert_eq!(step(store, "r2").await, None, "another one with the address has ended");
        let found = registrations::get(store, "r1").await.unwrap().unwrap();
        assert_eq!(found.code_hash.as_deref(), Some("h4"));
        assert_eq!((found.email.as_str(), found.country), (EMAIL, Some(country)));
        assert!(in_tx(store, async |tx| registrations::complete(tx, "r1").await).await);
        assert!(!in_tx(store, async |tx| registrations::complete(tx, "r1").await).await);
        let done = registrations::get(store, "r1").await.unwrap().unwrap();
        assert_eq!((done.step, done.email.as_str()), (Step::Completed, ""));
        assert_eq!((done.password_hash, done.phone, done.first_name), (None, None, None));
    });
}

#[test]
fn a_code_is_good_for_some_attempts_and_some_time() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let at = ("r1", Step::EmailSent);
        let attempt = async |now| {
            let tried = async |tx: &mut Tx| registrations::attempt(tx, at, 2, TimeMs(now)).await;
            in_tx(store, tried).await.map(|found| found.code_attempts)
        };
        let begin =
            async |tx: &mut Tx| registrations::begin(tx, "r1", EMAIL, code("h1", 1), DAY).await;
        in_tx(store, begin).await;
        assert_eq!(attempt(601).await, None, "too old");
        assert_eq!(
            (attempt(2).await, attempt(2).await, attempt(2).await),
            (Some(1), Some(2), None)
        );
        let again = async |tx: &mut Tx| registrations::send_again(tx, at, code("h2", 3), 2).await;
        assert!(in_tx(store, &again).await);
        assert!(!in_tx(store, &again).await, "enough were sent");
        assert_eq!(attempt(4).await, Some(1));
        let kept = Kept::Registrations;
        assert_eq!(retention::oldest(store, kept).await.unwrap(), Some(DAY));
        for (before, gone) in [(10_000, 0), (10_001, 1), (10_001, 0)] {
            let purge = async |tx: &mut Tx| retention::purge(tx, kept, TimeMs(before), 9).await;
            assert_eq!(in_tx(store, purge).await, gone);
        }
    });
}
