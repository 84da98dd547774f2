//! What a block changes, worked out in memory before anything is written.
//!
//! Pure: from the accounts and countries that the blocks touch to the rows to write. Each event has
//! one arm here, and what it does stands in the file of its domain; an event that does not fit what
//! is known stops the projection.

use std::collections::{BTreeMap, HashMap};

use gx_contract::governance::Tally;
use gx_contract::identity::AccountStatus;
use gx_contract::state::AccountKind;
use gx_contract::tokenomics::FreezeReason;
use gx_contract::{Event, GenesisStatus, Outcome};
use gx_types::{
    AccountId, AccountType, AdminId, Amount, CommandId, CountryCode, ProposalId, TimeMs,
};

use crate::Error;
use crate::projection::entries::{EntryRow, Fees, enter_fees};
use crate::projection::governance::VoteRow;
use crate::projection::tax_and_fee::{AssessmentRow, SkipRow};
use crate::projection::{
    ProjectedBlock, admin, governance, identity, loan_pool, numbered, organization, stop,
    tax_and_fee, tokenomics,
};
use crate::sql::Statement;

/// An account as the blocks find and leave it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    pub(super) no: i64,
    pub(super) balance: i64,
    pub(super) last_entry: i64,
    pub(super) entry_count: i64,
    /// Whether the velocity tax is for such an account, and it is not exempt.
    pub(super) taxable: bool,
    /// Since when the balance has been large enough for the tax, in milliseconds.
    pub(super) taxable_since: Option<i64>,
    /// Its place among the new accounts.
    pub(super) new: Option<usize>,
    /// Whether the balance has changed.
    pub(super) touched: bool,
    /// Whether the tax's timer has changed.
    pub(super) retimed: bool,
}

impl Live {
    /// Sets the tax's timer.
    pub(super) fn set_timer(&mut self, since: Option<i64>) {
        if self.taxable_since != since {
            self.taxable_since = since;
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
    pub(super) frozen: Option<FreezeReason>,
    pub(super) genesis: Option<GenesisStatus>,
    /// Of users.
    pub(super) standing: Option<(AccountStatus, u8)>,
    pub(super) created_tx: i64,
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
            frozen: None,
            genesis: None,
            standing: None,
            created_tx: 0,
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
pub(super) struct World<'b> {
    pub(super) accounts: HashMap<AccountId, Live>,
    pub(super) countries: BTreeMap<CountryCode, CountryRow>,
    pub(super) new_accounts: Vec<NewAccount>,
    pub(super) entries: Vec<EntryRow<'b>>,
    pub(super) marks: Vec<(i64, i64)>,
    pub(super) frozen: BTreeMap<i64, Option<FreezeReason>>,
    pub(super) genesis: BTreeMap<i64, GenesisStatus>,
    pub(super) system: SystemChange,
    /// The fees that have no entry yet.
    pub(super) fees: Option<Fees>,
    /// What else becomes of the read models, in order.
    pub(super) changes: Vec<Change>,
    pub(super) votes: Vec<VoteRow>,
    /// The last tally of each proposal that was voted on.
    pub(super) tallies: BTreeMap<ProposalId, Tally>,
    pub(super) assessments: Vec<AssessmentRow>,
    pub(super) skips: Vec<SkipRow>,
    /// Balances from here on are taxed, by the parameter in force.
    pub(super) tax_threshold: i64,
    /// The place of the next entry in its block.
    pub(super) place: usize,
    last_account_no: i64,
}

impl World<'_> {
    pub(super) fn new(account_count: u64, tax_threshold: i64) -> Self {
        // Counts come from a column of 63 bits.
        let last_account_no = i64::try_from(account_count).unwrap_or(i64::MAX);
        Self { last_account_no, tax_threshold, ..Self::default() }
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
    command_id: CommandId,
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

/// Applies one block.
pub(super) fn block<'b>(world: &mut World<'b>, block: &ProjectedBlock<'b>) -> Result<(), Error> {
    // Entry 0 ends an account's list, so that places begin at 1.
    world.place = 1;
    for (index, result) in block.record.results.iter().enumerate() {
        let tx_no = numbered(block.number, index)?;
        let at = At { block, command_id: result.command_id, tx_no };
        match &result.outcome {
            Outcome::Applied(events) => {
                // A new user's genesis comes before the event that tells of the user.
                for event in events {
                    if let Event::UserCreated(created) = event {
                        identity::open_user(world, at, created)?;
                    }
                }
                for event in events {
                    apply(world, at, event)?;
                }
            }
            Outcome::Refused(_) | Outcome::Repeated(_) => {}
        }
    }
    enter_fees(world, block)
}

fn apply<'b>(world: &mut World<'b>, at: At<'_, 'b>, event: &'b Event) -> Result<(), Error> {
    match event {
        Event::SystemBootstrapped(event) => admin::bootstrapped(world, at, event),
        Event::CountriesInitialized(event) => admin::countries(world, at, event),
        Event::SystemPaused(event) => admin::paused(world, at, event),
        Event::SystemResumed(_) => admin::resumed(world),
        Event::ActionProposed(event) => admin::action_proposed(world, at, event),
        Event::ActionApproved(event) => admin::action_approved(world, at, event),
        Event::AdminAppointed(event) => admin::appointed(world, at, event),
        Event::AdminRemoved(event) => admin::removed(world, at, event),
        Event::PoolDisbursed(event) => admin::disbursed(world, at, event),
        Event::TreasuryActivated(event) => admin::treasury_activated(world, at, event),
        Event::SystemParameterUpdated(event) => governance::parameter(world, at, event),
        Event::ProposalSubmitted(event) => governance::submitted(world, at, event),
        Event::VoteCast(event) => governance::voted(world, at, event),
        Event::ProposalExecuted(event) => governance::executed(world, at, event),
        Event::ProposalFailed(event) => governance::failed(world, at, event),
        Event::UserCreated(event) => identity::created(world, at, event),
        Event::KeyRegistered(event) => identity::key(world, at, &event.user_id, event.public_key),
        Event::KeyRotated(event) => identity::key(world, at, &event.user_id, event.public_key),
        Event::UserStatusSet(event) => identity::status(world, at, event),
        Event::RelationshipRequested(event) => identity::requested(world, at, event),
        Event::RelationshipConfirmed(event) => identity::confirmed(world, at, event),
        Event::RelationshipRejected(event) => identity::rejected(world, at, event),
        Event::RelationshipEnded(event) => identity::ended(world, at, event),
        Event::GuardiansNominated(event) => identity::nominated(world, at, event),
        Event::RecoveryInitiated(event) => identity::recovery_initiated(world, at, event),
        Event::RecoveryConfirmed(event) => identity::recovery_confirmed(world, at, event),
        Event::RecoveryCancelled(event) => identity::recovery_cancelled(world, at, event),
        Event::RecoveryCompleted(event) => identity::recovery_completed(world, at, event),
        Event::GenesisDistributed(event) => tokenomics::genesis(world, at, event),
        Event::GenesisSkipped(event) => tokenomics::skipped(world, at, event),
        Event::Transferred(event) => tokenomics::transferred(world, at, event),
        Event::WalletFrozen(event) => {
            tokenomics::freeze(world, at, &event.user_id, Some(event.reason))
        }
        Event::WalletUnfrozen(event) => tokenomics::freeze(world, at, &event.user_id, None),
        Event::OrganizationProposed(event) => organization::proposed(world, at, event),
        Event::MembershipEndorsed(event) => organization::endorsed(world, at, event),
        Event::OrganizationActivated(event) => organization::activated(world, at, event),
        Event::OrganizationStatusSet(event) => organization::status(world, at, event),
        Event::AuthRuleProposed(event) => organization::ladder_proposed(world, at, event),
        Event::AuthRuleDefined(event) => organization::ladder_defined(world, at, event),
        Event::MultiSigTxInitiated(event) => organization::initiated(world, at, event),
        Event::MultiSigTxApproved(event) => organization::approved(world, at, event),
        Event::MultiSigTxRejected(event) => organization::rejected(world, at, event),
        Event::MultiSigTxCancelled(event) => organization::cancelled(world, at, event),
        Event::MultiSigTxExecuted(event) => organization::executed(world, at, event),
        Event::MultiSigTxExecutionFailed(event) => organization::failed(world, at, event),
        Event::LoanApplied(event) => loan_pool::applied(world, at, event),
        Event::LoanApproved(event) => loan_pool::approved(world, at, event),
        Event::LoanRejected(event) => loan_pool::rejected(world, at, event),
        Event::LoanRepaid(event) => loan_pool::repaid(world, at, event),
        Event::LoanDefaulted(event) => loan_pool::defaulted(world, at, event),
        Event::VelocityTaxApplied(event) => tax_and_fee::applied(world, at, event),
        Event::VelocityTaxSkipped(event) => tax_and_fee::skipped(world, at, event),
        Event::VelocityTaxExemptSet(event) => tax_and_fee::exempt(world, at, event),
    }
}

/// Opens an account with the next number and no coins.
pub(super) fn open(
    world: &mut World<'_>,
    at: At<'_, '_>,
    mut account: NewAccount,
) -> Result<(), Error> {
    world.last_account_no = world.last_account_no.saturating_add(1);
    account.no = world.last_account_no;
    account.created_tx = at.tx_no;
    let taxable = match account.kind {
        AccountKind::Pool | AccountKind::Treasury => false,
        AccountKind::User | AccountKind::Organization => true,
    };
    let live = Live {
        no: account.no,
        balance: 0,
        last_entry: 0,
        entry_count: 0,
        taxable,
        taxable_since: None,
        new: Some(world.new_accounts.len()),
        touched: true,
        retimed: false,
    };
    if world.accounts.insert(account.id, live).is_some() {
        return Err(at.stop(format!("account {} exists", account.id)));
    }
    world.new_accounts.push(account);
    Ok(())
}

pub(super) fn known<'w>(
    world: &'w mut World<'_>,
    at: At<'_, '_>,
    id: &AccountId,
) -> Result<&'w mut Live, Error> {
    world.accounts.get_mut(id).ok_or_else(|| at.stop(format!("account {id} is not known")))
}

pub(super) fn country<'w>(
    world: &'w mut World<'_>,
    at: At<'_, '_>,
    code: CountryCode,
) -> Result<&'w mut CountryRow, Error> {
    world.countries.get_mut(&code).ok_or_else(|| at.stop(format!("country {code} is not known")))
}

pub(super) fn qirat(at: At<'_, '_>, amount: Amount) -> Result<i64, Error> {
    i64::try_from(amount.qirat()).map_err(|_| at.stop(format!("{amount} is more than can be")))
}
