//! Identity: registration, log-in and profile of users.

pub(crate) mod login;
pub(crate) mod register;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use gx_store::identity::users::{self, User as Row, UserStatus};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::auth::User;
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::json;

/// A user as they see themselves.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Profile {
    /// Id on the platform.
    id: String,
    /// Id on the ledger, assigned with the approval.
    user_id: Option<String>,
    email: String,
    first_name: String,
    last_name: String,
    phone: Option<String>,
    country_code: String,
    date_of_birth: String,
    role: &'static str,
    /// `REGISTERED`, `PENDING_ADMIN_APPROVAL`, `APPROVED_PENDING_ONCHAIN`, `ACTIVE`, `FROZEN`,
    /// `DENIED`, `SUSPENDED` or `CLOSED`.
    status: &'static str,
    /// The same in the terms of established clients: `ACTIVE`, `SUSPENDED` or `DELETED`.
    account_status: &'static str,
    /// `PENDING`, `APPROVED` or `REJECTED`.
    kyc_status: &'static str,
    tier: &'static str,
    created_at: String,
    updated_at: String,
}

impl From<Row> for Profile {
    fn from(row: Row) -> Self {
        Self {
            id: row.user_id,
            user_id: row.ledger_id.map(|id| id.to_string()),
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            phone: row.phone,
            country_code: row.country.to_string(),
            date_of_birth: row.date_of_birth,
            role: USER_ROLE,
            status: row.status.as_str(),
            account_status: account_status(row.status),
            kyc_status: kyc_status(row.status),
            tier: "TIER1",
            created_at: rfc3339(row.created_at.0),
            updated_at: rfc3339(row.updated_at.0),
        }
    }
}

/// The role in users' tokens.
pub(crate) const USER_ROLE: &str = "USER";

fn account_status(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Frozen | UserStatus::Suspended => "SUSPENDED",
        UserStatus::Closed => "DELETED",
        UserStatus::Registered
        | UserStatus::PendingAdminApproval
        | UserStatus::ApprovedPendingOnchain
        | UserStatus::Active
        | UserStatus::Denied => "ACTIVE",
    }
}

/// Whether somebody's identity is accepted.
pub(crate) fn kyc_status(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Registered | UserStatus::PendingAdminApproval => "PENDING",
        UserStatus::Denied => "REJECTED",
        UserStatus::ApprovedPendingOnchain
        | UserStatus::Active
        | UserStatus::Frozen
        | UserStatus::Suspended
        | UserStatus::Closed => "APPROVED",
    }
}

/// `GET /users/profile`
pub(crate) async fn profile(State(app): State<App>, user: User) -> Result<Response<Body>> {
    let row = users::get(app.store(), user.id()).await?;
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    Ok(json(StatusCode::OK, &Profile::from(row)))
}

/// `GET /.well-known/jwks.json`
pub(crate) async fn jwks(State(app): State<App>) -> Response<Body> {
    json(StatusCode::OK, &app.gate().tokens().jwks())
}
