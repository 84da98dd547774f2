//! What is deployed, as data; `cargo xtask gen` writes the files that are made from it.

pub mod systemd;
