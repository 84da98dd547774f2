//! Tax that is due: the list, taking it, and who is exempt. A scheduler takes it once a day; admins
//! need not wait for that.

use axum::extract::State;
use gx_contract::tax_and_fee::{ApplyVelocityTax, SetVelocityTaxExempt};
use gx_store::Store;
use gx_store::tax_and_fee::standing;
use gx_store::tax_and_fee::timers::{self, Due};
use gx_types::AccountId;

use super::eligibility::TaxReply;
use crate::api::Route;
use crate::auth::{May, grant};
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{Page, Read, View, place};
use crate::http::extract::{After, Body, Query};
use crate::http::fields::{Count, List, Text, Truth, request};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::get("/api/v1/velocity-tax/due", due)
            .summary("Accounts that the velocity tax is due from, those first that owe it longest")
            .fails(&[(400, "invalid_cursor")]),
        Route::post("/api/v1/velocity-tax/apply", apply)
            .summary("Takes the velocity tax from accounts that owe it; the others are told of")
            .sample(r#"{"accountIds": ["{ledgerId}"]}"#)
            .concerns("velocity-tax"),
        Route::post("/api/v1/velocity-tax/exempt", exempt)
            .summary("Exempts an account from the velocity tax, or ends that")
            .sample(r#"{"accountId": "{ledgerId}", "exempt": true}"#)
            .concerns("velocity-tax"),
    ]
}

request! {
    /// Which part of the list.
    pub(crate) struct DueQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 41>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Whom to ask the tax from. The rate follows from the balance.
    pub(crate) struct ApplyTaxBody {
        accounts as "accountIds": Option<List<AccountId, 1, 1000>>,
        /// Instead of a list: one account.
        account as "accountId": Option<AccountId>,
    }
    any_of ["accountIds", "accountId"]
}

request! {
    /// Who is exempt, or not any more.
    pub(crate) struct ExemptBody {
        account as "accountId": AccountId,
        exempt as "exempt": Truth,
    }
}

/// `GET /velocity-tax/due`
async fn due(
    _: May<grant::TreasuryView>,
    State(store): State<Store>,
    _: After,
    Query(query): Query<DueQuery>,
) -> Result<Read<Page<TaxReply>>> {
    let limit = query.limit.map_or(20, |limit| limit.0);
    let after = place(query.cursor)?;
    let mut view = View::open(&store).await?;
    let page = found(&mut view, after, limit).await?;
    Ok(view.read(page))
}

async fn found(view: &mut View, after: Option<Due>, limit: u32) -> Result<Page<TaxReply>> {
    let (now, more) = (view.now(), limit.saturating_add(1));
    let taxation = standing::taxation(&mut view.snapshot, now).await?;
    let days = taxation.rules.period_days;
    let mut rows = timers::due(&mut view.snapshot, now, days, after, more).await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| has_more).map(|row| row.place().to_string());
    let data = rows.into_iter().map(|row| TaxReply::of(&row, &taxation, now)).collect();
    Ok(Page { data, has_more, next_cursor })
}

/// `POST /velocity-tax/apply`
async fn apply(
    commands: Commands<May<grant::TreasuryTransfer>>,
    Body(body): Body<ApplyTaxBody>,
) -> Result<Accepted<ApplyVelocityTax>> {
    let mut account_ids = body.accounts.map(|accounts| accounts.0).unwrap_or_default();
    account_ids.extend(body.account);
    if account_ids.is_empty() {
        let message = "is required, unless accountId is given";
        return Err(Error::field("accountIds", "required", message));
    }
    commands.give(ApplyVelocityTax { account_ids }).await
}

/// `POST /velocity-tax/exempt`
async fn exempt(
    commands: Commands<May<grant::ConfigUpdate>>,
    Body(body): Body<ExemptBody>,
) -> Result<Accepted<SetVelocityTaxExempt>> {
    let (account_id, exempt) = (body.account, body.exempt.0);
    commands.give(SetVelocityTaxExempt { account_id, exempt }).await
}
