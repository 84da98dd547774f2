//! Receipts of a channel: what shows somebody who asks no peer that a command was settled, and how.
//!
//! What orderers sign is a block's header: the order of transactions. Which of them count, peers
//! write beside the block, and nobody signs that. So the outcome is asked for once more: the
//! organizations endorse the answer, and in it which transaction has written the outcome. Peers
//! write nothing for a transaction that does not count.

mod bytes;
mod configuration;
mod endorsed;
mod fault;
mod membership;
mod policy;
mod proof;
mod prove;

pub use bytes::Bytes;
pub use configuration::Configuration;
pub use endorsed::{Endorsed, Endorsement};
pub use fault::{Fault, Part};
pub use proof::{BlockSignature, ConfigurationBlock, Content, Proof, Proven, SignedBlock};
pub(crate) use prove::Current;
pub use prove::Extent;

/// Signatures over one thing, at most. Each takes time to check.
const SIGNATURES_MAX: usize = 256;

/// The most bytes of a block's transactions that a receipt shows: orderers take 10 MiB.
pub const TRANSACTIONS_MAX: usize = 10 << 20;
