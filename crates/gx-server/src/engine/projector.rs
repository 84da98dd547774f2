//! Fills the read models from the ledger: one leader, block after block, each exactly once.
//!
//! It stops rather than skips. A block that it cannot apply is a fault of this build: the
//! checkpoint stays, an alarm is raised, and what is applied so far keeps being served.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gx_contract::Outcome;
use gx_store::projection::{self, ProjectedBlock};
use gx_store::{Class, Store, lease};
use tokio_util::sync::CancellationToken;

use super::chain::{Chain, ChainBlock, ChainError};
use super::leader::{self, Held, Role};
use super::pacing::Backoff;
use super::waiters::Applied;
use crate::metrics::{ByOutcome, Metrics, Settled, Worker};

/// Bytes of blocks that one SQL transaction applies at most; one block in any case.
const GROUP_BYTES_MAX: usize = 4 << 20;

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
}

#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Store(#[from] gx_store::Error),
    #[error(transparent)]
    Chain(#[from] ChainError),
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

    async fn lead(self, held: Held, stop: CancellationToken) {
        let mut tip = self.chain.subscribe();
        let mut backoff = Backoff::new(BACKOFF_MAX);
        let mut beaten: Option<Instant> = None;
        while !stop.is_cancelled() {
            if beaten.is_none_or(|at| at.elapsed() >= HEARTBEAT_EVERY) {
                beaten = Some(Instant::now());
                if let Err(error) = self.heartbeat(&held).await {
                    if is_lease_lost(&error) {
                        return;
                    }
                    tracing::warn!(error = %error, "no heartbeat");
                }
            }
            match self.step(&held).await {
                Ok(true) => backoff.reset(),
                Ok(false) => {
                    backoff.reset();
                    tokio::select! {
                        () = stop.cancelled() => {}
                        _ = tip.changed() => {}
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

    /// Applies the next blocks in one transaction. Whether there were any.
    async fn step(&self, held: &Held) -> Result<bool, StepError> {
        let position = projection::position(&self.store).await?;
        let next = position.checkpoint.map_or(self.chain.first(), |at| at.block.saturating_add(1));
        let tip = self.chain.tip().await?;
        let applied = position.checkpoint.map_or(0, |at| at.block);
        self.metrics.set_heights(tip.map_or(0, |tip| tip.number), applied);
        let Some(tip) = tip.filter(|tip| tip.number >= next) else {
            return self.check_identity(&position).await.map(|()| false);
        };
        let blocks = self.chain.blocks(next, GROUP_BYTES_MAX).await?;
        let projected: Vec<ProjectedBlock<'_>> = blocks.iter().map(ChainBlock::projected).collect();
        let mut tx = self.store.begin().await?;
        let done = projection::apply(&mut tx, held.lease(), &projected).await?;
        tx.commit().await?;
        self.metrics.set_heights(tip.number, done.block);
        self.count(&blocks);
        let results = blocks.iter().flat_map(|block| &block.record.results);
        self.applied.announce(results.map(|result| result.command_id).collect());
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

    async fn heartbeat(&self, held: &Held) -> Result<(), StepError> {
        let tip = self.chain.tip().await?;
        let position = projection::position(&self.store).await?;
        let next = position.checkpoint.map_or(self.chain.first(), |at| at.block.saturating_add(1));
        let behind = match tip {
            Some(tip) if tip.number >= next => self.chain.block_time(next).await?,
            Some(_) | None => None,
        };
        let tip = tip.map(|tip| tip.number);
        Ok(projection::heartbeat(&self.store, held.lease(), tip, behind).await?)
    }

    fn count(&self, blocks: &[ChainBlock]) {
        let (mut applied, mut refused, mut repeated) = (0, 0, 0);
        for result in blocks.iter().flat_map(|block| &block.record.results) {
            match result.outcome {
                Outcome::Applied(_) => applied += 1,
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

fn is_lease_lost(error: &StepError) -> bool {
    matches!(error, StepError::Store(gx_store::Error::LeaseLost { .. }))
}

/// A block that cannot be applied needs a person; anything else passes by itself.
fn alarm(error: &StepError) {
    match error {
        StepError::Store(store) if store.class() == Class::Projection => {
            tracing::error!(error = %store, "the projector holds: a block can't be applied");
        }
        StepError::Store(store) => {
            tracing::warn!(class = store.class().as_str(), error = %store, "the projector waits");
        }
        StepError::Chain(chain) => {
            tracing::warn!(class = chain.class(), error = %chain, "the projector waits");
        }
    }
}
