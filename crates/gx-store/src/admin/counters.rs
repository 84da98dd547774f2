//! How many there are of everything, for those who watch the platform.
//!
//! Nothing that grows with users or payments is counted here: such counts are kept by whoever
//! writes the rows. What is counted is as many as there are countries.

use crate::sql::sql;
use crate::{Error, Source};

/// How many there are of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// People who have registered, whatever became of it.
    pub people: u64,
    /// Those of them who wait for a decision.
    pub waiting_people: u64,
    /// Users of the ledger.
    pub users: u64,
    pub organizations: u64,
    pub countries: u64,
    /// Treasuries that an organization's rules govern.
    pub treasuries: u64,
    pub blocks: u64,
}

/// Counts them. Users of the ledger are summed up from the countries, each of which counts its own.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>) -> Result<Counters, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT
            (SELECT CAST(COALESCE(SUM(people), 0) AS BIGINT) FROM user_tallies),
            (SELECT CAST(COALESCE(SUM(people), 0) AS BIGINT) FROM user_tallies
                WHERE status IN ('REGISTERED', 'PENDING_ADMIN_APPROVAL')),
            (SELECT CAST(COALESCE(SUM(users), 0) AS BIGINT) FROM countries),
            (SELECT COALESCE(MAX(organization_count), 0) FROM projection),
            (SELECT COUNT(*) FROM countries),
            (SELECT COUNT(*) FROM treasuries WHERE org_id IS NOT NULL),
            (SELECT COALESCE(MAX(number), 0) FROM blocks)")
    .one(&mut reader.conn())
    .await?;
    Ok(Counters {
        people: row.natural(0)?,
        waiting_people: row.natural(1)?,
        users: row.natural(2)?,
        organizations: row.natural(3)?,
        countries: row.natural(4)?,
        treasuries: row.natural(5)?,
        blocks: row.natural(6)?,
    })
}
