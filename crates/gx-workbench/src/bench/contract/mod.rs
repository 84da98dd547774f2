//! How fast the contract executes, without any engine below it.
//!
//! The state is a map in memory. What is timed is an engine's whole work around an execution but
//! storing: hashing the bodies, finding the keys, running the rules, encoding the writes. Payments
//! are measured longest, on accounts drawn at random; every other command has a figure in `cases`.

mod admins;
mod cases;
mod organizations;
mod people;
mod town;
mod trusted;

use std::time::Duration;

use anyhow::Result;
use gx_types::Role;

use super::figure::{Bar, Report, per_second};
use super::host::{self, Host};
use crate::load::Population;
use gx_cli::console;
use town::Town;

/// How large everything is.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Accounts that pay each other.
    accounts: usize,
    /// Those among them that have a key.
    keyed: usize,
    /// Commands of a batch.
    batch: usize,
    /// Batches of each command, on different records, which take turns.
    batches: usize,
    /// Accounts that the figures of single commands may still open.
    spare: usize,
}

const SCALE: Scale =
    Scale { accounts: 1_000_000, keyed: 10_000, batch: 1000, batches: 5, spare: 20_000 };
const SEED: u64 = 1;

/// Payments are what a currency does all day.
const TRANSFERS_BAR: f64 = 200_000.0;
/// Any other command.
const BAR: f64 = 50_000.0;
/// Signatures are nearly all that such a command costs.
const SIGNED_BAR: f64 = 15_000.0;

pub(super) fn run(report: &mut Report, time: Duration) -> Result<()> {
    measure(report, time, SCALE)
}

fn measure(report: &mut Report, time: Duration, scale: Scale) -> Result<()> {
    let Scale { accounts, batch, .. } = scale;
    let mut population = Population::new(accounts + scale.spare, SEED)?;
    let mut host = Host::default();
    for command in population.foundation() {
        host.applied(Role::SuperAdmin, vec![command])?;
    }
    let bar = console::progress("opening accounts", accounts as u64);
    let numbers: Vec<usize> = (0..accounts).collect();
    for numbers in numbers.chunks(batch) {
        let openings = numbers.iter().filter_map(|number| population.opening(*number)).collect();
        host.applied(Role::PartnerApi, openings)?;
        bar.inc(numbers.len() as u64);
    }
    bar.finish_and_clear();
    transfers(report, time, scale, &mut population, &mut host)?;
    signed_transfers(report, time, scale, &mut population, &mut host)?;
    let town = Town::new(population, host, scale)?;
    // Many commands are measured, each for a part of the time that payments get.
    cases::measure(report, time / 20, town)
}

/// Transfers between accounts drawn at random. The state changes from batch to batch.
fn transfers(
    report: &mut Report,
    time: Duration,
    Scale { accounts, batch, .. }: Scale,
    population: &mut Population,
    host: &mut Host,
) -> Result<()> {
    host.executing = Duration::ZERO;
    let mut transfers = 0;
    while transfers == 0 || host.executing < time {
        let payments = (0..batch).filter_map(|_| population.payment(accounts)).collect();
        transfers += host.applied(Role::PartnerApi, payments)?;
    }
    let setting = format!("one core, batches of {batch}, {accounts} accounts, state in memory");
    let rate = per_second(transfers, host.executing);
    report.add(("contract", &setting), "transfers", (rate, "1/s"), Bar::AtLeast(TRANSFERS_BAR));
    Ok(())
}

/// Transfers of which every one is signed by the sender's key.
fn signed_transfers(
    report: &mut Report,
    time: Duration,
    Scale { keyed, batch, .. }: Scale,
    population: &mut Population,
    host: &mut Host,
) -> Result<()> {
    let numbers: Vec<usize> = (0..keyed).collect();
    for numbers in numbers.chunks(batch) {
        let keys = numbers.iter().filter_map(|number| population.registration(*number)).collect();
        host.applied(Role::PartnerApi, keys)?;
    }
    host.executing = Duration::ZERO;
    let mut transfers = 0;
    while transfers == 0 || host.executing < time {
        let expiry = host.now.plus_hours(1);
        let payments = (0..batch).filter_map(|_| population.signed_payment(keyed, expiry));
        transfers += host.applied(Role::PartnerApi, payments.collect())?;
    }
    let setting = format!("one core, batches of {batch}, {keyed} senders, each command signed");
    let rate = per_second(transfers, host.executing);
    report.add(("contract", &setting), "signed transfers", (rate, "1/s"), Bar::AtLeast(SIGNED_BAR));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command of every case is carried out, on a state as small as can be.
    #[test]
    fn every_figure_is_measured_on_commands_that_are_carried_out() {
        let scale = Scale { accounts: 4_000, keyed: 8, batch: 8, batches: 2, spare: 100 };
        let mut report = Report::new(false);
        measure(&mut report, Duration::ZERO, scale).unwrap();
        assert_eq!(report.figures(), 2 + cases::figures());
    }
}
