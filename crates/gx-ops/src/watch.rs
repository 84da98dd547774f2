//! Audits that are made again and again, as figures for Prometheus and one line for each change.
//!
//! Pure: whoever calls collects, audits and tells the time. What failed is told as failed, with
//! the figures of the last audit that succeeded and its time beside them: old figures are never
//! told as new ones, and none are told before there are any.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::facts::Time;
use crate::report::{Format, Look, ReportError, render};
use crate::rules::{Audit, Issue};

/// Findings that a line names; the rest is counted.
const NAMED: usize = 5;

/// What has been found so far.
#[derive(Debug, Default)]
pub struct Watch {
    /// The figures of the last audit that succeeded.
    figures: String,
    /// Its findings, each with how bad it is.
    found: BTreeMap<String, String>,
    succeeded: Option<Time>,
    tried: Option<Time>,
    took: Duration,
    successes: u64,
    failures: u64,
    /// Why the last one failed, when it did.
    failing: Option<String>,
}

impl Watch {
    /// Takes an audit in, with how long it took to collect and to audit. Gives the line that says
    /// what has changed; none when nothing has.
    ///
    /// # Errors
    /// Never for an audit that was made here.
    pub fn succeeded(
        &mut self,
        at: Time,
        took: Duration,
        audit: &Audit,
    ) -> Result<Option<String>, ReportError> {
        let figures = render(audit, Format::Prometheus, &Look::default())?;
        let told = |issue: &Issue| {
            let finding = &issue.finding;
            format!("{} {} {}", finding.severity, finding.rule, finding.subject)
        };
        let found: BTreeMap<String, String> =
            audit.issues().map(|issue| (issue.key(), told(issue))).collect();
        let is_first = self.successes == 0;
        let again = self.failing.take().map_or("", |_| "looks again; ");
        let new = not_in(&found, &self.found);
        let gone = not_in(&self.found, &found);
        let line = if is_first {
            Some(format!("{again}{} findings{}", found.len(), named(": ", &new)))
        } else if new.is_empty() && gone.is_empty() && again.is_empty() {
            None
        } else {
            let (new, gone) = (named("; new: ", &new), named("; gone: ", &gone));
            Some(format!("{again}{} findings{new}{gone}", found.len()))
        };
        (self.figures, self.found) = (figures, found);
        (self.succeeded, self.tried, self.took) = (Some(at), Some(at), took);
        self.successes = self.successes.saturating_add(1);
        Ok(line.map(|line| plain(&line)))
    }

    /// Takes a failure in. Gives the line that says so; none when it failed so before.
    pub fn failed(&mut self, at: Time, took: Duration, why: &str) -> Option<String> {
        (self.tried, self.took) = (Some(at), took);
        self.failures = self.failures.saturating_add(1);
        let is_known = self.failing.as_deref() == Some(why);
        self.failing = Some(why.to_owned());
        (!is_known).then(|| plain(&format!("cannot look: {why}")))
    }

    /// Prometheus' text form: the figures of the last audit that succeeded, and how it went.
    pub fn metrics(&self) -> String {
        let mut text = self.figures.clone();
        let seconds = |time: Time| time.seconds().to_string();
        let is_up = u8::from(self.tried.is_some() && self.failing.is_none());
        for (name, kind, help, value) in [
            (
                "gx_ops_watch_last_success_timestamp_seconds",
                "gauge",
                "When an audit last succeeded.",
                self.succeeded.map(seconds),
            ),
            (
                "gx_ops_watch_last_try_timestamp_seconds",
                "gauge",
                "When one was last tried.",
                self.tried.map(seconds),
            ),
            (
                "gx_ops_watch_up",
                "gauge",
                "Whether the last one succeeded.",
                Some(is_up.to_string()),
            ),
            (
                "gx_ops_watch_duration_seconds",
                "gauge",
                "How long the last one took.",
                self.tried.map(|_| format!("{:.3}", self.took.as_secs_f64())),
            ),
            (
                "gx_ops_watch_successes_total",
                "counter",
                "Audits that succeeded.",
                Some(self.successes.to_string()),
            ),
            (
                "gx_ops_watch_failures_total",
                "counter",
                "Audits that failed.",
                Some(self.failures.to_string()),
            ),
        ] {
            let Some(value) = value else { continue };
            text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"));
        }
        text
    }
}

/// How long to wait until the next one, so that those who started together do not stay together.
/// `chance` is any number.
pub fn pause(interval: Duration, jitter: Duration, chance: u64) -> Duration {
    let most = u64::try_from(jitter.as_millis()).unwrap_or(u64::MAX);
    let more = chance.checked_rem(most.saturating_add(1)).unwrap_or_default();
    interval.saturating_add(Duration::from_millis(more))
}

fn not_in<'a>(
    these: &'a BTreeMap<String, String>,
    those: &BTreeMap<String, String>,
) -> Vec<&'a str> {
    let own = these.iter().filter(|(key, _)| !those.contains_key(*key));
    own.map(|(_, told)| told.as_str()).collect()
}

/// The first few; the rest is counted.
fn named(before: &str, all: &[&str]) -> String {
    let Some(more) = all.len().checked_sub(NAMED) else {
        let text = all.join(", ");
        return if all.is_empty() { text } else { format!("{before}{text}") };
    };
    let text = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if more == 0 { format!("{before}{text}") } else { format!("{before}{text} and {more} more") }
}

/// What others have written does nothing to a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::read;
    use crate::rules::{Options, audit};

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    /// Of nodes that are not ready.
    fn found(nodes: &[&str]) -> Audit {
        let bad = nodes.iter().map(|name| {
            format!("- {{name: {name}, conditions: [{{kind: Ready, status: 'False'}}]}}\n")
        });
        let nodes = if nodes.is_empty() { "nodes: []".to_owned() } else { bad.collect() };
        let text = if nodes.starts_with('-') { format!("nodes:\n{nodes}") } else { nodes };
        let options = Options { only: vec!["NOD-01".to_owned()], ..Options::default() };
        audit(&read(&text).unwrap().snapshot, &options)
    }

    fn figure<'a>(text: &'a str, name: &str) -> Option<&'a str> {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    }

    const TOOK: Duration = Duration::from_millis(1500);

    #[test]
    fn nothing_is_told_before_there_is_anything() {
        let text = Watch::default().metrics();
        assert_eq!(figure(&text, "gx_ops_watch_last_success_timestamp_seconds"), None);
        assert_eq!(figure(&text, "gx_ops_watch_up"), Some("0"));
        assert!(!text.contains("gx_ops_findings"), "{text}");
    }

    #[test]
    fn only_changes_are_told_and_old_figures_keep_their_time() {
        let mut watch = Watch::default();
        let audits = [found(&["a"]), found(&["b"])];
        assert!(audits.iter().all(|audit| audit.issues().count() > 0));
        let first = watch.succeeded(at(100), TOOK, &audits[0]).unwrap().unwrap();
        assert!(first.contains("NOD-01 Node a"), "{first}");
        assert_eq!(watch.succeeded(at(200), TOOK, &audits[0]).unwrap(), None);

        let failed = watch.failed(at(300), TOOK, "the API server:\u{1b} refused").unwrap();
        assert!(failed.starts_with("cannot look: ") && !failed.contains('\u{1b}'));
        assert_eq!(watch.failed(at(400), TOOK, "the API server:\u{1b} refused"), None);
        let text = watch.metrics();
        for (name, value) in [
            ("gx_ops_watch_last_success_timestamp_seconds", "200"),
            ("gx_ops_watch_last_try_timestamp_seconds", "400"),
            ("gx_ops_watch_up", "0"),
            ("gx_ops_watch_duration_seconds", "1.500"),
            ("gx_ops_watch_successes_total", "2"),
            ("gx_ops_watch_failures_total", "2"),
        ] {
            assert_eq!(figure(&text, name), Some(value), "{name}");
        }
        assert!(text.contains("subject=\"Node a\""), "{text}");

        let next = watch.succeeded(at(500), TOOK, &audits[1]).unwrap().unwrap();
        assert!(next.starts_with("looks again; "), "{next}");
        assert!(next.contains("new: ") && next.contains("gone: "), "{next}");
        assert!(!watch.metrics().contains("subject=\"Node a\""));
        assert_eq!(figure(&watch.metrics(), "gx_ops_watch_up"), Some("1"));
    }

    #[test]
    fn a_line_names_few_and_counts_the_rest() {
        let names: Vec<String> = (0..9).map(|at| format!("n{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let line = Watch::default().succeeded(at(1), TOOK, &found(&names)).unwrap().unwrap();
        assert!(line.ends_with("and 4 more"), "{line}");
        assert!(!line.contains('\n'));
        let two = found(&names[..2]);
        let line = Watch::default().succeeded(at(1), TOOK, &two).unwrap().unwrap();
        assert!(line.ends_with("NOD-01 Node n1"), "{line}");
    }

    #[test]
    fn every_line_of_the_figures_is_prometheus_own() {
        let mut watch = Watch::default();
        watch.succeeded(at(1), TOOK, &found(&["a"])).unwrap();
        for line in watch.metrics().lines() {
            let is_comment = line.starts_with("# HELP ") || line.starts_with("# TYPE ");
            let is_sample = line.rsplit_once(' ').is_some_and(|(name, value)| {
                name.starts_with("gx_ops_") && value.parse::<f64>().is_ok()
            });
            assert!(is_comment || is_sample, "{line}");
        }
    }

    #[test]
    fn pauses_are_never_shorter_than_asked_for_and_never_longer_than_with_jitter() {
        let (interval, jitter) = (Duration::from_secs(60), Duration::from_secs(5));
        for chance in [0, 1, 4_999, 5_000, 5_001, u64::MAX] {
            let pause = pause(interval, jitter, chance);
            assert!(pause >= interval && pause <= interval + jitter, "{pause:?}");
        }
        assert_eq!(pause(interval, jitter, 5_000), interval + jitter);
        assert_eq!(pause(interval, Duration::ZERO, 7), interval);
    }
}
