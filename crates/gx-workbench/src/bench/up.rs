//! How long `gx up` takes on a folder that is in use, and how much memory it holds when idle.
//!
//! The process is started as it is shipped; ready is when it says so, which is after its HTTP
//! answers and its projector lives.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use gx_server::{Starting, Workers};

use super::figure::{Bar, Report};
use super::latency::Latencies;
use super::stage::{Sql, Stage, submission};
use crate::child::Child;
use crate::load::Population;

/// What is in the folder.
const ACCOUNTS: usize = 10_000;
const TRANSFERS: usize = 20_000;
const STARTS: usize = 5;
const START_BAR_MS: f64 = 1000.0;
/// How long the process is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(5);
const MEMORY_BAR_MB: f64 = 150.0;

pub(super) async fn run(report: &mut Report, within: &Path) -> Result<()> {
    let stage = Stage::start(Sql::Sqlite, within, Workers::ALL).await?;
    // A database without administrators would be taken for one that was lost.
    stage.platform.app(gx_cli::roles::BUILD, &Starting::once()).await?.ensure_first_admin().await?;
    let mut population = Population::new(ACCOUNTS, 6)?;
    stage.populate(&mut population, ACCOUNTS).await?;
    let payments = (0..TRANSFERS).filter_map(|_| population.payment(ACCOUNTS)).map(submission);
    stage.settle(payments.collect()).await?;
    let kept = stage.close().await;
    let program = std::env::current_exe().context("the binary's own path")?;
    let mut starts = Latencies::default();
    let mut memory_bytes = 0;
    for start in 0..STARTS {
        let data = kept.data().to_owned();
        let child = Child::start(&program, &data, &[("LOG_LEVEL", "error")])?;
        starts.add(child.started_in);
        if start == 0 {
            tokio::time::sleep(IDLE).await;
            memory_bytes = resident_bytes(child.id())?;
        }
        child.stop()?;
    }
    let setting = format!("{ACCOUNTS} accounts, {TRANSFERS} transfers, {STARTS} starts");
    let slowest = (starts.ms(100), "ms");
    report.add(("up", &setting), "slowest start", slowest, Bar::AtMost(START_BAR_MS));
    let setting = format!("idle for {} s", IDLE.as_secs());
    let memory = (memory_bytes as f64 / 1e6, "MB");
    report.add(("up", &setting), "resident", memory, Bar::AtMost(MEMORY_BAR_MB));
    Ok(())
}

/// Memory that a process holds, as the kernel counts it.
fn resident_bytes(id: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"));
    let status = status.context("the process's memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).context("the kernel does not tell the process's memory")
}
