//! How fast the read models are filled again from the ledger's first block.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use gx_server::Workers;

use super::figure::{Bar, Report, per_second};
use super::stage::{Sql, Stage, submission};
use crate::load::Population;

const ACCOUNTS: usize = 100_000;
const TRANSFERS: usize = 500_000;
const GROUP: usize = 4_000;
const BAR: f64 = 50_000.0;

pub(super) async fn run(report: &mut Report, within: &Path, sql: Sql) -> Result<()> {
    for sql in sql.each() {
        let stage = Stage::start(*sql, within, Workers::ALL).await?;
        let mut population = Population::new(ACCOUNTS, 5)?;
        stage.populate(&mut population, ACCOUNTS).await?;
        for _ in 0..TRANSFERS / GROUP {
            let payments = (0..GROUP).filter_map(|_| population.payment(ACCOUNTS));
            let payments = payments.map(submission).collect();
            stage.settle(payments).await?;
        }
        let totals = gx_store::projection::position(stage.platform.store()).await?.totals;
        // Each account has two events, UserCreated and GenesisDistributed.
        let events = totals.commands - totals.refused + ACCOUNTS as u64;
        let took = stage.rebuild().await?;
        let setting = format!("{}, {ACCOUNTS} accounts, {events} events", sql.as_str());
        let rate = per_second(events, took.max(Duration::from_millis(1)));
        report.add(("replay", &setting), "events", (rate, "1/s"), Bar::AtLeast(BAR));
    }
    Ok(())
}
