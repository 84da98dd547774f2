//! `configtx.proto`, `msp_config.proto` and `orderer/configuration.proto`: what a channel's
//! configuration says of its organizations, their authorities and its policies.

use std::collections::BTreeMap;

use fabric_shim_protos::common::Policy;
use prost::Message;

/// The payload of a configuration block's one transaction.
#[derive(Clone, PartialEq, Message)]
pub struct ConfigEnvelope {
    #[prost(message, optional, tag = "1")]
    pub config: Option<Config>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Config {
    #[prost(uint64, tag = "1")]
    pub sequence: u64,
    #[prost(message, optional, tag = "2")]
    pub channel_group: Option<ConfigGroup>,
}

/// A node of the tree: the channel, its orderers or its applications, an organization.
#[derive(Clone, PartialEq, Message)]
pub struct ConfigGroup {
    #[prost(btree_map = "string, message", tag = "2")]
    pub groups: BTreeMap<String, ConfigGroup>,
    #[prost(btree_map = "string, message", tag = "3")]
    pub values: BTreeMap<String, ConfigValue>,
    #[prost(btree_map = "string, message", tag = "4")]
    pub policies: BTreeMap<String, ConfigPolicy>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ConfigValue {
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ConfigPolicy {
    #[prost(message, optional, tag = "2")]
    pub policy: Option<Policy>,
}

/// The value `MSP` of an organization.
#[derive(Clone, PartialEq, Message)]
pub struct MspConfig {
    /// 0 is an MSP of X.509 certificates.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(bytes = "vec", tag = "2")]
    pub config: Vec<u8>,
}

/// An MSP of X.509 certificates, each in PEM form.
#[derive(Clone, PartialEq, Message)]
pub struct FabricMspConfig {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub root_certs: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub intermediate_certs: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub admins: Vec<Vec<u8>>,
    /// Certificate revocation lists.
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub revocation_list: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "7")]
    pub organizational_unit_identifiers: Vec<OuIdentifier>,
    #[prost(message, optional, tag = "8")]
    pub crypto_config: Option<CryptoConfig>,
    #[prost(message, optional, tag = "11")]
    pub fabric_node_ous: Option<NodeOus>,
}

/// An organizational unit, of certificates of one authority if it names one.
#[derive(Clone, PartialEq, Message)]
pub struct OuIdentifier {
    #[prost(bytes = "vec", tag = "1")]
    pub certificate: Vec<u8>,
    #[prost(string, tag = "2")]
    pub organizational_unit_identifier: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct CryptoConfig {
    /// What signatures are made over: `SHA2` means SHA-256.
    #[prost(string, tag = "1")]
    pub signature_hash_family: String,
}

/// The units by which a certificate says what its holder is.
#[derive(Clone, PartialEq, Message)]
pub struct NodeOus {
    #[prost(bool, tag = "1")]
    pub enable: bool,
    #[prost(message, optional, tag = "2")]
    pub client: Option<OuIdentifier>,
    #[prost(message, optional, tag = "3")]
    pub peer: Option<OuIdentifier>,
    #[prost(message, optional, tag = "4")]
    pub admin: Option<OuIdentifier>,
    #[prost(message, optional, tag = "5")]
    pub orderer: Option<OuIdentifier>,
}

/// The value `Orderers` of the orderers' group: who is behind the number of a BFT signature.
#[derive(Clone, PartialEq, Message)]
pub struct Orderers {
    #[prost(message, repeated, tag = "1")]
    pub consenter_mapping: Vec<Consenter>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Consenter {
    #[prost(uint32, tag = "1")]
    pub id: u32,
    #[prost(string, tag = "4")]
    pub msp_id: String,
    /// A certificate in PEM form.
    #[prost(bytes = "vec", tag = "5")]
    pub identity: Vec<u8>,
}
