//! Points in time as the whole platform counts them.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
#[schemars(inline)]
pub struct TimeMs(pub i64);

impl TimeMs {
    const HOUR: i64 = 3_600_000;

    /// So many hours later; the last point in time there is when that is later still.
    #[must_use]
    pub const fn plus_hours(self, hours: u32) -> Self {
        Self(self.0.saturating_add((hours as i64).saturating_mul(Self::HOUR)))
    }

    /// So many times 24 hours later.
    #[must_use]
    pub const fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add((days as i64).saturating_mul(24 * Self::HOUR)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_24_hours_and_nothing_overflows() {
        assert_eq!(TimeMs(5).plus_days(1), TimeMs(86_400_005));
        assert_eq!(TimeMs(5).plus_hours(24), TimeMs(5).plus_days(1));
        assert_eq!(TimeMs(i64::MAX - 1).plus_days(u32::MAX), TimeMs(i64::MAX));
    }
}
