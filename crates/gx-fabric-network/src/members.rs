//! Who is on the channel: three organizations of orderers, two of peers, and the configuration that
//! says so.
//!
//! Two of the three have to sign a block, and both organizations of peers have to endorse. The
//! first orderer signs with its certificate as Raft's do, the second under its number as BFT's do.

use std::collections::BTreeMap;

use gx_fabric::issue::{Authority, Key};
use gx_fabric::proto::{
    ChannelHeader, Config, ConfigEnvelope, ConfigGroup, ConfigPolicy, ConfigValue, Consenter,
    Endorsement, Envelope, FabricMspConfig, HEADER_CONFIG, Header, IdentifierHeader,
    ImplicitMetaPolicy, LastConfig, Metadata, MetadataSignature, MspConfig, MspPrincipal, MspRole,
    NodeOus, OrdererBlockMetadata, Orderers, OuIdentifier, Payload, Policy, SerializedIdentity,
    SignatureHeader, SignaturePolicy, SignaturePolicyEnvelope, implicit_meta_policy::Rule,
    msp_role::MspRoleType, policy::PolicyType, signature_policy,
};
use prost::Message;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod,
    PublicKeyData, SerialNumber, SigningKey,
};
use sha2::{Digest, Sha256};
use x509_cert::der::pem::{LineEnding, encode_string};

use super::CHANNEL;

/// Organizations of orderers; the last signs nothing.
const ORDERERS: [&str; 3] = ["Orderer1MSP", "Orderer2MSP", "Orderer3MSP"];

/// The number under which the second orderer signs.
const SECOND: u32 = 2;

/// The authority of an organization's nodes.
struct Nodes {
    issuer: Issuer<'static, Key>,
    pem: String,
}

/// A node that signs.
struct Node {
    msp_id: String,
    pem: String,
    key: Key,
}

/// Everybody who signs, and the channel's configuration.
pub(crate) struct Members {
    orderers: [Node; 2],
    peers: [Node; 2],
    configuration: ConfigGroup,
}

impl std::fmt::Debug for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Members").finish_non_exhaustive()
    }
}

fn params(name: &str, unit: &str, key: &Key) -> CertificateParams {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationalUnitName, unit);
    subject.push(DnType::CommonName, name);
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    let id = Sha256::digest(key.der_bytes());
    params.serial_number = Some(SerialNumber::from_slice(&id[..16]));
    params.key_identifier_method = KeyIdMethod::PreSpecified(id.to_vec());
    params
}

fn pem(der: &[u8]) -> String {
    encode_string("CERTIFICATE", LineEnding::LF, der).unwrap()
}

impl Nodes {
    fn generate(msp_id: &str) -> Self {
        let key = Key::generate().unwrap();
        let mut params = params(&format!("ca.{msp_id}"), "authority", &key);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = pem(params.self_signed(&key).unwrap().der());
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn node(&self, msp_id: &str, unit: &str) -> Node {
        let key = Key::generate().unwrap();
        let name = format!("{unit}0.{}", msp_id.to_ascii_lowercase());
        let mut params = params(&name, unit, &key);
        params.is_ca = IsCa::ExplicitNoCa;
        let pem = pem(params.signed_by(&key, &self.issuer).unwrap().der());
        Node { msp_id: msp_id.to_owned(), pem, key }
    }
}

impl Node {
    fn identity(&self) -> Vec<u8> {
        let (mspid, id_bytes) = (self.msp_id.clone(), self.pem.clone().into_bytes());
        SerializedIdentity { mspid, id_bytes }.encode_to_vec()
    }

    fn sign(&self, parts: &[&[u8]]) -> Vec<u8> {
        self.key.sign(&parts.concat()).unwrap()
    }
}

fn value(message: &impl Message) -> ConfigValue {
    ConfigValue { value: message.encode_to_vec() }
}

/// A policy that somebody of the organization in that role satisfies.
fn signed_by(msp_id: &str, role: MspRoleType) -> ConfigPolicy {
    let role = MspRole { msp_identifier: msp_id.to_owned(), role: role.into() };
    let principal = MspPrincipal { principal_classification: 0, principal: role.encode_to_vec() };
    let by = |kind| SignaturePolicy { r#type: Some(kind) };
    let first = by(signature_policy::Type::SignedBy(0));
    let rule = signature_policy::NOutOf { n: 1, rules: vec![first] };
    let policy = SignaturePolicyEnvelope {
        version: 0,
        rule: Some(by(signature_policy::Type::NOutOf(rule))),
        identities: vec![principal],
    };
    let (r#type, value) = (PolicyType::Signature.into(), policy.encode_to_vec());
    ConfigPolicy { policy: Some(Policy { r#type, value }) }
}

/// A policy that most of the organizations below satisfy.
fn majority(sub_policy: &str) -> ConfigPolicy {
    let policy =
        ImplicitMetaPolicy { sub_policy: sub_policy.to_owned(), rule: Rule::Majority.into() };
    let (r#type, value) = (PolicyType::ImplicitMeta.into(), policy.encode_to_vec());
    ConfigPolicy { policy: Some(Policy { r#type, value }) }
}

fn unit(name: &str) -> Option<OuIdentifier> {
    let organizational_unit_identifier = name.to_owned();
    Some(OuIdentifier { certificate: Vec::new(), organizational_unit_identifier })
}

fn organization(msp_id: &str, roots: &[&str], policies: &[(&str, MspRoleType)]) -> ConfigGroup {
    let msp = FabricMspConfig {
        name: msp_id.to_owned(),
        root_certs: roots.iter().map(|root| root.as_bytes().to_vec()).collect(),
        fabric_node_ous: Some(NodeOus {
            enable: true,
            client: unit("client"),
            peer: unit("peer"),
            admin: unit("admin"),
            orderer: unit("orderer"),
        }),
        ..FabricMspConfig::default()
    };
    let msp = MspConfig { kind: 0, config: msp.encode_to_vec() };
    let policies = policies.iter();
    ConfigGroup {
        values: BTreeMap::from([("MSP".to_owned(), value(&msp))]),
        policies: policies
            .map(|(name, role)| ((*name).to_owned(), signed_by(msp_id, *role)))
            .collect(),
        ..ConfigGroup::default()
    }
}

impl Members {
    /// New members; the authority's clients are the first organization's.
    pub(crate) fn generate(clients: &Authority) -> Self {
        let nodes = ["Org1MSP", "Org2MSP"].map(|msp_id| (msp_id, Nodes::generate(msp_id)));
        let peers = nodes.each_ref().map(|(msp_id, nodes)| nodes.node(msp_id, "peer"));
        let clients = [clients.certificate_pem()];
        let application = nodes.iter().zip([&clients[..], &[]]);
        let application = application.map(|((msp_id, nodes), clients)| {
            let roots = [&[nodes.pem.as_str()], clients].concat();
            let policies = [("Endorsement", MspRoleType::Peer)];
            ((*msp_id).to_owned(), organization(msp_id, &roots, &policies))
        });
        let application = ConfigGroup {
            groups: application.collect(),
            policies: BTreeMap::from([("Endorsement".to_owned(), majority("Endorsement"))]),
            ..ConfigGroup::default()
        };
        let nodes = ORDERERS.map(|msp_id| (msp_id, Nodes::generate(msp_id)));
        let of_orderers = nodes.iter().map(|(msp_id, nodes)| {
            let policies = [("Writers", MspRoleType::Orderer)];
            ((*msp_id).to_owned(), organization(msp_id, &[&nodes.pem], &policies))
        });
        let orderers = [0, 1].map(|at: usize| nodes[at].1.node(nodes[at].0, "orderer"));
        let second = Consenter {
            id: SECOND,
            msp_id: orderers[1].msp_id.clone(),
            identity: orderers[1].pem.clone().into_bytes(),
        };
        let consenters = Orderers { consenter_mapping: vec![second] };
        let orderer = ConfigGroup {
            groups: of_orderers.collect(),
            values: BTreeMap::from([("Orderers".to_owned(), value(&consenters))]),
            policies: BTreeMap::from([("BlockValidation".to_owned(), majority("Writers"))]),
        };
        let groups =
            [("Application".to_owned(), application), ("Orderer".to_owned(), orderer)].into();
        let configuration = ConfigGroup { groups, ..ConfigGroup::default() };
        Self { orderers, peers, configuration }
    }

    /// The transaction of a configuration block.
    pub(crate) fn configuration(&self, sequence: u64) -> Vec<u8> {
        let config = Config { sequence, channel_group: Some(self.configuration.clone()) };
        let data = ConfigEnvelope { config: Some(config) }.encode_to_vec();
        let channel_header = ChannelHeader {
            r#type: HEADER_CONFIG,
            channel_id: CHANNEL.to_owned(),
            ..ChannelHeader::default()
        };
        let channel_header = channel_header.encode_to_vec();
        let header = Some(Header { channel_header, ..Header::default() });
        let payload = Payload { header, data }.encode_to_vec();
        Envelope { payload, signature: Vec::new() }.encode_to_vec()
    }

    /// What the orderers write into the metadata of a block: which configuration it was made under,
    /// and their signatures over that and the header.
    pub(crate) fn sign_block(&self, header: &[u8], configuration: u64, nonce: &[u8]) -> Vec<u8> {
        let value = OrdererBlockMetadata {
            last_config: Some(LastConfig { index: configuration }),
            consenter_metadata: Vec::new(),
        };
        let (value, nonce) = (value.encode_to_vec(), nonce.to_vec());
        let [first, second] = &self.orderers;
        let named = SignatureHeader { creator: first.identity(), nonce: nonce.clone() };
        let named = named.encode_to_vec();
        let numbered = IdentifierHeader { identifier: SECOND, nonce }.encode_to_vec();
        let signatures = vec![
            MetadataSignature {
                signature: first.sign(&[&value, &named, header]),
                signature_header: named,
                ..MetadataSignature::default()
            },
            MetadataSignature {
                signature: second.sign(&[&value, &numbered, header]),
                identifier_header: numbered,
                ..MetadataSignature::default()
            },
        ];
        Metadata { value, signatures }.encode_to_vec()
    }

    /// The endorsements of both peers.
    pub(crate) fn endorse(&self, response: &[u8]) -> Vec<Endorsement> {
        let endorse = |peer: &Node| {
            let endorser = peer.identity();
            let signature = peer.sign(&[response, &endorser]);
            Endorsement { endorser, signature }
        };
        self.peers.iter().map(endorse).collect()
    }
}
