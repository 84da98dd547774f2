//! Users as lists show them: filtered, searched, counted.
//!
//! What a caller searches for is a text, never a pattern. A page costs the same however many users
//! there are: lists are counted up to a bound, and a search looks at a bounded number of hits.

use std::collections::BTreeSet;

use gx_types::CountryCode;

use super::{COLUMNS, User, UserStatus, many_of, user};
use crate::sql::{Conn, Statement, Value, int, sql};
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

/// Users that are counted at most: the total of a longer list is this.
const COUNTED_MAX: u64 = 1_000;

/// Users that a search finds at most by each of the texts that it looks into.
const HITS_MAX: i64 = 250;

/// A page of users, newest first, and how many fit in all, as far as they are counted. Of frozen
/// ones the newest accounts come first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    filter: &ListUsers,
) -> Result<(Vec<User>, u64), Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    if let Some(search) = &filter.search {
        return search_for(&mut conn, search, filter).await;
    }
    // Only what is asked for stands in the text, so that an index is found for it.
    let (mut fits, mut values) = (String::from("1 = 1"), Vec::new());
    let country = filter.country.map(|country| country.to_string());
    let decision = filter.status.map(|status| status.decision().as_str().to_owned());
    for (column, value) in [("u.status", decision), ("u.country", country)] {
        if let Some(value) = value {
            values.push(Value::from(value));
            fits.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    let (from, order) = match filter.status.map(UserStatus::ledger_state) {
        Some("F") => (
            "accounts a CROSS JOIN users u",
            "u.ledger_id = a.account_id AND a.frozen IS NOT NULL ORDER BY a.account_no DESC",
        ),
        Some("A") => (OF_USERS, "a.account_no IS NOT NULL AND a.frozen IS NULL ORDER BY {newest}"),
        // Hardly anybody waits: those who do are on a list.
        Some("-") => (OF_USERS, "u.awaits_account = 1 AND a.account_no IS NULL ORDER BY {newest}"),
        Some(_) | None => (OF_USERS, "1 = 1 ORDER BY {newest}"),
    };
    let order = order.replace("{newest}", "u.created_at_ms DESC, u.user_id DESC");
    let bound = |text: String| values.iter().cloned().fold(sql(text), Statement::bind);
    let (limit, offset) = (values.len().saturating_add(1), values.len().saturating_add(2));
    let page = bound(format!(
        "SELECT {COLUMNS} FROM {from} {CREDENTIALS} WHERE {fits} AND {order}
        LIMIT ${limit} OFFSET ${offset}"
    ));
    let page = page.bind(i64::from(filter.limit)).bind(int(filter.offset)?);
    let rows = page.all(&mut conn).await?;
    let users = rows.iter().map(user).collect::<Result<Vec<_>, _>>()?;
    let known = if order.contains("a.") { from } else { "users u" };
    let counted = order.split(" ORDER BY").next().unwrap_or_default();
    let total = bound(format!(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM {known} WHERE {fits} AND {counted}
            LIMIT ${limit}) counted"
    ));
    let total = total.bind(int(COUNTED_MAX)?).one(&mut conn).await?.natural(0)?;
    Ok((users, total))
}

const OF_USERS: &str = "users u LEFT JOIN accounts a ON a.account_id = u.ledger_id";
const CREDENTIALS: &str = "LEFT JOIN credentials c ON c.kind = 'USER' AND c.subject = u.user_id";

/// The users whose e-mail address, names or ledger id begin with a text. Who seeks with less than
/// it takes to tell people apart is shown some of them.
async fn search_for(
    conn: &mut Conn<'_>,
    search: &str,
    filter: &ListUsers,
) -> Result<(Vec<User>, u64), Error> {
    let first = search.to_lowercase();
    // Greater than every text that begins so, as texts are compared byte by byte.
    let last = format!("{first}\u{10ffff}");
    let mut ids = BTreeSet::new();
    for (text, ties) in [
        // Unique, and folded when it was registered.
        ("email", ""),
        ("lower(first_name)", ", user_id"),
        ("lower(last_name)", ", user_id"),
        ("lower(ledger_id)", ", user_id"),
    ] {
        let rows = sql(format!(
            "SELECT user_id FROM users WHERE {text} >= $1 AND {text} < $2
            ORDER BY {text}{ties} LIMIT $3"
        ))
        .bind(first.as_str())
        .bind(last.as_str())
        .bind(HITS_MAX)
        .all(conn)
        .await?;
        for row in &rows {
            ids.insert(row.string(0)?);
        }
    }
    let ids = ids.into_iter().map(Into::into).collect();
    let mut found = many_of(conn, "u.user_id", ids).await?;
    found.retain(|user| {
        filter.status.is_none_or(|status| user.status == status)
            && filter.country.is_none_or(|country| user.country == country)
    });
    found.sort_by(|a, b| (b.created_at, &b.user_id).cmp(&(a.created_at, &a.user_id)));
    let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let offset = usize::try_from(filter.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    Ok((found.into_iter().skip(offset).take(limit).collect(), total))
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
