//! ISO 3166-1 alpha-2 country codes, by form: the contract's country table says which exist.

use std::str::FromStr;

use crate::{ParseError, text_serde};

/// Two upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The code as a number in the order of the codes, for sorting and hashing.
    pub fn word(&self) -> u64 {
        let [a, b] = self.0;
        (u64::from(a) << 8) | u64::from(b)
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for CountryCode {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match *text.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([a, b])),
            _ => Err(ParseError::new("a country code of two upper-case letters", text)),
        }
    }
}

text_serde!(CountryCode, "CountryCode", "ISO 3166-1 alpha-2 country code", "^[A-Z]{2}$");
