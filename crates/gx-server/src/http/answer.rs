//! Answers: JSON, reads with the block that they are of, pages, and commands on their way.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use gx_store::Snapshot;
use gx_store::projection::{self, Position};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::error::{Error, Result};

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const APPLIED: HeaderName = HeaderName::from_static("gx-applied-block");
const LAG: HeaderName = HeaderName::from_static("gx-lag-blocks");

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    // What we serialise are plain structs; if one could not be, the answer is empty.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// A JSON answer read from the read models as they stood at a position.
pub(crate) fn read(position: &Position, body: &impl Serialize) -> Response<Body> {
    let mut response = json(StatusCode::OK, body);
    let headers = response.headers_mut();
    if let Some(checkpoint) = position.checkpoint {
        headers.insert(APPLIED, checkpoint.block.into());
    }
    headers.insert(LAG, position.lag_blocks().into());
    response
}

/// One consistent view of the read models, and where they stand.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) snapshot: Snapshot,
    pub(crate) position: Position,
}

impl View {
    pub(crate) async fn open(app: &App) -> Result<Self> {
        let mut snapshot = app.store().snapshot().await?;
        let position = projection::position(&mut snapshot).await?;
        Ok(Self { snapshot, position })
    }

    pub(crate) fn answer(&self, body: &impl Serialize) -> Response<Body> {
        read(&self.position, body)
    }
}

/// A part of a list, to be continued from a cursor.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) has_more: bool,
    /// Give it as `cursor` to get what follows.
    pub(crate) next_cursor: Option<String>,
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
