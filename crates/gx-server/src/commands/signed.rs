//! Commands that the account's own key speaks for, without a session.
//!
//! Tokens of frozen users stop, and a thief of a password or a mailbox can end every session; the
//! ledger still takes the veto of whoever holds the key. This is the way to it: nothing but the
//! signature says whose the command is, so it is checked before anything is accepted. What a frozen
//! account may not give needs a session, and passes the limits of its route.

use axum::extract::{FromRef as _, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::{body, http};
use gx_contract::{Command, CommandDescription, Refusal, Refused, Signature};
use gx_engine::Submission;
use gx_store::identity::keys;
use gx_types::{AccountId, Actor, NetworkId, TimeMs};
use serde_json::Value;

use super::canonical::Given as Arguments;
use super::{CommandReply, Given, envelope, made::Made};
use crate::api::{Answer, Facts, Input, Route, Shape};
use crate::app::App;
use crate::calendar::now_ms;
use crate::error::{Error, Result, refusal_status};
use crate::http::context::Context;
use crate::http::extract::{Body, Key, Wait};
use crate::http::fields::{Text, request};
use crate::http::signature::SignatureBody;

pub(crate) fn routes() -> [Route; 1] {
    [Route::post("/api/v1/commands/signed", signed)
        .credentials()
        .concerns("command")
        .summary("Defends an account by a command that its key has signed, without a session")
        .sample(
            r#"{"actor": "IN 7K3 ABC123 0WXYZ 1234",
                "function": "IdentityContract:CancelRecovery",
                "arguments": {"recoveryId": "REC_00000000000000000000000007"},
                "signature": {"expiresAt": "{soon}", "value": "{signatureValue}"}}"#,
        )
        .fails(&[
            (401, "signature_wrong"),
            (403, "session_required"),
            (422, "idempotency_key_reused"),
            (503, "busy"),
        ])]
}

request! {
    /// A command as its key has signed it, under the request's idempotency key.
    pub(crate) struct SignedBody {
        /// The account in whose name it is given.
        actor as "actor": AccountId,
        /// `Contract:Function`.
        function as "function": Text<1, 100>,
        /// The arguments as they were signed.
        arguments as "arguments": Arguments,
        signature as "signature": SignatureBody,
    }
}

/// What a command without a session is given by.
#[derive(Debug)]
struct Giving {
    app: App,
    context: Context,
    key: Key,
    wait: Wait,
    facts: Facts,
}

impl FromRequestParts<App> for Giving {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let facts = parts.extensions.get::<Facts>().copied();
        Ok(Self {
            app: app.clone(),
            context: Context::from_request_parts(parts, app).await?,
            key: Key::from_request_parts(parts, app).await?,
            wait: Wait::from_request_parts(parts, app).await?,
            facts: facts.ok_or_else(|| Error::internal("a command on a route that only reads"))?,
        })
    }
}

impl Input for Giving {
    fn describe(shape: &mut Shape) {
        Key::describe(shape);
        Wait::describe(shape);
    }
}

/// `POST /commands/signed`
async fn signed(giving: Giving, Body(body): Body<SignedBody>) -> Result<Taken> {
    let submission = giving.submission(body)?;
    giving.check(&submission).await?;
    giving.give(submission).await.map(Taken)
}

impl Giving {
    fn submission(&self, body: SignedBody) -> Result<Submission> {
        let command = command(&body.function.0, body.arguments)?;
        let signature = Signature {
            signature: body.signature.value,
            expires_at: TimeMs(body.signature.expires_at.0),
        };
        Ok(Submission {
            actor: Actor::User(body.actor),
            key: self.key.0.clone(),
            command,
            signature: Some(signature),
            service: self.facts.service.map_or("", |service| service.as_str()),
            traceparent: Some(self.context.trace.to_string()),
        })
    }

    /// Refuses what the account's key has not signed, and what the ledger would refuse at sight.
    async fn check(&self, submission: &Submission) -> Result<()> {
        let envelope = envelope(submission);
        let (Actor::User(actor), Some(signature)) = (submission.actor, &submission.signature)
        else {
            return Err(Error::internal("a command that nobody has signed"));
        };
        if !submission.command.is_taken_from_frozen() {
            let message = "Without a session an account is defended, and nothing else: give this \
                command by its own route";
            return Err(Error::new(StatusCode::FORBIDDEN, "session_required", message));
        }
        let key = keys::of(self.app.store(), &actor).await?;
        let network = NetworkId::from_ref(&self.app);
        if !key.is_some_and(|key| signature.is_by(&key, &envelope, network)) {
            let message = "No key of this account has signed this command";
            return Err(Error::unauthorized("signature_wrong", message));
        }
        if now_ms() > signature.expires_at.0 {
            return Err(Refused::from(Refusal::SignatureExpired).into());
        }
        Ok(envelope.validate()?)
    }

    /// Accepts it with its row of the audit log, and waits if the client wants to.
    async fn give(&self, submission: Submission) -> Result<http::Response<body::Body>> {
        let (id, actor) = (submission.command_id(), submission.actor.to_string());
        let made = Made::of(&submission.command, id);
        let expected = self.wait.0.map(|_| self.app.waiters().expect(id));
        let by = (actor.as_str(), self.facts.target);
        let taken = super::accept(&self.app, &self.context, by, submission, None).await?;
        let settled = super::settled(&self.app, self.wait, taken, expected).await?;
        let settled = settled.filter(gx_store::commands::State::is_final);
        let replayed = taken.replayed;
        Ok(Given { id, action: None, made, settled, replayed }.answer())
    }
}

fn command(function: &str, arguments: Arguments) -> Result<Command> {
    match Command::from_name_and(function, Value::Object(arguments.0)) {
        Some(Ok(command)) => Ok(command),
        Some(Err(error)) => Err(Error::field("arguments", "invalid", error.to_string())),
        None => Err(Error::field("function", "unknown", "no contract has this function")),
    }
}

/// What is answered to a signed command.
#[derive(Debug)]
struct Taken(http::Response<body::Body>);

impl IntoResponse for Taken {
    fn into_response(self) -> http::Response<body::Body> {
        self.0
    }
}

impl Answer for Taken {
    fn describe(shape: &mut Shape) {
        shape.is_command = true;
        shape.json::<CommandReply>(StatusCode::ACCEPTED);
        shape.json::<CommandReply>(StatusCode::OK);
        let defends = |command: &CommandDescription| {
            command.gates.iter().any(|gate| gate.taken_from_frozen())
        };
        let commands = Command::descriptions().into_iter().filter(defends);
        for refusal in commands.flat_map(|command| command.refusals) {
            shape.fails(&[(refusal_status(refusal).as_u16(), refusal.code())]);
        }
    }
}
