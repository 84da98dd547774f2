//! Storage: where data lies, how often, and what would take it away.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 16] = [
    "STO-01", "STO-02", "STO-03", "STO-04", "STO-05", "STO-06", "STO-07", "STO-08", "STO-09",
    "STO-10", "STO-11", "STO-12", "STO-13", "STO-14", "STO-15", "STO-16",
];
