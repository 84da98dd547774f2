//! Requests for a payment that are shown as a QR code.
//!
//! What has become of one is told by the outcome of the command that pays it, read together with
//! the row: nobody guesses, and an outcome that comes after the request's time counts all the same.

use gx_types::{AccountId, Amount, CommandId, TimeMs};

use crate::sql::{Conn, Row, int, sql};
use crate::{Error, Source, Tx};

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QSendStatus {
    /// Whoever has the code may pay.
    Active,
    /// Somebody's payment is on its way through the ledger.
    Paying,
    Paid,
    Expired,
    /// Its creator has taken it back.
    Cancelled,
}

impl QSendStatus {
    pub const ALL: [Self; 5] =
        [Self::Active, Self::Paying, Self::Paid, Self::Expired, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paying => "PAYING",
            Self::Paid => "PAID",
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// A request to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    pub request_id: String,
    /// What the QR code names it by.
    pub code: String,
    /// User id.
    pub creator: String,
    /// Where the coins go.
    pub account: AccountId,
    pub amount: Amount,
    pub description: Option<String>,
    /// The creator's own, such as the number of an invoice.
    pub reference: Option<String>,
    /// What the QR code holds.
    pub qr_data: String,
    pub created_at: TimeMs,
    pub expires_at: TimeMs,
}

/// A request and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub new: NewRequest,
    pub creator_name: Option<String>,
    pub status: QSendStatus,
    /// The command that pays it, or has tried to.
    pub command_id: Option<CommandId>,
    /// Of a request that is being paid, or is paid.
    pub payer: Option<Payer>,
    pub paid_at: Option<TimeMs>,
}

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// User id.
    pub id: String,
    pub name: Option<String>,
}

/// The status at the time `$1`. A payment that was discarded, or is nowhere any more, has failed as
/// one that was refused has.
const STATUS: &str = "CASE
    WHEN q.paid_at_ms IS NOT NULL OR (t.tx_no IS NOT NULL AND t.code IS NULL) THEN 'PAID'
    WHEN o.seq IS NOT NULL AND t.tx_no IS NULL AND z.seq IS NULL THEN 'PAYING'
    WHEN q.cancelled_at_ms IS NOT NULL THEN 'CANCELLED'
    WHEN q.expires_at_ms <= $1 THEN 'EXPIRED'
    ELSE 'ACTIVE' END";

const JOINS: &str = "LEFT JOIN outbox o ON o.command_id = q.command_id
    LEFT JOIN outcomes x ON x.seq = o.seq
    LEFT JOIN transactions t ON t.tx_no = x.tx_no AND t.command_id = o.command_id
    LEFT JOIN blocks k ON k.number = t.tx_no >> 24
    LEFT JOIN dead_decisions z ON z.seq = o.seq AND z.decision = 'DISCARD'";

/// Requests `r` with their status, of those `q` for which `condition` holds.
fn select(condition: &str) -> String {
    format!(
        "SELECT r.* FROM (
            SELECT q.request_id, q.code, q.creator, q.account_id, q.amount_qirat, q.description,
                q.reference, q.qr_data, q.created_at_ms, q.expires_at_ms, q.payer, q.command_id,
                COALESCE(q.paid_at_ms, k.at_ms) AS settled_at_ms, {STATUS} AS status,
                c.first_name || ' ' || c.last_name AS creator_name,
                p.first_name || ' ' || p.last_name AS payer_name
            FROM qsend_requests q {JOINS}
            LEFT JOIN users c ON c.user_id = q.creator
            LEFT JOIN users p ON p.user_id = q.payer
            WHERE {condition}) r"
    )
}

fn request(row: &Row) -> Result<Request, Error> {
    let name = row.text(13)?;
    let status = QSendStatus::ALL.into_iter().find(|status| status.as_str() == name);
    let status = status.ok_or_else(|| Error::corrupt("status of a request", name))?;
    let is_taken = matches!(status, QSendStatus::Paying | QSendStatus::Paid);
    let payer = row.opt_string(10)?.filter(|_| is_taken);
    let payer_name = row.opt_string(15)?;
    Ok(Request {
        new: NewRequest {
            request_id: row.string(0)?,
            code: row.string(1)?,
            creator: row.string(2)?,
            account: row.parse(3, "account id")?,
            amount: row.amount(4)?,
            description: row.opt_string(5)?,
            reference: row.opt_string(6)?,
            qr_data: row.string(7)?,
            created_at: row.time(8)?,
            expires_at: row.time(9)?,
        },
        creator_name: row.opt_string(14)?,
        status,
        command_id: row.opt_parse(11, "command id")?,
        payer: payer.map(|id| Payer { id, name: payer_name }),
        paid_at: row.opt_time(12)?.filter(|_| status == QSendStatus::Paid),
    })
}

/// Keeps a request.
///
/// # Errors
/// Those of the database.
pub async fn create(tx: &mut Tx, new: &NewRequest) -> Result<(), Error> {
    sql("INSERT INTO qsend_requests (request_id, code, creator, account_id, amount_qirat,
            description, reference, qr_data, created_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind(new.request_id.as_str())
    .bind(new.code.as_str())
    .bind(new.creator.as_str())
    .bind(&new.account)
    .bind(int(new.amount.qirat())?)
    .bind(new.description.as_deref())
    .bind(new.reference.as_deref())
    .bind(new.qr_data.as_str())
    .bind(new.created_at)
    .bind(new.expires_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// The request with a code, as it stands at a time.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    code: &str,
    now: TimeMs,
) -> Result<Option<Request>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(select("q.code = $2")).bind(now).bind(code).optional(&mut reader.conn()).await?;
    row.as_ref().map(request).transpose()
}

/// Whose requests to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Creator,
    Payer,
    Both,
}

/// Which of somebody's requests to list.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    /// User id.
    pub user: &'a str,
    pub side: Side,
    pub status: Option<QSendStatus>,
    /// Made at this time or later.
    pub from: Option<TimeMs>,
    /// Made before this time.
    pub to: Option<TimeMs>,
}

/// Requests, newest first, those before the one with `before`'s time and id.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    filter: Filter<'_>,
    before: Option<(TimeMs, &str)>,
    limit: u32,
    now: TimeMs,
) -> Result<Vec<Request>, Error> {
    // Each side by its own index; nobody pays themselves.
    let sides: &[&str] = match filter.side {
        Side::Creator => &["creator"],
        Side::Payer => &["payer"],
        Side::Both => &["creator", "payer"],
    };
    const ORDER: &str = "ORDER BY created_at_ms DESC, request_id DESC LIMIT $8";
    let (created_at, request_id) = before.unwrap_or((TimeMs(i64::MAX), ""));
    let mut reader = source.into().open().await?;
    // Whoever has tried to pay and was refused is no payer.
    let part = |side: &&str| {
        let requests = select(&format!(
            "q.{side} = $2 AND q.created_at_ms >= $4 AND q.created_at_ms < $5
            AND (q.created_at_ms < $6 OR (q.created_at_ms = $6 AND q.request_id < $7))"
        ));
        format!(
            "SELECT * FROM ({requests}
            WHERE (r.creator = $2 OR r.status IN ('PAYING', 'PAID')) AND ($3 = '' OR r.status = $3)
            {ORDER}) {side}_side"
        )
    };
    let parts: Vec<String> = sides.iter().map(part).collect();
    let rows = sql(format!("{} {ORDER}", parts.join(" UNION ALL ")))
        .bind(now)
        .bind(filter.user)
        .bind(filter.status.map_or("", QSendStatus::as_str))
        .bind(filter.from.unwrap_or(TimeMs(0)))
        .bind(filter.to.unwrap_or(TimeMs(i64::MAX)))
        .bind(created_at)
        .bind(request_id)
        .bind(limit)
        .all(&mut reader.conn())
        .await?;
    rows.iter().map(request).collect()
}

/// Requests of somebody with a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    pub status: QSendStatus,
    pub count: u64,
    pub amount: Amount,
}

/// How many requests somebody has made, and for how much, by status.
///
/// # Errors
/// Those of the database.
pub async fn totals(
    source: impl Into<Source<'_>>,
    creator: &str,
    now: TimeMs,
) -> Result<Vec<Total>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT r.status, COUNT(*), CAST(SUM(r.amount_qirat) AS BIGINT)
        FROM ({}) r GROUP BY r.status ORDER BY r.status",
        select("q.creator = $2")
    ))
    .bind(now)
    .bind(creator)
    .all(&mut reader.conn())
    .await?;
    let total = |row: &Row| {
        let name = row.text(0)?;
        let status = QSendStatus::ALL.into_iter().find(|status| status.as_str() == name);
        let status = status.ok_or_else(|| Error::corrupt("status of a request", name))?;
        Ok(Total { status, count: row.natural(1)?, amount: row.amount(2)? })
    };
    rows.iter().map(total).collect()
}

/// Has a request wait for the outcome of a command that pays it. Says whether it was still as it
/// was seen: of two who pay at once, one does.
///
/// # Errors
/// Those of the database.
pub async fn claim(
    tx: &mut Tx,
    seen: &Request,
    payer: &str,
    command_id: &CommandId,
) -> Result<bool, Error> {
    let touched = sql("UPDATE qsend_requests SET payer = $3, command_id = $4
        WHERE request_id = $1 AND COALESCE(command_id, '') = $2 AND cancelled_at_ms IS NULL
            AND paid_at_ms IS NULL")
    .bind(seen.new.request_id.as_str())
    .bind(seen.command_id.map(|id| id.to_string()).unwrap_or_default())
    .bind(payer)
    .bind(command_id.to_string())
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Takes a request back. Says whether it was still as it was seen.
///
/// # Errors
/// Those of the database.
pub async fn cancel(tx: &mut Tx, seen: &Request, at: TimeMs) -> Result<bool, Error> {
    let touched = sql("UPDATE qsend_requests SET cancelled_at_ms = $3
        WHERE request_id = $1 AND COALESCE(command_id, '') = $2 AND cancelled_at_ms IS NULL
            AND paid_at_ms IS NULL")
    .bind(seen.new.request_id.as_str())
    .bind(seen.command_id.map(|id| id.to_string()).unwrap_or_default())
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Writes down what came of the payments whose commands stand before `end` in the outbox and are
/// about to be forgotten.
///
/// # Errors
/// Those of the database.
pub(crate) async fn note_outcomes(conn: &mut Conn<'_>, end: i64) -> Result<(), Error> {
    sql("UPDATE qsend_requests SET paid_at_ms = (
            SELECT k.at_ms FROM outbox o JOIN outcomes x ON x.seq = o.seq
            JOIN transactions t ON t.tx_no = x.tx_no AND t.command_id = o.command_id
            JOIN blocks k ON k.number = t.tx_no >> 24
            WHERE o.command_id = qsend_requests.command_id AND t.code IS NULL)
        WHERE paid_at_ms IS NULL
            AND command_id IN (SELECT o.command_id FROM outbox o WHERE o.seq < $1)")
    .bind(end)
    .run(conn)
    .await
    .map(drop)
}
