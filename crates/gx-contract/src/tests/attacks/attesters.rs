//! Attacks on who people are: invented people, ages that nobody has, and attesters who lie.

use ed25519_dalek::Signer;
use gx_types::{Actor, NetworkId, TimeMs};

use super::super::host::Host;
use super::super::notation::{account, identity_hash, signing_key};
use super::super::script::check;
use crate::identity::CreateUser;
use crate::tokenomics::{AttestedAge, DistributeGenesis};
use crate::{Attestation, Attested, Command, Event, Outcome, Purpose, Refusal, SignatureBytes};

/// A network on which people are attested: by the clinic in India, by another in both countries.
const WORLD: &str = "world testnet IN=60000000 FR=40000000
    attester clinic 2 IN
    attester abroad 50 FR IN
    open child.IN 12 attest=abroad";

fn attack(table: &str) {
    check(&format!("{WORLD}\n{table}"));
}

/// It has all certificates of the services and no key of an attester.
#[test]
fn a_service_process_attests_nobody() {
    attack(
        "system CreateUser invented.IN 30 => attestation_missing
        system CreateUser invented.IN 30 attest=clinic:k => attestation_wrong
        system CreateUser invented.IN 30 attest=devnet => attester_unknown
        system CreateUser invented.IN 30 attest=mallory:k => attester_unknown
        admin:root CreateUser invented.IN 30 => attestation_missing
        system DistributeGenesis child.IN=13 => GenesisSkipped code=attestation_missing
        admin:root DistributeGenesis child.IN=13/clinic:k => GenesisSkipped code=attestation_wrong
        system RegisterAttester mallory k 9 IN => actor_not_allowed
        #own admin:root RegisterAttester mallory k 9 IN => ActionProposed
        admin:root ApproveAction #own => same_admin
        system CreateUser invented.IN 30 attest=mallory:k => attester_unknown
        = child.IN 0",
    );
}

/// It signs whatever brings coins: as many invented people as it may, where it may, and no more.
#[test]
fn a_dishonest_attester_stays_in_its_countries_and_its_day() {
    attack(
        "at 1d
        open i1.IN 30 attest=clinic
        system CreateUser i2.FR 30 attest=clinic => attester_country
        open i2.IN 30 attest=clinic
        system CreateUser i3.IN 30 attest=clinic => attester_daily_max
        + system CreateUser i4.IN 30 attest=clinic => attester_daily_max
        system DistributeGenesis child.IN=13/clinic => GenesisSkipped code=attester_daily_max
        at 2d
        open i3.IN 30 attest=clinic
        open i4.IN 30 attest=clinic
        system CreateUser i5.IN 30 attest=clinic => attester_daily_max
        #stop admin:root RemoveAttester clinic => ActionProposed
        admin:boss ApproveAction #stop => ActionApproved, AttesterRemoved
        at 3d
        system CreateUser i5.IN 30 attest=clinic => attester_unknown",
    );
}

/// What it has signed before, and still is in somebody's hands, does not outlive it.
#[test]
fn the_words_of_a_removed_attester_end_with_it() {
    attack(
        "#stop admin:root RemoveAttester clinic => ActionProposed
        admin:boss ApproveAction #stop => ActionApproved, AttesterRemoved
        system CreateUser late.IN 30 attest=clinic@60000 => attester_unknown
        system DistributeGenesis child.IN=13/clinic@60000 => GenesisSkipped code=attester_unknown
        #back admin:root RegisterAttester clinic other 2 IN => ActionProposed
        admin:boss ApproveAction #back => ActionApproved, AttesterRegistered
        system CreateUser late.IN 30 attest=clinic@60000 => attestation_wrong",
    );
}

/// One word, given as often as somebody likes.
#[test]
fn a_word_that_is_given_again_brings_nothing_and_uses_up_nobodys_day() {
    attack(
        "at 1d
        open i1.IN 12 attest=clinic@90000000
        system CreateUser i1.IN 12 attest=clinic@90000000 => user_id_taken
        system DistributeGenesis i1.IN=12/clinic@90000000 => GenesisSkipped code=genesis_ineligible
        system DistributeGenesis i1.IN=12/clinic@90000000 => GenesisSkipped code=genesis_ineligible
        system DistributeGenesis i1.IN=13/clinic@90000000 => GenesisDistributed
        system DistributeGenesis i1.IN=13/clinic@90000000 => \
            GenesisSkipped code=genesis_already_granted
        = i1.IN 500GX",
    );
}

/// The clinic's word for one thing.
fn word(said: Attested, network: NetworkId) -> Box<Attestation> {
    let (attester_id, expires_at) = ("clinic".parse().unwrap(), TimeMs(60_000));
    let bytes = said.signed_bytes(network, &attester_id, expires_at);
    let signature = SignatureBytes::from_bytes(signing_key("clinic").sign(&bytes).to_bytes());
    Box::new(Attestation { attester_id, signature, expires_at })
}

fn outcome(host: &mut Host, command: Command) -> Option<Refusal> {
    let envelope = host.envelope(Actor::System, command);
    let record = host.execute(envelope.role(), vec![envelope]);
    match &record.results[0].outcome {
        Outcome::Refused(why) => Some(why.code),
        Outcome::Applied(events) => events.iter().find_map(|event| match event {
            Event::GenesisSkipped(skipped) => Some(skipped.code),
            _ => None,
        }),
        Outcome::Repeated(_) => panic!("the id is new"),
    }
}

/// A word that was given for one registration is seen by everybody on the ledger.
#[test]
fn a_word_is_for_one_person_age_use_attester_and_network() {
    let mut host = check(WORLD);
    let user = |word: &str, human: &str, age| CreateUser {
        user_id: account(word),
        identity_hash: identity_hash(human),
        country: "IN".parse().unwrap(),
        age,
        account_type: "0".parse().unwrap(),
        attestation: None,
    };
    let alice = user("alice.IN", "alice", 30);
    let said = alice.attested();
    let good = word(said, NetworkId::Testnet);
    let by_another = Attestation { attester_id: "abroad".parse().unwrap(), ..*good };
    let longer = Attestation { expires_at: TimeMs(60_001), ..*good };
    let for_genesis = Attested { purpose: Purpose::Genesis, ..said };
    for (changed, attestation) in [
        (user("alicia.IN", "alice", 30), good.clone()),
        (user("alice.IN", "alicia", 30), good.clone()),
        (user("alice.IN", "alice", 31), good.clone()),
        (alice.clone(), Box::new(by_another)),
        (alice.clone(), Box::new(longer)),
        (alice.clone(), word(for_genesis, NetworkId::Testnet)),
        (alice.clone(), word(said, NetworkId::Mainnet)),
        (alice.clone(), word(said, NetworkId::Devnet)),
    ] {
        let attestation = Some(attestation);
        let refused = outcome(&mut host, CreateUser { attestation, ..changed }.into());
        assert_eq!(refused, Some(Refusal::AttestationWrong));
    }
    let child = account("child.IN");
    let of_child = user("child.IN", "child", 13).attested();
    let mut grant = |said| {
        let attestation = Some(word(said, NetworkId::Testnet));
        let users = vec![AttestedAge { user_id: child, age: 13, attestation }];
        outcome(&mut host, DistributeGenesis { users }.into())
    };
    assert_eq!(grant(of_child), Some(Refusal::AttestationWrong), "for a registration");
    let grown = Attested { purpose: Purpose::Genesis, ..of_child };
    let somebody_else = Attested { identity_hash: identity_hash("mallory"), ..grown };
    assert_eq!(grant(somebody_else), Some(Refusal::AttestationWrong));
    assert_eq!(grant(grown), None);
    let attested = CreateUser { attestation: Some(good), ..alice };
    assert_eq!(outcome(&mut host, attested.into()), None);
    host.finish();
}

/// Otherwise an attester could be registered whom nobody can hold to anything.
#[test]
fn nobody_is_made_an_attester_by_a_key_they_do_not_hold() {
    attack(
        "admin:root RegisterAttester mallory clinic unproven 9 IN => key_not_proven
        admin:root RegisterAttester mallory 0*64 9 IN => public_key_invalid
        admin:root RegisterAttester clinic k 9 IN => attester_exists
        user:child.IN RegisterAttester mallory k 9 IN => actor_not_allowed",
    );
}
