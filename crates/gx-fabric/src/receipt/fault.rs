//! Why a receipt shows nothing, as a sentence for whoever holds it.

use std::fmt;

use crate::Validation;

/// One of the two calls of the contract that a receipt shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The transaction that settled the command.
    Transaction,
    /// The question for the outcome, asked afterwards.
    Question,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transaction => "the transaction",
            Self::Question => "the question for the outcome",
        })
    }
}

/// Why a receipt of a channel shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it has {0} configuration blocks; one is needed, and two at most")]
    Configurations(usize),
    #[error("the configuration block {number} cannot be used: {reason}")]
    Configuration { number: u64, reason: &'static str },
    #[error(
        "the configuration block {number} has the hash {}, which is not trusted",
        hex::encode(.hash)
    )]
    Untrusted { number: u64, hash: [u8; 32] },
    #[error("the configuration blocks are of the channels {first} and {second}")]
    Channels { first: String, second: String },
    #[error(
        "the block was made under the configuration block {named}, and the one shown is {shown}"
    )]
    OtherConfiguration { named: u64, shown: u64 },
    #[error("the configuration block {later} of the question is older than {first} of the block")]
    EarlierConfiguration { first: u64, later: u64 },
    #[error("the block's signatures cannot be read")]
    Metadata,
    #[error("it has {0} signatures in one place, more than any channel asks for")]
    TooManySignatures(usize),
    #[error("the signature {at} over the block is of nobody: {reason}")]
    UnknownOrderer { at: usize, reason: String },
    #[error("the signature {at} over the block is wrong: {signer} has not signed it")]
    BlockSignature { at: usize, signer: String },
    #[error("too few orderers have signed the block for the channel's policy BlockValidation")]
    TooFewOrderers,
    #[error("the transactions are not those of the block's header")]
    Data,
    #[error("the block is too long for a receipt")]
    TooLong,
    #[error("the block has no transaction at the place {0}")]
    NoTransaction(u64),
    #[error("the transaction was found invalid when it was committed: {0}")]
    Invalid(Validation),
    #[error("{0} cannot be read")]
    Unreadable(Part),
    #[error("{part} is of the channel {found}, not of {expected}")]
    OtherChannel { part: Part, found: String, expected: String },
    #[error("{part} calls the chaincode {found}, not {expected}")]
    OtherChaincode { part: Part, found: String, expected: String },
    #[error("{0} has another id than its creator has given it")]
    TransactionId(Part),
    #[error("the transaction's creator is unknown: {0}")]
    UnknownCreator(String),
    #[error("the transaction is not signed by {0}, its creator")]
    Creator(String),
    #[error("what was endorsed of {0} is the answer to something else")]
    Proposal(Part),
    #[error("the endorsement {at} of {part} is of nobody: {reason}")]
    UnknownEndorser { part: Part, at: usize, reason: String },
    #[error("the endorsement {at} of {part} is wrong: {endorser} has not signed it")]
    Endorsement { part: Part, at: usize, endorser: String },
    #[error("too few organizations have endorsed {0} for the channel's policy Endorsement")]
    TooFewEndorsements(Part),
    #[error("the transaction settles no batch that this build can read: {0}")]
    Batch(String),
    #[error("the batch has no command at the place {0}")]
    NoCommand(u32),
    #[error("the command cannot be read: {0}")]
    Command(String),
    #[error("the outcome at the command's place is that of another command")]
    Mismatch,
    #[error("the question is for something else than the outcome of the command")]
    OtherQuestion,
    #[error("the answer to the question cannot be read")]
    Answer,
    #[error("the ledger knew no outcome of the command")]
    NoOutcome,
    #[error("the outcome was not read from the ledger")]
    NotRead,
    #[error("the outcome was written by the transaction {place} of block {block}, not by this one")]
    Elsewhere { block: u64, place: u64 },
    #[error("the outcome is that of another command under the same id")]
    OtherBody,
    #[error("the outcome in the block is not the one that the endorsers confirm")]
    OutcomeDiffers,
}
