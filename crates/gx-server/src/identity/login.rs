//! Log-in, refresh and log-out of users.

use axum::extract::State;
use axum::http::HeaderMap;
use gx_store::admin::audit;
use gx_store::identity::sessions::SubjectKind;
use gx_store::identity::users::{self, User as Row};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;

use super::Profile;
use crate::api::{Failure, Route};
use crate::app::App;
use crate::audit::{Audit, audit_row};
use crate::auth::fields::{GivenPassword, LoginEmail, Token};
use crate::auth::login::{self, TokenPair};
use crate::auth::refresh::{self, REFRESH_FAILURES};
use crate::auth::{User, may_act};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::answer::{Json, Message};
use crate::http::context::Context;
use crate::http::extract::Body;
use crate::http::fields::{Written, request};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::post("/api/v1/auth/login", login)
            .summary("Opens a session with e-mail address and password")
            .credentials()
            .gives_tokens()
            .sample(r#"{"email": "ada@example.org", "password": "Blue7horse"}"#)
            .fails(&LOGIN_FAILURES)
            .fails(&SHUT_OUT),
        Route::post("/api/v1/auth/refresh", refresh)
            .summary("Replaces a refresh token; using one twice ends the session, but for a moment")
            .gives_tokens()
            .sample(r#"{"refreshToken": "{refreshToken}"}"#)
            .fails(&REFRESH_FAILURES)
            .fails(&SHUT_OUT),
        Route::post("/api/v1/auth/logout", logout).summary("Ends the session").sample("{}"),
    ]
}

/// How a log-in fails.
pub(crate) const LOGIN_FAILURES: [Failure; 2] = [(401, "invalid_credentials"), (503, "busy")];

/// How people are kept out whom platform or ledger has shut out.
const SHUT_OUT: [Failure; 3] =
    [(403, "account_frozen"), (403, "account_suspended"), (403, "account_closed")];

request! {
    /// Who wants to log in.
    pub(crate) struct LoginBody {
        email as "email": LoginEmail,
        password as "password": GivenPassword,
        /// What the client calls its device; kept with the session.
        device as "deviceFingerprint": Option<Written<0, 200>>,
    }
}

request! {
    /// A refresh token to replace.
    pub(crate) struct RefreshBody {
        token as "refreshToken": Token,
    }
}

request! {
    /// Nothing has to be said.
    pub(crate) struct LogoutBody {
        /// Ends the session of this refresh token as well, if it is the caller's.
        token as "refreshToken": Option<Token>,
    }
}

/// Tokens and who they are for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LoggedIn {
    #[serde(flatten)]
    tokens: TokenPair,
    user: Profile,
}

/// `POST /auth/login`
async fn login(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    Body(body): Body<LoginBody>,
) -> Result<Json<LoggedIn>> {
    let mut row = users::by_email(app.store(), &body.email.kept).await?;
    if let (None, Some(before)) = (&row, &body.email.before) {
        row = users::by_email(app.store(), before).await?;
    }
    let credentials = match &row {
        Some(row) => users::credentials(app.store(), &row.user_id).await?,
        None => None,
    };
    let fits = login::check(&app, credentials, body.password.0).await?;
    match row {
        Some(row) if fits => {
            may_act(row.status)?;
            let device = body.device.map(|device| device.0);
            let from = login::From { context: &context, headers: &headers, device };
            let logged_in = open(&app, from, row).await?;
            Ok(Json(logged_in))
        }
        Some(row) => {
            note_failure(&app, &context, &row.user_id).await?;
            Err(login::failed())
        }
        None => Err(login::failed()),
    }
}

async fn open(app: &App, from: login::From<'_>, row: Row) -> Result<LoggedIn> {
    let mut tx = app.store().begin().await?;
    let context = from.context;
    let tokens = login::open(app, &mut tx, from, &(&row).into()).await?;
    users::login_succeeded(&mut tx, &row.user_id, TimeMs(now_ms())).await?;
    let actor = format!("user:{}", row.user_id);
    audit::append(&mut tx, &[audit_row(context, &actor, "user.login", &row.user_id)]).await?;
    tx.commit().await?;
    Ok(LoggedIn { tokens, user: row.into() })
}

async fn note_failure(app: &App, context: &Context, user_id: &str) -> Result<()> {
    let mut tx = app.store().begin().await?;
    let failures = users::login_failed(&mut tx, user_id).await?;
    let now = TimeMs(now_ms());
    if let Some(until) = login::locked_until(&app.config().auth, failures, now) {
        users::lock_until(&mut tx, user_id, until).await?;
        let actor = format!("user:{user_id}");
        audit::append(&mut tx, &[audit_row(context, &actor, "user.lock", user_id)]).await?;
    }
    Ok(tx.commit().await?)
}

/// `POST /auth/refresh`
async fn refresh(
    State(app): State<App>,
    audit: Audit,
    Body(body): Body<RefreshBody>,
) -> Result<Json<TokenPair>> {
    Ok(Json(refresh::refresh(&app, &audit, SubjectKind::User, &body.token.0).await?))
}

/// `POST /auth/logout`
async fn logout(
    State(app): State<App>,
    context: Context,
    user: User,
    Body(body): Body<LogoutBody>,
) -> Result<Json<Message>> {
    let mut tx = app.store().begin().await?;
    let ended = (SubjectKind::User, user.id(), user.session());
    login::close(&mut tx, ended, body.token.map(|token| token.0)).await?;
    let row = audit_row(&context, user.scope(), "user.logout", user.session());
    audit::append(&mut tx, &[row]).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(Json(Message::done("Logged out")))
}
