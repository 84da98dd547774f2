//! Partners and their keys, what users agree to, and single permissions of administrators.

use gx_store::admin::admins;
use gx_store::admin::permissions::{self, Effect, Single, SinglePermission};
use gx_store::identity::users;
use gx_store::partner::consents::{self, Consent};
use gx_store::partner::keys::{self, PartnerKey};
use gx_store::partner::partners::{self, Partner, PartnerStatus};
use gx_store::partner::payments::{self, Agreed, PartnerPayment};
use gx_store::partner::standing;
use gx_types::{Actor, Amount, CommandId, TimeMs};

use crate::backend::for_each_backend;
use crate::chain::person;

fn partner(id: &str) -> Partner {
    Partner {
        partner_id: id.to_owned(),
        name: format!("The {id}"),
        contact: None,
        status: PartnerStatus::Active,
        scopes: vec!["balance:read".to_owned(), "transfer:create".to_owned()],
        created_by: "root".to_owned(),
        created_at: TimeMs(1),
        updated_at: TimeMs(1),
    }
}

fn key(number: u8) -> PartnerKey {
    PartnerKey {
        key_id: format!("k{number}"),
        partner_id: "shop".to_owned(),
        secret_hash: format!("hash{number}"),
        label: None,
        scopes: vec!["balance:read".to_owned()],
        networks: vec!["192.0.2.0/24".to_owned(), "::1".to_owned()],
        requests_per_minute: Some(7),
        created_by: "root".to_owned(),
        created_at: TimeMs(number.into()),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

fn consent() -> Consent {
    Consent {
        user_id: "u1".to_owned(),
        partner_id: "shop".to_owned(),
        scopes: vec!["transfer:create".to_owned()],
        payment_max: Some(Amount::from_gx(6)),
        day_max: Some(Amount::from_gx(10)),
        created_at: TimeMs(1),
        expires_at: TimeMs(1_000),
    }
}

#[test]
fn a_partner_is_there_until_it_is_removed_for_ever() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        for id in ["shop", "bank"] {
            partners::create(&mut tx, &partner(id)).await.unwrap();
        }
        consents::put(&mut tx, &consent()).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let same = Partner { name: "Other".to_owned(), ..partner("shop") };
        let error = partners::create(&mut tx, &same).await.unwrap_err();
        assert!(error.is_unique("partners.partner_id"), "{error}");
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        let same = Partner { name: "The shop".to_owned(), ..partner("other") };
        let error = partners::create(&mut tx, &same).await.unwrap_err();
        assert!(error.is_unique("partners.name"), "{error}");
        drop(tx);
        let page = partners::page(store, None, 1).await.unwrap();
        assert_eq!(page, [partner("bank")]);
        assert_eq!(partners::page(store, Some("bank"), 9).await.unwrap(), [partner("shop")]);

        let mut tx = store.begin().await.unwrap();
        let to =
            Partner { status: PartnerStatus::Suspended, updated_at: TimeMs(2), ..partner("shop") };
        assert!(partners::update(&mut tx, &to).await.unwrap());
        assert!(keys::create(&mut tx, &key(1), 3).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(partners::get(store, "shop").await.unwrap(), Some(to));
        let mut tx = store.begin().await.unwrap();
        assert!(partners::remove(&mut tx, "shop", TimeMs(5)).await.unwrap());
        assert!(!partners::remove(&mut tx, "shop", TimeMs(6)).await.unwrap());
        partners::create(&mut tx, &same).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(partners::get(store, "shop").await.unwrap(), None);
        let ended = keys::of_partner(store, "shop", 9).await.unwrap();
        assert_eq!(ended[0].revoked_at, Some(TimeMs(5)));
        assert!(consents::page(store, "u1", None, 9).await.unwrap().is_empty());
    });
}

#[test]
fn keys_are_bounded_and_found_with_what_stands_behind_them() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        partners::create(&mut tx, &partner("shop")).await.unwrap();
        for number in [1, 2] {
            assert!(keys::create(&mut tx, &key(number), 2).await.unwrap());
        }
        assert!(!keys::create(&mut tx, &key(3), 2).await.unwrap(), "two are enough here");
        assert!(keys::revoke(&mut tx, "shop", "k2", TimeMs(4)).await.unwrap());
        assert!(!keys::revoke(&mut tx, "shop", "k2", TimeMs(5)).await.unwrap());
        assert!(!keys::revoke(&mut tx, "bank", "k1", TimeMs(5)).await.unwrap());
        assert!(keys::create(&mut tx, &key(3), 2).await.unwrap());
        keys::touch(&mut tx, "k1", TimeMs(8)).await.unwrap();
        tx.commit().await.unwrap();
        let found = keys::of_partner(store, "shop", 9).await.unwrap();
        let ids: Vec<&str> = found.iter().map(|key| key.key_id.as_str()).collect();
        assert_eq!(ids, ["k3", "k1", "k2"]);
        let found = standing::get(store, "k1", None).await.unwrap().unwrap();
        let expected = PartnerKey { last_used_at: Some(TimeMs(8)), ..key(1) };
        assert_eq!((found.key, found.status), (expected, PartnerStatus::Active));
        assert_eq!((found.scopes, found.agreed), (partner("shop").scopes, None));
        assert_eq!(standing::get(store, "k9", None).await.unwrap(), None);
    });
}

#[test]
fn a_consent_is_found_with_its_user() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        let new = crate::users::new(1);
        users::create(&mut tx, &new).await.unwrap();
        partners::create(&mut tx, &partner("shop")).await.unwrap();
        keys::create(&mut tx, &key(1), 2).await.unwrap();
        let consent = Consent { user_id: new.user_id.clone(), ..consent() };
        consents::put(&mut tx, &consent).await.unwrap();
        let wider = Consent { expires_at: TimeMs(2_000), day_max: None, ..consent.clone() };
        consents::put(&mut tx, &wider).await.unwrap();
        tx.commit().await.unwrap();
        let page = consents::page(store, &new.user_id, None, 9).await.unwrap();
        assert_eq!(page.len(), 1);
        assert_eq!((&page[0].consent, &*page[0].partner_name), (&wider, "The shop"));
        // Without an account on the ledger nobody can be named.
        let found = standing::get(store, "k1", Some(&person(1))).await.unwrap().unwrap();
        assert_eq!(found.agreed, None);
        let mut tx = store.begin().await.unwrap();
        assert!(consents::remove(&mut tx, &new.user_id, "shop").await.unwrap());
        assert!(!consents::remove(&mut tx, &new.user_id, "shop").await.unwrap());
    });
}

#[test]
fn payments_are_noted_within_what_was_agreed() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let payment = |name: &str, gx: u64, at: i64| PartnerPayment {
            command_id: CommandId::derive(&Actor::System, name),
            partner_id: "shop".to_owned(),
            user_id: "u1".to_owned(),
            amount: Amount::from_gx(gx),
            at: TimeMs(at),
        };
        let note = async |payment: PartnerPayment, day: i64| {
            let mut tx = store.begin().await.unwrap();
            payments::hold(&mut tx, &payment).await.unwrap();
            let agreed = payments::note(&mut tx, &payment, TimeMs(day)).await.unwrap();
            tx.commit().await.unwrap();
            agreed
        };
        assert_eq!(note(payment("early", 1, 10), 0).await, Agreed::Nothing);
        let mut tx = store.begin().await.unwrap();
        consents::put(&mut tx, &consent()).await.unwrap();
        tx.commit().await.unwrap();
        let over = Agreed::OverPayment { most: Amount::from_gx(6) };
        assert_eq!(note(payment("large", 7, 10), 0).await, over);
        // Two at once: the second waits for the first, and counts it.
        let (one, two) = tokio::join!(note(payment("a", 6, 10), 0), note(payment("b", 6, 10), 0));
        let over = Agreed::OverDay { most: Amount::from_gx(10), spent: Amount::from_gx(6) };
        assert!([one, two] == [Agreed::Within, over] || [one, two] == [over, Agreed::Within]);
        let first = if one == Agreed::Within { "a" } else { "b" };
        assert_eq!(note(payment(first, 6, 11), 0).await, Agreed::Within, "it is noted already");
        assert_eq!(note(payment("c", 6, 20), 20).await, Agreed::Within, "another day");
        assert_eq!(note(payment("d", 1, 1_000), 20).await, Agreed::Nothing, "its time is over");
        let id = payment(first, 6, 11).command_id;
        assert!(payments::is_by(store, "shop", &id).await.unwrap());
        assert!(!payments::is_by(store, "bank", &id).await.unwrap());
    });
}

#[test]
fn single_permissions_come_with_their_administrator() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let decided = |permission: &str, effect| SinglePermission {
            single: Single {
                permission: permission.to_owned(),
                effect,
                expires_at: Some(TimeMs(9)),
            },
            reason: Some("Because".to_owned()),
            set_by: "root".to_owned(),
            set_at: TimeMs(3),
        };
        let both =
            [decided("audit:view", Effect::Granted), decided("user:list", Effect::Withdrawn)];
        let mut tx = store.begin().await.unwrap();
        for number in [1, 2] {
            admins::create(&mut tx, &crate::admins::new(number)).await.unwrap();
        }
        permissions::replace(&mut tx, "a1", &both[..1]).await.unwrap();
        admins::hold(&mut tx, "a1").await.unwrap();
        permissions::replace(&mut tx, "a1", &both).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(admins::get(store, "a1").await.unwrap().unwrap().permissions, both);
        let page = admins::page(store, None, 9).await.unwrap();
        let counts: Vec<usize> = page.iter().map(|admin| admin.permissions.len()).collect();
        assert_eq!(counts, [2, 0]);
        assert!(both[0].single.is_in_force(TimeMs(8)) && !both[0].single.is_in_force(TimeMs(9)));
        let mut tx = store.begin().await.unwrap();
        admins::remove(&mut tx, "a1", TimeMs(5)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(admins::get(store, "a1").await.unwrap().is_none());
    });
}
