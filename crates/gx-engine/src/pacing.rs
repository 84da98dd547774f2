//! How long to wait before trying again.

use std::time::Duration;

use crate::random::Random;

/// Doubling delays with jitter, so that processes that failed together do not come back together.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    max: Duration,
    random: Random,
}

impl Backoff {
    pub const FIRST: Duration = Duration::from_millis(50);

    pub fn new(max: Duration, random: Random) -> Self {
        Self { next: Self::FIRST, max, random }
    }

    /// Between half and all of the current delay; the next one is twice as long.
    pub fn delay(&mut self) -> Duration {
        let full = u64::try_from(self.next.as_millis()).unwrap_or(u64::MAX);
        self.next = self.next.saturating_mul(2).min(self.max);
        Duration::from_millis(self.random.within(full / 2..=full))
    }

    /// Starts over, after a success.
    pub fn reset(&mut self) {
        self.next = Self::FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_the_limit_and_start_over() {
        let mut backoff = Backoff::new(Duration::from_millis(400), Random::seeded(1));
        for full in [50, 100, 200, 400, 400] {
            let delay = backoff.delay().as_millis();
            assert!((full / 2..=full).contains(&delay), "{delay} of {full}");
        }
        backoff.reset();
        assert!(backoff.delay() <= Backoff::FIRST);
    }
}
