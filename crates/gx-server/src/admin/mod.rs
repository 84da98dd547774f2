//! Admin: log-in of administrators, users to decide about, and the system as a whole.

pub(crate) mod login;
pub(crate) mod one_time;
pub(crate) mod register;
pub(crate) mod system;
pub(crate) mod users;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use gx_store::admin::admins;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::auth::{Admin, AdminRole, Permission};
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::json;

/// An administrator as they see themselves.
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
    require_password_change: bool,
    last_login_at: Option<String>,
    created_at: String,
    permissions: Vec<&'static str>,
}

impl From<admins::Admin> for AdminProfile {
    fn from(row: admins::Admin) -> Self {
        let may = |permission: &&Permission| {
            AdminRole::parse(&row.role).is_some_and(|role| role.may(**permission))
        };
        let permissions = Permission::ALL.iter().filter(may).map(|p| p.code()).collect();
        Self {
            id: row.admin_id.clone(),
            username: row.admin_id,
            email: row.email,
            display_name: row.display_name,
            role: row.role,
            ledger_id: row.ledger_id.map(|id| id.to_string()),
            mfa_enabled: false,
            require_password_change: row.must_change_password,
            last_login_at: row.last_login_at.map(|at| rfc3339(at.0)),
            created_at: rfc3339(row.created_at.0),
            permissions,
        }
    }
}

/// `GET /admin/auth/profile`
pub(crate) async fn profile(State(app): State<App>, admin: Admin) -> Result<Response<Body>> {
    let row = admins::get(app.store(), admin.id()).await?;
    let row = row.ok_or_else(|| Error::not_found("Admin"))?;
    Ok(json(StatusCode::OK, &AdminProfile::from(row)))
}
