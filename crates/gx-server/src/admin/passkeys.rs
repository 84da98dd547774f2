//! Passkeys of administrators: a second factor after the password, and a log-in by themselves where
//! the settings let them be one. What is done is the same as for users.

use axum::extract::State;
use axum::http::HeaderMap;
use gx_store::admin::admins;
use gx_store::login::SubjectKind;
use gx_types::NetworkId;

use super::login::AdminLoggedIn;
use crate::api::Route;
use crate::audit::Audit;
use crate::auth::session::Origin;
use crate::auth::{Admin, Logins};
use crate::error::{Error, Result};
use crate::http::answer::{Created, Json, Message, Page};
use crate::http::context::Context;
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::NoBody;
use crate::sessions::passkeys::{
    self, ASK_FAILURES, AskBody, Asked, LOGIN_FAILURES, LOGIN_SAMPLE, LogInBody, OwnPasskey,
    PasskeyKept, PasskeysQuery, REGISTER_FAILURES, REGISTER_SAMPLE, REMOVE_FAILURES, RENAME_SAMPLE,
    RegisterBody, Registered, RemoveBody, RenameBody, UNSUPPORTED,
};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::from(ceremonies());
    routes.push(
        Route::get("/api/v1/admin/auth/passkeys", list)
            .summary("The administrator's passkeys, oldest first")
            .fails(&[(400, "invalid_cursor")]),
    );
    routes.push(
        Route::patch("/api/v1/admin/auth/passkeys/{passkeyId}", rename)
            .summary("Gives an administrator's passkey another name")
            .sample(RENAME_SAMPLE),
    );
    routes.push(
        Route::delete("/api/v1/admin/auth/passkeys/{passkeyId}", remove)
            .summary(
                "Takes an administrator's passkey away; the last factor with password and code",
            )
            .sample("{}")
            .credentials()
            .fails(&REMOVE_FAILURES),
    );
    routes
}

fn ceremonies() -> [Route; 4] {
    [
        Route::post("/api/v1/admin/auth/passkeys/register/options", ask_new)
            .summary("What an authenticator is asked to make a passkey of the administrator's")
            .credentials()
            .gives_tokens()
            .sample("{}")
            .fails(&ASK_FAILURES),
        Route::post("/api/v1/admin/auth/passkeys/register/finish", register)
            .summary("Keeps the administrator's passkey that an authenticator has made")
            .gives_tokens()
            .sample(REGISTER_SAMPLE)
            .fails(&REGISTER_FAILURES),
        Route::post("/api/v1/admin/auth/passkeys/login/options", ask_any)
            .summary("What an authenticator is asked to log an administrator in, whoever that is")
            .credentials()
            .gives_tokens()
            .sample("{}")
            .fails(&[UNSUPPORTED]),
        Route::post("/api/v1/admin/auth/passkeys/login/finish", log_in)
            .summary("Opens an administrator's session by a passkey, also as a second factor")
            .credentials()
            .gives_tokens()
            .sample(LOGIN_SAMPLE)
            .fails(&LOGIN_FAILURES)
            .fails(&[(403, "password_required")])
            .fails(&[(404, "not_found")]),
    ]
}

/// `POST /admin/auth/passkeys/register/options`
async fn ask_new(
    State(logins): State<Logins>,
    context: Context,
    admin: Admin,
    Body(body): Body<AskBody>,
) -> Result<Json<Asked>> {
    let caller = admin.in_session();
    Ok(Json(passkeys::ask_new(&logins, &context, caller, admin.id(), body).await?))
}

/// `POST /admin/auth/passkeys/register/finish`
async fn register(
    State(logins): State<Logins>,
    audit: Audit,
    admin: Admin,
    Body(body): Body<RegisterBody>,
) -> Result<Created<Registered>> {
    Ok(Created(passkeys::register(&logins, &audit, admin.in_session(), body).await?))
}

/// `POST /admin/auth/passkeys/login/options`
async fn ask_any(
    State(logins): State<Logins>,
    context: Context,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<Asked>> {
    Ok(Json(passkeys::ask_any(&logins, &context, SubjectKind::Admin).await?))
}

/// `POST /admin/auth/passkeys/login/finish`
async fn log_in(
    State(logins): State<Logins>,
    context: Context,
    headers: HeaderMap,
    Body(body): Body<LogInBody>,
) -> Result<Json<AdminLoggedIn>> {
    let origin = Origin { context: &context, headers: &headers, device: None };
    let (tokens, id) = passkeys::log_in(&logins, origin, SubjectKind::Admin, body).await?;
    let row = admins::get(logins.store(), &id).await?;
    let row = row.ok_or_else(|| Error::not_found("Admin"))?;
    Ok(Json(AdminLoggedIn::new(tokens, row)))
}

/// `GET /admin/auth/passkeys`
async fn list(
    State(logins): State<Logins>,
    admin: Admin,
    Query(query): Query<PasskeysQuery>,
) -> Result<Json<Page<OwnPasskey>>> {
    Ok(Json(passkeys::list(&logins, admin.in_session(), query).await?))
}

/// `PATCH /admin/auth/passkeys/{passkeyId}`
async fn rename(
    audit: Audit,
    admin: Admin,
    Path(id): Path<String>,
    Body(body): Body<RenameBody>,
) -> Result<Json<PasskeyKept>> {
    Ok(Json(passkeys::rename(&audit, admin.in_session(), &id, body).await?))
}

/// `DELETE /admin/auth/passkeys/{passkeyId}`
async fn remove(
    State(logins): State<Logins>,
    State(network): State<NetworkId>,
    context: Context,
    admin: Admin,
    Path(id): Path<String>,
    Body(body): Body<RemoveBody>,
) -> Result<Json<Message>> {
    let caller = admin.in_session();
    passkeys::remove(&logins, &context, network, caller, (&id, body)).await?;
    Ok(Json(Message::done("Removed")))
}
