//! Identity: registration, log-in and profile of users.

mod beneficiaries;
pub(crate) mod documents;
pub(crate) mod fields;
mod keys;
pub(crate) mod kyc;
mod login;
mod passkeys;
mod password;
mod qsend;
mod recovery;
mod register;
mod relationships;
mod second_factor;
mod sessions;
mod trust;
pub(crate) mod upload;

use axum::extract::State;
use gx_store::Store;
use gx_store::identity::users::{self, User as Row, UserStatus};
use gx_store::tokenomics::accounts;
use gx_types::AccountId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::principal::USER_ROLE;
use crate::auth::{Jwks, Logins, User};
use crate::calendar::rfc3339;
use crate::config::Tier;
use crate::error::{Error, Result};
use crate::http::answer::Json;
use crate::notifications;

/// Where the keys of access tokens stand.
pub(crate) const JWKS_PATH: &str = "/.well-known/jwks.json";
use crate::tiers;

/// The service's routes.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = Vec::from(login::routes());
    routes.extend(password::routes());
    routes.extend(second_factor::routes());
    routes.extend(passkeys::routes());
    routes.extend(sessions::routes());
    routes.extend(register::routes());
    routes.extend(relationships::routes());
    routes.extend(trust::routes());
    routes.extend(keys::routes());
    routes.extend(recovery::routes());
    routes.extend(beneficiaries::routes());
    routes.extend(qsend::routes());
    routes.extend(notifications::of_users());
    routes.extend(documents::routes());
    routes.extend(kyc::routes());
    routes.push(
        Route::get("/api/v1/users/profile", profile)
            .summary("The caller's own data")
            .fails(&[(404, "not_found")]),
    );
    routes.push(Route::get(JWKS_PATH, jwks).summary("The public keys of access tokens"));
    routes
}

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
    /// How far the identity was verified: `TIER1`, `TIER2` or `TIER3`.
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
            tier: Tier::One.as_str(),
            created_at: rfc3339(row.created_at.0),
            updated_at: rfc3339(row.updated_at.0),
        }
    }
}

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
async fn profile(user: User, State(store): State<Store>) -> Result<Json<Profile>> {
    let row = users::get(&store, user.id()).await?.ok_or_else(|| Error::not_found("User"))?;
    let tier = tiers::of(&store, user.id()).await?.as_str();
    Ok(Json(Profile { tier, ..row.into() }))
}

/// `GET /.well-known/jwks.json`
async fn jwks(State(logins): State<Logins>) -> Result<Json<Jwks>> {
    Ok(Json(logins.tokens().jwks()))
}

/// An account on the ledger, given by its id; a user's by either id.
pub(crate) async fn account_of(store: &Store, id: &str) -> Result<AccountId> {
    let mut row = None;
    if let Ok(account) = id.parse::<AccountId>() {
        if accounts::get(store, &account).await?.is_some() {
            return Ok(account);
        }
        row = users::by_ledger_id(store, &account).await?;
    }
    if row.is_none() {
        row = users::get(store, id).await?;
    }
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    let missing = "The user's account is not on the ledger yet";
    row.ledger_id.filter(|_| row.on_ledger).ok_or_else(|| Error::conflict("not_on_ledger", missing))
}
