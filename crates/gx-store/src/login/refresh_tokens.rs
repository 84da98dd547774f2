//! The refresh tokens that follow one another in a session.
//!
//! Only hashes of tokens are kept. A token is good for one use. Whoever presents it again within
//! the grace is a second tab, or a client that never saw the answer; later it means that two
//! parties hold it, and ends the session.

use std::time::Duration;

use gx_types::TimeMs;

use super::SubjectKind;
use super::sessions::{self, COLUMNS, Session, session};
use crate::sql::sql;
use crate::{Error, Source, Tx};

/// The token that takes the place of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Successor<'a> {
    pub token_hash: &'a str,
    /// With what it is derived from the token before it; kept, and no secret.
    pub salt: &'a str,
    pub expires_at: TimeMs,
}

/// How long tokens may be presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long after its replacement a token leads to its successor again.
    pub grace: Duration,
    /// How long a session may lie unused and still be refreshed; as long as it stands for `None`.
    pub idle: Option<Duration>,
}

/// What became of a refresh token that was to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It was replaced by the new one.
    Rotated(Session),
    /// It was replaced a moment ago. Its successor is derived with this salt once more.
    Repeated { session: Session, salt: String },
    /// There is no such token for this kind of subject.
    Unknown,
    /// It was issued too long ago, or the session has ended.
    Expired,
    /// The session lay unused for too long.
    Idle,
    /// The session was revoked.
    Revoked,
    /// It was replaced longer ago than the grace. The session is revoked now, with the reason
    /// `refresh token reused`.
    Reused(Session),
}

pub(super) async fn issue(
    tx: &mut Tx,
    session_id: &str,
    token_hash: &str,
    expires_at: TimeMs,
) -> Result<(), Error> {
    sql("INSERT INTO refresh_tokens (token_hash, session_id, expires_at_ms) VALUES ($1, $2, $3)")
        .bind(token_hash)
        .bind(session_id)
        .bind(expires_at)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Replaces a refresh token by its successor: of several requests with one token the first does,
/// and the others find it done. Commit after a reuse as well, which revokes.
///
/// # Errors
/// Those of the database.
pub async fn rotate(
    tx: &mut Tx,
    (kind, token_hash): (SubjectKind, &str),
    successor: Successor<'_>,
    limits: Limits,
    now: TimeMs,
) -> Result<Rotation, Error> {
    let unused_since = limits.idle.map_or(i64::MIN, |idle| now.0.saturating_sub(ms(idle)));
    let replaced = replace(tx, (kind, token_hash), successor, (TimeMs(unused_since), now)).await?;
    let row = sql(format!(
        "SELECT {COLUMNS}, r.replaced_by, r.replaced_at_ms, r.successor_salt
        FROM refresh_tokens r JOIN sessions s ON s.session_id = r.session_id
        WHERE r.token_hash = $1 AND s.kind = $2"
    ))
    .bind(token_hash)
    .bind(kind.as_str())
    .optional(&mut tx.conn())
    .await?;
    let Some(row) = row else { return Ok(Rotation::Unknown) };
    let mut session = session(&row)?;
    if session.revoked_at.is_some() {
        return Ok(Rotation::Revoked);
    }
    if replaced {
        let until = successor.expires_at.min(session.expires_at);
        issue(tx, &session.session_id, successor.token_hash, until).await?;
        sessions::touch(tx, &session.session_id, now).await?;
        session.last_used_at = now;
        return Ok(Rotation::Rotated(session));
    }
    let was_used = row.opt_text(11)?.is_some();
    if session.is_open(now) && !was_used && session.last_used_at.0 < unused_since {
        return Ok(Rotation::Idle);
    }
    if !session.is_open(now) || !was_used {
        return Ok(Rotation::Expired);
    }
    let grace_ms = ms(limits.grace);
    let in_grace = row.opt_time(12)?.is_some_and(|at| now.0 < at.0.saturating_add(grace_ms));
    if let Some(salt) = row.opt_string(13)?.filter(|_| in_grace) {
        return Ok(Rotation::Repeated { session, salt });
    }
    let reason = "refresh token reused";
    sessions::revoke(tx, &session.session_id, reason, now).await?;
    (session.revoked_at, session.revoke_reason) = (Some(now), Some(reason.to_owned()));
    Ok(Rotation::Reused(session))
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Marks a token that is good as replaced. Says whether it was.
async fn replace(
    tx: &mut Tx,
    (kind, token_hash): (SubjectKind, &str),
    successor: Successor<'_>,
    (unused_since, now): (TimeMs, TimeMs),
) -> Result<bool, Error> {
    let touched = sql("UPDATE refresh_tokens
        SET replaced_by = $2, successor_salt = $3, replaced_at_ms = $4
        WHERE token_hash = $1 AND replaced_by IS NULL AND expires_at_ms > $4
        AND EXISTS (SELECT 1 FROM sessions s WHERE s.session_id = refresh_tokens.session_id
            AND s.kind = $5 AND s.revoked_at_ms IS NULL AND s.expires_at_ms > $4
            AND s.last_used_at_ms >= $6)")
    .bind(token_hash)
    .bind(successor.token_hash)
    .bind(successor.salt)
    .bind(now)
    .bind(kind.as_str())
    .bind(unused_since)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// The salt of the successor of a token that was replaced.
///
/// # Errors
/// Those of the database.
pub async fn successor_salt(
    source: impl Into<Source<'_>>,
    token_hash: &str,
) -> Result<Option<String>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT successor_salt FROM refresh_tokens WHERE token_hash = $1")
        .bind(token_hash)
        .optional(&mut reader.conn())
        .await?;
    row.map_or(Ok(None), |row| row.opt_string(0))
}

/// The session that a refresh token belongs to, whatever its state.
///
/// # Errors
/// Those of the database.
pub async fn session_of(
    source: impl Into<Source<'_>>,
    token_hash: &str,
) -> Result<Option<Session>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!(
        "SELECT {COLUMNS} FROM refresh_tokens r JOIN sessions s ON s.session_id = r.session_id
        WHERE r.token_hash = $1"
    ))
    .bind(token_hash)
    .optional(&mut reader.conn())
    .await?;
    row.as_ref().map(session).transpose()
}

/// Removes tokens that expired before a time, at most `max`. Returns how many. One that is used
/// afterwards is unknown rather than expired, which its owner is told in the same words.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    sql("DELETE FROM refresh_tokens WHERE token_hash IN (
            SELECT token_hash FROM refresh_tokens WHERE expires_at_ms < $1
            ORDER BY expires_at_ms LIMIT $2)")
    .bind(before)
    .bind(max)
    .run(&mut tx.conn())
    .await
}
