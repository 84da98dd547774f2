//! What a client still sends when its answer is already known.
//!
//! A request that is refused by its headers (no token, too many, too large) is answered before its
//! body was read. Closing the connection with bytes unread resets it, and the reset overtakes the
//! answer: the client sees a broken connection, and a proxy in front says 502, where we said what
//! was wrong. What is left of such a body is therefore read and thrown away, within bounds.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;

/// The most that is read of a body that nobody wants: some photographs.
const BYTES_MAX: usize = 64 << 20;

/// The longest that it is read.
const PATIENCE: Duration = Duration::from_secs(5);

/// The body of a request, of which the rest is read when it is dropped before its end.
#[derive(Debug)]
pub(super) struct ReadToEnd(Option<Incoming>);

impl ReadToEnd {
    pub(super) fn new(body: Incoming) -> Self {
        Self(Some(body))
    }
}

impl Body for ReadToEnd {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = self.0.as_mut() else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for ReadToEnd {
    fn drop(&mut self) {
        if self.is_end_stream() {
            return;
        }
        // Without a runtime the process ends, and the connection with it.
        if let (Some(body), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(PATIENCE, throw_away(body)));
        }
    }
}

async fn throw_away(body: Incoming) {
    let mut body = Limited::new(body, BYTES_MAX);
    while matches!(body.frame().await, Some(Ok(_))) {}
}
