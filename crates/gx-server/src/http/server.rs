//! The listener: accepts connections, bounds them, and ends them in good order.
//!
//! After the signal to stop it accepts nothing more, lets running requests finish for the grace
//! time, and then closes what is left.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::header;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

use super::front::Front;
use super::unread::ReadToEnd;
use crate::config::Http;

/// Serves a front until `shutdown` is ready, and returns when no request is running any more.
pub(crate) async fn serve(
    front: Front,
    http: &Http,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) {
    let front = Arc::new(front);
    let places = Arc::new(Semaphore::new(http.connections_max));
    let (phase, phases) = watch::channel(Phase::Serving);
    let idle = Duration::from_millis(http.idle_timeout_ms);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let (front, phases) = (Arc::clone(&front), phases.clone());
        tokio::spawn(async move {
            connection(front, stream, peer, idle, phases).await;
            drop(place);
        });
    }
    drop(listener);
    drop(phases);
    // Sending fails when no connection is left, which is what is waited for.
    let _ = phase.send(Phase::Finishing);
    let grace = Duration::from_millis(http.shutdown_grace_ms);
    if tokio::time::timeout(grace, phase.closed()).await.is_err() {
        tracing::warn!("requests were still running at the end of the grace time");
        let _ = phase.send(Phase::Closing);
        phase.closed().await;
    }
}

/// How connections are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// The running request of each connection may finish.
    Finishing,
    /// Nothing may.
    Closing,
}

type Place = tokio::sync::OwnedSemaphorePermit;

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are small: they are sent at once. Without it they only come later.
            let _ = stream.set_nodelay(true);
            Some((stream, peer.ip(), place))
        }
        Err(error) => {
            // Out of file descriptors, mostly. Others must end before it can get better.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn connection(
    front: Arc<Front>,
    stream: TcpStream,
    peer: IpAddr,
    idle: Duration,
    mut phases: watch::Receiver<Phase>,
) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let front = Arc::clone(&front);
        // Who asks first whether to send a body is answered before there is one.
        let asks = request.headers().contains_key(header::EXPECT);
        let request = request.map(|body| match asks {
            true => Body::new(body),
            false => Body::new(ReadToEnd::new(body)),
        });
        async move { Ok::<_, Infallible>(front.answer(peer, request).await) }
    });
    // A client that does not read its answers would hold its place for ever.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(idle));
    let stream = Box::pin(stream);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // Broken connections are the client's matter.
        _ = connection.as_mut() => return,
        _ = phases.wait_for(|phase| *phase >= Phase::Finishing) => {
            connection.as_mut().graceful_shutdown();
        }
    }
    tokio::select! {
        _ = connection => {}
        _ = phases.wait_for(|phase| *phase == Phase::Closing) => {}
    }
}
