//! Where a pod can go, by the filters of kube-scheduler, in its order and with its words.
//!
//! Pure: a cluster is a snapshot, and a pod that is asked about need not exist. As the scheduler
//! does, a node is excluded by the first filter that it fails. What is not modelled: limits of
//! volumes per node, capacity that storage drivers report, devices, gangs, and preemption, which
//! changes who is in the way but not where a pod may go.

mod affinity;
mod candidate;
mod filters;
mod reason;
mod spread;
mod volumes;

use std::collections::BTreeMap;

pub use candidate::{Candidate, ClaimUse};
pub use reason::{Reason, Refusal};

use crate::facts::{Labels, Node, Pod, PodSpec, Port, PullPolicy, Resources, Snapshot, Taint};

/// What one node has to do with a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub node: String,
    /// Why the pod cannot go there; none: it can.
    pub reasons: Vec<Reason>,
}

/// The answer for one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Why no node is even looked at.
    pub refusal: Option<Refusal>,
    /// By node, in the order of their names.
    pub verdicts: Vec<Verdict>,
}

impl Placement {
    /// Names of the nodes that it can go to.
    pub fn feasible(&self) -> Vec<&str> {
        if self.refusal.is_some() {
            return Vec::new();
        }
        let open = self.verdicts.iter().filter(|verdict| verdict.reasons.is_empty());
        open.map(|verdict| verdict.node.as_str()).collect()
    }

    /// How many nodes each reason excludes.
    pub fn counts(&self) -> BTreeMap<Reason, usize> {
        let mut counts = BTreeMap::new();
        for reason in self.verdicts.iter().flat_map(|verdict| &verdict.reasons) {
            *counts.entry(reason.clone()).or_default() += 1;
        }
        counts
    }

    /// What the scheduler writes into the pod's events when it finds no node.
    pub fn message(&self) -> String {
        let all = self.verdicts.len();
        if let Some(refusal) = &self.refusal {
            return match refusal {
                Refusal::Gated => refusal.to_string(),
                _ => format!("0/{all} nodes are available: {refusal}."),
            };
        }
        let mut counts: Vec<String> =
            self.counts().iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        counts.sort();
        let free = self.feasible().len();
        format!("{free}/{all} nodes are available: {}.", counts.join(", "))
    }
}

/// What a node has, and what is taken of it.
#[derive(Debug)]
struct Occupied<'a> {
    node: &'a Node,
    pods: Vec<&'a Pod>,
    requested: Resources,
    ports: Vec<(&'a Port, u16)>,
}

/// A snapshot, prepared for questions about pods.
#[derive(Debug)]
pub struct Cluster<'a> {
    snapshot: &'a Snapshot,
    nodes: Vec<Occupied<'a>>,
    namespaces: BTreeMap<&'a str, &'a Labels>,
}

impl<'a> Cluster<'a> {
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let occupied = |node: &'a Node| {
            // A pod that has ended needs nothing; one that is being deleted still does.
            let pods = snapshot.pods_on(&node.name).into_iter();
            let pods: Vec<&Pod> = pods.filter(|pod| !pod.is_finished()).collect();
            let mut requested = Resources::default();
            pods.iter().for_each(|pod| requested.add(&pod.spec.effective_requests()));
            let ports = pods.iter().flat_map(|pod| filters::host_ports(&pod.spec)).collect();
            Occupied { node, pods, requested, ports }
        };
        let namespaces = snapshot.namespaces.items().iter();
        Self {
            snapshot,
            nodes: snapshot.nodes.items().iter().map(occupied).collect(),
            namespaces: namespaces.map(|one| (one.name.as_str(), &one.labels)).collect(),
        }
    }

    /// Puts a pod on a node, beside those that are there.
    pub fn add(&mut self, pod: &'a Pod, node: &str) {
        if let Some(at) = self.nodes.iter_mut().find(|at| at.node.name == node) {
            at.requested.add(&pod.spec.effective_requests());
            at.ports.extend(filters::host_ports(&pod.spec));
            at.pods.push(pod);
        }
    }

    /// Takes a pod away from a node.
    pub fn remove(&mut self, pod: &Pod, node: &str) {
        let is_it = |one: &Pod| one.namespace == pod.namespace && one.name == pod.name;
        let Some(at) = self.nodes.iter_mut().find(|at| at.node.name == node) else { return };
        at.pods.retain(|one| !is_it(one));
        let mut requested = Resources::default();
        at.pods.iter().for_each(|one| requested.add(&one.spec.effective_requests()));
        at.requested = requested;
        at.ports = at.pods.iter().flat_map(|one| filters::host_ports(&one.spec)).collect();
    }

    /// Of several nodes the likeliest: the one with the fewest pods of the same owner, then the one
    /// whose scarcer resource would be requested least. The scheduler weighs more than that.
    pub fn likeliest<'b>(&self, pod: &Pod, nodes: &[&'b str]) -> Option<&'b str> {
        let wanted = pod.spec.effective_requests();
        let weight = |name: &str| {
            let at = self.nodes.iter().find(|at| at.node.name == name)?;
            let owner = pod.owner.as_ref();
            let alike = at.pods.iter().filter(|one| {
                one.namespace == pod.namespace && owner.is_some() && one.owner.as_ref() == owner
            });
            let share = |resource: &str| {
                let all = u128::from(at.node.allocatable.of(resource));
                let taken = at.requested.of(resource).saturating_add(wanted.of(resource));
                u128::from(taken).saturating_mul(1000).checked_div(all).unwrap_or(0)
            };
            Some((alike.count(), share("cpu").max(share("memory"))))
        };
        nodes.iter().copied().min_by_key(|name| (weight(name), *name))
    }

    /// Where a pod can go now.
    pub fn place(&self, pod: &Candidate<'a>) -> Placement {
        let refusal = self.refusal(pod);
        let named = filters::named_nodes(pod);
        let affinity = affinity::Counts::new(self, pod);
        let spread = spread::Counts::new(self, pod);
        let verdict = |at: &Occupied<'a>| {
            let reasons = match (&refusal, &named) {
                (Some(_), _) => Vec::new(),
                (None, Some(named)) if !named.contains(&at.node.name.as_str()) => {
                    vec![Reason::NotNamed]
                }
                (None, _) => {
                    let fixed = self.fixed(pod, at);
                    let fixed = if fixed.is_empty() { spread.exclude(pod, at) } else { fixed };
                    if fixed.is_empty() { affinity.exclude(pod, at) } else { fixed }
                }
            };
            Verdict { node: at.node.name.clone(), reasons }
        };
        let verdicts = self.nodes.iter().map(verdict).collect();
        Placement { refusal, verdicts }
    }

    /// Where a pod could go whatever else runs: by the state of nodes, selectors, required node
    /// affinity, taints and volumes. These nodes are the ones that it has to choose from.
    pub fn eligible(&self, pod: &Candidate<'a>) -> Vec<Verdict> {
        let verdict = |at: &Occupied<'a>| {
            let mut reasons = Vec::new();
            if !at.node.is_ready() {
                reasons.push(Reason::NotReady);
            }
            for filter in [filters::node_state, filters::taints, filters::node_affinity] {
                reasons.extend(filter(pod, at.node));
            }
            reasons.extend(volumes::exclude(self.snapshot, pod, at.node));
            reasons.extend(volumes::exclude_zone(self.snapshot, pod, at.node));
            Verdict { node: at.node.name.clone(), reasons }
        };
        self.nodes.iter().map(verdict).collect()
    }

    /// Where a pod can go now and also start: nodes without an image that it is never to pull are
    /// excluded as well. The scheduler does not ask this. Nodes whose list of images may be cut
    /// are named beside, since nothing can be said of them.
    pub fn place_and_start(&self, pod: &Candidate<'a>) -> (Placement, Vec<String>) {
        let mut placement = self.place(pod);
        let mut unknown = Vec::new();
        for verdict in placement.verdicts.iter_mut().filter(|one| one.reasons.is_empty()) {
            match self.has_images(pod, &verdict.node) {
                Some(true) => {}
                Some(false) => verdict.reasons.push(Reason::NoImage),
                None => unknown.push(verdict.node.clone()),
            }
        }
        (placement, unknown)
    }

    /// Why a pod that is meant for one node could not start there; nothing: it can.
    pub fn on_node(&self, pod: &Candidate<'a>, node: &str) -> Vec<Reason> {
        let Some(at) = self.nodes.iter().find(|at| at.node.name == node) else {
            return vec![Reason::NotNamed];
        };
        let mut reasons = self.fixed(pod, at);
        if reasons.is_empty() && self.has_images(pod, node) == Some(false) {
            reasons.push(Reason::NoImage);
        }
        reasons
    }

    /// Whether a node has every image that the pod would not pull; none when that is not known.
    fn has_images(&self, pod: &Candidate<'_>, node: &str) -> Option<bool> {
        let node = self.snapshot.node(node)?;
        let never = |one: &&crate::facts::Container| one.pull_policy == PullPolicy::Never;
        let held = pod.spec.all_containers().filter(never).map(|one| node.has_image(&one.image));
        let held: Vec<Option<bool>> = held.collect();
        // One that is missing decides, whatever is not known of others.
        if held.contains(&Some(false)) {
            return Some(false);
        }
        (!held.contains(&None)).then_some(true)
    }

    fn refusal(&self, pod: &Candidate<'_>) -> Option<Refusal> {
        if !pod.spec.scheduling_gates.is_empty() {
            return Some(Refusal::Gated);
        }
        if filters::named_nodes(pod).is_some_and(|named| named.is_empty()) {
            return Some(Refusal::TermsConflict);
        }
        volumes::refusal(self.snapshot, pod)
    }

    /// The filters that look at a node, its pods' needs and its volumes.
    fn fixed(&self, pod: &Candidate<'a>, at: &Occupied<'a>) -> Vec<Reason> {
        for filter in [filters::node_state, filters::taints, filters::node_affinity] {
            if let Some(reason) = filter(pod, at.node) {
                return vec![reason];
            }
        }
        if let Some(reason) = filters::ports(pod, at) {
            return vec![reason];
        }
        let short = filters::resources(pod, at);
        if !short.is_empty() {
            return short;
        }
        if volumes::is_held_by_another(self.snapshot, pod) {
            return vec![Reason::ClaimInUse];
        }
        let unbound = volumes::exclude(self.snapshot, pod, at.node);
        if !unbound.is_empty() {
            return unbound;
        }
        volumes::exclude_zone(self.snapshot, pod, at.node).into_iter().collect()
    }
}

/// Whether a pod of this description may stay where this taint is for as long as it likes.
pub fn tolerates(spec: &PodSpec, taint: &Taint) -> bool {
    let mut tolerations = spec.tolerations.iter();
    tolerations.any(|one| one.seconds.is_none() && filters::tolerates(one, taint))
}

/// Whether a DaemonSet with pods of this description has one on a node: selector, required affinity
/// and taints decide, and nothing that the node has or lacks.
pub fn belongs(spec: &PodSpec, node: &Node) -> bool {
    filters::matches_affinity(spec, node) && filters::untolerated(spec, node).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Container, Known, NodeImage, Part, Source, TOLD_IMAGES, Time};

    fn node(name: &str, images: Known<Vec<NodeImage>>) -> Node {
        let allocatable = Resources([("pods".to_owned(), 10)].into());
        Node { name: name.to_owned(), images, allocatable, ..Node::default() }
    }

    #[test]
    fn a_pod_that_never_pulls_needs_a_node_with_its_image() {
        let image = |n: usize| NodeImage { names: vec![format!("example/other:{n}")], bytes: 0 };
        let own = NodeImage { names: vec!["docker.io/example/app:1".to_owned()], bytes: 0 };
        let mut snapshot = Snapshot::empty(Time::default());
        let nodes = vec![
            node("has", Known::Known(vec![own])),
            node("has-not", Known::Known(vec![image(0)])),
            node("may-be-cut", Known::Known((0..TOLD_IMAGES).map(image).collect())),
            node("not-told", Known::default()),
        ];
        snapshot.nodes = Part::collected(Source::default(), nodes);
        let place = |pull_policy| {
            let image = "example/app:1".to_owned();
            let container = Container { image, pull_policy, ..Container::default() };
            let spec = PodSpec { containers: vec![container], ..PodSpec::default() };
            let pod = Pod { name: "p".to_owned(), spec, ..Pod::default() };
            let cluster = Cluster::new(&snapshot);
            let candidate = Candidate::of_pod(&snapshot, &pod);
            let (placement, unknown) = cluster.place_and_start(&candidate);
            let closed = placement.counts().get(&Reason::NoImage).copied().unwrap_or(0);
            (closed, unknown)
        };
        let unsure = vec!["may-be-cut".to_owned(), "not-told".to_owned()];
        assert_eq!(place(PullPolicy::Never), (1, unsure));
        assert_eq!(place(PullPolicy::Always), (0, Vec::new()));
    }
}
