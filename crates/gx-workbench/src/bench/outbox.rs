//! How many commands `submit()` accepts durably, with 64 callers that each wait for the answer.
//!
//! No worker runs: what is measured is the way into the outbox alone.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use gx_server::Workers;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::figure::{Bar, Report, per_second};
use super::latency::Latencies;
use super::stage::{Sql, Stage, submission};
use crate::load::Population;

const CALLERS: usize = 64;
const ACCOUNTS: usize = 100_000;
const BAR: f64 = 30_000.0;

pub(super) async fn run(
    report: &mut Report,
    time: Duration,
    within: &Path,
    sql: Sql,
) -> Result<()> {
    for sql in sql.each() {
        let stage = Stage::start(*sql, within, Workers::NONE).await?;
        let (accepted, latencies, took) = accept(&stage, time).await?;
        let setting = format!("{}, {CALLERS} callers, fsync", sql.as_str());
        let rate = per_second(accepted, took);
        report.add(("outbox", &setting), "accepted", (rate, "1/s"), Bar::AtLeast(BAR));
        report.add(("outbox", &setting), "p99", (latencies.ms(99), "ms"), Bar::None);
        stage.stop().await;
    }
    Ok(())
}

async fn accept(stage: &Stage, time: Duration) -> Result<(u64, Latencies, Duration)> {
    let population = Arc::new(Mutex::new(Population::new(ACCOUNTS, 3)?));
    let mut callers = JoinSet::new();
    let start = Instant::now();
    for _ in 0..CALLERS {
        let (outbox, population) = (stage.platform.outbox().clone(), population.clone());
        callers.spawn(async move {
            let mut latencies = Latencies::default();
            while start.elapsed() < time {
                let payment = population.lock().await.payment(ACCOUNTS).context("no accounts")?;
                let asked = Instant::now();
                outbox.submit(submission(payment)).await?;
                latencies.add(asked.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Latencies::default();
    while let Some(done) = callers.join_next().await {
        all.merge(done??);
    }
    Ok((all.count() as u64, all, start.elapsed()))
}
