//! Preparations of the commands about organizations, their payments, and treasuries.

use anyhow::Result;
use gx_contract::admin::OrderHash;
use gx_contract::identity::{AccountStatus, SetUserStatus};
use gx_contract::organization::{
    ActivateOrganization, ApproveMultiSigTx, AuthRule, CancelMultiSigTx, ChangeStakeholders,
    ChangeStakeholdersByOrder, DefineAuthRule, EndorseMembership, InitiateMultiSigTx,
    OrganizationKind, ProposeOrganization, RejectMultiSigTx, SetOrganizationStatus,
    WithdrawApproval, WithdrawStakeholderChange,
};
use gx_contract::tokenomics::Transfer;
use gx_contract::treasury::{ActivateTreasuryAccount, ReassignTreasury};
use gx_types::{AccountId, AccountType, Amount, CountryCode, PendingTxId, Role};

use super::admins;
use super::town::{By, Order, Person, Town, Trial, each};
use gx_cli::countries;

/// An organization of three stakeholders.
#[derive(Debug, Clone, Copy)]
struct Organization {
    id: AccountId,
    of: [Person; 3],
}

fn planned(town: &mut Town) -> Result<Vec<Organization>> {
    let groups = town.groups(town.count())?;
    let country = town.country();
    let mut plan = |of| {
        let id = town.population().new_id(country, AccountType::ForProfit);
        Organization { id, of }
    };
    Ok(groups.into_iter().map(&mut plan).collect())
}

/// The proposal of an organization by its first stakeholder.
fn proposal(country: CountryCode) -> impl Fn(Organization) -> (By, ProposeOrganization) {
    move |Organization { id, of }| {
        let propose = ProposeOrganization {
            org_id: id,
            name: "Cooperative of the Lower Town".to_owned(),
            kind: OrganizationKind::Business,
            country,
            stakeholders: of.map(|person| person.id).to_vec(),
        };
        (By::Person(FIRST(&of)), propose)
    }
}

/// Which of the three.
type Which = fn(&[Person; 3]) -> Person;

const FIRST: Which = |[first, _, _]| *first;
const SECOND: Which = |[_, second, _]| *second;
const THIRD: Which = |[_, _, third]| *third;

/// What one of the stakeholders does.
fn endorsement(which: Which) -> impl Fn(Organization) -> (By, EndorseMembership) {
    move |Organization { id, of }| (By::Person(which(&of)), EndorseMembership { org_id: id })
}

fn activation(Organization { id, of }: Organization) -> (By, ActivateOrganization) {
    (By::Person(FIRST(&of)), ActivateOrganization { org_id: id })
}

pub(super) fn propose(town: &mut Town) -> Result<Trial> {
    let planned = planned(town)?;
    Ok(town.trial(Role::PartnerApi, each(&planned, proposal(town.country()))))
}

fn proposed(town: &mut Town) -> Result<Vec<Organization>> {
    let planned = planned(town)?;
    let country = town.country();
    town.act(Role::PartnerApi, each(&planned, proposal(country)))?;
    Ok(planned)
}

pub(super) fn endorse(town: &mut Town) -> Result<Trial> {
    let proposed = proposed(town)?;
    Ok(town.trial(Role::PartnerApi, each(&proposed, endorsement(FIRST))))
}

fn endorsed(town: &mut Town) -> Result<Vec<Organization>> {
    let proposed = proposed(town)?;
    for which in [FIRST, SECOND, THIRD] {
        town.act(Role::PartnerApi, each(&proposed, endorsement(which)))?;
    }
    Ok(proposed)
}

pub(super) fn activate(town: &mut Town) -> Result<Trial> {
    let endorsed = endorsed(town)?;
    Ok(town.trial(Role::PartnerApi, each(&endorsed, activation)))
}

fn active(town: &mut Town) -> Result<Vec<Organization>> {
    let endorsed = endorsed(town)?;
    town.act(Role::PartnerApi, each(&endorsed, activation))?;
    Ok(endorsed)
}

pub(super) fn set_status(town: &mut Town) -> Result<Trial> {
    let active = active(town)?;
    let lock =
        |Organization { id, .. }| (By::First, SetOrganizationStatus { org_id: id, locked: true });
    Ok(town.trial(Role::Admin, each(&active, lock)))
}

/// One of the three decides on small payments, two on larger ones.
fn ladder(which: Which) -> impl Fn(Organization) -> (By, DefineAuthRule) {
    move |Organization { id, of }| {
        let rule = |from_amount, required_approvers| {
            let approver_group = of.map(|person| person.id).to_vec();
            AuthRule { from_amount, required_approvers, approver_group }
        };
        let ladder = vec![rule(Amount::ZERO, 1), rule(Amount::from_gx(100), 2)];
        (By::Person(which(&of)), DefineAuthRule { org_id: id, ladder })
    }
}

/// The last of three approvals, by which the rules come into force.
pub(super) fn define_rules(town: &mut Town) -> Result<Trial> {
    let active = active(town)?;
    for which in [FIRST, SECOND] {
        town.act(Role::PartnerApi, each(&active, ladder(which)))?;
    }
    Ok(town.trial(Role::PartnerApi, each(&active, ladder(THIRD))))
}

/// The third leaves, by the word of another.
fn departure(which: Which) -> impl Fn(Organization) -> (By, ChangeStakeholders) {
    move |Organization { id: org_id, of }| {
        let (add, remove, new_ladder) = (Vec::new(), vec![THIRD(&of).id], None);
        (By::Person(which(&of)), ChangeStakeholders { org_id, add, remove, new_ladder })
    }
}

pub(super) fn change_stakeholders(town: &mut Town) -> Result<Trial> {
    let active = active(town)?;
    Ok(town.trial(Role::PartnerApi, each(&active, departure(FIRST))))
}

pub(super) fn withdraw_change(town: &mut Town) -> Result<Trial> {
    let active = active(town)?;
    town.act(Role::PartnerApi, each(&active, departure(FIRST)))?;
    let withdraw = |Organization { id: org_id, of }| {
        (By::Person(SECOND(&of)), WithdrawStakeholderChange { org_id })
    };
    Ok(town.trial(Role::PartnerApi, each(&active, withdraw)))
}

pub(super) fn change_by_order(town: &mut Town) -> Result<Trial> {
    let active = active(town)?;
    let lock = |Organization { of, .. }| {
        let (user_id, status, order_hash) = (THIRD(&of).id, AccountStatus::Locked, None);
        (By::First, SetUserStatus { user_id, status, order_hash })
    };
    town.act(Role::Admin, each(&active, lock))?;
    let order = |Organization { id: org_id, of }| {
        let (add, remove, new_ladder) = (Vec::new(), vec![THIRD(&of).id], None);
        let order_hash = OrderHash::from_bytes([7; 32]);
        let order = ChangeStakeholdersByOrder { org_id, add, remove, new_ladder, order_hash };
        (By::First, order)
    };
    let orders = each(&active, order);
    Ok(town.trial(Role::SuperAdmin, orders))
}

/// Organizations with rules and coins.
fn paying(town: &mut Town) -> Result<Vec<Organization>> {
    let active = active(town)?;
    for which in [FIRST, SECOND, THIRD] {
        town.act(Role::PartnerApi, each(&active, ladder(which)))?;
    }
    let fund = |Organization { id: to, of: [first, ..] }| {
        let (from, amount, remark) = (first.id, Amount::from_gx(200), String::new());
        (By::Person(first), Transfer { from, to, amount, remark })
    };
    town.act(Role::PartnerApi, each(&active, fund))?;
    Ok(active)
}

/// A payment on which two decide.
fn initiation(Organization { id: from, of }: Organization) -> (By, InitiateMultiSigTx) {
    let [first, _, third] = of;
    let (to, amount, remark) = (third.id, Amount::from_gx(150), "rent".to_owned());
    (By::Person(first), InitiateMultiSigTx { from, to, amount, remark })
}

pub(super) fn initiate(town: &mut Town) -> Result<Trial> {
    let paying = paying(town)?;
    Ok(town.trial(Role::PartnerApi, each(&paying, initiation)))
}

/// Payments that wait for the second approval.
fn waiting(town: &mut Town) -> Result<Vec<(Organization, PendingTxId)>> {
    let paying = paying(town)?;
    let ids = town.act(Role::PartnerApi, each(&paying, initiation))?;
    Ok(paying.into_iter().zip(ids.into_iter().map(PendingTxId::made_by)).collect())
}

/// The second approval, at which the payment is made.
pub(super) fn approve(town: &mut Town) -> Result<Trial> {
    let waiting = waiting(town)?;
    let approve = |(Organization { of: [_, second, _], .. }, pending_tx_id)| {
        (By::Person(second), ApproveMultiSigTx { pending_tx_id })
    };
    Ok(town.trial(Role::PartnerApi, each(&waiting, approve)))
}

pub(super) fn reject(town: &mut Town) -> Result<Trial> {
    let waiting = waiting(town)?;
    let reject = |(Organization { of: [_, second, _], .. }, pending_tx_id)| {
        (By::Person(second), RejectMultiSigTx { pending_tx_id })
    };
    Ok(town.trial(Role::PartnerApi, each(&waiting, reject)))
}

pub(super) fn withdraw(town: &mut Town) -> Result<Trial> {
    let waiting = waiting(town)?;
    let withdraw = |(Organization { of: [first, ..], .. }, pending_tx_id)| {
        (By::Person(first), WithdrawApproval { pending_tx_id })
    };
    Ok(town.trial(Role::PartnerApi, each(&waiting, withdraw)))
}

pub(super) fn cancel(town: &mut Town) -> Result<Trial> {
    let waiting = waiting(town)?;
    let cancel = |(Organization { of: [first, ..], .. }, pending_tx_id)| {
        (By::Person(first), CancelMultiSigTx { pending_tx_id })
    };
    Ok(town.trial(Role::PartnerApi, each(&waiting, cancel)))
}

/// A government for each country.
fn governments(town: &mut Town) -> Result<Vec<(CountryCode, AccountId)>> {
    let mut all = Vec::new();
    for country in countries::all()? {
        let code = country.country_code;
        all.push((code, town.population().new_id(code, AccountType::Governmental)));
    }
    Ok(all)
}

fn activation_of((country_code, org_id): (CountryCode, AccountId)) -> Order {
    (By::First, ActivateTreasuryAccount { country_code, org_id }.into())
}

/// On a ledger with all countries, each with a government: once for each of them.
pub(super) fn activate_treasury(town: &mut Town) -> Result<Trial> {
    let governments = governments(town)?;
    let host = Some(town.elsewhere(|town| govern(town, &governments))?);
    let orders: Vec<Order> = governments.into_iter().map(activation_of).collect();
    Ok(Trial { role: Role::SuperAdmin, batch: orders.len(), orders, host, organization: None })
}

/// The same, each to another government than before.
pub(super) fn reassign_treasury(town: &mut Town) -> Result<Trial> {
    let (before, after) = (governments(town)?, governments(town)?);
    let prepared = |town: &mut Town| {
        govern(town, &[before.clone(), after.clone()].concat())?;
        let activations = before.iter().copied().map(activation_of).collect();
        admins::decide(town, Role::SuperAdmin, activations)
    };
    let host = Some(town.elsewhere(prepared)?);
    let reassign = |(country_code, org_id)| {
        let order_hash = OrderHash::from_bytes([7; 32]);
        (By::First, ReassignTreasury { country_code, org_id, order_hash })
    };
    let orders = each(&after, reassign);
    Ok(Trial { role: Role::SuperAdmin, batch: orders.len(), orders, host, organization: None })
}

/// Founds a ledger on which these are active. The same two people stand for all of them.
fn govern(town: &mut Town, governments: &[(CountryCode, AccountId)]) -> Result<()> {
    admins::found(town)?;
    admins::name_second(town)?;
    town.act(Role::SuperAdmin, admins::all_countries()?)?;
    let people = [town.person(0)?, town.person(1)?];
    let births = people.map(|person| town.population().birth(person.number, 30));
    let births = births.into_iter().flatten().map(|birth| (By::System, birth.into()));
    town.act(Role::PartnerApi, births.collect())?;
    let propose = |(country, org_id)| {
        let (name, kind) = ("Ministry of Finance".to_owned(), OrganizationKind::Government);
        let stakeholders = people.map(|person| person.id).to_vec();
        (By::First, ProposeOrganization { org_id, name, kind, country, stakeholders })
    };
    admins::decide(town, Role::SuperAdmin, each(governments, propose))?;
    for person in people {
        let endorse = |(_, org_id)| (By::Person(person), EndorseMembership { org_id });
        town.act(Role::PartnerApi, each(governments, endorse))?;
    }
    let [first, _] = people;
    let activate = |(_, org_id)| (By::Person(first), ActivateOrganization { org_id });
    town.act(Role::PartnerApi, each(governments, activate)).map(drop)
}
