//! Ids of commands, and of what the contract makes from them.

use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::{Actor, ParseError, base32, text_serde};

/// 128 bits, written as 26 base-32 characters. A command id has one outcome for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId([u64; 2]);

/// The 26 characters of an id, on the stack: ids are written far too often to allocate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdText([u8; CommandId::LENGTH]);

impl AsRef<str> for IdText {
    fn as_ref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::ops::Deref for IdText {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_ref()
    }
}

impl CommandId {
    const LENGTH: usize = 26;

    pub const fn from_u128(value: u128) -> Self {
        // Two words need no alignment to 16 bytes, which ids are stored between other fields in.
        Self([(value >> 64) as u64, value as u64])
    }

    /// The 128 bits that the 26 characters stand for.
    pub const fn to_u128(&self) -> u128 {
        let [high, low] = self.0;
        (high as u128) << 64 | low as u128
    }

    /// The id of the command that `actor` sends under `idempotency_key`: a retry is the same
    /// command, and nobody can take another actor's id.
    pub fn derive(actor: &Actor, idempotency_key: &str) -> Self {
        let mut hash = Sha256::new();
        // An actor's text holds no NUL, so that the two parts cannot be shifted into each other.
        hash.update(b"gx/command/1\0");
        hash.update(actor.as_str().as_bytes());
        hash.update(b"\0");
        hash.update(idempotency_key.as_bytes());
        let mut head = [0; 16];
        head.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Self::from_u128(u128::from_be_bytes(head))
    }

    /// The id as big-endian words in the order of the ids, for sorting and hashing.
    #[inline]
    pub fn words(&self) -> [u64; 2] {
        self.0
    }

    pub fn as_str(&self) -> IdText {
        let mut text = [b'0'; Self::LENGTH];
        let [high, low] = self.0;
        // Twelve characters are 60 bits, which a word holds.
        let words = [low, high << 4 | low >> 60, high >> 56];
        for (characters, mut rest) in text.rchunks_mut(12).zip(words) {
            for character in characters.iter_mut().rev() {
                *character = base32::digit_byte(rest as u8);
                rest >>= 5;
            }
        }
        IdText(text)
    }
}

impl FromStr for CommandId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("a command id of 26 base-32 characters", text);
        // 26 characters hold 130 bits: the first may use only three of its five.
        if text.len() != Self::LENGTH || text.as_bytes().first().is_none_or(|byte| *byte > b'7') {
            return Err(error());
        }
        text.bytes()
            .try_fold(0, |sum, byte| Some((sum << 5) | base32::value(byte)?))
            .map(Self::from_u128)
            .ok_or_else(error)
    }
}

text_serde!(
    CommandId,
    "CommandId",
    "id of a command: 26 base-32 characters",
    "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
);

/// Id of a batch of commands, in the same form as a command id. The submitter draws it at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(CommandId);

impl BatchId {
    pub const fn from_u128(value: u128) -> Self {
        Self(CommandId::from_u128(value))
    }

    /// The 128 bits that the 26 characters stand for.
    pub const fn to_u128(&self) -> u128 {
        self.0.to_u128()
    }

    pub fn as_str(&self) -> IdText {
        self.0.as_str()
    }
}

impl FromStr for BatchId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse().map(Self)
    }
}

text_serde!(
    BatchId,
    "BatchId",
    "id of a batch: 26 base-32 characters",
    "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivation_is_fixed_for_ever() {
        let user: Actor = "user:IN".parse().unwrap_or(Actor::System);
        assert_eq!(CommandId::derive(&user, "key-0001").to_string(), "4YAZD5VRP2BDSKDM0VWW7GWXDQ");
        assert_ne!(CommandId::derive(&user, "a"), CommandId::derive(&Actor::System, "a"));
    }

    #[test]
    fn only_the_canonical_text_is_read() {
        for text in ["", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "0000000000000000000000000I", "0"] {
            assert!(text.parse::<CommandId>().is_err(), "{text}");
        }
        let largest = CommandId::from_u128(u128::MAX);
        assert_eq!(largest.to_string(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        assert_eq!(largest.to_string().parse(), Ok(largest));
        for bit in 0..128 {
            let id = CommandId::from_u128(1 << bit);
            let mut text = [b'0'; 26];
            text[25 - bit / 5] = b"1248G"[bit % 5];
            assert_eq!(id.to_string().as_bytes(), text);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
