//! The velocity tax: what was taken, what was not owed, who is exempt, and every account's timer.

use gx_contract::Refusal;
use gx_contract::tax_and_fee::{VelocityTaxApplied, VelocityTaxExemptSet, VelocityTaxSkipped};
use gx_types::{AccountId, Pool};

use crate::Error;
use crate::projection::entries::{Line, entry};
use crate::projection::rows::{AssessmentRow, SkipRow};
use crate::projection::state::{At, Projection, known, qirat};
use crate::sql::sql;
use crate::tokenomics::history::EntryKind;

/// Who pays has two other sides, unless one of them gets nothing.
pub(super) fn applied<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b VelocityTaxApplied,
) -> Result<(), Error> {
    let treasury = AccountId::treasury(event.country);
    let charity = Pool::Charitable.account();
    let payee = if event.charitable_amount.is_zero() {
        Some(&treasury)
    } else if event.treasury_amount.is_zero() {
        Some(&charity)
    } else {
        None
    };
    for posting in &event.postings {
        let paid = *posting.account() == event.account_id;
        let counterparty = if paid { payee } else { Some(&event.account_id) };
        entry(projection, at, posting, Line { counterparty, ..Line::of(EntryKind::Tax) })?;
    }
    let taxation = projection.taxation;
    let payer = known(projection, at, &event.account_id)?;
    payer.stop_timer();
    payer.find(taxation, at.time());
    projection.assessments.push(AssessmentRow {
        account_id: event.account_id,
        tx_no: at.tx_no,
        at_ms: at.time().0,
        country: event.country,
        taxed_balance: qirat(at, event.taxed_balance)?,
        rate_bps: i64::from(event.rate_bps),
        amount: qirat(at, event.amount)?,
        treasury: qirat(at, event.treasury_amount)?,
        charitable: qirat(at, event.charitable_amount)?,
        was_taxable_since: event.was_taxable_since.0,
    });
    Ok(())
}

pub(super) fn skipped(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &VelocityTaxSkipped,
) -> Result<(), Error> {
    let VelocityTaxSkipped { account_id, code, .. } = *event;
    if code != Refusal::AccountNotFound {
        // A changed threshold may have started or stopped the timer.
        let taxation = projection.taxation;
        known(projection, at, &account_id)?.find(taxation, at.time());
    }
    projection.skips.push(SkipRow { account_id, tx_no: at.tx_no, at_ms: at.time().0, code });
    Ok(())
}

pub(super) fn exempt(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &VelocityTaxExemptSet,
) -> Result<(), Error> {
    let taxation = projection.taxation;
    let account = known(projection, at, &event.account_id)?;
    account.taxable = !event.exempt;
    account.find(taxation, at.time());
    let statement = sql("UPDATE accounts SET tax_exempt = $1 WHERE account_id = $2")
        .bind(event.exempt)
        .bind(&event.account_id);
    projection.update(at, statement);
    Ok(())
}
