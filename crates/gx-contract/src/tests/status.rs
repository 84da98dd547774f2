//! SetUserStatus: locked until an admin ends it, deceased for ever.

use super::script::check_in_world;

#[test]
fn a_locked_user_initiates_nothing_and_is_still_paid() {
    check_in_world(
        "open alice.IN 30
        open bob.FR 30
        system SetUserStatus alice.IN LOCKED => UserStatusSet userId=alice.IN status=LOCKED
        + system SetUserStatus alice.IN LOCKED => status_unchanged
        user:alice.IN Transfer alice.IN bob.FR 1GX => account_locked
        user:bob.FR Transfer bob.FR alice.IN 1GX => Transferred
        admin:root SetUserStatus alice.IN ACTIVE => UserStatusSet status=ACTIVE
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred",
    );
}

#[test]
fn a_deceased_user_stays_deceased() {
    check_in_world(
        "open alice.IN 30
        open bob.FR 30
        system SetUserStatus alice.IN DECEASED => UserStatusSet status=DECEASED
        user:alice.IN Transfer alice.IN bob.FR 1GX => account_deceased
        user:alice.IN RegisterKey alice.IN k => account_deceased
        system SetUserStatus alice.IN ACTIVE => status_final
        system SetUserStatus alice.IN DECEASED => status_final
        system SetUserStatus alice.IN LOCKED => status_final",
    );
}

#[test]
fn a_freeze_and_a_lock_are_two_things() {
    check_in_world(
        "open alice.IN 30
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        system SetUserStatus alice.IN LOCKED => UserStatusSet
        admin:root UnfreezeWallet alice.IN => WalletUnfrozen
        user:alice.IN Transfer alice.IN SYSTEM_LOAN_POOL 1 => account_locked
        system SetUserStatus alice.IN ACTIVE => UserStatusSet
        user:alice.IN Transfer alice.IN SYSTEM_LOAN_POOL 1 => Transferred",
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
