//! For how long balances have been large enough for the velocity tax.
//!
//! Timers stand on the clock that stands still during pauses, and are shown as the time of day that
//! they fall on by the pauses so far.

use std::fmt;
use std::str::FromStr;

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
    /// What waits in escrow beside the balance, and is taxed with it.
    pub escrowed: Amount,
    pub exempt: bool,
    /// Whether it is neither frozen nor locked, nor its holder deceased.
    pub may_act: bool,
    /// When the timer started, later by all rest since; absent while it does not run.
    pub taxable_since: Option<TimeMs>,
    /// For how many milliseconds it had run when it came to rest; absent while it does not rest.
    pub taxable_for_ms: Option<i64>,
    /// When it started, on the clock that stands still during pauses.
    pub(super) started_ms: Option<i64>,
    account_no: i64,
}

impl Timer {
    /// Its place among those that are due; one that runs or rests has one.
    pub fn place(&self) -> Due {
        let account_no = self.account_no;
        match self.taxable_for_ms {
            Some(ran_ms) => Due::Rested { ran_ms, account_no },
            None => Due::Running { since_ms: self.started_ms.unwrap_or_default(), account_no },
        }
    }
}

/// A place in the order in which the tax is due. Its text is the cursor of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Rested { ran_ms: i64, account_no: i64 },
    Running { since_ms: i64, account_no: i64 },
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rested { ran_ms, account_no } => write!(f, "r{ran_ms}-{account_no}"),
            Self::Running { since_ms, account_no } => write!(f, "s{since_ms}-{account_no}"),
        }
    }
}

impl FromStr for Due {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a place among what is due expected";
        let number = |text: &str| text.parse::<i64>().map_err(|_| wrong);
        let (time, account_no) = text.rsplit_once('-').ok_or(wrong)?;
        let account_no = number(account_no)?;
        match (time.strip_prefix('r'), time.strip_prefix('s')) {
            (Some(ran), _) => Ok(Self::Rested { ran_ms: number(ran)?, account_no }),
            (None, Some(since)) => Ok(Self::Running { since_ms: number(since)?, account_no }),
            (None, None) => Err(wrong),
        }
    }
}

const SELECT: &str = "SELECT a.account_id, a.kind, b.balance_qirat, a.tax_exempt, \
    b.taxable_since_ms, b.taxable_for_ms, b.escrowed_qirat, b.account_no, \
    CASE WHEN a.frozen IS NULL AND (a.status IS NULL OR a.status = 'ACTIVE') THEN 1 ELSE 0 END \
    FROM balances b JOIN accounts a ON a.account_no = b.account_no";

fn timer(row: &Row, paused_ms: i64) -> Result<Timer, Error> {
    let started_ms = row.opt_int(4)?;
    Ok(Timer {
        account_id: row.parse(0, "account id")?,
        kind: kind_from(row.text(1)?)?,
        balance: row.amount(2)?,
        exempt: row.flag(3)?,
        taxable_since: started_ms.map(|since| TimeMs(since.saturating_add(paused_ms))),
        taxable_for_ms: row.opt_int(5)?,
        escrowed: row.amount(6)?,
        may_act: row.flag(8)?,
        started_ms,
        account_no: row.int(7)?,
    })
}

/// What the pauses so far have taken; up to a time, if one has not ended.
pub(super) async fn paused_ms(conn: &mut Conn<'_>, now: Option<TimeMs>) -> Result<i64, Error> {
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
/// first and then the longest first, those after a place.
///
/// # Errors
/// Those of the database.
pub async fn due(
    source: impl Into<Source<'_>>,
    now: TimeMs,
    period_days: u32,
    after: Option<Due>,
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
            AND (b.taxable_for_ms < $3 OR (b.taxable_for_ms = $3 AND b.account_no > $4))
        ORDER BY b.taxable_for_ms DESC, b.account_no LIMIT $5",
        shown("($1 - b.taxable_for_ms)")
    );
    let running_on = format!(
        "{SELECT} WHERE b.taxable_since_ms IS NOT NULL AND b.taxable_since_ms <= $1 - $2 AND {}
            AND (b.taxable_since_ms > $3 OR (b.taxable_since_ms = $3 AND b.account_no > $4))
        ORDER BY b.taxable_since_ms, b.account_no LIMIT $5",
        shown("b.taxable_since_ms")
    );
    let queries = match after {
        None => vec![(rested, i64::MAX, 0), (running_on, i64::MIN, 0)],
        Some(Due::Rested { ran_ms, account_no }) => {
            vec![(rested, ran_ms, account_no), (running_on, i64::MIN, 0)]
        }
        Some(Due::Running { since_ms, account_no }) => vec![(running_on, since_ms, account_no)],
    };
    let mut found = Vec::new();
    for (query, from, account_no) in queries {
        let statement = sql(query).bind(running).bind(period_ms).bind(from).bind(account_no);
        let rows = statement.bind(i64::from(limit)).all(&mut conn).await?;
        for row in &rows {
            found.push(timer(row, paused_ms)?);
        }
    }
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}
