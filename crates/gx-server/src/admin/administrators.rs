//! Accounts of administrators on the platform: who there is, with which role, and whether they may
//! log in. What they may do on the ledger is appointed there.
//!
//! Who may decide about whom stands in `hierarchy`.

use std::borrow::Cow;

use axum::extract::State;
use gx_store::Store;
use gx_store::admin::admins::{self, Admin as Row, AdminChange, NewAdmin};
use gx_store::login::{Subject, sessions};
use gx_types::{AdminId, TimeMs};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::json as value;

use super::hierarchy::{give_role, one_owner_stays, stands_above, subordinate, taken};
use super::one_time::random_password;
use super::{AdminProfile, permissions};
use crate::api::{Failure, Route};
use crate::audit::{Audit, Change, Entry};
use crate::auth::fields::Email;
use crate::auth::{Admin, AdminRole, Logins, May, Permission, grant};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::answer::{Created, Json, Message, Page};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::{Count, Text, Truth, Written, listed_fields, one_of, request};

/// How a decision about an administrator is refused.
const REFUSED: [Failure; 3] =
    [(403, "own_account"), (403, "role_not_below_own"), (409, "last_super_owner")];

pub(super) fn routes() -> Vec<Route> {
    let mut routes = accounts();
    // Who is taken away last has permissions until then.
    let removal = routes.pop();
    routes.extend(permissions::routes());
    routes.extend(removal);
    routes
}

fn accounts() -> Vec<Route> {
    vec![
        Route::get("/api/v1/admin/admins", list)
            .summary("The platform's administrators, by user name"),
        Route::get("/api/v1/admin/admins/{adminId}", get).summary("One administrator"),
        Route::post("/api/v1/admin/admins", create)
            .summary("Adds an administrator, with a one-time password that is shown once")
            .credentials()
            .gives_tokens()
            .sample(concat!(
                r#"{"username": "deputy", "email": "deputy@example.org", "#,
                r#""displayName": "Deputy", "role": "ADMIN"}"#
            ))
            .fails(&[(403, "role_not_below_own"), (409, "admin_already_exists")])
            .fails(&[(409, "email_already_exists"), (503, "busy")]),
        Route::patch("/api/v1/admin/admins/{adminId}", update)
            .summary("Changes an administrator's data or role, or whether they may log in")
            .sample(r#"{"displayName": "Second deputy", "enabled": true}"#)
            .fails(&REFUSED)
            .fails(&[(409, "email_already_exists")]),
        Route::delete("/api/v1/admin/admins/{adminId}", remove)
            .summary("Takes an administrator away; the user name is never given again")
            .fails(&REFUSED),
    ]
}

listed_fields! {
    AdminRole: "invalid_role";
}

impl JsonSchema for AdminRole {
    fn schema_name() -> Cow<'static, str> {
        "AdminRole".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

request! {
    /// Which part of the list.
    pub(crate) struct AdminsQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 64>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Who is to be an administrator.
    pub(crate) struct NewAdminBody {
        /// The name to log in with, and the id under which they can be appointed on the ledger.
        username as "username": AdminId,
        email as "email": Email,
        display_name as "displayName": Written<1, 100>,
        role as "role": AdminRole,
    }
}

request! {
    /// What is to change; what is left out stays.
    pub(crate) struct AdminBody {
        email as "email": Option<Email>,
        display_name as "displayName": Option<Written<1, 100>>,
        role as "role": Option<AdminRole>,
        /// Whether they may log in; if not, their sessions end.
        enabled as "enabled": Option<Truth>,
    }
}

/// A new administrator.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewAdminReply {
    success: bool,
    /// Nobody can be shown it again; it has to be replaced at the first log-in.
    one_time_password: String,
    admin: AdminProfile,
}

impl std::fmt::Debug for NewAdminReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewAdminReply")
    }
}

/// `GET /admin/admins`
async fn list(
    _: May<grant::AdminList>,
    State(store): State<Store>,
    Query(query): Query<AdminsQuery>,
) -> Result<Json<Page<AdminProfile>>> {
    let (limit, after) = (query.limit.map_or(20, |limit| limit.0), query.cursor);
    let after = after.as_ref().map(|Text(after)| after.as_str());
    let mut rows = admins::page(&store, after, limit.saturating_add(1)).await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| has_more).map(|row| row.admin_id.clone());
    let data = rows.into_iter().map(AdminProfile::from).collect();
    Ok(Json(Page { data, has_more, next_cursor }))
}

/// `GET /admin/admins/{adminId}`
async fn get(
    _: May<grant::AdminList>,
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Json<AdminProfile>> {
    let row = admins::get(&store, &id).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| Error::not_found("Admin"))
}

/// `POST /admin/admins`
async fn create(
    admin: May<grant::AdminCreate>,
    audit: Audit,
    State(logins): State<Logins>,
    Body(body): Body<NewAdminBody>,
) -> Result<Created<NewAdminReply>> {
    stands_above(&admin, body.role)?;
    let one_time_password = random_password().map_err(Error::internal)?;
    let new = new_admin(body, logins.hasher().hash(one_time_password.clone()).await?);
    let mut change = audit.begin().await?;
    admins::create(change.tx(), &new).await.map_err(taken)?;
    let row = admins::get(change.tx(), &new.admin_id).await?;
    let row = row.ok_or_else(|| Error::internal("a new administrator vanished"))?;
    let entry = Entry { actor: admin.scope(), action: "admin.create", target: &new.admin_id };
    change.commit_with(entry, &value!({ "role": new.role })).await?;
    Ok(Created(NewAdminReply { success: true, one_time_password, admin: row.into() }))
}

fn new_admin(body: NewAdminBody, password_hash: String) -> NewAdmin {
    NewAdmin {
        admin_id: body.username.to_string(),
        email: body.email.0,
        display_name: body.display_name.0,
        role: body.role.as_str().to_owned(),
        ledger_id: Some(body.username),
        password_hash,
        must_change_password: true,
        created_at: TimeMs(now_ms()),
    }
}

/// `PATCH /admin/admins/{adminId}`
async fn update(
    admin: May<grant::AdminUpdate>,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<AdminBody>,
) -> Result<Json<AdminProfile>> {
    let mut change = audit.begin().await?;
    let row = subordinate(&mut change, &admin, &id).await?;
    let told = revise(&mut change, &admin, &row, body).await?;
    let row = admins::get(change.tx(), &id).await?.ok_or_else(|| Error::not_found("Admin"))?;
    let entry = Entry { actor: admin.scope(), action: "admin.update", target: &id };
    change.commit_with(entry, &told).await?;
    Ok(Json(row.into()))
}

/// Changes what the body names, and says for the log what that is.
async fn revise(
    change: &mut Change,
    by: &Admin,
    row: &Row,
    body: AdminBody,
) -> Result<serde_json::Value> {
    let AdminBody { email, display_name, role, enabled } = body;
    if role.is_some() && !by.may(Permission::AdminRoleChange) {
        return Err(Error::forbidden());
    }
    let told = value!({
        "email": email.is_some(), "displayName": display_name.is_some(),
        "role": role.map(AdminRole::as_str), "enabled": enabled.map(|enabled| enabled.0),
    });
    let now = TimeMs(now_ms());
    let enabled = enabled.map_or(row.enabled, |enabled| enabled.0);
    if let Some(role) = role {
        give_role(change, by, row, role).await?;
    }
    if row.enabled && !enabled {
        one_owner_stays(change, row).await?;
        let subject = Subject::admin(&row.admin_id);
        sessions::revoke_all(change.tx(), subject, None, "account disabled", now).await?;
    }
    let to = AdminChange {
        email: email.as_ref().map_or(&row.email, |email| &email.0),
        display_name: display_name.as_ref().map_or(&row.display_name, |name| &name.0),
        role: match role {
            Some(role) => role.as_str(),
            None => &row.role,
        },
        enabled,
    };
    admins::update(change.tx(), &row.admin_id, to, now).await.map_err(taken)?;
    Ok(told)
}

/// `DELETE /admin/admins/{adminId}`
async fn remove(
    admin: May<grant::AdminDelete>,
    audit: Audit,
    Path(id): Path<String>,
) -> Result<Json<Message>> {
    let (mut change, now) = (audit.begin().await?, TimeMs(now_ms()));
    let row = subordinate(&mut change, &admin, &id).await?;
    one_owner_stays(&mut change, &row).await?;
    sessions::revoke_all(change.tx(), Subject::admin(&id), None, "account removed", now).await?;
    admins::remove(change.tx(), &id, now).await?;
    let entry = Entry { actor: admin.scope(), action: "admin.remove", target: &id };
    change.commit_with(entry, &value!({ "role": row.role })).await?;
    Ok(Json(Message::done("Removed; the sessions have ended")))
}
