//! SetUserStatus: locked until an admin ends it, deceased by order of two.

use super::script::check_in_world;

#[test]
fn a_locked_user_initiates_nothing_and_is_still_paid() {
    check_in_world(
        "open alice.IN 30
        open bob.FR 30
        admin:root SetUserStatus alice.IN LOCKED => UserStatusSet userId=alice.IN status=LOCKED
        + admin:root SetUserStatus alice.IN LOCKED => status_unchanged
        user:alice.IN Transfer alice.IN bob.FR 1GX => account_locked
        user:bob.FR Transfer bob.FR alice.IN 1GX => Transferred
        admin:root SetUserStatus alice.IN ACTIVE => UserStatusSet status=ACTIVE
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred",
    );
}

#[test]
fn two_super_admins_say_on_a_document_that_somebody_is_deceased() {
    check_in_world(
        "open alice.IN 30
        open bob.FR 30
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        admin:root SetUserStatus alice.IN DECEASED => order_missing
        system SetUserStatus alice.IN DECEASED order => actor_not_allowed
        #dead admin:root SetUserStatus alice.IN DECEASED order => ActionProposed
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet status=DECEASED
        user:alice.IN Transfer alice.IN bob.FR 1GX => account_deceased
        user:alice.IN RegisterKey alice.IN k => account_deceased
        admin:root SetUserStatus alice.IN ACTIVE => status_final
        admin:root SetUserStatus alice.IN LOCKED => status_final
        admin:root SetUserStatus alice.IN DECEASED order => status_unchanged",
    );
}

#[test]
fn a_mistaken_death_is_undone_in_the_same_way() {
    check_in_world(
        "open alice.IN 30
        open bob.FR 30
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #dead admin:root SetUserStatus alice.IN DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        #alive admin:boss SetUserStatus alice.IN ACTIVE order => ActionProposed
        admin:boss ApproveAction #alive => same_admin
        admin:root ApproveAction #alive => ActionApproved, UserStatusSet status=ACTIVE
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred",
    );
}

#[test]
fn a_freeze_and_a_lock_are_two_things() {
    check_in_world(
        "open alice.IN 30
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        admin:root SetUserStatus alice.IN LOCKED => UserStatusSet
        admin:root UnfreezeWallet alice.IN COURT_ORDER => WalletUnfrozen
        user:alice.IN Transfer alice.IN SYSTEM_CHARITABLE_POOL 1 => account_locked
        admin:root SetUserStatus alice.IN ACTIVE => UserStatusSet
        user:alice.IN Transfer alice.IN SYSTEM_CHARITABLE_POOL 1 => Transferred",
    );
}

#[test]
fn users_alone_have_a_status_set_by_admins() {
    check_in_world(
        r#"put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}
        open alice.IN 30
        admin:clerk SetUserStatus SYSTEM_LOAN_POOL LOCKED => not_a_user
        admin:clerk SetUserStatus treasury_IN LOCKED => not_a_user
        admin:clerk SetUserStatus nobody.IN LOCKED => account_not_found
        user:alice.IN SetUserStatus alice.IN LOCKED => actor_not_allowed
        as gx_partner_api admin:clerk SetUserStatus alice.IN LOCKED => role_not_allowed
        admin:clerk SetUserStatus alice.IN LOCKED => UserStatusSet"#,
    );
}
