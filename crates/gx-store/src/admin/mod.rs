//! Administrators of the platform, and the log of what everybody does.

pub mod admins;
pub mod audit;
