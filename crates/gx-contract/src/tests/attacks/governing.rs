//! Attacks on what governs everybody: parameters, the offices of admins, and the pools.

use super::attack;

/// Two admins want the loan pool: limits up to the supply, trust down to nothing, and at once.
#[test]
fn two_super_admins_do_not_open_the_loan_pool_overnight() {
    attack(
        "admin:clerk UpdateSystemParameter loanTrustMin 50 => actor_not_allowed
        admin:root UpdateSystemParameter loanTrustMin 49 => value_out_of_bounds
        admin:root UpdateSystemParameter loanAmountMax 10000001GX => value_out_of_bounds
        admin:root UpdateSystemParameter loanOutstandingMax 100000001GX => value_out_of_bounds
        admin:root UpdateSystemParameter loanOpenMax 21 => value_out_of_bounds
        #x admin:root UpdateSystemParameter loanAmountMax 10000000GX => ActionProposed
        + admin:boss ApproveAction #x => ActionApproved, ParameterScheduled
        trust bob.FR 75
        user:bob.FR ApplyForLoan 1000001GX 10 => loan_amount_invalid
        at 6d+86399999
        user:bob.FR ApplyForLoan 1000001GX 10 => loan_amount_invalid",
    );
}

/// Any honest super admin has a week to see it, and one word is enough.
#[test]
fn one_honest_super_admin_stops_what_two_others_have_decided() {
    attack(
        "#third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        #x admin:root UpdateSystemParameter disbursementMax 1000000000GX => ActionProposed
        admin:boss ApproveAction #x => ActionApproved, ParameterScheduled
        at 3d
        admin:root PauseSystem \"nobody may look\" => SystemPaused
        admin:third CancelParameterChange disbursementMax => system_paused
        at 30d
        admin:root ResumeSystem => SystemResumed
        + admin:third CancelParameterChange disbursementMax => ParameterChangeCancelled
        at 60d
        admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 100000001GX aid => amount_above_cap",
    );
}

/// What two have scheduled before a vote does not overrule it afterwards.
#[test]
fn two_super_admins_do_not_undo_a_vote_by_what_they_decided_before() {
    attack(
        "trust bob.FR 75
        #p admin:root SubmitProposal velocityTaxBand1Bps 200 less => ProposalSubmitted
        needs #p 1 50
        user:bob.FR VoteOnProposal #p FOR => VoteCast
        at 12d
        #x admin:root UpdateSystemParameter velocityTaxBand1Bps 1000 => ActionProposed
        admin:boss ApproveAction #x => ActionApproved, ParameterScheduled
        at 14d
        system ExecuteProposal #p => ProposalExecuted, ParameterChangeCancelled \
            reason=SUPERSEDED, SystemParameterUpdated newValue=200
        at 19d
        user:bob.FR Transfer bob.FR mallory.FR 1GX => Transferred",
    );
}

/// Nobody is taxed, lent to or voted down by a value that makes the rule a joke.
#[test]
fn a_vote_has_voters_whatever_two_super_admins_would_rather_have() {
    attack(
        "admin:root UpdateSystemParameter votingQuorum 99 => value_out_of_bounds
        admin:root UpdateSystemParameter votingTrustMin 24 => value_out_of_bounds
        admin:root UpdateSystemParameter votingTrustMin 91 => value_out_of_bounds
        admin:root UpdateSystemParameter votingDays 6 => value_out_of_bounds
        admin:root UpdateSystemParameter votingDays 91 => value_out_of_bounds
        admin:root UpdateSystemParameter votingApprovalPercent 49 => value_out_of_bounds
        admin:root UpdateSystemParameter votingApprovalPercent 91 => value_out_of_bounds
        admin:root UpdateSystemParameter velocityTaxPeriodDays 179 => value_out_of_bounds
        admin:root UpdateSystemParameter velocityTaxThreshold 9999999 => value_out_of_bounds
        admin:root UpdateSystemParameter guardianDelayHours 23 => value_out_of_bounds
        admin:root UpdateSystemParameter guardianDelayHours 721 => value_out_of_bounds
        admin:root UpdateSystemParameter disbursementMax 1000000001GX => value_out_of_bounds",
    );
}

/// One super admin makes a puppet the second one, and hopes that nobody looks.
#[test]
fn an_emergency_of_one_is_no_way_around_the_others() {
    attack(
        "#puppet admin:root AppointAdmin puppet SUPER_ADMIN mallory.FR emergency => \
            ActionProposed
        + admin:root ApproveAction #puppet => action_too_early
        + admin:clerk RejectAction #puppet => admin_level_too_low
        + admin:clerk AppointAdmin other SUPER_ADMIN emergency => actor_not_allowed
        at 3d
        admin:root PauseSystem \"nobody may look\" => SystemPaused
        at 40d
        admin:root ResumeSystem => SystemResumed
        + admin:root ApproveAction #puppet => action_too_early
        + admin:boss RejectAction #puppet => ActionRejected
        at 90d
        admin:root ApproveAction #puppet => action_closed
        admin:puppet PauseSystem \"ten letters\" => actor_unknown",
    );
}

/// The key of the one who began it was stolen, and is replaced in time.
#[test]
fn an_emergency_begun_with_a_stolen_key_ends_with_the_key() {
    attack(
        "admin:root RegisterAdminKey k => AdminKeyRegistered
        at 1
        #puppet signed=k admin:root AppointAdmin puppet SUPER_ADMIN emergency => ActionProposed
        at 2
        signed=k admin:root RotateAdminKey k2 => AdminKeyRotated
        at 30d+2
        signed=k admin:root ApproveAction #puppet => signature_wrong
        signed=k2 admin:root ApproveAction #puppet => proposer_not_admin",
    );
}

/// The pools, a slice at a time, to a company, to a frozen friend, in one batch, before midnight.
#[test]
fn two_super_admins_do_not_empty_a_pool_in_a_day() {
    let mut lines = String::from("org shop.FR.1 mallory.FR bob.FR\nat 3d+86399000\n");
    for label in ["a", "b", "c", "d", "e"] {
        lines += &format!(
            "#{label} admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 100000000GX aid => \
                ActionProposed
            + admin:boss ApproveAction #{label} => ActionApproved, PoolDisbursed\n"
        );
    }
    attack(&format!(
        "{lines}
        #f admin:root DisburseFromPool SYSTEM_LOAN_POOL alice.IN 1 aid => day_exhausted
        + #g admin:root DisburseFromPool SYSTEM_GX_POOL shop.FR.1 1 aid => day_exhausted
        at 4d
        #h admin:root DisburseFromPool SYSTEM_GX_POOL shop.FR.1 1 aid => ActionProposed
        + admin:boss ApproveAction #h => recipient_is_admin
        = shop.FR.1 0
        = bob.FR 500000500GX"
    ));
}
