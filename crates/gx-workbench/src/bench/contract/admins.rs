//! Preparations of the commands that administrators give about the system as a whole.

use anyhow::{Context, Result};
use gx_contract::Command;
use gx_contract::admin::{
    AppointAdmin, ApproveAction, BootstrapSystem, CancelParameterChange, CountryWeight,
    DisburseFromPool, InitializeCountryData, OrderHash, OrderReason, PauseSystem, RegisterAdminKey,
    RegisterAttester, RejectAction, RemoveAdmin, RemoveAttester, ReplaceAdmin, ResumeSystem,
    RotateAdminKey, TransferByOrder, UpdateSystemParameter, WithdrawAction,
};
use gx_contract::freezing::{FreezeReason, FreezeWallet};
use gx_contract::params::{Parameter, ParameterValue};
use gx_contract::state::AdminLevel;
use gx_types::{ActionId, AdminId, Amount, AttesterId, CountryCode, NetworkId, Pool, Role};

use super::host::Host;
use super::town::{By, Order, Person, Town, Trial, each};
use crate::load::{NO_PROOF, public_key};
use gx_cli::countries;

fn founding(town: &mut Town) -> Order {
    let (first_super_admin, network_id) = (town.population().admin(), NetworkId::Devnet);
    let (account_id, key) = (None, None);
    (By::System, BootstrapSystem { first_super_admin, network_id, account_id, key }.into())
}

/// On nothing, which is the only state that it is for.
pub(super) fn bootstrap(town: &mut Town) -> Result<Trial> {
    let orders = vec![founding(town)];
    let host = Some(Host::default());
    Ok(Trial { role: Role::SuperAdmin, orders, batch: 1, host, organization: None })
}

/// The orders by which the whole set of countries comes, one each.
pub(super) fn all_countries() -> Result<Vec<Order>> {
    let add =
        |country: CountryWeight| (By::First, InitializeCountryData { countries: vec![country] });
    Ok(each(&countries::all()?, add))
}

/// A ledger that is bootstrapped and nothing more.
pub(super) fn found(town: &mut Town) -> Result<()> {
    let founding = founding(town);
    town.act(Role::SuperAdmin, vec![founding]).map(drop)
}

/// The first super admin names the other one, alone.
pub(super) fn name_second(town: &mut Town) -> Result<()> {
    let (admin_id, level, account_id) = (town.second(), AdminLevel::SuperAdmin, None);
    let appoint = AppointAdmin { admin_id, level, account_id, emergency: false };
    town.act(Role::SuperAdmin, vec![(By::First, appoint.into())]).map(drop)
}

pub(super) fn initialize_countries(town: &mut Town) -> Result<Trial> {
    let host = Some(town.elsewhere(found)?);
    let orders = all_countries()?;
    Ok(Trial { role: Role::SuperAdmin, batch: orders.len(), orders, host, organization: None })
}

/// Each of the two undoes the other.
pub(super) fn pause_and_resume(town: &mut Town) -> Result<Trial> {
    let pause = Command::from(PauseSystem { reason: "maintenance".to_owned() });
    let both = [(By::First, pause), (By::First, ResumeSystem {}.into())];
    let orders = both.into_iter().cycle().take(town.count()).collect();
    Ok(town.trial(Role::SuperAdmin, orders))
}

/// Orders to appoint so many administrators.
fn appointments(town: &mut Town) -> Result<Vec<(Person, AdminId)>> {
    let people = town.people(town.count())?;
    let named = people.into_iter().map(|person| {
        let id = format!("clerk-{}", person.number).parse().context("id of an admin")?;
        Ok((person, id))
    });
    named.collect()
}

fn appoint((person, admin_id): (Person, AdminId)) -> (By, AppointAdmin) {
    let (level, account_id) = (AdminLevel::Admin, Some(person.id));
    (By::First, AppointAdmin { admin_id, level, account_id, emergency: false })
}

pub(super) fn appoint_admin(town: &mut Town) -> Result<Trial> {
    let named = appointments(town)?;
    Ok(town.trial(Role::SuperAdmin, each(&named, appoint)))
}

/// Has actions that need two admins proposed by one and approved by the other.
pub(super) fn decide(town: &mut Town, role: Role, orders: Vec<Order>) -> Result<()> {
    let proposed = town.act(role, orders)?;
    let approve = |id| (By::Second, ApproveAction { action_id: ActionId::made_by(id) });
    town.act(Role::SuperAdmin, each(&proposed, approve)).map(drop)
}

pub(super) fn remove_admin(town: &mut Town) -> Result<Trial> {
    let named = appointments(town)?;
    decide(town, Role::SuperAdmin, each(&named, appoint))?;
    let remove = |(_, admin_id)| (By::First, RemoveAdmin { admin_id });
    Ok(town.trial(Role::SuperAdmin, each(&named, remove)))
}

pub(super) fn replace_admin(town: &mut Town) -> Result<Trial> {
    let named = appointments(town)?;
    decide(town, Role::SuperAdmin, each(&named, appoint))?;
    let successors = named.iter().map(|(person, old_admin_id)| {
        let new_admin_id = format!("heir-{}", person.number).parse().context("id of an admin")?;
        let account_id = Some(person.id);
        let replace = ReplaceAdmin { old_admin_id: *old_admin_id, new_admin_id, account_id };
        Ok((By::First, replace.into()))
    });
    let orders = successors.collect::<Result<_>>()?;
    Ok(town.trial(Role::SuperAdmin, orders))
}

/// The order to set a parameter.
fn setting(parameter: &str, value: u64) -> Result<Order> {
    let param_id = parameter.parse().map_err(anyhow::Error::msg)?;
    let new_value = ParameterValue::new(value);
    Ok((By::First, UpdateSystemParameter { param_id, new_value }.into()))
}

pub(super) fn update_parameter(town: &mut Town) -> Result<Trial> {
    let values = (0..town.count() as u64).map(|number| 7 + number % 84);
    let orders = values.map(|days| setting("votingDays", days)).collect::<Result<_>>()?;
    Ok(town.trial(Role::SuperAdmin, orders))
}

/// Changes of all parameters but the one for keys, scheduled on a ledger where nothing else is.
pub(super) fn cancel_parameter_change(town: &mut Town) -> Result<Trial> {
    let all: Vec<_> = Parameter::all().filter(|one| one.id() != "adminKeysRequired").collect();
    let changes = all.iter().map(|one| setting(one.id(), one.default_value().get()));
    let changes = changes.collect::<Result<Vec<_>>>()?;
    let host = town.elsewhere(|town| {
        found(town)?;
        town.appoint_second()?;
        decide(town, Role::SuperAdmin, changes)
    })?;
    let cancel = |param_id: Parameter| (By::First, CancelParameterChange { param_id });
    let (role, orders) = (Role::SuperAdmin, each(&all, cancel));
    Ok(Trial { role, batch: orders.len(), orders, host: Some(host), organization: None })
}

fn disbursements(town: &mut Town) -> Result<Vec<Order>> {
    let people = town.people(town.count())?;
    Ok(each(&people, |person| {
        let (pool_id, recipient_id) = (Pool::Charitable, person.id);
        let (amount, purpose) = (Amount::from_gx(10_000), "relief after the flood".to_owned());
        (By::First, DisburseFromPool { pool_id, recipient_id, amount, purpose })
    }))
}

pub(super) fn disburse(town: &mut Town) -> Result<Trial> {
    let orders = disbursements(town)?;
    Ok(town.trial(Role::SuperAdmin, orders))
}

/// Of disbursements, which move coins when they are approved.
pub(super) fn approve_action(town: &mut Town) -> Result<Trial> {
    let orders = disbursements(town)?;
    let proposed = town.act(Role::SuperAdmin, orders)?;
    let approve = |id| (By::Second, ApproveAction { action_id: ActionId::made_by(id) });
    Ok(town.trial(Role::SuperAdmin, each(&proposed, approve)))
}

pub(super) fn reject_action(town: &mut Town) -> Result<Trial> {
    let orders = disbursements(town)?;
    let proposed = town.act(Role::SuperAdmin, orders)?;
    let reject = |id| (By::Second, RejectAction { action_id: ActionId::made_by(id) });
    Ok(town.trial(Role::SuperAdmin, each(&proposed, reject)))
}

pub(super) fn withdraw_action(town: &mut Town) -> Result<Trial> {
    let orders = disbursements(town)?;
    let proposed = town.act(Role::SuperAdmin, orders)?;
    let withdraw = |id| (By::First, WithdrawAction { action_id: ActionId::made_by(id) });
    Ok(town.trial(Role::SuperAdmin, each(&proposed, withdraw)))
}

pub(super) fn transfer_by_order(town: &mut Town) -> Result<Trial> {
    let people = town.people(town.count())?;
    let freeze = |person: Person| {
        (By::First, FreezeWallet { account_id: person.id, reason: FreezeReason::CourtOrder })
    };
    town.act(Role::SuperAdmin, each(&people, freeze))?;
    let order = |person: Person| {
        let (from, to) = (person.id, Pool::Charitable.account());
        let (amount, reason) = (Amount::from_gx(1), OrderReason::CourtOrder);
        let order_hash = OrderHash::from_bytes([9; 32]);
        (By::First, TransferByOrder { from, to, amount, order_hash, reason })
    };
    Ok(town.trial(Role::SuperAdmin, each(&people, order)))
}

/// Admins of the lower level, and the number of a key for each.
fn clerks(town: &mut Town) -> Result<Vec<(AdminId, usize)>> {
    let named = appointments(town)?;
    decide(town, Role::SuperAdmin, each(&named, appoint))?;
    Ok(named.into_iter().map(|(person, admin_id)| (admin_id, person.number)).collect())
}

fn register((admin_id, number): (AdminId, usize)) -> (By, RegisterAdminKey) {
    let (public_key, proof) = (public_key(number), NO_PROOF);
    (By::Clerk(admin_id, None, number), RegisterAdminKey { public_key, proof })
}

pub(super) fn register_admin_key(town: &mut Town) -> Result<Trial> {
    let clerks = clerks(town)?;
    Ok(town.trial(Role::Admin, each(&clerks, register)))
}

pub(super) fn rotate_admin_key(town: &mut Town) -> Result<Trial> {
    let clerks = clerks(town)?;
    town.act(Role::Admin, each(&clerks, register))?;
    let rotate = |(admin_id, number): (AdminId, usize)| {
        let (public_key, proof) = (public_key(number + 1), NO_PROOF);
        (By::Clerk(admin_id, Some(number), number + 1), RotateAdminKey { public_key, proof })
    };
    Ok(town.trial(Role::Admin, each(&clerks, rotate)))
}

/// So many attesters to come, and the country where all of them attest.
fn attesters(town: &mut Town) -> Result<Vec<(usize, AttesterId, CountryCode)>> {
    let country = town.country();
    let named = (0..town.count()).map(|number| {
        let id = format!("attester-{number}").parse().context("id of an attester")?;
        Ok((number, id, country))
    });
    named.collect()
}

/// An attester of the town's country, with the key of that number.
pub(super) fn attester(town: &mut Town, number: usize) -> Result<AttesterId> {
    let id = format!("clinic-{number}").parse().context("id of an attester")?;
    let attester = [(number, id, town.country())];
    decide(town, Role::SuperAdmin, each(&attester, attest))?;
    Ok(id)
}

fn attest((number, attester_id, country): (usize, AttesterId, CountryCode)) -> (By, Command) {
    let (public_key, proof, daily_max) = (public_key(number), NO_PROOF, 1_000_000);
    let countries = vec![country];
    let register = RegisterAttester { attester_id, public_key, proof, daily_max, countries };
    (By::FirstSetter(number), register.into())
}

pub(super) fn register_attester(town: &mut Town) -> Result<Trial> {
    let attesters = attesters(town)?;
    Ok(town.trial(Role::SuperAdmin, each(&attesters, attest)))
}

pub(super) fn remove_attester(town: &mut Town) -> Result<Trial> {
    let attesters = attesters(town)?;
    decide(town, Role::SuperAdmin, each(&attesters, attest))?;
    let remove = |(_, attester_id, _)| (By::First, RemoveAttester { attester_id });
    Ok(town.trial(Role::SuperAdmin, each(&attesters, remove)))
}
