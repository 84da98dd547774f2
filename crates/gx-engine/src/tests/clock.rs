//! A ledger on mainnet that has not been used for days: nothing is lost, and two super admins let
//! it go on.

use ed25519_dalek::{Signer, SigningKey};
use gx_contract::admin::{
    AppointAdmin, BootstrapSystem, ClockConfirmation, ConfirmClock, CountryWeight,
    InitializeCountryData, RegisterAdminKey,
};
use gx_contract::state::AdminLevel;
use gx_contract::{
    Command, PublicKey, Signature, SignatureBytes, clock_confirmation_bytes, key_proof_bytes,
};
use gx_store::commands::State;
use gx_store::{Engine, submission};
use gx_types::{Actor, AdminId, NetworkId, TimeMs};

use super::rig::{Rig, until};
use crate::{Accepted, Submission};

const NETWORK: NetworkId = NetworkId::Mainnet;

fn admin(name: &str) -> AdminId {
    name.parse().unwrap()
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_bytes(&name.bytes().cycle().take(32).collect::<Vec<_>>().try_into().unwrap())
}

fn by(name: &str, bytes: &[u8]) -> SignatureBytes {
    SignatureBytes::from_bytes(key(name).sign(bytes).to_bytes())
}

/// A command whose arguments depend on its id.
fn submission(actor: Actor, key: &str, command: impl Into<Command>) -> Submission {
    let (command, service) = (command.into(), "admin");
    Submission { actor, key: key.to_owned(), command, signature: None, service, traceparent: None }
}

async fn give(rig: &Rig, submission: Submission) -> Accepted {
    rig.outbox.submit(submission).await.unwrap()
}

async fn settled(rig: &Rig, accepted: Accepted) {
    let state = rig.outcome(accepted).await;
    assert!(matches!(state, State::Committed { .. }), "{state:?}");
}

async fn register_key(rig: &Rig, name: &str) {
    let actor = Actor::Admin(admin(name));
    let public_key = PublicKey::from_bytes(key(name).verifying_key().to_bytes());
    let proof = SignatureBytes::from_bytes([0; 64]);
    let mut one = submission(actor, name, RegisterAdminKey { public_key, proof });
    let proof = by(name, &key_proof_bytes(NETWORK, &actor, one.command_id()));
    one.command = RegisterAdminKey { public_key, proof }.into();
    settled(rig, give(rig, one).await).await;
}

/// Confirmed by both; `as_boss` is who signs for the second.
fn confirmation(key: &str, time: TimeMs, as_boss: &str) -> Submission {
    let confirmations = Vec::new();
    let mut one = submission(Actor::System, key, ConfirmClock { time, confirmations });
    let bytes = clock_confirmation_bytes(NETWORK, one.command_id(), time);
    let of =
        |name, signer| ClockConfirmation { admin_id: admin(name), signature: by(signer, &bytes) };
    let confirmations = vec![of("root", "root"), of("boss", as_boss)];
    one.command = ConfirmClock { time, confirmations }.into();
    one
}

/// Root adds one of the countries, signed.
async fn add_country(rig: &Rig, code: &str) -> Accepted {
    let country = CountryWeight { country_code: code.parse().unwrap(), weight: 1 };
    let command = InitializeCountryData { countries: vec![country] };
    let mut one = submission(Actor::Admin(admin("root")), code, command);
    let (command_id, actor, command) = (one.command_id(), one.actor, one.command.clone());
    let envelope = gx_contract::Envelope { command_id, actor, command, signature: None };
    let expires_at = rig.ledger.tip().time.plus_hours(20);
    let signature = by("root", &envelope.signed_bytes(NETWORK, expires_at));
    one.signature = Some(Signature { signature, expires_at });
    give(rig, one).await
}

async fn classes(rig: &Rig) -> Vec<String> {
    let waiting = submission::waiting(&rig.store).await.unwrap();
    waiting.stuck.into_iter().map(|lane| lane.stuck.class).collect()
}

async fn a_jump_of_the_clock_waits_for_two_super_admins(engine: Engine) {
    let rig = Rig::of(engine, NETWORK).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let (first_super_admin, network_id, account_id, key) = (admin("root"), NETWORK, None, None);
    let bootstrap = BootstrapSystem { first_super_admin, network_id, account_id, key };
    rig.settle(Actor::System, bootstrap).await;
    let (admin_id, level, emergency) = (admin("boss"), AdminLevel::SuperAdmin, false);
    let appoint = AppointAdmin { admin_id, level, account_id, emergency };
    rig.settle(Actor::Admin(admin("root")), appoint).await;
    register_key(&rig, "root").await;
    register_key(&rig, "boss").await;

    // Within 36 hours, the submitter keeps the ledger's time going by itself.
    let before = rig.ledger.tip().number;
    rig.clock.advance_days(1);
    until("a batch without commands", async || rig.ledger.tip().number > before).await;
    settled(&rig, add_country(&rig, "IN").await).await;

    rig.clock.advance_days(3);
    let waiting = add_country(&rig, "FR").await;
    until("the lane waits for the clock", async || {
        classes(&rig).await.contains(&"clock_jump".into())
    })
    .await;
    let tip = rig.ledger.tip();
    let time = rig.clock.ledger_time();
    // A wrong one changes nothing and is in nobody's way.
    let wrong = give(&rig, confirmation("wrong", time, "root")).await;
    let state = rig.waiters.status(waiting.command_id).await.unwrap().unwrap().state;
    assert!(!state.is_final(), "{state:?}");
    let right = give(&rig, confirmation("right", time, "boss")).await;
    settled(&rig, right).await;
    // It was signed for a time that is over now: that is its outcome, and it has one.
    let state = rig.outcome(waiting).await;
    let expired = |code: &str| code == "signature_expired";
    assert!(matches!(&state, State::Refused { code, .. } if expired(code)), "{state:?}");
    let state = rig.outcome(wrong).await;
    assert!(matches!(&state, State::Refused { .. }), "{state:?}");
    assert!(rig.ledger.tip().number > tip.number);
    settled(&rig, add_country(&rig, "DE").await).await;
    until("no lane waits", async || classes(&rig).await.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_clock_waits_for_two_super_admins_on_sqlite() {
    a_jump_of_the_clock_waits_for_two_super_admins(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_clock_waits_for_two_super_admins_on_postgres() {
    a_jump_of_the_clock_waits_for_two_super_admins(Engine::Postgres).await;
}
