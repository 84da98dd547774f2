//! Bootstrap, countries, pauses, administrators and what two of them decide on.

use gx_contract::PublicKey;
use gx_contract::admin::{
    ActionApproved, ActionProposed, AdminAppointed, AdminReplaced, CountriesInitialized,
    PoolDisbursed, SystemBootstrapped, SystemPaused, SystemResumed, TransferredByOrder,
};
use gx_contract::state::{AccountKind, AdminLevel};
use gx_contract::treasury::{TreasuryActivated, TreasuryReassigned};
use gx_types::{AccountId, AccountType, ActionId, AdminId, Pool};

use crate::Error;
use crate::projection::attesters;
use crate::projection::entries::{Line, entry};
use crate::projection::state::{At, CountryRow, NewAccount, Projection, country, open, qirat};
use crate::projection::tokenomics::between;
use crate::sql::{name_of, sql};
use crate::tokenomics::history::EntryKind;

pub(super) fn bootstrapped<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b SystemBootstrapped,
) -> Result<(), Error> {
    let admin = event.first_super_admin;
    projection.system.bootstrapped = Some((at.block.record.time, admin));
    for posting in &event.postings {
        let pool: Pool = posting
            .account()
            .as_str()
            .parse()
            .map_err(|_| at.stop(format!("{} is no pool", posting.account())))?;
        let account = NewAccount::of(AccountKind::Pool, pool.account(), AccountType::System);
        open(projection, at, NewAccount { cap: Some(posting.balance()), ..account })?;
        entry(projection, at, posting, Line::of(EntryKind::Supply))?;
    }
    appoint(projection, at, &admin, AdminLevel::SuperAdmin, event.account_id.as_ref());
    event.attester.iter().for_each(|own| attesters::of_devnet(projection, at, own));
    event.public_key.map_or(Ok(()), |public_key| key(projection, at, admin, public_key))
}

pub(super) fn countries(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &CountriesInitialized,
) -> Result<(), Error> {
    for added in &event.countries {
        let code = added.country_code;
        if projection.countries.contains_key(&code) {
            return Err(at.stop(format!("country {code} exists")));
        }
        let weight = i64::from(added.weight);
        projection.countries.insert(code, CountryRow { weight, ..CountryRow::default() });
        let id = AccountId::treasury(code);
        let account = NewAccount::of(AccountKind::Treasury, id, AccountType::Treasury);
        open(projection, at, NewAccount { country: Some(code), ..account })?;
    }
    for sealed in &event.slots {
        let row = country(projection, at, sealed.country_code)?;
        for (slots, sealed) in row.slots.iter_mut().zip(sealed.slots) {
            *slots = i64::try_from(sealed).map_err(|_| at.stop("more slots than can be"))?;
        }
    }
    Ok(())
}

pub(super) fn paused(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &SystemPaused,
) -> Result<(), Error> {
    projection.system.paused = Some(Some((at.time(), event.reason.clone())));
    Ok(())
}

/// What is still open when a pause ends is put off by the time that the pause took.
const PUT_OFF: [&str; 14] = [
    "UPDATE pending_actions SET expires_at_ms = expires_at_ms + $1,
        alone_from_ms = CASE WHEN alone_from_ms > $2 THEN alone_from_ms + $1 ELSE alone_from_ms END
    WHERE approved_by IS NULL AND closed_by IS NULL AND expires_at_ms > $2",
    "UPDATE pending_transactions SET expires_at_ms = expires_at_ms + $1
        WHERE settled_tx IS NULL AND expires_at_ms > $2",
    "UPDATE loans SET lapses_at_ms = lapses_at_ms + $1
        WHERE decided_by IS NULL AND closed_at_ms IS NULL AND lapses_at_ms > $2",
    // How late a loan is that was due before the pause does not grow by it either.
    "UPDATE loans SET due_at_ms = due_at_ms + $1
        WHERE due_at_ms IS NOT NULL AND closed_at_ms IS NULL AND approved_at_ms <= $2",
    "UPDATE escrows SET expires_at_ms = expires_at_ms + $1
        WHERE settled_by IS NULL AND expires_at_ms > $2",
    "UPDATE spending_limits SET next_from_ms = next_from_ms + $1 WHERE next_from_ms > $2",
    "UPDATE organizations SET change_expires_at_ms = change_expires_at_ms + $1
        WHERE change_expires_at_ms > $2",
    "UPDATE treasuries SET payable_from_ms = payable_from_ms + $1 WHERE payable_from_ms > $2",
    "UPDATE recoveries SET expires_at_ms = expires_at_ms + $1
        WHERE state IN ('PENDING', 'CONFIRMED') AND expires_at_ms > $2",
    "UPDATE recoveries SET completable_at_ms = completable_at_ms + $1
        WHERE state = 'CONFIRMED' AND completable_at_ms > $2",
    "UPDATE key_resets SET completable_at_ms = completable_at_ms + $1
        WHERE state = 'OPEN' AND completable_at_ms > $2",
    "UPDATE relationships SET askable_from_ms = askable_from_ms + $1
        WHERE state = 'REJECTED' AND askable_from_ms > $2",
    "UPDATE parameter_schedules SET effective_at_ms = effective_at_ms + $1
    WHERE ended_at_ms IS NULL AND effective_at_ms > $2",
    "UPDATE proposals SET ends_at_ms = ends_at_ms + $1
    WHERE decided_at_ms IS NULL AND ends_at_ms > $2",
];

pub(super) fn resumed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &SystemResumed,
) -> Result<(), Error> {
    projection.system.paused = Some(None);
    let took_ms = at.time().0.saturating_sub(event.paused_since.0);
    let paused_ms = projection.taxation.paused_ms.saturating_add(took_ms);
    projection.taxation.paused_ms = paused_ms;
    projection.system.paused_ms = Some(paused_ms);
    for statement in PUT_OFF {
        projection.write(at, sql(statement).bind(took_ms).bind(event.paused_since));
    }
    Ok(())
}

pub(super) fn action_proposed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &ActionProposed,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO pending_actions (action_id, function, args, proposed_by,
            proposed_at_ms, expires_at_ms, created_tx, alone_from_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(event.action_id.to_string())
    .bind(event.command.name())
    .bind(event.command.args_json())
    .bind(event.proposed_by.as_str())
    .bind(at.time())
    .bind(event.expires_at)
    .bind(at.tx_no)
    .bind(event.alone_from);
    projection.write(at, statement);
    Ok(())
}

pub(super) fn action_approved(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &ActionApproved,
) -> Result<(), Error> {
    let statement = sql("UPDATE pending_actions SET approved_by = $1, approved_at_ms = $2
        WHERE action_id = $3 AND approved_by IS NULL")
    .bind(event.approved_by.as_str())
    .bind(at.time())
    .bind(event.action_id.to_string());
    projection.update(at, statement);
    Ok(())
}

/// Rejected by another admin, or withdrawn by its proposer: the row tells both names.
pub(super) fn action_closed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    action_id: ActionId,
    by: AdminId,
) -> Result<(), Error> {
    let statement = sql("UPDATE pending_actions SET closed_by = $1, closed_at_ms = $2
        WHERE action_id = $3 AND approved_by IS NULL AND closed_by IS NULL")
    .bind(by.as_str())
    .bind(at.time())
    .bind(action_id.to_string());
    projection.update(at, statement);
    Ok(())
}

pub(super) fn appointed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &AdminAppointed,
) -> Result<(), Error> {
    appoint(projection, at, &event.admin_id, event.level, event.account_id.as_ref());
    Ok(())
}

/// Who was removed may be appointed again.
fn appoint(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    admin_id: &AdminId,
    level: AdminLevel,
    account_id: Option<&AccountId>,
) {
    let statement = sql("INSERT INTO ledger_admins (admin_id, level, account_id, appointed_at_ms)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (admin_id) DO UPDATE SET level = excluded.level,
            account_id = excluded.account_id, appointed_at_ms = excluded.appointed_at_ms,
            removed_at_ms = NULL, public_key = NULL, key_since_ms = NULL")
    .bind(admin_id.as_str())
    .bind(name_of(&level))
    .bind(account_id.map(AccountId::as_str))
    .bind(at.time());
    projection.write(at, statement);
}

/// The key that the admin signs with from now on.
pub(super) fn key(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    admin_id: AdminId,
    public_key: PublicKey,
) -> Result<(), Error> {
    let statement = sql("UPDATE ledger_admins SET public_key = $1, key_since_ms = $2
        WHERE admin_id = $3 AND removed_at_ms IS NULL")
    .bind(public_key.to_string())
    .bind(at.time())
    .bind(admin_id.as_str());
    projection.update(at, statement);
    Ok(())
}

pub(super) fn replaced(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &AdminReplaced,
) -> Result<(), Error> {
    removed(projection, at, event.old_admin_id)?;
    appoint(projection, at, &event.new_admin_id, event.level, event.account_id.as_ref());
    Ok(())
}

pub(super) fn removed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    admin_id: AdminId,
) -> Result<(), Error> {
    let statement = sql("UPDATE ledger_admins SET removed_at_ms = $1
        WHERE admin_id = $2 AND removed_at_ms IS NULL")
    .bind(at.time())
    .bind(admin_id.as_str());
    projection.update(at, statement);
    Ok(())
}

pub(super) fn disbursed<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b PoolDisbursed,
) -> Result<(), Error> {
    let pool = event.pool_id.account();
    let sides = [&pool, &event.recipient_id];
    let remark = Some(event.purpose.as_str());
    between(projection, at, EntryKind::Disbursement, sides, remark, &event.postings)?;
    let statement = sql("INSERT INTO disbursements (tx_no, pool_id, recipient_id, amount_qirat,
            purpose, at_ms)
        VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(at.tx_no)
    .bind(pool.as_str())
    .bind(&event.recipient_id)
    .bind(qirat(at, event.amount)?)
    .bind(event.purpose.as_str())
    .bind(at.time());
    projection.write(at, statement);
    Ok(())
}

pub(super) fn ordered<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b TransferredByOrder,
) -> Result<(), Error> {
    let sides = [&event.from, &event.to];
    between(projection, at, EntryKind::Order, sides, None, &event.postings)?;
    let statement = sql("INSERT INTO order_transfers (tx_no, from_id, to_id, amount_qirat, reason,
            order_hash, at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(at.tx_no)
    .bind(&event.from)
    .bind(&event.to)
    .bind(qirat(at, event.amount)?)
    .bind(name_of(&event.reason))
    .bind(event.order_hash.to_string())
    .bind(at.time());
    projection.write(at, statement);
    Ok(())
}

pub(super) fn treasury_activated(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &TreasuryActivated,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO treasuries (country, treasury_id, org_id, activated_at_ms,
            payable_from_ms)
        VALUES ($1, $2, $3, $4, $5)")
    .bind(event.country_code.as_str())
    .bind(&event.treasury_id)
    .bind(&event.org_id)
    .bind(at.time())
    .bind(event.payable_from);
    projection.write(at, statement);
    Ok(())
}

pub(super) fn treasury_reassigned(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &TreasuryReassigned,
) -> Result<(), Error> {
    let statement = sql("UPDATE treasuries SET org_id = $1, activated_at_ms = $2,
            payable_from_ms = $3, order_hash = $4
        WHERE country = $5")
    .bind(&event.org_id)
    .bind(at.time())
    .bind(event.payable_from)
    .bind(event.order_hash.to_string())
    .bind(event.country_code.as_str());
    projection.update(at, statement);
    Ok(())
}
