//! Users as lists show them: filtered, searched, counted.
//!
//! What a caller searches for is a text, never a pattern.

use gx_types::CountryCode;

use super::{COLUMNS, JOINS, User, UserStatus, user};
use crate::sql::sql;
use crate::{Error, Source};

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
        "SELECT {COLUMNS} FROM users u {JOINS} WHERE {FITS}
        ORDER BY u.created_at_ms DESC, u.user_id DESC LIMIT $5 OFFSET $6"
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
