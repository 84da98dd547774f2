//! What owners let leave their accounts in a day.

use gx_types::{AccountId, Amount, TimeMs};

use crate::sql::sql;
use crate::{Error, Source};

/// The limit of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit {
    /// Absent when there is none.
    pub per_day: Option<Amount>,
    /// What holds instead, and from when on; absent when nothing else is to come.
    pub next: Option<(Option<Amount>, TimeMs)>,
}

/// The limit of an account by a time: what was to hold instead does, once that is reached.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    account_id: &AccountId,
    now: TimeMs,
) -> Result<Limit, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT per_day_qirat, next_per_day_qirat, next_from_ms FROM spending_limits
        WHERE account_id = $1")
    .bind(account_id)
    .optional(&mut reader.conn())
    .await?;
    let Some(row) = row else { return Ok(Limit::default()) };
    let next = row.opt_time(2)?.map(|from| Ok::<_, Error>((row.opt_amount(1)?, from)));
    let limit = Limit { per_day: row.opt_amount(0)?, next: next.transpose()? };
    Ok(match limit.next {
        Some((per_day, from)) if from <= now => Limit { per_day, next: None },
        Some(_) | None => limit,
    })
}
