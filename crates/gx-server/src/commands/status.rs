//! What is told of a command on its way, once and as a stream.
//!
//! Its owner and admins may ask; for everybody else it does not exist.

use std::time::Duration;

use axum::extract::State;
use axum::response::sse::Event;
use gx_contract::Refusal;
use gx_store::commands::{State as Stage, Status};
use gx_store::partner::payments;
use gx_types::{ActionId, Actor, CommandId};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::mpsc;

use super::made::Made;
use crate::api::Route;
use crate::app::App;
use crate::auth::{Caller, Scope, User};
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::Json;
use crate::http::extract::Path;
use crate::http::stream::Streamed;

/// What is told of a command.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommandReply {
    #[schemars(with = "String")]
    command_id: CommandId,
    /// Of the action that waits for a second admin. Some commands need one only at times, which is
    /// known when they are committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    action_id: Option<ActionId>,
    #[serde(flatten)]
    made: Made,
    /// `queued`, `submitted`, `committed`, `refused` or `dead`.
    status: &'static str,
    status_url: String,
    /// For people.
    message: &'static str,
    /// ISO 8601 duration that settling usually takes at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_confirmation_time: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// Why the ledger refused it; stable.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Whether the same command, under a new key, may pass later.
    #[serde(skip_serializing_if = "Option::is_none")]
    transient: Option<bool>,
    /// Why it can never be sent to the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl CommandReply {
    pub(super) fn queued(command_id: CommandId) -> Self {
        Self {
            command_id,
            action_id: None,
            made: Made::default(),
            status: "queued",
            status_url: status_url(command_id),
            message: "The command is accepted and will be settled by the ledger",
            estimated_confirmation_time: Some("PT1S"),
            block: None,
            at: None,
            code: None,
            detail: None,
            transient: None,
            reason: None,
        }
    }

    /// The command proposes an action to a second admin, unless it has come to nothing.
    pub(super) fn proposing(self, action_id: Option<ActionId>) -> Self {
        let came_to_nothing = self.code.is_some() || self.reason.is_some();
        Self { action_id: action_id.filter(|_| !came_to_nothing), ..self }
    }

    /// What the command makes has an id of its own, unless it has come to nothing.
    pub(super) fn making(self, made: Made) -> Self {
        let came_to_nothing = self.code.is_some() || self.reason.is_some();
        if came_to_nothing { self } else { Self { made, ..self } }
    }

    pub(super) fn status_url(&self) -> &str {
        &self.status_url
    }

    pub(super) fn of(command_id: CommandId, state: Stage) -> Self {
        let reply = Self::queued(command_id);
        let estimated_confirmation_time = None;
        match state {
            Stage::Queued => reply,
            Stage::Submitted { .. } => Self {
                status: "submitted",
                message: "The command is on its way through the ledger",
                ..reply
            },
            Stage::Committed { block, at } => Self {
                status: "committed",
                message: "The command is settled and can be read",
                block: Some(block),
                at: Some(rfc3339(at.0)),
                estimated_confirmation_time,
                ..reply
            },
            Stage::Refused { block, at, code, detail } => Self {
                status: "refused",
                message: "The ledger refused the command; nothing has changed",
                block: Some(block),
                at: Some(rfc3339(at.0)),
                transient: Some(is_transient(&code)),
                code: Some(code),
                detail: Some(detail),
                estimated_confirmation_time,
                ..reply
            },
            Stage::Dead { reason, at, discarded } => Self {
                status: "dead",
                message: if discarded {
                    "Operators have discarded the command; it will never be sent to the ledger"
                } else {
                    "The command cannot be sent to the ledger; operators have been told"
                },
                at: Some(rfc3339(at.0)),
                reason: Some(reason),
                estimated_confirmation_time,
                ..reply
            },
        }
    }
}

fn is_transient(code: &str) -> bool {
    Refusal::ALL.iter().any(|refusal| refusal.code() == code && refusal.transient())
}

fn status_url(id: CommandId) -> String {
    format!("/api/v1/commands/{id}")
}

/// Routes that every service's commands share; tokenomics serves them.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/commands/{id}", status)
            .summary("How far a command has come; its owner and admins may ask")
            .partner(Scope::TransferCreate),
        Route::get("/api/v1/commands/{id}/events", events)
            .summary("The same as server-sent events, until the command is settled"),
    ]
}

/// `GET /commands/{id}`
async fn status(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CommandReply>> {
    let Status { command_id, state, function, .. } = visible(&app, &caller, &id).await?;
    let made = Made::by(&function, command_id);
    Ok(Json(CommandReply::of(command_id, state).making(made)))
}

/// The status of a command that the caller may see.
async fn visible(app: &App, caller: &Caller, id: &str) -> Result<Status> {
    let unknown = || Error::not_found("Command");
    let id: CommandId = id.parse().map_err(|_| unknown())?;
    let status = app.waiters().status(id).await?.ok_or_else(unknown)?;
    match caller {
        Caller::Admin(_) => Ok(status),
        Caller::User(User { account: Some(account), partner, .. })
            if status.actor == Actor::User(*account) =>
        {
            // A partner sees what it has given itself.
            if let Some(by) = partner
                && !payments::is_by(app.store(), &by.partner_id, &id).await?
            {
                return Err(unknown());
            }
            Ok(status)
        }
        Caller::User(_) => Err(unknown()),
    }
}

/// How often the stream looks for a command that has moved but is not settled.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A stream ends after this; clients that still want to know connect again.
const STREAM_MAX: Duration = Duration::from_secs(300);

/// `GET /commands/{id}/events`
async fn events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Streamed> {
    let status = visible(&app, &caller, &id).await?;
    let (sender, events) = mpsc::channel(4);
    tokio::spawn(tokio::time::timeout(STREAM_MAX, stream(app, status, sender)));
    Ok(Streamed(events))
}

async fn stream(app: App, first: Status, events: mpsc::Sender<Event>) {
    let mut stopping = app.stopping();
    let (id, function, mut told) = (first.command_id, first.function, None);
    let mut next = Some(first.state);
    while let Some(state) = next {
        let (stage, is_final) = (std::mem::discriminant(&state), state.is_final());
        let event = if told.replace(stage) == Some(stage) {
            // Keeps proxies from closing a quiet connection.
            Event::default().comment("")
        } else {
            let reply = CommandReply::of(id, state).making(Made::by(&function, id));
            let data = serde_json::to_string(&reply).unwrap_or_default();
            Event::default().event(reply.status).data(data)
        };
        if events.send(event).await.is_err() || is_final {
            return;
        }
        next = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            state = app.waiters().wait(id, LOOK_EVERY) => state.ok().flatten(),
        };
    }
}
