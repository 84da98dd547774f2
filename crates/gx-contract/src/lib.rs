//! The currency's contract: every command, event, refusal and query, and how a batch is executed.
//!
//! Sans-I/O and deterministic: the same state, batch and batch time give the same bytes on every
//! engine. A host runs an [`Execution`], supplies the keys that it asks for, and stores what it
//! writes. The crate reads no clock, draws no randomness and does no arithmetic in floats.

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects, clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::arithmetic_side_effects))]

pub mod admin;
mod attestation;
mod batch;
mod countries;
pub mod custody;
mod description;
pub mod escrow;
mod execution;
mod fees;
pub mod freezing;
mod gates;
mod genesis;
pub mod governance;
mod hex_text;
pub mod identity;
mod index;
pub mod loan_pool;
#[cfg(feature = "testing")]
mod memory;
pub mod organization;
mod outcome;
pub mod params;
mod posting;
mod query;
mod refusal;
mod signature;
pub mod smart_contract;
pub mod spending;
pub mod state;
mod surface;
pub mod tax_and_fee;
mod text;
pub mod tokenomics;
pub mod treasury;
mod tx;

#[cfg(any(test, feature = "testing"))]
#[cfg_attr(not(test), allow(dead_code, unused_imports, reason = "tests of rules use the rest"))]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]
mod tests;

/// A ledger in memory, random histories, and a witness that holds the rules and the laws against
/// what an engine makes of them.
#[cfg(feature = "testing")]
pub mod testing {
    pub use crate::memory::Memory;
    pub use crate::tests::elsewhere::{Part, Witness, histories};
}

pub use attestation::{ATTESTED_AHEAD_MAX_MS, Attestation, Attested, DEVNET_ATTESTER, Purpose};
pub use batch::{Batch, BodyHash, Envelope};
pub use countries::{SLOT_PHASES, TOTAL_WEIGHT};
pub use description::{CARRIED_EVENTS, CommandDescription, QueryDescription};
pub use execution::{
    BatchRefused, Context, Done, Execution, ExecutionError, Step, Write, WrongState,
};
pub use fees::{Party, Quote, Scope, TransferType};
pub use gates::{ActorRule, Gate};
pub use genesis::GenesisStatus;
pub(crate) use hex_text::hex_text;
pub use outcome::{BatchRecord, CommandResult, Outcome, Repeated};
pub use params::{FeeSchedule, Parameters};
pub use posting::{Change, Effects, Posting};
pub use query::{Answer, QueryExecution, QueryStep};
pub use refusal::{Refusal, RefusalKind, Refused};
pub use signature::{
    KeyHolder, NewKey, PublicKey, Signature, SignatureBytes, clock_confirmation_bytes,
    key_proof_bytes,
};
pub use surface::{Command, Event, NameError, Named, Query};
pub use tx::Rule;
