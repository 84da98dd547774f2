//! Nobody is irreplaceable: who takes whose place, alone and by two, and how many must be there.

use super::script::{check, check_in_world};

const TWO: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed";

/// One of the two is lost, and the other begins on the first day.
const LOST: &str = "#third admin:root AppointAdmin third SUPER_ADMIN emergency => ActionProposed \
    aloneFrom=2592000000 expiresAt=3196800000";

fn check_two(table: &str) {
    check(&format!("{TWO}\n{table}"));
}

fn check_lost(table: &str) {
    check_two(&format!("{LOST}\n{table}"));
}

#[test]
fn one_super_admin_appoints_alone_after_thirty_days() {
    check_lost(
        "admin:root ApproveAction #third => action_too_early
        at 29d+86399999
        admin:root ApproveAction #third => action_too_early
        at 30d
        admin:root ApproveAction #third => ActionApproved approvedBy=root, \
            AdminAppointed adminId=third level=SUPER_ADMIN
        admin:root ApproveAction #third => action_executed
        #out admin:root RemoveAdmin boss => ActionProposed
        admin:third ApproveAction #out => ActionApproved, AdminRemoved",
    );
}

#[test]
fn an_emergency_that_nobody_completes_expires_a_week_later() {
    check_lost(
        "at 37d
        admin:root ApproveAction #third => action_expired",
    );
}

/// Who is there after all says so, at any time before, or simply agrees.
#[test]
fn any_other_super_admin_rejects_an_emergency_or_approves_it_at_once() {
    check_lost(
        "at 30d
        admin:boss RejectAction #third => ActionRejected rejectedBy=boss
        + admin:root ApproveAction #third => action_closed",
    );
    check_lost("admin:boss ApproveAction #third => ActionApproved, AdminAppointed adminId=third");
    check_lost(
        "admin:root RejectAction #third => same_admin
        admin:root WithdrawAction #third => ActionWithdrawn
        at 30d
        admin:root ApproveAction #third => action_closed",
    );
}

#[test]
fn nothing_else_is_decided_alone_however_long_one_waits() {
    check_two(
        "#plain admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        #out admin:root RemoveAdmin boss => too_few_super_admins
        #aid admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => ActionProposed
        at 6d
        admin:root ApproveAction #plain => same_admin
        admin:root ApproveAction #aid => same_admin",
    );
}

/// Who stops the system must not let the others' time run out meanwhile.
#[test]
fn a_pause_puts_an_emergency_off() {
    check_lost(
        "at 1d
        admin:root PauseSystem looking-for-the-fault => SystemPaused
        at 41d
        admin:root ResumeSystem => SystemResumed
        admin:root ApproveAction #third => action_too_early
        at 69d+86399999
        admin:root ApproveAction #third => action_too_early
        at 70d
        admin:root ApproveAction #third => ActionApproved, AdminAppointed",
    );
}

#[test]
fn the_emergency_of_who_is_gone_is_not_completed() {
    check_lost(
        "#fourth admin:root AppointAdmin fourth SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #fourth => ActionApproved, AdminAppointed
        #away admin:fourth ReplaceAdmin root fifth => ActionProposed
        admin:root RejectAction #away => same_admin
        admin:boss ApproveAction #away => ActionApproved, AdminReplaced
        at 30d
        admin:root ApproveAction #third => actor_unknown
        admin:boss ApproveAction #third => proposer_not_admin
        #back admin:boss ReplaceAdmin fifth root => ActionProposed
        admin:fourth ApproveAction #back => ActionApproved, AdminReplaced
        admin:root ApproveAction #third => proposer_not_admin",
    );
}

#[test]
fn two_put_a_third_in_the_place_of_an_admin_at_one_moment() {
    check_two(
        "#clerk admin:root AppointAdmin clerk ADMIN alice.IN => ActionProposed
        admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed
        admin:clerk ReplaceAdmin boss late => actor_not_allowed
        admin:root ReplaceAdmin root late => not_oneself
        admin:root ReplaceAdmin boss root => not_oneself
        admin:root ReplaceAdmin late boss => admin_unknown
        admin:root ReplaceAdmin clerk boss => admin_exists
        admin:root ReplaceAdmin boss late nobody.IN => admin_account_invalid
        #x admin:root ReplaceAdmin clerk late bob.FR => ActionProposed
        admin:boss ApproveAction #x => ActionApproved, AdminReplaced oldAdminId=clerk \
            newAdminId=late level=ADMIN accountId=bob.FR
        + admin:boss ApproveAction #x => action_executed
        admin:clerk SubmitProposal votingDays 15 longer => actor_unknown
        admin:late SubmitProposal votingDays 15 longer => ProposalSubmitted",
    );
}

/// At no moment is one super admin alone, who could appoint whom he likes.
#[test]
fn a_super_admin_is_replaced_even_when_there_are_two() {
    check_two(
        "admin:root RemoveAdmin boss => too_few_super_admins
        #x admin:root ReplaceAdmin boss late => ActionProposed
        admin:root ApproveAction #x => same_admin
        admin:boss RejectAction #x => same_admin
        admin:boss ApproveAction #x => ActionApproved, AdminReplaced level=SUPER_ADMIN
        admin:boss PauseSystem \"ten letters\" => actor_unknown
        #y admin:root AppointAdmin mine SUPER_ADMIN => ActionProposed
        admin:late ApproveAction #y => ActionApproved, AdminAppointed",
    );
}

#[test]
fn a_successor_has_no_key_of_the_one_before() {
    check_two(
        "admin:boss RegisterAdminKey k => AdminKeyRegistered
        #x admin:root ReplaceAdmin boss late => ActionProposed
        signed=k admin:boss ApproveAction #x => ActionApproved, AdminReplaced
        signed=k admin:late PauseSystem \"ten letters\" => signature_unexpected
        signed=k admin:boss PauseSystem \"ten letters\" => actor_unknown
        admin:late RegisterAdminKey k2 => AdminKeyRegistered",
    );
}

#[test]
fn on_mainnet_three_super_admins_come_before_the_first_user() {
    check(
        "system BootstrapSystem root mainnet => SystemBootstrapped
        admin:root InitializeCountryData IN=100000000 => CountriesInitialized
        system CreateUser alice.IN 30 => super_admins_missing
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #clerk admin:root AppointAdmin clerk ADMIN => ActionProposed
        admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed
        system CreateUser alice.IN 30 => super_admins_missing
        #third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        attester clinic 10 IN
        system CreateUser alice.IN 30 attest=clinic => GenesisDistributed, UserCreated
        #out admin:root RemoveAdmin boss => ActionProposed
        admin:third ApproveAction #out => ActionApproved, AdminRemoved
        system CreateUser bob.IN 30 => super_admins_missing",
    );
    check_in_world("system CreateUser alice.IN 30 => GenesisDistributed, UserCreated");
}

#[test]
fn bootstrap_may_name_the_first_admins_key_and_account() {
    check(
        "system BootstrapSystem root key 0*64 => public_key_invalid
        system BootstrapSystem root key k unproven => key_not_proven
        system BootstrapSystem root account=treasury_IN => admin_account_invalid
        system BootstrapSystem root account=shop.IN.1 => admin_account_invalid
        system BootstrapSystem root account=alice.IN key k => SystemBootstrapped \
            firstSuperAdmin=root accountId=alice.IN
        admin:root InitializeCountryData IN=100000000 => signature_missing
        signed=k2 admin:root InitializeCountryData IN=100000000 => signature_wrong
        admin:root RegisterAdminKey k2 => signature_missing
        signed=k admin:root RegisterAdminKey k2 => key_exists
        signed=k admin:root InitializeCountryData IN=100000000 => CountriesInitialized
        open alice.IN 30
        signed=k admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        signed=k admin:root DisburseFromPool SYSTEM_GX_POOL alice.IN 1 aid => recipient_is_admin",
    );
}
