//! The organizations that run the ledger together.

use std::str::FromStr;

use crate::{ParseError, text_serde};

/// Name of an organization that submits batches, as Fabric's membership service knows it: 1 to 64
/// letters, digits, `.`, `-` and `_`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MspId {
    /// Filled up with NUL.
    bytes: [u8; MspId::LENGTH_MAX],
}

impl MspId {
    const LENGTH_MAX: usize = 64;

    /// Who submits to a ledger that one organization runs in its own process.
    pub const PLATFORM: Self = Self::padded(b"platform");

    const fn padded(text: &[u8]) -> Self {
        let mut bytes = [0; Self::LENGTH_MAX];
        let (filled, _) = bytes.split_at_mut(text.len());
        filled.copy_from_slice(text);
        Self { bytes }
    }

    pub fn as_str(&self) -> &str {
        let text = self.bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl std::fmt::Debug for MspId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl FromStr for MspId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if (1..=Self::LENGTH_MAX).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self::padded(text.as_bytes()))
        } else {
            Err(ParseError::new("an MSP id of 1 to 64 letters, digits, ., - or _", text))
        }
    }
}

text_serde!(MspId, "MspId", "name of an organization's MSP", "^[A-Za-z0-9._-]{1,64}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_has_a_name_of_its_alphabet() {
        let longest = "x".repeat(64);
        for text in ["P", "Org1MSP", "a.b-c_9", &longest] {
            assert_eq!(text.parse::<MspId>().unwrap().to_string(), text);
        }
        for text in ["", "two words", "Ärzte", "a\0b", &"x".repeat(65)] {
            assert!(text.parse::<MspId>().is_err(), "{text:?}");
        }
        assert_eq!(MspId::PLATFORM, "platform".parse().unwrap());
    }
}
