//! IdentityContract: who has an account, and who may act for it.

mod guardians;
mod keys;
mod kinds;
mod queries;
mod recovery;
mod recovery_end;
mod relationships;
mod reset;
mod status;
mod trust;

pub use guardians::{Begun, Guardians, GuardiansDropped, GuardiansNominated, NominateGuardians};
pub use keys::{KeyRecord, KeyRegistered, KeyRotated, RegisterKey, RotateKey};
pub use kinds::RelationshipKind;
pub use queries::{
    GetMyProfile, GetRecovery, GetRelationships, GetUser, KeyResetView, Profile, RecoveryView,
    RelationshipView, Relationships, UserExistence, UserExists, UserView,
};
pub use recovery::{
    ConfirmRecovery, InitiateRecovery, Recovery, RecoveryCancelled, RecoveryConfirmed,
    RecoveryInitiated, RecoveryState,
};
pub use recovery_end::{CancelRecovery, CompleteRecovery, RecoveryCompleted};
pub use relationships::{
    ConfirmRelationship, EndRelationship, RejectRelationship, Relationship, RelationshipConfirmed,
    RelationshipEnded, RelationshipRejected, RelationshipRequested, RelationshipState,
    RequestRelationship,
};
pub use reset::{
    CompleteKeyReset, KeyReset, KeyResetCancelled, KeyResetCompleted, KeyResetOrdered,
    KeyResetState, ResetKeyByOrder, VetoKeyReset,
};
pub use status::{AccountStatus, SetUserStatus, UserStatusSet};
pub use trust::{AGE_DAYS, Tally, TrustBasis, TrustPart, TrustPoints, TrustScore};
pub(crate) use trust::{check_age, conduct};

use gx_types::{AccountId, AccountType, AttesterId, CountryCode, MspId, NetworkId, Role};
use serde::{Deserialize, Serialize};

use crate::attestation::{self, Attestation, Attested, Purpose};
use crate::countries::TOTAL_WEIGHT;
use crate::custody::place_of;
use crate::gates::{ActorRule, Gate};
use crate::genesis::{self, GenesisStatus};
use crate::state::{Account, Country, Identity, Key, TRUST_BASE, User, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused, hex_text};

/// SHA-256 or HMAC over who a person is; written as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityHash([u8; 32]);

impl IdentityHash {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash as big-endian words, for sorting.
    pub(crate) fn words(&self) -> [u64; 4] {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(self.0.chunks_exact(8)) {
            *word = bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        }
        words
    }
}

hex_text!(IdentityHash, 32, "64 lower-case hexadecimal digits");

/// Opens a person's account and grants genesis when the attested age allows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateUser {
    pub user_id: AccountId,
    /// Hash of who the person is; once on the ledger.
    pub identity_hash: IdentityHash,
    pub country: CountryCode,
    /// Attested age in years, 0 to 150.
    pub age: u16,
    pub account_type: AccountType,
    /// Who says so, without whom nobody is registered but on devnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Box<Attestation>>,
}

/// A person has an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserCreated {
    pub user_id: AccountId,
    pub country: CountryCode,
    pub account_type: AccountType,
    pub genesis: GenesisStatus,
    pub trust_score: u8,
    /// The organization that opened the account, and speaks for it while it has no key.
    pub custodian: MspId,
    /// Who has attested the person; absent where none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested_by: Option<AttesterId>,
}

impl Effects for UserCreated {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.user_id);
    }

    fn countries(&self, name: &mut dyn FnMut(CountryCode)) {
        name(self.country);
    }
}

/// So many super admins are in office on mainnet before anybody has coins: whoever loses one of two
/// has nobody left to decide with.
const MAINNET_SUPER_ADMINS: u32 = 3;

/// All other types are those of organizations, which no single person pays for, or the system's.
pub(crate) fn opened_for_a_person(account_type: AccountType) -> bool {
    matches!(account_type, AccountType::Individual | AccountType::Temporary)
}

impl Rule for CreateUser {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::AdminOrSystem);
    const REFUSALS: &[Refusal] = &[
        Refusal::AgeInvalid,
        Refusal::UserIdInvalid,
        Refusal::UserIdMismatch,
        Refusal::AccountTypeNotAllowed,
        Refusal::SuperAdminsMissing,
        Refusal::CountriesNotSealed,
        Refusal::CountryUnknown,
        Refusal::UserIdTaken,
        Refusal::IdentityTaken,
        Refusal::AttestationMissing,
        Refusal::AttesterUnknown,
        Refusal::AttestationExpired,
        Refusal::AttestationTooFarAhead,
        Refusal::AttestationWrong,
        Refusal::AttesterCountry,
        Refusal::AttesterDailyMax,
    ];
    const EVENTS: &[&str] = &["UserCreated", "GenesisDistributed"];

    fn validate(&self) -> Result<(), Refused> {
        if self.age > 150 {
            return Err(Refusal::AgeInvalid.into());
        }
        let layout =
            self.user_id.layout().map_err(|e| Refusal::UserIdInvalid.because(e.to_string()))?;
        if layout.country != self.country || layout.kind != self.account_type {
            return Err(Refusal::UserIdMismatch.into());
        }
        if !opened_for_a_person(self.account_type) {
            return Err(Refusal::AccountTypeNotAllowed.into());
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let identity_key = Key::Identity(self.identity_hash);
        let known = [
            Key::Countries,
            Key::Country(self.country),
            Key::Account(AccountId::treasury(self.country)),
            Key::Account(self.user_id),
            Key::User(self.user_id),
            identity_key,
        ];
        // All at once, so that no signature is looked at before the attempt that comes to an end.
        let attester = attestation::key_of(self.attestation.as_deref());
        tx.state.load(known.into_iter().chain(attester))?;
        let system = tx.state.running_system()?;
        if system.network_id == NetworkId::Mainnet && system.super_admins < MAINNET_SUPER_ADMINS {
            return Err(Refusal::SuperAdminsMissing.into());
        }
        if tx.state.countries()?.total_weight != TOTAL_WEIGHT {
            return Err(Refusal::CountriesNotSealed.into());
        }
        let mut country: Country =
            tx.state.country(self.country)?.ok_or(Refusal::CountryUnknown)?;
        if tx.state.account(&self.user_id)?.is_some() {
            return Err(Refusal::UserIdTaken.into());
        }
        if tx.state.get::<Identity>(identity_key)?.is_some() {
            return Err(Refusal::IdentityTaken.into());
        }
        let vouching = attestation::check(tx, &self.attested(), self.attestation.as_deref())??;
        let attested_by = vouching.count(tx)?;
        country.users = country.users.saturating_add(1);
        tx.put(Key::Country(self.country), country)?;
        let custodian = place_of(tx, tx.organization)?;
        let account = Account::user(self.country, self.account_type);
        tx.state.put_account(&self.user_id, Account { custodian, ..account })?;
        tx.put(identity_key, Identity { v: Version, user_id: self.user_id })?;
        let genesis =
            genesis::grant(tx, &self.user_id, self.country, self.account_type, self.age, None)?;
        let (identity_hash, created_at) = (self.identity_hash, tx.now);
        let trust_score = TRUST_BASE;
        let offered_to = None;
        let user = User { v: Version, identity_hash, created_at, genesis, trust_score, offered_to };
        tx.put(Key::User(self.user_id), user)?;
        tx.emit(UserCreated {
            user_id: self.user_id,
            country: self.country,
            account_type: self.account_type,
            genesis,
            trust_score,
            custodian: tx.organization,
            attested_by,
        });
        Ok(())
    }
}

impl CreateUser {
    /// What an attester says of the person with it.
    pub fn attested(&self) -> Attested {
        Attested {
            purpose: Purpose::Registration,
            user_id: self.user_id,
            identity_hash: self.identity_hash,
            country: self.country,
            age: self.age,
        }
    }
}
