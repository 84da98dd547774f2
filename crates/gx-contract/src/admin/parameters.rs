//! Changing parameters by two admins, and asking for them. When what they decide takes effect
//! stands in `schedule`.

use gx_types::{Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::actions::deciding;
use super::schedule::{CancelReason, ParameterChangeCancelled, schedule};
use crate::gates::{ActorRule, Gate};
use crate::params::{
    Governed, Parameter, ParameterValue, ParametersDigest, StoredParameters, Unfit, Unit,
};
use crate::query::Answer;
use crate::state::{Admin, Clocks, Key, State};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// Sets a parameter. Two super admins decide on it, and 7 days later it takes effect: until then
/// any super admin can call it off. A proposal that was voted on takes effect at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateSystemParameter {
    pub param_id: Parameter,
    pub new_value: ParameterValue,
}

/// A parameter has another value from now on. The first command that is applied at or after the
/// time of a scheduled change has this event before its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemParameterUpdated {
    pub param_id: Parameter,
    pub old_value: ParameterValue,
    pub new_value: ParameterValue,
    /// How often a parameter was set since bootstrap, this time included.
    pub changes: u64,
}

impl Effects for SystemParameterUpdated {}

/// The value lies within the parameter's bounds.
pub(crate) fn check_bounds(parameter: Parameter, value: ParameterValue) -> Result<(), Refused> {
    if parameter.admits(value) {
        return Ok(());
    }
    let (min, max) = parameter.bounds();
    let detail = format!("{parameter} takes {min} to {max}, not {value}");
    Err(Refusal::ValueOutOfBounds.because(detail))
}

impl From<Unfit> for Refused {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::OutOfBounds { .. } => Refusal::ValueOutOfBounds.because(unfit.to_string()),
            Unfit::Inconsistent(why) => Refusal::ParametersInconsistent.because(why),
        }
    }
}

/// Sets a parameter for the commands that follow. What two admins have scheduled for it meanwhile
/// is called off, and an event says so.
pub(crate) fn change(
    tx: &mut Tx<'_>,
    parameter: Parameter,
    value: ParameterValue,
) -> Result<(), Stop> {
    let before = tx.state.params()?;
    let after = before.changed(parameter, value, tx.clocks.running()).map_err(Refused::from)?;
    let changes = after.changes;
    tx.put(Key::Parameters, StoredParameters::from(after))?;
    if let Some(scheduled) = before.scheduled_for(parameter) {
        tx.emit(ParameterChangeCancelled::of(&scheduled, CancelReason::Superseded));
    }
    tx.emit(SystemParameterUpdated {
        param_id: parameter,
        old_value: before.value(parameter),
        new_value: value,
        changes,
    });
    Ok(())
}

/// The parameter that asks all admins for keys.
const KEYS_REQUIRED: &str = "adminKeysRequired";

/// Each of the admins who decide has a key.
fn check_keys(tx: &mut Tx<'_>) -> Result<(), Stop> {
    let admins = deciding(tx);
    tx.state.load(admins.iter().map(|id| Key::Admin(*id)))?;
    for id in admins {
        let admin: Option<Admin> = tx.state.get(Key::Admin(id))?;
        if admin.is_none_or(|admin| admin.public_key.is_none()) {
            return Err(Refusal::AdminKeyMissing.into());
        }
    }
    Ok(())
}

impl Rule for UpdateSystemParameter {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins();
    const REFUSALS: &[Refusal] = &[
        Refusal::ValueOutOfBounds,
        Refusal::ParameterChangeScheduled,
        Refusal::ParametersInconsistent,
    ];
    const EVENTS: &[&str] = &["ParameterScheduled"];

    fn validate(&self) -> Result<(), Refused> {
        check_bounds(self.param_id, self.new_value)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        // Who asks for keys has one: otherwise nobody might be left who can take it back.
        if self.param_id.id() == KEYS_REQUIRED && self.new_value.get() > 0 {
            check_keys(tx)?;
        }
        schedule(tx, self.param_id, self.new_value)
    }
}

/// One parameter, its value and its bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetSystemParameter {
    pub param_id: Parameter,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParameterView {
    pub param_id: Parameter,
    pub unit: Unit,
    pub value: ParameterValue,
    pub default_value: ParameterValue,
    pub min: ParameterValue,
    pub max: ParameterValue,
    pub description: &'static str,
    /// What it will be, and from when on; absent while nothing is decided.
    pub scheduled: Option<ScheduledView>,
}

/// A change that has not taken effect yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledView {
    pub new_value: ParameterValue,
    /// By the pauses so far.
    pub effective_at: TimeMs,
}

impl ParameterView {
    fn of(parameters: &Governed, clocks: Clocks, param_id: Parameter) -> Self {
        let (min, max) = param_id.bounds();
        let scheduled = parameters.scheduled_for(param_id).map(|change| ScheduledView {
            new_value: change.new_value,
            effective_at: clocks.time_of_day(change.effective_at),
        });
        Self {
            param_id,
            unit: param_id.unit(),
            value: parameters.value(param_id),
            default_value: param_id.default_value(),
            min,
            max,
            description: param_id.description(),
            scheduled,
        }
    }
}

impl Answer for GetSystemParameter {
    type Answer = ParameterView;

    fn answer(&self, state: &mut State) -> Result<ParameterView, Stop> {
        state.load([Key::Clock, Key::System, Key::Parameters])?;
        Ok(ParameterView::of(&*state.params()?, state.clocks()?, self.param_id))
    }
}

/// All parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListSystemParameters {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParameterList {
    /// How often a parameter was set since bootstrap.
    pub changes: u64,
    pub digest: ParametersDigest,
    pub parameters: Vec<ParameterView>,
}

impl Answer for ListSystemParameters {
    type Answer = ParameterList;

    fn answer(&self, state: &mut State) -> Result<ParameterList, Stop> {
        state.load([Key::Clock, Key::System, Key::Parameters])?;
        let (parameters, clocks) = (state.params()?, state.clocks()?);
        let views = Parameter::all().map(|one| ParameterView::of(&parameters, clocks, one));
        let (changes, digest) = (parameters.changes, parameters.digest());
        Ok(ParameterList { changes, digest, parameters: views.collect() })
    }
}
