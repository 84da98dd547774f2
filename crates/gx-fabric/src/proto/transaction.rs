//! `transaction.proto`: what an envelope in a block holds.

use prost::Message;

use super::Endorsement;

#[derive(Clone, PartialEq, Message)]
pub struct Transaction {
    #[prost(message, repeated, tag = "1")]
    pub actions: Vec<TransactionAction>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TransactionAction {
    /// A `SignatureHeader`.
    #[prost(bytes = "vec", tag = "1")]
    pub header: Vec<u8>,
    /// A `ChaincodeActionPayload`.
    #[prost(bytes = "vec", tag = "2")]
    pub payload: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeActionPayload {
    #[prost(bytes = "vec", tag = "1")]
    pub chaincode_proposal_payload: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    pub action: Option<ChaincodeEndorsedAction>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeEndorsedAction {
    #[prost(bytes = "vec", tag = "1")]
    pub proposal_response_payload: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    pub endorsements: Vec<Endorsement>,
}
