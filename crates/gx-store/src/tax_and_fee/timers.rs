//! Since when balances have been large enough for the velocity tax.

use gx_contract::state::AccountKind;
use gx_types::{AccountId, Amount, TimeMs};

use crate::columns::kind_from;
use crate::sql::{Row, sql};
use crate::{Error, Source};

/// Where an account stands with the tax, as the ledger holds it: a changed threshold shows when
/// the balance next changes or the tax is next asked from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    pub account_id: AccountId,
    /// Pools and treasuries are not taxed.
    pub kind: AccountKind,
    pub balance: Amount,
    pub exempt: bool,
    /// When the timer started; absent while it does not run.
    pub taxable_since: Option<TimeMs>,
}

const SELECT: &str = "SELECT a.account_id, a.kind, b.balance_qirat, a.tax_exempt, \
    b.taxable_since_ms FROM balances b JOIN accounts a ON a.account_no = b.account_no";

fn timer(row: &Row) -> Result<Timer, Error> {
    Ok(Timer {
        account_id: row.parse(0, "account id")?,
        kind: kind_from(row.text(1)?)?,
        balance: row.amount(2)?,
        exempt: row.flag(3)?,
        taxable_since: row.opt_time(4)?,
    })
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
    let row = sql(format!("{SELECT} WHERE a.account_id = $1"))
        .bind(account_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(timer).transpose()
}

/// Accounts whose timer has run since `since` or longer, the longest first: with the time one tax
/// period ago these are the ones that the tax is due from.
///
/// # Errors
/// Those of the database.
pub async fn due(
    source: impl Into<Source<'_>>,
    since: TimeMs,
    limit: u32,
) -> Result<Vec<Timer>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "{SELECT} WHERE b.taxable_since_ms IS NOT NULL AND b.taxable_since_ms <= $1
        ORDER BY b.taxable_since_ms, b.account_no LIMIT $2"
    ))
    .bind(since)
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(timer).collect()
}
