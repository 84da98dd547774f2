//! Sessions of users and admins: opening one, and ending it.
//!
//! Whoever fails to log in learns one thing only: that it failed. Known and unknown accounts,
//! wrong passwords and locked accounts get the same answer after the same time.

use axum::http::{HeaderMap, header};
use gx_store::Tx;
use gx_store::identity::refresh_tokens;
use gx_store::identity::sessions::{self, NewSession, SubjectKind};
use gx_store::identity::users::Credentials;
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;

use super::secrets::{opaque_token, random_id, token_hash};
use super::subject::Subject;
use super::tokens::{Audience, Claims};
use crate::app::App;
use crate::calendar::now_ms;
use crate::config::Auth;
use crate::error::{Error, Result};
use crate::http::context::Context;

/// Tokens of a session.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenPair {
    /// For the header `Authorization: Bearer …`.
    access_token: String,
    /// Good for one use, at the refresh route.
    refresh_token: String,
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenPair")
    }
}

/// Where a log-in comes from.
#[derive(Debug)]
pub(crate) struct From<'a> {
    pub(crate) context: &'a Context,
    pub(crate) headers: &'a HeaderMap,
    /// What the client calls its device.
    pub(crate) device: Option<String>,
}

/// A login with one answer for every way of failing.
pub(crate) fn failed() -> Error {
    let message = "Invalid credentials, or too many failed attempts: try again later";
    Error::unauthorized("invalid_credentials", message)
}

/// Whether password and state of an account let somebody in. An unknown account takes as long.
pub(crate) async fn check(
    app: &App,
    credentials: Option<Credentials>,
    password: String,
) -> Result<bool> {
    let now = TimeMs(now_ms());
    let locked = credentials
        .as_ref()
        .and_then(|credentials| credentials.locked_until)
        .is_some_and(|until| now < until);
    let hash = credentials.map(|credentials| credentials.password_hash);
    Ok(app.hasher().verify(password, hash).await? && !locked)
}

/// Until when an account is locked after a number of failures in a row; each doubles the time.
pub(crate) fn locked_until(auth: &Auth, failures: u64, now: TimeMs) -> Option<TimeMs> {
    let beyond = failures.checked_sub(u64::from(auth.lockout_failures))?;
    let factor = 1_u64.checked_shl(u32::try_from(beyond).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
    let seconds = u64::from(auth.lockout_first_seconds)
        .saturating_mul(factor)
        .min(u64::from(auth.lockout_max_seconds));
    let ms = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    Some(TimeMs(now.0.saturating_add(ms)))
}

/// Opens a session in the caller's transaction.
pub(crate) async fn open(
    app: &App,
    tx: &mut Tx,
    from: From<'_>,
    subject: &Subject,
) -> Result<TokenPair> {
    let now = now_ms();
    let (session_ms, refresh_ms) = lifetimes(app, subject.kind);
    let refresh_token = opaque_token().map_err(Error::internal)?;
    let agent = from.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let session = NewSession {
        session_id: random_id().map_err(Error::internal)?,
        kind: subject.kind,
        subject: subject.id.clone(),
        created_at: TimeMs(now),
        expires_at: TimeMs(now + session_ms),
        client_address: from.context.client.to_string(),
        user_agent: agent.unwrap_or_default().chars().take(200).collect(),
        device: from.device,
    };
    let until = TimeMs(now + refresh_ms.min(session_ms));
    sessions::open(tx, &session, &token_hash(&refresh_token), until).await?;
    pair(app, subject, (&session.session_id, session.expires_at), refresh_token)
}

/// Ends a session, and that of a refresh token if it is of the same owner.
pub(crate) async fn close(
    tx: &mut Tx,
    (kind, subject, session): (SubjectKind, &str, &str),
    token: Option<String>,
) -> Result<()> {
    let now = TimeMs(now_ms());
    sessions::revoke(tx, session, "logout", now).await?;
    let Some(token) = token else { return Ok(()) };
    let other = refresh_tokens::session_of(&mut *tx, &token_hash(&token)).await?;
    if let Some(other) = other.filter(|other| other.kind == kind && other.subject == subject) {
        sessions::revoke(tx, &other.session_id, "logout", now).await?;
    }
    Ok(())
}

/// Life of a session and of a refresh token, in milliseconds.
pub(super) fn lifetimes(app: &App, kind: SubjectKind) -> (i64, i64) {
    let auth = &app.config().auth;
    let session = match kind {
        SubjectKind::User => auth.session_seconds,
        SubjectKind::Admin => auth.admin_session_seconds,
    };
    (i64::from(session) * 1000, i64::from(auth.refresh_token_seconds) * 1000)
}

pub(super) fn pair(
    app: &App,
    subject: &Subject,
    (session_id, session_ends): (&str, TimeMs),
    refresh_token: String,
) -> Result<TokenPair> {
    let tokens = app.gate().tokens();
    let now_s = now_ms() / 1000;
    let until = now_s + i64::from(app.config().auth.access_token_seconds);
    let exp = until.min(session_ends.0 / 1000);
    let claims = Claims {
        iss: tokens.issuer().to_owned(),
        aud: match subject.kind {
            SubjectKind::User => Audience::User,
            SubjectKind::Admin => Audience::Admin,
        },
        sub: subject.id.clone(),
        user_id: subject.ledger_id.clone(),
        role: subject.role.clone(),
        status: subject.status.clone(),
        sid: session_id.to_owned(),
        jti: random_id().map_err(Error::internal)?,
        typ: "access".to_owned(),
        iat: now_s,
        exp,
    };
    let access_token = tokens.sign(&claims);
    Ok(TokenPair { access_token, refresh_token, token_type: "Bearer", expires_in: exp - now_s })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn each_failure_beyond_the_limit_doubles_the_lock() {
        let auth = Config::load(None, [], &[]).unwrap().auth;
        let seconds =
            |failures| locked_until(&auth, failures, TimeMs(0)).map(|until| until.0 / 1000);
        assert_eq!(seconds(4), None);
        assert_eq!(
            [5, 6, 7, 10, 11, 99, u64::MAX].map(seconds),
            [60, 120, 240, 1920, 3600, 3600, 3600].map(Some)
        );
    }
}
