//! Coins that wait between two accounts.

use gx_contract::Posting;
use gx_contract::escrow::{EscrowOpened, EscrowRefunded, EscrowReleased, EscrowState};
use gx_contract::state::AccountKind;
use gx_types::{AccountId, AccountType, EscrowId};

use crate::Error;
use crate::projection::entries::{Line, collect_fee, entry};
use crate::projection::state::{At, NewAccount, Projection, known, open, qirat};
use crate::sql::{name_of, sql};
use crate::tokenomics::history::EntryKind;

/// The account of all escrows is made by the first.
pub(super) fn opened<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b EscrowOpened,
) -> Result<(), Error> {
    let all = AccountId::escrow();
    if !projection.accounts.contains_key(&all) {
        open(projection, at, NewAccount::of(AccountKind::Escrow, all, AccountType::System))?;
    }
    let (amount, fee) = (qirat(at, event.amount)?, qirat(at, event.fee)?);
    // What waits is taxed as what lies there: both change at once.
    known(projection, at, &event.payer_id)?.hold(amount.saturating_add(fee));
    let remark = Some(event.remark.as_str()).filter(|remark| !remark.is_empty());
    for posting in &event.postings {
        let paid = *posting.account() == event.payer_id;
        let counterparty = Some(if paid { &event.payee_id } else { &event.payer_id });
        let fee = if paid { fee } else { 0 };
        entry(
            projection,
            at,
            posting,
            Line { kind: EntryKind::Escrow, counterparty, fee, remark },
        )?;
    }
    let statement = sql("INSERT INTO escrows (escrow_id, payer_id, payee_id, arbiter_id,
            amount_qirat, fee_qirat, remark, state, opened_at_ms, expires_at_ms, created_tx)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
    .bind(event.escrow_id.to_string())
    .bind(&event.payer_id)
    .bind(&event.payee_id)
    .bind(event.arbiter_id.as_ref().map(AccountId::as_str))
    .bind(amount)
    .bind(fee)
    .bind(event.remark.as_str())
    .bind(name_of(&EscrowState::Open))
    .bind(at.time())
    .bind(event.expires_at)
    .bind(at.tx_no);
    projection.write(at, statement);
    Ok(())
}

pub(super) fn released<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b EscrowReleased,
) -> Result<(), Error> {
    let held = qirat(at, event.amount)?.saturating_add(qirat(at, event.fee)?);
    let taxation = projection.taxation;
    let payer = known(projection, at, &event.payer_id)?;
    payer.hold(held.saturating_neg());
    payer.find(taxation, at.time());
    for posting in &event.postings {
        let id = posting.account();
        if *id == AccountId::escrow() || *id == event.payee_id {
            moved(projection, at, posting, (&event.payer_id, &event.payee_id))?;
        } else {
            collect_fee(projection, at, posting)?;
        }
    }
    settled(projection, at, event.escrow_id, EscrowState::Released, &event.released_by);
    Ok(())
}

pub(super) fn refunded<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b EscrowRefunded,
) -> Result<(), Error> {
    let held = qirat(at, event.amount)?;
    known(projection, at, &event.payer_id)?.hold(held.saturating_neg());
    for posting in &event.postings {
        moved(projection, at, posting, (&event.payee_id, &event.payer_id))?;
    }
    settled(projection, at, event.escrow_id, EscrowState::Refunded, &event.refunded_by);
    Ok(())
}

/// A line of coins that come out, from one side to the other.
fn moved<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    posting: &Posting,
    (from, to): (&AccountId, &AccountId),
) -> Result<(), Error> {
    let counterparty = Some(if posting.account() == to { from } else { to });
    entry(projection, at, posting, Line { counterparty, ..Line::of(EntryKind::Escrow) })
}

fn settled(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    id: EscrowId,
    state: EscrowState,
    by: &AccountId,
) {
    let statement = sql("UPDATE escrows SET state = $1, settled_at_ms = $2, settled_by = $3
        WHERE escrow_id = $4 AND settled_by IS NULL")
    .bind(name_of(&state))
    .bind(at.time())
    .bind(by)
    .bind(id.to_string());
    projection.update(at, statement);
}
