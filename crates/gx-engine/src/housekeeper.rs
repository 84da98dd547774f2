//! Removes what is no longer needed: settled commands, answers given again, sessions, tokens; and
//! adds the supply up, which has to be the same at every moment.
//!
//! One leader at a time, a few rows in a transaction and a pause after it, so that no payment ever
//! waits for it. What the ledger says stays: a retry of a command whose row is gone is answered by
//! the ledger with the outcome that it had.

use std::sync::Arc;
use std::time::Duration;

use gx_contract::state::AccountKind;
use gx_store::identity::users;
use gx_store::retention::{self, Kept};
use gx_store::{Store, lease, projection};
use gx_types::{MAX_SUPPLY, TimeMs, with_causes};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::leader::{self, LeaseGuard, Role};
use gx_metrics::{ByHolder, ByKept, Metrics, Worker};

/// Rows that one transaction removes at most. On SQLite it is the only writer meanwhile: these
/// take a few milliseconds.
const ROWS_MAX: u32 = 500;

/// How long others have the database to themselves between two of them.
const PAUSE: Duration = Duration::from_millis(20);

/// How long what is kept stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Between one look and the next.
    pub every: Duration,
    /// Settled commands; `None` keeps them for ever.
    pub commands: Option<Duration>,
    /// Sessions after their end; `None` keeps them for ever.
    pub sessions: Option<Duration>,
    /// Notifications; `None` keeps them for ever.
    pub notifications: Option<Duration>,
    /// What endpoints were told; `None` keeps it for ever.
    pub deliveries: Option<Duration>,
}

impl Terms {
    /// The time before which rows go.
    fn before(&self, kept: Kept, now: TimeMs) -> Option<TimeMs> {
        let term = match kept {
            Kept::Commands => self.commands?,
            Kept::Sessions => self.sessions?,
            Kept::Notifications => self.notifications?,
            Kept::Deliveries => self.deliveries?,
            // Their rows say themselves until when.
            Kept::Answers
            | Kept::RefreshTokens
            | Kept::Challenges
            | Kept::PasskeyChallenges
            | Kept::PasswordResets
            | Kept::Mail
            | Kept::Registrations => Duration::ZERO,
        };
        let ms = i64::try_from(term.as_millis()).unwrap_or(i64::MAX);
        Some(TimeMs(now.0.saturating_sub(ms)))
    }
}

/// The worker that cleans up.
#[derive(Debug, Clone)]
pub struct Housekeeper {
    pub store: Store,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub terms: Terms,
}

impl Housekeeper {
    /// Stands by and leads in turn, until `stop`.
    pub async fn run(self, holder: String, stop: CancellationToken) {
        let Terms { every, commands, sessions, notifications, deliveries } = self.terms;
        let days = |term: Option<Duration>| term.map(|term| term.as_secs() / 86_400);
        tracing::info!(
            every_seconds = every.as_secs(),
            commands_days = days(commands),
            sessions_days = days(sessions),
            notifications_days = days(notifications),
            deliveries_days = days(deliveries),
            "housekeeping"
        );
        let role = Role { lease: lease::HOUSEKEEPER, worker: Worker::Housekeeper };
        leader::lead(&self.store, role, &holder, &self.metrics, stop, |held, ended| {
            self.clone().lead(held, ended)
        })
        .await;
    }

    async fn lead(self, held: LeaseGuard, stop: CancellationToken) {
        let _shown = Shown(Arc::clone(&self.metrics));
        while !stop.is_cancelled() {
            for kept in Kept::ALL {
                match self.clean(&held, kept, &stop).await {
                    Ok(()) => {}
                    Err(gx_store::Error::LeaseLost { .. }) => return,
                    Err(error) => {
                        let (kind, error) = (kept.as_str(), with_causes(&error));
                        tracing::warn!(kind, error, "not cleaned up");
                    }
                }
            }
            match self.note_accounts(&held, &stop).await {
                Ok(()) => {}
                Err(gx_store::Error::LeaseLost { .. }) => return,
                Err(error) => {
                    tracing::warn!(error = with_causes(&error), "accounts are not noted");
                }
            }
            if let Err(error) = self.count_coins().await {
                tracing::warn!(error = with_causes(&error), "the supply is not added up");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.terms.every) => {}
            }
        }
    }

    /// Takes everybody off the list of those who wait for an account who has it.
    async fn note_accounts(
        &self,
        held: &LeaseGuard,
        stop: &CancellationToken,
    ) -> Result<(), gx_store::Error> {
        while !stop.is_cancelled() {
            let mut tx = self.store.begin_rebuildable().await?;
            lease::fence(&mut tx, held.lease()).await?;
            let noted = users::note_accounts(&mut tx, ROWS_MAX).await?;
            tx.commit().await?;
            if noted < u64::from(ROWS_MAX) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Adds up what everybody holds. Every block conserves coins, so a difference is a fault of the
    /// read models, whatever block they stand at.
    async fn count_coins(&self) -> Result<(), gx_store::Error> {
        let held = projection::held(&self.store).await?;
        let metrics = &self.metrics;
        for &(kind, amount) in &held {
            let qirat = i64::try_from(amount.qirat()).unwrap_or(i64::MAX);
            let label = ByHolder { holder: holder(kind) };
            metrics.supply_qirat.get_or_create(&label).set(qirat);
        }
        let sum: i128 = held.iter().map(|(_, amount)| i128::from(amount.qirat())).sum();
        let missing = if held.is_empty() { 0 } else { i128::from(MAX_SUPPLY.qirat()) - sum };
        if missing != 0 {
            tracing::error!(missing_qirat = %missing, "coins are not conserved");
        }
        let bounded = missing.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        metrics.supply_missing_qirat.set(i64::try_from(bounded).unwrap_or(i64::MAX));
        metrics.supply_checked_timestamp_seconds.set(self.clock.now().0 / 1000);
        Ok(())
    }

    /// Removes every row of a kind whose time is over.
    async fn clean(
        &self,
        held: &LeaseGuard,
        kept: Kept,
        stop: &CancellationToken,
    ) -> Result<(), gx_store::Error> {
        let before = self.terms.before(kept, self.clock.now());
        while let Some(before) = before.filter(|_| !stop.is_cancelled()) {
            let mut tx = self.store.begin_rebuildable().await?;
            lease::fence(&mut tx, held.lease()).await?;
            let removed = retention::purge(&mut tx, kept, before, ROWS_MAX).await?;
            tx.commit().await?;
            let label = ByKept { kind: kept.as_str() };
            self.metrics.housekeeping_removed.get_or_create(&label).inc_by(removed);
            if removed < u64::from(ROWS_MAX) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        let oldest = retention::oldest(&self.store, kept).await?;
        let age = oldest.map_or(0, |at| self.clock.ms_since(at)) as f64 / 1e3;
        let label = ByKept { kind: kept.as_str() };
        self.metrics.housekeeping_oldest_kept_seconds.get_or_create(&label).set(age);
        Ok(())
    }
}

/// The word for those who hold coins.
const fn holder(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Pool => "pools",
        AccountKind::Treasury => "treasuries",
        AccountKind::User => "users",
        AccountKind::Organization => "organizations",
        AccountKind::Escrow => "escrow",
    }
}

/// Takes the figures of the supply back when this process does not lead any more: they would stand
/// beside the next leader's for ever.
struct Shown(Arc<Metrics>);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.supply_qirat.clear();
        self.0.supply_missing_qirat.set(0);
        self.0.supply_checked_timestamp_seconds.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_for_ever_has_no_time_to_go() {
        let day = Duration::from_secs(86_400);
        let terms = Terms {
            every: day,
            commands: Some(day),
            sessions: None,
            notifications: None,
            deliveries: Some(day),
        };
        let now = TimeMs(100_000_000);
        assert_eq!(terms.before(Kept::Commands, now), Some(TimeMs(13_600_000)));
        assert_eq!(terms.before(Kept::Sessions, now), None);
        assert_eq!(terms.before(Kept::Notifications, now), None);
        assert_eq!(terms.before(Kept::Deliveries, now), Some(TimeMs(13_600_000)));
        assert_eq!(terms.before(Kept::Answers, now), Some(now));
        assert_eq!(terms.before(Kept::RefreshTokens, now), Some(now));
    }
}
