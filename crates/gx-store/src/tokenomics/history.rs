//! Histories of accounts, newest first.
//!
//! An account's entries are linked from the newest to the oldest; reading walks that list. Marks at
//! every 256th entry let a walk begin in the middle, so that an old page of a long history costs as
//! much as the newest one.

use std::str::FromStr;

use gx_types::{AccountId, Amount, CommandId, TimeMs};

use crate::numbering::{MARK_EVERY, PLACES, block_of};
use crate::sql::{Conn, Row, int, sql};
use crate::tokenomics::accounts::number_of;
use crate::{Error, Source};

/// What kind of movement an entry is, seen from its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Coins created by bootstrap.
    Supply,
    /// A payment made, its fee included.
    Sent,
    /// A payment received.
    Received,
    /// Fees taken in, those of a block together; the command is the last one that paid one.
    Fee,
    /// Coins released by genesis.
    Genesis,
    /// Coins that admins have paid out of a pool.
    Disbursement,
    /// Coins moved by the order of a court or for an estate.
    Order,
    /// A loan that was paid out.
    Loan,
    /// A loan, or a part of it, that was paid back.
    Repayment,
    /// Coins that went into escrow or came out of it.
    Escrow,
    /// Velocity tax, taken or received.
    Tax,
}

impl EntryKind {
    pub const ALL: [Self; 11] = [
        Self::Supply,
        Self::Sent,
        Self::Received,
        Self::Fee,
        Self::Genesis,
        Self::Disbursement,
        Self::Order,
        Self::Loan,
        Self::Repayment,
        Self::Escrow,
        Self::Tax,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supply => "SUPPLY",
            Self::Sent => "SENT",
            Self::Received => "RECEIVED",
            Self::Fee => "FEE",
            Self::Genesis => "GENESIS",
            Self::Disbursement => "DISBURSEMENT",
            Self::Order => "ORDER",
            Self::Loan => "LOAN",
            Self::Repayment => "REPAYMENT",
            Self::Escrow => "ESCROW",
            Self::Tax => "TAX",
        }
    }
}

impl FromStr for EntryKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no kind of entry"))
    }
}

/// A line of an account's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number of the entry, larger than that of any earlier one. The cursor of a page.
    pub entry: i64,
    pub kind: EntryKind,
    pub command_id: CommandId,
    pub block: u64,
    /// The block's time.
    pub at: TimeMs,
    /// The other side, when there is one.
    pub counterparty: Option<AccountId>,
    /// Signed change of the balance in Qirat.
    pub change_qirat: i64,
    /// Without the fee: what the other side got or gave.
    pub amount: Amount,
    /// Paid on top by this account.
    pub fee: Amount,
    /// Balance afterwards.
    pub balance: Amount,
    pub remark: Option<String>,
}

/// Which entries to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Entries of one of these kinds; of any when there are none.
    pub kinds: Vec<EntryKind>,
    pub counterparty: Option<AccountId>,
    /// Not before this time.
    pub from: Option<TimeMs>,
    /// Before this time.
    pub to: Option<TimeMs>,
    /// Nothing of later blocks.
    pub as_of_block: Option<u64>,
}

impl Filter {
    /// Whether entries between two that fit may be left out.
    fn is_sparse(&self) -> bool {
        !self.kinds.is_empty() || self.counterparty.is_some()
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// With the newest entry.
    Newest,
    /// After the entry that ended the page before.
    After(i64),
    /// After so many entries, for clients that count pages. It counts entries of every kind.
    Offset(u64),
}

/// A page of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` at the end. A filtered page may be short, even empty,
    /// and have a next one: a page looks at a bounded number of entries.
    pub next: Option<i64>,
    /// Entries of the account in all, of every kind and time.
    pub total: u64,
}

/// Entries that a page looks at, at most.
const LOOKED_AT: i64 = 5_000;

/// A page of an account's history. `None` when the account is not known.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    account_id: &AccountId,
    filter: &Filter,
    place: Place,
    limit: u32,
) -> Result<Option<Page>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let row = sql("SELECT a.account_no, b.last_entry, b.entry_count
        FROM accounts a JOIN balances b ON b.account_no = a.account_no WHERE a.account_id = $1")
    .bind(account_id.as_str())
    .optional(&mut conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (account_no, newest, total) = (row.int(0)?, row.int(1)?, row.natural(2)?);
    let none = Page { entries: Vec::new(), next: None, total };
    let counterparty_no = match &filter.counterparty {
        Some(id) => match number_of(&mut conn, id).await? {
            Some(number) => Some(number),
            None => return Ok(Some(none)),
        },
        None => None,
    };
    let head = Head { account_no, newest, total };
    let end = end_of(&mut conn, filter, place).await?;
    let start = start_of(&mut conn, head, place, end).await?;
    let first = first_of(&mut conn, filter).await?;
    let walk = Walk { start, first, end, limit: i64::from(limit), counterparty_no };
    let rows = walk.run(&mut conn, filter).await?;
    let entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let full = entries.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = if full {
        entries.last().map(|entry| entry.entry)
    } else if filter.is_sparse() {
        walk.last_looked_at(&mut conn, filter).await?
    } else {
        None
    };
    Ok(Some(Page { entries, next, total }))
}

/// The account whose history is read.
#[derive(Debug, Clone, Copy)]
struct Head {
    account_no: i64,
    newest: i64,
    total: u64,
}

/// The number below which entries are read: that of the cursor, the block or the time.
async fn end_of(conn: &mut Conn<'_>, filter: &Filter, place: Place) -> Result<i64, Error> {
    let mut end = i64::MAX;
    if let Place::After(entry) = place {
        end = end.min(entry);
    }
    if let Some(block) = filter.as_of_block {
        end = end.min(int(block)?.saturating_add(1).saturating_mul(PLACES));
    }
    if let Some(to) = filter.to
        && let Some(block) = first_block_since(conn, to).await?
    {
        end = end.min(block.saturating_mul(PLACES));
    }
    Ok(end)
}

/// The number from which on entries are read.
async fn first_of(conn: &mut Conn<'_>, filter: &Filter) -> Result<i64, Error> {
    match filter.from {
        None => Ok(0),
        Some(from) => Ok(match first_block_since(conn, from).await? {
            Some(block) => block.saturating_mul(PLACES),
            None => i64::MAX,
        }),
    }
}

/// The first block at or after a time, by halving: the times of blocks never decrease.
pub(crate) async fn first_block_since(
    conn: &mut Conn<'_>,
    time: TimeMs,
) -> Result<Option<i64>, Error> {
    let row = sql("SELECT MIN(number), MAX(number) FROM blocks").one(conn).await?;
    let (Some(mut low), Some(last)) = (row.opt_int(0)?, row.opt_int(1)?) else {
        return Ok(None);
    };
    let mut high = last.saturating_add(1);
    while low < high {
        let middle = low.midpoint(high);
        let row =
            sql("SELECT at_ms FROM blocks WHERE number = $1").bind(middle).optional(conn).await?;
        if row.map(|row| row.time(0)).transpose()?.is_some_and(|at| at < time) {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    Ok((low <= last).then_some(low))
}

/// Where a walk begins.
#[derive(Debug, Clone, Copy)]
struct Start {
    entry: i64,
    /// Entries to pass before the first wanted one.
    skip: i64,
    /// Further entries, at most, that lie before the first wanted one.
    slack: i64,
}

impl Start {
    fn exactly(entry: i64) -> Self {
        Self { entry, skip: 0, slack: 0 }
    }
}

async fn start_of(conn: &mut Conn<'_>, head: Head, place: Place, end: i64) -> Result<Start, Error> {
    if end > head.newest && !matches!(place, Place::Offset(_)) {
        return Ok(Start::exactly(head.newest));
    }
    match place {
        Place::Offset(offset) => start_at(conn, head, offset).await,
        Place::After(entry) if entry == end => {
            let prev =
                sql("SELECT prev_entry FROM entries WHERE entry_no = $1 AND account_no = $2")
                    .bind(entry)
                    .bind(head.account_no)
                    .optional(conn)
                    .await?;
            match prev {
                Some(prev) => Ok(Start::exactly(prev.int(0)?)),
                None => mark_below(conn, head.account_no, end).await,
            }
        }
        Place::Newest | Place::After(_) => mark_below(conn, head.account_no, end).await,
    }
}

async fn mark_below(conn: &mut Conn<'_>, account_no: i64, end: i64) -> Result<Start, Error> {
    let entry = start_below(conn, account_no, end).await?;
    Ok(Start { entry, skip: 0, slack: MARK_EVERY })
}

/// The start after `offset` entries, from the nearest mark at or above it.
async fn start_at(conn: &mut Conn<'_>, head: Head, offset: u64) -> Result<Start, Error> {
    let Some(ordinal) = head.total.checked_sub(offset) else { return Ok(Start::exactly(0)) };
    let (ordinal, total) = (int(ordinal)?, int(head.total)?);
    let mark = ordinal.saturating_add(MARK_EVERY - 1).div_euclid(MARK_EVERY);
    let marked = mark.saturating_mul(MARK_EVERY);
    if mark > 0 && marked < total {
        let row = sql("SELECT entry_no FROM entry_marks WHERE account_no = $1
            ORDER BY entry_no LIMIT 1 OFFSET $2")
        .bind(head.account_no)
        .bind(mark.saturating_sub(1))
        .optional(conn)
        .await?;
        if let Some(row) = row {
            let skip = marked.saturating_sub(ordinal);
            return Ok(Start { entry: row.int(0)?, skip, slack: 0 });
        }
    }
    Ok(Start { entry: head.newest, skip: total.saturating_sub(ordinal), slack: 0 })
}

/// An entry of the account from which entries below `end` are at most 256 steps away.
pub(crate) async fn start_below(
    conn: &mut Conn<'_>,
    account_no: i64,
    end: i64,
) -> Result<i64, Error> {
    let mark =
        sql("SELECT MIN(entry_no) FROM entry_marks WHERE account_no = $1 AND entry_no >= $2")
            .bind(account_no)
            .bind(end)
            .one(conn)
            .await?
            .opt_int(0)?;
    if let Some(mark) = mark {
        return Ok(mark);
    }
    sql("SELECT last_entry FROM balances WHERE account_no = $1")
        .bind(account_no)
        .one(conn)
        .await?
        .int(0)
}

/// A walk along an account's list.
#[derive(Debug, Clone, Copy)]
struct Walk {
    start: Start,
    /// Entries from this number on.
    first: i64,
    /// Entries below this number.
    end: i64,
    limit: i64,
    counterparty_no: Option<i64>,
}

impl Walk {
    /// Steps to take at most: those to the first wanted entry, and those to look at. Without a
    /// filter every entry that is looked at is wanted.
    fn steps(&self, filter: &Filter) -> i64 {
        let looked_at = if filter.is_sparse() { LOOKED_AT } else { self.limit };
        self.start.skip.saturating_add(self.start.slack).saturating_add(looked_at)
    }

    async fn run(&self, conn: &mut Conn<'_>, filter: &Filter) -> Result<Vec<Row>, Error> {
        // The names are this crate's own; one text holds them all, each between two bars.
        let bar = |sum: String, kind: &EntryKind| sum + kind.as_str() + "|";
        let kinds = match filter.kinds.as_slice() {
            [] => String::new(),
            kinds => kinds.iter().fold("|".to_owned(), bar),
        };
        sql("WITH RECURSIVE walk (entry_no, step) AS (
                SELECT entry_no, CAST(0 AS BIGINT) FROM entries WHERE entry_no = $1
                UNION ALL
                SELECT e.prev_entry, w.step + 1
                FROM walk w JOIN entries e ON e.entry_no = w.entry_no
                WHERE e.prev_entry >= $3 AND e.prev_entry > 0 AND w.step < $7)
            SELECT e.entry_no, e.kind, t.command_id, k.at_ms, c.account_id, e.change_qirat,
                e.fee_qirat, e.balance_qirat, e.remark
            FROM walk w JOIN entries e ON e.entry_no = w.entry_no
            JOIN transactions t ON t.tx_no = e.tx_no
            JOIN blocks k ON k.number = e.entry_no >> 24
            LEFT JOIN accounts c ON c.account_no = e.counterparty_no
            WHERE w.step >= $2 AND e.entry_no >= $3 AND e.entry_no < $4
                AND ($5 = '' OR REPLACE($5, '|' || e.kind || '|', '') <> $5)
                AND ($6 = 0 OR e.counterparty_no = $6)
            ORDER BY e.entry_no DESC LIMIT $8")
        .bind(self.start.entry)
        .bind(self.start.skip)
        .bind(self.first)
        .bind(self.end)
        .bind(kinds)
        .bind(self.counterparty_no.unwrap_or(0))
        .bind(self.steps(filter))
        .bind(self.limit)
        .all(conn)
        .await
    }

    /// Where a walk over few fitting entries stopped looking; `None` at the end of the list.
    async fn last_looked_at(
        &self,
        conn: &mut Conn<'_>,
        filter: &Filter,
    ) -> Result<Option<i64>, Error> {
        let row = sql("WITH RECURSIVE walk (entry_no, step) AS (
                SELECT entry_no, CAST(0 AS BIGINT) FROM entries WHERE entry_no = $1
                UNION ALL
                SELECT e.prev_entry, w.step + 1
                FROM walk w JOIN entries e ON e.entry_no = w.entry_no
                WHERE e.prev_entry >= $2 AND e.prev_entry > 0 AND w.step < $3)
            SELECT entry_no FROM walk WHERE step = $3")
        .bind(self.start.entry)
        .bind(self.first)
        .bind(self.steps(filter))
        .optional(conn)
        .await?;
        row.map(|row| row.int(0)).transpose()
    }
}

fn entry(row: &Row) -> Result<Entry, Error> {
    let number = row.int(0)?;
    let (change_qirat, fee) = (row.int(5)?, row.amount(6)?);
    let moved = Amount::from_qirat(change_qirat.unsigned_abs());
    Ok(Entry {
        entry: number,
        kind: row.parse(1, "kind of entry")?,
        command_id: row.parse(2, "command id")?,
        block: block_of(number),
        at: row.time(3)?,
        counterparty: row.opt_parse(4, "account id")?,
        change_qirat,
        amount: moved.checked_sub(fee).unwrap_or(moved),
        fee,
        balance: row.amount(7)?,
        remark: row.opt_string(8)?,
    })
}
