//! The way of a command: accepted into the outbox, sent to the ledger, projected.
//!
//! Everything is committed in groups. The two workers run under a lease, and every SQL transaction
//! of theirs proves that the lease is still held. Time, randomness and faults are handed in, so
//! that a simulation can run all of it; nothing here knows HTTP.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod chain;
mod clock;
mod collector;
mod courier;
mod faults;
mod housekeeper;
mod lane;
mod leader;
mod messenger;
mod notices;
mod notifier;
mod outbox;
mod pacing;
mod projector;
mod promotion;
mod random;
mod spans;
mod submitter;
#[cfg(test)]
mod tests;
mod waiters;

pub use chain::{Chain, ChainBlock, ChainError, News, Tip};
pub use clock::Clock;
pub use collector::Collector;
pub use courier::{Carrier, Courier, Undelivered};
pub use faults::{Faults, Request};
pub use housekeeper::{Housekeeper, Terms};
pub use leader::{LEASE_TTL, Role, holder_name};
pub use messenger::{Messenger, RETRY_MS, Sent, TEST_EVENT, WebhookClient};
pub use notices::event_type;
pub use notifier::Notifier;
pub use outbox::{Accepted, Outbox, Submission, SubmitError};
pub use pacing::Backoff;
pub use projector::Projector;
pub use promotion::*;
pub use random::Random;
pub use spans::{LINKS_MAX, Span, SpanKind, SpanSink, SpanValue, Spans};
pub use submitter::{BatchLimits, Submitter};
pub use waiters::{Applied, Expected, Settled, Waiters};
