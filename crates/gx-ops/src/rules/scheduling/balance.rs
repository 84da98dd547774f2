//! Where pods are: by node, by environment and by region.

use std::collections::{BTreeMap, BTreeSet};

use super::super::shared::{
    Component, component, environments, lasting, most, organization, quorum, region, replicated,
    sets, tally, told,
};
use super::super::{Findings, Problem};
use crate::facts::{
    DeclaredHost, EtcdMember, Fact, Node, Object as _, ObjectRef, Pod, Snapshot, Workload,
};

/// SCH-10
pub(super) fn uneven_nodes(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let open = snapshot.nodes.items().iter().filter(|node| {
        let is_closed =
            node.taints.iter().any(|one| one.key.starts_with("node-role.kubernetes.io/"));
        node.is_ready() && !node.unschedulable && !is_closed
    });
    let mut alike: BTreeMap<Vec<String>, Vec<&Node>> = BTreeMap::new();
    for node in open {
        alike.entry(environments(snapshot, node)).or_default().push(node);
    }
    for (environments, nodes) in alike.into_iter().filter(|(_, nodes)| nodes.len() > 1) {
        findings.looked();
        let count = |node: &&Node| {
            let pods = snapshot.pods_on(&node.name).into_iter();
            pods.filter(|pod| pod.is_active() && !is_daemon(pod)).count()
        };
        let counts: BTreeMap<&str, usize> =
            nodes.iter().map(|node| (node.name.as_str(), count(node))).collect();
        let sum: usize = counts.values().sum();
        let Some((node, largest)) = most(&counts) else { continue };
        let least = counts.values().min().copied().unwrap_or(0);
        // Largest over mean above 1.5, without dividing; few pods are never even.
        let is_heavy = largest.saturating_mul(2 * nodes.len()) > sum.saturating_mul(3);
        if sum >= 2 * nodes.len() && is_heavy || largest.saturating_sub(least) > 10 {
            let of = match environments.as_slice() {
                [] => String::new(),
                some => format!(" of {}", some.join(" and ")),
            };
            let evidence =
                format!("{sum} pods on {} nodes{of}: {}", nodes.len(), told(&counts, "on"));
            findings.add(Problem::new(ObjectRef::global("Node", node), evidence));
        }
    }
    findings
}

fn is_daemon(pod: &Pod) -> bool {
    pod.owner.as_ref().is_some_and(|owner| owner.kind == "DaemonSet")
}

/// SCH-11
pub(super) fn mainnet_on_other_nodes(snapshot: &Snapshot) -> Findings {
    on_nodes_of_others(snapshot, |environment, node| {
        environment == "mainnet" && !node.iter().any(|one| one == "mainnet")
    })
}

/// SCH-12
pub(super) fn others_on_mainnet_nodes(snapshot: &Snapshot) -> Findings {
    on_nodes_of_others(snapshot, |environment, node| {
        let is_shared = node.iter().any(|one| one == environment);
        environment != "mainnet" && !is_shared && node.iter().any(|one| one == "mainnet")
    })
}

/// Pods whose environment and node do not go together.
fn on_nodes_of_others(snapshot: &Snapshot, is_wrong: impl Fn(&str, &[String]) -> bool) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        let of_node = environments(snapshot, node);
        // A node that nobody has given to an environment is for all of them.
        if of_node.is_empty() {
            continue;
        }
        for pod in snapshot.pods_on(&node.name) {
            let Some(environment) = snapshot.environment(&pod.namespace) else { continue };
            if !pod.is_active() || is_daemon(pod) {
                continue;
            }
            findings.looked();
            if is_wrong(environment, &of_node) {
                let evidence = format!(
                    "it is of {environment} and runs on {}, which is for {}",
                    node.name,
                    of_node.join(" and ")
                );
                let problem = Problem::new(pod.reference(), evidence);
                let owner = snapshot.workload_of(pod).map(|one| one.reference());
                findings.add(match owner {
                    Some(owner) => problem.because(owner),
                    None => problem,
                });
            }
        }
    }
    findings
}

/// Regions of the nodes that pods are on; the nodes of which none is declared.
fn regions<'a>(
    snapshot: &'a Snapshot,
    pods: &[&Pod],
) -> (BTreeMap<&'a str, usize>, BTreeSet<String>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for pod in pods.iter().filter(|pod| !pod.node.is_empty()) {
        match snapshot.node(&pod.node).and_then(|node| region(snapshot, node)) {
            Some(region) => *counts.entry(region).or_default() += 1,
            None => {
                unknown.insert(pod.node.clone());
            }
        }
    }
    (counts, unknown)
}

fn undeclared(nodes: &BTreeSet<String>) -> String {
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    format!("the inventory declares no region for {}", nodes.join(", "))
}

/// SCH-13
pub(super) fn one_region(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let declared = snapshot.declared().into_iter().flat_map(|one| &one.hosts);
    let all: BTreeSet<&str> =
        declared.map(|host| host.region.as_str()).filter(|region| !region.is_empty()).collect();
    for workload in replicated(snapshot).filter(|one| one.replicas > 1) {
        if !snapshot.is_mainnet(&workload.namespace) {
            continue;
        }
        let pods: Vec<&Pod> =
            snapshot.pods_of(workload).into_iter().filter(|pod| pod.is_active()).collect();
        let (counts, unknown) = regions(snapshot, &pods);
        let placed: usize = counts.values().sum();
        if !unknown.is_empty() {
            findings.unknown(workload.reference(), undeclared(&unknown));
        } else if placed > 1 {
            findings.looked();
            if counts.len() == 1 && all.len() > 1 {
                let evidence = format!("its {}", told(&counts, "pods are in"));
                let field = "spec.template.spec.topologySpreadConstraints";
                findings.add(Problem::new(workload.reference(), evidence).field(field));
            }
        }
    }
    findings
}

/// SCH-15
pub(super) fn orderers_on_one_node(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for set in sets(snapshot, |one| one == Component::Orderer) {
        let members = set.members();
        let pods = set.pods(snapshot);
        let counts =
            tally(pods.iter().map(|pod| pod.node.as_str()).filter(|node| !node.is_empty()));
        let Some((node, count)) = most(&counts).filter(|_| members > 1) else { continue };
        findings.looked();
        let left = members.saturating_sub(count);
        if left < quorum(members) {
            let evidence = format!(
                "of {members} orderers {}; without {node} {left} are left, and {} are a majority",
                told(&counts, "on"),
                quorum(members)
            );
            findings.add(Problem::new(set.reference(), evidence));
        }
    }
    findings
}

/// SCH-16
pub(super) fn quorum_in_one_region(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for set in sets(snapshot, |one| one == Component::Orderer) {
        let (counts, unknown) = regions(snapshot, &set.pods(snapshot));
        region_takes_quorum(&mut findings, set.reference(), set.members(), &counts, &unknown);
    }
    if let Some(why) = snapshot.lacks(Fact::Etcd) {
        let what = format!("members of etcd: {why}");
        findings.unknown_but(ObjectRef::global("Etcd", "etcd"), what, Fact::Etcd.how());
    }
    // Every server tells of the same members.
    let members = snapshot.etcd.items().iter().find_map(|etcd| etcd.members.get());
    if let Some(members) = members {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        let voters: Vec<&EtcdMember> = members.iter().filter(|one| !one.is_learner).collect();
        for member in &voters {
            match region_of_member(snapshot, member) {
                Some(region) => *counts.entry(region).or_default() += 1,
                None => {
                    unknown.insert(member.name.clone());
                }
            }
        }
        let subject = ObjectRef::global("Etcd", "etcd");
        region_takes_quorum(&mut findings, subject, voters.len(), &counts, &unknown);
    }
    findings
}

/// The declared region of a member's host. K3s names a member after its node, with a random ending.
fn region_of_member<'a>(snapshot: &'a Snapshot, member: &EtcdMember) -> Option<&'a str> {
    let is_it = |host: &&DeclaredHost| {
        let rest = member.name.strip_prefix(host.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let host = snapshot.declared()?.hosts.iter().find(is_it)?;
    (!host.region.is_empty()).then_some(host.region.as_str())
}

fn region_takes_quorum(
    findings: &mut Findings,
    subject: ObjectRef,
    members: usize,
    counts: &BTreeMap<&str, usize>,
    unknown: &BTreeSet<String>,
) {
    if !unknown.is_empty() {
        return findings.unknown(subject, undeclared(unknown));
    }
    let Some((region, count)) = most(counts).filter(|_| members > 1) else { return };
    findings.looked();
    let left = members.saturating_sub(count);
    if left < quorum(members) {
        let evidence = format!(
            "of {members} members {}; without {region} {left} are left, and {} are a majority",
            told(counts, "in"),
            quorum(members)
        );
        findings.add(Problem::new(subject, evidence));
    }
}

/// Pods of workloads of a component that have a node, with their workloads.
fn placed(snapshot: &Snapshot, wanted: Component) -> Vec<(&Workload, &Pod)> {
    let workloads = lasting(snapshot).filter(|one| component(&one.name) == wanted);
    let pods = workloads.flat_map(|one| {
        let pods = snapshot.pods_of(one).into_iter();
        pods.filter(|pod| pod.is_active() && !pod.node.is_empty()).map(move |pod| (one, pod))
    });
    pods.collect()
}

/// SCH-17
pub(super) fn organization_on_one_node(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut peers: BTreeMap<(&str, String), Vec<&Pod>> = BTreeMap::new();
    for (workload, pod) in placed(snapshot, Component::Peer) {
        let Some(organization) = organization(workload) else {
            findings.unknown(workload.reference(), "neither label nor name tells its organization");
            continue;
        };
        peers.entry((&workload.namespace, organization)).or_default().push(pod);
    }
    for ((namespace, organization), pods) in peers.into_iter().filter(|(_, pods)| pods.len() > 1) {
        findings.looked();
        let counts = tally(pods.iter().map(|pod| pod.node.as_str()));
        if let [(node, count)] = counts.iter().collect::<Vec<_>>().as_slice() {
            let evidence = format!("all {count} peers of {organization} are on {node}");
            let subject = ObjectRef::new("Organization", namespace, organization);
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// SCH-18
pub(super) fn chaincode_far_from_peers(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let peers = placed(snapshot, Component::Peer);
    let chaincodes = lasting(snapshot).filter(|one| component(&one.name) == Component::Chaincode);
    for chaincode in chaincodes {
        findings.looked();
        let pods = snapshot.pods_of(chaincode).into_iter().filter(|pod| pod.is_active());
        let nodes: BTreeSet<&str> =
            pods.map(|pod| pod.node.as_str()).filter(|node| !node.is_empty()).collect();
        let near = |pod: &Pod| {
            let region_of = |node: &str| snapshot.node(node).and_then(|n| region(snapshot, n));
            let here = region_of(&pod.node);
            nodes.contains(pod.node.as_str())
                || here.is_some() && nodes.iter().any(|node| region_of(node) == here)
        };
        let own = peers.iter().filter(|(peer, _)| peer.namespace == chaincode.namespace);
        let far: Vec<&str> =
            own.filter(|(_, pod)| !near(pod)).map(|(_, pod)| pod.name.as_str()).collect();
        let mut told = Vec::new();
        if chaincode.replicas < 2 {
            told.push("it has one replica".to_owned());
        }
        if !far.is_empty() {
            told.push(format!(
                "none of its pods is on the node or in the region of {}",
                far.join(", ")
            ));
        }
        if !told.is_empty() {
            let problem = Problem::new(chaincode.reference(), told.join("; "));
            findings.add(problem.field("spec.replicas"));
        }
    }
    findings
}

/// SCH-19
pub(super) fn peer_far_from_couchdb(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let peers = placed(snapshot, Component::Peer);
    for (database, pod) in placed(snapshot, Component::CouchDb) {
        // `couchdb-peer0-org1` and `couchdb0-peer0-org1` belong to `peer0-org1`.
        let name = database.name.split_once('-').map_or("", |(_, rest)| rest);
        let mut own = peers
            .iter()
            .filter(|(peer, _)| peer.namespace == database.namespace && peer.name == name);
        let Some((peer, peer_pod)) = own.next() else { continue };
        findings.looked();
        if peer_pod.node != pod.node {
            let evidence = format!("it is on {}, and {} on {}", pod.node, peer.name, peer_pod.node);
            let field = "spec.template.spec.affinity.podAffinity";
            findings.add(Problem::new(database.reference(), evidence).field(field));
        }
    }
    findings
}

/// SCH-20
pub(super) fn authorities_on_one_node(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut authorities: BTreeMap<&str, Vec<(&Workload, &Pod)>> = BTreeMap::new();
    for (workload, pod) in placed(snapshot, Component::Authority) {
        authorities.entry(&workload.namespace).or_default().push((workload, pod));
    }
    for (namespace, pods) in authorities.into_iter().filter(|(_, pods)| pods.len() > 1) {
        findings.looked();
        let counts = tally(pods.iter().map(|(_, pod)| pod.node.as_str()));
        let half = pods.len().div_ceil(2);
        let heavy = most(&counts).filter(|(_, count)| *count >= half && *count > 1);
        let Some((node, count)) = heavy else { continue };
        let names = pods.iter().filter(|(_, pod)| pod.node == node);
        let names: Vec<&str> = names.map(|(workload, _)| workload.name.as_str()).collect();
        let evidence = format!("{count} of {} are on {node}: {}", pods.len(), names.join(", "));
        findings.add(Problem::new(ObjectRef::new("Set", namespace, "authorities"), evidence));
    }
    findings
}

/// SCH-21
pub(super) fn watchers_on_one_node(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let parts = [Component::Prometheus, Component::Alertmanager, Component::Grafana];
    let pods: Vec<(&Workload, &Pod)> =
        parts.iter().flat_map(|part| placed(snapshot, *part)).collect();
    let kinds: BTreeSet<Component> = pods.iter().map(|(one, _)| component(&one.name)).collect();
    if kinds.len() < 2 || snapshot.nodes.items().len() < 2 {
        return findings;
    }
    findings.looked();
    let counts = tally(pods.iter().map(|(_, pod)| pod.node.as_str()));
    if let [(node, _)] = counts.iter().collect::<Vec<_>>().as_slice() {
        let names: Vec<&str> = pods.iter().map(|(workload, _)| workload.name.as_str()).collect();
        let evidence = format!("{} are all on {node}", names.join(", "));
        let namespace = pods.first().map(|(one, _)| one.namespace.clone()).unwrap_or_default();
        findings.add(Problem::new(ObjectRef::new("Set", namespace, "monitoring"), evidence));
    }
    findings
}
