//! TaxAndFeeContract: the tax on balances that stay large, and what a payment would cost.
//!
//! The timer of an account is kept where its balance is, by the one function that moves coins, so
//! that no rule can forget it. Nobody gives a rate: it follows from the balance.

use gx_types::{AccountId, Amount, CountryCode, Pool, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::fees::{Quote, Scope, TransferType};
use crate::gates::{ActorRule, Gate};
use crate::params::VelocityTax;
use crate::posting::Posting;
use crate::query::Answer;
use crate::state::{Account, AccountKind, Clock, Key, State};
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

impl Account {
    /// What the tax is a part of: what lies on the account, and what of it waits in escrow.
    pub(crate) fn taxed(&self) -> Amount {
        // Both are parts of the supply, which fits.
        self.balance.checked_add(self.escrowed).unwrap_or(self.balance)
    }

    /// The account with its timer as its balance has it: it starts when the balance is found at the
    /// threshold or above, goes on while it stays there, and stops below.
    #[must_use]
    #[inline]
    pub(crate) fn with_tax_timer(self, threshold: Amount, now: TimeMs) -> Self {
        let runs = self.taxed() >= threshold && !self.tax_exempt && self.kind.is_taxable();
        Self { taxable_since: runs.then_some(self.taxable_since.unwrap_or(now)), ..self }
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

    fn due_at(&self, since: TimeMs) -> TimeMs {
        since.plus_days(self.period_days)
    }

    /// Where an account, whose timer is in order, stands with the tax.
    fn status(&self, account: &Account, now: TimeMs) -> TaxStatus {
        match account.taxable_since {
            _ if !account.kind.is_taxable() => TaxStatus::NotTaxable,
            _ if account.tax_exempt => TaxStatus::Exempt,
            None => TaxStatus::BelowThreshold,
            Some(since) if now < self.due_at(since) => TaxStatus::Running,
            Some(_) => TaxStatus::Due,
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
    let rules = tx.params.tax;
    let account = stored.with_tax_timer(rules.threshold, tx.now);
    let code = match rules.status(&account, tx.now) {
        TaxStatus::NotTaxable => Refusal::NotTaxable,
        TaxStatus::Exempt => Refusal::TaxExempt,
        TaxStatus::BelowThreshold | TaxStatus::Running => Refusal::TaxNotDue,
        // What waits in escrow may have to come back first.
        TaxStatus::Due
            if rules.of(account.taxed()).is_some_and(|tax| tax.amount > account.balance) =>
        {
            Refusal::InsufficientBalance
        }
        TaxStatus::Due => return take(tx, account_id, account),
    };
    if account != stored {
        tx.state.put_account(&account_id, account)?;
    }
    tx.emit(VelocityTaxSkipped { account_id, code, taxable_since: account.taxable_since });
    Ok(())
}

fn take(tx: &mut Tx<'_>, account_id: AccountId, account: Account) -> Result<(), Stop> {
    let tax = tx.params.tax.of(account.taxed()).ok_or(Refusal::AmountOverflow)?;
    let country = account.country.ok_or(Refusal::CountryUnknown)?;
    let was_taxable_since = account.taxable_since.unwrap_or(tx.now);
    // The timer starts anew with what is left; moving coins only goes on with one that runs.
    tx.state.put_account(&account_id, Account { taxable_since: Some(tx.now), ..account })?;
    tx.debit(&account_id, tax.amount)?;
    tx.credit(&AccountId::treasury(country), tax.to_treasury)?;
    tx.credit(&Pool::Charitable.account(), tax.to_charity)?;
    let taxable_since = tx.state.existing_account(&account_id)?.taxable_since;
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
        let account = account.with_tax_timer(tx.params.tax.threshold, tx.now);
        tx.state.put_account(&self.account_id, account)?;
        let Self { account_id, exempt } = *self;
        let taxable_since = account.taxable_since;
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
    /// When the timer started.
    pub taxable_since: Option<TimeMs>,
    /// When the tax is due if the balance stays at the threshold or above.
    pub due_at: Option<TimeMs>,
    /// What would be taken from the balance as it is, once it is due.
    pub rate_bps: Option<u32>,
    pub amount: Option<Amount>,
}

impl Answer for CheckVelocityTaxEligibility {
    type Answer = VelocityTaxEligibility;

    fn answer(&self, state: &mut State) -> Result<VelocityTaxEligibility, Stop> {
        state.load([Key::Clock, Key::Parameters, Key::Account(self.account_id)])?;
        let rules = state.params()?.tax;
        let clock: Option<Clock> = state.get(Key::Clock)?;
        let now = clock.map(|clock| clock.last_batch_at).unwrap_or_default();
        let account =
            state.existing_account(&self.account_id)?.with_tax_timer(rules.threshold, now);
        let since = account.taxable_since;
        let tax = since.and_then(|_| rules.of(account.taxed()));
        Ok(VelocityTaxEligibility {
            account_id: self.account_id,
            balance: account.balance,
            status: rules.status(&account, now),
            taxable_since: since,
            due_at: since.map(|since| rules.due_at(since)),
            rate_bps: tax.map(|tax| tax.rate),
            amount: tax.map(|tax| tax.amount),
        })
    }
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
    /// What the sender pays altogether.
    pub total: Amount,
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
        state.load([Key::Parameters, Key::Account(from), Key::Account(to)])?;
        let params = state.params()?;
        let Quote { kind, scope, rate, fee, total } = quote(state, &params, &from, &to, amount)?;
        Ok(TransactionFee { amount, fee, total, rate_bps: rate, kind, scope })
    }
}
