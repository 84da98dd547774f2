//! Payments that partners have given for users, and whether one more is within what was agreed.
//!
//! What the ledger has refused does not count. Payments under one consent are accepted one after
//! the other, so that two at once cannot both take what is left of a day.

use gx_types::{Amount, CommandId, TimeMs};

use crate::sql::{Conn, int, sql};
use crate::{Error, Source, Tx};

/// A payment that a partner wants to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerPayment {
    pub command_id: CommandId,
    pub partner_id: String,
    pub user_id: String,
    pub amount: Amount,
    pub at: TimeMs,
}

/// Whether a payment is within what was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreed {
    Within,
    /// There is no consent, or not any more.
    Nothing,
    OverPayment {
        most: Amount,
    },
    OverDay {
        most: Amount,
        spent: Amount,
    },
}

/// Makes other payments under the same consent wait until the transaction ends. Comes before the
/// command is accepted.
///
/// # Errors
/// Those of the database.
pub async fn hold(tx: &mut Tx, payment: &PartnerPayment) -> Result<(), Error> {
    sql("UPDATE partner_consents SET last_payment_at_ms = $3
        WHERE user_id = $1 AND partner_id = $2")
    .bind(payment.user_id.as_str())
    .bind(payment.partner_id.as_str())
    .bind(payment.at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Notes a payment if it is within what was agreed, or has been noted before; `day` is the day's
/// first moment.
///
/// # Errors
/// Those of the database.
pub async fn note(tx: &mut Tx, payment: &PartnerPayment, day: TimeMs) -> Result<Agreed, Error> {
    let mut conn = tx.conn();
    let PartnerPayment { command_id, partner_id, user_id, amount, at } = payment;
    if is_noted(&mut conn, partner_id, command_id).await? {
        return Ok(Agreed::Within);
    }
    let row = sql("SELECT payment_max_qirat, day_max_qirat FROM partner_consents
        WHERE user_id = $1 AND partner_id = $2 AND expires_at_ms > $3")
    .bind(user_id.as_str())
    .bind(partner_id.as_str())
    .bind(*at)
    .optional(&mut conn)
    .await?;
    let Some(row) = row else { return Ok(Agreed::Nothing) };
    let (Some(payment_max), Some(day_max)) = (row.opt_amount(0)?, row.opt_amount(1)?) else {
        return Ok(Agreed::Nothing);
    };
    if *amount > payment_max {
        return Ok(Agreed::OverPayment { most: payment_max });
    }
    let spent = sql("SELECT CAST(COALESCE(SUM(p.amount_qirat), 0) AS BIGINT)
        FROM partner_payments p
        LEFT JOIN outbox o ON o.command_id = p.command_id
        LEFT JOIN outcomes x ON x.seq = o.seq
        LEFT JOIN transactions t ON t.tx_no = x.tx_no AND t.command_id = o.command_id
        WHERE p.user_id = $1 AND p.partner_id = $2 AND p.created_at_ms >= $3 AND t.code IS NULL")
    .bind(user_id.as_str())
    .bind(partner_id.as_str())
    .bind(day)
    .one(&mut conn)
    .await?
    .amount(0)?;
    if spent.checked_add(*amount).is_none_or(|sum| sum > day_max) {
        return Ok(Agreed::OverDay { most: day_max, spent });
    }
    sql("INSERT INTO partner_payments (command_id, partner_id, user_id, amount_qirat,
            created_at_ms)
        VALUES ($1, $2, $3, $4, $5)")
    .bind(command_id.to_string())
    .bind(partner_id.as_str())
    .bind(user_id.as_str())
    .bind(int(amount.qirat())?)
    .bind(*at)
    .run(&mut conn)
    .await?;
    Ok(Agreed::Within)
}

/// Whether a command was given by this partner.
///
/// # Errors
/// Those of the database.
pub async fn is_by(
    source: impl Into<Source<'_>>,
    partner_id: &str,
    command_id: &CommandId,
) -> Result<bool, Error> {
    let mut reader = source.into().open().await?;
    is_noted(&mut reader.conn(), partner_id, command_id).await
}

async fn is_noted(
    conn: &mut Conn<'_>,
    partner_id: &str,
    command_id: &CommandId,
) -> Result<bool, Error> {
    let row = sql("SELECT 1 FROM partner_payments WHERE command_id = $1 AND partner_id = $2")
        .bind(command_id.to_string())
        .bind(partner_id)
        .optional(conn)
        .await?;
    Ok(row.is_some())
}
