//! Whether the rows of the read models agree with one another. For audits: it reads whole tables.

use crate::sql::sql;
use crate::{Error, Source};

/// Rows that contradict others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contradictions {
    /// Outcomes that are of another command than the outbox's, or of none.
    pub mistaken: u64,
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
    let mistaken = sql("SELECT COUNT(*) FROM outcomes x
        LEFT JOIN outbox o ON o.seq = x.seq LEFT JOIN transactions t ON t.tx_no = x.tx_no
        WHERE t.tx_no IS NULL OR o.command_id <> t.command_id OR o.actor <> t.actor
            OR o.function <> t.function")
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
    Ok(Contradictions { mistaken, unsettled })
}
