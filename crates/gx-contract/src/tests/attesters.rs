//! Attesters: who registers them, how many people they attest where, and what their word is for.

use ed25519_dalek::{Signer, SigningKey};
use gx_types::TimeMs;
use serde_json::{Value, json};

use super::host::Host;
use super::notation::{public_key, query};
use super::script::{check, check_in_world};
use crate::{Attested, Purpose, Refusal};

/// Nobody is registered on this network without an attestation.
const STRICT: &str = "world testnet IN=60000000 FR=40000000
    attester clinic 2 IN FR
    attester abroad 5 FR";

fn check_strict(table: &str) {
    check(&format!("{STRICT}\n{table}"));
}

#[test]
fn two_super_admins_register_and_remove_an_attester() {
    check_in_world(
        "admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #new admin:root RegisterAttester clinic clinic 10 FR IN => ActionProposed
        admin:root ApproveAction #new => same_admin
        system CreateUser a.IN 30 attest=clinic => attester_unknown
        admin:boss ApproveAction #new => ActionApproved, AttesterRegistered attesterId=clinic \
            dailyMax=10 countries.0=FR countries.1=IN
        admin:root RegisterAttester clinic other 10 IN => attester_exists
        system CreateUser a.IN 30 attest=clinic => GenesisDistributed, UserCreated attestedBy=clinic
        #end admin:root RemoveAttester clinic => ActionProposed
        system CreateUser b.IN 30 attest=clinic => GenesisDistributed, UserCreated
        admin:boss ApproveAction #end => ActionApproved, AttesterRemoved attesterId=clinic
        system CreateUser c.IN 30 attest=clinic => attester_unknown
        admin:root RemoveAttester clinic => attester_unknown",
    );
}

#[test]
fn an_id_that_was_removed_is_registered_again_with_another_key() {
    check_in_world(
        "attester clinic 1 IN
        open a.IN 30 attest=clinic
        #end admin:root RemoveAttester clinic => ActionProposed
        admin:boss ApproveAction #end => ActionApproved, AttesterRemoved
        #again admin:root RegisterAttester clinic other 5 IN => ActionProposed
        admin:boss ApproveAction #again => ActionApproved, AttesterRegistered dailyMax=5
        system CreateUser b.IN 30 attest=clinic => attestation_wrong
        open b.IN 30 attest=clinic:other
        open c.IN 30 attest=clinic:other
        #once admin:root RemoveAttester clinic => ActionProposed
        admin:boss ApproveAction #once => ActionApproved, AttesterRemoved
        #more admin:root RegisterAttester clinic clinic 3 IN => ActionProposed
        admin:boss ApproveAction #more => ActionApproved, AttesterRegistered
        system CreateUser d.IN 30 attest=clinic => attester_daily_max
        at 1d
        system CreateUser d.IN 30 attest=clinic => GenesisDistributed, UserCreated",
    );
}

#[test]
fn an_attester_is_registered_for_countries_that_there_are() {
    check_in_world(
        "admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        admin:root RegisterAttester clinic clinic 10 => list_invalid
        admin:root RegisterAttester clinic clinic 10 IN FR IN => list_invalid
        admin:root RegisterAttester clinic clinic 10 IN XX => country_unknown
        admin:root RegisterAttester clinic clinic 0 IN => value_out_of_bounds
        admin:root RegisterAttester clinic clinic 1000001 IN => value_out_of_bounds
        admin:root RegisterAttester clinic clinic unproven 10 IN => key_not_proven
        admin:root RegisterAttester clinic clinic 1000000 IN => ActionProposed",
    );
}

#[test]
fn on_devnet_a_word_that_is_not_there_is_that_of_devnets_own_attester() {
    check_in_world(
        "system CreateUser a.IN 5 => UserCreated
        system DistributeGenesis a.IN=13 => GenesisDistributed
        system CreateUser b.IN 30 attest=devnet => attestation_wrong
        admin:root RegisterAttester devnet k 10 IN => attester_exists
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #end admin:root RemoveAttester devnet => ActionProposed
        admin:boss ApproveAction #end => ActionApproved, AttesterRemoved
        system CreateUser b.IN 30 => attestation_missing
        #key admin:root RegisterAttester devnet k 10 IN => ActionProposed
        admin:boss ApproveAction #key => ActionApproved, AttesterRegistered
        system CreateUser b.IN 30 => attestation_missing
        system CreateUser b.IN 30 attest=devnet:k => GenesisDistributed, UserCreated",
    );
}

#[test]
fn elsewhere_nobody_is_registered_and_nothing_granted_without_one() {
    for network in ["testnet", "mainnet"] {
        check(&format!(
            "world {network} IN=60000000 FR=40000000
            attester clinic 10 IN
            #third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
            admin:boss ApproveAction #third => ActionApproved, AdminAppointed
            system CreateUser a.IN 12 => attestation_missing
            system CreateUser a.IN 12 attest=devnet => attester_unknown
            system CreateUser a.IN 12 attest=clinic => UserCreated attestedBy=clinic
            system DistributeGenesis a.IN=13 => GenesisSkipped code=attestation_missing
            system DistributeGenesis a.IN=13/clinic => GenesisDistributed attestedBy=clinic
            = a.IN 500GX"
        ));
    }
}

#[test]
fn an_attester_attests_so_many_people_a_day_by_utc() {
    check_strict(
        "at 10d+86399998
        open a.IN 30 attest=clinic
        at 10d+86399999
        open b.FR 5 attest=clinic
        + system CreateUser c.IN 30 attest=clinic => attester_daily_max
        system DistributeGenesis b.FR=13/clinic => GenesisSkipped code=attester_daily_max
        system DistributeGenesis b.FR=13/abroad => GenesisDistributed attestedBy=abroad
        at 11d
        open c.IN 30 attest=clinic
        open d.IN 30 attest=clinic
        system CreateUser e.IN 30 attest=clinic => attester_daily_max
        at 12d
        open e.IN 30 attest=clinic",
    );
}

/// Otherwise whoever passes words on could use up an attester's day with old ones.
#[test]
fn what_comes_to_nothing_is_not_counted() {
    check_strict(
        "open a.IN 5 attest=clinic
        system CreateUser a.IN 5 attest=clinic => user_id_taken
        + system CreateUser x.IN 5 human=a attest=clinic => identity_taken
        + system CreateUser x.IN 5 attest=clinic:k => attestation_wrong
        system DistributeGenesis a.IN=12/clinic => GenesisSkipped code=genesis_ineligible
        system DistributeGenesis a.IN=12/clinic => GenesisSkipped code=genesis_ineligible
        system DistributeGenesis a.IN=13/clinic => GenesisDistributed
        system DistributeGenesis a.IN=13/clinic => GenesisSkipped code=genesis_already_granted
        system CreateUser b.IN 30 attest=clinic => attester_daily_max",
    );
}

#[test]
fn a_word_is_good_to_the_millisecond_of_its_expiry_and_7_days_ahead_at_most() {
    check_strict(
        "at 1000
        system CreateUser a.IN 30 attest=clinic@999 => attestation_expired
        system CreateUser a.IN 30 attest=clinic@-9223372036854775807 => attestation_expired
        system CreateUser a.IN 30 attest=clinic@604801001 => attestation_too_far_ahead
        system CreateUser a.IN 30 attest=clinic@9223372036854775807 => attestation_too_far_ahead
        system CreateUser a.IN 30 attest=clinic@1000 => GenesisDistributed, UserCreated
        system CreateUser b.IN 30 attest=clinic@604801000 => GenesisDistributed, UserCreated",
    );
}

#[test]
fn each_person_of_a_list_is_attested_apart() {
    check_strict(
        "open a.IN 5 attest=clinic
        open b.FR 5 attest=abroad
        open c.FR 5 attest=abroad
        system DistributeGenesis a.IN=13/abroad b.FR=13/clinic c.FR=13/abroad:k nobody.IN=13 => \
            GenesisSkipped userId=a.IN code=attester_country, \
            GenesisDistributed userId=b.FR attestedBy=clinic, \
            GenesisSkipped userId=c.FR code=attestation_wrong, \
            GenesisSkipped userId=nobody.IN code=account_not_found",
    );
}

/// The page for those who sign, whose example is read back here.
const PAGE: &str = include_str!("../../../../docs/account-keys.md");

#[test]
fn the_documented_word_is_what_an_attester_signs() {
    let (_, block) = PAGE.split_once("```attestation\n").unwrap();
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap()
    };
    let said = Attested {
        purpose: Purpose::Registration,
        user_id: field("user id").parse().unwrap(),
        identity_hash: field("identity hash").parse().unwrap(),
        country: field("country").parse().unwrap(),
        age: field("age").parse().unwrap(),
    };
    assert_eq!(said.purpose.as_str(), field("purpose"));
    let (network, attester_id) =
        (field("network").parse().unwrap(), field("attester").parse().unwrap());
    let expires_at = TimeMs(field("expires at").parse().unwrap());
    let bytes = said.signed_bytes(network, &attester_id, expires_at);
    let seed: [u8; 32] = hex::decode(field("private key")).unwrap().try_into().unwrap();
    let signature = hex::encode(SigningKey::from_bytes(&seed).sign(&bytes).to_bytes());
    let found = (hex::encode(&bytes), signature);
    assert_eq!((found.0.as_str(), found.1.as_str()), (field("signed bytes"), field("signature")));
}

fn shown(host: &Host, id: &str) -> Value {
    host.ask(query("AdminContract:GetAttester", &json!({"attesterId": id}))).unwrap()
}

#[test]
fn an_attester_is_shown_with_what_it_has_attested_today() {
    let host = check(&format!(
        "{STRICT}
        at 5000
        open a.IN 30 attest=clinic
        open b.IN 30 attest=clinic
        #end admin:root RemoveAttester abroad => ActionProposed
        admin:boss ApproveAction #end => ActionApproved, AttesterRemoved"
    ));
    let key = |word: &str| json!(public_key(word));
    let expected = json!({
        "attesterId": "clinic", "publicKey": key("clinic"), "dailyMax": 2,
        "countries": ["FR", "IN"], "registeredAt": 0, "attestedToday": 2, "removedAt": null
    });
    assert_eq!(shown(&host, "clinic"), expected);
    let expected = json!({
        "attesterId": "abroad", "publicKey": key("abroad"), "dailyMax": 5,
        "countries": ["FR"], "registeredAt": 0, "attestedToday": 0, "removedAt": 5000
    });
    assert_eq!(shown(&host, "abroad"), expected);
    let unknown = host.ask(query("AdminContract:GetAttester", &json!({"attesterId": "nobody"})));
    assert_eq!(unknown.unwrap_err().code, Refusal::AttesterUnknown);
    let host = check_in_world("open a.IN 30");
    let devnets = shown(&host, "devnet");
    assert_eq!((&devnets["publicKey"], &devnets["countries"]), (&Value::Null, &json!([])));
    assert_eq!((&devnets["attestedToday"], &devnets["dailyMax"]), (&json!(1), &json!(u32::MAX)));
}
