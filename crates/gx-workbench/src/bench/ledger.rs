//! How many transfers the embedded ledger makes durable: executed, hashed, signed, on disk.
//!
//! One caller hands in batch after batch and has a few on their way, as the submitter does. What
//! counts is a receipt, which comes after the disk has confirmed. `--history` goes on to that many
//! transfers, shows whether the rate falls, and then opens the file again.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use gx_contract::{Batch, Context, Envelope, Outcome};
use gx_ledger::{Ledger, NodeKey, Options, Ticket};
use gx_types::{BatchId, NetworkId, Role, TimeMs};

use super::figure::{Bar, Report, per_second};
use super::latency::Latencies;
use super::slices::Slices;
use crate::load::Population;
use gx_cli::console;
use gx_cli::scratch::Scratch;

const ACCOUNTS: usize = 100_000;
const BATCH: usize = 1000;
/// Batches handed in and not yet durable.
const AHEAD: usize = 4;
const BAR: f64 = 50_000.0;
const SEED: u64 = 2;
/// The part of its first rate that the ledger keeps.
const HISTORY_BAR: f64 = 0.9;
/// Batches that are measured one by one.
const LONE_BATCHES: usize = 100;

/// What is measured beside the rate.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Settings {
    /// Transfers to go on to: the rate in ten slices of time, the size of the file, and how long
    /// it takes to open it.
    #[arg(long, value_name = "N")]
    history: Option<u64>,
}

fn open(path: &Path) -> Result<Ledger> {
    let options = Options::new(path.to_owned(), NetworkId::Devnet, TimeMs(0));
    Ok(Ledger::create_or_open(options, &NodeKey::from_seed([7; 32]))?)
}

pub(super) fn run(
    report: &mut Report,
    time: Duration,
    within: &Path,
    settings: Settings,
) -> Result<()> {
    let folder = Scratch::make(within, "bench")?;
    let path = folder.path().join("ledger.redb");
    let mut population = Population::new(ACCOUNTS, SEED)?;
    let ledger = open(&path)?;
    let mut run = Run { ledger, batches: 0, waiting: VecDeque::new(), transfers: 0 };
    for envelope in population.foundation() {
        run.hand_in(Role::SuperAdmin, vec![envelope])?;
    }
    let bar = console::progress("opening accounts", ACCOUNTS as u64);
    let numbers: Vec<usize> = (0..ACCOUNTS).collect();
    for numbers in numbers.chunks(BATCH) {
        let openings = numbers.iter().filter_map(|number| population.opening(*number)).collect();
        run.hand_in(Role::PartnerApi, openings)?;
        bar.inc(BATCH as u64);
    }
    run.finish()?;
    bar.finish_and_clear();

    run.transfers = 0;
    let bar = console::progress("transfers", time.as_secs());
    let start = Instant::now();
    while start.elapsed() < time {
        run.hand_in(Role::PartnerApi, payments(&mut population))?;
        bar.set_position(start.elapsed().as_secs());
    }
    run.finish()?;
    let rate = per_second(run.transfers, start.elapsed());
    bar.finish_and_clear();
    let setting = format!("batches of {BATCH}, {ACCOUNTS} accounts, digest, signature and fsync");
    report.add(("ledger", &setting), "transfers", (rate, "1/s"), Bar::AtLeast(BAR));

    let mut latencies = Latencies::default();
    for _ in 0..LONE_BATCHES {
        let payments = payments(&mut population);
        let start = Instant::now();
        run.hand_in(Role::PartnerApi, payments)?;
        run.finish()?;
        latencies.add(start.elapsed());
    }
    let setting = format!("one batch of {BATCH} at a time");
    report.add(("ledger", &setting), "p50 durable", (latencies.ms(50), "ms"), Bar::None);
    if let Some(history) = settings.history {
        let setting = format!("batches of {BATCH}, to {history} transfers");
        run.transfers = 0;
        let mut slices = Slices::begin();
        let bar = console::progress("recording a history", history);
        while run.transfers < history {
            run.hand_in(Role::PartnerApi, payments(&mut population))?;
            slices.mark(run.transfers);
            bar.set_position(run.transfers);
        }
        run.finish()?;
        slices.mark(run.transfers);
        bar.finish_and_clear();
        slices.report(report, ("ledger", &setting), Bar::AtLeast(HISTORY_BAR));
        let bytes = std::fs::metadata(&path)?.len() / run.transfers.max(1);
        let bytes = (bytes as f64, "bytes");
        report.add(("ledger", &setting), "file, for each transfer", bytes, Bar::None);
        drop(run);
        let start = Instant::now();
        drop(open(&path)?);
        let opened = (start.elapsed().as_secs_f64() * 1e3, "ms");
        report.add(("ledger", &setting), "opened again", opened, Bar::None);
    }
    Ok(())
}

fn payments(population: &mut Population) -> Vec<Envelope> {
    (0..BATCH).filter_map(|_| population.payment(ACCOUNTS)).collect()
}

struct Run {
    ledger: Ledger,
    batches: u128,
    waiting: VecDeque<Ticket>,
    /// Commands that are durable.
    transfers: u64,
}

impl Run {
    /// Hands a batch in, and first waits for one of those before when there are many.
    fn hand_in(&mut self, role: Role, commands: Vec<Envelope>) -> Result<()> {
        if self.waiting.len() >= AHEAD
            && let Some(ticket) = self.waiting.pop_front()
        {
            self.take(ticket)?;
        }
        self.batches += 1;
        let batch = Batch { batch_id: BatchId::from_u128(self.batches), role, commands };
        self.waiting.push_back(self.ledger.enqueue(&batch, Context::embedded(role, TimeMs(1)))?);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        while let Some(ticket) = self.waiting.pop_front() {
            self.take(ticket)?;
        }
        Ok(())
    }

    fn take(&mut self, ticket: Ticket) -> Result<()> {
        let record = ticket.wait()?.record;
        let odd = record.results.iter().find(|r| !matches!(r.outcome, Outcome::Applied(_)));
        if let Some(result) = odd {
            bail!("a command of the load was not applied: {:?}", result.outcome);
        }
        self.transfers += record.results.len() as u64;
        Ok(())
    }
}
