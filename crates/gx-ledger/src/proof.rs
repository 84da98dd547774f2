//! What shows a command of a block and its outcome to somebody who has no ledger: the two texts,
//! the way from each to the block's header, and the headers from there on, signed.
//!
//! Of the other commands of the block it shows nothing but hashes.

use std::sync::Arc;

use gx_contract::{CommandResult, Envelope};

use crate::block::{Block, Header, Notation, Sealed};
use crate::encoding::{Malformed, Reader};
use crate::error::Fault;
use crate::hash::Hash;
use crate::key::PublicKey;
use crate::ledger::{BlockLimit, Ledger};
use crate::{Error, tree};

/// Headers in a proof, at most: that of the block and those that build on it.
const HEADERS_MAX: usize = 32;

/// A command of a block, and what shows that it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The command's place in its block, from 0 on.
    pub index: u32,
    /// Command and outcome as they were hashed.
    pub command: String,
    pub outcome: String,
    /// From each to the root in the block's header.
    pub command_path: Vec<Hash>,
    pub outcome_path: Vec<Hash>,
    /// The block's header with its signature, then those of the blocks after it, each in the
    /// notation of the ledger. The last is the head.
    pub headers: Vec<Vec<u8>>,
}

/// What a proof has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    pub envelope: Envelope,
    pub result: CommandResult,
    pub block: Header,
    /// The last block that builds on it, or itself. Whoever trusts its signer can trust all.
    pub head: Header,
}

/// Why a proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    #[error("header {0} cannot be read: {1}")]
    Header(usize, Malformed),
    #[error("it has no header")]
    NoHeader,
    #[error("header {0} does not follow the one before it")]
    Chain(usize),
    #[error("the signature of header {0} is wrong")]
    Signature(usize),
    #[error("the block can only be shown as a whole")]
    Notation,
    #[error("the command is not that of its place in the block")]
    Command,
    #[error("the outcome is not that of its place in the block")]
    Outcome,
    #[error("the command does not fit this build: {0}")]
    CommandUnread(String),
    #[error("the outcome does not fit this build: {0}")]
    OutcomeUnread(String),
    #[error("the outcome is that of another command")]
    Mismatch,
}

impl Ledger {
    /// What shows a command of a block. `None` when the ledger has no such block, or that no such
    /// command, or was made when blocks could only be shown as a whole.
    ///
    /// # Errors
    /// As for [`Ledger::blocks`].
    pub fn prove(&self, number: u64, index: u32) -> Result<Option<Proof>, Error> {
        let limit = BlockLimit { blocks: HEADERS_MAX, ..BlockLimit::default() };
        let blocks = self.blocks(number, limit)?;
        let fits = |block: &&Arc<Block>| {
            block.number() == number && block.header().notation == Notation::Trees
        };
        let Some(block) = blocks.first().filter(fits) else {
            return Ok(None);
        };
        let shown = show(block, index).map_err(|fault| Error::block(self.path(), number, fault))?;
        let headers = blocks.iter().map(|block| {
            let mut out = Vec::with_capacity(400);
            block.sealed().put(&mut out);
            out
        });
        Ok(shown.map(|proof| Proof { headers: headers.collect(), ..proof }))
    }
}

/// Texts and paths, without headers.
fn show(block: &Block, index: u32) -> Result<Option<Proof>, Fault> {
    let body = block.body();
    let (commands, outcomes) = (body.commands(), body.outcomes());
    let paths = (tree::path(commands, index)?, tree::path(outcomes, index)?);
    let (Some(command_path), Some(outcome_path)) = paths else { return Ok(None) };
    let text = |section| {
        let text = block.text(section, index)?;
        Ok::<_, Malformed>(String::from_utf8_lossy(text).into_owned())
    };
    let (command, outcome) = (text(commands)?, text(outcomes)?);
    let headers = Vec::new();
    Ok(Some(Proof { index, command, outcome, command_path, outcome_path, headers }))
}

impl Proof {
    /// Checks everything that can be checked without the ledger. Whether the head's signer is whom
    /// the reader trusts is for them to say.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<Proven, ProofFault> {
        let (block, head) = self.check_headers()?;
        if block.notation != Notation::Trees {
            return Err(ProofFault::Notation);
        }
        let leads = |text: &str, path: &[Hash], to: Hash| {
            tree::root_of(text.as_bytes(), self.index, block.commands, path) == Some(to)
        };
        if !leads(&self.command, &self.command_path, block.commands_hash) {
            return Err(ProofFault::Command);
        }
        if !leads(&self.outcome, &self.outcome_path, block.outcomes_hash) {
            return Err(ProofFault::Outcome);
        }
        let envelope: Envelope = serde_json::from_str(&self.command)
            .map_err(|error| ProofFault::CommandUnread(error.to_string()))?;
        let result: CommandResult = serde_json::from_str(&self.outcome)
            .map_err(|error| ProofFault::OutcomeUnread(error.to_string()))?;
        if envelope.command_id != result.command_id {
            return Err(ProofFault::Mismatch);
        }
        Ok(Proven { envelope, result, block, head })
    }

    /// The first and the last header of a chain that is whole and signed.
    fn check_headers(&self) -> Result<(Header, Header), ProofFault> {
        let mut first: Option<Header> = None;
        let mut last: Option<Sealed> = None;
        for (at, bytes) in self.headers.iter().enumerate() {
            let mut reader = Reader::new(bytes);
            let sealed = Sealed::read(&mut reader).and_then(|read| reader.end().map(|()| read));
            let sealed = sealed.map_err(|malformed| ProofFault::Header(at, malformed))?;
            let header = &sealed.header;
            if let Some(Sealed { header: before, hash, .. }) = &last
                && (header.previous != *hash
                    || Some(header.number) != before.number.checked_add(1)
                    || header.network != before.network)
            {
                return Err(ProofFault::Chain(at));
            }
            if !header.signer.verifies(&sealed.hash, &sealed.signature) {
                return Err(ProofFault::Signature(at));
            }
            first.get_or_insert_with(|| header.clone());
            last = Some(sealed);
        }
        let last = last.map(|sealed| sealed.header);
        first.zip(last).ok_or(ProofFault::NoHeader)
    }
}

impl Proven {
    /// Whose key vouches for all of it.
    pub fn signer(&self) -> PublicKey {
        self.head.signer
    }
}
