//! What people and endpoints are told of the ledger, whatever dies meanwhile.

use std::sync::{Arc, Mutex};

use gx_contract::freezing::{FreezeReason, FreezeWallet};
use gx_store::admin::{admins, audit};
use gx_store::identity::users::{self, Decision, NewUser};
use gx_store::login::Subject;
use gx_store::notifications::{self, DueMail, Notification, Topic, Which};
use gx_store::projection::rebuild;
use gx_store::webhooks::deliveries::{self, Delivery, DeliveryState};
use gx_store::webhooks::{self, Webhook};
use gx_store::{Engine, Store, Tx};
use gx_types::{AccountId, TimeMs};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::rig::{Rig, until};
use crate::{Clock, Messenger, Notifier, Random, Sent, WebhookClient, holder_name};

/// Answers as it is told, and remembers what it was given.
#[derive(Debug)]
struct Fake {
    /// `None` takes what it is given and never comes back.
    answer: Option<Sent>,
    sent: Mutex<Vec<String>>,
    mail: Mutex<Vec<String>>,
}

impl Fake {
    fn new(answer: Option<Sent>) -> Arc<Self> {
        Arc::new(Self { answer, sent: Mutex::default(), mail: Mutex::default() })
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

impl WebhookClient for Fake {
    async fn send(&self, _: &Webhook, delivery: &Delivery, _: TimeMs) -> Sent {
        self.sent.lock().unwrap().push(delivery.message_id.clone());
        match &self.answer {
            Some(answer) => answer.clone(),
            None => std::future::pending().await,
        }
    }

    async fn post(&self, _: &mut Tx, mail: &DueMail, to: &str) -> Result<(), String> {
        self.mail.lock().unwrap().push(format!("{to}: {}", mail.title));
        Ok(())
    }
}

fn messenger(rig: &Rig, client: &Arc<Fake>, clock: &Clock) -> JoinHandle<()> {
    let messenger = Messenger {
        store: rig.store.clone(),
        client: client.clone(),
        metrics: rig.metrics.clone(),
        clock: clock.clone(),
        random: Random::seeded(7),
        overseers: vec!["SUPER_OWNER"],
    };
    tokio::spawn(messenger.run(holder_name(&Random::system()), CancellationToken::new()))
}

fn notifier(rig: &Rig) -> JoinHandle<()> {
    let notifier = Notifier {
        store: rig.store.clone(),
        chain: rig.chain.clone(),
        metrics: rig.metrics.clone(),
        clock: Clock::system(),
        random: Random::system(),
    };
    tokio::spawn(notifier.run(holder_name(&Random::system()), CancellationToken::new()))
}

/// Gives an account an owner who is registered as `u<n>`.
async fn owner(store: &Store, number: usize, account: &AccountId) {
    let new = NewUser {
        user_id: format!("u{number}"),
        email: format!("u{number}@example.org"),
        phone: None,
        first_name: "Ada".to_owned(),
        last_name: "Example".to_owned(),
        country: "IN".parse().unwrap(),
        gender: None,
        date_of_birth: "1990-06-15".to_owned(),
        password_hash: "none".to_owned(),
        decision: Decision::ApprovedPendingOnchain,
        identity_hash: format!("{number:064}"),
        created_at: TimeMs(1),
    };
    let mut tx = store.begin().await.unwrap();
    users::create(&mut tx, &new).await.unwrap();
    users::assign_ledger_id(&mut tx, &new.user_id, account, TimeMs(1)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn endpoint(store: &Store, id: &str) {
    let new = Webhook {
        webhook_id: id.to_owned(),
        name: "Books".to_owned(),
        url: "https://hooks.example.org/gx".to_owned(),
        events: vec!["transferred".to_owned()],
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
    };
    let mut tx = store.begin().await.unwrap();
    assert!(webhooks::create(&mut tx, &new, 10).await.unwrap());
    tx.commit().await.unwrap();
}

async fn message(store: &Store, webhook_id: &str, message_id: &str, now: TimeMs) {
    let new = deliveries::NewDelivery {
        webhook_id: webhook_id.to_owned(),
        message_id: message_id.to_owned(),
        event_type: "transferred".to_owned(),
        data: "{}".to_owned(),
        occurred_at: now,
        created_at: now,
        until: TimeMs(now.0 + crate::RETRY_MS),
    };
    let mut tx = store.begin().await.unwrap();
    deliveries::add(&mut tx, &[new]).await.unwrap();
    tx.commit().await.unwrap();
}

/// The message to `w1`.
async fn only(store: &Store) -> Delivery {
    deliveries::one(store, "w1", "evt_1_0_0").await.unwrap().unwrap()
}

async fn told(store: &Store, user: &str) -> Vec<Notification> {
    notifications::page(store, Subject::user(user), Which::default(), 100).await.unwrap()
}

async fn each_event_is_told_once_whatever_dies(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let accounts = rig.populate(2).await;
    for (number, account) in accounts.iter().enumerate() {
        owner(&rig.store, number, account).await;
    }
    endpoint(&rig.store, "w1").await;
    // What was there before the platform began to tell is told to nobody.
    Notifier::begin::<BeginError>(&rig.store, &rig.chain).await.unwrap();
    let store = &rig.store;
    for round in 0..4 {
        let key = format!("payment {round}");
        let running = notifier(&rig);
        let paid = rig.pay(accounts[0], accounts[1], 1_000_000, &key).await.unwrap();
        rig.outcome(paid).await;
        // Half of the notifiers die wherever they are.
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        } else {
            let wanted = round + 1;
            until("both are told", || async { told(store, "u1").await.len() == wanted }).await;
        }
        running.abort();
    }
    let received = told(store, "u1").await;
    assert!(received.iter().all(|one| one.topic == Topic::WalletCredited), "{received:?}");
    assert!(received[0].message.starts_with("1.00 GX from "), "{received:?}");
    assert!(told(store, "u0").await.iter().all(|one| one.topic == Topic::WalletDebited));
    let (messages, total) = deliveries::list_of(store, "w1", None, 0, 100).await.unwrap();
    assert_eq!(total, 4, "{messages:?}");
    assert!(messages.iter().all(|one| one.event_type == "transferred"));

    // Read models that are filled anew tell nobody again, and what comes then is told.
    let before = received.len();
    let mut tx = store.begin().await.unwrap();
    rebuild::ask(&mut tx, "superowner", "a test", TimeMs(1)).await.unwrap();
    tx.commit().await.unwrap();
    let last = || async { rebuild::last(store).await.unwrap().unwrap() };
    until("the read models are filled", || async { last().await.finished_at.is_some() }).await;
    let _running = notifier(&rig);
    let paid = rig.pay(accounts[0], accounts[1], 1_000_000, "the last").await.unwrap();
    rig.outcome(paid).await;
    until("the last is told", || async { told(store, "u1").await.len() > before }).await;
    assert_eq!(told(store, "u1").await.len(), before + 1);
}

#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error(transparent)]
    Store(#[from] gx_store::Error),
    #[error(transparent)]
    Chain(#[from] crate::ChainError),
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_told_once_whatever_dies_on_sqlite() {
    each_event_is_told_once_whatever_dies(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_told_once_whatever_dies_on_postgres() {
    each_event_is_told_once_whatever_dies(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_goes_by_mail_too_and_once() {
    let rig = Rig::new(Engine::Sqlite).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    Notifier::begin::<BeginError>(&rig.store, &rig.chain).await.unwrap();
    let accounts = rig.populate(1).await;
    owner(&rig.store, 0, &accounts[0]).await;
    let _notifier = notifier(&rig);
    let client = Fake::new(None);
    let _messenger = messenger(&rig, &client, &Clock::system());
    let freeze = FreezeWallet { account_id: accounts[0], reason: FreezeReason::SuspiciousActivity };
    rig.settle(gx_types::Actor::Admin("ROOT".parse().unwrap()), freeze).await;
    let mail = || client.mail.lock().unwrap().clone();
    let frozen = "u0@example.org: The account is frozen".to_owned();
    until("the mail is written", || async { mail().contains(&frozen) }).await;
    let due = || notifications::due_mail(&rig.store, 10);
    until("it is noted", || async { due().await.unwrap().is_empty() }).await;
    let all = mail();
    assert_eq!(all.iter().filter(|one| **one == frozen).count(), 1, "{all:?}");
}

async fn a_message_whose_sender_dies_is_sent_again(engine: Engine) {
    let rig = Rig::new(engine).await;
    endpoint(&rig.store, "w1").await;
    let clock = Clock::at(TimeMs(1_000));
    message(&rig.store, "w1", "evt_1_0_0", clock.now()).await;
    let hanging = Fake::new(None);
    let killed = messenger(&rig, &hanging, &clock);
    until("it is on its way", || async { !hanging.sent().is_empty() }).await;
    killed.abort();
    let taking = Fake::new(Some(Sent::Answered(204)));
    let _messenger = messenger(&rig, &taking, &clock);
    let store = &rig.store;
    let state = || async { only(store).await.state };
    until("it is delivered", || async { state().await == DeliveryState::Delivered }).await;
    assert_eq!((hanging.sent(), taking.sent()), (vec!["evt_1_0_0".to_owned()], hanging.sent()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_sender_dies_is_sent_again_on_sqlite() {
    a_message_whose_sender_dies_is_sent_again(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_sender_dies_is_sent_again_on_postgres() {
    a_message_whose_sender_dies_is_sent_again(Engine::Postgres).await;
}

/// Makes the administrator who is told of endpoints.
async fn overseer(store: &Store) {
    let new = admins::NewAdmin {
        admin_id: "superowner".to_owned(),
        email: "superowner@example.org".to_owned(),
        display_name: "Owner".to_owned(),
        role: "SUPER_OWNER".to_owned(),
        ledger_id: None,
        password_hash: "none".to_owned(),
        must_change_password: false,
        created_at: TimeMs(1),
    };
    let mut tx = store.begin().await.unwrap();
    admins::create(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn disabled(store: &Store) -> String {
    let row = webhooks::get(store, "w1").await.unwrap().unwrap();
    assert!(!row.enabled);
    let log = audit::page(store, &audit::Filter::default(), None, 10).await.unwrap();
    assert_eq!(log.iter().filter(|row| row.action == "webhook.disable").count(), 1);
    let admin = Subject::admin("superowner");
    let told = notifications::page(store, admin, Which::default(), 10).await.unwrap();
    assert_eq!(told.iter().map(|one| one.topic).collect::<Vec<_>>(), [Topic::Webhook]);
    row.disabled_reason.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_for_three_days_with_growing_pauses() {
    let rig = Rig::new(Engine::Sqlite).await;
    overseer(&rig.store).await;
    endpoint(&rig.store, "w1").await;
    let clock = Clock::at(TimeMs(1_000_000));
    let began = clock.now();
    message(&rig.store, "w1", "evt_1_0_0", began).await;
    let failing = Fake::new(Some(Sent::Answered(500)));
    let _messenger = messenger(&rig, &failing, &clock);
    let store = &rig.store;
    let mut pauses = Vec::new();
    for attempt in 1.. {
        until("it is attempted", || async { only(store).await.attempts == attempt }).await;
        let one = only(store).await;
        if one.state == DeliveryState::Failed {
            assert_eq!(one.last_status, Some(500));
            break;
        }
        pauses.push(one.next_at.0 - clock.now().0);
        clock.set(one.next_at);
    }
    assert!((7_500..=12_500).contains(&pauses[0]), "{pauses:?}");
    assert!(pauses.len() > 20 && pauses.iter().all(|pause| *pause <= 5 * 3_600_000), "{pauses:?}");
    assert!(pauses.windows(2).take(8).all(|pair| pair[1] > pair[0]), "{pauses:?}");
    let passed = clock.now().0 - began.0;
    assert!((crate::RETRY_MS - 5 * 3_600_000..=crate::RETRY_MS).contains(&passed), "{passed}");
    assert!(disabled(store).await.contains("three days"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_told_nothing_more() {
    let rig = Rig::new(Engine::Sqlite).await;
    overseer(&rig.store).await;
    endpoint(&rig.store, "w1").await;
    let clock = Clock::at(TimeMs(1_000));
    message(&rig.store, "w1", "evt_1_0_0", clock.now()).await;
    let gone = Fake::new(Some(Sent::Answered(410)));
    let _messenger = messenger(&rig, &gone, &clock);
    let store = &rig.store;
    let kept = || async { webhooks::get(store, "w1").await.unwrap().unwrap() };
    until("it is disabled", || async { !kept().await.enabled }).await;
    assert!(disabled(store).await.contains("410"));
    assert_eq!(deliveries::endpoints_due(store, TimeMs(i64::MAX)).await.unwrap(), [""; 0]);
}

/// Takes what `w2` is sent, and never comes back from `w1`.
#[derive(Debug)]
struct OneHangs;

impl WebhookClient for OneHangs {
    async fn send(&self, endpoint: &Webhook, _: &Delivery, _: TimeMs) -> Sent {
        if endpoint.webhook_id == "w1" {
            std::future::pending::<()>().await;
        }
        Sent::Answered(200)
    }

    async fn post(&self, _: &mut Tx, _: &DueMail, _: &str) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_hangs_holds_no_other_up() {
    let rig = Rig::new(Engine::Sqlite).await;
    let clock = Clock::at(TimeMs(1_000));
    for (webhook, messages) in [("w1", 20), ("w2", 20)] {
        endpoint(&rig.store, webhook).await;
        for number in 0..messages {
            message(&rig.store, webhook, &format!("evt_{number}"), clock.now()).await;
        }
    }
    let messenger = Messenger {
        store: rig.store.clone(),
        client: Arc::new(OneHangs),
        metrics: rig.metrics.clone(),
        clock,
        random: Random::system(),
        overseers: Vec::new(),
    };
    tokio::spawn(messenger.run(holder_name(&Random::system()), CancellationToken::new()));
    let store = &rig.store;
    let done = |webhook: &'static str| async move {
        let state = Some(DeliveryState::Delivered);
        deliveries::list_of(store, webhook, state, 0, 1).await.unwrap().1
    };
    until("the other has all", || async { done("w2").await == 20 }).await;
    assert_eq!(done("w1").await, 0);
}
