//! Where every request enters and every answer leaves: ids, time limit, browser rules, problems.
//!
//! It is one function around the router instead of a stack of layers, because it runs for every
//! request. Who may call what is the guard's matter, which knows the route.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use tower_service::Service as _;

use super::answer;
use super::context::Context;
use crate::calendar::{now_ms, rfc3339};
use crate::config::Config;
use crate::error::{Error, Failed};
use crate::peer::{self, Network};
use crate::telemetry::Sampler;

/// The longest that a client may ask an answer to wait.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Headers of every answer unless the handler set its own.
const SECURITY: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING)),
    // Browsers heed it where the answer came by TLS, and nowhere else.
    (
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000; includeSubDomains"),
    ),
];

/// What is no page loads nothing, and is shown inside nothing.
const NOTHING: &str = "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; \
                       frame-ancestors 'none'";

/// What browsers may read of an answer to another origin.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Request-Id, traceparent, Location, Retry-After, Idempotency-Replayed, GX-Applied-Block, \
     GX-Lag-Blocks, GX-Next-Cursor, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, \
     Content-Disposition",
);
const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, X-Idempotency-Key, Prefer, X-Request-Id, \
     traceparent",
);

/// The router behind a front: one that says that the process is starting, until it is ready.
#[derive(Debug, Clone)]
pub(crate) struct Entrance(Arc<(Router, OnceLock<Router>)>);

impl Entrance {
    pub(crate) fn new(starting: Router) -> Self {
        Self(Arc::new((starting, OnceLock::new())))
    }

    /// The process is ready; it can't be anything else again.
    pub(crate) fn open(&self, router: Router) {
        let _ = self.0.1.set(router);
    }

    fn router(&self) -> Router {
        self.0.1.get().unwrap_or(&self.0.0).clone()
    }
}

/// The front of one listener.
#[derive(Debug)]
pub(crate) struct Front {
    entrance: Entrance,
    origins: Vec<HeaderValue>,
    trusted: Vec<Network>,
    timeout: Duration,
    sampler: Sampler,
}

impl Front {
    pub(crate) fn new(entrance: Entrance, config: &Config) -> Self {
        let http = &config.http;
        let origin = |text: &String| HeaderValue::from_str(text).ok();
        Self {
            entrance,
            origins: http.allowed_origins.iter().filter_map(origin).collect(),
            trusted: http.trusted_proxies.iter().filter_map(|text| Network::parse(text)).collect(),
            timeout: Duration::from_millis(http.request_timeout_ms),
            sampler: Sampler::of(&config.telemetry.otlp),
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, peer: IpAddr, mut request: Request<Body>) -> Response<Body> {
        let headers = request.headers();
        let client = if self.trusted.is_empty() {
            peer
        } else {
            peer::client(peer, &forwarded_for(headers), &self.trusted)
        };
        let context = Context::new(headers, client, self.sampler);
        let origin = self.allowed_origin(headers);
        if request.method() == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        {
            return finish(preflight(origin));
        }
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let body =
            length.and_then(|length| length.parse().ok()).map_or(Duration::ZERO, upload_time);
        let timeout = self.timeout + body + asked_wait(headers).unwrap_or_default();
        // Query strings can hold what a person searched for, so the path alone is kept.
        let path = request.uri().path().to_owned();
        let request_id = HeaderValue::from_str(&context.request_id);
        request.extensions_mut().insert(context.clone());
        let mut router = self.entrance.router();
        let mut response = match tokio::time::timeout(timeout, router.call(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => {
                let message = "The request took too long; the same request may be sent again";
                Error::unavailable("timeout", message).into_response()
            }
        };
        finish_failure(&context, &path, &mut response);
        let mut response = finish(response);
        let headers = response.headers_mut();
        if let Ok(request_id) = request_id {
            headers.insert(REQUEST_ID, request_id);
        }
        // Digits and hyphens always make a header.
        if let Ok(trace) = HeaderValue::try_from(context.trace.to_string()) {
            headers.insert(TRACE_PARENT, trace);
        }
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        response
    }

    fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.origins.contains(origin).then(|| origin.clone())
    }
}

/// How long so many bytes may take to come from a slow telephone. Who may send how many is the
/// route's to say; until it has, its own patience holds.
pub(crate) fn upload_time(bytes: u64) -> Duration {
    Duration::from_secs((bytes >> 16).min(240))
}

/// The answer with the headers that every answer has.
fn finish(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    for (name, value) in &SECURITY {
        if !headers.contains_key(name) {
            headers.insert(name, value.clone());
        }
    }
    response
}

/// What proxies say of the way of a request. One that adds a line of its own has said the last word
/// in the last line: the lines before it may be the client's.
fn forwarded_for(headers: &HeaderMap) -> String {
    let lines = headers.get_all("x-forwarded-for").iter();
    // What is no text is no address either, and ends the way there.
    let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap_or("?")).collect();
    lines.join(",")
}

/// What `Prefer: wait=N` asks for, at most [`WAIT_MAX`].
pub(crate) fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .find_map(|part| part.trim().strip_prefix("wait=")?.trim().parse().ok())?;
    Some(Duration::from_secs(seconds).min(WAIT_MAX))
}

fn preflight(origin: Option<HeaderValue>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

/// Writes the problem body of an answer that failed, and the log line of one that is our fault.
fn finish_failure(context: &Context, path: &str, response: &mut Response<Body>) {
    let status = response.status();
    let failed = response.extensions_mut().remove::<Failed>();
    let is_failure = status.is_client_error() || status.is_server_error();
    let is_answer = response.headers().get(header::CONTENT_TYPE) == Some(&answer::JSON);
    if failed.is_none() && (!is_failure || is_answer) {
        return;
    }
    let error = failed.map_or_else(
        || {
            // The router's own refusals: a method that a path does not have, a malformed path.
            let reason = status.canonical_reason().unwrap_or("Error");
            let code = reason.to_lowercase().replace(' ', "_");
            Arc::new(Error::new(status, code, reason))
        },
        |failed| failed.0,
    );
    log(context, &error);
    let problem = error.problem(&context.request_id, path, rfc3339(now_ms()));
    // A plain struct of texts and numbers always serialises.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, PROBLEM);
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    *response.body_mut() = Body::from(body);
}

fn log(context: &Context, error: &Error) {
    let (id, trace) = (&context.request_id, context.trace);
    let (status, code) = (error.status().as_u16(), error.code());
    if error.status().is_server_error() {
        let cause = error.chain();
        tracing::error!(request_id = %id, trace = %trace, status, code, cause, "request failed");
    } else {
        tracing::debug!(request_id = %id, trace = %trace, status, code, "request refused");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_from_prefer_and_bounded() {
        for (text, seconds) in [
            ("wait=5", Some(5)),
            ("respond-async, wait=7", Some(7)),
            ("wait=3600", Some(30)),
            ("return=minimal", None),
            ("wait=x", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", text.parse().unwrap());
            assert_eq!(asked_wait(&headers), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
