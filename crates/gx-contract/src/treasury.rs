//! The treasuries of countries: locked until two super admins put one under a government's rules.
//!
//! Whoever takes a treasury over, by deceit or by two stolen keys, gets nothing out of it for a
//! week: long enough to see it, and to give the treasury to another organization.

use gx_types::{AccountId, CountryCode, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::admin::OrderHash;
use crate::gates::{ActorRule, Gate};
use crate::organization::{OrganizationKind, Spent, Treasury, organization, revise_open};
use crate::state::{Key, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal};

/// How long an organization waits before it pays from a treasury that it was given.
const WAITS_DAYS: u32 = 7;

/// Lets an organization's rules govern its country's treasury. Two super admins decide on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActivateTreasuryAccount {
    pub country_code: CountryCode,
    /// An active GOVERNMENT organization of that country.
    pub org_id: AccountId,
}

/// A treasury is governed by an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TreasuryActivated {
    pub country_code: CountryCode,
    pub treasury_id: AccountId,
    pub org_id: AccountId,
    /// From then on the organization can pay from it.
    pub payable_from: TimeMs,
}

impl Effects for TreasuryActivated {}

const BY_TWO: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins();

/// An active government of the country.
fn check_eligible(tx: &mut Tx<'_>, country: CountryCode, org_id: &AccountId) -> Result<(), Stop> {
    let governing = organization(tx.state, org_id)?;
    governing.check_active()?;
    if governing.kind != OrganizationKind::Government || governing.country != country {
        return Err(Refusal::OrganizationNotEligible.into());
    }
    Ok(())
}

/// Puts the treasury under the organization's rules.
fn give(
    tx: &mut Tx<'_>,
    country_code: CountryCode,
    org_id: AccountId,
    spent: Spent,
) -> Result<TimeMs, Stop> {
    let payable_from = tx.clocks.running().plus_days(WAITS_DAYS);
    let treasury = Treasury { v: Version, org_id, activated_at: tx.now, payable_from, spent };
    tx.put(Key::Treasury(country_code), treasury)?;
    Ok(tx.clocks.time_of_day(payable_from))
}

impl Rule for ActivateTreasuryAccount {
    const GATE: Gate = BY_TWO;
    const REFUSALS: &[Refusal] = &[
        Refusal::CountryUnknown,
        Refusal::OrganizationNotFound,
        Refusal::OrganizationNotActive,
        Refusal::OrganizationNotEligible,
        Refusal::TreasuryActive,
    ];
    const EVENTS: &[&str] = &["TreasuryActivated"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (country_code, org_id) = (self.country_code, self.org_id);
        let key = Key::Treasury(country_code);
        tx.state.load([key, Key::Country(country_code), Key::Organization(org_id)])?;
        tx.state.country(country_code)?.ok_or(Refusal::CountryUnknown)?;
        check_eligible(tx, country_code, &org_id)?;
        if tx.state.get::<Treasury>(key)?.is_some() {
            return Err(Refusal::TreasuryActive.into());
        }
        let payable_from = give(tx, country_code, org_id, Spent::default())?;
        let treasury_id = AccountId::treasury(country_code);
        tx.emit(TreasuryActivated { country_code, treasury_id, org_id, payable_from });
        Ok(())
    }
}

/// Gives a treasury to another organization, on a document. Two super admins decide on it. What
/// the organization before wanted to pay from it is not paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReassignTreasury {
    pub country_code: CountryCode,
    /// Another active GOVERNMENT organization of that country.
    pub org_id: AccountId,
    pub order_hash: OrderHash,
}

/// A treasury is governed by another organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TreasuryReassigned {
    pub country_code: CountryCode,
    pub treasury_id: AccountId,
    pub org_id: AccountId,
    pub order_hash: OrderHash,
    /// From then on the organization can pay from it.
    pub payable_from: TimeMs,
}

impl Effects for TreasuryReassigned {}

impl Rule for ReassignTreasury {
    const GATE: Gate = BY_TWO;
    const REFUSALS: &[Refusal] = &[
        Refusal::CountryUnknown,
        Refusal::TreasuryLocked,
        Refusal::OrganizationNotFound,
        Refusal::OrganizationNotActive,
        Refusal::OrganizationNotEligible,
        Refusal::TreasuryActive,
    ];
    const EVENTS: &[&str] = &["TreasuryReassigned", "MultiSigTxDropped"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Self { country_code, org_id, order_hash } = *self;
        let key = Key::Treasury(country_code);
        tx.state.load([key, Key::Country(country_code), Key::Organization(org_id)])?;
        tx.state.country(country_code)?.ok_or(Refusal::CountryUnknown)?;
        let before: Option<Treasury> = tx.state.get(key)?;
        let before = before.ok_or(Refusal::TreasuryLocked)?;
        check_eligible(tx, country_code, &org_id)?;
        if before.org_id == org_id {
            return Err(Refusal::TreasuryActive.into());
        }
        // What it has paid of late is the treasury's, whoever paid it.
        let payable_from = give(tx, country_code, org_id, before.spent)?;
        let treasury_id = AccountId::treasury(country_code);
        tx.emit(TreasuryReassigned { country_code, treasury_id, org_id, order_hash, payable_from });
        let mut former = organization(tx.state, &before.org_id)?;
        revise_open(tx, &mut former, |pending| {
            if pending.from == treasury_id {
                pending.reject();
            }
        })?;
        tx.put(Key::Organization(before.org_id), former)
    }
}
