//! Whether somebody could have a loan now, point by point, by the parameters in force.
//!
//! The points are the checks of the ledger in their order, each under the code that the ledger
//! would refuse with. What is answered is advice: the ledger decides when a loan is applied for.

use axum::extract::State;
use gx_contract::identity::{AGE_DAYS, AccountStatus};
use gx_contract::loan_pool::{DEFAULTS_MAX, LoanState};
use gx_contract::params::LoanRules;
use gx_contract::{Parameters, Refusal};
use gx_store::Store;
use gx_store::governance::parameters;
use gx_store::identity::profiles::{self, Profile};
use gx_store::loan_pool::loans::{self, Books};
use gx_types::{AccountId, Amount, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::User;
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Read, View};
use crate::http::extract::{After, Query};
use crate::http::fields::{Count, GxAmount, request};

pub(super) fn routes() -> [Route; 1] {
    [Route::get("/api/v1/loans/eligibility", eligibility)
        .summary("Whether the caller could have a loan now, and why not")
        .fails(&[(409, "not_on_ledger")])]
}

request! {
    /// The loan that is thought of; what is left out is not checked.
    pub(crate) struct EligibilityQuery {
        amount as "amount": Option<GxAmount>,
        duration_days as "durationDays": Option<Count<1, 3650>>,
    }
}

/// Whether a loan could be had, and on what terms.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EligibilityReply {
    /// Whether every point is passed.
    eligible: bool,
    /// In the order in which the ledger checks them.
    checks: Vec<Check>,
    trust_score: u8,
    amount_min: String,
    /// The most that could be asked for now.
    amount_max: String,
    currency: &'static str,
    duration_days_max: u32,
}

/// A point that is checked.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Check {
    /// What the ledger refuses with when it is not passed.
    code: &'static str,
    passed: bool,
    /// What is there, in the unit of `required`.
    actual: String,
    required: String,
    /// For people.
    message: &'static str,
}

/// What the points are about.
#[derive(Debug)]
struct Asked {
    profile: Profile,
    books: Books,
    rules: LoanRules,
    amount: Option<Amount>,
    days: Option<u32>,
    now: TimeMs,
}

/// `GET /loans/eligibility`
async fn eligibility(
    user: User,
    State(store): State<Store>,
    _: After,
    Query(query): Query<EligibilityQuery>,
) -> Result<Read<EligibilityReply>> {
    let account = user.own_account()?;
    let mut view = View::open(&store).await?;
    let asked = look_up(&mut view, &account, query).await?;
    Ok(view.read(asked.reply()))
}

async fn look_up(view: &mut View, account: &AccountId, query: EligibilityQuery) -> Result<Asked> {
    let (now, snapshot) = (view.now(), &mut view.snapshot);
    let profile = profiles::get(&mut *snapshot, account).await?;
    let missing = "Your account is not on the ledger yet";
    let profile = profile.ok_or_else(|| Error::conflict("not_on_ledger", missing))?;
    let Parameters { loans: rules, .. } = parameters::in_force(&mut *snapshot).await?;
    let books = loans::books(&mut *snapshot, account).await?;
    // Applications that have lapsed make room when the next one comes.
    let state = Some(LoanState::PendingApproval);
    let waiting = loans::of_borrower(&mut *snapshot, account, state, None, books.open).await?;
    let books = waiting.iter().filter(|loan| loan.lapses_at <= now).fold(books, |books, loan| {
        let outstanding = books.outstanding.checked_sub(loan.amount);
        Books {
            open: books.open.saturating_sub(1),
            outstanding: outstanding.unwrap_or_default(),
            ..books
        }
    });
    let (amount, days) = (query.amount.map(|amount| amount.0), query.duration_days);
    Ok(Asked { profile, books, rules, amount, days: days.map(|days| days.0), now })
}

fn check(
    code: Refusal,
    passed: bool,
    actual: impl ToString,
    required: impl ToString,
    message: &'static str,
) -> Check {
    let (actual, required) = (actual.to_string(), required.to_string());
    Check { code: code.code(), passed, actual, required, message }
}

impl Asked {
    fn reply(&self) -> EligibilityReply {
        let checks = self.checks();
        let room = self.rules.outstanding_max.checked_sub(self.books.outstanding);
        EligibilityReply {
            eligible: checks.iter().all(|check| check.passed),
            checks,
            trust_score: self.profile.trust_score,
            amount_min: self.rules.amount_min.to_gx(),
            amount_max: self.rules.amount_max.min(room.unwrap_or_default()).to_gx(),
            currency: CURRENCY,
            duration_days_max: self.rules.duration_days_max,
        }
    }

    fn checks(&self) -> Vec<Check> {
        let mut checks = vec![self.check_standing()];
        checks.extend(self.check_loan());
        checks.extend(self.check_borrower());
        checks
    }

    fn check_standing(&self) -> Check {
        let (code, actual) = match (self.profile.frozen.is_empty(), self.profile.status) {
            (false, _) => (Refusal::AccountFrozen, "FROZEN"),
            (true, AccountStatus::Active) => (Refusal::AccountFrozen, "ACTIVE"),
            (true, AccountStatus::Locked) => (Refusal::AccountLocked, "LOCKED"),
            (true, AccountStatus::Deceased) => (Refusal::AccountDeceased, "DECEASED"),
        };
        check(code, actual == "ACTIVE", actual, "ACTIVE", "The account is in use")
    }

    /// What of the loan itself is asked about.
    fn check_loan(&self) -> Vec<Check> {
        let LoanRules { amount_min, amount_max, duration_days_max, .. } = self.rules;
        let amount = self.amount.map(|amount| {
            let (fits, bounds) = (
                (amount_min..=amount_max).contains(&amount),
                format!("{} to {}", amount_min.to_gx(), amount_max.to_gx()),
            );
            let message = "Loans have a smallest and a largest amount, in GX";
            check(Refusal::LoanAmountInvalid, fits, amount.to_gx(), bounds, message)
        });
        let days = self.days.map(|days| {
            let (fits, bounds) = (days <= duration_days_max, format!("1 to {duration_days_max}"));
            let message = "Loans have a longest term, in days";
            check(Refusal::LoanDurationInvalid, fits, days, bounds, message)
        });
        amount.into_iter().chain(days).collect()
    }

    fn check_borrower(&self) -> [Check; 5] {
        let Self { profile, books, rules, .. } = self;
        let old_enough_at = profile.created_at.plus_days(AGE_DAYS);
        let sum = books.outstanding.checked_add(self.amount.unwrap_or(rules.amount_min));
        let owed = sum.is_some_and(|sum| sum <= rules.outstanding_max);
        [
            check(
                Refusal::AccountTooYoung,
                self.now >= old_enough_at,
                rfc3339(self.now.0),
                rfc3339(old_enough_at.0),
                "The account has been on the ledger for 30 days",
            ),
            check(
                Refusal::LoansBarred,
                books.defaults < DEFAULTS_MAX,
                books.defaults,
                format!("less than {DEFAULTS_MAX}"),
                "Few enough loans have failed",
            ),
            check(
                Refusal::TrustTooLow,
                u32::from(profile.trust_score) >= rules.trust_min,
                profile.trust_score,
                format!("{} or more", rules.trust_min),
                "Others trust the borrower",
            ),
            check(
                Refusal::TooManyLoans,
                books.open < rules.open_max,
                books.open,
                format!("less than {}", rules.open_max),
                "Few enough loans are open",
            ),
            check(
                Refusal::LoanLimitExceeded,
                owed,
                sum.unwrap_or(books.outstanding).to_gx(),
                format!("{} or less", rules.outstanding_max.to_gx()),
                "What is owed altogether, with this loan, in GX; without an amount the smallest",
            ),
        ]
    }
}
