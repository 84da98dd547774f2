//! The embedded ledger: one file that holds signed, hash-chained blocks and the state they make.
//!
//! One process opens it at a time. Whoever submits a batch executes it under the contract's rules;
//! a thread of the ledger's own hashes, signs and stores it, and only then is the caller answered.
//! Every call blocks. The crate reads no clock and knows neither SQL nor HTTP.

#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used))]

mod archive;
mod block;
mod encoding;
mod error;
mod execution;
mod executor;
mod hash;
mod key;
mod ledger;
mod outcomes;
mod pending;
mod pieces;
mod proof;
mod recent;
mod replay;
mod settler;
mod shared;
mod snapshot;
mod store;
mod tree;
mod verify;
mod work;
mod writer;

pub use archive::{export, import, import_while};
pub use block::{Block, Header, Notation, Origin, state_digest};
pub use encoding::Malformed;
pub use error::{ArchiveFault, Error, Fault};
pub use hash::{Hash, NotHex};
pub use key::{NodeKey, PublicKey, Signature};
pub use ledger::{BlockLimit, Info, Ledger, Options, Ticket, info};
pub use pending::Limits;
pub use pieces::{Ends, export_piece, join, look};
pub use proof::{Proof, ProofFault, Proven};
pub use shared::Receipt;
pub use snapshot::{Entries, Snapshot};
pub use store::Tip;
pub use verify::{Expected, Problem, Progress, Report, verify};
