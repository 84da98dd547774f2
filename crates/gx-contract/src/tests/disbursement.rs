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
        #cap admin:root UpdateSystemParameter disbursementMax 99999999GX => ActionProposed
        admin:boss ApproveAction #cap => ActionApproved, ParameterScheduled
        at 3d
        #y admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 100000000GX aid => ActionProposed
        at 7d
        admin:boss ApproveAction #y => amount_above_cap
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
        r#"{"v":1,"pools":{"SYSTEM_LOAN_POOL":"7","SYSTEM_GX_POOL":"200000000000001"},"#.to_owned()
            + r#""day":{"number":0,"paid":"200000000000008"}}"#
    );
}

#[test]
fn a_pool_pays_no_more_than_it_holds() {
    check_disbursement(
        "poor SYSTEM_GX_POOL 100GX
        admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 100.000001GX aid => insufficient_balance
        #all admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 100GX aid => ActionProposed
        #one admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1 aid => ActionProposed
        admin:boss ApproveAction #all => ActionApproved, PoolDisbursed
        admin:boss ApproveAction #one => insufficient_balance
        = SYSTEM_GX_POOL 0",
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

/// However it is cut, and from whichever pool.
#[test]
fn all_disbursements_of_a_day_are_at_most_what_the_parameter_says() {
    let pay = |label: &str, pool: &str, amount: &str, expected: &str| {
        format!(
            "#{label} admin:root DisburseFromPool {pool} bob.FR {amount} aid => ActionProposed
            admin:boss ApproveAction #{label} => {expected}\n"
        )
    };
    let paid = "ActionApproved, PoolDisbursed";
    let mut table = "at 3d\n".to_owned();
    for label in ["a", "b", "c", "d"] {
        table += &pay(label, "SYSTEM_GX_POOL", "100000000GX", paid);
    }
    table += &pay("e", "SYSTEM_LOAN_POOL", "99999999GX", paid);
    table += "admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1000001 aid => day_exhausted\n";
    table += &pay("f", "SYSTEM_OPERATIONS_FUND", "1GX", paid);
    table += "#g admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1 aid => day_exhausted
        at 3d+86399999
        #g admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1 aid => repeated day_exhausted
        #h admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1 aid => day_exhausted
        at 4d\n";
    table += &pay("i", "SYSTEM_GX_POOL", "100000000GX", paid);
    table += "= bob.FR 600000500GX";
    check_disbursement(&table);
}

#[test]
fn nothing_goes_to_an_organization_of_one_of_the_two_admins() {
    check_disbursement(
        "org shop.IN.1 alice.IN bob.FR
        open carol.FR 30
        open dave.FR 30
        org other.FR.1 carol.FR dave.FR
        admin:boss DisburseFromPool SYSTEM_GX_POOL shop.IN.1 1 aid => recipient_is_admin
        #aid admin:root DisburseFromPool SYSTEM_GX_POOL shop.IN.1 1 aid => ActionProposed
        admin:boss ApproveAction #aid => recipient_is_admin
        admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        #court admin:root TransferByOrder bob.FR shop.IN.1 1 COURT_ORDER => ActionProposed
        admin:boss ApproveAction #court => recipient_is_admin
        #other admin:root DisburseFromPool SYSTEM_GX_POOL other.FR.1 1GX aid => ActionProposed
        admin:boss ApproveAction #other => ActionApproved, PoolDisbursed
        = other.FR.1 1GX",
    );
}

/// An admin of an older record, of whom nobody knows where their coins are.
#[test]
fn who_has_not_said_which_account_is_theirs_takes_no_part() {
    check_disbursement(
        r#"#aid admin:boss DisburseFromPool SYSTEM_GX_POOL bob.FR 1 aid => ActionProposed
        put d/root {"v":1,"level":"SUPER_ADMIN","appointedAt":0}
        admin:root ApproveAction #aid => admin_account_unsaid
        admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1 aid => admin_account_unsaid
        put d/root {"v":1,"level":"SUPER_ADMIN","appointedAt":0,"accountId":null}
        admin:root ApproveAction #aid => ActionApproved, PoolDisbursed"#,
    );
}

#[test]
fn an_appointment_says_of_the_account_what_it_is() {
    for (name, args, fits) in [
        ("AppointAdmin", r#""adminId":"late","level":"ADMIN""#, false),
        ("AppointAdmin", r#""adminId":"late","level":"ADMIN","accountId":null"#, true),
        ("ReplaceAdmin", r#""oldAdminId":"boss","newAdminId":"late""#, false),
        ("ReplaceAdmin", r#""oldAdminId":"boss","newAdminId":"late","accountId":null"#, true),
        ("BootstrapSystem", r#""firstSuperAdmin":"root","networkId":"devnet""#, false),
        (
            "BootstrapSystem",
            r#""firstSuperAdmin":"root","networkId":"devnet","accountId":null"#,
            true,
        ),
    ] {
        let (name, args) = (format!("AdminContract:{name}"), format!("{{{args}}}"));
        let read = crate::Command::from_name_and_args(&name, &args);
        assert_eq!(read.is_ok(), fits, "{name} {args}: {read:?}");
    }
}
