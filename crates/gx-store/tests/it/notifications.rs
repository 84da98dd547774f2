//! Notifications: numbers in order, each cause once, preferences, mail; and messages to endpoints.

use gx_store::Store;
use gx_store::login::{Subject, SubjectKind};
use gx_store::notifications::{self, Channels, NewNotification, Topic, Which};
use gx_store::retention::{self, Kept};
use gx_store::webhooks::deliveries::{self, Attempted, DeliveryState, NewDelivery};
use gx_store::webhooks::{self, Webhook};
use gx_types::TimeMs;

use crate::backend::for_each_backend;

fn new(subject: &str, cause: u8, topic: Topic) -> NewNotification {
    NewNotification {
        kind: SubjectKind::User,
        subject: subject.to_owned(),
        notification_id: format!("ntf_{cause}"),
        topic,
        title: format!("Title {cause}"),
        message: "Message".to_owned(),
        resource: Some(("LOAN", format!("l{cause}"))),
        action_required: cause == 1,
        created_at: TimeMs(cause.into()),
    }
}

async fn put(store: &Store, all: &[NewNotification]) -> u64 {
    let mut tx = store.begin().await.unwrap();
    let made = notifications::put(&mut tx, all).await.unwrap();
    tx.commit().await.unwrap();
    made
}

#[test]
fn of_each_cause_somebody_is_told_once_and_in_order() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (ada, bob) = (Subject::user("u1"), Subject::user("u2"));
        let first = [new("u1", 1, Topic::Loan), new("u2", 1, Topic::Loan)];
        assert_eq!(put(store, &first).await, 2);
        let more = [new("u1", 1, Topic::Loan), new("u1", 2, Topic::Escrow)];
        assert_eq!(put(store, &more).await, 1, "the first is there");
        assert_eq!(put(store, &[]).await, 0);
        let page = notifications::page(store, ada, Which::default(), 10).await.unwrap();
        let ids: Vec<&str> = page.iter().map(|row| row.notification_id.as_str()).collect();
        assert_eq!(ids, ["ntf_2", "ntf_1"]);
        assert_eq!(page[1].resource_id.as_deref(), Some("l1"));
        assert!(page[1].action_required && !page[0].action_required);
        let since = notifications::since(store, ada, page[1].number, 10).await.unwrap();
        assert_eq!(since, [page[0].clone()]);
        assert!(notifications::newest(store).await.unwrap() >= page[0].number);

        let mut tx = store.begin().await.unwrap();
        let read = notifications::read(&mut tx, ada, "ntf_1", TimeMs(9)).await.unwrap().unwrap();
        assert_eq!(read.read_at, Some(TimeMs(9)));
        let again = notifications::read(&mut tx, ada, "ntf_1", TimeMs(10)).await.unwrap().unwrap();
        assert_eq!(again.read_at, Some(TimeMs(9)), "the first time stays");
        assert_eq!(notifications::read(&mut tx, bob, "ntf_2", TimeMs(9)).await.unwrap(), None);
        tx.commit().await.unwrap();
        assert_eq!(notifications::count(store, ada, Some(false)).await.unwrap(), (1, 1));
        assert_eq!(notifications::count(store, ada, Some(true)).await.unwrap(), (1, 1));
        assert_eq!(notifications::count(store, ada, None).await.unwrap(), (2, 1));
        let which = Which { read: Some(true), ..Which::default() };
        let seen = notifications::page(store, ada, which, 10).await.unwrap();
        assert_eq!(seen.len(), 1);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(notifications::read_all(&mut tx, ada, TimeMs(11)).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(notifications::unread(store, ada).await.unwrap(), 0);
        assert_eq!(notifications::unread(store, bob).await.unwrap(), 1);
        assert_eq!(purged(store, Kept::Notifications, 2).await, 2);
        assert_eq!(notifications::count(store, ada, None).await.unwrap(), (1, 0));
    });
}

async fn purged(store: &Store, kept: Kept, before: i64) -> u64 {
    let mut tx = store.begin().await.unwrap();
    let gone = retention::purge(&mut tx, kept, TimeMs(before), 100).await.unwrap();
    tx.commit().await.unwrap();
    gone
}

#[test]
fn people_choose_how_they_are_told_and_alarms_reach_them_all_the_same() {
    for_each_backend(|backend| async move {
        let (store, ada) = (&backend.store, Subject::user("u1"));
        let silent = Channels { in_app: false, by_mail: false };
        let by_mail = Channels { in_app: false, by_mail: true };
        let mut tx = store.begin().await.unwrap();
        let said = [(Topic::Loan, silent), (Topic::Escrow, by_mail), (Topic::Security, silent)];
        notifications::set_preferences(&mut tx, ada, &said).await.unwrap();
        tx.commit().await.unwrap();
        let all = notifications::preferences(store, ada).await.unwrap();
        assert_eq!(all.len(), Topic::ALL.len());
        assert!(all.contains(&(Topic::Escrow, by_mail)));
        let told = [
            new("u1", 1, Topic::Loan),
            new("u1", 2, Topic::Escrow),
            new("u1", 3, Topic::Security),
            new("u2", 1, Topic::Loan),
        ];
        assert_eq!(put(store, &told).await, 3);
        let page = notifications::page(store, ada, Which::default(), 10).await.unwrap();
        assert_eq!(page.iter().map(|row| row.topic).collect::<Vec<_>>(), [Topic::Security]);
        let due = notifications::due_mail(store, 10).await.unwrap();
        let titles: Vec<&str> = due.iter().map(|mail| mail.title.as_str()).collect();
        assert_eq!(titles, ["Title 2", "Title 1"], "hers by mail, and his by default");
        let mut tx = store.begin().await.unwrap();
        notifications::mailed(&mut tx, due.iter().map(|mail| mail.number).collect()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(notifications::due_mail(store, 10).await.unwrap(), []);
    });
}

#[test]
fn telling_begins_once() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        assert_eq!(notifications::told_block(store).await.unwrap(), None);
        let mut tx = store.begin().await.unwrap();
        notifications::begin_after(&mut tx, 7).await.unwrap();
        notifications::begin_after(&mut tx, 0).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(notifications::told_block(store).await.unwrap(), Some(7));
    });
}

fn endpoint(id: &str) -> Webhook {
    Webhook {
        webhook_id: id.to_owned(),
        name: "Books".to_owned(),
        url: "https://hooks.example.org/gx".to_owned(),
        events: vec!["loan.approved".to_owned()],
        enabled: true,
        disabled_reason: None,
        secret: "sealed".to_owned(),
        previous: None,
        partner_id: None,
        created_by: "superowner".to_owned(),
        created_at: TimeMs(1),
        updated_at: TimeMs(1),
        last_triggered_at: None,
        last_success_at: None,
        last_failure_at: None,
        failure_count: 0,
    }
}

fn message(webhook: &str, number: u8) -> NewDelivery {
    NewDelivery {
        webhook_id: webhook.to_owned(),
        message_id: format!("evt_{number}"),
        event_type: "loan.approved".to_owned(),
        data: "{}".to_owned(),
        occurred_at: TimeMs(number.into()),
        created_at: TimeMs(number.into()),
        until: TimeMs(100),
    }
}

#[test]
fn an_endpoint_is_kept_changed_and_removed_with_what_it_was_told() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        assert!(webhooks::create(&mut tx, &endpoint("w1"), 2).await.unwrap());
        assert!(webhooks::create(&mut tx, &endpoint("w2"), 2).await.unwrap());
        assert!(!webhooks::create(&mut tx, &endpoint("w3"), 2).await.unwrap(), "two are enough");
        assert!(webhooks::rotate(&mut tx, "w1", "newer", TimeMs(50), TimeMs(2)).await.unwrap());
        tx.commit().await.unwrap();
        let kept = webhooks::get(store, "w1").await.unwrap().unwrap();
        assert_eq!(kept.previous, Some(("sealed".to_owned(), TimeMs(50))));
        assert_eq!((kept.secret.as_str(), kept.wants("loan.approved")), ("newer", true));
        assert!(!kept.wants("loan.repaid"));
        let of_partner = Webhook { partner_id: Some("shop".to_owned()), ..endpoint("w9") };
        let mut tx = store.begin().await.unwrap();
        assert!(webhooks::create(&mut tx, &of_partner, 1).await.unwrap(), "counted for itself");
        let second = Webhook { webhook_id: "w8".to_owned(), ..of_partner.clone() };
        assert!(!webhooks::create(&mut tx, &second, 1).await.unwrap());
        tx.commit().await.unwrap();
        let (page, total) = webhooks::list(store, Some("shop"), 0, 9).await.unwrap();
        assert_eq!((page.as_slice(), total), (&[of_partner][..], 1));
        let mut tx = store.begin().await.unwrap();
        deliveries::add(&mut tx, &[message("w9", 1)]).await.unwrap();
        tx.commit().await.unwrap();
        let due = deliveries::endpoints_due(store, TimeMs(9)).await.unwrap();
        assert!(due.is_empty(), "there is no such partner, so nobody is told: {due:?}");
        let mut tx = store.begin().await.unwrap();
        assert!(webhooks::remove(&mut tx, "w9").await.unwrap());
        tx.commit().await.unwrap();
        let (page, total) = webhooks::list(store, None, 0, 1).await.unwrap();
        assert_eq!((page.len(), total), (1, 2));
        let mut tx = store.begin().await.unwrap();
        assert!(webhooks::disable(&mut tx, "w2", "gone", TimeMs(3)).await.unwrap());
        assert!(!webhooks::disable(&mut tx, "w2", "again", TimeMs(4)).await.unwrap());
        deliveries::add(&mut tx, &[message("w1", 1), message("w2", 1)]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(webhooks::enabled(store).await.unwrap(), [kept]);
        assert_eq!(deliveries::pending(store).await.unwrap(), 1, "w2 waits disabled");
        let mut tx = store.begin().await.unwrap();
        let off = webhooks::get(&mut tx, "w2").await.unwrap().unwrap();
        assert_eq!(off.disabled_reason.as_deref(), Some("gone"));
        let again = Webhook { enabled: true, disabled_reason: None, ..off };
        assert!(webhooks::update(&mut tx, &again).await.unwrap());
        assert!(webhooks::remove(&mut tx, "w1").await.unwrap());
        assert!(!webhooks::remove(&mut tx, "w1").await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(deliveries::one(store, "w1", "evt_1").await.unwrap(), None);
        assert_eq!(deliveries::endpoints_due(store, TimeMs(9)).await.unwrap(), ["w2"]);
    });
}

#[test]
fn a_delivery_is_there_once_and_due_until_it_has_an_end() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let mut tx = store.begin().await.unwrap();
        webhooks::create(&mut tx, &endpoint("w1"), 2).await.unwrap();
        let both = [message("w1", 1), message("w1", 2)];
        assert_eq!(deliveries::add(&mut tx, &both).await.unwrap(), 2);
        assert_eq!(deliveries::add(&mut tx, &both).await.unwrap(), 0);
        tx.commit().await.unwrap();
        let due = deliveries::due(store, "w1", TimeMs(1), 10).await.unwrap();
        assert_eq!(due.len(), 1, "the second is not due yet");
        let later = Attempted {
            at: TimeMs(3),
            state: DeliveryState::Pending,
            next_at: TimeMs(20),
            status: Some(500),
            error: Some("answered 500"),
        };
        let delivered = Attempted {
            state: DeliveryState::Delivered,
            status: Some(204),
            error: None,
            ..later.clone()
        };
        let mut tx = store.begin().await.unwrap();
        deliveries::attempted(&mut tx, "w1", "evt_1", &later).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(webhooks::get(store, "w1").await.unwrap().unwrap().failure_count, 1);
        let mut tx = store.begin().await.unwrap();
        deliveries::attempted(&mut tx, "w1", "evt_2", &delivered).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(webhooks::get(store, "w1").await.unwrap().unwrap().failure_count, 0);
        let one = deliveries::one(store, "w1", "evt_1").await.unwrap().unwrap();
        assert_eq!((one.attempts, one.last_status, one.next_at), (1, Some(500), TimeMs(20)));
        assert_eq!(deliveries::endpoints_due(store, TimeMs(19)).await.unwrap(), [""; 0]);
        let done = Some(DeliveryState::Delivered);
        let (page, total) = deliveries::list_of(store, "w1", done, 0, 10).await.unwrap();
        assert_eq!((page.len(), total, page[0].delivered_at), (1, 1, Some(TimeMs(3))));
        let (page, total) = deliveries::list_of(store, "w1", None, 1, 1).await.unwrap();
        assert_eq!((page[0].message_id.as_str(), total), ("evt_1", 2));
        let mut tx = store.begin().await.unwrap();
        let times = (TimeMs(30), TimeMs(300));
        assert!(deliveries::replay(&mut tx, "w1", "evt_2", times).await.unwrap());
        assert!(!deliveries::replay(&mut tx, "w1", "evt_3", times).await.unwrap());
        tx.commit().await.unwrap();
        let due = deliveries::due(store, "w1", TimeMs(30), 10).await.unwrap();
        assert_eq!(due.iter().map(|one| one.attempts).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(purged(store, Kept::Deliveries, 2).await, 1);
        assert_eq!(deliveries::pending(store).await.unwrap(), 1);
    });
}
