//! Whom users pay often: accounts with the names that their owners give them.

use gx_types::{AccountId, TimeMs};

use crate::sql::{Row, int, sql};
use crate::{Error, Source, Tx};

/// Somebody whom a user pays often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beneficiary {
    pub beneficiary_id: String,
    /// User id.
    pub owner: String,
    pub account_id: AccountId,
    pub name: String,
    pub nickname: Option<String>,
    pub favorite: bool,
    pub created_at: TimeMs,
    pub updated_at: TimeMs,
}

const SELECT: &str = "SELECT beneficiary_id, owner, account_id, name, nickname, favorite, \
    created_at_ms, updated_at_ms FROM beneficiaries";

/// What [`Error::Unique`] says when the owner has the account already.
pub const OWNERS_ACCOUNT: &str = "beneficiaries.owner,account_id";

fn beneficiary(row: &Row) -> Result<Beneficiary, Error> {
    Ok(Beneficiary {
        beneficiary_id: row.string(0)?,
        owner: row.string(1)?,
        account_id: row.parse(2, "account id")?,
        name: row.string(3)?,
        nickname: row.opt_string(4)?,
        favorite: row.flag(5)?,
        created_at: row.time(6)?,
        updated_at: row.time(7)?,
    })
}

/// Adds one, unless the owner has `max` already. Says whether it was added.
///
/// # Errors
/// [`Error::Unique`] [`OWNERS_ACCOUNT`].
pub async fn create(tx: &mut Tx, new: &Beneficiary, max: u64) -> Result<bool, Error> {
    let touched = sql("INSERT INTO beneficiaries (beneficiary_id, owner, account_id, name,
            nickname, favorite, created_at_ms, updated_at_ms)
        SELECT i.* FROM (SELECT $1 AS id, $2 AS owner, $3 AS account_id, $4 AS name,
            CAST($5 AS TEXT) AS nickname, CAST($6 AS BIGINT) AS favorite,
            CAST($7 AS BIGINT) AS created, CAST($8 AS BIGINT) AS updated) i
        WHERE (SELECT COUNT(*) FROM beneficiaries b WHERE b.owner = i.owner) < $9")
    .bind(new.beneficiary_id.as_str())
    .bind(new.owner.as_str())
    .bind(&new.account_id)
    .bind(new.name.as_str())
    .bind(new.nickname.as_deref())
    .bind(new.favorite)
    .bind(new.created_at)
    .bind(new.updated_at)
    .bind(int(max)?)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// One of an owner's.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    owner: &str,
    beneficiary_id: &str,
) -> Result<Option<Beneficiary>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{SELECT} WHERE beneficiary_id = $1 AND owner = $2"))
        .bind(beneficiary_id)
        .bind(owner)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(beneficiary).transpose()
}

/// A page of an owner's, newest first, and how many there are in all.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    owner: &str,
    offset: u64,
    limit: u32,
) -> Result<(Vec<Beneficiary>, u64), Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(format!(
        "{SELECT} WHERE owner = $1 ORDER BY created_at_ms DESC, beneficiary_id DESC
        LIMIT $2 OFFSET $3"
    ))
    .bind(owner)
    .bind(limit)
    .bind(int(offset)?)
    .all(&mut conn)
    .await?;
    let total = sql("SELECT COUNT(*) FROM beneficiaries WHERE owner = $1")
        .bind(owner)
        .one(&mut conn)
        .await?
        .natural(0)?;
    let found = rows.iter().map(beneficiary).collect::<Result<Vec<_>, _>>()?;
    Ok((found, total))
}

/// Changes one of its owner's, all but who owns it and since when. Says whether there is one.
///
/// # Errors
/// [`Error::Unique`] [`OWNERS_ACCOUNT`].
pub async fn update(tx: &mut Tx, to: &Beneficiary) -> Result<bool, Error> {
    let touched = sql("UPDATE beneficiaries SET account_id = $3, name = $4, nickname = $5,
            favorite = $6, updated_at_ms = $7
        WHERE beneficiary_id = $1 AND owner = $2")
    .bind(to.beneficiary_id.as_str())
    .bind(to.owner.as_str())
    .bind(&to.account_id)
    .bind(to.name.as_str())
    .bind(to.nickname.as_deref())
    .bind(to.favorite)
    .bind(to.updated_at)
    .run(&mut tx.conn())
    .await?;
    Ok(touched > 0)
}

/// Takes one of an owner's away. Says whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn remove(tx: &mut Tx, owner: &str, beneficiary_id: &str) -> Result<bool, Error> {
    let touched = sql("DELETE FROM beneficiaries WHERE beneficiary_id = $1 AND owner = $2")
        .bind(beneficiary_id)
        .bind(owner)
        .run(&mut tx.conn())
        .await?;
    Ok(touched > 0)
}
