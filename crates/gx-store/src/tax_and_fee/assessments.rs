//! Velocity tax that was taken, and accounts that did not owe it when they were asked.

use gx_contract::Refusal;
use gx_types::{AccountId, Amount, CommandId, CountryCode, TimeMs};

use crate::numbering::block_of;
use crate::sql::{Row, sql};
use crate::{Error, Source};

/// Tax that an account has paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assessment {
    pub account_id: AccountId,
    pub command_id: CommandId,
    pub block: u64,
    pub at: TimeMs,
    /// Whose treasury has got a share.
    pub country: CountryCode,
    /// What the tax was a part of.
    pub taxed_balance: Amount,
    pub rate_bps: u32,
    pub amount: Amount,
    pub treasury_amount: Amount,
    pub charitable_amount: Amount,
    /// When the balance had become large.
    pub was_taxable_since: TimeMs,
    /// The cursor of a page: larger for what was taken later.
    pub cursor: i64,
}

/// An account that did not owe the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skip {
    pub account_id: AccountId,
    pub command_id: CommandId,
    pub at: TimeMs,
    pub code: Refusal,
    /// The cursor of a page.
    pub cursor: i64,
}

fn assessment(row: &Row) -> Result<Assessment, Error> {
    let cursor = row.int(2)?;
    Ok(Assessment {
        account_id: row.parse(0, "account id")?,
        command_id: row.parse(1, "command id")?,
        block: block_of(cursor),
        at: row.time(3)?,
        country: row.parse(4, "country")?,
        taxed_balance: row.amount(5)?,
        rate_bps: row.small(6)?,
        amount: row.amount(7)?,
        treasury_amount: row.amount(8)?,
        charitable_amount: row.amount(9)?,
        was_taxable_since: row.time(10)?,
        cursor,
    })
}

/// What an account has paid, newest first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn of_account(
    source: impl Into<Source<'_>>,
    account_id: &AccountId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Assessment>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT x.account_id, t.command_id, x.tx_no, x.at_ms, x.country,
            x.taxed_balance_qirat, x.rate_bps, x.amount_qirat, x.treasury_qirat,
            x.charitable_qirat, x.was_taxable_since_ms
        FROM tax_assessments x JOIN transactions t ON t.tx_no = x.tx_no
        WHERE x.account_id = $1 AND x.tx_no < $2 ORDER BY x.tx_no DESC LIMIT $3")
    .bind(account_id)
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(assessment).collect()
}

/// Tax that somebody has paid, with all that it follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taxed {
    pub account_id: AccountId,
    /// What the tax was a part of.
    pub balance: Amount,
    pub amount: Amount,
}

/// The newest taxes of all accounts, newest first.
///
/// # Errors
/// Those of the database.
pub async fn newest(source: impl Into<Source<'_>>, limit: u32) -> Result<Vec<Taxed>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT account_id, taxed_balance_qirat, amount_qirat FROM tax_assessments
        ORDER BY tx_no DESC, account_id DESC LIMIT $1")
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    let taxed = |row: &Row| {
        let account_id = row.parse(0, "account id")?;
        Ok(Taxed { account_id, balance: row.amount(1)?, amount: row.amount(2)? })
    };
    rows.iter().map(taxed).collect()
}

/// When an account did not owe the tax, newest first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn skips(
    source: impl Into<Source<'_>>,
    account_id: &AccountId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Skip>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT x.account_id, t.command_id, x.tx_no, x.at_ms, x.code
        FROM tax_skips x JOIN transactions t ON t.tx_no = x.tx_no
        WHERE x.account_id = $1 AND x.tx_no < $2 ORDER BY x.tx_no DESC LIMIT $3")
    .bind(account_id)
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    let skip = |row: &Row| {
        Ok(Skip {
            account_id: row.parse(0, "account id")?,
            command_id: row.parse(1, "command id")?,
            cursor: row.int(2)?,
            at: row.time(3)?,
            code: row.named(4, "refusal")?,
        })
    };
    rows.iter().map(skip).collect()
}
