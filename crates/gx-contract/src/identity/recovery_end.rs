//! How a recovery ends: the owner vetoes, or a guardian has the new key set.

use gx_types::{AccountId, RecoveryId, Role};
use serde::{Deserialize, Serialize};

use super::guardians::living;
use super::recovery::{Recovery, RecoveryState, cancel, recovery};
use super::{keys, reset};
use crate::gates::{ActorRule, Gate};
use crate::state::Key;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, PublicKey, Refusal};

/// Nobody gets another key while they could not use it.
pub(super) fn check_owner(tx: &mut Tx<'_>, user_id: &AccountId) -> Result<(), Stop> {
    if tx.state.existing_account(user_id)?.may_act() {
        Ok(())
    } else {
        Err(Refusal::OwnerNotActive.into())
    }
}

/// Vetoes a recovery of the actor's own account; signed by the key that is not lost after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelRecovery {
    pub recovery_id: RecoveryId,
}

impl Rule for CancelRecovery {
    const GATE: Gate =
        Gate::new(Role::PartnerApi, ActorRule::User).even_by_inactive().even_paused();
    const REFUSALS: &[Refusal] =
        &[Refusal::RecoveryNotFound, Refusal::NotParty, Refusal::RecoveryOver];
    const EVENTS: &[&str] = &["RecoveryCancelled"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let asked = recovery(tx, self.recovery_id)?;
        if tx.user()? != asked.user_id {
            return Err(Refusal::NotParty.into());
        }
        if !asked.is_open(tx.clocks.running()) {
            return Err(Refusal::RecoveryOver.into());
        }
        cancel(tx, self.recovery_id, asked)
    }
}

/// Sets the new key, as a guardian, when the owner's time to veto is over. More than half of those
/// guardians who are alive by then must agree, and it ends an order to reset the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompleteRecovery {
    pub recovery_id: RecoveryId,
}

/// The account has its new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryCompleted {
    pub recovery_id: RecoveryId,
    pub user_id: AccountId,
    pub public_key: PublicKey,
    pub completed_by: AccountId,
}

impl Effects for RecoveryCompleted {}

impl Rule for CompleteRecovery {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::RecoveryNotFound,
        Refusal::NotGuardian,
        Refusal::RecoveryOver,
        Refusal::RecoveryNotConfirmed,
        Refusal::RecoveryTooEarly,
        Refusal::OwnerNotActive,
    ];
    const EVENTS: &[&str] = &["RecoveryCompleted", "KeyResetCancelled"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let completed_by = tx.user()?;
        let asked = recovery(tx, self.recovery_id)?;
        asked.check_guardian(&completed_by)?;
        let now = tx.clocks.running();
        if !asked.is_open(now) {
            return Err(Refusal::RecoveryOver.into());
        }
        let (user_id, public_key) = (asked.user_id, asked.public_key);
        let guardians = asked.guardians.iter().map(|id| Key::Account(*id));
        tx.state.load(guardians.chain([Key::Account(user_id), Key::KeyReset(user_id)]))?;
        let completable_at = asked.completable_at.ok_or(Refusal::RecoveryNotConfirmed)?;
        if !asked.is_agreed(&living(tx, &asked.guardians)?) {
            return Err(Refusal::RecoveryNotConfirmed.into());
        }
        if now < completable_at {
            return Err(Refusal::RecoveryTooEarly.into());
        }
        check_owner(tx, &user_id)?;
        keys::set_key(tx, &user_id, public_key)?;
        let state = RecoveryState::Completed;
        tx.put(Key::Recovery(self.recovery_id), Recovery { state, ..asked })?;
        let recovery_id = self.recovery_id;
        tx.emit(RecoveryCompleted { recovery_id, user_id, public_key, completed_by });
        reset::cancel_open(tx, user_id)
    }
}
