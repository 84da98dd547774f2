//! Images: whether every node that may need one has it, and the same one.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 13] = [
    "IMG-01", "IMG-02", "IMG-03", "IMG-04", "IMG-05", "IMG-06", "IMG-07", "IMG-08", "IMG-09",
    "IMG-10", "IMG-11", "IMG-12", "IMG-13",
];
