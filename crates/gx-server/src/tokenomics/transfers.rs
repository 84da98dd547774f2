//! Payments of a user from their own account.

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use gx_contract::tokenomics::Transfer;
use gx_types::AccountId;

use crate::app::App;
use crate::auth::User;
use crate::commands::{Order, accept, actor_of};
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::http::extract::{Body, Key, Wait};
use crate::http::fields::{GxAmount, Remark, Text, request};
use crate::service::Service;

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
pub(crate) async fn transfer(
    State(app): State<App>,
    context: Context,
    user: User,
    (key, wait): (Key, Wait),
    Body(body): Body<TransferBody>,
) -> Result<Response<HttpBody>> {
    let actor = actor_of(&user)?;
    let from = user.account.ok_or_else(Error::forbidden)?;
    if body.from.is_some_and(|given| given != from) {
        let message = "Payments are made from one's own account only";
        return Err(Error::new(StatusCode::FORBIDDEN, "not_own_account", message));
    }
    let remark = body.remark.or(body.description).map(|remark| remark.0).unwrap_or_default();
    let command = Transfer { from, to: body.to, amount: body.amount.0, remark }.into();
    let order = Order { actor, key, command, service: Service::Tokenomics };
    accept(&app, &context, order, wait).await
}
