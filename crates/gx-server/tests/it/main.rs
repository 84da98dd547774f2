//! The HTTP surface, asked from outside: a server of its own for each test, on port 0, with SQLite
//! and the embedded ledger in a folder that is thrown away.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod admin;
mod client;
mod coverage;
mod hardening;
mod idempotency;
mod identity;
mod server;
mod system;
mod tokenomics;
