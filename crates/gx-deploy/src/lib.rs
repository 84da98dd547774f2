//! What is deployed, as data, and the files that are made from it.
//!
//! [`model`] says which networks, workloads and organizations there are and who talks to whom;
//! [`kubernetes`] makes the Kustomize tree of `deploy/kubernetes/` from it, [`systemd`] the units
//! of hosts without Kubernetes, [`monitoring`] what watches either. [`check`] reads what people
//! have made of that tree and says what would go wrong, before anything is applied.
//!
//! `cargo xtask gen` writes the files; they are checked in, and nobody edits them. Nothing here
//! asks a cluster, and nothing knows the server.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod check;
pub mod kubernetes;
pub mod model;
pub mod monitoring;
pub mod systemd;
pub mod yaml;

/// A file that is made: where it stands below the repository, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub text: String,
}

/// The folder whose files are made by this crate; none of them is written by hand.
pub const KUBERNETES: &str = "deploy/kubernetes";
