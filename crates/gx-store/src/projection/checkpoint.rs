//! How far the ledger has been applied, which ledger it is, and the projector's sign of life.

use std::time::Duration;

use gx_types::TimeMs;

use crate::lease::{self, Lease};
use crate::projection::ProjectedBlock;
use crate::sql::{Conn, Row, int, sql, to_hex};
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

/// Counters over all applied blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub accounts: u64,
    pub commands: u64,
    pub refused: u64,
    /// Entries of account histories.
    pub entries: u64,
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
    /// Blocks that the ledger had beyond the checkpoint at the last sign of life.
    pub fn lag_blocks(&self) -> u64 {
        let Some(tip) = self.heartbeat.and_then(|heartbeat| heartbeat.tip) else {
            return 0;
        };
        match self.checkpoint {
            Some(checkpoint) => tip.saturating_sub(checkpoint.block),
            None => tip,
        }
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

const SELECT: &str = "SELECT origin, block, hash, at_ms, account_count, command_count, \
    refused_count, entry_count FROM projection WHERE id = 1";

fn progress(row: &Row) -> Result<Progress, Error> {
    Ok(Progress {
        origin: row.hash(0)?,
        checkpoint: Checkpoint { block: row.natural(1)?, hash: row.hash(2)?, at: row.time(3)? },
        totals: Totals {
            accounts: row.natural(4)?,
            commands: row.natural(5)?,
            refused: row.natural(6)?,
            entries: row.natural(7)?,
        },
    })
}

pub(super) async fn load(conn: &mut Conn<'_>) -> Result<Option<Progress>, Error> {
    sql(SELECT).optional(conn).await?.as_ref().map(progress).transpose()
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
    Error::OtherLedger { block, expected: to_hex(expected), found: to_hex(found) }
}

pub(super) async fn store(conn: &mut Conn<'_>, progress: &Progress) -> Result<(), Error> {
    let Progress { origin, checkpoint, totals } = progress;
    sql("INSERT INTO projection (id, origin, block, hash, at_ms, account_count, command_count,
            refused_count, entry_count)
        VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (id) DO UPDATE SET block = excluded.block, hash = excluded.hash,
            at_ms = excluded.at_ms, account_count = excluded.account_count,
            command_count = excluded.command_count, refused_count = excluded.refused_count,
            entry_count = excluded.entry_count")
    .bind(to_hex(origin))
    .bind(int(checkpoint.block)?)
    .bind(to_hex(&checkpoint.hash))
    .bind(checkpoint.at)
    .bind(int(totals.accounts)?)
    .bind(int(totals.commands)?)
    .bind(int(totals.refused)?)
    .bind(int(totals.entries)?)
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
    let mut conn = reader.conn();
    let progress = load(&mut conn).await?;
    let row = sql(dialect::now(
        conn.engine(),
        "SELECT tip_block, behind_since_ms, seen_at_ms, {now} FROM heartbeat WHERE id = 1",
    ))
    .optional(&mut conn)
    .await?;
    let heartbeat = row
        .map(|row| {
            let (at, now) = (row.time(2)?, row.time(3)?);
            let age = u64::try_from(now.0.saturating_sub(at.0)).unwrap_or_default();
            let tip = row.opt_int(0)?.map(|_| row.natural(0)).transpose()?;
            let age = Duration::from_millis(age);
            Ok::<_, Error>(Heartbeat { tip, behind_since: row.opt_time(1)?, at, age })
        })
        .transpose()?;
    Ok(match progress {
        Some(progress) => {
            Position { checkpoint: Some(progress.checkpoint), heartbeat, totals: progress.totals }
        }
        None => Position { checkpoint: None, heartbeat, totals: Totals::default() },
    })
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
    let mut tx = store.begin().await?;
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

/// Empties the read models, so that the ledger can be applied again from its first block. Readers
/// see empty read models from the commit until that is done.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn clear(tx: &mut Tx, lease: &Lease) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    for table in [
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
    ] {
        let mut conn = tx.conn();
        sql(dialect::empty(conn.engine(), table)).run(&mut conn).await?;
    }
    Ok(())
}
