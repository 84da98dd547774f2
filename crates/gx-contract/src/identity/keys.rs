//! Account keys: with one, every command on behalf of the account must be signed by it.

use gx_types::{AccountId, Actor, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::{guardians, recovery, reset};
use crate::gates::{ActorRule, Gate};
use crate::signature::check_proof;
use crate::state::{Account, Key, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, PublicKey, Refusal, Refused, SignatureBytes};

/// The key of an account, apart from the account so that payments do not carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRecord {
    pub v: Version<1>,
    pub public_key: PublicKey,
    pub since: TimeMs,
}

/// Gives an account its first key. From then on the key's holder alone acts for the account, and
/// whom somebody else has named as guardians for it before is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegisterKey {
    pub user_id: AccountId,
    pub public_key: PublicKey,
    /// By the new key over [`crate::key_proof_bytes`]: whoever sets a key holds it.
    pub proof: SignatureBytes,
}

/// An account has a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRegistered {
    pub user_id: AccountId,
    pub public_key: PublicKey,
}

impl Effects for KeyRegistered {}

pub(super) fn check_key(key: &PublicKey) -> Result<(), Refused> {
    if key.is_sound() { Ok(()) } else { Err(Refusal::PublicKeyInvalid.into()) }
}

/// The new key has signed that it is to be the account's.
pub(super) fn check_new(
    tx: &mut Tx<'_>,
    user_id: AccountId,
    key: &PublicKey,
    proof: &SignatureBytes,
) -> Result<(), Stop> {
    check_proof(tx, &Actor::User(user_id), key, proof)
}

/// Stores the key of an account.
pub(super) fn set_key(tx: &mut Tx<'_>, user: &AccountId, key: PublicKey) -> Result<(), Stop> {
    let at = Key::AccountKey(*user);
    tx.state.load([at, Key::Account(*user)])?;
    let account = tx.state.existing_account(user)?;
    tx.put(at, KeyRecord { v: Version, public_key: key, since: tx.now })?;
    tx.state.put_account(user, Account { keyed: true, ..account })
}

impl Rule for RegisterKey {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::PublicKeyInvalid,
        Refusal::NotOwnAccount,
        Refusal::KeyExists,
        Refusal::KeyNotProven,
    ];
    const EVENTS: &[&str] = &["KeyRegistered", "GuardiansDropped"];

    fn validate(&self) -> Result<(), Refused> {
        check_key(&self.public_key)
    }

    fn own_account(&self) -> Option<&AccountId> {
        Some(&self.user_id)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        if tx.state.existing_account(&self.user_id)?.keyed {
            return Err(Refusal::KeyExists.into());
        }
        let Self { user_id, public_key, proof } = *self;
        let keys = [Key::AccountKey(user_id), Key::Account(user_id), Key::Guardians(user_id)];
        tx.state.load(keys)?;
        check_new(tx, user_id, &public_key, &proof)?;
        set_key(tx, &user_id, public_key)?;
        tx.emit(KeyRegistered { user_id, public_key });
        guardians::drop_guardians(tx, user_id)
    }
}

/// Replaces an account's key. The command is signed by the old one, as every other is, and so ends
/// recoveries that are open and an order to reset the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateKey {
    pub user_id: AccountId,
    pub public_key: PublicKey,
    /// By the new key over [`crate::key_proof_bytes`].
    pub proof: SignatureBytes,
}

/// An account has another key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRotated {
    pub user_id: AccountId,
    pub public_key: PublicKey,
}

impl Effects for KeyRotated {}

impl Rule for RotateKey {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User).even_by_frozen();
    const REFUSALS: &[Refusal] = &[
        Refusal::PublicKeyInvalid,
        Refusal::NotOwnAccount,
        Refusal::KeyMissing,
        Refusal::KeyUnchanged,
        Refusal::KeyNotProven,
    ];
    const EVENTS: &[&str] = &["KeyRotated", "RecoveryCancelled", "KeyResetCancelled"];

    fn validate(&self) -> Result<(), Refused> {
        check_key(&self.public_key)
    }

    fn own_account(&self) -> Option<&AccountId> {
        Some(&self.user_id)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let key: Option<KeyRecord> = tx.state.get(Key::AccountKey(self.user_id))?;
        let key = key.ok_or(Refusal::KeyMissing)?;
        if key.public_key == self.public_key {
            return Err(Refusal::KeyUnchanged.into());
        }
        check_new(tx, self.user_id, &self.public_key, &self.proof)?;
        set_key(tx, &self.user_id, self.public_key)?;
        tx.emit(KeyRotated { user_id: self.user_id, public_key: self.public_key });
        recovery::end_open(tx, self.user_id, None)?;
        reset::cancel_open(tx, self.user_id)
    }
}
