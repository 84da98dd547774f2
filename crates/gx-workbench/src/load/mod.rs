//! Material for load: seeded draws, accounts by number, and the commands that fill a ledger.
//!
//! The demo and the benchmarks draw from here; the same seed gives the same load everywhere.

mod draw;
mod population;

pub(crate) use draw::Draw;
pub(crate) use population::{NO_PROOF, Population, attested, proven, public_key, signed};
