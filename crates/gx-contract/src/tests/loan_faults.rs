//! What can be wrong with each command of the loan pool, for the walk over all codes.

use super::refusals::Table;

/// A loan so old that it may be given up, and an application that has lapsed.
pub(super) const OLD_LOANS: &str = "trust alice.IN 75
    #overdue user:alice.IN ApplyForLoan 100GX 10 => LoanApplied
    admin:root ApproveLoan #overdue => LoanApproved
    open slow.IN 30
    trust slow.IN 75
    #lapsed user:slow.IN ApplyForLoan 100GX 10 => LoanApplied";

/// Loans and borrowers in every other state that a fault names; some past the contract.
pub(super) const LOANS: &str = r#"#asked2 user:alice.IN ApplyForLoan 100GX 10 => LoanApplied
    #owed user:alice.IN ApplyForLoan 100GX 10 => LoanApplied
    admin:root ApproveLoan #owed => LoanApproved
    open busy.IN 30
    trust busy.IN 75
    user:busy.IN ApplyForLoan 100GX 10 => LoanApplied
    user:busy.IN ApplyForLoan 100GX 10 => LoanApplied
    user:busy.IN ApplyForLoan 100GX 10 => LoanApplied
    user:busy.IN ApplyForLoan 100GX 10 => LoanApplied
    user:busy.IN ApplyForLoan 100GX 10 => LoanApplied
    open deep.IN 30
    trust deep.IN 75
    put f/@deep.IN {"v":1,"open":[],"outstanding":"9999900000001","defaults":0}
    open barred.IN 30
    trust barred.IN 75
    #ofBarred user:barred.IN ApplyForLoan 100GX 10 => LoanApplied
    put f/@barred.IN {"v":1,"open":[],"outstanding":"100000000","defaults":2}
    open fallen.IN 30
    trust fallen.IN 75
    #ofFallen user:fallen.IN ApplyForLoan 100GX 10 => LoanApplied
    trust fallen.IN 10
    open spent.IN 30
    trust spent.IN 75
    #ofSpent user:spent.IN ApplyForLoan 100GX 10 => LoanApplied
    admin:root ApproveLoan #ofSpent => LoanApproved
    user:spent.IN Transfer spent.IN alice.IN 590GX => Transferred"#;

pub(super) const TABLES: [Table; 6] = [
    Table {
        line: "{signed} {actor} ApplyForLoan {amount} {age} {remark}",
        good: "actor=user:alice.IN, amount=100GX, age=10",
        applied: "LoanApplied",
        faults: "
            role_not_allowed     | role=as gx_super_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            text_invalid | remark=x*201
            loan_amount_invalid | amount=99999999
            loan_duration_invalid | age=366
            account_too_young | actor=user:young.IN
            loans_barred | actor=user:barred.IN
            trust_too_low | actor=user:bob.FR
            too_many_loans | actor=user:busy.IN
            loan_limit_exceeded | actor=user:deep.IN",
    },
    Table {
        line: "{actor} ApproveLoan {loan}",
        good: "actor=admin:root, loan=#asked2",
        applied: "LoanApproved",
        faults: "
            role_not_allowed  | role=as gx_super_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=system
            loan_not_found | loan=#unheard
            loan_not_pending | loan=#owed
            loan_application_lapsed | loan=#lapsed
            loans_barred | loan=#ofBarred
            trust_too_low | loan=#ofFallen",
    },
    Table {
        line: "{actor} RejectLoan {loan} {reason}",
        good: "actor=admin:root, loan=#asked2, reason=x*3",
        applied: "LoanRejected",
        faults: "
            role_not_allowed  | role=as gx_super_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=system
            text_invalid | reason=x*2
            loan_not_found | loan=#unheard
            loan_not_pending | loan=#owed
            loan_application_lapsed | loan=#lapsed",
    },
    Table {
        line: "{signed} {actor} CancelLoanApplication {loan}",
        good: "actor=user:alice.IN, loan=#asked2",
        applied: "LoanApplicationCancelled",
        faults: "
            role_not_allowed     | role=as gx_super_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            loan_not_found | loan=#unheard
            not_party | actor=user:bob.FR
            loan_not_pending | loan=#owed
            loan_application_lapsed | actor=user:slow.IN, loan=#lapsed",
    },
    Table {
        line: "{signed} {actor} RepayLoan {loan} {amount}",
        good: "actor=user:alice.IN, loan=#owed, amount=1GX",
        applied: "LoanRepaid",
        faults: "
            role_not_allowed     | role=as gx_super_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            amount_zero | amount=0
            loan_not_found | loan=#unheard
            loan_not_active | loan=#asked2
            repayment_too_large | amount=100000001
            insufficient_balance | actor=user:spent.IN, loan=#ofSpent, amount=50GX",
    },
    Table {
        line: "{actor} MarkLoanDefaulted {loan}",
        good: "actor=admin:root, loan=#overdue",
        applied: "LoanDefaulted",
        faults: "
            role_not_allowed  | role=as gx_super_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=system
            loan_not_found | loan=#unheard
            loan_not_active | loan=#asked2
            loan_not_overdue | loan=#owed",
    },
];
