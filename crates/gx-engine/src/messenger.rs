//! Sends messages to endpoints until they are taken, and hands mail to the mailbox.
//!
//! One leader at a time. Each endpoint has a queue of its own, so that a slow one holds nobody up.
//! A message is sent at least once: it is noted as taken after the answer, so that what a kill
//! comes between is sent again under the same id. What fails is tried for three days, with growing
//! pauses. How a message is written, signed and sent is the client's matter.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gx_store::admin::admins;
use gx_store::admin::audit::{self, NewAudit};
use gx_store::login::SubjectKind;
use gx_store::notifications::{self, DueMail, NewNotification, Topic};
use gx_store::webhooks::deliveries::{self, Attempted, Delivery, DeliveryState};
use gx_store::webhooks::{self, Webhook};
use gx_store::{Store, Tx, lease};
use gx_types::{TimeMs, with_causes};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::leader::{self, LeaseGuard, Role};
use crate::random::Random;
use gx_metrics::{ByAttempt, Metrics, Worker};

/// How long a message is tried, from when it was made or asked for again.
pub const RETRY_MS: i64 = 3 * 24 * 3600 * 1000;

/// The type of a message that tells of nothing and asks whether an endpoint works.
pub const TEST_EVENT: &str = "webhook.test";

/// How often it is seen whether something is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Messages that are on their way to one endpoint at once.
const AT_ONCE: u32 = 8;

/// Mail that one transaction writes at most.
const MAIL_MAX: u32 = 100;

/// The pause after the first failure; each further one doubles it.
const PAUSE_FIRST_MS: u64 = 10_000;

/// The longest pause.
const PAUSE_MAX_MS: u64 = 4 * 3600 * 1000;

/// The answer of an endpoint that wants to hear no more.
const GONE: u16 = 410;

/// What sending a message once has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The status of the answer.
    Answered(u16),
    /// Why there was none.
    Failed(String),
}

/// Whoever writes and sends.
pub trait WebhookClient: Send + Sync + 'static {
    /// Sends a message once, and gives up by itself in a few seconds.
    fn send(
        &self,
        endpoint: &Webhook,
        delivery: &Delivery,
        at: TimeMs,
    ) -> impl Future<Output = Sent> + Send;

    /// Puts a mail into the mailbox, in the caller's transaction; says why it could not.
    fn post(
        &self,
        tx: &mut Tx,
        mail: &DueMail,
        address: &str,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// The worker that sends.
#[derive(Debug)]
pub struct Messenger<C> {
    pub store: Store,
    pub client: Arc<C>,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub random: Random,
    /// Roles of the administrators who are told that an endpoint was disabled.
    pub overseers: Vec<&'static str>,
}

impl<C> Clone for Messenger<C> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            client: Arc::clone(&self.client),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock.clone(),
            random: self.random.clone(),
            overseers: self.overseers.clone(),
        }
    }
}

/// The queues that run: the endpoint of each task.
type Running = HashMap<Id, String>;

impl<C: WebhookClient> Messenger<C> {
    /// Stands by and leads in turn, until `stop`.
    pub async fn run(self, holder: String, stop: CancellationToken) {
        let role = Role { lease: lease::MESSENGER, worker: Worker::Messenger };
        leader::lead(&self.store, role, &holder, &self.metrics, stop, |held, ended| {
            self.clone().lead(held, ended)
        })
        .await;
    }

    async fn lead(self, held: LeaseGuard, stop: CancellationToken) {
        let mut queues = JoinSet::new();
        let mut running = Running::new();
        while !stop.is_cancelled() {
            let looked = self.look(&held, &mut queues, &mut running, &stop).await;
            match looked {
                Ok(()) => {}
                Err(gx_store::Error::LeaseLost { .. }) => return,
                Err(error) => {
                    tracing::warn!(error = with_causes(&error), "the messenger waits");
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                Some(ended) = queues.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    running.remove(&id);
                }
            }
        }
        // What is on its way may still arrive; nothing new is begun.
        while queues.join_next().await.is_some() {}
    }

    /// Writes mail that is due, and starts the queues of endpoints that have something due.
    async fn look(
        &self,
        held: &LeaseGuard,
        queues: &mut JoinSet<()>,
        running: &mut Running,
        stop: &CancellationToken,
    ) -> Result<(), gx_store::Error> {
        self.post(held).await?;
        let pending = deliveries::pending(&self.store).await?;
        let pending = i64::try_from(pending).unwrap_or(i64::MAX);
        self.metrics.webhook_deliveries_pending.set(pending);
        for webhook_id in deliveries::endpoints_due(&self.store, self.clock.now()).await? {
            if running.values().any(|one| *one == webhook_id) {
                continue;
            }
            let queue = self.clone().queue(held.clone(), webhook_id.clone(), stop.clone());
            running.insert(queues.spawn(queue).id(), webhook_id);
        }
        Ok(())
    }

    /// Writes mail, in the order of what it tells.
    async fn post(&self, held: &LeaseGuard) -> Result<(), gx_store::Error> {
        let due = notifications::due_mail(&self.store, MAIL_MAX).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        lease::fence(&mut tx, held.lease()).await?;
        for mail in &due {
            let Some(address) = &mail.address else { continue };
            if let Err(error) = self.client.post(&mut tx, mail, address).await {
                tracing::warn!(error, "mail is not written yet");
                return Ok(());
            }
        }
        notifications::mailed(&mut tx, due.iter().map(|mail| mail.number).collect()).await?;
        tx.commit().await
    }

    /// Sends what is due for one endpoint until nothing is.
    async fn queue(self, held: LeaseGuard, webhook_id: String, stop: CancellationToken) {
        while !stop.is_cancelled() && held.is_safe() {
            match self.round(&held, &webhook_id).await {
                Ok(true) => {}
                Ok(false) | Err(gx_store::Error::LeaseLost { .. }) => return,
                Err(error) => {
                    let error = with_causes(&error);
                    tracing::warn!(webhook_id, error, "the queue of an endpoint waits");
                    return;
                }
            }
        }
    }

    /// Sends the next messages at once. Whether there were any.
    async fn round(&self, held: &LeaseGuard, webhook_id: &str) -> Result<bool, gx_store::Error> {
        let endpoint = webhooks::get(&self.store, webhook_id).await?;
        let Some(endpoint) = endpoint.filter(|endpoint| endpoint.enabled) else {
            return Ok(false);
        };
        let due = deliveries::due(&self.store, webhook_id, self.clock.now(), AT_ONCE).await?;
        let any = !due.is_empty();
        let (mut attempts, endpoint) = (JoinSet::new(), Arc::new(endpoint));
        for delivery in due {
            let (messenger, held, endpoint) = (self.clone(), held.clone(), Arc::clone(&endpoint));
            attempts.spawn(async move { messenger.attempt(&held, &endpoint, &delivery).await });
        }
        let mut failed = None;
        while let Some(ended) = attempts.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failed = Some(error),
                // A fault of this code; the message is due still.
                Err(_) => return Ok(false),
            }
        }
        failed.map_or(Ok(any), Err)
    }

    /// Sends a message once and notes what came of it.
    async fn attempt(
        &self,
        held: &LeaseGuard,
        endpoint: &Webhook,
        delivery: &Delivery,
    ) -> Result<(), gx_store::Error> {
        let sent = self.client.send(endpoint, delivery, self.clock.now()).await;
        let at = self.clock.now();
        let (outcome, disabled) = self.judge(endpoint, delivery, &sent, at);
        let label = match outcome.state {
            DeliveryState::Delivered => "delivered",
            DeliveryState::Pending => "failed",
            DeliveryState::Failed => "given_up",
        };
        self.metrics.webhook_attempts.get_or_create(&ByAttempt { outcome: label }).inc();
        let mut tx = match disabled {
            None => self.store.begin_rebuildable().await?,
            Some(_) => self.store.begin().await?,
        };
        lease::fence(&mut tx, held.lease()).await?;
        let (id, message) = (&endpoint.webhook_id, &delivery.message_id);
        deliveries::attempted(&mut tx, id, message, &outcome).await?;
        if let Some(reason) = disabled {
            self.disable(&mut tx, endpoint, reason, at).await?;
        }
        tx.commit().await
    }

    /// What an attempt means for the message, and why it is the end of the endpoint, if it is.
    fn judge<'s>(
        &self,
        endpoint: &Webhook,
        delivery: &Delivery,
        sent: &'s Sent,
        at: TimeMs,
    ) -> (Attempted<'s>, Option<&'static str>) {
        let (status, error) = match sent {
            Sent::Answered(status) => (Some(*status), None),
            Sent::Failed(reason) => (None, Some(reason.as_str())),
        };
        let told = |state, next_at| Attempted { at, state, next_at, status, error };
        match status {
            Some(200..=299) => (told(DeliveryState::Delivered, at), None),
            Some(GONE) => {
                (told(DeliveryState::Failed, at), Some("It answered that it is gone (410)"))
            }
            _ => {
                let next = TimeMs(at.0.saturating_add(self.pause_ms(delivery.attempts)));
                if next <= delivery.until {
                    return (told(DeliveryState::Pending, next), None);
                }
                let began = delivery.until.0.saturating_sub(RETRY_MS);
                let worked = endpoint.last_success_at.is_some_and(|success| success.0 >= began);
                let is_end = !worked && delivery.event_type != TEST_EVENT;
                let reason = is_end.then_some("Nothing that was sent for three days was taken");
                (told(DeliveryState::Failed, at), reason)
            }
        }
    }

    /// A quarter more or less, so that what failed together does not come back together.
    fn pause_ms(&self, attempts: u32) -> i64 {
        let doubled = PAUSE_FIRST_MS.checked_shl(attempts.min(32)).unwrap_or(PAUSE_MAX_MS);
        let full = doubled.min(PAUSE_MAX_MS);
        let pause = self.random.within(full / 4 * 3..=full / 4 * 5);
        i64::try_from(pause).unwrap_or(i64::MAX)
    }

    /// Disables an endpoint, with a row in the audit log, and tells administrators.
    async fn disable(
        &self,
        tx: &mut Tx,
        endpoint: &Webhook,
        reason: &'static str,
        now: TimeMs,
    ) -> Result<(), gx_store::Error> {
        let id = &endpoint.webhook_id;
        if !webhooks::disable(tx, id, reason, now).await? {
            return Ok(());
        }
        tracing::warn!(webhook_id = id.as_str(), reason, "an endpoint was disabled");
        self.metrics.webhook_endpoints_disabled.inc();
        let row = NewAudit {
            at: now,
            actor: "system".to_owned(),
            action: "webhook.disable".to_owned(),
            target: id.clone(),
            request_id: String::new(),
            details: serde_json::json!({ "reason": reason }).to_string(),
        };
        audit::append(tx, &[row]).await?;
        let overseers = admins::on_duty(&mut *tx).await?;
        let told: Vec<NewNotification> = overseers
            .into_iter()
            .filter(|(.., role)| self.overseers.contains(&role.as_str()))
            .map(|(admin_id, ..)| NewNotification {
                kind: SubjectKind::Admin,
                subject: admin_id,
                notification_id: format!("ntf_{:032x}", self.random.bits()),
                topic: Topic::Webhook,
                title: "An endpoint was disabled".to_owned(),
                message: format!("{}: {reason}", endpoint.name),
                resource: Some(("WEBHOOK", id.clone())),
                action_required: true,
                created_at: now,
            })
            .collect();
        notifications::put(tx, &told).await.map(drop)
    }
}
