//! Partners: companies whose programs act for users who have agreed to it, by keys that name them.
//!
//! Scopes and networks are words here; what they allow is the server's. Of a key's secret there is
//! a hash alone. What users have agreed to is theirs to take back at any time.

pub mod consents;
pub mod keys;
pub mod partners;
pub mod payments;
pub mod standing;
