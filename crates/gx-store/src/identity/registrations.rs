//! Registrations in steps, until they are done or their day is over.
//!
//! Each step is one conditional update, so that of several requests that come at once one takes it.
//! Only hashes are kept of what the client holds and of codes. An attempt is counted before the
//! code is looked at, so that a code is good for so many guesses and no more.

use std::str::FromStr;

use gx_types::{CountryCode, TimeMs};

use crate::sql::{Row, sql};
use crate::{Error, Source, Tx};

/// How far somebody has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    EmailSent,
    EmailVerified,
    NameCountrySet,
    DobGenderSet,
    PasswordSet,
    PhoneSent,
    Completed,
}

impl Step {
    pub const ALL: [Self; 7] = [
        Self::EmailSent,
        Self::EmailVerified,
        Self::NameCountrySet,
        Self::DobGenderSet,
        Self::PasswordSet,
        Self::PhoneSent,
        Self::Completed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmailSent => "EMAIL_SENT",
            Self::EmailVerified => "EMAIL_VERIFIED",
            Self::NameCountrySet => "NAME_COUNTRY_SET",
            Self::DobGenderSet => "DOB_GENDER_SET",
            Self::PasswordSet => "PASSWORD_SET",
            Self::PhoneSent => "PHONE_SENT",
            Self::Completed => "COMPLETED",
        }
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|step| step.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no step of a registration"))
    }
}

/// A code that is on its way to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewCode<'a> {
    pub hash: &'a str,
    pub sent_at: TimeMs,
    pub expires_at: TimeMs,
}

/// A registration as far as it has come.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    pub step: Step,
    pub email: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub country: Option<CountryCode>,
    /// `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
    pub gender: Option<String>,
    pub password_hash: Option<String>,
    pub phone: Option<String>,
    pub code_hash: Option<String>,
    pub code_expires_at: Option<TimeMs>,
    pub code_attempts: u32,
    pub created_at: TimeMs,
    pub expires_at: TimeMs,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration").field("step", &self.step).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "step, email, first_name, last_name, country, date_of_birth, gender, \
    password_hash, phone, code_hash, code_expires_at_ms, code_attempts, created_at_ms, \
    expires_at_ms";

fn registration(row: &Row) -> Result<Registration, Error> {
    Ok(Registration {
        step: row.parse(0, "step of a registration")?,
        email: row.string(1)?,
        first_name: row.opt_string(2)?,
        last_name: row.opt_string(3)?,
        country: row.opt_parse(4, "country")?,
        date_of_birth: row.opt_string(5)?,
        gender: row.opt_string(6)?,
        password_hash: row.opt_string(7)?,
        phone: row.opt_string(8)?,
        code_hash: row.opt_string(9)?,
        code_expires_at: row.opt_time(10)?,
        code_attempts: row.small(11)?,
        created_at: row.time(12)?,
        expires_at: row.time(13)?,
    })
}

/// Begins a registration, whose address a code has been sent to.
///
/// # Errors
/// Those of the database.
pub async fn begin(
    tx: &mut Tx,
    registration_id: &str,
    email: &str,
    code: NewCode<'_>,
    expires_at: TimeMs,
) -> Result<(), Error> {
    sql("INSERT INTO registrations (registration_id, step, email, code_hash, code_expires_at_ms,
            code_attempts, codes_sent, code_sent_at_ms, created_at_ms, expires_at_ms)
        VALUES ($1, 'EMAIL_SENT', $2, $3, $4, 0, 1, $5, $5, $6)")
    .bind(registration_id)
    .bind(email)
    .bind(code.hash)
    .bind(code.expires_at)
    .bind(code.sent_at)
    .bind(expires_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    registration_id: &str,
) -> Result<Option<Registration>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM registrations WHERE registration_id = $1"))
        .bind(registration_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(registration).transpose()
}

/// Codes that all registrations have sent to an address since a time.
///
/// # Errors
/// Those of the database.
pub async fn codes_to_email(
    source: impl Into<Source<'_>>,
    email: &str,
    since: TimeMs,
) -> Result<u64, Error> {
    codes_sent(source, "email = $1 AND step = 'EMAIL_SENT'", email, since).await
}

/// The same to a telephone.
///
/// # Errors
/// Those of the database.
pub async fn codes_to_phone(
    source: impl Into<Source<'_>>,
    phone: &str,
    since: TimeMs,
) -> Result<u64, Error> {
    codes_sent(source, "phone = $1 AND step = 'PHONE_SENT'", phone, since).await
}

async fn codes_sent(
    source: impl Into<Source<'_>>,
    to: &'static str,
    address: &str,
    since: TimeMs,
) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql(format!(
        "SELECT CAST(COALESCE(SUM(codes_sent), 0) AS BIGINT) FROM registrations
        WHERE {to} AND code_sent_at_ms > $2"
    ))
    .bind(address)
    .bind(since)
    .one(&mut reader.conn())
    .await?
    .natural(0)
}

/// Replaces the code of a step, unless `most` were sent for it. Says whether it was replaced.
///
/// # Errors
/// Those of the database.
pub async fn send_again(
    tx: &mut Tx,
    (registration_id, step): (&str, Step),
    code: NewCode<'_>,
    most: u32,
) -> Result<bool, Error> {
    let touched = sql("UPDATE registrations SET code_hash = $3, code_expires_at_ms = $4,
            code_attempts = 0, codes_sent = codes_sent + 1, code_sent_at_ms = $5
        WHERE registration_id = $1 AND step = $2 AND codes_sent < $6 AND expires_at_ms > $5")
    .bind(registration_id)
    .bind(step.as_str())
    .bind(code.hash)
    .bind(code.expires_at)
    .bind(code.sent_at)
    .bind(most)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Counts an attempt at the code of a step. `None` when the registration stands elsewhere, or the
/// code is too old, or `most` attempts were made. Commit also when the attempt fails.
///
/// # Errors
/// Those of the database.
pub async fn attempt(
    tx: &mut Tx,
    (registration_id, step): (&str, Step),
    most: u32,
    now: TimeMs,
) -> Result<Option<Registration>, Error> {
    let row = sql(format!(
        "UPDATE registrations SET code_attempts = code_attempts + 1
        WHERE registration_id = $1 AND step = $2 AND code_attempts < $3
            AND code_expires_at_ms > $4 AND expires_at_ms > $4
        RETURNING {COLUMNS}"
    ))
    .bind(registration_id)
    .bind(step.as_str())
    .bind(most)
    .bind(now)
    .optional(&mut tx.conn())
    .await?;
    row.as_ref().map(registration).transpose()
}

/// Notes that mail reaches the person. Other registrations with the address end: whoever reads its
/// mail goes on with this one. Says whether the registration was at that step.
///
/// # Errors
/// Those of the database.
pub async fn email_verified(tx: &mut Tx, registration_id: &str) -> Result<bool, Error> {
    let touched = sql("UPDATE registrations SET step = 'EMAIL_VERIFIED', code_hash = NULL,
            code_expires_at_ms = NULL, code_attempts = 0, codes_sent = 0
        WHERE registration_id = $1 AND step = 'EMAIL_SENT'")
    .bind(registration_id)
    .run(&mut tx.conn())
    .await?;
    sql("DELETE FROM registrations WHERE registration_id <> $1 AND email = (
            SELECT email FROM registrations WHERE registration_id = $1)")
    .bind(registration_id)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Keeps who the person is and where they live, at that step or once more right after it.
///
/// # Errors
/// Those of the database.
pub async fn set_name_country(
    tx: &mut Tx,
    registration_id: &str,
    (first_name, last_name, country): (&str, &str, CountryCode),
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE registrations SET step = 'NAME_COUNTRY_SET', first_name = $2,
            last_name = $3, country = $4
        WHERE registration_id = $1 AND expires_at_ms > $5
            AND step IN ('EMAIL_VERIFIED', 'NAME_COUNTRY_SET')")
    .bind(registration_id)
    .bind(first_name)
    .bind(last_name)
    .bind(country.as_str())
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Keeps when the person was born, and the gender.
///
/// # Errors
/// Those of the database.
pub async fn set_birth(
    tx: &mut Tx,
    registration_id: &str,
    (date_of_birth, gender): (&str, &str),
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE registrations SET step = 'DOB_GENDER_SET', date_of_birth = $2,
            gender = $3
        WHERE registration_id = $1 AND expires_at_ms > $4
            AND step IN ('NAME_COUNTRY_SET', 'DOB_GENDER_SET')")
    .bind(registration_id)
    .bind(date_of_birth)
    .bind(gender)
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Keeps the hash of the password.
///
/// # Errors
/// Those of the database.
pub async fn set_password(
    tx: &mut Tx,
    registration_id: &str,
    password_hash: &str,
    now: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE registrations SET step = 'PASSWORD_SET', password_hash = $2
        WHERE registration_id = $1 AND expires_at_ms > $3
            AND step IN ('DOB_GENDER_SET', 'PASSWORD_SET')")
    .bind(registration_id)
    .bind(password_hash)
    .bind(now)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Keeps a telephone number, which a code has been sent to, unless `most` were sent for this step.
/// A number that was mistyped is replaced by another one.
///
/// # Errors
/// Those of the database.
pub async fn set_phone(
    tx: &mut Tx,
    (registration_id, phone): (&str, &str),
    code: NewCode<'_>,
    most: u32,
) -> Result<bool, Error> {
    let touched = sql("UPDATE registrations SET step = 'PHONE_SENT', phone = $2, code_hash = $3,
            code_expires_at_ms = $4, code_attempts = 0, codes_sent = codes_sent + 1,
            code_sent_at_ms = $5
        WHERE registration_id = $1 AND codes_sent < $6 AND expires_at_ms > $5
            AND step IN ('PASSWORD_SET', 'PHONE_SENT')")
    .bind(registration_id)
    .bind(phone)
    .bind(code.hash)
    .bind(code.expires_at)
    .bind(code.sent_at)
    .bind(most)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Ends a registration whose user was made, and forgets what it knew of the person.
///
/// # Errors
/// Those of the database.
pub async fn complete(tx: &mut Tx, registration_id: &str) -> Result<bool, Error> {
    let touched = sql("UPDATE registrations SET step = 'COMPLETED', email = '', first_name = NULL,
            last_name = NULL, country = NULL, date_of_birth = NULL, gender = NULL,
            password_hash = NULL, phone = NULL, code_hash = NULL, code_expires_at_ms = NULL
        WHERE registration_id = $1 AND step = 'PHONE_SENT'")
    .bind(registration_id)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Removes registrations whose day was over before a time, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    sql("DELETE FROM registrations WHERE registration_id IN (
            SELECT registration_id FROM registrations WHERE expires_at_ms < $1
            ORDER BY expires_at_ms LIMIT $2)")
    .bind(before)
    .bind(max)
    .run(&mut tx.conn())
    .await
}
