//! Genesis: the coins that a person and their country receive once, by phase.

use gx_types::{AccountId, AccountType, Amount, AttesterId, CountryCode, Pool};
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::countries::SLOT_PHASES;
use crate::state::{Country, Key, User};
use crate::tokenomics::GenesisDistributed;
use crate::tx::{Stop, Tx};

/// Ages that genesis is for, inclusive.
const AGES: std::ops::RangeInclusive<u16> = 13..=73;

/// What the user and the country's treasury receive in each phase, in GX.
const GRANTS: [(u64, u64); 6] = [(500, 50), (400, 50), (300, 50), (200, 50), (100, 50), (50, 10)];

/// Where a user stands with genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum GenesisStatus {
    /// Received, in phase 1 to 6. Only this forbids another grant.
    Granted { phase: u8, amount: Amount },
    /// Not an individual aged 13 to 73 when last attested.
    Ineligible,
    /// The country had no slot left.
    Exhausted,
}

/// Reads what grants to these users will need at once, from however many countries they are.
pub(crate) fn load(tx: &mut Tx<'_>, users: impl Iterator<Item = AccountId>) -> Result<(), Stop> {
    let mut keys = Vec::new();
    for user in users {
        if let Some(country) = tx.state.account(&user)?.and_then(|account| account.country) {
            keys.extend([Key::Country(country), Key::Account(AccountId::treasury(country))]);
        }
    }
    tx.state.load(keys)
}

/// Grants genesis to a user without it; the caller stores the user with the new status.
///
/// The status `Ineligible` or `Exhausted` comes back without any movement.
pub(crate) fn grant(
    tx: &mut Tx<'_>,
    user_id: &AccountId,
    country: CountryCode,
    account_type: AccountType,
    age: u16,
    attested_by: Option<AttesterId>,
) -> Result<GenesisStatus, Stop> {
    if account_type != AccountType::Individual || !AGES.contains(&age) {
        return Ok(GenesisStatus::Ineligible);
    }
    let treasury = AccountId::treasury(country);
    tx.state.load([
        Key::Country(country),
        Key::Account(treasury),
        Key::Account(Pool::UserGenesis.account()),
        Key::Account(Pool::GovtGenesis.account()),
    ])?;
    let mut row: Country = tx.state.country(country)?.ok_or(Refusal::CountryUnknown)?;
    let free = row.slots.iter().zip(&row.slots_used).position(|(slots, used)| used < slots);
    let Some(phase) = free.filter(|phase| *phase < SLOT_PHASES.len()) else {
        return Ok(GenesisStatus::Exhausted);
    };
    let (user_gx, treasury_gx) = GRANTS.get(phase).copied().unwrap_or_default();
    let amount = Amount::from_qirat(user_gx.saturating_mul(gx_types::QIRAT_PER_GX));
    let treasury_amount = Amount::from_qirat(treasury_gx.saturating_mul(gx_types::QIRAT_PER_GX));
    tx.debit(&Pool::UserGenesis.account(), amount)?;
    tx.credit(user_id, amount)?;
    tx.debit(&Pool::GovtGenesis.account(), treasury_amount)?;
    tx.credit(&treasury, treasury_amount)?;
    if let Some(used) = row.slots_used.get_mut(phase) {
        *used = used.saturating_add(1);
    }
    tx.put(Key::Country(country), row)?;
    let phase = u8::try_from(phase.saturating_add(1)).unwrap_or(u8::MAX);
    let postings = tx.take_postings();
    tx.emit(GenesisDistributed {
        user_id: *user_id,
        country,
        phase,
        amount,
        treasury_amount,
        attested_by,
        postings,
    });
    Ok(GenesisStatus::Granted { phase, amount })
}

impl User {
    pub(crate) fn genesis_granted(&self) -> bool {
        matches!(self.genesis, GenesisStatus::Granted { .. })
    }
}
