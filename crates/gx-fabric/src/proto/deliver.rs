//! `ab.proto`, `events.proto` and `ledger.proto`: asking a peer for blocks and for its height.

use prost::{Message, Oneof};

use super::Block;

#[derive(Clone, PartialEq, Message)]
pub struct SeekNewest {}

#[derive(Clone, PartialEq, Message)]
pub struct SeekOldest {}

#[derive(Clone, PartialEq, Message)]
pub struct SeekSpecified {
    #[prost(uint64, tag = "1")]
    pub number: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct SeekNextCommit {}

#[derive(Clone, PartialEq, Message)]
pub struct SeekPosition {
    #[prost(oneof = "Position", tags = "1, 2, 3, 4")]
    pub position: Option<Position>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Position {
    #[prost(message, tag = "1")]
    Newest(SeekNewest),
    #[prost(message, tag = "2")]
    Oldest(SeekOldest),
    #[prost(message, tag = "3")]
    Specified(SeekSpecified),
    #[prost(message, tag = "4")]
    NextCommit(SeekNextCommit),
}

impl SeekPosition {
    pub fn newest() -> Self {
        Self { position: Some(Position::Newest(SeekNewest {})) }
    }

    pub fn block(number: u64) -> Self {
        Self { position: Some(Position::Specified(SeekSpecified { number })) }
    }
}

/// Which blocks to deliver; behaviour 0 waits for blocks that do not exist yet.
#[derive(Clone, PartialEq, Message)]
pub struct SeekInfo {
    #[prost(message, optional, tag = "1")]
    pub start: Option<SeekPosition>,
    #[prost(message, optional, tag = "2")]
    pub stop: Option<SeekPosition>,
    #[prost(int32, tag = "3")]
    pub behavior: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct DeliverResponse {
    #[prost(oneof = "Delivered", tags = "1, 2, 3")]
    pub delivered: Option<Delivered>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Delivered {
    /// `common.Status`; the end of what was asked for, or why there is nothing.
    #[prost(int32, tag = "1")]
    Status(i32),
    #[prost(message, tag = "2")]
    Block(Block),
    #[prost(message, tag = "3")]
    FilteredBlock(FilteredBlock),
}

/// A block's number without its transactions' contents.
#[derive(Clone, PartialEq, Message)]
pub struct FilteredBlock {
    #[prost(string, tag = "1")]
    pub channel_id: String,
    #[prost(uint64, tag = "2")]
    pub number: u64,
}

/// The answer of `qscc:GetChainInfo`.
#[derive(Clone, PartialEq, Message)]
pub struct BlockchainInfo {
    /// Number of the last block plus one.
    #[prost(uint64, tag = "1")]
    pub height: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub current_block_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub previous_block_hash: Vec<u8>,
}

/// The answer of `_lifecycle:QueryChaincodeDefinition`, as far as it is compared.
#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeDefinition {
    #[prost(int64, tag = "1")]
    pub sequence: i64,
    #[prost(string, tag = "2")]
    pub version: String,
    #[prost(string, tag = "3")]
    pub endorsement_plugin: String,
    #[prost(string, tag = "4")]
    pub validation_plugin: String,
    #[prost(bytes = "vec", tag = "5")]
    pub validation_parameter: Vec<u8>,
    #[prost(bool, tag = "7")]
    pub init_required: bool,
    #[prost(btree_map = "string, bool", tag = "8")]
    pub approvals: std::collections::BTreeMap<String, bool>,
}

/// The argument of `_lifecycle:QueryChaincodeDefinition`.
#[derive(Clone, PartialEq, Message)]
pub struct QueryChaincodeDefinition {
    #[prost(string, tag = "1")]
    pub name: String,
}
