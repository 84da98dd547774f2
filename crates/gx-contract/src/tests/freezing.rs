//! FreezeWallet and UnfreezeWallet.

use super::script::{check, check_in_world};

#[test]
fn a_wallet_is_frozen_and_unfrozen_in_turn() {
    check_in_world(
        "open alice.IN 30
        admin:root UnfreezeWallet alice.IN => not_frozen
        admin:root FreezeWallet alice.IN COURT_ORDER => \
            WalletFrozen userId=alice.IN reason=COURT_ORDER
        + admin:root FreezeWallet alice.IN INACTIVITY => already_frozen
        admin:root FreezeWallet alice.IN COURT_ORDER => already_frozen
        admin:root UnfreezeWallet alice.IN => WalletUnfrozen userId=alice.IN
        + admin:root UnfreezeWallet alice.IN => not_frozen
        admin:root FreezeWallet alice.IN INACTIVITY => WalletFrozen reason=INACTIVITY
        = alice.IN 500GX",
    );
}

#[test]
fn each_reason_is_kept() {
    for reason in [
        "ADMIN_ACTION",
        "SUSPICIOUS_ACTIVITY",
        "COMPLIANCE_REVIEW",
        "COURT_ORDER",
        "USER_REQUEST",
        "INACTIVITY",
        "DEBT_COLLECTION",
    ] {
        let host = check_in_world(&format!(
            "open alice.IN 30\nadmin:root FreezeWallet alice.IN {reason} => WalletFrozen"
        ));
        let stored = &host.ledger[&format!("a/{}", super::notation::account("alice.IN"))];
        let account: serde_json::Value = serde_json::from_slice(stored).unwrap();
        assert_eq!(account["frozen"], reason);
    }
}

#[test]
fn only_wallets_of_users_are_frozen() {
    check_in_world(
        "admin:root FreezeWallet nobody.IN COURT_ORDER => account_not_found
        admin:root UnfreezeWallet nobody.IN => account_not_found
        admin:root FreezeWallet SYSTEM_LOAN_POOL COURT_ORDER => not_freezable
        admin:root FreezeWallet SYSTEM_OPERATIONS_FUND COURT_ORDER => not_freezable
        admin:root FreezeWallet treasury_IN COURT_ORDER => not_freezable
        admin:root UnfreezeWallet SYSTEM_LOAN_POOL => not_frozen
        admin:root UnfreezeWallet treasury_IN => not_frozen",
    );
}

#[test]
fn a_frozen_balance_stays_as_it_is() {
    check(
        "world IN=60000000 FR=40000000
        open alice.IN 30
        open bob.FR 30
        admin:root FreezeWallet alice.IN DEBT_COLLECTION => WalletFrozen
        user:alice.IN Transfer alice.IN bob.FR 1GX => account_frozen
        + user:bob.FR Transfer bob.FR alice.IN 1GX => counterparty_frozen
        = alice.IN 500GX
        = bob.FR 500GX",
    );
}
