//! Read models from blocks. Written by the projector alone, whole blocks at a time.
//!
//! A block is applied in one transaction with the checkpoint: its events to accounts, histories and
//! countries, its outcomes to the commands of the outbox. What cannot be applied is an error that
//! names block and command; nothing is ever skipped.

mod admin;
mod check;
mod checkpoint;
mod compare;
mod entries;
mod fold;
mod governance;
mod identity;
mod known;
mod load;
mod loan_pool;
mod organization;
mod outcomes;
mod rows;
mod tax_and_fee;
mod tokenomics;
mod write;

use gx_contract::{BatchRecord, Envelope, Outcome};
use gx_types::{CommandId, Role};

use crate::lease::{self, Lease};
use crate::{Error, Tx};

pub use check::{Contradictions, contradictions};
pub(crate) use checkpoint::{COLUMNS as POSITION, JOINS as POSITION_JOINS, read as read_position};
pub use checkpoint::{
    Checkpoint, Heartbeat, Position, Totals, check_ledger, clear, heartbeat, position,
};
pub use compare::{How, RowDiffers, TableDiffers, differences};
pub(crate) use entries::MARK_EVERY;
pub(crate) use governance::{ACTIVE, EXECUTED, FAILED};
pub use known::Known;
pub(crate) use organization::{APPROVED, REJECTED};

/// A block of the ledger as the projector hands it in.
#[derive(Debug, Clone, Copy)]
pub struct ProjectedBlock<'a> {
    pub number: u64,
    pub hash: [u8; 32],
    pub prev_hash: [u8; 32],
    /// The role that submitted it.
    pub role: Role,
    pub commands: &'a [Envelope],
    /// The outcomes of the commands, in their order.
    pub record: &'a BatchRecord,
}

/// What [`apply`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// The last block that is applied now.
    pub block: u64,
    pub commands: u64,
    pub refused: u64,
    /// Entries of account histories.
    pub entries: u64,
}

/// The places in a block that one number can tell apart.
pub(crate) const PLACES: i64 = 1 << 24;

/// The number of a place in a block.
pub(crate) fn numbered(block: u64, place: usize) -> Result<i64, Error> {
    let too_large = || Error::Projection {
        block,
        command_id: None,
        reason: "the block is too large to number its rows".to_owned(),
    };
    let place = i64::try_from(place).ok().filter(|place| *place < PLACES).ok_or_else(too_large)?;
    i64::try_from(block)
        .ok()
        .and_then(|block| block.checked_mul(PLACES))
        .and_then(|first| first.checked_add(place))
        .ok_or_else(too_large)
}

/// The block that a numbered row belongs to.
pub(crate) fn block_of(number: i64) -> u64 {
    u64::try_from(number >> 24).unwrap_or_default()
}

/// Applies the next blocks, in order. Commit makes them visible, all or none.
///
/// `known` is what the call before has given back, or nothing. What this call gives back may be
/// handed to the next one only after the commit.
///
/// # Errors
/// [`Error::LeaseLost`]; [`Error::BlockOrder`] and [`Error::OtherLedger`] when the first block is
/// not the successor of the checkpoint; [`Error::Projection`] when a block cannot be applied. After
/// any error the transaction must be dropped.
pub async fn apply(
    tx: &mut Tx,
    lease: &Lease,
    blocks: &[ProjectedBlock<'_>],
    known: Known,
) -> Result<(Applied, Known), Error> {
    lease::fence(tx, lease).await?;
    let mut conn = tx.conn();
    let mut progress = checkpoint::load(&mut conn).await?;
    let mut known = known.at(progress.as_ref().map(|progress| progress.checkpoint));
    for block in blocks {
        check_block(block)?;
        checkpoint::advance(&mut progress, block)?;
    }
    let Some(mut progress) = progress else {
        return Ok((Applied::default(), known));
    };
    let mut world = load::world(&mut conn, blocks, progress.totals.accounts, &known).await?;
    for block in blocks {
        fold::block(&mut world, block)?;
    }
    let applied = Applied {
        block: progress.checkpoint.block,
        commands: count(blocks, |_| true),
        refused: count(blocks, |outcome| matches!(outcome, Outcome::Refused(_))),
        entries: u64::try_from(world.entries.len()).unwrap_or_default(),
    };
    progress.totals.accounts = world.account_count();
    progress.totals.commands = progress.totals.commands.saturating_add(applied.commands);
    progress.totals.refused = progress.totals.refused.saturating_add(applied.refused);
    progress.totals.entries = progress.totals.entries.saturating_add(applied.entries);
    let tax_threshold = world.tax_threshold;
    let accounts = write::world(&mut conn, world).await?;
    write::blocks(&mut conn, blocks).await?;
    outcomes::write(&mut conn, blocks).await?;
    checkpoint::store(&mut conn, &progress).await?;
    known.learn(progress.checkpoint, tax_threshold, accounts);
    Ok((applied, known))
}

fn count(blocks: &[ProjectedBlock<'_>], which: impl Fn(&Outcome) -> bool) -> u64 {
    let results = blocks.iter().flat_map(|block| &block.record.results);
    let found = results.filter(|result| which(&result.outcome)).count();
    u64::try_from(found).unwrap_or_default()
}

/// The block's commands and outcomes belong together.
fn check_block(block: &ProjectedBlock<'_>) -> Result<(), Error> {
    let results = &block.record.results;
    if results.len() != block.commands.len() {
        let reason = format!("{} commands, {} outcomes", block.commands.len(), results.len());
        return Err(Error::Projection { block: block.number, command_id: None, reason });
    }
    let mut pairs = block.commands.iter().zip(results);
    match pairs.find(|(command, result)| command.command_id != result.command_id) {
        Some((command, result)) => Err(stop(
            block,
            command.command_id,
            format!("its outcome is that of {}", result.command_id),
        )),
        None => Ok(()),
    }
}

/// The error that names block and command.
fn stop(block: &ProjectedBlock<'_>, command_id: CommandId, reason: impl Into<String>) -> Error {
    let command_id = Some(command_id.to_string());
    Error::Projection { block: block.number, command_id, reason: reason.into() }
}
