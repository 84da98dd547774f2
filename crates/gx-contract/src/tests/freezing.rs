//! FreezeWallet and UnfreezeWallet.

use super::script::{check, check_in_world};

#[test]
fn a_wallet_is_frozen_and_unfrozen_in_turn() {
    check_in_world(
        "open alice.IN 30
        admin:root UnfreezeWallet alice.IN COURT_ORDER => not_frozen
        admin:root FreezeWallet alice.IN COURT_ORDER => \
            WalletFrozen accountId=alice.IN reason=COURT_ORDER reasons.0=COURT_ORDER
        + admin:root FreezeWallet alice.IN COURT_ORDER => already_frozen
        admin:root FreezeWallet alice.IN COURT_ORDER => already_frozen
        admin:root UnfreezeWallet alice.IN INACTIVITY => not_frozen
        admin:root UnfreezeWallet alice.IN COURT_ORDER => \
            WalletUnfrozen accountId=alice.IN reason=COURT_ORDER
        + admin:root UnfreezeWallet alice.IN COURT_ORDER => not_frozen
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
        assert_eq!(account["frozen"], serde_json::json!([reason]));
    }
}

/// What a court has ordered is not ended by whoever ends a review.
#[test]
fn an_account_is_free_when_no_reason_is_left() {
    check(
        "world IN=60000000 FR=40000000
        open alice.IN 30
        open bob.FR 30
        admin:root FreezeWallet alice.IN SUSPICIOUS_ACTIVITY => WalletFrozen
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen \
            reasons.0=SUSPICIOUS_ACTIVITY reasons.1=COURT_ORDER
        admin:root UnfreezeWallet alice.IN SUSPICIOUS_ACTIVITY => WalletUnfrozen \
            reason=SUSPICIOUS_ACTIVITY reasons.0=COURT_ORDER
        user:alice.IN Transfer alice.IN bob.FR 1GX => account_frozen
        admin:root UnfreezeWallet alice.IN COURT_ORDER => WalletUnfrozen
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred",
    );
}

#[test]
fn pools_are_never_frozen() {
    check_in_world(
        "admin:root FreezeWallet nobody.IN COURT_ORDER => account_not_found
        admin:root UnfreezeWallet nobody.IN COURT_ORDER => account_not_found
        admin:root FreezeWallet SYSTEM_LOAN_POOL COURT_ORDER => not_freezable
        admin:root FreezeWallet SYSTEM_OPERATIONS_FUND COURT_ORDER => not_freezable
        admin:root UnfreezeWallet SYSTEM_LOAN_POOL COURT_ORDER => not_frozen
        admin:root UnfreezeWallet treasury_IN COURT_ORDER => not_frozen",
    );
}

#[test]
fn a_frozen_organization_neither_pays_nor_is_paid() {
    check(
        "world IN=60000000 FR=40000000
        open alice.IN 30
        open bob.FR 30
        org shop.FR.1 alice.IN bob.FR
        user:alice.IN DefineAuthRule shop.FR.1 0:2:alice.IN,bob.FR => AuthRuleProposed
        user:bob.FR DefineAuthRule shop.FR.1 0:2:alice.IN,bob.FR => AuthRuleProposed, \
            AuthRuleDefined
        user:alice.IN Transfer alice.IN shop.FR.1 100GX => Transferred
        #p user:alice.IN InitiateMultiSigTx shop.FR.1 bob.FR 5GX => MultiSigTxInitiated
        admin:root FreezeWallet shop.FR.1 COURT_ORDER => WalletFrozen
        user:bob.FR Transfer bob.FR shop.FR.1 1GX => counterparty_frozen
        user:alice.IN InitiateMultiSigTx shop.FR.1 bob.FR 1GX => account_frozen
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved, \
            MultiSigTxExecutionFailed code=account_frozen
        admin:root UnfreezeWallet shop.FR.1 COURT_ORDER => WalletUnfrozen
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxExecuted",
    );
}

/// Genesis and taxes arrive all the same: nobody's coins wait for a court.
#[test]
fn a_frozen_treasury_takes_in_and_pays_nothing() {
    check(
        "world IN=60000000 FR=40000000
        open alice.IN 30
        open bob.FR 30
        org ministry.FR.7 alice.IN bob.FR
        treasury FR ministry.FR.7
        at 7d
        #p user:alice.IN InitiateMultiSigTx treasury_FR bob.FR 1GX => MultiSigTxInitiated
        admin:root FreezeWallet treasury_FR COURT_ORDER => WalletFrozen
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved, \
            MultiSigTxExecutionFailed code=account_frozen
        user:alice.IN Transfer alice.IN treasury_FR 1GX => counterparty_frozen
        open carol.FR 30
        = treasury_FR 100GX
        admin:root UnfreezeWallet treasury_FR COURT_ORDER => WalletUnfrozen
        admin:root FreezeWallet ministry.FR.7 COURT_ORDER => WalletFrozen
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxExecutionFailed code=account_frozen
        admin:root UnfreezeWallet ministry.FR.7 COURT_ORDER => WalletUnfrozen
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxExecuted
        = treasury_FR 99GX",
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
