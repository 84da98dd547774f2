//! Commands on their way: how they are accepted, what is told of them, and the stream of it.
//!
//! A command of a user is recorded by its outbox row. A command of an admin writes a row of the
//! audit log in the same transaction.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};
use gx_contract::{Command, Refusal};
use gx_store::admin::audit::{self, NewAudit};
use gx_store::commands::{State as Stage, Status};
use gx_types::{Actor, CommandId, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json as value};
use tokio::sync::mpsc;

use crate::app::App;
use crate::auth::{Admin, Caller, User};
use crate::calendar::{now_ms, rfc3339};
use crate::engine::{Accepted, Expected, Submission, SubmitError};
use crate::error::{Error, Result};
use crate::http::answer::json;
use crate::http::context::Context;
use crate::http::extract::{Key, Path, Wait};
use crate::http::replay::REPLAYED;
use crate::http::stream::Events;
use crate::service::Service;

/// What is told of a command.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommandReply {
    #[schemars(with = "String")]
    command_id: CommandId,
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
    fn queued(command_id: CommandId) -> Self {
        Self {
            command_id,
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

    pub(crate) fn of(command_id: CommandId, state: Stage) -> Self {
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
            Stage::Dead { reason, at } => Self {
                status: "dead",
                message: "The command cannot be sent to the ledger; operators have been told",
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

/// A command that a handler wants accepted.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) actor: Actor,
    pub(crate) key: Key,
    pub(crate) command: Command,
    pub(crate) service: Service,
}

impl Order {
    pub(crate) fn submission(self, context: &Context) -> Submission {
        Submission {
            actor: self.actor,
            key: self.key.0,
            command: self.command,
            signature: None,
            service: self.service,
            traceparent: Some(context.trace.to_string()),
        }
    }
}

/// Accepts a command of a user and answers, after its outcome if the client wants to wait.
pub(crate) async fn accept(
    app: &App,
    context: &Context,
    order: Order,
    wait: Wait,
) -> Result<Response<Body>> {
    let submission = order.submission(context);
    let expected = wait.0.map(|_| app.waiters().expect(submission.command_id()));
    let accepted = app.outbox().submit(submission).await?;
    answer(app, accepted, wait, expected).await
}

/// What the audit log says of an admin's command beside the command itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Audited<'a> {
    pub(crate) admin: &'a Admin,
    pub(crate) target: &'a str,
    pub(crate) notes: Option<&'a str>,
}

/// Accepts a command of an admin together with its row in the audit log.
pub(crate) async fn accept_audited(
    app: &App,
    context: &Context,
    order: Order,
    audited: Audited<'_>,
    wait: Wait,
) -> Result<Response<Body>> {
    let Audited { admin, target, notes } = audited;
    let action = order.command.name();
    let args: Value = serde_json::from_str(&order.command.args_json()).map_err(Error::internal)?;
    let submission = order.submission(context);
    let expected = wait.0.map(|_| app.waiters().expect(submission.command_id()));
    let mut tx = app.store().begin().await?;
    let accepted = app.outbox().submit_in(&mut tx, vec![submission]).await?;
    let accepted = accepted.first().copied().ok_or_else(|| Error::internal("nothing accepted"))?;
    if !accepted.replayed {
        let row = NewAudit {
            details: value!({ "commandId": accepted.command_id, "args": args, "notes": notes })
                .to_string(),
            ..audit_row(context, admin.scope(), action, target)
        };
        audit::append(&mut tx, &[row]).await?;
        tx.commit().await?;
        app.outbox().committed();
    }
    answer(app, accepted, wait, expected).await
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

async fn answer(
    app: &App,
    accepted: Accepted,
    Wait(wait): Wait,
    expected: Option<Expected>,
) -> Result<Response<Body>> {
    let Accepted { command_id, replayed } = accepted;
    let settled = match (wait, expected) {
        (Some(deadline), Some(expected)) if !replayed => expected.wait(deadline).await?,
        (Some(deadline), _) => app.waiters().wait(command_id, deadline).await?,
        (None, _) => None,
    };
    let mut response = match settled.filter(Stage::is_final) {
        Some(state) => json(StatusCode::OK, &CommandReply::of(command_id, state)),
        None => {
            let reply = CommandReply::queued(command_id);
            let location = HeaderValue::from_str(&reply.status_url).map_err(Error::internal)?;
            let mut response = json(StatusCode::ACCEPTED, &reply);
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
    };
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

impl From<SubmitError> for Error {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refused) => refused.into(),
            SubmitError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The idempotency key was used for another request",
            ),
            SubmitError::Busy => {
                let message = "Too many commands are waiting; the same request may be sent again";
                Self::unavailable("busy", message)
            }
            SubmitError::Store(error) => error.into(),
        }
    }
}

/// The account that a user acts for on the ledger.
pub(crate) fn actor_of(user: &User) -> Result<Actor> {
    user.account
        .map(Actor::User)
        .ok_or_else(|| Error::conflict("not_on_ledger", "Your account is not on the ledger yet"))
}

/// The id that an admin acts under on the ledger.
pub(crate) fn actor_of_admin(admin: &Admin) -> Result<Actor> {
    admin.ledger_id.map(Actor::Admin).ok_or_else(|| {
        Error::conflict("not_on_ledger", "You have not been appointed on the ledger")
    })
}

/// `GET /commands/{id}`
pub(crate) async fn status(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response<Body>> {
    let Status { command_id, state, .. } = visible(&app, &caller, &id).await?;
    Ok(json(StatusCode::OK, &CommandReply::of(command_id, state)))
}

/// The status of a command that the caller may see.
async fn visible(app: &App, caller: &Caller, id: &str) -> Result<Status> {
    let unknown = || Error::not_found("Command");
    let id: CommandId = id.parse().map_err(|_| unknown())?;
    let status = app.waiters().status(id).await?.ok_or_else(unknown)?;
    match caller {
        Caller::Admin(_) => Ok(status),
        Caller::User(User { account: Some(account), .. })
            if status.actor == Actor::User(*account) =>
        {
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
pub(crate) async fn events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response<Body>> {
    let status = visible(&app, &caller, &id).await?;
    let (sender, events) = mpsc::channel(4);
    tokio::spawn(tokio::time::timeout(STREAM_MAX, stream(app, status, sender)));
    Ok(Events::response(events))
}

async fn stream(app: App, first: Status, events: mpsc::Sender<Bytes>) {
    let mut stopping = app.stopping();
    let (id, mut told) = (first.command_id, None);
    let mut next = Some(first.state);
    while let Some(state) = next {
        let (stage, is_final) = (std::mem::discriminant(&state), state.is_final());
        let event = if told.replace(stage) == Some(stage) {
            // Keeps proxies from closing a quiet connection.
            Bytes::from_static(b":\n\n")
        } else {
            let reply = CommandReply::of(id, state);
            let data = serde_json::to_string(&reply).unwrap_or_default();
            Bytes::from(format!("event: {}\ndata: {data}\n\n", reply.status))
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
