//! The governable parameters: typed values with bounds, read by the rules that they govern.
//!
//! All of them are one record of the ledger, so that a batch reads one key; rules find it decoded
//! in `Tx::params` and queries in `State::params`. Supply, precision, pools and phases are not
//! parameters.

mod governed;
mod table;

use std::fmt;
use std::str::FromStr;

use gx_types::Amount;
use serde::{Deserialize, Serialize};

use crate::hex_text;
pub(crate) use governed::Governed;
pub use governed::{ScheduledChange, StoredParameters};
pub use table::{
    AdminRules, DisbursementRules, FeeSchedule, LoanRules, Parameters, RecoveryRules, VelocityTax,
    VotingRules,
};

/// What a parameter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unit {
    BasisPoints,
    Qirat,
    Days,
    Hours,
    Percent,
    Count,
    Score,
}

/// A line of the table.
struct Spec {
    id: &'static str,
    unit: Unit,
    description: &'static str,
    default: u64,
    min: u64,
    max: u64,
    get: fn(&Parameters) -> u64,
    /// Takes a value within the bounds only.
    set: fn(&mut Parameters, u64),
}

/// One of the parameters. Its text is its id.
#[derive(Clone, Copy)]
pub struct Parameter(&'static Spec);

impl Parameter {
    /// All parameters, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        table::TABLE.iter().map(Self)
    }

    pub fn id(self) -> &'static str {
        self.0.id
    }

    pub fn unit(self) -> Unit {
        self.0.unit
    }

    /// One sentence for people.
    pub fn description(self) -> &'static str {
        self.0.description.trim_ascii()
    }

    pub fn default_value(self) -> ParameterValue {
        ParameterValue(self.0.default)
    }

    /// The smallest and the largest value it may take.
    pub fn bounds(self) -> (ParameterValue, ParameterValue) {
        (ParameterValue(self.0.min), ParameterValue(self.0.max))
    }

    /// Whether the value lies within the bounds.
    pub fn admits(self, value: ParameterValue) -> bool {
        (self.0.min..=self.0.max).contains(&value.0)
    }
}

impl PartialEq for Parameter {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Parameter {}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Parameter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all().find(|parameter| parameter.id() == text).ok_or("id of a parameter expected")
    }
}

impl Serialize for Parameter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Parameter {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Parameter".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let ids: Vec<&str> = Self::all().map(Self::id).collect();
        schemars::json_schema!({
            "type": "string", "description": "id of a parameter", "enum": ids
        })
    }
}

/// A value in its parameter's unit, written as a decimal string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParameterValue(u64);

impl ParameterValue {
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// The text form is that of an amount: decimal digits without sign or leading zero.
impl Serialize for ParameterValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Amount::from_qirat(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Amount::deserialize(deserializer).map(|value| Self(value.qirat()))
    }
}

impl schemars::JsonSchema for ParameterValue {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ParameterValue".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "description": "a decimal string in the parameter's unit",
            "pattern": "^(0|[1-9][0-9]*)$"
        })
    }
}

/// Why a parameter can't take a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("{parameter} takes {min} to {max}, not {value}")]
    OutOfBounds { parameter: &'static str, min: u64, max: u64, value: u64 },
    #[error("{0}")]
    Inconsistent(&'static str),
}

impl Parameters {
    pub fn value(&self, parameter: Parameter) -> ParameterValue {
        ParameterValue((parameter.0.get)(self))
    }

    /// The parameters after one has changed.
    ///
    /// # Errors
    /// [`Unfit`] when the value is out of bounds, or at odds with another parameter.
    pub fn with(&self, parameter: Parameter, value: ParameterValue) -> Result<Self, Unfit> {
        let mut changed = Self { changes: self.changes.saturating_add(1), ..*self };
        changed.set(parameter, value)?;
        changed.check()?;
        Ok(changed)
    }

    fn set(&mut self, parameter: Parameter, value: ParameterValue) -> Result<(), Unfit> {
        if !parameter.admits(value) {
            let Spec { id, min, max, .. } = *parameter.0;
            return Err(Unfit::OutOfBounds { parameter: id, min, max, value: value.0 });
        }
        (parameter.0.set)(self, value.0);
        Ok(())
    }

    /// What must hold between parameters.
    fn check(&self) -> Result<(), Unfit> {
        let Self { fees, tax, loans, .. } = self;
        let rules = [
            (fees.rates().iter().all(|rate| *rate <= fees.cap), "a fee rate is above the fee cap"),
            (fees.free_below <= fees.lower_tier_to, "the fee tiers do not ascend"),
            (tax.bands().is_sorted_by(|a, b| a.0 < b.0), "the tax bands do not ascend"),
            (loans.amount_min <= loans.amount_max, "no loan is both large and small enough"),
            (
                loans.amount_max <= loans.outstanding_max,
                "the largest loan is above what a borrower may owe",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, why)) => Err(Unfit::Inconsistent(why)),
        }
    }

    /// BLAKE3 over `<id>=<value>\n` for every parameter, in the order of the table.
    pub fn digest(&self) -> ParametersDigest {
        let mut hash = blake3::Hasher::new();
        for parameter in Parameter::all() {
            hash.update(format!("{parameter}={}\n", self.value(parameter)).as_bytes());
        }
        ParametersDigest(*hash.finalize().as_bytes())
    }
}

impl VelocityTax {
    /// The bands: lower edge and rate, in ascending order.
    pub fn bands(&self) -> [(Amount, u32); 7] {
        [
            (self.threshold, self.band_1_rate),
            (self.band_2_from, self.band_2_rate),
            (self.band_3_from, self.band_3_rate),
            (self.band_4_from, self.band_4_rate),
            (self.band_5_from, self.band_5_rate),
            (self.band_6_from, self.band_6_rate),
            (self.band_7_from, self.band_7_rate),
        ]
    }
}

/// Tells two sets of parameters apart; written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParametersDigest([u8; 32]);

hex_text!(ParametersDigest, 32, "64 lower-case hexadecimal digits");
