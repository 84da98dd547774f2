//! What policies let pass, as Kubernetes says: a pod that no policy selects may do everything, and
//! one that some select may do what at least one of them allows.

use std::net::IpAddr;

use super::cidr::Cidr;
use crate::facts::{
    Container, IpBlock, Labels, NetworkPolicy, Operator, Peer, PolicyPort, PolicyRule, Selector,
    Snapshot, Workload,
};

/// Whether something passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    Unknown,
}

impl Answer {
    /// When both must pass.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }

    fn of(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }
}

/// Pods of one kind, as policies see them.
#[derive(Debug, Clone)]
pub(super) struct Spot<'a> {
    pub(super) namespace: &'a str,
    pub(super) labels: &'a Labels,
    pub(super) containers: &'a [Container],
    /// Policies do not select pods in their host's network.
    pub(super) host_network: bool,
    pub(super) addresses: Vec<IpAddr>,
}

impl<'a> Spot<'a> {
    pub(super) fn of(snapshot: &Snapshot, workload: &'a Workload) -> Self {
        let pods = snapshot.pods_of(workload).into_iter().filter(|pod| pod.is_active());
        Self {
            namespace: &workload.namespace,
            labels: &workload.template.labels,
            containers: &workload.template.spec.containers,
            host_network: workload.template.spec.host_network,
            addresses: pods.filter_map(|pod| pod.ip.parse().ok()).collect(),
        }
    }
}

/// What way something goes, seen from the pods that a policy selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// A port of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) port: u16,
    pub(super) is_udp: bool,
}

impl Wanted {
    pub(super) const fn tcp(port: u16) -> Self {
        Self { port, is_udp: false }
    }

    pub(super) const fn udp(port: u16) -> Self {
        Self { port, is_udp: true }
    }
}

/// The policies that limit what pods may do in one way.
pub(super) fn limiting<'a>(
    snapshot: &'a Snapshot,
    spot: &Spot<'_>,
    way: Way,
) -> Vec<&'a NetworkPolicy> {
    if spot.host_network {
        return Vec::new();
    }
    let policies = snapshot.network_policies.items().iter();
    let limits = |policy: &&NetworkPolicy| match way {
        Way::In => policy.limits_ingress,
        Way::Out => policy.limits_egress,
    };
    policies
        .filter(|policy| policy.namespace == spot.namespace && policy.selector.matches(spot.labels))
        .filter(limits)
        .collect()
}

/// Whether pods may reach others at a port: they must be let out, and the others let them in.
pub(super) fn passes(
    snapshot: &Snapshot,
    from: &Spot<'_>,
    to: &Spot<'_>,
    wanted: Wanted,
) -> Answer {
    let out = allowed(snapshot, from, Way::Out, to, wanted);
    out.and(allowed(snapshot, to, Way::In, from, wanted))
}

/// Whether the policies of one side let it pass.
pub(super) fn allowed(
    snapshot: &Snapshot,
    own: &Spot<'_>,
    way: Way,
    other: &Spot<'_>,
    wanted: Wanted,
) -> Answer {
    let policies = limiting(snapshot, own, way);
    if policies.is_empty() {
        return Answer::Yes;
    }
    let target = if way == Way::In { own } else { other };
    let mut answer = Answer::No;
    for policy in policies {
        for rule in rules(policy, way) {
            if has_port(&rule.ports, target.containers, wanted) {
                answer = answer.or(has_peer(snapshot, policy, rule, other));
            }
        }
    }
    answer
}

pub(super) fn rules(policy: &NetworkPolicy, way: Way) -> &[PolicyRule] {
    match way {
        Way::In => &policy.ingress,
        Way::Out => &policy.egress,
    }
}

/// Whether a port is among those of a rule. Names are those of the containers that are reached.
pub(super) fn has_port(ports: &[PolicyPort], containers: &[Container], wanted: Wanted) -> bool {
    let protocol = if wanted.is_udp { "UDP" } else { "TCP" };
    let is_protocol = |text: &str| text == protocol || text.is_empty() && !wanted.is_udp;
    let is_named = |name: &str| {
        containers.iter().flat_map(|one| &one.ports).any(|port| {
            port.name == name && port.port == wanted.port && is_protocol(&port.protocol)
        })
    };
    ports.is_empty()
        || ports.iter().filter(|port| is_protocol(&port.protocol)).any(|port| {
            match port.port.parse::<u16>() {
                Ok(first) => (first..=port.end_port.unwrap_or(first)).contains(&wanted.port),
                Err(_) => port.port.is_empty() || is_named(&port.port),
            }
        })
}

fn has_peer(
    snapshot: &Snapshot,
    policy: &NetworkPolicy,
    rule: &PolicyRule,
    other: &Spot<'_>,
) -> Answer {
    if rule.peers.is_empty() {
        return Answer::Yes;
    }
    let peers = rule.peers.iter().map(|peer| is_peer(snapshot, &policy.namespace, peer, other));
    peers.fold(Answer::No, Answer::or)
}

fn is_peer(snapshot: &Snapshot, own: &str, peer: &Peer, other: &Spot<'_>) -> Answer {
    if let Some(block) = &peer.block {
        return in_block(block, &other.addresses);
    }
    // Whoever is in a host's network comes with the host's address.
    if other.host_network {
        return Answer::No;
    }
    let namespace = match &peer.namespaces {
        None => Answer::of(Some(other.namespace == own)),
        Some(selector) => Answer::of(selects_namespace(snapshot, selector, other.namespace)),
    };
    let pods = peer.pods.as_ref().is_none_or(|selector| selector.matches(other.labels));
    namespace.and(Answer::of(Some(pods)))
}

fn in_block(block: &IpBlock, addresses: &[IpAddr]) -> Answer {
    let Some(range) = Cidr::read(&block.cidr) else { return Answer::Unknown };
    if range.is_everything() && block.except.is_empty() {
        return Answer::Yes;
    }
    if addresses.is_empty() {
        return Answer::Unknown;
    }
    let holes: Vec<Cidr> = block.except.iter().filter_map(|hole| Cidr::read(hole)).collect();
    let is_in =
        |address: &IpAddr| range.has(*address) && !holes.iter().any(|hole| hole.has(*address));
    Answer::of(Some(addresses.iter().any(is_in)))
}

/// By it Kubernetes itself names every namespace.
const NAME: &str = "kubernetes.io/metadata.name";

/// The labels of a namespace, with the one that it has whatever was collected.
pub(super) fn namespace_labels(snapshot: &Snapshot, name: &str) -> Option<Labels> {
    let mut known = snapshot.namespaces.items().iter();
    let mut labels = known.find(|namespace| namespace.name == name)?.labels.clone();
    labels.insert(NAME.to_owned(), name.to_owned());
    Some(labels)
}

/// Whether a namespace is selected; none when its labels are not known and matter.
pub(super) fn selects_namespace(
    snapshot: &Snapshot,
    selector: &Selector,
    name: &str,
) -> Option<bool> {
    if let Some(labels) = namespace_labels(snapshot, name) {
        return Some(selector.matches(&labels));
    }
    let keys = selector.labels.keys().chain(selector.expressions.iter().map(|one| &one.key));
    let is_by_name = keys.into_iter().all(|key| key == NAME);
    let labels = Labels::from([(NAME.to_owned(), name.to_owned())]);
    is_by_name.then(|| selector.matches(&labels))
}

/// What a selector asks for, for people.
pub(super) fn shown(selector: &Selector) -> String {
    let labels = selector.labels.iter().map(|(key, value)| format!("{key}={value}"));
    let others = selector.expressions.iter().map(|one| match one.operator {
        Operator::In => format!("{} in ({})", one.key, one.values.join(", ")),
        Operator::NotIn => format!("{} not in ({})", one.key, one.values.join(", ")),
        Operator::Exists | Operator::DoesNotExist | Operator::Gt | Operator::Lt => {
            format!("{} {:?} {}", one.key, one.operator, one.values.join(", "))
        }
    });
    let all: Vec<String> = labels.chain(others).collect();
    if all.is_empty() { "everything".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_ranges_and_names() {
        let port = |port: &str, end_port, protocol: &str| PolicyPort {
            port: port.to_owned(),
            end_port,
            protocol: protocol.to_owned(),
        };
        let named = crate::facts::Port {
            name: "pg".to_owned(),
            port: 5432,
            ..crate::facts::Port::default()
        };
        let containers = [Container { ports: vec![named], ..Container::default() }];
        for (ports, wanted, expected) in [
            (vec![], Wanted::tcp(5432), true),
            (vec![port("5432", None, "")], Wanted::tcp(5432), true),
            (vec![port("5432", None, "UDP")], Wanted::tcp(5432), false),
            (vec![port("53", None, "")], Wanted::udp(53), false),
            (vec![port("5000", Some(6000), "")], Wanted::tcp(5432), true),
            (vec![port("5000", None, "")], Wanted::tcp(5432), false),
            (vec![port("pg", None, "TCP")], Wanted::tcp(5432), true),
            (vec![port("redis", None, "")], Wanted::tcp(5432), false),
            (vec![port("", None, "UDP")], Wanted::udp(53), true),
        ] {
            assert_eq!(has_port(&ports, &containers, wanted), expected, "{ports:?} {wanted:?}");
        }
    }
}
