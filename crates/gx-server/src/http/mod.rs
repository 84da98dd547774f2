//! HTTP itself: listener, front, extractors, body fields, answers, limits.
//!
//! It knows no domain, no caller and no route.

pub(crate) mod accept;
pub(crate) mod answer;
pub(crate) mod context;
pub(crate) mod csv;
pub(crate) mod extract;
pub(crate) mod fields;
pub(crate) mod front;
pub(crate) mod limits;
pub(crate) mod multipart;
pub(crate) mod paging;
pub(crate) mod server;
pub(crate) mod signature;
pub(crate) mod stream;
mod unread;
