//! The ledger's clock: on mainnet it moves by at most 36 hours at once, unless two super admins
//! confirm a longer step. One batch dated a century ahead would end every delay, vote and signature
//! for ever, and it takes one wrong clock to send it.

use gx_types::{AdminId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::signature::is_proven;
use crate::state::{Admin, AdminLevel, Clock, Key, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Batch, Command, Effects, Refusal, Refused, SignatureBytes, clock_confirmation_bytes};

/// The longest step that time makes by itself.
const STEP_MAX_HOURS: u32 = 36;

/// How far what is confirmed may lie from what the engine says.
const TOLERANCE_HOURS: u32 = 1;

/// Whether the last batch is too long ago to be followed by one of this time.
pub(crate) fn is_jump(last: TimeMs, engine_time: TimeMs) -> bool {
    engine_time > last.plus_hours(STEP_MAX_HOURS)
}

/// Whether the batch may be executed although the clock has jumped: at the old time, with nothing
/// in it that could profit from a wrong one.
pub(crate) fn may_confirm(batch: &Batch) -> bool {
    let confirms = |command: &Command| matches!(command, Command::ConfirmClock(_));
    !batch.commands.is_empty() && batch.commands.iter().all(|one| confirms(&one.command))
}

/// Lets the ledger's clock go on after a step of more than 36 hours, to what the engine says. Both
/// super admins have looked at a clock of their own; neither the engine nor a service is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmClock {
    /// What the time is, to within an hour.
    pub time: TimeMs,
    /// Of two different super admins with keys.
    pub confirmations: Vec<ClockConfirmation>,
}

/// A super admin's word for what the time is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClockConfirmation {
    pub admin_id: AdminId,
    /// By the admin's key over [`crate::clock_confirmation_bytes`].
    pub signature: SignatureBytes,
}

/// The clock has gone on by more than 36 hours at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClockConfirmed {
    /// The last batch time before.
    pub from: TimeMs,
    /// The time from which batches go on.
    pub to: TimeMs,
    pub confirmed_by: Vec<AdminId>,
}

impl Effects for ClockConfirmed {}

impl Rule for ConfirmClock {
    // The confirmations are signed each by itself; whoever sends them adds nothing.
    const GATE: Gate =
        Gate::new(Role::SuperAdmin, ActorRule::AdminOrSystem).even_without_key().even_paused();
    const REFUSALS: &[Refusal] = &[
        Refusal::ListInvalid,
        Refusal::ClockRight,
        Refusal::ClockDiffers,
        Refusal::AdminUnknown,
        Refusal::AdminLevelTooLow,
        Refusal::KeyMissing,
        Refusal::ConfirmationWrong,
    ];
    const EVENTS: &[&str] = &["ClockConfirmed"];

    fn validate(&self) -> Result<(), Refused> {
        match &self.confirmations[..] {
            [one, other] if one.admin_id != other.admin_id => Ok(()),
            _ => Err(Refusal::ListInvalid.because("two different super admins expected")),
        }
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (clock, to): (Option<Clock>, _) = (tx.state.get(Key::Clock)?, tx.engine_time);
        let from = clock.map(|clock| clock.last_batch_at).filter(|last| is_jump(*last, to));
        let from = from.ok_or(Refusal::ClockRight)?;
        let is_near = self.time <= to.plus_hours(TOLERANCE_HOURS)
            && to <= self.time.plus_hours(TOLERANCE_HOURS);
        if !is_near {
            let detail = format!("{} is confirmed, the engine says {}", self.time.0, to.0);
            return Err(Refusal::ClockDiffers.because(detail).into());
        }
        let system = tx.state.running_system()?;
        let bytes = clock_confirmation_bytes(system.network_id, tx.command_id, self.time);
        check(tx, &self.confirmations, &bytes)?;
        tx.put(Key::Clock, Clock { v: Version, last_batch_at: to })?;
        let confirmed_by = self.confirmations.iter().map(|one| one.admin_id).collect();
        tx.emit(ClockConfirmed { from, to, confirmed_by });
        Ok(())
    }
}

/// Whether all are super admins in office and have signed.
fn check(tx: &mut Tx<'_>, given: &[ClockConfirmation], bytes: &[u8]) -> Result<(), Stop> {
    tx.state.load(given.iter().map(|one| Key::Admin(one.admin_id)))?;
    let mut admins: Vec<Option<Admin>> = Vec::with_capacity(given.len());
    for one in given {
        let admin: Option<Admin> = tx.state.get(Key::Admin(one.admin_id))?;
        admins.push(admin.filter(Admin::in_office));
    }
    if admins.iter().flatten().any(|admin| admin.level != AdminLevel::SuperAdmin) {
        return Err(Refusal::AdminLevelTooLow.into());
    }
    let admins: Option<Vec<Admin>> = admins.into_iter().collect();
    let keys: Option<Vec<_>> =
        admins.ok_or(Refusal::AdminUnknown)?.iter().map(|admin| admin.public_key).collect();
    for (key, one) in keys.ok_or(Refusal::KeyMissing)?.iter().zip(given) {
        if !is_proven(key, &one.signature, bytes) {
            return Err(Refusal::ConfirmationWrong.into());
        }
    }
    Ok(())
}
