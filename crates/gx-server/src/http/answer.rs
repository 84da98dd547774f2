//! Answers: JSON, reads with the block that they are of, pages, and commands on their way.

use std::str::FromStr;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use gx_store::projection::{self, Position};
use gx_store::{Snapshot, Store};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;

use super::accept::Format;
use super::fields::Text;
use crate::calendar::now_ms;
use crate::error::{Error, Result};

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const APPLIED: HeaderName = HeaderName::from_static("gx-applied-block");
const LAG: HeaderName = HeaderName::from_static("gx-lag-blocks");
const NEXT: HeaderName = HeaderName::from_static("gx-next-cursor");

/// What amounts are counted in.
pub(crate) const CURRENCY: &str = "GXC";

/// Basis points as per cent, with two places.
pub(crate) fn percent(bps: u32) -> String {
    format!("{}.{:02}", bps / 100, bps % 100)
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    // What we serialise are plain structs; if one could not be, the answer is empty.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// 200 with a JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response<Body> {
        json(StatusCode::OK, &self.0)
    }
}

/// 201 with a JSON body.
#[derive(Debug)]
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response<Body> {
        json(StatusCode::CREATED, &self.0)
    }
}

/// 200 with a JSON body from the read models, and headers that say where these stood.
#[derive(Debug)]
pub struct Read<T> {
    pub(crate) position: Position,
    pub(crate) body: T,
}

impl<T: Serialize> IntoResponse for Read<T> {
    fn into_response(self) -> Response<Body> {
        let mut response = json(StatusCode::OK, &self.body);
        stamp(response.headers_mut(), &self.position);
        response
    }
}

fn stamp(headers: &mut HeaderMap, position: &Position) {
    if let Some(checkpoint) = position.checkpoint {
        headers.insert(APPLIED, checkpoint.block.into());
    }
    headers.insert(LAG, position.lag_blocks().into());
}

/// 200 with what a client asked for in another form than JSON, or in JSON after all.
#[derive(Debug)]
pub(crate) enum Rendered<T> {
    Json(Read<T>),
    Document(Document),
}

/// A whole document, and where the read models stood that it is of.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) position: Position,
    pub(crate) format: Format,
    /// Under which name it is to be kept, without the ending.
    pub(crate) name: String,
    /// Where the list goes on, when this is a part of one.
    pub(crate) next_cursor: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

impl<T: Serialize> IntoResponse for Rendered<T> {
    fn into_response(self) -> Response<Body> {
        let Document { position, format, name, next_cursor, bytes } = match self {
            Self::Json(read) => return read.into_response(),
            Self::Document(document) => document,
        };
        let mut response = Response::new(Body::from(bytes));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        let file = format!("attachment; filename=\"{name}.{}\"", format.ending());
        // Names are made of letters, digits and hyphens here.
        if let Ok(file) = HeaderValue::try_from(file) {
            headers.insert(header::CONTENT_DISPOSITION, file);
        }
        if let Some(Ok(cursor)) = next_cursor.map(HeaderValue::try_from) {
            headers.insert(NEXT, cursor);
        }
        stamp(headers, &position);
        response
    }
}

/// 200 with a page for people.
#[derive(Debug)]
pub(crate) struct Html {
    pub(crate) page: String,
    /// What the page may load.
    pub(crate) policy: &'static str,
}

impl IntoResponse for Html {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.page));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(self.policy));
        response
    }
}

/// 200 with a drawing that loads nothing.
#[derive(Debug)]
pub(crate) struct Svg(pub(crate) String);

impl Svg {
    pub(crate) const MEDIA_TYPE: &'static str = "image/svg+xml";
}

impl IntoResponse for Svg {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.0));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Self::MEDIA_TYPE));
        let policy = HeaderValue::from_static("default-src 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    }
}

/// One consistent view of the read models, and where they stand.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) snapshot: Snapshot,
    pub(crate) position: Position,
}

impl View {
    pub(crate) async fn open(store: &Store) -> Result<Self> {
        let mut snapshot = store.snapshot().await?;
        let position = projection::position(&mut snapshot).await?;
        Ok(Self { snapshot, position })
    }

    pub(crate) fn read<T>(&self, body: T) -> Read<T> {
        Read { position: self.position, body }
    }

    /// What time it is for what ends or is due: the ledger's time may be ahead of this machine's.
    pub(crate) fn now(&self) -> TimeMs {
        let applied = self.position.checkpoint.map(|checkpoint| checkpoint.at);
        applied.unwrap_or_default().max(TimeMs(now_ms()))
    }
}

/// A word for people, where there is nothing else to say.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Message {
    success: bool,
    message: &'static str,
}

impl Message {
    pub fn done(message: &'static str) -> Self {
        Self { success: true, message }
    }
}

/// A part of a list, to be continued from a cursor.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PageOf{T}")]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) has_more: bool,
    /// Give it as `cursor` to get what follows.
    pub(crate) next_cursor: Option<String>,
}

impl<R> Page<R> {
    /// The page of rows of which one more was asked for than it holds.
    pub(crate) fn of<C: ToString>(mut rows: Vec<R>, limit: u32, cursor: impl Fn(&R) -> C) -> Self {
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| cursor(row).to_string());
        Self { data: rows, has_more, next_cursor }
    }

    /// The same page, each row as it is answered.
    pub(crate) fn try_map<T>(self, answer: impl FnMut(R) -> Result<T>) -> Result<Page<T>> {
        let Self { data, has_more, next_cursor } = self;
        let data = data.into_iter().map(answer).collect::<Result<_>>()?;
        Ok(Page { data, has_more, next_cursor })
    }
}

/// Where a page goes on.
pub(crate) fn place<P: FromStr, const N: usize>(cursor: Option<Text<1, N>>) -> Result<Option<P>> {
    let message = "cursor: give the nextCursor of the page before";
    let place = cursor.map(|cursor| cursor.0.parse()).transpose();
    place.map_err(|_| Error::bad_request("invalid_cursor", message))
}

/// Where a numbered page stands in its list.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pagination {
    pub(crate) page: u64,
    pub(crate) limit: u32,
    pub(crate) total: u64,
    pub(crate) total_pages: u64,
}

impl Pagination {
    pub(crate) fn new(page: u64, limit: u32, total: u64) -> Self {
        Self { page, limit, total, total_pages: total.div_ceil(u64::from(limit.max(1))) }
    }
}

impl From<gx_store::Error> for Error {
    fn from(error: gx_store::Error) -> Self {
        store_error(error.is_unavailable(), error)
    }
}

impl From<std::sync::Arc<gx_store::Error>> for Error {
    fn from(error: std::sync::Arc<gx_store::Error>) -> Self {
        store_error(error.is_unavailable(), error)
    }
}

fn store_error(
    unavailable: bool,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    if unavailable {
        let message = "The database does not answer; the same request may be sent again";
        Error::unavailable("store_unavailable", message).because(error)
    } else {
        Error::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn basis_points_are_hundredths_of_a_per_cent() {
        for (bps, text) in [(0, "0.00"), (5, "0.05"), (250, "2.50"), (1000, "10.00")] {
            assert_eq!(percent(bps), text);
        }
    }
}
