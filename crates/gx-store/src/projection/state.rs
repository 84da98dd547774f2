//! What is known while blocks are applied: accounts and countries as they stand, and the rows to
//! write in the end.
//!
//! Pure, and without any event: what an event does to it stands in the file of its domain.

use std::collections::{BTreeMap, HashMap};

use gx_contract::GenesisStatus;
use gx_contract::freezing::FreezeReasons;
use gx_contract::governance::Tally;
use gx_contract::identity::AccountStatus;
use gx_contract::state::AccountKind;
use gx_types::{
    AccountId, AccountType, AdminId, Amount, AttesterId, CommandId, CountryCode, MspId, ProposalId,
    TimeMs,
};

use crate::Error;
use crate::projection::attesters::Attested;
use crate::projection::block::{ProjectedBlock, stop};
use crate::projection::rows::{AssessmentRow, EntryRow, SkipRow, VoteRow};
use crate::sql::Statement;

/// What the timers of the velocity tax go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Taxation {
    /// Balances from here on are taxed.
    pub(super) threshold: i64,
    /// What the pauses that have ended took together, in milliseconds: time that does not count.
    pub(super) paused_ms: i64,
}

/// An account as the blocks find and leave it.
#[derive(Debug, Clone, Copy)]
pub(super) struct AccountState {
    pub(super) no: i64,
    pub(super) balance: i64,
    pub(super) last_entry: i64,
    pub(super) entry_count: i64,
    /// Whether the velocity tax is for such an account, and it is not exempt.
    pub(super) taxable: bool,
    /// Since when the balance has been large enough for the tax, in milliseconds of the clock that
    /// stands still during pauses, later by all rest in between.
    pub(super) taxable_since: Option<i64>,
    /// For how many milliseconds it had been, when the timer came to rest.
    pub(super) taxable_for: Option<i64>,
    pub(super) frozen: bool,
    /// Whether it is locked, or its holder deceased.
    pub(super) inactive: bool,
    /// What is the account's and waits in escrow, beside the balance.
    pub(super) escrowed: i64,
    /// Its place among the new accounts.
    pub(super) new: Option<usize>,
    /// Whether the balance has changed.
    pub(super) touched: bool,
    /// Whether the tax's timer, or what waits in escrow, has changed.
    pub(super) retimed: bool,
}

impl AccountState {
    /// What waits in escrow changes by so much.
    pub(super) fn hold(&mut self, change: i64) {
        self.escrowed = self.escrowed.saturating_add(change);
        self.retimed = true;
    }

    /// The tax's timer starts when what is taxed is found at the threshold or above, goes on while
    /// it stays there, stops below, and rests while the account may not act.
    pub(super) fn find(&mut self, taxation: Taxation, now: TimeMs) {
        let now = now.0.saturating_sub(taxation.paused_ms);
        let is_large = self.balance.saturating_add(self.escrowed) >= taxation.threshold;
        let rested_from = self.taxable_for.map(|ran| now.saturating_sub(ran));
        let start = self.taxable_since.or(rested_from).unwrap_or(now);
        let (since, ran) = if !self.taxable || !is_large {
            (None, None)
        } else if self.frozen || self.inactive {
            (None, Some(now.saturating_sub(start)))
        } else {
            (Some(start), None)
        };
        self.set_timer(since, ran);
    }

    /// The timer starts anew with the next balance that is found.
    pub(super) fn stop_timer(&mut self) {
        self.set_timer(None, None);
    }

    fn set_timer(&mut self, since: Option<i64>, ran: Option<i64>) {
        if (self.taxable_since, self.taxable_for) != (since, ran) {
            (self.taxable_since, self.taxable_for) = (since, ran);
            self.retimed = true;
        }
    }
}

/// An account that did not exist before.
#[derive(Debug)]
pub(super) struct NewAccount {
    pub(super) no: i64,
    pub(super) id: AccountId,
    pub(super) kind: AccountKind,
    pub(super) country: Option<CountryCode>,
    pub(super) account_type: AccountType,
    pub(super) cap: Option<Amount>,
    pub(super) frozen: FreezeReasons,
    pub(super) genesis: Option<GenesisStatus>,
    /// Of users.
    pub(super) standing: Option<(AccountStatus, u8)>,
    pub(super) created_tx: i64,
    /// Of users: who speaks for the account while it has no key.
    pub(super) custodian: Option<MspId>,
}

impl NewAccount {
    /// An account of no country and nothing else that only some have.
    pub(super) fn of(kind: AccountKind, id: AccountId, account_type: AccountType) -> Self {
        Self {
            no: 0,
            id,
            kind,
            country: None,
            account_type,
            cap: None,
            frozen: FreezeReasons::NONE,
            genesis: None,
            standing: None,
            created_tx: 0,
            custodian: None,
        }
    }
}

/// A country as the blocks find and leave it.
#[derive(Debug, Clone, Default)]
pub(super) struct CountryRow {
    pub(super) weight: i64,
    pub(super) users: i64,
    pub(super) slots: [i64; 6],
    pub(super) used: [i64; 6],
}

/// What becomes of the system's row.
#[derive(Debug, Default)]
pub(super) struct SystemChange {
    pub(super) bootstrapped: Option<(TimeMs, AdminId)>,
    pub(super) paused: Option<Option<(TimeMs, String)>>,
    /// What all pauses have taken, when one more has ended.
    pub(super) paused_ms: Option<i64>,
}

/// A statement that an event leads to, and the command that it belongs to.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) statement: Statement,
    /// Whether it changes a row that must be there.
    pub(super) one_row: bool,
    pub(super) block: u64,
    pub(super) command_id: CommandId,
}

/// All that the blocks touch, and the rows to write.
#[derive(Debug, Default)]
pub(super) struct Projection<'b> {
    pub(super) accounts: HashMap<AccountId, AccountState>,
    pub(super) countries: BTreeMap<CountryCode, CountryRow>,
    pub(super) new_accounts: Vec<NewAccount>,
    pub(super) entries: Vec<EntryRow<'b>>,
    pub(super) marks: Vec<(i64, i64)>,
    pub(super) frozen: BTreeMap<i64, FreezeReasons>,
    pub(super) genesis: BTreeMap<i64, GenesisStatus>,
    pub(super) system: SystemChange,
    /// The fees that have no entry yet.
    pub(super) fees: Option<Fees>,
    /// What else becomes of the read models, in order.
    pub(super) changes: Vec<Change>,
    pub(super) votes: Vec<VoteRow>,
    /// The last tally of each proposal that was voted on.
    pub(super) tallies: BTreeMap<ProposalId, Tally>,
    /// What each attester has signed.
    pub(super) attested: BTreeMap<AttesterId, Attested>,
    pub(super) assessments: Vec<AssessmentRow>,
    pub(super) skips: Vec<SkipRow>,
    /// How many organizations were proposed.
    pub(super) organizations: u64,
    /// By the parameter in force.
    pub(super) taxation: Taxation,
    /// The place of the next entry in its block.
    pub(super) place: usize,
    last_account_no: i64,
}

impl Projection<'_> {
    pub(super) fn new(account_count: u64, taxation: Taxation) -> Self {
        // Counts come from a column of 63 bits.
        let last_account_no = i64::try_from(account_count).unwrap_or(i64::MAX);
        Self { last_account_no, taxation, ..Self::default() }
    }

    /// Adds or removes rows.
    pub(super) fn write(&mut self, at: At<'_, '_>, statement: Statement) {
        self.change(at, statement, false);
    }

    /// Changes a row. That it is not there stops the projection.
    pub(super) fn update(&mut self, at: At<'_, '_>, statement: Statement) {
        self.change(at, statement, true);
    }

    fn change(&mut self, at: At<'_, '_>, statement: Statement, one_row: bool) {
        let (block, command_id) = (at.block.number, at.command_id);
        self.changes.push(Change { statement, one_row, block, command_id });
    }

    /// Accounts in all, the new ones included.
    pub(super) fn account_count(&self) -> u64 {
        u64::try_from(self.last_account_no).unwrap_or_default()
    }
}

/// The command whose events are applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a, 'b> {
    pub(super) block: &'a ProjectedBlock<'b>,
    pub(super) command_id: CommandId,
    pub(super) tx_no: i64,
}

impl At<'_, '_> {
    /// The batch's time.
    pub(super) fn time(&self) -> TimeMs {
        self.block.record.time
    }

    pub(super) fn stop(&self, reason: impl Into<String>) -> Error {
        stop(self.block, self.command_id, reason)
    }
}

/// Fees that an account has taken in one after the other. They become one entry: nearly every
/// payment has one, and their account's history would be as long as all others together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fees {
    pub(super) account: AccountId,
    pub(super) change: i64,
    /// The last command that paid one.
    pub(super) tx_no: i64,
}

/// Opens an account with the next number and no coins.
pub(super) fn open(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    mut account: NewAccount,
) -> Result<(), Error> {
    projection.last_account_no = projection.last_account_no.saturating_add(1);
    account.no = projection.last_account_no;
    account.created_tx = at.tx_no;
    let taxable = match account.kind {
        AccountKind::Pool | AccountKind::Treasury | AccountKind::Escrow => false,
        AccountKind::User | AccountKind::Organization => true,
    };
    let state = AccountState {
        no: account.no,
        balance: 0,
        last_entry: 0,
        entry_count: 0,
        taxable,
        taxable_since: None,
        taxable_for: None,
        frozen: false,
        inactive: false,
        escrowed: 0,
        new: Some(projection.new_accounts.len()),
        touched: true,
        retimed: false,
    };
    if projection.accounts.insert(account.id, state).is_some() {
        return Err(at.stop(format!("account {} exists", account.id)));
    }
    projection.new_accounts.push(account);
    Ok(())
}

pub(super) fn known<'w>(
    projection: &'w mut Projection<'_>,
    at: At<'_, '_>,
    id: &AccountId,
) -> Result<&'w mut AccountState, Error> {
    projection.accounts.get_mut(id).ok_or_else(|| at.stop(format!("account {id} is not known")))
}

pub(super) fn country<'w>(
    projection: &'w mut Projection<'_>,
    at: At<'_, '_>,
    code: CountryCode,
) -> Result<&'w mut CountryRow, Error> {
    projection
        .countries
        .get_mut(&code)
        .ok_or_else(|| at.stop(format!("country {code} is not known")))
}

pub(super) fn qirat(at: At<'_, '_>, amount: Amount) -> Result<i64, Error> {
    i64::try_from(amount.qirat()).map_err(|_| at.stop(format!("{amount} is more than can be")))
}
