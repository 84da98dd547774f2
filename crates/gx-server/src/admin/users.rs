//! Users as administrators see them: lists, decisions, and their accounts on the ledger.
//!
//! A decision is local. What changes the ledger is a command like any other.

use axum::extract::State;
use gx_contract::freezing::FreezeReason;
use gx_store::Store;
use gx_store::identity::kyc::{self as applications, Verdict};
use gx_store::identity::users::{self, Decision, ListUsers, User as Row, UserStatus};
use gx_types::{AccountId, AccountType, CountryCode, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json as value;

use super::kyc;
use crate::api::Route;
use crate::audit::{Audit, Change, Entry};
use crate::auth::{Logins, May, entropy, grant};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Error, Result};
use crate::http::answer::{Json, Pagination, Read, View};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{Count, Written, listed_fields, one_of, request};
use crate::identity::kyc::KycReply;
use crate::tokenomics::freezing;

pub(super) fn routes() -> Vec<Route> {
    let [freeze, unfreeze] = freezing::routes();
    vec![
        Route::get("/api/v1/admin/users", list)
            .summary("Users by status or name, newest first, counted up to 1,000"),
        Route::get("/api/v1/admin/users/pending-onchain", pending_onchain)
            .summary("Approved users whose account is not on the ledger yet"),
        Route::get("/api/v1/admin/users/{id}", get).summary("One user, without secrets"),
        Route::post("/api/v1/admin/users/{id}/approve", approve)
            .summary("Approves a user and assigns the id on the ledger")
            .sample(r#"{"notes": "Seen in person"}"#)
            .fails(&[(409, "user_status_wrong")]),
        Route::post("/api/v1/admin/users/{id}/deny", deny)
            .summary("Denies an application")
            .sample(r#"{"reason": "The document cannot be read"}"#)
            .fails(&[(409, "user_status_wrong")]),
        freeze.alias("/api/v1/admin/users/{id}/freeze"),
        unfreeze.alias("/api/v1/admin/users/{id}/unfreeze"),
    ]
}

listed_fields! {
    UserStatus: "invalid_status";
}

/// A status of a user, where the description names it.
fn statuses(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    one_of(UserStatus::ALL.map(UserStatus::as_str))
}

request! {
    /// Which users to list.
    pub(crate) struct UsersQuery {
        #[schemars(schema_with = "statuses")]
        status as "status": Option<UserStatus>,
        /// Beginning of e-mail address, name or ledger id.
        search as "search": Option<Written<1, 100>>,
        page as "page": Option<Count<1, 1_000_000>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Which users to list.
    pub(crate) struct PageQuery {
        page as "page": Option<Count<1, 1_000_000>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// What should be remembered of an approval.
    pub(crate) struct ApproveBody {
        notes as "notes": Option<Written<0, 500>>,
    }
}

request! {
    /// Why an application is denied.
    pub(crate) struct DenyBody {
        reason as "reason": Written<10, 500>,
    }
}

/// A user as administrators see them: no secret, no hash.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserReply {
    /// Id on the platform.
    id: String,
    /// Id of the account on the ledger, assigned with the approval.
    user_id: Option<String>,
    /// The same as `userId`, under its older name.
    ledger_id: Option<String>,
    email: String,
    first_name: String,
    last_name: String,
    phone: Option<String>,
    country_code: String,
    date_of_birth: String,
    status: &'static str,
    status_reason: Option<String>,
    kyc_status: &'static str,
    /// The newest application, where one user is asked for and has applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    kyc: Option<KycReply>,
    /// Whether the account exists on the ledger.
    on_ledger: bool,
    /// Why the account is frozen, if it is.
    frozen_reasons: Vec<FreezeReason>,
    last_login_at: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<Row> for UserReply {
    fn from(row: Row) -> Self {
        Self {
            id: row.user_id,
            user_id: row.ledger_id.map(|id| id.to_string()),
            ledger_id: row.ledger_id.map(|id| id.to_string()),
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            phone: row.phone,
            country_code: row.country.to_string(),
            date_of_birth: row.date_of_birth,
            kyc_status: crate::identity::kyc_status(row.status),
            kyc: None,
            status: row.status.as_str(),
            status_reason: row.status_reason,
            on_ledger: row.on_ledger,
            frozen_reasons: row.frozen.iter().collect(),
            last_login_at: row.last_login_at.map(|at| rfc3339(at.0)),
            created_at: rfc3339(row.created_at.0),
            updated_at: rfc3339(row.updated_at.0),
        }
    }
}

/// A page of users.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsersReply {
    users: Vec<UserReply>,
    #[serde(flatten)]
    place: Pagination,
}

/// What was decided.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Decided {
    success: bool,
    message: &'static str,
    status: &'static str,
    /// Id of the account on the ledger, assigned with the approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// The same as `userId`, under its older name.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger_id: Option<String>,
}

/// `GET /admin/users`
async fn list(
    _: May<grant::UserList>,
    State(store): State<Store>,
    _: After,
    Query(query): Query<UsersQuery>,
) -> Result<Read<UsersReply>> {
    let search = query.search.map(|search| search.0);
    page(&store, query.status, search, (query.page, query.limit)).await
}

/// `GET /admin/users/pending-onchain`
async fn pending_onchain(
    _: May<grant::UserList>,
    State(store): State<Store>,
    _: After,
    Query(query): Query<PageQuery>,
) -> Result<Read<UsersReply>> {
    let status = Some(UserStatus::ApprovedPendingOnchain);
    page(&store, status, None, (query.page, query.limit)).await
}

pub(super) async fn page(
    store: &Store,
    status: Option<UserStatus>,
    search: Option<String>,
    (page, limit): (Option<Count<1, 1_000_000>>, Option<Count<1, 100>>),
) -> Result<Read<UsersReply>> {
    let (page, limit) = (page.map_or(1, |page| page.0), limit.map_or(20, |limit| limit.0));
    let offset = u64::from(page - 1) * u64::from(limit);
    let filter = ListUsers { status, search, country: None, offset, limit };
    let mut view = View::open(store).await?;
    let (rows, total) = users::list(&mut view.snapshot, &filter).await?;
    let place = Pagination::new(u64::from(page), limit, total);
    Ok(view.read(UsersReply { users: rows.into_iter().map(Into::into).collect(), place }))
}

/// `GET /admin/users/{id}`
async fn get(
    _: May<grant::UserView>,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<UserReply>> {
    let mut view = View::open(&store).await?;
    let row = users::get(&mut view.snapshot, &id).await?;
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    let kyc = applications::latest(&mut view.snapshot, &id).await?.map(Into::into);
    Ok(view.read(UserReply { kyc, ..row.into() }))
}

/// `POST /admin/users/{id}/approve`
async fn approve(
    admin: May<grant::UserApprove>,
    audit: Audit,
    State(logins): State<Logins>,
    Path(id): Path<String>,
    Body(body): Body<ApproveBody>,
) -> Result<Json<Decided>> {
    let row = users::get(logins.store(), &id).await?.ok_or_else(|| Error::not_found("User"))?;
    let (mut change, notes) = (audit.begin().await?, body.notes.map(|notes| notes.0));
    let (reason, at) = (notes.as_deref(), TimeMs(now_ms()));
    let verdict = Verdict { approves: true, reason, by: admin.scope(), at };
    let kyc_id = kyc::settle(&mut change, &logins, &row, verdict).await?;
    let decided = approved(&mut change, &row, kyc_id.is_some()).await?;
    let entry = Entry { actor: admin.scope(), action: "user.approve", target: &id };
    let what = value!({ "ledgerId": decided.ledger_id, "notes": notes, "kycId": kyc_id });
    change.commit_with(entry, &what).await?;
    Ok(Json(decided))
}

/// Approves somebody who waits for it. Who was approved before has applied for more.
async fn approved(change: &mut Change, row: &Row, has_applied: bool) -> Result<Decided> {
    if has_applied && is_member(row) {
        let message = "The application is approved";
        return Ok(Decided::of_member(row, message));
    }
    let ledger_id = row.ledger_id.map_or_else(|| fresh_id(row.country), Ok)?;
    decide(change, row, Decision::ApprovedPendingOnchain, None).await?;
    users::assign_ledger_id(change.tx(), &row.user_id, &ledger_id, TimeMs(now_ms())).await?;
    Ok(Decided::approved(ledger_id))
}

/// Whether somebody was approved before, and still is.
fn is_member(row: &Row) -> bool {
    matches!(
        row.status,
        UserStatus::ApprovedPendingOnchain | UserStatus::Active | UserStatus::Frozen
    )
}

fn fresh_id(country: CountryCode) -> Result<AccountId> {
    let entropy = entropy().map_err(Error::internal)?;
    Ok(AccountId::from_entropy(country, AccountType::Individual, entropy))
}

/// `POST /admin/users/{id}/deny`
async fn deny(
    admin: May<grant::UserDeny>,
    audit: Audit,
    State(logins): State<Logins>,
    Path(id): Path<String>,
    Body(body): Body<DenyBody>,
) -> Result<Json<Decided>> {
    let row = users::get(logins.store(), &id).await?.ok_or_else(|| Error::not_found("User"))?;
    let (mut change, reason) = (audit.begin().await?, body.reason.0);
    let at = TimeMs(now_ms());
    let verdict = Verdict { approves: false, reason: Some(&reason), by: admin.scope(), at };
    let kyc_id = kyc::settle(&mut change, &logins, &row, verdict).await?;
    let decided = denied(&mut change, &row, kyc_id.is_some(), &reason).await?;
    let entry = Entry { actor: admin.scope(), action: "user.deny", target: &id };
    change.commit_with(entry, &value!({ "reason": reason, "kycId": kyc_id })).await?;
    Ok(Json(decided))
}

/// Denies somebody who waits. Who was approved before stays so, and is not trusted with more.
async fn denied(
    change: &mut Change,
    row: &Row,
    has_applied: bool,
    reason: &str,
) -> Result<Decided> {
    if has_applied && is_member(row) {
        return Ok(Decided::of_member(row, "The application is denied"));
    }
    decide(change, row, Decision::Denied, Some(reason)).await?;
    Ok(Decided::denied())
}

/// Decides about somebody who waits for it; who was denied can be approved after all.
async fn decide(change: &mut Change, row: &Row, to: Decision, reason: Option<&str>) -> Result<()> {
    let waiting = [Decision::Registered, Decision::PendingAdminApproval, Decision::Denied];
    let from: Vec<Decision> = waiting.into_iter().filter(|from| *from != to).collect();
    let now = TimeMs(now_ms());
    if users::decide(change.tx(), &row.user_id, &from, to, reason, now).await? {
        return Ok(());
    }
    let message = format!("The user is {}, which this does not apply to", row.status.as_str());
    Err(Error::conflict("user_status_wrong", message))
}

impl Decided {
    fn approved(ledger_id: AccountId) -> Self {
        Self {
            success: true,
            message: "Approved; register the account on the ledger next",
            status: Decision::ApprovedPendingOnchain.as_str(),
            user_id: Some(ledger_id.to_string()),
            ledger_id: Some(ledger_id.to_string()),
        }
    }

    fn of_member(row: &Row, message: &'static str) -> Self {
        let ledger_id = row.ledger_id.map(|id| id.to_string());
        let (user_id, status) = (ledger_id.clone(), row.status.as_str());
        Self { success: true, message, status, user_id, ledger_id }
    }

    fn denied() -> Self {
        let status = Decision::Denied.as_str();
        Self { success: true, message: "Denied", status, user_id: None, ledger_id: None }
    }
}
