//! What everybody has done, in a chain of hashes: no row can be changed, removed or put in between
//! without breaking it.
//!
//! A row's hash covers its fields, each with its length before it, and the hash of the row before.

use gx_types::TimeMs;
use sha2::{Digest, Sha256};

use crate::bulk::{Bulk, Column};
use crate::sql::{Row, Statement, Value, sql};
use crate::{Error, Source, Tx, dialect};

/// Something that was done, to be recorded. Never put a secret or a token into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudit {
    pub at: TimeMs,
    /// Who did it, as `user:<id>`, `admin:<id>` or `system`.
    pub actor: String,
    /// What was done, as a stable name.
    pub action: String,
    /// What it was done to; may be empty.
    pub target: String,
    pub request_id: String,
    /// A JSON object.
    pub details: String,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// 1, 2, 3, … without a hole.
    pub seq: u64,
    pub at: TimeMs,
    pub actor: String,
    pub action: String,
    pub target: String,
    pub request_id: String,
    pub details: String,
    pub prev_hash: [u8; 32],
    pub hash: [u8; 32],
}

/// Which rows to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
    /// Not before this time.
    pub from: Option<TimeMs>,
    /// Before this time.
    pub to: Option<TimeMs>,
}

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Rows that are in order.
    pub rows: u64,
    /// The first row that is not, and what is wrong with it.
    pub broken: Option<(u64, &'static str)>,
}

/// Hash of a row, given the hash before it.
fn hash(seq: i64, row: &NewAudit, prev_hash: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"gx/audit/1\0");
    hash.update(prev_hash);
    hash.update(seq.to_be_bytes());
    hash.update(row.at.0.to_be_bytes());
    for text in [&row.actor, &row.action, &row.target, &row.request_id, &row.details] {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

/// Appends to the log, in order. Transactions that append take turns until they end, so append
/// last.
///
/// # Errors
/// Those of the database.
pub async fn append(tx: &mut Tx, rows: &[NewAudit]) -> Result<(), Error> {
    let mut conn = tx.conn();
    let head = sql(dialect::lock_audit_head(conn.engine())).one(&mut conn).await?;
    let (mut seq, mut prev_hash) = (head.int(0)?, head.hash(1)?);
    let (mut seqs, mut prev_hashes, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        seq = seq.saturating_add(1);
        seqs.push(seq);
        prev_hashes.push(hex::encode(prev_hash).into());
        prev_hash = hash(seq, row, &prev_hash);
        hashes.push(hex::encode(prev_hash).into());
    }
    let text = |value: fn(&NewAudit) -> &String| {
        Column::Text(rows.iter().map(|row| value(row).as_str().into()).collect())
    };
    Bulk::new(
        "INSERT INTO audit_log (seq, at_ms, actor, action, target, request_id, details, prev_hash,
            hash) {rows}",
        vec![
            Column::Int(seqs),
            Column::Int(rows.iter().map(|row| row.at.0).collect()),
            text(|row| &row.actor),
            text(|row| &row.action),
            text(|row| &row.target),
            text(|row| &row.request_id),
            text(|row| &row.details),
            Column::Text(prev_hashes),
            Column::Text(hashes),
        ],
    )
    .run(&mut conn)
    .await?;
    sql("UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1")
        .bind(seq)
        .bind(hex::encode(prev_hash))
        .run(&mut conn)
        .await
        .map(drop)
}

const SELECT: &str = "SELECT seq, at_ms, actor, action, target, request_id, details, prev_hash, \
    hash FROM audit_log";

fn audit_row(row: &Row) -> Result<AuditRow, Error> {
    Ok(AuditRow {
        seq: row.natural(0)?,
        at: row.time(1)?,
        actor: row.string(2)?,
        action: row.string(3)?,
        target: row.string(4)?,
        request_id: row.string(5)?,
        details: row.string(6)?,
        prev_hash: row.hash(7)?,
        hash: row.hash(8)?,
    })
}

/// Rows that fit, newest first, those before the number `before`.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    filter: &Filter,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<AuditRow>, Error> {
    // Only what is asked for stands in the text, so that an index is found for it.
    let mut text = format!("{SELECT} WHERE seq < $1");
    let mut values = vec![Value::from(before.map_or(Ok(i64::MAX), crate::sql::int)?)];
    let asked = [
        ("actor =", filter.actor.as_deref().map(Value::from)),
        ("action =", filter.action.as_deref().map(Value::from)),
        ("target =", filter.target.as_deref().map(Value::from)),
        ("at_ms >=", filter.from.map(Value::from)),
        ("at_ms <", filter.to.map(Value::from)),
    ];
    for (condition, value) in asked {
        if let Some(value) = value {
            values.push(value);
            text.push_str(&format!(" AND {condition} ${}", values.len()));
        }
    }
    text.push_str(&format!(" ORDER BY seq DESC LIMIT ${}", values.len().saturating_add(1)));
    values.push(limit.into());
    let mut reader = source.into().open().await?;
    let statement = values.into_iter().fold(sql(text), Statement::bind);
    let rows = statement.all(&mut reader.conn()).await?;
    rows.iter().map(audit_row).collect()
}

/// Rows per query of [`verify`].
const VERIFIED_AT_ONCE: i64 = 1_000;

/// Computes the whole chain again.
///
/// # Errors
/// Those of the database.
pub async fn verify(source: impl Into<Source<'_>>) -> Result<Verified, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let head = sql("SELECT seq, hash FROM audit_head WHERE id = 1").one(&mut conn).await?;
    let (head_seq, head_hash) = (head.int(0)?, head.hash(1)?);
    let (mut last, mut prev_hash) = (0, [0; 32]);
    loop {
        let rows = sql(format!("{SELECT} WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3"))
            .bind(last)
            .bind(head_seq)
            .bind(VERIFIED_AT_ONCE)
            .all(&mut conn)
            .await?;
        for row in &rows {
            let expected: i64 = last + 1;
            let broken = |what| broken(last, expected, what);
            // Hashes that cannot be read are as wrong as those that differ.
            let Ok(row) = audit_row(row) else { return Ok(broken("it cannot be read")) };
            if i64::try_from(row.seq) != Ok(expected) {
                return Ok(broken("it is missing"));
            }
            let (prev, found, new) = (row.prev_hash, row.hash, as_new(row));
            if prev != prev_hash {
                return Ok(broken("the hash before it differs"));
            }
            if found != hash(expected, &new, &prev_hash) {
                return Ok(broken("its hash does not fit its content"));
            }
            (last, prev_hash) = (expected, found);
        }
        if rows.is_empty() {
            break;
        }
    }
    let outside = sql("SELECT MIN(seq) FROM audit_log WHERE seq < 1 OR seq > $1").bind(head_seq);
    if let Some(at) = outside.one(&mut conn).await?.opt_int(0)? {
        return Ok(broken(last, at, "it is not part of the chain"));
    }
    if (last, prev_hash) != (head_seq, head_hash) {
        return Ok(broken(last, last + 1, "the end of the chain differs"));
    }
    Ok(Verified { rows: u64::try_from(last).unwrap_or_default(), broken: None })
}

fn broken(good: i64, at: i64, what: &'static str) -> Verified {
    let natural = |number| u64::try_from(number).unwrap_or_default();
    Verified { rows: natural(good), broken: Some((natural(at), what)) }
}

fn as_new(row: AuditRow) -> NewAudit {
    let AuditRow { at, actor, action, target, request_id, details, .. } = row;
    NewAudit { at, actor, action, target, request_id, details }
}
