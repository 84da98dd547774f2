//! The ledger: orderers, peers, chaincode, and what it holds.

use super::Rule;

pub(super) const RULES: [Rule; 0] = [];

/// Promised rules of this family that are not there.
pub(super) const UNWRITTEN: [&str; 17] = [
    "FAB-01", "FAB-02", "FAB-03", "FAB-04", "FAB-05", "FAB-06", "FAB-07", "FAB-08", "FAB-09",
    "FAB-10", "FAB-11", "FAB-12", "FAB-13", "FAB-14", "FAB-15", "FAB-16", "FAB-17",
];
