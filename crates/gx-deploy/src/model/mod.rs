//! Networks, workloads, organizations: what exists, how large it is and what it listens on.
//!
//! Names and shapes follow one pattern on all networks, so that what was tried on one is what runs
//! on the next; only sizes differ.

mod pairs;
mod sizes;

pub use gx_types::{NetworkId, Service};
pub use pairs::{
    COLLECTOR_PORT, End, Outside, PAIRS_OF_ALL, Pair, SOLVER_PORT, operator_pairs, pairs,
    promotion_pairs, tracing_pairs,
};
pub use sizes::{Bounds, Size, disk_gib, size};

/// The channel and the chaincode, on every network.
pub const CHANNEL: &str = "gxchannel";
/// Name of the chaincode's definition on the channel.
pub const CHAINCODE: &str = "gxtv3";
/// Version and sequence of the definition that the Jobs approve and commit.
pub const CHAINCODE_VERSION: &str = "1.0";
/// See [`CHAINCODE_VERSION`].
pub const CHAINCODE_SEQUENCE: u16 = 1;
/// Port of `gx chaincode`.
pub const CHAINCODE_PORT: u16 = 9999;
/// Port on which `gx submitter` answers operators.
pub const SUBMITTER_PORT: u16 = 3010;
/// Port on which `gx projector` answers operators.
pub const PROJECTOR_PORT: u16 = 3011;
/// Orderers of a network: two may be away.
pub const ORDERERS: u16 = 5;
/// Peers of each organization.
pub const PEERS: u16 = 2;
/// The organization whose peers the platform asks, and whose members submit.
pub const PLATFORM_ORG: Org = Org(1);
/// Networks of pods in a cluster of K3s: where the ingress controller's requests come from.
pub const POD_NETWORK: &str = "10.42.0.0/16";
/// The time between a signal and the end of the last request (`http.shutdown_grace_ms`), seconds.
pub const DRAIN_SECONDS: i64 = 20;
/// How long a pod still answers after it was taken out of its Service, seconds.
pub const LINGER_SECONDS: i64 = 5;

/// An organization of the consortium, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Org(pub u16);

impl Org {
    pub const ALL: [Self; 2] = [Self(1), Self(2)];

    /// As in names of hosts: `org1`.
    pub fn name(self) -> String {
        format!("org{}", self.0)
    }

    /// As the channel knows it: `Org1MSP`.
    pub fn msp(self) -> String {
        format!("Org{}MSP", self.0)
    }

    pub fn peers(self) -> Vec<String> {
        (0..PEERS).map(|number| format!("peer{number}-{}", self.name())).collect()
    }
}

/// A certificate authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ca {
    Root,
    Tls,
    Orderer,
    Org(Org),
}

impl Ca {
    pub const ALL: [Self; 5] =
        [Self::Root, Self::Tls, Self::Orderer, Self::Org(Org(1)), Self::Org(Org(2))];

    pub fn name(self) -> String {
        match self {
            Self::Root => "ca-root".to_owned(),
            Self::Tls => "ca-tls".to_owned(),
            Self::Orderer => "ca-orderer".to_owned(),
            Self::Org(org) => format!("ca-{}", org.name()),
        }
    }

    /// Where it answers; where it answers operators is ten thousand above.
    pub fn port(self) -> u16 {
        match self {
            Self::Root => 7054,
            Self::Orderer => 8054,
            Self::Org(Org(number)) => 8054_u16.saturating_add(number.saturating_mul(1000)),
            Self::Tls => 11054,
        }
    }

    pub fn operations_port(self) -> u16 {
        self.port().saturating_add(10_000)
    }
}

/// Which of the two namespaces of a network a workload lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Platform,
    Fabric,
}

impl Part {
    pub const ALL: [Self; 2] = [Self::Platform, Self::Fabric];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Fabric => "fabric",
        }
    }

    pub fn namespace(self, network: NetworkId) -> String {
        match self {
            Self::Platform => format!("backend-{network}"),
            Self::Fabric => format!("fabric-{network}"),
        }
    }
}

/// Pods that are alike: what policies, budgets and figures speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Workload {
    Service(Service),
    Submitter,
    Projector,
    Migrate,
    Postgres,
    Redis,
    RedisReplica,
    Orderer,
    Peer(Org),
    Chaincode(Org),
    Ca(Ca),
    /// Has the orderers join the channel.
    ChannelJob,
    /// Has an organization's peers join, and installs, approves and commits the chaincode.
    OrganizationJob(Org),
}

/// A port that something listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    pub name: &'static str,
    pub number: u16,
    /// Path of the figures for Prometheus, when it has some.
    pub metrics: bool,
}

const fn port(name: &'static str, number: u16) -> Port {
    Port { name, number, metrics: false }
}

const fn figures(name: &'static str, number: u16) -> Port {
    Port { name, number, metrics: true }
}

impl Workload {
    /// Every one, in the order in which they are written down.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = Service::ALL.iter().copied().map(Self::Service).collect();
        all.extend([Self::Submitter, Self::Projector, Self::Migrate]);
        all.extend([Self::Postgres, Self::Redis, Self::RedisReplica, Self::Orderer]);
        all.extend(Org::ALL.map(Self::Peer));
        all.extend(Org::ALL.map(Self::Chaincode));
        all.extend(Ca::ALL.map(Self::Ca));
        all.push(Self::ChannelJob);
        all.extend(Org::ALL.map(Self::OrganizationJob));
        all
    }

    /// What of the platform runs an image of ours all the time: the stages of a command.
    pub fn lasting() -> Vec<Self> {
        let services = Service::ALL.iter().copied().map(Self::Service);
        services.chain([Self::Submitter, Self::Projector]).collect()
    }

    pub fn part(self) -> Part {
        match self {
            Self::Service(_) | Self::Submitter | Self::Projector | Self::Migrate => Part::Platform,
            Self::Postgres | Self::Redis | Self::RedisReplica => Part::Platform,
            Self::Orderer | Self::Peer(_) | Self::Chaincode(_) | Self::Ca(_) => Part::Fabric,
            Self::ChannelJob | Self::OrganizationJob(_) => Part::Fabric,
        }
    }

    /// Name of its pods' owner, where there is one; of the group, where there are several.
    pub fn name(self) -> String {
        match self {
            Self::Service(service) => format!("svc-{service}"),
            Self::Submitter => "outbox-submitter".to_owned(),
            Self::Projector => "projector".to_owned(),
            Self::Migrate => "migrate".to_owned(),
            Self::Postgres => "postgres".to_owned(),
            Self::Redis => "redis".to_owned(),
            Self::RedisReplica => "redis-replica".to_owned(),
            Self::Orderer => "orderer".to_owned(),
            Self::Peer(org) => format!("peer-{}", org.name()),
            Self::Chaincode(org) => format!("gx-chaincode-{}", org.name()),
            Self::Ca(ca) => ca.name(),
            Self::ChannelJob => "channel".to_owned(),
            Self::OrganizationJob(org) => format!("chaincode-{}", org.name()),
        }
    }

    /// What it is part of, for labels.
    pub fn component(self) -> &'static str {
        match self {
            Self::Service(_) => "api",
            Self::Submitter | Self::Projector => "worker",
            Self::Postgres => "database",
            Self::Redis | Self::RedisReplica => "cache",
            Self::Orderer => "orderer",
            Self::Peer(_) => "peer",
            Self::Chaincode(_) => "chaincode",
            Self::Ca(_) => "authority",
            Self::Migrate | Self::ChannelJob | Self::OrganizationJob(_) => "job",
        }
    }

    /// Names of the pods' owners: one Deployment or Job, or a StatefulSet for each node.
    pub fn owners(self) -> Vec<String> {
        match self {
            Self::Orderer => (0..ORDERERS).map(|number| format!("orderer{number}")).collect(),
            Self::Peer(org) => org.peers(),
            _ => vec![self.name()],
        }
    }

    pub fn ports(self) -> Vec<Port> {
        match self {
            Self::Service(service) => vec![figures("http", service.default_port())],
            Self::Submitter => vec![figures("http", SUBMITTER_PORT)],
            Self::Projector => vec![figures("http", PROJECTOR_PORT)],
            Self::Postgres => vec![port("postgres", 5432)],
            Self::Redis | Self::RedisReplica => vec![port("redis", 6379)],
            Self::Orderer => {
                vec![port("grpc", 7050), port("admin", 7053), figures("operations", 9443)]
            }
            Self::Peer(_) => vec![port("grpc", 7051), figures("operations", 9443)],
            Self::Chaincode(_) => vec![port("grpc", CHAINCODE_PORT)],
            Self::Ca(ca) => {
                vec![port("https", ca.port()), figures("operations", ca.operations_port())]
            }
            Self::Migrate | Self::ChannelJob | Self::OrganizationJob(_) => Vec::new(),
        }
    }

    /// The port on which Prometheus finds its figures.
    pub fn metrics_port(self) -> Option<Port> {
        self.ports().into_iter().find(|port| port.metrics)
    }

    /// Pods of each owner on mainnet. The other networks have one of each.
    pub fn replicas(self) -> u16 {
        match self {
            Self::Service(_) => 3,
            Self::Submitter | Self::Projector | Self::Chaincode(_) | Self::RedisReplica => 2,
            _ => 1,
        }
    }

    /// How many pods the autoscaler may make of it, for those that have one.
    pub fn replicas_max(self) -> Option<u16> {
        match self {
            Self::Service(Service::Identity | Service::Tokenomics) => Some(6),
            _ => None,
        }
    }

    /// Pods on mainnet, those of all owners together.
    pub fn pods(self) -> u16 {
        let owners = u16::try_from(self.owners().len()).unwrap_or(u16::MAX);
        self.replicas().saturating_mul(owners)
    }

    /// How many pods must stay while a node is drained: a quorum of orderers, one peer of each
    /// organization, all but one of what can be replaced. Nothing that is alone has a budget: it
    /// would only stop the drain.
    pub fn least(self) -> Option<u16> {
        match self {
            Self::Orderer => Some(ORDERERS / 2 + 1),
            _ if self.pods() > 1 => Some(self.pods() - 1),
            _ => None,
        }
    }

    /// Whether it runs until it is stopped, in as many pods as are alike.
    pub fn is_deployment(self) -> bool {
        matches!(self, Self::Service(_) | Self::Submitter | Self::Projector | Self::Chaincode(_))
    }

    pub fn is_job(self) -> bool {
        matches!(self, Self::Migrate | Self::ChannelJob | Self::OrganizationJob(_))
    }

    /// Arguments of `gx`, for those that are roles of it.
    pub fn gx_args(self) -> Option<Vec<String>> {
        let text = match self {
            Self::Service(service) => format!("serve --service {service}"),
            Self::Submitter => "submitter".to_owned(),
            Self::Projector => "projector".to_owned(),
            Self::Migrate => "migrate".to_owned(),
            Self::Chaincode(_) => "chaincode".to_owned(),
            _ => return None,
        };
        Some(text.split(' ').map(str::to_owned).collect())
    }
}
