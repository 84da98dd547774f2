//! What a route is, what its handler's types say of it, and what stands before every handler.
//!
//! It knows who may call and how an answer is described, and no service.

pub(crate) mod describe;
mod endpoint;
pub(crate) mod guard;
mod replay;
mod route;
mod shape;

pub use endpoint::{Answer, Endpoint, Input};
pub(crate) use replay::REPLAYED;
pub use route::{Access, Route, Verb};
pub(crate) use route::{Facts, Served};
pub use shape::Shape;
pub(crate) use shape::{Failure, UNSETTLED};
