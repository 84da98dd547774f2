//! Payments of organizations and treasuries by multi-signature.

use gx_contract::organization::{
    ApprovalWithdrawn, MultiSigTxApproved, MultiSigTxCancelled, MultiSigTxDropped,
    MultiSigTxExecuted, MultiSigTxExecutionFailed, MultiSigTxInitiated, MultiSigTxRejected,
    MultiSigTxRejudged, PendingTxState,
};
use gx_types::{AccountId, PendingTxId};

use crate::Error;
use crate::columns::{APPROVED, REJECTED};
use crate::projection::state::{At, Projection, qirat};
use crate::projection::tokenomics::{Payment, payment};
use crate::sql::{name_of, sql};

pub(super) fn initiated(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &MultiSigTxInitiated,
) -> Result<(), Error> {
    let id = event.pending_tx_id.to_string();
    let statement = sql("INSERT INTO pending_transactions (pending_tx_id, org_id, from_id, to_id,
            amount_qirat, remark, required, state, initiated_by, initiated_at_ms, expires_at_ms,
            created_tx)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
    .bind(id.as_str())
    .bind(&event.org_id)
    .bind(&event.from)
    .bind(&event.to)
    .bind(qirat(at, event.amount)?)
    .bind(event.remark.as_str())
    .bind(event.required)
    .bind(name_of(&PendingTxState::Pending))
    .bind(&event.initiated_by)
    .bind(at.time())
    .bind(event.expires_at)
    .bind(at.tx_no);
    projection.write(at, statement);
    for (place, approver_id) in (0_i64..).zip(&event.approver_group) {
        let approved = event.approved_by.contains(approver_id);
        let statement =
            sql("INSERT INTO pending_transaction_approvers (pending_tx_id, approver_id,
                place, decision, decided_tx, created_tx)
            VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(id.as_str())
            .bind(approver_id)
            .bind(place)
            .bind(approved.then_some(APPROVED))
            .bind(approved.then_some(at.tx_no))
            .bind(at.tx_no);
        projection.write(at, statement);
    }
    Ok(())
}

fn decided(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    id: PendingTxId,
    approver_id: &AccountId,
    decision: &'static str,
) {
    let statement = sql("UPDATE pending_transaction_approvers SET decision = $1, decided_tx = $2
        WHERE pending_tx_id = $3 AND approver_id = $4 AND decision IS NULL")
    .bind(decision)
    .bind(at.tx_no)
    .bind(id.to_string())
    .bind(approver_id);
    projection.update(at, statement);
}

pub(super) fn approved(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &MultiSigTxApproved,
) -> Result<(), Error> {
    decided(projection, at, event.pending_tx_id, &event.approver_id, APPROVED);
    Ok(())
}

pub(super) fn rejected(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &MultiSigTxRejected,
) -> Result<(), Error> {
    decided(projection, at, event.pending_tx_id, &event.approver_id, REJECTED);
    match event.state {
        PendingTxState::Rejected => settled(projection, at, event.pending_tx_id, event.state),
        PendingTxState::Pending
        | PendingTxState::Executed
        | PendingTxState::ExecutionFailed
        | PendingTxState::Cancelled => {}
    }
    Ok(())
}

pub(super) fn withdrawn(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &ApprovalWithdrawn,
) -> Result<(), Error> {
    let statement =
        sql("UPDATE pending_transaction_approvers SET decision = NULL, decided_tx = NULL
        WHERE pending_tx_id = $1 AND approver_id = $2 AND decision = $3")
        .bind(event.pending_tx_id.to_string())
        .bind(&event.approver_id)
        .bind(APPROVED);
    projection.update(at, statement);
    Ok(())
}

/// Another rule decides on the payment: those of its group who have decided have done so before.
pub(super) fn rejudged(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &MultiSigTxRejudged,
) -> Result<(), Error> {
    let id = event.pending_tx_id.to_string();
    let statement = sql("UPDATE pending_transactions SET required = $1, state = $2, failure = NULL
        WHERE pending_tx_id = $3 AND settled_tx IS NULL")
    .bind(event.required)
    .bind(name_of(&PendingTxState::Pending))
    .bind(id.as_str());
    projection.update(at, statement);
    // A place that none of the new group has marks who is not of it.
    let statement =
        sql("UPDATE pending_transaction_approvers SET place = -1 WHERE pending_tx_id = $1")
            .bind(id.as_str());
    projection.write(at, statement);
    for (place, approver_id) in (0_i64..).zip(&event.approver_group) {
        let statement =
            sql("INSERT INTO pending_transaction_approvers (pending_tx_id, approver_id, place,
                created_tx)
            SELECT pending_tx_id, $1, $2, created_tx FROM pending_transactions
            WHERE pending_tx_id = $3
            ON CONFLICT (pending_tx_id, approver_id) DO UPDATE SET place = excluded.place")
            .bind(approver_id)
            .bind(place)
            .bind(id.as_str());
        projection.update(at, statement);
    }
    let statement = sql("DELETE FROM pending_transaction_approvers
        WHERE pending_tx_id = $1 AND place = -1")
    .bind(id.as_str());
    projection.write(at, statement);
    if event.state == PendingTxState::Rejected {
        settled(projection, at, event.pending_tx_id, event.state);
    }
    Ok(())
}

/// Nothing will come of the payment any more. Why it could not be paid before stays.
fn settled(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    id: PendingTxId,
    state: PendingTxState,
) {
    let statement = sql("UPDATE pending_transactions SET state = $1, settled_at_ms = $2,
            settled_tx = $3
        WHERE pending_tx_id = $4 AND settled_tx IS NULL")
    .bind(name_of(&state))
    .bind(at.time())
    .bind(at.tx_no)
    .bind(id.to_string());
    projection.update(at, statement);
}

pub(super) fn cancelled(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &MultiSigTxCancelled,
) -> Result<(), Error> {
    settled(projection, at, event.pending_tx_id, PendingTxState::Cancelled);
    Ok(())
}

pub(super) fn dropped(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &MultiSigTxDropped,
) -> Result<(), Error> {
    settled(projection, at, event.pending_tx_id, PendingTxState::Rejected);
    Ok(())
}

pub(super) fn executed<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b MultiSigTxExecuted,
) -> Result<(), Error> {
    let MultiSigTxExecuted { from, to, fee, remark, postings, .. } = event;
    payment(projection, at, Payment { from, to, fee: *fee, remark, postings })?;
    let statement = sql("UPDATE pending_transactions SET state = $1, failure = NULL,
            fee_qirat = $2, settled_at_ms = $3, settled_tx = $4
        WHERE pending_tx_id = $5 AND settled_tx IS NULL")
    .bind(name_of(&PendingTxState::Executed))
    .bind(qirat(at, *fee)?)
    .bind(at.time())
    .bind(at.tx_no)
    .bind(event.pending_tx_id.to_string());
    projection.update(at, statement);
    Ok(())
}

pub(super) fn failed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &MultiSigTxExecutionFailed,
) -> Result<(), Error> {
    let statement = sql("UPDATE pending_transactions SET state = $1, failure = $2
        WHERE pending_tx_id = $3 AND settled_tx IS NULL")
    .bind(name_of(&PendingTxState::ExecutionFailed))
    .bind(event.code.code())
    .bind(event.pending_tx_id.to_string());
    projection.update(at, statement);
    Ok(())
}
