//! The second factor of administrators. Outside devnet, nobody administers anything without one.

use axum::extract::State;
use axum::http::HeaderMap;
use gx_store::admin::admins;
use gx_store::login::SubjectKind;

use super::login::AdminLoggedIn;
use crate::api::Route;
use crate::audit::Audit;
use crate::auth::fields::SecondFactorCode;
use crate::auth::session::Origin;
use crate::auth::{Admin, Logins};
use crate::error::{Error, Result};
use crate::http::answer::{Json, Message};
use crate::http::context::Context;
use crate::http::extract::Body;
use crate::http::fields::{NoBody, request};
use crate::sessions::second_factor::{
    self, Enabled, REMOVE_FAILURES, RemoveBody, SET_UP_FAILURES, SetUp, VERIFY_FAILURES, VerifyBody,
};

/// What devices show above the code.
const ISSUER: &str = "GX Protocol Admin";

pub(super) fn routes() -> [Route; 4] {
    [
        Route::post("/api/v1/admin/auth/mfa/setup", set_up)
            .summary("Makes a secret for the admin's device")
            .credentials()
            .gives_tokens()
            .sample("{}")
            .fails(&[(409, "mfa_already_enabled")]),
        Route::post("/api/v1/admin/auth/mfa/enable", enable)
            .summary("Asks for the second factor from now on, and ends all other sessions")
            .credentials()
            .gives_tokens()
            .sample(r#"{"code": "{code}"}"#)
            .fails(&SET_UP_FAILURES),
        Route::post("/api/v1/admin/auth/mfa/disable", remove)
            .summary("Takes the admin's second factor away")
            .credentials()
            .sample(r#"{"password": "Blue7horse-cart", "code": "{code}"}"#)
            .fails(&REMOVE_FAILURES),
        Route::post("/api/v1/admin/auth/mfa/verify", verify)
            .summary("Opens the session of an admin's log-in that waits for its second factor")
            .credentials()
            .gives_tokens()
            .sample(r#"{"mfaToken": "{mfaToken}", "code": "{code}"}"#)
            .fails(&VERIFY_FAILURES)
            .fails(&[(404, "not_found")]),
    ]
}

request! {
    /// A code of the device that has the secret.
    pub(crate) struct EnableBody {
        code as "code": SecondFactorCode,
    }
}

/// `POST /admin/auth/mfa/setup`
async fn set_up(
    State(logins): State<Logins>,
    audit: Audit,
    admin: Admin,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<SetUp>> {
    let shown = (ISSUER, admin.id());
    Ok(Json(second_factor::set_up(&logins, &audit, admin.in_session(), shown).await?))
}

/// `POST /admin/auth/mfa/enable`
async fn enable(
    State(logins): State<Logins>,
    audit: Audit,
    admin: Admin,
    Body(body): Body<EnableBody>,
) -> Result<Json<Enabled>> {
    Ok(Json(second_factor::enable(&logins, &audit, admin.in_session(), body.code).await?))
}

/// `POST /admin/auth/mfa/disable`
async fn remove(
    State(logins): State<Logins>,
    context: Context,
    admin: Admin,
    Body(body): Body<RemoveBody>,
) -> Result<Json<Message>> {
    second_factor::remove(&logins, &context, admin.in_session(), body).await?;
    Ok(Json(Message::done("The second factor is taken away")))
}

/// `POST /admin/auth/mfa/verify`
async fn verify(
    State(logins): State<Logins>,
    context: Context,
    headers: HeaderMap,
    Body(body): Body<VerifyBody>,
) -> Result<Json<AdminLoggedIn>> {
    let origin = Origin { context: &context, headers: &headers, device: None };
    let (tokens, id) = second_factor::verify(&logins, origin, SubjectKind::Admin, body).await?;
    let row = admins::get(logins.store(), &id).await?;
    let row = row.ok_or_else(|| Error::not_found("Admin"))?;
    Ok(Json(AdminLoggedIn::new(tokens, row)))
}
