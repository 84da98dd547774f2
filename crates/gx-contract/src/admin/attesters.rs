//! Who attests: the parties whose signed word for somebody's age and identity the ledger takes.
//!
//! Two super admins decide on each, on how many people it may attest a day, and where. What a word
//! says, and whether it is good, stands in `attestation`.

use gx_types::{AttesterId, CountryCode, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::disbursement::day_of;
use super::keys::check_key;
use crate::gates::{ActorRule, Gate};
use crate::query::Answer;
use crate::signature::{KeyHolder, check_proof};
use crate::state::{Key, State, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, PublicKey, Refusal, Refused, SignatureBytes};

/// More people a day than this are attested by several attesters.
const DAILY_MAX: u32 = 1_000_000;

/// No set of countries is larger: there are 676 codes of two letters.
const COUNTRIES_MAX: usize = 676;

/// An attester on the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attester {
    pub v: Version<1>,
    /// What its attestations are signed with; absent for devnet's own, which signs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    /// How many people it may attest on one day.
    pub daily_max: u32,
    /// Where it may attest, in alphabetical order; absent for devnet's own, which may anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<CountryCode>,
    pub registered_at: TimeMs,
    /// The last day on which it has attested anybody; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<AttestedDay>,
    /// Absent while its word counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<TimeMs>,
}

/// How many people an attester has attested on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttestedDay {
    /// Days since 1970-01-01, UTC.
    pub number: i64,
    pub people: u32,
}

impl Attester {
    /// Devnet's own, who stands for every attestation that is not there.
    pub(super) fn of_devnet(now: TimeMs) -> Self {
        let (public_key, daily_max, countries) = (None, u32::MAX, Vec::new());
        let (registered_at, day, removed_at) = (now, None, None);
        Self { v: Version, public_key, daily_max, countries, registered_at, day, removed_at }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.removed_at.is_none()
    }

    pub(crate) fn is_keyless(&self) -> bool {
        self.public_key.is_none()
    }

    pub(crate) fn attests_in(&self, country: CountryCode) -> bool {
        match self.public_key {
            None => true,
            Some(_) => self.countries.binary_search(&country).is_ok(),
        }
    }

    pub(crate) fn attested_on_day_of(&self, time: TimeMs) -> u32 {
        let day = self.day.filter(|day| day.number == day_of(time));
        day.map_or(0, |day| day.people)
    }

    /// With one more person attested at this time.
    pub(crate) fn counted(self, time: TimeMs) -> Self {
        let people = self.attested_on_day_of(time).saturating_add(1);
        Self { day: Some(AttestedDay { number: day_of(time), people }), ..self }
    }
}

/// Has an attester's word for people's age and identity count. Two super admins decide on it. An
/// id that was removed can be registered again, with another key or other limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegisterAttester {
    pub attester_id: AttesterId,
    pub public_key: PublicKey,
    /// By the key over [`crate::key_proof_bytes`]: whoever attests holds it.
    pub proof: SignatureBytes,
    /// How many people it may attest on one day by UTC: 1 to 1,000,000.
    pub daily_max: u32,
    /// Where it may attest: at least one country, each once.
    pub countries: Vec<CountryCode>,
}

/// An attester's word counts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttesterRegistered {
    pub attester_id: AttesterId,
    pub public_key: PublicKey,
    pub daily_max: u32,
    /// In alphabetical order.
    pub countries: Vec<CountryCode>,
}

impl Effects for AttesterRegistered {}

impl RegisterAttester {
    fn sorted_countries(&self) -> Vec<CountryCode> {
        let mut countries = self.countries.clone();
        countries.sort_unstable();
        countries.dedup();
        countries
    }
}

impl Rule for RegisterAttester {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins();
    const REFUSALS: &[Refusal] = &[
        Refusal::ListInvalid,
        Refusal::PublicKeyInvalid,
        Refusal::ValueOutOfBounds,
        Refusal::AttesterExists,
        Refusal::CountryUnknown,
        Refusal::KeyNotProven,
    ];
    const EVENTS: &[&str] = &["AttesterRegistered"];

    fn validate(&self) -> Result<(), Refused> {
        let (given, distinct) = (self.countries.len(), self.sorted_countries().len());
        if distinct == 0 || distinct != given || distinct > COUNTRIES_MAX {
            return Err(Refusal::ListInvalid.because("1 to 676 countries, each once, expected"));
        }
        check_key(&self.public_key)?;
        if !(1..=DAILY_MAX).contains(&self.daily_max) {
            let detail = format!("dailyMax of 1 to {DAILY_MAX} expected, got {}", self.daily_max);
            return Err(Refusal::ValueOutOfBounds.because(detail));
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let key = Key::Attester(self.attester_id);
        tx.state.load([key, Key::Countries])?;
        let before: Option<Attester> = tx.state.get(key)?;
        if before.as_ref().is_some_and(Attester::is_active) {
            return Err(Refusal::AttesterExists.into());
        }
        let known = tx.state.countries()?.codes;
        if let Some(unknown) = self.countries.iter().find(|code| !known.contains(code)) {
            let detail = format!("{unknown} is not in the set of countries");
            return Err(Refusal::CountryUnknown.because(detail).into());
        }
        let Self { attester_id, public_key, proof, daily_max, .. } = *self;
        check_proof(tx, &KeyHolder::Attester(attester_id), &public_key, &proof)?;
        let countries = self.sorted_countries();
        let attester = Attester {
            v: Version,
            public_key: Some(public_key),
            daily_max,
            countries: countries.clone(),
            registered_at: tx.now,
            // Nobody gets a second day by being registered a second time.
            day: before.filter(|before| !before.is_keyless()).and_then(|before| before.day),
            removed_at: None,
        };
        tx.put(key, attester)?;
        tx.emit(AttesterRegistered { attester_id, public_key, daily_max, countries });
        Ok(())
    }
}

/// Ends that an attester's word counts, also for what it has signed before. Two super admins decide
/// on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveAttester {
    pub attester_id: AttesterId,
}

/// An attester's word counts no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttesterRemoved {
    pub attester_id: AttesterId,
}

impl Effects for AttesterRemoved {}

impl Rule for RemoveAttester {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins();
    const REFUSALS: &[Refusal] = &[Refusal::AttesterUnknown];
    const EVENTS: &[&str] = &["AttesterRemoved"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Self { attester_id } = *self;
        let key = Key::Attester(attester_id);
        let attester: Option<Attester> = tx.state.get(key)?;
        let attester = attester.filter(Attester::is_active).ok_or(Refusal::AttesterUnknown)?;
        tx.put(key, Attester { removed_at: Some(tx.now), ..attester })?;
        tx.emit(AttesterRemoved { attester_id });
        Ok(())
    }
}

/// An attester, whether its word still counts or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetAttester {
    pub attester_id: AttesterId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttesterView {
    pub attester_id: AttesterId,
    /// What its attestations are signed with; absent for devnet's own, which signs nothing.
    pub public_key: Option<PublicKey>,
    /// How many people it may attest on one day.
    pub daily_max: u32,
    /// Where it may attest; empty for devnet's own, which may anywhere.
    pub countries: Vec<CountryCode>,
    pub registered_at: TimeMs,
    /// How many people it has attested on the day of the last batch.
    pub attested_today: u32,
    pub removed_at: Option<TimeMs>,
}

impl Answer for GetAttester {
    type Answer = AttesterView;

    fn answer(&self, state: &mut State) -> Result<AttesterView, Stop> {
        let key = Key::Attester(self.attester_id);
        state.load([key, Key::Clock, Key::System])?;
        let attester: Option<Attester> = state.get(key)?;
        let attester = attester.ok_or(Refusal::AttesterUnknown)?;
        let attested_today = attester.attested_on_day_of(state.clocks()?.now());
        let Attester { public_key, daily_max, countries, registered_at, removed_at, .. } = attester;
        Ok(AttesterView {
            attester_id: self.attester_id,
            public_key,
            daily_max,
            countries,
            registered_at,
            attested_today,
            removed_at,
        })
    }
}
