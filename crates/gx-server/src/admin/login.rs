//! Log-in, refresh, log-out and password of administrators: sessions apart from those of users.

use axum::extract::State;
use axum::http::HeaderMap;
use gx_store::Store;
use gx_store::admin::admins;
use gx_store::login::SubjectKind;
use schemars::JsonSchema;
use serde::Serialize;

use super::AdminProfile;
use crate::api::Route;
use crate::audit::Audit;
use crate::auth::fields::{GivenPassword, NewAdminPassword};
use crate::auth::session::{Origin, TokenPair};
use crate::auth::{Admin, Logins, Policy};
use crate::error::{Error, Result};
use crate::http::answer::{Json, Message};
use crate::http::context::Context;
use crate::http::extract::Body;
use crate::http::fields::{FieldErrors, FieldPath, Text, Written, request};
use crate::sessions::login::{self, LOGIN_FAILURES, LogoutBody, Outcome};
use crate::sessions::refresh::{self, REFRESH_FAILURES, RefreshBody};
use crate::sessions::second_factor::Challenge;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/admin/auth/login", login)
            .summary("Opens an admin's session, or asks for the second factor")
            .credentials()
            .gives_tokens()
            .sample(r#"{"username": "superowner", "password": "Blue7horse-cart"}"#)
            .fails(&LOGIN_FAILURES),
        Route::post("/api/v1/admin/auth/refresh", refresh)
            .summary("Replaces an admin's refresh token")
            .gives_tokens()
            .sample(r#"{"refreshToken": "{adminRefreshToken}"}"#)
            .fails(&REFRESH_FAILURES)
            .fails(&[(401, "idle_timeout")]),
        Route::post("/api/v1/admin/auth/logout", logout)
            .summary("Ends the admin's session")
            .sample("{}"),
        Route::post("/api/v1/admin/auth/password/change", change_password)
            .summary("Sets another password and ends all other sessions")
            .credentials()
            .sample(r#"{"currentPassword": "Blue7horse-cart", "newPassword": "Other7horse-cart"}"#)
            .fails(&LOGIN_FAILURES),
    ]
}

request! {
    /// Who wants to log in: a user name or an e-mail address, and the password.
    pub(crate) struct AdminLoginBody {
        username as "username": Option<Text<1, 254>>,
        email as "email": Option<Text<1, 254>>,
        password as "password": GivenPassword,
        /// What the client calls its device; kept with the session.
        device as "deviceFingerprint": Option<Written<0, 200>>,
    }
    any_of ["username", "email"]
}

request! {
    /// A new password. All other sessions end.
    pub(crate) struct PasswordBody {
        current as "currentPassword": GivenPassword,
        /// 12 to 128 characters with upper case, lower case, digit and another character.
        new as "newPassword": NewAdminPassword,
        confirm as "confirmPassword": Option<GivenPassword>,
    }
}

/// Tokens and who they are for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminLoggedIn {
    success: bool,
    requires_mfa: bool,
    #[serde(flatten)]
    tokens: TokenPair,
    admin: AdminProfile,
}

impl AdminLoggedIn {
    pub(super) fn new(tokens: TokenPair, row: admins::Admin) -> Self {
        Self { success: true, requires_mfa: false, tokens, admin: row.into() }
    }
}

/// What a right password is answered with.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum AdminLoginAnswer {
    LoggedIn(Box<AdminLoggedIn>),
    Challenge(Challenge),
}

impl From<Outcome<admins::Admin>> for AdminLoginAnswer {
    fn from(outcome: Outcome<admins::Admin>) -> Self {
        match outcome {
            Outcome::Opened(tokens, row) => {
                Self::LoggedIn(Box::new(AdminLoggedIn::new(tokens, row)))
            }
            Outcome::SecondFactor(challenge) => Self::Challenge(challenge),
        }
    }
}

/// `POST /admin/auth/login`
async fn login(
    State(logins): State<Logins>,
    context: Context,
    headers: HeaderMap,
    Body(body): Body<AdminLoginBody>,
) -> Result<Json<AdminLoginAnswer>> {
    let row = find(logins.store(), body.username, body.email).await?;
    let device = body.device.map(|device| device.0);
    let origin = Origin { context: &context, headers: &headers, device };
    Ok(Json(
        login::login(&logins, origin, (SubjectKind::Admin, row), body.password.0).await?.into(),
    ))
}

async fn find(
    store: &Store,
    username: Option<Text<1, 254>>,
    email: Option<Text<1, 254>>,
) -> Result<Option<admins::Admin>> {
    if let Some(Text(username)) = username {
        return Ok(admins::get(store, &username).await?);
    }
    if let Some(Text(email)) = email {
        return Ok(admins::by_email(store, &email.trim().to_lowercase()).await?);
    }
    let mut errors = FieldErrors::default();
    errors.add(FieldPath::Key(&FieldPath::Root, "username"), "required", "is required, or email");
    Err(Error::invalid(errors.0))
}

/// `POST /admin/auth/refresh`
async fn refresh(
    State(logins): State<Logins>,
    audit: Audit,
    Body(body): Body<RefreshBody>,
) -> Result<Json<TokenPair>> {
    Ok(Json(refresh::refresh(&logins, &audit, SubjectKind::Admin, body).await?))
}

/// `POST /admin/auth/logout`
async fn logout(admin: Admin, audit: Audit, Body(body): Body<LogoutBody>) -> Result<Json<Message>> {
    login::logout(&audit, admin.in_session(), body).await?;
    Ok(Json(Message::done("Logged out")))
}

/// `POST /admin/auth/password/change`
async fn change_password(
    State(logins): State<Logins>,
    context: Context,
    admin: Admin,
    Body(body): Body<PasswordBody>,
) -> Result<Json<Message>> {
    let row = admins::get(logins.store(), admin.id()).await?.ok_or_else(Error::forbidden)?;
    check_new(&body, &row.email)?;
    let passwords = (body.current.0, body.new.0);
    login::change_password(&logins, &context, admin.in_session(), passwords).await?;
    Ok(Json(Message::done("The password is changed; all other sessions have ended")))
}

fn check_new(body: &PasswordBody, email: &str) -> Result<()> {
    let mut errors = FieldErrors::default();
    let at = FieldPath::Key(&FieldPath::Root, "newPassword");
    Policy::Admin.check(&body.new.0, email, at, &mut errors);
    if body.new.0 == body.current.0 {
        errors.add(at, "password_unchanged", "must differ from the current password");
    }
    if body.confirm.as_ref().is_some_and(|confirm| confirm.0 != body.new.0) {
        let at = FieldPath::Key(&FieldPath::Root, "confirmPassword");
        errors.add(at, "passwords_dont_match", "must be the same as newPassword");
    }
    if errors.0.is_empty() { Ok(()) } else { Err(Error::invalid(errors.0)) }
}
