//! Applications of people to have their identity accepted, and what was decided about them.
//!
//! A person has one open application at most. One that was decided never changes again; the next
//! one stands beside it.

use std::str::FromStr;

use gx_types::TimeMs;

use super::documents::DocumentType;
use crate::sql::{Row, sql};
use crate::{Error, Source, Tx};

/// Where an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KycStatus {
    Pending,
    Approved,
    Rejected,
}

impl KycStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
        }
    }
}

impl FromStr for KycStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Pending, Self::Approved, Self::Rejected]
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no status of an application"))
    }
}

/// What somebody points at instead of uploading it: hash, size and type of a file of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    pub hash: Option<String>,
    pub size: Option<u32>,
    pub mime: Option<String>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    pub kyc_id: String,
    /// User id.
    pub owner: String,
    pub status: KycStatus,
    pub document_type: Option<DocumentType>,
    /// As the server has sealed them.
    pub details: String,
    pub number_hash: Option<String>,
    /// The day on which the document ends, `YYYY-MM-DD`.
    pub expires_on: Option<String>,
    pub evidence: Evidence,
    pub submitted_at: TimeMs,
    /// Why it was rejected, or what was noted at the approval.
    pub reason: Option<String>,
    /// `admin:<id>`.
    pub decided_by: Option<String>,
    pub decided_at: Option<TimeMs>,
}

/// What [`Error::Unique`] says when the owner has an open application.
pub const OWNERS_OPEN: &str = "kyc_applications.owner";

const COLUMNS: &str = "k.kyc_id, k.owner, k.status, k.document_type, k.details, k.number_hash, \
    k.expires_on, k.evidence_hash, k.evidence_size, k.evidence_mime, k.submitted_at_ms, k.reason, \
    k.decided_by, k.decided_at_ms";

fn application(row: &Row) -> Result<Application, Error> {
    let size = row.opt_int(8)?.map(u32::try_from).transpose();
    let evidence = Evidence {
        hash: row.opt_string(7)?,
        size: size.map_err(|_| Error::corrupt("size of evidence", "out of range"))?,
        mime: row.opt_string(9)?,
    };
    Ok(Application {
        kyc_id: row.string(0)?,
        owner: row.string(1)?,
        status: row.parse(2, "status of an application")?,
        document_type: row.opt_parse(3, "type of a document")?,
        details: row.string(4)?,
        number_hash: row.opt_string(5)?,
        expires_on: row.opt_string(6)?,
        evidence,
        submitted_at: row.time(10)?,
        reason: row.opt_string(11)?,
        decided_by: row.opt_string(12)?,
        decided_at: row.opt_time(13)?,
    })
}

/// Submits an application; what is decided of it is left out.
///
/// # Errors
/// [`Error::Unique`] [`OWNERS_OPEN`].
pub async fn submit(tx: &mut Tx, new: &Application) -> Result<(), Error> {
    sql("INSERT INTO kyc_applications (kyc_id, owner, status, document_type, details, number_hash,
            expires_on, evidence_hash, evidence_size, evidence_mime, submitted_at_ms)
        VALUES ($1, $2, 'PENDING', $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind(new.kyc_id.as_str())
    .bind(new.owner.as_str())
    .bind(new.document_type.map(DocumentType::as_str))
    .bind(new.details.as_str())
    .bind(new.number_hash.as_deref())
    .bind(new.expires_on.as_deref())
    .bind(new.evidence.hash.as_deref())
    .bind(new.evidence.size.map(i64::from))
    .bind(new.evidence.mime.as_deref())
    .bind(new.submitted_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    kyc_id: &str,
) -> Result<Option<Application>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM kyc_applications k WHERE k.kyc_id = $1"))
        .bind(kyc_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(application).transpose()
}

/// Somebody's newest application.
///
/// # Errors
/// Those of the database.
pub async fn latest(
    source: impl Into<Source<'_>>,
    owner: &str,
) -> Result<Option<Application>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!(
        "SELECT {COLUMNS} FROM kyc_applications k WHERE k.owner = $1
        ORDER BY k.submitted_at_ms DESC, k.kyc_id DESC LIMIT 1"
    ))
    .bind(owner)
    .optional(&mut reader.conn())
    .await?;
    row.as_ref().map(application).transpose()
}

/// Open applications in the order in which they came, after one of them.
///
/// # Errors
/// Those of the database.
pub async fn pending(
    source: impl Into<Source<'_>>,
    after: Option<(TimeMs, &str)>,
    limit: u32,
) -> Result<Vec<Application>, Error> {
    let (submitted_at, kyc_id) = after.unwrap_or((TimeMs(i64::MIN), ""));
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM kyc_applications k WHERE k.status = 'PENDING'
        AND (k.submitted_at_ms > $1 OR (k.submitted_at_ms = $1 AND k.kyc_id > $2))
        ORDER BY k.submitted_at_ms, k.kyc_id LIMIT $3"
    ))
    .bind(submitted_at)
    .bind(kyc_id)
    .bind(limit)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(application).collect()
}

/// A decision about an application.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    pub approves: bool,
    pub reason: Option<&'a str>,
    /// `admin:<id>`.
    pub by: &'a str,
    pub at: TimeMs,
}

/// Decides about somebody's open application. Says which one that was, if they had one.
///
/// # Errors
/// Those of the database.
pub async fn decide(
    tx: &mut Tx,
    owner: &str,
    verdict: Verdict<'_>,
) -> Result<Option<Application>, Error> {
    let status = if verdict.approves { KycStatus::Approved } else { KycStatus::Rejected };
    let mut conn = tx.conn();
    let row = sql(format!(
        "SELECT {COLUMNS} FROM kyc_applications k WHERE k.owner = $1 AND k.status = 'PENDING'"
    ))
    .bind(owner)
    .optional(&mut conn)
    .await?;
    let Some(found) = row.as_ref().map(application).transpose()? else { return Ok(None) };
    let touched = sql("UPDATE kyc_applications SET status = $2, reason = $3, decided_by = $4,
            decided_at_ms = $5
        WHERE kyc_id = $1 AND status = 'PENDING'")
    .bind(found.kyc_id.as_str())
    .bind(status.as_str())
    .bind(verdict.reason)
    .bind(verdict.by)
    .bind(verdict.at)
    .run(&mut conn)
    .await?;
    Ok((touched > 0).then_some(found))
}

/// Other people who have shown a document of the same number, or stand for it, at most `max`.
///
/// # Errors
/// Those of the database.
pub async fn others_with_number(
    source: impl Into<Source<'_>>,
    number_hash: &str,
    owner: &str,
    max: u32,
) -> Result<Vec<String>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT owner FROM kyc_applications WHERE number_hash = $1 AND owner <> $2
        UNION SELECT owner FROM documents WHERE number_hash = $1 AND owner <> $2
        UNION SELECT user_id FROM users WHERE identity_hash = $1 AND user_id <> $2
        ORDER BY 1 LIMIT $3")
    .bind(number_hash)
    .bind(owner)
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(|row| row.string(0)).collect()
}

/// What of somebody was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// By an identity document that was accepted and is good on the day that was asked about.
    pub identity: bool,
    /// By a document that was accepted and shows where they live.
    pub address: bool,
}

/// What of somebody was verified, on a day, `YYYY-MM-DD`.
///
/// # Errors
/// Those of the database.
pub async fn verified(
    source: impl Into<Source<'_>>,
    owner: &str,
    today: &str,
) -> Result<Verified, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT
            (SELECT COUNT(*) FROM kyc_applications k
                WHERE k.owner = $1 AND k.status = 'APPROVED'
                AND k.document_type IN ('NATIONAL_ID', 'PASSPORT', 'DRIVERS_LICENSE')
                AND (k.expires_on IS NULL OR k.expires_on >= $2)),
            (SELECT COUNT(*) FROM kyc_applications k
                JOIN documents d ON d.application_id = k.kyc_id
                WHERE k.owner = $1 AND k.status = 'APPROVED'
                AND d.document_type IN ('PROOF_OF_ADDRESS', 'UTILITY_BILL', 'BANK_STATEMENT'))")
    .bind(owner)
    .bind(today)
    .one(&mut reader.conn())
    .await?;
    Ok(Verified { identity: row.flag(0)?, address: row.flag(1)? })
}
