//! What a log-in checks: the password's hash, failures in a row, and the lock they lead to.
//!
//! Apart from the tables of people, so that no page about them can show a hash.

use gx_types::TimeMs;

use super::{Subject, SubjectKind};
use crate::bulk::{Bulk, Column};
use crate::sql::sql;
use crate::{Error, Source, Tx};

/// What a log-in of a subject checks.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub password_hash: String,
    /// Whether the password is for one log-in, at which it must be replaced.
    pub must_change_password: bool,
    pub failed_logins: u64,
    pub locked_until: Option<TimeMs>,
    pub last_login_at: Option<TimeMs>,
    pub password_changed_at: TimeMs,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("must_change_password", &self.must_change_password)
            .field("failed_logins", &self.failed_logins)
            .field("locked_until", &self.locked_until)
            .field("last_login_at", &self.last_login_at)
            .field("password_changed_at", &self.password_changed_at)
            .finish_non_exhaustive()
    }
}

/// A password as it is kept.
#[derive(Clone, Copy)]
pub struct PasswordHash<'a> {
    pub hash: &'a str,
    pub must_change: bool,
}

impl std::fmt::Debug for PasswordHash<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordHash")
            .field("must_change", &self.must_change)
            .finish_non_exhaustive()
    }
}

/// Gives a new subject a password.
pub(crate) async fn create(
    tx: &mut Tx,
    subject: Subject<'_>,
    password: PasswordHash<'_>,
    at: TimeMs,
) -> Result<(), Error> {
    sql("INSERT INTO credentials (kind, subject, password_hash, must_change_password,
            failed_logins, password_changed_at_ms)
        VALUES ($1, $2, $3, $4, 0, $5)")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(password.hash)
    .bind(password.must_change)
    .bind(at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Gives many new users a password, at their times.
pub(crate) async fn create_many(
    tx: &mut Tx,
    users: &[(&str, PasswordHash<'_>, TimeMs)],
) -> Result<(), Error> {
    Bulk::new(
        "INSERT INTO credentials (subject, kind, password_hash, must_change_password,
            failed_logins, password_changed_at_ms) {rows}",
        vec![
            Column::Text(users.iter().map(|(id, _, _)| (*id).into()).collect()),
            Column::Text(users.iter().map(|_| SubjectKind::User.as_str().into()).collect()),
            Column::Text(users.iter().map(|(_, password, _)| password.hash.into()).collect()),
            Column::Int(users.iter().map(|(_, kept, _)| kept.must_change.into()).collect()),
            Column::Int(users.iter().map(|_| 0).collect()),
            Column::Int(users.iter().map(|(_, _, at)| at.0).collect()),
        ],
    )
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Takes everything away that a subject could log in with.
pub(crate) async fn remove(tx: &mut Tx, subject: Subject<'_>) -> Result<(), Error> {
    sql("DELETE FROM credentials WHERE kind = $1 AND subject = $2")
        .bind(subject.kind.as_str())
        .bind(subject.id)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// What a log-in of this subject checks.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
) -> Result<Option<Credentials>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT password_hash, must_change_password, failed_logins, locked_until_ms,
            last_login_at_ms, password_changed_at_ms
        FROM credentials WHERE kind = $1 AND subject = $2")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .optional(&mut reader.conn())
    .await?;
    row.map(|row| {
        Ok(Credentials {
            password_hash: row.string(0)?,
            must_change_password: row.flag(1)?,
            failed_logins: row.natural(2)?,
            locked_until: row.opt_time(3)?,
            last_login_at: row.opt_time(4)?,
            password_changed_at: row.time(5)?,
        })
    })
    .transpose()
}

/// Sets another password and forgets failed log-ins. Says whether there is such a subject.
///
/// # Errors
/// Those of the database.
pub async fn set_password(
    tx: &mut Tx,
    subject: Subject<'_>,
    password: PasswordHash<'_>,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE credentials SET password_hash = $3, must_change_password = $4,
            password_changed_at_ms = $5, failed_logins = 0, locked_until_ms = NULL
        WHERE kind = $1 AND subject = $2")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(password.hash)
    .bind(password.must_change)
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Counts a failed log-in and returns how many there are in a row now.
///
/// # Errors
/// Those of the database.
pub async fn login_failed(tx: &mut Tx, subject: Subject<'_>) -> Result<u64, Error> {
    let row = sql("UPDATE credentials SET failed_logins = failed_logins + 1
        WHERE kind = $1 AND subject = $2 RETURNING failed_logins")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .optional(&mut tx.conn())
    .await?;
    row.map_or(Ok(0), |row| row.natural(0))
}

/// Lets nobody log in as the subject before a time.
///
/// # Errors
/// Those of the database.
pub async fn lock_until(tx: &mut Tx, subject: Subject<'_>, until: TimeMs) -> Result<(), Error> {
    sql("UPDATE credentials SET locked_until_ms = $3 WHERE kind = $1 AND subject = $2")
        .bind(subject.kind.as_str())
        .bind(subject.id)
        .bind(until)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Notes a log-in and forgets failed ones.
///
/// # Errors
/// Those of the database.
pub async fn login_succeeded(tx: &mut Tx, subject: Subject<'_>, at: TimeMs) -> Result<(), Error> {
    sql("UPDATE credentials SET failed_logins = 0, locked_until_ms = NULL, last_login_at_ms = $3
        WHERE kind = $1 AND subject = $2")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}
