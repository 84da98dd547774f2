//! Attacks, written as whoever makes them would: each line a try, and what it gets. What a single
//! rule forbids is tested with the rule; `docs/threats.md` names those tests as well.

use std::fs;

use super::script::check;

const PAGE: &str = include_str!("../../../../docs/threats.md");

/// Alice has the key `k`, mallory nothing but her account; root and boss are super admins.
const WORLD: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    open mallory.FR 30
    user:alice.IN RegisterKey alice.IN k => KeyRegistered
    admin:root AppointAdmin boss SUPER_ADMIN mallory.FR => AdminAppointed
    #clerk admin:root AppointAdmin clerk ADMIN => ActionProposed
    admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed";

fn attack(table: &str) {
    check(&format!("{WORLD}\n{table}"));
}

/// The process speaks for everybody who has no key, in every role.
#[test]
fn a_service_process_moves_no_coins_of_a_keyed_account() {
    attack(
        "user:alice.IN Transfer alice.IN mallory.FR 1GX => signature_missing
        signed=k2 user:alice.IN Transfer alice.IN mallory.FR 1GX => signature_wrong
        user:mallory.FR Transfer alice.IN mallory.FR 1GX => not_own_account
        system Transfer alice.IN mallory.FR 1GX => actor_not_allowed
        admin:root Transfer alice.IN mallory.FR 1GX => actor_not_allowed
        as gx_super_admin user:alice.IN Transfer alice.IN mallory.FR 1GX => role_not_allowed
        user:alice.IN RegisterKey alice.IN k2 => signature_missing
        user:alice.IN RotateKey alice.IN k2 => signature_missing
        user:mallory.FR InitiateRecovery alice.IN k2 => not_guardian
        = alice.IN 500GX",
    );
}

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

/// Everything at once, in one batch: whoever is last finds what the others have left.
#[test]
fn at_once_is_no_other_order() {
    attack(
        "#aid admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => ActionProposed
        + admin:boss ApproveAction #aid => ActionApproved, PoolDisbursed
        + admin:boss ApproveAction #aid => action_executed
        + admin:boss RejectAction #aid => action_executed
        + admin:root WithdrawAction #aid => action_executed
        user:bob.FR Transfer bob.FR mallory.FR 500GX => Transferred
        + user:bob.FR Transfer bob.FR mallory.FR 1GX => insufficient_balance
        = bob.FR 500000",
    );
}

/// What was paid for before a death or a freeze is not paid after it.
#[test]
fn the_dead_are_paid_by_nobody() {
    attack(
        "#aid admin:root DisburseFromPool SYSTEM_GX_POOL bob.FR 1GX aid => ActionProposed
        #dead admin:root SetUserStatus bob.FR DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        + admin:boss ApproveAction #aid => counterparty_deceased
        user:mallory.FR Transfer mallory.FR bob.FR 1GX => counterparty_deceased
        system DistributeGenesis bob.FR=30 => GenesisSkipped
        user:bob.FR Transfer bob.FR mallory.FR 1GX => account_deceased
        = bob.FR 500GX",
    );
}

/// Every test that the page names is there, and every attack stands on the page.
#[test]
fn the_page_of_threats_names_what_exists() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests");
    let source = |module: &str| fs::read_to_string(format!("{folder}/{module}.rs")).unwrap();
    let named: Vec<(&str, &str)> = PAGE
        .split('`')
        .filter_map(|word| word.split_once("::"))
        .filter(|(module, _)| module.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    for (module, test) in &named {
        let head = format!("#[test]\nfn {test}() {{");
        assert!(source(module).contains(&head), "{module}::{test} is no test");
    }
    let here = source("attacks");
    for attack in here.split("#[test]\nfn ").skip(1) {
        let name = attack.split_once('(').unwrap().0;
        let listed = named.contains(&("attacks", name)) || name.starts_with("the_page_");
        assert!(listed, "{name} does not stand in docs/threats.md");
    }
}
