//! Base 32 without the letters I, L, O and U, as ids and check characters use it.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The character of the lowest five bits of `value`.
pub(crate) fn digit(value: u128) -> char {
    ALPHABET.get((value & 31) as usize).map_or('0', |byte| char::from(*byte))
}

/// The value of a character; only upper case is canonical.
pub(crate) fn value(character: u8) -> Option<u128> {
    ALPHABET.iter().position(|byte| *byte == character).map(|position| position as u128)
}
