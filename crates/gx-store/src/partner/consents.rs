//! What users let partners do for them: one consent for a user and a partner, until its time is
//! over or the user takes it back.

use std::borrow::Cow;

use gx_types::{AccountId, Amount, TimeMs};

use super::partners::words;
use crate::bulk::{Bulk, Column};
use crate::sql::{Row, int, sql};
use crate::{Error, Source, Tx};

/// What a user lets a partner do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    pub user_id: String,
    pub partner_id: String,
    pub scopes: Vec<String>,
    /// The most of one payment, without its fee.
    pub payment_max: Option<Amount>,
    /// The most of all payments of a day by UTC, without their fees.
    pub day_max: Option<Amount>,
    pub created_at: TimeMs,
    pub expires_at: TimeMs,
}

/// A consent, and what the partner is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedConsent {
    pub consent: Consent,
    pub partner_name: String,
}

fn consent(row: &Row) -> Result<NamedConsent, Error> {
    let consent = Consent {
        user_id: row.string(0)?,
        partner_id: row.string(1)?,
        scopes: words(row.text(2)?),
        payment_max: row.opt_amount(3)?,
        day_max: row.opt_amount(4)?,
        created_at: row.time(5)?,
        expires_at: row.time(6)?,
    };
    Ok(NamedConsent { consent, partner_name: row.string(7)? })
}

fn limit(amount: Option<Amount>) -> Result<Option<i64>, Error> {
    amount.map(|amount| int(amount.qirat())).transpose()
}

/// Keeps what a user lets a partner do, in the place of what there was.
///
/// # Errors
/// Those of the database.
pub async fn put(tx: &mut Tx, to: &Consent) -> Result<(), Error> {
    sql("INSERT INTO partner_consents (user_id, partner_id, scopes, payment_max_qirat,
            day_max_qirat, created_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (user_id, partner_id) DO UPDATE SET scopes = excluded.scopes,
            payment_max_qirat = excluded.payment_max_qirat,
            day_max_qirat = excluded.day_max_qirat, created_at_ms = excluded.created_at_ms,
            expires_at_ms = excluded.expires_at_ms")
    .bind(to.user_id.as_str())
    .bind(to.partner_id.as_str())
    .bind(to.scopes.join(" "))
    .bind(limit(to.payment_max)?)
    .bind(limit(to.day_max)?)
    .bind(to.created_at)
    .bind(to.expires_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// What a user lets partners do, in the order of the partners' ids, those after `after`.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    user_id: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<NamedConsent>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT c.user_id, c.partner_id, c.scopes, c.payment_max_qirat,
            c.day_max_qirat, c.created_at_ms, c.expires_at_ms, p.name
        FROM partner_consents c JOIN partners p ON p.partner_id = c.partner_id
        WHERE c.user_id = $1 AND c.partner_id > $2 ORDER BY c.partner_id LIMIT $3")
    .bind(user_id)
    .bind(after.unwrap_or_default())
    .bind(limit)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(consent).collect()
}

/// Takes a consent back. Says whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn remove(tx: &mut Tx, user_id: &str, partner_id: &str) -> Result<bool, Error> {
    let touched = sql("DELETE FROM partner_consents WHERE user_id = $1 AND partner_id = $2")
        .bind(user_id)
        .bind(partner_id)
        .run(&mut tx.conn())
        .await?;
    Ok(touched > 0)
}

/// The scope of a user's consent that lets a partner be told of what concerns the user.
pub const EVENTS_READ: &str = "events:read";

/// Who of some accounts has agreed, at a time, that a partner is told of what concerns them, and
/// which partner: those who are let in and may be told at all.
///
/// # Errors
/// Those of the database.
pub async fn listeners(
    source: impl Into<Source<'_>>,
    accounts: &[AccountId],
    at: TimeMs,
) -> Result<Vec<(AccountId, String)>, Error> {
    let mut reader = source.into().open().await?;
    let ids = accounts.iter().map(|account| Cow::from(account.as_str())).collect();
    let text = "WITH input (ledger_id) AS ({rows})
        SELECT u.ledger_id, c.partner_id, c.scopes, c.expires_at_ms, p.scopes
        FROM input i JOIN users u ON u.ledger_id = i.ledger_id
        JOIN partner_consents c ON c.user_id = u.user_id
        JOIN partners p ON p.partner_id = c.partner_id AND p.status = 'ACTIVE'";
    let rows = Bulk::new(text, vec![Column::Text(ids)]).all(&mut reader.conn()).await?;
    let mut found = Vec::new();
    for row in &rows {
        let has = |scopes: &str| scopes.split(' ').any(|scope| scope == EVENTS_READ);
        if at < row.time(3)? && has(row.text(2)?) && has(row.text(4)?) {
            found.push((row.parse(0, "account id")?, row.string(1)?));
        }
    }
    Ok(found)
}
