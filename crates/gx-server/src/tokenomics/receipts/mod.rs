//! Receipts: that a command was settled, and how, for somebody who asks no server.
//!
//! What is said for people is made from the proof alone, and made from it again when a receipt is
//! checked: a receipt that says anything else than its proof is none.

mod channel;
mod embedded;

use axum::extract::State;
use axum::http::StatusCode;
use gx_engine::Chain;
use gx_fabric::receipt::Extent;
use gx_fabric::{Class, FabricEngine, Unique};
use gx_ledger::{Ledger, ProofFault, PublicKey};
use gx_store::Store;
use gx_store::blocks;
use gx_types::{Actor, CommandId};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::api::Route;
use crate::app::Process;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::http::answer::{Read, View};
use crate::http::extract::{After, Path};

pub(crate) use channel::VERSION as CHANNEL_VERSION;
pub use channel::{ChannelReceipt, ReceiptConfiguration};
pub(crate) use embedded::VERSION;
pub use embedded::{Receipt, ReceiptProof};

/// The longest receipt: a block of a channel as orderers take it, in base64, and what goes with it.
pub const RECEIPT_BYTES_MAX: usize = 16 << 20;

pub(super) fn routes() -> [Route; 1] {
    [Route::get("/api/v1/receipts/{commandId}", receipt)
        .summary("A receipt that `gx verify receipt` checks without the server")
        .fails(&[(404, "no_receipt"), (503, "ledger_elsewhere"), (503, "ledger_unavailable")])]
}

/// A receipt of either kind of ledger.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AnyReceipt {
    Embedded(Box<Receipt>),
    Channel(Box<ChannelReceipt>),
}

/// What whoever reads a receipt trusts. Of what is empty, a receipt shows only what it says itself.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Of the node of an embedded ledger.
    pub key: Option<PublicKey>,
    /// Hashes of configuration blocks of a channel.
    pub configurations: Vec<[u8; 32]>,
    /// The contract's name on the channel.
    pub chaincode: Option<String>,
}

/// Why a receipt shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptFault {
    #[error("it is no receipt")]
    NotAReceipt(#[source] serde_json::Error),
    #[error("it has {bytes} bytes, {RECEIPT_BYTES_MAX} is the most")]
    TooLong { bytes: usize },
    #[error("it has no version that this build knows")]
    Version,
    #[error("its proof is not written as hexadecimal digits")]
    Digits,
    #[error(transparent)]
    Proof(#[from] ProofFault),
    #[error(transparent)]
    Channel(#[from] gx_fabric::receipt::Fault),
    #[error("it says something else than its proof")]
    Differs,
    #[error("it is signed with the key {found}, not with {expected}")]
    ForeignKey { found: PublicKey, expected: PublicKey },
    #[error("it is of the chaincode {found}, not of {expected}")]
    ForeignChaincode { found: String, expected: String },
    #[error("it is of an embedded ledger, which has a key and no configuration of a channel")]
    NoChannel,
    #[error("it is of a Fabric channel, which has configurations and no key of a node")]
    NoKey,
}

impl AnyReceipt {
    /// Reads a receipt and checks all of it, without the ledger.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(text: &[u8], trust: &Trust) -> std::result::Result<Self, ReceiptFault> {
        if text.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptFault::TooLong { bytes: text.len() });
        }
        let Unique(given) = serde_json::from_slice(text).map_err(ReceiptFault::NotAReceipt)?;
        let version = given.get("version").and_then(Value::as_u64);
        let version = version.and_then(|version| u32::try_from(version).ok());
        let made = match version {
            Some(VERSION) if trust.key.is_none() && !trust.configurations.is_empty() => {
                return Err(ReceiptFault::NoChannel);
            }
            Some(VERSION) => Self::Embedded(Box::new(Receipt::read(given.clone(), trust.key)?)),
            Some(CHANNEL_VERSION) if trust.key.is_some() && trust.configurations.is_empty() => {
                return Err(ReceiptFault::NoKey);
            }
            Some(CHANNEL_VERSION) => {
                Self::Channel(Box::new(ChannelReceipt::read(given.clone(), trust)?))
            }
            Some(_) | None => return Err(ReceiptFault::Version),
        };
        // Every field is said by the proof; what is not said by it is not said.
        if serde_json::to_value(&made).map_err(ReceiptFault::NotAReceipt)? != given {
            return Err(ReceiptFault::Differs);
        }
        Ok(made)
    }
}

/// `GET /receipts/{commandId}`
async fn receipt(
    State(store): State<Store>,
    State(process): State<Process>,
    caller: Caller,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<AnyReceipt>> {
    let unknown = || Error::not_found("Transaction");
    let id: CommandId = id.parse().map_err(|_| unknown())?;
    let mut view = View::open(&store).await?;
    let row = blocks::transaction_of(&mut view.snapshot, &id).await?.ok_or_else(unknown)?;
    if !may_see(&caller, row.actor) {
        return Err(unknown());
    }
    // Nothing of the database is held while a network is asked.
    let position = view.position;
    drop(view);
    let body = made(process.chain.as_ref(), &row, id, &caller).await?;
    Ok(Read { position, body })
}

/// The receipt of a transaction, from whichever ledger there is.
async fn made(
    chain: Option<&Chain>,
    row: &blocks::Transaction,
    id: CommandId,
    caller: &Caller,
) -> Result<AnyReceipt> {
    let Some(chain) = chain else {
        let message = "This process has no ledger: ask the one that settles commands";
        return Err(Error::unavailable("ledger_elsewhere", message));
    };
    match chain.channel() {
        Some(engine) => of_channel(engine, row.block, id, extent(caller)).await,
        None => of_ledger(chain, row.block, row.index).await,
    }
}

/// Whose command it was, and admins.
fn may_see(caller: &Caller, actor: Actor) -> bool {
    match caller {
        Caller::Admin(_) => true,
        Caller::User(user) => user.account.is_some_and(|own| actor == Actor::User(own)),
    }
}

/// What others have done in the block is their business and that of admins.
fn extent(caller: &Caller) -> Extent {
    match caller {
        Caller::Admin(_) => Extent::Block,
        Caller::User(_) => Extent::Command,
    }
}

fn none(message: &'static str) -> Error {
    Error::new(StatusCode::NOT_FOUND, "no_receipt", message)
}

async fn of_ledger(chain: &Chain, block: u64, index: u64) -> Result<AnyReceipt> {
    let ledger: Ledger = chain.ledger().cloned().ok_or_else(|| Error::internal("no ledger"))?;
    let index = u32::try_from(index).map_err(Error::internal)?;
    let proof = tokio::task::spawn_blocking(move || ledger.prove(block, index)).await;
    let proof = proof.map_err(Error::internal)?.map_err(Error::internal)?;
    let proof = proof.ok_or_else(|| {
        none("The command stands in a block of an older form, which can only be shown as a whole")
    })?;
    let receipt = Receipt::of(&proof).map_err(Error::internal)?;
    Ok(AnyReceipt::Embedded(Box::new(receipt)))
}

async fn of_channel(
    engine: &FabricEngine,
    block: u64,
    id: CommandId,
    extent: Extent,
) -> Result<AnyReceipt> {
    let proof = engine.prove(block, id, extent).await.map_err(|error| match &error {
        gx_fabric::Error::NoReceipt(_) => {
            none("What the channel has of the command does not show it to others").because(error)
        }
        other if other.class() == Class::NotAnswered => {
            let message = "The organizations that confirm an outcome give no answer, try again";
            Error::unavailable("ledger_unavailable", message).because(error)
        }
        _ => Error::internal(error),
    })?;
    let proof = proof.ok_or_else(|| Error::internal("the block has no such command"))?;
    let made = tokio::task::spawn_blocking(move || ChannelReceipt::of(proof, &[])).await;
    let receipt = made.map_err(Error::internal)?.map_err(Error::internal)?;
    Ok(AnyReceipt::Channel(Box::new(receipt)))
}
