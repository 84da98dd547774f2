//! Administrators, actions that need two of them, and parameters changed that way.

use super::script::{check, check_in_world};

/// A world with two super admins and one admin of the lower level.
const ADMINS: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed adminId=boss level=SUPER_ADMIN
    #clerk admin:root AppointAdmin clerk ADMIN => ActionProposed
    admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed";

fn check_with_admins(table: &str) {
    check(&format!("{ADMINS}\n{table}"));
}

#[test]
fn the_only_super_admin_names_the_second_alone_and_nobody_else() {
    check_in_world(
        "#a admin:root AppointAdmin clerk ADMIN => ActionProposed proposedBy=root
        admin:root ApproveAction #a => same_admin
        admin:clerk PauseSystem \"ten letters\" => actor_unknown
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed adminId=boss
        admin:boss ApproveAction #a => ActionApproved, AdminAppointed adminId=clerk level=ADMIN
        #b admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:third PauseSystem \"ten letters\" => actor_unknown
        admin:boss ApproveAction #b => ActionApproved, AdminAppointed adminId=third
        admin:third PauseSystem \"ten letters\" => SystemPaused",
    );
}

#[test]
fn an_action_tells_what_it_is_and_runs_when_another_admin_approves() {
    check_with_admins(
        "at 5000
        #days admin:root UpdateSystemParameter votingDays 21 => ActionProposed proposedBy=root \
            expiresAt=604805000 command.AdminContract:UpdateSystemParameter.paramId=votingDays \
            command.AdminContract:UpdateSystemParameter.newValue=21
        admin:root ApproveAction #days => same_admin
        admin:boss ApproveAction #days => ActionApproved approvedBy=boss, \
            ParameterScheduled paramId=votingDays oldValue=14 newValue=21 effectiveAt=604805000
        + admin:root ApproveAction #days => action_executed
        admin:boss ApproveAction #days => action_executed
        admin:boss ApproveAction #nothing => action_unknown",
    );
}

#[test]
fn an_action_can_be_approved_in_the_batch_that_proposed_it() {
    check_with_admins(
        "#x admin:root RemoveAdmin clerk => ActionProposed
        + admin:boss ApproveAction #x => ActionApproved, AdminRemoved adminId=clerk level=ADMIN
        + #y admin:boss RemoveAdmin clerk => admin_unknown",
    );
}

#[test]
fn an_action_is_rejected_by_who_could_approve_it_and_withdrawn_by_who_proposed_it() {
    check_with_admins(
        "#x admin:root AppointAdmin third ADMIN => ActionProposed
        admin:root RejectAction #x => same_admin
        admin:clerk RejectAction #x => admin_level_too_low
        admin:boss WithdrawAction #x => not_proposer
        admin:boss RejectAction #x => ActionRejected rejectedBy=boss
        + admin:boss ApproveAction #x => action_closed
        admin:root WithdrawAction #x => action_closed
        #y admin:root UpdateSystemParameter votingDays 21 => ActionProposed
        admin:root WithdrawAction #y => ActionWithdrawn withdrawnBy=root
        + admin:boss ApproveAction #y => action_closed
        admin:boss RejectAction #y => action_closed
        #z admin:root UpdateSystemParameter votingDays 22 => ActionProposed
        admin:boss ApproveAction #z => ActionApproved, ParameterScheduled
        admin:root WithdrawAction #z => action_executed
        admin:boss RejectAction #z => action_executed",
    );
}

#[test]
fn an_action_waits_for_seven_days() {
    check_with_admins(
        "at 1000
        #in-time admin:root UpdateSystemParameter votingDays 21 => ActionProposed
        #too-late admin:root UpdateSystemParameter votingDays 22 => ActionProposed
        at 604800999
        admin:boss ApproveAction #in-time => ActionApproved, ParameterScheduled
        at 604801000
        admin:boss ApproveAction #too-late => action_expired
        admin:root ApproveAction #too-late => action_expired",
    );
}

/// A pause must not use up the time in which a second admin can look.
#[test]
fn an_action_waits_seven_days_without_those_of_a_pause() {
    check_with_admins(
        "at 1d
        #x admin:root UpdateSystemParameter votingDays 21 => ActionProposed expiresAt=691200000
        #y admin:root UpdateSystemParameter votingQuorum 101 => ActionProposed expiresAt=691200000
        at 2d
        admin:root PauseSystem looking-for-the-fault => SystemPaused
        at 12d
        admin:root ResumeSystem => SystemResumed pausedSince=172800000
        #z admin:root UpdateSystemParameter votingDays 23 => ActionProposed expiresAt=1641600000
        at 17d+86399999
        admin:boss ApproveAction #x => ActionApproved, ParameterScheduled
        at 18d
        admin:boss ApproveAction #y => action_expired",
    );
}

#[test]
fn an_action_is_approved_by_an_admin_of_its_level() {
    check_with_admins(
        "#x admin:root RemoveAdmin clerk => ActionProposed
        admin:clerk ApproveAction #x => admin_level_too_low
        #y admin:root UpdateSystemParameter votingDays 21 => ActionProposed
        admin:clerk ApproveAction #y => admin_level_too_low
        as gx_admin admin:boss ApproveAction #x => role_not_allowed
        as gx_partner_api admin:boss ApproveAction #x => role_not_allowed
        system ApproveAction #x => actor_not_allowed
        user:alice.IN ApproveAction #x => actor_not_allowed
        admin:boss ApproveAction #x => ActionApproved, AdminRemoved",
    );
}

#[test]
fn what_a_removed_admin_proposed_does_not_run() {
    check_with_admins(
        "#third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        #days admin:third UpdateSystemParameter votingDays 21 => ActionProposed
        #end admin:root RemoveAdmin third => ActionProposed
        admin:boss ApproveAction #end => ActionApproved, AdminRemoved
        admin:boss ApproveAction #days => proposer_not_admin
        #back admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #back => ActionApproved, AdminAppointed
        admin:boss ApproveAction #days => ActionApproved, ParameterScheduled",
    );
}

#[test]
fn a_proposal_does_nothing_yet_and_tells_at_once_what_could_never_run() {
    check_with_admins(
        "admin:root AppointAdmin clerk ADMIN => admin_exists
        admin:root AppointAdmin clerk SUPER_ADMIN => admin_exists
        admin:root UpdateSystemParameter votingDays 6 => value_out_of_bounds
        admin:root UpdateSystemParameter velocityTaxThreshold 1000GX => parameters_inconsistent
        #x admin:root DisburseFromPool SYSTEM_CHARITABLE_POOL bob.FR 10000GX aid => ActionProposed
        = bob.FR 500GX
        = SYSTEM_CHARITABLE_POOL 158000000000GX",
    );
}

#[test]
fn an_approval_runs_against_the_state_that_it_finds() {
    check_with_admins(
        "#x admin:root AppointAdmin late ADMIN => ActionProposed
        #y admin:root AppointAdmin late ADMIN => ActionProposed
        admin:boss ApproveAction #x => ActionApproved, AdminAppointed
        admin:boss ApproveAction #y => admin_exists
        #cap admin:root UpdateSystemParameter feeCapBps 45 => ActionProposed
        #rate admin:root UpdateSystemParameter feeB2bLocalBps 46 => ActionProposed
        admin:boss ApproveAction #rate => ActionApproved, ParameterScheduled
        admin:boss ApproveAction #cap => parameters_inconsistent
        admin:root CancelParameterChange feeB2bLocalBps => ParameterChangeCancelled
        admin:boss ApproveAction #cap => ActionApproved, ParameterScheduled",
    );
}

#[test]
fn admins_neither_appoint_nor_remove_themselves() {
    check_with_admins(
        "admin:root AppointAdmin root SUPER_ADMIN => not_oneself
        admin:root AppointAdmin root ADMIN => not_oneself
        admin:root RemoveAdmin root => not_oneself
        admin:clerk RemoveAdmin clerk => actor_not_allowed",
    );
}

#[test]
fn two_super_admins_stay() {
    check_with_admins(
        "admin:root RemoveAdmin boss => too_few_super_admins
        #third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        #a admin:root RemoveAdmin boss => ActionProposed
        #b admin:boss RemoveAdmin third => ActionProposed
        admin:third ApproveAction #a => ActionApproved, AdminRemoved adminId=boss level=SUPER_ADMIN
        admin:root ApproveAction #b => proposer_not_admin
        #c admin:root RemoveAdmin third => too_few_super_admins
        admin:boss PauseSystem \"ten letters\" => actor_unknown",
    );
    check_in_world("admin:root RemoveAdmin nobody => admin_unknown");
}

#[test]
fn a_removal_that_would_leave_one_is_refused_when_it_is_approved() {
    check_with_admins(
        "#third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        #a admin:root RemoveAdmin boss => ActionProposed
        #b admin:root RemoveAdmin third => ActionProposed
        admin:boss ApproveAction #b => ActionApproved, AdminRemoved
        admin:boss ApproveAction #a => too_few_super_admins",
    );
}

#[test]
fn an_admins_own_account_is_one_of_a_user() {
    check_with_admins(
        "admin:root AppointAdmin late ADMIN nobody.IN => admin_account_invalid
        admin:root AppointAdmin late ADMIN treasury_IN => admin_account_invalid
        admin:root AppointAdmin late ADMIN SYSTEM_GX_POOL => admin_account_invalid
        #x admin:root AppointAdmin late ADMIN alice.IN => ActionProposed
        admin:boss ApproveAction #x => ActionApproved, AdminAppointed accountId=alice.IN",
    );
}
