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

/// Two super admins have seen a forged order. Whatever else they set, the key has its say.
#[test]
fn an_order_for_another_key_does_not_get_past_the_present_one() {
    let ordered = "#reset admin:root ResetKeyByOrder alice.IN k2 => ActionProposed
        + admin:root ApproveAction #reset => same_admin
        + admin:clerk ApproveAction #reset => admin_level_too_low
        admin:boss ApproveAction #reset => ActionApproved, KeyResetOrdered userId=alice.IN
        admin:root CompleteKeyReset alice.IN => recovery_too_early
        #again admin:root ResetKeyByOrder alice.IN new => key_reset_open
        user:alice.IN VetoKeyReset alice.IN => signature_missing
        signed=k2 user:alice.IN VetoKeyReset alice.IN => signature_wrong
        user:mallory.FR VetoKeyReset alice.IN => not_own_account
        admin:root VetoKeyReset alice.IN => actor_not_allowed";
    let veto = "signed=k user:alice.IN VetoKeyReset alice.IN => KeyResetCancelled
        + signed=k user:alice.IN VetoKeyReset alice.IN => key_reset_not_found
        at 8d
        admin:root CompleteKeyReset alice.IN => key_reset_not_found";
    for meanwhile in [
        "",
        "admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen",
        "admin:root SetUserStatus alice.IN LOCKED => UserStatusSet",
        "#dead admin:root SetUserStatus alice.IN DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet",
    ] {
        attack(&format!("{ordered}\n{meanwhile}\n{veto}"));
    }
    attack(&format!(
        "{ordered}
        admin:root PauseSystem \"ten letters\" => SystemPaused
        {}",
        veto.replace(
            "key_reset_not_found\n        at 8d",
            "key_reset_not_found\n        at 8d\n\
            admin:root ResumeSystem => SystemResumed"
        )
    ));
}

/// Nobody can veto while the system stands still, so no time passes for it.
#[test]
fn a_pause_does_not_eat_the_time_for_a_veto() {
    attack(
        "#reset admin:root ResetKeyByOrder alice.IN k2 => ActionProposed
        admin:boss ApproveAction #reset => ActionApproved, KeyResetOrdered completableAt=604800000
        admin:root PauseSystem \"ten letters\" => SystemPaused
        at 7d
        admin:root CompleteKeyReset alice.IN => system_paused
        admin:root ResumeSystem => SystemResumed
        admin:root CompleteKeyReset alice.IN => recovery_too_early
        at 13d+86399999
        admin:root CompleteKeyReset alice.IN => recovery_too_early
        at 14d
        user:alice.IN CompleteKeyReset alice.IN => actor_not_allowed
        admin:root CompleteKeyReset alice.IN => KeyResetCompleted userId=alice.IN
        + admin:root CompleteKeyReset alice.IN => key_reset_not_found
        signed=k user:alice.IN Transfer alice.IN bob.FR 1GX => signature_wrong
        + signed=k2 user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred",
    );
}

/// Locked, or dead on paper, until the time is over; then free again in the same breath.
#[test]
fn an_owner_who_is_kept_from_acting_is_given_no_key() {
    attack(
        "#reset admin:root ResetKeyByOrder alice.IN k2 => ActionProposed
        admin:boss ApproveAction #reset => ActionApproved, KeyResetOrdered
        admin:clerk SetUserStatus alice.IN LOCKED => UserStatusSet
        at 7d
        admin:root CompleteKeyReset alice.IN => owner_not_active
        signed=k user:alice.IN RotateKey alice.IN new => account_locked
        signed=k user:alice.IN VetoKeyReset alice.IN => KeyResetCancelled
        admin:clerk SetUserStatus alice.IN ACTIVE => UserStatusSet
        + admin:root CompleteKeyReset alice.IN => key_reset_not_found",
    );
}

/// What is not carried out lapses, and whoever uses the key in between has not lost it.
#[test]
fn an_order_is_for_those_who_have_lost_their_key() {
    attack(
        "admin:root ResetKeyByOrder bob.FR k2 => key_missing
        admin:root ResetKeyByOrder treasury_IN k2 => key_missing
        admin:root ResetKeyByOrder alice.IN k => key_unchanged
        admin:root ResetKeyByOrder alice.IN k2 unproven => key_not_proven
        #moved admin:root ResetKeyByOrder alice.IN k2 => ActionProposed
        admin:boss ApproveAction #moved => ActionApproved, KeyResetOrdered
        signed=k user:alice.IN RotateKey alice.IN new => KeyRotated, KeyResetCancelled
        #late admin:root ResetKeyByOrder alice.IN k2 => ActionProposed
        admin:boss ApproveAction #late => ActionApproved, KeyResetOrdered
        at 37d
        admin:root CompleteKeyReset alice.IN => key_reset_not_found
        signed=new user:alice.IN VetoKeyReset alice.IN => key_reset_not_found",
    );
}

/// Guardians who have begun something, and an order: one new key, and no second one behind it.
#[test]
fn of_a_recovery_and_an_order_the_first_one_done_ends_the_other() {
    let both = "open g1.IN 30
        open g2.IN 30
        open g3.IN 30
        signed=k user:alice.IN NominateGuardians alice.IN g1.IN g2.IN g3.IN => GuardiansNominated
        #reset admin:root ResetKeyByOrder alice.IN k2 => ActionProposed
        admin:boss ApproveAction #reset => ActionApproved, KeyResetOrdered
        at 6d
        #r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed state=CONFIRMED
        at 8d";
    attack(&format!(
        "{both}
        user:g2.IN CompleteRecovery #r => RecoveryCompleted, KeyResetCancelled
        admin:root CompleteKeyReset alice.IN => key_reset_not_found"
    ));
    attack(&format!(
        "{both}
        admin:root CompleteKeyReset alice.IN => KeyResetCompleted, RecoveryCancelled
        user:g2.IN CompleteRecovery #r => recovery_over"
    ));
}

/// One dishonest guardian against an owner who has the key and against honest ones who help.
#[test]
fn one_guardian_neither_wears_the_owner_out_nor_keeps_others_from_helping() {
    attack(
        "open g1.IN 30
        open g2.IN 30
        open g3.IN 30
        signed=k user:alice.IN NominateGuardians alice.IN g1.IN g2.IN g3.IN => GuardiansNominated
        #bad user:g1.IN InitiateRecovery alice.IN k2 => RecoveryInitiated
        + user:g1.IN InitiateRecovery alice.IN k2 => recovery_open
        + user:g1.IN ConfirmRecovery #bad => already_confirmed
        signed=k user:alice.IN CancelRecovery #bad => RecoveryCancelled
        + user:g1.IN InitiateRecovery alice.IN k2 => recovery_too_soon
        at 29d
        user:g1.IN InitiateRecovery alice.IN k2 => recovery_too_soon
        #good user:g2.IN InitiateRecovery alice.IN new => RecoveryInitiated
        at 30d
        #bad2 user:g1.IN InitiateRecovery alice.IN k2 => RecoveryInitiated
        user:g3.IN ConfirmRecovery #good => RecoveryConfirmed state=CONFIRMED, RecoveryCancelled
        + user:g3.IN ConfirmRecovery #bad2 => recovery_not_pending
        at 32d
        user:g1.IN CompleteRecovery #good => RecoveryCompleted",
    );
}

/// A lock by one admin, and guardians who wait for it: the veto is taken all the same.
#[test]
fn a_locked_owner_vetoes_a_recovery() {
    attack(
        "open g1.IN 30
        open g2.IN 30
        open g3.IN 30
        signed=k user:alice.IN NominateGuardians alice.IN g1.IN g2.IN g3.IN => GuardiansNominated
        #r user:g1.IN InitiateRecovery alice.IN k2 => RecoveryInitiated
        admin:clerk SetUserStatus alice.IN LOCKED => UserStatusSet
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed state=CONFIRMED
        at 2d
        user:g2.IN CompleteRecovery #r => owner_not_active
        user:alice.IN CancelRecovery #r => signature_missing
        signed=k user:alice.IN CancelRecovery #r => RecoveryCancelled
        admin:clerk SetUserStatus alice.IN ACTIVE => UserStatusSet
        user:g2.IN CompleteRecovery #r => recovery_over",
    );
}

/// Two people say of each other all that there is to say.
#[test]
fn two_accounts_make_each_other_no_score_of_ninety() {
    attack(
        "user:bob.FR RequestRelationship bob.FR mallory.FR FATHER_OF => RelationshipRequested
        user:mallory.FR RequestRelationship mallory.FR bob.FR FATHER_OF => RelationshipRequested
        user:bob.FR RequestRelationship bob.FR mallory.FR SPOUSE_OF => RelationshipRequested
        user:bob.FR RequestRelationship bob.FR mallory.FR SIBLING_OF => RelationshipRequested
        user:mallory.FR ConfirmRelationship SPOUSE_OF:bob.FR:mallory.FR => \
            RelationshipConfirmed trust.0.trustScore=35 trust.1.trustScore=35
        + user:mallory.FR ConfirmRelationship FATHER_OF:bob.FR:mallory.FR => family_already
        + user:bob.FR ConfirmRelationship FATHER_OF:mallory.FR:bob.FR => family_already
        + user:mallory.FR ConfirmRelationship SIBLING_OF:bob.FR:mallory.FR => family_already
        user:mallory.FR RequestRelationship mallory.FR bob.FR CHILD_OF => family_already
        user:mallory.FR ApplyForLoan 100GX 10 => account_too_young
        at 30d
        user:mallory.FR ApplyForLoan 100GX 10 => trust_too_low",
    );
}

/// Accounts made for a vote or a loan wait for thirty days, whatever others say of them.
#[test]
fn accounts_of_today_neither_vote_nor_borrow() {
    attack(
        "at 40d
        open puppet.IN 30
        put t/@puppet.IN {\"v\":1,\"father\":\"IN 1ZP ABC123 0WXYZ 1234\",\
            \"spouse\":\"IN 1ZP ABC123 0WXYZ 1234\",\"siblings\":1,\"children\":0,\
            \"friends\":0,\"businessPartners\":0,\"directors\":0,\
            \"workplaceAssociates\":0,\"conduct\":0}
        user:bob.FR RequestRelationship bob.FR puppet.IN FRIEND_OF => RelationshipRequested
        user:puppet.IN ConfirmRelationship FRIEND_OF:bob.FR:puppet.IN => RelationshipConfirmed \
            trust.1.trustScore=81
        #vote admin:clerk SubmitProposal votingDays 60 longer => ProposalSubmitted
        user:puppet.IN VoteOnProposal #vote FOR => account_too_young
        user:puppet.IN ApplyForLoan 100GX 10 => account_too_young
        at 69d+86399999
        user:puppet.IN ApplyForLoan 100GX 10 => account_too_young
        at 70d
        user:puppet.IN ApplyForLoan 100GX 10 => LoanApplied",
    );
}
