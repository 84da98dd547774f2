//! Filters that look at one node and what is taken of it.

use super::{Candidate, Occupied, Reason};
use crate::facts::{
    Effect, Node, Operator, PodSpec, Port, Resources, Taint, Tolerates, Toleration,
};

/// Whether the node takes pods at all.
pub(super) fn node_state(pod: &Candidate<'_>, node: &Node) -> Option<Reason> {
    let taint = Taint { key: "node.kubernetes.io/unschedulable".to_owned(), ..Taint::default() };
    let is_tolerated = pod.spec.tolerations.iter().any(|one| tolerates(one, &taint));
    (node.unschedulable && !is_tolerated).then_some(Reason::Unschedulable)
}

pub(super) fn taints(pod: &Candidate<'_>, node: &Node) -> Option<Reason> {
    untolerated(pod.spec, node).map(|_| Reason::Taint)
}

/// The first taint that keeps the pod away.
pub(super) fn untolerated<'a>(spec: &PodSpec, node: &'a Node) -> Option<&'a Taint> {
    node.taints.iter().find(|taint| {
        taint.effect != Effect::PreferNoSchedule
            && !spec.tolerations.iter().any(|one| tolerates(one, taint))
    })
}

pub(super) fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    let compared = || Some((number(&taint.value)?, number(&toleration.value)?));
    let value = match toleration.operator {
        Tolerates::Exists => true,
        Tolerates::Equal => toleration.value == taint.value,
        Tolerates::Gt => compared().is_some_and(|(taint, bound)| taint > bound),
        Tolerates::Lt => compared().is_some_and(|(taint, bound)| taint < bound),
    };
    toleration.effect.is_none_or(|effect| effect == taint.effect)
        && (toleration.key.is_empty() || toleration.key == taint.key)
        && value
}

/// Selector and required affinity.
pub(super) fn node_affinity(pod: &Candidate<'_>, node: &Node) -> Option<Reason> {
    (!matches_affinity(pod.spec, node)).then_some(Reason::NodeAffinity)
}

pub(super) fn matches_affinity(spec: &PodSpec, node: &Node) -> bool {
    let selected =
        spec.node_selector.iter().all(|(key, value)| node.labels.get(key) == Some(value));
    let required = spec.affinity.node_required.as_ref();
    let required = required
        .is_none_or(|terms| terms.iter().any(|term| term.matches(&node.name, &node.labels)));
    selected && required
}

/// The nodes that a pod names in all of its terms; none when it does not. The scheduler looks at
/// no others then.
pub(super) fn named_nodes<'a>(pod: &Candidate<'a>) -> Option<Vec<&'a str>> {
    let terms = pod.spec.affinity.node_required.as_ref().filter(|terms| !terms.is_empty())?;
    let mut named = Vec::new();
    for term in terms {
        let names = term
            .fields
            .iter()
            .filter(|field| field.key == "metadata.name" && field.operator == Operator::In);
        let names: Vec<Vec<&str>> =
            names.map(|field| field.values.iter().map(String::as_str).collect()).collect();
        let (first, rest) = names.split_first()?;
        let in_all = first.iter().filter(|name| rest.iter().all(|list| list.contains(name)));
        named.extend(in_all.copied());
    }
    Some(named)
}

/// Ports of the host that a pod takes, with their numbers.
pub(super) fn host_ports(spec: &PodSpec) -> Vec<(&Port, u16)> {
    let sidecars = spec.init_containers.iter().filter(|one| one.is_sidecar);
    let ports = spec.containers.iter().chain(sidecars).flat_map(|one| &one.ports);
    let taken = ports.filter_map(|port| {
        let on_host = spec.host_network.then_some(port.port);
        Some((port, port.host_port.or(on_host)?))
    });
    taken.collect()
}

pub(super) fn ports(pod: &Candidate<'_>, at: &Occupied<'_>) -> Option<Reason> {
    let any = |ip: &str| ip.is_empty() || ip == "0.0.0.0";
    let clash = |(a, a_number): &(&Port, u16), (b, b_number): &(&Port, u16)| {
        a_number == b_number
            && a.protocol == b.protocol
            && (any(&a.host_ip) || any(&b.host_ip) || a.host_ip == b.host_ip)
    };
    let wanted = host_ports(pod.spec);
    let own: Vec<(&Port, u16)> = at
        .pods
        .iter()
        .filter(|other| pod.is(other))
        .flat_map(|other| host_ports(&other.spec))
        .collect();
    let taken = at.ports.iter().filter(|taken| !own.iter().any(|own| std::ptr::eq(own.0, taken.0)));
    let mut taken = taken.filter(|taken| wanted.iter().any(|wanted| clash(wanted, taken)));
    taken.next().map(|_| Reason::Ports)
}

pub(super) fn resources(pod: &Candidate<'_>, at: &Occupied<'_>) -> Vec<Reason> {
    let own = at.pods.iter().find(|other| pod.is(other));
    let own_requests = own.map(|own| own.spec.effective_requests()).unwrap_or_default();
    let others = at.pods.len().saturating_sub(usize::from(own.is_some()));
    let mut reasons = Vec::new();
    let room = usize::try_from(at.node.allocatable.of("pods")).unwrap_or(usize::MAX);
    if others.saturating_add(1) > room {
        reasons.push(Reason::Pods);
    }
    let Resources(wanted) = pod.spec.effective_requests();
    for (name, amount) in wanted {
        let taken = at.requested.of(&name).saturating_sub(own_requests.of(&name));
        let left = at.node.allocatable.of(&name).saturating_sub(taken);
        if amount > 0 && amount > left {
            reasons.push(Reason::Insufficient(name));
        }
    }
    reasons
}
