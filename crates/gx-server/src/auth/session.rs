//! Sessions of whoever logs in: their lifetimes, and the tokens that stand for them.

use axum::http::{HeaderMap, header};
use gx_store::Tx;
use gx_store::login::SubjectKind;
use gx_store::login::sessions::{self, NewSession};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;

use super::logins::Logins;
use super::principal::Principal;
use super::secrets::{opaque_token, random_id, token_hash};
use super::tokens::{Audience, Claims};
use crate::calendar::now_ms;
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
pub(crate) struct Origin<'a> {
    pub(crate) context: &'a Context,
    pub(crate) headers: &'a HeaderMap,
    /// What the client calls its device.
    pub(crate) device: Option<String>,
}

/// Opens a session in the caller's transaction.
pub(crate) async fn open(
    logins: &Logins,
    tx: &mut Tx,
    origin: Origin<'_>,
    principal: &Principal,
) -> Result<TokenPair> {
    opened(logins, tx, origin, principal).await.map(|(tokens, _)| tokens)
}

/// The same for somebody whose second factor was checked for it.
pub(crate) async fn open_with_second_factor(
    logins: &Logins,
    tx: &mut Tx,
    origin: Origin<'_>,
    principal: &Principal,
) -> Result<TokenPair> {
    let (tokens, session_id) = opened(logins, tx, origin, principal).await?;
    sessions::note_second_factor(tx, &session_id, TimeMs(now_ms())).await?;
    Ok(tokens)
}

/// The tokens of a new session, and its id.
async fn opened(
    logins: &Logins,
    tx: &mut Tx,
    origin: Origin<'_>,
    principal: &Principal,
) -> Result<(TokenPair, String)> {
    let (now, subject) = (now_ms(), principal.subject());
    let (session_ms, refresh_ms) = lifetimes(logins, subject.kind);
    let refresh_token = opaque_token().map_err(Error::internal)?;
    let agent = origin.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let session = NewSession {
        session_id: random_id().map_err(Error::internal)?,
        kind: subject.kind,
        subject: subject.id.to_owned(),
        created_at: TimeMs(now),
        expires_at: TimeMs(now + session_ms),
        client_address: origin.context.client.to_string(),
        user_agent: agent.unwrap_or_default().chars().take(200).collect(),
        device: origin.device,
    };
    let until = TimeMs(now + refresh_ms.min(session_ms));
    sessions::open(tx, &session, &token_hash(&refresh_token), until).await?;
    let tokens = pair(logins, principal, (&session.session_id, session.expires_at), refresh_token)?;
    Ok((tokens, session.session_id))
}

/// Life of a session and of a refresh token, in milliseconds.
pub(crate) fn lifetimes(logins: &Logins, kind: SubjectKind) -> (i64, i64) {
    let auth = logins.auth();
    let session = match kind {
        SubjectKind::User => auth.session_seconds,
        SubjectKind::Admin => auth.admin_session_seconds,
    };
    (i64::from(session) * 1000, i64::from(auth.refresh_token_seconds) * 1000)
}

pub(crate) fn pair(
    logins: &Logins,
    principal: &Principal,
    (session_id, session_ends): (&str, TimeMs),
    refresh_token: String,
) -> Result<TokenPair> {
    let tokens = logins.tokens();
    let now_s = now_ms() / 1000;
    let until = now_s + i64::from(logins.auth().access_token_seconds);
    let exp = until.min(session_ends.0 / 1000);
    let claims = Claims {
        iss: tokens.issuer().to_owned(),
        aud: match principal.subject().kind {
            SubjectKind::User => Audience::User,
            SubjectKind::Admin => Audience::Admin,
        },
        sub: principal.subject().id.to_owned(),
        user_id: principal.ledger_id.clone(),
        role: principal.role.clone(),
        status: principal.status().to_owned(),
        sid: session_id.to_owned(),
        jti: random_id().map_err(Error::internal)?,
        typ: "access".to_owned(),
        iat: now_s,
        exp,
    };
    let access_token = tokens.sign(&claims);
    Ok(TokenPair { access_token, refresh_token, token_type: "Bearer", expires_in: exp - now_s })
}
