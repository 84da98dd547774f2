//! The loan pool: what one admin can lend to people of theirs, and what waiting is good for.

use super::attack;

/// One admin, and borrowers with as much trust as relatives can invent.
#[test]
fn one_admin_and_invented_relatives_do_not_empty_the_loan_pool() {
    attack(
        "trust bob.FR 75
        #big user:bob.FR ApplyForLoan 10000000001 10 => LoanApplied
        #yes admin:clerk ApproveLoan #big => ActionProposed
        + admin:clerk ApproveAction #yes => role_not_allowed
        admin:clerk ApproveAction #yes => same_admin
        user:bob.FR ApproveAction #yes => actor_not_allowed
        = bob.FR 500GX
        admin:boss RejectAction #yes => ActionRejected
        user:bob.FR CancelLoanApplication #big => LoanApplicationCancelled borrowerId=bob.FR
        #1 user:bob.FR ApplyForLoan 4000GX 10 => LoanApplied
        admin:clerk ApproveLoan #1 => LoanApproved
        #2 user:bob.FR ApplyForLoan 6000GX 10 => LoanApplied
        admin:clerk ApproveLoan #2 => LoanApproved
        #3 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied
        #third admin:clerk ApproveLoan #3 => ActionProposed
        = SYSTEM_LOAN_POOL 299999990000GX
        admin:root ApproveAction #third => ActionApproved, LoanApproved amount=100GX \
            approvedBy=admin:clerk
        = SYSTEM_LOAN_POOL 299999989900GX",
    );
}

/// What was asked for and not decided on counts, so that no order of approvals lends more.
#[test]
fn a_loan_in_parts_needs_two_admins_as_the_whole_does() {
    attack(
        "trust bob.FR 75
        #1 user:bob.FR ApplyForLoan 5000GX 10 => LoanApplied
        #2 user:bob.FR ApplyForLoan 5001GX 10 => LoanApplied
        #one admin:clerk ApproveLoan #1 => ActionProposed
        + #two admin:clerk ApproveLoan #2 => ActionProposed
        = bob.FR 500GX
        user:bob.FR CancelLoanApplication #2 => LoanApplicationCancelled
        admin:clerk ApproveLoan #1 => LoanApproved
        admin:boss ApproveAction #one => loan_not_pending
        admin:boss ApproveAction #two => loan_not_pending
        user:bob.FR RepayLoan #1 5000GX => LoanRepaid state=REPAID
        #3 user:bob.FR ApplyForLoan 10000GX 10 => LoanApplied
        admin:clerk ApproveLoan #3 => LoanApproved",
    );
}

#[test]
fn an_admin_lends_nothing_to_themselves() {
    attack(
        "trust mallory.FR 75
        #own user:mallory.FR ApplyForLoan 100GX 10 => LoanApplied
        admin:boss ApproveLoan #own => recipient_is_admin
        user:mallory.FR CancelLoanApplication #own => LoanApplicationCancelled
        #more user:mallory.FR ApplyForLoan 20000GX 10 => LoanApplied
        admin:boss ApproveLoan #more => recipient_is_admin
        #helped admin:clerk ApproveLoan #more => ActionProposed
        admin:boss ApproveAction #helped => recipient_is_admin
        = mallory.FR 500GX
        admin:root ApproveAction #helped => ActionApproved, LoanApproved",
    );
}

/// An application that nobody looked at is not a loan in the drawer.
#[test]
fn an_application_lapses_after_thirty_days_and_frees_its_place() {
    attack(
        "trust bob.FR 75
        #1 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied lapsesAt=2592000000
        #2 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied
        at 1d
        #3 user:bob.FR ApplyForLoan 20000GX 10 => LoanApplied
        + #4 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied
        + #5 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied
        + user:bob.FR ApplyForLoan 100GX 10 => too_many_loans
        user:bob.FR CancelLoanApplication #4 => LoanApplicationCancelled
        at 29d
        #late admin:clerk ApproveLoan #3 => ActionProposed
        at 29d+86399999
        #6 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied
        at 30d
        #x admin:clerk ApproveLoan #1 => loan_application_lapsed
        admin:clerk RejectLoan #1 \"too late\" => loan_application_lapsed
        user:bob.FR CancelLoanApplication #1 => loan_application_lapsed
        user:bob.FR ApplyForLoan 100GX 10 => LoanLapsed, LoanLapsed borrowerId=bob.FR, LoanApplied
        + admin:clerk ApproveLoan #1 => role_not_allowed
        admin:clerk ApproveLoan #1 => loan_not_pending
        at 31d
        admin:boss ApproveAction #late => loan_application_lapsed
        = bob.FR 500GX",
    );
}

#[test]
fn nobody_cancels_for_another_or_too_late() {
    attack(
        "trust bob.FR 75
        #1 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied
        user:mallory.FR CancelLoanApplication #1 => not_party
        admin:root CancelLoanApplication #1 => actor_not_allowed
        system CancelLoanApplication #1 => actor_not_allowed
        admin:clerk ApproveLoan #1 => LoanApproved
        user:bob.FR CancelLoanApplication #1 => loan_not_pending
        #2 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied
        user:bob.FR CancelLoanApplication #2 => LoanApplicationCancelled
        + user:bob.FR CancelLoanApplication #2 => loan_not_pending
        admin:clerk ApproveLoan #2 => loan_not_pending",
    );
}

/// A pause neither makes an application old nor a borrower late, nor does it end a loan's term.
#[test]
fn a_pause_puts_off_when_a_loan_is_due() {
    let pause = "at 5d
        admin:root PauseSystem looking-for-the-fault => SystemPaused
        at 15d
        admin:root ResumeSystem => SystemResumed";
    let lent = format!(
        "trust bob.FR 75
        #1 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied
        admin:clerk ApproveLoan #1 => LoanApproved dueAt=864000000
        #2 user:bob.FR ApplyForLoan 100GX 10 => LoanApplied
        {pause}"
    );
    for (at, score) in [("15d", 90), ("15d+1", 85), ("20d", 85), ("20d+1", 65)] {
        attack(&format!(
            "{lent}
            at {at}
            user:bob.FR RepayLoan #1 100GX => LoanRepaid trust.trustScore={score}"
        ));
    }
    attack(&format!(
        "{lent}
        at 39d+86399999
        admin:clerk ApproveLoan #2 => LoanApproved dueAt=4319999999
        at 109d+86399999
        admin:clerk MarkLoanDefaulted #1 => loan_not_overdue
        at 110d
        admin:clerk MarkLoanDefaulted #1 => LoanDefaulted"
    ));
    attack(&format!("{lent}\nat 40d\nadmin:clerk ApproveLoan #2 => loan_application_lapsed"));
}
