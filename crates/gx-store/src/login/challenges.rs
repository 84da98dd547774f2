//! Challenges: log-ins whose password was right and whose second factor is still to come.
//!
//! Only the hash of what the client presents is kept. Each attempt is counted before the code is
//! looked at, so that a challenge is good for so many guesses and no more.

use gx_types::TimeMs;

use super::{Subject, SubjectKind};
use crate::sql::sql;
use crate::{Error, Tx};

/// A challenge to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewChallenge<'a> {
    pub challenge_hash: &'a str,
    pub subject: Subject<'a>,
    /// What the client calls its device.
    pub device: Option<&'a str>,
    pub expires_at: TimeMs,
}

/// Whom a challenge is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub kind: SubjectKind,
    pub subject: String,
    pub device: Option<String>,
}

impl Challenge {
    pub fn subject(&self) -> Subject<'_> {
        Subject { kind: self.kind, id: &self.subject }
    }
}

/// # Errors
/// Those of the database.
pub async fn open(tx: &mut Tx, new: NewChallenge<'_>) -> Result<(), Error> {
    sql("INSERT INTO login_challenges (challenge_hash, kind, subject, device, attempts,
            expires_at_ms)
        VALUES ($1, $2, $3, $4, 0, $5)")
    .bind(new.challenge_hash)
    .bind(new.subject.kind.as_str())
    .bind(new.subject.id)
    .bind(new.device)
    .bind(new.expires_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Counts an attempt at a challenge of this kind of subject. `None` when there is none that still
/// stands, or `most` attempts were made. Commit also when the attempt fails.
///
/// # Errors
/// Those of the database.
pub async fn attempt(
    tx: &mut Tx,
    (kind, challenge_hash): (SubjectKind, &str),
    most: u32,
    now: TimeMs,
) -> Result<Option<Challenge>, Error> {
    let row = sql("UPDATE login_challenges SET attempts = attempts + 1
        WHERE challenge_hash = $1 AND kind = $2 AND attempts < $3 AND expires_at_ms > $4
        RETURNING subject, device")
    .bind(challenge_hash)
    .bind(kind.as_str())
    .bind(most)
    .bind(now)
    .optional(&mut tx.conn())
    .await?;
    row.map(|row| Ok(Challenge { kind, subject: row.string(0)?, device: row.opt_string(1)? }))
        .transpose()
}

/// Ends all challenges of somebody.
///
/// # Errors
/// Those of the database.
pub async fn close_all(tx: &mut Tx, subject: Subject<'_>) -> Result<(), Error> {
    sql("DELETE FROM login_challenges WHERE kind = $1 AND subject = $2")
        .bind(subject.kind.as_str())
        .bind(subject.id)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Removes challenges that ended before a time, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    sql("DELETE FROM login_challenges WHERE challenge_hash IN (
            SELECT challenge_hash FROM login_challenges WHERE expires_at_ms < $1
            ORDER BY expires_at_ms LIMIT $2)")
    .bind(before)
    .bind(max)
    .run(&mut tx.conn())
    .await
}
