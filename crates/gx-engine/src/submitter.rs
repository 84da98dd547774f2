//! Sends the outbox to the ledger: one leader, run after run, each as one batch.
//!
//! A batch is recorded before it is sent and sent again, unchanged, until the ledger has answered.
//! The contract's outcome per command makes that free. Only "no answer" is retried; a command that
//! no ledger can execute is set aside as dead and blocks nobody.

use std::sync::Arc;
use std::time::Duration;

use gx_contract::{Batch, Context, Envelope};
use gx_store::outbox::Queued;
use gx_store::submission::{self, BatchNo};
use gx_store::{Store, lease};
use gx_types::{BatchId, Role as SubmitterRole, with_causes};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chain::{Chain, ChainError};
use crate::clock::Clock;
use crate::leader::{self, LeaseGuard, Role};
use crate::metrics::{Metrics, Worker};
use crate::pacing::Backoff;
use crate::random::Random;

/// How large a batch may grow.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    pub commands_max: usize,
    /// Bytes of arguments.
    pub bytes_max: usize,
}

impl BatchLimits {
    /// On Fabric a batch costs several round trips to peers and orderers, whatever its size.
    pub const FABRIC: Self = Self { commands_max: 8_000, bytes_max: 2 << 20 };
}

impl Default for BatchLimits {
    fn default() -> Self {
        // Large enough that the cost of a commit is shared by thousands, small enough that a
        // batch is settled well within the time that a waiting client notices.
        Self { commands_max: 2_000, bytes_max: 2 << 20 }
    }
}

/// How often the outbox is looked at when another process fills it.
const POLL_EVERY: Duration = Duration::from_millis(25);

/// Batches of at least so many commands show that more are coming than one at a time…
const BUSY_FROM: usize = 8;

/// …and then start at least so far apart: every batch has costs of its own, in the ledger and in
/// the projection, which are better shared. A lone command never waits.
const BUSY_EVERY: Duration = Duration::from_millis(20);

/// How often the gauges of the queue are refreshed.
const GAUGES_EVERY: Duration = Duration::from_secs(1);

/// Longest pause between attempts to reach the ledger or the database.
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// The worker that moves commands from the outbox to the ledger.
#[derive(Debug, Clone)]
pub struct Submitter {
    pub store: Store,
    pub chain: Chain,
    pub metrics: Arc<Metrics>,
    /// Notified when the outbox has something new, by whoever writes it in this process.
    pub wake: Arc<Notify>,
    pub limits: BatchLimits,
    /// Its ledger time is the time of batches.
    pub clock: Clock,
    pub random: Random,
}

impl Submitter {
    /// Stands by and leads in turn, until `stop`.
    pub async fn run(self, holder: String, stop: CancellationToken) {
        let role = Role { lease: lease::SUBMITTER, worker: Worker::Submitter };
        leader::lead(&self.store, role, &holder, &self.metrics, stop, |held, ended| {
            let leading = Leading {
                submitter: self.clone(),
                held,
                answered: None,
                not_before: None,
                gauges_at: None,
                backoff: Backoff::new(BACKOFF_MAX, self.random.clone()),
            };
            leading.run(ended)
        })
        .await;
    }
}

/// Why a leader stops leading.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("the lease is lost")]
    LeaseLost,
    #[error("asked to stop")]
    Stopped,
}

struct Leading {
    submitter: Submitter,
    held: LeaseGuard,
    /// The last answered batch whose answer is not written down yet.
    answered: Option<BatchNo>,
    /// When the next batch may start.
    not_before: Option<Instant>,
    gauges_at: Option<Instant>,
    backoff: Backoff,
}

impl Leading {
    async fn run(mut self, stop: CancellationToken) {
        // What was recorded and perhaps never sent comes first: by an earlier leader, or before an
        // error, after which the database may know less than was written to it: its machine may
        // have crashed, or a replica stepped in.
        let mut recovered = false;
        while !stop.is_cancelled() {
            let done = if recovered { self.step(&stop).await } else { self.recover(&stop).await };
            match done {
                Ok(()) => {
                    recovered = true;
                    self.backoff.reset();
                }
                Err(error) if self.give_up(&error, &stop).await => return,
                Err(_) => {
                    recovered = false;
                    self.answered = None;
                }
            }
        }
    }

    /// Whether the error ends this leader; otherwise waits before the next attempt.
    async fn give_up(&mut self, error: &StepError, stop: &CancellationToken) -> bool {
        match error {
            StepError::Halt(_) | StepError::Store(gx_store::Error::LeaseLost { .. }) => true,
            StepError::Store(error) => {
                let (class, error) = (error.class().as_str(), with_causes(error));
                tracing::warn!(class, error, "submitter waits");
                pause(self.backoff.delay(), stop).await;
                false
            }
        }
    }

    async fn recover(&mut self, stop: &CancellationToken) -> Result<(), StepError> {
        for batch in submission::unanswered(&self.submitter.store).await? {
            tracing::info!(batch_id = %batch.batch_id, commands = batch.rows.len(), "sent again");
            self.settle(batch.role, batch.batch_id, &batch.rows, stop).await?;
            self.answered = Some(batch.batch_no);
        }
        self.note_answered().await
    }

    /// One run, or one wait when there is none.
    async fn step(&mut self, stop: &CancellationToken) -> Result<(), StepError> {
        self.refresh_gauges().await;
        if let Some(not_before) = self.not_before.take() {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep_until(not_before) => {}
            }
        }
        let Submitter { store, limits, .. } = &self.submitter;
        let run = submission::next_run(store, limits.commands_max, limits.bytes_max).await?;
        let Some(run) = run else {
            self.note_answered().await?;
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.submitter.wake.notified() => {}
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
            return Ok(());
        };
        if (BUSY_FROM..limits.commands_max / 2).contains(&run.rows.len()) {
            self.not_before = Some(Instant::now() + BUSY_EVERY);
        }
        let batch_id = BatchId::from_u128(self.submitter.random.bits());
        let mut tx = store.begin_rebuildable().await?;
        if let Some(batch_no) = self.answered {
            submission::mark_answered(&mut tx, self.held.lease(), batch_no).await?;
        }
        let at = self.submitter.clock.now();
        let batch_no =
            submission::record_batch(&mut tx, self.held.lease(), &run, batch_id, at).await?;
        tx.commit().await?;
        self.answered = None;
        self.settle(run.role, batch_id, &run.rows, stop).await?;
        self.answered = Some(batch_no);
        Ok(())
    }

    /// Writes down what was answered when no further batch does so.
    async fn note_answered(&mut self) -> Result<(), StepError> {
        if let Some(batch_no) = self.answered {
            let mut tx = self.submitter.store.begin_rebuildable().await?;
            submission::mark_answered(&mut tx, self.held.lease(), batch_no).await?;
            tx.commit().await?;
            self.answered = None;
        }
        Ok(())
    }

    /// Sends a recorded batch until every command in it is answered or dead.
    async fn settle(
        &mut self,
        role: SubmitterRole,
        batch_id: BatchId,
        rows: &[Queued],
        stop: &CancellationToken,
    ) -> Result<(), StepError> {
        let mut commands = Vec::with_capacity(rows.len());
        let mut seqs = Vec::with_capacity(rows.len());
        for row in rows {
            match row.envelope() {
                Ok(envelope) => {
                    commands.push(envelope);
                    seqs.push(row.seq);
                }
                Err(error) => self.dead_letter(row.seq, &error.to_string()).await?,
            }
        }
        // Parts still to be sent. A part that makes the contract panic is halved until the one
        // command that does it stands alone.
        let mut parts = vec![(batch_id, commands, seqs)];
        while let Some((batch_id, mut commands, mut seqs)) = parts.pop() {
            match self.send(role, batch_id, &mut commands, stop).await? {
                Sent::Answered => {}
                Sent::Panicked(reason) if commands.len() <= 1 => {
                    for seq in seqs {
                        self.dead_letter(seq, &reason).await?;
                    }
                }
                Sent::Panicked(_) => {
                    let half = commands.len() / 2;
                    let rest = (
                        BatchId::from_u128(self.submitter.random.bits()),
                        commands.split_off(half),
                        seqs.split_off(half),
                    );
                    parts.push(rest);
                    parts.push((BatchId::from_u128(self.submitter.random.bits()), commands, seqs));
                }
            }
        }
        Ok(())
    }

    /// Sends a batch until there is an answer. Without limit: nothing is burned by waiting.
    async fn send(
        &mut self,
        role: SubmitterRole,
        batch_id: BatchId,
        commands: &mut Vec<Envelope>,
        stop: &CancellationToken,
    ) -> Result<Sent, StepError> {
        if commands.is_empty() {
            return Ok(Sent::Answered);
        }
        let metrics = self.submitter.metrics.clone();
        let batch = Arc::new(Batch { batch_id, role, commands: std::mem::take(commands) });
        loop {
            if stop.is_cancelled() {
                return Err(Halt::Stopped.into());
            }
            // Outside SQL there is no fence. A leader that may have been paused for too long asks
            // for a lease again; what it sends in the moment between is answered as repeated.
            if !self.held.is_safe() {
                return Err(Halt::LeaseLost.into());
            }
            let started = Instant::now();
            let context = Context { role, time: self.submitter.clock.ledger_time() };
            match self.submitter.chain.submit(batch.clone(), context).await {
                Ok(()) => {
                    self.backoff.reset();
                    metrics.batch_size.observe(batch.commands.len() as f64);
                    metrics.batch_seconds.observe(started.elapsed().as_secs_f64());
                    return Ok(Sent::Answered);
                }
                Err(ChainError::Panicked { reason }) => {
                    tracing::error!(%batch_id, reason, "a command makes the contract panic");
                    *commands = Arc::unwrap_or_clone(batch).commands;
                    return Ok(Sent::Panicked(reason));
                }
                Err(error) => {
                    let (class, error) = (error.class(), with_causes(&error));
                    tracing::warn!(%batch_id, class, error, "the ledger did not answer");
                    pause(self.backoff.delay(), stop).await;
                }
            }
        }
    }

    /// Sets a command aside that no ledger can execute.
    async fn dead_letter(&self, seq: i64, reason: &str) -> Result<(), StepError> {
        tracing::error!(seq, reason, "a command is set aside as dead");
        let mut tx = self.submitter.store.begin().await?;
        submission::mark_dead(&mut tx, self.held.lease(), seq, reason, self.submitter.clock.now())
            .await?;
        tx.commit().await?;
        self.submitter.metrics.dead_commands.inc();
        Ok(())
    }

    /// How much waits. Failing to know is not failing to work.
    async fn refresh_gauges(&mut self) {
        if self.gauges_at.is_some_and(|at| at.elapsed() < GAUGES_EVERY) {
            return;
        }
        self.gauges_at = Some(Instant::now());
        let metrics = &self.submitter.metrics;
        if let Ok(waiting) = submission::waiting(&self.submitter.store).await {
            metrics.outbox_queued.set(i64::try_from(waiting.queued).unwrap_or(i64::MAX));
            let age_ms = waiting.oldest.map_or(0, |oldest| self.submitter.clock.ms_since(oldest));
            metrics.outbox_oldest_queued_seconds.set(age_ms as f64 / 1000.0);
        }
    }
}

enum Sent {
    Answered,
    /// Why the contract panicked.
    Panicked(String),
}

#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Halt(#[from] Halt),
    #[error(transparent)]
    Store(#[from] gx_store::Error),
}

async fn pause(delay: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(delay) => {}
    }
}
