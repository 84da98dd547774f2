//! Dishonest administrators: one, and two.

use super::attack;

/// One admin, who controls every account that has no key.
#[test]
fn one_admin_pays_nobody_and_makes_nobody_an_admin() {
    attack(
        "#pool admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => ActionProposed
        + admin:root ApproveAction #pool => same_admin
        + admin:clerk ApproveAction #pool => admin_level_too_low
        + user:bob.FR ApproveAction #pool => actor_not_allowed
        + system ApproveAction #pool => actor_not_allowed
        #third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        + admin:third ApproveAction #third => actor_unknown
        + admin:root ApproveAction #third => same_admin
        #out admin:root RemoveAdmin boss => too_few_super_admins
        admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        #court admin:root TransferByOrder bob.FR alice.IN 1GX COURT_ORDER => ActionProposed
        + admin:root ApproveAction #court => same_admin
        #dead admin:root SetUserStatus bob.FR DECEASED order => ActionProposed
        + admin:root ApproveAction #dead => same_admin
        = bob.FR 500GX
        = SYSTEM_GX_POOL 31250000000GX",
    );
}

/// Two super admins against everybody else.
#[test]
fn two_super_admins_take_neither_for_themselves_nor_from_who_is_free() {
    attack(
        "admin:root TransferByOrder bob.FR alice.IN 1GX COURT_ORDER => not_frozen
        admin:root TransferByOrder bob.FR alice.IN 1GX ESTATE => not_deceased
        admin:root TransferByOrder treasury_IN alice.IN 1 COURT_ORDER => payer_not_allowed
        admin:root TransferByOrder SYSTEM_GX_POOL alice.IN 1 COURT_ORDER => payer_not_allowed
        #own admin:root DisburseFromPool SYSTEM_GX_POOL mallory.FR 1GX aid => ActionProposed
        + admin:boss ApproveAction #own => recipient_is_admin
        admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        #court admin:root TransferByOrder bob.FR mallory.FR 1GX COURT_ORDER => ActionProposed
        + admin:boss ApproveAction #court => recipient_is_admin
        admin:root DisburseFromPool SYSTEM_USER_GENESIS_POOL bob.FR 1 aid => pool_not_disbursable
        = mallory.FR 500GX",
    );
}
