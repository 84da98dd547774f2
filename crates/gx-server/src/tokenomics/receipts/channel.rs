//! Receipts of a Fabric channel: a command, its outcome, and what orderers and endorsers have
//! signed.

use gx_fabric::receipt::{Proof, Proven};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ReceiptFault, Trust};
use crate::calendar::rfc3339;

/// Version of the form of these receipts.
pub(crate) const VERSION: u32 = 2;

/// A receipt for a command of a Fabric channel.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelReceipt {
    pub version: u32,
    pub channel: String,
    /// The contract's name on the channel.
    pub chaincode: String,
    pub command_id: String,
    /// Whose command it was: `user:…`, `admin:…` or `system`.
    pub actor: String,
    /// `Contract:Function`.
    pub function: String,
    /// `applied` or `refused`.
    pub outcome: String,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    pub block_number: u64,
    pub block_hash: String,
    /// The transaction's place in the block, from 0 on.
    pub place: u64,
    /// Of the transaction; absent when the command is shown alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// When it was settled.
    pub at: String,
    /// The command as the ledger has it. Amounts are in Qirat, a millionth of a coin.
    pub command: Value,
    /// Its outcome: with its events when the block is shown, and as the ledger has recorded it when
    /// the command is shown alone.
    pub result: Value,
    /// The blocks that say who may sign and endorse. Their hashes have to be held against those
    /// that the operator has published.
    pub configurations: Vec<ReceiptConfiguration>,
    pub proof: Proof,
}

/// A configuration of the channel that a receipt is judged by.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptConfiguration {
    /// Of its block.
    pub number: u64,
    /// Of its block's header, in hexadecimal digits.
    pub hash: String,
}

impl ChannelReceipt {
    /// The receipt that a proof makes. Configurations have to be among the trusted, if any are
    /// named.
    ///
    /// # Errors
    /// When the proof is none.
    pub fn of(proof: Proof, trusted: &[[u8; 32]]) -> Result<Self, ReceiptFault> {
        let Proven { channel, envelope, outcome, result, tx_id, block_hash, configurations } =
            proof.check(trusted)?;
        let configuration = |(number, hash): (u64, [u8; 32])| ReceiptConfiguration {
            number,
            hash: hex::encode(hash),
        };
        let value = |value: serde_json::Result<Value>| value.map_err(ReceiptFault::NotAReceipt);
        let (state, code) = match &outcome.refused {
            None => ("applied", None),
            Some(refused) => ("refused", Some(refused.code.code().to_owned())),
        };
        Ok(Self {
            version: VERSION,
            channel,
            chaincode: proof.chaincode.clone(),
            command_id: envelope.command_id.to_string(),
            actor: envelope.actor.to_string(),
            function: envelope.command.name().to_owned(),
            outcome: state.to_owned(),
            code,
            block_number: proof.block.number,
            block_hash: hex::encode(block_hash),
            place: proof.place,
            transaction_id: tx_id,
            at: rfc3339(outcome.time.0),
            command: value(serde_json::to_value(&envelope))?,
            result: value(match &result {
                Some(result) => serde_json::to_value(result),
                None => serde_json::to_value(&outcome),
            })?,
            configurations: configurations.into_iter().map(configuration).collect(),
            proof,
        })
    }

    /// The receipt that the proof in a text makes, by what the reader trusts.
    pub(super) fn read(given: Value, trust: &Trust) -> Result<Self, ReceiptFault> {
        let read: Self = serde_json::from_value(given).map_err(ReceiptFault::NotAReceipt)?;
        if let Some(expected) = &trust.chaincode
            && *expected != read.proof.chaincode
        {
            let (found, expected) = (read.proof.chaincode, expected.clone());
            return Err(ReceiptFault::ForeignChaincode { found, expected });
        }
        Self::of(read.proof, &trust.configurations)
    }
}
