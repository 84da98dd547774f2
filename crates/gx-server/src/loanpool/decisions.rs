//! What admins do with loans: the queue, and deciding. A loan is coins out of a pool, so that who
//! decides needs the permission for those.

use std::borrow::Cow;

use axum::extract::State;
use gx_contract::loan_pool::{ApproveLoan, MarkLoanDefaulted, RejectLoan};
use gx_store::Store;
use gx_store::loan_pool::loans::{self, Loan};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::fields::{LoanReply, LoanStatus, loan_id};
use crate::api::Route;
use crate::auth::{May, grant};
use crate::commands::{Accepted, Commands};
use crate::error::Result;
use crate::http::answer::{Page, Read, View, place};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{Count, NoBody, Text, Written, listed_fields, one_of, request};

pub(super) fn routes() -> [Route; 4] {
    [
        Route::get("/api/v1/loans", queue)
            .summary("Loans of a status in the order in which they were applied for")
            .fails(&[(400, "invalid_cursor")]),
        Route::post("/api/v1/loans/{loanId}/approve", approve)
            .summary("Pays a loan out; a large one is proposed to a second admin")
            .sample("{}"),
        Route::post("/api/v1/loans/{loanId}/reject", reject)
            .summary("Turns a loan down")
            .sample(r#"{"reason": "The collateral is pledged already"}"#),
        Route::post("/api/v1/loans/{loanId}/default", default)
            .summary("Gives up on a loan that is long overdue")
            .sample("{}"),
    ]
}

/// Which loans admins look for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    Status(LoanStatus),
    /// Paid out, past the due date and not repaid.
    Overdue,
}

impl Which {
    const ALL: [Self; 8] = [
        Self::Status(LoanStatus::PendingApproval),
        Self::Status(LoanStatus::Approved),
        Self::Status(LoanStatus::Repaid),
        Self::Status(LoanStatus::Rejected),
        Self::Status(LoanStatus::Cancelled),
        Self::Status(LoanStatus::Lapsed),
        Self::Status(LoanStatus::Defaulted),
        Self::Overdue,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Status(status) => status.as_str(),
            Self::Overdue => "OVERDUE",
        }
    }
}

listed_fields! {
    Which: "invalid_status";
}

impl JsonSchema for Which {
    fn schema_name() -> Cow<'static, str> {
        "LoanFilter".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

request! {
    /// Which loans, oldest application first.
    pub(crate) struct QueueQuery {
        /// `PENDING_APPROVAL` by default: those that wait for a decision.
        status as "status": Option<Which>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 20>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Why a loan is turned down.
    pub(crate) struct RejectBody {
        /// Readable by everybody on the ledger.
        reason as "reason": Written<3, 200>,
    }
}

/// `GET /loans`
async fn queue(
    _: May<grant::TreasuryView>,
    State(store): State<Store>,
    _: After,
    Query(query): Query<QueueQuery>,
) -> Result<Read<Page<LoanReply>>> {
    let after = place(query.cursor)?;
    let limit = query.limit.map_or(20, |limit| limit.0);
    let mut view = View::open(&store).await?;
    let which = query.status.unwrap_or(Which::Status(LoanStatus::PendingApproval));
    let rows = waiting(&mut view, which, after, limit.saturating_add(1)).await?;
    let (page, now) = (Page::of(rows, limit, |row| row.cursor), view.now());
    Ok(view.read(page.try_map(|row| Ok(LoanReply::of(row, now)))?))
}

async fn waiting(
    view: &mut View,
    which: Which,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Loan>> {
    let now = view.now();
    let status = match which {
        Which::Overdue => return Ok(loans::overdue(&mut view.snapshot, now, after, limit).await?),
        Which::Status(status) => status,
    };
    // What has lapsed can't be decided on any more, and the row does not say so yet.
    if status == LoanStatus::PendingApproval {
        return Ok(loans::undecided(&mut view.snapshot, now, after, limit).await?);
    }
    Ok(loans::queue(&mut view.snapshot, status.state(), after, limit).await?)
}

/// `POST /loans/{loanId}/approve`
async fn approve(
    commands: Commands<May<grant::TreasuryTransfer>>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<ApproveLoan>> {
    commands.give(ApproveLoan { loan_id: loan_id(&id)? }).await
}

/// `POST /loans/{loanId}/reject`
async fn reject(
    commands: Commands<May<grant::TreasuryTransfer>>,
    Path(id): Path<String>,
    Body(body): Body<RejectBody>,
) -> Result<Accepted<RejectLoan>> {
    commands.give(RejectLoan { loan_id: loan_id(&id)?, reason: body.reason.into() }).await
}

/// `POST /loans/{loanId}/default`
async fn default(
    commands: Commands<May<grant::TreasuryTransfer>>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<MarkLoanDefaulted>> {
    commands.give(MarkLoanDefaulted { loan_id: loan_id(&id)? }).await
}
