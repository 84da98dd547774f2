//! Idempotency of writes that are no ledger commands: the first answer is kept and given again.
//!
//! A command needs none of this: its id derives from the key. Only successes are kept, so that a
//! request that failed may be made again under its key.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRef as _, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use gx_store::idempotency::{self, Answer, Claim, Claimed};
use gx_types::TimeMs;
use sha2::{Digest, Sha256};

use super::route::Route;
use super::shape::Failure;
use crate::app::App;
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::extract::{BodyLimits, KEY_HEADERS, idempotency_key};

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How a request under a key can fail besides.
pub(super) const FAILURES: [Failure; 6] = [
    (400, "idempotency_key_invalid"),
    (408, "body_too_slow"),
    (409, "request_in_flight"),
    (413, "body_too_large"),
    (422, "idempotency_key_reused"),
    (503, "store_unavailable"),
];

/// After this, a request that never ended is taken for lost and may be made again.
const IN_FLIGHT_MS: i64 = 60 * 1000;

/// The largest answer that is kept.
const ANSWER_MAX: usize = 1 << 20;

/// Whether a request is one whose answer is kept.
pub(crate) fn applies(route: &Route, headers: &HeaderMap) -> bool {
    route.is_replayed() && KEY_HEADERS.iter().any(|name| headers.contains_key(*name))
}

/// Answers from memory, or runs the handler and remembers its answer.
pub(crate) async fn run(
    app: &App,
    route: &Route,
    scope: &str,
    request: Request,
    next: Next,
) -> Response {
    match attempt(app, route, scope, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn attempt(
    app: &App,
    route: &Route,
    scope: &str,
    request: Request,
    next: Next,
) -> Result<Response> {
    let Some(key) = idempotency_key(request.headers())? else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let limits = match route.takes_uploads() {
        true => BodyLimits::upload(&app.config().http, app.config().documents.bytes_max),
        false => BodyLimits::from_ref(app),
    };
    let bytes = limits.read(Request::new(body)).await?;
    let mut hash = Sha256::new();
    for part in [route.verb.as_str().as_bytes(), path.as_bytes(), &bytes] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let body_hash = hex::encode(hash.finalize());
    match claim(app, scope, &key, &body_hash).await? {
        Claimed::Mine => {}
        Claimed::Replay(answer) => return replayed(answer),
        Claimed::InFlight => {
            let message = "A request with this idempotency key is being carried out";
            return Err(Error::conflict("request_in_flight", message).retry_after(1));
        }
        Claimed::OtherBody => {
            return Err(Error::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The idempotency key was used for another request",
            ));
        }
    }
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    settle(app, scope, &key, response).await
}

async fn claim(app: &App, scope: &str, key: &str, body_hash: &str) -> Result<Claimed> {
    let now = now_ms();
    let kept_ms = i64::from(app.config().retention.idempotent_answers_hours) * 3_600_000;
    let claim = Claim {
        scope,
        key,
        body_hash,
        now: TimeMs(now),
        in_flight_until: TimeMs(now + IN_FLIGHT_MS),
        expires_at: TimeMs(now + kept_ms),
    };
    let mut tx = app.store().begin().await?;
    let claimed = idempotency::claim(&mut tx, &claim).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Keeps a success; gives the claim up otherwise.
async fn settle(app: &App, scope: &str, key: &str, response: Response) -> Result<Response> {
    let mut tx = app.store().begin().await?;
    if !response.status().is_success() {
        idempotency::abandon(&mut tx, scope, key).await?;
        tx.commit().await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, ANSWER_MAX).await.map_err(Error::internal)?;
    let answer = Answer {
        status: parts.status.as_u16(),
        headers: kept(&parts.headers),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    idempotency::finish(&mut tx, scope, key, &answer).await?;
    tx.commit().await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// The headers of an answer, to be given again with it: those that handlers set. What belongs to
/// one exchange alone, such as the request's id, is added further out.
fn kept(headers: &HeaderMap) -> String {
    let texts =
        headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let texts: BTreeMap<&str, &str> = texts.collect();
    // Texts always serialise.
    serde_json::to_string(&texts).unwrap_or_default()
}

fn replayed(answer: Answer) -> Result<Response> {
    let kept: BTreeMap<String, String> =
        serde_json::from_str(&answer.headers).map_err(Error::internal)?;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(Error::internal)?;
    let headers = response.headers_mut();
    for (name, value) in &kept {
        let name = HeaderName::try_from(name).map_err(Error::internal)?;
        headers.insert(name, HeaderValue::try_from(value).map_err(Error::internal)?);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
