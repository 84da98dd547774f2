//! The unit of submission: commands of one role, in outbox order.

use gx_types::{Actor, BatchId, CommandId, Role};
use serde::{Deserialize, Serialize};

use crate::Command;

/// A command, who it acts for, and the id under which it has one outcome for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    pub command_id: CommandId,
    pub actor: Actor,
    pub command: Command,
}

impl Envelope {
    /// The bytes that stand for actor and command in hashes: three parts, each preceded by its
    /// length as 32 bits little-endian: actor, function name, JSON of the arguments.
    pub fn canonical_body(&self) -> Vec<u8> {
        let (actor, args) = (self.actor.as_str(), self.command.args_json());
        let mut bytes = Vec::with_capacity(args.len().saturating_add(96));
        for part in [actor.as_str(), self.command.name(), &args] {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// Commands that one ledger transaction settles, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    pub batch_id: BatchId,
    /// The role that all commands need and the submitter must have.
    pub role: Role,
    pub commands: Vec<Envelope>,
}
