//! etcd: membership, quorum, health and snapshots.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 10] = [
    "ETC-01", "ETC-02", "ETC-03", "ETC-04", "ETC-05", "ETC-06", "ETC-07", "ETC-08", "ETC-09",
    "ETC-10",
];
