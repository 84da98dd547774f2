//! A setting that must not be shown: passwords, keys, connection URLs.
//!
//! It has no `Display`, and both `Debug` and serialisation print a mask, so that it can't leak by
//! way of a log line or of `gx config`.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// What stands in place of a secret that is set.
const MASK: &str = "********";

/// Text that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself; empty when it is not set.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn is_set(&self) -> bool {
        !self.0.is_empty()
    }

    fn masked(&self) -> &'static str {
        if self.is_set() { MASK } else { "" }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.masked())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.masked())
    }
}
