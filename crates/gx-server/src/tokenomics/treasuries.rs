//! The treasuries of countries, for everybody to see: whose rules govern each, and from when on it
//! can pay.

use axum::extract::State;
use gx_store::Store;
use gx_store::tokenomics::treasuries::{self, Treasury};
use gx_types::CountryCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::calendar::rfc3339;
use crate::error::Result;
use crate::http::answer::{CURRENCY, Page, Read, View};
use crate::http::extract::{After, Query};
use crate::http::fields::request;
use crate::http::paging::Limit;

pub(super) fn routes() -> [Route; 1] {
    [Route::get("/api/v1/treasuries", list)
        .summary("The treasuries of all countries, and whose rules govern them")]
}

request! {
    /// Which part of the list.
    pub(crate) struct TreasuriesQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<CountryCode>,
        limit as "limit": Option<Limit>,
    }
}

/// The treasury of a country.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GovernedTreasury {
    country_code: String,
    account_id: String,
    balance: String,
    currency: &'static str,
    /// `LOCKED` until an organization governs it, `WAITING` until that can pay, then `ACTIVE`.
    status: &'static str,
    /// The organization whose rules govern it; absent while it is locked.
    governed_by: Option<String>,
    governed_since: Option<String>,
    /// From then on that organization can pay from it.
    payable_from: Option<String>,
    /// Of the document by which it was given to another organization than at first.
    order_hash: Option<String>,
    /// What it has paid since the start of yesterday, by UTC.
    paid_since_yesterday: String,
}

/// `GET /treasuries`
async fn list(
    State(store): State<Store>,
    _: After,
    Query(query): Query<TreasuriesQuery>,
) -> Result<Read<Page<GovernedTreasury>>> {
    let limit = query.limit.map_or(20, |limit| limit.0);
    let mut view = View::open(&store).await?;
    let more = limit.saturating_add(1);
    let mut rows = treasuries::page(&mut view.snapshot, query.cursor, more).await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| has_more).map(|row| row.country.to_string());
    let data = rows.iter().map(|row| GovernedTreasury::of(row, &view)).collect();
    Ok(view.read(Page { data, has_more, next_cursor }))
}

impl GovernedTreasury {
    fn of(row: &Treasury, view: &View) -> Self {
        let payable = row.payable_from.is_none_or(|from| from <= view.now());
        Self {
            country_code: row.country.to_string(),
            account_id: row.treasury_id.to_string(),
            balance: row.balance.to_gx(),
            currency: CURRENCY,
            status: match row.governed {
                None => "LOCKED",
                Some(_) if payable => "ACTIVE",
                Some(_) => "WAITING",
            },
            governed_by: row.governed.map(|(org, _)| org.to_string()),
            governed_since: row.governed.map(|(_, since)| rfc3339(since.0)),
            payable_from: row.payable_from.map(|from| rfc3339(from.0)),
            order_hash: row.order_hash.map(|hash| hash.to_string()),
            paid_since_yesterday: row.paid_since_yesterday.to_gx(),
        }
    }
}
