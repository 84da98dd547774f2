//! For how long balances have been large enough for the velocity tax.
//!
//! Timers stand on the clock that stands still during pauses, and are shown as the time of day that
//! they fall on by the pauses so far.

use gx_contract::state::AccountKind;
use gx_types::{AccountId, Amount, TimeMs};

use crate::columns::kind_from;
use crate::sql::{Conn, Row, sql};
use crate::{Error, Source};

const DAY_MS: i64 = 86_400_000;

/// Where an account stands with the tax, as the ledger holds it: a changed threshold shows when
/// the balance next changes or the tax is next asked from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    pub account_id: AccountId,
    /// Pools and treasuries are not taxed.
    pub kind: AccountKind,
    pub balance: Amount,
    pub exempt: bool,
    /// When the timer started, later by all rest since; absent while it does not run.
    pub taxable_since: Option<TimeMs>,
    /// For how many milliseconds it had run when it came to rest; absent while it does not rest.
    pub taxable_for_ms: Option<i64>,
}

const SELECT: &str = "SELECT a.account_id, a.kind, b.balance_qirat, a.tax_exempt, \
    b.taxable_since_ms, b.taxable_for_ms \
    FROM balances b JOIN accounts a ON a.account_no = b.account_no";

fn timer(row: &Row, paused_ms: i64) -> Result<Timer, Error> {
    Ok(Timer {
        account_id: row.parse(0, "account id")?,
        kind: kind_from(row.text(1)?)?,
        balance: row.amount(2)?,
        exempt: row.flag(3)?,
        taxable_since: row.opt_int(4)?.map(|since| TimeMs(since.saturating_add(paused_ms))),
        taxable_for_ms: row.opt_int(5)?,
    })
}

/// What the pauses so far have taken; up to a time, if one has not ended.
async fn paused_ms(conn: &mut Conn<'_>, now: Option<TimeMs>) -> Result<i64, Error> {
    let row =
        sql("SELECT paused_ms, paused_since_ms FROM system WHERE id = 1").optional(conn).await?;
    let Some(row) = row else { return Ok(0) };
    let current = row.opt_int(1)?.zip(now).map_or(0, |(since, now)| now.0.saturating_sub(since));
    Ok(row.int(0)?.saturating_add(current.max(0)))
}

/// Where an account stands. `None` when it is not known.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    account_id: &AccountId,
) -> Result<Option<Timer>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let paused_ms = paused_ms(&mut conn, None).await?;
    let row = sql(format!("{SELECT} WHERE a.account_id = $1"))
        .bind(account_id)
        .optional(&mut conn)
        .await?;
    row.as_ref().map(|row| timer(row, paused_ms)).transpose()
}

/// Accounts that the tax is due from at a time if its period is so many days now, those that rest
/// first and then the longest first.
///
/// # Errors
/// Those of the database.
pub async fn due(
    source: impl Into<Source<'_>>,
    now: TimeMs,
    period_days: u32,
    limit: u32,
) -> Result<Vec<Timer>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let paused_ms = paused_ms(&mut conn, Some(now)).await?;
    let running = now.0.saturating_sub(paused_ms);
    let period_ms = i64::from(period_days).saturating_mul(DAY_MS);
    // Whoever had started by the time that a period was shortened keeps it.
    let shown = |start: &str| {
        format!(
            "NOT EXISTS (SELECT 1 FROM tax_periods p WHERE {start} < p.until_ms
                AND {start} > $1 - p.days * {DAY_MS})"
        )
    };
    let rested = format!(
        "{SELECT} WHERE b.taxable_for_ms IS NOT NULL AND b.taxable_for_ms >= $2 AND {}
        ORDER BY b.taxable_for_ms DESC, b.account_no LIMIT $3",
        shown("($1 - b.taxable_for_ms)")
    );
    let running_on = format!(
        "{SELECT} WHERE b.taxable_since_ms IS NOT NULL AND b.taxable_since_ms <= $1 - $2 AND {}
        ORDER BY b.taxable_since_ms, b.account_no LIMIT $3",
        shown("b.taxable_since_ms")
    );
    let mut found = Vec::new();
    for query in [rested, running_on] {
        let rows =
            sql(query).bind(running).bind(period_ms).bind(i64::from(limit)).all(&mut conn).await?;
        for row in &rows {
            found.push(timer(row, paused_ms)?);
        }
    }
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}
