//! Who vouches for people: for how old somebody is, and for who they are.

use std::str::FromStr;

use crate::short_text::ShortText;
use crate::{ParseError, text_serde};

/// Id of an attester on the ledger: 3 to 24 letters, digits, `-` and `_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttesterId(ShortText);

impl AttesterId {
    /// The id as big-endian words in the order of the ids, for sorting and hashing.
    pub fn words(&self) -> [u64; 3] {
        self.0.words()
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for AttesterId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        ShortText::name(text, "an attester id of 3 to 24 letters, digits, - or _").map(Self)
    }
}

text_serde!(AttesterId, "AttesterId", "id of an attester on the ledger", "^[A-Za-z0-9_-]{3,24}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_3_to_24_plain_characters() {
        for good in ["abc", "clinic-7_B", "abcdefghijklmnopqrstuvwx"] {
            assert_eq!(good.parse::<AttesterId>().unwrap().as_str(), good);
        }
        for bad in ["", "ab", "abcdefghijklmnopqrstuvwxy", "a b", "a/b", "café"] {
            assert!(bad.parse::<AttesterId>().is_err(), "{bad}");
        }
    }
}
