//! Rebuilds of the read models while the platform runs: an administrator asks, the projector
//! empties the read models and says how far it has come. It is the projector's own work, from an
//! empty start: there is no second way to project.

use gx_types::TimeMs;

use super::checkpoint::clear;
use crate::lease::{self, Lease};
use crate::sql::{Row, int, sql};
use crate::{Error, Source, Tx};

/// A rebuild, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuild {
    pub rebuild_no: i64,
    pub requested_by: String,
    pub reason: String,
    pub requested_at: TimeMs,
    /// When the read models were emptied.
    pub started_at: Option<TimeMs>,
    /// The ledger's last block then; the rebuild is done when it is applied.
    pub target_block: Option<u64>,
    pub finished_at: Option<TimeMs>,
}

const SELECT: &str = "SELECT rebuild_no, requested_by, reason, requested_at_ms, started_at_ms, \
    target_block, finished_at_ms FROM rebuilds";

fn rebuild(row: &Row) -> Result<Rebuild, Error> {
    let target_block = row.opt_int(5)?.map(|_| row.natural(5)).transpose()?;
    Ok(Rebuild {
        rebuild_no: row.int(0)?,
        requested_by: row.string(1)?,
        reason: row.string(2)?,
        requested_at: row.time(3)?,
        started_at: row.opt_time(4)?,
        target_block,
        finished_at: row.opt_time(6)?,
    })
}

/// Asks for a rebuild, unless one is open. Says whether it was asked for.
///
/// # Errors
/// [`Error::Unique`] `rebuilds.rebuild_no` when another asks in the same moment.
pub async fn ask(tx: &mut Tx, by: &str, reason: &str, at: TimeMs) -> Result<bool, Error> {
    let touched = sql("INSERT INTO rebuilds (rebuild_no, requested_by, reason, requested_at_ms)
        SELECT COALESCE(MAX(r.rebuild_no), 0) + 1, $1, $2, $3 FROM rebuilds r
        HAVING COUNT(*) = COUNT(r.finished_at_ms)")
    .bind(by)
    .bind(reason)
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// The last rebuild that was asked for.
///
/// # Errors
/// Those of the database.
pub async fn last(source: impl Into<Source<'_>>) -> Result<Option<Rebuild>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{SELECT} ORDER BY rebuild_no DESC LIMIT 1"))
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(rebuild).transpose()
}

/// Empties the read models for a rebuild and notes the block at which it is done.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn begin(
    tx: &mut Tx,
    lease: &Lease,
    rebuild_no: i64,
    target_block: u64,
    at: TimeMs,
) -> Result<(), Error> {
    clear(tx, lease).await?;
    sql("UPDATE rebuilds SET started_at_ms = $2, target_block = $3
        WHERE rebuild_no = $1 AND started_at_ms IS NULL")
    .bind(rebuild_no)
    .bind(at)
    .bind(int(target_block)?)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Notes that a rebuild is done.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn end(tx: &mut Tx, lease: &Lease, rebuild_no: i64, at: TimeMs) -> Result<(), Error> {
    lease::fence(tx, lease).await?;
    sql("UPDATE rebuilds SET finished_at_ms = $2 WHERE rebuild_no = $1")
        .bind(rebuild_no)
        .bind(at)
        .run(&mut tx.conn())
        .await
        .map(drop)
}
