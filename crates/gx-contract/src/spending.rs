//! What an owner lets leave the account in a day: the last defence of a key that was stolen.
//!
//! Whoever has the key can lower the limit at once and raise it only a day later, so that a thief
//! gets one day's limit before the owner has noticed. An account without a limit reads nothing for
//! it: the account itself says that there is one.

use gx_types::{AccountId, Amount, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::query::Answer;
use crate::state::{Account, Key, RunningMs, State, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal};

/// How long it takes until more may be spent.
const RAISED_AFTER_HOURS: u32 = 24;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What may leave an account in a day, and what has left it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpendingLimit {
    pub v: Version<1>,
    /// Absent when there is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<Amount>,
    /// What holds instead from a point on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextLimit>,
    /// The day of the last payment, counted from the beginning of 1970, UTC.
    pub day: i64,
    /// What has left the account on that day, fees included.
    pub spent: Amount,
}

/// A limit that was asked for and does not hold yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NextLimit {
    /// Absent when there will be none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<Amount>,
    pub from: RunningMs,
}

/// The UTC day of a time.
const fn day(time: TimeMs) -> i64 {
    time.0.div_euclid(DAY_MS)
}

impl SpendingLimit {
    /// As it is by now: what was to hold from a point on does, once that is reached.
    fn at(mut self, now: RunningMs) -> Self {
        if let Some(next) = self.next.filter(|next| now >= next.from) {
            (self.per_day, self.next) = (next.per_day, None);
        }
        self
    }

    fn spent_on(&self, day: i64) -> Amount {
        if self.day == day { self.spent } else { Amount::ZERO }
    }
}

/// Counts what leaves an account towards its limit, if it has one.
#[inline]
pub(crate) fn spend(
    tx: &mut Tx<'_>,
    id: &AccountId,
    account: &Account,
    amount: Amount,
) -> Result<(), Stop> {
    if account.limited { spend_limited(tx, id, *account, amount) } else { Ok(()) }
}

fn spend_limited(
    tx: &mut Tx<'_>,
    id: &AccountId,
    account: Account,
    amount: Amount,
) -> Result<(), Stop> {
    let key = Key::SpendingLimit(*id);
    let found: SpendingLimit = tx.state.get(key)?.unwrap_or_default();
    let mut limit = found.at(tx.clocks.running());
    let today = day(tx.now);
    let spent = limit.spent_on(today).checked_add(amount).ok_or(Refusal::AmountOverflow)?;
    match limit.per_day {
        Some(per_day) if spent > per_day => {
            let detail = format!("{per_day} a day, {spent} with this payment");
            return Err(Refusal::SpendingLimit.because(detail).into());
        }
        Some(_) => {}
        // The limit was removed, which nothing has to look for again.
        None => tx.state.put_account(id, Account { limited: false, ..account })?,
    }
    (limit.day, limit.spent) = (today, spent);
    tx.put(key, limit)
}

/// Limits what leaves the actor's account in a UTC day, fees included. Less counts at once, and for
/// a frozen account as well; more, or no limit, after 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetSpendingLimit {
    pub user_id: AccountId,
    /// Absent to have none. Zero keeps everything where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<Amount>,
}

/// An account has another limit, or will have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpendingLimitSet {
    pub user_id: AccountId,
    /// Absent when there is, or will be, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<Amount>,
    /// From when on it holds; absent when it holds now, and nothing else is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_from: Option<TimeMs>,
}

impl Effects for SpendingLimitSet {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.user_id);
    }
}

/// For who can't mean to lower it.
const NOT_FROZEN: Gate = Gate::new(Role::PartnerApi, ActorRule::User);

impl Rule for SetSpendingLimit {
    const GATE: Gate = NOT_FROZEN.even_by_frozen();
    const OTHER_GATE: Option<Gate> = Some(NOT_FROZEN);
    const REFUSALS: &[Refusal] = &[Refusal::NotOwnAccount, Refusal::LimitUnchanged];
    const EVENTS: &[&str] = &["SpendingLimitSet"];

    fn gate(&self) -> Gate {
        if self.per_day.is_some() { Self::GATE } else { NOT_FROZEN }
    }

    fn own_account(&self) -> Option<&AccountId> {
        Some(&self.user_id)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Self { user_id, per_day } = *self;
        let key = Key::SpendingLimit(user_id);
        let account = tx.state.existing_account(&user_id)?;
        let found: SpendingLimit = tx.state.get(key)?.unwrap_or_default();
        let now = tx.clocks.running();
        let limit = found.at(now);
        let lowers = match (limit.per_day, per_day) {
            (None, Some(_)) => true,
            (Some(old), Some(new)) => new < old,
            (_, None) => false,
        };
        let unchanged = limit.per_day == per_day;
        let awaited = limit.next.is_some_and(|next| next.per_day == per_day);
        if awaited || (unchanged && limit.next.is_none()) {
            return Err(Refusal::LimitUnchanged.into());
        }
        // To stay with what holds calls off what was to come, which is no more than lowering.
        let holds_from = if lowers || unchanged {
            tx.put(key, SpendingLimit { per_day, next: None, ..limit })?;
            let limited = per_day.is_some();
            tx.state.put_account(&user_id, Account { limited, ..account })?;
            None
        } else if account.is_frozen() {
            return Err(Refusal::AccountFrozen.into());
        } else {
            let from = now.plus_hours(RAISED_AFTER_HOURS);
            let next = Some(NextLimit { per_day, from });
            tx.put(key, SpendingLimit { next, ..limit })?;
            Some(tx.clocks.time_of_day(from))
        };
        tx.emit(SpendingLimitSet { user_id, per_day, holds_from });
        Ok(())
    }
}

/// What may leave an account today, and what will hold instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetSpendingLimit {
    pub user_id: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpendingLimitView {
    pub user_id: AccountId,
    /// Null when there is none.
    pub per_day: Option<Amount>,
    /// On the UTC day of the last batch, fees included; zero while there is no limit.
    pub spent: Amount,
    /// Null when nothing else is to come.
    pub next: Option<NextLimitView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NextLimitView {
    /// Null when there will be none.
    pub per_day: Option<Amount>,
    pub holds_from: TimeMs,
}

impl Answer for GetSpendingLimit {
    type Answer = SpendingLimitView;

    fn answer(&self, state: &mut State) -> Result<SpendingLimitView, Stop> {
        let user_id = self.user_id;
        let key = Key::SpendingLimit(user_id);
        state.load([Key::Clock, Key::System, key, Key::Account(user_id)])?;
        state.existing_account(&user_id)?;
        let clocks = state.clocks()?;
        let found: SpendingLimit = state.get(key)?.unwrap_or_default();
        let limit = found.at(clocks.running());
        let next = limit.next.map(|next| NextLimitView {
            per_day: next.per_day,
            holds_from: clocks.time_of_day(next.from),
        });
        let spent = limit.spent_on(day(clocks.now()));
        Ok(SpendingLimitView { user_id, per_day: limit.per_day, spent, next })
    }
}
