//! Fills the read models with blocks that the contract has executed.
//!
//! Blocks are executed on a thread of their own, a few ahead of what is projected. The newest part
//! of the payments goes through outbox and batches besides, as those of a running platform do that
//! are not purged yet.

use anyhow::{Context, Result, bail};
use gx_contract::{Batch, BatchRecord, Envelope};
use gx_store::lease::{self, Lease};
use gx_store::outbox::{self, NewCommand};
use gx_store::projection::{self, Known, ProjectedBlock};
use gx_store::{Store, submission};
use gx_types::{AccountId, Amount, CommandId, Role, TimeMs};
use tokio::sync::mpsc;

use super::LEASE;
use crate::bench::host::Host;
use crate::load::{Draw, Population};
use gx_cli::console;

/// Commands of a block.
const BLOCK: usize = 4_000;
/// Blocks that are executed ahead.
const AHEAD: usize = 4;
/// Of the payments, the newest part that is still in the outbox.
const IN_OUTBOX: usize = 20;
/// The time that the payments are spread over.
const DAYS: i64 = 90;
const DAY_MS: i64 = 86_400_000;
/// Payments move so many hundredths of a coin at most: users earn what they spend.
const CENTS_MAX: u64 = 100;
const CENT: u64 = 10_000;
/// Arguments of a block's commands, at most.
const BYTES_MAX: usize = 64 << 20;

/// How large the load is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) users: usize,
    pub(super) transactions: usize,
    pub(super) seed: u64,
}

/// What the database has been filled with.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) blocks: u64,
    pub(super) refused: u64,
    /// Accounts by the number of the user.
    pub(super) accounts: Vec<AccountId>,
    /// Some of the newest commands.
    pub(super) commands: Vec<CommandId>,
}

/// A block on its way to the database.
struct Executed {
    number: u64,
    batch: Batch,
    record: BatchRecord,
    in_outbox: bool,
}

/// The day on which the payments begin: they end yesterday.
pub(super) fn first_day(now: TimeMs) -> TimeMs {
    TimeMs(now.0 - now.0.rem_euclid(DAY_MS) - DAYS * DAY_MS)
}

pub(super) async fn run(store: &Store, population: Population, size: Size) -> Result<Filled> {
    let accounts = (0..size.users).filter_map(|number| population.id(number)).collect();
    let (send, mut blocks) = mpsc::channel(AHEAD);
    let first = first_day(TimeMs(gx_server::calendar::now_ms()));
    let executing = std::thread::spawn(move || execute(population, size, first, &send));
    let projector = lease::acquire(store, lease::PROJECTOR, "bench", LEASE).await?;
    let submitter = lease::acquire(store, lease::SUBMITTER, "bench", LEASE).await?;
    let (projector, submitter) = projector.zip(submitter).context("the database is in use")?;
    let bar = console::progress("transactions", size.transactions as u64);
    let (mut known, mut commands) = (Known::default(), Vec::new());
    let mut filled = Filled { blocks: 0, refused: 0, accounts, commands: Vec::new() };
    while let Some(block) = blocks.recv().await {
        let Executed { number, batch, record, in_outbox } = &block;
        if *in_outbox {
            submit(store, &submitter, batch, record.time).await?;
            commands.extend(batch.commands.iter().step_by(97).map(|one| one.command_id));
        }
        let projected = ProjectedBlock {
            number: *number,
            hash: hash(*number),
            prev_hash: hash(number - 1),
            role: batch.role,
            commands: &batch.commands,
            record,
        };
        let mut tx = store.begin_rebuildable().await?;
        let (applied, next) = projection::apply(&mut tx, &projector, &[projected], known).await?;
        tx.commit().await?;
        known = next;
        filled.blocks = *number;
        filled.refused += applied.refused;
        bar.inc(applied.commands);
    }
    bar.finish_and_clear();
    projection::heartbeat(store, &projector, Some(filled.blocks), None).await?;
    match executing.join() {
        Ok(executed) => executed?,
        Err(_) => bail!("the thread that executes blocks has panicked"),
    }
    let kept = commands.len().saturating_sub(10_000);
    filled.commands = commands.split_off(kept);
    Ok(filled)
}

/// Executes everything in order. It ends early when nobody takes blocks any more.
fn execute(
    mut population: Population,
    size: Size,
    first: TimeMs,
    send: &mpsc::Sender<Executed>,
) -> Result<()> {
    let mut host = Host::default();
    host.now = first;
    let mut number = 0;
    let mut put = |host: &mut Host, role, commands, in_outbox| {
        number += 1;
        let (batch, record) = host.settled(role, commands)?;
        let executed = Executed { number, batch, record, in_outbox };
        anyhow::Ok(send.blocking_send(executed).is_ok())
    };
    for envelope in population.foundation() {
        put(&mut host, Role::SuperAdmin, vec![envelope], false)?;
    }
    let numbers: Vec<usize> = (0..size.users).collect();
    for numbers in numbers.chunks(BLOCK) {
        let openings = numbers.iter().filter_map(|number| population.opening(*number)).collect();
        put(&mut host, Role::PartnerApi, openings, false)?;
    }
    let mut draw = Draw::new(size.seed);
    let kept_from = size.transactions - size.transactions / IN_OUTBOX;
    let mut paid = 0;
    while paid < size.transactions {
        let count = BLOCK.min(size.transactions - paid);
        let payments = (0..count).filter_map(|_| payment(&mut population, &mut draw, size.users));
        let payments: Vec<Envelope> = payments.collect();
        let share = paid as i64 * (DAYS - 1) / size.transactions as i64;
        let within = paid as i64 * (DAYS - 1) % size.transactions as i64;
        let at = share * DAY_MS + within * DAY_MS / size.transactions as i64;
        host.now = TimeMs(first.0 + DAY_MS + at);
        if !put(&mut host, Role::PartnerApi, payments, paid + count > kept_from)? {
            break;
        }
        paid += count;
    }
    Ok(())
}

/// A payment between somebody and one of those whom many pay, or who pay many.
fn payment(population: &mut Population, draw: &mut Draw, users: usize) -> Option<Envelope> {
    let (anybody, often) = (draw.place(users), draw.zipf(users));
    let anybody = if anybody == often { (anybody + 1) % users } else { anybody };
    let amount = Amount::from_qirat(CENT * (1 + draw.below(CENTS_MAX)));
    let (from, to) = if draw.below(2) == 0 { (anybody, often) } else { (often, anybody) };
    population.paying(from, to, amount)
}

/// Takes a batch through the outbox to where the ledger has answered it.
async fn submit(store: &Store, lease: &Lease, batch: &Batch, at: TimeMs) -> Result<()> {
    let new = |envelope| NewCommand::new(envelope, "bench", None, at);
    let commands: Vec<NewCommand> = batch.commands.iter().map(new).collect();
    let mut tx = store.begin_rebuildable().await?;
    outbox::insert(&mut tx, &commands).await?;
    tx.commit().await?;
    let run = submission::next_run(store, &[], commands.len(), BYTES_MAX).await?;
    let run = run.filter(|run| run.commands() == commands.len());
    let run = run.context("other commands are in the outbox")?;
    let mut tx = store.begin_rebuildable().await?;
    submission::record_run(&mut tx, lease, &run, &[batch.batch_id], at).await?;
    submission::mark_answered(&mut tx, lease, batch.role).await?;
    tx.commit().await?;
    Ok(())
}

/// Stands for the hash of a block.
fn hash(number: u64) -> [u8; 32] {
    let mut draw = Draw::new(number);
    let (one, other) = (draw.bytes(), draw.bytes());
    let mut hash = [0; 32];
    let bytes = one.into_iter().chain(other);
    hash.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    hash
}
