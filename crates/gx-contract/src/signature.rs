//! Signatures by account keys: which bytes are signed, and whether a signature is genuine.
//!
//! Ed25519, verified strictly: no small-order keys, no second form of a signature, the same answer
//! on every machine. Whether a command needs a signature is decided by the gates.

use std::fmt;

use ed25519_dalek::{Verifier, VerifyingKey};
use gx_types::{AccountId, Actor, AttesterId, CommandId, NetworkId, TimeMs};
use serde::{Deserialize, Serialize};

use crate::batch::part;
use crate::tx::{Stop, Tx};
use crate::{Command, Envelope, Refusal, hex_text};

/// A signature is good for at most 24 hours, so that a forgotten one cannot be kept for later.
pub(crate) const SIGNED_AHEAD_MAX_MS: i64 = 24 * 60 * 60 * 1000;

/// Tells the bytes that prove a new key from everything else that a key may ever sign.
const PROOF_DOMAIN: &[u8] = b"gx/key-proof/1\0";

/// Tells a word for what the time is from everything else that a key may ever sign.
const CLOCK_DOMAIN: &[u8] = b"gx/clock/1\0";

/// Tells the signed bytes from everything else that a key may ever sign.
const DOMAIN: &[u8] = b"gx/signed-command/1\0";

/// An Ed25519 public key; written as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

hex_text!(PublicKey, 32, "64 lower-case hexadecimal digits");

impl PublicKey {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Whether signatures by the key prove anything: it is a point of the curve, and not one for
    /// which a signature of every message is easily made.
    pub fn is_sound(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
    }
}

/// An Ed25519 signature; written as 128 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureBytes([u8; 64]);

hex_text!(SignatureBytes, 64, "128 lower-case hexadecimal digits");

impl SignatureBytes {
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
}

/// A signature of a command by the key of the acting account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Signature {
    /// Over [`Envelope::signed_bytes`].
    pub signature: SignatureBytes,
    /// The last batch time at which the signature is good; at most 24 hours ahead.
    pub expires_at: TimeMs,
}

impl Signature {
    /// Whether it is one of the key over this command. Whether the key is that of the actor, and
    /// the time the right one, is for the ledger to say.
    pub fn is_by(&self, key: &PublicKey, envelope: &Envelope, network: NetworkId) -> bool {
        is_proven(key, &self.signature, &envelope.signed_bytes(network, self.expires_at))
    }
}

/// The bytes that a new key signs, so that nobody sets a key that they do not hold: a domain tag,
/// then the network, whose key it will be, and the id of the command that sets it, as parts
/// preceded by their length.
pub fn key_proof_bytes(
    network: NetworkId,
    holder: &dyn fmt::Display,
    command_id: CommandId,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    bytes.extend_from_slice(PROOF_DOMAIN);
    part(&mut bytes, |bytes| bytes.extend_from_slice(network.as_str().as_bytes()));
    part(&mut bytes, |bytes| bytes.extend_from_slice(holder.to_string().as_bytes()));
    part(&mut bytes, |bytes| bytes.extend_from_slice(command_id.as_str().as_bytes()));
    bytes
}

/// The bytes that a super admin's key signs to say what the time is: a domain tag, then the network
/// and the id of the command that carries it as parts preceded by their length, and the time as 64
/// bits little-endian.
pub fn clock_confirmation_bytes(
    network: NetworkId,
    command_id: CommandId,
    time: TimeMs,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    bytes.extend_from_slice(CLOCK_DOMAIN);
    part(&mut bytes, |bytes| bytes.extend_from_slice(network.as_str().as_bytes()));
    part(&mut bytes, |bytes| bytes.extend_from_slice(command_id.as_str().as_bytes()));
    bytes.extend_from_slice(&time.0.to_le_bytes());
    bytes
}

/// Whoever sets a key holds it: the key has signed that it is to be the holder's, by this command.
pub(crate) fn check_proof(
    tx: &mut Tx<'_>,
    holder: &dyn fmt::Display,
    key: &PublicKey,
    proof: &SignatureBytes,
) -> Result<(), Stop> {
    let system = tx.state.running_system()?;
    let bytes = key_proof_bytes(system.network_id, holder, tx.given_as);
    if is_proven(key, proof, &bytes) { Ok(()) } else { Err(Refusal::KeyNotProven.into()) }
}

/// Whether the key has signed the bytes.
pub(crate) fn is_proven(key: &PublicKey, proof: &SignatureBytes, bytes: &[u8]) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(&proof.0);
    VerifyingKey::from_bytes(&key.0).is_ok_and(|key| is_proof(&key, bytes, &signature))
}

/// Whether a signature passes strict verification: neither the key nor the point R of the signature
/// is of small order, and R is in its one canonical encoding.
///
/// It takes what `VerifyingKey::verify_strict` takes, and nothing else: plain verification has
/// compared R's bytes with the canonical encoding of the point that they must be, so that a look at
/// the bytes tells a small order. Decoding R for that is a tenth of the cost.
fn is_proof(key: &VerifyingKey, bytes: &[u8], signature: &ed25519_dalek::Signature) -> bool {
    key.verify(bytes, signature).is_ok()
        && !key.is_weak()
        && !SMALL_ORDER.contains(signature.r_bytes())
}

/// The canonical encodings of the eight points of small order. A test holds them against the
/// curve.
const SMALL_ORDER: [[u8; 32]; 8] = [
    [0; 32],
    with_last([0; 32], 0x80),
    with_first([0; 32], 0x01),
    with_last(ORDER_8_A, 0x05),
    with_last(ORDER_8_A, 0x85),
    with_last(ORDER_8_B, 0x7a),
    with_last(ORDER_8_B, 0xfa),
    with_last(with_first([0xff; 32], 0xec), 0x7f),
];

const ORDER_8_A: [u8; 32] = [
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
    0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
];

const ORDER_8_B: [u8; 32] = [
    0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
    0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
];

const fn with_first(mut bytes: [u8; 32], first: u8) -> [u8; 32] {
    bytes[0] = first;
    bytes
}

const fn with_last(mut bytes: [u8; 32], last: u8) -> [u8; 32] {
    bytes[31] = last;
    bytes
}

/// What was found of a command's signature, for the attempts that follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verified {
    /// The key that it was held against: an earlier command of the batch may change it.
    pub(crate) key: PublicKey,
    pub(crate) genuine: bool,
}

impl Envelope {
    /// The bytes that an account's key signs: a domain tag, the network and the command id as parts
    /// preceded by their length, the expiry as 64 bits little-endian, and the canonical body.
    pub fn signed_bytes(&self, network: NetworkId, expires_at: TimeMs) -> Vec<u8> {
        let body = self.canonical_body();
        let mut bytes = Vec::with_capacity(body.len().saturating_add(96));
        bytes.extend_from_slice(DOMAIN);
        part(&mut bytes, |bytes| bytes.extend_from_slice(network.as_str().as_bytes()));
        part(&mut bytes, |bytes| bytes.extend_from_slice(self.command_id.as_str().as_bytes()));
        bytes.extend_from_slice(&expires_at.0.to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }
}

/// Whose a new key will be; its text stands in what the key signs for being set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHolder {
    Actor(Actor),
    Attester(AttesterId),
}

impl fmt::Display for KeyHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(actor) => actor.fmt(f),
            // No actor is called so.
            Self::Attester(id) => write!(f, "attester:{id}"),
        }
    }
}

/// A new key that a command sets, and its word for it.
#[derive(Debug)]
pub struct NewKey<'e> {
    /// Whose key it will be.
    pub holder: KeyHolder,
    pub key: PublicKey,
    /// Where the key's signature over [`key_proof_bytes`] belongs.
    pub proof: &'e mut SignatureBytes,
}

impl Envelope {
    /// The new key that the command sets, for whoever has to have it proven; most set none.
    pub fn new_key(&mut self) -> Option<NewKey<'_>> {
        let user = |id: &AccountId| Actor::User(*id);
        let (holder, key, proof) = match &mut self.command {
            Command::BootstrapSystem(set) => {
                let holder = Actor::Admin(set.first_super_admin);
                let first = set.key.as_mut()?;
                (holder, first.public_key, &mut first.proof)
            }
            Command::RegisterAdminKey(set) => (self.actor, set.public_key, &mut set.proof),
            Command::RotateAdminKey(set) => (self.actor, set.public_key, &mut set.proof),
            Command::RegisterKey(set) => (user(&set.user_id), set.public_key, &mut set.proof),
            Command::RotateKey(set) => (user(&set.user_id), set.public_key, &mut set.proof),
            Command::InitiateRecovery(set) => (user(&set.user_id), set.public_key, &mut set.proof),
            Command::ResetKeyByOrder(set) => (user(&set.user_id), set.new_key, &mut set.proof),
            Command::RegisterAttester(set) => {
                let holder = KeyHolder::Attester(set.attester_id);
                return Some(NewKey { holder, key: set.public_key, proof: &mut set.proof });
            }
            _ => return None,
        };
        Some(NewKey { holder: KeyHolder::Actor(holder), key, proof })
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::Signature;
    use proptest::prelude::*;

    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        crate::hex_text::read(text).unwrap()
    }

    /// A key whose secret is known, and its signatures of "a payment" by an R of each kind.
    const KEY: &str = "50584106c66171dbe6901bd187252a0d704a02a1080f80c486575d07e5e4b4fe";
    const GOOD: &str = "1d84c09c915b1e355f4130b3950f6754270b37696f36f1b6ca5d4a9b4cf48860\
        dfc9572b83d93754b64da4a45a9ca419345c336f9798d93f9e24816af8091d0d";
    const SMALL_R: &str = "0100000000000000000000000000000000000000000000000000000000000000\
        faf90529ef7b3cd9876aa46100760852610ad674f136b876b13416afcd2f5705";

    #[test]
    fn the_points_of_small_order_are_all_there() {
        // There are eight of them, and each has one canonical encoding.
        for (at, encoding) in SMALL_ORDER.iter().enumerate() {
            assert!(VerifyingKey::from_bytes(encoding).unwrap().is_weak(), "{encoding:?}");
            assert!(!SMALL_ORDER[at + 1..].contains(encoding));
            let mut y = *encoding;
            y[31] &= 0x7f;
            y.reverse();
            let mut p = [0xff; 32];
            (p[0], p[31]) = (0x7f, 0xed);
            assert!(y < p, "y is below the prime");
            // Both points with x = 0 have y = 1 or -1; their sign is that of zero.
            let one_or_minus_one = [0x01, 0xec].contains(&encoding[0]);
            assert!(!one_or_minus_one || encoding[31] & 0x80 == 0);
        }
    }

    #[test]
    fn a_signature_whose_point_is_of_small_order_proves_nothing() {
        let key = VerifyingKey::from_bytes(&hex(KEY)).unwrap();
        for (signature, plain, strict) in [(GOOD, true, true), (SMALL_R, true, false)] {
            let signature = Signature::from_bytes(&hex(signature));
            let message = b"a payment";
            assert_eq!(key.verify(message, &signature).is_ok(), plain);
            assert_eq!(key.verify_strict(message, &signature).is_ok(), strict);
            assert_eq!(is_proof(&key, message, &signature), strict);
        }
    }

    #[test]
    fn a_key_of_small_order_proves_nothing() {
        for key in SMALL_ORDER {
            let key = VerifyingKey::from_bytes(&key).unwrap();
            for r in SMALL_ORDER {
                let mut bytes = [0; 64];
                bytes[..32].copy_from_slice(&r);
                let signature = Signature::from_bytes(&bytes);
                assert!(!is_proof(&key, b"a payment", &signature));
            }
        }
    }

    proptest! {
        #[test]
        fn a_changed_signature_is_taken_as_strict_verification_takes_it(
            at in 0..64_usize, bit in 0..8_u32, small in any::<bool>(), changed in any::<bool>(),
        ) {
            let key = VerifyingKey::from_bytes(&hex(KEY)).unwrap();
            let mut bytes: [u8; 64] = hex(if small { SMALL_R } else { GOOD });
            if changed {
                bytes[at] ^= 1 << bit;
            }
            let signature = Signature::from_bytes(&bytes);
            let strict = key.verify_strict(b"a payment", &signature).is_ok();
            prop_assert_eq!(is_proof(&key, b"a payment", &signature), strict);
        }
    }
}
