//! Attacks on people: on their keys, their guardians, and on who they are.

use super::attack;

/// A service process plants guardians of its own before the owner has a key.
#[test]
fn planted_guardians_are_gone_with_the_first_key() {
    attack(
        "open m1.IN 30
        open m2.IN 30
        open m3.IN 30
        user:bob.FR NominateGuardians bob.FR m1.IN m2.IN m3.IN => GuardiansNominated
        user:m1.IN InitiateRecovery bob.FR k2 => key_missing
        user:bob.FR RegisterKey bob.FR new => KeyRegistered, GuardiansDropped userId=bob.FR
        + user:m1.IN InitiateRecovery bob.FR k2 => not_guardian
        + user:bob.FR NominateGuardians bob.FR m1.IN m2.IN m3.IN => signature_missing
        signed=k2 user:bob.FR NominateGuardians bob.FR m1.IN m2.IN m3.IN => signature_wrong
        user:m2.IN InitiateRecovery bob.FR k2 => not_guardian",
    );
}

/// A key that nobody holds would take an account out of the world.
#[test]
fn nobody_gives_an_account_a_key_that_they_do_not_hold() {
    attack(
        "user:bob.FR RegisterKey bob.FR k unproven => key_not_proven
        user:mallory.FR RegisterKey bob.FR k2 => not_own_account
        system RegisterKey bob.FR k2 => actor_not_allowed
        admin:root RegisterKey bob.FR k2 => actor_not_allowed
        signed=k user:alice.IN RotateKey alice.IN k2 unproven => key_not_proven
        = bob.FR 500GX",
    );
}
