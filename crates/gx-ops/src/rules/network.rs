//! Network: what may reach what, and what must not.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 31] = [
    "NET-01", "NET-02", "NET-03", "NET-04", "NET-05", "NET-06", "NET-07", "NET-08", "NET-09",
    "NET-10", "NET-11", "NET-12", "NET-13", "NET-14", "NET-15", "NET-16", "NET-17", "NET-18",
    "NET-19", "NET-20", "NET-21", "NET-22", "NET-23", "NET-24", "NET-25", "NET-26", "NET-27",
    "NET-28", "NET-29", "NET-30", "NET-31",
];
