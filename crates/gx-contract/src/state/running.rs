//! Time as it counts for what protects or charges somebody: without the system's pauses.
//!
//! A delay in which an owner may veto is worth nothing if it passes while vetoes are not taken, and
//! nobody is late who could not pay. So deadlines are stored on a clock that stands still while the
//! system is paused, and are shown as the time of day that they fall on by the pauses so far.

use gx_types::TimeMs;
use serde::{Deserialize, Serialize};

use super::System;

/// A point of the clock that stands still during pauses: the time of day, less the milliseconds
/// that the system had been paused for by then. It is the time of day where there was no pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunningMs(pub(crate) i64);

impl RunningMs {
    /// So many hours later.
    #[must_use]
    pub const fn plus_hours(self, hours: u32) -> Self {
        Self(TimeMs(self.0).plus_hours(hours).0)
    }

    /// So many milliseconds earlier.
    #[must_use]
    pub(crate) const fn less(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// The milliseconds since another point.
    pub(crate) const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// So many times 24 hours later.
    #[must_use]
    pub const fn plus_days(self, days: u32) -> Self {
        Self(TimeMs(self.0).plus_days(days).0)
    }
}

/// Tells the two clocks apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clocks {
    /// The time of the batch.
    now: TimeMs,
    /// What all pauses have taken by then, in milliseconds.
    paused_ms: i64,
}

impl Clocks {
    pub(crate) fn at(now: TimeMs, system: Option<&System>) -> Self {
        let paused_ms = system.map_or(0, |system| {
            let pause = system.paused.as_ref();
            let current = pause.map_or(0, |pause| now.0.saturating_sub(pause.since.0));
            system.paused_ms.saturating_add(current)
        });
        Self { now, paused_ms }
    }

    /// The batch's time of day.
    pub(crate) const fn now(self) -> TimeMs {
        self.now
    }

    /// The batch's time.
    pub(crate) const fn running(self) -> RunningMs {
        RunningMs(self.now.0.saturating_sub(self.paused_ms))
    }

    /// The time of day that a point falls on if there is no further pause before it.
    pub(crate) const fn time_of_day(self, point: RunningMs) -> TimeMs {
        TimeMs(point.0.saturating_add(self.paused_ms))
    }

    /// The point that falls on a time of day if there is no further pause before it.
    pub(crate) const fn point(self, time: TimeMs) -> RunningMs {
        RunningMs(time.0.saturating_sub(self.paused_ms))
    }

    /// What all pauses have taken, in milliseconds.
    pub(crate) const fn paused_ms(self) -> i64 {
        self.paused_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Pause, Version};

    #[test]
    fn the_running_clock_stands_still_while_the_system_is_paused() {
        let paused = |since| Pause { since: TimeMs(since), reason: String::new() };
        let system = |paused, paused_ms| System {
            v: Version,
            bootstrapped_at: TimeMs(0),
            network_id: gx_types::NetworkId::Devnet,
            custodians: crate::custody::Custodians::first(gx_types::MspId::PLATFORM),
            paused,
            super_admins: 1,
            paused_ms,
        };
        let running = |now, system: System| Clocks::at(TimeMs(now), Some(&system)).running();
        assert_eq!(Clocks::at(TimeMs(100), None).running(), RunningMs(100));
        assert_eq!(running(100, system(None, 0)), RunningMs(100));
        assert_eq!(running(100, system(None, 30)), RunningMs(70));
        assert_eq!(running(100, system(Some(paused(90)), 30)), RunningMs(60));
        assert_eq!(running(110, system(Some(paused(90)), 30)), RunningMs(60));
        assert_eq!(running(110, system(None, 50)), RunningMs(60));
        let clocks = Clocks::at(TimeMs(100), Some(&system(None, 30)));
        assert_eq!(clocks.time_of_day(clocks.running()), TimeMs(100));
        assert_eq!(clocks.time_of_day(RunningMs(70).plus_hours(1)), TimeMs(3_600_100));
    }
}
