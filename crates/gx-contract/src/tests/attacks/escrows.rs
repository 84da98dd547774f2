//! Coins that wait: who gets at them, when, and what becomes of them when somebody is stopped.

use serde_json::json;

use super::{WORLD, attack};
use crate::tests::notation::query;
use crate::tests::script::check;

/// Bob pays mallory through an escrow of 100 GX; carol decides.
const WAITS: &str = "open carol.IN 30
    #e user:bob.FR OpenEscrow mallory.FR 100GX 30d carol.IN => EscrowOpened fee=0.05GX \
        type=P2P scope=LOCAL";

fn attack_escrow(table: &str) {
    attack(&format!("{WAITS}\n{table}"));
}

#[test]
fn coins_in_escrow_go_to_the_payee_or_back_and_once() {
    attack_escrow(
        "= bob.FR 399.95GX
        = SYSTEM_ESCROW 100.05GX
        user:bob.FR ReleaseEscrow #e => EscrowReleased amount=100GX fee=0.05GX releasedBy=bob.FR \
            postings.0.0=SYSTEM_ESCROW postings.1.0=mallory.FR postings.2.0=SYSTEM_OPERATIONS_FUND
        + user:bob.FR ReleaseEscrow #e => escrow_settled
        + user:carol.IN ReleaseEscrow #e => escrow_settled
        + user:mallory.FR RefundEscrow #e => escrow_settled
        = mallory.FR 600GX
        = bob.FR 399.95GX
        = SYSTEM_ESCROW 0",
    );
    attack_escrow(
        "user:mallory.FR RefundEscrow #e => EscrowRefunded amount=100.05GX refundedBy=mallory.FR
        + user:bob.FR ReleaseEscrow #e => escrow_settled
        + user:carol.IN RefundEscrow #e => escrow_settled
        = mallory.FR 500GX
        = bob.FR 500GX
        = SYSTEM_ESCROW 0",
    );
}

/// The payee alone, the payer alone, and whoever is no party.
#[test]
fn neither_side_of_an_escrow_takes_the_coins_alone() {
    attack_escrow(
        "user:mallory.FR ReleaseEscrow #e => not_party
        user:alice.IN ReleaseEscrow #e => signature_missing
        signed=k user:alice.IN ReleaseEscrow #e => not_party
        user:bob.FR RefundEscrow #e => escrow_not_expired
        signed=k user:alice.IN RefundEscrow #e => escrow_not_expired
        admin:root ReleaseEscrow #e => actor_not_allowed
        system RefundEscrow #e => actor_not_allowed
        user:bob.FR Transfer bob.FR mallory.FR 399.9GX => insufficient_balance
        user:bob.FR Transfer bob.FR SYSTEM_ESCROW 1GX => recipient_not_allowed
        user:bob.FR Transfer SYSTEM_ESCROW bob.FR 1GX => not_own_account
        admin:root TransferByOrder SYSTEM_ESCROW bob.FR 1 COURT_ORDER => payer_not_allowed
        admin:root TransferByOrder bob.FR SYSTEM_ESCROW 1 COURT_ORDER => recipient_not_allowed
        admin:root FreezeWallet SYSTEM_ESCROW COURT_ORDER => not_freezable
        at 30d-1
        user:bob.FR RefundEscrow #e => escrow_not_expired
        = SYSTEM_ESCROW 100.05GX",
    );
}

#[test]
fn once_it_has_expired_anybody_gives_the_coins_back_and_the_arbiter_does_not_release() {
    attack_escrow(
        "at 30d
        user:carol.IN ReleaseEscrow #e => escrow_expired
        signed=k user:alice.IN RefundEscrow #e => EscrowRefunded refundedBy=alice.IN
        + user:bob.FR RefundEscrow #e => escrow_settled
        = bob.FR 500GX",
    );
    attack_escrow("at 31d\nuser:bob.FR ReleaseEscrow #e => EscrowReleased");
}

#[test]
fn a_pause_puts_off_when_an_escrow_expires() {
    attack_escrow(
        "at 10d
        admin:root PauseSystem looking-for-the-fault => SystemPaused
        user:bob.FR ReleaseEscrow #e => system_paused
        at 35d
        user:bob.FR RefundEscrow #e => system_paused
        admin:root ResumeSystem => SystemResumed
        user:bob.FR RefundEscrow #e => escrow_not_expired
        #late user:bob.FR OpenEscrow mallory.FR 1GX 36d => EscrowOpened expiresAt=3110400000
        at 54d+86399999
        user:bob.FR RefundEscrow #e => escrow_not_expired
        user:bob.FR RefundEscrow #late => EscrowRefunded
        at 55d
        user:bob.FR RefundEscrow #e => EscrowRefunded",
    );
}

/// Coins that a court has stopped neither leave nor arrive through an escrow of before.
#[test]
fn a_freeze_holds_coins_in_escrow_and_the_way_back_is_open() {
    attack_escrow(
        "admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        user:bob.FR ReleaseEscrow #e => account_frozen
        user:bob.FR OpenEscrow carol.IN 1GX 30d => account_frozen
        user:carol.IN ReleaseEscrow #e => counterparty_frozen
        user:mallory.FR RefundEscrow #e => EscrowRefunded
        = bob.FR 500GX
        admin:root TransferByOrder bob.FR carol.IN 500GX COURT_ORDER => ActionProposed",
    );
    attack_escrow(
        "admin:root FreezeWallet mallory.FR COURT_ORDER => WalletFrozen
        user:bob.FR ReleaseEscrow #e => counterparty_frozen
        user:carol.IN ReleaseEscrow #e => counterparty_frozen
        user:mallory.FR RefundEscrow #e => account_frozen
        user:bob.FR OpenEscrow mallory.FR 1GX 30d => counterparty_frozen
        user:carol.IN RefundEscrow #e => EscrowRefunded",
    );
}

/// The coins of the dead go to their estate, and nobody pays the dead.
#[test]
fn an_escrow_outlives_its_parties() {
    attack_escrow(
        "#dead admin:root SetUserStatus bob.FR DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        user:bob.FR ReleaseEscrow #e => account_deceased
        at 30d
        user:mallory.FR RefundEscrow #e => EscrowRefunded
        = bob.FR 500GX
        #estate admin:root TransferByOrder bob.FR carol.IN 500GX ESTATE => ActionProposed
        admin:boss ApproveAction #estate => ActionApproved, TransferredByOrder",
    );
    attack_escrow(
        "#dead admin:root SetUserStatus mallory.FR DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        user:bob.FR ReleaseEscrow #e => counterparty_deceased
        user:carol.IN ReleaseEscrow #e => counterparty_deceased
        user:bob.FR OpenEscrow mallory.FR 1GX 30d => counterparty_deceased
        user:carol.IN RefundEscrow #e => EscrowRefunded
        = bob.FR 500GX",
    );
    attack_escrow(
        "admin:clerk SetUserStatus bob.FR LOCKED => UserStatusSet
        user:bob.FR ReleaseEscrow #e => account_locked
        user:carol.IN ReleaseEscrow #e => EscrowReleased",
    );
}

#[test]
fn an_escrow_has_an_arbiter_apart_and_an_end() {
    attack_escrow(
        "user:bob.FR OpenEscrow mallory.FR 1GX 30d bob.FR => arbiter_invalid
        user:bob.FR OpenEscrow mallory.FR 1GX 30d mallory.FR => arbiter_invalid
        user:bob.FR OpenEscrow mallory.FR 1GX 30d nobody.IN => arbiter_invalid
        user:bob.FR OpenEscrow mallory.FR 1GX 30d SYSTEM_GX_POOL => arbiter_invalid
        user:bob.FR OpenEscrow bob.FR 1GX 30d => same_account
        user:bob.FR OpenEscrow treasury_IN 1GX 30d => recipient_not_allowed
        user:bob.FR OpenEscrow SYSTEM_CHARITABLE_POOL 1GX 30d => recipient_not_allowed
        user:bob.FR OpenEscrow mallory.FR 1GX 3599999 => expiry_invalid
        user:bob.FR OpenEscrow mallory.FR 1GX 3600000 => EscrowOpened
        user:bob.FR OpenEscrow mallory.FR 1GX 365d => EscrowOpened
        user:bob.FR OpenEscrow mallory.FR 1GX 365d+1 => expiry_invalid
        user:bob.FR OpenEscrow mallory.FR 1GX 9223372036854775807 => expiry_invalid
        user:bob.FR OpenEscrow mallory.FR 18446744073709551615 30d => amount_overflow",
    );
}

/// A thief with the process and without the key.
#[test]
fn an_escrow_of_a_keyed_account_is_signed_as_a_payment_is() {
    attack_escrow(
        "user:alice.IN OpenEscrow mallory.FR 100GX 30d => signature_missing
        signed=k2 user:alice.IN OpenEscrow mallory.FR 100GX 30d => signature_wrong
        #a signed=k user:alice.IN OpenEscrow bob.FR 100GX 30d => EscrowOpened scope=CROSS_BORDER
        user:alice.IN ReleaseEscrow #a => signature_missing
        signed=k user:alice.IN ReleaseEscrow #a => EscrowReleased",
    );
}

/// Parking coins neither stops the tax's timer nor makes the taxed balance smaller.
#[test]
fn coins_in_escrow_are_taxed_with_those_on_the_account() {
    attack(
        "open rich.FR 30
        since rich.FR 0
        at 300d
        #e user:rich.FR OpenEscrow bob.FR 450GX 400d => EscrowOpened
        since rich.FR 0
        at 354d
        system ApplyVelocityTax rich.FR => VelocityTaxSkipped code=tax_not_due taxableSince=0
        at 355d
        system ApplyVelocityTax rich.FR => VelocityTaxApplied taxedBalance=500GX amount=12.5GX
        user:bob.FR RefundEscrow #e => EscrowRefunded
        = rich.FR 487.5GX
        since rich.FR 355d
        #f user:rich.FR OpenEscrow bob.FR 450GX 400d => EscrowOpened
        user:rich.FR ReleaseEscrow #f => EscrowReleased
        since rich.FR -",
    );
}

#[test]
fn coins_in_escrow_circulate() {
    let supply = |table: &str| {
        let host = check(&format!("{WORLD}\n{table}"));
        let asked = query("TokenomicsContract:GetSupplyStatus", &json!({}));
        host.ask(asked).unwrap()["circulatingSupply"].clone()
    };
    assert_eq!(supply("open carol.IN 30"), supply(WAITS));
}
