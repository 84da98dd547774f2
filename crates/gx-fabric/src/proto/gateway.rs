//! `gateway.proto`: the messages of the Gateway service, and of the errors that it gives.

use prost::Message;

use super::{Envelope, Response, SignedProposal};

#[derive(Clone, PartialEq, Message)]
pub struct EvaluateRequest {
    #[prost(string, tag = "1")]
    pub transaction_id: String,
    #[prost(string, tag = "2")]
    pub channel_id: String,
    #[prost(message, optional, tag = "3")]
    pub proposed_transaction: Option<SignedProposal>,
    #[prost(string, repeated, tag = "4")]
    pub target_organizations: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct EvaluateResponse {
    #[prost(message, optional, tag = "1")]
    pub result: Option<Response>,
}

#[derive(Clone, PartialEq, Message)]
pub struct EndorseRequest {
    #[prost(string, tag = "1")]
    pub transaction_id: String,
    #[prost(string, tag = "2")]
    pub channel_id: String,
    #[prost(message, optional, tag = "3")]
    pub proposed_transaction: Option<SignedProposal>,
    #[prost(string, repeated, tag = "4")]
    pub endorsing_organizations: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct EndorseResponse {
    #[prost(message, optional, tag = "1")]
    pub prepared_transaction: Option<Envelope>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SubmitRequest {
    #[prost(string, tag = "1")]
    pub transaction_id: String,
    #[prost(string, tag = "2")]
    pub channel_id: String,
    #[prost(message, optional, tag = "3")]
    pub prepared_transaction: Option<Envelope>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SubmitResponse {}

/// A request whose bytes the caller has signed: a `CommitStatusRequest`.
#[derive(Clone, PartialEq, Message)]
pub struct SignedRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub request: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct CommitStatusRequest {
    #[prost(string, tag = "1")]
    pub transaction_id: String,
    #[prost(string, tag = "2")]
    pub channel_id: String,
    #[prost(bytes = "vec", tag = "3")]
    pub identity: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct CommitStatusResponse {
    /// `protos.TxValidationCode`.
    #[prost(int32, tag = "1")]
    pub result: i32,
    #[prost(uint64, tag = "2")]
    pub block_number: u64,
}

/// What one endorser or orderer said, in the details of a status.
#[derive(Clone, PartialEq, Message)]
pub struct ErrorDetail {
    #[prost(string, tag = "1")]
    pub address: String,
    #[prost(string, tag = "2")]
    pub msp_id: String,
    #[prost(string, tag = "3")]
    pub message: String,
}

/// `google.rpc.Status`, in which details travel.
#[derive(Clone, PartialEq, Message)]
pub struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<super::Any>,
}
