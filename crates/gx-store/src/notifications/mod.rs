//! What people are told, and how they want to be.
//!
//! A notification has a number, in the order in which they become visible: whoever has seen one
//! can ask for what came later. Its id says what it tells of, and nobody is told that twice.

mod preferences;
mod topic;

use std::borrow::Cow;

use gx_types::{AccountId, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::login::{Subject, SubjectKind};
use crate::sql::{Row, int, sql};
use crate::{Error, Source, Tx};

pub use preferences::{preferences, set_preferences};
pub use topic::{Channels, Topic};

/// Something to tell somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    pub kind: SubjectKind,
    /// User id or admin id.
    pub subject: String,
    /// The same for the same reader and the same cause.
    pub notification_id: String,
    pub topic: Topic,
    pub title: String,
    pub message: String,
    /// What it is about: its type and its id.
    pub resource: Option<(&'static str, String)>,
    /// Whether something waits for the reader.
    pub action_required: bool,
    pub created_at: TimeMs,
}

/// What somebody was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub number: i64,
    pub notification_id: String,
    pub topic: Topic,
    pub title: String,
    pub message: String,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub action_required: bool,
    pub created_at: TimeMs,
    pub read_at: Option<TimeMs>,
}

/// Which of somebody's notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Which {
    /// Those that were read, or those that were not.
    pub read: Option<bool>,
    /// Those before this number.
    pub before: Option<i64>,
    pub offset: u64,
}

/// A mail that has to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    pub number: i64,
    /// Nobody's when the reader is gone.
    pub address: Option<String>,
    pub title: String,
    pub message: String,
}

const COLUMNS: &str = "notification_no, notification_id, topic, title, message, resource_type, \
    resource_id, action_required, created_at_ms, read_at_ms";

fn notification(row: &Row) -> Result<Notification, Error> {
    Ok(Notification {
        number: row.int(0)?,
        notification_id: row.string(1)?,
        topic: Topic::from_text(row.text(2)?)?,
        title: row.string(3)?,
        message: row.string(4)?,
        resource_type: row.opt_string(5)?,
        resource_id: row.opt_string(6)?,
        action_required: row.flag(7)?,
        created_at: row.time(8)?,
        read_at: row.opt_time(9)?,
    })
}

/// The last block that was told of; `None` before [`begin_after`].
///
/// # Errors
/// Those of the database.
pub async fn told_block(source: impl Into<Source<'_>>) -> Result<Option<u64>, Error> {
    let mut reader = source.into().open().await?;
    let text = "SELECT block FROM notification_head WHERE id = 1";
    let row = sql(text).one(&mut reader.conn()).await?;
    row.opt_int(0)?.map(|_| row.natural(0)).transpose()
}

/// Has the platform tell of what follows a block, unless it does already: of what was before it
/// came nobody is told.
///
/// # Errors
/// Those of the database.
pub async fn begin_after(tx: &mut Tx, block: u64) -> Result<(), Error> {
    sql("UPDATE notification_head SET block = $1 WHERE id = 1 AND block IS NULL")
        .bind(int(block)?)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Notes that everything up to a block was told.
///
/// # Errors
/// Those of the database.
pub async fn told(tx: &mut Tx, block: u64) -> Result<(), Error> {
    sql("UPDATE notification_head SET block = $1 WHERE id = 1")
        .bind(int(block)?)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// The newest number that there is.
///
/// # Errors
/// Those of the database.
pub async fn newest(source: impl Into<Source<'_>>) -> Result<i64, Error> {
    let mut reader = source.into().open().await?;
    let text = "SELECT newest_no FROM notification_head WHERE id = 1";
    sql(text).one(&mut reader.conn()).await?.int(0)
}

/// Tells people, each as they want to be told. Returns how many notifications there are now that
/// were not there before.
///
/// # Errors
/// Those of the database.
pub async fn put(tx: &mut Tx, new: &[NewNotification]) -> Result<u64, Error> {
    let wanted = preferences::channels(tx, new).await?;
    let told: Vec<(&NewNotification, Channels)> = new
        .iter()
        .zip(wanted)
        .filter(|(_, channels)| channels.in_app || channels.by_mail)
        .collect();
    if told.is_empty() {
        return Ok(0);
    }
    let count = i64::try_from(told.len()).unwrap_or(i64::MAX);
    let mut conn = tx.conn();
    let row = sql("UPDATE notification_head SET newest_no = newest_no + $1 WHERE id = 1
        RETURNING newest_no")
    .bind(count)
    .one(&mut conn)
    .await?;
    let first = row.int(0)? - count + 1;
    let texts = |of: fn(&NewNotification) -> &str| {
        Column::Text(told.iter().map(|(new, _)| Cow::from(of(new))).collect())
    };
    let flags = |of: fn(&(&NewNotification, Channels)) -> bool| {
        Column::Int(told.iter().map(|row| i64::from(of(row))).collect())
    };
    let resource = |of: fn(&NewNotification) -> Option<&str>| {
        Column::OptText(told.iter().map(|(new, _)| of(new).map(Cow::from)).collect())
    };
    let columns = vec![
        Column::Int((first..).take(told.len()).collect()),
        texts(|new| new.kind.as_str()),
        texts(|new| &new.subject),
        texts(|new| &new.notification_id),
        texts(|new| new.topic.as_str()),
        texts(|new| &new.title),
        texts(|new| &new.message),
        resource(|new| new.resource.as_ref().map(|(kind, _)| *kind)),
        resource(|new| new.resource.as_ref().map(|(_, id)| id.as_str())),
        flags(|(new, _)| new.action_required),
        flags(|(_, channels)| channels.in_app),
        flags(|(_, channels)| channels.by_mail),
        Column::Int(told.iter().map(|(new, _)| new.created_at.0).collect()),
    ];
    let text = "INSERT INTO notifications (notification_no, kind, subject, notification_id, topic,
            title, message, resource_type, resource_id, action_required, in_app, mail_due,
            created_at_ms)
        {rows} ON CONFLICT (kind, subject, notification_id) DO NOTHING";
    Bulk::new(text, columns).run(&mut conn).await
}

/// A page of what somebody was told, newest first.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
    which: Which,
    limit: u32,
) -> Result<Vec<Notification>, Error> {
    let mut reader = source.into().open().await?;
    let condition = match which.read {
        None => "",
        Some(true) => "AND read_at_ms IS NOT NULL",
        Some(false) => "AND read_at_ms IS NULL",
    };
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM notifications
        WHERE kind = $1 AND subject = $2 AND in_app = 1 AND notification_no < $3 {condition}
        ORDER BY notification_no DESC LIMIT $4 OFFSET $5"
    ))
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(which.before.unwrap_or(i64::MAX))
    .bind(limit)
    .bind(int(which.offset)?)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(notification).collect()
}

/// What somebody was told after a number, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn since(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
    after: i64,
    limit: u32,
) -> Result<Vec<Notification>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM notifications
        WHERE kind = $1 AND subject = $2 AND in_app = 1 AND notification_no > $3
        ORDER BY notification_no LIMIT $4"
    ))
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(after)
    .bind(limit)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(notification).collect()
}

/// How many notifications somebody has of these, and how many of all they have not read.
///
/// # Errors
/// Those of the database.
pub async fn count(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
    read: Option<bool>,
) -> Result<(u64, u64), Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT COUNT(*), COUNT(*) - COUNT(read_at_ms) FROM notifications
        WHERE kind = $1 AND subject = $2 AND in_app = 1")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .one(&mut reader.conn())
    .await?;
    let (all, unread) = (row.natural(0)?, row.natural(1)?);
    let total = match read {
        None => all,
        Some(true) => all.saturating_sub(unread),
        Some(false) => unread,
    };
    Ok((total, unread))
}

/// How many notifications somebody has not read.
///
/// # Errors
/// Those of the database.
pub async fn unread(source: impl Into<Source<'_>>, subject: Subject<'_>) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql("SELECT COUNT(*) FROM notifications
        WHERE kind = $1 AND subject = $2 AND in_app = 1 AND read_at_ms IS NULL")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .one(&mut reader.conn())
    .await?
    .natural(0)
}

/// Notes that somebody has read one of theirs, and gives it back; `None` when there is no such.
/// When it was read first stays.
///
/// # Errors
/// Those of the database.
pub async fn read(
    tx: &mut Tx,
    subject: Subject<'_>,
    notification_id: &str,
    now: TimeMs,
) -> Result<Option<Notification>, Error> {
    let row = sql(format!(
        "UPDATE notifications SET read_at_ms = COALESCE(read_at_ms, $4)
        WHERE kind = $1 AND subject = $2 AND notification_id = $3 AND in_app = 1
        RETURNING {COLUMNS}"
    ))
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(notification_id)
    .bind(now)
    .optional(&mut tx.conn())
    .await?;
    row.as_ref().map(notification).transpose()
}

/// Notes that somebody has read all of theirs. Returns how many they had not.
///
/// # Errors
/// Those of the database.
pub async fn read_all(tx: &mut Tx, subject: Subject<'_>, now: TimeMs) -> Result<u64, Error> {
    sql("UPDATE notifications SET read_at_ms = $3
        WHERE kind = $1 AND subject = $2 AND in_app = 1 AND read_at_ms IS NULL")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .bind(now)
    .run(&mut tx.conn())
    .await
}

/// Mail that has to be written, in the order of what it tells.
///
/// # Errors
/// Those of the database.
pub async fn due_mail(source: impl Into<Source<'_>>, max: u32) -> Result<Vec<DueMail>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT n.notification_no, COALESCE(u.email, d.email), n.title, n.message
        FROM notifications n
        LEFT JOIN users u ON n.kind = 'USER' AND u.user_id = n.subject
        LEFT JOIN admins d ON n.kind = 'ADMIN' AND d.admin_id = n.subject
        WHERE n.mail_due = 1 ORDER BY n.notification_no LIMIT $1")
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    let mail = |row: &Row| {
        Ok(DueMail {
            number: row.int(0)?,
            address: row.opt_string(1)?,
            title: row.string(2)?,
            message: row.string(3)?,
        })
    };
    rows.iter().map(mail).collect()
}

/// Notes that mail was written.
///
/// # Errors
/// Those of the database.
pub async fn mailed(tx: &mut Tx, numbers: Vec<i64>) -> Result<(), Error> {
    Bulk::new(
        "WITH input (notification_no) AS ({rows})
        UPDATE notifications SET mail_due = 0
        WHERE notification_no IN (SELECT i.notification_no FROM input i)",
        vec![Column::Int(numbers)],
    )
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// The users behind accounts: whose it is, and of an organization or a treasury those who decide.
///
/// # Errors
/// Those of the database.
pub async fn readers(
    source: impl Into<Source<'_>>,
    accounts: &[AccountId],
) -> Result<Vec<(AccountId, String)>, Error> {
    let mut reader = source.into().open().await?;
    let ids = accounts.iter().map(|id| id.as_str().into()).collect();
    let rows = Bulk::new(
        "WITH input (account_id) AS ({rows})
        SELECT i.account_id, u.user_id FROM input i
        JOIN users u ON u.ledger_id = i.account_id
        UNION SELECT i.account_id, u.user_id FROM input i
        JOIN organization_stakeholders s ON s.org_id = i.account_id
        JOIN users u ON u.ledger_id = s.stakeholder_id
        UNION SELECT i.account_id, u.user_id FROM input i
        JOIN treasuries t ON t.treasury_id = i.account_id
        JOIN organization_stakeholders s ON s.org_id = t.org_id
        JOIN users u ON u.ledger_id = s.stakeholder_id",
        vec![Column::Text(ids)],
    )
    .all(&mut reader.conn())
    .await?;
    let mut found = rows
        .iter()
        .map(|row| Ok((row.parse(0, "account id")?, row.string(1)?)))
        .collect::<Result<Vec<(AccountId, String)>, Error>>()?;
    found.sort_unstable();
    Ok(found)
}

/// Removes notifications that were made before a time, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    sql("DELETE FROM notifications WHERE notification_no IN (
            SELECT notification_no FROM notifications WHERE created_at_ms < $1
            ORDER BY created_at_ms LIMIT $2)")
    .bind(before)
    .bind(max)
    .run(&mut tx.conn())
    .await
}
