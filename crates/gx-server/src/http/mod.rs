//! The HTTP surface: listener, front, guard, extractors, body fields, limits and API description.
//!
//! Business rules are not here; handlers stand in the files named after their domain.

pub(crate) mod fields;
mod peer;

pub(crate) use peer::{is_network, is_origin};
