//! Base 32 without the letters I, L, O and U, as ids and check characters use it.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The character of the lowest five bits of `value`.
pub(crate) fn digit(value: u128) -> char {
    char::from(digit_byte(value as u8))
}

/// The same as an ASCII byte.
pub(crate) fn digit_byte(value: u8) -> u8 {
    ALPHABET.get(usize::from(value & 31)).copied().unwrap_or(b'0')
}

/// The value of a character; only upper case is canonical.
pub(crate) fn value(character: u8) -> Option<u128> {
    ALPHABET.iter().position(|byte| *byte == character).map(|position| position as u128)
}
