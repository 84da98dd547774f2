//! What is deployed, as data, and the files that are made from it.
//!
//! `cargo xtask gen` writes them; they are checked in, and nobody edits them. Nothing here reads or
//! writes a file, and nothing knows the server.

pub mod monitoring;
pub mod systemd;
