//! Passkeys of whoever logs in, and the ceremonies that wait for an authenticator.
//!
//! What is kept of a passkey is public. A challenge comes as a hash, and what the server remembers
//! of it is sealed by the caller; it is taken once, however many present it.

use gx_types::TimeMs;

use super::{Subject, SubjectKind};
use crate::sql::{Row, int, sql};
use crate::{Error, Source, Tx};

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    pub passkey_id: String,
    /// As the authenticator calls it, base64url.
    pub credential_id: String,
    pub kind: SubjectKind,
    pub owner: String,
    /// What its owner calls it.
    pub name: String,
    /// The key and what never changes about it, base64url.
    pub public_key: String,
    /// How the authenticator is reached, as a set of bits.
    pub transports: u8,
    /// What changes with each use, in hexadecimal digits.
    pub state: String,
    pub created_at: TimeMs,
    pub last_used_at: Option<TimeMs>,
}

impl Passkey {
    pub fn subject(&self) -> Subject<'_> {
        Subject { kind: self.kind, id: &self.owner }
    }
}

/// What [`Error::Unique`] says when somebody has registered the credential.
pub const CREDENTIAL: &str = "passkeys.credential_id";

const SELECT: &str = "SELECT passkey_id, credential_id, kind, subject, name, public_key, \
    transports, state, created_at_ms, last_used_at_ms FROM passkeys";

fn passkey(row: &Row) -> Result<Passkey, Error> {
    Ok(Passkey {
        passkey_id: row.string(0)?,
        credential_id: row.string(1)?,
        kind: SubjectKind::from_text(row.text(2)?)?,
        owner: row.string(3)?,
        name: row.string(4)?,
        public_key: row.string(5)?,
        transports: row.small(6)?,
        state: row.string(7)?,
        created_at: row.time(8)?,
        last_used_at: row.opt_time(9)?,
    })
}

/// Keeps a passkey, unless its owner has `max` already. Says whether it was kept.
///
/// # Errors
/// [`Error::Unique`] [`CREDENTIAL`].
pub async fn create(tx: &mut Tx, new: &Passkey, max: u64) -> Result<bool, Error> {
    let touched = sql("INSERT INTO passkeys (passkey_id, credential_id, kind, subject, name,
            public_key, transports, state, created_at_ms)
        SELECT i.* FROM (SELECT $1 AS id, $2 AS credential, $3 AS kind, $4 AS subject, $5 AS name,
            $6 AS public_key, CAST($7 AS BIGINT) AS transports, $8 AS state,
            CAST($9 AS BIGINT) AS created) i
        WHERE (SELECT COUNT(*) FROM passkeys p
            WHERE p.kind = i.kind AND p.subject = i.subject) < $10")
    .bind(new.passkey_id.as_str())
    .bind(new.credential_id.as_str())
    .bind(new.kind.as_str())
    .bind(new.owner.as_str())
    .bind(new.name.as_str())
    .bind(new.public_key.as_str())
    .bind(new.transports)
    .bind(new.state.as_str())
    .bind(new.created_at)
    .bind(int(max)?)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// The passkey that an authenticator calls by this id.
///
/// # Errors
/// Those of the database.
pub async fn by_credential(
    source: impl Into<Source<'_>>,
    credential_id: &str,
) -> Result<Option<Passkey>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{SELECT} WHERE credential_id = $1"))
        .bind(credential_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(passkey).transpose()
}

/// One of somebody's.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    owner: Subject<'_>,
    passkey_id: &str,
) -> Result<Option<Passkey>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{SELECT} WHERE passkey_id = $1 AND kind = $2 AND subject = $3"))
        .bind(passkey_id)
        .bind(owner.kind.as_str())
        .bind(owner.id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(passkey).transpose()
}

/// Somebody's passkeys, oldest first; `after` is time and id of the one that the part begins after.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    owner: Subject<'_>,
    after: Option<(TimeMs, &str)>,
    limit: u32,
) -> Result<Vec<Passkey>, Error> {
    let (created_at, passkey_id) = after.unwrap_or((TimeMs(-1), ""));
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "{SELECT} WHERE kind = $1 AND subject = $2
        AND (created_at_ms > $3 OR (created_at_ms = $3 AND passkey_id > $4))
        ORDER BY created_at_ms, passkey_id LIMIT $5"
    ))
    .bind(owner.kind.as_str())
    .bind(owner.id)
    .bind(created_at)
    .bind(passkey_id)
    .bind(limit)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(passkey).collect()
}

/// How many somebody has.
///
/// # Errors
/// Those of the database.
pub async fn count(source: impl Into<Source<'_>>, owner: Subject<'_>) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql("SELECT COUNT(*) FROM passkeys WHERE kind = $1 AND subject = $2")
        .bind(owner.kind.as_str())
        .bind(owner.id)
        .one(&mut reader.conn())
        .await?
        .natural(0)
}

/// Notes a use. Says whether the state was still the one that the use was checked against: of two
/// uses at once, one counts.
///
/// # Errors
/// Those of the database.
pub async fn note_use(tx: &mut Tx, used: &Passkey, state: &str, at: TimeMs) -> Result<bool, Error> {
    let touched = sql("UPDATE passkeys SET state = $3, last_used_at_ms = $4
        WHERE passkey_id = $1 AND state = $2")
    .bind(used.passkey_id.as_str())
    .bind(used.state.as_str())
    .bind(state)
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Gives one of somebody's another name. Says whether there is one.
///
/// # Errors
/// Those of the database.
pub async fn rename(
    tx: &mut Tx,
    owner: Subject<'_>,
    passkey_id: &str,
    name: &str,
) -> Result<bool, Error> {
    let touched = sql("UPDATE passkeys SET name = $4
        WHERE passkey_id = $1 AND kind = $2 AND subject = $3")
    .bind(passkey_id)
    .bind(owner.kind.as_str())
    .bind(owner.id)
    .bind(name)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Takes one of somebody's away. Says whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn remove(tx: &mut Tx, owner: Subject<'_>, passkey_id: &str) -> Result<bool, Error> {
    let touched = sql("DELETE FROM passkeys WHERE passkey_id = $1 AND kind = $2 AND subject = $3")
        .bind(passkey_id)
        .bind(owner.kind.as_str())
        .bind(owner.id)
        .run(&mut tx.conn())
        .await?;
    Ok(touched > 0)
}

/// Takes all of somebody's away. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn remove_all(tx: &mut Tx, owner: Subject<'_>) -> Result<u64, Error> {
    sql("DELETE FROM passkeys WHERE kind = $1 AND subject = $2")
        .bind(owner.kind.as_str())
        .bind(owner.id)
        .run(&mut tx.conn())
        .await
}

/// What a challenge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// A new passkey of somebody's.
    Register(Subject<'a>),
    /// Whoever of a kind has one logs in.
    LogIn(SubjectKind),
}

impl Purpose<'_> {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Register(_) => "REGISTER",
            Self::LogIn(_) => "LOGIN",
        }
    }

    const fn kind(self) -> SubjectKind {
        match self {
            Self::Register(subject) => subject.kind,
            Self::LogIn(kind) => kind,
        }
    }

    const fn subject(&self) -> Option<&str> {
        match self {
            Self::Register(subject) => Some(subject.id),
            Self::LogIn(_) => None,
        }
    }
}

/// Keeps a challenge, with what the server has to remember of it.
///
/// # Errors
/// Those of the database.
pub async fn open(
    tx: &mut Tx,
    challenge_hash: &str,
    purpose: Purpose<'_>,
    state: &str,
    expires_at: TimeMs,
) -> Result<(), Error> {
    sql("INSERT INTO passkey_challenges (challenge_hash, purpose, kind, subject, state,
            expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(challenge_hash)
    .bind(purpose.as_str())
    .bind(purpose.kind().as_str())
    .bind(purpose.subject())
    .bind(state)
    .bind(expires_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Uses a challenge for this purpose up. `None` when there is none that still stands; of several
/// who present it, one gets what was kept.
///
/// # Errors
/// Those of the database.
pub async fn take(
    tx: &mut Tx,
    challenge_hash: &str,
    purpose: Purpose<'_>,
    now: TimeMs,
) -> Result<Option<String>, Error> {
    let row = sql("DELETE FROM passkey_challenges
        WHERE challenge_hash = $1 AND purpose = $2 AND kind = $3 AND expires_at_ms > $5
            AND COALESCE(subject, '') = $4
        RETURNING state")
    .bind(challenge_hash)
    .bind(purpose.as_str())
    .bind(purpose.kind().as_str())
    .bind(purpose.subject().unwrap_or_default())
    .bind(now)
    .optional(&mut tx.conn())
    .await?;
    row.map(|row| row.string(0)).transpose()
}

/// Removes challenges that ended before a time, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    sql("DELETE FROM passkey_challenges WHERE challenge_hash IN (
            SELECT challenge_hash FROM passkey_challenges WHERE expires_at_ms < $1
            ORDER BY expires_at_ms LIMIT $2)")
    .bind(before)
    .bind(max)
    .run(&mut tx.conn())
    .await
}
