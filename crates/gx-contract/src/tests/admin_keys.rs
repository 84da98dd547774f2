//! Keys of administrators, and what a service process can do that has none of them.

use super::script::check;

const ADMINS: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
    #clerk admin:root AppointAdmin clerk ADMIN => ActionProposed
    admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed";

fn check_with_admins(table: &str) {
    check(&format!("{ADMINS}\n{table}"));
}

/// What it is for: the process speaks for both admins, and has the key of neither.
#[test]
fn a_process_without_their_keys_empties_no_pool() {
    check_with_admins(
        "admin:root RegisterAdminKey k => AdminKeyRegistered adminId=root
        admin:boss RegisterAdminKey k2 => AdminKeyRegistered adminId=boss
        admin:root DisburseFromPool SYSTEM_GX_POOL alice.IN 1GX aid => signature_missing
        signed=k2 admin:root DisburseFromPool SYSTEM_GX_POOL alice.IN 1GX aid => signature_wrong
        #aid signed=k admin:root DisburseFromPool SYSTEM_GX_POOL alice.IN 1GX aid => \
            ActionProposed
        admin:boss ApproveAction #aid => signature_missing
        signed=k admin:boss ApproveAction #aid => signature_wrong
        admin:root FreezeWallet alice.IN COURT_ORDER => signature_missing
        admin:root PauseSystem \"ten letters\" => signature_missing
        signed=k2 admin:boss ApproveAction #aid => ActionApproved, PoolDisbursed
        = alice.IN 501GX",
    );
}

/// Nor does it give an admin a key that it has made up for them, once there is one.
#[test]
fn a_key_is_replaced_by_its_holder_alone() {
    check_with_admins(
        "admin:root RotateAdminKey k => key_missing
        admin:root RegisterAdminKey k unproven => key_not_proven
        admin:root RegisterAdminKey k => AdminKeyRegistered
        signed=k admin:root RegisterAdminKey k2 => key_exists
        admin:root RegisterAdminKey k2 => signature_missing
        admin:root RotateAdminKey k2 => signature_missing
        signed=k2 admin:root RotateAdminKey k2 => signature_wrong
        signed=k admin:root RotateAdminKey k => key_unchanged
        signed=k admin:root RotateAdminKey k2 unproven => key_not_proven
        signed=k admin:root RotateAdminKey k2 => AdminKeyRotated adminId=root
        signed=k admin:root FreezeWallet alice.IN COURT_ORDER => signature_wrong
        signed=k2 admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen",
    );
}

#[test]
fn admins_without_a_key_do_nothing_but_get_one_where_keys_are_required() {
    check_with_admins(
        "admin:root UpdateSystemParameter adminKeysRequired 1 => admin_key_missing
        admin:root RegisterAdminKey k => AdminKeyRegistered
        #keys signed=k admin:root UpdateSystemParameter adminKeysRequired 1 => ActionProposed
        admin:boss ApproveAction #keys => admin_key_missing
        admin:boss RegisterAdminKey k2 => AdminKeyRegistered
        #keys2 signed=k admin:root UpdateSystemParameter adminKeysRequired 1 => ActionProposed
        signed=k2 admin:boss ApproveAction #keys2 => ActionApproved, ParameterScheduled
        admin:clerk SubmitProposal votingDays 20 longer => ProposalSubmitted
        at 7d
        admin:clerk SubmitProposal votingDays 21 longer => admin_key_missing
        system DistributeGenesis alice.IN=30 => SystemParameterUpdated, GenesisSkipped
        admin:clerk SubmitProposal votingDays 21 longer => admin_key_missing
        admin:clerk RotateAdminKey k => key_missing
        signed=k admin:root PauseSystem \"ten letters\" => SystemPaused
        admin:clerk RegisterAdminKey other => AdminKeyRegistered
        signed=k2 admin:boss ResumeSystem => SystemResumed
        signed=other admin:clerk SubmitProposal votingDays 21 longer => ProposalSubmitted",
    );
}

/// Whose key is lost is removed by two others, and comes back without one.
#[test]
fn who_is_appointed_again_has_no_key() {
    check_with_admins(
        "admin:clerk RegisterAdminKey k => AdminKeyRegistered
        #out admin:root RemoveAdmin clerk => ActionProposed
        admin:boss ApproveAction #out => ActionApproved, AdminRemoved
        signed=k admin:clerk RotateAdminKey k2 => actor_unknown
        #in admin:root AppointAdmin clerk ADMIN => ActionProposed
        admin:boss ApproveAction #in => ActionApproved, AdminAppointed
        signed=k admin:clerk RegisterAdminKey k2 => signature_unexpected
        admin:clerk RegisterAdminKey k2 => AdminKeyRegistered",
    );
}

#[test]
fn a_signature_of_an_admin_is_for_one_network_and_one_day() {
    check_with_admins(
        "admin:root RegisterAdminKey k => AdminKeyRegistered
        at 1000
        signed=k@999 admin:root ResumeSystem => signature_expired
        signed=k@86401001 admin:root ResumeSystem => signature_too_far_ahead
        signed=k@2000@testnet admin:root ResumeSystem => signature_wrong
        signed=k@2000 admin:root ResumeSystem => not_paused",
    );
}

/// What was proposed in somebody's name before they had a key, or with one that is replaced.
#[test]
fn proposals_from_before_the_key_are_not_approved() {
    check_with_admins(
        "at 1
        #before admin:root DisburseFromPool SYSTEM_GX_POOL alice.IN 1GX aid => ActionProposed
        at 2
        admin:root RegisterAdminKey k => AdminKeyRegistered
        admin:boss ApproveAction #before => proposer_not_admin
        #stolen signed=k admin:root DisburseFromPool SYSTEM_GX_POOL alice.IN 1GX aid => \
            ActionProposed
        at 3
        signed=k admin:root RotateAdminKey k2 => AdminKeyRotated
        admin:boss ApproveAction #stolen => proposer_not_admin
        #now signed=k2 admin:root DisburseFromPool SYSTEM_GX_POOL alice.IN 1GX aid => \
            ActionProposed
        admin:boss ApproveAction #now => ActionApproved, PoolDisbursed
        = alice.IN 501GX",
    );
}

#[test]
fn proposals_from_before_a_removal_are_not_approved_after_it() {
    check_with_admins(
        "at 1
        #third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        #old admin:third UpdateSystemParameter votingDays 20 => ActionProposed
        at 2
        #out admin:root RemoveAdmin third => ActionProposed
        admin:third RejectAction #out => same_admin
        admin:boss ApproveAction #out => ActionApproved, AdminRemoved
        #in admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #in => ActionApproved, AdminAppointed
        admin:boss ApproveAction #old => proposer_not_admin",
    );
}
