//! Executes blocks again, from the first one on an empty state in memory, and compares.
//!
//! It shares the contract with the ledger and nothing else: neither its state nor its index.

use std::collections::HashMap;
use std::sync::Arc;

use gx_contract::state::Key;
use gx_contract::{Context, Done};

use crate::block::{Block, Body, digest_before_all, state_digest};
use crate::error::Fault;
use crate::execution::{Failure, Supply, execute, outcome_record};
use crate::hash::Hash;
use crate::store::{Identity, Place};

/// Reads an earlier block.
pub(crate) type Earlier<'f> = &'f dyn Fn(u64) -> Result<Arc<Block>, Fault>;

pub(crate) struct Replay {
    identity: Identity,
    number: u64,
    previous: Hash,
    digest: Hash,
    state: HashMap<String, Vec<u8>>,
    outcomes: HashMap<u128, Place>,
}

impl Replay {
    pub(crate) fn new(identity: Identity) -> Self {
        let previous = identity.origin.hash();
        Self {
            identity,
            number: 0,
            previous,
            digest: digest_before_all(),
            state: HashMap::new(),
            outcomes: HashMap::new(),
        }
    }

    /// Number and hash of the last good block.
    pub(crate) fn last(&self) -> (u64, Hash) {
        (self.number, self.previous)
    }

    pub(crate) fn digest(&self) -> Hash {
        self.digest
    }

    /// The state, outcomes excepted.
    pub(crate) fn state(&self) -> &HashMap<String, Vec<u8>> {
        &self.state
    }

    pub(crate) fn outcomes(&self) -> &HashMap<u128, Place> {
        &self.outcomes
    }

    /// Checks the next block in every respect and takes its writes over.
    pub(crate) fn next(&mut self, block: &Block, earlier: Earlier<'_>) -> Result<(), Fault> {
        let header = block.header();
        let number = self.number.saturating_add(1);
        if header.number != number {
            return Err(Fault::Number(header.number));
        }
        if header.network != self.identity.origin.network {
            return Err(Fault::Network(header.network));
        }
        block.check(&self.identity.signer(number))?;
        if header.previous != self.previous {
            return Err(Fault::Previous);
        }
        let done = self.execute(block, earlier)?;
        if state_digest(&self.digest, &done.writes) != header.state_digest {
            return Err(Fault::Digest);
        }
        for write in done.writes {
            if !Key::is_outcome(&write.key) {
                self.state.insert(write.key, write.value);
            }
        }
        let batch = block.batch()?;
        for (envelope, index) in batch.commands.iter().zip(0..) {
            let place = Place::new(number, index);
            self.outcomes.entry(envelope.command_id.to_u128()).or_insert(place);
        }
        self.number = number;
        self.previous = block.hash();
        self.digest = header.state_digest;
        Ok(())
    }

    fn execute(&self, block: &Block, earlier: Earlier<'_>) -> Result<Done, Fault> {
        let header = block.header();
        let batch = block.batch()?;
        let context = Context::embedded(header.submitter, header.time);
        let done = execute(&batch, context, |keys, supply| {
            keys.into_iter().try_for_each(|key| self.supply(key, earlier, supply))
        });
        let done = done.map_err(|failure| match failure {
            Failure::Source(fault) => fault,
            Failure::Panicked(message) => Fault::Panicked(message),
            Failure::Refused(refused) => Fault::Refused(refused),
            Failure::State(wrong) => Fault::StateDiffers(wrong.key),
        })?;
        let mut body = Body::default();
        let encoded = body.push_outcomes(&done.record.results);
        encoded.map_err(|error| Fault::Outcomes(error.to_string()))?;
        if done.record.time != header.time || body.outcomes() != block.body().outcomes() {
            return Err(Fault::OutcomesDiffer);
        }
        Ok(done)
    }

    fn supply(
        &self,
        key: Key,
        earlier: Earlier<'_>,
        supply: Supply<'_>,
    ) -> Result<(), Failure<Fault>> {
        let value = match &key {
            Key::Outcome(id) => match self.outcomes.get(&id.to_u128()) {
                None => None,
                Some(place) => {
                    let block = earlier(place.block()).map_err(Failure::Source)?;
                    Some(outcome_record(&block, place.index()).map_err(Failure::Source)?)
                }
            },
            _ => self.state.get(&key.encode()).cloned(),
        };
        supply(key, value.as_deref()).map_err(Failure::State)
    }
}
