//! A block as the projector hands it in, and the error that names a place in it.
//!
//! What is wrong with a block stops the projection; nothing of it is skipped.

use gx_contract::{BatchRecord, Envelope};
use gx_types::{CommandId, Role};

use crate::Error;

/// A block of the ledger as the projector hands it in.
#[derive(Debug, Clone, Copy)]
pub struct ProjectedBlock<'a> {
    pub number: u64,
    pub hash: [u8; 32],
    pub prev_hash: [u8; 32],
    /// The role that submitted it.
    pub role: Role,
    pub commands: &'a [Envelope],
    /// The outcomes of the commands, in their order.
    pub record: &'a BatchRecord,
}

/// The block's commands and outcomes belong together.
pub(super) fn check(block: &ProjectedBlock<'_>) -> Result<(), Error> {
    let results = &block.record.results;
    if results.len() != block.commands.len() {
        let reason = format!("{} commands, {} outcomes", block.commands.len(), results.len());
        return Err(Error::Projection { block: block.number, command_id: None, reason });
    }
    let mut pairs = block.commands.iter().zip(results);
    match pairs.find(|(command, result)| command.command_id != result.command_id) {
        Some((command, result)) => Err(stop(
            block,
            command.command_id,
            format!("its outcome is that of {}", result.command_id),
        )),
        None => Ok(()),
    }
}

/// The error that names block and command.
pub(super) fn stop(
    block: &ProjectedBlock<'_>,
    command_id: CommandId,
    reason: impl Into<String>,
) -> Error {
    let command_id = Some(command_id.to_string());
    Error::Projection { block: block.number, command_id, reason: reason.into() }
}
