//! Who talks to whom: the table that the network policies and the matrix are made from.
//!
//! Everything that does not stand here is denied, in both directions.

use super::{CHAINCODE_PORT, Ca, Org, PLATFORM_ORG, Part, Service, Workload};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Pods(Workload),
    /// The name server of the cluster.
    Dns,
    /// The ingress controller.
    Ingress,
    /// Prometheus.
    Monitoring,
    /// What answers the authority of certificates for the moment that it asks.
    Solver,
    /// CloudNativePG, where it runs the database.
    DatabaseOperator,
    Outside(Outside),
}

/// Addresses outside of the network. Those of mail and documents are stated by whoever runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outside {
    /// The mail server.
    Mail,
    /// The object store of documents.
    Documents,
    /// Endpoints of webhooks: any address of the public internet.
    Webhooks,
    /// The API of the cluster, which an operator's database and a promoter ask.
    Api,
}

impl Outside {
    pub const ALL: [Self; 4] = [Self::Mail, Self::Documents, Self::Webhooks, Self::Api];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Documents => "documents",
            Self::Webhooks => "webhooks",
            Self::Api => "cluster API",
        }
    }

    pub fn port(self) -> u16 {
        match self {
            Self::Mail => 587,
            Self::Documents | Self::Webhooks => 443,
            Self::Api => 6443,
        }
    }
}

impl End {
    pub fn name(self) -> String {
        match self {
            Self::Pods(workload) => workload.name(),
            Self::Dns => "name server".to_owned(),
            Self::Ingress => "ingress controller".to_owned(),
            Self::Monitoring => "monitoring".to_owned(),
            Self::Solver => "certificate solver".to_owned(),
            Self::DatabaseOperator => "database operator".to_owned(),
            Self::Outside(outside) => format!("outside: {}", outside.as_str()),
        }
    }

    pub fn part(self) -> Option<Part> {
        match self {
            Self::Pods(workload) => Some(workload.part()),
            Self::Solver => Some(Part::Platform),
            _ => None,
        }
    }
}

/// One connection that is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub from: End,
    pub to: End,
    /// TCP.
    pub port: u16,
    pub why: &'static str,
}

/// Port of cert-manager's solver.
pub const SOLVER_PORT: u16 = 8089;

/// Port of a collector of traces that takes OTLP over HTTP.
pub const COLLECTOR_PORT: u16 = 4318;

/// What every pod may do: ask for names, by UDP and TCP.
pub const PAIRS_OF_ALL: u16 = 53;

fn pair(from: Workload, to: Workload, port: u16, why: &'static str) -> Pair {
    Pair { from: End::Pods(from), to: End::Pods(to), port, why }
}

fn out(from: Workload, to: Outside, why: &'static str) -> Pair {
    Pair { from: End::Pods(from), to: End::Outside(to), port: to.port(), why }
}

/// The table. DNS, which everybody may ask, is left out.
pub fn pairs() -> Vec<Pair> {
    let mut pairs = platform();
    pairs.extend(fabric());
    for workload in Workload::all() {
        if let Some(port) = workload.metrics_port() {
            let (from, to) = (End::Monitoring, End::Pods(workload));
            pairs.push(Pair { from, to, port: port.number, why: "figures" });
        }
    }
    pairs.sort();
    pairs
}

/// What comes to the table where CloudNativePG runs the database, as on mainnet.
pub fn operator_pairs() -> Vec<Pair> {
    let (operator, database) = (End::DatabaseOperator, End::Pods(Workload::Postgres));
    let into = |port, why| Pair { from: operator, to: database, port, why };
    vec![
        Pair { from: database, to: database, port: 8000, why: "state of the instances" },
        out(Workload::Postgres, Outside::Api, "who leads"),
        into(5432, "the operator"),
        into(8000, "the operator"),
    ]
}

/// What comes to the table where a network is promoted to, by its admin service.
pub fn promotion_pairs() -> Vec<Pair> {
    let promoter = Workload::Service(Service::Admin);
    let asks = "promotion: how much of the error budget is left";
    vec![
        out(promoter, Outside::Api, "promotion: images of the deployments"),
        Pair { from: End::Pods(promoter), to: End::Monitoring, port: 9090, why: asks },
    ]
}

/// What comes to the table where traces are exported, by everything that is a part of one.
pub fn tracing_pairs() -> Vec<Pair> {
    let to_collector = |from: Workload| Pair {
        from: End::Pods(from),
        to: End::Monitoring,
        port: COLLECTOR_PORT,
        why: "traces",
    };
    Workload::lasting().into_iter().map(to_collector).collect()
}

fn platform() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for service in Service::ALL.iter().copied() {
        let to = End::Pods(Workload::Service(service));
        let port = service.default_port();
        pairs.push(Pair { from: End::Ingress, to, port, why: "requests" });
    }
    let (from, to, why) = (End::Ingress, End::Solver, "the authority of certificates asks");
    pairs.push(Pair { from, to, port: SOLVER_PORT, why });
    let services = Service::ALL.iter().copied().map(Workload::Service);
    let platform: Vec<Workload> =
        services.chain([Workload::Submitter, Workload::Projector]).collect();
    for from in platform.iter().copied() {
        pairs.push(pair(from, Workload::Postgres, 5432, "rows"));
        pairs.push(pair(from, Workload::Redis, 6379, "shared limits, news of settled commands"));
    }
    pairs.push(pair(Workload::Migrate, Workload::Postgres, 5432, "the schema"));
    pairs.push(pair(Workload::Postgres, Workload::Postgres, 5432, "replication"));
    pairs.push(pair(Workload::RedisReplica, Workload::Redis, 6379, "replication"));
    for from in [Workload::Submitter, Workload::Projector] {
        let peers = Workload::Peer(PLATFORM_ORG);
        pairs.push(pair(from, peers, 7051, "the gateway: batches, blocks"));
    }
    let identity = Workload::Service(Service::Identity);
    pairs.push(out(identity, Outside::Mail, "mail to people"));
    for service in [Service::Identity, Service::Admin] {
        pairs.push(out(Workload::Service(service), Outside::Documents, "sealed documents"));
    }
    pairs.push(out(Workload::Projector, Outside::Webhooks, "messages to endpoints"));
    pairs
}

fn fabric() -> Vec<Pair> {
    let mut pairs = vec![
        pair(Workload::Orderer, Workload::Orderer, 7050, "Raft"),
        pair(Workload::ChannelJob, Workload::Orderer, 7053, "joining the channel"),
    ];
    for org in Org::ALL {
        let peer = Workload::Peer(org);
        pairs.push(pair(peer, Workload::Orderer, 7050, "blocks, and transactions of the gateway"));
        let why = "the contract";
        pairs.push(pair(peer, Workload::Chaincode(org), CHAINCODE_PORT, why));
        let job = Workload::OrganizationJob(org);
        pairs.push(pair(job, Workload::Orderer, 7050, "approving and committing the chaincode"));
        for other in Org::ALL {
            pairs.push(pair(peer, Workload::Peer(other), 7051, "gossip and endorsements"));
            pairs.push(pair(job, Workload::Peer(other), 7051, "joining, installing, endorsing"));
        }
    }
    // An authority below another one is certified by it when it is set up.
    for ca in [Ca::Tls, Ca::Orderer, Ca::Org(Org(1)), Ca::Org(Org(2))] {
        let root = Workload::Ca(Ca::Root);
        pairs.push(pair(Workload::Ca(ca), root, Ca::Root.port(), "its own certificate"));
    }
    pairs
}
