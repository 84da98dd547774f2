//! Chaincode and engine over the real protocols: against a network in this process that has a
//! Fabric network's semantics, with faults on demand, and against a real network when there is one.

#![allow(clippy::unwrap_used, clippy::panic)]

mod authority;
mod blocks;
mod chaincode;
mod engine;
mod faults;
mod histories;
mod load;
mod mixed;
mod outcomes;
mod real;
mod receipt;
mod script;
