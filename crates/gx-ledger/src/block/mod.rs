//! A block: a batch of commands, what became of them, and the seal over both.
//!
//! The notation of what is hashed is explicit and has golden tests; JSON occurs only as bytes that
//! were hashed as they stood, never as something that is printed again to be compared.

use std::sync::{Arc, OnceLock};

use gx_contract::state::Version;
use gx_contract::{Batch, BatchRecord, CommandResult, Envelope, Write};
use gx_types::{BatchId, NetworkId, Role, TimeMs};

use crate::encoding::{Malformed, Reader, put_bytes, put_i64, put_u32, put_u64, put_with};
use crate::error::Fault;
use crate::hash::Hash;
use crate::key::{PublicKey, Signature};
use crate::tree;

const BLOCK_PREFIX: &[u8] = b"gx/block/1\0";
const BLOCK_PREFIX_2: &[u8] = b"gx/block/2\0";
const ORIGIN_PREFIX: &[u8] = b"gx/origin/1\0";
const STATE_PREFIX: &[u8] = b"gx/state/1\0";

/// Where a ledger begins: its hash stands before block 1 as that of a block 0 would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub network: NetworkId,
    pub created_at: TimeMs,
    /// The key that the ledger was created with.
    pub node: PublicKey,
}

impl Origin {
    pub fn hash(&self) -> Hash {
        let mut bytes = ORIGIN_PREFIX.to_vec();
        self.put(&mut bytes);
        Hash::of(&bytes)
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.network.as_str().as_bytes());
        put_i64(out, self.created_at.0);
        out.extend_from_slice(self.node.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            network: reader.text("network")?,
            created_at: TimeMs(reader.i64()?),
            node: PublicKey::from_bytes(reader.array()?),
        })
    }
}

/// The notation that a block is in. Blocks are made in the newest, and all are read for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// Commands and outcomes are hashed as a whole each.
    Whole,
    /// They are leaves of trees, so that each can be shown without the others.
    Trees,
}

impl Notation {
    pub(crate) const NEWEST: Self = Self::Trees;

    const fn version(self) -> u8 {
        match self {
            Self::Whole => 1,
            Self::Trees => 2,
        }
    }

    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Whole => BLOCK_PREFIX,
            Self::Trees => BLOCK_PREFIX_2,
        }
    }

    /// What a header has as the hash of commands or outcomes.
    pub(crate) fn hash(self, section: &[u8]) -> Result<Hash, Malformed> {
        match self {
            Self::Whole => Ok(Hash::of(section)),
            Self::Trees => tree::root(section),
        }
    }
}

/// What a block's hash is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub notation: Notation,
    pub network: NetworkId,
    /// The first block has number 1.
    pub number: u64,
    /// Hash of the block before, or of the origin.
    pub previous: Hash,
    /// The batch's time.
    pub time: TimeMs,
    /// The role that the engine had authenticated the submitter as.
    pub submitter: Role,
    /// The role that the batch claims. Where the two differ, every command was refused.
    pub role: Role,
    pub batch_id: BatchId,
    pub commands: u32,
    pub commands_hash: Hash,
    pub outcomes_hash: Hash,
    /// [`state_digest`] over everything written since the origin.
    pub state_digest: Hash,
    pub signer: PublicKey,
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(320);
        out.push(self.notation.version());
        put_bytes(&mut out, self.network.as_str().as_bytes());
        put_u64(&mut out, self.number);
        out.extend_from_slice(self.previous.as_bytes());
        put_i64(&mut out, self.time.0);
        put_bytes(&mut out, self.submitter.as_str().as_bytes());
        put_bytes(&mut out, self.role.as_str().as_bytes());
        put_bytes(&mut out, self.batch_id.as_str().as_bytes());
        put_u32(&mut out, self.commands);
        for hash in [&self.commands_hash, &self.outcomes_hash, &self.state_digest] {
            out.extend_from_slice(hash.as_bytes());
        }
        out.extend_from_slice(self.signer.as_bytes());
        out
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let notation = match reader.u8()? {
            1 => Notation::Whole,
            2 => Notation::Trees,
            version => return Err(Malformed::Version(version)),
        };
        Ok(Self {
            notation,
            network: reader.text("network")?,
            number: reader.u64()?,
            previous: Hash::from_bytes(reader.array()?),
            time: TimeMs(reader.i64()?),
            submitter: reader.text("submitter")?,
            role: reader.text("role")?,
            batch_id: reader.text("batch id")?,
            commands: reader.u32()?,
            commands_hash: Hash::from_bytes(reader.array()?),
            outcomes_hash: Hash::from_bytes(reader.array()?),
            state_digest: Hash::from_bytes(reader.array()?),
            signer: PublicKey::from_bytes(reader.array()?),
        })
    }

    /// The block's hash.
    pub fn hash(&self) -> Hash {
        Hash::of_parts(&[self.notation.prefix(), &self.encode()])
    }
}

/// A header and the signature over its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) header: Header,
    pub(crate) hash: Hash,
    pub(crate) signature: Signature,
}

impl Sealed {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header.encode());
        out.extend_from_slice(self.signature.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let header = Header::read(reader)?;
        let signature = Signature::from_bytes(reader.array()?);
        Ok(Self { hash: header.hash(), header, signature })
    }
}

/// The commands of a block and their outcomes: two sections of texts, each preceded by its length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Body {
    bytes: Vec<u8>,
    /// Where the outcomes begin.
    split: usize,
}

impl Body {
    /// The commands' section; the outcomes follow with [`Body::push_outcomes`].
    pub(crate) fn of_commands(commands: &[Envelope]) -> Result<Self, serde_json::Error> {
        let mut bytes = Vec::with_capacity(commands.len().saturating_mul(640));
        for envelope in commands {
            put_with(&mut bytes, |out| serde_json::to_writer(out, envelope))?;
        }
        Ok(Self { split: bytes.len(), bytes })
    }

    pub(crate) fn push_outcomes(
        &mut self,
        results: &[CommandResult],
    ) -> Result<(), serde_json::Error> {
        for result in results {
            put_with(&mut self.bytes, |out| serde_json::to_writer(out, result))?;
        }
        Ok(())
    }

    pub(crate) fn from_sections(mut commands: Vec<u8>, outcomes: &[u8]) -> Self {
        let split = commands.len();
        commands.extend_from_slice(outcomes);
        Self { bytes: commands, split }
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>, split: usize) -> Result<Self, Malformed> {
        if split > bytes.len() { Err(Malformed::Short) } else { Ok(Self { bytes, split }) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn commands(&self) -> &[u8] {
        self.bytes.get(..self.split).unwrap_or_default()
    }

    pub(crate) fn outcomes(&self) -> &[u8] {
        self.bytes.get(self.split..).unwrap_or_default()
    }
}

/// One batch, executed, hashed and signed.
#[derive(Debug)]
pub struct Block {
    sealed: Sealed,
    body: Body,
    record: OnceLock<Arc<BatchRecord>>,
}

impl Block {
    pub(crate) fn new(sealed: Sealed, body: Body) -> Self {
        Self { sealed, body, record: OnceLock::new() }
    }

    pub(crate) fn with_record(self, record: Arc<BatchRecord>) -> Self {
        // A new block has none; were there one, it would say the same.
        let _ = self.record.set(record);
        self
    }

    pub fn number(&self) -> u64 {
        self.sealed.header.number
    }

    pub fn header(&self) -> &Header {
        &self.sealed.header
    }

    pub fn hash(&self) -> Hash {
        self.sealed.hash
    }

    pub fn signature(&self) -> &Signature {
        &self.sealed.signature
    }

    /// Length of commands and outcomes in bytes, uncompressed.
    pub fn body_length(&self) -> usize {
        self.body.bytes.len()
    }

    pub(crate) fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    /// The commands as they were submitted.
    ///
    /// # Errors
    /// [`Fault`] when they are damaged or not of this build's contract.
    pub fn batch(&self) -> Result<Batch, Fault> {
        let commands = texts(self.body.commands(), self.sealed.header.commands)?
            .map(|text| serde_json::from_slice::<Envelope>(text?).map_err(commands_unread))
            .collect::<Result<_, Fault>>()?;
        let Header { batch_id, role, .. } = self.sealed.header;
        Ok(Batch { batch_id, role, commands })
    }

    /// What became of the commands.
    ///
    /// # Errors
    /// [`Fault`] when it is damaged or not of this build's contract.
    pub fn record(&self) -> Result<Arc<BatchRecord>, Fault> {
        if let Some(record) = self.record.get() {
            return Ok(record.clone());
        }
        let results = texts(self.body.outcomes(), self.sealed.header.commands)?
            .map(|text| serde_json::from_slice::<CommandResult>(text?).map_err(outcomes_unread))
            .collect::<Result<_, Fault>>()?;
        let Header { batch_id, time, .. } = self.sealed.header;
        let record = Arc::new(BatchRecord { version: Version, batch_id, time, results });
        Ok(self.record.get_or_init(|| record).clone())
    }

    /// One command and its outcome, without reading the others.
    pub(crate) fn entry(&self, index: u32) -> Result<(Envelope, CommandResult), Fault> {
        let envelope = serde_json::from_slice(self.text(self.body.commands(), index)?);
        let result = serde_json::from_slice(self.text(self.body.outcomes(), index)?);
        Ok((envelope.map_err(commands_unread)?, result.map_err(outcomes_unread)?))
    }

    /// One text of a section.
    pub(crate) fn text<'s>(&self, section: &'s [u8], index: u32) -> Result<&'s [u8], Malformed> {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        texts(section, self.sealed.header.commands)?.nth(at).unwrap_or(Err(Malformed::Short))
    }

    /// Checks everything that can be said of the block without the state: that the body is what
    /// the header says, and that `signer` has signed it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, signer: &PublicKey) -> Result<(), Fault> {
        let header = &self.sealed.header;
        if header.signer != *signer {
            return Err(Fault::ForeignKey(header.signer));
        }
        if header.notation.hash(self.body.commands())? != header.commands_hash {
            return Err(Fault::CommandsHash);
        }
        if header.notation.hash(self.body.outcomes())? != header.outcomes_hash {
            return Err(Fault::OutcomesHash);
        }
        if !header.signer.verifies(&self.sealed.hash, &self.sealed.signature) {
            return Err(Fault::Signature);
        }
        Ok(())
    }

    /// The whole block in the notation that archives hold.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.bytes.len().saturating_add(512));
        self.sealed.put(&mut out);
        put_bytes(&mut out, self.body.commands());
        put_bytes(&mut out, self.body.outcomes());
        out
    }

    /// Reads what [`Block::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not one block, whole and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let sealed = Sealed::read(&mut reader)?;
        let commands = reader.bytes()?.to_vec();
        let body = Body::from_sections(commands, reader.bytes()?);
        reader.end()?;
        Ok(Self::new(sealed, body))
    }
}

fn commands_unread(error: serde_json::Error) -> Fault {
    Fault::Commands(error.to_string())
}

fn outcomes_unread(error: serde_json::Error) -> Fault {
    Fault::Outcomes(error.to_string())
}

/// The texts of a section, which must be `count` and fill it.
fn texts(
    section: &[u8],
    count: u32,
) -> Result<impl Iterator<Item = Result<&[u8], Malformed>>, Malformed> {
    let mut reader = Reader::new(section);
    for _ in 0..count {
        reader.bytes()?;
    }
    reader.end()?;
    let mut reader = Reader::new(section);
    Ok((0..count).map(move |_| reader.bytes()))
}

/// The digest of the state after a batch: the hash of the digest before and of every write, in
/// key order, key and value each preceded by its length.
pub fn state_digest(before: &Hash, writes: &[Write]) -> Hash {
    digest_of_log(before, &write_log(writes))
}

/// The writes of a batch in the notation that the digest is taken over.
pub(crate) fn write_log(writes: &[Write]) -> Vec<u8> {
    let length = |write: &Write| write.key.len().saturating_add(write.value.len());
    let length = writes.iter().map(|write| length(write).saturating_add(8)).sum();
    let mut log = Vec::with_capacity(length);
    for write in writes {
        put_bytes(&mut log, write.key.as_bytes());
        put_bytes(&mut log, &write.value);
    }
    log
}

pub(crate) fn digest_of_log(before: &Hash, log: &[u8]) -> Hash {
    Hash::of_parts(&[STATE_PREFIX, before.as_bytes(), log])
}

/// The digest of the empty state.
pub(crate) fn digest_before_all() -> Hash {
    Hash::of(STATE_PREFIX)
}

#[cfg(test)]
mod tests;
