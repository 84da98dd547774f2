//! Users as administrators see them: lists, decisions, and their accounts on the ledger.
//!
//! A decision is local. What changes the ledger is a command like any other.

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use gx_contract::tokenomics::{FreezeReason, FreezeWallet, UnfreezeWallet};
use gx_store::admin::audit::{self, NewAudit};
use gx_store::identity::users::{self, Decision, ListUsers, User as Row, UserStatus};
use gx_types::{AccountId, AccountType, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json as value;

use super::system::NoBody;
use crate::app::App;
use crate::auth::{Admin, entropy};
use crate::calendar::{now_ms, rfc3339};
use crate::commands::{Audited, Order, accept_audited, actor_of_admin, audit_row};
use crate::error::{Error, Result};
use crate::http::answer::{Pagination, View, json};
use crate::http::context::Context;
use crate::http::extract::{After, Body, Key, Path, Query, Wait};
use crate::http::fields::{Count, Written, request};
use crate::service::Service;

request! {
    /// Which users to list.
    pub(crate) struct UsersQuery {
        /// `PENDING_ADMIN_APPROVAL`, `ACTIVE`, …
        #[schemars(with = "Option<String>")]
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

request! {
    /// Why an account is frozen.
    pub(crate) struct FreezeBody {
        reason as "reason": FreezeReason,
        notes as "notes": Option<Written<0, 500>>,
    }
}

/// A user as administrators see them: no secret, no hash.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserReply {
    id: String,
    /// Id on the ledger, assigned with the approval.
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
    /// Whether the account exists on the ledger.
    on_ledger: bool,
    frozen_reason: Option<FreezeReason>,
    last_login_at: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<Row> for UserReply {
    fn from(row: Row) -> Self {
        Self {
            id: row.user_id,
            ledger_id: row.ledger_id.map(|id| id.to_string()),
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            phone: row.phone,
            country_code: row.country.to_string(),
            date_of_birth: row.date_of_birth,
            kyc_status: crate::identity::kyc_status(row.status),
            status: row.status.as_str(),
            status_reason: row.status_reason,
            on_ledger: row.on_ledger,
            frozen_reason: row.frozen,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger_id: Option<String>,
}

/// `GET /admin/users`
pub(crate) async fn list(
    State(app): State<App>,
    _: After,
    Query(query): Query<UsersQuery>,
) -> Result<Response<HttpBody>> {
    let search = query.search.map(|search| search.0);
    page(&app, query.status, search, (query.page, query.limit)).await
}

/// `GET /admin/users/pending-onchain`
pub(crate) async fn pending_onchain(
    State(app): State<App>,
    _: After,
    Query(query): Query<PageQuery>,
) -> Result<Response<HttpBody>> {
    let status = Some(UserStatus::ApprovedPendingOnchain);
    page(&app, status, None, (query.page, query.limit)).await
}

async fn page(
    app: &App,
    status: Option<UserStatus>,
    search: Option<String>,
    (page, limit): (Option<Count<1, 1_000_000>>, Option<Count<1, 100>>),
) -> Result<Response<HttpBody>> {
    let (page, limit) = (page.map_or(1, |page| page.0), limit.map_or(20, |limit| limit.0));
    let offset = u64::from(page - 1) * u64::from(limit);
    let filter = ListUsers { status, search, country: None, offset, limit };
    let mut view = View::open(app).await?;
    let (rows, total) = users::list(&mut view.snapshot, &filter).await?;
    let place = Pagination::new(u64::from(page), limit, total);
    Ok(view.answer(&UsersReply { users: rows.into_iter().map(Into::into).collect(), place }))
}

/// `GET /admin/users/{id}`
pub(crate) async fn get(
    State(app): State<App>,
    _: After,
    Path(id): Path<String>,
) -> Result<Response<HttpBody>> {
    let mut view = View::open(&app).await?;
    let row = users::get(&mut view.snapshot, &id).await?;
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    Ok(view.answer(&UserReply::from(row)))
}

/// `POST /admin/users/{id}/approve`
pub(crate) async fn approve(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    Path(id): Path<String>,
    Body(body): Body<ApproveBody>,
) -> Result<Response<HttpBody>> {
    let row = users::get(app.store(), &id).await?.ok_or_else(|| Error::not_found("User"))?;
    let fresh = entropy().map_err(Error::internal)?;
    let fresh = AccountId::from_entropy(row.country, AccountType::Individual, fresh);
    let ledger_id = row.ledger_id.unwrap_or(fresh);
    let from = [Decision::Registered, Decision::PendingAdminApproval, Decision::Denied];
    let notes = body.notes.as_ref().map(|notes| notes.0.as_str());
    let details = value!({ "ledgerId": ledger_id, "notes": notes }).to_string();
    let audit = NewAudit { details, ..audit_row(&context, admin.scope(), "user.approve", &id) };
    let (mut tx, now) = (app.store().begin().await?, TimeMs(now_ms()));
    let to = Decision::ApprovedPendingOnchain;
    if !users::decide(&mut tx, &id, &from, to, None, now).await? {
        return Err(wrong_status(row.status));
    }
    users::assign_ledger_id(&mut tx, &id, &ledger_id, now).await?;
    audit::append(&mut tx, &[audit]).await?;
    tx.commit().await?;
    let decided = Decided {
        success: true,
        message: "Approved; register the account on the ledger next",
        status: to.as_str(),
        ledger_id: Some(ledger_id.to_string()),
    };
    Ok(json(StatusCode::OK, &decided))
}

/// `POST /admin/users/{id}/deny`
pub(crate) async fn deny(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    Path(id): Path<String>,
    Body(body): Body<DenyBody>,
) -> Result<Response<HttpBody>> {
    let row = users::get(app.store(), &id).await?.ok_or_else(|| Error::not_found("User"))?;
    let from = [Decision::Registered, Decision::PendingAdminApproval];
    let reason = body.reason.0;
    let details = value!({ "reason": reason }).to_string();
    let audit = NewAudit { details, ..audit_row(&context, admin.scope(), "user.deny", &id) };
    let (mut tx, now) = (app.store().begin().await?, TimeMs(now_ms()));
    if !users::decide(&mut tx, &id, &from, Decision::Denied, Some(&reason), now).await? {
        return Err(wrong_status(row.status));
    }
    audit::append(&mut tx, &[audit]).await?;
    tx.commit().await?;
    let status = Decision::Denied.as_str();
    let decided = Decided { success: true, message: "Denied", status, ledger_id: None };
    Ok(json(StatusCode::OK, &decided))
}

fn wrong_status(status: UserStatus) -> Error {
    let message = format!("The user is {}, which this does not apply to", status.as_str());
    Error::conflict("user_status_wrong", message)
}

/// `POST /admin/users/{id}/freeze`
pub(crate) async fn freeze(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    (Path(id), key, wait): (Path<String>, Key, Wait),
    Body(body): Body<FreezeBody>,
) -> Result<Response<HttpBody>> {
    let user_id = account_of(&app, &id).await?;
    let notes = body.notes.as_ref().map(|notes| notes.0.as_str());
    let command = FreezeWallet { user_id, reason: body.reason }.into();
    let order = Order { actor: actor_of_admin(&admin)?, key, command, service: Service::Admin };
    accept_audited(&app, &context, order, Audited { admin: &admin, target: &id, notes }, wait).await
}

/// `POST /admin/users/{id}/unfreeze`
pub(crate) async fn unfreeze(
    State(app): State<App>,
    context: Context,
    admin: Admin,
    (Path(id), key, wait): (Path<String>, Key, Wait),
    Body(NoBody {}): Body<NoBody>,
) -> Result<Response<HttpBody>> {
    let user_id = account_of(&app, &id).await?;
    let command = UnfreezeWallet { user_id }.into();
    let order = Order { actor: actor_of_admin(&admin)?, key, command, service: Service::Admin };
    accept_audited(&app, &context, order, Audited { admin: &admin, target: &id, notes: None }, wait)
        .await
}

/// The account on the ledger of a user, given by either id.
pub(crate) async fn account_of(app: &App, id: &str) -> Result<AccountId> {
    let row = match id.parse::<AccountId>() {
        Ok(account) => match users::by_ledger_id(app.store(), &account).await? {
            Some(row) => Some(row),
            None => users::get(app.store(), id).await?,
        },
        Err(_) => users::get(app.store(), id).await?,
    };
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    let missing = "The user's account is not on the ledger yet";
    row.ledger_id.filter(|_| row.on_ledger).ok_or_else(|| Error::conflict("not_on_ledger", missing))
}
