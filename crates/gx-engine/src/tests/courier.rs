//! That messages arrive once and in order, whoever and whatever is away meanwhile.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use gx_metrics::ByChannel;
use gx_store::mailbox::{self, Channel, Mail, State};
use gx_store::{Engine, Store};
use gx_types::TimeMs;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::rig::{Rig, until};
use crate::{Carrier, Clock, Courier, Random, Undelivered, holder_name};

const NOW: TimeMs = TimeMs(1_000_000);

/// A carrier that fails as a script says, and keeps what it has carried.
#[derive(Clone, Default)]
struct Scripted {
    failures: Arc<Mutex<VecDeque<Undelivered>>>,
    carried: Arc<Mutex<Vec<String>>>,
}

impl Carrier for Scripted {
    async fn carry(&mut self, message: &Mail) -> Result<(), Undelivered> {
        if let Some(failure) = self.failures.lock().unwrap().pop_front() {
            return Err(failure);
        }
        self.carried.lock().unwrap().push(message.mail_id.clone());
        Ok(())
    }

    async fn rest(&mut self) {}
}

impl Scripted {
    fn carried(&self) -> Vec<String> {
        self.carried.lock().unwrap().clone()
    }

    fn fail(&self, failures: &[Undelivered]) {
        self.failures.lock().unwrap().extend(failures);
    }
}

fn start(rig: &Rig, clock: &Clock, carrier: &Scripted) -> JoinHandle<()> {
    let courier = Courier {
        store: rig.store.clone(),
        metrics: rig.metrics.clone(),
        clock: clock.clone(),
        random: Random::seeded(7),
        channel: Channel::Mail,
        carrier: carrier.clone(),
    };
    tokio::spawn(courier.run(holder_name(&Random::system()), CancellationToken::new()))
}

async fn put(store: &Store, ids: &[&str]) {
    let mut tx = store.begin().await.unwrap();
    for (at, id) in ids.iter().enumerate() {
        let mail = Mail {
            mail_id: (*id).to_owned(),
            channel: Channel::Mail,
            recipient: "ada@example.org".to_owned(),
            title: "Hello".to_owned(),
            body: "sealed".to_owned(),
            created_at: TimeMs(NOW.0 + i64::try_from(at).unwrap()),
            expires_at: TimeMs(NOW.0 + 600_000),
        };
        mailbox::put(&mut tx, &mail).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn state(store: &Store, id: &str) -> State {
    let kept = mailbox::newest(store, 99).await.unwrap();
    kept.into_iter().find(|kept| kept.mail.mail_id == id).unwrap().state
}

async fn messages_arrive_once_and_in_order(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (clock, carrier) = (Clock::at(NOW), Scripted::default());
    put(&rig.store, &["a", "b", "c", "d"]).await;
    use Undelivered::{Away, Later, Never};
    // Away twice, then the first is unknown, and the second cannot be reached yet.
    carrier.fail(&[Away("unreachable"), Away("timeout"), Never("refused"), Later("busy")]);
    let (first, second) = (start(&rig, &clock, &carrier), start(&rig, &clock, &carrier));
    until("the others arrive", async || carrier.carried() == ["c", "d"]).await;
    until("it is noted", async || state(&rig.store, "d").await == State::Delivered).await;
    assert_eq!(state(&rig.store, "a").await, State::Undeliverable);
    assert_eq!(state(&rig.store, "b").await, State::Waiting);
    let queue = mailbox::queue(&rig.store, Channel::Mail, NOW).await.unwrap();
    assert_eq!((queue.waiting, queue.failure.as_deref()), (1, Some("busy")));
    // Whoever takes over goes on where the other one was.
    first.abort();
    second.abort();
    let third = start(&rig, &clock, &carrier);
    clock.set(TimeMs(NOW.0 + 60_000));
    until("the last one arrives", async || carrier.carried() == ["c", "d", "b"]).await;
    let label = ByChannel { channel: "mail" };
    let delivered = || rig.metrics.messages_delivered.get_or_create(&label).get();
    until("it is noted", async || delivered() == 3).await;
    // What comes too late is not sent.
    third.abort();
    clock.set(TimeMs(NOW.0 + 600_001));
    put(&rig.store, &["e"]).await;
    let _fourth = start(&rig, &clock, &carrier);
    until("its time is over", async || state(&rig.store, "e").await == State::Expired).await;
    assert_eq!(carrier.carried(), ["c", "d", "b"]);
    assert_eq!(delivered(), 3);
    let failed = || rig.metrics.messages_failed.get_or_create(&label).get();
    until("both failures are counted", async || failed() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_arrive_once_and_in_order_on_sqlite() {
    messages_arrive_once_and_in_order(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_arrive_once_and_in_order_on_postgres() {
    messages_arrive_once_and_in_order(Engine::Postgres).await;
}
