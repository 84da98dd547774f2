//! What an admin has said of an account of their own: which it is, or that there is none.
//!
//! Nobody pays to an account that is theirs, so everybody says it before they decide on a payment.

use gx_types::AccountId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is known of an admin's own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OwnAccount {
    /// Nothing was said.
    #[default]
    Unsaid,
    /// They have none.
    Absent,
    Of(AccountId),
}

impl OwnAccount {
    /// The account, if there is one.
    pub fn account_id(self) -> Option<AccountId> {
        match self {
            Self::Unsaid | Self::Absent => None,
            Self::Of(id) => Some(id),
        }
    }
}

impl From<Option<AccountId>> for OwnAccount {
    fn from(said: Option<AccountId>) -> Self {
        said.map_or(Self::Absent, Self::Of)
    }
}

// A record without the field says nothing; `null` says that there is none.
impl Serialize for OwnAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.account_id().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OwnAccount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<AccountId>::deserialize(deserializer).map(Self::from)
    }
}

/// Reads a field that must be there, though it may be `null`.
pub(crate) fn said<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<AccountId>, D::Error> {
    Option::deserialize(deserializer)
}

/// The schema of such a field.
pub(crate) struct Said;

impl schemars::JsonSchema for Said {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Said".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<Option<AccountId>>()
    }
}
