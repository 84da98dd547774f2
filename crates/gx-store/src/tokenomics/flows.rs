//! What came in and went out over a time, summed where the entries are.

use gx_types::{AccountId, Amount, TimeMs};

use super::accounts::number_of;
use super::history::{EntryKind, first_block_since, start_below};
use crate::numbering::PLACES;
use crate::sql::sql;
use crate::{Error, Source};

/// Entries that a sum is made of, at most.
pub const SUMMED_MAX: u32 = 50_000;

/// What moved on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flows {
    pub incoming: Amount,
    /// Fees included.
    pub outgoing: Amount,
    /// The part of it that counts towards the owner's limit: payments, escrows and repayments.
    pub spent: Amount,
}

/// What moved on an account from a time on. `None` when that was more than [`SUMMED_MAX`] entries,
/// or the account is not known.
///
/// # Errors
/// Those of the database.
pub async fn since(
    source: impl Into<Source<'_>>,
    account_id: &AccountId,
    from: TimeMs,
) -> Result<Option<Flows>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let Some(account_no) = number_of(&mut conn, account_id).await? else { return Ok(None) };
    let Some(block) = first_block_since(&mut conn, from).await? else {
        return Ok(Some(Flows::default()));
    };
    let newest = start_below(&mut conn, account_no, i64::MAX).await?;
    let row = sql(format!(
        "WITH RECURSIVE walk (entry_no, kind, change_qirat, prev_entry, step) AS (
            SELECT entry_no, kind, change_qirat, prev_entry, CAST(1 AS BIGINT)
            FROM entries WHERE entry_no = $1 AND entry_no >= $2
            UNION ALL
            SELECT e.entry_no, e.kind, e.change_qirat, e.prev_entry, w.step + 1
            FROM walk w JOIN entries e ON e.entry_no = w.prev_entry
            WHERE w.prev_entry >= $2 AND w.prev_entry > 0 AND w.step <= $3)
        SELECT COUNT(*),
            CAST(COALESCE(SUM(CASE WHEN change_qirat > 0 THEN change_qirat ELSE 0 END), 0)
                AS BIGINT),
            CAST(COALESCE(SUM(CASE WHEN change_qirat < 0 THEN -change_qirat ELSE 0 END), 0)
                AS BIGINT),
            CAST(COALESCE(SUM(CASE WHEN change_qirat < 0 AND kind IN ('{}', '{}', '{}')
                THEN -change_qirat ELSE 0 END), 0) AS BIGINT)
        FROM walk",
        EntryKind::Sent.as_str(),
        EntryKind::Escrow.as_str(),
        EntryKind::Repayment.as_str(),
    ))
    .bind(newest)
    .bind(block.saturating_mul(PLACES))
    .bind(i64::from(SUMMED_MAX))
    .one(&mut conn)
    .await?;
    let flows = Flows { incoming: row.amount(1)?, outgoing: row.amount(2)?, spent: row.amount(3)? };
    Ok((row.natural(0)? <= u64::from(SUMMED_MAX)).then_some(flows))
}
