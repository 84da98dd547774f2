//! Where the supply is, and the state of the system as a whole.

use gx_types::{AdminId, Amount, Pool, TimeMs};

use crate::sql::sql;
use crate::{Error, Source};

/// A pool and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolBalance {
    pub pool: Pool,
    /// Balance after bootstrap.
    pub cap: Amount,
    pub balance: Amount,
    /// What admins have paid out of it since bootstrap.
    pub disbursed: Amount,
}

/// What the figures of the supply are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supply {
    /// All pools, in the order of [`Pool::ALL`].
    pub pools: Vec<PoolBalance>,
    /// What the countries' treasuries hold together.
    pub treasuries: Amount,
    /// The part of it that is locked, and so does not circulate.
    pub locked_treasuries: Amount,
}

/// The state of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    pub bootstrapped_at: TimeMs,
    pub first_super_admin: AdminId,
    /// Since when and why, while the system is paused.
    pub paused: Option<(TimeMs, String)>,
    pub countries: u64,
    /// Parts per 100,000,000; the set of countries is complete when it is all of them.
    pub total_weight: u64,
}

/// Where the supply is. `None` before bootstrap.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>) -> Result<Option<Supply>, Error> {
    let mut reader = source.into().open().await?;
    // One statement, so that no block comes between pools and treasuries. The pools were the first
    // accounts, made by one command.
    let rows = sql("SELECT a.account_id, a.cap_qirat, b.balance_qirat,
            (SELECT CAST(COALESCE(SUM(d.amount_qirat), 0) AS BIGINT) FROM disbursements d
                WHERE d.pool_id = a.account_id)
        FROM accounts a JOIN balances b ON b.account_no = a.account_no
        WHERE a.account_no <= $1 AND a.kind = 'POOL'
        UNION ALL
        SELECT '', 0, CAST(COALESCE(SUM(b.balance_qirat), 0) AS BIGINT),
            CAST(COALESCE(SUM(CASE WHEN t.country IS NULL THEN b.balance_qirat ELSE 0 END), 0)
                AS BIGINT)
        FROM countries c JOIN accounts a ON a.account_id = 'treasury_' || c.code
        JOIN balances b ON b.account_no = a.account_no
        LEFT JOIN treasuries t ON t.country = c.code")
    .bind(i64::try_from(Pool::ALL.len()).unwrap_or(i64::MAX))
    .all(&mut reader.conn())
    .await?;
    let mut supply = Supply {
        pools: Vec::with_capacity(Pool::ALL.len()),
        treasuries: Amount::ZERO,
        locked_treasuries: Amount::ZERO,
    };
    for row in &rows {
        if row.text(0)?.is_empty() {
            (supply.treasuries, supply.locked_treasuries) = (row.amount(2)?, row.amount(3)?);
        } else {
            let pool = row.parse(0, "pool")?;
            let (cap, balance, disbursed) = (row.amount(1)?, row.amount(2)?, row.amount(3)?);
            supply.pools.push(PoolBalance { pool, cap, balance, disbursed });
        }
    }
    supply.pools.sort_by_key(|row| row.pool);
    Ok((!supply.pools.is_empty()).then_some(supply))
}

/// The state of the system. `None` before bootstrap.
///
/// # Errors
/// Those of the database.
pub async fn system(source: impl Into<Source<'_>>) -> Result<Option<System>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT s.bootstrapped_at_ms, s.first_super_admin, s.paused_since_ms,
            s.pause_reason, (SELECT COUNT(*) FROM countries),
            (SELECT CAST(COALESCE(SUM(weight), 0) AS BIGINT) FROM countries)
        FROM system s WHERE s.id = 1")
    .optional(&mut reader.conn())
    .await?;
    row.map(|row| {
        Ok(System {
            bootstrapped_at: row.time(0)?,
            first_super_admin: row.parse(1, "admin id")?,
            paused: row.opt_time(2)?.zip(row.opt_string(3)?),
            countries: row.natural(4)?,
            total_weight: row.natural(5)?,
        })
    })
    .transpose()
}
