//! What a payment would cost, by the code that will take the fee.

use axum::extract::State;
use axum::http::StatusCode;
use gx_contract::tax_and_fee::TaxStatus;
use gx_contract::tokenomics::Transfer;
use gx_contract::{Party, Quote, Rule as _, Scope, TransferType};
use gx_store::Store;
use gx_store::governance::parameters;
use gx_store::tax_and_fee::{standing, timers};
use gx_store::tokenomics::accounts;
use gx_types::{AccountId, Amount};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Read, View, percent};
use crate::http::extract::{After, Body};
use crate::http::fields::{GxAmount, Text, request};

pub(super) fn routes() -> [Route; 1] {
    [Route::post("/api/v1/fees/calculate", calculate)
        .summary("What a payment would cost; nothing is paid")
        .sample(r#"{"toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "50.00"}"#)
        .fails(&[
            (400, "same_account"),
            (403, "not_own_account"),
            (404, "not_found"),
            (409, "not_on_ledger"),
            (422, "recipient_not_allowed"),
            (422, "amount_overflow"),
        ])
        .only_asks()]
}

request! {
    /// A payment that is thought of.
    pub(crate) struct CalculateBody {
        amount as "amount": GxAmount,
        to as "toUserId": AccountId,
        /// The sender: a user's own account, which it is by default; anybody for an admin.
        from as "fromUserId": Option<AccountId>,
        /// Taken for the sake of established clients: the ledger finds the type by itself.
        #[expect(dead_code, reason = "read so that it is known, and then left alone")]
        kind as "transactionType": Option<Text<0, 64>>,
    }
}

/// What a payment would cost.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeeReply {
    amount: String,
    fee_amount: String,
    /// Of the amount, in per cent.
    fee_percentage: String,
    rate_bps: u32,
    /// What the sender pays altogether, but for the tax.
    total_amount: String,
    /// The velocity tax that is due from the sender and taken first; zero when none is.
    tax_due: String,
    currency: &'static str,
    breakdown: Breakdown,
    #[serde(rename = "type")]
    kind: TransferType,
    scope: Scope,
}

/// What a fee is made of.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Breakdown {
    base_fee: String,
    /// Always nothing: the ledger takes no fee of its own.
    network_fee: String,
}

/// `POST /fees/calculate`
async fn calculate(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Body(body): Body<CalculateBody>,
) -> Result<Read<FeeReply>> {
    let (to, amount) = (body.to, body.amount.0);
    let from = sender(&caller, body.from)?;
    let mut view = View::open(&store).await?;
    let quote = quote(&mut view, from, to, amount).await?;
    let tax = tax_due(&mut view, &from).await?;
    Ok(view.read(FeeReply::of(amount, quote, tax)))
}

/// Whose payment it would be. What tax is due from somebody else is nothing to a user.
fn sender(caller: &Caller, given: Option<AccountId>) -> Result<AccountId> {
    let missing = || Error::field("fromUserId", "required", "is required");
    let user = match caller {
        Caller::Admin(_) => return given.ok_or_else(missing),
        Caller::User(user) => user,
    };
    let own = user.own_account()?;
    if given.is_some_and(|given| given != own) {
        let message = "Payments are made from one's own account only";
        return Err(Error::new(StatusCode::FORBIDDEN, "not_own_account", message));
    }
    Ok(own)
}

/// The velocity tax that a payment would take from the sender besides.
async fn tax_due(view: &mut View, from: &AccountId) -> Result<Amount> {
    let now = view.now();
    let taxation = standing::taxation(&mut view.snapshot, now).await?;
    let timer = timers::get(&mut view.snapshot, from).await?;
    let standing = timer.map(|timer| taxation.standing(&timer));
    let due = standing.filter(|standing| standing.status == TaxStatus::Due);
    Ok(due.and_then(|standing| standing.tax).map_or(Amount::ZERO, |(_, amount)| amount))
}

async fn quote(view: &mut View, from: AccountId, to: AccountId, amount: Amount) -> Result<Quote> {
    // What no payment can be has no price.
    Transfer { from, to, amount, remark: String::new() }.validate()?;
    let fees = parameters::in_force(&mut view.snapshot).await?.fees;
    let mut sides = accounts::get_many(&mut view.snapshot, &[from, to]).await?.into_iter();
    let mut party = || {
        let account = sides.next().flatten().ok_or_else(|| Error::not_found("Account"))?;
        let accounts::Account { kind, account_type, country, .. } = account;
        Ok::<_, Error>(Party { kind, account_type, country })
    };
    let (from, to) = (party()?, party()?);
    fees.quote(from, to, amount).map_err(|code| gx_contract::Refused::from(code).into())
}

impl FeeReply {
    fn of(amount: Amount, quote: Quote, tax_due: Amount) -> Self {
        let Quote { kind, scope, rate, fee, total } = quote;
        Self {
            amount: amount.to_gx(),
            fee_amount: fee.to_gx(),
            fee_percentage: percent(rate),
            rate_bps: rate,
            total_amount: total.to_gx(),
            tax_due: tax_due.to_gx(),
            currency: CURRENCY,
            breakdown: Breakdown { base_fee: fee.to_gx(), network_fee: Amount::ZERO.to_gx() },
            kind,
            scope,
        }
    }
}
