//! Another password for a user: in place of one they know, or of one they have forgotten.

use axum::extract::State;
use gx_store::Store;
use gx_store::identity::users;

use super::login::find;
use crate::api::Route;
use crate::auth::fields::{GivenPassword, LoginEmail, NewUserPassword, Token};
use crate::auth::{Logins, Policy, User};
use crate::error::{Error, Result};
use crate::http::answer::{Json, Message};
use crate::http::context::Context;
use crate::http::extract::Body;
use crate::http::fields::{FieldErrors, FieldPath, request};
use crate::sessions::login::{self, LOGIN_FAILURES};
use crate::sessions::password_reset::{self, RESET_FAILURES};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::post("/api/v1/auth/password/forgot", forgot)
            .summary("Mails a token that sets another password, if the address is known")
            .credentials()
            .sample(r#"{"email": "ada@example.org"}"#),
        Route::post("/api/v1/auth/password/reset", reset)
            .summary("Sets another password with a token by mail, and ends all sessions")
            .credentials()
            .sample(r#"{"token": "{resetToken}", "newPassword": "Other7horse"}"#)
            .fails(&RESET_FAILURES),
        Route::post("/api/v1/auth/password/change", change)
            .summary("Sets another password and ends all other sessions")
            .credentials()
            .sample(r#"{"currentPassword": "Blue7horse", "newPassword": "Other7horse"}"#)
            .fails(&LOGIN_FAILURES),
    ]
}

request! {
    /// Who has forgotten the password.
    pub(crate) struct ForgotBody {
        email as "email": LoginEmail,
    }
}

request! {
    /// Another password in place of one that was forgotten. All sessions end.
    pub(crate) struct ResetBody {
        /// From the mail.
        token as "token": Token,
        new as "newPassword": NewUserPassword,
        confirm as "confirmPassword": Option<GivenPassword>,
    }
}

request! {
    /// Another password. All other sessions end.
    pub(crate) struct ChangeBody {
        current as "currentPassword": GivenPassword,
        new as "newPassword": NewUserPassword,
        confirm as "confirmPassword": Option<GivenPassword>,
    }
}

/// `POST /auth/password/forgot`
async fn forgot(
    State(logins): State<Logins>,
    context: Context,
    Body(body): Body<ForgotBody>,
) -> Result<Json<Message>> {
    let found = find(logins.store(), &body.email).await?;
    password_reset::forgot(&logins, &context, found.as_ref()).await?;
    Ok(Json(Message::done("If the address is known, a mail is on its way")))
}

/// `POST /auth/password/reset`
async fn reset(
    State(logins): State<Logins>,
    context: Context,
    Body(body): Body<ResetBody>,
) -> Result<Json<Message>> {
    let owner = password_reset::owner(&logins, &body.token.0).await?;
    check_new(logins.store(), &owner, &body.new, body.confirm.as_ref(), None).await?;
    let given = (body.token.0, body.new.0);
    password_reset::reset(&logins, &context, &owner, given).await?;
    Ok(Json(Message::done("The password is set; all sessions have ended")))
}

/// `POST /auth/password/change`
async fn change(
    State(logins): State<Logins>,
    context: Context,
    user: User,
    Body(body): Body<ChangeBody>,
) -> Result<Json<Message>> {
    let current = Some(&body.current);
    check_new(logins.store(), user.id(), &body.new, body.confirm.as_ref(), current).await?;
    let passwords = (body.current.0, body.new.0);
    login::change_password(&logins, &context, user.in_session(), passwords).await?;
    Ok(Json(Message::done("The password is changed; all other sessions have ended")))
}

/// What the fields do not say by themselves.
async fn check_new(
    store: &Store,
    user_id: &str,
    new: &NewUserPassword,
    confirm: Option<&GivenPassword>,
    current: Option<&GivenPassword>,
) -> Result<()> {
    let row = users::get(store, user_id).await?.ok_or_else(Error::forbidden)?;
    let mut errors = FieldErrors::default();
    let at = FieldPath::Key(&FieldPath::Root, "newPassword");
    Policy::User.check(&new.0, &row.email, at, &mut errors);
    if current.is_some_and(|current| current.0 == new.0) {
        errors.add(at, "password_unchanged", "must differ from the current password");
    }
    if confirm.is_some_and(|confirm| confirm.0 != new.0) {
        let at = FieldPath::Key(&FieldPath::Root, "confirmPassword");
        errors.add(at, "passwords_dont_match", "must be the same as newPassword");
    }
    if errors.0.is_empty() { Ok(()) } else { Err(Error::invalid(errors.0)) }
}
