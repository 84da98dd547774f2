//! Sessions end when they should, and a stolen refresh token ends its session.

use std::time::Duration;

use gx_store::Store;
use gx_store::admin::admins;
use gx_store::identity::users::UserStatus;
use gx_store::login::refresh_tokens::{self, Limits, Rotation, Successor};
use gx_store::login::sessions::{self, NewSession, Part};
use gx_store::login::standing::{self, Owner};
use gx_store::login::{Subject, SubjectKind};
use gx_store::retention::{self, Kept};
use gx_types::TimeMs;

use crate::backend::for_each_backend;
use crate::users;

fn new(id: &str, subject: &str) -> NewSession {
    NewSession {
        session_id: id.to_owned(),
        kind: SubjectKind::User,
        subject: subject.to_owned(),
        created_at: TimeMs(100),
        expires_at: TimeMs(1000),
        client_address: "192.0.2.1".to_owned(),
        user_agent: "test".to_owned(),
        device: Some("phone".to_owned()),
    }
}

async fn open(store: &Store, id: &str, subject: &str) {
    let mut tx = store.begin().await.unwrap();
    let token = format!("{id}-1");
    sessions::open(&mut tx, &new(id, subject), &token, TimeMs(500)).await.unwrap();
    tx.commit().await.unwrap();
}

const WHOLE: Part<'static> = Part { after: None, limit: 100 };

const LIMITS: Limits = Limits { grace: Duration::from_millis(30), idle: None };

async fn rotate(store: &Store, old: &str, new: &str, now: i64) -> Rotation {
    let old = (SubjectKind::User, old);
    let salt = format!("salt of {new}");
    let successor = Successor { token_hash: new, salt: &salt, expires_at: TimeMs(now + 400) };
    let mut tx = store.begin().await.unwrap();
    let rotation = refresh_tokens::rotate(&mut tx, old, successor, LIMITS, TimeMs(now)).await;
    tx.commit().await.unwrap();
    rotation.unwrap()
}

#[test]
fn tokens_follow_one_another() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        open(store, "s", "u1").await;
        let session = sessions::get(store, "s").await.unwrap().unwrap();
        assert_eq!((session.kind, session.subject.as_str()), (SubjectKind::User, "u1"));
        assert_eq!(session.device.as_deref(), Some("phone"));
        let Rotation::Rotated(session) = rotate(store, "s-1", "s-2", 200).await else { panic!() };
        assert_eq!(session.last_used_at, TimeMs(200));
        assert_eq!(sessions::get(store, "s").await.unwrap().unwrap(), session);
        assert!(matches!(rotate(store, "s-2", "s-3", 300).await, Rotation::Rotated(_)));
        assert_eq!(rotate(store, "s-9", "s-4", 300).await, Rotation::Unknown);
        let found = refresh_tokens::session_of(store, "s-3").await.unwrap().unwrap();
        assert_eq!(found.session_id, "s");
        assert!(refresh_tokens::session_of(store, "s-4").await.unwrap().is_none());
    });
}

#[test]
fn a_standing_tells_of_session_and_owner() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        users::create(store, &users::new(1)).await;
        open(store, "s", "u1").await;
        open(store, "orphan", "u9").await;
        let mut tx = store.begin().await.unwrap();
        admins::create(&mut tx, &crate::admins::new(1)).await.unwrap();
        let of_admin = NewSession { kind: SubjectKind::Admin, ..new("admin", "a1") };
        sessions::open(&mut tx, &of_admin, "admin-1", TimeMs(500)).await.unwrap();
        tx.commit().await.unwrap();
        let standings = standing::get_many(store, &["none", "s", "orphan", "admin"]).await.unwrap();
        let of = |id: &str| standings.iter().find(|standing| standing.session_id == id).unwrap();
        let user = Owner::User { status: UserStatus::Registered, account: None };
        assert_eq!((&of("s").owner, of("s").subject.as_str()), (&user, "u1"));
        assert_eq!((&of("orphan").owner, standings.len()), (&Owner::Gone, 3));
        let Owner::Admin { enabled, must_change_password, second_factor, .. } = of("admin").owner
        else {
            panic!()
        };
        assert!(enabled && must_change_password && !second_factor);
        assert!(of("s").is_open(TimeMs(999)) && !of("s").is_open(TimeMs(1000)));
        let mut tx = store.begin().await.unwrap();
        assert!(sessions::revoke(&mut tx, "s", "logout", TimeMs(400)).await.unwrap());
        tx.commit().await.unwrap();
        let standings = standing::get_many(store, &["s"]).await.unwrap();
        assert!(standings[0].revoked && !standings[0].is_open(TimeMs(500)));
    });
}

#[test]
fn reuse_of_a_token_ends_the_session() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        open(store, "s", "u1").await;
        rotate(store, "s-1", "s-2", 200).await;
        let Rotation::Reused(session) = rotate(store, "s-1", "s-x", 230).await else { panic!() };
        assert_eq!(session.revoke_reason.as_deref(), Some("refresh token reused"));
        assert_eq!(rotate(store, "s-2", "s-3", 240).await, Rotation::Revoked);
        let session = sessions::get(store, "s").await.unwrap().unwrap();
        assert!(!session.is_open(TimeMs(240)));
        assert_eq!(session.revoked_at, Some(TimeMs(230)));
    });
}

#[test]
fn a_token_that_was_just_replaced_leads_to_the_same_successor() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        open(store, "s", "u1").await;
        rotate(store, "s-1", "s-2", 200).await;
        for now in [200, 229] {
            let Rotation::Repeated { session, salt } = rotate(store, "s-1", "s-x", now).await
            else {
                panic!("at {now}")
            };
            assert_eq!((salt.as_str(), session.revoked_at), ("salt of s-2", None));
        }
        let salt = async |token| refresh_tokens::successor_salt(store, token).await.unwrap();
        assert_eq!(salt("s-1").await.as_deref(), Some("salt of s-2"));
        assert_eq!((salt("s-2").await, salt("s-x").await), (None, None));
        assert!(matches!(rotate(store, "s-2", "s-3", 225).await, Rotation::Rotated(_)));
        // The grace of a token begins with its own replacement.
        assert!(matches!(rotate(store, "s-2", "s-x", 254).await, Rotation::Repeated { .. }));
        assert!(matches!(rotate(store, "s-2", "s-x", 255).await, Rotation::Reused(_)));
    });
}

#[test]
fn a_token_of_another_kind_of_subject_is_unknown_and_stays_good() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        open(store, "s", "u1").await;
        let successor = Successor { token_hash: "x", salt: "x", expires_at: TimeMs(900) };
        let mut tx = store.begin().await.unwrap();
        let foreign = (SubjectKind::Admin, "s-1");
        let rotation = refresh_tokens::rotate(&mut tx, foreign, successor, LIMITS, TimeMs(200));
        assert_eq!(rotation.await.unwrap(), Rotation::Unknown);
        tx.commit().await.unwrap();
        assert!(matches!(rotate(store, "s-1", "s-2", 201).await, Rotation::Rotated(_)));
    });
}

#[test]
fn a_session_that_lay_unused_for_too_long_is_not_refreshed() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        open(store, "s", "u1").await;
        let limits = Limits { idle: Some(Duration::from_millis(50)), ..LIMITS };
        let refresh = async |old: &str, new: &str, now| {
            let successor = Successor { token_hash: new, salt: "x", expires_at: TimeMs(900) };
            let old = (SubjectKind::User, old);
            let mut tx = store.begin().await.unwrap();
            let rotation = refresh_tokens::rotate(&mut tx, old, successor, limits, TimeMs(now));
            let rotation = rotation.await.unwrap();
            tx.commit().await.unwrap();
            rotation
        };
        assert!(matches!(refresh("s-1", "s-2", 150).await, Rotation::Rotated(_)));
        assert_eq!(refresh("s-2", "s-3", 201).await, Rotation::Idle);
        assert_eq!(refresh("s-2", "s-3", 1000).await, Rotation::Expired);
        let session = sessions::get(store, "s").await.unwrap().unwrap();
        assert_eq!((session.last_used_at, session.revoked_at), (TimeMs(150), None));
    });
}

#[test]
fn of_several_requests_with_one_token_one_replaces_it_and_none_revokes() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        open(store, "s", "u1").await;
        let other = backend.another().await;
        let (one, two, three, four) = tokio::join!(
            rotate(store, "s-1", "s-2", 200),
            rotate(&other, "s-1", "s-3", 200),
            rotate(store, "s-1", "s-4", 201),
            rotate(&other, "s-1", "s-5", 199),
        );
        let answers = [one, two, three, four];
        let rotated = |rotation: &&Rotation| matches!(rotation, Rotation::Rotated(_));
        let repeated = |rotation: &&Rotation| matches!(rotation, Rotation::Repeated { .. });
        assert_eq!(answers.iter().filter(rotated).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(repeated).count(), 3, "{answers:?}");
        assert!(sessions::get(store, "s").await.unwrap().unwrap().revoked_at.is_none());
    });
}

#[test]
fn what_is_too_old_is_expired() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        open(store, "s", "u1").await;
        assert!(matches!(rotate(store, "s-1", "s-2", 500).await, Rotation::Expired));
        open(store, "t", "u1").await;
        assert!(matches!(rotate(store, "t-1", "t-2", 499).await, Rotation::Rotated(_)));
        assert!(matches!(rotate(store, "t-2", "t-3", 898).await, Rotation::Rotated(_)));
        // A token outlives no session.
        assert!(matches!(rotate(store, "t-3", "t-4", 1000).await, Rotation::Expired));
    });
}

#[test]
fn sessions_are_listed_and_revoked() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        for id in ["a", "b", "c"] {
            open(store, id, "u1").await;
        }
        open(store, "d", "u2").await;
        rotate(store, "b-1", "b-2", 300).await;
        let list = || async {
            let who = Subject::user("u1");
            let found = sessions::list(store, who, WHOLE, TimeMs(400)).await.unwrap();
            found.into_iter().map(|session| session.session_id).collect::<Vec<_>>()
        };
        assert_eq!(list().await, ["c", "b", "a"]);
        let admin = Subject::admin("u1");
        assert!(sessions::list(store, admin, WHOLE, TimeMs(1)).await.unwrap().is_empty());
        let mut tx = store.begin().await.unwrap();
        assert!(sessions::revoke(&mut tx, "a", "logout", TimeMs(400)).await.unwrap());
        assert!(!sessions::revoke(&mut tx, "a", "logout", TimeMs(401)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(list().await, ["c", "b"]);
        let mut tx = store.begin().await.unwrap();
        let who = Subject::user("u1");
        let at = TimeMs(410);
        assert_eq!(sessions::revoke_all(&mut tx, who, Some("c"), "all", at).await.unwrap(), 1);
        sessions::touch(&mut tx, "c", TimeMs(420)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(list().await, ["c"]);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(sessions::revoke_all(&mut tx, who, None, "all", at).await.unwrap(), 1);
        let (kept, tokens) = (Kept::Sessions, Kept::RefreshTokens);
        assert_eq!(retention::purge(&mut tx, kept, TimeMs(1000), 9).await.unwrap(), 0);
        assert_eq!(retention::oldest(&mut tx, kept).await.unwrap(), Some(TimeMs(1000)));
        assert_eq!(retention::purge(&mut tx, kept, TimeMs(1001), 3).await.unwrap(), 3);
        assert_eq!(retention::purge(&mut tx, kept, TimeMs(1001), 3).await.unwrap(), 1);
        assert_eq!(retention::oldest(&mut tx, kept).await.unwrap(), None);
        assert_eq!(retention::purge(&mut tx, tokens, TimeMs(9999), 9).await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert!(sessions::get(store, "d").await.unwrap().is_none());
        assert!(refresh_tokens::session_of(store, "d-1").await.unwrap().is_none());
    });
}

#[test]
fn sessions_come_page_by_page() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        for (id, at) in [("a", 100), ("c", 100), ("b", 100), ("d", 90), ("e", 110)] {
            let session = NewSession { created_at: TimeMs(at), ..new(id, "u1") };
            sessions::open(&mut tx, &session, id, TimeMs(500)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let (who, now) = (Subject::user("u1"), TimeMs(200));
        let mut seen = Vec::new();
        let mut last: Option<(TimeMs, String)> = None;
        loop {
            let after = last.as_ref().map(|(at, id)| (*at, id.as_str()));
            let page = sessions::list(store, who, Part { after, limit: 2 }, now).await.unwrap();
            let Some(end) = page.last() else { break };
            last = Some((end.created_at, end.session_id.clone()));
            seen.extend(page.into_iter().map(|session| session.session_id));
        }
        assert_eq!(seen, ["e", "c", "b", "a", "d"]);
        assert_eq!(sessions::count(store, who, now).await.unwrap(), 5);
        assert_eq!(sessions::count(store, who, TimeMs(1000)).await.unwrap(), 0);
    });
}

#[test]
fn devices_are_what_sessions_were_opened_on() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        for (id, device, at) in [
            ("a", Some("phone"), 100),
            ("b", Some("phone"), 120),
            ("c", Some("laptop"), 110),
            ("d", None, 130),
            ("e", Some(""), 140),
        ] {
            let device = device.map(str::to_owned);
            let session = NewSession { created_at: TimeMs(at), device, ..new(id, "u1") };
            sessions::open(&mut tx, &session, id, TimeMs(500)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let (who, now) = (Subject::user("u1"), TimeMs(200));
        let found = sessions::devices(store, who, (None, 9), "b", now).await.unwrap();
        let names: Vec<_> =
            found.iter().map(|device| (device.name.as_str(), device.has_session)).collect();
        assert_eq!(names, [("laptop", false), ("phone", true)]);
        assert_eq!((found[1].first_seen_at, found[1].sessions), (TimeMs(100), 2));
        assert_eq!(found[1].last_used_at, TimeMs(120));
        let after = sessions::devices(store, who, (Some("laptop"), 9), "b", now).await.unwrap();
        assert_eq!(after, found[1..]);
        let mut tx = store.begin().await.unwrap();
        let other = Subject::user("u2");
        let gone = sessions::revoke_device(&mut tx, other, "phone", "x", now).await.unwrap();
        assert_eq!(gone, 0);
        assert_eq!(sessions::revoke_device(&mut tx, who, "phone", "x", now).await.unwrap(), 2);
        assert!(!sessions::revoke_own(&mut tx, other, "c", "x", now).await.unwrap());
        assert!(sessions::revoke_own(&mut tx, who, "c", "x", now).await.unwrap());
        assert!(!sessions::revoke_own(&mut tx, who, "c", "x", now).await.unwrap());
        tx.commit().await.unwrap();
        assert!(sessions::devices(store, who, (None, 9), "b", now).await.unwrap().is_empty());
        assert_eq!(sessions::count(store, who, now).await.unwrap(), 2);
    });
}
