//! The time that the engine is given: the system's, or one that a simulation sets.
//!
//! The ledger's time may be set forward against it; only whoever holds the handle can do so, there
//! is no setting and no route for it. A demonstration lives through years in seconds with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use gx_types::TimeMs;

const DAY_MS: i64 = 86_400_000;

/// A clock, and how far the ledger's time is set forward. Clones share the setting.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
    ahead_ms: Arc<AtomicI64>,
}

#[derive(Debug, Clone)]
enum Source {
    System,
    /// It stands still until somebody sets it.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of this machine.
    pub fn system() -> Self {
        Self { source: Source::System, ahead_ms: Arc::default() }
    }

    /// A clock that shows this time until it is set to another.
    pub fn at(time: TimeMs) -> Self {
        Self { source: Source::Set(Arc::new(AtomicI64::new(time.0))), ahead_ms: Arc::default() }
    }

    /// What time it is.
    pub fn now(&self) -> TimeMs {
        match &self.source {
            Source::System => TimeMs(system_ms()),
            Source::Set(at) => TimeMs(at.load(Ordering::Relaxed)),
        }
    }

    /// What time the ledger is told.
    pub fn ledger_time(&self) -> TimeMs {
        TimeMs(self.now().0.saturating_add(self.ahead_ms.load(Ordering::Relaxed)))
    }

    /// Milliseconds since a point in time; none for one that is still to come.
    pub(crate) fn ms_since(&self, time: TimeMs) -> i64 {
        self.now().0.saturating_sub(time.0).max(0)
    }

    /// Sets a clock that was made with [`Clock::at`]; the system's goes by itself.
    pub fn set(&self, time: TimeMs) {
        match &self.source {
            Source::System => {}
            Source::Set(at) => at.store(time.0, Ordering::Relaxed),
        }
    }

    /// Sets the ledger's time forward by so many days; it never goes back.
    pub fn advance_days(&self, days: u16) {
        self.ahead_ms.fetch_add(i64::from(days) * DAY_MS, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one look at the machine's clock")]
fn system_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_go_forward_together() {
        let clock = Clock::at(TimeMs(1_000));
        let other = clock.clone();
        other.advance_days(3);
        assert_eq!((clock.now().0, clock.ledger_time().0), (1_000, 1_000 + 3 * DAY_MS));
        other.set(TimeMs(5_000));
        assert_eq!((clock.now().0, clock.ledger_time().0), (5_000, 5_000 + 3 * DAY_MS));
        assert_eq!((clock.ms_since(TimeMs(4_000)), clock.ms_since(TimeMs(6_000))), (1_000, 0));
    }

    #[test]
    fn the_system_clock_goes_by_itself() {
        let clock = Clock::system();
        let before = clock.now();
        clock.set(TimeMs(0));
        assert!(clock.now() >= before);
    }
}
