//! What a receipt of a channel shows, and how that is checked without the channel.

use gx_contract::smart_contract::RecordedOutcome;
use gx_contract::state::{CommandOutcome, Key};
use gx_contract::{BatchRecord, CommandResult, Envelope, Outcome, Query};
use gx_types::CommandId;
use prost::Message as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bytes::Bytes;
use super::configuration::Configuration;
use super::endorsed::{Called, Endorsed, Strictness};
use super::{Fault, Part, SIGNATURES_MAX, TRANSACTIONS_MAX};
use crate::block::{data_hash, header_bytes, header_hash};
use crate::compressed::{BATCH_MAX, RECORD_MAX, decompress};
use crate::outcomes::{Segment, segment_number};
use crate::proto::{BlockHeader, IdentifierHeader, KvRwSet, OrdererBlockMetadata, SignatureHeader};
use crate::wire::Message;
use crate::{EVENT_NAME, Invocation, Submitter, Validation, packed};

/// A command of a channel, its outcome, and what shows both. All bytes are base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proof {
    /// The contract's name on the channel.
    pub chaincode: String,
    /// The configuration of the channel that the block was made under, and that of the question
    /// when it is another.
    pub configurations: Vec<ConfigurationBlock>,
    pub block: SignedBlock,
    /// The transaction's place in the block, from 0 on.
    pub place: u64,
    pub content: Content,
    /// The question for the outcome of the command, endorsed after the block was committed.
    pub question: Endorsed,
}

/// A block that holds a configuration of the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigurationBlock {
    pub number: u64,
    pub previous_hash: Bytes,
    /// Its one transaction, a `common.Envelope`.
    pub transaction: Bytes,
}

/// A block's header and the orderers' signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedBlock {
    pub number: u64,
    pub previous_hash: Bytes,
    pub data_hash: Bytes,
    /// `common.OrdererBlockMetadata`, which is signed with the header.
    pub metadata: Bytes,
    pub signatures: Vec<BlockSignature>,
}

/// An orderer's signature over a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockSignature {
    /// `common.SignatureHeader`, with the orderer's identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Bytes>,
    /// `common.IdentifierHeader`, with the orderer's number in the configuration: that of a BFT
    /// orderer, instead of `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Bytes>,
    /// ECDSA over metadata, header or identifier, and the block's header in ASN.1.
    pub signature: Bytes,
}

/// How much of the block is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "form", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Content {
    /// The command alone, as JSON. What others have done in the block is their business.
    Command { command: String },
    /// All transactions of the block.
    Block {
        /// Each a `common.Envelope`.
        transactions: Vec<Bytes>,
        /// What the peer has noted of the transaction: 0, valid. Nobody signs it.
        validation_code: u8,
        /// The command's place in the transaction's batch, from 0 on.
        index: u32,
    },
}

/// What a proof has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    pub channel: String,
    pub envelope: Envelope,
    /// As the endorsers of the question confirm it.
    pub outcome: RecordedOutcome,
    /// With its events, when the block is shown.
    pub result: Option<CommandResult>,
    /// Of the transaction, when the block is shown.
    pub tx_id: Option<String>,
    pub block_hash: [u8; 32],
    /// Number and hash of each configuration block.
    pub configurations: Vec<(u64, [u8; 32])>,
}

impl SignedBlock {
    fn header(&self) -> BlockHeader {
        BlockHeader {
            number: self.number,
            previous_hash: self.previous_hash.as_slice().to_vec(),
            data_hash: self.data_hash.as_slice().to_vec(),
        }
    }

    /// Enough orderers have signed the block, under the configuration shown.
    fn check(&self, configuration: &Configuration) -> Result<(), Fault> {
        let metadata = OrdererBlockMetadata::decode(self.metadata.as_slice());
        let named = metadata.ok().and_then(|metadata| metadata.last_config);
        let named = named.ok_or(Fault::Metadata)?.index;
        if named != configuration.number() {
            return Err(Fault::OtherConfiguration { named, shown: configuration.number() });
        }
        if self.signatures.len() > SIGNATURES_MAX {
            return Err(Fault::TooManySignatures(self.signatures.len()));
        }
        let header = header_bytes(&self.header());
        let mut signers = Vec::with_capacity(self.signatures.len());
        for (at, BlockSignature { header: named, identifier, signature }) in
            self.signatures.iter().enumerate()
        {
            let (before, identity) = match (named, identifier) {
                (Some(named), None) => {
                    let read = SignatureHeader::decode(named.as_slice());
                    (named, read.map_err(|_| Fault::Metadata)?.creator)
                }
                (None, Some(number)) => {
                    let read = IdentifierHeader::decode(number.as_slice());
                    let read = read.map_err(|_| Fault::Metadata)?.identifier;
                    let reason = || format!("the channel has no orderer with the number {read}");
                    let found = configuration.consenter(read);
                    (number, found.ok_or_else(|| Fault::UnknownOrderer { at, reason: reason() })?)
                }
                _ => return Err(Fault::Metadata),
            };
            let signer = configuration
                .member(&identity)
                .map_err(|reason| Fault::UnknownOrderer { at, reason })?;
            let signed = [self.metadata.as_slice(), before.as_slice(), &header].concat();
            if !signer.certificate.has_signed(&signed, signature.as_slice()) {
                return Err(Fault::BlockSignature { at, signer: signer.name() });
            }
            signers.push(signer);
        }
        match configuration.validates_block(&signers) {
            true => Ok(()),
            false => Err(Fault::TooFewOrderers),
        }
    }
}

/// The command of a block that is shown, and what became of it there.
struct Settled {
    envelope: Envelope,
    record: BatchRecord,
    result: CommandResult,
    /// As the transaction has written it into the state.
    written: Option<CommandOutcome>,
    tx_id: String,
}

impl Proof {
    /// Checks everything that can be checked without the channel. Configurations whose hash is not
    /// among the trusted are refused, unless none are named: then whoever reads has to hold the
    /// hashes in what is proven against those that they know.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, trusted: &[[u8; 32]]) -> Result<Proven, Fault> {
        let configurations = self.read_configurations(trusted)?;
        let (Some(first), Some(last)) = (configurations.first(), configurations.last()) else {
            return Err(Fault::Configurations(0));
        };
        self.block.check(first)?;
        let (envelope, settled) = match &self.content {
            Content::Command { command } => (read_command(command)?, None),
            Content::Block { transactions, validation_code, index } => {
                let code = Validation::from_code((*validation_code).into());
                if code != Validation::Valid {
                    return Err(Fault::Invalid(code));
                }
                let settled = self.read_block(transactions, *index, first)?;
                (settled.envelope.clone(), Some(settled))
            }
        };
        let outcome = self.check_question(last, envelope.command_id)?;
        if envelope.body_hash() != outcome.body {
            return Err(Fault::OtherBody);
        }
        if settled.as_ref().is_some_and(|settled| !settled.confirms(&outcome)) {
            return Err(Fault::OutcomeDiffers);
        }
        let (result, tx_id) = settled.map(|settled| (settled.result, settled.tx_id)).unzip();
        Ok(Proven {
            channel: first.channel().to_owned(),
            envelope,
            outcome,
            result,
            tx_id,
            block_hash: header_hash(&self.block.header()),
            configurations: configurations
                .iter()
                .map(|read| (read.number(), read.hash()))
                .collect(),
        })
    }

    fn read_configurations(&self, trusted: &[[u8; 32]]) -> Result<Vec<Configuration>, Fault> {
        if !(1..=2).contains(&self.configurations.len()) {
            return Err(Fault::Configurations(self.configurations.len()));
        }
        let mut read: Vec<Configuration> = Vec::with_capacity(2);
        for block in &self.configurations {
            let (previous, transaction) = (&block.previous_hash, &block.transaction);
            let found =
                Configuration::read(block.number, previous.as_slice(), transaction.as_slice())?;
            let (number, hash) = (found.number(), found.hash());
            if !trusted.is_empty() && !trusted.contains(&hash) {
                return Err(Fault::Untrusted { number, hash });
            }
            if let Some(first) = read.first() {
                if first.channel() != found.channel() {
                    let (first, second) = (first.channel().to_owned(), found.channel().to_owned());
                    return Err(Fault::Channels { first, second });
                }
                if first.number() >= number {
                    let (first, later) = (first.number(), number);
                    return Err(Fault::EarlierConfiguration { first, later });
                }
            }
            read.push(found);
        }
        Ok(read)
    }

    /// The command at a place of the block's transaction, which is checked as peers have done.
    fn read_block(
        &self,
        transactions: &[Bytes],
        index: u32,
        configuration: &Configuration,
    ) -> Result<Settled, Fault> {
        let lengths = transactions.iter().map(|bytes| bytes.as_slice().len());
        if lengths.fold(0, usize::saturating_add) > TRANSACTIONS_MAX {
            return Err(Fault::TooLong);
        }
        let data: Vec<Vec<u8>> =
            transactions.iter().map(|bytes| bytes.as_slice().to_vec()).collect();
        if data_hash(&data) != self.block.data_hash.as_slice() {
            return Err(Fault::Data);
        }
        let place = self.place;
        let envelope = usize::try_from(place).ok().and_then(|place| data.get(place));
        let envelope = envelope.ok_or(Fault::NoTransaction(place))?;
        let part = Part::Transaction;
        let envelope = Message::read(envelope).ok_or(Fault::Unreadable(part))?;
        let (payload, signature) = (envelope.bytes(1), envelope.bytes(2));
        let endorsed = Endorsed::of_payload(payload).ok_or(Fault::Unreadable(part))?;
        let called = endorsed.check(part, configuration, &self.chaincode, Strictness::Enough)?;
        let creator = configuration.member(&called.creator).map_err(Fault::UnknownCreator)?;
        if !creator.certificate.has_signed(payload, signature) {
            return Err(Fault::Creator(creator.name()));
        }
        let role = creator.certificate.role().ok();
        called.settled(index, role, &self.chaincode)
    }

    /// The endorsers' answer for the outcome of the command, read from where this transaction has
    /// written it.
    fn check_question(
        &self,
        configuration: &Configuration,
        command_id: CommandId,
    ) -> Result<RecordedOutcome, Fault> {
        let part = Part::Question;
        let called = self.question.check(part, configuration, &self.chaincode, Strictness::Each)?;
        let submitter = Submitter { tx_id: &called.tx_id, role: None };
        let asked = Invocation::read(&called.args, submitter, BATCH_MAX);
        if !matches!(asked, Ok(Invocation::Query(Query::GetCommandOutcome(asked)))
            if asked.command_id == command_id)
        {
            return Err(Fault::OtherQuestion);
        }
        let outcome: Option<RecordedOutcome> =
            serde_json::from_slice(&called.answer).map_err(|_| Fault::Answer)?;
        let outcome = outcome.ok_or(Fault::NoOutcome)?;
        let accesses = called.accesses(&self.chaincode).ok_or(Fault::NotRead)?;
        let alone = Key::Outcome(command_id).encode();
        let mut reads = accesses.reads.iter().filter(|read| {
            let is_place = read.key == alone || segment_number(&read.key).is_some();
            is_place && read.version.is_some()
        });
        // A transaction that writes sees nothing of it; a question that writes is none.
        let (Some(read), None, true) = (reads.next(), reads.next(), accesses.writes.is_empty())
        else {
            return Err(Fault::NotRead);
        };
        let version = read.version.ok_or(Fault::NotRead)?;
        if (version.block_num, version.tx_num) != (self.block.number, self.place) {
            let (block, place) = (version.block_num, version.tx_num);
            return Err(Fault::Elsewhere { block, place });
        }
        Ok(outcome)
    }
}

impl Called {
    /// What the call has read and written in the chaincode's own state.
    fn accesses(&self, chaincode: &str) -> Option<KvRwSet> {
        let mut own = self.results.ns_rwset.iter().filter(|set| set.namespace == chaincode);
        let (Some(own), None) = (own.next(), own.next()) else { return None };
        KvRwSet::decode(own.rwset.as_slice()).ok()
    }

    /// The command at a place of the batch that the call has settled.
    fn settled(
        self,
        index: u32,
        role: Option<gx_types::Role>,
        chaincode: &str,
    ) -> Result<Settled, Fault> {
        let batch = |reason: &dyn std::fmt::Display| Fault::Batch(reason.to_string());
        if self.event.event_name != EVENT_NAME {
            return Err(batch(&"it has no batch record"));
        }
        let record = decompress(&self.event.payload, RECORD_MAX).map_err(|error| batch(&error))?;
        let record: BatchRecord = serde_json::from_slice(&record).map_err(|error| batch(&error))?;
        let submitter = Submitter { tx_id: &self.tx_id, role };
        let read = Invocation::read(&self.args, submitter, BATCH_MAX);
        let Invocation::Batch(settled) = read.map_err(|error| batch(&error))? else {
            return Err(batch(&"it is a question"));
        };
        let at = usize::try_from(index).map_err(|_| Fault::NoCommand(index))?;
        let envelope = settled.commands.get(at).cloned().ok_or(Fault::NoCommand(index))?;
        let result = record.results.get(at).cloned().ok_or(Fault::NoCommand(index))?;
        if envelope.command_id != result.command_id {
            return Err(Fault::Mismatch);
        }
        let accesses = self.accesses(chaincode);
        let written = accesses.and_then(|accesses| written(&accesses, envelope.command_id));
        Ok(Settled { envelope, record, result, written, tx_id: self.tx_id })
    }
}

/// The outcome of a command as a transaction has written it: among those of its batch, or, on a
/// channel of before, under a key of its own.
fn written(accesses: &KvRwSet, command_id: CommandId) -> Option<CommandOutcome> {
    let alone = Key::Outcome(command_id).encode();
    let mut writes = accesses.writes.iter().filter(|write| !write.is_delete);
    writes.find_map(|write| {
        if write.key == alone {
            let text = packed::unpack(&write.value).ok()?;
            return serde_json::from_slice(&text).ok();
        }
        segment_number(&write.key)?;
        Some(Segment::read(&write.value).ok()?.find(command_id.to_u128())?.outcome)
    })
}

impl Settled {
    /// Event and write set of the transaction say what the endorsers of the question have read.
    fn confirms(&self, outcome: &RecordedOutcome) -> bool {
        let refused = match &self.result.outcome {
            Outcome::Applied(_) => None,
            Outcome::Refused(refused) => Some(refused),
            // Of a repetition, nothing is written.
            Outcome::Repeated(_) => return false,
        };
        let Some(written) = &self.written else { return false };
        outcome.applied == refused.is_none()
            && outcome.refused.as_ref() == refused
            && written.refused.as_deref() == refused
            && written.body == outcome.body
            && (written.batch_id, written.time) == (outcome.batch_id, outcome.time)
            && (self.record.batch_id, self.record.time) == (outcome.batch_id, outcome.time)
    }
}

/// A command that is shown without its block.
fn read_command(text: &str) -> Result<Envelope, Fault> {
    let wrong = |reason: &dyn std::fmt::Display| Fault::Command(reason.to_string());
    let envelope: Envelope = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    let written = serde_json::to_string(&envelope).map_err(|error| wrong(&error))?;
    // The hash that is endorsed covers no signature and no way of writing.
    if written != text || envelope.signature.is_some() {
        return Err(wrong(&"it is not written as the ledger writes it"));
    }
    Ok(envelope)
}
