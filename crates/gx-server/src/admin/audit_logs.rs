//! The audit log as administrators read it: page by page, or as a whole in a file.
//!
//! An export is written while it is read, newest first, so that a log of any length fits; that
//! somebody has taken it stands in the log.

use std::borrow::Cow;
use std::fmt::Write as _;

use axum::body::{Body as HttpBody, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use gx_store::Store;
use gx_store::admin::audit::{self, AuditRow, Filter};
use gx_types::{TimeMs, with_causes};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::api::{Answer, Route, Shape};
use crate::audit::{Audit, Entry};
use crate::auth::{May, grant};
use crate::calendar::rfc3339;
use crate::error::Result;
use crate::http::answer::{Json, Page, place};
use crate::http::extract::Query;
use crate::http::fields::{Count, Instant, Text, listed_fields, one_of, request};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::get("/api/v1/admin/audit-logs", list)
            .summary("Who has done what, newest first")
            .fails(&[(400, "invalid_cursor")]),
        Route::get("/api/v1/admin/audit-logs/export", export)
            .summary("The same as a file, for spreadsheets or line by line as JSON"),
    ]
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExportFormat {
    Csv,
    JsonLines,
}

impl ExportFormat {
    const ALL: [Self; 2] = [Self::Csv, Self::JsonLines];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/x-ndjson",
        }
    }
}

listed_fields! {
    ExportFormat: "invalid_format";
}

impl JsonSchema for ExportFormat {
    fn schema_name() -> Cow<'static, str> {
        "AuditExportFormat".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

request! {
    /// Which rows of the log.
    pub(crate) struct AuditQuery {
        /// `user:<id>`, `admin:<id>` or `system`.
        actor as "actor": Option<Text<1, 100>>,
        /// What was done, as `user.approve` or `AdminContract:PauseSystem`.
        action as "action": Option<Text<1, 100>>,
        /// What it was done to.
        target as "target": Option<Text<1, 200>>,
        /// Not before this time.
        from as "from": Option<Instant>,
        /// Before this time.
        to as "to": Option<Instant>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 20>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Which rows of the log, and in which form.
    pub(crate) struct AuditExportQuery {
        /// `csv` by default.
        format as "format": Option<ExportFormat>,
        /// `user:<id>`, `admin:<id>` or `system`.
        actor as "actor": Option<Text<1, 100>>,
        /// What was done, as `user.approve` or `AdminContract:PauseSystem`.
        action as "action": Option<Text<1, 100>>,
        /// What it was done to.
        target as "target": Option<Text<1, 200>>,
        /// Not before this time.
        from as "from": Option<Instant>,
        /// Before this time.
        to as "to": Option<Instant>,
    }
}

/// Something that was done.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditReply {
    /// 1, 2, 3, … without a hole.
    seq: u64,
    timestamp: String,
    actor: String,
    action: String,
    target: String,
    request_id: String,
    details: Value,
    /// SHA-256 over the row and the hash before it, as 64 digits.
    event_hash: String,
    previous_hash: String,
}

impl From<AuditRow> for AuditReply {
    fn from(row: AuditRow) -> Self {
        // Whatever stands there is shown; a row that is no JSON was not written by this platform.
        let details = serde_json::from_str(&row.details);
        Self {
            seq: row.seq,
            timestamp: rfc3339(row.at.0),
            actor: row.actor,
            action: row.action,
            target: row.target,
            request_id: row.request_id,
            details: details.unwrap_or(Value::String(row.details)),
            event_hash: hex::encode(row.hash),
            previous_hash: hex::encode(row.prev_hash),
        }
    }
}

/// `GET /admin/audit-logs`
async fn list(
    _: May<grant::AuditView>,
    State(store): State<Store>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditReply>>> {
    let AuditQuery { actor, action, target, from, to, cursor, limit } = query;
    let filter = filter((actor, action, target), (from, to));
    let (before, limit) = (place(cursor)?, limit.map_or(20, |limit| limit.0));
    let rows = audit::page(&store, &filter, before, limit.saturating_add(1)).await?;
    let page = Page::of(rows, limit, |row| i64::try_from(row.seq).unwrap_or(i64::MAX));
    Ok(Json(page.try_map(|row| Ok(row.into()))?))
}

type Texts = (Option<Text<1, 100>>, Option<Text<1, 100>>, Option<Text<1, 200>>);

fn filter(texts: Texts, (from, to): (Option<Instant>, Option<Instant>)) -> Filter {
    let (actor, action, target) = texts;
    Filter {
        actor: actor.map(|text| text.0),
        action: action.map(|text| text.0),
        target: target.map(|text| text.0),
        from: from.map(|time| TimeMs(time.0)),
        to: to.map(|time| TimeMs(time.0)),
    }
}

/// `GET /admin/audit-logs/export`
async fn export(
    admin: May<grant::AuditExport>,
    audit: Audit,
    State(store): State<Store>,
    Query(query): Query<AuditExportQuery>,
) -> Result<Export> {
    let AuditExportQuery { format, actor, action, target, from, to } = query;
    let format = format.unwrap_or(ExportFormat::Csv);
    let filter = filter((actor, action, target), (from, to));
    let entry = Entry { actor: admin.scope(), action: "audit.export", target: format.as_str() };
    audit.begin().await?.commit(entry).await?;
    let (sender, rows) = mpsc::channel(2);
    tokio::spawn(write(store, filter, format, sender));
    Ok(Export { format, rows })
}

/// A file that is written while it is sent.
#[derive(Debug)]
pub(crate) struct Export {
    format: ExportFormat,
    rows: mpsc::Receiver<std::result::Result<Bytes, gx_store::Error>>,
}

impl IntoResponse for Export {
    fn into_response(self) -> Response<HttpBody> {
        let (kind, name) = match self.format {
            ExportFormat::Csv => (ExportFormat::Csv, "attachment; filename=\"audit-log.csv\""),
            ExportFormat::JsonLines => {
                (ExportFormat::JsonLines, "attachment; filename=\"audit-log.jsonl\"")
            }
        };
        let mut response = Response::new(HttpBody::from_stream(ReceiverStream::new(self.rows)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind.media_type()));
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
        response
    }
}

impl Answer for Export {
    fn describe(shape: &mut Shape) {
        for format in ExportFormat::ALL {
            shape.other(format.media_type());
        }
    }
}

/// Rows that are read at once.
const ROWS: u32 = 500;

/// Writes the log from the newest row on, as fast as somebody reads it.
async fn write(
    store: Store,
    filter: Filter,
    format: ExportFormat,
    sender: mpsc::Sender<std::result::Result<Bytes, gx_store::Error>>,
) {
    let mut before = None;
    let mut text = match format {
        ExportFormat::Csv => HEADINGS.to_owned(),
        ExportFormat::JsonLines => String::new(),
    };
    loop {
        let rows = match audit::page(&store, &filter, before, ROWS).await {
            Ok(rows) => rows,
            Err(error) => {
                // What was sent so far is no whole file: the connection breaks off.
                tracing::warn!(
                    error = with_causes(&error),
                    "an export of the audit log ended early"
                );
                drop(sender.send(Err(error)).await);
                return;
            }
        };
        let is_last = rows.len() < ROWS as usize;
        before = rows.last().map(|row| row.seq);
        for row in rows {
            append(&mut text, row.into(), format);
        }
        let part = std::mem::take(&mut text);
        if (!part.is_empty() && sender.send(Ok(part.into())).await.is_err()) || is_last {
            return;
        }
    }
}

const HEADINGS: &str =
    "seq,timestamp,actor,action,target,requestId,details,eventHash,previousHash\r\n";

fn append(text: &mut String, row: AuditReply, format: ExportFormat) {
    match format {
        ExportFormat::JsonLines => {
            // Plain structs always serialise.
            text.push_str(&serde_json::to_string(&row).unwrap_or_default());
            text.push('\n');
        }
        ExportFormat::Csv => {
            let AuditReply { seq, timestamp, actor, action, target, request_id, .. } = &row;
            // Writing to a text can't fail.
            let _ = write!(text, "{seq}");
            let details = row.details.to_string();
            let hashes = [row.event_hash.as_str(), &row.previous_hash];
            let cells = [timestamp.as_str(), actor, action, target, request_id, &details];
            for cell in cells.into_iter().chain(hashes) {
                text.push(',');
                text.push_str(&quoted(cell));
            }
            text.push_str("\r\n");
        }
    }
}

/// A cell of RFC 4180 that no spreadsheet takes for a formula: what one could begin with is kept
/// behind an apostrophe.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_another() {
        for (cell, written) in [
            ("user:u1", "\"user:u1\""),
            ("", "\"\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@a", "\"'@a\""),
            ("\tx", "\"'\tx\""),
            ("a,b\r\nc", "\"a,b\r\nc\""),
        ] {
            assert_eq!(quoted(cell), written, "{cell:?}");
        }
    }
}
