//! Network policies of environments side by side, by what they let pass and not by their names.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Findings, Problem};
use super::pairs::{environment, stem};
use crate::facts::{NetworkPolicy, ObjectRef, Peer, PolicyRule, Selector, Snapshot};

/// Labels for people, with the environment as `{env}`.
fn told_selector(selector: &Selector, environment: &str) -> String {
    let labels = selector.labels.iter().map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.expressions.iter().map(|one| {
        let mut values = one.values.clone();
        values.sort();
        format!("{} {:?} {}", one.key, one.operator, values.join("|"))
    });
    let parts: Vec<String> = labels.chain(expressions).collect();
    if parts.is_empty() { "all".to_owned() } else { parts.join(",").replace(environment, "{env}") }
}

fn told_peer(peer: &Peer, environment: &str) -> String {
    let mut parts = Vec::new();
    if let Some(pods) = &peer.pods {
        parts.push(format!("pods {}", told_selector(pods, environment)));
    }
    if let Some(namespaces) = &peer.namespaces {
        parts.push(format!("of namespaces {}", told_selector(namespaces, environment)));
    }
    if let Some(block) = &peer.block {
        let mut holes = block.except.clone();
        holes.sort();
        let but =
            if holes.is_empty() { String::new() } else { format!(" but {}", holes.join("|")) };
        parts.push(format!("{}{but}", block.cidr));
    }
    parts.join(" ")
}

/// Everything that policies of a namespace say, one thing at a time.
fn atoms(policies: &[&NetworkPolicy], environment: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for policy in policies {
        let pods = told_selector(&policy.selector, environment);
        let ways: [(&str, bool, &[PolicyRule]); 2] = [
            ("from", policy.limits_ingress, &policy.ingress),
            ("to", policy.limits_egress, &policy.egress),
        ];
        for (way, limits, rules) in ways {
            if !limits {
                continue;
            }
            all.insert(format!("{pods}: nothing else {way} others"));
            for rule in rules {
                let peers: Vec<String> = match rule.peers.as_slice() {
                    [] => vec!["everybody".to_owned()],
                    peers => peers.iter().map(|peer| told_peer(peer, environment)).collect(),
                };
                let ports: Vec<String> = match rule.ports.as_slice() {
                    [] => vec!["every port".to_owned()],
                    ports => ports
                        .iter()
                        .map(|port| {
                            let protocol =
                                if port.protocol.is_empty() { "TCP" } else { &port.protocol };
                            let end =
                                port.end_port.map(|end| format!("-{end}")).unwrap_or_default();
                            let number =
                                if port.port.is_empty() { "every port" } else { &port.port };
                            format!("{number}{end}/{protocol}")
                        })
                        .collect(),
                };
                for peer in &peers {
                    all.extend(ports.iter().map(|port| format!("{pods}: {way} {peer} on {port}")));
                }
            }
        }
    }
    all
}

/// At most so many are told by name.
const SHOWN: usize = 4;

fn told(atoms: &[&String]) -> String {
    let shown: Vec<&str> = atoms.iter().take(SHOWN).map(|atom| atom.as_str()).collect();
    match atoms.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

/// ENV-04
pub(super) fn other_policies(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut stems: BTreeMap<String, BTreeMap<usize, &str>> = BTreeMap::new();
    for namespace in snapshot.namespaces.items() {
        if let Some((stem, rank)) = stem(snapshot, &namespace.name) {
            stems.entry(stem).or_default().insert(rank, &namespace.name);
        }
    }
    let of = |namespace: &str, rank: usize| {
        let policies = snapshot.network_policies.items().iter();
        let own: Vec<&NetworkPolicy> = policies.filter(|one| one.namespace == namespace).collect();
        atoms(&own, environment(rank))
    };
    for sides in stems.into_values() {
        let mut sides = sides.into_iter().rev();
        let Some((highest, first)) = sides.next() else { continue };
        let reference = of(first, highest);
        for (rank, namespace) in sides {
            findings.looked();
            let own = of(namespace, rank);
            let lacks: Vec<&String> = reference.difference(&own).collect();
            let more: Vec<&String> = own.difference(&reference).collect();
            let mut parts = Vec::new();
            if !lacks.is_empty() {
                parts.push(format!("it lacks, of {first}: {}", told(&lacks)));
            }
            if !more.is_empty() {
                parts.push(format!("it has besides: {}", told(&more)));
            }
            if !parts.is_empty() {
                let subject = ObjectRef::global("Namespace", namespace);
                findings.add(Problem::new(subject, parts.join(". ")));
            }
        }
    }
    findings
}
