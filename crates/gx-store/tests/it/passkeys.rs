//! Passkeys belong to one subject, a use counts once, and a challenge is answered once.

use gx_store::login::passkeys::{self, CREDENTIAL, Passkey, Purpose};
use gx_store::login::{Subject, SubjectKind};
use gx_store::retention::{self, Kept};
use gx_store::{Store, Tx};
use gx_types::TimeMs;

use crate::backend::for_each_backend;

const ADA: Subject<'static> = Subject::user("u1");
const BOB: Subject<'static> = Subject::user("u2");

fn new(number: u8, owner: Subject<'_>) -> Passkey {
    Passkey {
        passkey_id: format!("p{number}"),
        credential_id: format!("c{number}"),
        kind: owner.kind,
        owner: owner.id.to_owned(),
        name: format!("Key {number}"),
        public_key: "key".to_owned(),
        transports: number,
        state: "00".to_owned(),
        created_at: TimeMs(number.into()),
        last_used_at: None,
    }
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

#[test]
fn a_credential_is_registered_once_and_each_has_so_many() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        in_tx(store, async |tx| {
            for number in [1, 2] {
                assert!(passkeys::create(tx, &new(number, ADA), 2).await?);
            }
            assert!(!passkeys::create(tx, &new(3, ADA), 2).await?, "two are enough here");
            assert!(passkeys::create(tx, &new(3, BOB), 2).await?);
            Ok(())
        })
        .await;
        let mut tx = store.begin().await.unwrap();
        let again = Passkey { passkey_id: "other".to_owned(), ..new(1, BOB) };
        assert!(passkeys::create(&mut tx, &again, 9).await.unwrap_err().is_unique(CREDENTIAL));
        drop(tx);
        assert_eq!(passkeys::count(store, ADA).await.unwrap(), 2);
        let all = passkeys::list(store, ADA, None, 9).await.unwrap();
        assert_eq!(all, [new(1, ADA), new(2, ADA)]);
        let rest = passkeys::list(store, ADA, Some((TimeMs(1), "p1")), 9).await.unwrap();
        assert_eq!(rest, [new(2, ADA)]);
        let found = passkeys::by_credential(store, "c3").await.unwrap();
        assert_eq!(found, Some(new(3, BOB)));
    });
}

#[test]
fn of_two_uses_at_once_one_counts() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        in_tx(store, async |tx| {
            let key = new(1, ADA);
            assert!(passkeys::create(tx, &key, 9).await?);
            assert!(passkeys::note_use(tx, &key, "01", TimeMs(5)).await?);
            assert!(!passkeys::note_use(tx, &key, "02", TimeMs(6)).await?);
            assert!(!passkeys::rename(tx, BOB, "p1", "Mine").await?);
            assert!(passkeys::rename(tx, ADA, "p1", "Mine").await?);
            let kept = passkeys::get(&mut *tx, ADA, "p1").await?.unwrap();
            assert_eq!((kept.state.as_str(), kept.name.as_str()), ("01", "Mine"));
            assert_eq!(kept.last_used_at, Some(TimeMs(5)));
            assert!(passkeys::get(&mut *tx, BOB, "p1").await?.is_none());
            assert!(!passkeys::remove(tx, BOB, "p1").await?);
            assert!(passkeys::remove(tx, ADA, "p1").await?);
            assert!(!passkeys::remove(tx, ADA, "p1").await?);
            Ok(())
        })
        .await;
    });
}

#[test]
fn a_challenge_is_taken_once_for_its_purpose() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (register, log_in) = (Purpose::Register(ADA), Purpose::LogIn(SubjectKind::User));
        in_tx(store, async |tx| {
            passkeys::open(tx, "h1", register, "s1", TimeMs(100)).await?;
            passkeys::open(tx, "h2", log_in, "s2", TimeMs(100)).await?;
            passkeys::open(tx, "h3", log_in, "s3", TimeMs(10)).await?;
            let now = TimeMs(50);
            for wrong in [log_in, Purpose::Register(BOB)] {
                assert_eq!(passkeys::take(tx, "h1", wrong, now).await?, None);
            }
            let admins = Purpose::LogIn(SubjectKind::Admin);
            assert_eq!(passkeys::take(tx, "h2", admins, now).await?, None);
            assert_eq!(passkeys::take(tx, "h1", register, now).await?.as_deref(), Some("s1"));
            assert_eq!(passkeys::take(tx, "h1", register, now).await?, None);
            assert_eq!(passkeys::take(tx, "h2", log_in, now).await?.as_deref(), Some("s2"));
            assert_eq!(passkeys::take(tx, "h3", log_in, now).await?, None, "too late");
            let kept = Kept::PasskeyChallenges;
            assert_eq!(retention::purge(tx, kept, TimeMs(10), 9).await?, 0);
            assert_eq!(retention::purge(tx, kept, TimeMs(11), 9).await?, 1);
            Ok(())
        })
        .await;
    });
}
