//! What a block changes, worked out in memory before anything is written.
//!
//! Pure: from the accounts and countries that the blocks touch to the rows to write. Each event has
//! one arm; an event that does not fit what is known stops the projection.

use std::collections::{BTreeMap, HashMap};

use gx_contract::admin::{CountriesInitialized, SystemBootstrapped};
use gx_contract::identity::UserCreated;
use gx_contract::state::AccountKind;
use gx_contract::tokenomics::{FreezeReason, GenesisDistributed, GenesisSkipped, Transferred};
use gx_contract::{Event, GenesisStatus, Outcome, Refusal};
use gx_types::{AccountId, AccountType, AdminId, Amount, CommandId, CountryCode, Pool, TimeMs};

use crate::Error;
use crate::projection::entries::{EntryRow, Fees, Line, collect_fee, enter_fees, entry};
use crate::projection::{ProjectedBlock, numbered, stop};
use crate::tokenomics::history::EntryKind;

/// An account as the blocks find and leave it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    pub(super) no: i64,
    pub(super) balance: i64,
    pub(super) last_entry: i64,
    pub(super) entry_count: i64,
    /// Its place among the new accounts.
    pub(super) new: Option<usize>,
    pub(super) touched: bool,
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
    pub(super) created_tx: i64,
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
    last_account_no: i64,
}

impl World<'_> {
    pub(super) fn new(account_count: u64) -> Self {
        // Counts come from a column of 63 bits.
        Self {
            last_account_no: i64::try_from(account_count).unwrap_or(i64::MAX),
            ..Self::default()
        }
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
    pub(super) fn stop(&self, reason: impl Into<String>) -> Error {
        stop(self.block, self.command_id, reason)
    }
}

/// Applies one block.
pub(super) fn block<'b>(world: &mut World<'b>, block: &ProjectedBlock<'b>) -> Result<(), Error> {
    // Entry 0 ends an account's list, so that places begin at 1.
    let mut place = 1;
    for (index, result) in block.record.results.iter().enumerate() {
        let tx_no = numbered(block.number, index)?;
        let at = At { block, command_id: result.command_id, tx_no };
        match &result.outcome {
            Outcome::Applied(events) => {
                // A new user's genesis comes before the event that tells of the user.
                for event in events {
                    if let Event::UserCreated(created) = event {
                        open_user(world, at, created)?;
                    }
                }
                for event in events {
                    apply(world, at, &mut place, event)?;
                }
            }
            Outcome::Refused(_) | Outcome::Repeated(_) => {}
        }
    }
    enter_fees(world, block, &mut place)
}

fn apply<'b>(
    world: &mut World<'b>,
    at: At<'_, 'b>,
    place: &mut usize,
    event: &'b Event,
) -> Result<(), Error> {
    match event {
        Event::SystemBootstrapped(event) => bootstrapped(world, at, place, event),
        Event::CountriesInitialized(event) => countries(world, at, event),
        Event::SystemPaused(event) => {
            let since = at.block.record.time;
            world.system.paused = Some(Some((since, event.reason.clone())));
            Ok(())
        }
        Event::SystemResumed(_) => {
            world.system.paused = Some(None);
            Ok(())
        }
        Event::UserCreated(event) => {
            let country = country(world, at, event.country)?;
            country.users = country.users.saturating_add(1);
            set_genesis(world, at, &event.user_id, event.genesis)
        }
        Event::GenesisDistributed(event) => genesis(world, at, place, event),
        Event::GenesisSkipped(event) => skipped(world, at, event),
        Event::Transferred(event) => transferred(world, at, place, event),
        Event::WalletFrozen(event) => freeze(world, at, &event.user_id, Some(event.reason)),
        Event::WalletUnfrozen(event) => freeze(world, at, &event.user_id, None),
    }
}

fn bootstrapped<'b>(
    world: &mut World<'b>,
    at: At<'_, 'b>,
    place: &mut usize,
    event: &'b SystemBootstrapped,
) -> Result<(), Error> {
    let admin = event.first_super_admin;
    world.system.bootstrapped = Some((at.block.record.time, admin));
    for posting in &event.postings {
        let pool: Pool = posting
            .account()
            .as_str()
            .parse()
            .map_err(|_| at.stop(format!("{} is no pool", posting.account())))?;
        open(
            world,
            at,
            NewAccount {
                no: 0,
                id: pool.account(),
                kind: AccountKind::Pool,
                country: None,
                account_type: AccountType::System,
                cap: Some(posting.balance()),
                frozen: None,
                genesis: None,
                created_tx: at.tx_no,
            },
        )?;
        entry(world, at, place, posting, Line::of(EntryKind::Supply))?;
    }
    Ok(())
}

fn countries(
    world: &mut World<'_>,
    at: At<'_, '_>,
    event: &CountriesInitialized,
) -> Result<(), Error> {
    for added in &event.countries {
        let code = added.country_code;
        if world.countries.contains_key(&code) {
            return Err(at.stop(format!("country {code} exists")));
        }
        let weight = i64::from(added.weight);
        world.countries.insert(code, CountryRow { weight, ..CountryRow::default() });
        open(
            world,
            at,
            NewAccount {
                no: 0,
                id: AccountId::treasury(code),
                kind: AccountKind::Treasury,
                country: Some(code),
                account_type: AccountType::Treasury,
                cap: None,
                frozen: None,
                genesis: None,
                created_tx: at.tx_no,
            },
        )?;
    }
    for sealed in &event.slots {
        let row = country(world, at, sealed.country_code)?;
        for (slots, sealed) in row.slots.iter_mut().zip(sealed.slots) {
            *slots = i64::try_from(sealed).map_err(|_| at.stop("more slots than can be"))?;
        }
    }
    Ok(())
}

fn open_user(world: &mut World<'_>, at: At<'_, '_>, event: &UserCreated) -> Result<(), Error> {
    open(
        world,
        at,
        NewAccount {
            no: 0,
            id: event.user_id,
            kind: AccountKind::User,
            country: Some(event.country),
            account_type: event.account_type,
            cap: None,
            frozen: None,
            genesis: Some(event.genesis),
            created_tx: at.tx_no,
        },
    )
}

/// Opens an account with the next number and no coins.
fn open(world: &mut World<'_>, at: At<'_, '_>, mut account: NewAccount) -> Result<(), Error> {
    world.last_account_no = world.last_account_no.saturating_add(1);
    account.no = world.last_account_no;
    let live = Live {
        no: account.no,
        balance: 0,
        last_entry: 0,
        entry_count: 0,
        new: Some(world.new_accounts.len()),
        touched: true,
    };
    if world.accounts.insert(account.id, live).is_some() {
        return Err(at.stop(format!("account {} exists", account.id)));
    }
    world.new_accounts.push(account);
    Ok(())
}

fn genesis<'b>(
    world: &mut World<'b>,
    at: At<'_, 'b>,
    place: &mut usize,
    event: &'b GenesisDistributed,
) -> Result<(), Error> {
    let used = country(world, at, event.country)?;
    let slot = usize::from(event.phase).checked_sub(1).and_then(|phase| used.used.get_mut(phase));
    let slot = slot.ok_or_else(|| at.stop(format!("there is no phase {}", event.phase)))?;
    *slot = slot.saturating_add(1);
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
        entry(world, at, place, posting, line)?;
    }
    let status = GenesisStatus::Granted { phase: event.phase, amount: event.amount };
    set_genesis(world, at, &event.user_id, status)
}

/// What was attested now becomes the user's status; a grant of before stays.
fn skipped(world: &mut World<'_>, at: At<'_, '_>, event: &GenesisSkipped) -> Result<(), Error> {
    if event.code == Refusal::GenesisIneligible {
        set_genesis(world, at, &event.user_id, GenesisStatus::Ineligible)
    } else if event.code == Refusal::GenesisExhausted {
        set_genesis(world, at, &event.user_id, GenesisStatus::Exhausted)
    } else {
        Ok(())
    }
}

fn transferred<'b>(
    world: &mut World<'b>,
    at: At<'_, 'b>,
    place: &mut usize,
    event: &'b Transferred,
) -> Result<(), Error> {
    let remark = Some(event.remark.as_str()).filter(|remark| !remark.is_empty());
    let fee = qirat(at, event.fee)?;
    for posting in &event.postings {
        let account = posting.account();
        let line = if *account == event.from {
            Line { kind: EntryKind::Sent, counterparty: Some(&event.to), fee, remark }
        } else if *account == event.to {
            Line { kind: EntryKind::Received, counterparty: Some(&event.from), fee: 0, remark }
        } else {
            collect_fee(world, at, place, posting)?;
            continue;
        };
        entry(world, at, place, posting, line)?;
    }
    Ok(())
}

fn freeze(
    world: &mut World<'_>,
    at: At<'_, '_>,
    id: &AccountId,
    reason: Option<FreezeReason>,
) -> Result<(), Error> {
    let live = *known(world, at, id)?;
    match live.new.and_then(|new| world.new_accounts.get_mut(new)) {
        Some(account) => account.frozen = reason,
        None => drop(world.frozen.insert(live.no, reason)),
    }
    Ok(())
}

fn set_genesis(
    world: &mut World<'_>,
    at: At<'_, '_>,
    id: &AccountId,
    status: GenesisStatus,
) -> Result<(), Error> {
    let live = *known(world, at, id)?;
    match live.new.and_then(|new| world.new_accounts.get_mut(new)) {
        Some(account) => account.genesis = Some(status),
        None => drop(world.genesis.insert(live.no, status)),
    }
    Ok(())
}

pub(super) fn known<'w>(
    world: &'w mut World<'_>,
    at: At<'_, '_>,
    id: &AccountId,
) -> Result<&'w mut Live, Error> {
    world.accounts.get_mut(id).ok_or_else(|| at.stop(format!("account {id} is not known")))
}

fn country<'w>(
    world: &'w mut World<'_>,
    at: At<'_, '_>,
    code: CountryCode,
) -> Result<&'w mut CountryRow, Error> {
    world.countries.get_mut(&code).ok_or_else(|| at.stop(format!("country {code} is not known")))
}

pub(super) fn qirat(at: At<'_, '_>, amount: Amount) -> Result<i64, Error> {
    i64::try_from(amount.qirat()).map_err(|_| at.stop(format!("{amount} is more than can be")))
}
