//! Orders of courts and estates: coins that leave an account without its holder.

use axum::extract::State;
use gx_contract::admin::{OrderHash, OrderReason, TransferByOrder};
use gx_store::Store;
use gx_store::admin::ledger::{self, Order};
use gx_types::{AccountId, CommandId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::{May, grant};
use crate::calendar::rfc3339;
use crate::commands::{Accepted, Commands};
use crate::error::Result;
use crate::http::answer::{CURRENCY, Page, Read, View, place};
use crate::http::extract::{After, Body, Query};
use crate::http::fields::{Count, GxAmount, Text, contract_fields, request};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::get("/api/v1/admin/orders", orders)
            .summary("Coins moved by order, newest first")
            .fails(&[(400, "invalid_cursor")]),
        Route::post("/api/v1/admin/orders/transfer", transfer)
            .summary("Proposes to move coins by order of a court or for an estate")
            .sample(
                r#"{"fromUserId": "{ledgerId}", "toUserId": "SYSTEM_CHARITABLE_POOL",
                    "amount": "1", "reason": "COURT_ORDER", "orderHash":
                    "0000000000000000000000000000000000000000000000000000000000000009"}"#,
            )
            .concerns("orders"),
    ]
}

contract_fields! {
    OrderReason: "invalid_reason", "must be COURT_ORDER, ESTATE or ERROR_CORRECTION";
    OrderHash: "invalid_hash", "must be SHA-256 of the document as 64 lower-case digits";
}

request! {
    /// What is ordered.
    pub(crate) struct OrderBody {
        /// A frozen account, or for `ESTATE` that of somebody deceased.
        from as "fromUserId": AccountId,
        to as "toUserId": AccountId,
        amount as "amount": GxAmount,
        reason as "reason": OrderReason,
        /// Of the document that orders it.
        order_hash as "orderHash": OrderHash,
    }
}

request! {
    /// Which orders, newest first.
    pub(crate) struct OrdersQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 20>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

/// Coins that were moved by order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderReply {
    #[schemars(with = "String")]
    command_id: CommandId,
    #[schemars(with = "String")]
    from_user_id: AccountId,
    #[schemars(with = "String")]
    to_user_id: AccountId,
    amount: String,
    currency: &'static str,
    reason: OrderReason,
    order_hash: String,
    timestamp: String,
}

impl From<Order> for OrderReply {
    fn from(row: Order) -> Self {
        Self {
            command_id: row.command_id,
            from_user_id: row.from,
            to_user_id: row.to,
            amount: row.amount.to_gx(),
            currency: CURRENCY,
            reason: row.reason,
            order_hash: row.order_hash.to_string(),
            timestamp: rfc3339(row.at.0),
        }
    }
}

/// `GET /admin/orders`
async fn orders(
    _: May<grant::TreasuryView>,
    State(store): State<Store>,
    _: After,
    Query(query): Query<OrdersQuery>,
) -> Result<Read<Page<OrderReply>>> {
    let limit = query.limit.map_or(20, |limit| limit.0);
    let mut view = View::open(&store).await?;
    let (before, more) = (place(query.cursor)?, limit.saturating_add(1));
    let rows = ledger::orders(&mut view.snapshot, before, more).await?;
    let page = Page::of(rows, limit, |row| row.cursor);
    Ok(view.read(page.try_map(|row| Ok(OrderReply::from(row)))?))
}

/// `POST /admin/orders/transfer`
async fn transfer(
    commands: Commands<May<grant::TreasuryTransfer>>,
    Body(body): Body<OrderBody>,
) -> Result<Accepted<TransferByOrder>> {
    let OrderBody { from, to, amount, reason, order_hash } = body;
    commands.give(TransferByOrder { from, to, amount: amount.0, order_hash, reason }).await
}
