//! The treasuries of countries: locked until an admin puts one under a government's rules.

use gx_types::{AccountId, CountryCode, Role};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::organization::{OrganizationKind, Spent, Treasury, organization};
use crate::state::{Key, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal};

/// Lets an organization's rules govern its country's treasury. Once, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActivateTreasuryAccount {
    pub country_code: CountryCode,
    /// An active GOVERNMENT organization of that country.
    pub org_id: AccountId,
}

/// A treasury may pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TreasuryActivated {
    pub country_code: CountryCode,
    pub treasury_id: AccountId,
    pub org_id: AccountId,
}

impl Effects for TreasuryActivated {}

impl Rule for ActivateTreasuryAccount {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin);
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
        let governing = organization(tx.state, &org_id)?;
        governing.check_active()?;
        if governing.kind != OrganizationKind::Government || governing.country != country_code {
            return Err(Refusal::OrganizationNotEligible.into());
        }
        if tx.state.get::<Treasury>(key)?.is_some() {
            return Err(Refusal::TreasuryActive.into());
        }
        tx.put(
            key,
            Treasury { v: Version, org_id, activated_at: tx.now, spent: Spent::default() },
        )?;
        let treasury_id = AccountId::treasury(country_code);
        tx.emit(TreasuryActivated { country_code, treasury_id, org_id });
        Ok(())
    }
}
