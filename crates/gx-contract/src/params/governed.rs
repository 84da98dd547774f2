//! The parameters as the ledger holds them: what is in force, what is to come, and when each was
//! last changed. Which of them takes effect when is for `admin` to say.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Parameter, ParameterValue, Parameters, Unfit};
use crate::state::{RunningMs, Version};

/// A change that was decided on and has not taken effect yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduledChange {
    pub param_id: Parameter,
    pub new_value: ParameterValue,
    pub effective_at: RunningMs,
}

/// The parameter that says after how many days the tax is due.
const TAX_PERIOD: &str = "velocityTaxPeriodDays";

/// The tax's period before it was shortened: timers that had started by then keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EarlierPeriod {
    /// When it was shortened.
    until: RunningMs,
    days: u32,
}

/// The parameters in force, and what is known of their changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governed {
    parameters: Parameters,
    /// In the order in which they take effect; of each parameter at most one.
    scheduled: Vec<ScheduledChange>,
    /// The number of the last change of each parameter that was ever changed, by id.
    last_changes: BTreeMap<&'static str, u64>,
    /// Longer periods of the tax that some timer may still have, in the order of time.
    tax_periods: Vec<EarlierPeriod>,
}

impl Deref for Governed {
    type Target = Parameters;

    fn deref(&self) -> &Parameters {
        &self.parameters
    }
}

impl From<Parameters> for Governed {
    fn from(parameters: Parameters) -> Self {
        Self {
            parameters,
            scheduled: Vec::new(),
            last_changes: BTreeMap::new(),
            tax_periods: Vec::new(),
        }
    }
}

impl Governed {
    /// What is to come, in the order in which it takes effect.
    pub fn scheduled(&self) -> &[ScheduledChange] {
        &self.scheduled
    }

    /// What is to come of one parameter.
    pub fn scheduled_for(&self, parameter: Parameter) -> Option<ScheduledChange> {
        self.scheduled.iter().find(|change| change.param_id == parameter).copied()
    }

    /// The number of the parameter's last change; 0 if there was none. A value that was changed
    /// there and back has another number than before.
    pub(crate) fn last_change(&self, parameter: Parameter) -> u64 {
        self.last_changes.get(parameter.id()).copied().unwrap_or_default()
    }

    /// After how many days the tax is due from an account whose timer started at `since`. A shorter
    /// period is for timers that start after it, a longer one for all.
    pub(crate) fn tax_period_days(&self, since: RunningMs) -> u32 {
        let earlier = self.tax_periods.iter().filter(|period| since < period.until);
        earlier.map(|period| period.days).fold(self.parameters.tax.period_days, u32::max)
    }

    /// After one has changed. What was to come of it is to come no more.
    ///
    /// # Errors
    /// [`Unfit`] when the value is out of bounds, or at odds with another parameter.
    pub(crate) fn changed(
        &self,
        parameter: Parameter,
        value: ParameterValue,
        now: RunningMs,
    ) -> Result<Self, Unfit> {
        let parameters = self.parameters.with(parameter, value)?;
        let mut after = Self { parameters, ..self.without_scheduled(parameter) };
        after.last_changes.insert(parameter.id(), parameters.changes);
        if parameter.id() == TAX_PERIOD {
            let before = EarlierPeriod { until: now, days: self.parameters.tax.period_days };
            after.tax_periods.push(before);
            // Those that are not longer change nothing, and those that have passed for every
            // timer do neither.
            after.tax_periods.retain(|period| {
                period.days > parameters.tax.period_days
                    && now < period.until.plus_days(period.days)
            });
        }
        Ok(after)
    }

    /// With one more change to come, the last of all. It must fit what those before it will leave.
    ///
    /// # Errors
    /// [`Unfit`] when the value is out of bounds, or at odds with another parameter.
    pub(crate) fn with_scheduled(&self, change: ScheduledChange) -> Result<Self, Unfit> {
        let then = self.scheduled.iter().fold(self.parameters, |then, before| {
            then.with(before.param_id, before.new_value).unwrap_or(then)
        });
        then.with(change.param_id, change.new_value)?;
        let mut after = self.without_scheduled(change.param_id);
        after.scheduled.push(change);
        // A pause moves none past another, so that this is the order in which they were decided.
        after.scheduled.sort_by_key(|change| change.effective_at);
        Ok(after)
    }

    /// With nothing to come of the parameter.
    pub(crate) fn without_scheduled(&self, parameter: Parameter) -> Self {
        let mut after = self.clone();
        after.scheduled.retain(|change| change.param_id != parameter);
        after
    }
}

/// The record of all parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredParameters(pub(crate) Arc<Governed>);

impl Default for StoredParameters {
    fn default() -> Self {
        Parameters::DEFAULT.into()
    }
}

impl From<Parameters> for StoredParameters {
    fn from(parameters: Parameters) -> Self {
        Governed::from(parameters).into()
    }
}

impl From<Governed> for StoredParameters {
    fn from(governed: Governed) -> Self {
        Self(Arc::new(governed))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    v: Version<1>,
    changes: u64,
    /// Those that differ from their defaults, by id; whatever the map's order was when it was
    /// read, it is written in that of the ids.
    values: BTreeMap<String, ParameterValue>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    last_changes: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scheduled: Vec<ScheduledChange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tax_periods: Vec<EarlierPeriod>,
}

impl Serialize for StoredParameters {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Governed { parameters, scheduled, last_changes, tax_periods } = &*self.0;
        let values = Parameter::all().map(|parameter| (parameter, parameters.value(parameter)));
        let changed = values.filter(|(parameter, value)| *value != parameter.default_value());
        let values = changed.map(|(parameter, value)| (parameter.id().to_owned(), value));
        let last_changes = last_changes.iter().map(|(id, number)| ((*id).to_owned(), *number));
        Fields {
            v: Version,
            changes: parameters.changes,
            values: values.collect(),
            last_changes: last_changes.collect(),
            scheduled: scheduled.clone(),
            tax_periods: tax_periods.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StoredParameters {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let fields = Fields::deserialize(deserializer)?;
        let known = |id: &str| id.parse::<Parameter>().map_err(D::Error::custom);
        let mut parameters = Parameters { changes: fields.changes, ..Parameters::DEFAULT };
        for (id, value) in fields.values {
            parameters.set(known(&id)?, value).map_err(D::Error::custom)?;
        }
        parameters.check().map_err(D::Error::custom)?;
        let mut last_changes = BTreeMap::new();
        for (id, number) in fields.last_changes {
            last_changes.insert(known(&id)?.id(), number);
        }
        let scheduled = fields.scheduled;
        if !scheduled.iter().all(|change| change.param_id.admits(change.new_value)) {
            return Err(D::Error::custom("a scheduled value is out of bounds"));
        }
        let tax_periods = fields.tax_periods;
        Ok(Governed { parameters, scheduled, last_changes, tax_periods }.into())
    }
}
