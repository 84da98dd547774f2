//! Documents that people have uploaded: what is known of them. Their content lies in the object
//! store, under names of ours.
//!
//! An object has a row from before it is written until after it is deleted: a document's, or one of
//! `loose_objects`. So none is forgotten, whatever process dies in between.

use std::str::FromStr;

use gx_types::TimeMs;

use crate::sql::{Row, int, sql};
use crate::{Error, Source, Tx};

/// What a document shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentType {
    NationalId,
    Passport,
    DriversLicense,
    ProofOfAddress,
    DeathCertificate,
    DivorceCertificate,
    BusinessRegistration,
    TaxRegistration,
    BankStatement,
    UtilityBill,
    SelfiePhoto,
    Other,
}

impl DocumentType {
    pub const ALL: [Self; 12] = [
        Self::NationalId,
        Self::Passport,
        Self::DriversLicense,
        Self::ProofOfAddress,
        Self::DeathCertificate,
        Self::DivorceCertificate,
        Self::BusinessRegistration,
        Self::TaxRegistration,
        Self::BankStatement,
        Self::UtilityBill,
        Self::SelfiePhoto,
        Self::Other,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NationalId => "NATIONAL_ID",
            Self::Passport => "PASSPORT",
            Self::DriversLicense => "DRIVERS_LICENSE",
            Self::ProofOfAddress => "PROOF_OF_ADDRESS",
            Self::DeathCertificate => "DEATH_CERTIFICATE",
            Self::DivorceCertificate => "DIVORCE_CERTIFICATE",
            Self::BusinessRegistration => "BUSINESS_REGISTRATION",
            Self::TaxRegistration => "TAX_REGISTRATION",
            Self::BankStatement => "BANK_STATEMENT",
            Self::UtilityBill => "UTILITY_BILL",
            Self::SelfiePhoto => "SELFIE_PHOTO",
            Self::Other => "OTHER",
        }
    }

    /// Whether it shows who somebody is.
    pub const fn is_identity(self) -> bool {
        matches!(self, Self::NationalId | Self::Passport | Self::DriversLicense)
    }
}

impl FromStr for DocumentType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no type of document"))
    }
}

/// A document whose object is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub document_id: String,
    /// User id.
    pub owner: String,
    /// The application that it belongs to, once it was submitted.
    pub application_id: Option<String>,
    pub document_type: DocumentType,
    /// `FRONT` or `BACK`.
    pub side: Option<String>,
    pub object_key: String,
    /// Of what is kept.
    pub media_type: String,
    pub size_bytes: u64,
    pub sha256: String,
    /// Of what was received.
    pub received_sha256: String,
    /// As the server has sealed them.
    pub details: String,
    pub number_hash: Option<String>,
    /// What the virus scanner said: `CLEAN`, or `SKIPPED` where there is none.
    pub scan: String,
    pub uploaded_at: TimeMs,
}

const COLUMNS: &str = "d.document_id, d.owner, d.application_id, d.document_type, d.side, \
    d.object_key, d.media_type, d.size_bytes, d.sha256, d.received_sha256, d.details, \
    d.number_hash, d.scan, d.uploaded_at_ms";

fn document(row: &Row) -> Result<Document, Error> {
    Ok(Document {
        document_id: row.string(0)?,
        owner: row.string(1)?,
        application_id: row.opt_string(2)?,
        document_type: row.parse(3, "type of a document")?,
        side: row.opt_string(4)?,
        object_key: row.string(5)?,
        media_type: row.string(6)?,
        size_bytes: row.natural(7)?,
        sha256: row.string(8)?,
        received_sha256: row.string(9)?,
        details: row.string(10)?,
        number_hash: row.opt_string(11)?,
        scan: row.string(12)?,
        uploaded_at: row.time(13)?,
    })
}

/// Announces an object that is about to be written, or is to be deleted from a time on.
///
/// # Errors
/// Those of the database.
pub async fn loosen(tx: &mut Tx, object_key: &str, due_at: TimeMs) -> Result<(), Error> {
    sql("INSERT INTO loose_objects (object_key, due_at_ms) VALUES ($1, $2)
        ON CONFLICT (object_key) DO UPDATE SET due_at_ms = excluded.due_at_ms")
    .bind(object_key)
    .bind(due_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// Objects that are to be deleted by now, those longest due first.
///
/// # Errors
/// Those of the database.
pub async fn due(
    source: impl Into<Source<'_>>,
    now: TimeMs,
    max: u32,
) -> Result<Vec<String>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT object_key FROM loose_objects WHERE due_at_ms <= $1
        ORDER BY due_at_ms, object_key LIMIT $2")
    .bind(now)
    .bind(max)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(|row| row.string(0)).collect()
}

/// Notes that an object is gone. Says whether it was loose.
///
/// # Errors
/// Those of the database.
pub async fn forget(tx: &mut Tx, object_key: &str) -> Result<bool, Error> {
    let touched = sql("DELETE FROM loose_objects WHERE object_key = $1")
        .bind(object_key)
        .run(&mut tx.conn())
        .await?;
    Ok(touched > 0)
}

/// What became of a document that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Yes,
    /// The owner has as many as they may have.
    TooMany,
    /// Its object is not there any more: writing it took too long.
    Swept,
}

/// Adds a document whose object is whole, unless its owner has `max` already. The object is loose
/// no more.
///
/// # Errors
/// Those of the database.
pub async fn add(tx: &mut Tx, new: &Document, max: u64) -> Result<Added, Error> {
    let count = sql("SELECT COUNT(*) FROM documents WHERE owner = $1")
        .bind(new.owner.as_str())
        .one(&mut tx.conn())
        .await?
        .natural(0)?;
    if count >= max {
        return Ok(Added::TooMany);
    }
    if !forget(tx, &new.object_key).await? {
        return Ok(Added::Swept);
    }
    sql("INSERT INTO documents (document_id, owner, application_id, document_type, side,
            object_key, media_type, size_bytes, sha256, received_sha256, details, number_hash,
            scan, uploaded_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
    .bind(new.document_id.as_str())
    .bind(new.owner.as_str())
    .bind(new.application_id.as_deref())
    .bind(new.document_type.as_str())
    .bind(new.side.as_deref())
    .bind(new.object_key.as_str())
    .bind(new.media_type.as_str())
    .bind(int(new.size_bytes)?)
    .bind(new.sha256.as_str())
    .bind(new.received_sha256.as_str())
    .bind(new.details.as_str())
    .bind(new.number_hash.as_deref())
    .bind(new.scan.as_str())
    .bind(new.uploaded_at)
    .run(&mut tx.conn())
    .await?;
    Ok(Added::Yes)
}

/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    document_id: &str,
) -> Result<Option<Document>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM documents d WHERE d.document_id = $1"))
        .bind(document_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(document).transpose()
}

/// A page of somebody's documents, newest first, and how many there are in all.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    owner: &str,
    offset: u64,
    limit: u32,
) -> Result<(Vec<Document>, u64), Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM documents d WHERE d.owner = $1
        ORDER BY d.uploaded_at_ms DESC, d.document_id DESC LIMIT $2 OFFSET $3"
    ))
    .bind(owner)
    .bind(limit)
    .bind(int(offset)?)
    .all(&mut conn)
    .await?;
    let total = sql("SELECT COUNT(*) FROM documents WHERE owner = $1")
        .bind(owner)
        .one(&mut conn)
        .await?
        .natural(0)?;
    Ok((rows.iter().map(document).collect::<Result<_, _>>()?, total))
}

/// The documents of an application, in the order in which they came. There are no more than their
/// owner may have.
///
/// # Errors
/// Those of the database.
pub async fn of_application(
    source: impl Into<Source<'_>>,
    kyc_id: &str,
) -> Result<Vec<Document>, Error> {
    some(source, "d.application_id = $1", kyc_id).await
}

/// Somebody's documents that they have not submitted yet, in the order in which they came.
///
/// # Errors
/// Those of the database.
pub async fn unsubmitted(
    source: impl Into<Source<'_>>,
    owner: &str,
) -> Result<Vec<Document>, Error> {
    some(source, "d.owner = $1 AND d.application_id IS NULL", owner).await
}

async fn some(
    source: impl Into<Source<'_>>,
    condition: &'static str,
    value: &str,
) -> Result<Vec<Document>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "SELECT {COLUMNS} FROM documents d WHERE {condition}
        ORDER BY d.uploaded_at_ms, d.document_id"
    ))
    .bind(value)
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(document).collect()
}

/// Submits a document of somebody's with an application. Says whether it was theirs and not
/// submitted yet.
///
/// # Errors
/// Those of the database.
pub async fn submit(
    tx: &mut Tx,
    owner: &str,
    document_id: &str,
    kyc_id: &str,
) -> Result<bool, Error> {
    let touched = sql("UPDATE documents SET application_id = $3
        WHERE document_id = $1 AND owner = $2 AND application_id IS NULL")
    .bind(document_id)
    .bind(owner)
    .bind(kyc_id)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Takes a document of somebody's away that was not submitted; its object is loose from now on.
/// Says whether there was such a one.
///
/// # Errors
/// Those of the database.
pub async fn remove(tx: &mut Tx, document: &Document, now: TimeMs) -> Result<bool, Error> {
    let touched = sql("DELETE FROM documents
        WHERE document_id = $1 AND owner = $2 AND application_id IS NULL")
    .bind(document.document_id.as_str())
    .bind(document.owner.as_str())
    .run(&mut tx.conn())
    .await?;
    if touched > 0 {
        loosen(tx, &document.object_key, now).await?;
    }
    Ok(touched > 0)
}
