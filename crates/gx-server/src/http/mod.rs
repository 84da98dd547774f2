//! The HTTP surface: listener, front, guard, extractors, body fields, limits and API description.
//!
//! Business rules are not here; handlers stand in the files named after their domain.

pub(crate) mod answer;
pub(crate) mod context;
pub(crate) mod describe;
pub(crate) mod extract;
pub(crate) mod fields;
pub(crate) mod front;
pub(crate) mod guard;
pub(crate) mod limits;
mod peer;
pub(crate) mod replay;
pub(crate) mod route;
pub(crate) mod server;
pub(crate) mod stream;
mod unique;

pub(crate) use peer::{is_network, is_origin};
