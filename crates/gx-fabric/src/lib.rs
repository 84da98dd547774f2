//! Hyperledger Fabric as a ledger: the chaincode, the gateway client, and the engine made of them.
//!
//! The rules are `gx-contract`'s on both sides of the wire; what stands here moves bytes between
//! them and a Fabric network. The crate knows neither SQL nor HTTP, and it never panics on what
//! a network sends.

#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used))]

pub mod authority;
pub mod block;
pub mod certificate;
pub mod chaincode;
pub mod check;
mod clock;
mod compressed;
mod connection;
mod counts;
mod der;
mod engine;
mod failure;
mod gateway;
mod identities;
mod identity;
mod invocation;
pub mod issue;
pub mod outcomes;
pub mod packed;
mod positional;
pub mod proposal;
pub mod proto;
pub mod receipt;
mod stream;
mod unique;
mod wire;

pub use connection::{PeerAddress, Peers};
pub use counts::Counts;
pub use engine::{FabricEngine, Options, Settled, Tip};
pub use failure::{Class, EndorserDetail, Error, Validation};
pub use gateway::{Committed, Deadlines, Gateway, Prepared};
pub use identity::{Identity, IdentityError, Wallet};
pub use invocation::{Invocation, Submitter, WrongInvocation};
pub use unique::Unique;

/// The most bytes of one gRPC message: what Fabric's own peers accept.
pub const MESSAGE_BYTES_MAX: usize = 100 << 20;

/// The event that a transaction with commands carries: the batch record as JSON, as a Zstandard
/// frame when that is 4 KiB or longer.
pub const EVENT_NAME: &str = "BatchRecord";

/// The function that settles a batch; its one argument is the batch as JSON, or that as a
/// Zstandard frame.
pub const EXECUTE_BATCH: &str = "SmartContract:ExecuteBatch";
