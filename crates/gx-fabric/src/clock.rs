//! The time of proposals, and of the checks on certificates and clocks.
//!
//! Chaincode never asks: its time is the transaction's.

use std::time::{Duration, UNIX_EPOCH};

/// Time since 1970, by this machine's clock.
#[expect(clippy::disallowed_methods, reason = "the one clock function of the crate")]
pub(crate) fn now() -> Duration {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
