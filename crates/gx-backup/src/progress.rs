//! How far an act is: whoever carries it out adds to it, whoever shows it reads it.
//!
//! Nothing here is drawn, and nothing waits for whoever draws.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustic_core::{ProgressBars, ProgressType, RusticProgress};

use crate::source::length;

/// The progress of one act; clones are of the same one.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    step: Mutex<Option<(String, Instant)>>,
    done: AtomicU64,
    /// 0 while it is not known.
    total: AtomicU64,
}

/// How far an act is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What is being done, for people.
    pub step: String,
    /// Bytes that were done since this step began, and how many there will be, where that is known.
    pub bytes: u64,
    pub total: Option<u64>,
    pub took: Duration,
}

impl Seen {
    /// Bytes a second since the step began.
    pub fn rate(&self) -> u64 {
        let took = self.took.as_millis().max(1);
        let rate = u128::from(self.bytes).saturating_mul(1000).checked_div(took);
        u64::try_from(rate.unwrap_or(0)).unwrap_or(u64::MAX)
    }

    /// How long the rest takes at that rate; `None` while nobody can say.
    pub fn left(&self) -> Option<Duration> {
        let rest = self.total?.saturating_sub(self.bytes);
        rest.checked_div(self.rate()).map(Duration::from_secs)
    }
}

impl Progress {
    /// Begins a step of so many bytes; 0 says that nobody knows yet.
    pub(crate) fn begin(&self, step: &str, total: u64) {
        let mut now = self.0.step.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.done.store(0, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
        *now = Some((step.to_owned(), Instant::now()));
    }

    /// Gives the step that goes on another name.
    pub(crate) fn name(&self, step: &str) {
        let mut now = self.0.step.lock().unwrap_or_else(PoisonError::into_inner);
        let began = now.as_ref().map_or_else(Instant::now, |(_, began)| *began);
        *now = Some((step.to_owned(), began));
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.0.done.fetch_add(bytes, Ordering::Relaxed);
    }

    fn expect(&self, total: u64) {
        let _ = self.0.total.compare_exchange(0, total, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// How far it is; `None` before it begins.
    pub fn seen(&self) -> Option<Seen> {
        let now = self.0.step.lock().unwrap_or_else(PoisonError::into_inner);
        let (step, began) = now.as_ref()?;
        let total = Some(self.0.total.load(Ordering::Relaxed)).filter(|total| *total > 0);
        let bytes = self.0.done.load(Ordering::Relaxed);
        // What there was the last time is a guess; more than that was done is no error.
        let total = total.filter(|total| *total >= bytes);
        Some(Seen { step: step.clone(), bytes, total, took: began.elapsed() })
    }
}

/// The library's bars: of those that count bytes, the bytes.
impl ProgressBars for Progress {
    fn progress(&self, kind: ProgressType, _: &str) -> rustic_core::Progress {
        match kind {
            ProgressType::Bytes => rustic_core::Progress::new(Bar(self.clone())),
            ProgressType::Spinner | ProgressType::Counter => rustic_core::Progress::hidden(),
        }
    }
}

#[derive(Debug)]
struct Bar(Progress);

impl RusticProgress for Bar {
    fn is_hidden(&self) -> bool {
        false
    }

    fn set_length(&self, total: u64) {
        self.0.expect(total);
    }

    fn set_title(&self, _: &str) {}

    fn inc(&self, bytes: u64) {
        self.0.add(bytes);
    }

    fn finish(&self) {}
}

/// Adds up what is written.
pub(crate) struct Counted<'a, W> {
    pub(crate) to: W,
    pub(crate) progress: &'a Progress,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.progress.add(length(count));
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_follow_from_what_was_done() {
        let seen = |bytes, total, ms| Seen {
            step: String::new(),
            bytes,
            total,
            took: Duration::from_millis(ms),
        };
        let half = seen(50_000_000, Some(100_000_000), 500);
        assert_eq!((half.rate(), half.left()), (100_000_000, Some(Duration::ZERO)));
        let tenth = seen(10, Some(100), 1_000);
        assert_eq!((tenth.rate(), tenth.left()), (10, Some(Duration::from_secs(9))));
        assert_eq!(seen(10, None, 1_000).left(), None);
        assert_eq!(seen(0, Some(100), 1_000).left(), None);
        assert_eq!(seen(0, Some(100), 0).rate(), 0);
    }

    #[test]
    fn a_guess_that_was_too_small_is_no_total() {
        let progress = Progress::default();
        assert_eq!(progress.seen(), None);
        progress.begin("capturing database", 100);
        progress.add(60);
        assert_eq!(progress.seen().unwrap().total, Some(100));
        progress.name("capturing ledger");
        progress.add(60);
        let seen = progress.seen().unwrap();
        assert_eq!((seen.step.as_str(), seen.bytes, seen.total), ("capturing ledger", 120, None));
        progress.begin("checking", 0);
        progress.progress(ProgressType::Bytes, "").set_length(7);
        progress.progress(ProgressType::Bytes, "").inc(3);
        progress.progress(ProgressType::Counter, "").inc(1_000);
        let seen = progress.seen().unwrap();
        assert_eq!((seen.bytes, seen.total), (3, Some(7)));
    }
}
