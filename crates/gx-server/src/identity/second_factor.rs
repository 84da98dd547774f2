//! The second factor of users: set up, asked for at the log-in, taken away.

use axum::extract::State;
use axum::http::HeaderMap;
use gx_store::identity::users;
use gx_store::login::SubjectKind;
use schemars::JsonSchema;
use serde::Serialize;

use super::login::{LoggedIn, SHUT_OUT};
use crate::api::Route;
use crate::audit::Audit;
use crate::auth::fields::SecondFactorCode;
use crate::auth::session::Origin;
use crate::auth::{Logins, User};
use crate::error::{Error, Result};
use crate::http::answer::{Json, Message};
use crate::http::context::Context;
use crate::http::extract::Body;
use crate::http::fields::request;
use crate::sessions::second_factor::{
    self, Enabled, REMOVE_FAILURES, RemoveBody, SET_UP_FAILURES, STEP_UP_FAILURES, SetUp,
    VERIFY_FAILURES, VerifyBody,
};

/// What devices show above the code.
const ISSUER: &str = "GX Protocol";

pub(super) fn routes() -> [Route; 4] {
    [
        Route::post("/api/v1/auth/mfa", set_up)
            .summary("Makes a secret for a device; with a code of the device, asks for it from now")
            .credentials()
            .gives_tokens()
            .sample("{}")
            .fails(&SET_UP_FAILURES)
            .fails(&[(404, "not_found")]),
        Route::delete("/api/v1/auth/mfa", remove)
            .summary("Takes the second factor away")
            .credentials()
            .sample(r#"{"password": "Blue7horse", "code": "{code}"}"#)
            .fails(&REMOVE_FAILURES),
        Route::post("/api/v1/auth/mfa/verify", verify)
            .summary("Opens the session of a log-in that waits for its second factor")
            .credentials()
            .gives_tokens()
            .sample(r#"{"mfaToken": "{mfaToken}", "code": "{code}"}"#)
            .fails(&VERIFY_FAILURES)
            .fails(&SHUT_OUT)
            .fails(&[(404, "not_found")]),
        Route::post("/api/v1/auth/mfa/step-up", step_up)
            .summary("Checks the second factor once more, for payments that ask for a fresh one")
            .credentials()
            .sample(r#"{"code": "{code}"}"#)
            .fails(&STEP_UP_FAILURES),
    ]
}

request! {
    /// A code for the session that the caller is in.
    pub(crate) struct StepUpBody {
        code as "code": SecondFactorCode,
    }
}

request! {
    /// Nothing, for a new secret; or a code that confirms the one before.
    pub(crate) struct SetUpBody {
        code as "code": Option<SecondFactorCode>,
    }
}

/// A secret for a device, or what comes of its confirmation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum SetUpAnswer {
    SetUp(SetUp),
    Enabled(Enabled),
}

/// `POST /auth/mfa`
async fn set_up(
    State(logins): State<Logins>,
    audit: Audit,
    user: User,
    Body(body): Body<SetUpBody>,
) -> Result<Json<SetUpAnswer>> {
    let caller = user.in_session();
    if let Some(code) = body.code {
        let enabled = second_factor::enable(&logins, &audit, caller, code).await?;
        return Ok(Json(SetUpAnswer::Enabled(enabled)));
    }
    let row = users::get(logins.store(), user.id()).await?;
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    let made = second_factor::set_up(&logins, &audit, caller, (ISSUER, &row.email)).await?;
    Ok(Json(SetUpAnswer::SetUp(made)))
}

/// `DELETE /auth/mfa`
async fn remove(
    State(logins): State<Logins>,
    context: Context,
    user: User,
    Body(body): Body<RemoveBody>,
) -> Result<Json<Message>> {
    second_factor::remove(&logins, &context, user.in_session(), body).await?;
    Ok(Json(Message::done("The second factor is taken away")))
}

/// `POST /auth/mfa/step-up`
async fn step_up(
    State(logins): State<Logins>,
    context: Context,
    user: User,
    Body(body): Body<StepUpBody>,
) -> Result<Json<Message>> {
    second_factor::step_up(&logins, &context, user.in_session(), body.code).await?;
    Ok(Json(Message::done("The second factor counts as checked now")))
}

/// `POST /auth/mfa/verify`
async fn verify(
    State(logins): State<Logins>,
    context: Context,
    headers: HeaderMap,
    Body(body): Body<VerifyBody>,
) -> Result<Json<LoggedIn>> {
    let origin = Origin { context: &context, headers: &headers, device: None };
    let (tokens, id) = second_factor::verify(&logins, origin, SubjectKind::User, body).await?;
    let row = users::get(logins.store(), &id).await?;
    let row = row.ok_or_else(|| Error::not_found("User"))?;
    Ok(Json(LoggedIn::of(logins.store(), tokens, row).await?))
}
