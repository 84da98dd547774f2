//! A throw-away cluster as the other crates' tests use it: databases, faults, and its end.
//!
//! These tests start real servers; they must leave neither a process nor a folder behind.

mod cluster;
mod orphan;
