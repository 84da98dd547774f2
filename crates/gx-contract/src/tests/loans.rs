//! Loans: who may borrow how much, that what is owed is repaid once, and what it does to trust.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::host::Host;
use super::notation::{account, command_id, query};
use super::script::{check, try_line};
use crate::loan_pool::{Borrower, Loan, LoanState};
use crate::state::{Account, User};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Alice is trusted as much as a loan needs; the clerk is an admin.
const USERS: &str = r#"world IN=60000000 FR=40000000
    put d/clerk {"v":1,"level":"ADMIN","appointedAt":0,"accountId":null}
    open alice.IN 30
    open bob.FR 30
    trust alice.IN 75"#;

/// A loan of 100 GX for ten days, paid out.
const LENT: &str = "#l user:alice.IN ApplyForLoan 100GX 10 => LoanApplied
    admin:clerk ApproveLoan #l => LoanApproved";

fn check_with_users(table: &str) -> Host {
    check(&format!("{USERS}\n{table}"))
}

fn loan(host: &Host, label: &str) -> Loan {
    serde_json::from_slice(&host.ledger[&format!("l/LOAN_{}", command_id(label))]).unwrap()
}

fn borrower(host: &Host) -> Borrower {
    let record = &host.ledger[&format!("f/{}", account("alice.IN"))];
    serde_json::from_slice(record).unwrap()
}

fn trust(host: &Host) -> u8 {
    let record = &host.ledger[&format!("u/{}", account("alice.IN"))];
    serde_json::from_slice::<User>(record).unwrap().trust_score
}

#[test]
fn a_loan_is_applied_for_paid_out_and_repaid_in_parts() {
    let due = 10 * DAY;
    let host = check_with_users(&format!(
        "#l user:alice.IN ApplyForLoan 100GX 10 \"a stall\" => LoanApplied borrowerId=alice.IN \
            amount=100GX durationDays=10 \"purpose=a stall\"
        user:alice.IN RepayLoan #l 1 => loan_not_active
        = alice.IN 500GX
        admin:clerk ApproveLoan #l => LoanApproved borrowerId=alice.IN amount=100GX \
            approvedBy=admin:clerk dueAt={due} postings.0.0=SYSTEM_LOAN_POOL \
            postings.0.1=-100000000 postings.1.0=alice.IN
        + admin:clerk ApproveLoan #l => loan_not_pending
        = alice.IN 600GX
        = SYSTEM_LOAN_POOL 299999999900GX
        user:alice.IN RepayLoan #l 0 => amount_zero
        user:alice.IN RepayLoan #l 30GX => LoanRepaid amount=30GX outstanding=70GX state=ACTIVE
        user:alice.IN RepayLoan #l 70000001 => repayment_too_large
        user:alice.IN RepayLoan #l 70GX => LoanRepaid outstanding=0 state=REPAID \
            trust.userId=alice.IN trust.trustScore=90
        + user:alice.IN RepayLoan #l 1 => loan_not_active
        = alice.IN 500GX
        = SYSTEM_LOAN_POOL 300000000000GX
        = SYSTEM_OPERATIONS_FUND 31250000000GX"
    ));
    assert_eq!(borrower(&host), Borrower::default());
}

#[test]
fn amounts_and_terms_have_bounds() {
    for (amount, days, expected) in [
        ("99999999", 1, "loan_amount_invalid"),
        ("100GX", 1, "LoanApplied"),
        ("1000000GX", 365, "LoanApplied"),
        ("1000000000001", 1, "loan_amount_invalid"),
        ("18446744073709551615", 1, "loan_amount_invalid"),
        ("0", 1, "loan_amount_invalid"),
        ("100GX", 0, "loan_duration_invalid"),
        ("100GX", 366, "loan_duration_invalid"),
        ("100GX", u32::MAX, "loan_duration_invalid"),
    ] {
        check_with_users(&format!("user:alice.IN ApplyForLoan {amount} {days} => {expected}"));
    }
    check_with_users(
        "user:alice.IN ApplyForLoan 100GX 1 x*200 => LoanApplied
        user:alice.IN ApplyForLoan 100GX 1 x*201 => text_invalid",
    );
}

/// A family of parent, spouse and partner with five friends make 75; one friend less makes 74.
#[test]
fn a_borrower_is_trusted_with_75() {
    let relate = |kind: &str, who: &str| {
        format!(
            "open {who} 30
            user:{who} RequestRelationship {who} carol.IN {kind} => RelationshipRequested
            user:carol.IN ConfirmRelationship {kind}:{who}:carol.IN => RelationshipConfirmed\n"
        )
    };
    let mut table = "open carol.IN 30\ntrust carol.IN 10\ntrust bob.FR 10\n".to_owned();
    for (kind, who) in [
        ("MOTHER_OF", "mum.IN"),
        ("SPOUSE_OF", "eve.IN"),
        ("BUSINESS_PARTNER_OF", "pat.IN"),
        ("FRIEND_OF", "f1.IN"),
        ("FRIEND_OF", "f2.IN"),
        ("FRIEND_OF", "f3.IN"),
        ("FRIEND_OF", "f4.IN"),
    ] {
        table += &relate(kind, who);
    }
    table += "user:carol.IN ApplyForLoan 100GX 1 => trust_too_low\n";
    table += &relate("FRIEND_OF", "f5.IN");
    table += "#l user:carol.IN ApplyForLoan 100GX 1 => LoanApplied
        user:carol.IN EndRelationship FRIEND_OF:f5.IN:carol.IN => RelationshipEnded
        admin:clerk ApproveLoan #l => trust_too_low
        user:bob.FR ApplyForLoan 100GX 1 => trust_too_low";
    check_with_users(&table);
}

#[test]
fn five_loans_may_be_open() {
    let five = ["user:alice.IN ApplyForLoan 100GX 1 => LoanApplied"; 4].join("\n+ ");
    check_with_users(&format!(
        "#l user:alice.IN ApplyForLoan 100GX 1 => LoanApplied
        {five}
        user:alice.IN ApplyForLoan 100GX 1 => too_many_loans
        admin:clerk RejectLoan #l \"no collateral\" => LoanRejected borrowerId=alice.IN
        + admin:clerk RejectLoan #l again => loan_not_pending
        user:alice.IN ApplyForLoan 100GX 1 => LoanApplied
        user:alice.IN ApplyForLoan 100GX 1 => too_many_loans"
    ));
}

#[test]
fn what_is_owed_altogether_has_a_bound() {
    check_with_users(
        r#"put f/@alice.IN {"v":1,"open":[],"outstanding":"9000000000000","defaults":0}
        user:alice.IN ApplyForLoan 999999999999 1 => LoanApplied
        user:alice.IN ApplyForLoan 100GX 1 => loan_limit_exceeded"#,
    );
}

#[test]
fn what_is_owed_may_reach_the_bound_and_a_rejection_makes_room() {
    let host = check_with_users(
        r#"put f/@alice.IN {"v":1,"open":[],"outstanding":"9000000000001","defaults":0}
        user:alice.IN ApplyForLoan 1000000GX 1 => loan_limit_exceeded
        user:alice.IN ApplyForLoan 999999999999 1 => LoanApplied
        put f/@alice.IN {"v":1,"open":[],"outstanding":"9000000000000","defaults":0}
        #l user:alice.IN ApplyForLoan 1000000GX 1 => LoanApplied
        user:alice.IN ApplyForLoan 100GX 1 => loan_limit_exceeded
        admin:clerk RejectLoan #l "no collateral" => LoanRejected
        user:alice.IN ApplyForLoan 1000000GX 1 => LoanApplied"#,
    );
    let books = borrower(&host);
    assert_eq!((books.open.len(), books.outstanding.qirat()), (1, 10_000_000_000_000));
}

#[test]
fn one_default_does_not_bar_who_is_trusted_again() {
    for (defaults, expected) in [(1, "LoanApplied"), (2, "loans_barred"), (3, "loans_barred")] {
        check_with_users(&format!(
            r#"put f/@alice.IN {{"v":1,"open":[],"outstanding":"0","defaults":{defaults}}}
            user:alice.IN ApplyForLoan 100GX 1 => {expected}"#
        ));
    }
}

#[test]
fn conduct_follows_from_the_day_of_the_last_repayment() {
    for (at, expected) in [
        (0, 90),
        (5 * DAY, 90),
        (5 * DAY + 1, 85),
        (10 * DAY, 85),
        (10 * DAY + 1, 65),
        (40 * DAY, 65),
        (40 * DAY + 1, 50),
        (100 * DAY, 50),
        (100 * DAY + 1, 25),
    ] {
        let host = check_with_users(&format!(
            "{LENT}
            at {at}
            user:alice.IN RepayLoan #l 100GX => LoanRepaid trust.trustScore={expected}"
        ));
        assert_eq!(trust(&host), expected);
    }
}

#[test]
fn a_loan_is_given_up_from_ninety_days_after_it_was_due() {
    let (early, late) = (100 * DAY - 1, 100 * DAY);
    let host = check_with_users(&format!(
        "{LENT}
        at {early}
        admin:clerk MarkLoanDefaulted #l => loan_not_overdue
        at {late}
        user:alice.IN RepayLoan #l 40GX => LoanRepaid state=ACTIVE
        admin:clerk MarkLoanDefaulted #l => LoanDefaulted borrowerId=alice.IN outstanding=60GX \
            defaults=1 trust.trustScore=25
        + admin:clerk MarkLoanDefaulted #l => loan_not_active
        user:alice.IN RepayLoan #l 10GX => LoanRepaid outstanding=50GX state=DEFAULTED
        user:alice.IN RepayLoan #l 50GX => LoanRepaid outstanding=0 state=DEFAULTED
        user:alice.IN RepayLoan #l 1 => loan_not_active"
    ));
    assert_eq!(trust(&host), 25, "a debt that is paid after all is no merit");
    assert_eq!(borrower(&host), Borrower { defaults: 1, ..Borrower::default() });
}

#[test]
fn two_defaults_bar_further_loans() {
    let late = 101 * DAY;
    check_with_users(&format!(
        "#a user:alice.IN ApplyForLoan 100GX 10 => LoanApplied
        #b user:alice.IN ApplyForLoan 100GX 11 => LoanApplied
        admin:clerk ApproveLoan #a => LoanApproved
        admin:clerk ApproveLoan #b => LoanApproved
        at 90d
        #c user:alice.IN ApplyForLoan 100GX 11 => LoanApplied
        at {late}
        admin:clerk MarkLoanDefaulted #a => LoanDefaulted defaults=1
        admin:clerk ApproveLoan #c => trust_too_low
        admin:clerk MarkLoanDefaulted #b => LoanDefaulted defaults=2 trust.trustScore=0
        admin:clerk ApproveLoan #c => loans_barred
        user:alice.IN ApplyForLoan 100GX 10 => loans_barred"
    ));
}

#[test]
fn admins_decide_and_borrowers_repay() {
    check_with_users(&format!(
        "{LENT}
        user:alice.IN ApproveLoan #l => actor_not_allowed
        system ApproveLoan #l => actor_not_allowed
        as gx_super_admin admin:root ApproveLoan #l => role_not_allowed
        admin:clerk RepayLoan #l 1 => actor_not_allowed
        admin:clerk ApproveLoan #none => loan_not_found
        user:alice.IN RepayLoan #none 1 => loan_not_found"
    ));
}

#[test]
fn a_payout_reaches_a_frozen_account_which_cannot_repay() {
    check_with_users(
        "#l user:alice.IN ApplyForLoan 100GX 10 => LoanApplied
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        admin:clerk ApproveLoan #l => LoanApproved
        user:alice.IN RepayLoan #l 1GX => account_frozen",
    );
}

#[test]
fn a_borrower_sees_what_is_open() {
    let host = check_with_users(&format!("{LENT}\nuser:alice.IN RepayLoan #l 1GX => LoanRepaid"));
    let id = format!("LOAN_{}", command_id("l"));
    let ask = |name: &str, args: Value| host.ask(query(name, &args)).unwrap();
    let of = json!({"borrowerId": account("alice.IN")});
    let told = ask("LoanPoolContract:GetMyLoans", of);
    assert_eq!((&told["outstanding"], &told["defaults"]), (&json!("99000000"), &json!(0)));
    let one = ask("LoanPoolContract:GetLoan", json!({"loanId": id}));
    assert_eq!(told["loans"], json!([one]));
    assert_eq!((&one["state"], &one["outstanding"]), (&json!("ACTIVE"), &json!("99000000")));
    assert_eq!(one["term"], json!({"approvedAt": 0, "dueAt": 10 * DAY}));
    let nobody = ask("LoanPoolContract:GetMyLoans", json!({"borrowerId": account("bob.FR")}));
    assert_eq!(nobody["loans"], json!([]));
}

proptest! {
    #![proptest_config(super::many(32))]

    /// Whatever is tried with two loans, no more comes back than was lent, and scores stay scores.
    #[test]
    fn a_loan_is_never_repaid_twice(
        steps in prop::collection::vec((0..2_u8, 0..8_u8, 1..120_u64, 0..20_i64), 1..40),
    ) {
        let mut host = check(USERS);
        let (mut lent, mut back) = ([0_u64; 2], [0_u64; 2]);
        for (which, act, gx, days) in steps {
            host.now += days * DAY;
            let label = ["a", "b"][usize::from(which)];
            let line = match act {
                0 => format!("#{label} user:alice.IN ApplyForLoan 150GX 30"),
                1 | 2 => format!("admin:clerk ApproveLoan #{label}"),
                3 => format!("admin:clerk RejectLoan #{label} no*3"),
                4 => format!("admin:clerk MarkLoanDefaulted #{label}"),
                _ => format!("user:alice.IN RepayLoan #{label} {gx}GX"),
            };
            let (next, last) = try_line(host, &line);
            host = next;
            match last.as_deref() {
                Some("LoanApproved") => lent[usize::from(which)] += 150,
                Some("LoanRepaid") => back[usize::from(which)] += gx,
                _ => {}
            }
        }
        for (at, label) in ["a", "b"].into_iter().enumerate() {
            prop_assert!(lent[at] <= 150, "paid out once");
            prop_assert!(back[at] <= lent[at], "repaid {} of {}", back[at], lent[at]);
            if !host.ledger.contains_key(&format!("l/LOAN_{}", command_id(label))) { continue }
            let loan = loan(&host, label);
            prop_assert_eq!(loan.outstanding.qirat(), (lent[at] - back[at]) * 1_000_000);
            let repaid = lent[at] > 0 && back[at] == lent[at];
            prop_assert!(!repaid || !matches!(loan.state, LoanState::Active));
        }
        let pool: Account = serde_json::from_slice(&host.ledger["a/SYSTEM_LOAN_POOL"]).unwrap();
        let away = (lent[0] + lent[1] - back[0] - back[1]) * 1_000_000;
        prop_assert_eq!(pool.balance.qirat(), 300_000_000_000_000_000 - away);
        host.finish();
    }
}

/// A family pays what one of it owes; the merit is the borrower's.
#[test]
fn anybody_repays_for_a_borrower() {
    check_with_users(&format!(
        "{LENT}
        user:bob.FR RepayLoan #l 40GX => LoanRepaid borrowerId=alice.IN paidBy=bob.FR \
            outstanding=60GX postings.0.0=bob.FR
        = bob.FR 460GX
        user:alice.IN RepayLoan #l 60GX => LoanRepaid paidBy=alice.IN state=REPAID \
            trust.userId=alice.IN
        user:bob.FR RepayLoan #l 1 => loan_not_active"
    ));
}
