//! Bootstrap, the set of countries, pause and resume.

use super::script::{WORLD, check, check_in_world};

#[test]
fn bootstrap_puts_the_whole_supply_into_six_pools() {
    check(
        "at 1000
        system BootstrapSystem root => SystemBootstrapped firstSuperAdmin=root
        = SYSTEM_USER_GENESIS_POOL 577500000000GX
        = SYSTEM_GOVT_GENESIS_POOL 152000000000GX
        = SYSTEM_CHARITABLE_POOL 158000000000GX
        = SYSTEM_LOAN_POOL 300000000000GX
        = SYSTEM_GX_POOL 31250000000GX
        = SYSTEM_OPERATIONS_FUND 31250000000GX",
    );
}

#[test]
fn bootstrap_is_done_once_whoever_asks() {
    check(
        "system BootstrapSystem root => SystemBootstrapped
        + system BootstrapSystem root => already_bootstrapped
        system BootstrapSystem other => already_bootstrapped
        admin:root BootstrapSystem root => already_bootstrapped
        admin:other BootstrapSystem other => already_bootstrapped
        = SYSTEM_GX_POOL 31250000000GX",
    );
}

#[test]
fn bootstrap_is_given_by_the_system_or_by_the_admin_it_names() {
    check(
        "admin:other BootstrapSystem root => actor_not_allowed
        signed=k admin:other BootstrapSystem root => actor_not_allowed
        user:alice.IN BootstrapSystem root => actor_not_allowed
        as gx_admin system BootstrapSystem root => role_not_allowed
        as gx_partner_api system BootstrapSystem root => role_not_allowed
        admin:root BootstrapSystem root => SystemBootstrapped firstSuperAdmin=root",
    );
}

#[test]
fn nothing_runs_before_bootstrap() {
    check(
        "admin:root InitializeCountryData IN=100000000 => not_bootstrapped
        admin:root PauseSystem \"ten letters\" => not_bootstrapped
        admin:root ResumeSystem => not_bootstrapped
        system CreateUser alice.IN 30 => not_bootstrapped
        user:alice.IN Transfer alice.IN bob.FR 1 => not_bootstrapped
        system DistributeGenesis alice.IN=30 => not_bootstrapped
        admin:root FreezeWallet alice.IN COURT_ORDER => not_bootstrapped
        admin:root UnfreezeWallet alice.IN COURT_ORDER => not_bootstrapped",
    );
}

#[test]
fn countries_may_come_in_parts_until_the_weights_are_complete() {
    check(
        "system BootstrapSystem root => SystemBootstrapped
        admin:root InitializeCountryData IN=60000000 => CountriesInitialized totalWeight=60000000
        system CreateUser alice.IN 30 => countries_not_sealed
        admin:root InitializeCountryData FR=39999999 => CountriesInitialized totalWeight=99999999
        + admin:root InitializeCountryData DE=2 => weights_too_large
        + admin:root InitializeCountryData DE=1 => CountriesInitialized totalWeight=100000000
        admin:root InitializeCountryData ES=0 => countries_sealed
        admin:root InitializeCountryData IN=1 => countries_sealed
        = treasury_IN 0GX
        = treasury_FR 0GX
        = treasury_DE 0GX
        open alice.DE 30
        = treasury_DE 50GX",
    );
}

#[test]
fn slots_are_told_of_when_the_set_is_complete_and_not_before() {
    check(
        "system BootstrapSystem root => SystemBootstrapped
        admin:root InitializeCountryData IN=60000000 => CountriesInitialized slots=[]
        admin:root InitializeCountryData FR=40000000 => CountriesInitialized \
            slots.0.countryCode=FR slots.0.slots.0=40000000 slots.0.slots.5=980000000 \
            slots.1.countryCode=IN slots.1.slots.0=60000000 slots.1.slots.5=1470000000",
    );
}

#[test]
fn a_country_is_added_once() {
    check(
        "system BootstrapSystem root => SystemBootstrapped
        admin:root InitializeCountryData IN=1 FR=1 IN=1 => list_invalid
        admin:root InitializeCountryData => list_invalid
        admin:root InitializeCountryData IN=1 FR=1 => CountriesInitialized totalWeight=2
        + admin:root InitializeCountryData DE=1 IN=1 => country_exists
        admin:root InitializeCountryData DE=1 IN=1 => country_exists
        admin:root InitializeCountryData DE=1 => CountriesInitialized totalWeight=3",
    );
}

#[test]
fn weights_above_the_total_are_refused_whatever_their_size() {
    check(
        "system BootstrapSystem root => SystemBootstrapped
        admin:root InitializeCountryData IN=100000001 => weights_too_large
        admin:root InitializeCountryData IN=50000000 FR=50000001 => weights_too_large
        admin:root InitializeCountryData IN=4294967295 FR=4294967295 => weights_too_large
        admin:root InitializeCountryData IN=1 FR=4294967295 => weights_too_large
        admin:root InitializeCountryData IN=50000000 FR=50000000 => CountriesInitialized",
    );
}

#[test]
fn a_pause_stops_everything_but_resuming() {
    check_in_world(
        "open alice.IN 30
        open bob.FR 30
        at 5000
        admin:root PauseSystem \"audit of pools\" => SystemPaused \"reason=audit of pools\"
        admin:root PauseSystem \"audit of pools\" => system_paused
        system BootstrapSystem root => system_paused
        admin:root InitializeCountryData DE=1 => system_paused
        system CreateUser carol.IN 30 => system_paused
        user:alice.IN Transfer alice.IN bob.FR 1GX => system_paused
        system DistributeGenesis alice.IN=30 => system_paused
        admin:root FreezeWallet alice.IN COURT_ORDER => system_paused
        admin:root UnfreezeWallet alice.IN COURT_ORDER => system_paused
        at 7000
        admin:root ResumeSystem => SystemResumed pausedSince=5000
        + admin:root ResumeSystem => not_paused
        admin:root ResumeSystem => not_paused
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred",
    );
}

#[test]
fn a_pause_in_the_middle_of_a_batch_stops_the_rest_of_it() {
    check_in_world(
        "open alice.IN 30
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        + admin:root PauseSystem \"ten letters\" => SystemPaused
        + admin:root UnfreezeWallet alice.IN COURT_ORDER => system_paused
        + admin:root ResumeSystem => SystemResumed
        + admin:root UnfreezeWallet alice.IN COURT_ORDER => WalletUnfrozen",
    );
}

#[test]
fn the_reason_of_a_pause_has_10_to_500_printable_characters() {
    for (reason, expected) in [
        ("x*9", "text_invalid"),
        ("x*10", "SystemPaused"),
        ("é*10", "SystemPaused"),
        ("é*500", "SystemPaused"),
        ("x*501", "text_invalid"),
        ("\"a bell \u{7} rings\"", "text_invalid"),
        ("\"a tab \t stands here\"", "text_invalid"),
        ("\"next line \u{85} too\"", "text_invalid"),
    ] {
        check(&format!("{WORLD}\nadmin:root PauseSystem {reason} => {expected}"));
    }
}

#[test]
fn only_a_super_admin_governs() {
    check_in_world(
        r#"put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}
        open alice.IN 30
        admin:clerk PauseSystem "ten letters" => actor_not_allowed
        admin:clerk ResumeSystem => actor_not_allowed
        admin:clerk InitializeCountryData DE=1 => actor_not_allowed
        admin:clerk FreezeWallet alice.IN COURT_ORDER => actor_not_allowed
        admin:clerk UnfreezeWallet alice.IN COURT_ORDER => actor_not_allowed
        system PauseSystem "ten letters" => actor_not_allowed
        system ResumeSystem => actor_not_allowed
        user:alice.IN PauseSystem "ten letters" => actor_not_allowed
        admin:nobody PauseSystem "ten letters" => actor_unknown
        user:nobody.IN PauseSystem "ten letters" => actor_unknown
        admin:root PauseSystem "ten letters" => SystemPaused"#,
    );
}
