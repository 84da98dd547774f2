//! Requests that must not be carried out twice, and the answers that retries get.
//!
//! A key belongs to a scope, usually whoever sends it. Claiming is one statement, so that of any
//! number of parallel requests one is carried out.

use gx_types::TimeMs;

use crate::sql::sql;
use crate::{Error, Source, Tx};

/// A request that wants to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'a> {
    pub scope: &'a str,
    pub key: &'a str,
    /// Hash over method, path and body.
    pub body_hash: &'a str,
    pub now: TimeMs,
    /// When a request that was never answered counts as lost, so that a retry takes it over.
    pub in_flight_until: TimeMs,
    /// When the key is forgotten.
    pub expires_at: TimeMs,
}

/// What a request with a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// Carry it out, then [`finish`] or [`abandon`].
    Mine,
    /// Another one is being carried out.
    InFlight,
    /// It was carried out; this was the answer.
    Replay(Answer),
    /// The key was used for another request.
    OtherBody,
}

/// An answer to give again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// A JSON object of headers.
    pub headers: String,
    pub body: String,
}

/// Claims a key. Commit before carrying the request out, so that others see it.
///
/// # Errors
/// Those of the database.
pub async fn claim(tx: &mut Tx, claim: &Claim<'_>) -> Result<Claimed, Error> {
    let mut conn = tx.conn();
    let mine = sql("INSERT INTO idempotency
            (scope, key, body_hash, claimed_at_ms, in_flight_until_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (scope, key) DO UPDATE SET body_hash = excluded.body_hash,
            claimed_at_ms = excluded.claimed_at_ms, status = NULL, headers = NULL, body = NULL,
            in_flight_until_ms = excluded.in_flight_until_ms,
            expires_at_ms = excluded.expires_at_ms
        WHERE idempotency.expires_at_ms <= $4 OR (idempotency.status IS NULL
            AND idempotency.in_flight_until_ms <= $4
            AND idempotency.body_hash = excluded.body_hash)")
    .bind(claim.scope)
    .bind(claim.key)
    .bind(claim.body_hash)
    .bind(claim.now)
    .bind(claim.in_flight_until)
    .bind(claim.expires_at)
    .run(&mut conn)
    .await?;
    if mine > 0 {
        return Ok(Claimed::Mine);
    }
    let row = sql("SELECT body_hash, status, headers, body FROM idempotency
        WHERE scope = $1 AND key = $2")
    .bind(claim.scope)
    .bind(claim.key)
    .optional(&mut conn)
    .await?;
    // Without a row the other one has just been abandoned: the client may try again at once.
    let Some(row) = row else { return Ok(Claimed::InFlight) };
    if row.text(0)? != claim.body_hash {
        return Ok(Claimed::OtherBody);
    }
    Ok(match row.opt_int(1)? {
        None => Claimed::InFlight,
        Some(status) => Claimed::Replay(Answer {
            status: u16::try_from(status).map_err(|error| Error::corrupt("HTTP status", error))?,
            headers: row.string(2)?,
            body: row.string(3)?,
        }),
    })
}

/// Keeps the answer for retries.
///
/// # Errors
/// Those of the database.
pub async fn finish(tx: &mut Tx, scope: &str, key: &str, answer: &Answer) -> Result<(), Error> {
    sql("UPDATE idempotency SET status = $3, headers = $4, body = $5
        WHERE scope = $1 AND key = $2 AND status IS NULL")
    .bind(scope)
    .bind(key)
    .bind(i64::from(answer.status))
    .bind(answer.headers.as_str())
    .bind(answer.body.as_str())
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Gives a claim up: the request was not carried out, and a retry may be.
///
/// # Errors
/// Those of the database.
pub async fn abandon(tx: &mut Tx, scope: &str, key: &str) -> Result<(), Error> {
    sql("DELETE FROM idempotency WHERE scope = $1 AND key = $2 AND status IS NULL")
        .bind(scope)
        .bind(key)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// The answer to a key, without claiming it.
///
/// # Errors
/// Those of the database.
pub async fn answer(
    source: impl Into<Source<'_>>,
    scope: &str,
    key: &str,
) -> Result<Option<Answer>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT status, headers, body FROM idempotency
        WHERE scope = $1 AND key = $2 AND status IS NOT NULL")
    .bind(scope)
    .bind(key)
    .optional(&mut reader.conn())
    .await?;
    row.map(|row| {
        let status =
            u16::try_from(row.int(0)?).map_err(|error| Error::corrupt("HTTP status", error))?;
        Ok(Answer { status, headers: row.string(1)?, body: row.string(2)? })
    })
    .transpose()
}

/// Forgets keys that have expired, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, now: TimeMs, max: u32) -> Result<u64, Error> {
    sql("DELETE FROM idempotency WHERE (scope, key) IN (
            SELECT scope, key FROM idempotency WHERE expires_at_ms <= $1
            ORDER BY expires_at_ms LIMIT $2)")
    .bind(now)
    .bind(max)
    .run(&mut tx.conn())
    .await
}
