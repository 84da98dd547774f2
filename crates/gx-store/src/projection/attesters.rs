//! Who attests people, and how many each has attested.

use std::collections::BTreeMap;

use gx_contract::admin::{AttesterRegistered, DevnetAttester};
use gx_types::{AttesterId, TimeMs};

use crate::Error;
use crate::projection::state::{At, Projection};
use crate::sql::{Conn, sql};

/// What one attester has signed since the rows were read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attested {
    people: u32,
    /// Days since 1970-01-01, UTC.
    day: i64,
    on_day: u32,
}

pub(super) fn of_devnet(projection: &mut Projection<'_>, at: At<'_, '_>, event: &DevnetAttester) {
    register(projection, at, event.attester_id, (None, event.daily_max, String::new()));
}

pub(super) fn registered(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &AttesterRegistered,
) -> Result<(), Error> {
    let countries: Vec<&str> = event.countries.iter().map(|code| code.as_str()).collect();
    let key = Some(event.public_key.to_string());
    register(projection, at, event.attester_id, (key, event.daily_max, countries.join(" ")));
    Ok(())
}

/// Who was removed may be registered again; what it has attested stays counted.
fn register(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    id: AttesterId,
    (public_key, daily_max, countries): (Option<String>, u32, String),
) {
    let statement = sql("INSERT INTO attesters (attester_id, public_key, daily_max, countries,
            registered_at_ms, attested_count, day_count)
        VALUES ($1, $2, $3, $4, $5, 0, 0)
        ON CONFLICT (attester_id) DO UPDATE SET public_key = excluded.public_key,
            daily_max = excluded.daily_max, countries = excluded.countries,
            registered_at_ms = excluded.registered_at_ms, removed_at_ms = NULL")
    .bind(id.as_str())
    .bind(public_key)
    .bind(i64::from(daily_max))
    .bind(countries)
    .bind(at.time());
    projection.write(at, statement);
}

pub(super) fn removed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    id: AttesterId,
) -> Result<(), Error> {
    let statement = sql("UPDATE attesters SET removed_at_ms = $1
        WHERE attester_id = $2 AND removed_at_ms IS NULL")
    .bind(at.time())
    .bind(id.as_str());
    projection.update(at, statement);
    Ok(())
}

/// Counts a person that somebody has signed for. One statement an attester follows, however many
/// people the blocks have.
pub(super) fn count(projection: &mut Projection<'_>, at: At<'_, '_>, by: Option<AttesterId>) {
    let Some(id) = by else { return };
    let day = day_of(at.time());
    let attested = projection.attested.entry(id).or_default();
    if attested.day != day {
        (attested.day, attested.on_day) = (day, 0);
    }
    attested.people = attested.people.saturating_add(1);
    attested.on_day = attested.on_day.saturating_add(1);
}

const fn day_of(time: TimeMs) -> i64 {
    time.0.div_euclid(24 * 60 * 60 * 1000)
}

/// Adds what was counted to the attesters' rows.
pub(super) async fn write(
    conn: &mut Conn<'_>,
    attested: &BTreeMap<AttesterId, Attested>,
) -> Result<(), Error> {
    for (id, Attested { people, day, on_day }) in attested {
        sql("UPDATE attesters SET attested_count = attested_count + $1,
                day_count = CASE WHEN day = $2 THEN day_count + $3 ELSE $3 END, day = $2
            WHERE attester_id = $4")
        .bind(i64::from(*people))
        .bind(*day)
        .bind(i64::from(*on_day))
        .bind(id.as_str())
        .run(conn)
        .await?;
    }
    Ok(())
}
