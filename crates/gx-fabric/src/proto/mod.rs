//! The protocol buffers of Fabric that this crate speaks.
//!
//! Most come from `fabric-shim-protos`; those that it lacks stand here field by field, with the
//! numbers of Fabric's published definitions. Building needs no `protoc`.

mod configuration;
mod deliver;
mod gateway;
mod transaction;
mod writeset;

pub use configuration::*;
pub use deliver::*;
pub use fabric_shim_protos::common::{
    Block, BlockData, BlockHeader, BlockMetadata, ChannelHeader, Envelope, Header,
    IdentifierHeader, ImplicitMetaPolicy, LastConfig, Metadata, MetadataSignature, MspPrincipal,
    MspRole, OrdererBlockMetadata, Payload, Policy, SignatureHeader, SignaturePolicy,
    SignaturePolicyEnvelope, implicit_meta_policy, msp_principal, msp_role, policy,
    signature_policy,
};
pub use fabric_shim_protos::msp::SerializedIdentity;
pub use fabric_shim_protos::peer::chaincode_message::Type as MessageType;
pub use fabric_shim_protos::peer::*;
pub use fabric_shim_protos::prost_types::{Any, Timestamp};
pub use fabric_shim_protos::queryresult::Kv;
pub use gateway::*;
pub use transaction::*;
pub use writeset::*;

/// `common.HeaderType` of a configuration.
pub const HEADER_CONFIG: i32 = 1;

/// `common.HeaderType` of a transaction.
pub const HEADER_ENDORSER_TRANSACTION: i32 = 3;

/// `common.HeaderType` of a request for blocks.
pub const HEADER_DELIVER_SEEK_INFO: i32 = 5;

/// Place of the orderers' signatures in a block's metadata.
pub const METADATA_SIGNATURES: usize = 0;

/// Place of the validation codes in a block's metadata.
pub const METADATA_TRANSACTIONS_FILTER: usize = 2;
