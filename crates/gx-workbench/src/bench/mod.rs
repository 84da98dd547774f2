//! `gx bench`: what the platform achieves on this machine, against the bars it has to reach.
//!
//! Each benchmark prints its figures as it finds them and is a file of its own. Nothing is
//! averaged away: every setting that a figure depends on stands beside it.

mod contract;
mod fabric;
mod figure;
mod host;
mod http;
mod latency;
mod ledger;
mod load;
mod outbox;
mod pipeline;
mod replay;
mod slices;
mod stage;
mod up;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

use figure::Report;
use gx_cli::{End, process};
use stage::Sql;

/// One benchmark and how it is set.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    bench: Bench,
    /// One JSON object a line instead of a table.
    #[arg(long, global = true)]
    json: bool,
    /// How long each rate is measured.
    #[arg(long, global = true, value_name = "N")]
    seconds: Option<NonZeroU64>,
    /// Folder on the disk to measure; a folder of its own is made there and removed.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    within: PathBuf,
    /// SQL engine; or SQLite with a running Fabric network as the ledger, which the environment
    /// variables FABRIC_* name. PostgreSQL is a throw-away cluster, or the server that the
    /// environment variable GX_BENCH_DATABASE_URL names, whose database has to be empty.
    #[arg(long, global = true, value_name = "SQL", default_value = "both")]
    engine: Sql,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Commands executed per second by the contract alone, a figure for each command and one for
    /// each that accounts sign: one core, batches of 1,000, 1 million accounts. Transfers get the
    /// whole time each, other commands a twentieth.
    Contract,
    /// Transfers made durable per second by the embedded ledger: batches of 1,000,
    /// 100,000 accounts.
    Ledger(ledger::Settings),
    /// Transfers settled per second on a running Fabric network, hot accounts, and the time of a
    /// lone command.
    Fabric(fabric::Settings),
    /// Commands accepted durably per second through submit(), 64 callers.
    Outbox,
    /// Transfers per second from submit() to visible in the read models, and their times.
    Pipeline(pipeline::Settings),
    /// How long it takes to fill a database with many users and transactions, and how fast every
    /// read route answers from it then. With both engines SQLite gets a tenth.
    Load(load::Settings),
    /// Transfers accepted and balances told per second over HTTP, with token and idempotency key.
    Http,
    /// Events per second when the read models are filled again from the first block.
    Replay,
    /// How long `gx up` takes on an existing folder, and the memory that it holds when idle.
    Up,
}

/// Runs one benchmark; a missed bar is a finding.
pub fn run(args: &Args) -> Result<End> {
    let mut report = Report::new(args.json);
    let seconds = |default| Duration::from_secs(args.seconds.map_or(default, NonZeroU64::get));
    match &args.bench {
        Bench::Contract => contract::run(&mut report, seconds(10))?,
        Bench::Ledger(settings) => {
            ledger::run(&mut report, seconds(20), &args.within, *settings)?;
        }
        Bench::Fabric(settings) => {
            process::block_on(fabric::run(&mut report, seconds(30), settings))?;
        }
        Bench::Outbox => {
            process::block_on(outbox::run(&mut report, seconds(20), &args.within, args.engine))?;
        }
        Bench::Pipeline(settings) => {
            let (time, within) = (seconds(60), &args.within);
            let run = pipeline::run(&mut report, time, within, args.engine, *settings);
            process::block_on(run)?;
        }
        Bench::Load(settings) => {
            let (time, within) = (seconds(60), &args.within);
            process::block_on(load::run(&mut report, time, within, args.engine, *settings))?;
        }
        Bench::Http => {
            process::block_on(http::run(&mut report, seconds(10), &args.within))?;
        }
        Bench::Up => process::block_on(up::run(&mut report, &args.within))?,
        Bench::Replay => {
            process::block_on(replay::run(&mut report, &args.within, args.engine))?;
        }
    }
    report.finish();
    Ok(if report.all_reached() { End::Done } else { End::Findings })
}
