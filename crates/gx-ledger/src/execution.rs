//! Runs the contract against a source of state. The rules and what they read are the contract's;
//! here stand the loop that supplies keys and the shield against a panicking rule.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gx_contract::state::{CommandOutcome, Key, Record, Version};
use gx_contract::{
    Batch, BatchRefused, Context, Done, Execution, Outcome, Query, QueryExecution, Refused,
    WrongState,
};

use crate::block::Block;
use crate::error::Fault;
use crate::store::panic_text;

/// Receives the value of a key.
pub(crate) type Supply<'s> = &'s mut dyn FnMut(Key, Option<&[u8]>) -> Result<(), WrongState>;

/// Why the contract did not come to an end.
#[derive(Debug)]
pub(crate) enum Failure<E> {
    /// The source of state failed.
    Source(E),
    State(WrongState),
    /// The batch was not executed.
    Refused(BatchRefused),
    /// A rule panicked, with this text.
    Panicked(String),
}

impl<E> From<BatchRefused> for Failure<E> {
    fn from(refused: BatchRefused) -> Self {
        Self::Refused(refused)
    }
}

/// Executes a batch; `supply_all` supplies the values of the keys that it is given.
pub(crate) fn execute<E>(
    batch: &Batch,
    context: Context,
    mut supply_all: impl FnMut(Vec<Key>, Supply<'_>) -> Result<(), Failure<E>>,
) -> Result<Done, Failure<E>> {
    shielded(|| {
        Execution::new(batch, context).complete(|execution, keys| {
            supply_all(keys, &mut |key, value| execution.supply(key, value))
        })
    })
}

/// Answers a query in the same way.
pub(crate) fn answer<E>(
    query: Query,
    mut supply_all: impl FnMut(Vec<Key>, Supply<'_>) -> Result<(), Failure<E>>,
) -> Result<Result<String, Refused>, Failure<E>> {
    shielded(|| {
        QueryExecution::new(query).complete(|execution, keys| {
            supply_all(keys, &mut |key, value| execution.supply(key, value))
        })
    })
}

fn shielded<T, E>(run: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>> {
    // Nothing that outlives the closure is changed before it returns, so nothing is left broken.
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(Failure::Panicked(panic_text(&*panic))))
}

/// The record that the contract has written for a command: it is not stored a second time, for
/// all of it stands in the block.
pub(crate) fn outcome_record(block: &Block, index: u32) -> Result<Vec<u8>, Fault> {
    let (envelope, result) = block.entry(index)?;
    let refused = match result.outcome {
        Outcome::Applied(_) => None,
        Outcome::Refused(refused) => Some(Box::new(refused)),
        Outcome::Repeated(_) => return Err(Fault::Outcomes("a repetition as the first".into())),
    };
    let header = block.header();
    let (batch_id, time, body) = (header.batch_id, header.time, envelope.body_hash());
    let outcome = CommandOutcome { v: Version, body, batch_id, time, refused };
    Ok(Record::Outcome(outcome).encode())
}

#[cfg(test)]
mod tests {
    use gx_types::{BatchId, Role, TimeMs};

    use super::*;

    #[test]
    fn a_panic_is_an_answer() {
        let batch =
            Batch { batch_id: BatchId::from_u128(1), role: Role::Admin, commands: Vec::new() };
        let context = Context::embedded(Role::Admin, TimeMs(1));
        let failure = execute::<()>(&batch, context, |_, _| unreachable!("rule {}", 7));
        let Err(Failure::Panicked(text)) = failure else { unreachable!("{failure:?}") };
        assert!(text.contains("rule 7"), "{text}");
    }
}
