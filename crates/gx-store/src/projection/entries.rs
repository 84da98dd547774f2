//! Postings become balances and lines of histories, worked out in memory.
//!
//! Pure. A posting must lead from the balance that is known to the balance that it says; one that
//! does not stops the projection.

use gx_contract::Posting;
use gx_types::AccountId;

use crate::Error;
use crate::numbering::{MARK_EVERY, numbered};
use crate::projection::block::ProjectedBlock;
use crate::projection::rows::EntryRow;
use crate::projection::state::{AccountState, At, Fees, Projection, known, qirat};
use crate::tokenomics::history::EntryKind;

/// What an entry says beside its posting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a, 'b> {
    pub(super) kind: EntryKind,
    pub(super) counterparty: Option<&'a AccountId>,
    pub(super) fee: i64,
    pub(super) remark: Option<&'b str>,
}

impl Line<'_, '_> {
    pub(super) fn of(kind: EntryKind) -> Self {
        Self { kind, counterparty: None, fee: 0, remark: None }
    }
}

/// Applies the posting of a fee: the balance now, and a line of the history with further fees.
pub(super) fn collect_fee(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    posting: &Posting,
) -> Result<(), Error> {
    let account = *posting.account();
    if projection.fees.is_some_and(|fees| fees.account != account) {
        enter_fees(projection, at.block)?;
    }
    post(projection, at, posting)?;
    let before = projection.fees.map_or(0, |fees| fees.change);
    let change = before
        .checked_add(posting.change().qirat())
        .ok_or_else(|| at.stop("more fees than can be"))?;
    projection.fees = Some(Fees { account, change, tx_no: at.tx_no });
    Ok(())
}

/// Writes the line of the fees that have none yet.
pub(super) fn enter_fees(
    projection: &mut Projection<'_>,
    block: &ProjectedBlock<'_>,
) -> Result<(), Error> {
    let Some(Fees { account, change, tx_no }) = projection.fees.take() else { return Ok(()) };
    let entry_no = next_entry(projection, block)?;
    // Its postings were applied, so that the account is there.
    let Projection { accounts, entries, marks, .. } = projection;
    if let Some(state) = accounts.get_mut(&account) {
        let (kind, counterparty_no, fee, remark) = (EntryKind::Fee, None, 0, None);
        let new = NewEntry { entry_no, tx_no, kind, counterparty_no, change, fee, remark };
        append(state, entries, marks, new);
    }
    Ok(())
}

/// The number of the block's next entry.
fn next_entry(projection: &mut Projection<'_>, block: &ProjectedBlock<'_>) -> Result<i64, Error> {
    let entry_no = numbered(block.number, projection.place)?;
    projection.place = projection.place.saturating_add(1);
    Ok(entry_no)
}

/// Applies a posting: the balance, and a line of the history.
pub(super) fn entry<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    posting: &Posting,
    line: Line<'_, 'b>,
) -> Result<(), Error> {
    if projection.fees.is_some_and(|fees| fees.account == *posting.account()) {
        enter_fees(projection, at.block)?;
    }
    let counterparty_no = match line.counterparty {
        Some(id) => Some(known(projection, at, id)?.no),
        None => None,
    };
    let entry_no = next_entry(projection, at.block)?;
    let tx_no = at.tx_no;
    let change = posting.change().qirat();
    let Line { kind, fee, remark, .. } = line;
    post(projection, at, posting)?;
    let Projection { accounts, entries, marks, .. } = projection;
    if let Some(state) = accounts.get_mut(posting.account()) {
        let new = NewEntry { entry_no, tx_no, kind, counterparty_no, change, fee, remark };
        append(state, entries, marks, new);
    }
    Ok(())
}

/// Changes a balance by what the posting says, which must lead to the balance that it says.
fn post(projection: &mut Projection<'_>, at: At<'_, '_>, posting: &Posting) -> Result<(), Error> {
    let (change, balance) = (posting.change().qirat(), qirat(at, posting.balance())?);
    let taxation = projection.taxation;
    let state = known(projection, at, posting.account())?;
    if state.balance.checked_add(change) != Some(balance) {
        let (id, was) = (posting.account(), state.balance);
        return Err(at.stop(format!("{id} had {was}, changes by {change}, and has {balance}")));
    }
    state.balance = balance;
    state.touched = true;
    state.find(taxation, at.time());
    Ok(())
}

/// An entry before it is known what stands before it.
struct NewEntry<'b> {
    entry_no: i64,
    tx_no: i64,
    kind: EntryKind,
    counterparty_no: Option<i64>,
    change: i64,
    fee: i64,
    remark: Option<&'b str>,
}

/// Links an entry to the ones before it.
fn append<'b>(
    state: &mut AccountState,
    entries: &mut Vec<EntryRow<'b>>,
    marks: &mut Vec<(i64, i64)>,
    new: NewEntry<'b>,
) {
    let NewEntry { entry_no, tx_no, kind, counterparty_no, change, fee, remark } = new;
    let prev_entry = std::mem::replace(&mut state.last_entry, entry_no);
    state.entry_count = state.entry_count.saturating_add(1);
    if state.entry_count.rem_euclid(MARK_EVERY) == 0 {
        marks.push((state.no, entry_no));
    }
    let (account_no, balance) = (state.no, state.balance);
    entries.push(EntryRow {
        entry_no,
        account_no,
        prev_entry,
        tx_no,
        kind,
        counterparty_no,
        change,
        fee,
        balance,
        remark,
    });
}
