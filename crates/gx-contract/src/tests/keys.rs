//! Account keys: what must be signed, by which key, until when; and what a key protects.

use ed25519_dalek::{Signer, SigningKey};
use gx_types::{Actor, CommandId, NetworkId, Role, TimeMs};

use super::host::Host;
use super::notation::{account, command, public_key, sign, signing_key};
use super::script::{WORLD, check};
use crate::identity::RegisterKey;
use crate::{
    Command, Envelope, Outcome, PublicKey, Refusal, Signature, SignatureBytes, key_proof_bytes,
};

/// Alice has the key `k`; Bob has none.
const USERS: &str = "at 1000
    world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    user:alice.IN RegisterKey alice.IN k => KeyRegistered userId=alice.IN";

fn check_with_users(table: &str) {
    check(&format!("{USERS}\n{table}"));
}

#[test]
fn an_account_with_a_key_acts_by_its_signature_alone() {
    check_with_users(
        "user:alice.IN Transfer alice.IN bob.FR 1GX => signature_missing
        signed=other user:alice.IN Transfer alice.IN bob.FR 1GX => signature_wrong
        signed=k user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred
        user:bob.FR Transfer bob.FR alice.IN 1GX => Transferred
        signed=k user:bob.FR Transfer bob.FR alice.IN 1GX => signature_unexpected",
    );
}

#[test]
fn nobody_but_a_user_signs() {
    check_with_users(
        "signed=k system DistributeGenesis bob.FR=30 => signature_unexpected
        signed=k admin:root FreezeWallet bob.FR COURT_ORDER => signature_unexpected
        signed=k user:nobody.IN Transfer nobody.IN bob.FR 1 => actor_unknown
        signed=k admin:root Transfer alice.IN bob.FR 1 => actor_not_allowed",
    );
}

#[test]
fn a_signature_is_good_to_the_millisecond_of_its_expiry_and_a_day_ahead_at_most() {
    check_with_users(
        "signed=k@999 user:alice.IN Transfer alice.IN bob.FR 1GX => signature_expired
        signed=k@1000 user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred
        signed=k@86401000 user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred
        signed=k@86401001 user:alice.IN Transfer alice.IN bob.FR 1GX => signature_too_far_ahead
        signed=k@9223372036854775807 user:alice.IN Transfer alice.IN bob.FR 1 => \
            signature_too_far_ahead
        signed=k@-9223372036854775808 user:alice.IN Transfer alice.IN bob.FR 1 => \
            signature_expired
        signed=other@999 user:alice.IN Transfer alice.IN bob.FR 1GX => signature_expired",
    );
}

#[test]
fn a_signature_counts_on_one_network() {
    check_with_users(
        "signed=k@2000@testnet user:alice.IN Transfer alice.IN bob.FR 1 => signature_wrong
        signed=k@2000@mainnet user:alice.IN Transfer alice.IN bob.FR 1 => signature_wrong
        signed=k@2000@devnet user:alice.IN Transfer alice.IN bob.FR 1 => Transferred",
    );
}

#[test]
fn a_signed_command_is_settled_once() {
    check_with_users(
        "#pay signed=k user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred
        + #pay signed=k user:alice.IN Transfer alice.IN bob.FR 1GX => repeated
        #pay signed=k@5000 user:alice.IN Transfer alice.IN bob.FR 1GX => repeated
        #pay user:alice.IN Transfer alice.IN bob.FR 1GX => repeated
        #pay signed=k user:alice.IN Transfer alice.IN bob.FR 2GX => command_id_reused
        = bob.FR 501GX",
    );
}

/// A key that an earlier command of the batch sets counts for the later ones.
#[test]
fn a_rotated_key_signs_from_the_next_command_on() {
    check_with_users(
        "user:alice.IN RotateKey alice.IN k2 => signature_missing
        signed=k2 user:alice.IN RotateKey alice.IN k2 => signature_wrong
        signed=k user:alice.IN RotateKey alice.IN k => key_unchanged
        signed=k user:alice.IN RegisterKey alice.IN k2 => key_exists
        signed=k user:alice.IN Transfer alice.IN bob.FR 1 => Transferred
        + signed=k user:alice.IN RotateKey alice.IN k2 => KeyRotated userId=alice.IN
        + signed=k user:alice.IN Transfer alice.IN bob.FR 1 => signature_wrong
        + signed=k2 user:alice.IN Transfer alice.IN bob.FR 1 => Transferred
        user:bob.FR RotateKey bob.FR k2 => key_missing
        user:bob.FR RegisterKey alice.IN k2 => not_own_account
        user:bob.FR RegisterKey bob.FR k3 => KeyRegistered
        + user:bob.FR Transfer bob.FR alice.IN 1 => signature_missing
        + signed=k3 user:bob.FR Transfer bob.FR alice.IN 1 => Transferred",
    );
}

#[test]
fn the_signature_comes_before_the_account_and_after_the_actor() {
    check_with_users(
        r#"admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        user:alice.IN Transfer alice.IN bob.FR 1 => signature_missing
        signed=other user:alice.IN Transfer alice.IN bob.FR 1 => signature_wrong
        signed=k user:alice.IN Transfer alice.IN bob.FR 1 => account_frozen
        admin:root UnfreezeWallet alice.IN COURT_ORDER => WalletUnfrozen
        admin:root SetUserStatus alice.IN LOCKED => UserStatusSet
        signed=other user:alice.IN Transfer alice.IN bob.FR 1 => signature_wrong
        signed=k user:alice.IN Transfer alice.IN bob.FR 1 => account_locked
        admin:root PauseSystem "ten letters" => SystemPaused
        signed=other user:alice.IN Transfer alice.IN bob.FR 1 => system_paused"#,
    );
}

/// Points of small order, one that is on no curve, and one written with a value above the field's.
#[test]
fn keys_that_prove_nothing_are_refused() {
    let zero = "0".repeat(64);
    let one = format!("01{}", "0".repeat(62));
    let minus_one = format!("ec{}7f", "f".repeat(60));
    let off_the_curve = format!("02{}", "0".repeat(62));
    let of_order_eight = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    for key in [zero.as_str(), &one, &minus_one, &off_the_curve, of_order_eight] {
        check(&format!(
            "{WORLD}\nopen carol.IN 30
            user:carol.IN RegisterKey carol.IN {key} => public_key_invalid"
        ));
    }
}

/// Nothing of a command can be changed once it is signed.
#[test]
fn a_signature_moves_to_no_other_command() {
    let mut host = check(USERS);
    let pay =
        |to: &str, qirat: &str| command("Transfer", &["alice.IN", to, qirat].map(str::to_owned));
    let alice = Actor::User(account("alice.IN"));
    let mut signed = host.envelope(alice, pay("bob.FR", "1"));
    sign(&mut signed, "k", host.now, NetworkId::Devnet);
    let Signature { signature, expires_at } = signed.signature.unwrap();
    let mut outcome = |changed: Envelope| {
        let record = host.execute(Role::PartnerApi, vec![changed]);
        match &record.results[0].outcome {
            Outcome::Refused(why) => Some(why.code),
            Outcome::Applied(_) | Outcome::Repeated(_) => None,
        }
    };
    let other = |id: u128| CommandId::from_u128(id);
    let longer = Some(Signature { signature, expires_at: TimeMs(expires_at.0 + 1) });
    for changed in [
        Envelope { command_id: other(1), ..signed.clone() },
        Envelope { command_id: other(2), command: pay("bob.FR", "2"), ..signed.clone() },
        Envelope { command: pay("bob.FR", "2"), command_id: other(3), ..signed.clone() },
        Envelope { command_id: other(4), signature: longer, ..signed.clone() },
    ] {
        assert_eq!(outcome(changed), Some(Refusal::SignatureWrong));
    }
    assert_eq!(outcome(signed), None);
    host.finish();
}

/// The page for those who sign, whose example is read back here.
const PAGE: &str = include_str!("../../../../docs/account-keys.md");

#[test]
fn the_documented_vectors_are_what_is_signed() {
    let mut vectors = 0;
    for block in PAGE.split("```text\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let field = |name: &str| {
            let mut lines = block.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {name}")).trim()
        };
        let envelope = Envelope {
            command_id: field("command id").parse().unwrap(),
            actor: field("actor").parse().unwrap(),
            command: Command::from_name_and_args(field("function"), field("arguments")).unwrap(),
            signature: None,
        };
        assert_eq!(envelope.command.args_json(), field("arguments"));
        let network: NetworkId = field("network").parse().unwrap();
        let expires_at = TimeMs(field("expires at").parse().unwrap());
        let bytes = envelope.signed_bytes(network, expires_at);
        let shown = hex::encode(&bytes);
        assert_eq!(shown, field("signed bytes"));
        let seed: [u8; 32] = hex::decode(field("private key")).unwrap().try_into().unwrap();
        let key = SigningKey::from_bytes(&seed);
        let public_key = PublicKey::from_bytes(key.verifying_key().to_bytes());
        assert_eq!(public_key.to_string(), field("public key"));
        let signature = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
        assert_eq!(signature.to_string(), field("signature"));
        vectors += 1;
    }
    assert_eq!(vectors, 2);
}

/// The proof of a new key on the same page.
#[test]
fn the_documented_proof_is_what_a_new_key_signs() {
    let (_, block) = PAGE.split_once("```proof\n").unwrap();
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap()
    };
    let (network, holder) = (field("network").parse().unwrap(), field("holder"));
    let holder: Actor = holder.parse().unwrap();
    let bytes = key_proof_bytes(network, &holder, field("command id").parse().unwrap());
    assert_eq!(hex::encode(&bytes), field("signed bytes"));
    let seed: [u8; 32] = hex::decode(field("private key")).unwrap().try_into().unwrap();
    let key = SigningKey::from_bytes(&seed);
    assert_eq!(hex::encode(key.verifying_key().to_bytes()), field("public key"));
    assert_eq!(hex::encode(key.sign(&bytes).to_bytes()), field("signature"));
    assert!(PAGE.contains(&format!("\"proof\":\"{}\"", field("signature"))));
}

/// A proof is seen by everybody, so it must serve nobody else, nowhere else, and no other command.
#[test]
fn a_proof_is_for_one_account_one_command_and_one_network() {
    let mut host = check(USERS);
    let bob = Actor::User(account("bob.FR"));
    let outcome = |host: &mut Host, network, holder: Actor, of: u128, as_id: u128| {
        let bytes = key_proof_bytes(network, &holder, CommandId::from_u128(of));
        let proof = SignatureBytes::from_bytes(signing_key("k2").sign(&bytes).to_bytes());
        let (user_id, public_key) = (account("bob.FR"), public_key("k2"));
        let mut envelope = host.envelope(bob, RegisterKey { user_id, public_key, proof });
        envelope.command_id = CommandId::from_u128(as_id);
        let record = host.execute(Role::PartnerApi, vec![envelope]);
        match &record.results[0].outcome {
            Outcome::Refused(why) => Some(why.code),
            Outcome::Applied(_) | Outcome::Repeated(_) => None,
        }
    };
    let devnet = NetworkId::Devnet;
    let alice = Actor::User(account("alice.IN"));
    for (network, holder, of, as_id) in [
        (devnet, alice, 1, 1),
        (devnet, bob, 1, 2),
        (NetworkId::Testnet, bob, 3, 3),
        (devnet, "admin:root".parse().unwrap(), 4, 4),
    ] {
        let refused = outcome(&mut host, network, holder, of, as_id);
        assert_eq!(refused, Some(Refusal::KeyNotProven), "{network} {holder} {of} {as_id}");
    }
    assert_eq!(outcome(&mut host, devnet, bob, 5, 5), None);
    host.finish();
}

/// Nothing sets a key that nobody holds, and the account could not be used any more.
#[test]
fn whoever_sets_a_key_holds_it() {
    check_with_users(
        "user:bob.FR RegisterKey bob.FR k2 unproven => key_not_proven
        user:bob.FR Transfer bob.FR alice.IN 1 => Transferred
        signed=k user:alice.IN RotateKey alice.IN k2 unproven => key_not_proven
        signed=k user:alice.IN Transfer alice.IN bob.FR 1 => Transferred
        signed=k user:alice.IN RotateKey alice.IN k2 => KeyRotated",
    );
}

#[test]
fn the_test_keys_differ() {
    assert_ne!(signing_key("k").to_bytes(), signing_key("other").to_bytes());
}
