//! Secrets, certificates and configuration: equal where they must be, apart where they must be.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 36] = [
    "SEC-01", "SEC-02", "SEC-03", "SEC-04", "SEC-05", "SEC-06", "SEC-07", "SEC-08", "SEC-09",
    "SEC-10", "SEC-11", "SEC-12", "SEC-13", "SEC-14", "SEC-15", "SEC-16", "SEC-17", "SEC-18",
    "SEC-19", "SEC-20", "SEC-21", "SEC-22", "SEC-23", "SEC-24", "SEC-25", "SEC-26", "SEC-27",
    "SEC-28", "SEC-29", "SEC-30", "SEC-31", "SEC-32", "SEC-33", "SEC-34", "SEC-35", "SEC-36",
];
