//! Receipts of the embedded ledger: a command, its outcome, and the way from both to signed
//! headers.

use gx_contract::Outcome;
use gx_ledger::{Hash, Proof, Proven, PublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ReceiptFault;
use crate::calendar::rfc3339;

/// Version of the form of these receipts.
pub(crate) const VERSION: u32 = 1;

/// A receipt for a command of an embedded ledger.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    pub version: u32,
    pub network: String,
    pub command_id: String,
    /// Whose command it was: `user:…`, `admin:…` or `system`.
    pub actor: String,
    /// `Contract:Function`.
    pub function: String,
    /// `applied`, `refused` or `repeated`.
    pub outcome: String,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    pub block_number: u64,
    pub block_hash: String,
    /// When it was settled.
    pub at: String,
    /// The command and its outcome, as the ledger has them. Amounts are in Qirat, a millionth of a
    /// coin.
    pub command: Value,
    pub result: Value,
    /// The last block that the receipt shows, which builds on that of the command.
    pub head_number: u64,
    pub head_hash: String,
    /// The key that vouches for all of it. It has to be held against the operator's.
    pub signer: String,
    pub proof: ReceiptProof,
}

/// What shows that a receipt is true. Hashes and headers are hexadecimal.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptProof {
    /// The command's place in its block, from 0 on.
    pub index: u32,
    /// Command and outcome as they were hashed.
    pub command: String,
    pub outcome: String,
    /// The nodes that lead from each to the hash in the block's header, the lowest first.
    pub command_path: Vec<String>,
    pub outcome_path: Vec<String>,
    /// The block's header with its signature, then those of the blocks after it.
    pub headers: Vec<String>,
}

impl Receipt {
    /// The receipt that a proof makes.
    ///
    /// # Errors
    /// When the proof is none.
    pub fn of(proof: &Proof) -> std::result::Result<Self, ReceiptFault> {
        let Proven { envelope, result, block, head } = proof.check()?;
        let (outcome, code) = match &result.outcome {
            Outcome::Applied(_) => ("applied", None),
            Outcome::Refused(refused) => ("refused", Some(refused.code.code().to_owned())),
            Outcome::Repeated(_) => ("repeated", None),
        };
        let value = |text: &str| serde_json::from_str(text).map_err(ReceiptFault::NotAReceipt);
        let digits = |hashes: &[Hash]| hashes.iter().map(Hash::to_string).collect();
        Ok(Self {
            version: VERSION,
            network: block.network.to_string(),
            command_id: envelope.command_id.to_string(),
            actor: envelope.actor.to_string(),
            function: envelope.command.name().to_owned(),
            outcome: outcome.to_owned(),
            code,
            block_number: block.number,
            block_hash: block.hash().to_string(),
            at: rfc3339(block.time.0),
            command: value(&proof.command)?,
            result: value(&proof.outcome)?,
            head_number: head.number,
            head_hash: head.hash().to_string(),
            signer: head.signer.to_string(),
            proof: ReceiptProof {
                index: proof.index,
                command: proof.command.clone(),
                outcome: proof.outcome.clone(),
                command_path: digits(&proof.command_path),
                outcome_path: digits(&proof.outcome_path),
                headers: proof.headers.iter().map(hex::encode).collect(),
            },
        })
    }

    /// The receipt that the proof in a text makes, by the key that the reader trusts.
    pub(super) fn read(
        given: Value,
        expected: Option<PublicKey>,
    ) -> std::result::Result<Self, ReceiptFault> {
        let read: Self = serde_json::from_value(given).map_err(ReceiptFault::NotAReceipt)?;
        let proof = read.proof.read()?;
        let made = Self::of(&proof)?;
        let found = proof.check()?.signer();
        match expected.filter(|expected| *expected != found) {
            Some(expected) => Err(ReceiptFault::ForeignKey { found, expected }),
            None => Ok(made),
        }
    }
}

impl ReceiptProof {
    fn read(&self) -> std::result::Result<Proof, ReceiptFault> {
        let digits = || ReceiptFault::Digits;
        let path = |texts: &[String]| {
            let hashes = texts.iter().map(|text| text.parse::<Hash>().map_err(|_| digits()));
            hashes.collect::<std::result::Result<Vec<_>, _>>()
        };
        let headers = self.headers.iter().map(|text| hex::decode(text).map_err(|_| digits()));
        Ok(Proof {
            index: self.index,
            command: self.command.clone(),
            outcome: self.outcome.clone(),
            command_path: path(&self.command_path)?,
            outcome_path: path(&self.outcome_path)?,
            headers: headers.collect::<std::result::Result<_, _>>()?,
        })
    }
}
