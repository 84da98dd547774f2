//! Fills the read models from the ledger: one leader, block after block, each exactly once.
//!
//! It stops rather than skips. A block that it cannot apply is a fault of this build: the
//! checkpoint stays, an alarm is raised, and what is applied so far keeps being served.

use std::sync::Arc;
use std::time::Duration;

use gx_contract::{Effects as _, Event, Outcome, Refusal};
use gx_store::commands::State;
use gx_store::projection::{self, Known, ProjectedBlock, rebuild};
use gx_store::{Class, Store, lease};
use gx_types::{CommandId, TimeMs, TraceParent, with_causes};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chain::{Chain, ChainBlock, ChainError};
use crate::clock::Clock;
use crate::leader::{self, LeaseGuard, Role};
use crate::pacing::Backoff;
use crate::random::Random;
use crate::spans::{LINKS_MAX, Span, SpanKind, SpanValue, Spans, micros, sampled};
use crate::waiters::{Announced, Applied};
use gx_metrics::{ByOutcome, Metrics, Settled, Worker};

/// Bytes of blocks that one SQL transaction applies at most; one block in any case.
const GROUP_BYTES_MAX: usize = 16 << 20;

/// How often the projector says that it lives and where the ledger ends.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);

/// How often the ledger is asked for its end when it does not tell by itself.
const POLL_EVERY: Duration = Duration::from_millis(100);

/// Longest pause between attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// The worker that moves blocks from the ledger to the read models.
#[derive(Debug, Clone)]
pub struct Projector {
    pub store: Store,
    pub chain: Chain,
    pub metrics: Arc<Metrics>,
    pub applied: Applied,
    pub clock: Clock,
    pub random: Random,
    pub spans: Spans,
}

#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Store(#[from] gx_store::Error),
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// What a step leaves for the next one.
#[derive(Default)]
struct Carried {
    ahead: Option<Ahead>,
    known: Known,
}

/// Blocks that are being read before they are needed.
struct Ahead {
    from: u64,
    chain: Chain,
    read: JoinHandle<Result<Vec<ChainBlock>, ChainError>>,
}

impl Ahead {
    fn start(chain: &Chain, from: u64) -> Self {
        let reader = chain.clone();
        let read = tokio::spawn(async move { reader.blocks(from, GROUP_BYTES_MAX).await });
        Self { from, chain: chain.clone(), read }
    }

    async fn blocks(self) -> Result<Vec<ChainBlock>, ChainError> {
        match self.read.await {
            Ok(read) => read,
            Err(_) => self.chain.blocks(self.from, GROUP_BYTES_MAX).await,
        }
    }
}

impl Projector {
    /// Stands by and leads in turn, until `stop`.
    pub async fn run(self, holder: String, stop: CancellationToken) {
        let role = Role { lease: lease::PROJECTOR, worker: Worker::Projector };
        leader::lead(&self.store, role, &holder, &self.metrics, stop, |held, ended| {
            self.clone().lead(held, ended)
        })
        .await;
    }

    async fn lead(self, held: LeaseGuard, stop: CancellationToken) {
        let mut tip = self.chain.subscribe();
        let mut backoff = Backoff::new(BACKOFF_MAX, self.random.clone());
        let mut beaten: Option<Instant> = None;
        let mut carried = Carried::default();
        while !stop.is_cancelled() {
            if beaten.is_none_or(|at| at.elapsed() >= HEARTBEAT_EVERY) {
                beaten = Some(Instant::now());
                if let Err(error) = self.beat(&held, &mut carried).await {
                    if is_lease_lost(&error) {
                        return;
                    }
                    tracing::warn!(error = with_causes(&error), "no heartbeat");
                }
            }
            match self.step(&held, &mut carried).await {
                Ok(true) => backoff.reset(),
                Ok(false) => {
                    backoff.reset();
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tip.changed() => {}
                        () = tokio::time::sleep(POLL_EVERY) => {}
                    }
                }
                Err(error) if is_lease_lost(&error) => return,
                Err(error) => {
                    alarm(&error);
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(backoff.delay()) => {}
                    }
                }
            }
        }
    }

    /// Applies the next blocks in one transaction, while the ones behind them are being read.
    /// Whether there were any.
    async fn step(&self, held: &LeaseGuard, carried: &mut Carried) -> Result<bool, StepError> {
        let position = projection::position(&self.store).await?;
        let next = position.checkpoint.map_or(self.chain.first(), |at| at.block.saturating_add(1));
        let tip = self.chain.tip().await?;
        let Some(tip) = tip.filter(|tip| tip.number >= next) else {
            return self.check_identity(&position).await.map(|()| false);
        };
        let blocks = match carried.ahead.take().filter(|ahead| ahead.from == next) {
            Some(ahead) => ahead.blocks().await?,
            None => self.chain.blocks(next, GROUP_BYTES_MAX).await?,
        };
        let last = blocks.last().map_or(tip.number, |block| block.number);
        if last < tip.number {
            carried.ahead = Some(Ahead::start(&self.chain, last.saturating_add(1)));
        }
        let began = self.clock.now();
        let projected: Vec<ProjectedBlock<'_>> = blocks.iter().map(ChainBlock::projected).collect();
        let started = Instant::now();
        let mut tx = self.store.begin_rebuildable().await?;
        // Taken, so that nothing is remembered of a transaction that fails.
        let known = std::mem::take(&mut carried.known);
        let (_, known) = projection::apply(&mut tx, held.lease(), &projected, known).await?;
        tx.commit().await?;
        self.metrics.projector_apply_seconds.observe(started.elapsed().as_secs_f64());
        carried.known = known;
        self.count(&blocks);
        self.applied.announce(blocks.iter().flat_map(settled).collect());
        self.tell(&blocks, began);
        Ok(!blocks.is_empty())
    }

    /// The read models must have been filled from this ledger. Without a next block, whose
    /// previous hash would tell, the last applied one is compared.
    async fn check_identity(&self, position: &projection::Position) -> Result<(), StepError> {
        let Some(checkpoint) = position.checkpoint else { return Ok(()) };
        if self.chain.block_hash(checkpoint.block).await? == Some(checkpoint.hash) {
            return Ok(());
        }
        projection::check_ledger(&self.store, self.chain.origin().await?).await?;
        Err(ChainError::OtherLedger { block: checkpoint.block }.into())
    }

    /// Says that the projector lives, and looks whether somebody wants the read models filled anew.
    async fn beat(&self, held: &LeaseGuard, carried: &mut Carried) -> Result<(), StepError> {
        self.heartbeat(held).await?;
        let asked = rebuild::last(&self.store).await?;
        let Some(asked) = asked.filter(|asked| asked.finished_at.is_none()) else {
            return Ok(());
        };
        let (number, now) = (asked.rebuild_no, self.clock.now());
        let mut tx = self.store.begin_rebuildable().await?;
        match asked.target_block {
            None => {
                let tip = self.chain.tip().await?.map_or(0, |tip| tip.number);
                rebuild::begin(&mut tx, held.lease(), number, tip, now).await?;
                tx.commit().await?;
                *carried = Carried::default();
                tracing::warn!(tip, "the read models are emptied and filled again");
            }
            Some(target) => {
                let position = projection::position(&mut tx).await?;
                let applied = position.checkpoint.map_or(0, |at| at.block);
                if applied >= target {
                    rebuild::end(&mut tx, held.lease(), number, now).await?;
                    tracing::info!(applied, "the read models are filled again");
                }
                tx.commit().await?;
            }
        }
        Ok(())
    }

    async fn heartbeat(&self, held: &LeaseGuard) -> Result<(), StepError> {
        let tip = self.chain.tip().await?;
        let position = projection::position(&self.store).await?;
        let next = position.checkpoint.map_or(self.chain.first(), |at| at.block.saturating_add(1));
        let behind = match tip {
            Some(tip) if tip.number >= next => match self.chain.block_time(next).await {
                // That a block cannot be read must not hide that it waits.
                Err(ChainError::Damaged { .. } | ChainError::Unreadable { .. }) => {
                    let last = position.checkpoint.map(|last| last.at).filter(|at| at.0 > 0);
                    Some(last.unwrap_or(self.clock.now()))
                }
                time => time?,
            },
            Some(_) | None => None,
        };
        let tip = tip.map(|tip| tip.number);
        Ok(projection::heartbeat(&self.store, held.lease(), tip, behind).await?)
    }

    /// Tells of blocks that were applied, in the traces of their commands and in one of its own.
    /// Which those are is looked up beside the work: nobody waits for it.
    fn tell(&self, blocks: &[ChainBlock], began: TimeMs) {
        let Some(leave) = self.spans.aside() else { return };
        let results = blocks
            .iter()
            .flat_map(|block| block.record.results.iter().map(|result| (block.number, result)));
        let stages: Vec<Stage> = results
            .map(|(block, result)| {
                let (outcome, code) = worded(&result.outcome);
                Stage { command_id: result.command_id, block, outcome, code }
            })
            .collect();
        if stages.is_empty() {
            return;
        }
        let told = Told {
            store: self.store.clone(),
            spans: self.spans.clone(),
            from_us: micros(began),
            to_us: micros(self.clock.now()),
            stages,
        };
        tokio::spawn(async move {
            told.tell().await;
            drop(leave);
        });
    }

    fn count(&self, blocks: &[ChainBlock]) {
        let (mut applied, mut refused, mut repeated) = (0, 0, 0);
        for result in blocks.iter().flat_map(|block| &block.record.results) {
            match &result.outcome {
                Outcome::Applied(events) => {
                    applied += 1;
                    self.metrics.money_moved_qirat.inc_by(moved(events));
                }
                Outcome::Refused(_) => refused += 1,
                Outcome::Repeated(_) => repeated += 1,
            }
        }
        let outcomes = [
            (Settled::Applied, applied),
            (Settled::Refused, refused),
            (Settled::Repeated, repeated),
        ];
        for (outcome, count) in outcomes {
            self.metrics.commands_settled.get_or_create(&ByOutcome { outcome }).inc_by(count);
        }
    }
}

/// The coins that came to accounts by events, those left out that bootstrap makes.
fn moved(events: &[Event]) -> u64 {
    let payments = events.iter().filter(|event| !matches!(event, Event::SystemBootstrapped(_)));
    let changes = payments.flat_map(|event| event.postings()).map(|posting| posting.change());
    let came = changes.filter_map(|change| u64::try_from(change.qirat()).ok());
    came.fold(0, u64::saturating_add)
}

/// A command that a block has settled.
struct Stage {
    command_id: CommandId,
    block: u64,
    outcome: &'static str,
    /// Why it was refused.
    code: Option<&'static str>,
}

fn worded(outcome: &Outcome) -> (&'static str, Option<&'static str>) {
    match outcome {
        Outcome::Applied(_) => ("applied", None),
        Outcome::Refused(refused) => ("refused", Some(refused.code.code())),
        Outcome::Repeated(_) => ("repeated", None),
    }
}

/// Blocks that were applied, to be told of.
struct Told {
    store: Store,
    spans: Spans,
    from_us: i64,
    to_us: i64,
    stages: Vec<Stage>,
}

impl Told {
    async fn tell(self) {
        let ids: Vec<CommandId> = self.stages.iter().map(|stage| stage.command_id).collect();
        let traces = match gx_store::outbox::traces(&self.store, &ids).await {
            Ok(traces) => traces,
            Err(error) => {
                let class = error.class().as_str();
                tracing::debug!(class, "the traces of a block are not known");
                return;
            }
        };
        let own = self.spans.new_trace();
        let mut links = Vec::new();
        for stage in &self.stages {
            let trace = traces.get(&stage.command_id);
            let Some(trace) = trace.and_then(|text| sampled(Some(text))) else { continue };
            let at = self.spans.span_in(trace);
            let mut attributes: Vec<(&'static str, SpanValue)> =
                vec![("gx.block.number", stage.block.into()), ("gx.outcome", stage.outcome.into())];
            if let Some(code) = stage.code {
                attributes.push(("gx.refusal", code.into()));
            }
            let (parent, to) = (Some(trace.span_id), vec![own]);
            self.spans.tell(self.span("command project", (at, parent), to, attributes));
            if links.len() < LINKS_MAX {
                links.push(at);
            }
        }
        if links.is_empty() {
            return;
        }
        let ends = self.stages.first().zip(self.stages.last());
        let (first, last) = ends.map_or((0, 0), |(first, last)| (first.block, last.block));
        let attributes = vec![
            ("gx.block.first", first.into()),
            ("gx.block.last", last.into()),
            ("gx.blocks.commands", (self.stages.len() as u64).into()),
        ];
        self.spans.tell(self.span("blocks project", (own, None), links, attributes));
    }

    fn span(
        &self,
        name: &'static str,
        (at, parent): (TraceParent, Option<u64>),
        links: Vec<TraceParent>,
        attributes: Vec<(&'static str, SpanValue)>,
    ) -> Span {
        let (name, kind, is_failed) = (name.into(), SpanKind::Consumer, false);
        let Self { from_us, to_us, .. } = *self;
        Span { name, kind, at, parent, links, from_us, to_us, attributes, is_failed }
    }
}

/// What a block settles, as it can be read from now on.
fn settled(block: &ChainBlock) -> impl Iterator<Item = Announced> {
    let (number, at) = (block.number, block.record.time);
    block.record.results.iter().map(move |result| {
        let state = match &result.outcome {
            Outcome::Applied(_) => Some(State::Committed { block: number, at }),
            // Refused for its id, it is another command than the one that is waited for.
            Outcome::Refused(refused) if refused.code == Refusal::CommandIdReused => None,
            Outcome::Refused(refused) => Some(State::Refused {
                block: number,
                at,
                code: refused.code.code().to_owned(),
                detail: refused.detail.clone(),
            }),
            Outcome::Repeated(_) => None,
        };
        (result.command_id, state)
    })
}

fn is_lease_lost(error: &StepError) -> bool {
    matches!(error, StepError::Store(gx_store::Error::LeaseLost { .. }))
}

/// A block that cannot be applied needs a person; anything else passes by itself.
fn alarm(error: &StepError) {
    match error {
        StepError::Store(store) if store.class() == Class::Projection => {
            let error = with_causes(store);
            tracing::error!(error, "the projector holds: a block can't be applied");
        }
        StepError::Store(store) => {
            let (class, error) = (store.class().as_str(), with_causes(store));
            tracing::warn!(class, error, "the projector waits");
        }
        StepError::Chain(chain @ (ChainError::Damaged { .. } | ChainError::Unreadable { .. })) => {
            let error = with_causes(chain);
            tracing::error!(error, "the projector holds: a block can't be read");
        }
        StepError::Chain(chain) => {
            let (class, error) = (chain.class(), with_causes(chain));
            tracing::warn!(class, error, "the projector waits");
        }
    }
}
