//! Receipts: that a command was settled, and how, for somebody who asks no server.
//!
//! What is said for people is made from the proof alone, and made from it again when a receipt is
//! checked: a receipt that says anything else than its proof is none.

use axum::extract::State;
use axum::http::StatusCode;
use gx_contract::Outcome;
use gx_engine::Chain;
use gx_fabric::Unique;
use gx_ledger::{Hash, Proof, ProofFault, Proven, PublicKey};
use gx_store::Store;
use gx_store::blocks;
use gx_types::{Actor, CommandId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::Route;
use crate::app::Process;
use crate::auth::Caller;
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::{Read, View};
use crate::http::extract::{After, Path};

/// Version of the form of receipts.
pub(crate) const VERSION: u32 = 1;

pub(super) fn routes() -> [Route; 1] {
    [Route::get("/api/v1/receipts/{commandId}", receipt)
        .summary("A receipt that `gx verify receipt` checks without the server")
        .fails(&[(501, "receipts_unsupported"), (503, "ledger_elsewhere")])]
}

/// A receipt for a command.
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

/// Why a receipt shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptFault {
    #[error("it is no receipt")]
    NotAReceipt(#[source] serde_json::Error),
    #[error("it has version {0}, which this build does not know")]
    Version(u32),
    #[error("its proof is not written as hexadecimal digits")]
    Digits,
    #[error(transparent)]
    Proof(#[from] ProofFault),
    #[error("it says something else than its proof")]
    Differs,
    #[error("it is signed with the key {found}, not with {expected}")]
    ForeignKey { found: PublicKey, expected: PublicKey },
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

    /// Reads a receipt and checks all of it, without the ledger. `expected` is the key that the
    /// reader trusts: without one, the receipt shows only what whoever has its signer's key says.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(
        text: &[u8],
        expected: Option<PublicKey>,
    ) -> std::result::Result<Self, ReceiptFault> {
        let Unique(given) = serde_json::from_slice(text).map_err(ReceiptFault::NotAReceipt)?;
        let read: Self =
            serde_json::from_value(given.clone()).map_err(ReceiptFault::NotAReceipt)?;
        if read.version != VERSION {
            return Err(ReceiptFault::Version(read.version));
        }
        let proof = read.proof.read()?;
        let made = Self::of(&proof)?;
        // Every field is said by the proof; what is not said by it is not said.
        if serde_json::to_value(&made).map_err(ReceiptFault::NotAReceipt)? != given {
            return Err(ReceiptFault::Differs);
        }
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

/// `GET /receipts/{commandId}`
async fn receipt(
    State(store): State<Store>,
    State(process): State<Process>,
    caller: Caller,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<Receipt>> {
    let unknown = || Error::not_found("Transaction");
    let id: CommandId = id.parse().map_err(|_| unknown())?;
    let mut view = View::open(&store).await?;
    let row = blocks::transaction_of(&mut view.snapshot, &id).await?.ok_or_else(unknown)?;
    if !may_see(&caller, row.actor) {
        return Err(unknown());
    }
    let proof = prove(process.chain.as_ref(), row.block, row.index).await?;
    Ok(view.read(Receipt::of(&proof).map_err(Error::internal)?))
}

/// Whose command it was, and admins.
fn may_see(caller: &Caller, actor: Actor) -> bool {
    match caller {
        Caller::Admin(_) => true,
        Caller::User(user) => user.account.is_some_and(|own| actor == Actor::User(own)),
    }
}

async fn prove(chain: Option<&Chain>, block: u64, index: u64) -> Result<Proof> {
    let Some(chain) = chain else {
        let message = "This process has no ledger: ask the one that settles commands";
        return Err(Error::unavailable("ledger_elsewhere", message));
    };
    let Some(ledger) = chain.ledger().cloned() else {
        let message = "The blocks of a Fabric channel are hashed as a whole: a receipt would show \
            what others have done. Its peers answer for it";
        return Err(Error::new(StatusCode::NOT_IMPLEMENTED, "receipts_unsupported", message));
    };
    let index = u32::try_from(index).map_err(Error::internal)?;
    let proof = tokio::task::spawn_blocking(move || ledger.prove(block, index)).await;
    let proof = proof.map_err(Error::internal)?.map_err(Error::internal)?;
    proof.ok_or_else(|| {
        let message = "The command stands in a block of an older form, which can only be shown as \
            a whole";
        Error::new(StatusCode::NOT_IMPLEMENTED, "receipts_unsupported", message)
    })
}
