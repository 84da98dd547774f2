//! What handlers take from a request: caller, idempotency key, body, query, how long to wait.
//!
//! An extractor either gives a checked value or answers the request; handlers see nothing raw.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use gx_types::CommandId;
use serde_json::{Map, Value};

use super::context::Context;
use super::fields::{At, Faults, Field};
use super::front;
use super::unique::Unique;
use crate::app::App;
use crate::auth::{Admin, Caller, User};
use crate::error::{Error, Result};

impl FromRequestParts<App> for Context {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let context = parts.extensions.get::<Self>().cloned();
        context.ok_or_else(|| Error::internal("the request did not come through the front"))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Error::internal("a handler wants a caller on a public route"))
    }
}

impl FromRequestParts<App> for User {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        match parts.extensions.get::<Caller>() {
            Some(Caller::User(user)) => Ok(user.clone()),
            _ => Err(Error::internal("a handler wants a user on another kind of route")),
        }
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        match parts.extensions.get::<Caller>() {
            Some(Caller::Admin(admin)) => Ok(admin.clone()),
            _ => Err(Error::internal("a handler wants an admin on another kind of route")),
        }
    }
}

/// The names of the header, the established one last.
pub(crate) const KEY_HEADERS: [&str; 2] = ["idempotency-key", "x-idempotency-key"];

/// The client's idempotency key, when it sent one.
pub(crate) fn idempotency_key(headers: &axum::http::HeaderMap) -> Result<Option<String>> {
    let Some(value) = KEY_HEADERS.iter().find_map(|name| headers.get(*name)) else {
        return Ok(None);
    };
    let key = value.to_str().ok().map(str::trim).filter(|key| (8..=255).contains(&key.len()));
    let key = key.filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()));
    key.map(|key| Some(key.to_owned())).ok_or_else(|| {
        let message = "Idempotency-Key must be 8 to 255 printable characters without spaces";
        Error::bad_request("idempotency_key_invalid", message)
    })
}

/// The idempotency key, required.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) String);

impl FromRequestParts<App> for Key {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        idempotency_key(&parts.headers)?.map(Self).ok_or_else(|| {
            let message = "The header Idempotency-Key is required: a new one for a new command, \
                the same one to repeat it";
            Error::bad_request("idempotency_key_required", message)
        })
    }
}

/// How long the client wants to wait for an outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait(pub(crate) Option<Duration>);

impl FromRequestParts<App> for Wait {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        Ok(Self(front::asked_wait(&parts.headers)))
    }
}

/// A JSON body with every fault listed.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: Field> FromRequest<App> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        if !is_json(request.headers()) {
            return Err(Error::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body must be application/json in UTF-8, not encoded or compressed further",
            ));
        }
        let bytes = body_bytes(request, app).await?;
        let given: Value = if bytes.is_empty() {
            Value::Object(Map::new())
        } else {
            let Unique(given) = serde_json::from_slice(&bytes).map_err(|error| {
                Error::bad_request("malformed_json", format!("The body is no JSON: {error}"))
            })?;
            given
        };
        read(&given).map(Self)
    }
}

/// Whether a body is JSON as it stands. One without a type is taken for it, which is what
/// everything here is.
fn is_json(headers: &HeaderMap) -> bool {
    let plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(kind) = kinds.next() else { return plain };
    let plain = plain && kinds.next().is_none();
    let mut parts = kind.to_str().unwrap_or_default().split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let charset = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    };
    plain && json && parts.filter_map(charset).all(|charset| charset == "utf-8")
}

/// The whole body, up to the limit.
pub(crate) async fn body_bytes(request: Request, app: &App) -> Result<axum::body::Bytes> {
    let http = &app.config().http;
    let most = http.body_limit_bytes;
    // Before the request as a whole runs out of time, which would be ours to answer for.
    let patience = Duration::from_millis(http.request_timeout_ms) / 2;
    let body = tokio::time::timeout(patience, to_bytes(request.into_body(), most)).await;
    let late = |_| {
        let message = "The body did not come in time";
        Error::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
    };
    body.map_err(late)?.map_err(|error| {
        let message = format!("The body is larger than {most} bytes, or ended early");
        Error::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message).because(error)
    })
}

fn read<T: Field>(given: &Value) -> Result<T> {
    let mut faults = Faults::default();
    match T::read(Some(given), At::Root, &mut faults) {
        Some(read) if faults.0.is_empty() => Ok(read),
        _ => Err(Error::invalid(faults.0)),
    }
}

/// The query string as a struct whose fields are texts.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: Field> FromRequestParts<App> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let mut given = Map::new();
        for (name, text) in pairs(parts.uri.query().unwrap_or_default())? {
            // `after` has an extractor of its own.
            if name != "after" {
                given.insert(name, Value::String(text));
            }
        }
        read(&Value::Object(given)).map(Self)
    }
}

fn pairs(query: &str) -> Result<Vec<(String, String)>> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let uri = format!("/?{query}").parse().map_err(Error::internal)?;
    let malformed = |message: String| Error::bad_request("malformed_query", message);
    let axum::extract::Query(pairs) =
        axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri)
            .map_err(|_| malformed("The query string is not percent-encoded UTF-8".to_owned()))?;
    // Readers differ in which of two values they take.
    let mut names = BTreeSet::new();
    match pairs.iter().find(|(name, _)| !names.insert(name.as_str())) {
        Some((name, _)) => Err(malformed(format!("The query parameter {name} is there twice"))),
        None => Ok(pairs),
    }
}

/// Waits until the command that `?after=` names is in the read models.
#[derive(Debug)]
pub(crate) struct After;

/// The longest that a read waits for a command.
const AFTER_MAX: Duration = Duration::from_secs(5);

impl FromRequestParts<App> for After {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Some(query) = parts.uri.query().filter(|query| query.contains("after=")) else {
            return Ok(Self);
        };
        let Some((_, id)) = pairs(query)?.into_iter().find(|(name, _)| name == "after") else {
            return Ok(Self);
        };
        let id: CommandId = id.parse().map_err(|error: gx_types::ParseError| {
            Error::bad_request("invalid_after", format!("after: {error}"))
        })?;
        match app.waiters().wait(id, AFTER_MAX).await? {
            None => Err(Error::not_found("Command")),
            Some(state) if state.is_final() => Ok(Self),
            Some(_) => Err(Error::new(
                StatusCode::TOO_EARLY,
                "not_projected",
                "The command that the read should come after is not in the read models yet",
            )
            .retry_after(1)),
        }
    }
}

pub(crate) use axum::extract::Path;
