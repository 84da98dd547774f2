//! Payments of organizations: initiated by a stakeholder, made at the quorum.

use axum::extract::State;
use axum::http::StatusCode;
use gx_contract::Refusal;
use gx_contract::organization::{
    ApproveMultiSigTx, CancelMultiSigTx, InitiateMultiSigTx, PendingTxState, RejectMultiSigTx,
    WithdrawApproval,
};
use gx_store::Store;
use gx_store::organization::payments::{self, Approver, Decision, Payment};
use gx_store::tokenomics::treasuries;
use gx_types::{AccountId, CommandId, CountryCode, PendingTxId, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::{org_id, payment_id};
use super::reading::{Sight, visible};
use crate::api::Route;
use crate::auth::{Caller, User};
use crate::calendar::rfc3339;
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Page, Read, View};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{GxAmount, NoBody, Written, contract_fields, request};
use crate::http::paging::{Cursor, Limit, ListQuery, Part};

pub(super) fn routes() -> Vec<Route> {
    let by_delete = Route::delete("/api/v1/transactions/{ptxId}/approval", withdraw)
        .summary("Takes the caller's approval back, as long as the payment is not made")
        .sample("{}");
    // Some intermediaries drop the body of a DELETE, and with it a signature.
    let by_post = Route::post("/api/v1/transactions/{ptxId}/approval/withdraw", withdraw)
        .summary("The same for clients that can't send a body with DELETE")
        .sample("{}");
    vec![
        Route::post("/api/v1/organizations/{orgId}/transactions", initiate)
            .summary("Initiates a payment; it is made when enough have approved it")
            .sample(r#"{"toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "1.00"}"#),
        Route::get("/api/v1/organizations/{orgId}/transactions", of_organization)
            .summary("Payments of an organization, newest first")
            .fails(&[(400, "invalid_cursor"), (403, "forbidden")]),
        Route::get("/api/v1/organizations/{orgId}/transactions/pending", pending)
            .summary("Payments of an organization that can still be decided on, oldest first")
            .fails(&[(403, "forbidden")]),
        Route::get("/api/v1/transactions/pending", awaiting)
            .summary("Payments of all organizations that wait for the caller, newest first")
            .fails(&[(400, "invalid_cursor"), (409, "not_on_ledger")]),
        Route::get("/api/v1/transactions/{ptxId}", get)
            .summary("One payment, for those who stand for the organization and administrators")
            .fails(&[(403, "forbidden")]),
        Route::post("/api/v1/transactions/{ptxId}/approve", approve)
            .summary("Approves a payment, or tries again to make one that could not be made")
            .sample("{}"),
        Route::post("/api/v1/transactions/{ptxId}/reject", reject)
            .summary("Is against a payment")
            .sample("{}"),
        Route::post("/api/v1/transactions/{ptxId}/cancel", cancel)
            .summary("Gives up a payment that the caller has initiated")
            .sample("{}"),
        by_delete,
        by_post,
    ]
}

request! {
    /// A payment of an organization. It pays the fee on top.
    pub(crate) struct PaymentBody {
        /// The receiver's id on the ledger.
        to as "toUserId": AccountId,
        amount as "amount": GxAmount,
        /// Readable by everybody on the ledger.
        remark as "remark": Option<Written<0, 200>>,
        /// The treasury of this country pays, which the organization governs.
        treasury as "treasuryCountryCode": Option<CountryCode>,
    }
}

contract_fields! {
    PendingTxState: "invalid_status",
        "must be PENDING, EXECUTED, EXECUTION_FAILED, REJECTED or CANCELLED";
}

request! {
    /// Which payments, newest first.
    pub(crate) struct PaymentsQuery {
        status as "status": Option<PendingTxState>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Cursor>,
        limit as "limit": Option<Limit>,
    }
}

/// A payment of an organization or of a treasury that it governs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentReply {
    #[schemars(with = "String")]
    pending_tx_id: PendingTxId,
    /// Who decides.
    #[schemars(with = "String")]
    organization_id: AccountId,
    #[schemars(with = "String")]
    initiator_id: AccountId,
    /// The organization's account, or the treasury.
    #[schemars(with = "String")]
    from_user_id: AccountId,
    #[schemars(with = "String")]
    to_user_id: AccountId,
    amount: String,
    currency: &'static str,
    /// What it has cost; absent until it is made.
    fee: Option<String>,
    remark: String,
    status: PendingTxState,
    /// Whether it can still be decided on.
    is_open: bool,
    /// Why it could not be made when it was last tried.
    failure_code: Option<Refusal>,
    required_approvals: u8,
    approval_count: usize,
    /// In the order in which the rule names them.
    approvers: Vec<ApproverReply>,
    created_at: String,
    expires_at: String,
    /// When it was made, rejected or cancelled.
    settled_at: Option<String>,
    /// By which command.
    #[schemars(with = "Option<String>")]
    settled_by: Option<CommandId>,
}

/// Somebody who may decide on a payment.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApproverReply {
    #[schemars(with = "String")]
    user_id: AccountId,
    /// `APPROVED` or `REJECTED`; absent until they have decided.
    decision: Option<&'static str>,
    decided_at: Option<String>,
}

impl From<Approver> for ApproverReply {
    fn from(row: Approver) -> Self {
        Self {
            user_id: row.approver_id,
            decision: row.decision.map(|(decision, _)| decision.as_str()),
            decided_at: row.decision.map(|(_, at)| rfc3339(at.0)),
        }
    }
}

impl PaymentReply {
    fn of(row: Payment, now: TimeMs) -> Self {
        Self {
            pending_tx_id: row.pending_tx_id,
            organization_id: row.org_id,
            initiator_id: row.initiated_by,
            from_user_id: row.from,
            to_user_id: row.to,
            amount: row.amount.to_gx(),
            currency: CURRENCY,
            fee: row.fee.map(|fee| fee.to_gx()),
            status: row.state,
            is_open: row.settled.is_none() && now < row.expires_at,
            failure_code: row.failure,
            required_approvals: row.required,
            approval_count: row.decisions(Decision::Approved),
            approvers: row.approvers.into_iter().map(Into::into).collect(),
            remark: row.remark,
            created_at: rfc3339(row.initiated_at.0),
            expires_at: rfc3339(row.expires_at.0),
            settled_at: row.settled.map(|(at, _)| rfc3339(at.0)),
            settled_by: row.settled.map(|(_, by)| by),
        }
    }
}

/// Whose coins are paid: the organization's, or those of a treasury that it governs.
async fn payer(
    store: &Store,
    organization: AccountId,
    treasury: Option<CountryCode>,
) -> Result<AccountId> {
    let Some(country) = treasury else { return Ok(organization) };
    let governed = treasuries::governed_by(store, &organization).await?;
    if governed.iter().any(|treasury| treasury.country == country) {
        return Ok(AccountId::treasury(country));
    }
    Err(Error::not_found("Treasury"))
}

/// `POST /organizations/{orgId}/transactions`
async fn initiate(
    commands: Commands<User>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Body(body): Body<PaymentBody>,
) -> Result<Accepted<InitiateMultiSigTx>> {
    let from = payer(&store, org_id(&id)?, body.treasury).await?;
    let remark = body.remark.map(|remark| remark.0).unwrap_or_default();
    let (to, amount) = (body.to, body.amount.0);
    commands.give(InitiateMultiSigTx { from, to, amount, remark }).await
}

/// The organization, when the caller may see its money.
async fn with_money(view: &mut View, caller: &Caller, id: &str) -> Result<AccountId> {
    match visible(view, caller, id).await? {
        (found, Sight::Whole) => Ok(found.org_id),
        (_, Sight::Invited) => Err(Error::not_found("Organization")),
    }
}

/// `GET /organizations/{orgId}/transactions`
async fn of_organization(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
    Query(query): Query<PaymentsQuery>,
) -> Result<Read<Page<PaymentReply>>> {
    let part = Part::new(query.cursor, query.limit)?;
    let mut view = View::open(&store).await?;
    let now = view.now();
    let id = with_money(&mut view, &caller, &id).await?;
    let (state, more) = (query.status, part.more());
    let rows = payments::of_organization(&mut view.snapshot, &id, state, part.before, more).await?;
    let page = Page::of(rows, part.limit, |row| row.cursor);
    Ok(view.read(page.try_map(|row| Ok(PaymentReply::of(row, now)))?))
}

/// `GET /organizations/{orgId}/transactions/pending`
async fn pending(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<Page<PaymentReply>>> {
    let mut view = View::open(&store).await?;
    let now = view.now();
    let id = with_money(&mut view, &caller, &id).await?;
    // The ledger lets 50 of them wait at a time.
    let rows = payments::open(&mut view.snapshot, &id, now).await?;
    let data = rows.into_iter().map(|row| PaymentReply::of(row, now)).collect();
    Ok(view.read(Page { data, has_more: false, next_cursor: None }))
}

/// `GET /transactions/pending`
async fn awaiting(
    user: User,
    State(store): State<Store>,
    _: After,
    Query(query): Query<ListQuery>,
) -> Result<Read<Page<PaymentReply>>> {
    let (own, part) = (user.own_account()?, Part::new(query.cursor, query.limit)?);
    let mut view = View::open(&store).await?;
    let now = view.now();
    let (before, more) = (part.before, part.more());
    let rows = payments::awaiting(&mut view.snapshot, &own, now, before, more).await?;
    let page = Page::of(rows, part.limit, |row| row.cursor);
    Ok(view.read(page.try_map(|row| Ok(PaymentReply::of(row, now)))?))
}

/// `GET /transactions/{ptxId}`
async fn get(
    caller: Caller,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<PaymentReply>> {
    let missing = || Error::not_found("Payment");
    let mut view = View::open(&store).await?;
    let found = payments::get(&mut view.snapshot, payment_id(&id)?).await?.ok_or_else(missing)?;
    match visible(&mut view, &caller, found.org_id.as_str()).await {
        Ok((_, Sight::Whole)) => Ok(view.read(PaymentReply::of(found, view.now()))),
        Err(error) if error.status() != StatusCode::NOT_FOUND => Err(error),
        Ok((_, Sight::Invited)) | Err(_) => Err(missing()),
    }
}

/// `POST /transactions/{ptxId}/approve`
async fn approve(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<ApproveMultiSigTx>> {
    commands.give(ApproveMultiSigTx { pending_tx_id: payment_id(&id)? }).await
}

/// `POST /transactions/{ptxId}/reject`
async fn reject(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<RejectMultiSigTx>> {
    commands.give(RejectMultiSigTx { pending_tx_id: payment_id(&id)? }).await
}

/// `POST /transactions/{ptxId}/cancel`
async fn cancel(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<CancelMultiSigTx>> {
    commands.give(CancelMultiSigTx { pending_tx_id: payment_id(&id)? }).await
}

/// `DELETE /transactions/{ptxId}/approval` and `POST /transactions/{ptxId}/approval/withdraw`
async fn withdraw(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<WithdrawApproval>> {
    commands.give(WithdrawApproval { pending_tx_id: payment_id(&id)? }).await
}
