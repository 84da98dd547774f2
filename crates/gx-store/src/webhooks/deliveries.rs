//! What endpoints are told: each message once for each endpoint, with what came of it.

use std::borrow::Cow;

use gx_types::TimeMs;

use crate::bulk::{Bulk, Column};
use crate::sql::{Row, int, sql};
use crate::{Error, Source, Tx};

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is due, or will be again.
    Pending,
    Delivered,
    /// Its attempts are over.
    Failed,
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
        }
    }

    fn from_text(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| Error::corrupt("state of a delivery", text))
    }
}

/// Something to tell an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    pub webhook_id: String,
    /// The same for every endpoint and every attempt.
    pub message_id: String,
    pub event_type: String,
    /// A JSON object.
    pub data: String,
    pub occurred_at: TimeMs,
    pub created_at: TimeMs,
    /// When attempts end.
    pub until: TimeMs,
}

/// A message to an endpoint, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub webhook_id: String,
    pub message_id: String,
    pub event_type: String,
    /// A JSON object.
    pub data: String,
    pub occurred_at: TimeMs,
    pub state: DeliveryState,
    pub attempts: u32,
    pub created_at: TimeMs,
    /// When it is attempted next, while it is pending.
    pub next_at: TimeMs,
    pub until: TimeMs,
    pub last_at: Option<TimeMs>,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// Why there was no answer, or none that counts.
    pub last_error: Option<String>,
    pub delivered_at: Option<TimeMs>,
}

/// What an attempt has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted<'a> {
    pub at: TimeMs,
    pub state: DeliveryState,
    pub next_at: TimeMs,
    pub status: Option<u16>,
    pub error: Option<&'a str>,
}

const COLUMNS: &str = "d.webhook_id, d.message_id, d.event_type, d.data, d.occurred_at_ms, \
    d.state, d.attempts, d.created_at_ms, d.next_at_ms, d.until_ms, d.last_at_ms, d.last_status, \
    d.last_error, d.delivered_at_ms";

fn delivery(row: &Row) -> Result<Delivery, Error> {
    Ok(Delivery {
        webhook_id: row.string(0)?,
        message_id: row.string(1)?,
        event_type: row.string(2)?,
        data: row.string(3)?,
        occurred_at: row.time(4)?,
        state: DeliveryState::from_text(row.text(5)?)?,
        attempts: row.small(6)?,
        created_at: row.time(7)?,
        next_at: row.time(8)?,
        until: row.time(9)?,
        last_at: row.opt_time(10)?,
        last_status: row.opt_int(11)?.and_then(|status| u16::try_from(status).ok()),
        last_error: row.opt_string(12)?,
        delivered_at: row.opt_time(13)?,
    })
}

/// Adds deliveries that are not there, due at once. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn add(tx: &mut Tx, new: &[NewDelivery]) -> Result<u64, Error> {
    let texts = |of: fn(&NewDelivery) -> &str| {
        Column::Text(new.iter().map(|new| Cow::from(of(new))).collect())
    };
    let times =
        |of: fn(&NewDelivery) -> TimeMs| Column::Int(new.iter().map(|new| of(new).0).collect());
    let columns = vec![
        texts(|new| &new.webhook_id),
        texts(|new| &new.message_id),
        texts(|new| &new.event_type),
        texts(|new| &new.data),
        times(|new| new.occurred_at),
        texts(|_| DeliveryState::Pending.as_str()),
        Column::Int(vec![0; new.len()]),
        times(|new| new.created_at),
        times(|new| new.created_at),
        times(|new| new.until),
    ];
    Bulk::new(
        "INSERT INTO webhook_deliveries (webhook_id, message_id, event_type, data, occurred_at_ms,
            state, attempts, created_at_ms, next_at_ms, until_ms)
        {rows} ON CONFLICT (webhook_id, message_id) DO NOTHING",
        columns,
    )
    .run(&mut tx.conn())
    .await
}

/// The endpoints that are enabled and have something due. A partner who is not let in is told
/// nothing.
///
/// # Errors
/// Those of the database.
pub async fn endpoints_due(
    source: impl Into<Source<'_>>,
    now: TimeMs,
) -> Result<Vec<String>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT w.webhook_id FROM webhooks w WHERE w.enabled = 1
            AND (w.partner_id IS NULL OR EXISTS (SELECT 1 FROM partners p
                WHERE p.partner_id = w.partner_id AND p.status = 'ACTIVE'))
            AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id
                AND d.state = 'PENDING' AND d.next_at_ms <= $1)
        ORDER BY w.webhook_id")
    .bind(now)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(|row| row.string(0)).collect()
}

/// What is due for an endpoint, longest due first.
///
/// # Errors
/// Those of the database.
pub async fn due(
    source: impl Into<Source<'_>>,
    webhook_id: &str,
    now: TimeMs,
    max: u32,
) -> Result<Vec<Delivery>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM webhook_deliveries d
        WHERE d.webhook_id = $1 AND d.state = 'PENDING' AND d.next_at_ms <= $2
        ORDER BY d.next_at_ms, d.message_id LIMIT $3"
    ))
    .bind(webhook_id)
    .bind(now)
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(delivery).collect()
}

/// How many deliveries are pending, those of disabled endpoints left out.
///
/// # Errors
/// Those of the database.
pub async fn pending(source: impl Into<Source<'_>>) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql("SELECT COUNT(*) FROM webhooks w JOIN webhook_deliveries d
            ON d.webhook_id = w.webhook_id AND d.state = 'PENDING'
        WHERE w.enabled = 1")
    .one(&mut reader.conn())
    .await?
    .natural(0)
}

/// Notes what an attempt has come to, for the delivery and for its endpoint. Nothing, when the
/// delivery is gone.
///
/// # Errors
/// Those of the database.
pub async fn attempted(
    tx: &mut Tx,
    webhook_id: &str,
    message_id: &str,
    outcome: &Attempted<'_>,
) -> Result<(), Error> {
    let mut conn = tx.conn();
    let delivered = outcome.state == DeliveryState::Delivered;
    sql("UPDATE webhook_deliveries SET state = $3, attempts = attempts + 1, next_at_ms = $4,
            last_at_ms = $5, last_status = $6, last_error = $7, delivered_at_ms = $8
        WHERE webhook_id = $1 AND message_id = $2")
    .bind(webhook_id)
    .bind(message_id)
    .bind(outcome.state.as_str())
    .bind(outcome.next_at)
    .bind(outcome.at)
    .bind(outcome.status.map(i64::from))
    .bind(outcome.error)
    .bind(delivered.then_some(outcome.at))
    .run(&mut conn)
    .await?;
    let text = if delivered {
        "UPDATE webhooks SET last_triggered_at_ms = $2, last_success_at_ms = $2, failure_count = 0
        WHERE webhook_id = $1"
    } else {
        "UPDATE webhooks SET last_triggered_at_ms = $2, last_failure_at_ms = $2,
            failure_count = failure_count + 1
        WHERE webhook_id = $1"
    };
    sql(text).bind(webhook_id).bind(outcome.at).run(&mut conn).await.map(drop)
}

/// One of an endpoint's.
///
/// # Errors
/// Those of the database.
pub async fn one(
    source: impl Into<Source<'_>>,
    webhook_id: &str,
    message_id: &str,
) -> Result<Option<Delivery>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!(
        "SELECT {COLUMNS} FROM webhook_deliveries d WHERE d.webhook_id = $1 AND d.message_id = $2"
    ))
    .bind(webhook_id)
    .bind(message_id)
    .optional(&mut reader.conn())
    .await?;
    row.as_ref().map(delivery).transpose()
}

/// Messages that are counted at most: the total of a longer list is this.
const COUNTED_MAX: i64 = 1_000;

/// A page of an endpoint's, newest first, and how many there are, as far as they are counted.
///
/// # Errors
/// Those of the database.
pub async fn list_of(
    source: impl Into<Source<'_>>,
    webhook_id: &str,
    state: Option<DeliveryState>,
    offset: u64,
    limit: u32,
) -> Result<(Vec<Delivery>, u64), Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let condition = match state {
        Some(_) => "d.webhook_id = $1 AND d.state = $2",
        None => "d.webhook_id = $1 AND $2 = ''",
    };
    let state = state.map_or("", DeliveryState::as_str);
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM webhook_deliveries d WHERE {condition}
        ORDER BY d.created_at_ms DESC, d.message_id DESC LIMIT $3 OFFSET $4"
    ))
    .bind(webhook_id)
    .bind(state)
    .bind(limit)
    .bind(int(offset)?)
    .all(&mut conn)
    .await?;
    let total = sql(format!(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM webhook_deliveries d WHERE {condition}
            LIMIT $3) counted"
    ))
    .bind(webhook_id)
    .bind(state)
    .bind(COUNTED_MAX)
    .one(&mut conn)
    .await?
    .natural(0)?;
    Ok((rows.iter().map(delivery).collect::<Result<_, _>>()?, total))
}

/// Has a delivery attempted anew, from the first attempt on. Says whether there is one.
///
/// # Errors
/// Those of the database.
pub async fn replay(
    tx: &mut Tx,
    webhook_id: &str,
    message_id: &str,
    (now, until): (TimeMs, TimeMs),
) -> Result<bool, Error> {
    let touched = sql("UPDATE webhook_deliveries SET state = 'PENDING', attempts = 0,
            next_at_ms = $3, until_ms = $4, delivered_at_ms = NULL
        WHERE webhook_id = $1 AND message_id = $2")
    .bind(webhook_id)
    .bind(message_id)
    .bind(now)
    .bind(until)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Removes deliveries that were made before a time, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    let mut conn = tx.conn();
    let rows = sql("SELECT webhook_id, message_id FROM webhook_deliveries
        WHERE created_at_ms < $1 ORDER BY created_at_ms, webhook_id, message_id LIMIT $2")
    .bind(before)
    .bind(max)
    .all(&mut conn)
    .await?;
    let texts = |column: usize| {
        let read = rows.iter().map(|row| row.string(column).map(Cow::from));
        read.collect::<Result<Vec<_>, _>>().map(Column::Text)
    };
    Bulk::new(
        "WITH input (webhook_id, message_id) AS ({rows})
        DELETE FROM webhook_deliveries WHERE (webhook_id, message_id)
            IN (SELECT i.webhook_id, i.message_id FROM input i)",
        vec![texts(0)?, texts(1)?],
    )
    .run(&mut conn)
    .await
}
