//! The executing half of the ledger: the state after the last executed block, durable or not.
//!
//! Whoever submits executes here, one after the other, while the writer makes earlier blocks
//! durable. Nothing here touches the file but to read it.

use std::sync::Arc;

use gx_contract::state::Key;
use gx_contract::{Batch, Context, Done, Query, Refused};
use gx_types::BatchId;

use crate::block::Block;
use crate::execution::{Failure, Supply, answer, execute, outcome_record};
use crate::outcomes::{Added, OutcomeIndex, Sealing};
use crate::pending::{Limits, Pending, Settling};
use crate::store::{Place, SegmentReader, StateReader, Store};
use crate::{Error, Snapshot, Tip};

/// What a batch has made.
#[derive(Debug)]
pub(crate) struct Executed {
    pub(crate) done: Done,
    /// The ids that got their outcome now, with their position in the batch.
    pub(crate) new_ids: Vec<(u128, u32)>,
}

/// What the writer has to move into place along with a block.
#[derive(Debug, Default)]
pub(crate) struct Chores {
    pub(crate) settling: Option<Settling>,
    pub(crate) sealing: Option<Sealing>,
}

/// Reads an earlier block, which may have to become durable first.
pub(crate) type Fetch<'f> = &'f dyn Fn(u64) -> Result<Arc<Block>, Error>;

#[derive(Debug)]
pub(crate) struct Executor {
    store: Arc<Store>,
    limits: Limits,
    pending: Pending,
    outcomes: OutcomeIndex,
    /// Number of the last block executed.
    executed: u64,
}

impl Executor {
    /// Reads back what the file's logs hold beyond its state.
    pub(crate) fn load(store: Arc<Store>, limits: Limits, executed: u64) -> Result<Self, Error> {
        let transaction = store.read()?;
        let pending = Pending::load(&store, &transaction)?;
        let outcomes = OutcomeIndex::load(&store, &transaction)?;
        Ok(Self { store, limits, pending, outcomes, executed })
    }

    pub(crate) fn executed(&self) -> u64 {
        self.executed
    }

    /// The writer has put segments into the file.
    pub(crate) fn sealed(&mut self, segments: Vec<Added>) {
        segments.into_iter().for_each(|added| self.outcomes.add(added));
    }

    pub(crate) fn execute(
        &self,
        batch: &Batch,
        context: Context,
        fetch: Fetch<'_>,
    ) -> Result<Executed, Error> {
        let view = View::new(self)?;
        let mut known = Vec::new();
        let done = execute(batch, context, |keys, supply| {
            view.supply_all(keys, supply, fetch, &mut known)
        });
        let done = done.map_err(|failure| self.failed(failure, batch.batch_id))?;
        known.sort_unstable();
        let mut new_ids: Vec<(u128, u32)> = batch
            .commands
            .iter()
            .zip(0..)
            .map(|(envelope, index)| (envelope.command_id.to_u128(), index))
            .filter(|(id, _)| known.binary_search(id).is_err())
            .collect();
        // Of an id that stands twice in the batch, the first has the outcome.
        new_ids.sort_unstable();
        new_ids.dedup_by_key(|(id, _)| *id);
        Ok(Executed { done, new_ids })
    }

    /// Makes an executed batch part of the state, and says what has come due to be moved.
    pub(crate) fn apply(&mut self, executed: &Executed, settled: u64) -> Chores {
        self.executed = self.executed.saturating_add(1);
        let number = self.executed;
        // Outcomes are kept in the blocks and found through the index, not in the state.
        for write in executed.done.writes.iter().filter(|write| !Key::is_outcome(&write.key)) {
            self.pending.write(&write.key, &write.value);
        }
        for (id, index) in &executed.new_ids {
            self.outcomes.insert(*id, Place::new(number, *index));
        }
        Chores {
            settling: self.pending.settle(&self.limits, number, settled),
            sealing: self.outcomes.seal(self.limits.outcomes, number),
        }
    }

    pub(crate) fn query(
        &self,
        query: Query,
        fetch: Fetch<'_>,
    ) -> Result<Result<String, Refused>, Error> {
        let view = View::new(self)?;
        let answer =
            answer(query, |keys, supply| view.supply_all(keys, supply, fetch, &mut Vec::new()));
        answer.map_err(|failure| self.failed(failure, BatchId::from_u128(0)))
    }

    /// Where the outcomes of command ids stand.
    pub(crate) fn places(&self, ids: &[u128]) -> Result<Vec<Option<Place>>, Error> {
        let view = View::new(self)?;
        let find = |id: &u128| self.outcomes.find(*id, &view.segments);
        ids.iter().map(find).collect::<Result<_, _>>().map_err(self.store.failed())
    }

    /// The state as it is now; `tip` is the block that it is of.
    pub(crate) fn snapshot(&self, tip: Tip) -> Result<Snapshot, Error> {
        let state = StateReader::new(&self.store, &self.store.read()?)?;
        let overlay =
            self.pending.records().map(|(key, value)| (key.into(), value.to_vec())).collect();
        Ok(Snapshot::new(tip, self.store.path.clone(), state, overlay))
    }

    fn failed(&self, failure: Failure<Error>, batch_id: BatchId) -> Error {
        match failure {
            Failure::Source(error) => error,
            Failure::Panicked(message) => Error::Panicked { batch_id, message },
            Failure::Refused(source) => Error::Refused { batch_id, source },
            Failure::State(source) => {
                Error::State { path: self.store.path.clone(), source: Arc::new(source) }
            }
        }
    }
}

/// The executor's state together with the file's as of one moment.
struct View<'e> {
    executor: &'e Executor,
    state: StateReader,
    segments: SegmentReader,
}

impl<'e> View<'e> {
    fn new(executor: &'e Executor) -> Result<Self, Error> {
        let transaction = executor.store.read()?;
        let state = StateReader::new(&executor.store, &transaction)?;
        let segments = SegmentReader::new(&executor.store, &transaction)?;
        Ok(Self { executor, state, segments })
    }

    /// Supplies the values of keys; the command ids among them that have an outcome are added to
    /// `known`.
    fn supply_all(
        &self,
        keys: Vec<Key>,
        supply: Supply<'_>,
        fetch: Fetch<'_>,
        known: &mut Vec<u128>,
    ) -> Result<(), Failure<Error>> {
        let mut block: Option<Arc<Block>> = None;
        for key in keys {
            if let Key::Outcome(id) = &key {
                let id = id.to_u128();
                let Some(place) = self.place(id)? else {
                    supply(key, None).map_err(Failure::State)?;
                    continue;
                };
                known.push(id);
                let same = block.take().filter(|block| block.number() == place.block());
                let found = same.map_or_else(|| fetch(place.block()), Ok);
                let found = found.map_err(Failure::Source)?;
                let record = outcome_record(&found, place.index()).map_err(|fault| {
                    Failure::Source(Error::block(&self.executor.store.path, place.block(), fault))
                })?;
                supply(key, Some(&record)).map_err(Failure::State)?;
                block = Some(found);
            } else {
                self.supply_record(key, &mut *supply)?;
            }
        }
        Ok(())
    }

    fn place(&self, id: u128) -> Result<Option<Place>, Failure<Error>> {
        let found = self.executor.outcomes.find(id, &self.segments);
        found.map_err(|error| Failure::Source(self.executor.store.failed()(error)))
    }

    fn supply_record(&self, key: Key, supply: Supply<'_>) -> Result<(), Failure<Error>> {
        let encoded = key.encode();
        if let Some(value) = self.executor.pending.get(&encoded) {
            return supply(key, Some(value)).map_err(Failure::State);
        }
        self.state
            .get(&encoded, |value| supply(key, value))
            .map_err(|error| Failure::Source(self.executor.store.failed()(error)))?
            .map_err(Failure::State)
    }
}
