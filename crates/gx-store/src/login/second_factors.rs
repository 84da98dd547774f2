//! Second factors: a secret that a device of somebody's shares with the server, and codes for
//! whoever has lost the device.
//!
//! The secret is sealed by the caller, and codes come as hashes: nothing here can be used by
//! whoever reads the database. A code is taken once, however many ask at once.

use gx_types::TimeMs;

use super::Subject;
use crate::sql::sql;
use crate::{Error, Source, Tx};

/// The second factor of somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// As the server has sealed it.
    pub secret: String,
    /// Since when it is asked for; `None` until a code has shown that the device has it.
    pub confirmed_at: Option<TimeMs>,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactor")
            .field("confirmed_at", &self.confirmed_at)
            .finish_non_exhaustive()
    }
}

/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
) -> Result<Option<SecondFactor>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT secret, confirmed_at_ms FROM second_factors
        WHERE kind = $1 AND subject = $2")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .optional(&mut reader.conn())
    .await?;
    row.map(|row| Ok(SecondFactor { secret: row.string(0)?, confirmed_at: row.opt_time(1)? }))
        .transpose()
}

/// Keeps a secret that is to be confirmed, in the place of an earlier one that never was. Says
/// whether it did: one that is confirmed stays.
///
/// # Errors
/// Those of the database.
pub async fn set_up(
    tx: &mut Tx,
    subject: Subject<'_>,
    secret: &str,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched =
        sql("INSERT INTO second_factors (kind, subject, secret, created_at_ms, last_step)
        VALUES ($1, $2, $3, $4, -1)
        ON CONFLICT (kind, subject) DO UPDATE
        SET secret = excluded.secret, created_at_ms = excluded.created_at_ms
        WHERE second_factors.confirmed_at_ms IS NULL")
        .bind(subject.kind.as_str())
        .bind(subject.id)
        .bind(secret)
        .bind(at)
        .run(&mut tx.conn())
        .await?;
    Ok(touched > 0)
}

/// Has the secret asked for from now on, with the step of the code that has shown it. Says whether
/// it was this secret that waited for it.
///
/// # Errors
/// Those of the database.
pub async fn confirm(
    tx: &mut Tx,
    subject: Subject<'_>,
    (secret, step): (&str, i64),
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE second_factors SET confirmed_at_ms = $4, last_step = $5
        WHERE kind = $1 AND subject = $2 AND secret = $3 AND confirmed_at_ms IS NULL")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(secret)
    .bind(at)
    .bind(step)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Takes the code of a step. Says whether it was not taken before, nor a later one.
///
/// # Errors
/// Those of the database.
pub async fn take_step(tx: &mut Tx, subject: Subject<'_>, step: i64) -> Result<bool, Error> {
    let touched = sql("UPDATE second_factors SET last_step = $3
        WHERE kind = $1 AND subject = $2 AND last_step < $3 AND confirmed_at_ms IS NOT NULL")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(step)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Keeps codes in the place of all earlier ones.
///
/// # Errors
/// Those of the database.
pub async fn set_recovery_codes(
    tx: &mut Tx,
    subject: Subject<'_>,
    hashes: &[String],
) -> Result<(), Error> {
    forget_recovery_codes(tx, subject).await?;
    for hash in hashes {
        sql("INSERT INTO recovery_codes (kind, subject, code_hash) VALUES ($1, $2, $3)")
            .bind(subject.kind.as_str())
            .bind(subject.id)
            .bind(hash.as_str())
            .run(&mut tx.conn())
            .await?;
    }
    Ok(())
}

/// Takes a recovery code. Says whether there was such a one that nobody had taken.
///
/// # Errors
/// Those of the database.
pub async fn take_recovery_code(
    tx: &mut Tx,
    subject: Subject<'_>,
    hash: &str,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE recovery_codes SET used_at_ms = $4
        WHERE kind = $1 AND subject = $2 AND code_hash = $3 AND used_at_ms IS NULL")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(hash)
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Removes the secret of somebody's device, and leaves the codes to another factor of theirs.
///
/// # Errors
/// Those of the database.
pub async fn remove_device(tx: &mut Tx, subject: Subject<'_>) -> Result<bool, Error> {
    let touched = sql("DELETE FROM second_factors WHERE kind = $1 AND subject = $2")
        .bind(subject.kind.as_str())
        .bind(subject.id)
        .run(&mut tx.conn())
        .await?;
    Ok(touched > 0)
}

/// Removes the second factor and its codes. Says whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn remove(tx: &mut Tx, subject: Subject<'_>) -> Result<bool, Error> {
    forget_recovery_codes(tx, subject).await?;
    remove_device(tx, subject).await
}

async fn forget_recovery_codes(tx: &mut Tx, subject: Subject<'_>) -> Result<(), Error> {
    sql("DELETE FROM recovery_codes WHERE kind = $1 AND subject = $2")
        .bind(subject.kind.as_str())
        .bind(subject.id)
        .run(&mut tx.conn())
        .await
        .map(drop)
}
