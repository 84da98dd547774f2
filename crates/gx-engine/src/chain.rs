//! The ledger as the workers see it, whichever engine it is.
//!
//! An enum, not a trait: the choice is closed. Nothing outside this file knows which ledger is in
//! use. It retries nothing; its errors say whether the ledger answered.

use std::sync::Arc;

use gx_contract::admin::GetSystemStatus;
use gx_contract::state::Version;
use gx_contract::{Batch, BatchRecord, Context, Envelope, Query, Refused};
use gx_ledger::{Block, BlockLimit, Ledger};
use gx_store::projection::ProjectedBlock;
use gx_types::{BatchId, NetworkId, Role, TimeMs};
use tokio::sync::watch;

use crate::faults::{Faults, Request};

/// Blocks of one reading at most.
const BLOCKS_MAX: usize = 256;

/// A ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Chain {
    backend: Backend,
    faults: Faults,
}

#[derive(Debug, Clone)]
enum Backend {
    /// One file in this process.
    Embedded(Ledger),
    /// A channel of a Fabric network.
    Fabric(gx_fabric::FabricEngine),
}

/// Tells that the ledger has grown.
#[derive(Debug)]
pub enum News {
    Embedded(watch::Receiver<gx_ledger::Tip>),
    Fabric(watch::Receiver<u64>),
}

impl News {
    /// Waits until the ledger has grown since the last call; for ever when it never will.
    pub async fn changed(&mut self) {
        let changed = match self {
            Self::Embedded(tip) => tip.changed().await,
            Self::Fabric(tip) => tip.changed().await,
        };
        if changed.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    pub number: u64,
    pub hash: [u8; 32],
}

/// Why the ledger did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// A command makes the contract panic. Nothing was written, and sending it again is no use.
    #[error("the contract panics: {reason}")]
    Panicked { reason: String },
    /// The batch was not executed, and nothing of it is recorded: the set-up or a clock is wrong.
    /// Sending again is free.
    #[error("the ledger refuses the batch as a whole: {reason}")]
    NotExecuted { reason: String },
    /// The ledger does not have the block that was applied last: it is another one, or an older
    /// copy of this one.
    #[error("the ledger does not have the block {block} that the read models were filled from")]
    OtherLedger { block: u64 },
    /// A block cannot be read by this build, or is damaged.
    #[error("block {block} of the ledger cannot be read")]
    Damaged { block: u64, source: gx_ledger::Fault },
    /// The same of a channel.
    #[error("block {block} of the channel cannot be read: {reason}")]
    Unreadable { block: u64, reason: String },
    /// No answer. Sending again is free.
    #[error("the ledger gives no answer")]
    Ledger(#[source] gx_ledger::Error),
    /// Fabric gave no answer, or one that an operator has to do something about. Sending again is
    /// free.
    #[error("the Fabric network gives no answer, or refuses")]
    Fabric(#[source] gx_fabric::Error),
    /// The thread that worked on the request ended without an answer.
    #[error("the request to the ledger was cut off")]
    Interrupted,
}

impl ChainError {
    /// Class of what an operator has to mend: a certificate, a policy, a setting.
    pub const MISCONFIGURED: &str = "misconfigured";

    /// Class of a clock that the ledger does not follow before two super admins have confirmed it.
    pub const CLOCK_JUMP: &str = "clock_jump";

    /// Whether the class is one that passes only once somebody has done something.
    pub fn needs_an_operator(class: &str) -> bool {
        [Self::MISCONFIGURED, Self::CLOCK_JUMP].contains(&class)
    }

    /// Whether the ledger is on the network and does not answer; it may come back by itself.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Fabric(error) if error.class() == gx_fabric::Class::NotAnswered)
    }

    /// A word for logs and metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Panicked { .. } => "panicked",
            Self::NotExecuted { reason } if reason.starts_with(Self::CLOCK_JUMP) => {
                Self::CLOCK_JUMP
            }
            Self::NotExecuted { .. } => Self::MISCONFIGURED,
            Self::OtherLedger { .. } => "other_ledger",
            Self::Damaged { .. } | Self::Unreadable { .. } => "damaged",
            Self::Ledger(_) => "unavailable",
            Self::Fabric(error) => match error.class() {
                gx_fabric::Class::Answered => "answered",
                gx_fabric::Class::NotAnswered => "unavailable",
                gx_fabric::Class::Misconfigured => Self::MISCONFIGURED,
            },
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<gx_ledger::Error> for ChainError {
    fn from(error: gx_ledger::Error) -> Self {
        match error {
            gx_ledger::Error::Panicked { message, .. } => Self::Panicked { reason: message },
            gx_ledger::Error::Refused { source, .. } => {
                Self::NotExecuted { reason: source.to_string() }
            }
            other => Self::Ledger(other),
        }
    }
}

impl From<gx_fabric::Error> for ChainError {
    fn from(error: gx_fabric::Error) -> Self {
        match error {
            gx_fabric::Error::Panicked { reason } => Self::Panicked { reason },
            gx_fabric::Error::NotExecuted { reason } => Self::NotExecuted { reason },
            // No ledger takes it, however often it is sent.
            gx_fabric::Error::TooLarge { .. } => Self::Panicked { reason: error.to_string() },
            gx_fabric::Error::Block { number: block, reason } => Self::Unreadable { block, reason },
            other => Self::Fabric(other),
        }
    }
}

/// A block with what the projector reads of it.
#[derive(Debug, Clone)]
pub struct ChainBlock {
    pub number: u64,
    pub hash: [u8; 32],
    pub prev_hash: [u8; 32],
    pub role: Role,
    pub commands: Vec<Envelope>,
    pub record: Arc<BatchRecord>,
}

impl ChainBlock {
    /// As the read models take it.
    pub fn projected(&self) -> ProjectedBlock<'_> {
        ProjectedBlock {
            number: self.number,
            hash: self.hash,
            prev_hash: self.prev_hash,
            role: self.role,
            commands: &self.commands,
            record: &self.record,
        }
    }
}

impl Chain {
    pub fn embedded(ledger: Ledger) -> Self {
        Self::new(Backend::Embedded(ledger))
    }

    pub fn fabric(engine: gx_fabric::FabricEngine) -> Self {
        Self::new(Backend::Fabric(engine))
    }

    fn new(backend: Backend) -> Self {
        Self { backend, faults: Faults::default() }
    }

    /// The same ledger behind a way that fails as it is told to.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// The embedded ledger, if it is one.
    pub fn ledger(&self) -> Option<&Ledger> {
        match &self.backend {
            Backend::Embedded(ledger) => Some(ledger),
            Backend::Fabric(_) => None,
        }
    }

    /// The channel of a Fabric network, if it is one.
    pub fn channel(&self) -> Option<&gx_fabric::FabricEngine> {
        match &self.backend {
            Backend::Embedded(_) => None,
            Backend::Fabric(fabric) => Some(fabric),
        }
    }

    /// Until when the certificates that it is used with are valid; an embedded ledger needs none.
    pub fn certificates(&self) -> Vec<(Role, std::time::Duration)> {
        match &self.backend {
            Backend::Embedded(_) => Vec::new(),
            Backend::Fabric(fabric) => fabric.certificates(),
        }
    }

    /// The network that the ledger was bootstrapped for; `None` before that.
    ///
    /// # Errors
    /// [`ChainError::Ledger`].
    pub async fn network(&self) -> Result<Option<NetworkId>, ChainError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Status {
            network_id: Option<NetworkId>,
        }
        let answer = self.query(GetSystemStatus {}.into()).await?;
        let status: Option<Status> = answer.ok().and_then(|text| serde_json::from_str(&text).ok());
        Ok(status.and_then(|status| status.network_id))
    }

    /// The ledger, if it can be reached for this now.
    fn reach(&self, request: Request) -> Result<Backend, ChainError> {
        self.faults.check(request)?;
        Ok(self.backend.clone())
    }

    /// Has a batch executed and made durable.
    ///
    /// # Errors
    /// [`ChainError`]; after any but `Panicked` the batch may have been executed all the same.
    pub async fn submit(&self, batch: Arc<Batch>, context: Context) -> Result<(), ChainError> {
        match self.reach(Request::Submit(context.role))? {
            Backend::Embedded(ledger) => {
                blocking(move || Ok(ledger.submit(&batch, context).map(drop)?)).await
            }
            // Role and time are those of the transaction: its certificate and its clock.
            Backend::Fabric(fabric) => Ok(fabric.submit(&batch).await.map(drop)?),
        }
    }

    /// Number of the first block there can be.
    pub fn first(&self) -> u64 {
        match &self.backend {
            // Of a channel, block 0 is its configuration.
            Backend::Embedded(_) | Backend::Fabric(_) => 1,
        }
    }

    /// What stands before the first block as the hash of a block 0 would. It tells ledgers apart.
    ///
    /// # Errors
    /// [`ChainError::Ledger`].
    pub async fn origin(&self) -> Result<[u8; 32], ChainError> {
        match self.reach(Request::Read)? {
            Backend::Embedded(ledger) => {
                blocking(move || Ok(*ledger.info()?.origin.hash().as_bytes())).await
            }
            Backend::Fabric(fabric) => Ok(fabric.origin().await?),
        }
    }

    /// The last block; `None` for an empty ledger.
    ///
    /// # Errors
    /// [`ChainError::Ledger`].
    pub async fn tip(&self) -> Result<Option<Tip>, ChainError> {
        match self.reach(Request::Read)? {
            Backend::Embedded(ledger) => {
                let gx_ledger::Tip { number, hash, .. } = ledger.tip();
                Ok((number > 0).then(|| Tip { number, hash: *hash.as_bytes() }))
            }
            Backend::Fabric(fabric) => {
                let gx_fabric::Tip { number, hash } = fabric.tip().await?;
                Ok((number > 0).then_some(Tip { number, hash }))
            }
        }
    }

    /// Changes when the ledger grows.
    pub fn subscribe(&self) -> News {
        match &self.backend {
            Backend::Embedded(ledger) => News::Embedded(ledger.subscribe()),
            Backend::Fabric(fabric) => News::Fabric(fabric.subscribe()),
        }
    }

    /// The blocks from a number on, up to about `bytes_max` but at least one if there is one.
    ///
    /// # Errors
    /// [`ChainError::Ledger`], also when a block is damaged.
    pub async fn blocks(&self, from: u64, bytes_max: usize) -> Result<Vec<ChainBlock>, ChainError> {
        match self.reach(Request::Read)? {
            Backend::Embedded(ledger) => {
                blocking(move || {
                    let limit = BlockLimit { blocks: BLOCKS_MAX, bytes: bytes_max };
                    ledger.blocks(from, limit)?.iter().map(|block| read(block)).collect()
                })
                .await
            }
            Backend::Fabric(fabric) => {
                let blocks = fabric.blocks(from, BLOCKS_MAX, bytes_max).await?;
                Ok(blocks.into_iter().map(of_channel).collect())
            }
        }
    }

    /// Hash of a block; `None` when the ledger does not reach it.
    ///
    /// # Errors
    /// [`ChainError::Ledger`].
    pub async fn block_hash(&self, number: u64) -> Result<Option<[u8; 32]>, ChainError> {
        match self.reach(Request::Read)? {
            Backend::Embedded(ledger) => {
                blocking(move || Ok(ledger.block(number)?.map(|block| *block.hash().as_bytes())))
                    .await
            }
            Backend::Fabric(fabric) => Ok(fabric.block(number).await?.map(|block| block.hash)),
        }
    }

    /// Time of a block; `None` when the ledger does not reach it.
    ///
    /// # Errors
    /// [`ChainError::Ledger`].
    pub async fn block_time(&self, number: u64) -> Result<Option<TimeMs>, ChainError> {
        match self.reach(Request::Read)? {
            Backend::Embedded(ledger) => {
                blocking(move || Ok(ledger.block(number)?.map(|block| block.header().time))).await
            }
            Backend::Fabric(fabric) => Ok(fabric.block(number).await?.map(|block| block.time)),
        }
    }

    /// Asks the ledger's state. The answer is a JSON text.
    ///
    /// # Errors
    /// [`ChainError::Ledger`]; a refusal is an answer.
    pub async fn query(&self, query: Query) -> Result<Result<String, Refused>, ChainError> {
        match self.reach(Request::Read)? {
            Backend::Embedded(ledger) => blocking(move || Ok(ledger.query(query)?)).await,
            Backend::Fabric(fabric) => Ok(fabric.query(&query).await?),
        }
    }
}

fn read(block: &Block) -> Result<ChainBlock, ChainError> {
    let damaged = |source| ChainError::Damaged { block: block.number(), source };
    let batch = block.batch().map_err(damaged)?;
    Ok(ChainBlock {
        number: block.number(),
        hash: *block.hash().as_bytes(),
        prev_hash: *block.header().previous.as_bytes(),
        role: batch.role,
        commands: batch.commands,
        record: block.record().map_err(damaged)?,
    })
}

/// A channel's block. One without a batch, such as a change of the configuration, is empty.
fn of_channel(block: gx_fabric::block::Block) -> ChainBlock {
    let gx_fabric::block::Block { number, hash, previous, time, settled, .. } = block;
    let (role, commands, record) = match settled {
        Some(settled) => (settled.batch.role, settled.batch.commands, settled.record),
        None => {
            let (version, batch_id, results) = (Version, BatchId::from_u128(0), Vec::new());
            (Role::Admin, Vec::new(), BatchRecord { version, batch_id, time, results })
        }
    };
    ChainBlock { number, hash, prev_hash: previous, role, commands, record: Arc::new(record) }
}

/// Runs file work where it may block.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, ChainError> + Send + 'static,
) -> Result<R, ChainError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(ChainError::Interrupted))
}
