//! All that the first page of a wallet shows, as of one block.

use axum::extract::State;
use gx_contract::freezing::FreezeReason;
use gx_contract::tax_and_fee::TaxStatus;
use gx_store::Store;
use gx_store::tax_and_fee::standing::{self, Standing};
use gx_store::tax_and_fee::timers;
use gx_store::tokenomics::history::{self, Filter, Place};
use gx_store::tokenomics::{accounts, flows, limits};
use gx_types::{AccountId, Amount, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use super::limits::LimitReply;
use super::wallets::{BalanceReply, Movement, balance_reply, movement, own_account};
use crate::api::Route;
use crate::auth::User;
use crate::calendar::{Date, rfc3339};
use crate::error::{Error, Result};
use crate::http::answer::{Read, View};
use crate::http::extract::{After, Path};

/// How many movements are shown.
const RECENT: u32 = 10;

pub(super) fn routes() -> [Route; 1] {
    [Route::get("/api/v1/wallets/{userId}/dashboard", dashboard)
        .summary("What the caller's wallet shows first: balance, month, tax, limit, movements")]
}

/// All that the first page of a wallet shows.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DashboardReply {
    wallet: BalanceReply,
    /// What waits in escrow beside the balance.
    escrowed: String,
    /// Why the account is frozen; nothing while it is not.
    frozen_reasons: Vec<&'static str>,
    this_month: MonthReply,
    tax: TaxTimer,
    spending_limit: LimitReply,
    /// What has left the account today by UTC, as far as it counts towards a limit; absent where
    /// there is too much to be added up.
    spent_today: Option<String>,
    /// The newest ten.
    recent_transactions: Vec<Movement>,
}

/// What moved since the first of the month, by UTC.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MonthReply {
    from: String,
    /// Absent, as `outgoing`, where there is too much to be added up.
    incoming: Option<String>,
    /// Fees included.
    outgoing: Option<String>,
}

/// Where the account stands with the velocity tax.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaxTimer {
    status: TaxStatus,
    taxable_since: Option<String>,
    /// When it is due if the balance stays large.
    due_at: Option<String>,
    /// What would be taken from the balance as it is.
    tax_amount: Option<String>,
    rate_bps: Option<u32>,
}

impl From<Standing> for TaxTimer {
    fn from(standing: Standing) -> Self {
        let (rate_bps, amount) = standing.tax.unzip();
        let time = |at: TimeMs| rfc3339(at.0);
        Self {
            status: standing.status,
            taxable_since: standing.taxable_since.map(time),
            due_at: standing.due_at.map(time),
            tax_amount: amount.map(Amount::to_gx),
            rate_bps,
        }
    }
}

/// `GET /wallets/{userId}/dashboard`
async fn dashboard(
    State(store): State<Store>,
    user: User,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<DashboardReply>> {
    let account = own_account(&user, &id)?;
    let mut view = View::open(&store).await?;
    let reply = look_up(&mut view, account).await?;
    Ok(view.read(reply))
}

async fn look_up(view: &mut View, own: AccountId) -> Result<DashboardReply> {
    let unknown = || Error::not_found("Wallet");
    let (now, position, snapshot) = (view.now(), view.position, &mut view.snapshot);
    let account = accounts::get(&mut *snapshot, &own).await?.ok_or_else(unknown)?;
    let timer = timers::get(&mut *snapshot, &own).await?.ok_or_else(unknown)?;
    let taxation = standing::taxation(snapshot, now).await?;
    let limit = limits::get(&mut *snapshot, &own, now).await?;
    let today = Date::of_ms(now.0);
    let first = today.first_of_month().start_ms();
    let month = flows::since(&mut *snapshot, &own, TimeMs(first)).await?;
    let day = flows::since(&mut *snapshot, &own, TimeMs(today.start_ms())).await?;
    let any = Filter::default();
    let page = history::page(&mut *snapshot, &own, &any, Place::Newest, RECENT).await?;
    let entries = page.ok_or_else(unknown)?.entries;
    let is_frozen = !account.frozen.is_empty();
    Ok(DashboardReply {
        wallet: balance_reply(own, account.balance, is_frozen, &position),
        escrowed: timer.escrowed.to_gx(),
        frozen_reasons: account.frozen.iter().map(FreezeReason::as_str).collect(),
        this_month: MonthReply {
            from: rfc3339(first),
            incoming: month.map(|flows| flows.incoming.to_gx()),
            outgoing: month.map(|flows| flows.outgoing.to_gx()),
        },
        tax: taxation.standing(&timer).into(),
        spending_limit: LimitReply::of(own, limit),
        spent_today: day.map(|flows| flows.spent.to_gx()),
        recent_transactions: entries.into_iter().map(|entry| movement(&own, entry)).collect(),
    })
}
