//! Administrators of the platform and of the ledger, and the log of what everybody does.

pub mod admins;
pub mod attesters;
pub mod audit;
pub mod counters;
pub mod ledger;
