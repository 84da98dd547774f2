//! Single permissions of an administrator beside the role: granted or withdrawn by somebody above,
//! for good or for a time, and in force with the next request.
//!
//! Nobody gives what they do not have, or have by a single grant only: what was lent is not lent
//! on. Super owners have every permission, and none can be withdrawn from them.

use axum::extract::State;
use axum::http::StatusCode;
use gx_store::Store;
use gx_store::admin::admins::{self, Admin as Row};
use gx_store::admin::permissions::{self, Effect, Single, SinglePermission};
use gx_types::TimeMs;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::json as value;

use super::hierarchy::subordinate;
use crate::api::Route;
use crate::audit::{Audit, Entry};
use crate::auth::fields::PermissionCode;
use crate::auth::{Admin, AdminRole, May, Permission, Permissions, grant};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Detail, Error, Result};
use crate::http::answer::Json;
use crate::http::extract::{Body, Path};
use crate::http::fields::{Instant, List, Written, listed_fields, one_of, request};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::get("/api/v1/admin/admins/{adminId}/permissions", get)
            .summary("What an administrator may do, where each permission comes from, and why"),
        Route::put("/api/v1/admin/admins/{adminId}/permissions", put)
            .summary("Decides on single permissions of an administrator, beside the role")
            .sample(concat!(
                r#"{"permissions": [{"permission": "audit:export", "effect": "GRANTED", "#,
                r#""reason": "For the yearly audit"}]}"#
            ))
            .fails(&[(403, "own_account"), (403, "role_not_below_own")])
            .fails(&[(403, "permission_not_held"), (409, "super_owner_has_all")]),
    ]
}

listed_fields! {
    Effect: "invalid_effect";
}

/// An effect, where the description names it.
fn effects(_: &mut SchemaGenerator) -> Schema {
    one_of(Effect::ALL.map(Effect::as_str))
}

request! {
    /// All single permissions that an administrator is to have, or not to have.
    pub(crate) struct PermissionsBody {
        /// What is left out is decided by the role again.
        permissions as "permissions": List<SingleBody, 0, 32>,
    }
}

request! {
    /// What is decided of one permission.
    pub(crate) struct SingleBody {
        permission as "permission": PermissionCode,
        #[schemars(schema_with = "effects")]
        effect as "effect": Effect,
        /// From then on the role decides again.
        expires_at as "expiresAt": Option<Instant>,
        reason as "reason": Option<Written<1, 500>>,
    }
}

/// A permission that somebody has, or would have.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PermissionReply {
    permission: &'static str,
    /// `ROLE`, `GRANTED`, or `WITHDRAWN` for one that the role has and the administrator has not.
    source: &'static str,
    /// When a single decision ends.
    expires_at: Option<String>,
    reason: Option<String>,
    /// User name of who has decided.
    decided_by: Option<String>,
    decided_at: Option<String>,
}

/// What an administrator may do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PermissionsReply {
    admin_id: String,
    role: String,
    /// What they may do now.
    effective: Vec<&'static str>,
    sources: Vec<PermissionReply>,
}

impl From<Row> for PermissionsReply {
    fn from(row: Row) -> Self {
        let effective = effective(&row).iter().map(Permission::code).collect();
        let sources = sources(&row);
        Self { admin_id: row.admin_id, role: row.role, effective, sources }
    }
}

/// What an administrator may do now.
pub(super) fn effective(row: &Row) -> Permissions {
    let decided = row.permissions.iter().map(|decided| &decided.single);
    let of_role = |role| Permissions::of(role, decided, TimeMs(now_ms()));
    AdminRole::parse(&row.role).map(of_role).unwrap_or_default()
}

/// Where each permission comes from, and which of the role's are withdrawn.
pub(super) fn sources(row: &Row) -> Vec<PermissionReply> {
    let Some(role) = AdminRole::parse(&row.role) else { return Vec::new() };
    let (has, now) = (effective(row), TimeMs(now_ms()));
    let source = |permission: &Permission| {
        let decided = row.permissions.iter().find(|decided| {
            decided.single.permission == permission.code() && decided.single.is_in_force(now)
        });
        let counts = |decided: &&SinglePermission| {
            (decided.single.effect == Effect::Granted) == has.has(*permission)
        };
        let decided = decided.filter(counts);
        let source = match decided {
            Some(decided) => decided.single.effect.as_str(),
            None if role.may(*permission) => "ROLE",
            None => return None,
        };
        Some(PermissionReply {
            permission: permission.code(),
            source,
            expires_at: decided.and_then(|one| one.single.expires_at).map(|at| rfc3339(at.0)),
            reason: decided.and_then(|one| one.reason.clone()),
            decided_by: decided.map(|one| one.set_by.clone()),
            decided_at: decided.map(|one| rfc3339(one.set_at.0)),
        })
    };
    Permission::ALL.iter().filter_map(source).collect()
}

/// `GET /admin/admins/{adminId}/permissions`
async fn get(
    _: May<grant::AdminList>,
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Json<PermissionsReply>> {
    let row = admins::get(&store, &id).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| Error::not_found("Admin"))
}

/// `PUT /admin/admins/{adminId}/permissions`
async fn put(
    admin: May<grant::AdminUpdate>,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<PermissionsBody>,
) -> Result<Json<PermissionsReply>> {
    let now = TimeMs(now_ms());
    let asked = asked(&admin, body, now)?;
    let mut change = audit.begin().await?;
    admins::hold(change.tx(), &id).await?;
    let row = subordinate(&mut change, &admin, &id).await?;
    let decided = decide(&admin, &row, asked, now)?;
    permissions::replace(change.tx(), &id, &decided).await?;
    let row = admins::get(change.tx(), &id).await?.ok_or_else(|| Error::not_found("Admin"))?;
    let entry = Entry { actor: admin.scope(), action: "admin.permissions", target: &id };
    change.commit_with(entry, &told(&decided)).await?;
    Ok(Json(row.into()))
}

/// What is asked for, by whom, when it can be at all.
fn asked(by: &Admin, body: PermissionsBody, now: TimeMs) -> Result<Vec<SinglePermission>> {
    let (mut details, mut asked) = (Vec::new(), Vec::<SinglePermission>::new());
    for (place, single) in body.permissions.0.into_iter().enumerate() {
        let mut fault = |field: &str, code: &'static str, message: &'static str| {
            let field = format!("permissions[{place}].{field}");
            details.push(Detail { field, code: code.into(), message: message.into() });
        };
        let permission = single.permission.0.code().to_owned();
        if asked.iter().any(|other| other.single.permission == permission) {
            fault("permission", "permission_twice", "must be there once");
        }
        if single.expires_at.is_some_and(|at| at.0 <= now.0) {
            fault("expiresAt", "time_passed", "must be in the future");
        }
        let expires_at = single.expires_at.map(|at| TimeMs(at.0));
        asked.push(SinglePermission {
            single: Single { permission, effect: single.effect, expires_at },
            reason: single.reason.map(String::from),
            set_by: by.id().to_owned(),
            set_at: now,
        });
    }
    if details.is_empty() { Ok(asked) } else { Err(Error::invalid(details)) }
}

/// What stands after what is asked for. What stays as it was stays whose it was.
fn decide(
    by: &Admin,
    row: &Row,
    asked: Vec<SinglePermission>,
    now: TimeMs,
) -> Result<Vec<SinglePermission>> {
    if row.role == AdminRole::SuperOwner.as_str() && !asked.is_empty() {
        let message = "A super owner has every permission, whatever is decided of it";
        return Err(Error::conflict("super_owner_has_all", message));
    }
    let stays = |one: &SinglePermission, other: &SinglePermission| {
        one.single == other.single && one.reason == other.reason
    };
    let before = || row.permissions.iter().filter(move |old| old.single.is_in_force(now));
    // Ending what is withdrawn gives it back.
    let is_ended = |old: &&SinglePermission| {
        old.single.effect == Effect::Withdrawn && !asked.iter().any(|new| stays(old, new))
    };
    let is_new = |new: &&SinglePermission| {
        new.single.effect == Effect::Granted && !before().any(|old| stays(old, new))
    };
    for given in before().filter(is_ended) {
        may_give(by, &given.single.permission)?;
    }
    for given in asked.iter().filter(is_new) {
        may_give(by, &given.single.permission)?;
    }
    let kept =
        |new: SinglePermission| before().find(|old| stays(old, &new)).cloned().unwrap_or(new);
    Ok(asked.into_iter().map(kept).collect())
}

/// Refuses to give a permission that somebody does not have by the role.
fn may_give(by: &Admin, code: &str) -> Result<()> {
    let has = |permission| by.may(permission) && by.role.may(permission);
    if Permission::parse(code).is_some_and(has) {
        return Ok(());
    }
    let message = format!("Your role {} does not have {code}, or not any more", by.role.as_str());
    Err(Error::new(StatusCode::FORBIDDEN, "permission_not_held", message))
}

fn told(decided: &[SinglePermission]) -> serde_json::Value {
    let one = |decided: &SinglePermission| {
        let Single { permission, effect, expires_at } = &decided.single;
        value!({
            "permission": permission, "effect": effect.as_str(), "reason": decided.reason,
            "expiresAt": expires_at.map(|at| rfc3339(at.0)),
        })
    };
    value!({ "permissions": decided.iter().map(one).collect::<Vec<_>>() })
}
