//! LoanPoolContract: loans without interest out of the loan pool, to whom others trust.
//!
//! How a loan was repaid counts towards the trust score that the next one needs.

mod application;
mod lapse;
mod repayment;

use gx_types::{AccountId, Amount, LoanId, TimeMs};
use serde::{Deserialize, Serialize};

use crate::query::Answer;
use crate::state::{Clocks, Key, RunningMs, State, Version};
use crate::tx::Stop;
use crate::{Refusal, hex_text};

pub use application::{
    ApplyForLoan, ApproveLoan, LoanApplied, LoanApproved, LoanRejected, RejectLoan,
};
pub use lapse::{CancelLoanApplication, LoanApplicationCancelled, LoanLapsed};
pub use repayment::{LoanDefaulted, LoanRepaid, MarkLoanDefaulted, RepayLoan};

/// SHA-256 of what secures a loan; written as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollateralHash([u8; 32]);

impl CollateralHash {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

hex_text!(CollateralHash, 32, "64 lower-case hexadecimal digits");

/// Where a loan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LoanState {
    PendingApproval,
    /// Paid out and owed.
    Active,
    Repaid,
    Rejected,
    /// Taken back by the borrower before it was decided on.
    Cancelled,
    /// Not decided on in time.
    Lapsed,
    /// Given up on by an admin. It is still owed, and can be repaid.
    Defaulted,
}

/// A loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Loan {
    pub v: Version<1>,
    pub borrower_id: AccountId,
    pub amount: Amount,
    /// What is still owed; zero before it is paid out.
    pub outstanding: Amount,
    pub collateral_hash: CollateralHash,
    pub duration_days: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    pub state: LoanState,
    pub applied_at: TimeMs,
    /// From then on it can't be approved any more.
    pub lapses_at: RunningMs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
}

impl Loan {
    /// Whether it was applied for and not decided on in time.
    fn has_lapsed(&self, clocks: Clocks) -> bool {
        self.state == LoanState::PendingApproval && clocks.running() >= self.lapses_at
    }
}

/// When a loan was paid out, and by when it is to be repaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Term {
    pub approved_at: TimeMs,
    /// So many days of running time after it was paid out.
    pub due_at: RunningMs,
}

/// When a loan was paid out, and by when it is to be repaid if there is no further pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermView {
    pub approved_at: TimeMs,
    pub due_at: TimeMs,
}

/// What a borrower owes altogether, so that limits are checked without looking at every loan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Borrower {
    pub v: Version<1>,
    /// Loans applied for or owed.
    pub open: Vec<LoanId>,
    /// Sum of what these loans are for, or what is left of it.
    pub outstanding: Amount,
    pub defaults: u32,
}

/// So many defaults bar further loans.
pub const DEFAULTS_MAX: u32 = 2;

impl Borrower {
    fn check_not_barred(&self) -> Result<(), Refusal> {
        if self.defaults < DEFAULTS_MAX { Ok(()) } else { Err(Refusal::LoansBarred) }
    }

    /// Takes a loan off the books.
    fn close(&mut self, id: LoanId) {
        self.open.retain(|open| *open != id);
    }

    fn owes_less(&mut self, amount: Amount) -> Result<(), Refusal> {
        self.outstanding = self.outstanding.checked_sub(amount).ok_or(Refusal::AmountOverflow)?;
        Ok(())
    }
}

fn loan(state: &mut State, id: LoanId) -> Result<Loan, Stop> {
    let loan: Option<Loan> = state.get(Key::Loan(id))?;
    Ok(loan.ok_or(Refusal::LoanNotFound)?)
}

fn borrower(state: &mut State, id: AccountId) -> Result<Borrower, Stop> {
    Ok(state.get(Key::Borrower(id))?.unwrap_or_default())
}

/// A loan, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetLoan {
    pub loan_id: LoanId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoanView {
    pub loan_id: LoanId,
    pub borrower_id: AccountId,
    pub amount: Amount,
    /// What is still owed; zero before it is paid out.
    pub outstanding: Amount,
    pub collateral_hash: CollateralHash,
    pub duration_days: u32,
    pub purpose: String,
    pub state: LoanState,
    pub applied_at: TimeMs,
    /// When the application lapses if it is not decided on before.
    pub lapses_at: TimeMs,
    /// Null before it is paid out.
    pub term: Option<TermView>,
}

fn loan_view(state: &mut State, loan_id: LoanId) -> Result<LoanView, Stop> {
    state.load([Key::Clock, Key::System, Key::Loan(loan_id)])?;
    let (clocks, found) = (state.clocks()?, loan(state, loan_id)?);
    let lapsed = found.has_lapsed(clocks);
    let view = |term: Term| TermView {
        approved_at: term.approved_at,
        due_at: clocks.time_of_day(term.due_at),
    };
    Ok(LoanView {
        loan_id,
        borrower_id: found.borrower_id,
        amount: found.amount,
        outstanding: found.outstanding,
        collateral_hash: found.collateral_hash,
        duration_days: found.duration_days,
        purpose: found.purpose,
        state: if lapsed { LoanState::Lapsed } else { found.state },
        applied_at: found.applied_at,
        lapses_at: clocks.time_of_day(found.lapses_at),
        term: found.term.map(view),
    })
}

impl Answer for GetLoan {
    type Answer = LoanView;

    fn answer(&self, state: &mut State) -> Result<LoanView, Stop> {
        loan_view(state, self.loan_id)
    }
}

/// A borrower's open loans, and what they have led to. The read models keep those that are closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetMyLoans {
    pub borrower_id: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyLoans {
    pub borrower_id: AccountId,
    /// Applied for or owed.
    pub loans: Vec<LoanView>,
    pub outstanding: Amount,
    pub defaults: u32,
}

impl Answer for GetMyLoans {
    type Answer = MyLoans;

    fn answer(&self, state: &mut State) -> Result<MyLoans, Stop> {
        let borrower_id = self.borrower_id;
        let Borrower { open, outstanding, defaults, v: _ } = borrower(state, borrower_id)?;
        state.load(open.iter().map(|id| Key::Loan(*id)))?;
        let loans: Result<_, Stop> = open.into_iter().map(|id| loan_view(state, id)).collect();
        Ok(MyLoans { borrower_id, loans: loans?, outstanding, defaults })
    }
}
