//! How a receipt is made: the block, the configuration that it was made under, and the question for
//! the outcome, asked of the organizations that endorse.

use std::sync::Arc;
use std::time::Duration;

use gx_contract::Envelope;
use gx_contract::smart_contract::GetCommandOutcome;
use gx_types::CommandId;
use prost::Message as _;
use tokio::time::Instant;

use super::endorsed::Endorsed;
use super::proof::{BlockSignature, ConfigurationBlock, Content, Proof, SignedBlock};
use super::{Configuration, Fault, TRANSACTIONS_MAX};
use crate::block::Block;
use crate::proto::{
    self, METADATA_SIGNATURES, METADATA_TRANSACTIONS_FILTER, Metadata, OrdererBlockMetadata,
};
use crate::{Error, FabricEngine};

/// How long a configuration that was found to be the last one is taken for that.
const CURRENT_FOR: Duration = Duration::from_secs(60);

/// Times that the question is asked: a peer may be a block behind the one that blocks come from.
const QUESTIONS_MAX: u32 = 3;

const PAUSE: Duration = Duration::from_millis(300);

/// How much of the block a receipt shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The command alone, for whom the rest of the block is none of their business.
    Command,
    /// All of the block, unless it is longer than a receipt may be.
    Block,
}

/// The configuration that is in force, and when that was asked.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    asked: Instant,
    configuration: Arc<Configuration>,
}

/// A configuration block as the channel has it.
struct Found {
    shown: ConfigurationBlock,
    read: Configuration,
}

/// What the orderers have signed besides the header, and the number of the configuration in it.
fn signed_metadata(block: &proto::Block) -> Option<(Metadata, u64)> {
    let metadata = block.metadata.as_ref()?.metadata.get(METADATA_SIGNATURES)?;
    let metadata = Metadata::decode(metadata.as_slice()).ok()?;
    let named = OrdererBlockMetadata::decode(metadata.value.as_slice()).ok()?.last_config?;
    Some((metadata, named.index))
}

fn signed_block(block: &proto::Block) -> Option<(SignedBlock, u64)> {
    let header = block.header.clone()?;
    let (metadata, configuration) = signed_metadata(block)?;
    let some = |bytes: Vec<u8>| Some(bytes).filter(|bytes| !bytes.is_empty()).map(Into::into);
    let signatures = metadata.signatures.into_iter().map(|signature| BlockSignature {
        header: some(signature.signature_header),
        identifier: some(signature.identifier_header),
        signature: signature.signature.into(),
    });
    let signed = SignedBlock {
        number: header.number,
        previous_hash: header.previous_hash.into(),
        data_hash: header.data_hash.into(),
        metadata: metadata.value.into(),
        signatures: signatures.collect(),
    };
    Some((signed, configuration))
}

impl FabricEngine {
    /// What shows a command that a block has settled, to somebody who asks no peer. `None` when
    /// the block has settled no such command.
    ///
    /// # Errors
    /// See [`Error::class`]; [`Error::NoReceipt`] when what the channel has shows too little.
    pub async fn prove(
        &self,
        number: u64,
        command_id: CommandId,
        extent: Extent,
    ) -> Result<Option<Proof>, Error> {
        let unreadable = || Error::Unreadable { what: "a block" };
        let raw = self.raw_block(number).await?;
        let (block, configuration) = signed_block(&raw).ok_or_else(unreadable)?;
        let Some(settled) = Block::read(&raw, &self.options().chaincode)?.settled else {
            return Ok(None);
        };
        let commands = &settled.batch.commands;
        let Some(at) = commands.iter().position(|command| command.command_id == command_id) else {
            return Ok(None);
        };
        let Some(command) = commands.get(at) else { return Ok(None) };
        let content = match extent {
            Extent::Block => of_block(&raw, settled.place, at),
            Extent::Command => None,
        };
        let content = match content {
            Some(content) => content,
            None => of_command(command).map_err(|_| unreadable())?,
        };
        let mut proof = Proof {
            chaincode: self.options().chaincode.clone(),
            configurations: vec![self.configuration_block(configuration).await?.shown],
            block,
            place: settled.place,
            content,
            question: self.ask_outcome(command_id).await?,
        };
        let (_, current) = self.newest().await?;
        if current != configuration {
            proof.configurations.push(self.configuration_block(current).await?.shown);
        }
        self.confirmed(proof, command_id).await.map(Some)
    }

    /// The proof once it shows what it is to show.
    async fn confirmed(&self, mut proof: Proof, command_id: CommandId) -> Result<Proof, Error> {
        let mut questions = 1;
        loop {
            // Long blocks take their time, which is nobody else's.
            let checked = tokio::task::spawn_blocking(move || (proof.check(&[]), proof)).await;
            let checked = checked.map_err(|_| Error::Unreadable { what: "the proof" })?;
            let fault = match checked {
                (Ok(_), proof) => return Ok(proof),
                (Err(fault), unproven) => {
                    proof = unproven;
                    fault
                }
            };
            let is_behind = matches!(fault, Fault::NoOutcome | Fault::NotRead);
            if !is_behind || questions >= QUESTIONS_MAX {
                return Err(Error::NoReceipt(Box::new(fault)));
            }
            questions += 1;
            tokio::time::sleep(PAUSE).await;
            proof.question = self.ask_outcome(command_id).await?;
        }
    }

    /// The configuration in force, as of a minute ago at most.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn configuration(&self) -> Result<Arc<Configuration>, Error> {
        let mut current = self.current().lock().await;
        if let Some(known) = &*current
            && known.asked.elapsed() < CURRENT_FOR
        {
            return Ok(known.configuration.clone());
        }
        let asked = Instant::now();
        let (_, number) = self.newest().await?;
        let configuration = match &*current {
            Some(known) if known.configuration.number() == number => known.configuration.clone(),
            Some(_) | None => Arc::new(self.configuration_block(number).await?.read),
        };
        *current = Some(Current { asked, configuration: configuration.clone() });
        Ok(configuration)
    }

    /// Numbers of the last block and of the configuration that it was made under.
    async fn newest(&self) -> Result<(u64, u64), Error> {
        let number = self.tip().await?.number;
        let block = self.raw_block(number).await?;
        // The first configuration is the channel's beginning, and nobody has signed it.
        let configuration = match number {
            0 => Some(0),
            _ => signed_metadata(&block).map(|(_, configuration)| configuration),
        };
        let unreadable = Error::Unreadable { what: "the signatures of a block" };
        Ok((number, configuration.ok_or(unreadable)?))
    }

    async fn configuration_block(&self, number: u64) -> Result<Found, Error> {
        let unreadable = || Error::Unreadable { what: "a configuration block" };
        let block = self.raw_block(number).await?;
        let header = block.header.ok_or_else(unreadable)?;
        let data = block.data.unwrap_or_default().data;
        let [transaction] = data.as_slice() else { return Err(unreadable()) };
        let read = Configuration::read(number, &header.previous_hash, transaction);
        let read = read.map_err(|fault| Error::NoReceipt(Box::new(fault)))?;
        let shown = ConfigurationBlock {
            number,
            previous_hash: header.previous_hash.into(),
            transaction: transaction.clone().into(),
        };
        Ok(Found { shown, read })
    }

    /// Has the outcome of a command endorsed, as a transaction would be. It is never ordered.
    async fn ask_outcome(&self, command_id: CommandId) -> Result<Endorsed, Error> {
        let unreadable = || Error::Unreadable { what: "the endorsed outcome" };
        let query = gx_contract::Query::from(GetCommandOutcome { command_id });
        let prepared = self.endorse_query(&query).await?;
        Endorsed::of_payload(prepared.payload()).ok_or_else(unreadable)
    }
}

fn of_command(command: &Envelope) -> Result<Content, serde_json::Error> {
    let alone = Envelope { signature: None, ..command.clone() };
    serde_json::to_string(&alone).map(|command| Content::Command { command })
}

/// The whole block, if it is short enough to be shown.
fn of_block(block: &proto::Block, place: u64, at: usize) -> Option<Content> {
    let data = block.data.as_ref()?;
    let bytes = data.data.iter().map(Vec::len).fold(0, usize::saturating_add);
    if bytes > TRANSACTIONS_MAX {
        return None;
    }
    let codes = block.metadata.as_ref()?.metadata.get(METADATA_TRANSACTIONS_FILTER)?;
    Some(Content::Block {
        transactions: data.data.iter().cloned().map(Into::into).collect(),
        validation_code: *codes.get(usize::try_from(place).ok()?)?,
        index: u32::try_from(at).ok()?,
    })
}
