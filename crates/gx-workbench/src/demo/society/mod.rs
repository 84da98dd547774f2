//! The life of a small society on simulated time: families, organizations, loans, votes,
//! taxes, and attacks.
//!
//! It goes through `submit()` of the platform in this process, whose clock it sets forward, and
//! compares what it reads with figures worked out from the rules of the currency.

mod attacks;
mod story;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use ed25519_dalek::{Signer as _, SigningKey};
use gx_contract::identity::{CreateUser, IdentityHash};
use gx_contract::{Command, Envelope, Query, Signature, SignatureBytes, key_proof_bytes};
use gx_engine::{Submission, SubmitError};
use gx_server::{FIRST_ADMIN, Platform};
use gx_store::commands::State;
use gx_store::tokenomics::accounts;
use gx_types::{AccountId, AccountType, Actor, AdminId, Amount, CommandId, CountryCode};
use serde_json::Value;

use super::report::Report;
use crate::load::Draw;

/// How long a command may take to be settled.
const DEADLINE: Duration = Duration::from_secs(30);

/// Signs an envelope by the key of its actor.
type Signer<'s> = &'s dyn Fn(&Envelope) -> Signature;

/// Lives through the story and takes its figures into the report.
pub(super) async fn live(platform: &Platform, seed: u64, report: &mut Report) -> Result<()> {
    let country = "IN".parse().context("country of the society")?;
    let first: AdminId = FIRST_ADMIN.parse().context("id of the first administrator")?;
    let draw = Draw::new(seed ^ u64::from_be_bytes(*b"society\0"));
    let society = Society { platform, draw, country, first, commands: 0 };
    story::tell(society, report).await
}

/// A society and the platform that it lives on.
struct Society<'p> {
    platform: &'p Platform,
    draw: Draw,
    country: CountryCode,
    /// The first super admin.
    first: AdminId,
    /// Commands given so far.
    commands: u64,
}

impl Society<'_> {
    /// Somebody with an account and the coins of genesis.
    async fn person(&mut self) -> Result<AccountId> {
        Ok(*self.people(1).await?.first().context("nobody was born")?)
    }

    async fn people(&mut self, count: usize) -> Result<Vec<AccountId>> {
        let mut ids = Vec::with_capacity(count);
        let mut births = Vec::with_capacity(count);
        for _ in 0..count {
            let (country, account_type) = (self.country, AccountType::Individual);
            let user_id = AccountId::from_entropy(country, account_type, self.draw.bytes());
            let mut hash = [0; 32];
            let halves = self.draw.bytes().into_iter().chain(self.draw.bytes());
            hash.iter_mut().zip(halves).for_each(|(to, from)| *to = from);
            let identity_hash = IdentityHash::from_bytes(hash);
            let (age, attestation) = (30, None);
            let birth =
                CreateUser { user_id, identity_hash, country, age, account_type, attestation };
            births.push((Actor::System, birth.into()));
            ids.push(user_id);
        }
        self.act_all(births).await?;
        Ok(ids)
    }

    /// Gives a command that has to be carried out.
    async fn act(&mut self, actor: Actor, command: impl Into<Command>) -> Result<CommandId> {
        let (id, state) = self.give(actor, command.into(), None).await?;
        carried_out(&state)?;
        Ok(id)
    }

    /// The same, signed by the actor's key.
    async fn act_signed(
        &mut self,
        actor: Actor,
        command: impl Into<Command>,
        signer: Signer<'_>,
    ) -> Result<CommandId> {
        let (id, state) = self.give(actor, command.into(), Some(signer)).await?;
        carried_out(&state)?;
        Ok(id)
    }

    /// Gives a command that sets the key, which signs for itself.
    async fn act_proven(
        &mut self,
        actor: Actor,
        command: impl Into<Command>,
        key: &SigningKey,
    ) -> Result<CommandId> {
        let mut submission = self.submission(actor, command.into(), None);
        let command_id = submission.command_id();
        let Submission { command, .. } = submission;
        let mut envelope = Envelope { command_id, actor, command, signature: None };
        let network = self.platform.config().network;
        let new = envelope.new_key().context("the command sets no key")?;
        let bytes = key_proof_bytes(network, &new.holder, command_id);
        *new.proof = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
        submission = Submission { command: envelope.command, ..submission };
        carried_out(&self.submit(submission).await?.1)?;
        Ok(command_id)
    }

    /// Gives commands side by side, all of which have to be carried out.
    async fn act_all(&mut self, commands: Vec<(Actor, Command)>) -> Result<()> {
        let mut waiting = Vec::with_capacity(commands.len());
        for (actor, command) in commands {
            let submission = self.submission(actor, command, None);
            waiting.push(self.platform.waiters().expect(submission.command_id()));
            self.platform.outbox().submit(submission).await?;
        }
        for expected in waiting {
            carried_out(&expected.wait(DEADLINE).await?)?;
        }
        Ok(())
    }

    /// Gives a command that has to be refused; the code that it was refused with.
    async fn refused(&mut self, actor: Actor, command: impl Into<Command>) -> Result<String> {
        refused(self.give(actor, command.into(), None).await)
    }

    /// The same, signed.
    async fn refused_signed(
        &mut self,
        actor: Actor,
        command: impl Into<Command>,
        signer: Signer<'_>,
    ) -> Result<String> {
        refused(self.give(actor, command.into(), Some(signer)).await)
    }

    async fn give(
        &mut self,
        actor: Actor,
        command: Command,
        signer: Option<Signer<'_>>,
    ) -> Result<(CommandId, Option<State>)> {
        let submission = self.submission(actor, command, signer);
        self.submit(submission).await
    }

    async fn submit(&self, submission: Submission) -> Result<(CommandId, Option<State>)> {
        let id = submission.command_id();
        let expected = self.platform.waiters().expect(id);
        self.platform.outbox().submit(submission).await?;
        Ok((id, expected.wait(DEADLINE).await?))
    }

    fn submission(
        &mut self,
        actor: Actor,
        command: Command,
        signer: Option<Signer<'_>>,
    ) -> Submission {
        self.commands += 1;
        let (key, service) = (format!("society-{:08}", self.commands), "demo");
        let command_id = CommandId::derive(&actor, &key);
        let mut envelope = Envelope { command_id, actor, command, signature: None };
        envelope.signature = signer.map(|sign| sign(&envelope));
        let Envelope { actor, command, signature, .. } = envelope;
        Submission { actor, key, command, signature, service, traceparent: None }
    }

    /// A field of what the ledger answers.
    async fn ask(&self, query: impl Into<Query>, field: &str) -> Result<Value> {
        let chain = self.platform.chain().context("the platform has no ledger")?;
        let answer = chain.query(query.into()).await?;
        let text = answer.map_err(|refused| anyhow::anyhow!("refused: {}", refused.code))?;
        let answer: Value = serde_json::from_str(&text)?;
        answer.get(field).cloned().with_context(|| format!("the answer has no {field}"))
    }

    /// What an account holds according to the read models.
    async fn balance(&self, account: AccountId) -> Result<Amount> {
        let (balances, _) = accounts::balances(self.platform.store(), &[account]).await?;
        let balance = balances.into_iter().next().flatten();
        Ok(balance.with_context(|| format!("{account} is not in the read models"))?.balance)
    }

    fn pass_days(&self, days: u16) {
        self.platform.clock().advance_days(days);
    }
}

/// The code of the ledger, or that of the outbox where no look at the ledger was needed.
fn refused(given: Result<(CommandId, Option<State>)>) -> Result<String> {
    match given {
        Ok((_, Some(State::Refused { code, .. }))) => Ok(code),
        Ok((_, state)) => bail!("a command that had to be refused was not: {state:?}"),
        Err(error) => match error.downcast_ref() {
            Some(SubmitError::Refused(refused)) => Ok(refused.code.to_string()),
            Some(_) | None => Err(error),
        },
    }
}

fn carried_out(state: &Option<State>) -> Result<()> {
    match state {
        Some(State::Committed { .. }) => Ok(()),
        state => bail!("a command was not carried out: {state:?}"),
    }
}
