//! Signatures by account keys: which bytes are signed, and whether a signature is genuine.
//!
//! Ed25519, verified strictly: no small-order keys, no second form of a signature, the same answer
//! on every machine. Whether a command needs a signature is decided by the gates.

use ed25519_dalek::VerifyingKey;
use gx_types::{NetworkId, TimeMs};
use serde::{Deserialize, Serialize};

use crate::batch::part;
use crate::{Envelope, hex_text};

/// A signature is good for at most 24 hours, so that a forgotten one cannot be kept for later.
pub(crate) const SIGNED_AHEAD_MAX_MS: i64 = 24 * 60 * 60 * 1000;

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
    pub(crate) fn is_genuine(
        &self,
        key: &PublicKey,
        envelope: &Envelope,
        network: NetworkId,
    ) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature.0);
        let bytes = envelope.signed_bytes(network, self.expires_at);
        VerifyingKey::from_bytes(&key.0)
            .is_ok_and(|key| key.verify_strict(&bytes, &signature).is_ok())
    }
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
