//! Read models from blocks. Written by the projector alone, whole blocks at a time.
//!
//! A block is applied in one transaction with the checkpoint: its events to accounts, histories and
//! countries, its outcomes to the commands of the outbox. What cannot be applied is an error that
//! names block and command; nothing is ever skipped.

mod admin;
mod attesters;
mod block;
mod check;
pub(crate) mod checkpoint;
mod compare;
mod entries;
mod escrow;
mod fold;
mod governance;
mod identity;
mod keys;
mod known;
mod load;
mod loan_pool;
mod organization;
mod outcomes;
mod payments;
pub mod rebuild;
mod rows;
mod state;
mod tax_and_fee;
mod tokenomics;
mod write;

use gx_contract::Outcome;

use crate::lease::{self, Lease};
use crate::{Error, Tx};

pub use block::ProjectedBlock;
pub use check::{Contradictions, Sums, batches_without_block, contradictions, held, sums};
pub use checkpoint::{
    Checkpoint, Heartbeat, Position, Totals, check_ledger, clear, heartbeat, position,
};
pub use compare::{How, RowDiffers, TableDiffers, differences};
pub use known::Known;

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
        block::check(block)?;
        checkpoint::advance(&mut progress, block)?;
    }
    let Some(mut progress) = progress else {
        return Ok((Applied::default(), known));
    };
    let mut projection =
        load::projection(&mut conn, blocks, progress.totals.accounts, &known).await?;
    for block in blocks {
        fold::block(&mut projection, block)?;
    }
    let applied = Applied {
        block: progress.checkpoint.block,
        commands: count(blocks, |_| true),
        refused: count(blocks, |outcome| matches!(outcome, Outcome::Refused(_))),
        entries: u64::try_from(projection.entries.len()).unwrap_or_default(),
    };
    progress.totals.accounts = projection.account_count();
    progress.totals.commands = progress.totals.commands.saturating_add(applied.commands);
    progress.totals.refused = progress.totals.refused.saturating_add(applied.refused);
    progress.totals.entries = progress.totals.entries.saturating_add(applied.entries);
    progress.totals.organizations =
        progress.totals.organizations.saturating_add(projection.organizations);
    let taxation = projection.taxation;
    let accounts = write::projection(&mut conn, projection).await?;
    write::blocks(&mut conn, blocks).await?;
    outcomes::write(&mut conn, blocks).await?;
    checkpoint::store(&mut conn, &progress).await?;
    known.learn(progress.checkpoint, taxation, accounts);
    Ok((applied, known))
}

fn count(blocks: &[ProjectedBlock<'_>], which: impl Fn(&Outcome) -> bool) -> u64 {
    let results = blocks.iter().flat_map(|block| &block.record.results);
    let found = results.filter(|result| which(&result.outcome)).count();
    u64::try_from(found).unwrap_or_default()
}
