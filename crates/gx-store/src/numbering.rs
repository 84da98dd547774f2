//! Numbers that say where in the ledger a row comes from: block and place in one column.
//!
//! Transactions and entries are numbered so; rows are only ever appended, in the order of their
//! numbers.

use crate::Error;

/// Every so many entries of an account there is a way into its history.
pub(crate) const MARK_EVERY: i64 = 256;

/// The places in a block that one number can tell apart.
pub(crate) const PLACES: i64 = 1 << 24;

/// The number of a place in a block.
pub(crate) fn numbered(block: u64, place: usize) -> Result<i64, Error> {
    let too_large = || Error::Projection {
        block,
        command_id: None,
        reason: "the block is too large to number its rows".to_owned(),
    };
    let place = i64::try_from(place).ok().filter(|place| *place < PLACES).ok_or_else(too_large)?;
    i64::try_from(block)
        .ok()
        .and_then(|block| block.checked_mul(PLACES))
        .and_then(|first| first.checked_add(place))
        .ok_or_else(too_large)
}

/// The block that a numbered row belongs to.
pub(crate) fn block_of(number: i64) -> u64 {
    u64::try_from(number >> 24).unwrap_or_default()
}
