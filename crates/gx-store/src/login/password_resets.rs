//! Tokens by which somebody who has forgotten the password sets another one, once.
//!
//! Only hashes of tokens are kept.

use gx_types::TimeMs;

use super::Subject;
use crate::sql::sql;
use crate::{Error, Source, Tx};

/// Keeps a token. A subject without an id is nobody: for whoever asks about an unknown address.
///
/// # Errors
/// Those of the database.
pub async fn open(
    tx: &mut Tx,
    subject: Subject<'_>,
    token_hash: &str,
    expires_at: TimeMs,
) -> Result<(), Error> {
    sql("INSERT INTO password_resets (token_hash, kind, subject, expires_at_ms)
        VALUES ($1, $2, $3, $4)")
    .bind(token_hash)
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(expires_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// How many tokens of somebody are good for something.
///
/// # Errors
/// Those of the database.
pub async fn count_open(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
    now: TimeMs,
) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql("SELECT COUNT(*) FROM password_resets
        WHERE kind = $1 AND subject = $2 AND expires_at_ms > $3")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(now)
    .one(&mut reader.conn())
    .await?
    .natural(0)
}

/// Whose password a token of a user sets, if it is good for something.
///
/// # Errors
/// Those of the database.
pub async fn user_of(
    source: impl Into<Source<'_>>,
    token_hash: &str,
    now: TimeMs,
) -> Result<Option<String>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT subject FROM password_resets
        WHERE token_hash = $1 AND kind = 'USER' AND subject <> '' AND expires_at_ms > $2")
    .bind(token_hash)
    .bind(now)
    .optional(&mut reader.conn())
    .await?;
    row.map(|row| row.string(0)).transpose()
}

/// Uses a token up. Says whether it was good for something: of several who present it, one is told
/// so.
///
/// # Errors
/// Those of the database.
pub async fn take(tx: &mut Tx, token_hash: &str, now: TimeMs) -> Result<bool, Error> {
    let touched = sql("DELETE FROM password_resets WHERE token_hash = $1 AND expires_at_ms > $2")
        .bind(token_hash)
        .bind(now)
        .run(&mut tx.conn())
        .await?;
    Ok(touched > 0)
}

/// Makes all tokens of somebody good for nothing.
///
/// # Errors
/// Those of the database.
pub async fn close_all(tx: &mut Tx, subject: Subject<'_>) -> Result<(), Error> {
    sql("DELETE FROM password_resets WHERE kind = $1 AND subject = $2")
        .bind(subject.kind.as_str())
        .bind(subject.id)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Removes tokens that expired before a time, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    sql("DELETE FROM password_resets WHERE token_hash IN (
            SELECT token_hash FROM password_resets WHERE expires_at_ms < $1
            ORDER BY expires_at_ms LIMIT $2)")
    .bind(before)
    .bind(max)
    .run(&mut tx.conn())
    .await
}
