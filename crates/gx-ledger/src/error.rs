//! What can go wrong with a ledger file, and what can be wrong with a block.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gx_contract::{BatchRefused, WrongState};
use gx_types::{BatchId, NetworkId};

use crate::encoding::Malformed;
use crate::key::PublicKey;

/// Why the ledger did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("ledger {path} is in use by another process; only one may open it at a time")]
    InUse { path: PathBuf },
    #[error("{path} is not a ledger")]
    NotALedger { path: PathBuf },
    #[error("there is no ledger at {path}")]
    Missing { path: PathBuf },
    #[error("{path} exists already")]
    Exists { path: PathBuf },
    #[error("ledger {path} has format {found}, this build knows format {known}")]
    Format { path: PathBuf, found: u32, known: u32 },
    #[error("ledger {path} belongs to {found}, {expected} expected")]
    Network { path: PathBuf, found: NetworkId, expected: NetworkId },
    #[error("ledger {path} is signed with key {recorded}, the node's key is {given}")]
    ForeignKey { path: PathBuf, recorded: PublicKey, given: PublicKey },
    #[error("a batch of {commands} commands is too large, {most} is the most")]
    BatchTooLarge { commands: usize, most: usize },
    /// Nothing was written; the same batch may be executed once the cause is mended.
    #[error("batch {batch_id} is refused as a whole")]
    Refused { batch_id: BatchId, source: BatchRefused },
    #[error("a command of batch {batch_id} makes the contract panic: {message}")]
    Panicked { batch_id: BatchId, message: String },
    #[error("the state of ledger {path} is damaged")]
    State { path: PathBuf, source: Arc<WrongState> },
    #[error("block {number} of ledger {path} is wrong")]
    Block { path: PathBuf, number: u64, source: Fault },
    #[error("ledger {path} cannot be read or written")]
    Storage { path: PathBuf, source: Arc<redb::Error> },
    #[error("cannot {action} {path}")]
    Io { action: &'static str, path: PathBuf, source: Arc<io::Error> },
    #[error("key file {path} is unusable: {reason}")]
    KeyFile { path: PathBuf, reason: String },
    #[error("the archive is refused")]
    Archive { source: ArchiveFault },
    /// An earlier error stopped the writing; the next submission opens the file anew.
    #[error("ledger {path} stopped after an error: {reason}")]
    Stopped { path: PathBuf, reason: String },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source: Arc::new(source) }
    }

    pub(crate) fn storage<E: Into<redb::Error>>(path: &Path) -> impl Fn(E) -> Self {
        let path = path.to_owned();
        move |source| Self::Storage { path: path.clone(), source: Arc::new(source.into()) }
    }

    pub(crate) fn archive(source: ArchiveFault) -> Self {
        Self::Archive { source }
    }

    pub(crate) fn block(path: &Path, number: u64, source: Fault) -> Self {
        Self::Block { path: path.to_owned(), number, source }
    }
}

/// What is wrong with a block, or with the state after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it is missing")]
    Missing,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error("it is torn or altered: {0}")]
    Malformed(Malformed),
    #[error("it says that it is block {0}")]
    Number(u64),
    #[error("it belongs to {0}")]
    Network(NetworkId),
    #[error("it does not follow the block before it")]
    Previous,
    #[error("its commands are altered")]
    CommandsHash,
    #[error("its outcomes are altered")]
    OutcomesHash,
    #[error("it is signed with the foreign key {0}")]
    ForeignKey(PublicKey),
    #[error("its signature is wrong")]
    Signature,
    #[error("its commands do not fit this build: {0}")]
    Commands(String),
    #[error("its outcomes do not fit this build: {0}")]
    Outcomes(String),
    #[error("executing its commands gives other outcomes")]
    OutcomesDiffer,
    #[error("executing its commands gives other state, first at {0}")]
    StateDiffers(String),
    #[error("executing its commands makes the contract panic: {0}")]
    Panicked(String),
    #[error("executing its commands is refused: {0}")]
    Refused(BatchRefused),
    #[error("executing its commands gives another state digest")]
    Digest,
    #[error("the outcome of command {0} is not found under its id")]
    Index(String),
    #[error("it is another block than the one that is known to stand there")]
    NotTheKnown,
    #[error("the ledger's head does not fit it")]
    Head,
    #[error("the file holds blocks beyond it")]
    Beyond,
    #[error("the file's own checksums do not match")]
    Checksums,
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFault {
    #[error("it does not start as an archive of a ledger does")]
    NotAnArchive,
    #[error("it has version {0}, which this build does not know")]
    Version(u32),
    #[error("its head is torn or altered")]
    Head,
    #[error("it belongs to {found}, {expected} expected")]
    Network { found: NetworkId, expected: NetworkId },
    #[error("block {number}: {fault}")]
    Block { number: u64, fault: Fault },
    #[error("it ends within block {0}")]
    Torn(u64),
    #[error("block {0} is altered: its checksum does not match")]
    Checksum(u64),
    #[error("its end is torn or altered after block {0}")]
    End(u64),
    #[error("it goes on after its end")]
    Trailing,
    #[error("it is of another ledger than the archive before it")]
    Another,
    #[error("nothing holds the blocks from {first} to {last}")]
    Gap { first: u64, last: u64 },
    #[error("reading it failed: {0}")]
    Read(String),
}

/// An error with all its sources, for those who only see its text.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
