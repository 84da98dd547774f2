//! The clock that the ledger is given: the system's, or one that is set forward.
//!
//! Only whoever holds the [`crate::Platform`] can set it forward, in this process; there is no
//! setting and no route for it. A demonstration lives through years in seconds with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use gx_types::TimeMs;

use crate::calendar::now_ms;

const DAY_MS: i64 = 86_400_000;

/// The system's clock, and how far it is set forward. Clones share the setting.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    pub fn now(&self) -> TimeMs {
        TimeMs(now_ms().saturating_add(self.ahead_ms.load(Ordering::Relaxed)))
    }

    /// Sets the clock forward by so many days; a ledger's time never goes back.
    pub fn advance_days(&self, days: u16) {
        self.ahead_ms.fetch_add(i64::from(days) * DAY_MS, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_go_forward_together() {
        let clock = Clock::default();
        let before = clock.clone().now();
        clock.clone().advance_days(3);
        assert!(clock.now().0 >= before.0 + 3 * DAY_MS);
    }
}
