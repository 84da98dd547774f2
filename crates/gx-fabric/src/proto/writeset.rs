//! `rwset.proto` and `kv_rwset.proto`: what a transaction has read and written.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct TxReadWriteSet {
    #[prost(int32, tag = "1")]
    pub data_model: i32,
    #[prost(message, repeated, tag = "2")]
    pub ns_rwset: Vec<NsReadWriteSet>,
}

#[derive(Clone, PartialEq, Message)]
pub struct NsReadWriteSet {
    /// The chaincode whose state it is.
    #[prost(string, tag = "1")]
    pub namespace: String,
    /// A `KvRwSet`.
    #[prost(bytes = "vec", tag = "2")]
    pub rwset: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct KvRwSet {
    #[prost(message, repeated, tag = "1")]
    pub reads: Vec<KvRead>,
    #[prost(message, repeated, tag = "3")]
    pub writes: Vec<KvWrite>,
}

#[derive(Clone, PartialEq, Message)]
pub struct KvRead {
    #[prost(string, tag = "1")]
    pub key: String,
    /// Absent when there was no value.
    #[prost(message, optional, tag = "2")]
    pub version: Option<KvVersion>,
}

/// The transaction that has written a value.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct KvVersion {
    #[prost(uint64, tag = "1")]
    pub block_num: u64,
    #[prost(uint64, tag = "2")]
    pub tx_num: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct KvWrite {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(bool, tag = "2")]
    pub is_delete: bool,
    #[prost(bytes = "vec", tag = "3")]
    pub value: Vec<u8>,
}
