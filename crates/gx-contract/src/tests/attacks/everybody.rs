//! What nobody gets, whoever they are: a service process, who is at once, who pays the dead.

use super::attack;

/// The process speaks for everybody who has no key, in every role.
#[test]
fn a_service_process_moves_no_coins_of_a_keyed_account() {
    attack(
        "user:alice.IN Transfer alice.IN mallory.FR 1GX => signature_missing
        signed=k2 user:alice.IN Transfer alice.IN mallory.FR 1GX => signature_wrong
        user:mallory.FR Transfer alice.IN mallory.FR 1GX => not_own_account
        system Transfer alice.IN mallory.FR 1GX => actor_not_allowed
        admin:root Transfer alice.IN mallory.FR 1GX => actor_not_allowed
        as gx_super_admin user:alice.IN Transfer alice.IN mallory.FR 1GX => role_not_allowed
        user:alice.IN RegisterKey alice.IN k2 => signature_missing
        user:alice.IN RotateKey alice.IN k2 => signature_missing
        user:mallory.FR InitiateRecovery alice.IN k2 => not_guardian
        = alice.IN 500GX",
    );
}

/// Everything at once, in one batch: whoever is last finds what the others have left.
#[test]
fn at_once_is_no_other_order() {
    attack(
        "#aid admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => ActionProposed
        + admin:boss ApproveAction #aid => ActionApproved, PoolDisbursed
        + admin:boss ApproveAction #aid => action_executed
        + admin:boss RejectAction #aid => action_executed
        + admin:root WithdrawAction #aid => action_executed
        user:bob.FR Transfer bob.FR mallory.FR 500GX => Transferred
        + user:bob.FR Transfer bob.FR mallory.FR 1GX => insufficient_balance
        = bob.FR 500000",
    );
}

/// What was paid for before a death or a freeze is not paid after it.
#[test]
fn the_dead_are_paid_by_nobody() {
    attack(
        "#aid admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => ActionProposed
        #dead admin:root SetUserStatus bob.FR DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        + admin:boss ApproveAction #aid => counterparty_deceased
        user:mallory.FR Transfer mallory.FR bob.FR 1GX => counterparty_deceased
        system DistributeGenesis bob.FR=30 => GenesisSkipped
        user:bob.FR Transfer bob.FR mallory.FR 1GX => account_deceased
        = bob.FR 500GX",
    );
}
