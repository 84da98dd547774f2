//! Dates and times as people write them: RFC 3339 in UTC, and ages in whole years.
//!
//! The platform counts milliseconds; only the edge towards people comes through here.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(civil::Date);

impl Date {
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The day in UTC that holds a point in time.
    pub fn of_ms(ms: i64) -> Self {
        Self(timestamp(ms).to_zoned(TimeZone::UTC).date())
    }

    /// The day's first moment in UTC, in milliseconds since 1970.
    pub fn start_ms(self) -> i64 {
        let start = self.0.to_zoned(TimeZone::UTC);
        start.map_or(0, |start| start.timestamp().as_millisecond())
    }

    /// The first day of its month.
    pub fn first_of_month(self) -> Self {
        Self(self.0.first_of_month())
    }

    /// Whole years from this day to another; zero when the other is earlier. Who was born on a
    /// leap day is a year older on the first of March.
    pub fn age_on(self, day: Self) -> u16 {
        let (born, day) = (self.0, day.0);
        let is_before_birthday = (day.month(), day.day()) < (born.month(), born.day());
        let years = day.year().saturating_sub(born.year());
        u16::try_from(years).unwrap_or_default().saturating_sub(u16::from(is_before_birthday))
    }
}

impl FromStr for Date {
    type Err = ();

    /// Reads `YYYY-MM-DD`.
    fn from_str(text: &str) -> Result<Self, ()> {
        if has_shape(text, "0000-00-00") { text.parse().map(Self).map_err(drop) } else { Err(()) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A point in time; one that no calendar reaches is its nearest.
fn timestamp(ms: i64) -> Timestamp {
    let bound = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(ms).unwrap_or(bound)
}

/// A point in time as RFC 3339 with milliseconds, in UTC.
pub fn rfc3339(ms: i64) -> String {
    format!("{:.3}", timestamp(ms))
}

/// Reads RFC 3339: a date, or a date and time with an offset. A date alone is its first moment in
/// UTC.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    if text.len() <= 10 {
        return text.parse().ok().map(Date::start_ms);
    }
    // The library reads more than RFC 3339 has.
    let (clock, tail) = text.split_at_checked(19)?;
    let is_clock = ["0000-00-00T00:00:00", "0000-00-00t00:00:00", "0000-00-00 00:00:00"]
        .into_iter()
        .any(|shape| has_shape(clock, shape));
    let zone = match tail.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()),
        None => tail,
    };
    let is_zone = ["Z", "z", "+00:00", "-00:00"].into_iter().any(|shape| has_shape(zone, shape));
    let time: Option<Timestamp> = (is_clock && is_zone).then(|| text.parse().ok()).flatten();
    time.map(|time| time.as_nanosecond().div_euclid(1_000_000)).and_then(|ms| ms.try_into().ok())
}

/// Whether a text has a digit where the shape has one, and is the shape elsewhere.
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, sign): (u8, u8)| match sign {
        b'0' => byte.is_ascii_digit(),
        sign => byte == sign,
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// Milliseconds since 1970, by this machine's clock.
#[expect(clippy::disallowed_methods, reason = "the one clock function of the crate")]
pub fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_written_in_utc() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(ms), text);
        }
    }

    #[test]
    fn times_with_offsets_are_read() {
        for (text, ms) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000)),
            ("2025-12-31T23:59:59.999Z", Some(1_767_225_599_999)),
            ("2025-12-31T23:59:59.9999999Z", Some(1_767_225_599_999)),
            ("1970-01-01T02:00:00+02:00", Some(0)),
            ("1969-12-31T21:30:00.5-02:30", Some(500)),
            ("1970-01-01T00:00:00", None),
            ("1970-01-01T25:00:00Z", None),
            ("1970-01-01T00:00:00+2", None),
            ("1970-13-01T00:00:00Z", None),
            ("yesterday", None),
            ("1970-01-01Tab:cd:efZ", None),
        ] {
            assert_eq!(parse_rfc3339(text), ms, "{text}");
        }
    }

    #[test]
    fn only_days_that_exist_are_read() {
        assert_eq!(date("2024-02-29").to_string(), "2024-02-29");
        for text in ["2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "24-1-1", "x", ""] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_birthday_makes_a_year_older() {
        let born = date("2000-06-15");
        assert_eq!(born.age_on(date("2013-06-14")), 12);
        assert_eq!(born.age_on(date("2013-06-15")), 13);
        assert_eq!(born.age_on(date("1999-01-01")), 0);
    }
}
