//! One value of everything that loans store and emit.

use gx_types::{Actor, Amount, LoanId, Pool};

use super::samples::{COMMAND, TIME, account, admin, posting, trust_score, word};
use crate::loan_pool::{
    ApplyForLoan, ApproveLoan, Borrower, CancelLoanApplication, CollateralHash, Loan,
    LoanApplicationCancelled, LoanApplied, LoanApproved, LoanDefaulted, LoanLapsed, LoanRejected,
    LoanRepaid, LoanState, MarkLoanDefaulted, RejectLoan, RepayLoan, Term,
};
use crate::state::{Key, Record, RunningMs, Version};
use crate::{Command, Event};

const STATES: [LoanState; 7] = [
    LoanState::PendingApproval,
    LoanState::Active,
    LoanState::Repaid,
    LoanState::Rejected,
    LoanState::Cancelled,
    LoanState::Lapsed,
    LoanState::Defaulted,
];

// A state that is missing above does not compile here.
const _: fn(LoanState) = |state| match state {
    LoanState::PendingApproval
    | LoanState::Active
    | LoanState::Repaid
    | LoanState::Rejected
    | LoanState::Cancelled
    | LoanState::Lapsed
    | LoanState::Defaulted => (),
};

pub(super) fn loan_id() -> LoanId {
    LoanId::made_by(COMMAND)
}

fn collateral_hash() -> CollateralHash {
    CollateralHash::from_bytes(std::array::from_fn(|at| 0xC0 + at as u8))
}

pub(super) fn records() -> Vec<(String, Key, Record)> {
    let mut all: Vec<(String, Key, Record)> = Vec::new();
    let mut add = |case: String, key, record| all.push((case, key, record));
    for state in STATES {
        let paid_out =
            matches!(state, LoanState::Active | LoanState::Repaid | LoanState::Defaulted);
        let loan = Loan {
            v: Version,
            borrower_id: account("IN"),
            amount: Amount::from_gx(100),
            outstanding: if paid_out { Amount::from_gx(40) } else { Amount::ZERO },
            collateral_hash: collateral_hash(),
            duration_days: 365,
            purpose: if paid_out { "a stall".to_owned() } else { String::new() },
            state,
            applied_at: TIME,
            lapses_at: RunningMs(TIME.0 - 1),
            term: paid_out.then_some(Term { approved_at: TIME, due_at: RunningMs(TIME.0 + 1) }),
        };
        add(word(state), Key::Loan(loan_id()), loan.into());
    }
    for (case, open, gx, defaults) in [("owing", vec![loan_id()], 40, 1), ("clear", vec![], 0, 0)] {
        let outstanding = Amount::from_gx(gx);
        let borrower = Borrower { v: Version, open, outstanding, defaults };
        add(case.to_owned(), Key::Borrower(account("IN")), borrower.into());
    }
    all
}

pub(super) fn events() -> Vec<(String, Event)> {
    let mut all: Vec<(String, Event)> = Vec::new();
    let mut add = |case: String, event| all.push((case, event));
    let plain = || "plain".to_owned();
    let (loan_id, borrower_id, pool) = (loan_id(), account("IN"), Pool::Loan.account());
    let (amount, admin) = (Amount::from_qirat(50), Actor::Admin(admin()));
    for purpose in ["", "a stall"] {
        let event = LoanApplied {
            loan_id,
            borrower_id,
            amount,
            collateral_hash: collateral_hash(),
            duration_days: 365,
            purpose: purpose.to_owned(),
            lapses_at: TIME,
        };
        add(if purpose.is_empty() { plain() } else { "purpose".to_owned() }, event.into());
    }
    let postings = vec![posting(pool, "-50", 1), posting(borrower_id, "50", 50)];
    let (approved_by, due_at) = (admin, TIME);
    let event = LoanApproved { loan_id, borrower_id, amount, approved_by, due_at, postings };
    add(plain(), event.into());
    let (reason, rejected_by) = ("no collateral".to_owned(), admin);
    add(plain(), LoanRejected { loan_id, borrower_id, reason, rejected_by }.into());
    add(plain(), LoanApplicationCancelled { loan_id, borrower_id }.into());
    add(plain(), LoanLapsed { loan_id, borrower_id }.into());
    for state in STATES {
        let done = state == LoanState::Repaid;
        let event = LoanRepaid {
            loan_id,
            borrower_id,
            paid_by: borrower_id,
            amount,
            outstanding: Amount::from_qirat(if done { 0 } else { 1 }),
            state,
            trust: done.then_some(trust_score(90)),
            postings: vec![posting(borrower_id, "-50", 0), posting(pool, "50", 51)],
        };
        add(word(state), event.into());
    }
    let (outstanding, defaults, trust) = (amount, 1, trust_score(30));
    let event = LoanDefaulted { loan_id, borrower_id, outstanding, defaults, trust };
    add(plain(), event.into());
    all
}

pub(super) fn commands() -> Vec<(String, Command)> {
    let mut all: Vec<(String, Command)> = Vec::new();
    let mut add = |case: &str, command| all.push((case.to_owned(), command));
    let (loan_id, amount) = (loan_id(), Amount::from_gx(100));
    for (case, purpose) in [("plain", ""), ("purpose", "a stall")] {
        let (collateral_hash, duration_days) = (collateral_hash(), 365);
        let purpose = purpose.to_owned();
        add(case, ApplyForLoan { amount, collateral_hash, duration_days, purpose }.into());
    }
    add("plain", ApproveLoan { loan_id }.into());
    add("plain", CancelLoanApplication { loan_id }.into());
    add("plain", RejectLoan { loan_id, reason: "no collateral".to_owned() }.into());
    add("plain", RepayLoan { loan_id, amount }.into());
    add("plain", MarkLoanDefaulted { loan_id }.into());
    all
}
