//! Mail and text messages to people: what waits, what was delivered and what was given up.
//!
//! The body is sealed by the caller: it may hold what lets somebody in. It goes with the delivery.

use std::str::FromStr;

use gx_types::TimeMs;

use crate::sql::{Row, sql};
use crate::{Error, Source, Tx};

/// By which way a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// E-mail.
    Mail,
    /// Text messages to telephones.
    Text,
}

impl Channel {
    pub const ALL: [Self; 2] = [Self::Mail, Self::Text];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "MAIL",
            Self::Text => "TEXT",
        }
    }

    /// In lower case, for figures and log lines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Text => "text",
        }
    }
}

impl FromStr for Channel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|channel| channel.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no channel"))
    }
}

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    Waiting,
    Delivered,
    /// Whoever it was for cannot be reached that way.
    Undeliverable,
    /// Its time was over before it could be delivered.
    Expired,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Delivered, Self::Undeliverable, Self::Expired];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Delivered => "DELIVERED",
            Self::Undeliverable => "UNDELIVERABLE",
            Self::Expired => "EXPIRED",
        }
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no state of a message"))
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub mail_id: String,
    pub channel: Channel,
    pub recipient: String,
    pub title: String,
    /// As the server has sealed it; empty once it was delivered.
    pub body: String,
    pub created_at: TimeMs,
    /// When what it offers is good for nothing any more.
    pub expires_at: TimeMs,
}

/// A message, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub mail: Mail,
    pub state: State,
    /// Attempts that failed.
    pub attempts: u32,
}

/// What waits on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub channel: Channel,
    pub waiting: u64,
    pub oldest: Option<TimeMs>,
    /// Why something that waits could not be delivered yet.
    pub failure: Option<String>,
}

const COLUMNS: &str = "mail_id, channel, recipient, title, body, created_at_ms, expires_at_ms, \
    state, attempts";

fn kept(row: &Row) -> Result<Kept, Error> {
    Ok(Kept {
        mail: Mail {
            mail_id: row.string(0)?,
            channel: row.parse(1, "channel")?,
            recipient: row.string(2)?,
            title: row.string(3)?,
            body: row.string(4)?,
            created_at: row.time(5)?,
            expires_at: row.time(6)?,
        },
        state: row.parse(7, "state of a message")?,
        attempts: row.small(8)?,
    })
}

/// # Errors
/// Those of the database.
pub async fn put(tx: &mut Tx, mail: &Mail) -> Result<(), Error> {
    sql("INSERT INTO mailbox (mail_id, channel, recipient, title, body, created_at_ms,
            expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(mail.mail_id.as_str())
    .bind(mail.channel.as_str())
    .bind(mail.recipient.as_str())
    .bind(mail.title.as_str())
    .bind(mail.body.as_str())
    .bind(mail.created_at)
    .bind(mail.expires_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// The newest messages, at most `max`, newest first.
///
/// # Errors
/// Those of the database.
pub async fn newest(source: impl Into<Source<'_>>, max: u32) -> Result<Vec<Kept>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM mailbox ORDER BY created_at_ms DESC, mail_id DESC LIMIT $1"
    ))
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(kept).collect()
}

/// The oldest messages of a channel that may be sent now, at most `max`, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn due(
    source: impl Into<Source<'_>>,
    channel: Channel,
    now: TimeMs,
    max: u32,
) -> Result<Vec<Kept>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM mailbox
        WHERE channel = $1 AND state = 'WAITING' AND next_attempt_at_ms <= $2
            AND expires_at_ms > $2
        ORDER BY created_at_ms, mail_id LIMIT $3"
    ))
    .bind(channel.as_str())
    .bind(now)
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(kept).collect()
}

/// Notes that a message has arrived. What it said is not kept.
///
/// # Errors
/// Those of the database.
pub async fn delivered(tx: &mut Tx, mail_id: &str) -> Result<(), Error> {
    end(tx, mail_id, State::Delivered, None).await
}

/// Notes that a message can be delivered to nobody, and why.
///
/// # Errors
/// Those of the database.
pub async fn given_up(tx: &mut Tx, mail_id: &str, failure: &str) -> Result<(), Error> {
    end(tx, mail_id, State::Undeliverable, Some(failure)).await
}

async fn end(tx: &mut Tx, mail_id: &str, state: State, failure: Option<&str>) -> Result<(), Error> {
    sql("UPDATE mailbox SET state = $2, failure = $3, body = '' WHERE mail_id = $1")
        .bind(mail_id)
        .bind(state.as_str())
        .bind(failure)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Notes an attempt that failed, why, and when the next one may be made.
///
/// # Errors
/// Those of the database.
pub async fn failed(
    tx: &mut Tx,
    mail_id: &str,
    failure: &str,
    next_attempt_at: TimeMs,
) -> Result<(), Error> {
    sql("UPDATE mailbox SET attempts = attempts + 1, failure = $2, next_attempt_at_ms = $3
        WHERE mail_id = $1")
    .bind(mail_id)
    .bind(failure)
    .bind(next_attempt_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Gives up what waits on a channel and is good for nothing any more. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn expire(tx: &mut Tx, channel: Channel, now: TimeMs) -> Result<u64, Error> {
    sql("UPDATE mailbox SET state = 'EXPIRED', body = ''
        WHERE channel = $1 AND state = 'WAITING' AND expires_at_ms <= $2")
    .bind(channel.as_str())
    .bind(now)
    .run(&mut tx.conn())
    .await
}

/// What waits on a channel and is still good for something.
///
/// # Errors
/// Those of the database.
pub async fn queue(
    source: impl Into<Source<'_>>,
    channel: Channel,
    now: TimeMs,
) -> Result<Queue, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT COUNT(*), MIN(created_at_ms), MAX(failure) FROM mailbox
        WHERE channel = $1 AND state = 'WAITING' AND expires_at_ms > $2")
    .bind(channel.as_str())
    .bind(now)
    .one(&mut reader.conn())
    .await?;
    let (waiting, oldest) = (row.natural(0)?, row.opt_time(1)?);
    Ok(Queue { channel, waiting, oldest, failure: row.opt_string(2)? })
}

/// Removes messages that expired before a time, at most `max`. Returns how many.
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
