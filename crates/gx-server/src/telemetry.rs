//! Logs as JSON lines, or as lines for people; and which requests are traced.
//!
//! Log fields are ids, codes, counts and times. Personal data and secrets are never given to a log
//! macro; the tests of the HTTP surface read the log back to make sure.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use gx_types::TraceParent;

use crate::config::{Log, LogFormat, Otlp};

/// Sets the process's log up; lines go to standard error.
///
/// # Errors
/// When the filter is malformed, or a log was set up before.
pub fn init(log: &Log) -> Result<(), String> {
    let is_terminal = std::io::stderr().is_terminal();
    let subscriber = subscriber(log, is_terminal, std::io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|error| error.to_string())
}

/// The subscriber that [`init`] installs, writing to any writer.
///
/// # Errors
/// When the filter is malformed.
pub fn subscriber<W>(
    log: &Log,
    is_terminal: bool,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, String>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter: EnvFilter = log.level.parse().map_err(|error| format!("log.level: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let for_people = match log.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Json => false,
        LogFormat::Text => true,
    };
    Ok(if for_people {
        Box::new(builder.with_ansi(false).with_target(false).finish())
    } else {
        Box::new(builder.json().flatten_event(true).finish())
    })
}

/// Which traces are recorded. Processes of one setting decide alike, because the trace's id does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sampler {
    /// Of a thousand; none without a collector.
    per_thousand: u32,
    follows_callers: bool,
}

impl Sampler {
    pub(crate) fn of(otlp: &Otlp) -> Self {
        let is_on = !otlp.endpoint.is_empty();
        let per_thousand = if is_on { otlp.sampled_per_thousand } else { 0 };
        Self { per_thousand, follows_callers: is_on && otlp.follow_callers }
    }

    /// A span of ours in the caller's trace, or in a new one.
    pub(crate) fn span(self, theirs: Option<TraceParent>) -> TraceParent {
        // Zero stands for no trace and no span.
        let span_id = rand::random::<u64>().max(1);
        let trace_id = theirs.map_or_else(|| rand::random::<u128>().max(1), |their| their.trace_id);
        let is_sampled = match theirs {
            Some(theirs) if self.follows_callers => theirs.is_sampled(),
            Some(_) | None => trace_id % 1000 < u128::from(self.per_thousand),
        };
        let flags = if is_sampled { TraceParent::SAMPLED } else { 0 };
        TraceParent { trace_id, span_id, flags }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_form_suits_the_place_unless_it_is_set() {
        for (format, is_terminal, is_json) in [
            (LogFormat::Auto, true, false),
            (LogFormat::Auto, false, true),
            (LogFormat::Json, true, true),
            (LogFormat::Text, false, false),
        ] {
            let log = Log { level: "info".to_owned(), format, requests: false };
            let file = tempfile::NamedTempFile::new().unwrap();
            let writer = Arc::new(file.reopen().unwrap());
            let subscriber = subscriber(&log, is_terminal, writer).unwrap();
            tracing::subscriber::with_default(subscriber, || tracing::info!(blocks = 3, "read"));
            let line = std::fs::read_to_string(file.path()).unwrap();
            assert_eq!(line.starts_with('{'), is_json, "{format:?}: {line}");
        }
    }

    #[test]
    fn one_trace_is_recorded_everywhere_or_nowhere() {
        let id = |trace_id| Some(TraceParent { trace_id, span_id: 1, flags: 1 });
        let tenth = Sampler { per_thousand: 100, follows_callers: false };
        assert!(tenth.span(id(99)).is_sampled() && !tenth.span(id(100)).is_sampled());
        let follower = Sampler { per_thousand: 0, follows_callers: true };
        assert!(follower.span(id(100)).is_sampled() && !follower.span(None).is_sampled());
        assert!(!Sampler::default().span(id(1)).is_sampled(), "without a collector");
        assert_eq!(tenth.span(id(5)).trace_id, 5);
    }
}
