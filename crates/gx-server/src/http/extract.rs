//! What handlers take from a request: caller, idempotency key, body, query, how long to wait.
//!
//! An extractor either gives a checked value or answers the request; handlers see nothing raw.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use gx_fabric::Unique;
use gx_types::CommandId;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::context::Context;
use super::fields::{Field, FieldErrors, FieldPath};
use super::front;
use super::signature::Carried;
use crate::config::Http;
use crate::error::{Error, Result};
use gx_engine::Waiters;

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let context = parts.extensions.get::<Self>().cloned();
        context.ok_or_else(|| Error::internal("the request did not come through the front"))
    }
}

/// The names of the header, the established one last.
pub(crate) const KEY_HEADERS: [&str; 2] = ["idempotency-key", "x-idempotency-key"];

/// How long an idempotency key is.
pub(crate) const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 8..=255;

/// The client's idempotency key, when it sent one.
pub(crate) fn idempotency_key(headers: &axum::http::HeaderMap) -> Result<Option<String>> {
    let Some(value) = KEY_HEADERS.iter().find_map(|name| headers.get(*name)) else {
        return Ok(None);
    };
    let key = value.to_str().ok().map(str::trim).filter(|key| KEY_LENGTHS.contains(&key.len()));
    let key = key.filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()));
    key.map(|key| Some(key.to_owned())).ok_or_else(|| {
        let message = "Idempotency-Key must be 8 to 255 printable characters without spaces";
        Error::bad_request("idempotency_key_invalid", message)
    })
}

/// The idempotency key, required.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
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

impl<S: Sync> FromRequestParts<S> for Wait {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(front::asked_wait(&parts.headers)))
    }
}

/// A JSON body with every fault listed.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: Field, S: Sync> FromRequest<S> for Body<T>
where
    BodyLimits: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        if !is_json(request.headers()) {
            return Err(Error::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body must be application/json in UTF-8, not encoded or compressed further",
            ));
        }
        let carried = request.extensions().get::<Carried>().cloned();
        let bytes = BodyLimits::from_ref(state).read(request).await?;
        let mut given = parsed(&bytes)?;
        let mut errors = FieldErrors::default();
        if let Some(carried) = carried {
            carried.take_from(&mut given, &mut errors);
        }
        read_on(&given, FieldPath::Root, errors).map(Self)
    }
}

/// The JSON value that a body is.
pub(crate) fn parsed(bytes: &[u8]) -> Result<Value> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let Unique(given) = serde_json::from_slice(bytes).map_err(|error| {
        Error::bad_request("malformed_json", format!("The body is no JSON: {error}"))
    })?;
    Ok(given)
}

/// Whether a body is JSON as it stands. One without a type is taken for it, which is what
/// everything here is.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
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

/// How much a body may hold, and how long it may take to come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    bytes: usize,
    /// Shorter than a request as a whole may take, which would be ours to answer for.
    patience: Duration,
}

impl BodyLimits {
    pub(crate) fn new(http: &Http) -> Self {
        let patience = Duration::from_millis(http.request_timeout_ms) / 2;
        Self { bytes: http.body_limit_bytes, patience }
    }

    /// For a file, in whatever form it comes: what goes beyond the usual may take longer as well.
    pub(crate) fn upload(http: &Http, file_bytes: usize) -> Self {
        // Base64 adds a third; the other fields are small.
        let bytes = file_bytes + file_bytes / 3 + (64 << 10);
        let usual = Self::new(http);
        let patience = usual.patience + front::upload_time(bytes as u64);
        Self { bytes: bytes.max(usual.bytes), patience }
    }

    /// The whole body of a request.
    pub(crate) async fn read(self, request: Request) -> Result<Bytes> {
        let most = self.bytes;
        let body = to_bytes(request.into_body(), most);
        let body = tokio::time::timeout(self.patience, body).await;
        let late = |_| {
            let message = "The body did not come in time";
            Error::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
        };
        body.map_err(late)?.map_err(|error| {
            let message = format!("The body is larger than {most} bytes, or ended early");
            Error::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message).because(error)
        })
    }
}

pub(crate) fn read<T: Field>(given: &Value, at: FieldPath<'_>) -> Result<T> {
    read_on(given, at, FieldErrors::default())
}

fn read_on<T: Field>(given: &Value, at: FieldPath<'_>, mut errors: FieldErrors) -> Result<T> {
    match T::read(Some(given), at, &mut errors) {
        Some(read) if errors.0.is_empty() => Ok(read),
        _ => Err(Error::invalid(errors.0)),
    }
}

/// The query string as a struct whose fields are texts.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: Field, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let mut given = Map::new();
        for (name, text) in pairs(parts.uri.query().unwrap_or_default())? {
            // `after` has an extractor of its own.
            if name != "after" {
                given.insert(name, Value::String(text));
            }
        }
        read(&Value::Object(given), FieldPath::Query).map(Self)
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

impl<S: Sync> FromRequestParts<S> for After
where
    Waiters: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Some(query) = parts.uri.query().filter(|query| query.contains("after=")) else {
            return Ok(Self);
        };
        let Some((_, id)) = pairs(query)?.into_iter().find(|(name, _)| name == "after") else {
            return Ok(Self);
        };
        let id: CommandId = id.parse().map_err(|error: gx_types::ParseError| {
            Error::bad_request("invalid_after", format!("after: {error}"))
        })?;
        match Waiters::from_ref(state).wait(id, AFTER_MAX).await? {
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

/// A parameter of the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Sync + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        let malformed = |_| Error::bad_request("malformed_path", "The path is not UTF-8");
        path.map(|axum::extract::Path(value)| Self(value)).map_err(malformed)
    }
}
