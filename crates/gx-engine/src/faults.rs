//! What goes wrong on the way to the ledger, decided by whoever runs a simulation or a test.
//!
//! A process that serves has none: then nothing is asked and nothing fails that would not by
//! itself.

use std::fmt;
use std::sync::Arc;

use gx_types::Role;

use crate::ChainError;

/// What the ledger is about to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To execute a batch of this role.
    Submit(Role),
    /// For what it holds.
    Read,
}

type Decide = dyn Fn(Request) -> Result<(), ChainError> + Send + Sync;

/// Decides about each request whether it fails before the ledger sees it.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<Decide>>);

impl Faults {
    pub fn new(decide: impl Fn(Request) -> Result<(), ChainError> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(decide)))
    }

    pub(crate) fn check(&self, request: Request) -> Result<(), ChainError> {
        self.0.as_ref().map_or(Ok(()), |decide| decide(request))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Faults" } else { "no Faults" })
    }
}
