//! Tokenomics: payments, wallets, supply, countries and the ledger's blocks.

mod explorer;
mod fields;
pub(crate) mod freezing;
mod genesis;
mod supply;
mod transfers;
mod wallets;

use crate::api::Route;
use crate::commands::status;

/// The service's routes.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = transfers::routes();
    routes.extend(wallets::routes());
    routes.extend(freezing::routes());
    routes.extend(genesis::routes());
    routes.extend(supply::routes());
    routes.extend(explorer::routes());
    routes.extend(status::routes());
    routes
}
