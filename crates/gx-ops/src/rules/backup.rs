//! Backups: whether there are any, whether they are whole, and whether they can be restored.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 22] = [
    "BKP-01", "BKP-02", "BKP-03", "BKP-04", "BKP-05", "BKP-06", "BKP-07", "BKP-08", "BKP-09",
    "BKP-10", "BKP-11", "BKP-12", "BKP-13", "BKP-14", "BKP-15", "BKP-16", "BKP-17", "BKP-18",
    "BKP-19", "BKP-20", "BKP-21", "BKP-22",
];
