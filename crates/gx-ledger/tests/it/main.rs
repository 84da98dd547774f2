//! The embedded ledger through its public interface, on real files.

#![allow(clippy::unwrap_used, clippy::panic)]

mod archive;
mod crash;
mod damage;
mod histories;
mod ledger;
mod load;
mod model;
mod proof;
mod repetition;
mod space;
