//! A ledger as simple as can be: a map, written after every batch. Tests compare engines with it.

use std::collections::BTreeMap;

use crate::state::Key;
use crate::{
    Batch, BatchRecord, Context, Execution, ExecutionError, Query, QueryExecution, Refused, Write,
    WrongState,
};

/// Encoded keys and what is stored under them.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub state: BTreeMap<String, Vec<u8>>,
}

impl Memory {
    /// Executes a batch and stores what it writes.
    ///
    /// # Errors
    /// When the batch is refused, or what is stored is no record of this build.
    pub fn execute(
        &mut self,
        batch: &Batch,
        context: Context,
    ) -> Result<BatchRecord, ExecutionError> {
        let done = Execution::new(batch, context).complete(|execution, keys| {
            let mut supply = |key: Key| execution.supply(key, self.value(&key));
            keys.into_iter().try_for_each(&mut supply).map_err(ExecutionError::from)
        })?;
        self.state.extend(done.writes.into_iter().map(|Write { key, value }| (key, value)));
        Ok(done.record)
    }

    /// Answers a query with a JSON text.
    ///
    /// # Errors
    /// [`WrongState`] when what is stored is no record of this build.
    pub fn ask(&self, query: impl Into<Query>) -> Result<Result<String, Refused>, WrongState> {
        QueryExecution::new(query.into()).complete(|execution, keys| {
            keys.into_iter().try_for_each(|key| execution.supply(key, self.value(&key)))
        })
    }

    /// What is stored under a key.
    pub fn value(&self, key: &Key) -> Option<&[u8]> {
        self.state.get(&key.encode()).map(Vec::as_slice)
    }
}
