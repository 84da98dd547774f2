//! The clock, and times as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Milliseconds since 1970, now.
pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// `20260131T020000Z`.
pub(crate) fn stamp(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned(TimeZone::UTC);
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The day, ISO week and month of a time, in UTC: what grandfathers are counted by.
pub(crate) fn periods(at_ms: i64) -> [String; 3] {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned(TimeZone::UTC);
    ["%Y-%m-%d", "%G-W%V", "%Y-%m"].map(|format| at.strftime(format).to_string())
}
