//! The crate from outside: what goes into a snapshot, and whether placement agrees with the real
//! scheduler.

mod answers;
mod canary;
mod collects;
mod differential;
mod generate;
mod live;
mod manifests;
mod questions;
mod rig;
mod size;
