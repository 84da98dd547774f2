//! Administrators of the platform and of the ledger, what they ask each other for, and the log of
//! what everybody does.

pub mod admins;
pub mod approvals;
pub mod attesters;
pub mod audit;
pub mod counters;
pub mod ledger;
pub mod permissions;
