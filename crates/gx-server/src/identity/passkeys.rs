//! Passkeys of users: made, seen, renamed, taken away, and logged in with.

use axum::extract::State;
use axum::http::HeaderMap;
use gx_store::identity::users;
use gx_store::login::SubjectKind;
use gx_types::NetworkId;

use super::login::{LoggedIn, SHUT_OUT};
use crate::api::Route;
use crate::audit::Audit;
use crate::auth::session::Origin;
use crate::auth::{Logins, User};
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
        Route::get("/api/v1/auth/passkeys", list)
            .summary("The caller's passkeys, oldest first")
            .fails(&[(400, "invalid_cursor")]),
    );
    routes.push(
        Route::patch("/api/v1/auth/passkeys/{passkeyId}", rename)
            .summary("Gives a passkey another name")
            .sample(RENAME_SAMPLE),
    );
    routes.push(
        Route::delete("/api/v1/auth/passkeys/{passkeyId}", remove)
            .summary("Takes a passkey away; the last second factor with password and code")
            .sample("{}")
            .credentials()
            .fails(&REMOVE_FAILURES),
    );
    routes
}

fn ceremonies() -> [Route; 4] {
    [
        Route::post("/api/v1/auth/passkeys/register/options", ask_new)
            .summary("What an authenticator is asked to make a passkey of the caller's")
            .credentials()
            .gives_tokens()
            .sample("{}")
            .fails(&ASK_FAILURES)
            .fails(&[(404, "not_found")]),
        Route::post("/api/v1/auth/passkeys/register/finish", register)
            .summary("Keeps the passkey that an authenticator has made")
            .gives_tokens()
            .sample(REGISTER_SAMPLE)
            .fails(&REGISTER_FAILURES),
        Route::post("/api/v1/auth/passkeys/login/options", ask_any)
            .summary("What an authenticator is asked to log somebody in, whoever that is")
            .credentials()
            .gives_tokens()
            .sample("{}")
            .fails(&[UNSUPPORTED]),
        Route::post("/api/v1/auth/passkeys/login/finish", log_in)
            .summary("Opens a session for whoever shows a passkey, also as a second factor")
            .credentials()
            .gives_tokens()
            .sample(LOGIN_SAMPLE)
            .fails(&LOGIN_FAILURES)
            .fails(&SHUT_OUT)
            .fails(&[(404, "not_found")]),
    ]
}

/// `POST /auth/passkeys/register/options`
async fn ask_new(
    State(logins): State<Logins>,
    context: Context,
    user: User,
    Body(body): Body<AskBody>,
) -> Result<Json<Asked>> {
    let row = users::get(logins.store(), user.id()).await?;
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    let caller = user.in_session();
    Ok(Json(passkeys::ask_new(&logins, &context, caller, &row.email, body).await?))
}

/// `POST /auth/passkeys/register/finish`
async fn register(
    State(logins): State<Logins>,
    audit: Audit,
    user: User,
    Body(body): Body<RegisterBody>,
) -> Result<Created<Registered>> {
    Ok(Created(passkeys::register(&logins, &audit, user.in_session(), body).await?))
}

/// `POST /auth/passkeys/login/options`
async fn ask_any(
    State(logins): State<Logins>,
    context: Context,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<Asked>> {
    Ok(Json(passkeys::ask_any(&logins, &context, SubjectKind::User).await?))
}

/// `POST /auth/passkeys/login/finish`
async fn log_in(
    State(logins): State<Logins>,
    context: Context,
    headers: HeaderMap,
    Body(body): Body<LogInBody>,
) -> Result<Json<LoggedIn>> {
    let origin = Origin { context: &context, headers: &headers, device: None };
    let (tokens, id) = passkeys::log_in(&logins, origin, SubjectKind::User, body).await?;
    let row = users::get(logins.store(), &id).await?;
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    Ok(Json(LoggedIn::of(logins.store(), tokens, row).await?))
}

/// `GET /auth/passkeys`
async fn list(
    State(logins): State<Logins>,
    user: User,
    Query(query): Query<PasskeysQuery>,
) -> Result<Json<Page<OwnPasskey>>> {
    Ok(Json(passkeys::list(&logins, user.in_session(), query).await?))
}

/// `PATCH /auth/passkeys/{passkeyId}`
async fn rename(
    audit: Audit,
    user: User,
    Path(id): Path<String>,
    Body(body): Body<RenameBody>,
) -> Result<Json<PasskeyKept>> {
    Ok(Json(passkeys::rename(&audit, user.in_session(), &id, body).await?))
}

/// `DELETE /auth/passkeys/{passkeyId}`
async fn remove(
    State(logins): State<Logins>,
    State(network): State<NetworkId>,
    context: Context,
    user: User,
    Path(id): Path<String>,
    Body(body): Body<RemoveBody>,
) -> Result<Json<Message>> {
    let caller = user.in_session();
    passkeys::remove(&logins, &context, network, caller, (&id, body)).await?;
    Ok(Json(Message::done("Removed")))
}
