//! Sends spans to an OpenTelemetry collector: OTLP over HTTP, protobuf, in batches.
//!
//! Nobody who does work ever waits for it. Spans lie in a queue of bounded length; what does not
//! fit, and what the collector does not take, is dropped and counted.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use gx_engine::{Backoff, Random, Span, SpanKind, SpanSink, SpanValue, Spans};
use gx_metrics::{ByLoss, Metrics};
use gx_types::{NetworkId, TraceParent};
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, Uri, header};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value::Value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{self as proto, ResourceSpans, ScopeSpans};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::Otlp;
use crate::outgoing::Outgoing;

/// Spans that are sent at once.
const BATCH: usize = 512;

/// How long spans are gathered before they are sent.
const GATHER: Duration = Duration::from_millis(500);

/// How often a batch is sent before it is dropped.
const ATTEMPTS: u32 = 4;

/// Longest pause between two attempts. The queue fills meanwhile.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long the last spans of a process may take to be sent.
const LAST: Duration = Duration::from_secs(2);

/// The end of the queue where spans are put in.
#[derive(Debug)]
struct Queue {
    spans: mpsc::Sender<Span>,
    metrics: Arc<Metrics>,
}

impl SpanSink for Queue {
    fn take(&self, span: Span) {
        if self.spans.try_send(span).is_err() {
            dropped(&self.metrics, "queue_full", 1);
        }
    }

    fn id(&self) -> u64 {
        // Zero stands for no span.
        rand::random::<u64>().max(1)
    }
}

fn dropped(metrics: &Metrics, reason: &'static str, count: usize) {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    metrics.trace_spans_dropped.get_or_create(&ByLoss { reason }).inc_by(count);
}

/// Who sends the spans of a process.
#[derive(Debug)]
pub(crate) struct Exporter {
    spans: mpsc::Receiver<Span>,
    outgoing: Outgoing,
    uri: Uri,
    resource: Resource,
    metrics: Arc<Metrics>,
}

impl Exporter {
    /// Where to tell spans, and who sends them, when the settings name a collector.
    ///
    /// # Errors
    /// Names the setting that is of no use.
    pub(crate) fn of(
        settings: &Otlp,
        network: NetworkId,
        metrics: Arc<Metrics>,
    ) -> Result<Option<(Spans, Self)>, String> {
        if settings.endpoint.is_empty() {
            return Ok(None);
        }
        let key = "telemetry.otlp.endpoint";
        let address = format!("{}/v1/traces", settings.endpoint.trim_end_matches('/'));
        let uri = address.parse::<Uri>().map_err(|error| format!("{key}: {error}"))?;
        let timeout = Duration::from_millis(settings.timeout_ms);
        let outgoing = Outgoing::new(key, &address, settings.bearer.reveal(), timeout)?;
        let (sender, spans) = mpsc::channel(settings.queue_max);
        let queue = Queue { spans: sender, metrics: metrics.clone() };
        let resource = resource(network);
        Ok(Some((Spans::to(queue), Self { spans, outgoing, uri, resource, metrics })))
    }

    /// Sends until `stop`, and then what is left, for a moment.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            tokio::select! {
                () = stop.cancelled() => break,
                count = self.spans.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                }
            }
            self.gather(&mut batch, &stop).await;
            self.send(batch).await;
        }
        let _ = tokio::time::timeout(LAST, self.send_rest()).await;
    }

    /// Waits a moment for more, so that a request carries many.
    async fn gather(&mut self, batch: &mut Vec<Span>, stop: &CancellationToken) {
        let end = tokio::time::Instant::now() + GATHER;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(end) => return,
                count = self.spans.recv_many(batch, room) => {
                    if count == 0 {
                        return;
                    }
                }
            }
        }
    }

    async fn send_rest(&mut self) {
        self.spans.close();
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            if self.spans.recv_many(&mut batch, BATCH).await == 0 {
                return;
            }
            self.send(batch).await;
        }
    }

    /// Sends a batch, some times if need be, and counts what has become of it.
    async fn send(&self, batch: Vec<Span>) {
        let count = batch.len();
        let body = Bytes::from(encoded(&self.resource, batch).encode_to_vec());
        let mut backoff = Backoff::new(PAUSE_MAX, Random::system());
        for attempt in 1..=ATTEMPTS {
            let again = match self.attempt(body.clone()).await {
                Ok(status) if status.is_success() => {
                    let count = u64::try_from(count).unwrap_or(u64::MAX);
                    self.metrics.trace_spans_exported.inc_by(count);
                    return;
                }
                Ok(status) => {
                    tracing::warn!(status = status.as_u16(), "the trace collector refuses spans");
                    is_passing(status)
                }
                Err(error) => {
                    tracing::warn!(error, "the trace collector does not answer");
                    true
                }
            };
            if !again {
                break;
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(backoff.delay()).await;
            }
        }
        dropped(&self.metrics, "not_taken", count);
    }

    async fn attempt(&self, body: Bytes) -> Result<StatusCode, String> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        Ok(self.outgoing.send(request).await?.0)
    }
}

/// Whether OTLP wants the same to be sent again after this answer.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// What all spans of the process have in common.
fn resource(network: NetworkId) -> Resource {
    let attributes = vec![
        text("service.name", "gx"),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("service.instance.id", format!("{:016x}", rand::random::<u64>())),
        text("deployment.environment.name", network.as_str()),
    ];
    Resource { attributes, ..Resource::default() }
}

fn encoded(resource: &Resource, batch: Vec<Span>) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope { name: "gx".to_owned(), ..InstrumentationScope::default() };
    let spans = batch.into_iter().map(span).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans {
        resource: Some(resource.clone()),
        scope_spans,
        ..ResourceSpans::default()
    }];
    ExportTraceServiceRequest { resource_spans }
}

fn span(span: Span) -> proto::Span {
    let Span { name, kind, at, parent, links, from_us, to_us, attributes, is_failed } = span;
    let kind = match kind {
        SpanKind::Server => proto::span::SpanKind::Server,
        SpanKind::Producer => proto::span::SpanKind::Producer,
        SpanKind::Consumer => proto::span::SpanKind::Consumer,
        SpanKind::Client => proto::span::SpanKind::Client,
    };
    let code = match is_failed {
        true => proto::status::StatusCode::Error,
        false => proto::status::StatusCode::Unset,
    };
    let value = |value| match value {
        SpanValue::Text(text) => Value::StringValue(text.into_owned()),
        SpanValue::Number(number) => Value::IntValue(number),
    };
    proto::Span {
        trace_id: at.trace_id.to_be_bytes().to_vec(),
        span_id: at.span_id.to_be_bytes().to_vec(),
        parent_span_id: parent.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default(),
        flags: at.flags.into(),
        name: name.into_owned(),
        kind: kind.into(),
        start_time_unix_nano: nanos(from_us),
        end_time_unix_nano: nanos(to_us.max(from_us)),
        attributes: attributes.into_iter().map(|(key, one)| attribute(key, value(one))).collect(),
        links: links.into_iter().map(link).collect(),
        status: Some(proto::Status { code: code.into(), ..proto::Status::default() }),
        ..proto::Span::default()
    }
}

fn link(to: TraceParent) -> proto::span::Link {
    proto::span::Link {
        trace_id: to.trace_id.to_be_bytes().to_vec(),
        span_id: to.span_id.to_be_bytes().to_vec(),
        flags: to.flags.into(),
        ..proto::span::Link::default()
    }
}

fn nanos(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or_default().saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(endpoint: &str, queue_max: usize) -> Otlp {
        let mut otlp = crate::config::Config::load(None, [], &[]).unwrap().telemetry.otlp;
        otlp.endpoint = endpoint.to_owned();
        otlp.queue_max = queue_max;
        otlp
    }

    fn stage(span_id: u64) -> Span {
        Span {
            name: "command accept".into(),
            kind: SpanKind::Producer,
            at: TraceParent { trace_id: 1, span_id, flags: 1 },
            parent: Some(7),
            links: vec![TraceParent { trace_id: 2, span_id: 9, flags: 1 }],
            from_us: 5,
            to_us: 3,
            attributes: vec![("gx.block.number", 8_u64.into())],
            is_failed: true,
        }
    }

    #[tokio::test]
    async fn without_a_collector_nobody_listens() {
        let none = Exporter::of(&settings("", 64), NetworkId::Devnet, Arc::default()).unwrap();
        assert!(none.is_none());
    }

    #[tokio::test]
    async fn a_full_queue_drops_and_counts_and_nobody_waits() {
        let metrics: Arc<Metrics> = Arc::default();
        let settings = settings("http://127.0.0.1:9", 64);
        let made = Exporter::of(&settings, NetworkId::Devnet, metrics.clone()).unwrap();
        let (spans, _exporter) = made.unwrap();
        for id in 1..=70 {
            spans.tell(stage(id));
        }
        let label = ByLoss { reason: "queue_full" };
        assert_eq!(metrics.trace_spans_dropped.get_or_create(&label).get(), 6);
    }

    #[test]
    fn a_span_is_written_as_the_protocol_has_it() {
        let sent = encoded(&resource(NetworkId::Testnet), vec![stage(3)]).encode_to_vec();
        let read = ExportTraceServiceRequest::decode(sent.as_slice()).unwrap();
        let resource = read.resource_spans[0].resource.as_ref().unwrap();
        assert!(resource.attributes.iter().any(|one| one.key == "deployment.environment.name"));
        let span = &read.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!((span.trace_id.len(), span.span_id.as_slice()), (16, &3_u64.to_be_bytes()[..]));
        assert_eq!(span.parent_span_id, 7_u64.to_be_bytes());
        assert_eq!(span.links[0].span_id, 9_u64.to_be_bytes());
        // A clock that went back makes no span end before it begins.
        assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (5000, 5000));
        assert_eq!(span.status.as_ref().unwrap().code, 2);
    }
}
