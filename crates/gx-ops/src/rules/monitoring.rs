//! Monitoring: whether what fails would be noticed.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 11] = [
    "MON-01", "MON-02", "MON-03", "MON-04", "MON-05", "MON-06", "MON-07", "MON-08", "MON-09",
    "MON-10", "MON-11",
];
