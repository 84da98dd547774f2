//! Users: what people decide and what the ledger says come together in one status.

use gx_contract::freezing::{FreezeReason, FreezeReasons, FreezeWallet};
use gx_store::admin::counters;
use gx_store::identity::details::{self, Details};
use gx_store::identity::users::{self, Decision, ListUsers, NewUser, Person, UserStatus};
use gx_store::login::{Subject, credentials};
use gx_store::{Class, Store};
use gx_types::{Actor, Role, TimeMs};

use crate::backend::for_each_backend;
use crate::chain::{Chain, admin, person};
use crate::projection::apply;

pub(crate) fn new(number: i64) -> NewUser {
    NewUser {
        user_id: format!("u{number}"),
        email: format!("user{number}@example.org"),
        phone: Some(format!("+9100000{number:04}")),
        first_name: format!("First{number}"),
        last_name: "Last".to_owned(),
        country: "IN".parse().unwrap(),
        gender: None,
        date_of_birth: "1990-02-28".to_owned(),
        password_hash: "$argon2id$hash".to_owned(),
        decision: Decision::Registered,
        identity_hash: "ab".repeat(32),
        created_at: TimeMs(1000 + number),
    }
}

pub(crate) async fn create(store: &Store, new: &NewUser) {
    let mut tx = store.begin().await.unwrap();
    users::create(&mut tx, new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn status(store: &Store, id: &str) -> UserStatus {
    users::get(store, id).await.unwrap().unwrap().status
}

#[test]
fn a_user_is_found_by_every_key() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        create(store, &new(1)).await;
        let user = users::get(store, "u1").await.unwrap().unwrap();
        assert_eq!(user.email, "user1@example.org");
        assert_eq!((user.date_of_birth.as_str(), user.gender.as_deref()), ("1990-02-28", None));
        assert_eq!((user.created_at, user.status), (TimeMs(1001), UserStatus::Registered));
        let found = users::by_email(store, "user1@example.org").await.unwrap().unwrap();
        assert_eq!(found, user);
        assert!(users::by_email(store, "nobody@example.org").await.unwrap().is_none());
        let mut tx = store.begin().await.unwrap();
        let (ledger_id, at) = (person(1), TimeMs(5));
        assert!(users::assign_ledger_id(&mut tx, "u1", &ledger_id, at).await.unwrap());
        assert!(!users::assign_ledger_id(&mut tx, "u1", &person(2), at).await.unwrap(), "once");
        tx.commit().await.unwrap();
        let found = users::by_ledger_id(store, &ledger_id).await.unwrap().unwrap();
        assert_eq!((found.user_id.as_str(), found.ledger_id), ("u1", Some(ledger_id)));
        create(store, &new(2)).await;
        let ids = ["u2".to_owned(), "u9".to_owned(), "u1".to_owned()];
        assert_eq!(users::get_many(store, &ids).await.unwrap().len(), 2);
        let found = users::by_ledger_ids(store, &[person(3), ledger_id]).await.unwrap();
        assert_eq!(found.iter().map(|user| &user.user_id).collect::<Vec<_>>(), ["u1"]);
        assert!(users::by_ledger_ids(store, &[]).await.unwrap().is_empty());
    });
}

#[test]
fn what_is_taken_is_named_the_same_on_both_engines() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        create(store, &new(1)).await;
        create(store, &NewUser { phone: None, ..new(2) }).await;
        create(store, &NewUser { phone: None, ..new(3) }).await;
        let email = NewUser { email: new(1).email, ..new(4) };
        let phone = NewUser { phone: new(1).phone, ..new(4) };
        let id = NewUser { user_id: new(1).user_id, ..new(4) };
        let cases = [(email, "users.email"), (phone, "users.phone"), (id, "users.user_id")];
        for (user, what) in cases {
            let mut tx = store.begin().await.unwrap();
            let error = users::create(&mut tx, &user).await.unwrap_err();
            assert_eq!(error.class(), Class::Unique);
            assert!(error.is_unique(what), "{error}");
            assert_eq!(error.to_string(), format!("{what} exists already"));
        }
        let mut tx = store.begin().await.unwrap();
        users::assign_ledger_id(&mut tx, "u1", &person(1), TimeMs(1)).await.unwrap();
        let error =
            users::assign_ledger_id(&mut tx, "u2", &person(1), TimeMs(1)).await.unwrap_err();
        assert!(error.is_unique("users.ledger_id"), "{error}");
    });
}

#[test]
fn a_decision_is_changed_from_where_it_stands() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        create(store, &new(1)).await;
        let mut tx = store.begin().await.unwrap();
        let from = [Decision::Registered, Decision::PendingAdminApproval];
        let at = TimeMs(9);
        let to = Decision::Denied;
        assert!(users::decide(&mut tx, "u1", &from, to, Some("blurred"), at).await.unwrap());
        assert!(!users::decide(&mut tx, "u1", &from, to, None, at).await.unwrap());
        assert!(!users::decide(&mut tx, "u9", &Decision::ALL, to, None, at).await.unwrap());
        assert!(!users::decide(&mut tx, "u1", &[], to, None, at).await.unwrap());
        tx.commit().await.unwrap();
        let user = users::get(store, "u1").await.unwrap().unwrap();
        assert_eq!((user.status, user.updated_at), (UserStatus::Denied, at));
        assert_eq!(user.status_reason.as_deref(), Some("blurred"));
    });
}

#[test]
fn active_and_frozen_are_what_the_ledger_says() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        create(store, &new(1)).await;
        create(store, &new(2)).await;
        let mut tx = store.begin().await.unwrap();
        let (from, to) = ([Decision::Registered], Decision::ApprovedPendingOnchain);
        users::decide(&mut tx, "u1", &from, to, None, TimeMs(2)).await.unwrap();
        users::assign_ledger_id(&mut tx, "u1", &person(1), TimeMs(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(status(store, "u1").await, UserStatus::ApprovedPendingOnchain);
        let mut chain = Chain::default();
        chain.bootstrap();
        chain.create_users(&[person(1)]);
        apply(store, &lease, &chain.blocks).await;
        assert_eq!(status(store, "u1").await, UserStatus::Active);
        let reason = FreezeReason::ComplianceReview;
        let freeze = FreezeWallet { account_id: person(1), reason };
        let freeze = chain.envelope(Actor::Admin(admin()), freeze);
        chain.execute(Role::SuperAdmin, vec![freeze]);
        apply(store, &lease, &chain.blocks[2..]).await;
        let user = users::get(store, "u1").await.unwrap().unwrap();
        assert_eq!(
            (user.status, user.frozen),
            (UserStatus::Frozen, FreezeReasons::NONE.with(reason))
        );
        let counts = users::count_by_status(store).await.unwrap();
        for (status, count) in counts {
            let expected = matches!(status, UserStatus::Frozen | UserStatus::Registered);
            assert_eq!(count, u64::from(expected), "{status:?}");
        }
        let found = counters::get(store).await.unwrap();
        assert_eq!((found.people, found.waiting_people), (2, 1));
        let mut tx = store.begin().await.unwrap();
        let from = [Decision::ApprovedPendingOnchain];
        users::decide(&mut tx, "u1", &from, Decision::Suspended, None, TimeMs(3)).await.unwrap();
        let again = users::decide(&mut tx, "u1", &from, Decision::Closed, None, TimeMs(3)).await;
        assert!(!again.unwrap(), "it is none of those any more");
        let from = [Decision::Registered];
        users::decide(&mut tx, "u2", &from, Decision::Denied, None, TimeMs(3)).await.unwrap();
        tx.commit().await.unwrap();
        let found = counters::get(store).await.unwrap();
        assert_eq!((found.people, found.waiting_people), (2, 0));
        let user = users::get(store, "u1").await.unwrap().unwrap();
        assert_eq!((user.status, user.on_ledger), (UserStatus::Suspended, true));
    });
}

#[test]
fn lists_are_filtered_searched_and_paged() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        for number in 1..=12 {
            let mut user = new(number);
            if number > 9 {
                user.country = "LS".parse().unwrap();
            }
            create(store, &user).await;
        }
        let list = |filter: ListUsers| async move {
            let (users, total) = users::list(store, &filter).await.unwrap();
            (users.into_iter().map(|user| user.user_id).collect::<Vec<_>>(), total)
        };
        let any = || ListUsers { limit: 100, ..ListUsers::default() };
        let (all, total) = list(any()).await;
        assert_eq!((all.len(), total, all[0].as_str()), (12, 12, "u12"));
        let page = list(ListUsers { offset: 10, limit: 5, ..any() }).await;
        assert_eq!(page, (vec!["u2".to_owned(), "u1".to_owned()], 12));
        let search = |text: &str| ListUsers { search: Some(text.to_owned()), ..any() };
        assert_eq!(list(search("USER12@")).await.1, 1);
        assert_eq!(list(search("first1")).await.1, 4);
        assert_eq!(list(search("%")).await.1, 0, "no pattern of the caller");
        assert_eq!(list(search("user_")).await.1, 0);
        let lesotho = ListUsers { country: "LS".parse().ok(), ..any() };
        assert_eq!(list(lesotho).await.1, 3);
        let status = |status| ListUsers { status: Some(status), ..any() };
        assert_eq!(list(status(UserStatus::Registered)).await.1, 12);
        assert_eq!(list(status(UserStatus::Active)).await.1, 0);
    });
}

#[test]
fn a_thousand_users_are_found_by_their_accounts_at_once() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        for number in 1..=1000_i64 {
            users::create(&mut tx, &new(number)).await.unwrap();
            let account = person(u16::try_from(number).unwrap().into());
            let id = format!("u{number}");
            users::assign_ledger_id(&mut tx, &id, &account, TimeMs(5)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let accounts: Vec<_> = (1..=1000_u16).map(|number| person(number.into())).collect();
        let found = users::by_ledger_ids(store, &accounts).await.unwrap();
        assert_eq!(found.len(), 1000);
        assert!(found.iter().all(|user| user.ledger_id.is_some_and(|id| accounts.contains(&id))));
    });
}

#[test]
fn what_users_say_of_themselves_can_be_changed() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        create(store, &new(1)).await;
        create(store, &new(2)).await;
        let person = Person { first_name: Some("New".to_owned()), ..Person::default() };
        let mut tx = store.begin().await.unwrap();
        users::note_reached(&mut tx, "u1", TimeMs(5)).await.unwrap();
        assert!(users::change_person(&mut tx, "u1", &person, TimeMs(9)).await.unwrap());
        users::change_phone(&mut tx, "u1", None, TimeMs(9)).await.unwrap();
        tx.commit().await.unwrap();
        let user = users::get(store, "u1").await.unwrap().unwrap();
        assert_eq!((user.first_name.as_str(), user.last_name.as_str()), ("New", "Last"));
        assert_eq!((user.phone, user.phone_verified_at), (new(1).phone, Some(TimeMs(5))));
        let mut tx = store.begin().await.unwrap();
        users::change_phone(&mut tx, "u1", Some("+491511"), TimeMs(9)).await.unwrap();
        let decided = [Decision::Registered];
        let approved = Decision::ApprovedPendingOnchain;
        users::decide(&mut tx, "u1", &decided, approved, None, TimeMs(9)).await.unwrap();
        assert!(!users::change_person(&mut tx, "u1", &person, TimeMs(9)).await.unwrap());
        tx.commit().await.unwrap();
        let user = users::get(store, "u1").await.unwrap().unwrap();
        assert_eq!((user.phone.as_deref(), user.phone_verified_at), (Some("+491511"), None));
        assert_eq!(user.email_verified_at, Some(TimeMs(5)));
        let mut tx = store.begin().await.unwrap();
        let error = users::change_phone(&mut tx, "u2", Some("+491511"), TimeMs(9)).await;
        assert!(error.unwrap_err().is_unique("users.phone"));
    });
}

#[test]
fn what_is_not_told_anew_stays() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        assert_eq!(details::get(store, "u1").await.unwrap(), Details::default());
        let told = [
            Details {
                city: Some("Ulm".to_owned()),
                address_country: Some("DE".parse().unwrap()),
                is_pep: Some(true),
                ..Details::default()
            },
            Details {
                city: Some(String::new()),
                language: Some("de".to_owned()),
                is_pep: Some(false),
                ..Details::default()
            },
        ];
        for told in &told {
            let mut tx = store.begin().await.unwrap();
            details::tell(&mut tx, "u1", told, TimeMs(9)).await.unwrap();
            tx.commit().await.unwrap();
        }
        let [first, second] = told;
        let expected = Details { address_country: first.address_country, ..second };
        assert_eq!(details::get(store, "u1").await.unwrap(), expected);
    });
}

#[test]
fn people_who_come_with_their_accounts_are_as_if_they_had_registered() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let people: Vec<_> = (1..=300).map(|number| (new(number), person(number as u64))).collect();
        let mut tx = store.begin().await.unwrap();
        let first: Vec<_> = people.iter().take(200).cloned().collect();
        users::import(&mut tx, &first).await.unwrap();
        tx.commit().await.unwrap();
        let found = users::get(store, "u7").await.unwrap().unwrap();
        assert_eq!((found.email.as_str(), found.ledger_id), ("user7@example.org", Some(person(7))));
        let kept = credentials::get(store, Subject::user("u7")).await.unwrap().unwrap();
        assert_eq!(kept.password_hash, new(7).password_hash);
        assert_eq!((kept.must_change_password, kept.password_changed_at), (false, TimeMs(1007)));
        let mut tx = store.begin().await.unwrap();
        let error = users::import(&mut tx, &people[6..7]).await.unwrap_err();
        assert_eq!(error.class(), Class::Unique);
    });
}

#[test]
fn frozen_users_are_listed_by_their_accounts() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let mut tx = store.begin().await.unwrap();
        let people: Vec<_> = (1..=3).map(|number| (new(number), person(number as u64))).collect();
        let approved = people.into_iter().map(|(mut new, account)| {
            new.decision = Decision::ApprovedPendingOnchain;
            (new, account)
        });
        users::import(&mut tx, &approved.collect::<Vec<_>>()).await.unwrap();
        tx.commit().await.unwrap();
        let mut chain = Chain::default();
        chain.bootstrap();
        chain.create_users(&[person(2), person(1)]);
        let root = Actor::Admin(admin());
        let reason = FreezeReason::ComplianceReview;
        let freezes = [person(2), person(1)].map(|account_id| FreezeWallet { account_id, reason });
        let freezes = freezes.map(|freeze| chain.envelope(root, freeze));
        chain.execute(Role::SuperAdmin, freezes.to_vec());
        apply(store, &lease, &chain.blocks).await;
        for (status, expected) in [
            (UserStatus::Frozen, &["u1", "u2"][..]),
            (UserStatus::Active, &[][..]),
            (UserStatus::ApprovedPendingOnchain, &["u3"][..]),
        ] {
            let filter = ListUsers { status: Some(status), limit: 9, ..ListUsers::default() };
            let (found, total) = users::list(store, &filter).await.unwrap();
            let ids: Vec<_> = found.iter().map(|user| user.user_id.as_str()).collect();
            assert_eq!((ids.as_slice(), total), (expected, expected.len() as u64), "{status:?}");
            let search = ListUsers { search: Some("first".to_owned()), ..filter };
            let (found, _) = users::list(store, &search).await.unwrap();
            assert_eq!(found.len(), expected.len(), "{status:?}");
        }
        let mut tx = store.begin().await.unwrap();
        assert_eq!(users::note_accounts(&mut tx, 1).await.unwrap(), 1);
        assert_eq!(users::note_accounts(&mut tx, 9).await.unwrap(), 1, "one still waits");
        assert_eq!(users::note_accounts(&mut tx, 9).await.unwrap(), 0);
        tx.commit().await.unwrap();
        let status = Some(UserStatus::ApprovedPendingOnchain);
        let filter = ListUsers { status, limit: 9, ..ListUsers::default() };
        assert_eq!(users::list(store, &filter).await.unwrap().1, 1);
    });
}
