//! Databases and queues.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 12] = [
    "DAT-01", "DAT-02", "DAT-03", "DAT-04", "DAT-05", "DAT-06", "DAT-07", "DAT-08", "DAT-09",
    "DAT-10", "DAT-11", "DAT-12",
];
