//! Registered people.
//!
//! A row says what people have decided. Whether somebody has an account on the ledger, and whether
//! it is frozen, is the projector's to say: `ACTIVE` and `FROZEN` are read from the account and can
//! be stored nowhere.

mod importing;
mod listing;
mod status;
mod tally;

use std::borrow::Cow;
use std::collections::BTreeMap;

use gx_contract::freezing::FreezeReasons;
use gx_types::{AccountId, CountryCode, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::columns::frozen_from;
use crate::login::Subject;
use crate::login::credentials::{self, PasswordHash};
use crate::sql::{Conn, Row, sql};
use crate::{Error, Source, Tx};

pub use importing::import;
pub use listing::{ListUsers, count_by_status, list};
pub use status::{Decision, UserStatus};

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
    pub frozen: FreezeReasons,
    pub identity_hash: String,
    pub last_login_at: Option<TimeMs>,
    pub created_at: TimeMs,
    pub updated_at: TimeMs,
    /// Since when it is known that mail reaches them.
    pub email_verified_at: Option<TimeMs>,
    /// Since when it is known that text messages do.
    pub phone_verified_at: Option<TimeMs>,
}

/// What [`user`] reads of `users u` and the tables of [`JOINS`].
const COLUMNS: &str = "u.user_id, u.email, u.phone, u.first_name, u.last_name, u.country, \
    u.gender, u.date_of_birth, u.status, u.status_reason, u.ledger_id, a.account_no, a.frozen, \
    u.identity_hash, c.last_login_at_ms, u.created_at_ms, u.updated_at_ms, \
    u.email_verified_at_ms, u.phone_verified_at_ms";

const JOINS: &str = "LEFT JOIN accounts a ON a.account_id = u.ledger_id \
    LEFT JOIN credentials c ON c.kind = 'USER' AND c.subject = u.user_id";

fn user(row: &Row) -> Result<User, Error> {
    let decision: UserStatus = row.parse(8, "status of a user")?;
    let on_ledger = row.opt_int(11)?.is_some();
    let frozen = frozen_from(row.opt_text(12)?)?;
    Ok(User {
        user_id: row.string(0)?,
        email: row.string(1)?,
        phone: row.opt_string(2)?,
        first_name: row.string(3)?,
        last_name: row.string(4)?,
        country: row.parse(5, "country")?,
        gender: row.opt_string(6)?,
        date_of_birth: row.string(7)?,
        status: decision.decision().status(on_ledger, !frozen.is_empty()),
        status_reason: row.opt_string(9)?,
        ledger_id: row.opt_parse(10, "account id")?,
        on_ledger,
        frozen,
        identity_hash: row.string(13)?,
        last_login_at: row.opt_time(14)?,
        created_at: row.time(15)?,
        updated_at: row.time(16)?,
        email_verified_at: row.opt_time(17)?,
        phone_verified_at: row.opt_time(18)?,
    })
}

/// Registers a person.
///
/// # Errors
/// [`Error::Unique`] `users.email` or `users.phone` when another person has it.
pub async fn create(tx: &mut Tx, new: &NewUser) -> Result<(), Error> {
    sql("INSERT INTO users (user_id, email, phone, first_name, last_name, country, gender,
            date_of_birth, status, identity_hash, created_at_ms, updated_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)")
    .bind(new.user_id.as_str())
    .bind(new.email.as_str())
    .bind(new.phone.as_deref())
    .bind(new.first_name.as_str())
    .bind(new.last_name.as_str())
    .bind(new.country.as_str())
    .bind(new.gender.as_deref())
    .bind(new.date_of_birth.as_str())
    .bind(new.decision.as_str())
    .bind(new.identity_hash.as_str())
    .bind(new.created_at)
    .run(&mut tx.conn())
    .await?;
    let password = PasswordHash { hash: &new.password_hash, must_change: false };
    credentials::create(tx, Subject::user(&new.user_id), password, new.created_at).await?;
    tally::add(tx, BTreeMap::from([(new.decision.as_str(), 1)])).await
}

async fn one(
    source: impl Into<Source<'_>>,
    condition: &'static str,
    value: &str,
) -> Result<Option<User>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM users u {JOINS} WHERE {condition} = $1"))
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

/// By the telephone number in the international form.
///
/// # Errors
/// Those of the database.
pub async fn by_phone(source: impl Into<Source<'_>>, phone: &str) -> Result<Option<User>, Error> {
    one(source, "u.phone", phone).await
}

/// # Errors
/// Those of the database.
pub async fn by_ledger_id(
    source: impl Into<Source<'_>>,
    ledger_id: &AccountId,
) -> Result<Option<User>, Error> {
    one(source, "u.ledger_id", ledger_id.as_str()).await
}

/// Users by their ids, those that exist, in no particular order.
///
/// # Errors
/// Those of the database.
pub async fn get_many(
    source: impl Into<Source<'_>>,
    user_ids: &[String],
) -> Result<Vec<User>, Error> {
    let ids = user_ids.iter().map(|id| id.as_str().into()).collect();
    many(source, "u.user_id", ids).await
}

/// Users by the ids of their accounts, those that exist, in no particular order.
///
/// # Errors
/// Those of the database.
pub async fn by_ledger_ids(
    source: impl Into<Source<'_>>,
    ledger_ids: &[AccountId],
) -> Result<Vec<User>, Error> {
    let ids = ledger_ids.iter().map(|id| id.as_str().into()).collect();
    many(source, "u.ledger_id", ids).await
}

async fn many(
    source: impl Into<Source<'_>>,
    column: &'static str,
    values: Vec<Cow<'_, str>>,
) -> Result<Vec<User>, Error> {
    let mut reader = source.into().open().await?;
    many_of(&mut reader.conn(), column, values).await
}

async fn many_of(
    conn: &mut Conn<'_>,
    column: &'static str,
    values: Vec<Cow<'_, str>>,
) -> Result<Vec<User>, Error> {
    let text = format!(
        "WITH input (value) AS ({{rows}})
        SELECT {COLUMNS} FROM input i JOIN users u ON {column} = i.value {JOINS}"
    );
    let rows = Bulk::new(text, vec![Column::Text(values)]).all(conn).await?;
    rows.iter().map(user).collect()
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
    let found = sql("SELECT status FROM users WHERE user_id = $1")
        .bind(user_id)
        .optional(&mut tx.conn())
        .await?;
    let Some(row) = found else { return Ok(false) };
    let now = row.text(0)?;
    let Some(before) = from.iter().map(|decision| decision.as_str()).find(|name| *name == now)
    else {
        return Ok(false);
    };
    // Whoever was faster has decided.
    let touched = sql("UPDATE users SET status = $2, status_reason = $3, updated_at_ms = $4
        WHERE user_id = $1 AND status = $5")
    .bind(user_id)
    .bind(to.as_str())
    .bind(reason)
    .bind(at)
    .bind(before)
    .run(&mut tx.conn())
    .await?;
    if touched > 0 && before != to.as_str() {
        tally::add(tx, BTreeMap::from([(before, -1), (to.as_str(), 1)])).await?;
    }
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
    let touched = sql("UPDATE users SET ledger_id = $2, awaits_account = 1, updated_at_ms = $3
        WHERE user_id = $1 AND ledger_id IS NULL")
    .bind(user_id)
    .bind(ledger_id.as_str())
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Takes users off the list of those whose account is still to be opened, once it is there; at most
/// `max`. Returns how many. Where they stand is read from the account in any case: the list is what
/// makes it cheap to find the few who wait among all who do not.
///
/// # Errors
/// Those of the database.
pub async fn note_accounts(tx: &mut Tx, max: u32) -> Result<u64, Error> {
    sql("UPDATE users SET awaits_account = 0 WHERE user_id IN (
            SELECT u.user_id FROM users u JOIN accounts a ON a.account_id = u.ledger_id
            WHERE u.awaits_account = 1 ORDER BY u.status, u.created_at_ms, u.user_id LIMIT $1)")
    .bind(i64::from(max))
    .run(&mut tx.conn())
    .await
}

/// Has a user stand for another identity, as long as the ledger does not know one of theirs.
/// Says whether it was changed.
///
/// # Errors
/// Those of the database.
pub async fn set_identity(
    tx: &mut Tx,
    user_id: &str,
    (from, to): (&str, &str),
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE users SET identity_hash = $3, updated_at_ms = $4
        WHERE user_id = $1 AND identity_hash = $2
        AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.account_id = users.ledger_id)")
    .bind(user_id)
    .bind(from)
    .bind(to)
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Notes that mail and text messages reach a user.
///
/// # Errors
/// Those of the database.
pub async fn note_reached(tx: &mut Tx, user_id: &str, at: TimeMs) -> Result<(), Error> {
    sql("UPDATE users SET email_verified_at_ms = $2, phone_verified_at_ms = $2 WHERE user_id = $1")
        .bind(user_id)
        .bind(at)
        .run(&mut tx.conn())
        .await
        .map(drop)
}

/// What users may change about themselves while nobody has approved of it; `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
    pub gender: Option<String>,
}

/// Changes who a user is, before that is approved. Says whether it was changed.
///
/// # Errors
/// Those of the database.
pub async fn change_person(
    tx: &mut Tx,
    user_id: &str,
    person: &Person,
    at: TimeMs,
) -> Result<bool, Error> {
    let touched = sql("UPDATE users SET first_name = COALESCE($2, first_name),
            last_name = COALESCE($3, last_name), date_of_birth = COALESCE($4, date_of_birth),
            gender = COALESCE($5, gender), updated_at_ms = $6
        WHERE user_id = $1 AND status IN ('REGISTERED', 'PENDING_ADMIN_APPROVAL', 'DENIED')")
    .bind(user_id)
    .bind(person.first_name.as_deref())
    .bind(person.last_name.as_deref())
    .bind(person.date_of_birth.as_deref())
    .bind(person.gender.as_deref())
    .bind(at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Changes a user's telephone number, if one is given. Whether text messages reach another one is
/// not known.
///
/// # Errors
/// [`Error::Unique`] `users.phone` when another user has it.
pub async fn change_phone(
    tx: &mut Tx,
    user_id: &str,
    phone: Option<&str>,
    at: TimeMs,
) -> Result<(), Error> {
    sql("UPDATE users SET updated_at_ms = $3, phone = COALESCE($2, phone), phone_verified_at_ms =
            CASE WHEN phone = COALESCE($2, phone) THEN phone_verified_at_ms END
        WHERE user_id = $1")
    .bind(user_id)
    .bind(phone)
    .bind(at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}
