//! Turns what the ledger did into notifications for people and messages for endpoints.
//!
//! One leader at a time reads the blocks that are in the read models already, with a cursor of its
//! own. The cursor moves when the last row of its blocks is written, and the ids of rows say block,
//! command and event: nothing is told twice, whatever dies, and the projector waits for nothing.
//! Payments come first: it writes little at a time and rests longer than it works.
//! Read models that are filled anew do not move the cursor. What was on the ledger before the
//! platform came to it is told to nobody.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use gx_contract::{Effects as _, Event, Outcome};
use gx_store::admin::admins;
use gx_store::login::SubjectKind;
use gx_store::notifications::{self, NewNotification};
use gx_store::partner::consents;
use gx_store::webhooks::deliveries::{self, NewDelivery};
use gx_store::webhooks::{self, Webhook};
use gx_store::{Store, Tx, lease, projection};
use gx_types::{AccountId, AdminId, TimeMs, with_causes};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chain::{Chain, ChainBlock, ChainError};
use crate::clock::Clock;
use crate::leader::{self, LeaseGuard, Role};
use crate::messenger::RETRY_MS;
use crate::notices::{Notice, Reader, event_type, notices};
use crate::pacing::Backoff;
use crate::random::Random;
use gx_metrics::{ByTopic, Metrics, Worker};

/// Bytes of blocks that are read at once; one block in any case.
const GROUP_BYTES_MAX: usize = 1 << 20;

/// Events that one SQL transaction tells of at most: SQLite has one writer, and a payment that is
/// accepted meanwhile waits for it.
const EVENTS_MAX: usize = 500;

/// How much longer it rests than it worked, by how late it is (ms): telling of a payment costs
/// about as much as the payment, on the same processor. What a short rush leaves over is told after
/// it; in one that does not end news get a share that grows.
const REST_PER_WORK: [(i64, u32); 3] = [(30_000, 49), (300_000, 9), (i64::MAX, 1)];

/// Longest rest.
const REST_MAX: Duration = Duration::from_secs(1);

/// How often it is seen whether there is something to tell.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Longest pause after something went wrong.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// The worker that tells of what the ledger did.
#[derive(Debug, Clone)]
pub struct Notifier {
    pub store: Store,
    pub chain: Chain,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub random: Random,
}

/// Why nothing more can be told for now.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Store(#[from] gx_store::Error),
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// An event, and where it stands on the ledger.
struct Told<'b> {
    block: &'b ChainBlock,
    command_id: String,
    /// `block_command_event`.
    place: String,
    event: &'b Event,
}

impl Notifier {
    /// Has the platform tell of what comes after the ledger's present end, unless it tells of
    /// something already.
    ///
    /// # Errors
    /// Those of the caller's choice, made of those of database and ledger.
    pub async fn begin<E>(store: &Store, chain: &Chain) -> Result<(), E>
    where
        E: From<gx_store::Error> + From<ChainError>,
    {
        if notifications::told_block(store).await?.is_some() {
            return Ok(());
        }
        let tip = chain.tip().await?.map_or(0, |tip| tip.number);
        let mut tx = store.begin().await?;
        notifications::begin_after(&mut tx, tip).await?;
        Ok(tx.commit().await?)
    }

    /// Stands by and leads in turn, until `stop`.
    pub async fn run(self, holder: String, stop: CancellationToken) {
        let role = Role { lease: lease::NOTIFIER, worker: Worker::Notifier };
        leader::lead(&self.store, role, &holder, &self.metrics, stop, |held, ended| {
            self.clone().lead(held, ended)
        })
        .await;
    }

    async fn lead(self, held: LeaseGuard, stop: CancellationToken) {
        let mut backoff = Backoff::new(BACKOFF_MAX, self.random.clone());
        while !stop.is_cancelled() {
            let pause = match self.step(&held, &stop).await {
                Ok(true) => {
                    backoff.reset();
                    continue;
                }
                Ok(false) => {
                    backoff.reset();
                    LOOK_EVERY
                }
                Err(Error::Store(gx_store::Error::LeaseLost { .. })) => return,
                Err(error) => {
                    tracing::warn!(error = with_causes(&error), "the notifier waits");
                    backoff.delay()
                }
            };
            rest(pause, &stop).await;
        }
    }

    /// Tells of the next blocks. Whether there were any.
    async fn step(&self, held: &LeaseGuard, stop: &CancellationToken) -> Result<bool, Error> {
        let Some(told) = notifications::told_block(&self.store).await? else {
            Self::begin::<Error>(&self.store, &self.chain).await?;
            return Ok(true);
        };
        // Whoever is told may look at once: what it is of has to be in the read models.
        let position = projection::position(&self.store).await?;
        let applied = position.checkpoint.map_or(0, |at| at.block);
        let lag = i64::try_from(applied.saturating_sub(told)).unwrap_or(i64::MAX);
        self.metrics.notifier_lag_blocks.set(lag);
        if lag == 0 {
            return Ok(false);
        }
        let mut blocks = self.chain.blocks(told.saturating_add(1), GROUP_BYTES_MAX).await?;
        blocks.retain(|block| block.number <= applied);
        let Some(last) = blocks.last().map(|block| block.number) else { return Ok(false) };
        let late_ms = blocks.first().map_or(0, |block| self.clock.ms_since(block.record.time));
        let events = events(&blocks);
        let mut began = Instant::now();
        let mut parts = events.chunks(EVENTS_MAX).peekable();
        loop {
            let mut tx = self.store.begin_rebuildable().await?;
            lease::fence(&mut tx, held.lease()).await?;
            let made = self.tell(&mut tx, parts.next().unwrap_or_default()).await?;
            let all = parts.peek().is_none();
            if all {
                notifications::told(&mut tx, last).await?;
            }
            tx.commit().await?;
            for (topic, count) in made {
                self.metrics.notifications_made.get_or_create(&ByTopic { topic }).inc_by(count);
            }
            rest(rest_after(began.elapsed(), late_ms), stop).await;
            if all || stop.is_cancelled() {
                return Ok(true);
            }
            began = Instant::now();
        }
    }

    /// Writes what people and endpoints are told of these events. Returns how much of each topic.
    async fn tell(
        &self,
        tx: &mut Tx,
        events: &[Told<'_>],
    ) -> Result<HashMap<&'static str, u64>, Error> {
        let endpoints = webhooks::enabled(&mut *tx).await?;
        let (now, mut listeners) = (self.clock.now(), Listeners::new());
        if endpoints.iter().any(|endpoint| endpoint.partner_id.is_some()) {
            listeners = listening(tx, events, now).await?;
        }
        let messages = messages(&endpoints, &listeners, events, now);
        deliveries::add(tx, &messages).await?;
        let told: Vec<(&Told<'_>, Notice)> = events
            .iter()
            .flat_map(|told| {
                let notices = notices(told.event, &told.command_id);
                notices.into_iter().map(move |notice| (told, notice))
            })
            .collect();
        let readers = Readers::of(tx, &told).await?;
        let mut rows: Vec<NewNotification> = Vec::new();
        let mut seen = BTreeSet::new();
        for (told, notice) in &told {
            for (kind, subject) in readers.subjects(notice.reader) {
                // Who is on both sides of an event hears of it once.
                if seen.insert((kind.as_str(), subject.clone(), told.place.clone())) {
                    rows.push(row(told, notice, kind, subject));
                }
            }
        }
        notifications::put(tx, &rows).await?;
        let mut made = HashMap::new();
        for row in &rows {
            *made.entry(row.topic.as_str()).or_default() += 1;
        }
        Ok(made)
    }
}

fn rest_after(work: Duration, late_ms: i64) -> Duration {
    let share = REST_PER_WORK.iter().find(|(within_ms, _)| late_ms <= *within_ms);
    work.saturating_mul(share.map_or(1, |(_, rest)| *rest)).min(REST_MAX)
}

async fn rest(pause: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

/// The events of blocks, in their order.
fn events(blocks: &[ChainBlock]) -> Vec<Told<'_>> {
    let mut told = Vec::new();
    for block in blocks {
        for (command, result) in block.record.results.iter().enumerate() {
            let Outcome::Applied(events) = &result.outcome else { continue };
            for (number, event) in events.iter().enumerate() {
                told.push(Told {
                    block,
                    command_id: result.command_id.to_string(),
                    place: format!("{}_{command}_{number}", block.number),
                    event,
                });
            }
        }
    }
    told
}

fn row(told: &Told<'_>, notice: &Notice, kind: SubjectKind, subject: String) -> NewNotification {
    NewNotification {
        kind,
        subject,
        notification_id: format!("ntf_{}", told.place),
        topic: notice.topic,
        title: notice.title.to_owned(),
        message: notice.message.clone(),
        resource: notice.resource.clone(),
        action_required: notice.action_required,
        created_at: told.block.record.time,
    }
}

/// The accounts of which each partner is told.
type Listeners = HashMap<String, HashSet<AccountId>>;

/// The partners whom people that these events concern let hear of it.
async fn listening(
    tx: &mut Tx,
    events: &[Told<'_>],
    now: TimeMs,
) -> Result<Listeners, gx_store::Error> {
    let concerned: BTreeSet<AccountId> =
        events.iter().flat_map(|told| concerned(told.event)).collect();
    let concerned: Vec<AccountId> = concerned.into_iter().collect();
    let mut listeners = Listeners::new();
    for (account, partner) in consents::listeners(tx, &concerned, now).await? {
        listeners.entry(partner).or_default().insert(account);
    }
    Ok(listeners)
}

/// The accounts whose coins or standing an event changes.
fn concerned(event: &Event) -> Vec<AccountId> {
    let mut accounts: Vec<AccountId> =
        event.postings().iter().map(|posting| *posting.account()).collect();
    event.accounts(&mut |account| accounts.push(account));
    accounts
}

/// Whether an endpoint may be told of an event: those of the platform of all, those of a partner of
/// what concerns somebody who has agreed to it.
fn may_hear(endpoint: &Webhook, listeners: &Listeners, event: &Event) -> bool {
    let Some(partner) = &endpoint.partner_id else { return true };
    let heard = listeners.get(partner);
    heard.is_some_and(|accounts| concerned(event).iter().any(|one| accounts.contains(one)))
}

/// A message for each endpoint that wants to hear of an event and may.
fn messages(
    endpoints: &[Webhook],
    listeners: &Listeners,
    events: &[Told<'_>],
    now: TimeMs,
) -> Vec<NewDelivery> {
    if endpoints.is_empty() {
        return Vec::new();
    }
    let mut messages = Vec::new();
    for told in events {
        let event_type = event_type(told.event.name());
        let is_told =
            |one: &&Webhook| one.wants(&event_type) && may_hear(one, listeners, told.event);
        let wanted: Vec<_> = endpoints.iter().filter(is_told).collect();
        if wanted.is_empty() {
            continue;
        }
        let data = json!({
            "block": told.block.number,
            "commandId": told.command_id,
            "event": fields(told.event),
        });
        let data = data.to_string();
        messages.extend(wanted.into_iter().map(|endpoint| NewDelivery {
            webhook_id: endpoint.webhook_id.clone(),
            message_id: format!("evt_{}", told.place),
            event_type: event_type.clone(),
            data: data.clone(),
            occurred_at: told.block.record.time,
            created_at: now,
            until: TimeMs(now.0.saturating_add(RETRY_MS)),
        }));
    }
    messages
}

/// The fields of an event without its name around them.
fn fields(event: &Event) -> Value {
    match serde_json::to_value(event) {
        Ok(Value::Object(named)) => named.into_iter().next().map_or(Value::Null, |(_, of)| of),
        Ok(_) | Err(_) => Value::Null,
    }
}

/// The people behind the readers of notices.
struct Readers {
    users: HashMap<AccountId, Vec<String>>,
    admins: Vec<(String, Option<AdminId>)>,
}

impl Readers {
    async fn of(tx: &mut Tx, told: &[(&Told<'_>, Notice)]) -> Result<Self, gx_store::Error> {
        let mut accounts = BTreeSet::new();
        let mut for_admins = false;
        for (_, notice) in told {
            match notice.reader {
                Reader::Account(account) => drop(accounts.insert(account)),
                Reader::Admins { .. } => for_admins = true,
            }
        }
        let accounts: Vec<AccountId> = accounts.into_iter().collect();
        let mut users: HashMap<AccountId, Vec<String>> = HashMap::new();
        for (account, user) in notifications::readers(&mut *tx, &accounts).await? {
            users.entry(account).or_default().push(user);
        }
        let admins = if for_admins { admins::on_duty(tx).await? } else { Vec::new() };
        let admins = admins.into_iter().map(|(id, ledger_id, _)| (id, ledger_id)).collect();
        Ok(Self { users, admins })
    }

    fn subjects(&self, reader: Reader) -> Vec<(SubjectKind, String)> {
        match reader {
            Reader::Account(account) => {
                let users = self.users.get(&account).into_iter().flatten();
                users.map(|user| (SubjectKind::User, user.clone())).collect()
            }
            Reader::Admins { except } => {
                let others = self
                    .admins
                    .iter()
                    .filter(|(_, ledger_id)| except.is_none() || *ledger_id != except);
                others.map(|(admin, _)| (SubjectKind::Admin, admin.clone())).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_news_are_the_larger_is_their_share() {
        let work = Duration::from_millis(2);
        let rests = [0, 30_000, 30_001, 300_000, 300_001, i64::MAX]
            .map(|late_ms| rest_after(work, late_ms).as_millis());
        assert_eq!(rests, [98, 98, 18, 18, 2, 2]);
        assert_eq!(rest_after(Duration::from_secs(60), 0), REST_MAX);
    }
}
