//! Who attests how old people are and who they are.

use gx_contract::PublicKey;
use gx_types::{AttesterId, CountryCode, TimeMs};

use crate::sql::{Row, sql};
use crate::{Error, Source};

/// An attester, whether its word still counts or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attester {
    pub attester_id: AttesterId,
    /// What its attestations are signed with; absent for devnet's own, which signs nothing.
    pub public_key: Option<PublicKey>,
    /// How many people it may attest on one day by UTC.
    pub daily_max: u32,
    /// Where it may attest; empty for devnet's own, which may anywhere.
    pub countries: Vec<CountryCode>,
    pub registered_at: TimeMs,
    /// Absent while its word counts.
    pub removed_at: Option<TimeMs>,
    /// How many people it has signed for altogether.
    pub attested: u64,
    /// The last day on which it has, in days since 1970 by UTC, and for how many.
    pub last_day: Option<(i64, u64)>,
}

const ATTESTER: &str = "SELECT attester_id, public_key, daily_max, countries, registered_at_ms, \
    removed_at_ms, attested_count, day, day_count FROM attesters";

fn attester(row: &Row) -> Result<Attester, Error> {
    let codes = row.string(3)?;
    let countries = codes.split_whitespace().map(|code| code.parse().map_err(|_| code));
    let countries: Result<Vec<CountryCode>, &str> = countries.collect();
    let daily_max = row.natural(2)?;
    Ok(Attester {
        attester_id: row.parse(0, "attester id")?,
        public_key: row.opt_parse(1, "public key")?,
        daily_max: u32::try_from(daily_max).map_err(|_| Error::corrupt("number", daily_max))?,
        countries: countries.map_err(|code| Error::corrupt("country", code))?,
        registered_at: row.time(4)?,
        removed_at: row.opt_time(5)?,
        attested: row.natural(6)?,
        last_day: row.opt_int(7)?.map(|day| Ok::<_, Error>((day, row.natural(8)?))).transpose()?,
    })
}

/// The attester with this id.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    attester_id: &AttesterId,
) -> Result<Option<Attester>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("{ATTESTER} WHERE attester_id = $1"))
        .bind(attester_id.as_str())
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(attester).transpose()
}

/// Attesters in the order of their ids, those after `after`; those whose word counts no longer only
/// if asked for.
///
/// # Errors
/// Those of the database.
pub async fn list(
    source: impl Into<Source<'_>>,
    removed_too: bool,
    after: Option<&AttesterId>,
    limit: u32,
) -> Result<Vec<Attester>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql(format!(
        "{ATTESTER} WHERE attester_id > $1 AND ($2 = 1 OR removed_at_ms IS NULL)
        ORDER BY attester_id LIMIT $3"
    ))
    .bind(after.map_or("", AttesterId::as_str))
    .bind(removed_too)
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(attester).collect()
}
