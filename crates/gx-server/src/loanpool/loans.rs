//! A borrower's own loans: applying, taking that back, repaying, looking at them.

use axum::extract::State;
use gx_contract::loan_pool::{ApplyForLoan, CancelLoanApplication, CollateralHash, RepayLoan};
use gx_store::Store;
use gx_store::loan_pool::loans;
use gx_types::AccountId;
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::{LoanReply, LoanStatus, Months, Purpose, hash_of, loan_id};
use crate::api::Route;
use crate::auth::{Caller, Permission, User};
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Page, Read, View, place};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{Count, GxAmount, NoBody, Text, request};
use crate::identity::account_of;

/// What is shown of a loan's repayments.
const REPAYMENTS: u32 = 100;

pub(super) fn routes() -> Vec<Route> {
    let apply = Route::post("/api/v1/loans", apply)
        .summary("Asks for a loan; an admin decides")
        .sample(
            r#"{"amount": "500", "purpose": "A kiln", "durationDays": 180, "collateralHash":
                "000000000000000000000000000000000000000000000000000000000000000c"}"#,
        )
        .fails(&[(403, "not_own_account")]);
    vec![
        apply.alias("/api/v1/loans/apply"),
        apply,
        Route::get("/api/v1/loans/{loanId}", loan)
            .summary("One loan with its repayments; its borrower and admins may ask")
            .fails(&[(403, "forbidden")]),
        Route::delete("/api/v1/loans/{loanId}", cancel)
            .summary("Takes back an application that is not decided on yet")
            .sample("{}"),
        Route::post("/api/v1/loans/{loanId}/repay", repay)
            .summary("Repays a loan or a part of it, one's own or somebody else's")
            .sample(r#"{"amount": "1"}"#),
        Route::get("/api/v1/users/{userId}/loans", loans_of_user)
            .summary("A user's loans, newest first; the user and admins may ask")
            .fails(&[(400, "invalid_cursor"), (403, "forbidden"), (409, "not_on_ledger")]),
    ]
}

request! {
    /// An application for a loan.
    pub(crate) struct ApplyBody {
        amount as "amount": GxAmount,
        /// Readable by everybody on the ledger.
        purpose as "purpose": Option<Purpose>,
        duration_days as "durationDays": Option<Count<1, 3650>>,
        /// Instead of `durationDays`: twelve months are 365 days.
        repayment_period as "repaymentPeriod": Option<Months>,
        /// SHA-256 of what secures the loan, as 64 lower-case hexadecimal digits.
        collateral_hash as "collateralHash": Option<CollateralHash>,
        /// Instead of the hash: a description, whose SHA-256 alone is kept.
        collateral as "collateral": Option<Text<1, 2000>>,
        /// The borrower; when given it must be the caller.
        borrower as "borrowerId": Option<AccountId>,
    }
}

request! {
    /// What is paid back.
    pub(crate) struct RepayBody {
        /// Not more than is owed.
        amount as "amount": GxAmount,
    }
}

request! {
    /// Which of a user's loans, newest first.
    pub(crate) struct OfUserQuery {
        status as "status": Option<LoanStatus>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 20>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

/// A user's loans, and what they owe altogether.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoansReply {
    #[serde(flatten)]
    page: Page<LoanReply>,
    /// Sum of what was asked for and is undecided, and of what is still owed.
    outstanding: String,
    currency: &'static str,
    /// Loans that have failed.
    defaults: u32,
}

/// `POST /loans`
async fn apply(
    commands: Commands<User>,
    Body(body): Body<ApplyBody>,
) -> Result<Accepted<ApplyForLoan>> {
    let own = commands.by.own_account()?;
    if body.borrower.is_some_and(|given| given != own) {
        let (status, message) = (axum::http::StatusCode::FORBIDDEN, "Loans are one's own only");
        return Err(Error::new(status, "not_own_account", message));
    }
    commands.give(application(body)?).await
}

/// What a body asks for; of fields that say the same one is needed.
fn application(body: ApplyBody) -> Result<ApplyForLoan> {
    let days = body.duration_days.map(|days| days.0);
    let days = days.or(body.repayment_period.map(Months::days));
    let hash = body.collateral_hash.or(body.collateral.map(|text| hash_of(&text.0)));
    let missing = |field: &str, other: &str| {
        Error::field(field, "required", format!("is required, unless {other} is given"))
    };
    Ok(ApplyForLoan {
        amount: body.amount.0,
        collateral_hash: hash.ok_or_else(|| missing("collateralHash", "collateral"))?,
        duration_days: days.ok_or_else(|| missing("durationDays", "repaymentPeriod"))?,
        purpose: body.purpose.map(String::from).unwrap_or_default(),
    })
}

/// `GET /loans/{loanId}`
async fn loan(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<LoanReply>> {
    let id = loan_id(&id)?;
    let mut view = View::open(&store).await?;
    let found = loans::get(&mut view.snapshot, id).await?;
    let visible = found.filter(|row| is_seen_by(&caller, Some(row.borrower_id)));
    let row = visible.ok_or_else(|| Error::not_found("Loan"))?;
    let paid = loans::repayments(&mut view.snapshot, id, None, REPAYMENTS).await?;
    let paid = paid.into_iter().map(|(_, repayment)| repayment).collect();
    Ok(view.read(LoanReply::of(row, view.now()).with(paid)))
}

/// Whether the caller may see what is an account's: its user, or an admin who may see users.
fn is_seen_by(caller: &Caller, account: Option<AccountId>) -> bool {
    match caller {
        Caller::Admin(admin) => admin.may(Permission::UserView),
        Caller::User(user) => user.account.is_some() && user.account == account,
    }
}

/// `DELETE /loans/{loanId}`
async fn cancel(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<CancelLoanApplication>> {
    commands.give(CancelLoanApplication { loan_id: loan_id(&id)? }).await
}

/// `POST /loans/{loanId}/repay`
async fn repay(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(body): Body<RepayBody>,
) -> Result<Accepted<RepayLoan>> {
    commands.give(RepayLoan { loan_id: loan_id(&id)?, amount: body.amount.0 }).await
}

/// `GET /users/{userId}/loans`
async fn loans_of_user(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
    Query(query): Query<OfUserQuery>,
) -> Result<Read<LoansReply>> {
    let borrower = borrower(&caller, &store, &id).await?;
    let mut view = View::open(&store).await?;
    let reply = loans_of(&mut view, &borrower, query).await?;
    Ok(view.read(reply))
}

async fn loans_of(view: &mut View, borrower: &AccountId, query: OfUserQuery) -> Result<LoansReply> {
    let (limit, before) = (query.limit.map_or(20, |limit| limit.0), place(query.cursor)?);
    let (state, more) = (query.status.map(LoanStatus::state), limit.saturating_add(1));
    let rows = loans::of_borrower(&mut view.snapshot, borrower, state, before, more).await?;
    let (page, now) = (Page::of(rows, limit, |row| row.cursor), view.now());
    let page = page.try_map(|row| Ok(LoanReply::of(row, now)))?;
    let books = loans::books(&mut view.snapshot, borrower).await?;
    let (outstanding, defaults) = (books.outstanding.to_gx(), books.defaults);
    Ok(LoansReply { page, outstanding, currency: CURRENCY, defaults })
}

/// The account that a path names by either id; somebody else's does not exist for a user.
async fn borrower(caller: &Caller, store: &Store, id: &str) -> Result<AccountId> {
    let unknown = || Error::not_found("User");
    match caller {
        Caller::Admin(admin) if admin.may(Permission::UserView) => account_of(store, id).await,
        Caller::Admin(_) => Err(Error::forbidden()),
        Caller::User(user) => {
            let own = |account: &AccountId| account.as_str() == id || user.id() == id;
            user.account.filter(own).ok_or_else(unknown)
        }
    }
}
