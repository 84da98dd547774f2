//! Recovery of a lost key: the guardians agree, the owner may veto, then the new key counts.

use gx_types::{AccountId, RecoveryId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::identity::guardians::{Guardians, living};
use crate::identity::keys::{self, KeyRecord};
use crate::state::{Key, RunningMs, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, PublicKey, Refusal, Refused, SignatureBytes};

/// How long the guardians have to agree.
const OPEN_FOR_DAYS: u32 = 7;

/// How long a recovery that they agreed on can be completed, once the owner's time to veto is over.
pub(super) const COMPLETABLE_FOR_DAYS: u32 = 30;

/// How long a guardian of whom a recovery has failed begins no other of the account.
const FAILED_FOR_DAYS: u32 = 30;

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
    pub expires_at: RunningMs,
    /// From when on it may be completed; absent until more than half agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completable_at: Option<RunningMs>,
    /// When it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<RunningMs>,
}

impl Recovery {
    /// Until when it is open if nobody ends it.
    fn ends_at(&self) -> RunningMs {
        match self.completable_at {
            Some(from) => from.plus_days(COMPLETABLE_FOR_DAYS),
            None => self.expires_at,
        }
    }

    pub(super) fn is_open(&self, now: RunningMs) -> bool {
        match self.state {
            RecoveryState::Pending | RecoveryState::Confirmed => now < self.ends_at(),
            RecoveryState::Cancelled | RecoveryState::Completed => false,
        }
    }

    /// Whether it has come to nothing so lately that who has begun it begins no other.
    fn failed_lately(&self, now: RunningMs) -> bool {
        let failed_at = match self.state {
            RecoveryState::Pending | RecoveryState::Confirmed => Some(self.ends_at()),
            RecoveryState::Cancelled => self.cancelled_at,
            RecoveryState::Completed => None,
        };
        failed_at.is_some_and(|at| at <= now && now < at.plus_days(FAILED_FOR_DAYS))
    }

    /// How many of the living guardians agree.
    fn confirmations(&self, living: &[AccountId]) -> usize {
        self.confirmed_by.iter().filter(|id| living.contains(id)).count()
    }

    /// Whether more than half of the living guardians agree.
    pub(super) fn is_agreed(&self, living: &[AccountId]) -> bool {
        self.confirmations(living).saturating_mul(2) > living.len()
    }

    pub(super) fn check_guardian(&self, actor: &AccountId) -> Result<(), Refusal> {
        if self.guardians.contains(actor) { Ok(()) } else { Err(Refusal::NotGuardian) }
    }
}

pub(super) fn recovery(tx: &mut Tx<'_>, id: RecoveryId) -> Result<Recovery, Stop> {
    let recovery: Option<Recovery> = tx.state.get(Key::Recovery(id))?;
    Ok(recovery.ok_or(Refusal::RecoveryNotFound)?)
}

/// Ends the open recoveries of an account but one: whoever has just signed with the key has not
/// lost it, guardians who are no longer trusted must not finish what they began, and one new key
/// is enough.
pub(super) fn end_open(
    tx: &mut Tx<'_>,
    user_id: AccountId,
    but: Option<RecoveryId>,
) -> Result<(), Stop> {
    let named: Option<Guardians> = tx.state.get(Key::Guardians(user_id))?;
    let Some(named) = named else { return Ok(()) };
    let now = tx.clocks.running();
    for (_, recovery_id, begun) in named.recoveries(tx)? {
        if begun.is_open(now) && but != Some(recovery_id) {
            cancel(tx, recovery_id, begun)?;
        }
    }
    Ok(())
}

pub(super) fn cancel(
    tx: &mut Tx<'_>,
    recovery_id: RecoveryId,
    asked: Recovery,
) -> Result<(), Stop> {
    let (user_id, state) = (asked.user_id, RecoveryState::Cancelled);
    let cancelled_at = Some(tx.clocks.running());
    tx.put(Key::Recovery(recovery_id), Recovery { state, cancelled_at, ..asked })?;
    tx.emit(RecoveryCancelled { recovery_id, user_id });
    Ok(())
}

/// A recovery was stopped: by the owner who said so, by a signature with the key that is not lost,
/// which has replaced that key or the guardians, by another recovery that was agreed on, or by an
/// order that has set a new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryCancelled {
    pub recovery_id: RecoveryId,
    pub user_id: AccountId,
}

impl Effects for RecoveryCancelled {}

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
        Refusal::RecoveryTooSoon,
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
        may_begin(tx, &named, initiated_by)?;
        let (user_id, public_key) = (self.user_id, self.public_key);
        let (state, completable_at, cancelled_at) = (RecoveryState::Pending, None, None);
        let expires_at = tx.clocks.running().plus_days(OPEN_FOR_DAYS);
        let guardians = named.guardians.clone();
        tx.put(guardians_key, named.beginning(initiated_by, recovery_id))?;
        let begun = Recovery {
            v: Version,
            user_id,
            public_key,
            guardians: guardians.clone(),
            confirmed_by: vec![initiated_by],
            state,
            expires_at,
            completable_at,
            cancelled_at,
        };
        tx.put(at, begun)?;
        let expires_at = tx.clocks.time_of_day(expires_at);
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

/// A guardian has one open recovery of an account, beside those of others as long as none is agreed
/// on, and waits when one has failed: nobody keeps an owner busy with vetoes.
fn may_begin(tx: &mut Tx<'_>, named: &Guardians, guardian: AccountId) -> Result<(), Stop> {
    let now = tx.clocks.running();
    let begun = named.recoveries(tx)?;
    let stands = |(by, _, begun): &(AccountId, RecoveryId, Recovery)| {
        begun.is_open(now) && (*by == guardian || begun.state == RecoveryState::Confirmed)
    };
    if begun.iter().any(stands) {
        return Err(Refusal::RecoveryOpen.into());
    }
    if begun.iter().any(|(by, _, begun)| *by == guardian && begun.failed_lately(now)) {
        return Err(Refusal::RecoveryTooSoon.into());
    }
    Ok(())
}

/// Agrees to a recovery, as a guardian. When more than half of the living guardians agree, it ends
/// the other recoveries of the account. Who has agreed may say so again when a death has made the
/// others fewer.

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
    /// How many of the living guardians agree.
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
    const EVENTS: &[&str] = &["RecoveryConfirmed", "RecoveryCancelled"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let guardian_id = tx.user()?;
        let mut asked = recovery(tx, self.recovery_id)?;
        asked.check_guardian(&guardian_id)?;
        let (recovery_id, user_id, now) = (self.recovery_id, asked.user_id, tx.clocks.running());
        let living = living(tx, &asked.guardians)?;
        let was_agreed = asked.is_agreed(&living);
        match asked.state {
            RecoveryState::Pending => {}
            // Somebody who had agreed has died since.
            RecoveryState::Confirmed if !was_agreed => {}
            RecoveryState::Confirmed | RecoveryState::Cancelled | RecoveryState::Completed => {
                return Err(Refusal::RecoveryNotPending.into());
            }
        }
        if !asked.is_open(now) {
            return Err(Refusal::RecoveryExpired.into());
        }
        if !asked.confirmed_by.contains(&guardian_id) {
            asked.confirmed_by.push(guardian_id);
        } else if !was_agreed {
            return Err(Refusal::AlreadyConfirmed.into());
        }
        let is_agreed = asked.is_agreed(&living);
        if is_agreed {
            asked.state = RecoveryState::Confirmed;
            asked.completable_at = Some(now.plus_hours(tx.params.recovery.delay_hours));
        }
        tx.emit(RecoveryConfirmed {
            recovery_id,
            user_id,
            guardian_id,
            confirmations: u32::try_from(asked.confirmations(&living)).unwrap_or(u32::MAX),
            state: asked.state,
            completable_at: asked.completable_at.map(|point| tx.clocks.time_of_day(point)),
        });
        tx.put(Key::Recovery(recovery_id), asked)?;
        if is_agreed { end_open(tx, user_id, Some(recovery_id)) } else { Ok(()) }
    }
}
