//! Guardians: whom a user has named to vouch for them, and what these have begun.

use gx_types::{AccountId, RecoveryId, Role};
use serde::{Deserialize, Serialize};

use super::recovery::{Recovery, end_open};
use crate::gates::{ActorRule, Gate};
use crate::identity::AccountStatus;
use crate::state::{Key, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// How many guardians a user has.
const GUARDIANS: std::ops::RangeInclusive<usize> = 3..=20;

/// Whom a user has named to vouch for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guardians {
    pub v: Version<1>,
    pub guardians: Vec<AccountId>,
    /// The last recovery that each of them has begun, of those who have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begun: Vec<Begun>,
}

/// The last recovery of an account that a guardian has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Begun {
    pub by: AccountId,
    pub recovery_id: RecoveryId,
}

impl Guardians {
    /// With a recovery that one of them begins now.
    pub(super) fn beginning(mut self, by: AccountId, recovery_id: RecoveryId) -> Self {
        self.begun.retain(|begun| begun.by != by);
        self.begun.push(Begun { by, recovery_id });
        self
    }

    /// What they have begun, with who has.
    pub(super) fn recoveries(
        &self,
        tx: &mut Tx<'_>,
    ) -> Result<Vec<(AccountId, RecoveryId, Recovery)>, Stop> {
        tx.state.load(self.begun.iter().map(|begun| Key::Recovery(begun.recovery_id)))?;
        let mut all = Vec::with_capacity(self.begun.len());
        for Begun { by, recovery_id } in &self.begun {
            let recovery: Option<Recovery> = tx.state.get(Key::Recovery(*recovery_id))?;
            all.push((*by, *recovery_id, recovery.ok_or(Refusal::RecoveryNotFound)?));
        }
        Ok(all)
    }
}

/// Those of the guardians who are alive as far as the ledger knows. The others neither agree nor
/// count among those of whom more than half must.
pub(super) fn living(tx: &mut Tx<'_>, guardians: &[AccountId]) -> Result<Vec<AccountId>, Stop> {
    tx.state.load(guardians.iter().map(|id| Key::Account(*id)))?;
    let mut living = Vec::with_capacity(guardians.len());
    for id in guardians {
        if tx.state.existing_account(id)?.status != AccountStatus::Deceased {
            living.push(*id);
        }
    }
    Ok(living)
}

/// An account has got its first key: guardians whom another could have named for it are none.
/// There was nothing to recover, so that no recovery is open.
pub(super) fn drop_guardians(tx: &mut Tx<'_>, user_id: AccountId) -> Result<(), Stop> {
    let key = Key::Guardians(user_id);
    let named: Option<Guardians> = tx.state.get(key)?;
    let Some(named) = named.filter(|named| !named.guardians.is_empty()) else { return Ok(()) };
    tx.put(key, Guardians { guardians: Vec::new(), ..named })?;
    tx.emit(GuardiansDropped { user_id });
    Ok(())
}

/// Names those who can give the actor a new key. The whole list is replaced. Signed by the
/// account's key, it ends every recovery that is open; a first key ends what was named before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NominateGuardians {
    pub user_id: AccountId,
    /// 3 to 20 other users, each once.
    pub guardians: Vec<AccountId>,
}

/// A user has guardians.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuardiansNominated {
    pub user_id: AccountId,
    pub guardians: Vec<AccountId>,
}

impl Effects for GuardiansNominated {}

/// A user has no guardians any more: those of before the first key may have been another's choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuardiansDropped {
    pub user_id: AccountId,
}

impl Effects for GuardiansDropped {}

impl Rule for NominateGuardians {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::ListInvalid,
        Refusal::SameAccount,
        Refusal::NotOwnAccount,
        Refusal::GuardianNotFound,
    ];
    const EVENTS: &[&str] = &["GuardiansNominated", "RecoveryCancelled"];

    fn validate(&self) -> Result<(), Refused> {
        let mut ids = self.guardians.clone();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != self.guardians.len() || !GUARDIANS.contains(&ids.len()) {
            return Err(Refusal::ListInvalid.because("3 to 20 guardians, each once, expected"));
        }
        if ids.contains(&self.user_id) {
            return Err(Refusal::SameAccount.because("nobody is their own guardian"));
        }
        Ok(())
    }

    fn own_account(&self) -> Option<&AccountId> {
        Some(&self.user_id)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let key = Key::Guardians(self.user_id);
        let accounts = self.guardians.iter().map(|id| Key::Account(*id));
        tx.state.load(accounts.chain([key]))?;
        for id in &self.guardians {
            if !tx.state.account(id)?.is_some_and(|account| account.is_user()) {
                return Err(Refusal::GuardianNotFound.because(format!("no user {id}")).into());
            }
        }
        let (user_id, guardians) = (self.user_id, self.guardians.clone());
        let before: Option<Guardians> = tx.state.get(key)?;
        let mut begun = before.map(|before| before.begun).unwrap_or_default();
        tx.emit(GuardiansNominated { user_id, guardians: guardians.clone() });
        end_open(tx, user_id, None)?;
        begun.retain(|begun| guardians.contains(&begun.by));
        tx.put(key, Guardians { v: Version, guardians, begun })
    }
}
