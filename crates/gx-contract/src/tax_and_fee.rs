//! TaxAndFeeContract: the tax on balances that stay large, and what a payment would cost.
//!
//! The timer of an account is kept where its balance is, by the one function that moves coins, so
//! that no rule can forget it. Nobody gives a rate: it follows from the balance.

use gx_types::{AccountId, Amount, CountryCode, Pool, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::fees::{Quote, Scope, TransferType};
use crate::gates::{ActorRule, Gate};
use crate::params::{Governed, VelocityTax};
use crate::posting::Posting;
use crate::query::Answer;
use crate::state::{Account, AccountKind, Key, RunningMs, State};
use crate::tokenomics::{Transfer, quote};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

impl AccountKind {
    /// Pools and treasuries are where the tax goes.
    pub(crate) const fn is_taxable(self) -> bool {
        match self {
            Self::Pool | Self::Treasury | Self::Escrow => false,
            Self::User | Self::Organization => true,
        }
    }
}

/// For how long a balance has been large enough to be taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum TaxTimer {
    /// Since then, which is later than the balance became large by all rest in between.
    Since(RunningMs),
    /// The account may not act, and the timer had run for so many milliseconds before.
    Rests { ran_ms: i64 },
}

impl TaxTimer {
    /// When it would have started if it had never rested.
    fn start(self, now: RunningMs) -> RunningMs {
        match self {
            Self::Since(since) => since,
            Self::Rests { ran_ms } => now.less(ran_ms),
        }
    }
}

impl Account {
    /// What the tax is a part of: what lies on the account, and what of it waits in escrow.
    pub(crate) fn taxed(&self) -> Amount {
        // Both are parts of the supply, which fits.
        self.balance.checked_add(self.escrowed).unwrap_or(self.balance)
    }

    /// The account with its timer as its balance has it: it starts when the balance is found at the
    /// threshold or above, goes on while it stays there, and stops below. It rests while the
    /// account may not act: nobody is taxed for hoarding what they can't spend.
    #[must_use]
    #[inline]
    pub(crate) fn with_tax_timer(self, threshold: Amount, now: RunningMs) -> Self {
        if self.taxed() < threshold || self.tax_exempt || !self.kind.is_taxable() {
            return Self { tax_timer: None, ..self };
        }
        let start = self.tax_timer.map_or(now, |timer| timer.start(now));
        let timer = if self.may_act() {
            TaxTimer::Since(start)
        } else {
            TaxTimer::Rests { ran_ms: now.since(start) }
        };
        Self { tax_timer: Some(timer), ..self }
    }

    /// Since when the timer runs; `None` while it does not, or rests.
    fn taxable_since(&self) -> Option<RunningMs> {
        match self.tax_timer? {
            TaxTimer::Since(since) => Some(since),
            TaxTimer::Rests { .. } => None,
        }
    }
}

/// What the tax takes from an account, and where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tax {
    /// Of the whole balance, in basis points.
    rate: u32,
    amount: Amount,
    to_treasury: Amount,
    to_charity: Amount,
}

impl VelocityTax {
    /// The rate of the band that the balance is in; `None` below the first.
    fn rate(&self, balance: Amount) -> Option<u32> {
        let reached = self.bands().into_iter().take_while(|(from, _)| *from <= balance);
        reached.last().map(|(_, rate)| rate)
    }

    /// Whether the tax is more than lies on the account, because the rest waits in escrow.
    fn exceeds_balance(&self, account: &Account) -> bool {
        self.of(account.taxed()).is_some_and(|tax| tax.amount > account.balance)
    }

    /// What would be taken of what is taxed: the rate of its band in basis points, and the tax.
    /// `None` below the first band.
    pub fn assess(&self, taxed: Amount) -> Option<(u32, Amount)> {
        self.of(taxed).map(|tax| (tax.rate, tax.amount))
    }

    fn of(&self, balance: Amount) -> Option<Tax> {
        let rate = self.rate(balance)?;
        let amount = balance.basis_points_ceil(rate)?;
        let charity_percent = 100_u128.saturating_sub(u128::from(self.treasury_percent));
        let to_charity = u128::from(amount.qirat()).saturating_mul(charity_percent).div_euclid(100);
        let to_charity = Amount::from_qirat(u64::try_from(to_charity).ok()?);
        // The treasury gets what is left, and so the odd Qirat.
        let to_treasury = amount.checked_sub(to_charity)?;
        Some(Tax { rate, amount, to_treasury, to_charity })
    }
}

impl Governed {
    /// When the tax is due from an account whose timer started then.
    fn tax_due_at(&self, since: RunningMs) -> RunningMs {
        since.plus_days(self.tax_period_days(since))
    }

    /// Where an account, whose timer is in order, stands with the tax.
    fn tax_status(&self, account: &Account, now: RunningMs) -> TaxStatus {
        match account.tax_timer {
            _ if !account.kind.is_taxable() => TaxStatus::NotTaxable,
            _ if account.tax_exempt => TaxStatus::Exempt,
            None => TaxStatus::BelowThreshold,
            Some(timer) if now >= self.tax_due_at(timer.start(now)) => TaxStatus::Due,
            Some(TaxTimer::Since(_)) => TaxStatus::Running,
            Some(TaxTimer::Rests { .. }) => TaxStatus::Resting,
        }
    }
}

/// Where an account stands with the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaxStatus {
    /// A pool or a treasury.
    NotTaxable,
    Exempt,
    BelowThreshold,
    /// The balance has not been large for long enough yet.
    Running,
    /// As before, and the account is frozen, locked or its holder deceased.
    Resting,
    Due,
}

/// Takes the tax from accounts that owe it; the others are told of and not affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplyVelocityTax {
    /// 1 to 1000 accounts, each once.
    pub account_ids: Vec<AccountId>,
}

/// An account has paid the tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VelocityTaxApplied {
    pub account_id: AccountId,
    pub country: CountryCode,
    /// What the tax is a part of: the balance, and what of the account's waits in escrow.
    pub taxed_balance: Amount,
    pub rate_bps: u32,
    pub amount: Amount,
    /// To the treasury of the holder's country.
    pub treasury_amount: Amount,
    /// To the charitable pool.
    pub charitable_amount: Amount,
    /// When the balance became large, for this tax.
    pub was_taxable_since: TimeMs,
    /// When the timer started again; absent when the balance is below the threshold now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxable_since: Option<TimeMs>,
    pub postings: Vec<Posting>,
}

impl Effects for VelocityTaxApplied {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }

    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.account_id);
    }
}

/// An account in the list owes no tax now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VelocityTaxSkipped {
    pub account_id: AccountId,
    pub code: Refusal,
    /// The timer, when it runs. A changed threshold may just have started or stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxable_since: Option<TimeMs>,
}

impl Effects for VelocityTaxSkipped {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.account_id);
    }
}

impl Rule for ApplyVelocityTax {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::AdminOrSystem);
    const REFUSALS: &[Refusal] = &[Refusal::ListInvalid];
    const EVENTS: &[&str] = &["VelocityTaxApplied", "VelocityTaxSkipped"];

    fn validate(&self) -> Result<(), Refused> {
        let mut ids: Vec<&AccountId> = self.account_ids.iter().collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() || ids.len() != self.account_ids.len() || ids.len() > 1000 {
            return Err(Refusal::ListInvalid.because("1 to 1000 accounts, each once, expected"));
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let accounts = self.account_ids.iter().copied().map(Key::Account);
        tx.state.load(accounts.chain([Key::Account(Pool::Charitable.account())]))?;
        let mut treasuries = Vec::new();
        for id in &self.account_ids {
            let country = tx.state.account(id)?.and_then(|account| account.country);
            treasuries.extend(country.map(|code| Key::Account(AccountId::treasury(code))));
        }
        tx.state.load(treasuries)?;
        self.account_ids.iter().try_for_each(|id| collect(tx, *id))
    }
}

/// Takes the tax from one account, or says why not.
fn collect(tx: &mut Tx<'_>, account_id: AccountId) -> Result<(), Stop> {
    let Some(stored) = tx.state.account(&account_id)? else {
        let code = Refusal::AccountNotFound;
        tx.emit(VelocityTaxSkipped { account_id, code, taxable_since: None });
        return Ok(());
    };
    let now = tx.clocks.running();
    let account = stored.with_tax_timer(tx.params.tax.threshold, now);
    let code = match tx.params.tax_status(&account, now) {
        TaxStatus::NotTaxable => Refusal::NotTaxable,
        TaxStatus::Exempt => Refusal::TaxExempt,
        TaxStatus::BelowThreshold | TaxStatus::Running | TaxStatus::Resting => Refusal::TaxNotDue,
        // What waits in escrow may have to come back first.
        TaxStatus::Due if tx.params.tax.exceeds_balance(&account) => Refusal::InsufficientBalance,
        TaxStatus::Due => return take(tx, account_id, account),
    };
    if account != stored {
        tx.state.put_account(&account_id, account)?;
    }
    let taxable_since = account.taxable_since().map(|since| tx.clocks.time_of_day(since));
    tx.emit(VelocityTaxSkipped { account_id, code, taxable_since });
    Ok(())
}

/// Takes the tax that is due from an account before anything else leaves it: a debt does not end
/// with what it is a part of. The tax has an event of its own, before that of the debit.
///
/// `account` is the account before anything has left it; whether it has a timer is taken from it,
/// and nothing else.
#[inline]
pub(crate) fn settle_tax(tx: &mut Tx<'_>, id: &AccountId, account: &Account) -> Result<(), Stop> {
    if account.tax_timer.is_none() { Ok(()) } else { settle_timed(tx, *id) }
}

fn settle_timed(tx: &mut Tx<'_>, id: AccountId) -> Result<(), Stop> {
    let account = tx.state.existing_account(&id)?;
    let now = tx.clocks.running();
    let account = account.with_tax_timer(tx.params.tax.threshold, now);
    if tx.params.tax_status(&account, now) != TaxStatus::Due {
        return Ok(());
    }
    let country = account.country.ok_or(Refusal::CountryUnknown)?;
    let payees = [AccountId::treasury(country), Pool::Charitable.account()];
    tx.state.load(payees.map(Key::Account))?;
    if tx.params.tax.exceeds_balance(&account) {
        let detail = format!("{id} holds {}, less than the tax that is due", account.balance);
        return Err(Refusal::InsufficientBalance.because(detail).into());
    }
    take(tx, id, account)
}

fn take(tx: &mut Tx<'_>, account_id: AccountId, account: Account) -> Result<(), Stop> {
    let tax = tx.params.tax.of(account.taxed()).ok_or(Refusal::AmountOverflow)?;
    let country = account.country.ok_or(Refusal::CountryUnknown)?;
    let now = tx.clocks.running();
    let started = account.tax_timer.map_or(now, |timer| timer.start(now));
    let was_taxable_since = tx.clocks.time_of_day(started);
    // Moving coins starts the timer anew with what is left.
    tx.state.put_account(&account_id, Account { tax_timer: None, ..account })?;
    tx.debit(&account_id, tax.amount)?;
    tx.credit(&AccountId::treasury(country), tax.to_treasury)?;
    tx.credit(&Pool::Charitable.account(), tax.to_charity)?;
    let taxable_since = tx.state.existing_account(&account_id)?.taxable_since();
    let taxable_since = taxable_since.map(|since| tx.clocks.time_of_day(since));
    let postings = tx.take_postings();
    tx.emit(VelocityTaxApplied {
        account_id,
        country,
        taxed_balance: account.taxed(),
        rate_bps: tax.rate,
        amount: tax.amount,
        treasury_amount: tax.to_treasury,
        charitable_amount: tax.to_charity,
        was_taxable_since,
        taxable_since,
        postings,
    });
    Ok(())
}

/// Exempts an account from the tax, or ends that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetVelocityTaxExempt {
    pub account_id: AccountId,
    pub exempt: bool,
}

/// An account is exempt from the tax now, or not any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VelocityTaxExemptSet {
    pub account_id: AccountId,
    pub exempt: bool,
    /// The timer, which never runs while the account is exempt and starts when that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxable_since: Option<TimeMs>,
}

impl Effects for VelocityTaxExemptSet {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.account_id);
    }
}

impl Rule for SetVelocityTaxExempt {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin);
    const REFUSALS: &[Refusal] =
        &[Refusal::AccountNotFound, Refusal::NotTaxable, Refusal::ExemptionUnchanged];
    const EVENTS: &[&str] = &["VelocityTaxExemptSet"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let account = tx.state.existing_account(&self.account_id)?;
        if !account.kind.is_taxable() {
            return Err(Refusal::NotTaxable.into());
        }
        if account.tax_exempt == self.exempt {
            return Err(Refusal::ExemptionUnchanged.into());
        }
        let account = Account { tax_exempt: self.exempt, ..account };
        let account = account.with_tax_timer(tx.params.tax.threshold, tx.clocks.running());
        tx.state.put_account(&self.account_id, account)?;
        let Self { account_id, exempt } = *self;
        let taxable_since = account.taxable_since().map(|since| tx.clocks.time_of_day(since));
        tx.emit(VelocityTaxExemptSet { account_id, exempt, taxable_since });
        Ok(())
    }
}

/// Where an account stands with the tax at the time of the last batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckVelocityTaxEligibility {
    pub account_id: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VelocityTaxEligibility {
    pub account_id: AccountId,
    pub balance: Amount,
    pub status: TaxStatus,
    /// When the timer started, later by all rest since; null while it rests.
    pub taxable_since: Option<TimeMs>,
    /// When the tax is due if the balance stays at the threshold or above.
    pub due_at: Option<TimeMs>,
    /// For how many milliseconds the balance had been large when the timer came to rest; null while
    /// it does not rest.
    pub taxable_for_ms: Option<i64>,
    /// What would be taken from the balance as it is, once it is due.
    pub rate_bps: Option<u32>,
    pub amount: Option<Amount>,
}

impl Answer for CheckVelocityTaxEligibility {
    type Answer = VelocityTaxEligibility;

    fn answer(&self, state: &mut State) -> Result<VelocityTaxEligibility, Stop> {
        state.load([Key::Clock, Key::System, Key::Parameters, Key::Account(self.account_id)])?;
        let params = state.params()?;
        let clocks = state.clocks()?;
        let now = clocks.running();
        let account = state.existing_account(&self.account_id)?;
        let account = account.with_tax_timer(params.tax.threshold, now);
        let since = account.taxable_since();
        let tax = account.tax_timer.and_then(|_| params.tax.of(account.taxed()));
        Ok(VelocityTaxEligibility {
            account_id: self.account_id,
            balance: account.balance,
            status: params.tax_status(&account, now),
            taxable_since: since.map(|since| clocks.time_of_day(since)),
            due_at: since.map(|since| clocks.time_of_day(params.tax_due_at(since))),
            taxable_for_ms: match account.tax_timer {
                Some(TaxTimer::Rests { ran_ms }) => Some(ran_ms),
                Some(TaxTimer::Since(_)) | None => None,
            },
            rate_bps: tax.map(|tax| tax.rate),
            amount: tax.map(|tax| tax.amount),
        })
    }
}

/// What a payment would take from the account besides, at the time of the last batch.
fn tax_due(state: &mut State, id: &AccountId) -> Result<Amount, Stop> {
    let (params, now) = (state.params()?, state.clocks()?.running());
    let account = state.existing_account(id)?.with_tax_timer(params.tax.threshold, now);
    let tax = match params.tax_status(&account, now) {
        TaxStatus::Due => params.tax.of(account.taxed()),
        TaxStatus::NotTaxable
        | TaxStatus::Exempt
        | TaxStatus::BelowThreshold
        | TaxStatus::Running
        | TaxStatus::Resting => None,
    };
    Ok(tax.map_or(Amount::ZERO, |tax| tax.amount))
}

/// What a payment would cost now. The code is that of the payment itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CalculateTransactionFee {
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionFee {
    pub amount: Amount,
    pub fee: Amount,
    /// What the sender pays altogether, but for the tax.
    pub total: Amount,
    /// The velocity tax that is due from the sender and taken first; zero when none is.
    pub tax_due: Amount,
    pub rate_bps: u32,
    #[serde(rename = "type")]
    pub kind: TransferType,
    pub scope: Scope,
}

impl Answer for CalculateTransactionFee {
    type Answer = TransactionFee;

    fn answer(&self, state: &mut State) -> Result<TransactionFee, Stop> {
        let Self { from, to, amount } = *self;
        let payment = Transfer { from, to, amount, remark: String::new() };
        Rule::validate(&payment)?;
        let accounts = [from, to].map(Key::Account);
        state.load([Key::Parameters, Key::Clock, Key::System].into_iter().chain(accounts))?;
        let params = state.params()?;
        let (_, Quote { kind, scope, rate, fee, total }) =
            quote(state, &params, &from, &to, amount)?;
        let tax_due = tax_due(state, &from)?;
        Ok(TransactionFee { amount, fee, total, tax_due, rate_bps: rate, kind, scope })
    }
}
