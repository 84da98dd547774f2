//! Proposals, votes, and the parameters that they change.

use gx_contract::admin::{ParameterChangeCancelled, ParameterScheduled, SystemParameterUpdated};
use gx_contract::governance::{
    ProposalExecuted, ProposalFailed, ProposalFailure, ProposalSubmitted, VoteCast,
};
use gx_contract::params::ParameterValue;
use gx_types::{AdminId, ProposalId};

use crate::Error;
use crate::columns::{ACTIVE, EXECUTED, FAILED};
use crate::projection::rows::VoteRow;
use crate::projection::state::{At, Projection};
use crate::sql::{int, name_of, sql};

/// The parameter that says from which balance on the velocity tax is for.
pub(super) const TAX_THRESHOLD: &str = "velocityTaxThreshold";

const TAX_PERIOD: &str = "velocityTaxPeriodDays";

/// How a scheduled change ends that is not called off.
const TAKEN_EFFECT: &str = "TAKEN_EFFECT";

fn value(at: At<'_, '_>, value: ParameterValue) -> Result<i64, Error> {
    i64::try_from(value.get()).map_err(|_| at.stop(format!("{value} is more than can be")))
}

/// It holds from the next command on.
pub(super) fn parameter(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &SystemParameterUpdated,
) -> Result<(), Error> {
    let (change_no, new_value) = (int(event.changes)?, value(at, event.new_value)?);
    // A scheduled change is that of the approval, whichever command has carried it.
    let statement = sql("INSERT INTO parameter_changes (change_no, param_id, old_value, new_value,
            tx_no, at_ms)
        VALUES ($1, $2, $3, $4, COALESCE((SELECT s.tx_no FROM parameter_schedules s
            WHERE s.param_id = $2 AND s.ended_at_ms IS NULL), $5), $6)")
    .bind(change_no)
    .bind(event.param_id.id())
    .bind(value(at, event.old_value)?)
    .bind(new_value)
    .bind(at.tx_no)
    .bind(at.time());
    projection.write(at, statement);
    let statement = sql("INSERT INTO parameters (param_id, value, change_no, changed_at_ms)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (param_id) DO UPDATE SET value = excluded.value,
            change_no = excluded.change_no, changed_at_ms = excluded.changed_at_ms")
    .bind(event.param_id.id())
    .bind(new_value)
    .bind(change_no)
    .bind(at.time());
    projection.write(at, statement);
    let statement = sql("UPDATE parameter_schedules SET ending = $1, ended_at_ms = $2
        WHERE param_id = $3 AND ended_at_ms IS NULL")
    .bind(TAKEN_EFFECT)
    .bind(at.time())
    .bind(event.param_id.id());
    projection.write(at, statement);
    if event.param_id.id() == TAX_THRESHOLD {
        projection.taxation.threshold = new_value;
    }
    if event.param_id.id() == TAX_PERIOD && event.new_value < event.old_value {
        // Timers that have started by now keep the longer period.
        let now = at.time().0.saturating_sub(projection.taxation.paused_ms);
        let statement = sql("INSERT INTO tax_periods (until_ms, days) VALUES ($1, $2)
            ON CONFLICT (until_ms, days) DO NOTHING")
        .bind(now)
        .bind(value(at, event.old_value)?);
        projection.write(at, statement);
    }
    Ok(())
}

/// It will hold; until then a super admin can call it off.
pub(super) fn scheduled(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &ParameterScheduled,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO parameter_schedules (tx_no, param_id, old_value, new_value,
            scheduled_at_ms, effective_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(at.tx_no)
    .bind(event.param_id.id())
    .bind(value(at, event.old_value)?)
    .bind(value(at, event.new_value)?)
    .bind(at.time())
    .bind(event.effective_at);
    projection.write(at, statement);
    Ok(())
}

pub(super) fn unscheduled(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &ParameterChangeCancelled,
) -> Result<(), Error> {
    let statement = sql("UPDATE parameter_schedules SET ending = $1, ended_at_ms = $2,
            ended_by = $3
        WHERE param_id = $4 AND ended_at_ms IS NULL")
    .bind(name_of(&event.reason))
    .bind(at.time())
    .bind(event.cancelled_by.as_ref().map(AdminId::as_str))
    .bind(event.param_id.id());
    projection.update(at, statement);
    Ok(())
}

pub(super) fn submitted(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &ProposalSubmitted,
) -> Result<(), Error> {
    let statement =
        sql("INSERT INTO proposals (proposal_id, param_id, old_value, new_value, title,
            proposed_by, submitted_at_ms, ends_at_ms, quorum, approval_percent, trust_min,
            votes_for, votes_against, votes_abstain, status, created_tx)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0, $12, $13)")
        .bind(event.proposal_id.to_string())
        .bind(event.param_id.id())
        .bind(value(at, event.old_value)?)
        .bind(value(at, event.new_value)?)
        .bind(event.title.as_str())
        .bind(event.proposed_by.as_str())
        .bind(at.time())
        .bind(event.ends_at)
        .bind(event.quorum)
        .bind(event.approval_percent)
        .bind(event.trust_min)
        .bind(ACTIVE)
        .bind(at.tx_no);
    projection.write(at, statement);
    Ok(())
}

pub(super) fn voted(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &VoteCast,
) -> Result<(), Error> {
    let VoteCast { proposal_id, voter_id, vote, tally } = *event;
    let at_ms = at.time().0;
    projection.votes.push(VoteRow { proposal_id, voter_id, vote, tx_no: at.tx_no, at_ms });
    projection.tallies.insert(proposal_id, tally);
    Ok(())
}

pub(super) fn executed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &ProposalExecuted,
) -> Result<(), Error> {
    decided(projection, at, event.proposal_id, EXECUTED, None);
    projection.tallies.insert(event.proposal_id, event.tally);
    Ok(())
}

pub(super) fn failed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &ProposalFailed,
) -> Result<(), Error> {
    decided(projection, at, event.proposal_id, FAILED, Some(event.reason));
    projection.tallies.insert(event.proposal_id, event.tally);
    Ok(())
}

fn decided(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    id: ProposalId,
    status: &'static str,
    failure: Option<ProposalFailure>,
) {
    let statement = sql("UPDATE proposals SET status = $1, failure = $2, decided_at_ms = $3
        WHERE proposal_id = $4 AND decided_at_ms IS NULL")
    .bind(status)
    .bind(failure.map(|failure| name_of(&failure)))
    .bind(at.time())
    .bind(id.to_string());
    projection.update(at, statement);
}
