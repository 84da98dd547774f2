//! Countries: their weights, genesis slots and treasuries.

use gx_types::{Amount, CountryCode};

use crate::sql::{Row, sql};
use crate::{Error, Source};

/// A country of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    pub code: CountryCode,
    /// Parts per 100,000,000.
    pub weight: u64,
    pub users: u64,
    /// Genesis slots by phase; zero until the set of countries is complete.
    pub slots: [u64; 6],
    pub slots_used: [u64; 6],
    pub treasury_balance: Amount,
}

const SELECT: &str = "SELECT c.code, c.weight, c.users, c.slots_1, c.slots_2, c.slots_3, \
    c.slots_4, c.slots_5, c.slots_6, c.used_1, c.used_2, c.used_3, c.used_4, c.used_5, c.used_6, \
    b.balance_qirat FROM countries c \
    JOIN accounts a ON a.account_id = 'treasury_' || c.code \
    JOIN balances b ON b.account_no = a.account_no";

fn country(row: &Row) -> Result<Country, Error> {
    let (mut slots, mut slots_used) = ([0; 6], [0; 6]);
    for (place, slot) in slots.iter_mut().chain(&mut slots_used).enumerate() {
        *slot = row.natural(3 + place)?;
    }
    Ok(Country {
        code: row.parse(0, "country")?,
        weight: row.natural(1)?,
        users: row.natural(2)?,
        slots,
        slots_used,
        treasury_balance: row.amount(15)?,
    })
}

/// All countries, in the order of their codes.
///
/// # Errors
/// Those of the database.
pub async fn all(source: impl Into<Source<'_>>) -> Result<Vec<Country>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!("{SELECT} ORDER BY c.code")).all(&mut reader.conn()).await?;
    rows.iter().map(country).collect()
}

/// One country.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    code: CountryCode,
) -> Result<Option<Country>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{SELECT} WHERE c.code = $1"))
        .bind(code.as_str())
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(country).transpose()
}
