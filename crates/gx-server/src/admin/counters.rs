//! How many there are of everything, at one look.

use axum::extract::State;
use gx_store::Store;
use gx_store::admin::counters::{self, Counters};
use gx_types::MAX_SUPPLY;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::{May, grant};
use crate::error::Result;
use crate::http::answer::{CURRENCY, Read, View};
use crate::http::extract::After;

pub(super) fn routes() -> [Route; 1] {
    [Route::get("/api/v1/admin/counters", counters)
        .summary("How many people, organizations, commands and blocks there are")]
}

/// How many there are of everything.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CountersReply {
    /// All coins that there will ever be.
    total_supply: String,
    currency: &'static str,
    /// People who have registered, whatever became of it.
    total_users: u64,
    /// Those of them who wait for a decision.
    waiting_users: u64,
    users_on_ledger: u64,
    total_organizations: u64,
    countries: u64,
    /// Treasuries that an organization's rules govern.
    governed_treasuries: u64,
    accounts: u64,
    /// Commands that the ledger has answered, and those of them that it refused.
    commands: u64,
    refused: u64,
    blocks: u64,
}

/// `GET /admin/counters`
async fn counters(
    _: May<grant::SystemStatusRead>,
    State(store): State<Store>,
    _: After,
) -> Result<Read<CountersReply>> {
    let mut view = View::open(&store).await?;
    let found = counters::get(&mut view.snapshot).await?;
    Ok(view.read(CountersReply::of(found, &view)))
}

impl CountersReply {
    fn of(found: Counters, view: &View) -> Self {
        let totals = view.position.totals;
        Self {
            total_supply: MAX_SUPPLY.to_gx(),
            currency: CURRENCY,
            total_users: found.people,
            waiting_users: found.waiting_people,
            users_on_ledger: found.users,
            total_organizations: found.organizations,
            countries: found.countries,
            governed_treasuries: found.treasuries,
            accounts: totals.accounts,
            commands: totals.commands,
            refused: totals.refused,
            blocks: found.blocks,
        }
    }
}
