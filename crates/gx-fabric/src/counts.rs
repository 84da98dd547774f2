//! How the commands of a batch ended, in numbers: what the chaincode answers to a batch.
//!
//! The outcomes themselves stand in the transaction's event; the answer is ordered with the
//! transaction and is therefore short.

use gx_contract::{CommandResult, Outcome};
use serde::{Deserialize, Serialize};

/// Commands of a batch by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    pub applied: u64,
    pub refused: u64,
    pub repeated: u64,
}

impl Counts {
    pub fn of(results: &[CommandResult]) -> Self {
        let mut counts = Self::default();
        for result in results {
            let count = match result.outcome {
                Outcome::Applied(_) => &mut counts.applied,
                Outcome::Refused(_) => &mut counts.refused,
                Outcome::Repeated(_) => &mut counts.repeated,
            };
            *count = count.saturating_add(1);
        }
        counts
    }
}
