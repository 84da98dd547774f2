//! Second factors are asked for once they are confirmed, and no code is taken twice.

use gx_store::admin::admins;
use gx_store::login::challenges::{self, NewChallenge};
use gx_store::login::passkeys::{self, Passkey};
use gx_store::login::sessions::{self, NewSession};
use gx_store::login::standing::{self, Owner};
use gx_store::login::{Subject, SubjectKind, password_resets, second_factors};
use gx_store::mailbox::{self, Channel, Mail};
use gx_store::retention::{self, Kept};
use gx_store::{Store, Tx};
use gx_types::TimeMs;

use crate::backend::for_each_backend;

const ADA: Subject<'static> = Subject::user("u1");

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
fn a_secret_counts_once_a_code_has_shown_it() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        in_tx(store, async |tx| {
            assert!(second_factors::set_up(tx, ADA, "first", TimeMs(1)).await?);
            assert!(!second_factors::take_step(tx, ADA, 7).await?, "not confirmed");
            assert!(second_factors::set_up(tx, ADA, "second", TimeMs(2)).await?);
            assert!(!second_factors::confirm(tx, ADA, ("first", 7), TimeMs(3)).await?);
            assert!(second_factors::confirm(tx, ADA, ("second", 7), TimeMs(3)).await?);
            assert!(!second_factors::confirm(tx, ADA, ("second", 8), TimeMs(4)).await?);
            assert!(!second_factors::set_up(tx, ADA, "third", TimeMs(5)).await?, "confirmed");
            Ok(())
        })
        .await;
        let found = second_factors::get(store, ADA).await.unwrap().unwrap();
        assert_eq!((found.secret.as_str(), found.confirmed_at), ("second", Some(TimeMs(3))));
        let same_id = Subject::admin("u1");
        assert!(second_factors::get(store, same_id).await.unwrap().is_none());
    });
}

#[test]
fn no_code_is_taken_twice() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let hashes = ["h1", "h2"].map(str::to_owned);
        in_tx(store, async |tx| {
            second_factors::set_up(tx, ADA, "secret", TimeMs(1)).await?;
            second_factors::confirm(tx, ADA, ("secret", 7), TimeMs(2)).await?;
            assert!(!second_factors::take_step(tx, ADA, 7).await?, "taken by the confirmation");
            assert!(second_factors::take_step(tx, ADA, 8).await?);
            assert!(!second_factors::take_step(tx, ADA, 8).await?);
            assert!(!second_factors::take_step(tx, ADA, 6).await?, "earlier than the last");
            second_factors::set_recovery_codes(tx, ADA, &hashes).await?;
            assert!(second_factors::take_recovery_code(tx, ADA, "h1", TimeMs(3)).await?);
            assert!(!second_factors::take_recovery_code(tx, ADA, "h1", TimeMs(4)).await?);
            assert!(!second_factors::take_recovery_code(tx, ADA, "h3", TimeMs(4)).await?);
            second_factors::set_recovery_codes(tx, ADA, &hashes[..1]).await?;
            assert!(second_factors::take_recovery_code(tx, ADA, "h1", TimeMs(5)).await?);
            assert!(!second_factors::take_recovery_code(tx, ADA, "h2", TimeMs(5)).await?);
            assert!(second_factors::remove(tx, ADA).await?);
            assert!(!second_factors::remove(tx, ADA).await?);
            Ok(())
        })
        .await;
        assert!(second_factors::get(store, ADA).await.unwrap().is_none());
    });
}

#[test]
fn a_standing_says_whether_an_admin_has_one() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let admin = Subject::admin("a1");
        let session = NewSession {
            session_id: "s".to_owned(),
            kind: SubjectKind::Admin,
            subject: "a1".to_owned(),
            created_at: TimeMs(1),
            expires_at: TimeMs(1000),
            client_address: String::new(),
            user_agent: String::new(),
            device: None,
        };
        in_tx(store, async |tx| {
            admins::create(tx, &crate::admins::new(1)).await?;
            sessions::open(tx, &session, "t", TimeMs(500)).await?;
            second_factors::set_up(tx, admin, "secret", TimeMs(2)).await.map(drop)
        })
        .await;
        let has = async || {
            let standings = standing::get_many(store, &["s"]).await.unwrap();
            let Owner::Admin { second_factor, .. } = standings[0].owner else { panic!() };
            let row = admins::get(store, "a1").await.unwrap().unwrap();
            assert_eq!(row.device_since.is_some() || row.has_passkey, second_factor);
            second_factor
        };
        assert!(!has().await, "not confirmed");
        in_tx(store, async |tx| {
            second_factors::confirm(tx, admin, ("secret", 1), TimeMs(3)).await.map(drop)
        })
        .await;
        assert!(has().await);
        in_tx(store, async |tx| second_factors::remove(tx, admin).await.map(drop)).await;
        assert!(!has().await);
        let key = Passkey {
            passkey_id: "p1".to_owned(),
            credential_id: "c1".to_owned(),
            kind: SubjectKind::Admin,
            owner: "a1".to_owned(),
            name: "Phone".to_owned(),
            public_key: "k".to_owned(),
            transports: 0,
            state: "00".to_owned(),
            created_at: TimeMs(4),
            last_used_at: None,
        };
        in_tx(store, async |tx| passkeys::create(tx, &key, 1).await.map(drop)).await;
        assert!(has().await, "a passkey is a second factor as well");
        in_tx(store, async |tx| passkeys::remove_all(tx, admin).await.map(drop)).await;
        assert!(!has().await);
    });
}

#[test]
fn a_challenge_is_good_for_some_attempts_and_some_time() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let new = |challenge_hash| NewChallenge {
            challenge_hash,
            subject: ADA,
            device: Some("phone"),
            expires_at: TimeMs(100),
        };
        in_tx(store, async |tx| {
            for hash in ["c1", "c2", "c3"] {
                challenges::open(tx, new(hash)).await?;
            }
            Ok(())
        })
        .await;
        let attempt = async |kind: SubjectKind, hash: &str, now| {
            in_tx(store, async |tx| challenges::attempt(tx, (kind, hash), 2, TimeMs(now)).await)
                .await
        };
        let found = attempt(SubjectKind::User, "c1", 99).await.unwrap();
        assert_eq!((found.subject(), found.device.as_deref()), (ADA, Some("phone")));
        assert!(attempt(SubjectKind::Admin, "c1", 99).await.is_none(), "of another kind");
        assert!(attempt(SubjectKind::User, "c1", 99).await.is_some());
        assert!(attempt(SubjectKind::User, "c1", 99).await.is_none(), "the third");
        assert!(attempt(SubjectKind::User, "c2", 100).await.is_none(), "too late");
        assert!(attempt(SubjectKind::User, "c9", 1).await.is_none(), "unknown");
        in_tx(store, async |tx| challenges::close_all(tx, ADA).await).await;
        assert!(attempt(SubjectKind::User, "c3", 1).await.is_none(), "closed");
    });
}

#[test]
fn a_token_sets_a_password_once() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let nobody = Subject::user("");
        in_tx(store, async |tx| {
            password_resets::open(tx, ADA, "t1", TimeMs(100)).await?;
            password_resets::open(tx, ADA, "t2", TimeMs(100)).await?;
            password_resets::open(tx, nobody, "t3", TimeMs(100)).await
        })
        .await;
        let of = async |token: &str, now| {
            password_resets::user_of(store, token, TimeMs(now)).await.unwrap()
        };
        assert_eq!(of("t1", 99).await.as_deref(), Some("u1"));
        assert_eq!((of("t1", 100).await, of("t3", 1).await, of("t9", 1).await), (None, None, None));
        assert_eq!(password_resets::count_open(store, ADA, TimeMs(99)).await.unwrap(), 2);
        in_tx(store, async |tx| {
            assert!(!password_resets::take(tx, "t1", TimeMs(100)).await?);
            assert!(password_resets::take(tx, "t1", TimeMs(99)).await?);
            assert!(!password_resets::take(tx, "t1", TimeMs(99)).await?);
            password_resets::close_all(tx, ADA).await
        })
        .await;
        assert_eq!(of("t2", 1).await, None);
    });
}

#[test]
fn what_has_ended_goes() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mail = |id: &str, at| Mail {
            mail_id: id.to_owned(),
            channel: Channel::Mail,
            recipient: "ada@example.org".to_owned(),
            title: "Hello".to_owned(),
            body: "sealed".to_owned(),
            created_at: TimeMs(at),
            expires_at: TimeMs(100),
        };
        in_tx(store, async |tx| {
            for (id, at) in [("m1", 5), ("m3", 6), ("m2", 6)] {
                mailbox::put(tx, &mail(id, at)).await?;
            }
            password_resets::open(tx, ADA, "t1", TimeMs(100)).await?;
            let challenge = NewChallenge {
                challenge_hash: "c1",
                subject: ADA,
                device: None,
                expires_at: TimeMs(100),
            };
            challenges::open(tx, challenge).await
        })
        .await;
        let newest = mailbox::newest(store, 2).await.unwrap();
        let newest: Vec<Mail> = newest.into_iter().map(|kept| kept.mail).collect();
        assert_eq!(newest, [mail("m3", 6), mail("m2", 6)]);
        for (kept, rows) in [(Kept::Mail, 3), (Kept::PasswordResets, 1), (Kept::Challenges, 1)] {
            assert_eq!(retention::oldest(store, kept).await.unwrap(), Some(TimeMs(100)));
            for (before, gone) in [(100, 0), (101, rows), (101, 0)] {
                let purge = async |tx: &mut Tx| retention::purge(tx, kept, TimeMs(before), 9).await;
                assert_eq!(in_tx(store, purge).await, gone, "{kept:?} before {before}");
            }
            assert_eq!(retention::oldest(store, kept).await.unwrap(), None);
        }
    });
}
