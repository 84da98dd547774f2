//! The velocity tax: what was taken, what was not owed, who is exempt, and every account's timer.

use gx_contract::Refusal;
use gx_contract::tax_and_fee::{VelocityTaxApplied, VelocityTaxExemptSet, VelocityTaxSkipped};
use gx_types::{AccountId, CountryCode, Pool, TimeMs};

use crate::Error;
use crate::projection::entries::{Line, entry};
use crate::projection::fold::{At, World, known, qirat};
use crate::sql::sql;
use crate::tokenomics::history::EntryKind;

/// Tax that was taken. There may be a thousand of them in a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct AssessmentRow {
    pub(super) account_id: AccountId,
    pub(super) tx_no: i64,
    pub(super) at_ms: i64,
    pub(super) country: CountryCode,
    pub(super) taxed_balance: i64,
    pub(super) rate_bps: i64,
    pub(super) amount: i64,
    pub(super) treasury: i64,
    pub(super) charitable: i64,
    pub(super) was_taxable_since: i64,
}

/// An account that did not owe the tax.
#[derive(Debug, Clone, Copy)]
pub(super) struct SkipRow {
    pub(super) account_id: AccountId,
    pub(super) tx_no: i64,
    pub(super) at_ms: i64,
    pub(super) code: Refusal,
}

/// Who pays has two other sides, unless one of them gets nothing.
pub(super) fn applied<'b>(
    world: &mut World<'b>,
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
        entry(world, at, posting, Line { counterparty, ..Line::of(EntryKind::Tax) })?;
    }
    timer(world, at, &event.account_id, event.taxable_since)?;
    world.assessments.push(AssessmentRow {
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

/// What the ledger has done to an account's timer, whatever its balance says.
fn timer(
    world: &mut World<'_>,
    at: At<'_, '_>,
    id: &AccountId,
    since: Option<TimeMs>,
) -> Result<(), Error> {
    known(world, at, id)?.set_timer(since.map(|since| since.0));
    Ok(())
}

pub(super) fn skipped(
    world: &mut World<'_>,
    at: At<'_, '_>,
    event: &VelocityTaxSkipped,
) -> Result<(), Error> {
    let VelocityTaxSkipped { account_id, code, taxable_since } = *event;
    if code != Refusal::AccountNotFound {
        timer(world, at, &account_id, taxable_since)?;
    }
    world.skips.push(SkipRow { account_id, tx_no: at.tx_no, at_ms: at.time().0, code });
    Ok(())
}

pub(super) fn exempt(
    world: &mut World<'_>,
    at: At<'_, '_>,
    event: &VelocityTaxExemptSet,
) -> Result<(), Error> {
    known(world, at, &event.account_id)?.taxable = !event.exempt;
    timer(world, at, &event.account_id, event.taxable_since)?;
    let statement = sql("UPDATE accounts SET tax_exempt = $1 WHERE account_id = $2")
        .bind(event.exempt)
        .bind(&event.account_id);
    world.update(at, statement);
    Ok(())
}
