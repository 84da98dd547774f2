//! Asks for the velocity tax that is due, so that nobody has to.
//!
//! One leader at a time, once in every period of the ledger's time: what is due by the read models
//! becomes commands of the system, a few hundred accounts each, one settled before the next. The
//! key of a command says period and accounts, so that a leader that takes over from one that was
//! killed repeats what that one has given and goes on; and the contract takes the tax from nobody
//! before the next one is due, whoever asks. What it does not take, as while the system is paused,
//! is asked for again in the next period.

use std::sync::Arc;
use std::time::Duration;

use gx_contract::tax_and_fee::ApplyVelocityTax;
use gx_store::commands::State;
use gx_store::governance::parameters;
use gx_store::tax_and_fee::timers::{self, Due, Timer};
use gx_store::{Store, lease, projection};
use gx_types::{AccountId, Actor, with_causes};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::leader::{self, LeaseGuard, Role};
use crate::outbox::{Outbox, Submission, SubmitError};
use crate::waiters::Waiters;
use gx_metrics::{Metrics, Worker};

/// Accounts of one command. Other commands are settled between two of them, so that nobody waits
/// for the tax of a whole country.
const ACCOUNTS: u32 = 200;

/// How long a command may take to be settled before the run is given up; the next look takes it up
/// again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is seen whether a period has begun.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long nothing is asked after something went wrong.
const PAUSE: Duration = Duration::from_secs(30);

/// The worker that asks for what is due.
#[derive(Debug, Clone)]
pub struct Collector {
    pub store: Store,
    pub outbox: Outbox,
    pub waiters: Waiters,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    /// Length of a period.
    pub every: Duration,
}

/// Why a run has ended before its end.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Store(#[from] gx_store::Error),
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error("the ledger has not settled the command in time")]
    NotSettled,
}

impl Error {
    fn is_lost_lease(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, gx_store::Error::LeaseLost { .. }),
            Self::Submit(_) | Self::NotSettled => false,
        }
    }
}

impl Collector {
    /// Stands by and leads in turn, until `stop`.
    pub async fn run(self, holder: String, stop: CancellationToken) {
        tracing::info!(every_seconds = self.every.as_secs(), "collecting tax that is due");
        let role = Role { lease: lease::TAX_COLLECTOR, worker: Worker::TaxCollector };
        leader::lead(&self.store, role, &holder, &self.metrics, stop, |held, ended| {
            self.clone().lead(held, ended)
        })
        .await;
    }

    async fn lead(self, held: LeaseGuard, stop: CancellationToken) {
        let mut done = None;
        while !stop.is_cancelled() {
            let (period, mut pause) = (self.period(), LOOK_EVERY);
            if done != Some(period) {
                match self.collect(&held, period, &stop).await {
                    Ok(is_done) => done = is_done.then_some(period),
                    Err(error) if error.is_lost_lease() => return,
                    Err(error) => {
                        let error = with_causes(&error);
                        pause = PAUSE;
                        tracing::warn!(error, "not all tax that is due was asked for");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// The number of the period that the ledger's time is in.
    fn period(&self) -> i64 {
        let every = i64::try_from(self.every.as_millis()).unwrap_or(i64::MAX).max(1);
        self.clock.ledger_time().0.div_euclid(every)
    }

    /// Whether the read models hold everything that the ledger does. While they are filled anew,
    /// what was paid long ago would look due.
    async fn is_current(&self) -> Result<bool, gx_store::Error> {
        let position = projection::position(&self.store).await?;
        Ok(position.heartbeat.is_some() && position.lag_blocks() == 0)
    }

    /// Asks for everything that is due by now; says whether all of it was.
    async fn collect(
        &self,
        held: &LeaseGuard,
        period: i64,
        stop: &CancellationToken,
    ) -> Result<bool, Error> {
        let days = parameters::in_force(&self.store).await?.tax.period_days;
        let now = self.clock.ledger_time();
        let mut after: Option<Due> = None;
        while !stop.is_cancelled() && self.is_current().await? {
            let due = timers::due(&self.store, now, days, after, ACCOUNTS).await?;
            let Some(last) = due.last() else { return Ok(true) };
            after = Some(last.place());
            self.ask(held, period, &due).await?;
        }
        Ok(false)
    }

    /// Gives a command, and waits until it is settled.
    async fn ask(&self, held: &LeaseGuard, period: i64, due: &[Timer]) -> Result<(), Error> {
        let account_ids: Vec<AccountId> = due.iter().map(|timer| timer.account_id).collect();
        let accounts = account_ids.len();
        let submission = Submission {
            actor: Actor::System,
            key: key(period, &account_ids),
            command: ApplyVelocityTax { account_ids }.into(),
            signature: None,
            service: "tax",
            traceparent: None,
        };
        let command_id = submission.command_id();
        let mut tx = self.store.begin().await?;
        lease::fence(&mut tx, held.lease()).await?;
        self.outbox.submit_in(&mut tx, vec![submission]).await?;
        tx.commit().await?;
        self.outbox.committed();
        match self.waiters.wait(command_id, PATIENCE).await? {
            Some(State::Committed { .. }) => {
                tracing::info!(%command_id, accounts, "tax that is due was asked for");
                Ok(())
            }
            Some(State::Refused { code, .. }) => {
                tracing::warn!(%command_id, code, "the ledger takes no tax");
                Ok(())
            }
            Some(State::Dead { reason, .. }) => {
                tracing::warn!(%command_id, reason, "the ledger cannot be asked for tax");
                Ok(())
            }
            Some(State::Queued | State::Submitted { .. }) | None => Err(Error::NotSettled),
        }
    }
}

/// The same for the same accounts in the same period, and for nothing else.
fn key(period: i64, accounts: &[AccountId]) -> String {
    let ids: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
    // The command id derives from it by a hash, so that its length is of no matter.
    format!("velocity-tax:{period}:{}", ids.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_period_and_accounts() {
        let [one, two] = ["treasury_DE", "treasury_IN"].map(|id| id.parse::<AccountId>().unwrap());
        assert_eq!(key(7, &[one, two]), "velocity-tax:7:treasury_DE,treasury_IN");
        assert_ne!(key(7, &[one]), key(8, &[one]));
    }
}
