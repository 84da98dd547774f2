//! Where an administrator is logged in, and how to end that.

use axum::extract::State;
use gx_store::Store;
use gx_store::login::sessions;
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{Route, UNSETTLED};
use crate::audit::Audit;
use crate::auth::Admin;
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::answer::{Json, Message};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::NoBody;
use crate::sessions::own::{self, OwnSession, SessionsQuery};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::get("/api/v1/admin/auth/sessions", list)
            .summary("The admin's open sessions, newest log-in first")
            .fails(&[(400, "invalid_cursor")])
            .fails(&UNSETTLED),
        Route::delete("/api/v1/admin/auth/sessions/{sessionId}", end)
            .summary("Ends another session of the admin's")
            .fails(&[(400, "current_session")])
            .fails(&UNSETTLED),
        Route::post("/api/v1/admin/auth/logout-all", end_all)
            .summary("Ends all sessions of the admin's, this one as well")
            .sample("{}"),
    ]
}

/// Sessions of an administrator.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminSessions {
    sessions: Vec<OwnSession>,
    /// How many are open in all.
    total: u64,
    has_more: bool,
    /// Give it as `cursor` to get what follows.
    next_cursor: Option<String>,
}

/// How many sessions have ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoggedOut {
    success: bool,
    revoked_count: u64,
}

/// `GET /admin/auth/sessions`
async fn list(
    admin: Admin,
    State(store): State<Store>,
    Query(query): Query<SessionsQuery>,
) -> Result<Json<AdminSessions>> {
    admin.is_settled()?;
    let caller = admin.in_session();
    let total = sessions::count(&store, caller.subject, TimeMs(now_ms())).await?;
    let page = own::list(&store, caller, query).await?;
    let (has_more, next_cursor) = (page.has_more, page.next_cursor);
    Ok(Json(AdminSessions { sessions: page.data, total, has_more, next_cursor }))
}

/// `DELETE /admin/auth/sessions/{sessionId}`
async fn end(admin: Admin, audit: Audit, Path(id): Path<String>) -> Result<Json<Message>> {
    admin.is_settled()?;
    let caller = admin.in_session();
    if id == caller.session {
        let message = "This is the session that asks; POST /admin/auth/logout ends it";
        return Err(Error::bad_request("current_session", message));
    }
    own::end(&audit, caller, &id).await?;
    Ok(Json(Message::done("The session has ended")))
}

/// `POST /admin/auth/logout-all`
async fn end_all(
    admin: Admin,
    audit: Audit,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<LoggedOut>> {
    let revoked_count = own::end_all(&audit, admin.in_session()).await?;
    Ok(Json(LoggedOut { success: true, revoked_count }))
}
