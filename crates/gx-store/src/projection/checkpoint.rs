//! How far the ledger has been applied, which ledger it is, and the projector's sign of life.

use std::time::Duration;

use gx_types::TimeMs;

use crate::lease::{self, Lease};
use crate::projection::block::ProjectedBlock;
use crate::sql::{Conn, Row, int, sql};
use crate::{Error, Source, Store, Tx, dialect};

/// The last applied block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    pub block: u64,
    pub hash: [u8; 32],
    /// The block's time.
    pub at: TimeMs,
}

/// The projector's last sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// The ledger's last block then; `None` for an empty ledger.
    pub tip: Option<u64>,
    /// The time of the oldest block that was not applied then.
    pub behind_since: Option<TimeMs>,
    /// When it was, by the database's clock.
    pub at: TimeMs,
    /// How long ago that is, by the same clock.
    pub age: Duration,
}

impl Heartbeat {
    /// The time when this was read, by the database's clock.
    pub fn now(&self) -> TimeMs {
        let age_ms = i64::try_from(self.age.as_millis()).unwrap_or(i64::MAX);
        TimeMs(self.at.0.saturating_add(age_ms))
    }
}

/// Counters over all applied blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub accounts: u64,
    pub commands: u64,
    pub refused: u64,
    /// Entries of account histories.
    pub entries: u64,
    /// Organizations, whatever became of their proposal.
    pub organizations: u64,
}

/// Where the read models stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// `None` before the first block.
    pub checkpoint: Option<Checkpoint>,
    /// `None` before the projector's first sign of life.
    pub heartbeat: Option<Heartbeat>,
    pub totals: Totals,
}

impl Position {
    /// The newest block that is known of: what the projector saw at its last sign of life, or has
    /// applied since.
    pub fn tip(&self) -> Option<u64> {
        let seen = self.heartbeat.and_then(|heartbeat| heartbeat.tip);
        seen.max(self.checkpoint.map(|checkpoint| checkpoint.block))
    }

    /// Blocks that the ledger had beyond the checkpoint at the last sign of life.
    pub fn lag_blocks(&self) -> u64 {
        let applied = self.checkpoint.map_or(0, |checkpoint| checkpoint.block);
        self.tip().unwrap_or(0).saturating_sub(applied)
    }

    /// How long the oldest unapplied block has been waiting, in milliseconds of the database's
    /// clock; 0 when there is none.
    pub fn behind_ms(&self) -> i64 {
        let Some(heartbeat) = self.heartbeat.filter(|_| self.lag_blocks() > 0) else {
            return 0;
        };
        let now = heartbeat.now();
        heartbeat.behind_since.map_or(0, |since| now.0.saturating_sub(since.0).max(0))
    }
}

/// The row of the projection.
#[derive(Debug)]
pub(super) struct Progress {
    /// What stands before the first block as the hash of a block 0 would.
    origin: [u8; 32],
    pub(super) checkpoint: Checkpoint,
    pub(super) totals: Totals,
}

/// Columns that [`read`] reads, of the tables of [`JOINS`]. `{now}` is the database's clock.
pub(crate) const COLUMNS: &str = "p.origin, p.block, p.hash, p.at_ms, p.account_count, \
    p.command_count, p.refused_count, p.entry_count, p.organization_count, h.tip_block, \
    h.behind_since_ms, h.seen_at_ms, {now}";

/// Joins the projection's and the heartbeat's row to every row of what stands before.
pub(crate) const JOINS: &str =
    "LEFT JOIN projection p ON p.id = 1 LEFT JOIN heartbeat h ON h.id = 1";

/// Where the read models stand, from the [`COLUMNS`] of a row, the first of which is `from`.
pub(crate) fn read(row: &Row, from: usize) -> Result<Position, Error> {
    let progress = progress(row, from)?;
    let heartbeat = match row.opt_time(from + 11)? {
        Some(at) => {
            let now = row.time(from + 12)?;
            let age = u64::try_from(now.0.saturating_sub(at.0)).unwrap_or_default();
            let tip = row.opt_int(from + 9)?.map(|_| row.natural(from + 9)).transpose()?;
            let (behind_since, age) = (row.opt_time(from + 10)?, Duration::from_millis(age));
            Some(Heartbeat { tip, behind_since, at, age })
        }
        None => None,
    };
    let (checkpoint, totals) =
        progress.map(|progress| (progress.checkpoint, progress.totals)).unzip();
    Ok(Position { checkpoint, heartbeat, totals: totals.unwrap_or_default() })
}

fn progress(row: &Row, from: usize) -> Result<Option<Progress>, Error> {
    if row.opt_int(from + 1)?.is_none() {
        return Ok(None);
    }
    Ok(Some(Progress {
        origin: row.hash(from)?,
        checkpoint: Checkpoint {
            block: row.natural(from + 1)?,
            hash: row.hash(from + 2)?,
            at: row.time(from + 3)?,
        },
        totals: Totals {
            accounts: row.natural(from + 4)?,
            commands: row.natural(from + 5)?,
            refused: row.natural(from + 6)?,
            entries: row.natural(from + 7)?,
            organizations: row.natural(from + 8)?,
        },
    }))
}

async fn row(conn: &mut Conn<'_>) -> Result<Row, Error> {
    let text = format!("SELECT {COLUMNS} FROM (SELECT 1 AS one) o {JOINS}");
    sql(dialect::now(conn.engine(), &text)).one(conn).await
}

pub(super) async fn load(conn: &mut Conn<'_>) -> Result<Option<Progress>, Error> {
    progress(&row(conn).await?, 0)
}

/// Moves on to a block, which must be the next one of the same ledger.
pub(super) fn advance(
    progress: &mut Option<Progress>,
    block: &ProjectedBlock<'_>,
) -> Result<(), Error> {
    let checkpoint = Checkpoint { block: block.number, hash: block.hash, at: block.record.time };
    let expected = progress.as_ref().map_or(0, |before| before.checkpoint.block).saturating_add(1);
    if block.number != expected {
        return Err(Error::BlockOrder { found: block.number, expected });
    }
    let Some(before) = progress else {
        let (origin, totals) = (block.prev_hash, Totals::default());
        *progress = Some(Progress { origin, checkpoint, totals });
        return Ok(());
    };
    if block.prev_hash != before.checkpoint.hash {
        return Err(other(before.checkpoint.block, &before.checkpoint.hash, &block.prev_hash));
    }
    before.checkpoint = checkpoint;
    Ok(())
}

fn other(block: u64, expected: &[u8; 32], found: &[u8; 32]) -> Error {
    Error::OtherLedger { block, expected: hex::encode(expected), found: hex::encode(found) }
}

pub(super) async fn store(conn: &mut Conn<'_>, progress: &Progress) -> Result<(), Error> {
    let Progress { origin, checkpoint, totals } = progress;
    sql("INSERT INTO projection (id, origin, block, hash, at_ms, account_count, command_count,
            refused_count, entry_count, organization_count)
        VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (id) DO UPDATE SET block = excluded.block, hash = excluded.hash,
            at_ms = excluded.at_ms, account_count = excluded.account_count,
            command_count = excluded.command_count, refused_count = excluded.refused_count,
            entry_count = excluded.entry_count,
            organization_count = excluded.organization_count")
    .bind(hex::encode(origin))
    .bind(int(checkpoint.block)?)
    .bind(hex::encode(checkpoint.hash))
    .bind(checkpoint.at)
    .bind(int(totals.accounts)?)
    .bind(int(totals.commands)?)
    .bind(int(totals.refused)?)
    .bind(int(totals.entries)?)
    .bind(int(totals.organizations)?)
    .run(conn)
    .await
    .map(drop)
}

/// Where the read models stand, and when the projector was last seen.
///
/// # Errors
/// Those of the database.
pub async fn position(source: impl Into<Source<'_>>) -> Result<Position, Error> {
    let mut reader = source.into().open().await?;
    read(&row(&mut reader.conn()).await?, 0)
}

/// Notes that the projector lives and where the ledger ends. `behind_since` is the time of the
/// oldest block that is not applied.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn heartbeat(
    store: &Store,
    lease: &Lease,
    tip: Option<u64>,
    behind_since: Option<TimeMs>,
) -> Result<(), Error> {
    let mut tx = store.begin_rebuildable().await?;
    lease::fence(&mut tx, lease).await?;
    sql(dialect::now(
        store.engine(),
        "INSERT INTO heartbeat (id, tip_block, behind_since_ms, seen_at_ms)
        VALUES (1, $1, $2, {now})
        ON CONFLICT (id) DO UPDATE SET tip_block = excluded.tip_block,
            behind_since_ms = excluded.behind_since_ms, seen_at_ms = excluded.seen_at_ms",
    ))
    .bind(tip.map(int).transpose()?)
    .bind(behind_since)
    .run(&mut tx.conn())
    .await?;
    tx.commit().await
}

/// Whether the read models belong to the ledger with this origin: the hash that stands before its
/// first block. Empty ones belong to any.
///
/// # Errors
/// [`Error::OtherLedger`].
pub async fn check_ledger(source: impl Into<Source<'_>>, origin: [u8; 32]) -> Result<(), Error> {
    let mut reader = source.into().open().await?;
    match load(&mut reader.conn()).await? {
        Some(progress) if progress.origin != origin => Err(other(0, &progress.origin, &origin)),
        Some(_) | None => Ok(()),
    }
}

/// Every table that is made from blocks. The heartbeat is none: it tells of the projector.
pub(super) const READ_MODELS: [&str; 37] = [
    "projection",
    "blocks",
    "transactions",
    "outcomes",
    "accounts",
    "balances",
    "entries",
    "entry_marks",
    "countries",
    "system",
    "relationships",
    "guardians",
    "recoveries",
    "recovery_guardians",
    "organizations",
    "organization_stakeholders",
    "pending_transactions",
    "pending_transaction_approvers",
    "loans",
    "loan_repayments",
    "proposals",
    "votes",
    "parameter_changes",
    "parameters",
    "parameter_schedules",
    "tax_assessments",
    "tax_skips",
    "tax_periods",
    "treasuries",
    "disbursements",
    "ledger_admins",
    "pending_actions",
    "order_transfers",
    "escrows",
    "spending_limits",
    "key_resets",
    "attesters",
];

/// Empties the read models, so that the ledger can be applied again from its first block. Readers
/// see empty read models from the commit until that is done.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn clear(tx: &mut Tx, lease: &Lease) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    for table in READ_MODELS {
        let mut conn = tx.conn();
        sql(dialect::empty(conn.engine(), table)).run(&mut conn).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tip_is_never_below_what_was_applied() {
        let at = TimeMs(0);
        let checkpoint = |block| Some(Checkpoint { block, hash: [0; 32], at });
        let seen = |tip| Some(Heartbeat { tip, behind_since: None, at, age: Duration::ZERO });
        for (heartbeat, checkpoint, tip, lag) in [
            (None, None, None, 0),
            (seen(None), None, None, 0),
            (seen(Some(9)), None, Some(9), 9),
            (seen(Some(9)), checkpoint(4), Some(9), 5),
            (seen(Some(4)), checkpoint(9), Some(9), 0),
            (None, checkpoint(9), Some(9), 0),
        ] {
            let position = Position { checkpoint, heartbeat, totals: Totals::default() };
            assert_eq!((position.tip(), position.lag_blocks()), (tip, lag));
        }
    }

    #[test]
    fn a_block_waits_from_its_own_time_to_the_databases() {
        let heartbeat = |behind_since| {
            let age = Duration::from_millis(500);
            Some(Heartbeat { tip: Some(9), behind_since, at: TimeMs(10_000), age })
        };
        let checkpoint = |block| Some(Checkpoint { block, hash: [0; 32], at: TimeMs(0) });
        for (heartbeat, checkpoint, behind_ms) in [
            (None, checkpoint(4), 0),
            (heartbeat(None), checkpoint(4), 0),
            (heartbeat(Some(TimeMs(7_000))), checkpoint(4), 3_500),
            (heartbeat(Some(TimeMs(7_000))), checkpoint(9), 0),
            (heartbeat(Some(TimeMs(20_000))), checkpoint(4), 0),
        ] {
            let position = Position { checkpoint, heartbeat, totals: Totals::default() };
            assert_eq!(position.behind_ms(), behind_ms);
        }
    }
}
