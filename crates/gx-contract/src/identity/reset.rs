//! A key that is reset by order: two super admins on a document, and the present key may veto.
//!
//! It is for those who have lost their key and have no guardians. Nobody can tell a lost key from
//! one that is only wanted by others, so that the holder of the present one has seven days.

use gx_types::{AccountId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::keys::{self, KeyRecord};
use super::recovery::{COMPLETABLE_FOR_DAYS, end_open};
use super::recovery_end::check_owner;
use crate::admin::OrderHash;
use crate::gates::{ActorRule, Gate};
use crate::state::{Key, RunningMs, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, PublicKey, Refusal, Refused, SignatureBytes};

/// How long the present key may veto.
const VETO_DAYS: u32 = 7;

/// What came of an order to reset a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyResetState {
    /// The present key may veto; later the new one can be set.
    Open,
    Cancelled,
    Completed,
}

/// The last order to reset an account's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyReset {
    pub v: Version<1>,
    /// What the account's key shall be.
    pub public_key: PublicKey,
    pub order_hash: OrderHash,
    pub state: KeyResetState,
    /// From when on the new key may be set, for 30 days.
    pub completable_at: RunningMs,
}

impl KeyReset {
    pub(super) fn is_open(&self, now: RunningMs) -> bool {
        let until = self.completable_at.plus_days(COMPLETABLE_FOR_DAYS);
        self.state == KeyResetState::Open && now < until
    }
}

/// The order that is open for an account.
fn open(tx: &mut Tx<'_>, user_id: AccountId) -> Result<KeyReset, Stop> {
    let reset: Option<KeyReset> = tx.state.get(Key::KeyReset(user_id))?;
    let now = tx.clocks.running();
    Ok(reset.filter(|reset| reset.is_open(now)).ok_or(Refusal::KeyResetNotFound)?)
}

/// Ends the order that is open, if there is one: the present key is in use, or replaced.
pub(super) fn cancel_open(tx: &mut Tx<'_>, user_id: AccountId) -> Result<(), Stop> {
    let at = Key::KeyReset(user_id);
    let reset: Option<KeyReset> = tx.state.get(at)?;
    let now = tx.clocks.running();
    let Some(reset) = reset.filter(|reset| reset.is_open(now)) else { return Ok(()) };
    tx.put(at, KeyReset { state: KeyResetState::Cancelled, ..reset })?;
    tx.emit(KeyResetCancelled { user_id });
    Ok(())
}

/// Orders another key for an account whose key is lost. Two super admins decide on it. The present
/// key may veto for 7 days; then the new one can be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetKeyByOrder {
    pub user_id: AccountId,
    pub new_key: PublicKey,
    /// By the new key over [`crate::key_proof_bytes`], with the id of the command that proposes.
    pub proof: SignatureBytes,
    /// Of the document that the two have seen.
    pub order_hash: OrderHash,
}

/// Another key is ordered for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyResetOrdered {
    pub user_id: AccountId,
    pub public_key: PublicKey,
    pub order_hash: OrderHash,
    /// From when on the key may be set; until then the present key may veto.
    pub completable_at: TimeMs,
}

impl Effects for KeyResetOrdered {}

impl Rule for ResetKeyByOrder {
    const GATE: Gate =
        Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins().even_to_frozen();
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::CounterpartyDeceased,
        Refusal::PublicKeyInvalid,
        Refusal::KeyMissing,
        Refusal::KeyUnchanged,
        Refusal::KeyNotProven,
        Refusal::KeyResetOpen,
    ];
    const EVENTS: &[&str] = &["KeyResetOrdered"];

    fn counterparty(&self) -> Option<&AccountId> {
        Some(&self.user_id)
    }

    fn validate(&self) -> Result<(), Refused> {
        keys::check_key(&self.new_key)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Self { user_id, new_key: public_key, proof, order_hash } = *self;
        let at = Key::KeyReset(user_id);
        tx.state.load([at, Key::AccountKey(user_id)])?;
        let key: Option<KeyRecord> = tx.state.get(Key::AccountKey(user_id))?;
        let key = key.ok_or(Refusal::KeyMissing)?;
        if key.public_key == public_key {
            return Err(Refusal::KeyUnchanged.into());
        }
        keys::check_new(tx, user_id, &public_key, &proof)?;
        let now = tx.clocks.running();
        if tx.state.get::<KeyReset>(at)?.is_some_and(|reset| reset.is_open(now)) {
            return Err(Refusal::KeyResetOpen.into());
        }
        let (state, completable_at) = (KeyResetState::Open, now.plus_days(VETO_DAYS));
        tx.put(at, KeyReset { v: Version, public_key, order_hash, state, completable_at })?;
        let completable_at = tx.clocks.time_of_day(completable_at);
        tx.emit(KeyResetOrdered { user_id, public_key, order_hash, completable_at });
        Ok(())
    }
}

/// Vetoes the order that is open; signed by the key that is not lost after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VetoKeyReset {
    pub user_id: AccountId,
}

/// An account keeps its key, or has got another one meanwhile: the order is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyResetCancelled {
    pub user_id: AccountId,
}

impl Effects for KeyResetCancelled {}

impl Rule for VetoKeyReset {
    const GATE: Gate =
        Gate::new(Role::PartnerApi, ActorRule::User).even_by_inactive().even_paused();
    const REFUSALS: &[Refusal] = &[Refusal::NotOwnAccount, Refusal::KeyResetNotFound];
    const EVENTS: &[&str] = &["KeyResetCancelled"];

    fn own_account(&self) -> Option<&AccountId> {
        Some(&self.user_id)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        open(tx, self.user_id)?;
        cancel_open(tx, self.user_id)
    }
}

/// Sets the key that was ordered, when nobody has vetoed in time. Recoveries that are open end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompleteKeyReset {
    pub user_id: AccountId,
}

/// An account has the key that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyResetCompleted {
    pub user_id: AccountId,
    pub public_key: PublicKey,
    pub order_hash: OrderHash,
}

impl Effects for KeyResetCompleted {}

impl Rule for CompleteKeyReset {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::AdminOrSystem);
    const REFUSALS: &[Refusal] =
        &[Refusal::KeyResetNotFound, Refusal::RecoveryTooEarly, Refusal::OwnerNotActive];
    const EVENTS: &[&str] = &["KeyResetCompleted", "RecoveryCancelled"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let user_id = self.user_id;
        let keys = [Key::Account(user_id), Key::AccountKey(user_id), Key::Guardians(user_id)];
        tx.state.load(keys)?;
        let reset = open(tx, user_id)?;
        if tx.clocks.running() < reset.completable_at {
            return Err(Refusal::RecoveryTooEarly.into());
        }
        check_owner(tx, &user_id)?;
        let KeyReset { public_key, order_hash, .. } = reset;
        keys::set_key(tx, &user_id, public_key)?;
        tx.put(Key::KeyReset(user_id), KeyReset { state: KeyResetState::Completed, ..reset })?;
        tx.emit(KeyResetCompleted { user_id, public_key, order_hash });
        end_open(tx, user_id, None)
    }
}
