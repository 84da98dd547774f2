//! On whose behalf a command runs.

use std::str::FromStr;

use compact_str::CompactString;

use crate::short_text::ShortText;
use crate::{AccountId, ParseError, text_serde};

/// Id of an administrator on the ledger: 3 to 24 letters, digits, `-` and `_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdminId(ShortText);

impl AdminId {
    /// The id as big-endian words in the order of the ids, for sorting and hashing.
    #[inline]
    pub fn words(&self) -> [u64; 3] {
        self.0.words()
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for AdminId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        ShortText::name(text, "an admin id of 3 to 24 letters, digits, - or _").map(Self)
    }
}

text_serde!(AdminId, "AdminId", "id of an administrator on the ledger", "^[A-Za-z0-9_-]{3,24}$");

/// The party that a command acts for; the submitting service vouches for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// Scheduled work of the platform.
    System,
    /// An administrator on the ledger.
    Admin(AdminId),
    /// A user, by its account.
    User(AccountId),
}

impl Actor {
    /// `system`, `admin:<id>` or `user:<id>`: the prefix keeps the three name spaces apart.
    pub fn as_str(&self) -> CompactString {
        let (space, id) = self.parts();
        let mut text = CompactString::with_capacity(space.len() + id.len());
        text.push_str(space);
        text.push_str(id);
        text
    }

    /// The two parts whose concatenation is the text: the name space and the id in it.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::System => ("system", ""),
            Self::Admin(id) => ("admin:", id.as_str()),
            Self::User(id) => ("user:", id.as_str()),
        }
    }
}

impl FromStr for Actor {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.split_once(':') {
            None if text == "system" => Ok(Self::System),
            Some(("admin", id)) => id.parse().map(Self::Admin),
            Some(("user", id)) => id.parse().map(Self::User),
            _ => Err(ParseError::new("system, admin:<id> or user:<id>", text)),
        }
    }
}

text_serde!(Actor, "Actor", "system, admin:<id> or user:<id>", "^(system|admin:.+|user:.+)$");
