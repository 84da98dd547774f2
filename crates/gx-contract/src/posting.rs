//! Movements of coins as events state them: who, by how much, and the balance that results.

use std::fmt;
use std::str::FromStr;

use gx_types::{AccountId, Amount, CountryCode};
use serde::{Deserialize, Serialize};

/// A signed change of a balance in Qirat, written as a decimal string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change(i64);

impl Change {
    pub const fn qirat(self) -> i64 {
        self.0
    }

    pub(crate) fn plus(amount: Amount) -> Option<Self> {
        i64::try_from(amount.qirat()).ok().map(Self)
    }

    pub(crate) fn minus(amount: Amount) -> Option<Self> {
        Self::plus(amount).and_then(|change| change.0.checked_neg()).map(Self)
    }
}

impl FromStr for Change {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+} Q", self.0)
    }
}

impl Serialize for Change {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0))
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Change {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Change".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "description": "a signed decimal string of Qirat",
            "pattern": "^-?[0-9]+$"
        })
    }
}

/// One side of a movement: `[account, change, balance afterwards]`.
///
/// The changes of one event sum to zero; only bootstrap creates coins. That every event carries
/// its postings lets a reader keep balances and histories without knowing the event's rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Posting(pub AccountId, pub Change, pub Amount);

impl Posting {
    pub fn account(&self) -> &AccountId {
        &self.0
    }

    pub fn change(&self) -> Change {
        self.1
    }

    /// Balance of the account after the change.
    pub fn balance(&self) -> Amount {
        self.2
    }
}

/// What a reader has to know of an event before it knows the event's rule.
pub trait Effects {
    /// The movements of coins that the event tells of, in the order in which they happened.
    fn postings(&self) -> &[Posting] {
        &[]
    }

    /// Names the accounts that the event opens, or changes in another way than by a posting.
    fn accounts(&self, _name: &mut dyn FnMut(AccountId)) {}

    /// Names the countries whose figures the event changes.
    fn countries(&self, _name: &mut dyn FnMut(CountryCode)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_as_large_as_a_signed_balance_can_be() {
        let amount = Amount::from_qirat;
        for qirat in [0, 1, 500, i64::MAX as u64] {
            let signed = i64::try_from(qirat).unwrap();
            assert_eq!(Change::plus(amount(qirat)).map(Change::qirat), Some(signed));
            assert_eq!(Change::minus(amount(qirat)).map(Change::qirat), Some(-signed));
        }
        for qirat in [1 << 63, u64::MAX] {
            assert_eq!((Change::plus(amount(qirat)), Change::minus(amount(qirat))), (None, None));
        }
    }

    #[test]
    fn a_change_shows_its_sign_to_people_and_only_a_minus_to_programs() {
        for (qirat, shown, written) in
            [(5, "+5 Q", "\"5\""), (0, "+0 Q", "\"0\""), (-5, "-5 Q", "\"-5\"")]
        {
            let change = Change(qirat);
            assert_eq!(change.to_string(), shown);
            assert_eq!(serde_json::to_string(&change).unwrap(), written);
            assert_eq!(serde_json::from_str::<Change>(written).unwrap(), change);
        }
    }
}
