//! Tokenomics: payments, wallets, supply, countries and the ledger's blocks.

pub(crate) mod explorer;
pub(crate) mod genesis;
pub(crate) mod supply;
pub(crate) mod transfers;
pub(crate) mod wallets;

/// What amounts are counted in.
pub(crate) const CURRENCY: &str = "GXC";
