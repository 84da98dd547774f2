//! What a payment would come to, before it is made: its price, or why it would be refused.
//!
//! A dry run by the contract's own code on the read models, in the order in which the ledger
//! checks. It promises nothing: until the payment is settled everything may change. Whether the
//! payment has to be signed, and whether a signature is good, is not asked here.

use axum::extract::State;
use axum::http::StatusCode;
use gx_contract::identity::AccountStatus;
use gx_contract::tax_and_fee::TaxStatus;
use gx_contract::tokenomics::Transfer;
use gx_contract::{Party, Quote, Refusal, Refused, Rule as _, Scope, TransferType};
use gx_store::Store;
use gx_store::governance::parameters;
use gx_store::identity::profiles;
use gx_store::tax_and_fee::{standing, timers};
use gx_store::tokenomics::accounts::{self, Account};
use gx_store::tokenomics::{flows, limits, supply};
use gx_types::{AccountId, Amount};
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::Remark;
use crate::api::Route;
use crate::auth::User;
use crate::calendar::Date;
use crate::error::{Error, Result, refusal_status};
use crate::http::answer::{CURRENCY, Read, View, percent};
use crate::http::extract::{After, Body};
use crate::http::fields::{GxAmount, request};

pub(super) fn routes() -> [Route; 1] {
    [Route::post("/api/v1/transfers/quote", quote)
        .summary("What a payment would cost and leave, or why it would be refused; nothing is paid")
        .sample(r#"{"toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "50.00"}"#)
        .fails(&[(403, "not_own_account"), (409, "not_on_ledger")])
        .only_asks()]
}

request! {
    /// A payment that is thought of.
    pub(crate) struct QuoteBody {
        to as "toUserId": AccountId,
        amount as "amount": GxAmount,
        remark as "remark": Option<Remark>,
        /// Another name of `remark`.
        description as "description": Option<Remark>,
        /// The sender; when given it must be the caller.
        from as "fromUserId": Option<AccountId>,
    }
}

/// What a payment would come to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuoteReply {
    /// Whether the ledger would carry it out as things stand.
    allowed: bool,
    /// Why it would not.
    refusal: Option<RefusalReply>,
    amount: String,
    currency: &'static str,
    /// What it costs; absent where there is nobody to pay.
    fee: Option<FeePart>,
    /// The velocity tax that is due from the sender and taken first; zero when none is.
    tax_due: String,
    /// What the sender has.
    balance: String,
    /// What the sender would have left; absent when it would be refused.
    balance_after: Option<String>,
    /// What would leave the account, tax included; absent where there is no price.
    total_debit: Option<String>,
}

/// What a payment costs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeePart {
    fee_amount: String,
    /// Of the amount, in per cent.
    fee_percentage: String,
    rate_bps: u32,
    /// Amount and fee.
    total_amount: String,
    #[serde(rename = "type")]
    kind: TransferType,
    scope: Scope,
}

/// Why a payment would be refused.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefusalReply {
    /// Stable, for programs.
    code: &'static str,
    /// The status that such a refusal is answered with.
    status: u16,
    message: String,
}

impl From<Refused> for RefusalReply {
    fn from(refused: Refused) -> Self {
        let status = refusal_status(refused.code).as_u16();
        Self { code: refused.code.code(), status, message: refused.detail }
    }
}

/// `POST /transfers/quote`
async fn quote(
    user: User,
    State(store): State<Store>,
    _: After,
    Body(body): Body<QuoteBody>,
) -> Result<Read<QuoteReply>> {
    let from = user.own_account()?;
    if body.from.is_some_and(|given| given != from) {
        let message = "Payments are made from one's own account only";
        return Err(Error::new(StatusCode::FORBIDDEN, "not_own_account", message));
    }
    let remark = body.remark.or(body.description).map(|remark| remark.0).unwrap_or_default();
    let payment = Transfer { from, to: body.to, amount: body.amount.0, remark };
    let mut view = View::open(&store).await?;
    let reply = look_up(&mut view, &payment).await?.reply(&payment);
    Ok(view.read(reply))
}

/// What the ledger would look at.
#[derive(Debug)]
struct Found {
    /// Why nothing is done at all.
    paused: Option<Refused>,
    from: Account,
    from_status: AccountStatus,
    to: Option<Account>,
    to_is_deceased: bool,
    quote: Option<std::result::Result<Quote, Refusal>>,
    tax: Amount,
    /// The limit of a day, and what has left the account today.
    limit: Option<(Amount, Amount)>,
}

async fn look_up(view: &mut View, payment: &Transfer) -> Result<Found> {
    let Transfer { from, to, amount, .. } = payment;
    let now = view.now();
    let snapshot = &mut view.snapshot;
    let system = supply::system(&mut *snapshot).await?;
    let paused = match system {
        None => Some(Refusal::NotBootstrapped.into()),
        Some(system) => system.paused.map(|(_, reason)| Refusal::SystemPaused.because(reason)),
    };
    let mut sides = accounts::get_many(&mut *snapshot, &[*from, *to]).await?.into_iter();
    let (sender, receiver) = (sides.next().flatten(), sides.next().flatten());
    let sender = sender.ok_or_else(|| Error::not_found("Wallet"))?;
    let own = profiles::get(&mut *snapshot, from).await?;
    let other = profiles::get(&mut *snapshot, to).await?;
    let fees = parameters::in_force(&mut *snapshot).await?.fees;
    let party = |account: &Account| {
        let Account { kind, account_type, country, .. } = *account;
        Party { kind, account_type, country }
    };
    let quote = receiver.as_ref().map(|to| fees.quote(party(&sender), party(to), *amount));
    let taxation = standing::taxation(snapshot, now).await?;
    let timer = timers::get(&mut *snapshot, from).await?;
    let standing = timer.map(|timer| taxation.standing(&timer));
    let due = standing.filter(|standing| standing.status == TaxStatus::Due);
    let tax = due.and_then(|standing| standing.tax).map_or(Amount::ZERO, |(_, amount)| amount);
    let limit = match limits::get(&mut *snapshot, from, now).await?.per_day {
        None => None,
        Some(per_day) => {
            let today = gx_types::TimeMs(Date::of_ms(now.0).start_ms());
            let flows = flows::since(&mut *snapshot, from, today).await?.unwrap_or_default();
            Some((per_day, flows.spent))
        }
    };
    Ok(Found {
        paused,
        from: sender,
        from_status: own.map_or(AccountStatus::Active, |profile| profile.status),
        to: receiver,
        to_is_deceased: other.is_some_and(|other| other.status == AccountStatus::Deceased),
        quote,
        tax,
        limit,
    })
}

impl Found {
    /// What would be left, or the first thing that the ledger would refuse.
    fn settle(&self, payment: &Transfer) -> std::result::Result<Amount, Refused> {
        payment.validate()?;
        if let Some(refused) = &self.paused {
            return Err(refused.clone());
        }
        if !self.from.frozen.is_empty() {
            return Err(Refusal::AccountFrozen.into());
        }
        match self.from_status {
            AccountStatus::Active => {}
            AccountStatus::Locked => return Err(Refusal::AccountLocked.into()),
            AccountStatus::Deceased => return Err(Refusal::AccountDeceased.into()),
        }
        let (Some(to), Some(quote)) = (&self.to, self.quote) else {
            return Err(Refusal::AccountNotFound.into());
        };
        if !to.frozen.is_empty() {
            return Err(Refusal::CounterpartyFrozen.into());
        }
        if self.to_is_deceased {
            return Err(Refusal::CounterpartyDeceased.into());
        }
        let total = quote?.total;
        if let Some((per_day, spent)) = self.limit {
            let spent = spent.checked_add(total).ok_or(Refusal::AmountOverflow)?;
            if spent > per_day {
                let detail = format!("{per_day} a day, {spent} with this payment");
                return Err(Refusal::SpendingLimit.because(detail));
            }
        }
        let left = self.from.balance.checked_sub(self.tax);
        left.and_then(|left| left.checked_sub(total)).ok_or_else(|| {
            let (held, tax) = (self.from.balance, self.tax);
            let detail = format!("the account holds {held}, needed {total} and {tax} of tax");
            Refusal::InsufficientBalance.because(detail)
        })
    }

    fn reply(&self, payment: &Transfer) -> QuoteReply {
        let settled = self.settle(payment);
        let quote = self.quote.and_then(std::result::Result::ok);
        let debit = quote.and_then(|quote| quote.total.checked_add(self.tax));
        QuoteReply {
            allowed: settled.is_ok(),
            amount: payment.amount.to_gx(),
            currency: CURRENCY,
            fee: quote.map(|quote| FeePart {
                fee_amount: quote.fee.to_gx(),
                fee_percentage: percent(quote.rate),
                rate_bps: quote.rate,
                total_amount: quote.total.to_gx(),
                kind: quote.kind,
                scope: quote.scope,
            }),
            tax_due: self.tax.to_gx(),
            balance: self.from.balance.to_gx(),
            balance_after: settled.as_ref().ok().map(|left| left.to_gx()),
            total_debit: debit.map(Amount::to_gx),
            refusal: settled.err().map(RefusalReply::from),
        }
    }
}
