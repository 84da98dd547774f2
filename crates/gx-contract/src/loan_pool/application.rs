//! How a loan comes about: applied for by a trusted user, approved or rejected by an admin, or by
//! two when the borrower would owe much.

use gx_types::{AccountId, Actor, Amount, LoanId, Pool, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::lapse::{close_application, free_places};
use super::{Borrower, CollateralHash, Loan, LoanState, Term, borrower, loan};
use crate::admin::check_recipient;
use crate::gates::{ActorRule, Gate};
use crate::identity::{AccountStatus, check_age};
use crate::posting::Posting;
use crate::state::{Key, State, User, Version};
use crate::text::check_text;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// How long an application waits for an admin.
const WAITS_DAYS: u32 = 30;

/// Applies for a loan to the actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplyForLoan {
    pub amount: Amount,
    pub collateral_hash: CollateralHash,
    pub duration_days: u32,
    /// At most 200 characters, readable by everybody on the ledger.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
}

/// A loan waits for an admin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoanApplied {
    pub loan_id: LoanId,
    pub borrower_id: AccountId,
    pub amount: Amount,
    pub collateral_hash: CollateralHash,
    pub duration_days: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    /// From then on it can't be approved any more.
    pub lapses_at: TimeMs,
}

impl Effects for LoanApplied {}

/// The borrower is trusted enough and has not failed too often.
fn check_standing(tx: &mut Tx<'_>, id: AccountId, borrower: &Borrower) -> Result<(), Stop> {
    borrower.check_not_barred()?;
    let user: Option<User> = tx.state.get(Key::User(id))?;
    let trust = user.map_or(0, |user| user.trust_score);
    let needed = tx.params.loans.trust_min;
    if u32::from(trust) < needed {
        let detail = format!("trust is {trust}, {needed} needed");
        return Err(Refusal::TrustTooLow.because(detail).into());
    }
    Ok(())
}

impl ApplyForLoan {
    /// The books of the borrower with this loan on them, if the limits allow it.
    fn booked(
        &self,
        tx: &mut Tx<'_>,
        id: LoanId,
        borrower_id: AccountId,
    ) -> Result<Borrower, Stop> {
        let limits = tx.params.loans;
        if self.amount < limits.amount_min || self.amount > limits.amount_max {
            return Err(Refusal::LoanAmountInvalid.into());
        }
        if self.duration_days == 0 || self.duration_days > limits.duration_days_max {
            return Err(Refusal::LoanDurationInvalid.into());
        }
        let user: User = tx.state.get(Key::User(borrower_id))?.ok_or(Refusal::AccountNotFound)?;
        check_age(&user, tx.now)?;
        let mut books = free_places(tx, borrower_id)?;
        check_standing(tx, borrower_id, &books)?;
        if u32::try_from(books.open.len()).unwrap_or(u32::MAX) >= limits.open_max {
            return Err(Refusal::TooManyLoans.into());
        }
        books.outstanding = books
            .outstanding
            .checked_add(self.amount)
            .filter(|sum| *sum <= limits.outstanding_max)
            .ok_or(Refusal::LoanLimitExceeded)?;
        books.open.push(id);
        Ok(books)
    }
}

impl Rule for ApplyForLoan {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::TextInvalid,
        Refusal::LoanAmountInvalid,
        Refusal::LoanDurationInvalid,
        Refusal::AccountTooYoung,
        Refusal::LoansBarred,
        Refusal::TrustTooLow,
        Refusal::TooManyLoans,
        Refusal::LoanLimitExceeded,
    ];
    const EVENTS: &[&str] = &["LoanApplied", "LoanLapsed"];

    fn validate(&self) -> Result<(), Refused> {
        check_text("purpose", &self.purpose, 0, 200)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let borrower_id = tx.user()?;
        let loan_id = LoanId::made_by(tx.command_id);
        tx.state.load([Key::Loan(loan_id), Key::Borrower(borrower_id), Key::User(borrower_id)])?;
        let books = self.booked(tx, loan_id, borrower_id)?;
        let Self { amount, collateral_hash, duration_days, purpose } = self.clone();
        tx.put(Key::Borrower(borrower_id), books)?;
        let lapses_at = tx.clocks.running().plus_days(WAITS_DAYS);
        let applied = Loan {
            v: Version,
            borrower_id,
            amount,
            outstanding: Amount::ZERO,
            collateral_hash,
            duration_days,
            purpose: purpose.clone(),
            state: LoanState::PendingApproval,
            applied_at: tx.now,
            lapses_at,
            term: None,
        };
        tx.put(Key::Loan(loan_id), applied)?;
        tx.emit(LoanApplied {
            loan_id,
            borrower_id,
            amount,
            collateral_hash,
            duration_days,
            purpose,
            lapses_at: tx.clocks.time_of_day(lapses_at),
        });
        Ok(())
    }
}

/// A loan that waits for an admin.
pub(super) fn pending(tx: &mut Tx<'_>, id: LoanId) -> Result<Loan, Stop> {
    let loan = loan(tx.state, id)?;
    if loan.state != LoanState::PendingApproval {
        return Err(Refusal::LoanNotPending.into());
    }
    if loan.has_lapsed(tx.clocks) {
        return Err(Refusal::LoanApplicationLapsed.into());
    }
    Ok(loan)
}

/// Pays a loan out of the loan pool. Two admins decide when all that the borrower owes or has asked
/// for is above the parameter `loanTwoAdminsAbove`: what one of them can lend to invented people
/// must not be worth inventing them, in however many parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApproveLoan {
    pub loan_id: LoanId,
}

/// A loan was paid out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoanApproved {
    pub loan_id: LoanId,
    pub borrower_id: AccountId,
    pub amount: Amount,
    pub approved_by: Actor,
    pub due_at: TimeMs,
    pub postings: Vec<Posting>,
}

impl Effects for LoanApproved {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

impl Rule for ApproveLoan {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin).by_two_admins();
    const REFUSALS: &[Refusal] = &[
        Refusal::LoanNotFound,
        Refusal::LoanNotPending,
        Refusal::LoanApplicationLapsed,
        Refusal::CounterpartyDeceased,
        Refusal::AdminAccountUnsaid,
        Refusal::RecipientIsAdmin,
        Refusal::LoansBarred,
        Refusal::TrustTooLow,
        Refusal::InsufficientBalance,
    ];
    const EVENTS: &[&str] = &["LoanApproved"];

    fn one_admin_suffices(&self, state: &mut State) -> Result<bool, Stop> {
        let asked: Option<Loan> = state.get(Key::Loan(self.loan_id))?;
        // What is refused anyway needs no second admin to say so.
        let Some(asked) = asked.filter(|loan| loan.state == LoanState::PendingApproval) else {
            return Ok(true);
        };
        let limit = state.params()?.loans.two_admins_above;
        Ok(borrower(state, asked.borrower_id)?.outstanding.max(asked.amount) <= limit)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let loan_id = self.loan_id;
        let approved = pending(tx, loan_id)?;
        let (borrower_id, amount) = (approved.borrower_id, approved.amount);
        let books = Key::Borrower(borrower_id);
        tx.state.load([books, Key::User(borrower_id), Key::Account(borrower_id)])?;
        if tx.state.existing_account(&borrower_id)?.status == AccountStatus::Deceased {
            return Err(Refusal::CounterpartyDeceased.into());
        }
        check_recipient(tx, &borrower_id)?;
        let books = borrower(tx.state, borrower_id)?;
        check_standing(tx, borrower_id, &books)?;
        tx.debit(&Pool::Loan.account(), amount)?;
        tx.credit(&borrower_id, amount)?;
        let due_at = tx.clocks.running().plus_days(approved.duration_days);
        let term = Some(Term { approved_at: tx.now, due_at });
        let (state, outstanding) = (LoanState::Active, amount);
        tx.put(Key::Loan(loan_id), Loan { state, outstanding, term, ..approved })?;
        let (approved_by, postings) = (*tx.actor, tx.take_postings());
        let due_at = tx.clocks.time_of_day(due_at);
        tx.emit(LoanApproved { loan_id, borrower_id, amount, approved_by, due_at, postings });
        Ok(())
    }
}

/// Turns a loan down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectLoan {
    pub loan_id: LoanId,
    /// 3 to 200 characters.
    pub reason: String,
}

/// A loan was turned down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoanRejected {
    pub loan_id: LoanId,
    pub borrower_id: AccountId,
    pub reason: String,
    pub rejected_by: Actor,
}

impl Effects for LoanRejected {}

impl Rule for RejectLoan {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::Admin);
    const REFUSALS: &[Refusal] = &[
        Refusal::TextInvalid,
        Refusal::LoanNotFound,
        Refusal::LoanNotPending,
        Refusal::LoanApplicationLapsed,
    ];
    const EVENTS: &[&str] = &["LoanRejected"];

    fn validate(&self) -> Result<(), Refused> {
        check_text("reason", &self.reason, 3, 200)
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let loan_id = self.loan_id;
        let rejected = pending(tx, loan_id)?;
        let borrower_id = rejected.borrower_id;
        close_application(tx, loan_id, rejected, LoanState::Rejected)?;
        let (reason, rejected_by) = (self.reason.clone(), *tx.actor);
        tx.emit(LoanRejected { loan_id, borrower_id, reason, rejected_by });
        Ok(())
    }
}
