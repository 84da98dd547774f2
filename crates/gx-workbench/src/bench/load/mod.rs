//! A database as large as that of a country, and how fast it is read.
//!
//! The rules of the contract run on a state in memory, and its blocks are projected as the
//! projector does it, so that what stands in the database is what a ledger of that size would have
//! led to: balances are the sums of their entries, and no coin is made or lost. What is drawn
//! follows from `--seed`. Then every read route is asked over HTTP, at a rate that does not wait
//! for answers, on behalf of users of whom few come often.

mod ask;
mod crowd;
mod fill;
mod people;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use gx_server::Workers;
use gx_store::Store;
use gx_store::projection::{self, Sums};
use gx_types::MAX_SUPPLY;

use super::figure::{Bar, Report, per_second};
use super::stage::{Sql, Stage};
use crate::load::Population;
use crowd::Crowd;
use fill::Size;

const LOAD_BAR_MIN: f64 = 20.0;
const READ_BAR_MS: f64 = 50.0;
/// SQLite is for one machine: of both engines it gets so much less.
const SQLITE_PART: u32 = 10;
/// Longer than any load takes.
const LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// Users of the load need no strong passwords; hashing them is not what is measured.
const SETTINGS: [(&str, &str); 3] = [
    ("auth.argon2_memory_kib", "64"),
    ("auth.argon2_iterations", "1"),
    ("auth.access_token_seconds", "3600"),
];

/// How large the database is, and how it is read.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Settings {
    /// People with an account on the ledger.
    #[arg(long, value_name = "N", default_value = "1000000",
        value_parser = clap::value_parser!(u32).range(100..))]
    users: u32,
    /// Payments between them.
    #[arg(long, value_name = "N", default_value = "20000000",
        value_parser = clap::value_parser!(u32).range(1000..))]
    transactions: u32,
    /// Requests a second.
    #[arg(long, value_name = "N", default_value = "2000",
        value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// What everything is drawn from: the same seed gives the same users and payments.
    #[arg(long, value_name = "N", default_value = "7")]
    seed: u64,
}

impl Settings {
    fn size(&self, part: u32) -> Size {
        let Self { users, transactions, seed, .. } = *self;
        Size { users: (users / part) as usize, transactions: (transactions / part) as usize, seed }
    }
}

pub(super) async fn run(
    report: &mut Report,
    time: Duration,
    within: &Path,
    sql: Sql,
    settings: Settings,
) -> Result<()> {
    for one in sql.each() {
        let part = if sql == Sql::Both && *one == Sql::Sqlite { SQLITE_PART } else { 1 };
        let stage = Stage::start_with(*one, within, Workers::NONE, &SETTINGS).await?;
        measure(report, &stage, one.as_str(), time, settings.rate, settings.size(part)).await?;
        stage.stop().await;
    }
    Ok(())
}

async fn measure(
    report: &mut Report,
    stage: &Stage,
    engine: &str,
    time: Duration,
    rate: u32,
    size: Size,
) -> Result<()> {
    let store = stage.platform.store();
    let Size { users, transactions, seed } = size;
    let setting = format!("{engine}, {users} users, {transactions} transactions, seed {seed}");
    let population = Population::new(users, seed)?;
    let server = crowd::serve(&stage.platform).await?;
    let began = Instant::now();
    let country = population.country();
    let filled = fill::run(store, population, size).await?;
    people::register(&server, store, country, &filled.accounts).await?;
    store.refresh_statistics().await?;
    let took = began.elapsed();
    let minutes = (took.as_secs_f64() / 60.0, "min");
    report.add(("load", &setting), "filled in", minutes, Bar::AtMost(LOAD_BAR_MIN));
    let per_second = (per_second(transactions as u64, took), "1/s");
    report.add(("load", &setting), "transactions projected", per_second, Bar::None);
    let refused = (filled.refused as f64, "");
    report.add(("load", &setting), "refused", refused, Bar::None);
    check(store).await?;
    let setting = format!("{setting}, {rate} requests/s");
    let crowd = Crowd::gather(&server, &filled, seed).await?;
    for asked in ask::run(&server, crowd, rate, time).await? {
        let (p50, p99) = (asked.latencies.ms(50), asked.latencies.ms(99));
        let of = |figure: &str| format!("{figure} of {}", asked.route);
        report.add(("load", &setting), &of("p50"), (p50, "ms"), Bar::None);
        report.add(("load", &setting), &of("p99"), (p99, "ms"), Bar::AtMost(READ_BAR_MS));
    }
    server.stop().await;
    Ok(())
}

/// What was filled agrees with itself.
async fn check(store: &Store) -> Result<()> {
    let Sums { supply, unbalanced } = projection::sums(store).await?;
    ensure!(unbalanced == 0, "{unbalanced} balances are not the sums of their entries");
    ensure!(supply == MAX_SUPPLY, "the balances are {supply} together, not the supply");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_small_load_is_consistent_and_read_through_every_route() {
        let folder = std::env::temp_dir();
        let stage = Stage::start_with(Sql::Sqlite, &folder, Workers::NONE, &SETTINGS).await;
        let (stage, mut report) = (stage.unwrap(), Report::new(false));
        let size = Size { users: 300, transactions: 5_000, seed: 1 };
        let time = Duration::from_secs(2);
        measure(&mut report, &stage, "sqlite", time, 200, size).await.unwrap();
        assert!(report.figures() > 3 + 2 * 60, "{}", report.figures());
        stage.stop().await;
    }
}
