//! CreateUser: ids, identities, countries, ages, and the genesis that comes with registration.

use gx_types::AccountType;
use serde_json::json;

use super::notation::{account, identity_hash};
use super::script::{WORLD, check, check_in_world};
use crate::{Command, NameError};

/// No slot of any phase is left in India.
const INDIA_IS_FULL: &str = r#"put c/IN {"v":1,"weight":60000000,"users":6,\
    "slots":[1,1,1,1,1,1],"slotsUsed":[1,1,1,1,1,1]}"#;

/// Two slots of the first phase, none of the second, one of the third, all free.
const INDIA_IS_SMALL: &str = r#"put c/IN {"v":1,"weight":60000000,"users":0,\
    "slots":[2,0,1,0,0,0],"slotsUsed":[0,0,0,0,0,0]}"#;

#[test]
fn the_first_users_receive_what_was_recorded() {
    check_in_world(
        "system CreateUser alice.IN 30 => \
            GenesisDistributed userId=alice.IN country=IN phase=1 amount=500GX \
                treasuryAmount=50GX, \
            UserCreated userId=alice.IN country=IN accountType=0 genesis.Granted.phase=1 \
                genesis.Granted.amount=500GX
        = alice.IN 500000000
        = treasury_IN 50000000
        = SYSTEM_USER_GENESIS_POOL 577499999500GX
        = SYSTEM_GOVT_GENESIS_POOL 151999999950GX
        system CreateUser bob.FR 44 => GenesisDistributed, UserCreated
        = bob.FR 500GX
        = treasury_IN 50GX
        = treasury_FR 50GX
        = SYSTEM_USER_GENESIS_POOL 577499999000GX
        = SYSTEM_GOVT_GENESIS_POOL 151999999900GX",
    );
}

#[test]
fn genesis_on_registration_is_for_ages_13_to_73() {
    for (age, expected, balance) in [
        ("0", "UserCreated genesis=Ineligible", "0"),
        ("12", "UserCreated genesis=Ineligible", "0"),
        ("13", "GenesisDistributed phase=1, UserCreated genesis.Granted.phase=1", "500GX"),
        ("73", "GenesisDistributed phase=1, UserCreated genesis.Granted.phase=1", "500GX"),
        ("74", "UserCreated genesis=Ineligible", "0"),
        ("150", "UserCreated genesis=Ineligible", "0"),
    ] {
        check(&format!(
            "{WORLD}\nsystem CreateUser alice.IN {age} => {expected}\n= alice.IN {balance}"
        ));
    }
    check_in_world(
        "system CreateUser alice.IN 151 => age_invalid
        system CreateUser alice.IN 65535 => age_invalid",
    );
}

#[test]
fn the_first_phase_with_a_slot_left_in_the_country_is_used() {
    check(&format!(
        "{WORLD}
        {INDIA_IS_SMALL}
        system CreateUser a.IN 30 => GenesisDistributed phase=1 amount=500GX, UserCreated
        + system CreateUser b.IN 30 => GenesisDistributed phase=1 amount=500GX, UserCreated
        + system CreateUser c.IN 30 => \
            GenesisDistributed phase=3 amount=300GX treasuryAmount=50GX, \
            UserCreated genesis.Granted.phase=3 genesis.Granted.amount=300GX
        + system CreateUser d.IN 30 => UserCreated genesis=Exhausted
        + system CreateUser e.FR 30 => GenesisDistributed phase=1, UserCreated
        system CreateUser f.IN 30 => UserCreated genesis=Exhausted
        = c.IN 300GX
        = d.IN 0
        = treasury_IN 150GX"
    ));
}

#[test]
fn each_phase_has_its_grants() {
    for (phase, user, treasury) in
        [(1, 500, 50), (2, 400, 50), (3, 300, 50), (4, 200, 50), (5, 100, 50), (6, 50, 10)]
    {
        let mut slots = [0; 6];
        slots[phase - 1] = 1;
        let rest = r#""users":0,"slotsUsed":[0,0,0,0,0,0]"#;
        check(&format!(
            "{WORLD}
            put c/IN {{\"v\":1,\"weight\":1,\"slots\":{slots:?},{rest}}}
            system CreateUser alice.IN 30 => \
                GenesisDistributed phase={phase} amount={user}GX treasuryAmount={treasury}GX, \
                UserCreated genesis.Granted.phase={phase} genesis.Granted.amount={user}GX
            = alice.IN {user}GX
            = treasury_IN {treasury}GX"
        ));
    }
}

#[test]
fn a_country_without_slots_still_registers() {
    check(&format!(
        "{WORLD}
        {INDIA_IS_FULL}
        system CreateUser alice.IN 30 => UserCreated genesis=Exhausted
        + system CreateUser child.IN 12 => UserCreated genesis=Ineligible
        = alice.IN 0
        = treasury_IN 0"
    ));
    check(
        "world IN=100000000 FR=0
        system CreateUser bob.FR 30 => UserCreated genesis=Exhausted",
    );
}

#[test]
fn an_id_belongs_to_one_account_and_a_human_has_one() {
    check_in_world(
        "open alice.IN 30
        system CreateUser alice.IN 30 => user_id_taken
        system CreateUser alice.IN 30 human=bob => user_id_taken
        system CreateUser alice.FR 30 => identity_taken
        system CreateUser other.IN 30 human=alice => identity_taken
        system CreateUser bob.FR 30 => GenesisDistributed, UserCreated
        + system CreateUser bob.FR 30 => user_id_taken
        + system CreateUser bob.IN 30 => identity_taken
        = alice.IN 500GX
        = bob.FR 500GX",
    );
}

#[test]
fn an_id_has_the_layout_and_its_check() {
    check_in_world(
        r#"system CreateUser "IN 000 ABC123 0WXYZ 1234" 30 => user_id_invalid
        system CreateUser "IN ABC123 0WXYZ 1234" 30 => user_id_invalid
        system CreateUser "IN 7QK abc123 0WXYZ 1234" 30 => user_id_invalid
        system CreateUser "IN 7QK ABC123 BWXYZ 1234" 30 => user_id_invalid
        system CreateUser "IN 7QK ABC123 0WXYZ 123" 30 => user_id_invalid
        system CreateUser nobody 30 => user_id_invalid
        system CreateUser treasury_IN 30 => user_id_invalid
        system CreateUser treasury_XX 30 => user_id_invalid
        system CreateUser SYSTEM_LOAN_POOL 30 => user_id_invalid
        system CreateUser SYSTEM_NEW_POOL 30 => user_id_invalid"#,
    );
}

#[test]
fn an_id_with_one_changed_character_is_refused() {
    let good = account("alice.IN").to_string();
    for place in [0, 3, 4, 5, 7, 10, 12, 15, 20, 23] {
        let mut bytes = good.clone().into_bytes();
        bytes[place] = match bytes[place] {
            b'9' => b'0',
            b'Z' => b'A',
            other => other + 1,
        };
        let changed = String::from_utf8(bytes).unwrap();
        check(&format!("{WORLD}\nsystem CreateUser \"{changed}\" 30 => user_id_invalid"));
    }
}

#[test]
fn country_and_type_are_those_of_the_id() {
    check_in_world(
        "system CreateUser alice.IN 30 country=FR => user_id_mismatch
        system CreateUser alice.IN 30 country=XX => user_id_mismatch
        system CreateUser alice.IN 30 type=1 => user_id_mismatch
        system CreateUser shop.IN.1 30 type=0 => user_id_mismatch
        system CreateUser alice.XX 30 => country_unknown
        system CreateUser alice.IN 30 => GenesisDistributed, UserCreated",
    );
}

#[test]
fn accounts_of_organizations_and_the_system_are_not_opened_for_a_person() {
    for kind in AccountType::ALL {
        let expected = match kind {
            AccountType::Individual => "GenesisDistributed, UserCreated accountType=0".to_owned(),
            AccountType::Temporary => "UserCreated accountType=E genesis=Ineligible".to_owned(),
            AccountType::ForProfit
            | AccountType::NotForProfit
            | AccountType::Education
            | AccountType::Health
            | AccountType::Financial
            | AccountType::TrustOrEstate
            | AccountType::Treasury
            | AccountType::Governmental
            | AccountType::Intergovernmental
            | AccountType::Diplomatic
            | AccountType::System => "account_type_not_allowed".to_owned(),
        };
        check(&format!("{WORLD}\nsystem CreateUser holder.IN.{kind} 30 => {expected}"));
    }
}

#[test]
fn users_are_registered_by_the_system_or_an_admin_only() {
    check_in_world(
        r#"put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}
        admin:root CreateUser a.IN 30 => GenesisDistributed, UserCreated
        admin:clerk CreateUser b.IN 30 => GenesisDistributed, UserCreated
        admin:nobody CreateUser c.IN 30 => actor_unknown
        user:a.IN CreateUser c.IN 30 => actor_not_allowed
        user:c.IN CreateUser c.IN 30 => actor_unknown
        as gx_admin system CreateUser c.IN 30 => role_not_allowed
        as gx_super_admin system CreateUser c.IN 30 => role_not_allowed"#,
    );
}

#[test]
fn what_cannot_be_an_identity_hash_is_no_command() {
    let hash = identity_hash("alice").to_string();
    let args = |hash: &str| {
        let user = account("alice.IN").to_string();
        json!({
            "userId": user, "identityHash": hash, "country": "IN", "age": 30, "accountType": "0"
        })
    };
    let read = |hash: &str| {
        Command::from_name_and_args("IdentityContract:CreateUser", &args(hash).to_string())
    };
    assert!(read(&hash).is_ok());
    for wrong in ["", &hash[1..], &hash.to_uppercase(), &format!("{hash}0"), &"g".repeat(64)] {
        assert!(matches!(read(wrong), Err(NameError::Arguments { .. })), "{wrong}");
    }
}
