//! Mail to people, until something delivers it: operators and developers read it here.
//!
//! The body is sealed by the caller: it may hold what lets somebody in.

use gx_types::TimeMs;

use crate::sql::sql;
use crate::{Error, Source, Tx};

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub mail_id: String,
    pub recipient: String,
    pub title: String,
    /// As the server has sealed it.
    pub body: String,
    pub created_at: TimeMs,
    /// When what it offers is good for nothing any more.
    pub expires_at: TimeMs,
}

/// # Errors
/// Those of the database.
pub async fn put(tx: &mut Tx, mail: &Mail) -> Result<(), Error> {
    sql("INSERT INTO mailbox (mail_id, recipient, title, body, created_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(mail.mail_id.as_str())
    .bind(mail.recipient.as_str())
    .bind(mail.title.as_str())
    .bind(mail.body.as_str())
    .bind(mail.created_at)
    .bind(mail.expires_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// The newest mail, at most `max`, newest first.
///
/// # Errors
/// Those of the database.
pub async fn newest(source: impl Into<Source<'_>>, max: u32) -> Result<Vec<Mail>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT mail_id, recipient, title, body, created_at_ms, expires_at_ms
        FROM mailbox ORDER BY created_at_ms DESC, mail_id DESC LIMIT $1")
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    let mail = |row: &crate::sql::Row| {
        Ok(Mail {
            mail_id: row.string(0)?,
            recipient: row.string(1)?,
            title: row.string(2)?,
            body: row.string(3)?,
            created_at: row.time(4)?,
            expires_at: row.time(5)?,
        })
    };
    rows.iter().map(mail).collect()
}

/// Removes mail that expired before a time, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    sql("DELETE FROM mailbox WHERE mail_id IN (
            SELECT mail_id FROM mailbox WHERE expires_at_ms < $1
            ORDER BY expires_at_ms LIMIT $2)")
    .bind(before)
    .bind(max)
    .run(&mut tx.conn())
    .await
}
