//! The one error of the HTTP surface: RFC 9457 problem details with the platform's own fields.
//!
//! A handler says status, code and message; the front adds request id, path and time. What is not
//! mapped here is 500: its text goes to the log, never to the client.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gx_contract::{Refusal, RefusalKind, Refused};
use serde::Serialize;

pub type Result<T> = std::result::Result<T, Error>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What a client is told, and what only the log is told.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    details: Vec<Detail>,
    retry_after_seconds: Option<u32>,
    source: Option<Source>,
}

/// A fault of one field of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Detail {
    /// Path of the field, for example `countries[3].weight`.
    pub field: String,
    /// Stable, for programs.
    pub code: Cow<'static, str>,
    /// For people.
    pub message: Cow<'static, str>,
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem<'a> {
    /// `urn:gx:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status's reason phrase.
    pub title: &'a str,
    pub status: u16,
    pub detail: &'a str,
    /// Stable, for programs: `validation_failed`, `insufficient_balance`, …
    pub code: &'a str,
    /// The same as `title`.
    pub error: &'a str,
    /// The same as `detail`.
    pub message: &'a str,
    pub request_id: &'a str,
    pub path: &'a str,
    /// RFC 3339, UTC.
    pub timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Every fault of the request's fields.
    pub details: &'a [Detail],
}

impl Error {
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Inner {
            status,
            code: code.into(),
            message: message.into(),
            details: Vec::new(),
            retry_after_seconds: None,
            source: None,
        }))
    }

    pub fn bad_request(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The request's fields are wrong; lists all of them.
    pub fn invalid(details: Vec<Detail>) -> Self {
        let message = match details.as_slice() {
            [one] => Cow::from(format!("{}: {}", one.field, one.message)),
            many => Cow::from(format!("{} fields are wrong, see details", many.len())),
        };
        let mut error = Self::bad_request("validation_failed", message);
        error.0.details = details;
        error
    }

    /// One field of the request is wrong in a way that its type does not tell.
    pub fn field(field: &str, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let (field, message) = (field.to_owned(), message.into());
        Self::invalid(vec![Detail { field, code: code.into(), message }])
    }

    pub fn unauthorized(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    pub fn forbidden() -> Self {
        let message = "Insufficient permissions to access this resource";
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// The thing does not exist, or is not the caller's to know of.
    pub fn not_found(what: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} not found"))
    }

    pub fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// Something that the request needs does not answer now.
    pub fn unavailable(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message).retry_after(1)
    }

    /// A bug or a damaged store: the client learns nothing but the request id.
    pub fn internal(source: impl Into<Source>) -> Self {
        let message = "Something went wrong on our side; give the request id when you report it";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).because(source)
    }

    /// Adds what a program needs to know of the refusal besides its code.
    #[must_use]
    pub fn detailing(mut self, detail: Detail) -> Self {
        self.0.details.push(detail);
        self
    }

    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Adds what only the log is told.
    pub fn because(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    pub fn code(&self) -> &str {
        &self.0.code
    }

    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.0.retry_after_seconds
    }

    /// The cause for the log, with the causes behind it; empty when there is none.
    pub fn chain(&self) -> String {
        self.0.source.as_deref().map_or_else(String::new, |source| gx_types::with_causes(source))
    }

    /// The body, for the request that failed.
    pub fn problem<'a>(&'a self, request_id: &'a str, path: &'a str, at: String) -> Problem<'a> {
        let inner = &self.0;
        let title = inner.status.canonical_reason().unwrap_or("Error");
        Problem {
            kind: format!("urn:gx:problem:{}", inner.code),
            title,
            status: inner.status.as_u16(),
            detail: &inner.message,
            code: &inner.code,
            error: title,
            message: &inner.message,
            request_id,
            path,
            timestamp: at,
            retry_after: inner.retry_after_seconds,
            details: &inner.details,
        }
    }
}

/// The error itself travels as an extension; the front, which knows the request, writes the body.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = self.0.status;
        response.extensions_mut().insert(Failed(std::sync::Arc::new(self)));
        response
    }
}

/// The error of a response, on its way to the front.
#[derive(Debug, Clone)]
pub(crate) struct Failed(pub(crate) std::sync::Arc<Error>);

/// A refusal that is known before the ledger has run.
impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::new(refusal_status(refused.code), refused.code.code(), refused.detail)
    }
}

/// The status that a refusal is answered with.
pub fn refusal_status(refusal: Refusal) -> StatusCode {
    match refusal.kind() {
        RefusalKind::Invalid => StatusCode::BAD_REQUEST,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::Missing => StatusCode::NOT_FOUND,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::Unfit => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_reaches_the_log_and_not_the_client() {
        let error = Error::internal("disk on fire");
        let body = serde_json::to_string(&error.problem("r1", "/x", String::new())).unwrap();
        assert_eq!(error.chain(), "disk on fire");
        assert!(!body.contains("fire"), "{body}");
        assert!(body.contains("\"error\":\"Internal Server Error\""), "{body}");
    }

    #[test]
    fn one_fault_is_told_in_the_message_and_several_are_counted() {
        let fault = |field: &str| Detail {
            field: field.to_owned(),
            code: "required".into(),
            message: "is required".into(),
        };
        let one = Error::invalid(vec![fault("amount")]);
        assert_eq!(one.problem("", "", String::new()).message, "amount: is required");
        let two = Error::invalid(vec![fault("amount"), fault("toUserId")]);
        assert_eq!(two.problem("", "", String::new()).message, "2 fields are wrong, see details");
    }
}
