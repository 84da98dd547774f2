//! Disbursements: what two super admins pay out of a pool, to whom and for what.

use std::collections::BTreeMap;

use gx_types::{AccountId, Amount, Pool, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::orders::check_recipient;
use crate::gates::{ActorRule, Gate};
use crate::posting::Posting;
use crate::state::{Key, Version};
use crate::text::check_text;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// What admins have paid out of each pool since bootstrap. Pools that have paid nothing are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disbursed {
    pub v: Version<1>,
    pub pools: BTreeMap<Pool, Amount>,
    /// What was paid on the last day on which anything was; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<DisbursedDay>,
}

/// What all pools have paid on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisbursedDay {
    /// Days since 1970-01-01, UTC.
    pub number: i64,
    pub paid: Amount,
}

impl Disbursed {
    pub(crate) fn paid_by(&self, pool: Pool) -> Amount {
        self.pools.get(&pool).copied().unwrap_or(Amount::ZERO)
    }

    /// What was paid on the day of this time.
    pub(crate) fn paid_on_day_of(&self, time: TimeMs) -> Amount {
        let day = self.day.filter(|day| day.number == day_of(time));
        day.map_or(Amount::ZERO, |day| day.paid)
    }

    pub(crate) fn plus(
        mut self,
        pool: Pool,
        amount: Amount,
        time: TimeMs,
    ) -> Result<Self, Refusal> {
        let sum = self.paid_by(pool).checked_add(amount).ok_or(Refusal::AmountOverflow)?;
        let paid = self.paid_on_day_of(time).checked_add(amount).ok_or(Refusal::AmountOverflow)?;
        self.pools.insert(pool, sum);
        self.day = Some(DisbursedDay { number: day_of(time), paid });
        Ok(self)
    }
}

/// Days since 1970-01-01, UTC.
pub(super) const fn day_of(time: TimeMs) -> i64 {
    time.0.div_euclid(24 * 60 * 60 * 1000)
}

/// Pays coins out of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisburseFromPool {
    /// Not a genesis pool: what those hold belongs to the slots of people to come.
    pub pool_id: Pool,
    /// Not a pool or treasury, and not the account of one of the two admins or of an organization
    /// that one of them is a stakeholder of.
    pub recipient_id: AccountId,
    /// At most what the parameter `disbursementMax` says, and with all others of the same UTC day
    /// at most what `disbursementDailyMax` says.
    pub amount: Amount,
    /// 1 to 200 characters, readable by everybody on the ledger.
    pub purpose: String,
}

/// A pool has paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoolDisbursed {
    pub pool_id: Pool,
    pub recipient_id: AccountId,
    pub amount: Amount,
    pub purpose: String,
    pub postings: Vec<Posting>,
}

impl Effects for PoolDisbursed {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

impl Rule for DisburseFromPool {
    const GATE: Gate =
        Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins().even_to_frozen();
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::CounterpartyDeceased,
        Refusal::TextInvalid,
        Refusal::AmountZero,
        Refusal::RecipientNotAllowed,
        Refusal::PoolNotDisbursable,
        Refusal::AdminAccountUnsaid,
        Refusal::RecipientIsAdmin,
        Refusal::AmountAboveCap,
        Refusal::DayExhausted,
        Refusal::InsufficientBalance,
    ];
    const EVENTS: &[&str] = &["PoolDisbursed"];

    fn counterparty(&self) -> Option<&AccountId> {
        Some(&self.recipient_id)
    }

    fn validate(&self) -> Result<(), Refused> {
        check_text("purpose", &self.purpose, 1, 200)?;
        if self.amount.is_zero() {
            return Err(Refusal::AmountZero.into());
        }
        if self.recipient_id.is_reserved() {
            return Err(Refusal::RecipientNotAllowed.into());
        }
        if matches!(self.pool_id, Pool::UserGenesis | Pool::GovtGenesis) {
            return Err(Refusal::PoolNotDisbursable.into());
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let accounts = [self.recipient_id, self.pool_id.account()].map(Key::Account);
        tx.state.load(accounts.into_iter().chain([Key::Disbursed]))?;
        check_recipient(tx, &self.recipient_id)?;
        let cap = tx.params.disbursement.amount_max;
        if self.amount > cap {
            let detail = format!("at most {cap} at a time, got {}", self.amount);
            return Err(Refusal::AmountAboveCap.because(detail).into());
        }
        let disbursed: Disbursed = tx.state.get(Key::Disbursed)?.unwrap_or_default();
        let (paid, daily) = (disbursed.paid_on_day_of(tx.now), tx.params.disbursement.daily_max);
        if paid.checked_add(self.amount).is_none_or(|sum| sum > daily) {
            let detail = format!("at most {daily} a day, {paid} was paid today");
            return Err(Refusal::DayExhausted.because(detail).into());
        }
        tx.debit(&self.pool_id.account(), self.amount)?;
        tx.credit(&self.recipient_id, self.amount)?;
        tx.put(Key::Disbursed, disbursed.plus(self.pool_id, self.amount, tx.now)?)?;
        let postings = tx.take_postings();
        let Self { pool_id, recipient_id, amount, purpose } = self.clone();
        tx.emit(PoolDisbursed { pool_id, recipient_id, amount, purpose, postings });
        Ok(())
    }
}
