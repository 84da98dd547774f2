//! DisburseFromPool: from which pools, to whom, how much.

use super::script::check;

const WORLD: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    admin:root AppointAdmin boss SUPER_ADMIN alice.IN => AdminAppointed";

fn check_disbursement(table: &str) {
    check(&format!("{WORLD}\n{table}"));
}

#[test]
fn two_super_admins_pay_from_a_pool_as_recorded() {
    check_disbursement(
        "#aid admin:root DisburseFromPool SYSTEM_CHARITABLE_POOL bob.FR 10000GX \"a well\" => \
            ActionProposed
        admin:boss ApproveAction #aid => ActionApproved, PoolDisbursed \
            poolId=SYSTEM_CHARITABLE_POOL recipientId=bob.FR amount=10000GX \"purpose=a well\" \
            postings.0.0=SYSTEM_CHARITABLE_POOL postings.0.1=-10000000000 postings.1.0=bob.FR \
            postings.1.1=10000000000 postings.1.2=10500000000
        = bob.FR 10500GX
        = SYSTEM_CHARITABLE_POOL 157999990000GX",
    );
}

#[test]
fn genesis_pools_belong_to_people_to_come() {
    for (pool, expected) in [
        ("SYSTEM_USER_GENESIS_POOL", "pool_not_disbursable"),
        ("SYSTEM_GOVT_GENESIS_POOL", "pool_not_disbursable"),
        ("SYSTEM_CHARITABLE_POOL", "ActionProposed"),
        ("SYSTEM_LOAN_POOL", "ActionProposed"),
        ("SYSTEM_GX_POOL", "ActionProposed"),
        ("SYSTEM_OPERATIONS_FUND", "ActionProposed"),
    ] {
        check_disbursement(&format!(
            "admin:root DisburseFromPool {pool} bob.FR 1 aid => {expected}"
        ));
    }
}

#[test]
fn nothing_goes_to_a_system_account_or_to_one_of_the_two_admins() {
    check_disbursement(
        "admin:root DisburseFromPool SYSTEM_GX_POOL SYSTEM_LOAN_POOL 1 aid => recipient_not_allowed
        admin:root DisburseFromPool SYSTEM_GX_POOL treasury_IN 1 aid => recipient_not_allowed
        admin:root DisburseFromPool SYSTEM_GX_POOL SYSTEM_NEW_POOL 1 aid => account_not_found
        admin:root DisburseFromPool SYSTEM_GX_POOL nobody.IN 1 aid => account_not_found
        admin:boss DisburseFromPool SYSTEM_GX_POOL alice.IN 1 aid => recipient_is_admin
        #aid admin:root DisburseFromPool SYSTEM_GX_POOL alice.IN 1 aid => ActionProposed
        admin:boss ApproveAction #aid => recipient_is_admin
        #third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        admin:third ApproveAction #aid => ActionApproved, PoolDisbursed
        = alice.IN 500000001",
    );
}

#[test]
fn one_disbursement_is_at_most_what_the_parameter_says() {
    check_disbursement(
        "admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 100000000.000001GX aid => \
            amount_above_cap
        admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 0 aid => amount_zero
        #x admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 100000000GX aid => ActionProposed
        #cap admin:root UpdateSystemParameter disbursementMax 99999999GX => ActionProposed
        admin:boss ApproveAction #cap => ActionApproved, SystemParameterUpdated
        admin:boss ApproveAction #x => amount_above_cap
        = bob.FR 500GX",
    );
}

#[test]
fn what_a_pool_has_paid_adds_up_pool_by_pool() {
    let pay = |label: &str, pool: &str, amount: &str| {
        format!(
            "#{label} admin:root DisburseFromPool {pool} bob.FR {amount} aid => ActionProposed
            admin:boss ApproveAction #{label} => ActionApproved, PoolDisbursed\n"
        )
    };
    // What is largest for one is not largest for two together.
    let table = [
        pay("a", "SYSTEM_GX_POOL", "100000000GX"),
        pay("b", "SYSTEM_GX_POOL", "100000000GX"),
        pay("c", "SYSTEM_GX_POOL", "1"),
        pay("d", "SYSTEM_LOAN_POOL", "7"),
        "= SYSTEM_GX_POOL 31049999999.999999GX
        = SYSTEM_LOAN_POOL 299999999999.999993GX
        = bob.FR 200000500.000008GX"
            .to_owned(),
    ];
    let host = check(&format!("{WORLD}\n{}", table.concat()));
    assert_eq!(
        std::str::from_utf8(&host.ledger["s/disbursed"]).unwrap(),
        r#"{"v":1,"pools":{"SYSTEM_LOAN_POOL":"7","SYSTEM_GX_POOL":"200000000000001"}}"#
    );
}

#[test]
fn a_pool_pays_no_more_than_it_holds() {
    check_disbursement(
        r#"put s/parameters {"v":1,"changes":1,"values":{"disbursementMax":"1250000000000000000"}}
        admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 31250000000.000001GX aid => \
            insufficient_balance
        #all admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 31250000000GX aid => ActionProposed
        #one admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1 aid => ActionProposed
        admin:boss ApproveAction #all => ActionApproved, PoolDisbursed
        admin:boss ApproveAction #one => insufficient_balance
        = SYSTEM_GX_POOL 0"#,
    );
}

#[test]
fn a_frozen_account_is_paid_all_the_same() {
    check_disbursement(
        "admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        #x admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => ActionProposed
        admin:boss ApproveAction #x => ActionApproved, PoolDisbursed
        = bob.FR 501GX",
    );
}

#[test]
fn the_purpose_has_1_to_200_printable_characters() {
    for (purpose, expected) in [
        ("\"\"", "text_invalid"),
        ("x", "ActionProposed"),
        ("x*200", "ActionProposed"),
        ("x*201", "text_invalid"),
        ("\"a bell \u{7} rings\"", "text_invalid"),
    ] {
        check_disbursement(&format!(
            "admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1 {purpose} => {expected}"
        ));
    }
}

#[test]
fn who_has_died_since_it_was_proposed_is_not_paid() {
    check_disbursement(
        "#aid admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => ActionProposed
        #dead admin:root SetUserStatus bob.FR DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        admin:boss ApproveAction #aid => counterparty_deceased
        admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => counterparty_deceased
        = bob.FR 500GX",
    );
}
