//! An engine reduced to a map in memory, with a watch on executions.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use gx_contract::{
    Batch, BatchRecord, Context, Done, Envelope, Execution, ExecutionError, Outcome,
};
use gx_types::{BatchId, MspId, Role, TimeMs};

/// What the keys of outcomes begin with.
const OUTCOMES: &str = "o/";

/// The map and the time of its next batch.
#[derive(Debug)]
pub(super) struct Host {
    state: HashMap<String, Vec<u8>, BuildHasherDefault<Fold>>,
    batches: u128,
    pub(super) now: TimeMs,
    /// Who submits.
    pub(super) organization: MspId,
    /// Time spent in executions whose writes were stored.
    pub(super) executing: Duration,
}

impl Default for Host {
    fn default() -> Self {
        let (state, executing) = (HashMap::default(), Duration::ZERO);
        // Some day in 2026: a time is as long a number as it is on a real ledger.
        let now = TimeMs(1_780_000_000_000);
        Self { state, batches: 0, now, organization: MspId::PLATFORM, executing }
    }
}

impl Host {
    /// Runs a batch, whatever becomes of its commands, and stores what it leads to, without the
    /// outcomes: whoever sends no command twice needs none of them.
    pub(super) fn settled(
        &mut self,
        role: Role,
        commands: Vec<Envelope>,
    ) -> Result<(Batch, BatchRecord)> {
        let batch = self.batch(role, commands);
        let done = self.run(&batch)?;
        for write in done.writes.into_iter().filter(|write| !write.key.starts_with(OUTCOMES)) {
            self.state.insert(write.key, write.value);
        }
        Ok((batch, done.record))
    }

    /// Runs a batch of which every command has to be applied, and stores what it leads to; returns
    /// how many commands there were.
    pub(super) fn applied(&mut self, role: Role, commands: Vec<Envelope>) -> Result<u64> {
        let batch = self.batch(role, commands);
        let (done, took) = self.tried(&batch)?;
        self.executing += took;
        for write in done.writes {
            self.state.insert(write.key, write.value);
        }
        Ok(batch.commands.len() as u64)
    }

    pub(super) fn batch(&mut self, role: Role, commands: Vec<Envelope>) -> Batch {
        self.batches += 1;
        Batch { batch_id: BatchId::from_u128(self.batches), role, commands }
    }

    /// Runs a batch of which every command has to be applied, and stores nothing: it can be run
    /// again, with the same work and the same result. Tells how long it took, too.
    pub(super) fn tried(&self, batch: &Batch) -> Result<(Done, Duration)> {
        let start = Instant::now();
        let done = self.run(batch)?;
        let took = start.elapsed();
        let results = batch.commands.iter().zip(&done.record.results);
        for (envelope, result) in results {
            if !matches!(result.outcome, Outcome::Applied(_)) {
                bail!("{} was not applied: {:?}", envelope.command.name(), result.outcome);
            }
        }
        Ok((done, took))
    }

    fn run(&self, batch: &Batch) -> Result<Done> {
        let context = Context::embedded(batch.role, self.now);
        let context = Context { organization: self.organization, ..context };
        let execution = Execution::new(batch, context);
        let mut text = String::with_capacity(64);
        let done = execution.complete(|execution, keys| {
            keys.into_iter().try_for_each(|key| {
                text.clear();
                key.encode_to(&mut text);
                execution.supply(key, self.state.get(&text).map(Vec::as_slice))
            })?;
            Ok::<(), ExecutionError>(())
        })?;
        Ok(done)
    }
}

/// Multiply and fold, eight bytes at a time: the map stands for an engine and should not be what
/// is measured.
#[derive(Debug, Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.write_u64(word);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(0x9E37_79B9_7F4A_7C15_u64);
        self.0 = (product as u64) ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
