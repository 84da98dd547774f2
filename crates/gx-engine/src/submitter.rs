//! Sends the outbox to the ledger: one leader, run after run, each as a batch for every lane.
//!
//! A batch is recorded before it is sent and sent again, unchanged, until the ledger has answered.
//! The contract's outcome per command makes that free. Only "no answer" is retried; a command that
//! no ledger can execute is set aside as dead and blocks nobody. Each role has a lane, which keeps
//! the order of acceptance; one that can't be answered, as with a certificate that has expired,
//! waits by itself. Across lanes there is no order: what has to come after a command of another
//! role is given when that one is committed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gx_contract::{Batch, Context};
use gx_store::outbox::Queued;
use gx_store::submission;
use gx_store::{Store, lease};
use gx_types::{BatchId, Role, TimeMs, with_causes};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chain::{Chain, ChainError};
use crate::clock::Clock;
use crate::lane::{Lane, Part};
use crate::leader::{self, LeaseGuard};
use crate::pacing::Backoff;
use crate::random::Random;
use crate::spans::{LINKS_MAX, Span, SpanKind, SpanValue, Spans, Traced, micros, sampled};
use gx_metrics::{Metrics, Worker};

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

/// The ledger's time is carried on this often when nothing else does, in milliseconds: on mainnet
/// it refuses to follow a step of more than 36 hours.
const BEAT_EVERY_MS: i64 = 12 * 60 * 60 * 1000;

/// Confirmations of the clock that are looked at, the newest ones.
const CONFIRMATIONS_MAX: u32 = 8;

/// How often it is looked whether operators want dead commands sent again.
const DEAD_EVERY: Duration = Duration::from_secs(1);

/// How many of them are sent at a look.
const REQUEUED_MAX: u32 = 16;

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
    pub spans: Spans,
}

impl Submitter {
    /// Stands by and leads in turn, until `stop`.
    pub async fn run(self, holder: String, stop: CancellationToken) {
        let role = leader::Role { lease: lease::SUBMITTER, worker: Worker::Submitter };
        leader::lead(&self.store, role, &holder, &self.metrics, stop, |held, ended| {
            let leading = Leading {
                submitter: self.clone(),
                held,
                lanes: self.lanes(),
                not_before: None,
                last_batch_at: None,
                dead_looked_at: None,
                traced: HashMap::new(),
                backoff: Backoff::new(BACKOFF_MAX, self.random.clone()),
            };
            leading.run(ended)
        })
        .await;
    }

    /// One for each role. Any may be noted as unanswered or stuck by an earlier leader.
    fn lanes(&self) -> Vec<Lane> {
        let backoff = || Backoff::new(BACKOFF_MAX, self.random.clone());
        Role::ALL.into_iter().map(|role| Lane::new(role, backoff())).collect()
    }
}

struct Leading {
    submitter: Submitter,
    held: LeaseGuard,
    lanes: Vec<Lane>,
    /// When the next run may start.
    not_before: Option<Instant>,
    /// The ledger's time as it was last seen; `None` before it was looked at.
    last_batch_at: Option<TimeMs>,
    /// When it was last looked whether dead commands are to be sent again.
    dead_looked_at: Option<Instant>,
    /// The traces of what was taken and is not answered, by place in the outbox.
    traced: HashMap<i64, Traced>,
    /// Pauses after errors of the database.
    backoff: Backoff,
}

impl Leading {
    async fn run(mut self, stop: CancellationToken) {
        // What was recorded and perhaps never sent comes first: by an earlier leader, or before an
        // error, after which the database may know less than was written to it: its machine may
        // have crashed, or a replica stepped in.
        let mut recovered = false;
        while !stop.is_cancelled() {
            let done = if recovered { self.step(&stop).await } else { self.recover().await };
            match done {
                Ok(()) => {
                    recovered = true;
                    self.backoff.reset();
                }
                Err(error) if self.give_up(&error, &stop).await => return,
                Err(_) => recovered = false,
            }
        }
    }

    /// Whether the error ends this leader; otherwise waits before the next attempt.
    async fn give_up(&mut self, error: &StepError, stop: &CancellationToken) -> bool {
        match error {
            StepError::LeaseLost | StepError::Store(gx_store::Error::LeaseLost { .. }) => true,
            StepError::Store(error) => {
                let (class, error) = (error.class().as_str(), with_causes(error));
                tracing::warn!(class, error, "submitter waits");
                wait(Some(Instant::now() + self.backoff.delay()), stop).await;
                false
            }
        }
    }

    /// Takes up what was recorded and not answered.
    async fn recover(&mut self) -> Result<(), StepError> {
        let unanswered = submission::unanswered(&self.submitter.store).await?;
        self.traced.clear();
        self.lanes = self.submitter.lanes();
        for batch in unanswered {
            tracing::info!(batch_id = %batch.batch_id, commands = batch.rows.len(), "sent again");
            self.take(batch.role, batch.batch_id, batch.rows).await?;
        }
        self.note().await
    }

    /// Sends what is due, or takes the next run, or waits.
    async fn step(&mut self, stop: &CancellationToken) -> Result<(), StepError> {
        if self.send_due(stop).await? || stop.is_cancelled() {
            return Ok(());
        }
        let retry = self.lanes.iter().filter_map(Lane::retry_at).min();
        let stuck: Vec<Role> =
            self.lanes.iter().filter(|lane| !lane.is_free()).map(|lane| lane.role).collect();
        // A ledger that does not answer answers no other lane either; what is not taken needs no
        // taking up again.
        if self.lanes.iter().any(Lane::is_unanswered) || stuck.len() == self.lanes.len() {
            self.note().await?;
            wait(retry, stop).await;
            return Ok(());
        }
        self.send_again().await?;
        if let Some(not_before) = self.not_before.take() {
            wait(Some(not_before), stop).await;
        }
        let Submitter { store, limits, random, .. } = &self.submitter;
        let BatchLimits { commands_max, bytes_max } = *limits;
        let run = submission::next_run(store, &stuck, commands_max, bytes_max).await?;
        let Some(run) = run else {
            self.note().await?;
            if self.beat().await {
                return Ok(());
            }
            let poll = Instant::now() + POLL_EVERY;
            let wake = self.submitter.wake.clone();
            tokio::select! {
                () = wake.notified() => {}
                () = wait(retry.map_or(Some(poll), |retry| Some(retry.min(poll))), stop) => {}
            }
            return Ok(());
        };
        if (BUSY_FROM..commands_max / 2).contains(&run.commands()) {
            self.not_before = Some(Instant::now() + BUSY_EVERY);
        }
        let ids: Vec<_> = run.batches.iter().map(|_| BatchId::from_u128(random.bits())).collect();
        let mut tx = store.begin_rebuildable().await?;
        let at = self.submitter.clock.now();
        submission::record_run(&mut tx, self.held.lease(), &run, &ids, at).await?;
        // A batch tells that all before it in its lane are answered; of other lanes nothing does.
        let goes_on = |lane: &Lane| run.batches.iter().any(|batch| batch.role == lane.role);
        let is_done = |lane: &&mut Lane| lane.is_noted && lane.is_free() && !goes_on(lane);
        for lane in self.lanes.iter_mut().filter(is_done) {
            submission::mark_answered(&mut tx, self.held.lease(), lane.role).await?;
            lane.is_noted = false;
        }
        tx.commit().await?;
        for (batch, id) in run.batches.into_iter().zip(ids) {
            self.take(batch.role, id, batch.rows).await?;
        }
        Ok(())
    }

    /// Gives a recorded batch to its lane; what this build can't read is set aside.
    async fn take(
        &mut self,
        role: Role,
        batch_id: BatchId,
        rows: Vec<Queued>,
    ) -> Result<(), StepError> {
        let mut part = Part { batch_id, commands: Vec::new(), seqs: Vec::new() };
        for row in rows {
            match row.envelope() {
                Ok(envelope) => {
                    if self.submitter.spans.is_on()
                        && let Some(trace) = sampled(row.traceparent.as_deref())
                    {
                        let accepted_at = row.created_at;
                        self.traced.insert(row.seq, Traced { trace, accepted_at });
                    }
                    part.commands.push(envelope);
                    part.seqs.push(row.seq);
                }
                Err(error) => self.dead_letter(row.seq, &error.to_string()).await?,
            }
        }
        if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.role == role) {
            lane.is_noted = true;
            lane.push(part);
        }
        Ok(())
    }

    /// Sends each lane's next part once, if it is due. Whether there was any.
    async fn send_due(&mut self, stop: &CancellationToken) -> Result<bool, StepError> {
        let mut any = false;
        for at in 0..self.lanes.len() {
            let now = Instant::now();
            let Some(part) = self.lanes.get_mut(at).and_then(|lane| lane.due(now)) else {
                continue;
            };
            if stop.is_cancelled() {
                break;
            }
            any = true;
            self.send(at, part).await?;
        }
        Ok(any)
    }

    /// Sends a part once, and notes what became of it.
    async fn send(&mut self, at: usize, part: Part) -> Result<(), StepError> {
        // Outside SQL there is no fence. A leader that may have been paused for too long asks for a
        // lease again; what it sends in the moment between is answered as repeated.
        if !self.held.is_safe() {
            return Err(StepError::LeaseLost);
        }
        let Some(lane) = self.lanes.get_mut(at) else { return Ok(()) };
        let (role, batch_id, started) = (lane.role, part.batch_id, Instant::now());
        let sent_at = self.submitter.clock.now();
        let context = Context::embedded(role, self.submitter.clock.ledger_time());
        let (batch, seqs) = part.into_batch(role);
        let batch = Arc::new(batch);
        match self.submitter.chain.submit(batch.clone(), context).await {
            Ok(()) => {
                let metrics = &self.submitter.metrics;
                metrics.batch_size.observe(batch.commands.len() as f64);
                metrics.batch_seconds.observe(started.elapsed().as_secs_f64());
                lane.answered();
                self.last_batch_at = Some(context.time);
                self.tell(&batch, &seqs, sent_at);
                self.note_free(at).await
            }
            Err(ChainError::Panicked { reason }) => {
                tracing::error!(%batch_id, reason, "a command makes the contract panic");
                let part = Part::of_batch(Arc::unwrap_or_clone(batch), seqs);
                lane.answered();
                if part.commands.len() > 1 {
                    lane.split(part, &self.submitter.random);
                    return Ok(());
                }
                for seq in part.seqs {
                    self.dead_letter(seq, &reason).await?;
                }
                self.note_free(at).await
            }
            Err(error) => {
                let (class, reason) = (error.class(), with_causes(&error));
                tracing::warn!(%batch_id, %role, class, error = reason, "no answer");
                let part = Part::of_batch(Arc::unwrap_or_clone(batch), seqs);
                let at_time = self.submitter.clock.now();
                if let Some(stuck) = lane.failed(part, class, reason, at_time) {
                    let mut tx = self.submitter.store.begin().await?;
                    submission::set_stuck(&mut tx, self.held.lease(), role, Some(&stuck)).await?;
                    tx.commit().await?;
                }
                if class == ChainError::CLOCK_JUMP { self.confirm_clock().await } else { Ok(()) }
            }
        }
    }

    /// Tells of a batch that the ledger has answered, in the traces of its commands and in its own.
    fn tell(&mut self, batch: &Batch, seqs: &[i64], sent_at: TimeMs) {
        let traced = batch.commands.iter().zip(seqs);
        let traced: Vec<_> = traced
            .filter_map(|(envelope, seq)| Some((envelope, self.traced.remove(seq)?)))
            .collect();
        if traced.is_empty() {
            return;
        }
        let spans = &self.submitter.spans;
        let (own, now) = (spans.new_trace(), micros(self.submitter.clock.now()));
        let id = || ("gx.batch.id", SpanValue::from(batch.batch_id.to_string()));
        let mut links = Vec::new();
        for (envelope, Traced { trace, accepted_at }) in traced {
            let stage = |name: &'static str, kind, from_us, to_us| Span {
                name: name.into(),
                kind,
                at: spans.span_in(trace),
                parent: Some(trace.span_id),
                links: vec![own],
                from_us,
                to_us,
                attributes: vec![("gx.command.function", envelope.command.name().into()), id()],
                is_failed: false,
            };
            let submit =
                stage("command submit", SpanKind::Consumer, micros(accepted_at), micros(sent_at));
            let commit = stage("command commit", SpanKind::Client, micros(sent_at), now);
            if links.len() < LINKS_MAX {
                links.push(commit.at);
            }
            spans.tell(submit);
            spans.tell(commit);
        }
        spans.tell(Span {
            name: "batch commit".into(),
            kind: SpanKind::Client,
            at: own,
            parent: None,
            links,
            from_us: micros(sent_at),
            to_us: now,
            attributes: vec![
                id(),
                ("gx.batch.commands", (batch.commands.len() as u64).into()),
                ("gx.role", batch.role.as_str().into()),
            ],
            is_failed: false,
        });
    }

    /// Gives a lane a batch without commands when the ledger's time has stood still for long.
    /// Whether there is one to send now.
    async fn beat(&mut self) -> bool {
        let now = self.submitter.clock.ledger_time();
        let last = match self.last_batch_at {
            Some(last) => last,
            None => {
                let Some(last) = self.ledger_time().await else { return false };
                *self.last_batch_at.insert(last)
            }
        };
        if now.0.saturating_sub(last.0) < BEAT_EVERY_MS {
            return false;
        }
        let batch_id = BatchId::from_u128(self.submitter.random.bits());
        let lane = self.lanes.iter_mut().find(|lane| lane.is_free());
        lane.map(|lane| lane.push_beat(batch_id)).is_some()
    }

    /// The time of the last block; `None` when there is none, or no answer.
    async fn ledger_time(&self) -> Option<TimeMs> {
        let chain = &self.submitter.chain;
        let tip = chain.tip().await.ok().flatten()?;
        chain.block_time(tip.number).await.ok().flatten()
    }

    /// Sends the confirmations of the clock that were accepted last, out of turn: what waits for
    /// them is in front of them. In their own turn they are answered as repeated.
    async fn confirm_clock(&mut self) -> Result<(), StepError> {
        let Submitter { store, chain, clock, random, .. } = &self.submitter;
        let rows = submission::clock_confirmations(store, CONFIRMATIONS_MAX).await?;
        let time = clock.ledger_time();
        for row in rows {
            let Ok(envelope) = row.envelope() else { continue };
            let (role, commands) = (row.role, vec![envelope]);
            let batch_id = BatchId::from_u128(random.bits());
            let batch = Arc::new(Batch { batch_id, role, commands });
            if chain.submit(batch, Context::embedded(role, time)).await.is_ok() {
                tracing::warn!(time = time.0, "two super admins have confirmed the clock");
                self.lanes.iter_mut().for_each(Lane::retry_now);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Sends dead commands again that operators want sent, each by itself and out of turn.
    async fn send_again(&mut self) -> Result<(), StepError> {
        if self.dead_looked_at.is_some_and(|at| at.elapsed() < DEAD_EVERY) {
            return Ok(());
        }
        self.dead_looked_at = Some(Instant::now());
        let Submitter { store, clock, .. } = &self.submitter;
        for row in submission::requeued(store, REQUEUED_MAX).await? {
            if !self.held.is_safe() {
                return Err(StepError::LeaseLost);
            }
            let (seq, lease) = (row.seq, self.held.lease());
            let answered = self.submit_alone(&row).await;
            let mut tx = store.begin().await?;
            match answered {
                Ok(()) => submission::mark_sent_again(&mut tx, lease, seq, clock.now()).await?,
                Err(Some(reason)) => {
                    tracing::error!(seq, reason, "a command is dead again");
                    submission::mark_dead_again(&mut tx, lease, seq, &reason, clock.now()).await?;
                }
                // No answer: the next look sends it again.
                Err(None) => continue,
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Sends one command in a batch of its own. Fails with the reason why it can't be executed, or
    /// without one when there was no answer.
    async fn submit_alone(&self, row: &Queued) -> Result<(), Option<String>> {
        let Submitter { chain, clock, random, .. } = &self.submitter;
        let envelope = row.envelope().map_err(|error| Some(error.to_string()))?;
        let (batch_id, role) = (BatchId::from_u128(random.bits()), row.role);
        let batch = Arc::new(Batch { batch_id, role, commands: vec![envelope] });
        match chain.submit(batch, Context::embedded(role, clock.ledger_time())).await {
            Ok(()) => Ok(()),
            Err(ChainError::Panicked { reason }) => Err(Some(reason)),
            Err(error) => {
                let (class, error) = (error.class(), with_causes(&error));
                tracing::warn!(seq = row.seq, class, error, "no answer");
                Err(None)
            }
        }
    }

    /// Writes down that a lane which was seen stuck moves again.
    async fn note_free(&mut self, at: usize) -> Result<(), StepError> {
        match self.lanes.get(at) {
            Some(lane) if lane.is_shown_stuck && lane.is_free() => self.note().await,
            _ => Ok(()),
        }
    }

    /// Writes down which lanes are answered; those that send on do it with their next batch.
    async fn note(&mut self) -> Result<(), StepError> {
        let to_note = |lane: &&mut Lane| lane.is_free() && (lane.is_noted || lane.is_shown_stuck);
        let mut lanes: Vec<&mut Lane> = self.lanes.iter_mut().filter(to_note).collect();
        if lanes.is_empty() {
            return Ok(());
        }
        let mut tx = self.submitter.store.begin_rebuildable().await?;
        for lane in &lanes {
            submission::mark_answered(&mut tx, self.held.lease(), lane.role).await?;
            if lane.is_shown_stuck {
                submission::set_stuck(&mut tx, self.held.lease(), lane.role, None).await?;
            }
        }
        tx.commit().await?;
        for lane in &mut lanes {
            (lane.is_noted, lane.is_shown_stuck) = (false, false);
        }
        Ok(())
    }

    /// Sets a command aside that no ledger can execute.
    async fn dead_letter(&mut self, seq: i64, reason: &str) -> Result<(), StepError> {
        tracing::error!(seq, reason, "a command is set aside as dead");
        self.traced.remove(&seq);
        let mut tx = self.submitter.store.begin().await?;
        submission::mark_dead(&mut tx, self.held.lease(), seq, reason, self.submitter.clock.now())
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("the lease is lost")]
    LeaseLost,
    #[error(transparent)]
    Store(#[from] gx_store::Error),
}

/// Waits for a moment, if there is one, or until asked to stop.
async fn wait(until: Option<Instant>, stop: &CancellationToken) {
    let moment = async {
        match until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = moment => {}
    }
}
