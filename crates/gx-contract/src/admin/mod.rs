//! AdminContract: the set of countries, pause and resume; below it bootstrap, the administrators,
//! the actions that need two of them, parameters and disbursements.

mod actions;
mod admins;
mod attesters;
mod bootstrap;
pub(crate) mod clock;
mod declared;
mod disbursement;
mod keys;
mod orders;
mod parameters;
mod schedule;

use gx_types::{AccountId, Amount, CountryCode, NetworkId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::countries::{TOTAL_WEIGHT, allot};
use crate::gates::{ActorRule, Gate};
use crate::query::Answer;
use crate::state::{Account, Countries, Country, Key, Pause, State, System, Version};
use crate::text::check_text;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

pub(crate) use actions::propose;
pub use actions::{
    Action, ActionApproved, ActionProposed, ActionRejected, ActionStatus, ActionView,
    ActionWithdrawn, Approval, ApproveAction, Closure, GetPendingAction, RejectAction,
    WithdrawAction,
};
pub use admins::{
    AdminAppointed, AdminRemoved, AdminReplaced, AdminView, AppointAdmin, GetAdmin, RemoveAdmin,
    ReplaceAdmin,
};
pub use attesters::{
    AttestedDay, Attester, AttesterRegistered, AttesterRemoved, AttesterView, GetAttester,
    RegisterAttester, RemoveAttester,
};
pub(crate) use bootstrap::pool_cap;
pub use bootstrap::{BootstrapSystem, DevnetAttester, FirstKey, SystemBootstrapped};
pub use clock::{ClockConfirmation, ClockConfirmed, ConfirmClock};
pub use declared::OwnAccount;
pub use disbursement::{DisburseFromPool, Disbursed, DisbursedDay, PoolDisbursed};
pub use keys::{AdminKeyRegistered, AdminKeyRotated, RegisterAdminKey, RotateAdminKey};
pub(crate) use orders::check_recipient;
pub use orders::{OrderHash, OrderReason, TransferByOrder, TransferredByOrder};
pub use parameters::{
    GetSystemParameter, ListSystemParameters, ParameterList, ParameterView, ScheduledView,
    SystemParameterUpdated, UpdateSystemParameter,
};
pub(crate) use parameters::{change, check_bounds};
pub(crate) use schedule::take_effect;
pub use schedule::{
    CancelParameterChange, CancelReason, ParameterChangeCancelled, ParameterScheduled,
};

/// Adds countries to the set. It may come in parts; at 100,000,000 parts of weight the set is
/// complete, the genesis slots are shared out, and nothing can be added any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InitializeCountryData {
    pub countries: Vec<CountryWeight>,
}

/// A country's share of the genesis slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountryWeight {
    pub country_code: CountryCode,
    /// Parts per 100,000,000.
    pub weight: u32,
}

/// Countries were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountriesInitialized {
    /// The countries added by this command.
    pub countries: Vec<CountryWeight>,
    pub total_weight: u32,
    /// When the set became complete: every country with its slots by phase.
    pub slots: Vec<CountrySlots>,
}

impl Effects for CountriesInitialized {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        let added = self.countries.iter().map(|added| added.country_code);
        added.map(AccountId::treasury).for_each(name);
    }

    fn countries(&self, name: &mut dyn FnMut(CountryCode)) {
        self.countries.iter().for_each(|added| name(added.country_code));
        self.slots.iter().for_each(|sealed| name(sealed.country_code));
    }
}

/// Genesis slots of a country by phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountrySlots {
    pub country_code: CountryCode,
    pub slots: [u64; 6],
}

/// No set of countries is larger: there are 676 codes of two letters.
const COUNTRIES_MAX: usize = 676;

impl Rule for InitializeCountryData {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin);
    const REFUSALS: &[Refusal] = &[
        Refusal::ListInvalid,
        Refusal::CountriesSealed,
        Refusal::CountryExists,
        Refusal::WeightsTooLarge,
    ];
    const EVENTS: &[&str] = &["CountriesInitialized"];

    fn validate(&self) -> Result<(), Refused> {
        let mut codes: Vec<CountryCode> = self.countries.iter().map(|c| c.country_code).collect();
        codes.sort_unstable();
        codes.dedup();
        if codes.is_empty() || codes.len() != self.countries.len() || codes.len() > COUNTRIES_MAX {
            return Err(Refusal::ListInvalid.because("1 to 676 countries, each once, expected"));
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let mut set = tx.state.countries()?;
        if set.total_weight == TOTAL_WEIGHT {
            return Err(Refusal::CountriesSealed.into());
        }
        tx.state.load(self.countries.iter().flat_map(|added| {
            let treasury = AccountId::treasury(added.country_code);
            [Key::Country(added.country_code), Key::Account(treasury)]
        }))?;
        if let Some(added) = self.countries.iter().find(|c| set.codes.contains(&c.country_code)) {
            return Err(Refusal::CountryExists
                .because(format!("{} exists", added.country_code))
                .into());
        }
        for added in &self.countries {
            set.total_weight = set
                .total_weight
                .checked_add(added.weight)
                .filter(|total| *total <= TOTAL_WEIGHT)
                .ok_or(Refusal::WeightsTooLarge)?;
            set.codes.push(added.country_code);
        }
        set.codes.sort_unstable();
        tx.state.load(set.codes.iter().map(|code| Key::Country(*code)))?;
        for added in &self.countries {
            let (slots, slots_used) = ([0; 6], [0; 6]);
            let weight = added.weight;
            let row = Country { v: Version, weight, users: 0, slots, slots_used };
            tx.put(Key::Country(added.country_code), row)?;
            let treasury = AccountId::treasury(added.country_code);
            tx.state.put_account(&treasury, Account::treasury(added.country_code))?;
        }
        let slots = if set.total_weight == TOTAL_WEIGHT { seal(tx, &set)? } else { Vec::new() };
        let total_weight = set.total_weight;
        tx.put(Key::Countries, set)?;
        tx.emit(CountriesInitialized { countries: self.countries.clone(), total_weight, slots });
        Ok(())
    }
}

/// Shares the slots out among the complete set.
fn seal(tx: &mut Tx<'_>, set: &Countries) -> Result<Vec<CountrySlots>, Stop> {
    let mut rows = Vec::with_capacity(set.codes.len());
    for code in &set.codes {
        rows.push((*code, tx.state.country(*code)?.ok_or(Refusal::CountryUnknown)?));
    }
    let weights: Vec<_> = rows.iter().map(|(code, row)| (*code, row.weight)).collect();
    let mut sealed = Vec::with_capacity(rows.len());
    for ((country_code, row), slots) in rows.into_iter().zip(allot(&weights)) {
        tx.put(Key::Country(country_code), Country { slots, ..row })?;
        sealed.push(CountrySlots { country_code, slots });
    }
    Ok(sealed)
}

/// Stops everything but resuming and queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PauseSystem {
    /// 10 to 500 characters.
    pub reason: String,
}

/// The system is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemPaused {
    pub reason: String,
}

impl Effects for SystemPaused {}

impl Rule for PauseSystem {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin);
    const REFUSALS: &[Refusal] = &[Refusal::TextInvalid];
    const EVENTS: &[&str] = &["SystemPaused"];

    fn validate(&self) -> Result<(), Refused> {
        check_text("reason", &self.reason, 10, 500)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let system = tx.state.running_system()?.clone();
        let pause = Pause { since: tx.now, reason: self.reason.clone() };
        tx.put(Key::System, System { paused: Some(pause), ..system })?;
        tx.emit(SystemPaused { reason: self.reason.clone() });
        Ok(())
    }
}

/// Ends a pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResumeSystem {}

/// The system runs again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemResumed {
    pub paused_since: TimeMs,
}

impl Effects for SystemResumed {}

impl Rule for ResumeSystem {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).even_paused();
    const REFUSALS: &[Refusal] = &[Refusal::NotPaused];
    const EVENTS: &[&str] = &["SystemResumed"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let system = tx.state.running_system()?.clone();
        let Some(pause) = system.paused else {
            return Err(Refusal::NotPaused.into());
        };
        let paused_ms = tx.clocks.paused_ms();
        tx.put(Key::System, System { paused: None, paused_ms, ..system })?;
        tx.emit(SystemResumed { paused_since: pause.since });
        Ok(())
    }
}

/// Whether the system is bootstrapped, and whether it is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetSystemStatus {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemStatus {
    pub bootstrapped_at: Option<TimeMs>,
    pub network_id: Option<NetworkId>,
    pub paused: Option<Pause>,
    pub countries: usize,
    /// Whether the set of countries is complete.
    pub countries_sealed: bool,
}

impl Answer for GetSystemStatus {
    type Answer = SystemStatus;

    fn answer(&self, state: &mut State) -> Result<SystemStatus, Stop> {
        state.load([Key::System, Key::Countries])?;
        let (set, system) = (state.countries()?, state.system()?);
        Ok(SystemStatus {
            bootstrapped_at: system.map(|system| system.bootstrapped_at),
            network_id: system.map(|system| system.network_id),
            paused: system.and_then(|system| system.paused.clone()),
            countries: set.codes.len(),
            countries_sealed: set.total_weight == TOTAL_WEIGHT,
        })
    }
}

/// Weight, users, slots and treasury of a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetCountryStats {
    pub country_code: CountryCode,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CountryStats {
    pub country_code: CountryCode,
    /// Parts per 100,000,000.
    pub weight: u32,
    pub users: u64,
    pub slots: [u64; 6],
    pub slots_used: [u64; 6],
    pub treasury_balance: Amount,
}

fn country_stats(state: &mut State, country_code: CountryCode) -> Result<CountryStats, Stop> {
    let treasury = AccountId::treasury(country_code);
    state.load([Key::Country(country_code), Key::Account(treasury)])?;
    let row = state.country(country_code)?.ok_or(Refusal::CountryUnknown)?;
    let Country { weight, users, slots, slots_used, v: _ } = row;
    let treasury_balance = state.existing_account(&treasury)?.balance;
    Ok(CountryStats { country_code, weight, users, slots, slots_used, treasury_balance })
}

impl Answer for GetCountryStats {
    type Answer = CountryStats;

    fn answer(&self, state: &mut State) -> Result<CountryStats, Stop> {
        country_stats(state, self.country_code)
    }
}

/// All countries, in order of their codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListAllCountries {}

impl Answer for ListAllCountries {
    type Answer = Vec<CountryStats>;

    fn answer(&self, state: &mut State) -> Result<Vec<CountryStats>, Stop> {
        let codes = state.countries()?.codes;
        state.load(
            codes
                .iter()
                .flat_map(|code| [Key::Country(*code), Key::Account(AccountId::treasury(*code))]),
        )?;
        codes.into_iter().map(|code| country_stats(state, code)).collect()
    }
}

/// What has happened since bootstrap, in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetGlobalCounters {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlobalCounters {
    pub countries: usize,
    pub users: u64,
    /// Slots of the six phases over all countries, and how many grants have used.
    pub slots: [u64; 6],
    pub slots_used: [u64; 6],
    pub super_admins: u32,
    pub parameter_changes: u64,
}

impl Answer for GetGlobalCounters {
    type Answer = GlobalCounters;

    fn answer(&self, state: &mut State) -> Result<GlobalCounters, Stop> {
        state.load([Key::System, Key::Countries, Key::Parameters])?;
        let super_admins = state.running_system()?.super_admins;
        let codes = state.countries()?.codes;
        state.load(codes.iter().map(|code| Key::Country(*code)))?;
        let mut counters = GlobalCounters {
            countries: codes.len(),
            users: 0,
            slots: [0; 6],
            slots_used: [0; 6],
            super_admins,
            parameter_changes: state.params()?.changes,
        };
        for code in codes {
            let row = state.country(code)?.ok_or(Refusal::CountryUnknown)?;
            counters.users = counters.users.saturating_add(row.users);
            add(&mut counters.slots, row.slots);
            add(&mut counters.slots_used, row.slots_used);
        }
        Ok(counters)
    }
}

fn add(sums: &mut [u64; 6], figures: [u64; 6]) {
    sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum = sum.saturating_add(figure));
}
