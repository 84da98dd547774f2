//! Vocabulary of GX Protocol: ids, amounts, countries, roles and time.
//!
//! Everything here is a value with a canonical text form that the ledger, SQL and HTTP share.
//! Pure: no I/O, no clock, no randomness; callers pass time and entropy in.

mod account;
mod actor;
mod amount;
mod attester;
mod base32;
mod command_id;
mod country;
mod filter;
mod finding;
mod made_id;
mod msp;
mod network;
mod role;
mod service;
mod short_text;
mod time;
mod trace;

pub use account::{AccountId, AccountType, IdLayoutError, Layout, Pool};
pub use actor::{Actor, AdminId};
pub use amount::{Amount, AmountError, MAX_SUPPLY, QIRAT_PER_GX};
pub use attester::AttesterId;
pub use command_id::{BatchId, CommandId, IdText};
pub use country::CountryCode;
pub use filter::Filter;
pub use finding::{Finding, Rule, Severity};
pub use made_id::{
    ActionId, EscrowId, LoanId, PendingTxId, ProposalId, RecoveryId, RelationshipId,
};
pub use msp::MspId;
pub use network::NetworkId;
pub use role::Role;
pub use service::Service;
pub use time::TimeMs;
pub use trace::TraceParent;

/// An error and what caused it, in a line: errors of this project print no source themselves.
/// Those of libraries may, so a cause that the text ends with already is not said again.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// Text that is not a value of the type it was parsed as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} expected, got {text:?}")]
pub struct ParseError {
    /// What was expected, for the reader of the message.
    pub what: &'static str,
    /// The offending text, cut to 64 characters.
    pub text: String,
}

impl ParseError {
    pub(crate) fn new(what: &'static str, text: &str) -> Self {
        Self { what, text: text.chars().take(64).collect() }
    }
}

/// Implements serde and JSON schema for a type through `Display` and `FromStr`.
macro_rules! text_serde {
    ($type:ty, $name:expr, $description:expr, $pattern:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let text = self.as_str();
                serializer.serialize_str(AsRef::<str>::as_ref(&text))
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($description)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "description": $description, "pattern": $pattern
                })
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let text = self.as_str();
                f.pad(AsRef::<str>::as_ref(&text))
            }
        }
    };
}
pub(crate) use text_serde;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("no room")]
        struct Full;
        #[derive(Debug, thiserror::Error)]
        #[error("nothing was written")]
        struct Unwritten(#[source] Full);
        assert_eq!(with_causes(&Unwritten(Full)), "nothing was written: no room");
        assert_eq!(with_causes(&Full), "no room");
    }
}
