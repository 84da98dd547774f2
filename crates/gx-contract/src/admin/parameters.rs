//! Changing parameters by two admins, and asking for them.

use gx_types::Role;
use serde::{Deserialize, Serialize};

use super::actions::deciding;
use crate::gates::{ActorRule, Gate};
use crate::params::{
    Parameter, ParameterValue, Parameters, ParametersDigest, StoredParameters, Unfit, Unit,
};
use crate::query::Answer;
use crate::state::{Admin, Key, State};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// Sets a parameter. Two admins decide on it; a proposal that was voted on does the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateSystemParameter {
    pub param_id: Parameter,
    pub new_value: ParameterValue,
}

/// A parameter has another value from the next command on.
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

/// Sets a parameter for the commands that follow.
pub(crate) fn change(
    tx: &mut Tx<'_>,
    parameter: Parameter,
    value: ParameterValue,
) -> Result<(), Stop> {
    let before: std::sync::Arc<Parameters> = tx.state.params()?;
    let after = before.with(parameter, value).map_err(Refused::from)?;
    tx.put(Key::Parameters, StoredParameters(std::sync::Arc::new(after)))?;
    tx.emit(SystemParameterUpdated {
        param_id: parameter,
        old_value: before.value(parameter),
        new_value: value,
        changes: after.changes,
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
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin).by_two_admins();
    const REFUSALS: &[Refusal] = &[Refusal::ValueOutOfBounds, Refusal::ParametersInconsistent];
    const EVENTS: &[&str] = &["SystemParameterUpdated"];

    fn validate(&self) -> Result<(), Refused> {
        check_bounds(self.param_id, self.new_value)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        // Who asks for keys has one: otherwise nobody might be left who can take it back.
        if self.param_id.id() == KEYS_REQUIRED && self.new_value.get() > 0 {
            check_keys(tx)?;
        }
        change(tx, self.param_id, self.new_value)
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
}

impl ParameterView {
    fn of(parameters: &Parameters, param_id: Parameter) -> Self {
        let (min, max) = param_id.bounds();
        Self {
            param_id,
            unit: param_id.unit(),
            value: parameters.value(param_id),
            default_value: param_id.default_value(),
            min,
            max,
            description: param_id.description(),
        }
    }
}

impl Answer for GetSystemParameter {
    type Answer = ParameterView;

    fn answer(&self, state: &mut State) -> Result<ParameterView, Stop> {
        Ok(ParameterView::of(&*state.params()?, self.param_id))
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
        let parameters = state.params()?;
        let views = Parameter::all().map(|parameter| ParameterView::of(&parameters, parameter));
        let (changes, digest) = (parameters.changes, parameters.digest());
        Ok(ParameterList { changes, digest, parameters: views.collect() })
    }
}
