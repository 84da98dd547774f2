//! Administrators: people who run the platform. On the ledger they act under another id.

use gx_types::{AdminId, TimeMs};

use crate::identity::users::Credentials;
use crate::sql::{Row, sql};
use crate::{Error, Source, Tx};

/// An administrator to add. The e-mail address is folded by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdmin {
    pub admin_id: String,
    pub email: String,
    pub display_name: String,
    /// Role on the platform, such as `SUPER_OWNER`; the server knows what each may do.
    pub role: String,
    /// The id under which they act on the ledger.
    pub ledger_id: Option<AdminId>,
    pub password_hash: String,
    pub must_change_password: bool,
    pub created_at: TimeMs,
}

/// An administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    pub admin_id: String,
    pub email: String,
    pub display_name: String,
    pub role: String,
    /// Whether they may log in at all.
    pub enabled: bool,
    pub ledger_id: Option<AdminId>,
    pub must_change_password: bool,
    pub last_login_at: Option<TimeMs>,
    pub created_at: TimeMs,
    pub updated_at: TimeMs,
}

const SELECT: &str = "SELECT admin_id, email, display_name, role, status, ledger_id, \
    must_change_password, last_login_at_ms, created_at_ms, updated_at_ms FROM admins";

pub(crate) const fn status(enabled: bool) -> &'static str {
    if enabled { "ENABLED" } else { "DISABLED" }
}

fn admin(row: &Row) -> Result<Admin, Error> {
    Ok(Admin {
        admin_id: row.string(0)?,
        email: row.string(1)?,
        display_name: row.string(2)?,
        role: row.string(3)?,
        enabled: row.text(4)? == status(true),
        ledger_id: row.opt_parse(5, "admin id")?,
        must_change_password: row.flag(6)?,
        last_login_at: row.opt_time(7)?,
        created_at: row.time(8)?,
        updated_at: row.time(9)?,
    })
}

/// Adds an administrator.
///
/// # Errors
/// [`Error::Unique`] `admins.email` or `admins.ledger_id` when another has it.
pub async fn create(tx: &mut Tx, new: &NewAdmin) -> Result<(), Error> {
    sql("INSERT INTO admins (admin_id, email, display_name, role, status, ledger_id, password_hash,
            must_change_password, failed_logins, password_changed_at_ms, created_at_ms,
            updated_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $9, $9)")
    .bind(new.admin_id.as_str())
    .bind(new.email.as_str())
    .bind(new.display_name.as_str())
    .bind(new.role.as_str())
    .bind(status(true))
    .bind(new.ledger_id.as_ref().map(AdminId::as_str))
    .bind(new.password_hash.as_str())
    .bind(new.must_change_password)
    .bind(new.created_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

async fn one(
    source: impl Into<Source<'_>>,
    condition: &'static str,
    value: &str,
) -> Result<Option<Admin>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{SELECT} WHERE {condition} = $1"))
        .bind(value)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(admin).transpose()
}

/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, admin_id: &str) -> Result<Option<Admin>, Error> {
    one(source, "admin_id", admin_id).await
}

/// By the folded e-mail address.
///
/// # Errors
/// Those of the database.
pub async fn by_email(source: impl Into<Source<'_>>, email: &str) -> Result<Option<Admin>, Error> {
    one(source, "email", email).await
}

/// All administrators, oldest first. They are few.
///
/// # Errors
/// Those of the database.
pub async fn list(source: impl Into<Source<'_>>) -> Result<Vec<Admin>, Error> {
    let mut reader = source.into().open().await?;
    let rows =
        sql(format!("{SELECT} ORDER BY created_at_ms, admin_id")).all(&mut reader.conn()).await?;
    rows.iter().map(admin).collect()
}

/// How many there are: none means that the platform has just been set up.
///
/// # Errors
/// Those of the database.
pub async fn count(source: impl Into<Source<'_>>) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql("SELECT COUNT(*) FROM admins").one(&mut reader.conn()).await?.natural(0)
}

/// What a login of this administrator checks.
///
/// # Errors
/// Those of the database.
pub async fn credentials(
    source: impl Into<Source<'_>>,
    admin_id: &str,
) -> Result<Option<Credentials>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT password_hash, failed_logins, locked_until_ms, password_changed_at_ms
        FROM admins WHERE admin_id = $1")
    .bind(admin_id)
    .optional(&mut reader.conn())
    .await?;
    row.map(|row| {
        Ok(Credentials {
            password_hash: row.string(0)?,
            failed_logins: row.natural(1)?,
            locked_until: row.opt_time(2)?,
            password_changed_at: row.time(3)?,
        })
    })
    .transpose()
}

/// Sets another password, to be changed at the next login or not, and forgets failed logins.
///
/// # Errors
/// Those of the database.
pub async fn set_password(
    tx: &mut Tx,
    admin_id: &str,
    password_hash: &str,
    must_change: bool,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE admins SET password_hash = $2, password_changed_at_ms = $3,
            updated_at_ms = $3, must_change_password = $4, failed_logins = 0,
            locked_until_ms = NULL
        WHERE admin_id = $1")
    .bind(admin_id)
    .bind(password_hash)
    .bind(at)
    .bind(must_change)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Lets an administrator log in, or not.
///
/// # Errors
/// Those of the database.
pub async fn set_enabled(
    tx: &mut Tx,
    admin_id: &str,
    enabled: bool,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE admins SET status = $2, updated_at_ms = $3 WHERE admin_id = $1")
        .bind(admin_id)
        .bind(status(enabled))
        .bind(at)
        .run(&mut tx.conn())
        .await?;
    Ok(touched > 0)
}

/// Counts a failed login and returns how many there are in a row now.
///
/// # Errors
/// Those of the database.
pub async fn login_failed(tx: &mut Tx, admin_id: &str) -> Result<u64, Error> {
    let row = sql("UPDATE admins SET failed_logins = failed_logins + 1 WHERE admin_id = $1
        RETURNING failed_logins")
    .bind(admin_id)
    .optional(&mut tx.conn())
    .await?;
    row.map_or(Ok(0), |row| row.natural(0))
}

/// Lets nobody log in as the administrator before a time.
///
/// # Errors
/// Those of the database.
pub async fn lock_until(tx: &mut Tx, admin_id: &str, until: TimeMs) -> Result<(), Error> {
    sql("UPDATE admins SET locked_until_ms = $2 WHERE admin_id = $1")
        .bind(admin_id)
        .bind(until)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Notes a login and forgets failed ones.
///
/// # Errors
/// Those of the database.
pub async fn login_succeeded(tx: &mut Tx, admin_id: &str, at: TimeMs) -> Result<(), Error> {
    sql("UPDATE admins SET failed_logins = 0, locked_until_ms = NULL, last_login_at_ms = $2
        WHERE admin_id = $1")
    .bind(admin_id)
    .bind(at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}
