//! `gx ops watch`: audits again and again, and serves what is found as metrics.
//!
//! It answers from the first moment on, also while it cannot look: then the metrics say so. It
//! listens on this machine alone unless it is told otherwise, since findings name what is weak.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use gx_ops::facts::Time;
use gx_ops::rules::{Audit, audit};
use gx_ops::watch::{Watch, pause};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rand::TryRng;
use rand::rngs::SysRng;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::audit::Chosen;
use super::input::{Source, now};
use crate::{End, console, process};

/// Connections that are answered at one time; more wait.
const CONNECTIONS_MAX: usize = 32;
/// How long a connection may last: an answer is one text.
const CONNECTION_MAX: Duration = Duration::from_secs(30);
/// How long facts may take to be collected.
const COLLECTING_MAX: Duration = Duration::from_secs(300);

/// What is watched.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    chosen: Chosen,
    /// Address that metrics are served at, as /metrics.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9099")]
    listen: SocketAddr,
    /// Seconds from the end of one audit to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(5..=86_400))]
    interval: u64,
    /// Seconds that are added by chance at most, so that several do not ask at the same time.
    #[arg(long, value_name = "SECONDS", default_value_t = 15,
        value_parser = clap::value_parser!(u64).range(0..=3_600))]
    jitter: u64,
}

type Shared = Arc<Mutex<Watch>>;

pub(super) fn run(args: &Args) -> Result<End> {
    if !args.source.is_lasting() {
        bail!("standard input can be read once only: name a file that is written again");
    }
    // A file that cannot be used is told at once, not as a failure of every audit.
    args.chosen.options()?;
    process::block_on(async {
        let listener = TcpListener::bind(args.listen).await;
        let listener = listener.with_context(|| format!("cannot listen on {}", args.listen))?;
        let address = listener.local_addr()?;
        let stop = process::stop_signal()?;
        let watch = Shared::default();
        let serving = tokio::spawn(serve(listener, Arc::clone(&watch)));
        console::line(format_args!("metrics at http://{address}/metrics"));
        let ended = tokio::select! {
            () = stop => Ok(End::Done),
            error = look_on(args, &watch) => Err(error),
        };
        serving.abort();
        ended
    })
}

/// Looks until there is no chance to be had, which is the machine's fault.
async fn look_on(args: &Args, watch: &Shared) -> anyhow::Error {
    let (interval, jitter) = (Duration::from_secs(args.interval), Duration::from_secs(args.jitter));
    loop {
        look(args, watch).await;
        let chance = match SysRng.try_next_u64() {
            Ok(chance) => chance,
            Err(error) => return anyhow!("no random numbers to be had: {error}"),
        };
        sleep(pause(interval, jitter, chance)).await;
    }
}

/// Looks once.
async fn look(args: &Args, watch: &Shared) {
    let begun = Instant::now();
    let found = timeout(COLLECTING_MAX, audited(args)).await.unwrap_or_else(|_| {
        Err(anyhow!("facts were not collected within {} seconds", COLLECTING_MAX.as_secs()))
    });
    let (at, took) = (now(), begun.elapsed());
    if let Some(line) = taken(watch, at, took, found) {
        console::line(format_args!("{at} {line}"));
    }
}

async fn audited(args: &Args) -> Result<Audit> {
    let options = args.chosen.options()?;
    Ok(audit(&args.source.collected().await?, &options))
}

fn taken(watch: &Shared, at: Time, took: Duration, found: Result<Audit>) -> Option<String> {
    let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
    let why = match found {
        Ok(audit) => match watch.succeeded(at, took, &audit) {
            Ok(line) => return line,
            Err(error) => gx_types::with_causes(&error),
        },
        Err(error) => gx_types::with_causes(error.as_ref()),
    };
    watch.failed(at, took, &why)
}

/// Answers whoever comes, for ever.
async fn serve(listener: TcpListener, watch: Shared) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let watch = Arc::clone(&watch);
                tokio::spawn(async move {
                    connection(stream, watch).await;
                    drop(place);
                });
            }
            // Such as too many open files: it passes, and spinning would not help.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn connection(stream: TcpStream, watch: Shared) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(request.method(), request.uri().path(), &watch);
        async move { Ok::<_, Infallible>(answer) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever goes away early is not told of.
    let _ = timeout(CONNECTION_MAX, serving).await;
}

fn answer(method: &Method, path: &str, watch: &Shared) -> Response<Full<Bytes>> {
    let (status, text) = match (path, method) {
        ("/metrics", &Method::GET | &Method::HEAD) => {
            let watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
            (StatusCode::OK, watch.metrics())
        }
        ("/metrics", _) => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
        _ => (StatusCode::NOT_FOUND, "metrics are at /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn asked(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[test]
    fn metrics_are_served_while_it_cannot_look_and_nothing_else_is() {
        let served = process::block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let watch = Shared::default();
            tokio::spawn(serve(listener, Arc::clone(&watch)));
            let failed = taken(&watch, now(), Duration::ZERO, Err(anyhow!("nobody there")));
            assert_eq!(failed.unwrap(), "cannot look: nobody there");
            let metrics = asked(address, "GET /metrics").await;
            assert!(metrics.starts_with("HTTP/1.1 200 "), "{metrics}");
            assert!(metrics.contains("version=0.0.4"), "{metrics}");
            assert!(metrics.contains("\ngx_ops_watch_failures_total 1\n"), "{metrics}");
            assert!(asked(address, "POST /metrics").await.starts_with("HTTP/1.1 405 "));
            assert!(asked(address, "GET /").await.starts_with("HTTP/1.1 404 "));
            Ok(())
        });
        served.unwrap();
    }
}
