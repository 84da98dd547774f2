//! Where other systems are told of what the ledger did, and what they are told.
//!
//! Secrets are sealed by the caller. How a message is written and sent is the server's matter.

pub mod deliveries;

use gx_types::TimeMs;

use crate::sql::{Row, int, json_of, sql};
use crate::{Error, Source, Tx};

/// The type that stands for all of them in the list of an endpoint.
pub const ALL_EVENTS: &str = "*";

/// An endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    pub webhook_id: String,
    pub name: String,
    pub url: String,
    /// Types of events, or [`ALL_EVENTS`].
    pub events: Vec<String>,
    pub enabled: bool,
    /// Why it was disabled, when the platform did it.
    pub disabled_reason: Option<String>,
    /// Sealed.
    pub secret: String,
    /// Sealed; signs until that time beside the present one.
    pub previous: Option<(String, TimeMs)>,
    /// The partner whose it is; the platform's own without.
    pub partner_id: Option<String>,
    /// Admin id, or id of the partner's key.
    pub created_by: String,
    pub created_at: TimeMs,
    pub updated_at: TimeMs,
    pub last_triggered_at: Option<TimeMs>,
    pub last_success_at: Option<TimeMs>,
    pub last_failure_at: Option<TimeMs>,
    /// Failed attempts since the last success.
    pub failure_count: u64,
}

/// Addresses can hold what lets somebody in.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook {}", self.webhook_id)
    }
}

impl Webhook {
    /// Whether it is told of events of this type.
    pub fn wants(&self, event_type: &str) -> bool {
        self.events.iter().any(|wanted| wanted == event_type || wanted == ALL_EVENTS)
    }
}

const COLUMNS: &str = "webhook_id, name, url, events, enabled, disabled_reason, secret, \
    previous_secret, previous_until_ms, created_by, created_at_ms, updated_at_ms, \
    last_triggered_at_ms, last_success_at_ms, last_failure_at_ms, failure_count, partner_id";

fn webhook(row: &Row) -> Result<Webhook, Error> {
    Ok(Webhook {
        webhook_id: row.string(0)?,
        name: row.string(1)?,
        url: row.string(2)?,
        events: row.opt_json(3, "types of events")?.unwrap_or_default(),
        enabled: row.flag(4)?,
        disabled_reason: row.opt_string(5)?,
        secret: row.string(6)?,
        previous: row.opt_string(7)?.zip(row.opt_time(8)?),
        created_by: row.string(9)?,
        created_at: row.time(10)?,
        updated_at: row.time(11)?,
        last_triggered_at: row.opt_time(12)?,
        last_success_at: row.opt_time(13)?,
        last_failure_at: row.opt_time(14)?,
        failure_count: row.natural(15)?,
        partner_id: row.opt_string(16)?,
    })
}

/// Adds one, unless whoever has it has `max` already. Says whether it was added.
///
/// # Errors
/// Those of the database.
pub async fn create(tx: &mut Tx, new: &Webhook, max: u64) -> Result<bool, Error> {
    let touched = sql("INSERT INTO webhooks (webhook_id, name, url, events, enabled, secret,
            created_by, created_at_ms, updated_at_ms, failure_count, partner_id)
        SELECT i.* FROM (SELECT $1 AS id, $2 AS name, $3 AS url, $4 AS events,
            CAST($5 AS BIGINT) AS enabled, $6 AS secret, $7 AS created_by,
            CAST($8 AS BIGINT) AS created, CAST($8 AS BIGINT) AS updated,
            CAST(0 AS BIGINT) AS failures, CAST($10 AS TEXT) AS partner) i
        WHERE (SELECT COUNT(*) FROM webhooks w
            WHERE COALESCE(w.partner_id, '') = COALESCE(CAST($10 AS TEXT), '')) < $9")
    .bind(new.webhook_id.as_str())
    .bind(new.name.as_str())
    .bind(new.url.as_str())
    .bind(json_of(&new.events))
    .bind(new.enabled)
    .bind(new.secret.as_str())
    .bind(new.created_by.as_str())
    .bind(new.created_at)
    .bind(int(max)?)
    .bind(new.partner_id.as_deref())
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    webhook_id: &str,
) -> Result<Option<Webhook>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM webhooks WHERE webhook_id = $1"))
        .bind(webhook_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(webhook).transpose()
}

/// A page of a partner's, or of the platform's own, newest first, and how many there are.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    partner_id: Option<&str>,
    offset: u64,
    limit: u32,
) -> Result<(Vec<Webhook>, u64), Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM webhooks WHERE COALESCE(partner_id, '') = $3
        ORDER BY created_at_ms DESC, webhook_id DESC LIMIT $1 OFFSET $2"
    ))
    .bind(limit)
    .bind(int(offset)?)
    .bind(partner_id.unwrap_or_default())
    .all(&mut conn)
    .await?;
    let total = sql("SELECT COUNT(*) FROM webhooks WHERE COALESCE(partner_id, '') = $1")
        .bind(partner_id.unwrap_or_default())
        .one(&mut conn)
        .await?
        .natural(0)?;
    Ok((rows.iter().map(webhook).collect::<Result<_, _>>()?, total))
}

/// Those that are told of events now.
///
/// # Errors
/// Those of the database.
pub async fn enabled(source: impl Into<Source<'_>>) -> Result<Vec<Webhook>, Error> {
    let mut reader = source.into().open().await?;
    let text = format!("SELECT {COLUMNS} FROM webhooks WHERE enabled = 1 ORDER BY webhook_id");
    let rows = sql(text).all(&mut reader.conn()).await?;
    rows.iter().map(webhook).collect()
}

/// Changes name, address, events, and whether it is enabled. Says whether there is one.
///
/// # Errors
/// Those of the database.
pub async fn update(tx: &mut Tx, to: &Webhook) -> Result<bool, Error> {
    let touched = sql("UPDATE webhooks SET name = $2, url = $3, events = $4, enabled = $5,
            disabled_reason = $6, failure_count = $7, updated_at_ms = $8
        WHERE webhook_id = $1")
    .bind(to.webhook_id.as_str())
    .bind(to.name.as_str())
    .bind(to.url.as_str())
    .bind(json_of(&to.events))
    .bind(to.enabled)
    .bind(to.disabled_reason.as_deref())
    .bind(int(to.failure_count)?)
    .bind(to.updated_at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Gives it another secret; the present one signs as well until a time. Says whether there is one.
///
/// # Errors
/// Those of the database.
pub async fn rotate(
    tx: &mut Tx,
    webhook_id: &str,
    secret: &str,
    until: TimeMs,
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE webhooks SET previous_secret = secret, previous_until_ms = $3,
            secret = $2, updated_at_ms = $4
        WHERE webhook_id = $1")
    .bind(webhook_id)
    .bind(secret)
    .bind(until)
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Removes it with all that it was told. Says whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn remove(tx: &mut Tx, webhook_id: &str) -> Result<bool, Error> {
    let mut conn = tx.conn();
    sql("DELETE FROM webhook_deliveries WHERE webhook_id = $1")
        .bind(webhook_id)
        .run(&mut conn)
        .await?;
    let text = "DELETE FROM webhooks WHERE webhook_id = $1";
    Ok(sql(text).bind(webhook_id).run(&mut conn).await? > 0)
}

/// Disables it for a reason, if it is enabled. Says whether it was.
///
/// # Errors
/// Those of the database.
pub async fn disable(
    tx: &mut Tx,
    webhook_id: &str,
    reason: &str,
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE webhooks SET enabled = 0, disabled_reason = $2, updated_at_ms = $3
        WHERE webhook_id = $1 AND enabled = 1")
    .bind(webhook_id)
    .bind(reason)
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}
