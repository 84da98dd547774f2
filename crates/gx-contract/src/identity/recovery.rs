//! Recovery of a lost key: the guardians agree, the owner may veto, then the new key counts.

use gx_types::{AccountId, RecoveryId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::identity::AccountStatus;
use crate::identity::keys::{self, KeyRecord};
use crate::state::{Key, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, PublicKey, Refusal, Refused, SignatureBytes};

/// How many guardians a user has.
const GUARDIANS: std::ops::RangeInclusive<usize> = 3..=20;

/// How long the guardians have to agree.
const OPEN_FOR_DAYS: u32 = 7;

/// How long a recovery that they agreed on can be completed, once the owner's time to veto is over.
const COMPLETABLE_FOR_DAYS: u32 = 30;

/// Whom a user has named to vouch for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guardians {
    pub v: Version<1>,
    pub guardians: Vec<AccountId>,
    /// The last recovery that one of them has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_id: Option<RecoveryId>,
}

/// Where a recovery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecoveryState {
    /// Guardians are asked, until it expires.
    Pending,
    /// More than half agree; the owner may veto.
    Confirmed,
    Cancelled,
    Completed,
}

/// A recovery, with the guardians as they were when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recovery {
    pub v: Version<1>,
    pub user_id: AccountId,
    /// What the user's key shall be.
    pub public_key: PublicKey,
    pub guardians: Vec<AccountId>,
    pub confirmed_by: Vec<AccountId>,
    pub state: RecoveryState,
    pub expires_at: TimeMs,
    /// From when on it may be completed; absent until more than half agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completable_at: Option<TimeMs>,
}

impl Recovery {
    fn is_open(&self, now: TimeMs) -> bool {
        match self.state {
            RecoveryState::Pending => now < self.expires_at,
            RecoveryState::Confirmed => {
                self.completable_at.is_some_and(|from| now < from.plus_days(COMPLETABLE_FOR_DAYS))
            }
            RecoveryState::Cancelled | RecoveryState::Completed => false,
        }
    }

    fn confirmations(&self) -> u32 {
        u32::try_from(self.confirmed_by.len()).unwrap_or(u32::MAX)
    }

    fn check_guardian(&self, actor: &AccountId) -> Result<(), Refusal> {
        if self.guardians.contains(actor) { Ok(()) } else { Err(Refusal::NotGuardian) }
    }
}

fn recovery(tx: &mut Tx<'_>, id: RecoveryId) -> Result<Recovery, Stop> {
    let recovery: Option<Recovery> = tx.state.get(Key::Recovery(id))?;
    Ok(recovery.ok_or(Refusal::RecoveryNotFound)?)
}

/// Ends the open recovery of an account whose key has just signed: who can sign has not lost it,
/// and guardians who are no longer trusted must not finish what they began.
pub(super) fn end_open(tx: &mut Tx<'_>, user_id: AccountId) -> Result<(), Stop> {
    let named: Option<Guardians> = tx.state.get(Key::Guardians(user_id))?;
    let Some(recovery_id) = named.and_then(|named| named.recovery_id) else { return Ok(()) };
    let asked = recovery(tx, recovery_id)?;
    if asked.is_open(tx.now) { cancel(tx, recovery_id, asked) } else { Ok(()) }
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

fn cancel(tx: &mut Tx<'_>, recovery_id: RecoveryId, asked: Recovery) -> Result<(), Stop> {
    let (user_id, state) = (asked.user_id, RecoveryState::Cancelled);
    tx.put(Key::Recovery(recovery_id), Recovery { state, ..asked })?;
    tx.emit(RecoveryCancelled { recovery_id, user_id });
    Ok(())
}

/// Names those who can give the actor a new key. The whole list is replaced. Signed by the
/// account's key, it ends a recovery that is open; a first key ends what was named before it.
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
        let before: Option<Guardians> = tx.state.get(key)?;
        let (guardians, recovery_id) = (self.guardians.clone(), before.and_then(|b| b.recovery_id));
        tx.put(key, Guardians { v: Version, guardians: guardians.clone(), recovery_id })?;
        tx.emit(GuardiansNominated { user_id: self.user_id, guardians });
        end_open(tx, self.user_id)
    }
}

/// Begins the recovery of an account whose key is lost. The actor, a guardian, has agreed by this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InitiateRecovery {
    /// Who has lost the key.
    pub user_id: AccountId,
    /// The key that they have made instead.
    pub public_key: PublicKey,
    /// By the new key over [`crate::key_proof_bytes`], the holder being who has lost theirs.
    pub proof: SignatureBytes,
}

/// A recovery has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryInitiated {
    pub recovery_id: RecoveryId,
    pub user_id: AccountId,
    pub public_key: PublicKey,
    pub initiated_by: AccountId,
    pub guardians: Vec<AccountId>,
    pub expires_at: TimeMs,
}

impl Effects for RecoveryInitiated {}

impl Rule for InitiateRecovery {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::PublicKeyInvalid,
        Refusal::NotGuardian,
        Refusal::KeyMissing,
        Refusal::KeyUnchanged,
        Refusal::KeyNotProven,
        Refusal::RecoveryOpen,
    ];
    const EVENTS: &[&str] = &["RecoveryInitiated"];

    fn validate(&self) -> Result<(), Refused> {
        keys::check_key(&self.public_key)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let initiated_by = tx.user()?;
        let recovery_id = RecoveryId::made_by(tx.command_id);
        let (guardians_key, at) = (Key::Guardians(self.user_id), Key::Recovery(recovery_id));
        tx.state.load([guardians_key, at, Key::AccountKey(self.user_id)])?;
        let named: Option<Guardians> = tx.state.get(guardians_key)?;
        let named = named.filter(|named| named.guardians.contains(&initiated_by));
        let named = named.ok_or(Refusal::NotGuardian)?;
        let key: Option<KeyRecord> = tx.state.get(Key::AccountKey(self.user_id))?;
        let key = key.ok_or(Refusal::KeyMissing)?;
        if key.public_key == self.public_key {
            return Err(Refusal::KeyUnchanged.into());
        }
        keys::check_new(tx, self.user_id, &self.public_key, &self.proof)?;
        if let Some(last) = named.recovery_id
            && recovery(tx, last)?.is_open(tx.now)
        {
            return Err(Refusal::RecoveryOpen.into());
        }
        let (user_id, public_key) = (self.user_id, self.public_key);
        let (state, completable_at) = (RecoveryState::Pending, None);
        let expires_at = tx.now.plus_days(OPEN_FOR_DAYS);
        let guardians = named.guardians.clone();
        tx.put(guardians_key, Guardians { recovery_id: Some(recovery_id), ..named })?;
        let begun = Recovery {
            v: Version,
            user_id,
            public_key,
            guardians: guardians.clone(),
            confirmed_by: vec![initiated_by],
            state,
            expires_at,
            completable_at,
        };
        tx.put(at, begun)?;
        tx.emit(RecoveryInitiated {
            recovery_id,
            user_id,
            public_key,
            initiated_by,
            guardians,
            expires_at,
        });
        Ok(())
    }
}

/// Agrees to a recovery, as a guardian.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmRecovery {
    pub recovery_id: RecoveryId,
}

/// A guardian has agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryConfirmed {
    pub recovery_id: RecoveryId,
    pub user_id: AccountId,
    pub guardian_id: AccountId,
    /// How many agree, and of how many.
    pub confirmations: u32,
    pub state: RecoveryState,
    /// From when on the recovery may be completed; absent until more than half agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completable_at: Option<TimeMs>,
}

impl Effects for RecoveryConfirmed {}

impl Rule for ConfirmRecovery {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::RecoveryNotFound,
        Refusal::NotGuardian,
        Refusal::RecoveryNotPending,
        Refusal::RecoveryExpired,
        Refusal::AlreadyConfirmed,
    ];
    const EVENTS: &[&str] = &["RecoveryConfirmed"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let guardian_id = tx.user()?;
        let mut asked = recovery(tx, self.recovery_id)?;
        asked.check_guardian(&guardian_id)?;
        if asked.state != RecoveryState::Pending {
            return Err(Refusal::RecoveryNotPending.into());
        }
        if !asked.is_open(tx.now) {
            return Err(Refusal::RecoveryExpired.into());
        }
        if asked.confirmed_by.contains(&guardian_id) {
            return Err(Refusal::AlreadyConfirmed.into());
        }
        asked.confirmed_by.push(guardian_id);
        if asked.confirmed_by.len().saturating_mul(2) > asked.guardians.len() {
            asked.state = RecoveryState::Confirmed;
            asked.completable_at = Some(tx.now.plus_hours(tx.params.recovery.delay_hours));
        }
        tx.emit(RecoveryConfirmed {
            recovery_id: self.recovery_id,
            user_id: asked.user_id,
            guardian_id,
            confirmations: asked.confirmations(),
            state: asked.state,
            completable_at: asked.completable_at,
        });
        tx.put(Key::Recovery(self.recovery_id), asked)
    }
}

/// Vetoes a recovery of the actor's own account; signed by the key that is not lost after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelRecovery {
    pub recovery_id: RecoveryId,
}

/// The owner has stopped a recovery: by saying so, or by a signature with the key that is not lost,
/// which has replaced that key or the guardians.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryCancelled {
    pub recovery_id: RecoveryId,
    pub user_id: AccountId,
}

impl Effects for RecoveryCancelled {}

impl Rule for CancelRecovery {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User).even_by_frozen().even_paused();
    const REFUSALS: &[Refusal] =
        &[Refusal::RecoveryNotFound, Refusal::NotParty, Refusal::RecoveryOver];
    const EVENTS: &[&str] = &["RecoveryCancelled"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let asked = recovery(tx, self.recovery_id)?;
        if tx.user()? != asked.user_id {
            return Err(Refusal::NotParty.into());
        }
        if !asked.is_open(tx.now) {
            return Err(Refusal::RecoveryOver.into());
        }
        cancel(tx, self.recovery_id, asked)
    }
}

/// Sets the new key, as a guardian, when the owner's time to veto is over.
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
    const EVENTS: &[&str] = &["RecoveryCompleted"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let completed_by = tx.user()?;
        let asked = recovery(tx, self.recovery_id)?;
        asked.check_guardian(&completed_by)?;
        if !asked.is_open(tx.now) {
            return Err(Refusal::RecoveryOver.into());
        }
        let completable_at = asked.completable_at.ok_or(Refusal::RecoveryNotConfirmed)?;
        if tx.now < completable_at {
            return Err(Refusal::RecoveryTooEarly.into());
        }
        let (user_id, public_key) = (asked.user_id, asked.public_key);
        tx.state.load([Key::Account(user_id)])?;
        let owner = tx.state.existing_account(&user_id)?;
        if owner.frozen.is_some() || owner.status != AccountStatus::Active {
            return Err(Refusal::OwnerNotActive.into());
        }
        keys::set_key(tx, &user_id, public_key)?;
        let state = RecoveryState::Completed;
        tx.put(Key::Recovery(self.recovery_id), Recovery { state, ..asked })?;
        let recovery_id = self.recovery_id;
        tx.emit(RecoveryCompleted { recovery_id, user_id, public_key, completed_by });
        Ok(())
    }
}
