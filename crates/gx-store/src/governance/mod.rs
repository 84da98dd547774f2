//! Parameters, proposals to change them, and votes.

pub mod parameters;
pub mod proposals;
