//! What an organization or treasury has paid of late: its payments are judged by the day, so that
//! many small ones need the approvals that one large one does.

use gx_types::{Amount, TimeMs};
use serde::{Deserialize, Serialize};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What was paid on the last day on which something was, and on the day before that, without fees.
/// Days are those of UTC, and time is the batch's: a pause makes no day longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spent {
    /// Days since 1970.
    pub day: i64,
    pub that_day: Amount,
    pub day_before: Amount,
}

impl Spent {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What was paid today and yesterday.
    pub(crate) fn since_yesterday(&self, now: TimeMs) -> Amount {
        let Self { that_day, day_before, .. } = self.seen_on(day(now));
        sum(that_day, day_before)
    }

    /// With a payment more, made now.
    #[must_use]
    pub(super) fn plus(self, now: TimeMs, amount: Amount) -> Self {
        let seen = self.seen_on(day(now));
        Self { that_day: sum(seen.that_day, amount), ..seen }
    }

    /// The same with the days counted from a later one.
    fn seen_on(self, day: i64) -> Self {
        let zero = Amount::ZERO;
        let (that_day, day_before) = match day.saturating_sub(self.day) {
            ..=0 => (self.that_day, self.day_before),
            1 => (zero, self.that_day),
            2.. => (zero, zero),
        };
        Self { day: day.max(self.day), that_day, day_before }
    }
}

fn day(now: TimeMs) -> i64 {
    now.0.div_euclid(DAY_MS)
}

/// More than there can be is judged as all that there can be.
fn sum(a: Amount, b: Amount) -> Amount {
    a.checked_add(b).unwrap_or(Amount::from_qirat(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_and_yesterday_count_and_nothing_before() {
        let at = |day: i64, ms: i64| TimeMs(day * DAY_MS + ms);
        let gx = Amount::from_gx;
        let spent = Spent::default().plus(at(9, 0), gx(1)).plus(at(9, DAY_MS - 1), gx(2));
        assert_eq!(spent, Spent { day: 9, that_day: gx(3), day_before: gx(0) });
        assert_eq!(spent.since_yesterday(at(10, DAY_MS - 1)), gx(3));
        assert_eq!(spent.since_yesterday(at(11, 0)), gx(0));
        let spent = spent.plus(at(10, 0), gx(4));
        assert_eq!(spent, Spent { day: 10, that_day: gx(4), day_before: gx(3) });
        assert_eq!(spent.since_yesterday(at(11, 0)), gx(4));
        let spent = spent.plus(at(12, 0), gx(5));
        assert_eq!(spent, Spent { day: 12, that_day: gx(5), day_before: gx(0) });
        assert_eq!(spent.plus(at(12, 0), Amount::from_qirat(u64::MAX)).that_day.qirat(), u64::MAX);
        assert_eq!(Spent::default().since_yesterday(at(0, 0)), gx(0));
    }
}
