//! Refreshing a session: a token is replaced by its successor in one step.
//!
//! The successor follows from the token, a salt that is stored, and the network's key, so that it
//! can be given again to a second tab, or to a client that never saw the answer, though nothing is
//! kept that would let anybody in.

use std::time::Duration;

use gx_store::Tx;
use gx_store::login::SubjectKind;
use gx_store::login::refresh_tokens::{self, Limits, Rotation, Successor};
use gx_types::TimeMs;

use crate::api::Failure;
use crate::audit::{Audit, Entry};
use crate::auth::fields::Token;
use crate::auth::principal::Principal;
use crate::auth::session::{TokenPair, lifetimes, pair};
use crate::auth::{Logins, idle, opaque_token, token_hash};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::fields::request;

/// How a refresh token is refused.
pub(crate) const REFRESH_FAILURES: [Failure; 3] =
    [(401, "refresh_token_reused"), (401, "refresh_token_invalid"), (409, "refresh_in_progress")];

request! {
    /// A refresh token to replace.
    pub(crate) struct RefreshBody {
        token as "refreshToken": Token,
    }
}

/// Successors that are passed over for a token that was replaced within the grace: who refreshes
/// more often has lost count and is asked to wait.
const SUCCESSORS_MAX: usize = 16;

/// New tokens for a refresh token.
pub(crate) async fn refresh(
    logins: &Logins,
    audit: &Audit,
    kind: SubjectKind,
    body: RefreshBody,
) -> Result<TokenPair> {
    let presented = body.token.0;
    let mut change = audit.begin().await?;
    let salt = opaque_token().map_err(Error::internal)?;
    let first = logins.pepper().successor(&presented, &salt);
    let (session, token, action) =
        match rotate(logins, change.tx(), (kind, &presented), (&first, &salt)).await? {
            Rotation::Rotated(session) => (session, first, "session.refresh"),
            Rotation::Repeated { session, salt } => {
                let again = logins.pepper().successor(&presented, &salt);
                (session, newest(logins, change.tx(), again).await?, "session.refresh.repeat")
            }
            Rotation::Reused(session) => {
                let actor = session.subject().to_string();
                let target = &session.session_id;
                change.commit(Entry { actor: &actor, action: "session.reuse", target }).await?;
                return Err(reused());
            }
            Rotation::Idle => return Err(idle()),
            Rotation::Unknown | Rotation::Expired | Rotation::Revoked => return Err(invalid()),
        };
    // Whoever is shut out gets no successor, so that their token is not used up either.
    let principal = Principal::load(change.tx(), session.subject()).await?.ok_or_else(invalid)?;
    if !principal.is_admitted()? {
        return Err(invalid());
    }
    let actor = session.subject().to_string();
    change.commit(Entry { actor: &actor, action, target: &session.session_id }).await?;
    pair(logins, &principal, (&session.session_id, session.expires_at), token)
}

async fn rotate(
    logins: &Logins,
    tx: &mut Tx,
    (kind, presented): (SubjectKind, &str),
    (successor, salt): (&str, &str),
) -> Result<Rotation> {
    let now = now_ms();
    let (_, refresh_ms) = lifetimes(logins, kind);
    let successor = Successor {
        token_hash: &token_hash(successor),
        salt,
        expires_at: TimeMs(now + refresh_ms),
    };
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let limits = Limits {
        grace: seconds(logins.auth().refresh_grace_seconds),
        idle: match kind {
            SubjectKind::User => None,
            SubjectKind::Admin => Some(seconds(logins.auth().admin_idle_seconds)),
        },
    };
    let presented = (kind, &*token_hash(presented));
    Ok(refresh_tokens::rotate(tx, presented, successor, limits, TimeMs(now)).await?)
}

/// The end of the row of successors that begins with a token. One that was itself replaced
/// meanwhile would be taken for stolen as soon as its own grace is over.
async fn newest(logins: &Logins, tx: &mut Tx, mut token: String) -> Result<String> {
    for _ in 0..SUCCESSORS_MAX {
        match refresh_tokens::successor_salt(&mut *tx, &token_hash(&token)).await? {
            Some(salt) => token = logins.pepper().successor(&token, &salt),
            None => return Ok(token),
        }
    }
    let message = "The session is being refreshed by others; try again";
    Err(Error::conflict("refresh_in_progress", message).retry_after(1))
}

fn reused() -> Error {
    let message = "The refresh token was used before; the session is revoked, log in again";
    Error::unauthorized("refresh_token_reused", message)
}

fn invalid() -> Error {
    Error::unauthorized("refresh_token_invalid", "Invalid or expired refresh token")
}
