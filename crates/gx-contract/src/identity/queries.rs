//! What the ledger tells of users, their relations and recoveries, each from a few records.

use gx_types::{AccountId, AccountType, CountryCode, MspId, RecoveryId, RelationshipId, TimeMs};
use serde::{Deserialize, Serialize};

use crate::admin::OrderHash;
use crate::custody::custodian_of;
use crate::freezing::FreezeReasons;
use crate::identity::{
    AccountStatus, Guardians, KeyRecord, KeyReset, Recovery, RecoveryState, Relationship,
    RelationshipKind, RelationshipState, Tally, TrustBasis,
};
use crate::query::Answer;
use crate::state::{Key, State, User};
use crate::tx::Stop;
use crate::{GenesisStatus, PublicKey, Refusal};

/// What the ledger knows of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetUser {
    pub user_id: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    pub user_id: AccountId,
    pub country: Option<CountryCode>,
    pub account_type: AccountType,
    pub created_at: TimeMs,
    pub genesis: GenesisStatus,
    pub frozen: FreezeReasons,
    pub status: AccountStatus,
    /// 0 to 100.
    pub trust_score: u8,
    /// Whether commands of the user must be signed.
    pub keyed: bool,
    /// The organization that speaks for the account while it has no key.
    pub custodian: MspId,
}

fn user_view(state: &mut State, user_id: AccountId) -> Result<UserView, Stop> {
    let key = Key::User(user_id);
    state.load([key, Key::Account(user_id), Key::System])?;
    let user: User = state.get(key)?.ok_or(Refusal::AccountNotFound)?;
    let account = state.existing_account(&user_id)?;
    Ok(UserView {
        user_id,
        country: account.country,
        account_type: account.account_type,
        created_at: user.created_at,
        genesis: user.genesis,
        frozen: account.frozen,
        status: account.status,
        trust_score: user.trust_score,
        keyed: account.keyed,
        custodian: *custodian_of(state, &account)?,
    })
}

impl Answer for GetUser {
    type Answer = UserView;

    fn answer(&self, state: &mut State) -> Result<UserView, Stop> {
        user_view(state, self.user_id)
    }
}

/// Whether an id is a user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserExists {
    pub user_id: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserExistence {
    pub user_id: AccountId,
    pub exists: bool,
}

impl Answer for UserExists {
    type Answer = UserExistence;

    fn answer(&self, state: &mut State) -> Result<UserExistence, Stop> {
        let exists = state.get::<User>(Key::User(self.user_id))?.is_some();
        Ok(UserExistence { user_id: self.user_id, exists })
    }
}

/// A user with key, guardians and the counts of their relations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetMyProfile {
    pub user_id: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    pub user: UserView,
    pub public_key: Option<PublicKey>,
    pub guardians: Vec<AccountId>,
    /// The last recovery that each guardian has begun, of those who have.
    pub recovery_ids: Vec<RecoveryId>,
    /// The key that is ordered for the account, while the order is open.
    pub key_reset: Option<KeyResetView>,
    pub relations: TrustBasis,
}

/// A key that is ordered for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyResetView {
    pub public_key: PublicKey,
    pub order_hash: OrderHash,
    /// From when on it may be set; until then the present key may veto.
    pub completable_at: TimeMs,
}

impl Answer for GetMyProfile {
    type Answer = Profile;

    fn answer(&self, state: &mut State) -> Result<Profile, Stop> {
        let id = self.user_id;
        let (key, guardians, tally) = (Key::AccountKey(id), Key::Guardians(id), Key::Tally(id));
        let reset = Key::KeyReset(id);
        state.load([Key::Clock, Key::System])?;
        state.load([Key::User(id), Key::Account(id), key, guardians, reset, tally])?;
        let guardians: Option<Guardians> = state.get(guardians)?;
        let (clocks, reset) = (state.clocks()?, state.get::<KeyReset>(reset)?);
        let reset = reset.filter(|reset| reset.is_open(clocks.running()));
        Ok(Profile {
            user: user_view(state, id)?,
            public_key: state.get::<KeyRecord>(key)?.map(|record| record.public_key),
            key_reset: reset.map(|reset| KeyResetView {
                public_key: reset.public_key,
                order_hash: reset.order_hash,
                completable_at: clocks.time_of_day(reset.completable_at),
            }),
            recovery_ids: guardians
                .iter()
                .flat_map(|named| named.begun.iter().map(|begun| begun.recovery_id))
                .collect(),
            guardians: guardians.map(|named| named.guardians).unwrap_or_default(),
            relations: state.get::<Tally>(tally)?.unwrap_or_default().into(),
        })
    }
}

/// How many confirmed relations a user has, and all relations to one other user.
///
/// A list of all of them would grow without bound; the read models keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRelationships {
    pub user_id: AccountId,
    /// The other user whose relations with this one are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_id: Option<AccountId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Relationships {
    pub user_id: AccountId,
    pub trust_score: u8,
    pub counts: TrustBasis,
    /// With the other user, in whatever state; at most 13.
    pub relationships: Vec<RelationshipView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RelationshipView {
    pub relationship_id: RelationshipId,
    #[serde(rename = "type")]
    pub kind: RelationshipKind,
    pub subject_id: AccountId,
    pub object_id: AccountId,
    pub state: RelationshipState,
    /// Since when it is in this state.
    pub since: TimeMs,
}

/// The ids of all relationships that two users can have.
fn ids_between(a: AccountId, b: AccountId) -> Vec<RelationshipId> {
    let both = RelationshipKind::ALL.map(|kind| [kind.id_between(a, b), kind.id_between(b, a)]);
    let mut ids: Vec<RelationshipId> = both.into_iter().flatten().collect();
    ids.dedup();
    ids
}

impl Answer for GetRelationships {
    type Answer = Relationships;

    fn answer(&self, state: &mut State) -> Result<Relationships, Stop> {
        let (user_key, tally) = (Key::User(self.user_id), Key::Tally(self.user_id));
        let other = self.other_id.into_iter();
        let ids: Vec<_> = other.flat_map(|other| ids_between(self.user_id, other)).collect();
        state.load(ids.iter().map(|id| Key::Relationship(*id)).chain([user_key, tally]))?;
        let user: User = state.get(user_key)?.ok_or(Refusal::AccountNotFound)?;
        let mut relationships = Vec::new();
        for relationship_id in ids {
            let found: Option<Relationship> = state.get(Key::Relationship(relationship_id))?;
            relationships.extend(found.map(|found| {
                let Relationship { kind, subject_id, object_id, state, since, .. } = found;
                RelationshipView { relationship_id, kind, subject_id, object_id, state, since }
            }));
        }
        Ok(Relationships {
            user_id: self.user_id,
            trust_score: user.trust_score,
            counts: state.get::<Tally>(tally)?.unwrap_or_default().into(),
            relationships,
        })
    }
}

/// Where a recovery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRecovery {
    pub recovery_id: RecoveryId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryView {
    pub recovery_id: RecoveryId,
    pub user_id: AccountId,
    /// What the user's key shall be.
    pub public_key: PublicKey,
    pub guardians: Vec<AccountId>,
    pub confirmed_by: Vec<AccountId>,
    pub state: RecoveryState,
    pub expires_at: TimeMs,
    /// From when on it may be completed; null until more than half agree.
    pub completable_at: Option<TimeMs>,
}

impl Answer for GetRecovery {
    type Answer = RecoveryView;

    fn answer(&self, state: &mut State) -> Result<RecoveryView, Stop> {
        let recovery_id = self.recovery_id;
        state.load([Key::Clock, Key::System, Key::Recovery(recovery_id)])?;
        let found: Option<Recovery> = state.get(Key::Recovery(recovery_id))?;
        let found = found.ok_or(Refusal::RecoveryNotFound)?;
        let clocks = state.clocks()?;
        Ok(RecoveryView {
            recovery_id,
            user_id: found.user_id,
            public_key: found.public_key,
            guardians: found.guardians,
            confirmed_by: found.confirmed_by,
            state: found.state,
            expires_at: clocks.time_of_day(found.expires_at),
            completable_at: found.completable_at.map(|point| clocks.time_of_day(point)),
        })
    }
}
