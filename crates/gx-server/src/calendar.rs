//! Dates and times as people write them: RFC 3339 in UTC, and ages in whole years.
//!
//! The platform counts milliseconds; only the edge towards people comes through here.

use std::fmt;
use std::str::FromStr;

const DAY_MS: i64 = 86_400_000;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The day in UTC that holds a point in time.
    pub fn of_ms(ms: i64) -> Self {
        // Years begin in March, so that leap days come last.
        let days = ms.div_euclid(DAY_MS) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        Self {
            year: u16::try_from(year).unwrap_or_default(),
            month: u8::try_from(month).unwrap_or_default(),
            day: u8::try_from(day).unwrap_or_default(),
        }
    }

    /// The day's first moment in UTC, in milliseconds since 1970.
    pub fn start_ms(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
        let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        (era * 146_097 + of_era - 719_468) * DAY_MS
    }

    /// Whole years from this day to another; zero when the other is earlier.
    pub fn age_on(self, day: Self) -> u16 {
        let before_birthday = (day.month, day.day) < (self.month, self.day);
        day.year.saturating_sub(self.year).saturating_sub(u16::from(before_birthday))
    }
}

impl FromStr for Date {
    type Err = ();

    /// Reads `YYYY-MM-DD`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let mut parts = text.split('-');
        let (Some(year), Some(month), Some(day), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        if (year.len(), month.len(), day.len()) != (4, 2, 2)
            || ![year, month, day].into_iter().all(digits)
        {
            return Err(());
        }
        let year: u16 = year.parse().map_err(drop)?;
        let month: u8 = month.parse().map_err(drop)?;
        let day: u8 = day.parse().map_err(drop)?;
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let length = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(leap),
            _ => return Err(()),
        };
        if (1..=length).contains(&day) { Ok(Self { year, month, day }) } else { Err(()) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A point in time as RFC 3339 with milliseconds, in UTC.
pub fn rfc3339(ms: i64) -> String {
    let of_day = ms.rem_euclid(DAY_MS);
    let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (seconds, millis) = (of_day / 1000 % 60, of_day % 1000);
    format!("{}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z", Date::of_ms(ms))
}

/// Reads RFC 3339: a date, or a date and time with an offset. A date alone is its first moment in
/// UTC.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let date: Date = text.get(..10)?.parse().ok()?;
    let midnight = date.start_ms();
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return Some(midnight);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let number = |at: std::ops::Range<usize>, most: i64| {
        let digits = rest.get(at)?;
        let all = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|number| all && *number <= most)
    };
    let (hours, minutes, seconds) = (number(0..2, 23)?, number(3..5, 59)?, number(6..8, 60)?);
    let colons = (rest.get(2..3)?, rest.get(5..6)?);
    if colons != (":", ":") {
        return None;
    }
    let tail = rest.get(8..)?;
    let fraction = tail.strip_prefix('.').unwrap_or_default();
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let millis = format!("{:0<3}", fraction.get(..digits.min(3))?).parse::<i64>().ok()?;
    let zone = if tail.starts_with('.') { fraction.get(digits..)? } else { tail };
    let time = ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis;
    Some(midnight + time - offset_ms(zone)?)
}

/// `Z` or `+hh:mm` in milliseconds.
fn offset_ms(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60)
        .then(|| sign * (i64::from(hours) * 60 + i64::from(minutes)) * 60_000)
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
