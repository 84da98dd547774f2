//! Hosts: disks, services, schedules, clocks.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 14] = [
    "HST-01", "HST-02", "HST-03", "HST-04", "HST-05", "HST-06", "HST-07", "HST-08", "HST-09",
    "HST-10", "HST-11", "HST-12", "HST-13", "HST-14",
];
