//! What an owner lets leave the account in a day.

use axum::extract::State;
use gx_contract::spending::SetSpendingLimit;
use gx_store::Store;
use gx_store::tokenomics::limits::{self, Limit};
use gx_types::{AccountId, Amount};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::User;
use crate::calendar::rfc3339;
use crate::commands::{Accepted, Commands};
use crate::error::Result;
use crate::http::answer::{CURRENCY, Read, View};
use crate::http::extract::{After, Body};
use crate::http::fields::{GxOrZero, Said, request};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::get("/api/v1/wallets/limits", get)
            .summary("What may leave the caller's account in a day")
            .fails(&[(409, "not_on_ledger")]),
        Route::put("/api/v1/wallets/limits", set)
            .summary("Sets that limit: less counts at once, more or none after 24 hours")
            .sample(r#"{"perDay": "400.00"}"#),
    ]
}

request! {
    /// A limit on what leaves the caller's account in a day of UTC, fees included.
    pub(crate) struct LimitBody {
        /// `null` to have none; zero keeps everything where it is.
        per_day as "perDay": Said<GxOrZero>,
    }
}

/// The limit of an account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LimitReply {
    #[schemars(with = "String")]
    user_id: AccountId,
    /// Absent when there is none.
    per_day: Option<String>,
    currency: &'static str,
    /// What holds instead, when that was asked for.
    next: Option<NextReply>,
}

/// A limit that does not hold yet.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NextReply {
    /// Absent when there will be none.
    per_day: Option<String>,
    holds_from: String,
}

impl LimitReply {
    pub(super) fn of(user_id: AccountId, limit: Limit) -> Self {
        let gx = |amount: Amount| amount.to_gx();
        let next = limit.next.map(|(per_day, from)| NextReply {
            per_day: per_day.map(gx),
            holds_from: rfc3339(from.0),
        });
        Self { user_id, per_day: limit.per_day.map(gx), currency: CURRENCY, next }
    }
}

/// `GET /wallets/limits`
async fn get(user: User, State(store): State<Store>, _: After) -> Result<Read<LimitReply>> {
    let own = user.own_account()?;
    let mut view = View::open(&store).await?;
    let now = view.now();
    let limit = limits::get(&mut view.snapshot, &own, now).await?;
    Ok(view.read(LimitReply::of(own, limit)))
}

/// `PUT /wallets/limits`
async fn set(
    commands: Commands<User>,
    Body(LimitBody { per_day: Said(per_day) }): Body<LimitBody>,
) -> Result<Accepted<SetSpendingLimit>> {
    let user_id = commands.by.own_account()?;
    let per_day = per_day.map(|amount| amount.0);
    commands.give(SetSpendingLimit { user_id, per_day }).await
}
