//! The outbox as operators see it, and what they decide about commands that are set aside as dead:
//! each is sent again, or it never is.

use std::borrow::Cow;

use axum::extract::State;
use gx_store::Store;
use gx_store::commands;
use gx_store::submission::listing::{self, Listed, Stage};
use gx_store::submission::{DeadDecision, DecidedBy, decide_dead};
use gx_types::{CommandId, TimeMs};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::json as value;

use crate::api::Route;
use crate::audit::{Audit, Entry};
use crate::auth::{May, grant};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Error, Result};
use crate::http::answer::{Json, Page, place};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::{Count, Text, Written, listed_fields, one_of, request};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::get("/api/v1/admin/outbox", list)
            .summary("Commands without an outcome, oldest first, by where they stand")
            .fails(&[(400, "invalid_cursor")]),
        Route::post("/api/v1/admin/outbox/{commandId}/requeue", requeue)
            .summary("Has a dead command sent to the ledger again")
            .sample(r#"{"reason": "This version can read it"}"#)
            .fails(&[(409, "not_dead")]),
        Route::post("/api/v1/admin/outbox/{commandId}/discard", discard)
            .summary("Says for ever that a dead command is never sent; its giver is told")
            .sample(r#"{"reason": "Given by mistake"}"#)
            .fails(&[(409, "not_dead")]),
    ]
}

listed_fields! {
    Stage: "invalid_state";
}

/// A list of the outbox, where the description names it.
fn stages(_: &mut SchemaGenerator) -> Schema {
    one_of(Stage::ALL.map(Stage::as_str))
}

request! {
    /// Which commands.
    pub(crate) struct OutboxQuery {
        /// `WAITING` by default: accepted, and not taken yet.
        #[schemars(schema_with = "stages")]
        state as "state": Option<Stage>,
        /// Only those that were accepted so many seconds ago, or longer.
        older_than as "olderThanSeconds": Option<Count<0, 315_360_000>>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 20>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Why it is decided so.
    pub(crate) struct DeadBody {
        /// Kept with the command, for administrators.
        reason as "reason": Written<10, 500>,
    }
}

/// A command without an outcome. Its arguments are not shown: they say something of people.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueuedReply {
    #[schemars(with = "String")]
    command_id: CommandId,
    /// Its number in the outbox.
    seq: i64,
    /// `WAITING`, `SUBMITTED`, `DEFERRED` or `DEAD`.
    state: &'static str,
    actor: String,
    /// The lane that it goes by.
    role: String,
    /// `Contract:Function`.
    function: String,
    service: String,
    created_at: String,
    age_seconds: u64,
    /// Why it is dead.
    dead_reason: Option<String>,
    dead_since: Option<String>,
    decision: Option<DecisionReply>,
}

/// What is decided about a dead command.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DecisionReply {
    /// `REQUEUE` or `DISCARD`.
    decision: Cow<'static, str>,
    reason: String,
    decided_by: String,
    decided_at: String,
}

impl QueuedReply {
    fn of(row: Listed, stage: Stage, now_ms: i64) -> Self {
        let age_ms = now_ms.saturating_sub(row.created_at.0).max(0);
        let (dead_reason, dead_since) = row.dead.unzip();
        let decision = row.decision.map(|(decision, reason, decided_by, at)| DecisionReply {
            decision: decision.into(),
            reason,
            decided_by,
            decided_at: rfc3339(at.0),
        });
        Self {
            command_id: row.command_id,
            seq: row.seq,
            state: stage.as_str(),
            actor: row.actor.as_str().to_string(),
            role: row.role.to_string(),
            function: row.function,
            service: row.service,
            created_at: rfc3339(row.created_at.0),
            age_seconds: u64::try_from(age_ms / 1000).unwrap_or_default(),
            dead_reason,
            dead_since: dead_since.map(|at| rfc3339(at.0)),
            decision,
        }
    }
}

/// `GET /admin/outbox`
async fn list(
    _: May<grant::SystemStatusRead>,
    State(store): State<Store>,
    Query(query): Query<OutboxQuery>,
) -> Result<Json<Page<QueuedReply>>> {
    let stage = query.state.unwrap_or(Stage::Waiting);
    let (after, limit) = (place(query.cursor)?, query.limit.map_or(20, |limit| limit.0));
    let now = now_ms();
    let older = query.older_than.map(|age| TimeMs(now.saturating_sub(i64::from(age.0) * 1000)));
    let rows = listing::list(&store, stage, older, after, limit.saturating_add(1)).await?;
    let page = Page::of(rows, limit, |row| row.seq);
    Ok(Json(page.try_map(|row| Ok(QueuedReply::of(row, stage, now)))?))
}

/// `POST /admin/outbox/{commandId}/requeue`
async fn requeue(
    admin: May<grant::SystemResume>,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<DeadBody>,
) -> Result<Json<DecisionReply>> {
    decide(&audit, admin.scope(), (&id, DeadDecision::Requeue), body).await
}

/// `POST /admin/outbox/{commandId}/discard`
async fn discard(
    admin: May<grant::SystemResume>,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<DeadBody>,
) -> Result<Json<DecisionReply>> {
    decide(&audit, admin.scope(), (&id, DeadDecision::Discard), body).await
}

async fn decide(
    audit: &Audit,
    by: &str,
    (id, decision): (&str, DeadDecision),
    DeadBody { reason: Written(reason) }: DeadBody,
) -> Result<Json<DecisionReply>> {
    let unknown = || Error::not_found("Command");
    let id: CommandId = id.parse().map_err(|_| unknown())?;
    let (mut change, at) = (audit.begin().await?, TimeMs(now_ms()));
    let status = commands::status(change.tx(), &id).await?.ok_or_else(unknown)?;
    let decided = DecidedBy { by, note: &reason, at };
    if !decide_dead(change.tx(), status.seq, decision, decided).await? {
        let message = "The command is not dead, or it is decided about already";
        return Err(Error::conflict("not_dead", message));
    }
    let (action, target) = match decision {
        DeadDecision::Requeue => ("outbox.requeue", id.to_string()),
        DeadDecision::Discard => ("outbox.discard", id.to_string()),
    };
    let told = value!({ "function": status.function, "reason": reason });
    change.commit_with(Entry { actor: by, action, target: &target }, &told).await?;
    Ok(Json(DecisionReply {
        decision: decision.as_str().into(),
        reason,
        decided_by: by.to_owned(),
        decided_at: rfc3339(at.0),
    }))
}
