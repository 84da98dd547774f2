//! The rate of a long run in equal slices of its time, so that a slope is seen.

use std::time::{Duration, Instant};

use super::figure::{Bar, Report, per_second};

const SLICES: u32 = 10;

/// How far a run was at which time.
#[derive(Debug)]
pub(super) struct Slices {
    start: Instant,
    marks: Vec<(Duration, u64)>,
}

impl Slices {
    pub(super) fn begin() -> Self {
        Self { start: Instant::now(), marks: vec![(Duration::ZERO, 0)] }
    }

    /// So many are done by now, from the beginning.
    pub(super) fn mark(&mut self, done: u64) {
        self.marks.push((self.start.elapsed(), done));
    }

    /// What was done after a time; between two marks as much as time has gone by.
    fn done(&self, at: Duration) -> f64 {
        let after = self.marks.partition_point(|(time, _)| *time < at);
        let (Some((to, end)), from) = (self.marks.get(after), after.saturating_sub(1)) else {
            return self.marks.last().map_or(0.0, |(_, done)| *done as f64);
        };
        let (from, begin) = self.marks.get(from).copied().unwrap_or_default();
        let span = to.saturating_sub(from).as_secs_f64().max(f64::EPSILON);
        let share = at.saturating_sub(from).as_secs_f64() / span;
        begin as f64 + share.min(1.0) * (*end - begin) as f64
    }

    /// Adds the rate of each slice, and the share of the first that the last one keeps.
    pub(super) fn report(&self, report: &mut Report, of: (&'static str, &str), bar: Bar) {
        let (whole, all) = self.marks.last().copied().unwrap_or_default();
        let rates: Vec<f64> = (0..SLICES)
            .map(|slice| (whole * slice / SLICES, whole * (slice + 1) / SLICES))
            .map(|(from, to)| {
                let span = to.saturating_sub(from).as_secs_f64().max(f64::EPSILON);
                (self.done(to) - self.done(from)) / span
            })
            .collect();
        for (rate, slice) in rates.iter().zip(1..) {
            let metric = format!("transfers, slice {slice} of {SLICES}");
            report.add(of, &metric, (*rate, "1/s"), Bar::None);
        }
        report.add(of, "transfers, whole run", (per_second(all, whole), "1/s"), Bar::None);
        if let (Some(first), Some(last)) = (rates.first(), rates.last()) {
            let share = last / first.max(f64::EPSILON);
            report.add(of, "last slice of the first", (share, "of 1"), bar);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_read_between_the_marks() {
        let seconds = Duration::from_secs;
        let marks = vec![(seconds(0), 0), (seconds(10), 1000), (seconds(20), 1500)];
        let slices = Slices { start: Instant::now(), marks };
        for (at, done) in [(0, 0.0), (5, 500.0), (10, 1000.0), (16, 1300.0), (20, 1500.0)] {
            assert_eq!(slices.done(seconds(at)), done, "{at}");
        }
        let mut report = Report::new(false);
        slices.report(&mut report, ("x", ""), Bar::AtLeast(0.5));
        assert!(report.all_reached());
        slices.report(&mut report, ("x", ""), Bar::AtLeast(0.51));
        assert!(!report.all_reached());
    }
}
