//! The crate from outside: what goes into a snapshot, and whether placement agrees with the real
//! scheduler.

mod acts;
mod answers;
mod canary;
mod collects;
mod differential;
mod generate;
mod live;
mod manifests;
mod outputs;
mod plans;
mod questions;
mod rig;
mod size;
mod stand_in;
