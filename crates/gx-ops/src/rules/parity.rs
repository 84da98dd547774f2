//! Environments: whether what was tried in one is what runs in the next.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 14] = [
    "ENV-01", "ENV-02", "ENV-03", "ENV-04", "ENV-05", "ENV-06", "ENV-07", "ENV-08", "ENV-09",
    "ENV-10", "GOV-01", "GOV-02", "GOV-03", "GOV-04",
];
