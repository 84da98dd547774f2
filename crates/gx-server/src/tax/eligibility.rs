//! Where an account stands with the velocity tax. Its user and admins may ask.

use axum::extract::State;
use gx_contract::tax_and_fee::TaxStatus;
use gx_store::tax_and_fee::assessments::{self, Assessment};
use gx_store::tax_and_fee::standing::{self, Standing, Taxation};
use gx_store::tax_and_fee::timers::{self, Timer};
use gx_store::tokenomics::accounts;
use gx_store::{Store, blocks};
use gx_types::{AccountId, Amount, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::{Caller, Permission};
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Read, View, percent};
use crate::http::extract::{After, Path, Query};
use crate::http::fields::{Text, request};
use crate::identity::account_of;

pub(super) fn routes() -> [Route; 2] {
    let failures = [(403, "forbidden"), (404, "not_found"), (409, "not_on_ledger")];
    [
        Route::get("/api/v1/velocity-tax/eligibility/{accountId}", eligibility)
            .summary("Whether an account owes the velocity tax, when it will, and how much")
            .fails(&failures),
        Route::get("/api/v1/fees/hoarding-tax/eligibility", hoarding_tax)
            .summary("The same for the account that `userId` names, or for the caller's own")
            .fails(&failures),
    ]
}

request! {
    /// Whose account.
    pub(crate) struct HoardingTaxQuery {
        /// Either of the user's ids; the caller's own account by default.
        user as "userId": Option<Text<1, 64>>,
    }
}

/// Where an account stands with the velocity tax.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaxReply {
    #[schemars(with = "String")]
    account_id: AccountId,
    /// Whether the tax is due now.
    eligible: bool,
    status: TaxStatus,
    /// The same for people.
    reason: &'static str,
    balance: String,
    /// The balance with what of it waits in escrow: what the tax is a part of.
    taxable_amount: String,
    currency: &'static str,
    /// The rate of the band that this is in, in per cent; absent while no timer runs.
    tax_rate: Option<String>,
    rate_bps: Option<u32>,
    /// What would be taken from the balance as it is.
    tax_amount: Option<String>,
    taxable_since: Option<String>,
    /// When it is due if the balance stays large.
    due_at: Option<String>,
    days_remaining: Option<i64>,
    /// After how many days the timer came to rest, while the account is frozen or locked.
    rested_after_days: Option<i64>,
    /// Balances from here on are taxed.
    threshold: String,
    /// How long this balance must stay there.
    period_days: u32,
    /// When coins last moved.
    last_transaction_date: Option<String>,
    /// The tax that was taken last.
    last_tax: Option<LastTax>,
}

/// Tax that was taken.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastTax {
    at: String,
    amount: String,
    rate_bps: u32,
}

impl From<Assessment> for LastTax {
    fn from(row: Assessment) -> Self {
        Self { at: rfc3339(row.at.0), amount: row.amount.to_gx(), rate_bps: row.rate_bps }
    }
}

/// `GET /velocity-tax/eligibility/{accountId}`
async fn eligibility(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<TaxReply>> {
    let account = asked(&caller, &store, Some(&id)).await?;
    let mut view = View::open(&store).await?;
    let reply = look_up(&mut view, &account).await?;
    Ok(view.read(reply))
}

/// `GET /fees/hoarding-tax/eligibility`
async fn hoarding_tax(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Query(query): Query<HoardingTaxQuery>,
) -> Result<Read<TaxReply>> {
    let id = query.user.as_ref().map(|id| &*id.0);
    let account = asked(&caller, &store, id).await?;
    let mut view = View::open(&store).await?;
    let reply = look_up(&mut view, &account).await?;
    Ok(view.read(reply))
}

/// The account that is asked about; somebody else's does not exist for a user. Admins may ask about
/// pools and organizations too, which are nobody's on the platform.
async fn asked(caller: &Caller, store: &Store, id: Option<&str>) -> Result<AccountId> {
    let unknown = || Error::not_found("Account");
    match caller {
        Caller::Admin(admin) if admin.may(Permission::UserView) => {
            let id = id.ok_or_else(unknown)?;
            match id.parse() {
                Ok(account) => Ok(account),
                Err(_) => account_of(store, id).await,
            }
        }
        Caller::Admin(_) => Err(Error::forbidden()),
        Caller::User(user) => {
            let named =
                |account: &AccountId| id.is_none_or(|id| account.as_str() == id || user.id() == id);
            user.account.filter(named).ok_or_else(unknown)
        }
    }
}

async fn look_up(view: &mut View, account: &AccountId) -> Result<TaxReply> {
    let (now, snapshot) = (view.now(), &mut view.snapshot);
    let timer = timers::get(&mut *snapshot, account).await?;
    let timer = timer.ok_or_else(|| Error::not_found("Account"))?;
    let taxation = standing::taxation(&mut *snapshot, now).await?;
    let last = assessments::of_account(&mut *snapshot, account, None, 1).await?.pop();
    let changed = accounts::get(&mut *snapshot, account).await?;
    let moved_at = match changed.and_then(|account| account.changed_block) {
        Some(block) => blocks::get(&mut *snapshot, block).await?.map(|block| block.at),
        None => None,
    };
    Ok(TaxReply {
        last_transaction_date: moved_at.map(|at| rfc3339(at.0)),
        last_tax: last.map(LastTax::from),
        ..TaxReply::of(&timer, &taxation, now)
    })
}

const fn reason(status: TaxStatus) -> &'static str {
    match status {
        TaxStatus::NotTaxable => "Pools and treasuries are not taxed",
        TaxStatus::Exempt => "The account is exempt",
        TaxStatus::BelowThreshold => "The balance is below the threshold",
        TaxStatus::Running => "The balance has not been large for long enough yet",
        TaxStatus::Resting => "The account may not act, and is not taxed for that time",
        TaxStatus::Due => "The balance has been large for the whole period",
    }
}

impl TaxReply {
    pub(super) fn of(timer: &Timer, taxation: &Taxation, now: TimeMs) -> Self {
        let Standing { status, taxed, taxable_since, due_at, taxable_for_ms, period_days, tax } =
            taxation.standing(timer);
        let (rate_bps, amount) = tax.unzip();
        let time = |at: TimeMs| rfc3339(at.0);
        let days = |ms: i64| ms.max(0).div_euclid(86_400_000);
        Self {
            account_id: timer.account_id,
            eligible: status == TaxStatus::Due,
            status,
            reason: reason(status),
            balance: timer.balance.to_gx(),
            taxable_amount: taxed.to_gx(),
            currency: CURRENCY,
            tax_rate: rate_bps.map(percent),
            rate_bps,
            tax_amount: amount.map(Amount::to_gx),
            taxable_since: taxable_since.map(time),
            due_at: due_at.map(time),
            days_remaining: due_at.map(|due| days(due.0.saturating_sub(now.0))),
            rested_after_days: taxable_for_ms.map(days),
            threshold: taxation.rules.threshold.to_gx(),
            period_days,
            last_transaction_date: None,
            last_tax: None,
        }
    }
}
