//! How fast the contract executes, without any engine below it.
//!
//! The state is a map in memory. What is timed is an engine's whole work around an execution but
//! storing: hashing the bodies, finding the keys, running the rules, encoding the writes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use gx_contract::{Batch, BatchRecord, Context, Envelope, Execution, Outcome, Step};
use gx_types::{BatchId, Role, TimeMs};

use super::figure::{Bar, Report, per_second};
use crate::console;
use crate::load::Population;

const ACCOUNTS: usize = 1_000_000;
const BATCH: usize = 1000;
const BAR: f64 = 200_000.0;
const SEED: u64 = 1;

/// Accounts with a key.
const KEYED: usize = 10 * BATCH;
/// Signatures are nearly all that such a command costs.
const SIGNED_BAR: f64 = 15_000.0;
/// Time of all batches; an hour later signatures expire.
const NOW: TimeMs = TimeMs(1);
const EXPIRY: TimeMs = TimeMs(3_600_001);

pub(super) fn run(report: &mut Report, time: Duration) -> Result<()> {
    let mut population = Population::new(ACCOUNTS, SEED)?;
    let mut host = Host::default();
    let [bootstrap, countries] = population.foundation();
    host.applied(Role::SuperAdmin, vec![bootstrap])?;
    host.applied(Role::SuperAdmin, vec![countries])?;
    let bar = console::progress("opening accounts", ACCOUNTS as u64);
    let numbers: Vec<usize> = (0..ACCOUNTS).collect();
    for numbers in numbers.chunks(BATCH) {
        let openings = numbers.iter().filter_map(|number| population.opening(*number)).collect();
        host.applied(Role::PartnerApi, openings)?;
        bar.inc(BATCH as u64);
    }
    bar.finish_and_clear();

    host.executing = Duration::ZERO;
    let mut transfers = 0;
    while host.executing < time {
        let payments = (0..BATCH).filter_map(|_| population.payment(ACCOUNTS)).collect();
        transfers += host.applied(Role::PartnerApi, payments)?;
    }
    let setting = format!("one core, batches of {BATCH}, {ACCOUNTS} accounts, state in memory");
    let rate = per_second(transfers, host.executing);
    report.add(("contract", &setting), "transfers", (rate, "1/s"), Bar::AtLeast(BAR));
    signed(report, time, &mut population, &mut host)
}

/// Transfers of which every one is signed by the sender's key.
fn signed(
    report: &mut Report,
    time: Duration,
    population: &mut Population,
    host: &mut Host,
) -> Result<()> {
    let numbers: Vec<usize> = (0..KEYED).collect();
    for numbers in numbers.chunks(BATCH) {
        let keys = numbers.iter().filter_map(|number| population.registration(*number)).collect();
        host.applied(Role::PartnerApi, keys)?;
    }
    host.executing = Duration::ZERO;
    let mut transfers = 0;
    while host.executing < time {
        let payments = (0..BATCH).filter_map(|_| population.signed_payment(KEYED, EXPIRY));
        transfers += host.applied(Role::PartnerApi, payments.collect())?;
    }
    let setting = format!("one core, batches of {BATCH}, {KEYED} senders, each command signed");
    let rate = per_second(transfers, host.executing);
    report.add(("contract", &setting), "signed transfers", (rate, "1/s"), Bar::AtLeast(SIGNED_BAR));
    Ok(())
}

/// An engine reduced to a map.
#[derive(Debug, Default)]
struct Host {
    state: HashMap<String, Vec<u8>, BuildHasherDefault<Fold>>,
    batches: u128,
    /// Time spent in executions.
    executing: Duration,
}

impl Host {
    /// Runs a batch of which every command has to be applied; returns how many there were.
    fn applied(&mut self, role: Role, commands: Vec<Envelope>) -> Result<u64> {
        let count = commands.len() as u64;
        let record = self.execute(role, commands)?;
        let odd = record.results.iter().find(|r| !matches!(r.outcome, Outcome::Applied(_)));
        match odd {
            None => Ok(count),
            Some(result) => bail!("a command of the load was not applied: {:?}", result.outcome),
        }
    }

    fn execute(&mut self, role: Role, commands: Vec<Envelope>) -> Result<BatchRecord> {
        self.batches += 1;
        let batch = Batch { batch_id: BatchId::from_u128(self.batches), role, commands };
        let start = Instant::now();
        let mut execution = Execution::new(&batch, Context { role, time: NOW });
        let done = loop {
            match execution.run() {
                Step::Need(keys) => {
                    for key in keys {
                        let value = self.state.get(&key.encode());
                        execution.supply(key, value.map(Vec::as_slice))?;
                    }
                }
                Step::Done(done) => break done,
            }
        };
        self.executing += start.elapsed();
        for write in done.writes {
            self.state.insert(write.key, write.value);
        }
        Ok(done.record)
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
