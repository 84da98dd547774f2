//! The audit log's only writer in this process.
//!
//! What a person changes is written in a transaction that cannot be committed without its row.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use gx_store::admin::audit::{self, NewAudit};
use gx_store::{Store, Tx};
use gx_types::TimeMs;
use serde_json::{Value, json};

use crate::api::{Input, Shape};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::context::Context;

/// The audit log, as seen by the handler of one request.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    store: Store,
    request_id: String,
}

impl<S: Sync> FromRequestParts<S> for Audit
where
    Store: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let context = Context::from_request_parts(parts, state).await?;
        Ok(Self::new(Store::from_ref(state), &context))
    }
}

impl Input for Audit {
    fn describe(_: &mut Shape) {}
}

impl Audit {
    pub(crate) fn new(store: Store, context: &Context) -> Self {
        Self { store, request_id: context.request_id.to_string() }
    }

    /// Begins a change.
    pub(crate) async fn begin(&self) -> Result<Change> {
        Ok(Change { tx: self.store.begin().await?, request_id: self.request_id.clone() })
    }
}

/// Who did what to what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// `user:<id>`, `admin:<id>` or `system`.
    pub(crate) actor: &'a str,
    pub(crate) action: &'a str,
    pub(crate) target: &'a str,
}

/// A transaction that ends with a row of the audit log, or not at all.
#[derive(Debug)]
pub(crate) struct Change {
    tx: Tx,
    request_id: String,
}

impl Change {
    pub(crate) fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Writes the row and commits.
    pub(crate) async fn commit(self, entry: Entry<'_>) -> Result<()> {
        self.commit_with(entry, &json!({})).await
    }

    /// The same, with details for whoever reads the log.
    pub(crate) async fn commit_with(mut self, entry: Entry<'_>, details: &Value) -> Result<()> {
        let row = NewAudit {
            at: TimeMs(now_ms()),
            actor: entry.actor.to_owned(),
            action: entry.action.to_owned(),
            target: entry.target.to_owned(),
            request_id: self.request_id,
            details: details.to_string(),
        };
        audit::append(&mut self.tx, &[row]).await?;
        Ok(self.tx.commit().await?)
    }
}

/// A row of the audit log without details.
pub(crate) fn audit_row(context: &Context, actor: &str, action: &str, target: &str) -> NewAudit {
    NewAudit {
        at: TimeMs(now_ms()),
        actor: actor.to_owned(),
        action: action.to_owned(),
        target: target.to_owned(),
        request_id: context.request_id.to_string(),
        details: "{}".to_owned(),
    }
}
