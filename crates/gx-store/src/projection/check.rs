//! Whether the rows of the read models agree with one another. For audits: it reads whole tables.

use gx_contract::state::AccountKind;
use gx_types::{Amount, Role};

use crate::sql::{Conn, sql};
use crate::{Error, Source};

/// Rows that contradict others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contradictions {
    /// Outcomes that are of another command than the outbox's, or of none.
    pub mistaken: u64,
    /// Commands that were taken for a batch, or deferred, and are not in the outbox.
    pub lost: u64,
    /// Batches whose row is another one than their commands say, or that have no row.
    pub batches: u64,
    /// Whether the submitter's cursor is missing, or lies before what was sent or after what was
    /// accepted.
    pub cursor_misplaced: bool,
    /// Commands that were sent in a batch which the ledger has answered, and have no outcome. None
    /// of them is sent again.
    pub unsettled: u64,
}

/// The first row of the outbox that purging has left; what was discarded stays before it as well.
const LOW: &str = "(SELECT COALESCE(MIN(w.seq), 0) FROM outbox w WHERE NOT EXISTS
    (SELECT 1 FROM dead_decisions z WHERE z.seq = w.seq AND z.decision = 'DISCARD'))";

/// Looks for contradictions. Commands count as unsettled only when the read models hold every block
/// of the ledger, which the caller knows.
///
/// # Errors
/// Those of the database.
pub async fn contradictions(source: impl Into<Source<'_>>) -> Result<Contradictions, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let mistaken = sql("SELECT COUNT(*) FROM outcomes x
        LEFT JOIN outbox o ON o.seq = x.seq LEFT JOIN transactions t ON t.tx_no = x.tx_no
        WHERE o.seq IS NULL OR t.tx_no IS NULL OR o.command_id <> t.command_id
            OR o.actor <> t.actor OR o.function <> t.function")
    .one(&mut conn)
    .await?
    .natural(0)?;
    // The oldest rows are purged; from the first that is left on, all have to be there.
    let lost = sql(format!(
        "SELECT CAST(COALESCE((SELECT SUM(r.last_seq + 1
                - CASE WHEN r.first_seq < m.low THEN m.low ELSE r.first_seq END)
            FROM batch_ranges r CROSS JOIN (SELECT {LOW} AS low) m
            WHERE r.last_seq >= m.low), 0)
        - (SELECT COUNT(*) FROM (SELECT {LOW} AS low) m CROSS JOIN batch_ranges r
            JOIN outbox o ON o.seq BETWEEN r.first_seq AND r.last_seq
            WHERE o.seq >= m.low)
        + (SELECT COUNT(*) FROM deferred_commands d
            WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.seq = d.seq)) AS BIGINT)"
    ))
    .one(&mut conn)
    .await?
    .natural(0)?;
    let well_placed = sql("SELECT COUNT(*) FROM submission s
        WHERE (SELECT COUNT(*) FROM lanes l WHERE l.answered_batch_no <= l.last_batch_no
                AND l.last_batch_no <= s.last_batch_no) = $1
            AND NOT EXISTS (SELECT 1 FROM deferred_commands d WHERE d.seq > s.last_seq)
            AND s.last_seq >= (SELECT COALESCE(MAX(r.last_seq), 0) FROM batch_ranges r)
            AND s.last_seq <= (SELECT COALESCE(MAX(o.seq), 0) FROM outbox o)")
    .bind(i64::try_from(Role::ALL.len()).unwrap_or(i64::MAX))
    .one(&mut conn)
    .await?
    .int(0)?;
    let cursor_misplaced = well_placed != 1;
    let unsettled = sql("SELECT COUNT(*) FROM lanes l JOIN batches b ON b.role = l.role
        JOIN batch_ranges r ON r.batch_no = b.batch_no
        JOIN outbox o ON o.seq BETWEEN r.first_seq AND r.last_seq
        LEFT JOIN outcomes x ON x.seq = o.seq
        LEFT JOIN dead_commands d ON d.seq = o.seq
        WHERE b.batch_no <= l.answered_batch_no AND x.seq IS NULL AND d.seq IS NULL")
    .one(&mut conn)
    .await?
    .natural(0)?;
    let batches = batches(&mut conn).await?;
    Ok(Contradictions { mistaken, lost, batches, cursor_misplaced, unsettled })
}

/// Batches whose row contradicts their ranges, their commands or their block. Those that are purged
/// in part are left out.
async fn batches(conn: &mut Conn<'_>) -> Result<u64, Error> {
    sql(format!(
        "SELECT COUNT(*) FROM (
        SELECT b.batch_no FROM batches b
        LEFT JOIN (SELECT r.batch_no, SUM(r.last_seq + 1 - r.first_seq) AS commands,
                MIN(r.first_seq) AS first_seq, MAX(r.last_seq) AS last_seq
            FROM batch_ranges r GROUP BY r.batch_no) g ON g.batch_no = b.batch_no
        WHERE b.first_seq >= {LOW}
            AND (g.batch_no IS NULL OR g.commands <> b.command_count
                OR g.first_seq <> b.first_seq OR g.last_seq <> b.last_seq)
        UNION
        SELECT r.batch_no FROM batch_ranges r LEFT JOIN batches b ON b.batch_no = r.batch_no
        WHERE b.batch_no IS NULL
        UNION
        SELECT r.batch_no FROM batch_ranges r JOIN batches b ON b.batch_no = r.batch_no
        JOIN outbox o ON o.seq BETWEEN r.first_seq AND r.last_seq
        WHERE o.role <> b.role
        UNION
        SELECT b.batch_no FROM batches b JOIN blocks k ON k.batch_id = b.batch_id
        WHERE k.role <> b.role OR k.command_count > b.command_count
        ) wrong"
    ))
    .one(conn)
    .await?
    .natural(0)
}

/// What all balances come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// All balances together: the supply, less what waits in escrow.
    pub supply: Amount,
    /// Balances that are not the sums of their entries.
    pub unbalanced: u64,
}

/// Adds all balances and all entries up.
///
/// # Errors
/// Those of the database.
pub async fn sums(source: impl Into<Source<'_>>) -> Result<Sums, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT CAST(COALESCE(SUM(b.balance_qirat), 0) AS BIGINT),
            COUNT(CASE WHEN b.balance_qirat <> COALESCE(e.moved, 0) THEN 1 END)
        FROM balances b LEFT JOIN (SELECT account_no, SUM(change_qirat) AS moved
            FROM entries GROUP BY account_no) e ON e.account_no = b.account_no")
    .one(&mut reader.conn())
    .await?;
    Ok(Sums { supply: row.amount(0)?, unbalanced: row.natural(1)? })
}

/// What the accounts of each kind hold together, all read at one moment. Empty before bootstrap.
///
/// # Errors
/// Those of the database.
pub async fn held(source: impl Into<Source<'_>>) -> Result<Vec<(AccountKind, Amount)>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT a.kind, CAST(SUM(b.balance_qirat) AS BIGINT)
        FROM accounts a JOIN balances b ON b.account_no = a.account_no GROUP BY a.kind")
    .all(&mut reader.conn())
    .await?;
    let held = rows.iter().map(|row| {
        let kind = serde_json::from_value(row.string(0)?.into());
        let kind = kind.map_err(|error| Error::corrupt("kind of an account", error))?;
        Ok((kind, row.amount(1)?))
    });
    held.collect()
}

/// Batches that the ledger has answered, of which it has no block: their ids are others, or the
/// ledger is. A batch that holds a command which was set aside was sent in parts, under other ids.
///
/// # Errors
/// Those of the database.
pub async fn batches_without_block(source: impl Into<Source<'_>>) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql("SELECT COUNT(*) FROM lanes l JOIN batches b ON b.role = l.role
        WHERE b.batch_no <= l.answered_batch_no
            AND NOT EXISTS (SELECT 1 FROM blocks k WHERE k.batch_id = b.batch_id)
            AND NOT EXISTS (SELECT 1 FROM batch_ranges r
                JOIN dead_commands d ON d.seq BETWEEN r.first_seq AND r.last_seq
                WHERE r.batch_no = b.batch_no)")
    .one(&mut reader.conn())
    .await?
    .natural(0)
}
