//! Postings become balances and lines of histories, worked out in memory.
//!
//! Pure. A posting must lead from the balance that is known to the balance that it says; one that
//! does not stops the projection.

use gx_contract::Posting;
use gx_types::AccountId;

use crate::Error;
use crate::projection::fold::{At, Live, World, known, qirat};
use crate::projection::{ProjectedBlock, numbered};
use crate::tokenomics::history::EntryKind;

/// Every so many entries of an account there is a way into its history.
pub(crate) const MARK_EVERY: i64 = 256;

/// A line of an account's history.
#[derive(Debug)]
pub(super) struct EntryRow<'b> {
    pub(super) entry_no: i64,
    pub(super) account_no: i64,
    pub(super) prev_entry: i64,
    pub(super) tx_no: i64,
    pub(super) kind: EntryKind,
    pub(super) counterparty_no: Option<i64>,
    pub(super) change: i64,
    pub(super) fee: i64,
    pub(super) balance: i64,
    pub(super) remark: Option<&'b str>,
}

/// Fees that an account has taken in one after the other. They become one entry: nearly every
/// payment has one, and their account's history would be as long as all others together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fees {
    account: AccountId,
    change: i64,
    /// The last command that paid one.
    tx_no: i64,
}

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
    world: &mut World<'_>,
    at: At<'_, '_>,
    posting: &Posting,
) -> Result<(), Error> {
    let account = *posting.account();
    if world.fees.is_some_and(|fees| fees.account != account) {
        enter_fees(world, at.block)?;
    }
    post(world, at, posting)?;
    let before = world.fees.map_or(0, |fees| fees.change);
    let change = before
        .checked_add(posting.change().qirat())
        .ok_or_else(|| at.stop("more fees than can be"))?;
    world.fees = Some(Fees { account, change, tx_no: at.tx_no });
    Ok(())
}

/// Writes the line of the fees that have none yet.
pub(super) fn enter_fees(world: &mut World<'_>, block: &ProjectedBlock<'_>) -> Result<(), Error> {
    let Some(Fees { account, change, tx_no }) = world.fees.take() else { return Ok(()) };
    let entry_no = next_entry(world, block)?;
    // Its postings were applied, so that the account is there.
    let World { accounts, entries, marks, .. } = world;
    if let Some(live) = accounts.get_mut(&account) {
        let (kind, counterparty_no, fee, remark) = (EntryKind::Fee, None, 0, None);
        let new = NewEntry { entry_no, tx_no, kind, counterparty_no, change, fee, remark };
        append(live, entries, marks, new);
    }
    Ok(())
}

/// The number of the block's next entry.
fn next_entry(world: &mut World<'_>, block: &ProjectedBlock<'_>) -> Result<i64, Error> {
    let entry_no = numbered(block.number, world.place)?;
    world.place = world.place.saturating_add(1);
    Ok(entry_no)
}

/// Applies a posting: the balance, and a line of the history.
pub(super) fn entry<'b>(
    world: &mut World<'b>,
    at: At<'_, 'b>,
    posting: &Posting,
    line: Line<'_, 'b>,
) -> Result<(), Error> {
    if world.fees.is_some_and(|fees| fees.account == *posting.account()) {
        enter_fees(world, at.block)?;
    }
    let counterparty_no = match line.counterparty {
        Some(id) => Some(known(world, at, id)?.no),
        None => None,
    };
    let entry_no = next_entry(world, at.block)?;
    let tx_no = at.tx_no;
    let change = posting.change().qirat();
    let Line { kind, fee, remark, .. } = line;
    post(world, at, posting)?;
    let World { accounts, entries, marks, .. } = world;
    if let Some(live) = accounts.get_mut(posting.account()) {
        let new = NewEntry { entry_no, tx_no, kind, counterparty_no, change, fee, remark };
        append(live, entries, marks, new);
    }
    Ok(())
}

/// Changes a balance by what the posting says, which must lead to the balance that it says. The
/// tax's timer starts when a balance is found at the threshold or above, goes on while it stays
/// there, and stops below.
fn post(world: &mut World<'_>, at: At<'_, '_>, posting: &Posting) -> Result<(), Error> {
    let (change, balance) = (posting.change().qirat(), qirat(at, posting.balance())?);
    let threshold = world.tax_threshold;
    let live = known(world, at, posting.account())?;
    if live.balance.checked_add(change) != Some(balance) {
        let (id, was) = (posting.account(), live.balance);
        return Err(at.stop(format!("{id} had {was}, changes by {change}, and has {balance}")));
    }
    live.balance = balance;
    live.touched = true;
    let runs = live.taxable && balance >= threshold;
    live.set_timer(runs.then(|| live.taxable_since.unwrap_or(at.time().0)));
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
    live: &mut Live,
    entries: &mut Vec<EntryRow<'b>>,
    marks: &mut Vec<(i64, i64)>,
    new: NewEntry<'b>,
) {
    let NewEntry { entry_no, tx_no, kind, counterparty_no, change, fee, remark } = new;
    let prev_entry = std::mem::replace(&mut live.last_entry, entry_no);
    live.entry_count = live.entry_count.saturating_add(1);
    if live.entry_count.rem_euclid(MARK_EVERY) == 0 {
        marks.push((live.no, entry_no));
    }
    let (account_no, balance) = (live.no, live.balance);
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
