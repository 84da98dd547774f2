//! A channel's configuration as a receipt needs it: who its organizations are, and which of them
//! have to vouch for a block and for a transaction.
//!
//! It is what a reader has to trust, and all that they have to: a block that holds it is known by
//! its hash, the same that the next block of the channel names.

use std::collections::BTreeMap;

use prost::Message;

use super::Fault;
use super::membership::{Member, Membership, read_identity};
use super::policy::is_satisfied;
use crate::block::{data_hash, header_hash};
use crate::proto::{
    Block, BlockHeader, ChannelHeader, ConfigEnvelope, ConfigGroup, Consenter, Envelope,
    HEADER_CONFIG, Orderers, Payload, SerializedIdentity,
};

/// The longest configuration that is read; that of a channel of two organizations has some 20 KB.
pub(super) const CONFIGURATION_MAX: usize = 512 << 10;

/// A channel's configuration and the block that it stands in.
#[derive(Debug)]
pub struct Configuration {
    number: u64,
    hash: [u8; 32],
    channel: String,
    orderer: ConfigGroup,
    application: ConfigGroup,
    organizations: BTreeMap<String, Membership>,
    consenters: Vec<Consenter>,
}

impl Configuration {
    /// Reads the block's bytes, as `peer channel fetch config` writes them.
    ///
    /// # Errors
    /// [`Fault::Configuration`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let unusable = |reason| Fault::Configuration { number: 0, reason };
        let block = Block::decode(bytes).map_err(|_| unusable("it is no block"))?;
        let header = block.header.ok_or_else(|| unusable("it has no header"))?;
        let data = block.data.unwrap_or_default().data;
        let [envelope] = data.as_slice() else {
            let reason = "it has not exactly one transaction";
            return Err(Fault::Configuration { number: header.number, reason });
        };
        if header.data_hash != data_hash(&data) {
            let reason = "its data are not those of its header";
            return Err(Fault::Configuration { number: header.number, reason });
        }
        Self::read(header.number, &header.previous_hash, envelope)
    }

    /// Reads the one transaction of a configuration block.
    pub(super) fn read(number: u64, previous_hash: &[u8], envelope: &[u8]) -> Result<Self, Fault> {
        let unusable = |reason| Fault::Configuration { number, reason };
        if envelope.len() > CONFIGURATION_MAX {
            return Err(unusable("it is too long"));
        }
        let hash = header_hash(&BlockHeader {
            number,
            previous_hash: previous_hash.to_vec(),
            data_hash: data_hash(&[envelope.to_vec()]).to_vec(),
        });
        let (channel, root) = read_tree(envelope)
            .ok_or_else(|| unusable("its transaction is not a channel's configuration"))?;
        let mut groups = root.groups;
        let orderer = groups.remove("Orderer");
        let orderer = orderer.ok_or_else(|| unusable("it names no orderers"))?;
        let application = groups.remove("Application");
        let application = application.ok_or_else(|| unusable("it names no applications"))?;
        let mut organizations = BTreeMap::new();
        for group in [&orderer, &application].into_iter().flat_map(|group| group.groups.values()) {
            let value = group.values.get("MSP").map(|value| value.value.as_slice());
            // Of an organization whose certificates are of another kind, nobody is known here.
            organizations.extend(value.and_then(Membership::read));
        }
        let consenters = match orderer.values.get("Orderers") {
            Some(value) => {
                Orderers::decode(value.value.as_slice())
                    .map_err(|_| unusable("its consenters cannot be read"))?
                    .consenter_mapping
            }
            None => Vec::new(),
        };
        Ok(Self { number, hash, channel, orderer, application, organizations, consenters })
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    /// Of the block's header.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The member of one of the channel's organizations who has this serialised identity.
    ///
    /// # Errors
    /// A clause that says why it is nobody's.
    pub(super) fn member(&self, identity: &[u8]) -> Result<Member, String> {
        let (msp_id, certificate) = read_identity(identity).ok_or("the identity cannot be read")?;
        let name = certificate.common_name().unwrap_or_else(|| certificate.subject());
        let organization = self.organizations.get(&msp_id);
        let organization =
            organization.ok_or_else(|| format!("the channel knows no certificates of {msp_id}"))?;
        organization
            .member(&msp_id, certificate)
            .map_err(|reason| format!("{name} of {msp_id} {reason}"))
    }

    /// The serialised identity of the orderer that signs under a number.
    pub(super) fn consenter(&self, number: u32) -> Option<Vec<u8>> {
        let found = self.consenters.iter().find(|consenter| consenter.id == number)?;
        let identity =
            SerializedIdentity { mspid: found.msp_id.clone(), id_bytes: found.identity.clone() };
        Some(identity.encode_to_vec())
    }

    /// Whether the signers are enough for a block.
    pub(super) fn validates_block(&self, signers: &[Member]) -> bool {
        is_satisfied(&self.orderer, "BlockValidation", &distinct(signers))
    }

    /// Whether the endorsers are enough for a transaction.
    pub(super) fn endorses(&self, endorsers: &[Member]) -> bool {
        is_satisfied(&self.application, "Endorsement", &distinct(endorsers))
    }
}

/// Who signs twice vouches once.
fn distinct(members: &[Member]) -> Vec<&Member> {
    let mut found: Vec<&Member> = Vec::with_capacity(members.len());
    for member in members {
        let same = |other: &&Member| {
            other.msp_id == member.msp_id && other.certificate == member.certificate
        };
        if !found.iter().any(same) {
            found.push(member);
        }
    }
    found
}

/// The channel's name and the root of its configuration.
fn read_tree(envelope: &[u8]) -> Option<(String, ConfigGroup)> {
    let payload = Payload::decode(&*Envelope::decode(envelope).ok()?.payload).ok()?;
    let header = ChannelHeader::decode(&*payload.header?.channel_header).ok()?;
    if header.r#type != HEADER_CONFIG {
        return None;
    }
    let config = ConfigEnvelope::decode(&*payload.data).ok()?.config?;
    Some((header.channel_id, config.channel_group?))
}
