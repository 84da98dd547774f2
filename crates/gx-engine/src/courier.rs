//! Delivers what lies in the mailbox: in order, and again after whatever stood in the way.
//!
//! One leader at a time for each channel. What carries the messages is handed in and says how each
//! attempt ended. While it is away, the oldest message is tried again after growing pauses and the
//! others wait behind it; where one recipient cannot be reached now, the others need not wait. What
//! has arrived is noted before the next one is sent, however long the database takes, so that it
//! arrives twice only when a process dies in between.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gx_store::mailbox::{self, Channel, Kept, Mail};
use gx_store::{Store, lease};
use gx_types::{TimeMs, with_causes};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::leader::{self, LeaseGuard, Role};
use crate::pacing::Backoff;
use crate::random::Random;
use gx_metrics::{ByChannel, Metrics, Worker};

/// Messages that are read at once.
const RUN: u32 = 64;

/// How often the mailbox is looked into.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often it is seen whose time is over.
const EXPIRE_EVERY: Duration = Duration::from_secs(10);

/// Longest pause while the carrier is away.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// First and longest pause for a recipient who cannot be reached now.
const LATER_MS: (u64, u64) = (15_000, 900_000);

/// Why a message has not arrived. The words are fixed, and say nothing of whom it was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undelivered {
    /// Whoever it is for cannot be reached this way, now or ever.
    Never(&'static str),
    /// Whoever it is for cannot be reached now.
    Later(&'static str),
    /// What carries messages is away, or takes none from us.
    Away(&'static str),
}

/// What carries the messages of a channel.
pub trait Carrier: Clone + Send + Sync + 'static {
    /// Makes one attempt. It ends by itself after a while.
    fn carry(&mut self, message: &Mail) -> impl Future<Output = Result<(), Undelivered>> + Send;

    /// There is nothing to carry for now: connections can be closed.
    fn rest(&mut self) -> impl Future<Output = ()> + Send;
}

/// The worker that delivers the messages of a channel.
#[derive(Debug, Clone)]
pub struct Courier<C> {
    pub store: Store,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub random: Random,
    pub channel: Channel,
    pub carrier: C,
}

impl<C: Carrier> Courier<C> {
    /// Stands by and leads in turn, until `stop`.
    pub async fn run(self, holder: String, stop: CancellationToken) {
        tracing::info!(channel = self.channel.word(), "delivering messages");
        let role = match self.channel {
            Channel::Mail => Role { lease: lease::MAIL_COURIER, worker: Worker::MailCourier },
            Channel::Text => Role { lease: lease::TEXT_COURIER, worker: Worker::TextCourier },
        };
        leader::lead(&self.store, role, &holder, &self.metrics, stop, |held, ended| {
            self.clone().lead(held, ended)
        })
        .await;
    }

    async fn lead(mut self, held: LeaseGuard, stop: CancellationToken) {
        let mut backoff = Backoff::new(PAUSE_MAX, self.random.clone());
        let mut expired_at: Option<Instant> = None;
        let mut told = None;
        while !stop.is_cancelled() {
            let expires = expired_at.is_none_or(|at| at.elapsed() >= EXPIRE_EVERY);
            let run = self.round(&held, expires, &stop).await;
            if expires && run.is_ok() {
                expired_at = Some(Instant::now());
            }
            let pause = match run {
                Ok(Round::More) => Duration::ZERO,
                Ok(Round::Done { carried }) => {
                    if carried && told.take().is_some() {
                        tracing::info!(channel = self.channel.word(), "messages arrive again");
                    }
                    backoff.reset();
                    LOOK_EVERY
                }
                Ok(Round::Away(class)) => {
                    if told.replace(class) != Some(class) {
                        let channel = self.channel.word();
                        tracing::warn!(channel, class, "messages wait: the carrier is away");
                    }
                    backoff.delay()
                }
                Err(gx_store::Error::LeaseLost { .. }) => return,
                Err(error) => {
                    let (channel, error) = (self.channel.word(), with_causes(&error));
                    tracing::warn!(channel, error, "the mailbox cannot be read");
                    backoff.delay()
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One look into the mailbox, and what follows from it.
    async fn round(
        &mut self,
        held: &LeaseGuard,
        expires: bool,
        stop: &CancellationToken,
    ) -> Result<Round, gx_store::Error> {
        let now = self.clock.now();
        if expires {
            self.expire(held, now).await?;
        }
        let due = mailbox::due(&self.store, self.channel, now, RUN).await?;
        let mut away = None;
        for kept in &due {
            if stop.is_cancelled() || !held.is_safe() {
                break;
            }
            let done = self.carrier.carry(&kept.mail).await;
            self.note_surely(held, kept, done, stop).await?;
            if let Err(Undelivered::Away(class)) = done {
                away = Some(class);
                break;
            }
        }
        let is_full = due.len() >= RUN as usize;
        if !is_full || away.is_some() {
            self.carrier.rest().await;
        }
        Ok(match away {
            Some(class) => Round::Away(class),
            None if is_full => Round::More,
            None => Round::Done { carried: !due.is_empty() },
        })
    }

    async fn expire(&self, held: &LeaseGuard, now: TimeMs) -> Result<(), gx_store::Error> {
        let mut tx = self.store.begin().await?;
        lease::fence(&mut tx, held.lease()).await?;
        let expired = mailbox::expire(&mut tx, self.channel, now).await?;
        tx.commit().await?;
        if expired > 0 {
            let channel = self.channel.word();
            tracing::warn!(channel, expired, "messages could not be delivered in time");
            self.metrics.messages_failed.get_or_create(&ByChannel { channel }).inc_by(expired);
        }
        Ok(())
    }

    /// Notes how an attempt ended. A database that is away now must not be why somebody gets the
    /// same message twice.
    async fn note_surely(
        &self,
        held: &LeaseGuard,
        kept: &Kept,
        done: Result<(), Undelivered>,
        stop: &CancellationToken,
    ) -> Result<(), gx_store::Error> {
        let mut backoff = Backoff::new(PAUSE_MAX, self.random.clone());
        loop {
            match self.note(held, kept, done).await {
                Err(error) if error.is_unavailable() && !stop.is_cancelled() => {}
                noted => return noted,
            }
            tokio::time::sleep(backoff.delay()).await;
        }
    }

    async fn note(
        &self,
        held: &LeaseGuard,
        kept: &Kept,
        done: Result<(), Undelivered>,
    ) -> Result<(), gx_store::Error> {
        let (mail_id, now) = (kept.mail.mail_id.as_str(), self.clock.now());
        let channel = self.channel.word();
        let mut tx = self.store.begin().await?;
        lease::fence(&mut tx, held.lease()).await?;
        match done {
            Ok(()) => mailbox::delivered(&mut tx, mail_id).await?,
            Err(Undelivered::Never(class)) => mailbox::given_up(&mut tx, mail_id, class).await?,
            Err(Undelivered::Later(class)) => {
                let next = TimeMs(now.0.saturating_add(self.later_ms(kept.attempts)));
                mailbox::failed(&mut tx, mail_id, class, next).await?;
            }
            Err(Undelivered::Away(class)) => mailbox::failed(&mut tx, mail_id, class, now).await?,
        }
        tx.commit().await?;
        let label = ByChannel { channel };
        match done {
            Ok(()) => {
                self.metrics.messages_delivered.get_or_create(&label).inc();
            }
            Err(Undelivered::Never(class)) => {
                self.metrics.messages_failed.get_or_create(&label).inc();
                tracing::warn!(channel, mail_id, class, "a message is undeliverable");
            }
            Err(Undelivered::Later(class)) => {
                tracing::info!(channel, mail_id, class, "a message has to wait");
            }
            Err(Undelivered::Away(_)) => {}
        }
        Ok(())
    }

    /// How long a recipient is left alone after so many attempts: half of it at least.
    fn later_ms(&self, attempts: u32) -> i64 {
        let (first, longest) = LATER_MS;
        let full = first.saturating_mul(1 << attempts.min(16)).min(longest);
        i64::try_from(self.random.within(full / 2..=full)).unwrap_or(i64::MAX)
    }
}

/// What a look into the mailbox has led to.
enum Round {
    /// There may be more to do at once.
    More,
    Done {
        carried: bool,
    },
    Away(&'static str),
}
