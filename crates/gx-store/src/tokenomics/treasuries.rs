//! The treasuries of countries: what they hold, and whose rules govern them.

use gx_contract::admin::OrderHash;
use gx_types::{AccountId, Amount, CountryCode, TimeMs};

use crate::organization::organizations::PAID_SINCE_YESTERDAY;
use crate::sql::{Row, sql};
use crate::{Error, Source};

/// The treasury of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Treasury {
    pub country: CountryCode,
    pub treasury_id: AccountId,
    pub balance: Amount,
    /// The organization whose rules govern it, and since when; absent while it is locked.
    pub governed: Option<(AccountId, TimeMs)>,
    /// From then on that organization can pay from it.
    pub payable_from: Option<TimeMs>,
    /// Of the document by which it was given to another organization than at first.
    pub order_hash: Option<OrderHash>,
    /// What it has paid since the start of the day before the last block, by UTC.
    pub paid_since_yesterday: Amount,
}

const COLUMNS: &str = "c.code, a.account_id, b.balance_qirat, t.org_id, t.activated_at_ms, \
    t.payable_from_ms, t.order_hash";

const FROM: &str = "countries c JOIN accounts a ON a.account_id = 'treasury_' || c.code \
    JOIN balances b ON b.account_no = a.account_no LEFT JOIN treasuries t ON t.country = c.code";

fn treasury(row: &Row) -> Result<Treasury, Error> {
    Ok(Treasury {
        country: row.parse(0, "country")?,
        treasury_id: row.parse(1, "account id")?,
        balance: row.amount(2)?,
        governed: row.opt_parse(3, "account id")?.zip(row.opt_time(4)?),
        payable_from: row.opt_time(5)?,
        order_hash: row.opt_parse(6, "hash of an order")?,
        paid_since_yesterday: row.amount(7)?,
    })
}

/// All treasuries, in the order of the countries' codes.
///
/// # Errors
/// Those of the database.
pub async fn all(source: impl Into<Source<'_>>) -> Result<Vec<Treasury>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!("SELECT {COLUMNS}, {PAID_SINCE_YESTERDAY} FROM {FROM} ORDER BY c.code"))
        .all(&mut reader.conn())
        .await?;
    rows.iter().map(treasury).collect()
}

/// Treasuries in the order of the countries' codes, those after `after`.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    after: Option<CountryCode>,
    limit: u32,
) -> Result<Vec<Treasury>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS}, {PAID_SINCE_YESTERDAY} FROM {FROM}
        WHERE c.code > $1 ORDER BY c.code LIMIT $2"
    ))
    .bind(after.as_ref().map_or("", CountryCode::as_str))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(treasury).collect()
}

/// The treasury of a country. `None` when the ledger has no such country.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    country: CountryCode,
) -> Result<Option<Treasury>, Error> {
    let mut reader = source.into().open().await?;
    let row =
        sql(format!("SELECT {COLUMNS}, {PAID_SINCE_YESTERDAY} FROM {FROM} WHERE c.code = $1"))
            .bind(country.as_str())
            .optional(&mut reader.conn())
            .await?;
    row.as_ref().map(treasury).transpose()
}

/// The treasuries that an organization's rules govern, in the order of the countries' codes.
///
/// # Errors
/// Those of the database.
pub async fn governed_by(
    source: impl Into<Source<'_>>,
    org_id: &AccountId,
) -> Result<Vec<Treasury>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS}, {PAID_SINCE_YESTERDAY} FROM {FROM} WHERE t.org_id = $1 ORDER BY c.code"
    ))
    .bind(org_id)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(treasury).collect()
}
