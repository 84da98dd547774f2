//! TransferByOrder: whose coins leave without them, on whose word, and to whom they never go.

use super::script::check;

const WORLD: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    open dead.IN 80
    open heir.IN 30
    admin:root AppointAdmin boss SUPER_ADMIN alice.IN => AdminAppointed
    #clerk admin:root AppointAdmin clerk ADMIN => ActionProposed
    admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed";

fn check_orders(table: &str) {
    check(&format!("{WORLD}\n{table}"));
}

#[test]
fn the_coins_of_the_dead_go_to_their_heirs() {
    check_orders(
        "user:bob.FR Transfer bob.FR dead.IN 100GX => Transferred
        #early admin:root TransferByOrder dead.IN heir.IN 100GX ESTATE => not_deceased
        #dead admin:root SetUserStatus dead.IN DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        #estate admin:root TransferByOrder dead.IN heir.IN 100GX ESTATE => ActionProposed
        = dead.IN 100GX
        admin:boss ApproveAction #estate => ActionApproved, TransferredByOrder from=dead.IN \
            to=heir.IN amount=100000000 reason=ESTATE postings.0.0=dead.IN \
            postings.0.1=-100000000 postings.1.0=heir.IN postings.1.1=100000000
        = dead.IN 0
        = heir.IN 600GX
        #more admin:root TransferByOrder dead.IN heir.IN 1 ESTATE => insufficient_balance",
    );
}

#[test]
fn a_judgement_takes_coins_of_a_frozen_account_only() {
    for reason in ["COURT_ORDER", "ERROR_CORRECTION"] {
        check_orders(&format!(
            "#live admin:root TransferByOrder bob.FR heir.IN 1GX {reason} => not_frozen
            admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
            #x admin:root TransferByOrder bob.FR heir.IN 1GX {reason} => ActionProposed
            #y admin:root TransferByOrder bob.FR heir.IN 500GX {reason} => ActionProposed
            admin:boss ApproveAction #x => ActionApproved, TransferredByOrder reason={reason}
            = bob.FR 499GX
            admin:root UnfreezeWallet bob.FR COURT_ORDER => WalletUnfrozen
            admin:boss ApproveAction #y => not_frozen
            = bob.FR 499GX"
        ));
    }
}

#[test]
fn one_admin_or_one_of_a_lower_level_orders_nothing() {
    check_orders(
        "admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        admin:clerk TransferByOrder bob.FR heir.IN 1GX COURT_ORDER => actor_not_allowed
        system TransferByOrder bob.FR heir.IN 1GX COURT_ORDER => actor_not_allowed
        user:bob.FR TransferByOrder bob.FR heir.IN 1GX COURT_ORDER => actor_not_allowed
        #x admin:root TransferByOrder bob.FR heir.IN 1GX COURT_ORDER => ActionProposed
        admin:root ApproveAction #x => same_admin
        admin:clerk ApproveAction #x => admin_level_too_low
        = bob.FR 500GX",
    );
}

#[test]
fn nothing_is_ordered_out_of_pools_or_to_those_who_decide() {
    check_orders(
        "admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        admin:root TransferByOrder SYSTEM_GX_POOL bob.FR 1 COURT_ORDER => payer_not_allowed
        admin:root TransferByOrder treasury_IN bob.FR 1 COURT_ORDER => payer_not_allowed
        admin:root TransferByOrder bob.FR SYSTEM_LOAN_POOL 1 COURT_ORDER => recipient_not_allowed
        admin:boss TransferByOrder bob.FR alice.IN 1 COURT_ORDER => recipient_is_admin
        #x admin:root TransferByOrder bob.FR alice.IN 1 COURT_ORDER => ActionProposed
        admin:boss ApproveAction #x => recipient_is_admin
        admin:root TransferByOrder bob.FR bob.FR 1 COURT_ORDER => same_account
        admin:root TransferByOrder bob.FR heir.IN 0 COURT_ORDER => amount_zero
        admin:root TransferByOrder bob.FR nobody.IN 1 COURT_ORDER => account_not_found
        admin:root TransferByOrder nobody.IN heir.IN 1 COURT_ORDER => account_not_found
        #gift admin:root TransferByOrder bob.FR SYSTEM_CHARITABLE_POOL 1 COURT_ORDER => \
            ActionProposed
        #state admin:root TransferByOrder bob.FR treasury_FR 1 COURT_ORDER => ActionProposed
        admin:boss ApproveAction #gift => ActionApproved, TransferredByOrder
        admin:boss ApproveAction #state => ActionApproved, TransferredByOrder",
    );
}

/// What an order takes needs no key, or a court could do nothing; and nothing but an order does.
#[test]
fn a_key_does_not_stand_against_a_court() {
    check_orders(
        "user:bob.FR RegisterKey bob.FR k => KeyRegistered
        admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        #x admin:root TransferByOrder bob.FR heir.IN 500GX COURT_ORDER => ActionProposed
        admin:boss ApproveAction #x => ActionApproved, TransferredByOrder
        = bob.FR 0",
    );
}
