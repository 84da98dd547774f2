//! Throw-away PostgreSQL clusters for tests and benchmarks.
//!
//! A [`Cluster`] is a server of its own in a folder of its own on a port of its own; it goes away
//! with the value, and with the process even if that is killed. This crate talks to PostgreSQL
//! only through its own programs, so that it depends on no driver. It must never be pointed at a
//! server that holds anything of worth: everything here may be killed or deleted.

mod account;
mod cluster;
mod error;
mod folder;
mod options;
mod pooler;
mod port;
mod programs;
mod random;
mod server;
mod shared;
mod watchdog;

pub use cluster::Cluster;
pub use error::Error;
pub use options::Options;
pub use pooler::{Pooler, Pooling};
pub use programs::Programs;
pub use server::{Database, Server};
pub use shared::{SHARED_URL, shared};
