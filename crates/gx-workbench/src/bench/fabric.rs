//! Transfers settled on a running Fabric network, with fee, through the engine that the platform
//! uses there.
//!
//! One batch is on its way at a time, as the submitter does it; what counts is a valid commit.
//! `--plain` settles every transfer in a transaction of its own instead, to show the difference.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use gx_contract::tokenomics::GetBalance;
use gx_contract::{Batch, Envelope};
use gx_fabric::{Class, Counts, FabricEngine, Settled, Validation};
use gx_types::{BatchId, Role};
use tokio::task::JoinSet;

use super::figure::{Bar, Report, per_second};
use super::latency::Latencies;
use super::slices::Slices;
use crate::load::Population;
use gx_cli::console;
use gx_cli::fabric::Connection;

const ACCOUNTS: usize = 100_000;
/// Accounts are opened this many at a time.
const OPENING: usize = 4_000;
const LONE: usize = 40;
/// Times that a batch is sent again.
const TRIES_MAX: usize = 10;
/// Before each.
const PAUSE: Duration = Duration::from_secs(1);
/// The part of its first rate that a network keeps.
const HISTORY_BAR: f64 = 0.95;
/// Plain transactions on their way at once.
const PLAIN_AT_ONCE: usize = 200;

/// How the network is reached and what is measured.
#[derive(Debug, clap::Args)]
pub(super) struct Settings {
    #[command(flatten)]
    network: Connection,
    /// Orderers of the network; with the peers they decide about the bar.
    #[arg(long, value_name = "N", default_value = "3")]
    orderers: u32,
    /// Peers of the network.
    #[arg(long, value_name = "N", default_value = "2")]
    peers: u32,
    /// Transfers of one batch.
    #[arg(long, value_name = "N", default_value = "8000")]
    batch: usize,
    /// Accounts that hot payments are among.
    #[arg(long, value_name = "N", default_value = "10")]
    hot: usize,
    /// One transaction for each transfer.
    #[arg(long)]
    plain: bool,
    /// Transfers to go on to at the end, and their rate in ten slices of time.
    #[arg(long, value_name = "N", conflicts_with = "plain")]
    history: Option<u64>,
}

impl Settings {
    fn bar(&self) -> Bar {
        match (self.orderers, self.peers) {
            (3, 2) => Bar::AtLeast(10_500.0),
            (5, 4) => Bar::AtLeast(6_500.0),
            _ => Bar::None,
        }
    }
}

pub(super) async fn run(report: &mut Report, time: Duration, settings: &Settings) -> Result<()> {
    let engine = settings.network.engine()?;
    let mut load = Load { engine, population: Population::new(ACCOUNTS, seed())? };
    load.populate().await?;
    let Settings { orderers, peers, batch, hot, .. } = settings;
    let nodes = format!("{orderers} orderers, {peers} peers");
    if settings.plain {
        return load.plain(report, &nodes, time).await;
    }
    for (among, bar) in [(ACCOUNTS, settings.bar()), (*hot, Bar::None)] {
        let (rate, latencies) = load.rate(*batch, among, time).await?;
        let setting = format!("{nodes}, batches of {batch}, among {among} accounts");
        report.add(("fabric", &setting), "transfers", (rate, "1/s"), bar);
        report.add(("fabric", &setting), "batch p50", (latencies.ms(50), "ms"), Bar::None);
    }
    let mut latencies = Latencies::default();
    for _ in 0..LONE {
        let start = Instant::now();
        let payment = load.population.payment(ACCOUNTS).into_iter().collect();
        load.settle(Role::PartnerApi, payment).await?;
        latencies.add(start.elapsed());
    }
    for (metric, percent) in [("lone command p50", 50), ("lone command p99", 99)] {
        report.add(("fabric", &nodes), metric, (latencies.ms(percent), "ms"), Bar::None);
    }
    if let Some(history) = settings.history {
        let setting = format!("{nodes}, batches of {batch}, to {history} transfers");
        let slices = load.history(*batch, history).await?;
        slices.report(report, ("fabric", &setting), Bar::AtLeast(HISTORY_BAR));
    }
    Ok(())
}

/// Command ids must be new in every run on the same ledger.
#[expect(clippy::disallowed_methods, reason = "a seed that no earlier run had")]
pub(super) fn seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or_default()
}

struct Load {
    engine: FabricEngine,
    population: Population,
}

impl Load {
    async fn settle(&mut self, role: Role, commands: Vec<Envelope>) -> Result<Counts> {
        // Drawn by the population, so that it is new too.
        let batch_id = commands.first().map_or(0, |first| {
            let [high, low] = first.command_id.words();
            u128::from(high) << 64 | u128::from(low)
        });
        let batch = Batch { batch_id: BatchId::from_u128(batch_id), role, commands };
        let mut counts = Counts::default();
        for part in self.submit(&batch).await? {
            counts.applied += part.counts.applied;
            counts.refused += part.counts.refused;
            counts.repeated += part.counts.repeated;
        }
        Ok(counts)
    }

    /// Sends a batch until it is answered, as the submitter does.
    async fn submit(&self, batch: &Batch) -> Result<Vec<Settled>> {
        for _ in 0..TRIES_MAX {
            match self.engine.submit(batch).await {
                Err(error) if error.class() == Class::NotAnswered => {
                    console::progress("sent again", 0).println(error.to_string());
                    tokio::time::sleep(PAUSE).await;
                }
                answered => return Ok(answered?),
            }
        }
        Ok(self.engine.submit(batch).await?)
    }

    /// Opens the accounts that no earlier run on this ledger has opened.
    async fn populate(&mut self) -> Result<()> {
        for envelope in self.population.foundation() {
            self.settle(Role::SuperAdmin, vec![envelope]).await?;
        }
        let bar = console::progress("opening accounts", ACCOUNTS as u64);
        let numbers: Vec<usize> = (0..ACCOUNTS).collect();
        for numbers in numbers.chunks(OPENING) {
            // A batch is opened as a whole, or in parts from its beginning.
            let last = numbers.last().and_then(|number| self.population.id(*number));
            let query = last.map(|account_id| GetBalance { account_id }.into());
            let opened = match &query {
                Some(query) => self.engine.query(query).await?.is_ok(),
                None => false,
            };
            if !opened {
                let openings = numbers.iter().filter_map(|n| self.population.opening(*n)).collect();
                self.settle(Role::PartnerApi, openings).await?;
            }
            bar.inc(numbers.len() as u64);
        }
        bar.finish_and_clear();
        let payment = self.payments(1, ACCOUNTS);
        let counts = self.settle(Role::PartnerApi, payment).await?;
        ensure!(
            counts.applied == 1,
            "the channel does not hold the accounts of the load: somebody else has bootstrapped \
             the contract on it; measure on a channel of its own"
        );
        Ok(())
    }

    fn payments(&mut self, count: usize, among: usize) -> Vec<Envelope> {
        (0..count).filter_map(|_| self.population.payment(among)).collect()
    }

    async fn rate(
        &mut self,
        batch: usize,
        among: usize,
        time: Duration,
    ) -> Result<(f64, Latencies)> {
        let mut latencies = Latencies::default();
        let payments = self.payments(batch, among);
        self.settle(Role::PartnerApi, payments).await?;
        let (start, mut applied) = (Instant::now(), 0);
        let bar = console::progress("transfers", time.as_secs());
        while start.elapsed() < time {
            let payments = self.payments(batch, among);
            let sent = Instant::now();
            applied += self.settle(Role::PartnerApi, payments).await?.applied;
            latencies.add(sent.elapsed());
            bar.set_position(start.elapsed().as_secs());
        }
        bar.finish_and_clear();
        Ok((per_second(applied, start.elapsed()), latencies))
    }

    async fn history(&mut self, batch: usize, transfers: u64) -> Result<Slices> {
        let (mut slices, mut applied) = (Slices::begin(), 0);
        let bar = console::progress("recording a history", transfers);
        while applied < transfers {
            let payments = self.payments(batch, ACCOUNTS);
            applied += self.settle(Role::PartnerApi, payments).await?.applied;
            slices.mark(applied);
            bar.set_position(applied);
        }
        bar.finish_and_clear();
        Ok(slices)
    }

    /// One transaction for each transfer, many at once.
    async fn plain(&mut self, report: &mut Report, nodes: &str, time: Duration) -> Result<()> {
        let identity = self.engine.identity(Role::PartnerApi)?.clone();
        let (start, mut ends) = (Instant::now(), Ends::default());
        let mut running = JoinSet::new();
        while start.elapsed() < time {
            while running.len() < PLAIN_AT_ONCE {
                let commands = self.payments(1, ACCOUNTS);
                let batch_id = BatchId::from_u128(u128::from(seed()));
                let batch = Batch { batch_id, role: Role::PartnerApi, commands };
                running.spawn(one(self.engine.clone(), identity.clone(), batch));
            }
            if let Some(end) = running.join_next().await {
                ends.add(end?);
            }
        }
        let took = start.elapsed();
        running.shutdown().await;
        let setting = format!("{nodes}, one transaction for each transfer");
        for (metric, count) in [
            ("transfers", ends.valid),
            ("invalid for read conflicts", ends.conflicts),
            ("not endorsed", ends.failed),
        ] {
            let rate = per_second(count, took);
            report.add(("fabric", &setting), metric, (rate, "1/s"), Bar::None);
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Ends {
    valid: u64,
    conflicts: u64,
    failed: u64,
}

impl Ends {
    fn add(&mut self, end: Option<Validation>) {
        match end {
            Some(Validation::Valid) => self.valid += 1,
            Some(_) => self.conflicts += 1,
            None => self.failed += 1,
        }
    }
}

/// Endorses, submits and waits, once and without the engine's retries.
async fn one(
    engine: FabricEngine,
    identity: Arc<gx_fabric::Identity>,
    batch: Batch,
) -> Option<Validation> {
    let (gateway, options) = (engine.gateway(), engine.options());
    let args = gx_fabric::Invocation::settling(&batch).ok()??;
    let organizations = &options.endorsing_organizations;
    let prepared =
        gateway.endorse(&identity, &options.chaincode, args, organizations).await.ok()?;
    gateway.submit(&prepared).await.ok()?;
    let status = gateway.commit_status(&identity, &prepared.tx_id, options.deadlines.commit).await;
    Some(status.ok()?.code)
}
