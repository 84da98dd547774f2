//! Workloads: whether pods run, are ready, and are described so that they stay so.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 28] = [
    "WRK-01", "WRK-02", "WRK-03", "WRK-04", "WRK-05", "WRK-06", "WRK-07", "WRK-08", "WRK-09",
    "WRK-10", "WRK-11", "WRK-12", "WRK-13", "WRK-14", "WRK-15", "WRK-16", "WRK-17", "WRK-18",
    "WRK-19", "WRK-20", "WRK-21", "WRK-22", "WRK-23", "WRK-24", "WRK-25", "WRK-26", "WRK-27",
    "WRK-28",
];
