//! `gx bench`: what the platform achieves on this machine, against the bars it has to reach.
//!
//! Each benchmark prints its figures as it finds them and is a file of its own. Nothing is
//! averaged away: every setting that a figure depends on stands beside it.

mod contract;
mod figure;
mod latency;
mod ledger;
mod place;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};

use crate::End;
use figure::Report;

/// One benchmark and how it is set.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    bench: Bench,
    /// One JSON object a line instead of a table.
    #[arg(long, global = true)]
    json: bool,
    /// How long each rate is measured.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// Folder on the disk to measure; a folder of its own is made there and removed.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    within: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Transfers executed per second by the contract alone: one core, batches of 1,000,
    /// 1 million accounts.
    Contract,
    /// Transfers made durable per second by the embedded ledger: batches of 1,000,
    /// 100,000 accounts.
    Ledger,
}

/// Runs one benchmark; a missed bar is a finding.
pub(crate) fn run(args: &Args) -> Result<End> {
    let mut report = Report::new(args.json);
    let seconds = |default| Duration::from_secs(args.seconds.unwrap_or(default));
    match &args.bench {
        Bench::Contract => contract::run(&mut report, seconds(10))?,
        Bench::Ledger => ledger::run(&mut report, seconds(20), &args.within)?,
    }
    report.finish();
    Ok(if report.all_reached() { End::Done } else { End::Findings })
}
