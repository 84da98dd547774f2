//! What was tried from hosts: names, nodes, pods of other nodes, ports beside the edge.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::super::shared::host_reference;
use super::super::{Findings, Problem};
use super::controllers;
use super::hosts::{is_of_the_world, name_reference};
use super::places::behind;
use super::services::is_store;
use crate::facts::{Fact, Node, Object as _, ObjectRef, Reached, Service, Snapshot};

const HOW: &str = "gx ops host-script | ssh HOST 'sudo sh -s -- NAME:PORT …' > HOST.txt";

/// Something answered, whether it liked what it was asked or not.
fn answers(reached: &Reached) -> bool {
    ["ok", "tls", "unauthorized"].contains(&reached.outcome.as_str())
}

fn is_node(node: &Node, name: &str) -> bool {
    node.name == name || node.hostname() == name
}

fn addresses(node: &Node) -> BTreeSet<&str> {
    let all = node.addresses.iter().filter(|one| one.kind != "Hostname");
    all.map(|one| one.value.as_str()).collect()
}

/// NET-15
pub(super) fn beside_the_edge(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let edges: Vec<ObjectRef> =
        controllers(snapshot).into_iter().map(|one| one.reference()).collect();
    let is_edge = |service: &Service| {
        behind(snapshot, service).iter().any(|one| edges.contains(&one.reference()))
    };
    let nodes = snapshot.nodes.items();
    let is_inside = |name: &str| nodes.iter().any(|node| is_node(node, name));
    let outside: Vec<&Reached> =
        snapshot.reached.items().iter().filter(|one| !is_inside(&one.from)).collect();
    // Where nothing is before a host that the world can reach, its ports are open.
    let bare: Vec<&str> = snapshot
        .hosts
        .items()
        .iter()
        .filter(|host| is_inside(&host.name))
        .filter(|host| host.firewall.get().is_some_and(|firewall| !firewall.active))
        .filter(|host| host.addresses.iter().any(|one| is_of_the_world(one)))
        .map(|host| host.name.as_str())
        .collect();
    for service in snapshot.services.items() {
        let ports: Vec<u16> = service.ports.iter().filter_map(|port| port.node_port).collect();
        if ports.is_empty() || service.namespace == "kube-system" {
            continue;
        }
        // Stores are told of by a rule of their own; the ingress controller is the edge.
        if is_store(snapshot, service) || is_edge(service) {
            continue;
        }
        let told: Vec<&&Reached> = outside.iter().filter(|one| ports.contains(&one.port)).collect();
        let open: BTreeSet<String> = told
            .iter()
            .filter(|one| answers(one))
            .map(|one| format!("{}:{} from {}", one.to, one.port, one.from))
            .collect();
        let is_tried = |node: &Node| {
            let own = addresses(node);
            ports.iter().all(|port| {
                told.iter().any(|one| one.port == *port && own.contains(one.to.as_str()))
            })
        };
        if !open.is_empty() {
            findings.looked();
            let evidence =
                format!("it answers at {}", open.into_iter().collect::<Vec<String>>().join(", "));
            findings.add(Problem::new(service.reference(), evidence).field("spec.type"));
        } else if !bare.is_empty() {
            findings.looked();
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            let evidence = format!(
                "its port {} is open on {}, where there is no firewall",
                ports.join(", "),
                bare.join(", ")
            );
            findings.add(Problem::new(service.reference(), evidence).field("spec.type"));
        } else if !nodes.is_empty() && nodes.iter().all(is_tried) {
            findings.looked();
        } else {
            let what = "whether its ports answer from outside was not tried on every node";
            findings.unknown_but(service.reference(), what, HOW);
        }
    }
    findings
}

/// Names that people use, with the addresses that they have.
fn names(snapshot: &Snapshot) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let is_outer = |name: &str| {
        let inner = ["local", "internal", "localhost"];
        let last = name.rsplit('.').next().unwrap_or_default();
        name.parse::<IpAddr>().is_err()
            && name.contains('.')
            && !name.contains('*')
            && !inner.contains(&last)
            && !name.split('.').any(|part| part == "svc")
    };
    for one in snapshot.reached.items() {
        if [80, 443].contains(&one.port) && is_outer(&one.to) {
            let four = one.addresses.iter().filter(|one| one.parse::<std::net::Ipv4Addr>().is_ok());
            names.entry(&one.to).or_default().extend(four.map(String::as_str));
        }
    }
    let paths = snapshot.ingresses.items().iter().flat_map(|ingress| &ingress.paths);
    for path in paths.filter(|path| is_outer(&path.host)) {
        names.entry(&path.host).or_default();
    }
    for host in snapshot.declared().into_iter().flat_map(|inventory| &inventory.hosts) {
        for name in &host.origin_of {
            names.entry(name).or_default().extend(host.addresses.iter().map(String::as_str));
        }
    }
    names
}

/// NET-17
pub(super) fn dead_addresses(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for fact in [Fact::Ingresses, Fact::Inventory] {
        if let Some(why) = snapshot.lacks(fact) {
            let subject = ObjectRef::global("Cluster", fact.name());
            findings.unknown_but(subject, format!("which names there are: {why}"), fact.how());
        }
    }
    for (name, addresses) in names(snapshot) {
        let subject = name_reference(name);
        let tried: Vec<&Reached> =
            snapshot.reached.items().iter().filter(|one| [80, 443].contains(&one.port)).collect();
        let own: Vec<&&Reached> = tried.iter().filter(|one| one.to == name).collect();
        if addresses.is_empty() {
            if own.iter().any(|one| one.outcome == "unresolved") {
                findings.looked();
                findings.add(Problem::new(subject, "it has no address"));
            } else {
                findings.unknown_but(subject, "which addresses it has", HOW);
            }
            continue;
        }
        let (mut dead, mut untried) = (Vec::new(), Vec::new());
        for address in &addresses {
            // A name with one address was tried when the name was.
            let is_it =
                |one: &&&Reached| one.to == *address || one.to == name && addresses.len() == 1;
            let seen: Vec<&&Reached> = tried.iter().filter(is_it).collect();
            if seen.is_empty() {
                untried.push(*address);
            } else if !seen.iter().any(|one| answers(one)) {
                let how = seen.first().map(|one| one.outcome.as_str()).unwrap_or_default();
                dead.push(format!("{address} ({how})"));
            }
        }
        if !dead.is_empty() {
            findings.looked();
            let evidence = format!(
                "of {} addresses these do not answer: {}",
                addresses.len(),
                dead.join(", ")
            );
            findings.add(Problem::new(subject, evidence));
        } else if untried.is_empty() {
            findings.looked();
        } else {
            let what = format!("whether {} answers was not tried", untried.join(", "));
            findings.unknown_but(subject, what, HOW);
        }
    }
    findings
}

/// NET-21
pub(super) fn pods_apart(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let nodes = snapshot.nodes.items();
    for target in nodes {
        let pods = snapshot.pods_on(&target.name).into_iter();
        let pods = pods.filter(|pod| pod.is_active() && !pod.spec.host_network);
        let ips: BTreeSet<&str> =
            pods.map(|pod| pod.ip.as_str()).filter(|ip| !ip.is_empty()).collect();
        let (mut cut, mut untried) = (Vec::new(), Vec::new());
        for from in nodes.iter().filter(|node| node.name != target.name) {
            let seen: Vec<&Reached> = snapshot
                .reached
                .items()
                .iter()
                .filter(|one| is_node(from, &one.from) && ips.contains(one.to.as_str()))
                .collect();
            // What is refused was refused by somebody: the packets have come and gone.
            let is_there = |one: &&Reached| answers(one) || one.outcome == "refused";
            match (seen.is_empty(), seen.iter().any(is_there)) {
                (true, _) => untried.push(from.name.as_str()),
                (false, true) => findings.looked(),
                (false, false) => cut.push(from.name.as_str()),
            }
        }
        if !cut.is_empty() {
            findings.looked();
            let evidence = format!("no pod on it answers {}", cut.join(", "));
            findings.add(Problem::new(target.reference(), evidence));
        } else if !untried.is_empty() {
            let what = format!("whether its pods answer was not tried from {}", untried.join(", "));
            findings.unknown_but(target.reference(), what, HOW);
        }
    }
    findings
}

/// The ports at which one node must reach another.
fn needed(from: &Node, to: &Node) -> Vec<u16> {
    let has_etcd = |node: &Node| node.labels.contains_key("node-role.kubernetes.io/etcd");
    let mut ports = Vec::new();
    if to.is_control_plane() {
        ports.push(6443);
    }
    if has_etcd(from) && has_etcd(to) {
        ports.extend([2379, 2380]);
    }
    if from.is_control_plane() {
        ports.push(10250);
    }
    ports
}

/// NET-23
pub(super) fn nodes_apart(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let nodes = snapshot.nodes.items();
    for target in nodes {
        let own = addresses(target);
        let mut closed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut untried: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for from in nodes.iter().filter(|node| node.name != target.name) {
            for port in needed(from, target) {
                let all = snapshot.reached.items().iter();
                let seen: Vec<&Reached> = all
                    .filter(|one| is_node(from, &one.from) && one.port == port)
                    .filter(|one| own.contains(one.to.as_str()) || is_node(target, &one.to))
                    .collect();
                if seen.is_empty() {
                    untried.entry(&from.name).or_default().push(port.to_string());
                } else if seen.iter().any(|one| answers(one)) {
                    findings.looked();
                } else {
                    let how = seen.first().map(|one| one.outcome.as_str()).unwrap_or_default();
                    closed.entry(&from.name).or_default().push(format!("{port} ({how})"));
                }
            }
        }
        let told = |ports: &BTreeMap<&str, Vec<String>>| {
            let parts: Vec<String> =
                ports.iter().map(|(from, ports)| format!("{from}: {}", ports.join(", "))).collect();
            parts.join("; ")
        };
        if !closed.is_empty() {
            findings.looked();
            let evidence = format!("closed from {}", told(&closed));
            findings.add(Problem::new(target.reference(), evidence));
        } else if !untried.is_empty() {
            let what = format!("not tried from {}", told(&untried));
            findings.unknown_but(target.reference(), what, HOW);
        }
    }
    let hosts = snapshot.reached.items().iter().map(|one| one.from.as_str());
    let strangers: BTreeSet<&str> =
        hosts.filter(|name| !nodes.iter().any(|node| is_node(node, name))).collect();
    if nodes.is_empty() {
        for name in strangers {
            findings.unknown_but(host_reference(name), "no node is known", Fact::Nodes.how());
        }
    }
    findings
}
