//! Log-in, refresh and log-out of users.

use axum::extract::State;
use axum::http::HeaderMap;
use gx_store::Store;
use gx_store::identity::users;
use gx_store::login::SubjectKind;
use schemars::JsonSchema;
use serde::Serialize;

use super::profile::Profile;
use crate::api::{Failure, Route};
use crate::audit::Audit;
use crate::auth::fields::{GivenPassword, LoginEmail};
use crate::auth::session::{Origin, TokenPair};
use crate::auth::{Logins, User};
use crate::error::Result;
use crate::http::answer::{Json, Message};
use crate::http::context::Context;
use crate::http::extract::Body;
use crate::http::fields::{Written, request};
use crate::sessions::login::{self, LOGIN_FAILURES, LogoutBody, Outcome};
use crate::sessions::refresh::{self, REFRESH_FAILURES, RefreshBody};
use crate::sessions::second_factor::Challenge;
use crate::tiers;

pub(super) fn routes() -> [Route; 3] {
    [
        Route::post("/api/v1/auth/login", login)
            .summary(
                "Opens a session with e-mail address and password, or asks for the second factor",
            )
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

/// How people are kept out whom platform or ledger has shut out.
pub(super) const SHUT_OUT: [Failure; 3] =
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

/// Tokens and who they are for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LoggedIn {
    #[serde(flatten)]
    tokens: TokenPair,
    user: Profile,
}

impl LoggedIn {
    pub(super) async fn of(store: &Store, tokens: TokenPair, row: users::User) -> Result<Self> {
        let tier = tiers::of(store, &row.user_id).await?;
        Ok(Self { tokens, user: Profile::new(row, tier) })
    }
}

/// What a right password is answered with.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum LoginAnswer {
    LoggedIn(Box<LoggedIn>),
    Challenge(Challenge),
}

impl LoginAnswer {
    async fn of(store: &Store, outcome: Outcome<users::User>) -> Result<Self> {
        Ok(match outcome {
            Outcome::Opened(tokens, row) => {
                Self::LoggedIn(Box::new(LoggedIn::of(store, tokens, row).await?))
            }
            Outcome::SecondFactor(challenge) => Self::Challenge(challenge),
        })
    }
}

/// `POST /auth/login`
async fn login(
    State(logins): State<Logins>,
    context: Context,
    headers: HeaderMap,
    Body(body): Body<LoginBody>,
) -> Result<Json<LoginAnswer>> {
    let row = find(logins.store(), &body.email).await?;
    let device = body.device.map(|device| device.0);
    let origin = Origin { context: &context, headers: &headers, device };
    let who = (SubjectKind::User, row);
    let outcome = login::login(&logins, origin, who, body.password.0).await?;
    Ok(Json(LoginAnswer::of(logins.store(), outcome).await?))
}

/// Whose address it is, as it is kept now or was kept before.
pub(super) async fn find(store: &Store, email: &LoginEmail) -> Result<Option<users::User>> {
    let row = users::by_email(store, &email.kept).await?;
    match (&row, &email.before) {
        (None, Some(before)) => Ok(users::by_email(store, before).await?),
        _ => Ok(row),
    }
}

/// `POST /auth/refresh`
async fn refresh(
    State(logins): State<Logins>,
    audit: Audit,
    Body(body): Body<RefreshBody>,
) -> Result<Json<TokenPair>> {
    Ok(Json(refresh::refresh(&logins, &audit, SubjectKind::User, body).await?))
}

/// `POST /auth/logout`
async fn logout(user: User, audit: Audit, Body(body): Body<LogoutBody>) -> Result<Json<Message>> {
    login::logout(&audit, user.in_session(), body).await?;
    Ok(Json(Message::done("Logged out")))
}
