//! When changes of parameters take effect that two super admins have decided on, and calling them
//! off until then.
//!
//! No scheduler is needed: the first command that is applied at or after the time of a change
//! carries it, in events before its own. So state, blocks and read models agree at every moment,
//! and whoever replays the blocks finds the change at the same place.

use std::sync::Arc;

use gx_types::{Actor, AdminId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::parameters::SystemParameterUpdated;
use crate::gates::{ActorRule, Gate};
use crate::params::{Governed, Parameter, ParameterValue, ScheduledChange, StoredParameters};
use crate::state::{Clocks, Key, State};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Event, Refusal};

/// How long everybody can see a change before it takes effect.
pub(super) const DELAY_DAYS: u32 = 7;

/// A parameter will have another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterScheduled {
    pub param_id: Parameter,
    /// The value when the change was decided on.
    pub old_value: ParameterValue,
    pub new_value: ParameterValue,
    /// From then on, later by every pause of the system before it.
    pub effective_at: TimeMs,
}

impl Effects for ParameterScheduled {}

/// Calls a change of a parameter off that has not taken effect yet. Any super admin may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelParameterChange {
    pub param_id: Parameter,
}

/// Why a change of a parameter will not take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelReason {
    /// A super admin said so.
    CalledOff,
    /// The users have voted for another value meanwhile.
    Superseded,
    /// Another parameter forbade the value when its time had come.
    ParametersInconsistent,
}

/// A change of a parameter will not take effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterChangeCancelled {
    pub param_id: Parameter,
    /// What it would have been.
    pub new_value: ParameterValue,
    pub reason: CancelReason,
    /// The super admin who called it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<AdminId>,
}

impl Effects for ParameterChangeCancelled {}

impl ParameterChangeCancelled {
    pub(super) fn of(change: &ScheduledChange, reason: CancelReason) -> Self {
        let ScheduledChange { param_id, new_value, .. } = *change;
        Self { param_id, new_value, reason, cancelled_by: None }
    }
}

impl Rule for CancelParameterChange {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin);
    const REFUSALS: &[Refusal] = &[Refusal::ParameterChangeNotScheduled];
    const EVENTS: &[&str] = &["ParameterChangeCancelled"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Actor::Admin(cancelled_by) = *tx.actor else {
            return Err(Refusal::ActorNotAllowed.into());
        };
        let before = tx.state.params()?;
        let change = before.scheduled_for(self.param_id);
        let change = change.ok_or(Refusal::ParameterChangeNotScheduled)?;
        let after = before.without_scheduled(self.param_id);
        tx.put(Key::Parameters, StoredParameters::from(after))?;
        let cancelled = ParameterChangeCancelled::of(&change, CancelReason::CalledOff);
        tx.emit(ParameterChangeCancelled { cancelled_by: Some(cancelled_by), ..cancelled });
        Ok(())
    }
}

/// Schedules a change for the day on which it takes effect.
pub(super) fn schedule(
    tx: &mut Tx<'_>,
    param_id: Parameter,
    new_value: ParameterValue,
) -> Result<(), Stop> {
    let before = tx.state.params()?;
    if before.scheduled_for(param_id).is_some() {
        return Err(Refusal::ParameterChangeScheduled.into());
    }
    let effective_at = tx.clocks.running().plus_days(DELAY_DAYS);
    let change = ScheduledChange { param_id, new_value, effective_at };
    let after = before.with_scheduled(change).map_err(crate::Refused::from)?;
    tx.put(Key::Parameters, StoredParameters::from(after))?;
    let (old_value, effective_at) = (before.value(param_id), tx.clocks.time_of_day(effective_at));
    tx.emit(ParameterScheduled { param_id, old_value, new_value, effective_at });
    Ok(())
}

/// Carries out the changes whose time has come, and says so. What another parameter forbids by now
/// is dropped.
///
/// # Errors
/// That the state is not known yet.
pub(crate) fn take_effect(state: &mut State, now: TimeMs) -> Result<Vec<Event>, Stop> {
    let mut governed = state.params()?;
    if governed.scheduled().is_empty() {
        return Ok(Vec::new());
    }
    let running = Clocks::at(now, state.system()?).running();
    let mut events: Vec<Event> = Vec::new();
    let due = |governed: &Governed| {
        governed.scheduled().first().filter(|change| change.effective_at <= running).copied()
    };
    while let Some(change) = due(&governed) {
        let ScheduledChange { param_id, new_value, .. } = change;
        let old_value = governed.value(param_id);
        let after = match governed.changed(param_id, new_value, running) {
            Ok(after) => {
                let changes = after.changes;
                let updated = SystemParameterUpdated { param_id, old_value, new_value, changes };
                events.push(updated.into());
                after
            }
            Err(_) => {
                let reason = CancelReason::ParametersInconsistent;
                events.push(ParameterChangeCancelled::of(&change, reason).into());
                governed.without_scheduled(param_id)
            }
        };
        governed = Arc::new(after);
    }
    if !events.is_empty() {
        state.put(Key::Parameters, StoredParameters(governed))?;
    }
    Ok(events)
}
