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

/// Reads a time with its offset from UTC, such as `2026-01-31T14:05:00Z`, in milliseconds.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read_time(text: &str) -> Result<i64, String> {
    let at: Timestamp = text
        .parse()
        .map_err(|_| format!("{text:?} is no time with its offset, as 2026-01-31T14:05:00Z is"))?;
    Ok(at.as_millisecond())
}
