//! Answers that go on: server-sent events.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

/// Events as they come, until whoever sends them ends.
#[derive(Debug)]
pub(crate) struct Streamed(pub(crate) mpsc::Receiver<Event>);

impl IntoResponse for Streamed {
    fn into_response(self) -> Response<Body> {
        let events = ReceiverStream::new(self.0).map(Ok::<_, Infallible>);
        let mut response = Sse::new(events).into_response();
        // Proxies that buffer would hold events back.
        response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }
}
