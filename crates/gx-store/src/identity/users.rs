//! Registered people.
//!
//! A row says what people have decided. Whether somebody has an account on the ledger, and whether
//! it is frozen, is the projector's to say: `ACTIVE` and `FROZEN` are read from the account and can
//! be stored nowhere.

use std::str::FromStr;

use gx_types::{AccountId, CountryCode, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::columns::frozen_from;
use crate::sql::{Row, sql};
use crate::{Error, Source, Tx};
use gx_contract::tokenomics::FreezeReason;

/// What has been decided about a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    Registered,
    PendingAdminApproval,
    /// Approved: an account on the ledger is on its way, or exists.
    ApprovedPendingOnchain,
    Denied,
    Suspended,
    Closed,
}

/// Where a user stands: the decision, and beyond approval what the ledger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserStatus {
    Registered,
    PendingAdminApproval,
    ApprovedPendingOnchain,
    /// Approved, with an account on the ledger.
    Active,
    /// Active, but the account is frozen.
    Frozen,
    Denied,
    Suspended,
    Closed,
}

impl Decision {
    pub const ALL: [Self; 6] = [
        Self::Registered,
        Self::PendingAdminApproval,
        Self::ApprovedPendingOnchain,
        Self::Denied,
        Self::Suspended,
        Self::Closed,
    ];

    pub const fn as_str(self) -> &'static str {
        self.status(false, false).as_str()
    }

    pub(crate) const fn status(self, on_ledger: bool, frozen: bool) -> UserStatus {
        match self {
            Self::Registered => UserStatus::Registered,
            Self::PendingAdminApproval => UserStatus::PendingAdminApproval,
            Self::ApprovedPendingOnchain if on_ledger && frozen => UserStatus::Frozen,
            Self::ApprovedPendingOnchain if on_ledger => UserStatus::Active,
            Self::ApprovedPendingOnchain => UserStatus::ApprovedPendingOnchain,
            Self::Denied => UserStatus::Denied,
            Self::Suspended => UserStatus::Suspended,
            Self::Closed => UserStatus::Closed,
        }
    }
}

impl UserStatus {
    pub const ALL: [Self; 8] = [
        Self::Registered,
        Self::PendingAdminApproval,
        Self::ApprovedPendingOnchain,
        Self::Active,
        Self::Frozen,
        Self::Denied,
        Self::Suspended,
        Self::Closed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "REGISTERED",
            Self::PendingAdminApproval => "PENDING_ADMIN_APPROVAL",
            Self::ApprovedPendingOnchain => "APPROVED_PENDING_ONCHAIN",
            Self::Active => "ACTIVE",
            Self::Frozen => "FROZEN",
            Self::Denied => "DENIED",
            Self::Suspended => "SUSPENDED",
            Self::Closed => "CLOSED",
        }
    }

    /// The decision behind it.
    pub(crate) const fn decision(self) -> Decision {
        match self {
            Self::Registered => Decision::Registered,
            Self::PendingAdminApproval => Decision::PendingAdminApproval,
            Self::ApprovedPendingOnchain | Self::Active | Self::Frozen => {
                Decision::ApprovedPendingOnchain
            }
            Self::Denied => Decision::Denied,
            Self::Suspended => Decision::Suspended,
            Self::Closed => Decision::Closed,
        }
    }

    /// What the ledger must say of the account: `-` nothing yet, `A` there, `F` frozen, `*` any.
    const fn ledger_state(self) -> &'static str {
        match self {
            Self::ApprovedPendingOnchain => "-",
            Self::Active => "A",
            Self::Frozen => "F",
            Self::Registered
            | Self::PendingAdminApproval
            | Self::Denied
            | Self::Suspended
            | Self::Closed => "*",
        }
    }
}

impl FromStr for UserStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no status of a user"))
    }
}

/// A person to register. E-mail and phone are folded by the caller: they are compared as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    pub user_id: String,
    pub email: String,
    pub phone: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub country: CountryCode,
    pub gender: Option<String>,
    /// `YYYY-MM-DD`.
    pub date_of_birth: String,
    pub password_hash: String,
    pub decision: Decision,
    /// Hash of who the person is, as it will stand on the ledger.
    pub identity_hash: String,
    pub created_at: TimeMs,
}

/// A registered person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub user_id: String,
    pub email: String,
    pub phone: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub country: CountryCode,
    pub gender: Option<String>,
    /// `YYYY-MM-DD`.
    pub date_of_birth: String,
    pub status: UserStatus,
    /// Why, where a decision needs a reason.
    pub status_reason: Option<String>,
    /// The account on the ledger, assigned with the approval.
    pub ledger_id: Option<AccountId>,
    /// Whether that account exists there.
    pub on_ledger: bool,
    /// Why the account is frozen, if it is; also of suspended users.
    pub frozen: Option<FreezeReason>,
    pub identity_hash: String,
    pub last_login_at: Option<TimeMs>,
    pub created_at: TimeMs,
    pub updated_at: TimeMs,
}

/// What a login checks. Apart from [`User`], so that no page about users can show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub password_hash: String,
    pub failed_logins: u64,
    pub locked_until: Option<TimeMs>,
    pub password_changed_at: TimeMs,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { password_hash: _, failed_logins, locked_until, password_changed_at } = self;
        f.debug_struct("Credentials")
            .field("failed_logins", failed_logins)
            .field("locked_until", locked_until)
            .field("password_changed_at", password_changed_at)
            .finish_non_exhaustive()
    }
}

/// Which users to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListUsers {
    pub status: Option<UserStatus>,
    /// Beginning of e-mail, ledger id, first or last name; not case-sensitive.
    pub search: Option<String>,
    pub country: Option<CountryCode>,
    pub offset: u64,
    pub limit: u32,
}

const SELECT: &str = "SELECT u.user_id, u.email, u.phone, u.first_name, u.last_name, u.country, \
    u.gender, u.date_of_birth, u.status, u.status_reason, u.ledger_id, a.account_no, a.frozen, \
    u.identity_hash, u.last_login_at_ms, u.created_at_ms, u.updated_at_ms \
    FROM users u LEFT JOIN accounts a ON a.account_id = u.ledger_id";

fn user(row: &Row) -> Result<User, Error> {
    let decision: UserStatus = row.parse(8, "status of a user")?;
    let on_ledger = row.opt_int(11)?.is_some();
    let frozen = row.opt_text(12)?.map(frozen_from).transpose()?;
    Ok(User {
        user_id: row.string(0)?,
        email: row.string(1)?,
        phone: row.opt_string(2)?,
        first_name: row.string(3)?,
        last_name: row.string(4)?,
        country: row.parse(5, "country")?,
        gender: row.opt_string(6)?,
        date_of_birth: row.string(7)?,
        status: decision.decision().status(on_ledger, frozen.is_some()),
        status_reason: row.opt_string(9)?,
        ledger_id: row.opt_parse(10, "account id")?,
        on_ledger,
        frozen,
        identity_hash: row.string(13)?,
        last_login_at: row.opt_time(14)?,
        created_at: row.time(15)?,
        updated_at: row.time(16)?,
    })
}

/// Registers a person.
///
/// # Errors
/// [`Error::Unique`] `users.email` or `users.phone` when another person has it.
pub async fn create(tx: &mut Tx, new: &NewUser) -> Result<(), Error> {
    sql("INSERT INTO users (user_id, email, phone, first_name, last_name, country, gender,
            date_of_birth, password_hash, status, identity_hash, failed_logins,
            password_changed_at_ms, created_at_ms, updated_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $12, $12)")
    .bind(new.user_id.as_str())
    .bind(new.email.as_str())
    .bind(new.phone.as_deref())
    .bind(new.first_name.as_str())
    .bind(new.last_name.as_str())
    .bind(new.country.as_str())
    .bind(new.gender.as_deref())
    .bind(new.date_of_birth.as_str())
    .bind(new.password_hash.as_str())
    .bind(new.decision.as_str())
    .bind(new.identity_hash.as_str())
    .bind(new.created_at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}

async fn one(
    source: impl Into<Source<'_>>,
    condition: &'static str,
    value: &str,
) -> Result<Option<User>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{SELECT} WHERE {condition} = $1"))
        .bind(value)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(user).transpose()
}

/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, user_id: &str) -> Result<Option<User>, Error> {
    one(source, "u.user_id", user_id).await
}

/// By the folded e-mail address.
///
/// # Errors
/// Those of the database.
pub async fn by_email(source: impl Into<Source<'_>>, email: &str) -> Result<Option<User>, Error> {
    one(source, "u.email", email).await
}

/// # Errors
/// Those of the database.
pub async fn by_ledger_id(
    source: impl Into<Source<'_>>,
    ledger_id: &AccountId,
) -> Result<Option<User>, Error> {
    one(source, "u.ledger_id", ledger_id.as_str()).await
}

/// What a login of this user checks.
///
/// # Errors
/// Those of the database.
pub async fn credentials(
    source: impl Into<Source<'_>>,
    user_id: &str,
) -> Result<Option<Credentials>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT password_hash, failed_logins, locked_until_ms, password_changed_at_ms
        FROM users WHERE user_id = $1")
    .bind(user_id)
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

/// Users by their ids, those that exist, in no particular order.
///
/// # Errors
/// Those of the database.
pub async fn get_many(
    source: impl Into<Source<'_>>,
    user_ids: &[String],
) -> Result<Vec<User>, Error> {
    let mut reader = source.into().open().await?;
    let ids = user_ids.iter().map(|id| id.as_str().into()).collect();
    let rows = Bulk::new(
        "WITH input (user_id) AS ({rows})
        SELECT u.user_id, u.email, u.phone, u.first_name, u.last_name, u.country, u.gender,
            u.date_of_birth, u.status, u.status_reason, u.ledger_id, a.account_no, a.frozen,
            u.identity_hash, u.last_login_at_ms, u.created_at_ms, u.updated_at_ms
        FROM input i JOIN users u ON u.user_id = i.user_id
        LEFT JOIN accounts a ON a.account_id = u.ledger_id",
        vec![Column::Text(ids)],
    )
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(user).collect()
}

/// A page of users, newest first, and how many fit in all.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    filter: &ListUsers,
) -> Result<(Vec<User>, u64), Error> {
    const FITS: &str = "($1 = '' OR u.status = $1)
        AND ($2 = '*' OR $2 = CASE WHEN a.account_no IS NULL THEN '-'
            WHEN a.frozen IS NULL THEN 'A' ELSE 'F' END)
        AND ($3 = '' OR u.country = $3)
        AND ($4 = '' OR lower(u.email) LIKE $4 ESCAPE '!' OR lower(u.first_name) LIKE $4 ESCAPE '!'
            OR lower(u.last_name) LIKE $4 ESCAPE '!' OR lower(u.ledger_id) LIKE $4 ESCAPE '!')";
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let bound = |text: String| {
        sql(text)
            .bind(filter.status.map_or("", |status| status.decision().as_str()))
            .bind(filter.status.map_or("*", UserStatus::ledger_state))
            .bind(filter.country.map_or_else(String::new, |country| country.to_string()))
            .bind(filter.search.as_deref().map_or_else(String::new, begins_with))
    };
    let rows = bound(format!(
        "{SELECT} WHERE {FITS} ORDER BY u.created_at_ms DESC, u.user_id DESC LIMIT $5 OFFSET $6"
    ))
    .bind(i64::from(filter.limit))
    .bind(crate::sql::int(filter.offset)?)
    .all(&mut conn)
    .await?;
    let total = bound(format!(
        "SELECT COUNT(*) FROM users u LEFT JOIN accounts a ON a.account_id = u.ledger_id
        WHERE {FITS}"
    ))
    .one(&mut conn)
    .await?
    .natural(0)?;
    let users = rows.iter().map(user).collect::<Result<Vec<_>, _>>()?;
    Ok((users, total))
}

/// A LIKE pattern for texts that begin like `search`.
fn begins_with(search: &str) -> String {
    let mut pattern = String::with_capacity(search.len() + 1);
    for character in search.to_lowercase().chars() {
        if matches!(character, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Users by status, for the overview.
///
/// # Errors
/// Those of the database.
pub async fn count_by_status(
    source: impl Into<Source<'_>>,
) -> Result<Vec<(UserStatus, u64)>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT u.status, CASE WHEN a.account_no IS NULL THEN '-'
            WHEN a.frozen IS NULL THEN 'A' ELSE 'F' END AS ledger, COUNT(*)
        FROM users u LEFT JOIN accounts a ON a.account_id = u.ledger_id GROUP BY 1, 2")
    .all(&mut reader.conn())
    .await?;
    let mut counts: Vec<(UserStatus, u64)> =
        UserStatus::ALL.into_iter().map(|status| (status, 0)).collect();
    for row in &rows {
        let decision: UserStatus = row.parse(0, "status of a user")?;
        let ledger = row.text(1)?;
        let status = decision.decision().status(ledger != "-", ledger == "F");
        let count = row.natural(2)?;
        counts.iter_mut().filter(|(of, _)| *of == status).for_each(|(_, sum)| *sum += count);
    }
    Ok(counts)
}

/// Changes the decision about a user if it is one of `from` now. Says whether it was.
///
/// # Errors
/// Those of the database.
pub async fn decide(
    tx: &mut Tx,
    user_id: &str,
    from: &[Decision],
    to: Decision,
    reason: Option<&str>,
    at: TimeMs,
) -> Result<bool, Error> {
    let mut slots = from.iter().map(|decision| decision.as_str());
    let mut next = || slots.next().unwrap_or_default();
    let touched = sql("UPDATE users SET status = $2, status_reason = $3, updated_at_ms = $4
        WHERE user_id = $1 AND status IN ($5, $6, $7, $8, $9, $10)")
    .bind(user_id)
    .bind(to.as_str())
    .bind(reason)
    .bind(at)
    .bind(next())
    .bind(next())
    .bind(next())
    .bind(next())
    .bind(next())
    .bind(next())
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Assigns the account id that the user will have on the ledger, once. Says whether it was now.
///
/// # Errors
/// [`Error::Unique`] `users.ledger_id` when another user has it.
pub async fn assign_ledger_id(
    tx: &mut Tx,
    user_id: &str,
    ledger_id: &AccountId,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE users SET ledger_id = $2, updated_at_ms = $3
        WHERE user_id = $1 AND ledger_id IS NULL")
    .bind(user_id)
    .bind(ledger_id.as_str())
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Changes what users may change about themselves.
///
/// # Errors
/// [`Error::Unique`] `users.phone` when another user has it.
pub async fn update_profile(
    tx: &mut Tx,
    user_id: &str,
    (first_name, last_name, phone): (&str, &str, Option<&str>),
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE users SET first_name = $2, last_name = $3, phone = $4,
            updated_at_ms = $5
        WHERE user_id = $1")
    .bind(user_id)
    .bind(first_name)
    .bind(last_name)
    .bind(phone)
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Sets another password and forgets failed logins.
///
/// # Errors
/// Those of the database.
pub async fn set_password(
    tx: &mut Tx,
    user_id: &str,
    password_hash: &str,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE users SET password_hash = $2, password_changed_at_ms = $3,
            updated_at_ms = $3, failed_logins = 0, locked_until_ms = NULL
        WHERE user_id = $1")
    .bind(user_id)
    .bind(password_hash)
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Counts a failed login and returns how many there are in a row now.
///
/// # Errors
/// Those of the database.
pub async fn login_failed(tx: &mut Tx, user_id: &str) -> Result<u64, Error> {
    let row = sql("UPDATE users SET failed_logins = failed_logins + 1 WHERE user_id = $1
        RETURNING failed_logins")
    .bind(user_id)
    .optional(&mut tx.conn())
    .await?;
    row.map_or(Ok(0), |row| row.natural(0))
}

/// Lets nobody log in as the user before a time.
///
/// # Errors
/// Those of the database.
pub async fn lock_until(tx: &mut Tx, user_id: &str, until: TimeMs) -> Result<(), Error> {
    sql("UPDATE users SET locked_until_ms = $2 WHERE user_id = $1")
        .bind(user_id)
        .bind(until)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// Notes a login and forgets failed ones.
///
/// # Errors
/// Those of the database.
pub async fn login_succeeded(tx: &mut Tx, user_id: &str, at: TimeMs) -> Result<(), Error> {
    sql("UPDATE users SET failed_logins = 0, locked_until_ms = NULL, last_login_at_ms = $2
        WHERE user_id = $1")
    .bind(user_id)
    .bind(at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}
