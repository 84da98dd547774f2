//! Keys of administrators: with one, everything that the admin proposes, approves or does alone is
//! signed by it. Whoever controls a service process can then not speak for two admins at once.

use gx_types::{Actor, AdminId, Role};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::signature::check_proof;
use crate::state::{Admin, Key};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, PublicKey, Refusal, Refused, SignatureBytes};

/// Gives the acting admin a first key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegisterAdminKey {
    pub public_key: PublicKey,
    /// By the new key over [`crate::key_proof_bytes`]: whoever sets a key holds it.
    pub proof: SignatureBytes,
}

/// An admin has a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminKeyRegistered {
    pub admin_id: AdminId,
    pub public_key: PublicKey,
}

impl Effects for AdminKeyRegistered {}

pub(super) fn check_key(key: &PublicKey) -> Result<(), Refused> {
    if key.is_sound() { Ok(()) } else { Err(Refusal::PublicKeyInvalid.into()) }
}

/// The acting admin, who is in office: the gate has seen to it.
fn acting(tx: &mut Tx<'_>) -> Result<(AdminId, Admin), Stop> {
    let Actor::Admin(id) = *tx.actor else {
        return Err(Refusal::ActorNotAllowed.into());
    };
    let admin: Option<Admin> = tx.state.get(Key::Admin(id))?;
    Ok((id, admin.ok_or(Refusal::ActorUnknown)?))
}

/// Gives the admin the key, if it has signed for it.
fn set(
    tx: &mut Tx<'_>,
    (id, admin): (AdminId, Admin),
    public_key: PublicKey,
    proof: &SignatureBytes,
) -> Result<(), Stop> {
    check_proof(tx, &Actor::Admin(id), &public_key, proof)?;
    tx.put(Key::Admin(id), Admin { public_key: Some(public_key), key_since: Some(tx.now), ..admin })
}

impl Rule for RegisterAdminKey {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin).even_without_key().even_paused();
    const REFUSALS: &[Refusal] =
        &[Refusal::PublicKeyInvalid, Refusal::KeyExists, Refusal::KeyNotProven];
    const EVENTS: &[&str] = &["AdminKeyRegistered"];

    fn validate(&self) -> Result<(), Refused> {
        check_key(&self.public_key)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (admin_id, admin) = acting(tx)?;
        if admin.public_key.is_some() {
            return Err(Refusal::KeyExists.into());
        }
        let public_key = self.public_key;
        set(tx, (admin_id, admin), public_key, &self.proof)?;
        tx.emit(AdminKeyRegistered { admin_id, public_key });
        Ok(())
    }
}

/// Replaces the acting admin's key. The command is signed by the old one, as every other is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateAdminKey {
    pub public_key: PublicKey,
    /// By the new key over [`crate::key_proof_bytes`].
    pub proof: SignatureBytes,
}

/// An admin has another key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminKeyRotated {
    pub admin_id: AdminId,
    pub public_key: PublicKey,
}

impl Effects for AdminKeyRotated {}

impl Rule for RotateAdminKey {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin).even_without_key().even_paused();
    const REFUSALS: &[Refusal] = &[
        Refusal::PublicKeyInvalid,
        Refusal::KeyMissing,
        Refusal::KeyUnchanged,
        Refusal::KeyNotProven,
    ];
    const EVENTS: &[&str] = &["AdminKeyRotated"];

    fn validate(&self) -> Result<(), Refused> {
        check_key(&self.public_key)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (admin_id, admin) = acting(tx)?;
        match admin.public_key {
            None => return Err(Refusal::KeyMissing.into()),
            Some(key) if key == self.public_key => return Err(Refusal::KeyUnchanged.into()),
            Some(_) => {}
        }
        let public_key = self.public_key;
        set(tx, (admin_id, admin), public_key, &self.proof)?;
        tx.emit(AdminKeyRotated { admin_id, public_key });
        Ok(())
    }
}
