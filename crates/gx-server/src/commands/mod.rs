//! Giving a command: accepted with its audit row, waited for if the client wants to, answered.
//!
//! A command of a user is recorded by its outbox row. A command of an admin, or of a partner for a
//! user, writes a row of the audit log in the same transaction. Handlers give commands by
//! [`Commands`] and by nothing else.

pub(crate) mod canonical;
mod made;
mod partner;
pub(crate) mod signed;
pub(crate) mod status;

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use gx_contract::{Command, Envelope, Named, Refusal, Refused, Signature};
use gx_store::Tx;
use gx_store::admin::ledger;
use gx_store::commands::State as Stage;
use gx_types::{ActionId, Actor, CommandId, NetworkId, TimeMs};
use serde_json::{Value, json as value};

use crate::api::{Answer, Facts, Input, REPLAYED, Shape};
use crate::app::App;
use crate::audit::{Audit, Entry};
use crate::auth::{Admin, ByPartner, Grant, May, User};
use crate::error::{Error, Result, refusal_status};
use crate::http::answer::json;
use crate::http::context::Context;
use crate::http::extract::{Key, Wait};
use crate::http::signature::Carried;
use crate::tiers::{self, Payment};
use canonical::Asked;
use gx_engine::{Accepted as Taken, Expected, Submission, SubmitError};
use made::Made;
pub(crate) use status::CommandReply;

/// Somebody on whose behalf commands are given.
pub trait Giver: Input + FromRequestParts<App, Rejection = Error> + Send + Sync {
    /// Whether the audit log keeps a row of each command.
    const IS_AUDITED: bool;

    /// Who acts on the ledger.
    ///
    /// # Errors
    /// When the caller is not known there yet.
    fn actor(&self) -> Result<Actor>;

    /// `user:<id>`, `admin:<id>` or `partner:<id>`.
    fn scope(&self) -> &str;

    /// The user whose payments are limited by how far their identity was verified.
    fn as_user(&self) -> Option<&User> {
        None
    }

    /// The partner that gives it for them.
    fn partner(&self) -> Option<&ByPartner> {
        None
    }
}

impl Giver for User {
    const IS_AUDITED: bool = false;

    fn actor(&self) -> Result<Actor> {
        self.own_account().map(Actor::User)
    }

    fn scope(&self) -> &str {
        User::scope(self)
    }

    fn as_user(&self) -> Option<&User> {
        Some(self)
    }

    fn partner(&self) -> Option<&ByPartner> {
        self.partner.as_deref()
    }
}

impl<G: Grant> Giver for May<G> {
    const IS_AUDITED: bool = true;

    fn actor(&self) -> Result<Actor> {
        let missing =
            || Error::conflict("not_on_ledger", "You have not been appointed on the ledger");
        self.ledger_id.map(Actor::Admin).ok_or_else(missing)
    }

    fn scope(&self) -> &str {
        Admin::scope(self)
    }
}

/// What is written in the transaction that accepts a command of a user's, unless it was accepted
/// before.
pub(crate) trait Along: Send {
    fn write(self, tx: &mut Tx, id: CommandId) -> impl Future<Output = Result<()>> + Send;
}

/// Nothing.
impl Along for Infallible {
    async fn write(self, _: &mut Tx, _: CommandId) -> Result<()> {
        match self {}
    }
}

/// What a handler gives commands by, on behalf of whoever called.
#[derive(Debug)]
pub struct Commands<By> {
    pub(crate) by: By,
    app: App,
    context: Context,
    key: Key,
    wait: Wait,
    facts: Facts,
    /// What the audit row says was changed: the path's first parameter, else the row's word.
    target: String,
    notes: Option<String>,
    /// What the body carries beside its fields.
    carried: Carried,
    /// Whether the system acts on the ledger: the command carries its own authority.
    is_by_system: bool,
    /// It is to be told what would be given, and nothing is given.
    asked: Option<Asked>,
}

impl<By: Giver> FromRequestParts<App> for Commands<By> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        // The body is read after this, and leaves the signature here.
        let carried = Carried::default();
        parts.extensions.insert(carried.clone());
        let facts = parts.extensions.get::<Facts>().copied();
        let facts = facts.ok_or_else(|| Error::internal("a command on a route that only reads"))?;
        let target = if By::IS_AUDITED { target(parts, app, facts).await } else { String::new() };
        Ok(Self {
            by: By::from_request_parts(parts, app).await?,
            app: app.clone(),
            context: Context::from_request_parts(parts, app).await?,
            key: Key::from_request_parts(parts, app).await?,
            wait: Wait::from_request_parts(parts, app).await?,
            facts,
            target,
            notes: None,
            carried,
            is_by_system: false,
            asked: parts.extensions.get::<Asked>().copied(),
        })
    }
}

async fn target(parts: &mut Parts, app: &App, facts: Facts) -> String {
    let params = RawPathParams::from_request_parts(parts, app).await.ok();
    let first = params.iter().flatten().next().map(|(_, value)| value.to_owned());
    first.unwrap_or_else(|| facts.target.to_owned())
}

impl<By: Giver> Input for Commands<By> {
    fn describe(shape: &mut Shape) {
        By::describe(shape);
        Key::describe(shape);
        Wait::describe(shape);
        shape.is_signed = true;
        shape.fails(&[(409, "not_on_ledger"), (422, "idempotency_key_reused"), (503, "busy")]);
    }
}

impl<By: Giver> Commands<By> {
    /// What the giver wants remembered, in the audit log alone.
    pub(crate) fn noting(self, notes: Option<String>) -> Self {
        Self { notes, ..self }
    }

    /// The ledger hears of it from the system; who has called stands in the audit log.
    pub(crate) fn by_system(self) -> Self {
        Self { is_by_system: true, ..self }
    }

    /// The id that the command will have: what is made for it may follow from that.
    pub(crate) fn id(&self) -> Result<CommandId> {
        Ok(CommandId::derive(&self.actor()?, &self.key.0))
    }

    fn actor(&self) -> Result<Actor> {
        if self.is_by_system { Ok(Actor::System) } else { self.by.actor() }
    }

    /// Accepts a command, and waits for its outcome if the client wants to.
    ///
    /// # Errors
    /// What the command is refused for without a look at the ledger, and everything in the way.
    pub async fn give<C: Named>(self, command: C) -> Result<Accepted<C>> {
        self.give_along(command, None::<Infallible>).await
    }

    /// The same, with what is written along with the command: both, or neither.
    ///
    /// # Errors
    /// Those of what is written along besides; then nothing is accepted.
    pub(crate) async fn give_with<C: Named>(
        self,
        command: C,
        along: impl Along,
    ) -> Result<Accepted<C>> {
        self.give_along(command, Some(along)).await
    }

    async fn give_along<C: Named>(
        self,
        command: C,
        along: Option<impl Along>,
    ) -> Result<Accepted<C>> {
        let mut submission = Submission {
            actor: self.actor()?,
            key: self.key.0.clone(),
            command: command.into(),
            signature: None,
            service: self.facts.service.map_or("", |service| service.as_str()),
            traceparent: Some(self.context.trace.to_string()),
        };
        if let Some(asked) = self.asked {
            let envelope = envelope(&submission);
            let told = asked.tell(envelope, NetworkId::from_ref(&self.app))?;
            return Ok(Accepted(json(StatusCode::OK, &told), PhantomData));
        }
        self.admit(&submission).await?;
        let id = submission.command_id();
        submission.signature = self.signature(&submission)?;
        let made = Made::of(&submission.command, id);
        let action = submission.command.is_by_two_admins().then(|| ActionId::made_by(id));
        let expected = self.wait.0.map(|_| self.app.waiters().expect(id));
        let taken = match (along, self.by.partner()) {
            (Some(along), _) => self.submit_along(submission, along).await?,
            (None, Some(by)) => self.submit_for_partner(submission, by).await?,
            (None, None) if By::IS_AUDITED => self.submit_audited(submission).await?,
            (None, None) => self.app.outbox().submit(submission).await?,
        };
        let settled = settled(&self.app, self.wait, taken, expected).await?;
        let settled = settled.filter(Stage::is_final);
        let action = self.left(action, settled.as_ref()).await?;
        let replayed = taken.replayed;
        let given = Given { id, action, made, settled, replayed };
        Ok(Accepted(given.answer(), PhantomData))
    }

    /// Refuses payments beyond what their giver may pay.
    async fn admit(&self, submission: &Submission) -> Result<()> {
        let (Some(user), Actor::User(account)) = (self.by.as_user(), submission.actor) else {
            return Ok(());
        };
        let (id, command) = (submission.command_id(), &submission.command);
        let payment = Payment { caller: user.in_session(), account, id, command };
        self.app.tiers().admit(self.app.store(), payment).await
    }

    /// The signature that the body carries. One that says whose it is must be theirs.
    fn signature(&self, submission: &Submission) -> Result<Option<Signature>> {
        let Some(given) = self.carried.get() else { return Ok(None) };
        let expires_at = TimeMs(given.expires_at.0);
        let signature = Signature { signature: given.value, expires_at };
        let envelope = envelope(submission);
        let network = NetworkId::from_ref(&self.app);
        match given.public_key {
            Some(key) if !signature.is_by(&key, &envelope, network) => {
                Err(Refused::from(Refusal::SignatureWrong).into())
            }
            _ => Ok(Some(signature)),
        }
    }

    async fn submit_audited(&self, submission: Submission) -> Result<Taken> {
        let by = (self.by.scope(), self.target.as_str());
        accept(&self.app, &self.context, by, submission, self.notes.as_deref()).await
    }

    async fn submit_along(&self, submission: Submission, along: impl Along) -> Result<Taken> {
        let mut tx = self.app.store().begin().await?;
        let taken = self.app.outbox().submit_in(&mut tx, vec![submission]).await?;
        let taken = taken.first().copied().ok_or_else(|| Error::internal("nothing accepted"))?;
        if !taken.replayed {
            along.write(&mut tx, taken.command_id).await?;
            tx.commit().await?;
            self.app.outbox().committed();
        }
        Ok(taken)
    }

    /// The action that waits now. Some commands need a second admin only at times, and are carried
    /// out at once otherwise.
    async fn left(
        &self,
        action: Option<ActionId>,
        settled: Option<&Stage>,
    ) -> Result<Option<ActionId>> {
        let (Some(id), Some(Stage::Committed { .. })) = (action, settled) else {
            return Ok(action);
        };
        Ok(ledger::get_action(self.app.store(), id).await?.map(|_| id))
    }
}

/// Accepts a command together with its row of the audit log: who gave it, and what it is about.
async fn accept(
    app: &App,
    context: &Context,
    (actor, target): (&str, &str),
    submission: Submission,
    notes: Option<&str>,
) -> Result<Taken> {
    let action = submission.command.name();
    let args = args(&submission.command)?;
    let mut change = Audit::new(app.store().clone(), context).begin().await?;
    let taken = app.outbox().submit_in(change.tx(), vec![submission]).await?;
    let taken = taken.first().copied().ok_or_else(|| Error::internal("nothing accepted"))?;
    if !taken.replayed {
        let details = value!({ "commandId": taken.command_id, "args": args, "notes": notes });
        let entry = Entry { actor, action, target };
        change.commit_with(entry, &details).await?;
        app.outbox().committed();
    }
    Ok(taken)
}

/// How far a command has come, which is waited for if the client wants to.
async fn settled(
    app: &App,
    wait: Wait,
    taken: Taken,
    expected: Option<Expected>,
) -> Result<Option<Stage>> {
    let Taken { command_id, replayed } = taken;
    Ok(match (wait.0, expected) {
        (Some(deadline), Some(expected)) if !replayed => expected.wait(deadline).await?,
        (Some(deadline), _) => app.waiters().wait(command_id, deadline).await?,
        (None, _) => None,
    })
}

/// The command as it is signed.
fn envelope(submission: &Submission) -> Envelope {
    let (command_id, actor) = (submission.command_id(), submission.actor);
    Envelope { command_id, actor, command: submission.command.clone(), signature: None }
}

fn args(command: &Command) -> Result<Value> {
    serde_json::from_str(&command.args_json()).map_err(Error::internal)
}

/// A command that was accepted.
#[derive(Debug)]
struct Given {
    id: CommandId,
    action: Option<ActionId>,
    made: Made,
    settled: Option<Stage>,
    replayed: bool,
}

impl Given {
    /// 202, or 200 with the outcome where that was waited for.
    fn answer(self) -> Response<Body> {
        let mut response = match self.settled {
            Some(state) => {
                let reply = CommandReply::of(self.id, state).making(self.made);
                json(StatusCode::OK, &reply.proposing(self.action))
            }
            None => {
                let reply = CommandReply::queued(self.id).making(self.made).proposing(self.action);
                let mut response = json(StatusCode::ACCEPTED, &reply);
                // A path of fixed words and a command id is always a header's value.
                if let Ok(location) = HeaderValue::from_str(reply.status_url()) {
                    response.headers_mut().insert(header::LOCATION, location);
                }
                response
            }
        };
        if self.replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// What is answered to a command `C` that was accepted, or to who asks for its bytes.
#[derive(Debug)]
pub struct Accepted<C>(Response<Body>, PhantomData<C>);

impl<C> IntoResponse for Accepted<C> {
    fn into_response(self) -> Response<Body> {
        self.0
    }
}

impl<C: Named> Answer for Accepted<C> {
    fn describe(shape: &mut Shape) {
        shape.command = Some(C::NAME);
        shape.json::<CommandReply>(StatusCode::ACCEPTED);
        shape.json::<CommandReply>(StatusCode::OK);
        if tiers::LIMITED.contains(&C::NAME) {
            shape.fails(&tiers::FAILURES);
        }
        for refusal in Command::describe(C::NAME).into_iter().flat_map(|known| known.refusals) {
            shape.fails(&[(refusal_status(refusal).as_u16(), refusal.code())]);
        }
    }
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
