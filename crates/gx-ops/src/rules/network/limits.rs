//! Whether policies keep apart what must be apart, and say what they mean.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{Component, component, lasting};
use super::super::{Findings, Problem};
use super::cidr::Cidr;
use super::places::{Place, Places, is_inner, places, service_of};
use super::reach::{
    Answer, Spot, Wanted, Way, allowed, has_port, limiting, rules, selects_namespace, shown,
};
use crate::facts::{
    Fact, Namespace, NetworkPolicy, Object as _, ObjectRef, Peer, PolicyRule, Snapshot, Workload,
};

const WAYS: [Way; 2] = [Way::In, Way::Out];

/// Whether a rule can be for nothing but names: they are asked for everywhere.
fn is_for_names(rule: &PolicyRule) -> bool {
    !rule.ports.is_empty()
        && rule.ports.iter().all(|port| port.port == "53" && port.end_port.is_none())
}

/// Whether a rule lets pass anything of a namespace that runs there.
fn has_any(snapshot: &Snapshot, way: Way, rule: &PolicyRule, peer: &Peer, namespace: &str) -> bool {
    let Some(pods) = &peer.pods else { return true };
    if snapshot.lacks(Fact::Workloads).is_some() {
        return true;
    }
    snapshot.top_workloads_in(namespace).any(|one| {
        let containers = &one.template.spec.containers;
        let ports: Vec<u16> =
            containers.iter().flat_map(|one| &one.ports).map(|port| port.port).collect();
        let is_open = |port: &u16| has_port(&rule.ports, containers, Wanted::tcp(*port));
        // What is reached has the ports; who comes may come from any.
        let has = way == Way::In || ports.is_empty() || ports.iter().any(is_open);
        pods.matches(&one.template.labels) && has
    })
}

/// NET-04
pub(super) fn other_environment(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for policy in snapshot.network_policies.items() {
        let Some(own) = snapshot.environment(&policy.namespace) else { continue };
        findings.looked();
        let mut let_in: BTreeSet<String> = BTreeSet::new();
        for way in WAYS {
            for rule in rules(policy, way).iter().filter(|rule| !is_for_names(rule)) {
                for peer in &rule.peers {
                    let Some(selector) = &peer.namespaces else { continue };
                    for namespace in snapshot.namespaces.items() {
                        let other = snapshot.environment(&namespace.name);
                        let is_other = other.is_some_and(|other| other != own);
                        let selected = selects_namespace(snapshot, selector, &namespace.name);
                        if is_other
                            && selected == Some(true)
                            && has_any(snapshot, way, rule, peer, &namespace.name)
                        {
                            let word = if way == Way::In { "from" } else { "to" };
                            let told = format!("{word} {} by {}", namespace.name, shown(selector));
                            let_in.insert(told);
                        }
                    }
                }
            }
        }
        if !let_in.is_empty() {
            let told: Vec<String> = let_in.into_iter().collect();
            let evidence = format!("{own} lets pass {}", told.join("; "));
            findings.add(Problem::new(policy.reference(), evidence).field("namespaceSelector"));
        }
    }
    findings
}

/// NET-07
pub(super) fn selects_no_namespace(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for policy in snapshot.network_policies.items() {
        let all = WAYS.into_iter().flat_map(|way| rules(policy, way)).flat_map(|rule| &rule.peers);
        let mut nothing = BTreeSet::new();
        for selector in all.filter_map(|peer| peer.namespaces.as_ref()) {
            let mut namespaces = snapshot.namespaces.items().iter();
            let is_any = namespaces
                .any(|one| selects_namespace(snapshot, selector, &one.name) == Some(true));
            if is_any {
                findings.looked();
            } else {
                nothing.insert(shown(selector));
            }
        }
        if nothing.is_empty() {
            continue;
        }
        let told = nothing.into_iter().collect::<Vec<String>>().join("; ");
        if !snapshot.namespaces.is_whole() {
            let what = format!("whether a namespace has {told}: not all are known");
            findings.unknown_but(policy.reference(), what, Fact::Namespaces.how());
            continue;
        }
        findings.looked();
        let evidence = format!("no namespace has {told}");
        findings.add(Problem::new(policy.reference(), evidence).field("namespaceSelector"));
    }
    findings
}

/// Whether a policy isolates all pods of its namespace in one way without letting everybody pass.
fn isolates(policy: &NetworkPolicy, way: Way) -> bool {
    let limits = if way == Way::In { policy.limits_ingress } else { policy.limits_egress };
    limits && policy.selector.is_empty()
}

fn lets_all(policy: &NetworkPolicy, way: Way) -> bool {
    isolates(policy, way)
        && rules(policy, way).iter().any(|rule| rule.peers.is_empty() && rule.ports.is_empty())
}

/// NET-08
pub(super) fn not_closed(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let is_wanted = |one: &&Namespace| {
        snapshot.is_mainnet(&one.name)
            || one.name.split('-').next() == Some("fabric")
                && snapshot.environment(&one.name).is_some()
    };
    for namespace in snapshot.namespaces.items().iter().filter(is_wanted) {
        findings.looked();
        let policies: Vec<&NetworkPolicy> = snapshot
            .network_policies
            .items()
            .iter()
            .filter(|policy| policy.namespace == namespace.name)
            .collect();
        let mut open = Vec::new();
        for (way, word) in [(Way::In, "come in"), (Way::Out, "go out")] {
            let is_closed = policies.iter().any(|one| isolates(one, way))
                && !policies.iter().any(|one| lets_all(one, way));
            if !is_closed {
                open.push((way, word));
            }
        }
        let Some((way, _)) = open.first() else { continue };
        let severity = if *way == Way::In { Severity::High } else { Severity::Medium };
        let words: Vec<&str> = open.iter().map(|(_, word)| *word).collect();
        let evidence = format!("what no policy names may {}", words.join(" and "));
        findings.add(Problem::new(namespace.reference(), evidence).severity(severity));
    }
    findings
}

/// NET-09
pub(super) fn outside(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for policy in snapshot.network_policies.items().iter().filter(|policy| policy.limits_egress) {
        findings.looked();
        let is_all = |peer: &Peer| {
            let block = peer.block.as_ref();
            block.is_some_and(|one| Cidr::read(&one.cidr).is_some_and(|cidr| cidr.is_everything()))
        };
        let is_wide = |rule: &&PolicyRule| {
            rule.ports.is_empty() && (rule.peers.is_empty() || rule.peers.iter().any(is_all))
        };
        if policy.egress.iter().any(|rule| is_wide(&rule)) {
            let evidence = "it lets out to everywhere at every port";
            findings.add(Problem::new(policy.reference(), evidence).field("spec.egress"));
        }
    }
    let limited = || {
        let all = lasting(snapshot).map(|workload| (workload, Spot::of(snapshot, workload)));
        all.filter(|(_, own)| !limiting(snapshot, own, Way::Out).is_empty())
    };
    // Of settings that many share each uses its own: one that gets there is enough.
    let mut open = BTreeSet::new();
    for (workload, own) in limited() {
        for (place, port) in far_places(snapshot, workload, &places(snapshot, workload)) {
            if place.is_shared && !matches!(to(snapshot, &own, place, port), Answer::No) {
                open.insert(place.key(&workload.namespace));
            }
        }
    }
    for (workload, own) in limited() {
        let told = places(snapshot, workload);
        let (mut blocked, mut unsure) = (Vec::new(), Vec::new());
        for (place, port) in far_places(snapshot, workload, &told) {
            let named = format!("{}:{port} ({})", place.host, place.variable);
            match to(snapshot, &own, place, port) {
                Answer::Yes => findings.looked(),
                Answer::No if open.contains(&place.key(&workload.namespace)) => {}
                Answer::No => blocked.push(named),
                Answer::Unknown => unsure.push(named),
            }
        }
        if !blocked.is_empty() {
            findings.looked();
            let evidence = format!("it is not let out to {}", blocked.join(", "));
            findings.add(Problem::new(workload.reference(), evidence));
        } else if !unsure.is_empty() {
            let what = format!("whether a range that is allowed has {}", unsure.join(", "));
            findings.unknown(workload.reference(), what);
        }
        if !told.unknown.is_empty() {
            let names: Vec<&str> = told.unknown.iter().map(String::as_str).collect();
            let what = format!("where {} leads was not collected", names.join(", "));
            findings.unknown_but(workload.reference(), what, Fact::Secrets.how());
        }
    }
    findings
}

/// Places outside of the cluster that a workload is told to use, with their ports.
fn far_places<'a>(
    snapshot: &'a Snapshot,
    workload: &'a Workload,
    told: &'a Places,
) -> impl Iterator<Item = (&'a Place, u16)> {
    let is_far = |place: &&Place| {
        !is_inner(&place.host) && service_of(snapshot, &workload.namespace, &place.host).is_none()
    };
    told.known.iter().filter(is_far).filter_map(|place| Some((place, place.port?)))
}

/// Whether a workload is let out to a place outside of the cluster.
fn to(snapshot: &Snapshot, own: &Spot<'_>, place: &Place, port: u16) -> Answer {
    let no_labels = crate::facts::Labels::new();
    let there = Spot {
        namespace: "",
        labels: &no_labels,
        containers: &[],
        host_network: true,
        addresses: place.host.parse().into_iter().collect(),
    };
    allowed(snapshot, own, Way::Out, &there, Wanted::tcp(port))
}

/// The environment whose ledger a name leads to.
fn ledger_of<'a>(
    snapshot: &'a Snapshot,
    namespace: &str,
    host: &'a str,
    port: Option<u16>,
) -> Option<&'a str> {
    let parts: Vec<&'a str> = host.split('.').collect();
    let is_part = |name: &str| {
        matches!(component(name), Component::Orderer | Component::Peer | Component::Authority)
    };
    let is_ledger = parts.iter().take(2).any(|part| is_part(part))
        || port.is_some_and(|port| (7050..=7054).contains(&port));
    if !is_ledger {
        return None;
    }
    if let Some(service) = service_of(snapshot, namespace, host) {
        return snapshot.environment(&service.namespace);
    }
    // Names outside of the cluster have their environment as one of their parts.
    let mut inner = parts.iter().skip(1).filter_map(|part| snapshot.environment(part));
    inner.next()
}

/// NET-31
pub(super) fn two_networks(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in lasting(snapshot) {
        let told = places(snapshot, workload);
        let found: Vec<(&str, &str)> = told
            .known
            .iter()
            .filter_map(|place| {
                let ledger = ledger_of(snapshot, &workload.namespace, &place.host, place.port)?;
                Some((ledger, place.host.as_str()))
            })
            .collect();
        let by_network = networks(found);
        check(&mut findings, workload.reference(), &by_network);
        if !told.unknown.is_empty() && is_client(workload) {
            let names: Vec<&str> = told.unknown.iter().map(String::as_str).collect();
            let what = format!("where {} leads was not collected", names.join(", "));
            findings.unknown_but(workload.reference(), what, Fact::ConfigMaps.how());
        }
    }
    for map in snapshot.config_maps.items() {
        let found: Vec<(&str, &str)> = map
            .places
            .iter()
            .filter_map(|host| {
                Some((ledger_of(snapshot, &map.namespace, host, None)?, host.as_str()))
            })
            .collect();
        check(&mut findings, map.reference(), &networks(found));
    }
    if let Some(why) = snapshot.lacks(Fact::ConfigMaps) {
        let what = format!("where connection profiles lead: {why}");
        let subject = ObjectRef::global("Cluster", "ConfigMaps");
        findings.unknown_but(subject, what, Fact::ConfigMaps.how());
    }
    findings
}

fn is_client(workload: &Workload) -> bool {
    matches!(component(&workload.name), Component::Projector | Component::Submitter)
}

fn networks<'a>(found: Vec<(&'a str, &'a str)>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut by_network: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (network, host) in found {
        by_network.entry(network).or_default().insert(host);
    }
    by_network
}

fn check(findings: &mut Findings, subject: ObjectRef, by_network: &BTreeMap<&str, BTreeSet<&str>>) {
    if by_network.is_empty() {
        return;
    }
    findings.looked();
    if by_network.len() > 1 {
        let told: Vec<String> = by_network
            .iter()
            .map(|(network, hosts)| {
                let hosts: Vec<&str> = hosts.iter().copied().collect();
                format!("{network}: {}", hosts.join(", "))
            })
            .collect();
        findings.add(Problem::new(subject, format!("it leads to {}", told.join("; "))));
    }
}
