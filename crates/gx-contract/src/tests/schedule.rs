//! Changes of parameters: who decides on them, when they take effect, and who calls them off.

use super::script::check;

const ADMINS: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
    #clerk admin:root AppointAdmin clerk ADMIN => ActionProposed
    admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed";

/// Two super admins have decided on a dearer fee, on the first day.
const DEARER: &str = "#x admin:root UpdateSystemParameter feeP2pCrossBorderLowerBps 100 => \
        ActionProposed
    admin:boss ApproveAction #x => ActionApproved, ParameterScheduled effectiveAt=604800000";

fn check_with_admins(table: &str) {
    check(&format!("{ADMINS}\n{table}"));
}

fn check_dearer(table: &str) {
    check_with_admins(&format!("{DEARER}\n{table}"));
}

#[test]
fn parameters_are_changed_by_two_super_admins_in_their_role() {
    check_with_admins(
        "as gx_admin admin:root UpdateSystemParameter votingDays 21 => role_not_allowed
        as gx_partner_api admin:root UpdateSystemParameter votingDays 21 => role_not_allowed
        system UpdateSystemParameter votingDays 21 => actor_not_allowed
        user:alice.IN UpdateSystemParameter votingDays 21 => actor_not_allowed
        admin:clerk UpdateSystemParameter votingDays 21 => actor_not_allowed
        #x admin:root UpdateSystemParameter votingDays 21 => ActionProposed
        admin:clerk ApproveAction #x => admin_level_too_low
        admin:root ApproveAction #x => same_admin",
    );
}

#[test]
fn a_change_takes_effect_with_the_first_command_seven_days_later() {
    check_dearer(
        "at 6d+86399999
        user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=15000
        at 7d
        user:alice.IN Transfer alice.IN bob.FR 10GX => \
            SystemParameterUpdated oldValue=15 newValue=100 changes=1, Transferred fee=100000
        + user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=100000
        user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=100000",
    );
}

/// A refused command leaves no trace, and the change waits for the next one.
#[test]
fn a_refused_command_does_not_carry_the_change_but_is_judged_by_it() {
    check_dearer(
        "at 7d
        user:alice.IN Transfer alice.IN bob.FR 499GX => insufficient_balance
        + user:alice.IN Transfer alice.IN alice.IN 1GX => same_account
        + user:alice.IN Transfer alice.IN bob.FR 10GX => \
            SystemParameterUpdated, Transferred fee=100000
        + user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=100000",
    );
}

/// What an admin proposes then is tried and taken back; what came into force stays.
#[test]
fn a_proposal_carries_a_change_as_any_command_does() {
    check_dearer(
        "at 8d
        #aid admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => \
            SystemParameterUpdated newValue=100, ActionProposed
        user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=100000
        admin:boss ApproveAction #aid => ActionApproved, PoolDisbursed",
    );
}

#[test]
fn any_super_admin_calls_a_change_off_until_then() {
    check_dearer(
        "admin:clerk CancelParameterChange feeP2pCrossBorderLowerBps => actor_not_allowed
        system CancelParameterChange feeP2pCrossBorderLowerBps => actor_not_allowed
        admin:root CancelParameterChange votingDays => parameter_change_not_scheduled
        at 6d+86399999
        admin:boss CancelParameterChange feeP2pCrossBorderLowerBps => ParameterChangeCancelled \
            newValue=100 reason=CALLED_OFF cancelledBy=boss
        + admin:root CancelParameterChange feeP2pCrossBorderLowerBps => \
            parameter_change_not_scheduled
        at 7d
        user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=15000",
    );
    check_dearer(
        "at 7d
        admin:boss CancelParameterChange feeP2pCrossBorderLowerBps => \
            parameter_change_not_scheduled
        user:alice.IN Transfer alice.IN bob.FR 10GX => SystemParameterUpdated, Transferred",
    );
}

#[test]
fn of_a_parameter_one_change_is_scheduled_at_a_time() {
    check_dearer(
        "admin:root UpdateSystemParameter feeP2pCrossBorderLowerBps 90 => \
            parameter_change_scheduled
        #y admin:root UpdateSystemParameter votingDays 21 => ActionProposed
        #z admin:root UpdateSystemParameter votingDays 22 => ActionProposed
        admin:boss ApproveAction #y => ActionApproved, ParameterScheduled
        admin:boss ApproveAction #z => parameter_change_scheduled
        admin:boss CancelParameterChange votingDays => ParameterChangeCancelled newValue=21
        admin:boss ApproveAction #z => ActionApproved, ParameterScheduled newValue=22",
    );
}

/// Nobody watches while nothing runs, so a pause does not count.
#[test]
fn a_pause_puts_a_change_off() {
    check_dearer(
        "at 2d
        admin:root PauseSystem looking-for-the-fault => SystemPaused
        at 12d
        admin:root ResumeSystem => SystemResumed
        at 16d+86399999
        user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=15000
        at 17d
        user:alice.IN Transfer alice.IN bob.FR 10GX => SystemParameterUpdated, Transferred",
    );
}

#[test]
fn changes_take_effect_in_the_order_of_their_times_and_fit_each_other_then() {
    // The cap that comes first makes room for the rate, and both come with one command.
    check_with_admins(
        "#down admin:root UpdateSystemParameter feeCapBps 45 => ActionProposed
        admin:boss ApproveAction #down => ActionApproved, ParameterScheduled
        at 8d
        #cap admin:root UpdateSystemParameter feeCapBps 60 => \
            SystemParameterUpdated newValue=45, ActionProposed
        admin:root UpdateSystemParameter feeB2bLocalBps 50 => parameters_inconsistent
        admin:boss ApproveAction #cap => ActionApproved, ParameterScheduled
        at 9d
        #rate admin:root UpdateSystemParameter feeB2bLocalBps 50 => ActionProposed
        admin:boss ApproveAction #rate => ActionApproved, ParameterScheduled
        at 30d
        user:alice.IN Transfer alice.IN bob.FR 10GX => SystemParameterUpdated paramId=feeCapBps, \
            SystemParameterUpdated paramId=feeB2bLocalBps changes=3, Transferred",
    );
    // Called off, it makes no room: what relied on it is dropped, and an event says so.
    check_with_admins(
        r#"put s/parameters {"v":1,"changes":1,"values":{"feeCapBps":"45"}}
        #cap admin:root UpdateSystemParameter feeCapBps 60 => ActionProposed
        admin:boss ApproveAction #cap => ActionApproved, ParameterScheduled
        #rate admin:root UpdateSystemParameter feeB2bLocalBps 50 => ActionProposed
        admin:boss ApproveAction #rate => ActionApproved, ParameterScheduled
        admin:boss CancelParameterChange feeCapBps => ParameterChangeCancelled
        at 7d
        user:alice.IN Transfer alice.IN bob.FR 10GX => ParameterChangeCancelled \
            paramId=feeB2bLocalBps reason=PARAMETERS_INCONSISTENT, Transferred
        user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred"#,
    );
}

/// The users' word holds at once, and what two admins meant meanwhile is not left to overrule it.
#[test]
fn a_vote_calls_off_what_was_scheduled_for_its_parameter() {
    check_with_admins(
        "#p admin:root SubmitProposal feeB2bLocalBps 30 fairer => ProposalSubmitted
        needs #p 1 10
        trust alice.IN 10
        user:alice.IN VoteOnProposal #p FOR => VoteCast
        at 13d
        #x admin:root UpdateSystemParameter feeB2bLocalBps 900 => ActionProposed
        admin:boss ApproveAction #x => ActionApproved, ParameterScheduled
        #y admin:root UpdateSystemParameter votingDays 21 => ActionProposed
        admin:boss ApproveAction #y => ActionApproved, ParameterScheduled
        at 14d
        system ExecuteProposal #p => ProposalExecuted, ParameterChangeCancelled \
            paramId=feeB2bLocalBps newValue=900 reason=SUPERSEDED, \
            SystemParameterUpdated oldValue=20 newValue=30
        at 21d
        user:alice.IN Transfer alice.IN bob.FR 10GX => \
            SystemParameterUpdated paramId=votingDays, Transferred",
    );
}
