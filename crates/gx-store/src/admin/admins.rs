//! Administrators: people who run the platform. On the ledger they act under another id.

use gx_types::{AdminId, TimeMs};

use super::permissions::{self, SinglePermission};
use crate::login::credentials::{self, PasswordHash};
use crate::login::{Subject, passkeys, second_factors};
use crate::sql::{Row, sql};
use crate::{Error, Source, Tx, dialect};

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
    pub password_changed_at: TimeMs,
    /// Since when a device that shows codes is asked for.
    pub device_since: Option<TimeMs>,
    /// Whether they have a passkey, which is a second factor as well.
    pub has_passkey: bool,
    pub created_at: TimeMs,
    pub updated_at: TimeMs,
    /// What was decided of single permissions, by their codes.
    pub permissions: Vec<SinglePermission>,
}

const SELECT: &str = "SELECT a.admin_id, a.email, a.display_name, a.role, a.status, a.ledger_id, \
    c.must_change_password, c.last_login_at_ms, a.created_at_ms, a.updated_at_ms, \
    c.password_changed_at_ms, f.confirmed_at_ms, CAST(CASE WHEN EXISTS (SELECT 1 FROM passkeys k \
    WHERE k.kind = 'ADMIN' AND k.subject = a.admin_id) THEN 1 ELSE 0 END AS BIGINT) \
    FROM admins a JOIN credentials c ON c.kind = 'ADMIN' AND c.subject = a.admin_id \
    LEFT JOIN second_factors f ON f.kind = 'ADMIN' AND f.subject = a.admin_id";

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
        password_changed_at: row.time(10)?,
        device_since: row.opt_time(11)?,
        has_passkey: row.flag(12)?,
        permissions: Vec::new(),
    })
}

/// Administrators who may log in: id, id on the ledger, role; in the order of their ids.
///
/// # Errors
/// Those of the database.
pub async fn on_duty(
    source: impl Into<Source<'_>>,
) -> Result<Vec<(String, Option<AdminId>, String)>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT admin_id, ledger_id, role FROM admins WHERE status = $1
        ORDER BY admin_id")
    .bind(status(true))
    .all(&mut reader.conn())
    .await?;
    let admin = |row: &Row| Ok((row.string(0)?, row.opt_parse(1, "admin id")?, row.string(2)?));
    rows.iter().map(admin).collect()
}

/// Adds an administrator.
///
/// # Errors
/// [`Error::Unique`] `admins.email` or `admins.ledger_id` when another has it.
pub async fn create(tx: &mut Tx, new: &NewAdmin) -> Result<(), Error> {
    sql("INSERT INTO admins (admin_id, email, display_name, role, status, ledger_id,
            created_at_ms, updated_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7)")
    .bind(new.admin_id.as_str())
    .bind(new.email.as_str())
    .bind(new.display_name.as_str())
    .bind(new.role.as_str())
    .bind(status(true))
    .bind(new.ledger_id.as_ref().map(AdminId::as_str))
    .bind(new.created_at)
    .run(&mut tx.conn())
    .await?;
    let password = PasswordHash { hash: &new.password_hash, must_change: new.must_change_password };
    credentials::create(tx, Subject::admin(&new.admin_id), password, new.created_at).await
}

async fn one(
    source: impl Into<Source<'_>>,
    condition: &'static str,
    value: &str,
) -> Result<Option<Admin>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let row =
        sql(format!("{SELECT} WHERE {condition} = $1")).bind(value).optional(&mut conn).await?;
    let mut found = row.as_ref().map(admin).transpose()?;
    if let Some(admin) = &mut found {
        let id = &admin.admin_id;
        admin.permissions = permissions::between(&mut conn, id, id).await?.into_values().collect();
    }
    Ok(found)
}

/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, admin_id: &str) -> Result<Option<Admin>, Error> {
    one(source, "a.admin_id", admin_id).await
}

/// By the folded e-mail address.
///
/// # Errors
/// Those of the database.
pub async fn by_email(source: impl Into<Source<'_>>, email: &str) -> Result<Option<Admin>, Error> {
    one(source, "a.email", email).await
}

/// Administrators in the order of their ids, those after `after`.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Admin>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!("{SELECT} WHERE a.admin_id > $1 ORDER BY a.admin_id LIMIT $2"))
        .bind(after.unwrap_or_default())
        .bind(limit)
        .all(&mut conn)
        .await?;
    let mut page: Vec<Admin> = rows.iter().map(admin).collect::<Result<_, _>>()?;
    if let (Some(first), Some(last)) = (page.first(), page.last()) {
        let all = permissions::between(&mut conn, &first.admin_id, &last.admin_id).await?;
        for ((admin_id, _), single) in all {
            if let Some(admin) = page.iter_mut().find(|admin| admin.admin_id == admin_id) {
                admin.permissions.push(single);
            }
        }
    }
    Ok(page)
}

/// How many there are: none means that the platform has just been set up.
///
/// # Errors
/// Those of the database.
pub async fn count(source: impl Into<Source<'_>>) -> Result<u64, Error> {
    let mut reader = source.into().open().await?;
    sql("SELECT COUNT(*) FROM admins").one(&mut reader.conn()).await?.natural(0)
}

/// How an administrator is to be from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminChange<'a> {
    pub email: &'a str,
    pub display_name: &'a str,
    pub role: &'a str,
    /// Whether they may log in at all.
    pub enabled: bool,
}

/// Changes an administrator. Says whether there is one.
///
/// # Errors
/// [`Error::Unique`] `admins.email` when another has it.
pub async fn update(
    tx: &mut Tx,
    admin_id: &str,
    to: AdminChange<'_>,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE admins SET email = $2, display_name = $3, role = $4, status = $5,
            updated_at_ms = $6
        WHERE admin_id = $1 AND status <> $7")
    .bind(admin_id)
    .bind(to.email)
    .bind(to.display_name)
    .bind(to.role)
    .bind(status(to.enabled))
    .bind(at)
    .bind(REMOVED)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// What stands in the status of an administrator who is none any more.
const REMOVED: &str = "REMOVED";

/// Takes an administrator away. The id stays theirs, as the audit log names it; address and ledger
/// id may be another's from now on. Says whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn remove(tx: &mut Tx, admin_id: &str, at: TimeMs) -> Result<bool, Error> {
    // No address has a colon in front, so that it is in nobody's way.
    let touched = sql("UPDATE admins SET status = $2, email = ':' || admin_id, ledger_id = NULL,
            updated_at_ms = $3
        WHERE admin_id = $1 AND status <> $2")
    .bind(admin_id)
    .bind(REMOVED)
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    credentials::remove(tx, Subject::admin(admin_id)).await?;
    second_factors::remove(tx, Subject::admin(admin_id)).await?;
    passkeys::remove_all(tx, Subject::admin(admin_id)).await?;
    permissions::replace(tx, admin_id, &[]).await?;
    Ok(touched > 0)
}

/// Keeps others from deciding about an administrator until the transaction ends.
///
/// # Errors
/// Those of the database.
pub async fn hold(tx: &mut Tx, admin_id: &str) -> Result<(), Error> {
    sql("UPDATE admins SET updated_at_ms = updated_at_ms WHERE admin_id = $1")
        .bind(admin_id)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// How many others have a role and may log in. Who has the role stays as they are until the
/// transaction ends, so that two of them can't take each other away.
///
/// # Errors
/// Those of the database.
pub async fn others_with(tx: &mut Tx, role: &str, admin_id: &str) -> Result<u64, Error> {
    let mut conn = tx.conn();
    let rows = sql(dialect::lock_admins(conn.engine()))
        .bind(role)
        .bind(status(true))
        .all(&mut conn)
        .await?;
    let mut others = 0;
    for row in &rows {
        others += u64::from(row.text(0)? != admin_id);
    }
    Ok(others)
}
