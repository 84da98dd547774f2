//! `submit()`: the only way into the outbox.
//!
//! It checks what needs no state, derives the command id from actor and idempotency key so that a
//! retry is the same command, and writes the row. Callers without a transaction of their own share
//! one: what comes in while one group is being committed is the next group.

use std::sync::Arc;

use gx_contract::{Command, Envelope, Refused, Signature};
use gx_store::outbox::{Inserted, NewCommand};
use gx_store::{Engine, Store, Tx};
use gx_types::{Actor, CommandId, TimeMs};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::spans::{Span, SpanKind, Spans, micros, sampled};
use gx_metrics::{ByFunction, Metrics};

/// Commands of one transaction at most.
const GROUP_MAX: usize = 1024;

/// Commands that may wait for a transaction; further ones are turned away.
const QUEUE_MAX: usize = 8192;

/// A command as a service hands it in.
#[derive(Debug, Clone)]
pub struct Submission {
    pub actor: Actor,
    /// The client's idempotency key, unique for the actor.
    pub key: String,
    pub command: Command,
    /// By the key of the acting account, when it has one.
    pub signature: Option<Signature>,
    /// Who handed it in: a name for people, which nothing here interprets.
    pub service: &'static str,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

impl Submission {
    /// The id that the command has, whenever it is submitted under this key.
    pub fn command_id(&self) -> CommandId {
        CommandId::derive(&self.actor, &self.key)
    }
}

/// The command is in the outbox, durably.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub command_id: CommandId,
    /// The same command was accepted before; this was a retry.
    pub replayed: bool,
}

/// Why a command was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The ledger would refuse it whatever its state.
    #[error("the command is refused: {}", .0.code)]
    Refused(Refused),
    /// The actor used the idempotency key for another command.
    #[error("the idempotency key was used for another command")]
    KeyReused,
    /// More commands are waiting than can be written soon; nothing was accepted.
    #[error("too many commands are waiting to be accepted")]
    Busy,
    /// The database did not take it, or it is not known whether it did. A retry under the same key
    /// is safe.
    #[error("the outbox can't be written")]
    Store(#[source] Arc<gx_store::Error>),
}

impl SubmitError {
    /// Whether the same submission may be accepted later.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Refused(_) | Self::KeyReused => false,
            Self::Busy => true,
            Self::Store(error) => error.is_unavailable(),
        }
    }
}

#[derive(Debug)]
struct Request {
    row: NewCommand,
    answer: oneshot::Sender<Result<Inserted, Arc<gx_store::Error>>>,
}

/// The outbox as services see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox {
    queue: mpsc::Sender<Request>,
    wake: Arc<Notify>,
    metrics: Arc<Metrics>,
    clock: Clock,
    spans: Spans,
}

impl Outbox {
    /// Starts the tasks that write groups; they end when the last clone is dropped. `wake` is
    /// notified after each commit, for a submitter in the same process.
    pub fn start(store: Store, metrics: Arc<Metrics>, wake: Arc<Notify>, clock: Clock) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_MAX);
        let requests = Arc::new(Mutex::new(requests));
        // PostgreSQL commits two groups at once; SQLite has one writer.
        let writers = match store.engine() {
            Engine::Sqlite => 1,
            Engine::Postgres => 2,
        };
        for _ in 0..writers {
            let group = Group {
                store: store.clone(),
                requests: requests.clone(),
                metrics: metrics.clone(),
                wake: wake.clone(),
            };
            tokio::spawn(group.run());
        }
        Self { queue, wake, metrics, clock, spans: Spans::default() }
    }

    /// The same, which tells of what it accepts.
    #[must_use]
    pub fn telling(self, spans: Spans) -> Self {
        Self { spans, ..self }
    }

    /// Accepts a command. When it returns `Ok`, the command survives any crash and will have an
    /// outcome.
    ///
    /// # Errors
    /// [`SubmitError`]; only after [`SubmitError::Store`] may the command be accepted all the same.
    pub async fn submit(&self, submission: Submission) -> Result<Accepted, SubmitError> {
        let row = prepare(submission, self.clock.now())?;
        let command_id = row.command_id;
        let stage = self.stage(&row);
        let (answer, inserted) = oneshot::channel();
        self.queue.try_send(Request { row, answer }).map_err(|_| SubmitError::Busy)?;
        let inserted = inserted.await.map_err(|_| SubmitError::Busy)?;
        let inserted = inserted.map_err(SubmitError::Store)?;
        self.tell(stage, inserted);
        accepted(command_id, inserted)
    }

    /// What is told of a command's acceptance, when it is accepted.
    fn stage(&self, row: &NewCommand) -> Option<Span> {
        let trace = sampled(row.traceparent.as_deref()).filter(|_| self.spans.is_on())?;
        Some(Span {
            name: "command accept".into(),
            kind: SpanKind::Producer,
            at: self.spans.span_in(trace),
            parent: Some(trace.span_id),
            links: Vec::new(),
            from_us: micros(row.created_at),
            to_us: micros(row.created_at),
            attributes: vec![
                ("gx.command.function", row.function.into()),
                ("gx.command.id", row.command_id.to_string().into()),
                ("gx.service", row.service.clone().into()),
            ],
            is_failed: false,
        })
    }

    fn tell(&self, stage: Option<Span>, inserted: Inserted) {
        let Some(mut span) = stage.filter(|_| matches!(inserted, Inserted::New { .. })) else {
            return;
        };
        span.to_us = micros(self.clock.now());
        self.spans.tell(span);
    }

    /// Accepts commands inside the caller's transaction: they exist if and only if it commits. The
    /// caller calls [`Outbox::committed`] afterwards.
    ///
    /// # Errors
    /// [`SubmitError`] of the first command that can't be accepted; the caller gives its
    /// transaction up.
    pub async fn submit_in(
        &self,
        tx: &mut Tx,
        submissions: Vec<Submission>,
    ) -> Result<Vec<Accepted>, SubmitError> {
        let now = self.clock.now();
        let rows = submissions
            .into_iter()
            .map(|submission| prepare(submission, now))
            .collect::<Result<Vec<_>, _>>()?;
        let inserted = gx_store::outbox::insert(tx, &rows)
            .await
            .map_err(|error| SubmitError::Store(Arc::new(error)))?;
        count(&self.metrics, rows.iter().zip(&inserted));
        for (row, inserted) in rows.iter().zip(&inserted) {
            self.tell(self.stage(row), *inserted);
        }
        rows.iter()
            .zip(inserted)
            .map(|(row, inserted)| accepted(row.command_id, inserted))
            .collect()
    }

    /// Wakes the submitter after a transaction with [`Outbox::submit_in`] was committed.
    pub fn committed(&self) {
        self.wake.notify_one();
    }
}

/// Checks what needs no state and makes the row.
fn prepare(submission: Submission, now: TimeMs) -> Result<NewCommand, SubmitError> {
    let command_id = submission.command_id();
    let Submission { actor, key: _, command, signature, service, traceparent } = submission;
    let envelope = Envelope { command_id, actor, command, signature };
    envelope.validate().map_err(SubmitError::Refused)?;
    Ok(NewCommand::new(&envelope, service, traceparent, now))
}

fn accepted(command_id: CommandId, inserted: Inserted) -> Result<Accepted, SubmitError> {
    match inserted {
        Inserted::New { .. } => Ok(Accepted { command_id, replayed: false }),
        Inserted::Existing { same_body: true, .. } => Ok(Accepted { command_id, replayed: true }),
        Inserted::Existing { same_body: false, .. } => Err(SubmitError::KeyReused),
    }
}

fn count<'r>(metrics: &Metrics, rows: impl Iterator<Item = (&'r NewCommand, &'r Inserted)>) {
    for (row, inserted) in rows {
        if matches!(inserted, Inserted::New { .. }) {
            let function = row.function;
            metrics.commands_submitted.get_or_create(&ByFunction { function }).inc();
        }
    }
}

/// Writes what has come in, one group a transaction.
struct Group {
    store: Store,
    requests: Arc<Mutex<mpsc::Receiver<Request>>>,
    metrics: Arc<Metrics>,
    wake: Arc<Notify>,
}

impl Group {
    async fn run(self) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        loop {
            // Holding the lock while waiting lets the writers take turns.
            let mut requests = self.requests.lock().await;
            if requests.recv_many(&mut group, GROUP_MAX).await == 0 {
                return;
            }
            // Requests that are ready to run may submit as well: one transaction for all.
            tokio::task::yield_now().await;
            let room = GROUP_MAX.saturating_sub(group.len());
            group.extend(std::iter::from_fn(|| requests.try_recv().ok()).take(room));
            drop(requests);
            self.write(std::mem::take(&mut group)).await;
        }
    }

    async fn write(&self, group: Vec<Request>) {
        let (rows, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|request| (request.row, request.answer)).unzip();
        let started = Instant::now();
        match self.insert(&rows).await {
            Ok(inserted) => {
                self.wake.notify_one();
                self.metrics.outbox_group_size.observe(rows.len() as f64);
                self.metrics.outbox_write_seconds.observe(started.elapsed().as_secs_f64());
                count(&self.metrics, rows.iter().zip(&inserted));
                for (answer, inserted) in answers.into_iter().zip(inserted) {
                    // A caller that has gone away finds its command by retrying.
                    let _ = answer.send(Ok(inserted));
                }
            }
            // One row that the database can't store must not take its neighbours down.
            Err(error) if !error.is_unavailable() && rows.len() > 1 => {
                for (row, answer) in rows.into_iter().zip(answers) {
                    let alone = self.insert(std::slice::from_ref(&row)).await;
                    self.wake.notify_one();
                    let one = |inserted: Vec<Inserted>| inserted.first().copied();
                    let _ = match alone.map(one) {
                        Ok(Some(inserted)) => answer.send(Ok(inserted)),
                        Ok(None) => continue,
                        Err(error) => answer.send(Err(Arc::new(error))),
                    };
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for answer in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    async fn insert(&self, rows: &[NewCommand]) -> Result<Vec<Inserted>, gx_store::Error> {
        let mut tx = self.store.begin().await?;
        let inserted = gx_store::outbox::insert(&mut tx, rows).await?;
        tx.commit().await?;
        Ok(inserted)
    }
}
