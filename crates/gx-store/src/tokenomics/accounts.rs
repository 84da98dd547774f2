//! Accounts and balances as of the last applied block.

use std::collections::HashMap;

use gx_contract::GenesisStatus;
use gx_contract::freezing::FreezeReasons;
use gx_contract::state::AccountKind;
use gx_types::{AccountId, AccountType, Amount, CountryCode, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::columns::{frozen_from, genesis_from, kind_from};
use crate::numbering::{PLACES, block_of};
use crate::projection::checkpoint::{self, Position};
use crate::sql::{Conn, Row, int, sql};
use crate::{Error, Source, dialect};

/// An account of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub account_id: AccountId,
    pub kind: AccountKind,
    /// Absent for pools.
    pub country: Option<CountryCode>,
    pub account_type: AccountType,
    pub balance: Amount,
    /// Why the account is frozen, if it is.
    pub frozen: FreezeReasons,
    /// Present for users.
    pub genesis: Option<GenesisStatus>,
    /// What a pool held after bootstrap.
    pub cap: Option<Amount>,
    /// Entries of its history.
    pub entries: u64,
    /// The last block that changed its balance; `None` when none has.
    pub changed_block: Option<u64>,
    pub created_block: u64,
    pub created_at: TimeMs,
}

/// What a balance request needs, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    pub balance: Amount,
    pub frozen: FreezeReasons,
    /// The last block that changed it; `None` when none has.
    pub changed_block: Option<u64>,
}

const COLUMNS: &str = "a.account_id, a.kind, a.country, a.account_type, b.balance_qirat, a.frozen, \
    a.genesis, a.genesis_phase, a.genesis_qirat, a.cap_qirat, b.entry_count, b.last_entry, \
    a.created_tx, k.at_ms";

fn account(row: &Row) -> Result<Account, Error> {
    Ok(Account {
        account_id: row.parse(0, "account id")?,
        kind: kind_from(row.text(1)?)?,
        country: row.opt_parse(2, "country")?,
        account_type: row.parse(3, "account type")?,
        balance: row.amount(4)?,
        frozen: frozen_from(row.opt_text(5)?)?,
        genesis: genesis_from(row, 6)?,
        cap: row.opt_amount(9)?,
        entries: row.natural(10)?,
        changed_block: changed(row.int(11)?),
        created_block: block_of(row.int(12)?),
        created_at: row.time(13)?,
    })
}

fn changed(last_entry: i64) -> Option<u64> {
    (last_entry != 0).then(|| block_of(last_entry))
}

/// The account with this id.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    account_id: &AccountId,
) -> Result<Option<Account>, Error> {
    let mut reader = source.into().open().await?;
    sql(format!(
        "SELECT {COLUMNS} FROM accounts a
        JOIN balances b ON b.account_no = a.account_no
        JOIN blocks k ON k.number = a.created_tx >> 24
        WHERE a.account_id = $1"
    ))
    .bind(account_id.as_str())
    .optional(&mut reader.conn())
    .await?
    .as_ref()
    .map(account)
    .transpose()
}

/// The accounts with these ids, in their order.
///
/// # Errors
/// Those of the database.
pub async fn get_many(
    source: impl Into<Source<'_>>,
    account_ids: &[AccountId],
) -> Result<Vec<Option<Account>>, Error> {
    let mut reader = source.into().open().await?;
    let rows = Bulk::new(
        "WITH input (account_id) AS ({rows})
        SELECT a.account_id, a.kind, a.country, a.account_type, b.balance_qirat, a.frozen,
            a.genesis, a.genesis_phase, a.genesis_qirat, a.cap_qirat, b.entry_count, b.last_entry,
            a.created_tx, k.at_ms
        FROM input i JOIN accounts a ON a.account_id = i.account_id
        JOIN balances b ON b.account_no = a.account_no
        JOIN blocks k ON k.number = a.created_tx >> 24",
        ids(account_ids),
    )
    .all(&mut reader.conn())
    .await?;
    let found = rows
        .iter()
        .map(|row| account(row).map(|account| (account.account_id, account)))
        .collect::<Result<HashMap<_, _>, _>>()?;
    Ok(account_ids.iter().map(|id| found.get(id).cloned()).collect())
}

fn ids(account_ids: &[AccountId]) -> Vec<Column<'_>> {
    vec![Column::Text(account_ids.iter().map(|id| id.as_str().into()).collect())]
}

/// The balances of these accounts, in their order, and where the read models stood then. An id may
/// be there several times. When none of the accounts is there, the position is that of empty read
/// models.
///
/// # Errors
/// Those of the database.
pub async fn balances(
    source: impl Into<Source<'_>>,
    account_ids: &[AccountId],
) -> Result<(Vec<Option<Balance>>, Position), Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let (position, joins) = (checkpoint::COLUMNS, checkpoint::JOINS);
    let text = format!(
        "WITH input (account_id) AS ({{rows}})
        SELECT a.account_id, b.balance_qirat, a.frozen, b.last_entry, {position}
        FROM input i JOIN accounts a ON a.account_id = i.account_id
        JOIN balances b ON b.account_no = a.account_no {joins}"
    );
    let rows =
        Bulk::new(dialect::now(conn.engine(), &text), ids(account_ids)).all(&mut conn).await?;
    let position = rows.first().map(|row| checkpoint::read(row, 4)).transpose()?;
    let mut found: HashMap<&str, Balance> = HashMap::with_capacity(rows.len());
    for row in &rows {
        let balance = Balance {
            balance: row.amount(1)?,
            frozen: frozen_from(row.opt_text(2)?)?,
            changed_block: changed(row.int(3)?),
        };
        found.insert(row.text(0)?, balance);
    }
    let balances = account_ids.iter().map(|id| found.get(id.as_str()).copied()).collect();
    Ok((balances, position.unwrap_or_default()))
}

/// The balance of an account after a block, from its history. Zero before its first entry, `None`
/// for an account that was not there yet or is not known.
///
/// # Errors
/// Those of the database.
pub async fn balance_at(
    source: impl Into<Source<'_>>,
    account_id: &AccountId,
    block: u64,
) -> Result<Option<Amount>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let end = (int(block)?.saturating_add(1)).saturating_mul(PLACES);
    let row = sql("SELECT account_no FROM accounts WHERE account_id = $1 AND created_tx < $2")
        .bind(account_id.as_str())
        .bind(end)
        .optional(&mut conn)
        .await?;
    let Some(account_no) = row.map(|row| row.int(0)).transpose()? else {
        return Ok(None);
    };
    let start = super::history::start_below(&mut conn, account_no, end).await?;
    let row = sql("WITH RECURSIVE walk (entry_no, balance_qirat, prev_entry) AS (
            SELECT entry_no, balance_qirat, prev_entry FROM entries WHERE entry_no = $1
            UNION ALL
            SELECT e.entry_no, e.balance_qirat, e.prev_entry
            FROM walk w JOIN entries e ON e.entry_no = w.prev_entry
            WHERE w.entry_no >= $2)
        SELECT balance_qirat FROM walk WHERE entry_no < $2")
    .bind(start)
    .bind(end)
    .optional(&mut conn)
    .await?;
    Ok(Some(row.map(|row| row.amount(0)).transpose()?.unwrap_or_default()))
}

/// Accounts in the order of their ids, those after `after`.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    after: Option<&AccountId>,
    limit: u32,
) -> Result<Vec<Account>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM accounts a
        JOIN balances b ON b.account_no = a.account_no
        JOIN blocks k ON k.number = a.created_tx >> 24
        WHERE a.account_id > $1 ORDER BY a.account_id LIMIT $2"
    ))
    .bind(after.map_or("", AccountId::as_str))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(account).collect()
}

/// The number of an account in the read models.
pub(crate) async fn number_of(
    conn: &mut Conn<'_>,
    account_id: &AccountId,
) -> Result<Option<i64>, Error> {
    sql("SELECT account_no FROM accounts WHERE account_id = $1")
        .bind(account_id.as_str())
        .optional(conn)
        .await?
        .map(|row| row.int(0))
        .transpose()
}
