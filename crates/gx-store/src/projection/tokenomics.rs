//! Genesis, payments and frozen wallets.

use gx_contract::freezing::FreezeReasons;
use gx_contract::spending::SpendingLimitSet;
use gx_contract::tokenomics::{GenesisDistributed, GenesisSkipped, Transferred};
use gx_contract::{GenesisStatus, Posting, Refusal};
use gx_types::{AccountId, Amount, Pool};

use crate::Error;
use crate::projection::attesters;
use crate::projection::entries::{Line, collect_fee, entry};
use crate::projection::state::{At, Projection, country, known, qirat};
use crate::sql::sql;
use crate::tokenomics::history::EntryKind;

pub(super) fn genesis<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b GenesisDistributed,
) -> Result<(), Error> {
    let used = country(projection, at, event.country)?;
    let slot = usize::from(event.phase).checked_sub(1).and_then(|phase| used.used.get_mut(phase));
    let slot = slot.ok_or_else(|| at.stop(format!("there is no phase {}", event.phase)))?;
    *slot = slot.saturating_add(1);
    attesters::count(projection, at, event.attested_by);
    let treasury = AccountId::treasury(event.country);
    let pools = (Pool::UserGenesis.account(), Pool::GovtGenesis.account());
    for posting in &event.postings {
        let account = posting.account();
        let other = if *account == pools.0 {
            &event.user_id
        } else if *account == pools.1 {
            &treasury
        } else if *account == treasury {
            &pools.1
        } else {
            &pools.0
        };
        let line = Line { counterparty: Some(other), ..Line::of(EntryKind::Genesis) };
        entry(projection, at, posting, line)?;
    }
    let status = GenesisStatus::Granted { phase: event.phase, amount: event.amount };
    set_genesis(projection, at, &event.user_id, status)
}

/// What was attested now becomes the user's status; a grant of before stays.
pub(super) fn skipped(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &GenesisSkipped,
) -> Result<(), Error> {
    if event.code == Refusal::GenesisIneligible {
        set_genesis(projection, at, &event.user_id, GenesisStatus::Ineligible)
    } else if event.code == Refusal::GenesisExhausted {
        set_genesis(projection, at, &event.user_id, GenesisStatus::Exhausted)
    } else {
        Ok(())
    }
}

pub(super) fn transferred<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b Transferred,
) -> Result<(), Error> {
    let Transferred { from, to, fee, remark, postings, .. } = event;
    payment(projection, at, Payment { from, to, fee: *fee, remark, postings })
}

/// A payment, by one person or by an organization.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payment<'b> {
    pub(super) from: &'b AccountId,
    pub(super) to: &'b AccountId,
    pub(super) fee: Amount,
    pub(super) remark: &'b str,
    pub(super) postings: &'b [Posting],
}

/// Both sides get a line, and whoever takes the fee.
pub(super) fn payment<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    payment: Payment<'b>,
) -> Result<(), Error> {
    let Payment { from, to, fee, remark, postings } = payment;
    let remark = Some(remark).filter(|remark| !remark.is_empty());
    let fee = qirat(at, fee)?;
    for posting in postings {
        let account = posting.account();
        let line = if account == from {
            Line { kind: EntryKind::Sent, counterparty: Some(to), fee, remark }
        } else if account == to {
            Line { kind: EntryKind::Received, counterparty: Some(from), fee: 0, remark }
        } else {
            collect_fee(projection, at, posting)?;
            continue;
        };
        entry(projection, at, posting, line)?;
    }
    Ok(())
}

/// Coins that go from one account to another without a fee.
pub(super) fn between<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    kind: EntryKind,
    sides: [&AccountId; 2],
    remark: Option<&'b str>,
    postings: &'b [Posting],
) -> Result<(), Error> {
    for posting in postings {
        let [one, other] = sides;
        let counterparty = Some(if posting.account() == one { other } else { one });
        entry(projection, at, posting, Line { kind, counterparty, fee: 0, remark })?;
    }
    Ok(())
}

pub(super) fn freeze(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    id: &AccountId,
    reasons: FreezeReasons,
) -> Result<(), Error> {
    let taxation = projection.taxation;
    let state = known(projection, at, id)?;
    state.frozen = !reasons.is_empty();
    state.find(taxation, at.time());
    let state = *state;
    match state.new.and_then(|new| projection.new_accounts.get_mut(new)) {
        Some(account) => account.frozen = reasons,
        None => drop(projection.frozen.insert(state.no, reasons)),
    }
    Ok(())
}

/// What was to hold from some time on before has either held, and stays as it is where this one is
/// to come, or never will.
pub(super) fn limit(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &SpendingLimitSet,
) -> Result<(), Error> {
    let per_day = event.per_day.map(|amount| qirat(at, amount)).transpose()?;
    let statement = match event.holds_from {
        None => sql("INSERT INTO spending_limits (account_id, per_day_qirat) VALUES ($1, $2)
            ON CONFLICT (account_id) DO UPDATE SET per_day_qirat = excluded.per_day_qirat,
                next_per_day_qirat = NULL, next_from_ms = NULL")
        .bind(&event.user_id)
        .bind(per_day),
        Some(from) => sql("UPDATE spending_limits SET
                per_day_qirat = CASE WHEN next_from_ms <= $1 THEN next_per_day_qirat
                    ELSE per_day_qirat END,
                next_per_day_qirat = $2, next_from_ms = $3
            WHERE account_id = $4")
        .bind(at.time())
        .bind(per_day)
        .bind(from)
        .bind(&event.user_id),
    };
    projection.update(at, statement);
    Ok(())
}

pub(super) fn set_genesis(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    id: &AccountId,
    status: GenesisStatus,
) -> Result<(), Error> {
    let state = *known(projection, at, id)?;
    match state.new.and_then(|new| projection.new_accounts.get_mut(new)) {
        Some(account) => account.genesis = Some(status),
        None => drop(projection.genesis.insert(state.no, status)),
    }
    Ok(())
}
