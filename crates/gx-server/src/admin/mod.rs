//! Admin: log-in of administrators, users to decide about, and the system as a whole.

mod actions;
mod administrators;
mod approvals;
mod attesters;
mod audit_logs;
mod closing;
mod counters;
mod custody;
pub(crate) mod decisions;
mod deployments;
mod hierarchy;
mod keys;
mod kyc;
mod login;
pub(crate) mod one_time;
mod orders;
mod outbox;
mod partners;
mod passkeys;
mod permissions;
mod projector;
mod register;
mod second_factor;
mod sessions;
mod standing;
pub(crate) mod system;
mod users;
mod webhooks;

use axum::extract::State;
use gx_store::Store;
use gx_store::admin::admins;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::Admin;
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::Json;
use crate::notifications;

/// The service's routes.
pub(crate) fn routes() -> Vec<Route> {
    let profile = Route::get("/api/v1/admin/auth/profile", profile)
        .summary("The admin's own data and permissions")
        .fails(&[(404, "not_found")]);
    let mut routes = login::routes();
    routes.push(profile);
    routes.extend(second_factor::routes());
    routes.extend(passkeys::routes());
    routes.extend(sessions::routes());
    routes.extend(system::routes());
    routes.extend(counters::routes());
    routes.extend(actions::routes());
    routes.extend(decisions::routes());
    routes.extend(keys::routes());
    routes.extend(orders::routes());
    routes.extend(attesters::routes());
    routes.extend(users::routes());
    routes.extend(kyc::routes());
    routes.extend(closing::routes());
    routes.extend(administrators::routes());
    routes.extend(approvals::routes());
    routes.extend(deployments::routes());
    routes.extend(audit_logs::routes());
    routes.extend(outbox::routes());
    routes.extend(projector::routes());
    routes.extend(standing::routes());
    routes.extend(custody::routes());
    routes.extend(partners::routes());
    routes.extend(register::routes());
    routes.extend(webhooks::routes());
    routes.extend(notifications::of_admins());
    routes
}

/// An administrator, as they and their colleagues see them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminProfile {
    id: String,
    username: String,
    email: String,
    display_name: String,
    role: String,
    /// The id under which they act on the ledger.
    ledger_id: Option<String>,
    mfa_enabled: bool,
    /// `TOTP`, or `PASSKEY` for who has nothing else; absent without a second factor.
    mfa_primary_method: Option<&'static str>,
    password_changed_at: String,
    require_password_change: bool,
    /// Whether they may log in.
    enabled: bool,
    last_login_at: Option<String>,
    created_at: String,
    /// What they may do now: what the role has, and what was decided of single permissions.
    permissions: Vec<&'static str>,
}

/// An administrator as they see themselves.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnProfile {
    #[serde(flatten)]
    profile: AdminProfile,
    /// Where each permission comes from.
    permission_sources: Vec<permissions::PermissionReply>,
}

impl From<admins::Admin> for AdminProfile {
    fn from(row: admins::Admin) -> Self {
        let permissions = permissions::effective(&row).iter().map(|p| p.code()).collect();
        Self {
            id: row.admin_id.clone(),
            username: row.admin_id,
            email: row.email,
            display_name: row.display_name,
            role: row.role,
            ledger_id: row.ledger_id.map(|id| id.to_string()),
            mfa_enabled: row.device_since.is_some() || row.has_passkey,
            mfa_primary_method: match (row.device_since, row.has_passkey) {
                (Some(_), _) => Some("TOTP"),
                (None, true) => Some("PASSKEY"),
                (None, false) => None,
            },
            password_changed_at: rfc3339(row.password_changed_at.0),
            require_password_change: row.must_change_password,
            enabled: row.enabled,
            last_login_at: row.last_login_at.map(|at| rfc3339(at.0)),
            created_at: rfc3339(row.created_at.0),
            permissions,
        }
    }
}

/// `GET /admin/auth/profile`
async fn profile(admin: Admin, State(store): State<Store>) -> Result<Json<OwnProfile>> {
    let row = admins::get(&store, admin.id()).await?.ok_or_else(|| Error::not_found("Admin"))?;
    let permission_sources = permissions::sources(&row);
    Ok(Json(OwnProfile { profile: row.into(), permission_sources }))
}
