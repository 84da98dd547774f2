//! What is told of the way of a command, stage by stage, to whoever records traces.
//!
//! A command's trace is that of the request that gave it: the outbox keeps it, so that processes
//! that know nothing of each other add to one trace. A batch and a group of blocks serve many
//! traces and are traces of their own; links lead from one to the other and back. Attributes are
//! functions, roles, numbers and codes: never people, and nothing that people have written.
//! Telling never waits, and costs nothing where nobody listens.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use gx_types::{TimeMs, TraceParent};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a span is of another one's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Answers a request.
    Server,
    /// Hands something over that is worked on later.
    Producer,
    /// Works on what was handed over.
    Consumer,
    /// Asks somebody else and waits.
    Client,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanValue {
    Text(Cow<'static, str>),
    Number(i64),
}

impl From<&'static str> for SpanValue {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for SpanValue {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<u64> for SpanValue {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A stage that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub name: Cow<'static, str>,
    pub kind: SpanKind,
    /// Its trace and its own id.
    pub at: TraceParent,
    /// The span that it follows from, in the same trace.
    pub parent: Option<u64>,
    /// Spans of other traces that it serves.
    pub links: Vec<TraceParent>,
    /// Microseconds since 1970.
    pub from_us: i64,
    pub to_us: i64,
    pub attributes: Vec<(&'static str, SpanValue)>,
    /// Whether it failed by a fault of ours.
    pub is_failed: bool,
}

/// Spans of other traces that one span names at most.
pub const LINKS_MAX: usize = 128;

/// Whoever records spans.
pub trait SpanSink: Debug + Send + Sync {
    /// Takes a span, or drops it: it never waits.
    fn take(&self, span: Span);

    /// An id that no other span has.
    fn id(&self) -> u64;
}

/// Where spans are told, if anywhere. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Spans(Option<Arc<Listener>>);

#[derive(Debug)]
struct Listener {
    sink: Box<dyn SpanSink>,
    /// What is looked up for spans beside the work that they are of.
    aside: Arc<Semaphore>,
}

/// Look-ups for spans that may run at once; further ones are left out.
const ASIDE: usize = 4;

impl Spans {
    /// Tells them to a sink.
    pub fn to(sink: impl SpanSink + 'static) -> Self {
        let aside = Arc::new(Semaphore::new(ASIDE));
        Self(Some(Arc::new(Listener { sink: Box::new(sink), aside })))
    }

    /// Whether anybody listens.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Tells a span.
    pub fn tell(&self, span: Span) {
        if let Some(listener) = &self.0 {
            listener.sink.take(span);
        }
    }

    /// The id of a new span in a trace.
    pub(crate) fn span_in(&self, trace: TraceParent) -> TraceParent {
        trace.with_span(self.0.as_ref().map_or(1, |listener| listener.sink.id()))
    }

    /// A new trace, which is recorded.
    pub(crate) fn new_trace(&self) -> TraceParent {
        let id = || self.0.as_ref().map_or(1, |listener| listener.sink.id());
        let trace_id = (u128::from(id()) << 64) | u128::from(id());
        TraceParent { trace_id, span_id: id(), flags: TraceParent::SAMPLED }
    }

    /// Leave to look something up beside the work, unless enough is looked up already.
    pub(crate) fn aside(&self) -> Option<OwnedSemaphorePermit> {
        let listener = self.0.as_ref()?;
        Arc::clone(&listener.aside).try_acquire_owned().ok()
    }
}

/// Microseconds since 1970.
pub(crate) fn micros(time: TimeMs) -> i64 {
    time.0.saturating_mul(1000)
}

/// A command on its way, as far as its trace is recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traced {
    pub(crate) trace: TraceParent,
    pub(crate) accepted_at: TimeMs,
}

/// The trace that a command was given in, if it is recorded.
pub(crate) fn sampled(traceparent: Option<&str>) -> Option<TraceParent> {
    let trace = traceparent?.parse::<TraceParent>().ok()?;
    trace.is_sampled().then_some(trace)
}
