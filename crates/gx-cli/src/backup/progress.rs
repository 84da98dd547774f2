//! How far a run, a verification, a restore or a drill is: on a terminal a line that is drawn anew,
//! for programs one JSON object a line on standard error.

use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use gx_backup::{Progress, Seen};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::Show;
use crate::console;

/// How often a line is drawn anew, and how often one is printed.
const DRAWN: Duration = Duration::from_millis(200);
const PRINTED: Duration = Duration::from_secs(1);

/// Does something and shows meanwhile how far it is; nothing where nobody looks.
pub(super) fn shown<T>(
    progress: &Progress,
    action: &'static str,
    show: Show,
    work: impl FnOnce() -> T,
) -> T {
    if !show.progress && !std::io::stderr().is_terminal() {
        return work();
    }
    std::thread::scope(|scope| {
        let (done, ends) = channel::<()>();
        scope.spawn(move || match show.json || !std::io::stderr().is_terminal() {
            true => print(progress, action, &ends),
            false => draw(progress, &ends),
        });
        let result = work();
        drop(done);
        result
    })
}

fn draw(progress: &Progress, ends: &Receiver<()>) {
    let line = ProgressBar::new_spinner();
    while ends.recv_timeout(DRAWN) == Err(RecvTimeoutError::Timeout) {
        line.set_message(progress.seen().map(|seen| for_people(&seen)).unwrap_or_default());
        line.tick();
    }
    line.finish_and_clear();
}

fn print(progress: &Progress, action: &str, ends: &Receiver<()>) {
    while ends.recv_timeout(PRINTED) == Err(RecvTimeoutError::Timeout) {
        if let Some(seen) = progress.seen() {
            console::beside(for_programs(action, &seen));
        }
    }
    // Where it ended, also of what took no second.
    if let Some(seen) = progress.seen() {
        console::beside(for_programs(action, &seen));
    }
}

fn mega(bytes: u64) -> String {
    console::thousands(bytes.checked_div(1_000_000).unwrap_or(0))
}

fn for_people(seen: &Seen) -> String {
    let of = seen.total.map(|total| format!(" of {}", mega(total))).unwrap_or_default();
    let left = seen.left().map(|left| format!(", {} left", length(left.as_secs())));
    let (done, rate) = (mega(seen.bytes), mega(seen.rate()));
    format!("{}  {done}{of} MB, {rate} MB/s{}", seen.step, left.unwrap_or_default())
}

fn length(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

fn for_programs(action: &str, seen: &Seen) -> Value {
    json!({ "progress": {
        "action": action, "step": seen.step, "bytes": seen.bytes, "totalBytes": seen.total,
        "bytesPerSecond": seen.rate(), "secondsLeft": seen.left().map(|left| left.as_secs()),
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_programs_are_told_rate_and_time_left() {
        let mut seen = Seen {
            step: "database".to_owned(),
            bytes: 2_000_000_000,
            total: Some(10_000_000_000),
            took: Duration::from_secs(20),
        };
        assert_eq!(for_people(&seen), "database  2,000 of 10,000 MB, 100 MB/s, 1 min 20 s left");
        let told = for_programs("run", &seen)["progress"].clone();
        assert_eq!(
            (&told["bytesPerSecond"], &told["secondsLeft"]),
            (&json!(100_000_000), &json!(80))
        );
        seen.total = None;
        assert_eq!(for_people(&seen), "database  2,000 MB, 100 MB/s");
        assert_eq!(for_programs("run", &seen)["progress"]["secondsLeft"], Value::Null);
        assert_eq!(length(3), "3 s");
        assert_eq!(length(7_500), "2 h 05 min");
    }
}
