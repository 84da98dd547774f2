//! Sessions of users and admins: one row for each login, whatever is refreshed in it.
//!
//! Its refresh tokens stand in `refresh_tokens`. A session that has ended stays until it is purged,
//! so that it can be told from one that never was.

use gx_types::TimeMs;

use super::{Subject, SubjectKind, refresh_tokens};
use crate::sql::{Row, sql};
use crate::{Error, Source, Tx};

/// A login to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    pub session_id: String,
    pub kind: SubjectKind,
    /// User id or admin id.
    pub subject: String,
    pub created_at: TimeMs,
    /// The end of the session, whatever is refreshed until then.
    pub expires_at: TimeMs,
    pub client_address: String,
    pub user_agent: String,
    pub device: Option<String>,
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub session_id: String,
    pub kind: SubjectKind,
    pub subject: String,
    pub created_at: TimeMs,
    pub last_used_at: TimeMs,
    pub expires_at: TimeMs,
    pub revoked_at: Option<TimeMs>,
    pub revoke_reason: Option<String>,
    pub client_address: String,
    pub user_agent: String,
    pub device: Option<String>,
}

impl Session {
    pub fn subject(&self) -> Subject<'_> {
        Subject { kind: self.kind, id: &self.subject }
    }

    /// Whether the session still stands at a time.
    pub fn is_open(&self, now: TimeMs) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

pub(super) const COLUMNS: &str = "s.session_id, s.kind, s.subject, s.created_at_ms, \
    s.last_used_at_ms, s.expires_at_ms, s.revoked_at_ms, s.revoke_reason, s.client_address, \
    s.user_agent, s.device";

pub(super) fn session(row: &Row) -> Result<Session, Error> {
    Ok(Session {
        session_id: row.string(0)?,
        kind: SubjectKind::from_text(row.text(1)?)?,
        subject: row.string(2)?,
        created_at: row.time(3)?,
        last_used_at: row.time(4)?,
        expires_at: row.time(5)?,
        revoked_at: row.opt_time(6)?,
        revoke_reason: row.opt_string(7)?,
        client_address: row.string(8)?,
        user_agent: row.string(9)?,
        device: row.opt_string(10)?,
    })
}

/// Opens a session with its first refresh token.
///
/// # Errors
/// Those of the database.
pub async fn open(
    tx: &mut Tx,
    new: &NewSession,
    token_hash: &str,
    token_expires_at: TimeMs,
) -> Result<(), Error> {
    sql("INSERT INTO sessions (session_id, kind, subject, created_at_ms, last_used_at_ms,
            expires_at_ms, client_address, user_agent, device)
        VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8)")
    .bind(new.session_id.as_str())
    .bind(new.kind.as_str())
    .bind(new.subject.as_str())
    .bind(new.created_at)
    .bind(new.expires_at)
    .bind(new.client_address.as_str())
    .bind(new.user_agent.as_str())
    .bind(new.device.as_deref())
    .run(&mut tx.conn())
    .await?;
    refresh_tokens::issue(tx, &new.session_id, token_hash, token_expires_at).await
}

/// A session.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    session_id: &str,
) -> Result<Option<Session>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM sessions s WHERE s.session_id = $1"))
        .bind(session_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(session).transpose()
}

/// Which part of somebody's sessions to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Log-in time and id of the session after which the part begins.
    pub after: Option<(TimeMs, &'a str)>,
    pub limit: u32,
}

/// The open sessions of somebody, newest log-in first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
    part: Part<'_>,
    now: TimeMs,
) -> Result<Vec<Session>, Error> {
    let (created_at, session_id) = part.after.unwrap_or((TimeMs(i64::MAX), ""));
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM sessions s
        WHERE s.kind = $1 AND s.subject = $2 AND s.revoked_at_ms IS NULL AND s.expires_at_ms > $3
        AND (s.created_at_ms < $4 OR (s.created_at_ms = $4 AND s.session_id < $5))
        ORDER BY s.created_at_ms DESC, s.session_id DESC LIMIT $6"
    ))
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(now)
    .bind(created_at)
    .bind(session_id)
    .bind(part.limit)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(session).collect()
}

/// How many sessions of somebody are open.
///
/// # Errors
/// Those of the database.
pub async fn count(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
    now: TimeMs,
) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql("SELECT COUNT(*) FROM sessions
        WHERE kind = $1 AND subject = $2 AND revoked_at_ms IS NULL AND expires_at_ms > $3")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(now)
    .one(&mut reader.conn())
    .await?
    .natural(0)
}

/// A device that somebody has open sessions on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What clients call it.
    pub name: String,
    pub first_seen_at: TimeMs,
    pub last_used_at: TimeMs,
    pub sessions: u64,
    /// Whether a given session is one of them.
    pub has_session: bool,
}

/// The devices that somebody has open sessions on, by name; `session` is the one to look for.
///
/// # Errors
/// Those of the database.
pub async fn devices(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
    (after, limit): (Option<&str>, u32),
    session: &str,
    now: TimeMs,
) -> Result<Vec<Device>, Error> {
    let mut reader = source.into().open().await?;
    // No device is called nothing: what is greater than the empty text has a name.
    let rows = sql("SELECT s.device, MIN(s.created_at_ms), MAX(s.last_used_at_ms), COUNT(*),
            CAST(MAX(CASE WHEN s.session_id = $5 THEN 1 ELSE 0 END) AS BIGINT)
        FROM sessions s
        WHERE s.kind = $1 AND s.subject = $2 AND s.revoked_at_ms IS NULL AND s.expires_at_ms > $3
        AND s.device > $4
        GROUP BY s.device ORDER BY s.device LIMIT $6")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(now)
    .bind(after.unwrap_or_default())
    .bind(session)
    .bind(limit)
    .all(&mut reader.conn())
    .await?;
    let device = |row: &Row| {
        Ok(Device {
            name: row.string(0)?,
            first_seen_at: row.time(1)?,
            last_used_at: row.time(2)?,
            sessions: row.natural(3)?,
            has_session: row.flag(4)?,
        })
    };
    rows.iter().map(device).collect()
}

/// Notes that a session was used.
///
/// # Errors
/// Those of the database.
pub async fn touch(tx: &mut Tx, session_id: &str, now: TimeMs) -> Result<(), Error> {
    sql("UPDATE sessions SET last_used_at_ms = $2 WHERE session_id = $1 AND last_used_at_ms < $2")
        .bind(session_id)
        .bind(now)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Notes that the second factor was checked in a session.
///
/// # Errors
/// Those of the database.
pub async fn note_second_factor(tx: &mut Tx, session_id: &str, at: TimeMs) -> Result<(), Error> {
    sql("UPDATE sessions SET second_factor_at_ms = $2 WHERE session_id = $1")
        .bind(session_id)
        .bind(at)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// When the second factor was last checked in a session, if it was.
///
/// # Errors
/// Those of the database.
pub async fn second_factor_at(
    source: impl Into<Source<'_>>,
    session_id: &str,
) -> Result<Option<TimeMs>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT second_factor_at_ms FROM sessions WHERE session_id = $1")
        .bind(session_id)
        .optional(&mut reader.conn())
        .await?;
    row.map_or(Ok(None), |row| row.opt_time(0))
}

/// Ends a session. Says whether it stood.
///
/// # Errors
/// Those of the database.
pub async fn revoke(
    tx: &mut Tx,
    session_id: &str,
    reason: &str,
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE sessions SET revoked_at_ms = $2, revoke_reason = $3
        WHERE session_id = $1 AND revoked_at_ms IS NULL")
    .bind(session_id)
    .bind(now)
    .bind(reason)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Ends a session of somebody. Says whether it stood and was theirs.
///
/// # Errors
/// Those of the database.
pub async fn revoke_own(
    tx: &mut Tx,
    subject: Subject<'_>,
    session_id: &str,
    reason: &str,
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE sessions SET revoked_at_ms = $4, revoke_reason = $5
        WHERE session_id = $3 AND kind = $1 AND subject = $2 AND revoked_at_ms IS NULL
        AND expires_at_ms > $4")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(session_id)
    .bind(now)
    .bind(reason)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Ends the sessions of somebody on a device. Returns how many it ended.
///
/// # Errors
/// Those of the database.
pub async fn revoke_device(
    tx: &mut Tx,
    subject: Subject<'_>,
    device: &str,
    reason: &str,
    now: TimeMs,
) -> Result<u64, Error> {
    sql("UPDATE sessions SET revoked_at_ms = $4, revoke_reason = $5
        WHERE kind = $1 AND subject = $2 AND device = $3 AND revoked_at_ms IS NULL
        AND expires_at_ms > $4")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(device)
    .bind(now)
    .bind(reason)
    .run(&mut tx.conn())
    .await
}

/// Ends all sessions of somebody, but for one. Returns how many it ended.
///
/// # Errors
/// Those of the database.
pub async fn revoke_all(
    tx: &mut Tx,
    subject: Subject<'_>,
    except: Option<&str>,
    reason: &str,
    now: TimeMs,
) -> Result<u64, Error> {
    sql("UPDATE sessions SET revoked_at_ms = $3, revoke_reason = $4
        WHERE kind = $1 AND subject = $2 AND revoked_at_ms IS NULL AND session_id <> $5")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(now)
    .bind(reason)
    .bind(except.unwrap_or_default())
    .run(&mut tx.conn())
    .await
}

/// Removes sessions that ended before a time, with their tokens, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    let mut removed = 0;
    for text in [
        "DELETE FROM refresh_tokens WHERE session_id IN (
            SELECT session_id FROM sessions WHERE expires_at_ms < $1
            ORDER BY expires_at_ms, session_id LIMIT $2)",
        "DELETE FROM sessions WHERE session_id IN (
            SELECT session_id FROM sessions WHERE expires_at_ms < $1
            ORDER BY expires_at_ms, session_id LIMIT $2)",
    ] {
        removed = sql(text).bind(before).bind(max).run(&mut tx.conn()).await?;
    }
    Ok(removed)
}
