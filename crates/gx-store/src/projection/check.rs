//! Whether the rows of the read models agree with one another. For audits: it reads whole tables.

use crate::sql::sql;
use crate::{Error, Source};

/// Rows that contradict others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contradictions {
    /// Accounts whose lines of history do not lead to their balance.
    pub histories: u64,
    /// Commands that were sent in a batch which the ledger has answered, and have no outcome. None
    /// of them is sent again.
    pub unsettled: u64,
}

/// Looks for contradictions. Commands count as unsettled only when the read models hold every block
/// of the ledger, which the caller knows.
///
/// # Errors
/// Those of the database.
pub async fn contradictions(source: impl Into<Source<'_>>) -> Result<Contradictions, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let histories = sql("SELECT COUNT(*) FROM balances b LEFT JOIN (
            SELECT account_no, SUM(change_qirat) AS total, COUNT(*) AS lines, MAX(entry_no) AS last
            FROM entries GROUP BY account_no
        ) e ON e.account_no = b.account_no
        WHERE COALESCE(e.total, 0) <> b.balance_qirat OR COALESCE(e.lines, 0) <> b.entry_count
            OR COALESCE(e.last, 0) <> b.last_entry")
    .one(&mut conn)
    .await?
    .natural(0)?;
    let unsettled = sql("SELECT COUNT(*) FROM submission s CROSS JOIN batches b
        JOIN batch_ranges r ON r.batch_no = b.batch_no
        JOIN outbox o ON o.seq BETWEEN r.first_seq AND r.last_seq
        LEFT JOIN outcomes x ON x.seq = o.seq
        LEFT JOIN dead_commands d ON d.seq = o.seq
        WHERE b.batch_no <= s.answered_batch_no AND x.seq IS NULL AND d.seq IS NULL")
    .one(&mut conn)
    .await?
    .natural(0)?;
    Ok(Contradictions { histories, unsettled })
}
