//! Loans: by id, of a borrower, by state; their repayments, and a borrower's books.

use gx_contract::loan_pool::{CollateralHash, LoanState};
use gx_types::{AccountId, Actor, Amount, CommandId, LoanId, TimeMs};

use crate::numbering::block_of;
use crate::sql::{Row, name_of, sql};
use crate::{Error, Source};

/// A loan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loan {
    pub loan_id: LoanId,
    pub borrower_id: AccountId,
    pub amount: Amount,
    /// What is still owed; zero before it is paid out.
    pub outstanding: Amount,
    pub collateral_hash: CollateralHash,
    pub duration_days: u32,
    pub purpose: String,
    pub state: LoanState,
    pub applied_at: TimeMs,
    /// When the application lapses, or did: the row says so once its borrower applies again.
    pub lapses_at: TimeMs,
    /// When it was paid out, and when it is due.
    pub term: Option<(TimeMs, TimeMs)>,
    /// Who has approved or rejected it.
    pub decided_by: Option<Actor>,
    pub reject_reason: Option<String>,
    /// When it was rejected or taken back, made room for another, or nothing was owed any more.
    pub closed_at: Option<TimeMs>,
    /// The cursor of a page: larger for what was applied for later.
    pub cursor: i64,
}

/// A part of a loan that was paid back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repayment {
    pub command_id: CommandId,
    pub block: u64,
    pub at: TimeMs,
    pub amount: Amount,
    /// What was still owed then.
    pub outstanding: Amount,
    /// The borrower, or whoever paid for them.
    pub paid_by: AccountId,
}

/// What a borrower owes, and how often loans have failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Books {
    /// Loans that were applied for or are owed.
    pub open: u32,
    /// Sum of what these loans are for, or what is left of it.
    pub outstanding: Amount,
    pub defaults: u32,
}

const COLUMNS: &str = "loan_id, borrower_id, amount_qirat, outstanding_qirat, collateral_hash, \
    duration_days, purpose, state, applied_at_ms, approved_at_ms, due_at_ms, decided_by, \
    reject_reason, closed_at_ms, created_tx, lapses_at_ms";

fn loan(row: &Row) -> Result<Loan, Error> {
    Ok(Loan {
        loan_id: row.parse(0, "loan id")?,
        borrower_id: row.parse(1, "account id")?,
        amount: row.amount(2)?,
        outstanding: row.amount(3)?,
        collateral_hash: row.parse(4, "collateral hash")?,
        duration_days: row.small(5)?,
        purpose: row.string(6)?,
        state: row.named(7, "state of a loan")?,
        applied_at: row.time(8)?,
        lapses_at: row.time(15)?,
        term: row.opt_time(9)?.zip(row.opt_time(10)?),
        decided_by: row.opt_parse(11, "actor")?,
        reject_reason: row.opt_string(12)?,
        closed_at: row.opt_time(13)?,
        cursor: row.int(14)?,
    })
}

/// The loan with this id.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, id: LoanId) -> Result<Option<Loan>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM loans WHERE loan_id = $1"))
        .bind(id.to_string())
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(loan).transpose()
}

/// Loans of a borrower, of one state or of any, newest first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn of_borrower(
    source: impl Into<Source<'_>>,
    borrower_id: &AccountId,
    state: Option<LoanState>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Loan>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM loans
        WHERE borrower_id = $1 AND created_tx < $2 AND ($3 = '' OR state = $3)
        ORDER BY created_tx DESC LIMIT $4"
    ))
    .bind(borrower_id)
    .bind(before.unwrap_or(i64::MAX))
    .bind(state.map(|state| name_of(&state)).unwrap_or_default())
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(loan).collect()
}

/// Loans of a state in the order in which they were applied for, those after the cursor: the queue
/// of those that wait for an admin, for one.
///
/// # Errors
/// Those of the database.
pub async fn queue(
    source: impl Into<Source<'_>>,
    state: LoanState,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Loan>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM loans WHERE state = $1 AND created_tx > $2
        ORDER BY created_tx LIMIT $3"
    ))
    .bind(name_of(&state))
    .bind(after.unwrap_or(-1))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(loan).collect()
}

/// Applications that can still be decided on, in their order, those after the cursor.
///
/// # Errors
/// Those of the database.
pub async fn undecided(
    source: impl Into<Source<'_>>,
    now: TimeMs,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Loan>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM loans WHERE state = $1 AND created_tx > $2 AND lapses_at_ms > $3
        ORDER BY created_tx LIMIT $4"
    ))
    .bind(name_of(&LoanState::PendingApproval))
    .bind(after.unwrap_or(-1))
    .bind(now)
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(loan).collect()
}

/// Loans that were due before a time and are neither repaid nor given up, oldest application first,
/// those after the cursor.
///
/// # Errors
/// Those of the database.
pub async fn overdue(
    source: impl Into<Source<'_>>,
    before: TimeMs,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Loan>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM loans WHERE state = $1 AND created_tx > $2 AND due_at_ms < $3
        ORDER BY created_tx LIMIT $4"
    ))
    .bind(name_of(&LoanState::Active))
    .bind(after.unwrap_or(-1))
    .bind(before)
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(loan).collect()
}

/// What was paid back of a loan, oldest first, at most `limit` parts after the cursor. The number
/// beside a repayment is its cursor.
///
/// # Errors
/// Those of the database.
pub async fn repayments(
    source: impl Into<Source<'_>>,
    id: LoanId,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, Repayment)>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT r.tx_no, t.command_id, r.at_ms, r.amount_qirat, r.outstanding_qirat,
            r.paid_by
        FROM loan_repayments r JOIN transactions t ON t.tx_no = r.tx_no
        WHERE r.loan_id = $1 AND r.tx_no > $2 ORDER BY r.tx_no LIMIT $3")
    .bind(id.to_string())
    .bind(after.unwrap_or(-1))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    let repayment = |row: &Row| {
        let tx_no = row.int(0)?;
        let repayment = Repayment {
            command_id: row.parse(1, "command id")?,
            block: block_of(tx_no),
            at: row.time(2)?,
            amount: row.amount(3)?,
            outstanding: row.amount(4)?,
            paid_by: row.parse(5, "account id")?,
        };
        Ok((tx_no, repayment))
    };
    rows.iter().map(repayment).collect()
}

/// A borrower's books, which the limits of further loans are checked against.
///
/// # Errors
/// Those of the database.
pub async fn books(source: impl Into<Source<'_>>, borrower_id: &AccountId) -> Result<Books, Error> {
    let mut reader = source.into().open().await?;
    // A loan that has failed stays owed, and is open until nothing is.
    let row = sql("SELECT
            COUNT(CASE WHEN closed_at_ms IS NULL THEN 1 END),
            CAST(COALESCE(SUM(CASE WHEN closed_at_ms IS NOT NULL THEN 0
                WHEN state = $2 THEN amount_qirat ELSE outstanding_qirat END), 0) AS BIGINT),
            COUNT(CASE WHEN state = $3 THEN 1 END)
        FROM loans WHERE borrower_id = $1")
    .bind(borrower_id)
    .bind(name_of(&LoanState::PendingApproval))
    .bind(name_of(&LoanState::Defaulted))
    .one(&mut reader.conn())
    .await?;
    Ok(Books { open: row.small(0)?, outstanding: row.amount(1)?, defaults: row.small(2)? })
}
