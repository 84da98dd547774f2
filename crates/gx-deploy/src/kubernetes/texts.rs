//! Configuration files of Fabric, and the scripts of its Jobs.

/// The file without which a peer does not start. Only [`CoreYaml::MOUNTED`] can be handed to the
/// functions that make a pod of a peer, so none can be made without it.
#[derive(Debug, Clone, Copy)]
pub(super) struct CoreYaml {
    pub(super) map: &'static str,
}

impl CoreYaml {
    pub(super) const MOUNTED: Self = Self { map: "peer-core" };
}

/// Settings of every peer. What differs from peer to peer comes from its environment.
pub(super) const CORE: &str = include_str!("texts/core.yaml");
/// Settings of every orderer.
pub(super) const ORDERER: &str = include_str!("texts/orderer.yaml");
/// Which certificates of an organization are of peers, clients, admins and orderers.
pub(super) const MSP: &str = include_str!("texts/msp.yaml");
/// Has the orderers join the channel.
pub(super) const CHANNEL_JOB: &str = include_str!("texts/channel.sh");
/// Has an organization's peers join, and brings the chaincode there.
pub(super) const CHAINCODE_JOB: &str = include_str!("texts/chaincode.sh");
/// Settings of Redis.
pub(super) const REDIS: &str = include_str!("texts/redis.conf");
