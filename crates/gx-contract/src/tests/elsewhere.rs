//! Random histories for other engines: what they make of a batch is held against the naive host,
//! which holds the laws against it.

use std::collections::BTreeMap;

use gx_types::TimeMs;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::histories::{self, Given, beginnings};
use super::host::Host;
use crate::{Batch, BatchRecord, Context};

/// Commands that are given together, and how long after the ones before.
#[derive(Debug, Clone)]
pub struct Part(Vec<Given>);

/// Histories that start on the empty ledger, so many or as many as `GX_HISTORIES` says, one after
/// the other; the same seed gives the same ones.
///
/// # Panics
/// When a history can't be drawn.
pub fn histories(usual: u32, seed: u8) -> impl Iterator<Item = Vec<Part>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut draw = move || beginnings().new_tree(&mut runner).unwrap().current();
    let parts = |history: Vec<Given>| {
        histories::batches(&history).map(|batch| Part(batch.to_vec())).collect()
    };
    (0..super::count_of_histories(usual)).map(move |_| parts(draw()))
}

/// A ledger in memory that follows another engine.
#[derive(Clone, Default)]
pub struct Witness(Host);

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}

impl Part {
    /// Milliseconds since the part before; engines' clocks go back at times.
    pub fn elapsed(&self) -> i64 {
        self.0.first().map_or(0, Given::elapsed)
    }
}

impl Witness {
    /// The batch as it is given at this time, signed where its actor signs.
    pub fn batch(&mut self, part: &Part, now: TimeMs) -> Batch {
        let commands = part.0.iter().map(|given| histories::signed(given, now.0)).collect();
        let role = part.0.first().map_or(gx_types::Role::PartnerApi, |given| given.role);
        self.0.batch(role, commands)
    }

    /// Takes over what the engine has executed.
    ///
    /// # Panics
    /// When the rules say otherwise, or a law does not hold.
    pub fn follow(&mut self, batch: Batch, context: Context, record: &BatchRecord) {
        assert_eq!(self.0.settle(batch, context), *record, "another outcome than by the rules");
    }

    /// Replays the whole history from nothing, audits it, and returns the state that it has.
    ///
    /// # Panics
    /// When a law does not hold.
    pub fn finish(self) -> BTreeMap<String, Vec<u8>> {
        self.0.finish();
        self.0.ledger
    }
}
