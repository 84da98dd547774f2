//! Tokenomics: payments, wallets, supply, countries and the ledger's blocks.

mod dashboard;
mod escrows;
mod explorer;
mod fields;
pub(crate) mod freezing;
mod genesis;
mod limits;
mod quote;
mod receipts;
mod statements;
mod supply;
mod transfers;
mod treasuries;
mod wallets;

pub use receipts::{
    AnyReceipt, ChannelReceipt, RECEIPT_BYTES_MAX, Receipt, ReceiptConfiguration, ReceiptFault,
    ReceiptProof, Trust,
};
pub(crate) use receipts::{CHANNEL_VERSION, VERSION as RECEIPT_VERSION};

use crate::api::Route;
use crate::commands::{canonical, signed, status};

/// The service's routes.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = transfers::routes();
    routes.extend(quote::routes());
    routes.extend(wallets::routes());
    routes.extend(dashboard::routes());
    routes.extend(statements::routes());
    routes.extend(limits::routes());
    routes.extend(escrows::routes());
    routes.extend(freezing::routes());
    routes.extend(genesis::routes());
    routes.extend(supply::routes());
    routes.extend(treasuries::routes());
    routes.extend(explorer::routes());
    routes.extend(receipts::routes());
    routes.extend(status::routes());
    routes.extend(canonical::routes());
    routes.extend(signed::routes());
    routes
}
