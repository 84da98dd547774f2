//! Payments of a user from their own account.

use axum::http::StatusCode;
use gx_contract::tokenomics::Transfer;
use gx_types::AccountId;

use super::fields::Remark;
use crate::api::Route;
use crate::auth::{Scope, User};
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::extract::Body;
use crate::http::fields::{GxAmount, Text, request};

pub(super) fn routes() -> Vec<Route> {
    let transfer = Route::post("/api/v1/transfers", transfer)
        .summary("Pays another account; the sender pays the fee on top")
        .sample(r#"{"toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "1.00"}"#)
        .fails(&[(403, "not_own_account")])
        .partner(Scope::TransferCreate);
    vec![transfer.alias("/api/v1/transactions/transfer"), transfer]
}

request! {
    /// A payment. The sender pays the fee on top.
    pub(crate) struct TransferBody {
        /// The receiver's id on the ledger.
        to as "toUserId": AccountId,
        amount as "amount": GxAmount,
        /// Readable by everybody on the ledger.
        remark as "remark": Option<Remark>,
        /// Another name of `remark`.
        description as "description": Option<Remark>,
        /// The sender; when given it must be the caller.
        from as "fromUserId": Option<AccountId>,
        /// Taken for the sake of established clients: the access token authorises the payment.
        #[expect(dead_code, reason = "read so that it is known, and then left alone")]
        pin as "pin": Option<Text<0, 64>>,
    }
}

/// `POST /transfers`
async fn transfer(
    commands: Commands<User>,
    Body(body): Body<TransferBody>,
) -> Result<Accepted<Transfer>> {
    let from = commands.by.own_account()?;
    if body.from.is_some_and(|given| given != from) {
        let message = "Payments are made from one's own account only";
        return Err(Error::new(StatusCode::FORBIDDEN, "not_own_account", message));
    }
    let remark = body.remark.or(body.description).map(|remark| remark.0).unwrap_or_default();
    commands.give(Transfer { from, to: body.to, amount: body.amount.0, remark }).await
}
