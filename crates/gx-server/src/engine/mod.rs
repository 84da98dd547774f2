//! The way of a command behind HTTP: accepted into the outbox, sent to the ledger, projected.
//!
//! Everything is committed in groups. The two workers run under a lease, and every SQL transaction
//! of theirs proves that the lease is still held. Nothing here knows a route.

mod chain;
mod leader;
mod outbox;
mod pacing;
mod projector;
mod submitter;
#[cfg(test)]
mod tests;
mod waiters;

pub use chain::{Chain, ChainBlock, ChainError, News, Tip};
pub use leader::{LEASE_TTL, Role, holder_name};
pub use outbox::{Accepted, Outbox, Submission, SubmitError};
pub use projector::Projector;
pub use submitter::{BatchLimits, Submitter};
pub use waiters::{Applied, Expected, Waiters};
