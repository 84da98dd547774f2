//! What is known of a request besides its content: id, trace, client, and when it came.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use compact_str::CompactString;
use gx_types::TraceParent;

use crate::telemetry::Sampler;

/// The request that a handler works on.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The client's X-Request-Id when it is plain, else a random one.
    pub(crate) request_id: CompactString,
    /// The client's trace, continued by a span of ours, or a new one.
    pub(crate) trace: TraceParent,
    /// The caller's span, which the request follows from.
    pub(crate) caller_span: Option<u64>,
    pub(crate) client: IpAddr,
    pub(crate) came: Instant,
}

impl Context {
    pub(crate) fn new(headers: &HeaderMap, client: IpAddr, sampler: Sampler) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let theirs = text("traceparent").and_then(|text| text.parse::<TraceParent>().ok());
        let trace = sampler.span(theirs);
        let request_id = match text("x-request-id").filter(|text| is_plain(text)) {
            Some(theirs) => theirs.into(),
            // Log lines with the one are found by the other.
            None => compact_str::format_compact!("{:032x}", trace.trace_id),
        };
        let caller_span = theirs.map(|theirs| theirs.span_id);
        Self { request_id, trace, caller_span, client, came: Instant::now() }
    }

    /// Waits until so long after the request came, so that the time of an answer tells nothing.
    pub(crate) async fn answer_after(&self, time: Duration) {
        tokio::time::sleep_until(tokio::time::Instant::from_std(self.came) + time).await;
    }
}

/// Whether an id of a client's may stand in logs and headers.
fn is_plain(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=128).contains(&text.len()) && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(pairs: &[(&'static str, &str)]) -> Context {
        let mut headers = HeaderMap::new();
        for (name, text) in pairs {
            headers.insert(*name, text.parse().unwrap());
        }
        Context::new(&headers, "192.0.2.1".parse().unwrap(), Sampler::default())
    }

    #[test]
    fn ids_and_traces_of_the_client_are_continued() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = context(&[("x-request-id", "abc-1"), ("traceparent", parent)]);
        assert_eq!(context.request_id, "abc-1");
        assert!(context.trace.to_string().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert_ne!(context.trace.to_string(), parent);
    }

    #[test]
    fn ids_that_could_forge_log_lines_are_replaced() {
        for text in ["a b", "{\"x\":1}", &"a".repeat(129)] {
            let context = context(&[("x-request-id", text)]);
            assert_eq!(context.request_id.len(), 32, "{text}");
        }
    }
}
