//! Logs as JSON lines, and the W3C trace context that ties a request to its batch and projection.
//!
//! Log fields are ids, codes, counts and times. Personal data and secrets are never given to a log
//! macro; the tests of the HTTP surface read the log back to make sure.

use std::fmt;
use std::io::IsTerminal as _;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Log, LogFormat};

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

/// The trace that a request belongs to: `00-<trace id>-<span id>-<flags>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    pub trace_id: u128,
    pub span_id: u64,
    pub flags: u8,
}

impl TraceParent {
    /// A trace that begins here.
    pub fn new_root() -> Self {
        Self { trace_id: rand::random(), span_id: rand::random(), flags: 1 }
    }

    /// A new span in the same trace.
    pub fn child(self) -> Self {
        Self { span_id: rand::random(), ..self }
    }
}

impl FromStr for TraceParent {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let lower_hex = |part: &str| {
            part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let mut parts = text.split('-');
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("00"), Some(trace), Some(span), Some(flags), None)
                if trace.len() == 32
                    && span.len() == 16
                    && flags.len() == 2
                    && [trace, span, flags].into_iter().all(lower_hex) =>
            {
                let trace_id = u128::from_str_radix(trace, 16).map_err(drop)?;
                let span_id = u64::from_str_radix(span, 16).map_err(drop)?;
                let flags = u8::from_str_radix(flags, 16).map_err(drop)?;
                // All zeros means that there is no trace.
                if trace_id == 0 || span_id == 0 {
                    return Err(());
                }
                Ok(Self { trace_id, span_id, flags })
            }
            _ => Err(()),
        }
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
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
    fn a_trace_parent_survives_its_text() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent: TraceParent = text.parse().unwrap();
        assert_eq!(parent.to_string(), text);
        assert_eq!(parent.child().trace_id, parent.trace_id);
        assert_ne!(parent.child().span_id, parent.span_id);
    }

    #[test]
    fn what_is_no_trace_parent_is_ignored() {
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(text.parse::<TraceParent>().is_err(), "{text}");
        }
    }
}
