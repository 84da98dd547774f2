//! Keys of partners. A key has a public part, by which it is found and named, and a secret, of
//! which a hash is kept. Several may be good at once, so that one can follow another.

use gx_types::TimeMs;

use super::partners::words;
use crate::sql::{Row, int, sql};
use crate::{Error, Source, Tx};

/// A key of a partner.
#[derive(Clone, PartialEq, Eq)]
pub struct PartnerKey {
    /// The part of it that everybody may see.
    pub key_id: String,
    pub partner_id: String,
    /// The secret's hash under the server's key.
    pub secret_hash: String,
    pub label: Option<String>,
    pub scopes: Vec<String>,
    /// Networks that it is good from; none for all.
    pub networks: Vec<String>,
    /// In place of what everybody has.
    pub requests_per_minute: Option<u32>,
    pub created_by: String,
    pub created_at: TimeMs,
    pub expires_at: Option<TimeMs>,
    pub revoked_at: Option<TimeMs>,
    pub last_used_at: Option<TimeMs>,
}

impl std::fmt::Debug for PartnerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("PartnerKey");
        shown.field("key_id", &self.key_id).field("partner_id", &self.partner_id);
        shown.field("revoked_at", &self.revoked_at).finish_non_exhaustive()
    }
}

pub(super) const COLUMNS: &str = "k.key_id, k.partner_id, k.secret_hash, k.label, k.scopes, \
    k.networks, k.requests_per_minute, k.created_by, k.created_at_ms, k.expires_at_ms, \
    k.revoked_at_ms, k.last_used_at_ms";

/// How many they are.
pub(super) const COLUMN_COUNT: usize = 12;

pub(super) fn key(row: &Row) -> Result<PartnerKey, Error> {
    let limit = row.opt_int(6)?.map(u32::try_from).transpose();
    Ok(PartnerKey {
        key_id: row.string(0)?,
        partner_id: row.string(1)?,
        secret_hash: row.string(2)?,
        label: row.opt_string(3)?,
        scopes: words(row.text(4)?),
        networks: words(row.text(5)?),
        requests_per_minute: limit.map_err(|error| Error::corrupt("requests a minute", error))?,
        created_by: row.string(7)?,
        created_at: row.time(8)?,
        expires_at: row.opt_time(9)?,
        revoked_at: row.opt_time(10)?,
        last_used_at: row.opt_time(11)?,
    })
}

/// Adds a key, unless the partner has `max` that are good already. Says whether it was added.
///
/// # Errors
/// Those of the database.
pub async fn create(tx: &mut Tx, new: &PartnerKey, max: u64) -> Result<bool, Error> {
    let mut conn = tx.conn();
    // Of two keys that are made at once, the second counts the first.
    sql("UPDATE partners SET updated_at_ms = updated_at_ms WHERE partner_id = $1")
        .bind(new.partner_id.as_str())
        .run(&mut conn)
        .await?;
    let good = sql("SELECT COUNT(*) FROM partner_keys WHERE partner_id = $1
        AND revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > $2)")
    .bind(new.partner_id.as_str())
    .bind(new.created_at)
    .one(&mut conn)
    .await?;
    if good.int(0)? >= int(max)? {
        return Ok(false);
    }
    sql("INSERT INTO partner_keys (key_id, partner_id, secret_hash, label, scopes, networks,
            requests_per_minute, created_by, created_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind(new.key_id.as_str())
    .bind(new.partner_id.as_str())
    .bind(new.secret_hash.as_str())
    .bind(new.label.as_deref())
    .bind(new.scopes.join(" "))
    .bind(new.networks.join(" "))
    .bind(new.requests_per_minute.map(i64::from))
    .bind(new.created_by.as_str())
    .bind(new.created_at)
    .bind(new.expires_at)
    .run(&mut conn)
    .await?;
    Ok(true)
}

/// Keys of a partner, at most `limit`: those that were not revoked first, then the newest.
///
/// # Errors
/// Those of the database.
pub async fn of_partner(
    source: impl Into<Source<'_>>,
    partner_id: &str,
    limit: u32,
) -> Result<Vec<PartnerKey>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM partner_keys k WHERE k.partner_id = $1
        ORDER BY CASE WHEN k.revoked_at_ms IS NULL THEN 0 ELSE 1 END, k.created_at_ms DESC,
            k.key_id LIMIT $2"
    ))
    .bind(partner_id)
    .bind(limit)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(key).collect()
}

/// Ends a key of a partner. Says whether there was one that was not ended.
///
/// # Errors
/// Those of the database.
pub async fn revoke(
    tx: &mut Tx,
    partner_id: &str,
    key_id: &str,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE partner_keys SET revoked_at_ms = $3
        WHERE key_id = $1 AND partner_id = $2 AND revoked_at_ms IS NULL")
    .bind(key_id)
    .bind(partner_id)
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Notes that a key is used.
///
/// # Errors
/// Those of the database.
pub async fn touch(tx: &mut Tx, key_id: &str, at: TimeMs) -> Result<(), Error> {
    sql("UPDATE partner_keys SET last_used_at_ms = $2 WHERE key_id = $1")
        .bind(key_id)
        .bind(at)
        .run(&mut tx.conn())
        .await
        .map(drop)
}
