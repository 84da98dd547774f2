//! Durations of single commands, and what share of them stayed below which time.
//!
//! Every duration is kept: percentiles are exact, not those of a histogram's edges.

use std::time::Duration;

#[derive(Debug, Default, Clone)]
pub(super) struct Latencies {
    micros: Vec<u32>,
}

impl Latencies {
    pub(super) fn add(&mut self, duration: Duration) {
        self.micros.push(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX));
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        self.micros.append(&mut other.micros);
    }

    pub(super) fn count(&self) -> usize {
        self.micros.len()
    }

    /// The time in milliseconds that `percent` of 100 durations did not exceed; 0 without any.
    pub(super) fn ms(&self, percent: usize) -> f64 {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        f64::from(sorted.get(rank - 1).copied().unwrap_or_default()) / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.ms(50), 0.0);
        for ms in (1..=200).rev() {
            latencies.add(Duration::from_millis(ms));
        }
        assert_eq!(latencies.ms(50), 100.0);
        assert_eq!(latencies.ms(99), 198.0);
        assert_eq!(latencies.ms(100), 200.0);
        let mut other = Latencies::default();
        other.merge(latencies);
        assert_eq!(other.count(), 200);
    }
}
