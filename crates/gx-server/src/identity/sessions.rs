//! Where a user is logged in: sessions and devices, and how to end them.

use axum::extract::State;
use gx_store::Store;

use crate::api::Route;
use crate::audit::Audit;
use crate::auth::User;
use crate::error::Result;
use crate::http::answer::{Json, Message, Page};
use crate::http::extract::{Path, Query};
use crate::sessions::own::{self, DevicesQuery, OwnDevice, OwnSession, SessionsQuery};

pub(super) fn routes() -> [Route; 4] {
    [
        Route::get("/api/v1/sessions", sessions)
            .summary("The caller's open sessions, newest log-in first")
            .fails(&[(400, "invalid_cursor")]),
        Route::delete("/api/v1/sessions/{sessionId}", end)
            .summary("Ends a session of the caller's; its tokens stop at the next request"),
        Route::get("/api/v1/devices", devices)
            .summary("The devices that the caller is logged in on, by name")
            .fails(&[(400, "invalid_cursor")]),
        Route::delete("/api/v1/devices/{deviceId}", remove)
            .summary("Ends the caller's sessions on a device"),
    ]
}

/// `GET /sessions`
async fn sessions(
    user: User,
    State(store): State<Store>,
    Query(query): Query<SessionsQuery>,
) -> Result<Json<Page<OwnSession>>> {
    Ok(Json(own::list(&store, user.in_session(), query).await?))
}

/// `DELETE /sessions/{sessionId}`
async fn end(user: User, audit: Audit, Path(id): Path<String>) -> Result<Json<Message>> {
    own::end(&audit, user.in_session(), &id).await?;
    Ok(Json(Message::done("The session has ended")))
}

/// `GET /devices`
async fn devices(
    user: User,
    State(store): State<Store>,
    Query(query): Query<DevicesQuery>,
) -> Result<Json<Page<OwnDevice>>> {
    Ok(Json(own::devices(&store, user.in_session(), query).await?))
}

/// `DELETE /devices/{deviceId}`
async fn remove(user: User, audit: Audit, Path(id): Path<String>) -> Result<Json<Message>> {
    own::end_device(&audit, user.in_session(), &id).await?;
    Ok(Json(Message::done("The sessions on the device have ended")))
}
