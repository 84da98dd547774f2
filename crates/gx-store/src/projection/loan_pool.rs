//! Loans from the application to the last repayment, or to the default.

use gx_contract::loan_pool::{
    LoanApplied, LoanApproved, LoanDefaulted, LoanRejected, LoanRepaid, LoanState,
};
use gx_types::{LoanId, Pool, TimeMs};

use crate::Error;
use crate::projection::identity::trust;
use crate::projection::state::{At, Projection, qirat};
use crate::projection::tokenomics::between;
use crate::sql::{name_of, sql};
use crate::tokenomics::history::EntryKind;

pub(super) fn applied(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &LoanApplied,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO loans (loan_id, borrower_id, amount_qirat, outstanding_qirat,
            collateral_hash, duration_days, purpose, state, applied_at_ms, lapses_at_ms, created_tx)
        VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10)")
    .bind(event.loan_id.to_string())
    .bind(&event.borrower_id)
    .bind(qirat(at, event.amount)?)
    .bind(event.collateral_hash.to_string())
    .bind(event.duration_days)
    .bind(event.purpose.as_str())
    .bind(name_of(&LoanState::PendingApproval))
    .bind(at.time())
    .bind(event.lapses_at)
    .bind(at.tx_no);
    projection.write(at, statement);
    Ok(())
}

/// What is owed is paid out in the same command.
pub(super) fn approved<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b LoanApproved,
) -> Result<(), Error> {
    let pool = Pool::Loan.account();
    let sides = [&pool, &event.borrower_id];
    between(projection, at, EntryKind::Loan, sides, None, &event.postings)?;
    let statement = sql("UPDATE loans SET state = $1, outstanding_qirat = $2, approved_at_ms = $3,
            due_at_ms = $4, decided_by = $5
        WHERE loan_id = $6 AND decided_by IS NULL")
    .bind(name_of(&LoanState::Active))
    .bind(qirat(at, event.amount)?)
    .bind(at.time())
    .bind(event.due_at)
    .bind(event.approved_by.to_string())
    .bind(event.loan_id.to_string());
    projection.update(at, statement);
    Ok(())
}

pub(super) fn rejected(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &LoanRejected,
) -> Result<(), Error> {
    let statement = sql("UPDATE loans SET state = $1, closed_at_ms = $2, decided_by = $3,
            reject_reason = $4
        WHERE loan_id = $5 AND decided_by IS NULL")
    .bind(name_of(&LoanState::Rejected))
    .bind(at.time())
    .bind(event.rejected_by.to_string())
    .bind(event.reason.as_str())
    .bind(event.loan_id.to_string());
    projection.update(at, statement);
    Ok(())
}

/// An application that ended without an admin.
pub(super) fn ended(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    loan_id: LoanId,
    state: LoanState,
) -> Result<(), Error> {
    let statement = sql("UPDATE loans SET state = $1, closed_at_ms = $2
        WHERE loan_id = $3 AND decided_by IS NULL AND closed_at_ms IS NULL")
    .bind(name_of(&state))
    .bind(at.time())
    .bind(loan_id.to_string());
    projection.update(at, statement);
    Ok(())
}

/// A loan that has failed can still be repaid, and stays one that has failed.
pub(super) fn repaid<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b LoanRepaid,
) -> Result<(), Error> {
    let pool = Pool::Loan.account();
    let sides = [&pool, &event.paid_by];
    between(projection, at, EntryKind::Repayment, sides, None, &event.postings)?;
    let closed_at: Option<TimeMs> = event.outstanding.is_zero().then_some(at.time());
    let outstanding = qirat(at, event.outstanding)?;
    let statement = sql("UPDATE loans SET state = $1, outstanding_qirat = $2, closed_at_ms = $3
        WHERE loan_id = $4")
    .bind(name_of(&event.state))
    .bind(outstanding)
    .bind(closed_at)
    .bind(event.loan_id.to_string());
    projection.update(at, statement);
    let statement = sql("INSERT INTO loan_repayments (loan_id, tx_no, paid_by, amount_qirat,
            outstanding_qirat, at_ms)
        VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(event.loan_id.to_string())
    .bind(at.tx_no)
    .bind(&event.paid_by)
    .bind(qirat(at, event.amount)?)
    .bind(outstanding)
    .bind(at.time());
    projection.write(at, statement);
    trust(projection, at, &event.trust);
    Ok(())
}

pub(super) fn defaulted(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &LoanDefaulted,
) -> Result<(), Error> {
    let statement = sql("UPDATE loans SET state = $1 WHERE loan_id = $2")
        .bind(name_of(&LoanState::Defaulted))
        .bind(event.loan_id.to_string());
    projection.update(at, statement);
    trust(projection, at, [&event.trust]);
    Ok(())
}
