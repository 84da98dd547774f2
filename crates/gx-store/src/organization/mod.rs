//! Organizations, and their payments by multi-signature.

pub mod organizations;
pub mod payments;
