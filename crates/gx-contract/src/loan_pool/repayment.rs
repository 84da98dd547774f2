//! How a loan ends: repaid in parts or at once, or given up; and what that says of the borrower.

use gx_types::{AccountId, Amount, LoanId, Pool, Role};
use serde::{Deserialize, Serialize};

use super::{Loan, LoanState, borrower, loan};
use crate::gates::{ActorRule, Gate};
use crate::identity::{TrustScore, conduct};
use crate::posting::Posting;
use crate::spending::spend;
use crate::state::{Key, RunningMs};
use crate::tax_and_fee::settle_tax;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// What a default costs in trust.
const DEFAULTED: i16 = -50;

impl Loan {
    /// What the last repayment says of the borrower: by the due date +10, in the first half of the
    /// term +15, up to 30 days late -10, up to 90 days -25. Later it weighs as a default does, so
    /// that the score does not depend on how soon an admin has looked.
    fn conduct(&self, due_at: RunningMs, now: RunningMs) -> i16 {
        let half_a_term = self.duration_days.saturating_mul(12);
        if now.plus_hours(half_a_term) <= due_at {
            15
        } else if now <= due_at {
            10
        } else if now <= due_at.plus_days(30) {
            -10
        } else if now <= due_at.plus_days(90) {
            -25
        } else {
            DEFAULTED
        }
    }
}

/// Repays the actor's loan, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepayLoan {
    pub loan_id: LoanId,
    /// Not more than is owed.
    pub amount: Amount,
}

/// A loan was repaid, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoanRepaid {
    pub loan_id: LoanId,
    pub borrower_id: AccountId,
    /// The borrower, or whoever paid for them.
    pub paid_by: AccountId,
    pub amount: Amount,
    /// What is still owed.
    pub outstanding: Amount,
    pub state: LoanState,
    /// The borrower's new score, when this was the last part of a loan that had not failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustScore>,
    pub postings: Vec<Posting>,
}

impl Effects for LoanRepaid {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

impl Rule for RepayLoan {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::AmountZero,
        Refusal::LoanNotFound,
        Refusal::LoanNotActive,
        Refusal::RepaymentTooLarge,
        Refusal::SpendingLimit,
        Refusal::InsufficientBalance,
    ];
    const EVENTS: &[&str] = &["VelocityTaxApplied", "LoanRepaid"];

    fn validate(&self) -> Result<(), Refused> {
        if self.amount.is_zero() {
            return Err(Refusal::AmountZero.into());
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (loan_id, amount, paid_by) = (self.loan_id, self.amount, tx.user()?);
        let mut repaid = loan(tx.state, loan_id)?;
        let borrower_id = repaid.borrower_id;
        let books = Key::Borrower(borrower_id);
        tx.state.load([books, Key::Account(paid_by), Key::Account(Pool::Loan.account())])?;
        // A defaulted loan stays one when it is repaid after all.
        let settled = match repaid.state {
            LoanState::Active => LoanState::Repaid,
            LoanState::Defaulted if !repaid.outstanding.is_zero() => LoanState::Defaulted,
            LoanState::PendingApproval
            | LoanState::Repaid
            | LoanState::Rejected
            | LoanState::Cancelled
            | LoanState::Lapsed
            | LoanState::Defaulted => return Err(Refusal::LoanNotActive.into()),
        };
        let outstanding =
            repaid.outstanding.checked_sub(amount).ok_or(Refusal::RepaymentTooLarge)?;
        // What one owes oneself is nobody's gain; another's debt may be a thief's.
        let payer = tx.state.existing_account(&paid_by)?;
        if paid_by != borrower_id {
            spend(tx, &paid_by, &payer, amount)?;
        }
        settle_tax(tx, &paid_by, &payer)?;
        tx.debit(&paid_by, amount)?;
        tx.credit(&Pool::Loan.account(), amount)?;
        let mut owed = borrower(tx.state, borrower_id)?;
        owed.owes_less(amount)?;
        repaid.outstanding = outstanding;
        let mut trust = None;
        if outstanding.is_zero() {
            if let (LoanState::Active, Some(term)) = (repaid.state, repaid.term) {
                let says = repaid.conduct(term.due_at, tx.clocks.running());
                trust = Some(conduct(tx, borrower_id, says)?);
            }
            repaid.state = settled;
            owed.close(loan_id);
        }
        tx.put(books, owed)?;
        let state = repaid.state;
        tx.put(Key::Loan(loan_id), repaid)?;
        let postings = tx.take_postings();
        tx.emit(LoanRepaid {
            loan_id,
            borrower_id,
            paid_by,
            amount,
            outstanding,
            state,
            trust,
            postings,
        });
        Ok(())
    }
}

/// Gives up on a loan that is long overdue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarkLoanDefaulted {
    pub loan_id: LoanId,
}

/// A loan has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoanDefaulted {
    pub loan_id: LoanId,
    pub borrower_id: AccountId,
    /// What is still owed.
    pub outstanding: Amount,
    /// The borrower's defaults so far.
    pub defaults: u32,
    pub trust: TrustScore,
}

impl Effects for LoanDefaulted {}

impl Rule for MarkLoanDefaulted {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin);
    const REFUSALS: &[Refusal] =
        &[Refusal::LoanNotFound, Refusal::LoanNotActive, Refusal::LoanNotOverdue];
    const EVENTS: &[&str] = &["LoanDefaulted"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let loan_id = self.loan_id;
        let failed = loan(tx.state, loan_id)?;
        let (LoanState::Active, Some(term)) = (failed.state, failed.term) else {
            return Err(Refusal::LoanNotActive.into());
        };
        if tx.clocks.running() < term.due_at.plus_days(tx.params.loans.default_after_days) {
            return Err(Refusal::LoanNotOverdue.into());
        }
        let (borrower_id, outstanding) = (failed.borrower_id, failed.outstanding);
        let books = Key::Borrower(borrower_id);
        tx.state.load([books, Key::User(borrower_id), Key::Tally(borrower_id)])?;
        let mut owed = borrower(tx.state, borrower_id)?;
        owed.defaults = owed.defaults.saturating_add(1);
        let defaults = owed.defaults;
        let trust = conduct(tx, borrower_id, DEFAULTED)?;
        tx.put(books, owed)?;
        tx.put(Key::Loan(loan_id), Loan { state: LoanState::Defaulted, ..failed })?;
        tx.emit(LoanDefaulted { loan_id, borrower_id, outstanding, defaults, trust });
        Ok(())
    }
}
