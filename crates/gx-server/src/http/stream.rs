//! Server-sent events: a body that is written piece by piece as a task sends the pieces.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// The body of a stream; it ends when the sender is dropped.
#[derive(Debug)]
pub(crate) struct Events(mpsc::Receiver<Bytes>);

impl Events {
    pub(crate) fn response(events: mpsc::Receiver<Bytes>) -> Response<Body> {
        let mut response = Response::new(Body::new(Self(events)));
        let kind = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        // Proxies that buffer would hold events back.
        response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }
}

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
