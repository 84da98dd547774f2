//! Transfer: whose coins, to whom, how many; what the sender's balance must cover.

use super::script::{check, check_in_world};

/// Two users with 500 GX each.
const USERS: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    open carol.IN 30";

fn check_with_users(table: &str) {
    check(&format!("{USERS}\n{table}"));
}

#[test]
fn a_payment_moves_coins_and_the_fee_comes_on_top() {
    check_with_users(
        r#"user:alice.IN Transfer alice.IN bob.FR 10GX "for tea" => Transferred from=alice.IN \
            to=bob.FR amount=10GX fee=15000 type=P2P scope=CROSS_BORDER "remark=for tea" \
            postings.0.0=alice.IN postings.0.1=-10015000 postings.0.2=489985000 \
            postings.1.0=bob.FR postings.1.1=10000000 postings.1.2=510000000 \
            postings.2.0=SYSTEM_OPERATIONS_FUND postings.2.1=15000 postings.2.2=31250000000015000
        = alice.IN 489985000
        = bob.FR 510GX
        = SYSTEM_OPERATIONS_FUND 31250000000015000"#,
    );
}

#[test]
fn later_commands_of_a_batch_see_what_earlier_ones_wrote() {
    check_with_users(
        "user:alice.IN Transfer alice.IN carol.IN 499GX => Transferred
        + user:alice.IN Transfer alice.IN carol.IN 499GX => insufficient_balance
        + user:carol.IN Transfer carol.IN bob.FR 900GX => Transferred
        + user:bob.FR Transfer bob.FR alice.IN 1300GX => Transferred
        = alice.IN 1300501000
        = bob.FR 96750000
        = carol.IN 96750000",
    );
}

#[test]
fn the_balance_covers_amount_and_fee_to_the_qirat() {
    check_with_users(
        "user:alice.IN Transfer alice.IN bob.FR 498753118 => insufficient_balance
        user:alice.IN Transfer alice.IN bob.FR 500GX => insufficient_balance
        user:alice.IN Transfer alice.IN bob.FR 498753116 => Transferred fee=1246883
        = alice.IN 1
        user:alice.IN Transfer alice.IN bob.FR 1 => insufficient_balance
        user:alice.IN Transfer alice.IN carol.IN 2 => insufficient_balance
        user:alice.IN Transfer alice.IN carol.IN 1 => Transferred fee=0
        = alice.IN 0
        user:alice.IN Transfer alice.IN carol.IN 1 => insufficient_balance",
    );
}

#[test]
fn amounts_of_any_size_are_answered() {
    check_with_users(
        "user:alice.IN Transfer alice.IN bob.FR 18446744073709551615 => amount_overflow
        user:alice.IN Transfer alice.IN bob.FR 18400742218164141262 => amount_overflow
        user:alice.IN Transfer alice.IN bob.FR 18400742218164141261 => insufficient_balance
        user:alice.IN Transfer alice.IN bob.FR 9223372036854775808 => insufficient_balance
        user:alice.IN Transfer alice.IN bob.FR 1250000000000000000 => insufficient_balance
        user:alice.IN Transfer alice.IN bob.FR 0 => amount_zero
        = alice.IN 500GX",
    );
}

#[test]
fn nobody_pays_from_an_account_of_another() {
    check_with_users(
        r#"put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}
        user:bob.FR Transfer alice.IN bob.FR 1GX => not_own_account
        user:bob.FR Transfer nobody.IN bob.FR 1GX => not_own_account
        user:bob.FR Transfer SYSTEM_LOAN_POOL bob.FR 1GX => not_own_account
        user:bob.FR Transfer treasury_FR bob.FR 1GX => not_own_account
        admin:root Transfer alice.IN bob.FR 1GX => actor_not_allowed
        admin:clerk Transfer alice.IN bob.FR 1GX => actor_not_allowed
        system Transfer alice.IN bob.FR 1GX => actor_not_allowed
        user:SYSTEM_LOAN_POOL Transfer SYSTEM_LOAN_POOL bob.FR 1GX => actor_not_allowed
        user:treasury_IN Transfer treasury_IN bob.FR 1GX => actor_not_allowed"#,
    );
}

#[test]
fn both_parties_are_on_the_ledger() {
    check_with_users(
        "user:nobody.IN Transfer nobody.IN bob.FR 1GX => actor_unknown
        user:alice.IN Transfer alice.IN nobody.IN 1GX => account_not_found
        user:alice.IN Transfer alice.IN SYSTEM_NO_POOL 1GX => account_not_found
        user:alice.IN Transfer alice.IN treasury_DE 1GX => account_not_found
        user:alice.IN Transfer alice.IN anything 1GX => account_not_found",
    );
}

#[test]
fn a_payment_has_two_parties() {
    check_with_users(
        "user:alice.IN Transfer alice.IN alice.IN 1GX => same_account
        user:bob.FR Transfer alice.IN alice.IN 1GX => same_account",
    );
}

#[test]
fn a_frozen_account_neither_pays_nor_is_paid() {
    check_with_users(
        "admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        user:alice.IN Transfer alice.IN bob.FR 1GX => account_frozen
        user:bob.FR Transfer bob.FR alice.IN 1GX => counterparty_frozen
        user:bob.FR Transfer bob.FR carol.IN 1GX => Transferred
        admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        user:alice.IN Transfer alice.IN bob.FR 1GX => account_frozen
        admin:root UnfreezeWallet alice.IN COURT_ORDER => WalletUnfrozen
        user:alice.IN Transfer alice.IN bob.FR 1GX => counterparty_frozen
        admin:root UnfreezeWallet bob.FR COURT_ORDER => WalletUnfrozen
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred",
    );
}

#[test]
fn a_remark_has_up_to_200_printable_characters() {
    for (remark, expected) in [
        ("\"\"", "Transferred"),
        ("x*200", "Transferred"),
        ("é*200", "Transferred"),
        ("x*201", "text_invalid"),
        ("é*201", "text_invalid"),
        ("\"quoted 'so' {and} \\\\ so\"", "Transferred"),
        ("\"with a \u{0} in it\"", "text_invalid"),
        ("\"with a \u{7f} in it\"", "text_invalid"),
        ("\"with a \u{9f} in it\"", "text_invalid"),
        // Two ways to write é; marks that nobody sees; and nothing to read.
        ("caf\u{e9}", "Transferred"),
        ("cafe\u{301}", "text_invalid"),
        ("a\u{202e}b", "text_invalid"),
        ("a\u{200b}b", "text_invalid"),
        ("a\u{200d}b", "Transferred"),
        ("!!!", "text_invalid"),
        ("\u{200d}", "text_invalid"),
        ("٣", "Transferred"),
    ] {
        check_with_users(&format!(
            "user:alice.IN Transfer alice.IN carol.IN 1 {remark} => {expected}"
        ));
    }
}

#[test]
fn pools_and_treasuries_are_paid_without_a_fee() {
    check_with_users(
        "user:alice.IN Transfer alice.IN SYSTEM_CHARITABLE_POOL 200GX => \
            Transferred fee=0 type=SYSTEM scope=CROSS_BORDER
        user:alice.IN Transfer alice.IN treasury_FR 200GX => \
            Transferred fee=0 type=SYSTEM scope=CROSS_BORDER
        user:alice.IN Transfer alice.IN treasury_IN 50GX => \
            Transferred fee=0 type=SYSTEM scope=LOCAL
        user:alice.IN Transfer alice.IN SYSTEM_OPERATIONS_FUND 50GX => Transferred fee=0
        = alice.IN 0
        = SYSTEM_CHARITABLE_POOL 158000000200GX
        = SYSTEM_OPERATIONS_FUND 31250000050GX
        = treasury_FR 250GX
        = treasury_IN 150GX",
    );
}

#[test]
fn payments_between_accounts_of_every_kind_are_charged_as_their_type() {
    check_with_users(
        "open aid.FR.E 0
        org shop.IN.1 alice.IN carol.IN
        org school.FR.3 bob.FR carol.IN
        user:alice.IN Transfer alice.IN shop.IN.1 200GX => \
            Transferred type=MERCHANT scope=LOCAL fee=300000
        user:alice.IN Transfer alice.IN school.FR.3 200GX => \
            Transferred type=MERCHANT scope=CROSS_BORDER fee=600000
        user:alice.IN Transfer alice.IN aid.FR.E 10GX => \
            Transferred type=P2P scope=CROSS_BORDER fee=15000
        #b2b user:alice.IN InitiateMultiSigTx shop.IN.1 school.FR.3 100GX => MultiSigTxInitiated
        user:carol.IN ApproveMultiSigTx #b2b => MultiSigTxApproved, \
            MultiSigTxExecuted type=B2B scope=CROSS_BORDER fee=400000
        #b2c user:bob.FR InitiateMultiSigTx school.FR.3 aid.FR.E 10GX => MultiSigTxInitiated
        user:carol.IN ApproveMultiSigTx #b2c => MultiSigTxApproved, \
            MultiSigTxExecuted type=P2P scope=LOCAL fee=5000",
    );
}

#[test]
fn time_never_runs_backwards() {
    let host = check_in_world(
        "at 2000
        open alice.IN 30
        at 1000
        open bob.FR 30
        at 2001
        open carol.IN 30",
    );
    let times: Vec<i64> = host.records().skip(2).map(|record| record.time.0).collect();
    assert_eq!(times, [2000, 2000, 2001]);
    let created = |user: &str| {
        let record = &host.ledger[&format!("u/{}", super::notation::account(user))];
        serde_json::from_slice::<crate::state::User>(record).unwrap().created_at.0
    };
    assert_eq!([created("alice.IN"), created("bob.FR"), created("carol.IN")], [2000, 2000, 2001]);
}

#[test]
fn a_refusal_in_the_middle_disturbs_no_neighbour() {
    let payments = "user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred
        + user:carol.IN Transfer carol.IN bob.FR 10GX => Transferred";
    let refused = "+ user:alice.IN Transfer alice.IN bob.FR 600GX => insufficient_balance
        + system CreateUser alice.IN 30 => user_id_taken
        + user:alice.IN Transfer alice.IN nobody.IN 1 => account_not_found";
    let alone = check(&format!("{USERS}\n{payments}"));
    let (first, second) = payments.split_once('\n').unwrap();
    let disturbed = check(&format!("{USERS}\n{first}\n{refused}\n{second}"));
    let accounts = |ledger: &super::host::Ledger| {
        let accounts = ledger.iter().filter(|(key, _)| !key.starts_with("o/"));
        accounts.map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(accounts(&alone.ledger), accounts(&disturbed.ledger));
}
