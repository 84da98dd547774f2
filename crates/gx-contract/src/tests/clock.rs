//! The ledger's clock on mainnet: a step of more than 36 hours is confirmed by two super admins.

use super::script::check;

/// Root and boss have keys; the last batch is at 1000.
const WORLD: &str = "world mainnet IN=60000000 FR=40000000
    admin:root RegisterAdminKey k => AdminKeyRegistered
    signed=k admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
    admin:boss RegisterAdminKey k2 => AdminKeyRegistered
    at 1000
    #third signed=k admin:root AppointAdmin third SUPER_ADMIN => ActionProposed";

#[test]
fn a_batch_is_at_most_36_hours_after_the_last() {
    check(&format!(
        "{WORLD}
        at 129601001
        #approve signed=k2 admin:boss ApproveAction #third => clock_jump
        at 129601000
        #approve signed=k2 admin:boss ApproveAction #third => ActionApproved, AdminAppointed"
    ));
}

#[test]
fn a_longer_step_is_confirmed_by_two_super_admins() {
    check(&format!(
        "{WORLD}
        at 6d
        signed=k2 admin:boss ApproveAction #third => clock_jump
        #now system ConfirmClock 6d+3600000 root=k boss=k2 => ClockConfirmed from=1000 \
            to=518400000 confirmedBy.0=root confirmedBy.1=boss
        signed=k2 admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        at 7d
        signed=k admin:root ResumeSystem => not_paused"
    ));
}

/// Nothing of it is recorded, and the clock stands where it stood.
#[test]
fn a_confirmation_that_is_none_moves_no_clock() {
    check(&format!(
        "{WORLD}
        at 40000d
        #wrong system ConfirmClock 40000d root=k boss=k => clock_jump
        system ConfirmClock 6d root=k boss=k2 => clock_jump
        signed=k2 admin:boss ApproveAction #third => clock_jump
        at 6d
        #wrong system ConfirmClock 40000d root=k boss=k => clock_jump
        system ConfirmClock 6d root=k boss=k => confirmation_wrong
        + system ConfirmClock 6d root=k boss=k2 => ClockConfirmed
        + #wrong system ConfirmClock 40000d root=k boss=k => clock_right
        signed=k2 admin:boss ApproveAction #third => ActionApproved, AdminAppointed"
    ));
}

#[test]
fn nothing_rides_along_with_a_confirmation() {
    check(&format!(
        "{WORLD}
        at 6d
        system ConfirmClock 6d root=k boss=k2 => clock_jump
        + signed=k2 admin:boss ApproveAction #third => clock_jump
        system ConfirmClock 6d root=k boss=k2 => ClockConfirmed
        + system ConfirmClock 6d root=k boss=k2 => clock_right"
    ));
}

#[test]
fn a_confirmation_is_for_one_command_of_one_network() {
    check(&format!(
        "{WORLD}
        at 6d
        signed=k@518400000 admin:root ConfirmClock 6d root=k boss=k2 => signature_too_far_ahead
        signed=k@2000@testnet admin:root ConfirmClock 6d root=k boss=k2 => signature_wrong
        signed=k@2000 admin:root ConfirmClock 6d root=k boss=k2 => ClockConfirmed"
    ));
}

/// A pause must not become endless because nobody sent anything meanwhile.
#[test]
fn the_clock_is_confirmed_during_a_pause() {
    check(&format!(
        "{WORLD}
        signed=k admin:root PauseSystem ten-letters => SystemPaused
        at 6d
        system ConfirmClock 6d root=k boss=k2 => ClockConfirmed
        signed=k admin:root ResumeSystem => SystemResumed"
    ));
}

#[test]
fn other_networks_follow_their_engine() {
    check(
        "world testnet IN=60000000 FR=40000000
        attester clinic 10 IN
        at 40000d
        open alice.IN 30 attest=clinic
        system ConfirmClock 40000d root=k boss=k2 => clock_right",
    );
}
