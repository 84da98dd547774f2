//! Pods of which every node that is fit for it has one. None of them moves: one goes with its node,
//! and a node that becomes fit for one gets one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::change::{Cause, World, pod_of};
use super::place::{Fate, Placed};
use crate::facts::{Effect, Node, ObjectRef, Pod, PodSpec, Tolerates, Toleration, Workload};
use crate::facts::{Object as _, WorkloadKind};
use crate::placement::{Candidate, Cluster, belongs};

/// What becomes of the pod of a DaemonSet on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DaemonFate {
    /// It goes with its node, or because its node is no longer fit for it.
    Ends,
    /// The node is away, and has one again when it is back.
    Returns,
    /// The node gets one that it had not.
    Starts,
    /// Another is made in its place.
    Replaced,
    /// The node should have one, and has no room for it.
    CannotStart,
}

/// The pod of a DaemonSet on a node that changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Daemon {
    pub workload: ObjectRef,
    pub node: String,
    pub fate: DaemonFate,
    /// Why it cannot start; empty for others.
    pub why: String,
}

/// A pod that a node is to have.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    workload: ObjectRef,
    node: String,
    pod: Pod,
    /// The one that it is to replace.
    old: Option<&'a Pod>,
}

/// Taints that every pod of a DaemonSet is made to tolerate.
const TOLERATED: [(&str, Effect); 6] = [
    ("node.kubernetes.io/not-ready", Effect::NoExecute),
    ("node.kubernetes.io/unreachable", Effect::NoExecute),
    ("node.kubernetes.io/disk-pressure", Effect::NoSchedule),
    ("node.kubernetes.io/memory-pressure", Effect::NoSchedule),
    ("node.kubernetes.io/pid-pressure", Effect::NoSchedule),
    ("node.kubernetes.io/unschedulable", Effect::NoSchedule),
];

/// The description of a DaemonSet's pods, as its controller completes it.
fn completed(one: &Workload) -> PodSpec {
    let mut spec = one.template.spec.clone();
    let network = ("node.kubernetes.io/network-unavailable", Effect::NoSchedule);
    let more = spec.host_network.then_some(network);
    for (key, effect) in TOLERATED.into_iter().chain(more) {
        spec.tolerations.push(Toleration {
            key: key.to_owned(),
            operator: Tolerates::Exists,
            effect: Some(effect),
            ..Toleration::default()
        });
    }
    spec
}

/// A DaemonSet as it is and as it would be.
struct Compared<'a> {
    old: Option<&'a Workload>,
    new: &'a Workload,
    was: Option<PodSpec>,
    is: PodSpec,
    /// Whether its pods have another description, and are replaced for it.
    is_replaced: bool,
}

impl<'a> World<'a> {
    /// Finds what becomes of the pods of DaemonSets on nodes that stay or come back.
    pub(super) fn compare_daemons(
        &mut self,
        workloads: &BTreeMap<(WorkloadKind, String, String), Workload>,
    ) {
        let before = self.before;
        let is_daemon = |one: &&Workload| one.kind == WorkloadKind::DaemonSet;
        for old in before.top_workloads().filter(is_daemon) {
            let new = workloads.get(&super::change::key(old)).unwrap_or(old);
            self.compare_daemon(Some(old), new);
        }
        for new in workloads.values().filter(is_daemon) {
            if before.workload(new.kind, &new.namespace, &new.name).is_none() {
                self.compare_daemon(None, new);
            }
        }
    }

    fn compare_daemon(&mut self, old: Option<&'a Workload>, new: &Workload) {
        let is_other = old.is_none_or(|old| old.template != new.template);
        let touched: BTreeSet<String> =
            self.relabelled.iter().chain(&self.reinstalled).cloned().collect();
        if !is_other && touched.is_empty() {
            return;
        }
        let is_kept = new.strategy == "OnDelete" && old.is_some();
        if is_other && is_kept {
            self.notes.insert(format!(
                "{}: its strategy is OnDelete, so that its pods stay as they are",
                new.reference()
            ));
        }
        let compared = Compared {
            old,
            new,
            was: old.map(completed),
            is: completed(new),
            is_replaced: is_other && !is_kept,
        };
        let running: BTreeMap<&str, &'a Pod> = old
            .into_iter()
            .flat_map(|old| self.before.pods_of(old))
            .filter(|pod| pod.is_active() && !pod.node.is_empty())
            .map(|pod| (pod.node.as_str(), pod))
            .collect();
        let nodes: Vec<Node> = self.after.nodes.items().to_vec();
        for node in nodes.iter().filter(|node| is_other || touched.contains(&node.name)) {
            self.daemon_on(&compared, node, running.get(node.name.as_str()).copied());
        }
    }

    fn daemon_on(&mut self, one: &Compared<'_>, node: &Node, pod: Option<&'a Pod>) {
        let reference = one.new.reference();
        if self.lost.contains(&node.name) {
            if self.reinstalled.contains(&node.name) && pod.is_some() {
                self.returning.insert((reference, node.name.clone()));
            }
            return;
        }
        let is_leaving = pod
            .is_some_and(|pod| self.displaced.iter().any(|(other, _)| std::ptr::eq(*other, pod)));
        let is_fit = belongs(&one.is, node);
        let was_fit = one.was.as_ref().zip(self.before.node(&node.name));
        let was_fit = was_fit.is_some_and(|(spec, node)| belongs(spec, node));
        match pod {
            Some(_) if is_leaving => {}
            Some(pod) if !is_fit && was_fit => self.displaced.push((pod, Cause::Driven)),
            Some(pod) if is_fit && one.is_replaced => {
                self.displaced.push((pod, Cause::Replaced));
                self.want_daemon(one, node, Some(pod));
            }
            None if is_fit && !was_fit => self.want_daemon(one, node, None),
            Some(_) | None => {}
        }
    }

    fn want_daemon(&mut self, one: &Compared<'_>, node: &Node, old: Option<&'a Pod>) {
        let number = self.daemons.len();
        let mut pod = pod_of(one.new, number);
        pod.spec.clone_from(&one.is);
        if let Some(known) = one.old {
            pod.owner.iter_mut().for_each(|owner| owner.uid.clone_from(&known.uid));
        }
        let (workload, node) = (one.new.reference(), node.name.clone());
        self.daemons.push(Wanted { workload, node, pod, old });
    }
}

/// Gives nodes the pods that they are to have. They come before all others: nothing else can run
/// where these are to.
pub(super) fn place<'a>(
    world: &'a World<'a>,
    cluster: &mut Cluster<'a>,
    placed: &mut Placed<'a>,
) -> Vec<Daemon> {
    let mut found = Vec::new();
    for (pod, _) in &world.displaced {
        let Some(owner) = pod.owner.as_ref().filter(|owner| owner.kind == "DaemonSet") else {
            continue;
        };
        let workload = ObjectRef::new("DaemonSet", &pod.namespace, &owner.name);
        let is_back = world.returning.contains(&(workload.clone(), pod.node.clone()));
        let fate = match placed.fate(pod) {
            Fate::Gone if is_back => {
                placed.comes_back(pod);
                DaemonFate::Returns
            }
            Fate::Gone | Fate::Dropped => DaemonFate::Ends,
            _ => continue,
        };
        found.push(Daemon { workload, node: pod.node.clone(), fate, why: String::new() });
    }
    for one in &world.daemons {
        let candidate = Candidate::of_pod(&world.after, &one.pod);
        let reasons = cluster.on_node(&candidate, &one.node);
        let (fate, why) = match (reasons.is_empty(), one.old) {
            (true, Some(_)) => (DaemonFate::Replaced, String::new()),
            (true, None) => (DaemonFate::Starts, String::new()),
            (false, _) => {
                let words: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                (DaemonFate::CannotStart, words.join(", "))
            }
        };
        if reasons.is_empty() {
            cluster.add(&one.pod, &one.node);
            placed.started.push(&one.pod);
        }
        found.push(Daemon { workload: one.workload.clone(), node: one.node.clone(), fate, why });
    }
    found.sort();
    found
}
