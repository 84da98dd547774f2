//! The partners themselves: who they are, and what their keys can be given at most.

use std::str::FromStr;

use gx_types::TimeMs;

use crate::sql::{Row, sql};
use crate::{Error, Source, Tx};

/// Where a partner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartnerStatus {
    Active,
    /// None of the keys works until it is active again.
    Suspended,
    /// For ever. The id is never given again, as the audit log names it.
    Removed,
}

impl PartnerStatus {
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Removed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Removed => "REMOVED",
        }
    }
}

impl FromStr for PartnerStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no status of a partner"))
    }
}

/// A partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    pub partner_id: String,
    pub name: String,
    /// E-mail address of whoever answers for it.
    pub contact: Option<String>,
    pub status: PartnerStatus,
    /// What keys and consents can hold at most.
    pub scopes: Vec<String>,
    pub created_by: String,
    pub created_at: TimeMs,
    pub updated_at: TimeMs,
}

const SELECT: &str = "SELECT partner_id, name, contact, status, scopes, created_by, \
    created_at_ms, updated_at_ms FROM partners";

/// Words between spaces.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn partner(row: &Row) -> Result<Partner, Error> {
    Ok(Partner {
        partner_id: row.string(0)?,
        name: row.string(1)?,
        contact: row.opt_string(2)?,
        status: row.parse(3, "status of a partner")?,
        scopes: words(row.text(4)?),
        created_by: row.string(5)?,
        created_at: row.time(6)?,
        updated_at: row.time(7)?,
    })
}

/// Adds a partner.
///
/// # Errors
/// [`Error::Unique`] `partners.partner_id` or `partners.name` when there is, or was, another.
pub async fn create(tx: &mut Tx, new: &Partner) -> Result<(), Error> {
    sql("INSERT INTO partners (partner_id, name, contact, status, scopes, created_by,
            created_at_ms, updated_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7)")
    .bind(new.partner_id.as_str())
    .bind(new.name.as_str())
    .bind(new.contact.as_deref())
    .bind(new.status.as_str())
    .bind(new.scopes.join(" "))
    .bind(new.created_by.as_str())
    .bind(new.created_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// A partner that was not removed.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    partner_id: &str,
) -> Result<Option<Partner>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{SELECT} WHERE partner_id = $1 AND status <> 'REMOVED'"))
        .bind(partner_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(partner).transpose()
}

/// Partners that were not removed, in the order of their ids, those after `after`.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Partner>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "{SELECT} WHERE partner_id > $1 AND status <> 'REMOVED' ORDER BY partner_id LIMIT $2"
    ))
    .bind(after.unwrap_or_default())
    .bind(limit)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(partner).collect()
}

/// Changes a partner that was not removed: name, contact, status and scopes. Says whether there is
/// one.
///
/// # Errors
/// [`Error::Unique`] `partners.name`.
pub async fn update(tx: &mut Tx, to: &Partner) -> Result<bool, Error> {
    let touched = sql("UPDATE partners SET name = $2, contact = $3, status = $4, scopes = $5,
            updated_at_ms = $6
        WHERE partner_id = $1 AND status <> 'REMOVED'")
    .bind(to.partner_id.as_str())
    .bind(to.name.as_str())
    .bind(to.contact.as_deref())
    .bind(to.status.as_str())
    .bind(to.scopes.join(" "))
    .bind(to.updated_at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Removes a partner for ever: its keys are revoked, and what users had agreed to is gone, as are
/// its endpoints with all that they were told. Says whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn remove(tx: &mut Tx, partner_id: &str, at: TimeMs) -> Result<bool, Error> {
    let mut conn = tx.conn();
    // The name may be another's from now on: none has a colon in front.
    let touched = sql("UPDATE partners SET status = 'REMOVED', name = ':' || partner_id,
            contact = NULL, updated_at_ms = $2
        WHERE partner_id = $1 AND status <> 'REMOVED'")
    .bind(partner_id)
    .bind(at)
    .run(&mut conn)
    .await?;
    sql("UPDATE partner_keys SET revoked_at_ms = $2
        WHERE partner_id = $1 AND revoked_at_ms IS NULL")
    .bind(partner_id)
    .bind(at)
    .run(&mut conn)
    .await?;
    let consents = "DELETE FROM partner_consents WHERE partner_id = $1";
    sql(consents).bind(partner_id).run(&mut conn).await?;
    sql("DELETE FROM webhook_deliveries WHERE webhook_id IN (
            SELECT w.webhook_id FROM webhooks w WHERE w.partner_id = $1)")
    .bind(partner_id)
    .run(&mut conn)
    .await?;
    let endpoints = "DELETE FROM webhooks WHERE partner_id = $1";
    sql(endpoints).bind(partner_id).run(&mut conn).await?;
    Ok(touched > 0)
}
