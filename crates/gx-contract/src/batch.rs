//! The unit of submission: commands of one role, in outbox order.

use gx_types::{Actor, BatchId, CommandId, Role};
use serde::{Deserialize, Serialize};

use crate::{Command, Signature, hex_text};

/// A command, who it acts for, and the id under which it has one outcome for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    pub command_id: CommandId,
    pub actor: Actor,
    pub command: Command,
    /// By the key of the acting account; absent while the account has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

impl Envelope {
    /// The bytes that stand for actor and command in hashes: three parts, each preceded by its
    /// length as 32 bits little-endian: actor, function name, JSON of the arguments. The
    /// signature is no part of it: a command that is signed anew is the same command.
    pub fn canonical_body(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(320);
        self.write_canonical_body(&mut bytes);
        bytes
    }

    fn write_canonical_body(&self, bytes: &mut Vec<u8>) {
        let (space, id) = self.actor.parts();
        part(bytes, |bytes| {
            bytes.extend_from_slice(space.as_bytes());
            bytes.extend_from_slice(id.as_bytes());
        });
        part(bytes, |bytes| bytes.extend_from_slice(self.command.name().as_bytes()));
        part(bytes, |bytes| self.command.write_args_json(bytes));
    }
}

/// Appends what `write` appends, preceded by its length.
pub(crate) fn part(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    write(bytes);
    let length = bytes.len().saturating_sub(start).saturating_sub(4);
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    bytes.iter_mut().skip(start).zip(length).for_each(|(to, from)| *to = from);
}

/// First 128 bits of BLAKE3 over the canonical body; written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyHash([u8; 16]);

impl Envelope {
    /// Tells a repetition of the command from another use of its id.
    pub fn body_hash(&self) -> BodyHash {
        self.body_hash_in(&mut Vec::with_capacity(320))
    }

    /// The same with memory that serves for one command after the other.
    pub(crate) fn body_hash_in(&self, body: &mut Vec<u8>) -> BodyHash {
        body.clear();
        self.write_canonical_body(body);
        let hash = blake3::hash(body);
        let mut head = [0; 16];
        head.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        BodyHash(head)
    }
}

impl BodyHash {
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

hex_text!(BodyHash, 16, "32 lower-case hexadecimal digits");

/// Commands that one ledger transaction settles, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    pub batch_id: BatchId,
    /// The role that all commands need and the submitter must have.
    pub role: Role,
    pub commands: Vec<Envelope>,
}
