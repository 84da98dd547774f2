//! What is to be supposed, and the cluster that it would leave.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::super::names::{NameError, find_node, find_pod, find_workload};
use super::apply::apply;
use crate::facts::{
    Condition, Effect, Labels, Node, Object as _, ObjectRef, Part, Pod, Snapshot, Source, Taint,
    Truth, Workload, WorkloadKind,
};
use crate::placement::tolerates;
use crate::rules::shared::{ZONE, region};

/// What is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Node(String),
    /// As the inventory declares them.
    Region(String),
    /// By the label of nodes.
    Zone(String),
}

/// One thing that is supposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Manifests, collected as any others.
    Apply(Box<Snapshot>),
    /// None takes the label away.
    Label {
        node: String,
        key: String,
        value: Option<String>,
    },
    Taint {
        node: String,
        taint: Taint,
    },
    /// Takes away the taints of this key, or those of one effect.
    Untaint {
        node: String,
        key: String,
        effect: Option<Effect>,
    },
    Scale {
        workload: String,
        replicas: u32,
    },
    Cordon(String),
    /// It takes pods again.
    Uncordon(String),
    Drain(String),
    /// One pod, as `NAMESPACE/NAME`.
    Evict(String),
    /// By the name of the member or of its node.
    RemoveEtcd(String),
    /// The node is away, and comes back empty.
    Reinstall(String),
    /// It does not come back.
    Lose(Place),
}

impl Change {
    /// Preparations come before what they prepare; otherwise the order that was given holds.
    const fn rank(&self) -> u8 {
        match self {
            Self::Apply(_) => 0,
            Self::Label { .. } | Self::Taint { .. } | Self::Untaint { .. } => 1,
            Self::Scale { .. } => 2,
            Self::Cordon(_) | Self::Uncordon(_) => 3,
            Self::Drain(_) => 4,
            Self::Evict(_) => 5,
            Self::RemoveEtcd(_) => 6,
            Self::Reinstall(_) => 7,
            Self::Lose(_) => 8,
        }
    }

    pub(super) fn in_order(changes: &[Self]) -> Vec<&Self> {
        let mut changes: Vec<&Self> = changes.iter().collect();
        changes.sort_by_key(|change| change.rank());
        changes
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply(manifests) => {
                let objects: usize =
                    crate::facts::Fact::ALL.iter().map(|fact| manifests.count(*fact)).sum();
                write!(f, "apply {objects} objects")
            }
            Self::Label { node, key, value: Some(value) } => {
                write!(f, "label {node} {key}={value}")
            }
            Self::Label { node, key, value: None } => write!(f, "label {node} {key}-"),
            Self::Taint { node, taint } => {
                write!(f, "taint {node} {}={}:{:?}", taint.key, taint.value, taint.effect)
            }
            Self::Untaint { node, key, effect: None } => write!(f, "taint {node} {key}-"),
            Self::Untaint { node, key, effect: Some(effect) } => {
                write!(f, "taint {node} {key}:{effect:?}-")
            }
            Self::Scale { workload, replicas } => write!(f, "scale {workload}={replicas}"),
            Self::Cordon(node) => write!(f, "cordon {node}"),
            Self::Uncordon(node) => write!(f, "uncordon {node}"),
            Self::Drain(node) => write!(f, "drain {node}"),
            Self::Evict(pod) => write!(f, "evict {pod}"),
            Self::RemoveEtcd(member) => write!(f, "remove etcd member {member}"),
            Self::Reinstall(node) => write!(f, "reinstall {node}"),
            Self::Lose(Place::Node(node)) => write!(f, "lose node {node}"),
            Self::Lose(Place::Region(region)) => write!(f, "lose region {region}"),
            Self::Lose(Place::Zone(zone)) => write!(f, "lose zone {zone}"),
        }
    }
}

/// Why a pod cannot stay where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// Its node is gone, at once.
    Lost,
    /// A taint drives it away, and no budget is asked.
    Driven,
    /// One after the other, as budgets allow.
    Drained,
    /// Its workload makes others in its place.
    Replaced,
    /// There are to be fewer.
    Fewer,
}

/// The cluster after the changes, before any pod has found a new place.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) before: &'a Snapshot,
    /// Nodes, volumes, workloads and budgets as they would be.
    pub(super) after: Snapshot,
    /// Nodes that are gone, with what they held.
    pub(super) lost: BTreeSet<String>,
    /// Of these, those that come back empty.
    pub(super) reinstalled: BTreeSet<String>,
    pub(super) drained: BTreeSet<String>,
    /// Pods that are evicted one by one, by namespace and name.
    pub(super) evicted: BTreeSet<(String, String)>,
    pub(super) cordoned: BTreeSet<String>,
    /// Nodes whose labels or taints are others.
    pub(super) relabelled: BTreeSet<String>,
    pub(super) etcd_removed: BTreeSet<String>,
    pub(super) displaced: Vec<(&'a Pod, Cause)>,
    /// Pods that are to be made, of workloads that grow or are replaced.
    pub(super) made: Vec<Pod>,
    /// Workloads whose pods have another description, or of which there is to be another number.
    pub(super) changed: BTreeSet<(WorkloadKind, String, String)>,
    /// Pods of DaemonSets that nodes are to have.
    pub(super) daemons: Vec<super::daemons::Wanted<'a>>,
    /// DaemonSets with nodes that have a pod of theirs again when they are back.
    pub(super) returning: BTreeSet<(ObjectRef, String)>,
    pub(super) notes: BTreeSet<String>,
}

pub(super) fn key(one: &Workload) -> (WorkloadKind, String, String) {
    (one.kind, one.namespace.clone(), one.name.clone())
}

impl<'a> World<'a> {
    pub(super) fn new(before: &'a Snapshot, changes: &[&Change]) -> Result<Self, NameError> {
        let mut world = Self {
            before,
            after: Snapshot::empty(before.taken),
            lost: BTreeSet::new(),
            reinstalled: BTreeSet::new(),
            drained: BTreeSet::new(),
            evicted: BTreeSet::new(),
            cordoned: BTreeSet::new(),
            relabelled: BTreeSet::new(),
            etcd_removed: BTreeSet::new(),
            displaced: Vec::new(),
            made: Vec::new(),
            changed: BTreeSet::new(),
            daemons: Vec::new(),
            returning: BTreeSet::new(),
            notes: BTreeSet::new(),
        };
        world.after.nodes = before.nodes.clone();
        world.after.namespaces = before.namespaces.clone();
        world.after.claims = before.claims.clone();
        world.after.volumes = before.volumes.clone();
        world.after.storage_classes = before.storage_classes.clone();
        world.after.services = before.services.clone();
        world.after.ingresses = before.ingresses.clone();
        world.after.budgets = before.budgets.clone();
        let mut replicas: BTreeMap<(WorkloadKind, String, String), u32> = BTreeMap::new();
        let mut workloads: BTreeMap<(WorkloadKind, String, String), Workload> = BTreeMap::new();
        for change in changes {
            match change {
                Change::Apply(manifests) => workloads.extend(apply(&mut world, manifests)),
                Change::Scale { workload, replicas: number } => {
                    let named = workloads.values().find(|one| {
                        one.name == *workload
                            || format!("{}/{}", one.namespace, one.name) == *workload
                    });
                    let one = match named {
                        Some(one) => one.clone(),
                        None => find_workload(before, workload)?.clone(),
                    };
                    replicas.insert(key(&one), *number);
                    workloads.entry(key(&one)).or_insert(one);
                }
                Change::RemoveEtcd(member) => {
                    let found = super::sets::etcd_member(before, member)?;
                    world.etcd_removed.insert(found);
                }
                Change::Evict(pod) => {
                    let found = find_pod(before, pod)?;
                    world.evicted.insert((found.namespace.clone(), found.name.clone()));
                }
                other => world.change_node(other)?,
            }
        }
        for (key, one) in &mut workloads {
            one.replicas = replicas.get(key).copied().unwrap_or(one.replicas);
        }
        world.displace(&workloads);
        world.compare_daemons(&workloads);
        world.make(&workloads);
        let leaving: BTreeSet<(&str, &str)> = world
            .displaced
            .iter()
            .map(|(pod, _)| (pod.namespace.as_str(), pod.name.as_str()))
            .collect();
        let stay = |pod: &&Pod| !leaving.contains(&(pod.namespace.as_str(), pod.name.as_str()));
        let pods = before.pods.items().iter().filter(stay).cloned().collect();
        world.after.pods = Part::collected(Source::default(), pods);
        Ok(world)
    }

    fn change_node(&mut self, change: &Change) -> Result<(), NameError> {
        let node = |name: &str| find_node(self.before, name).map(|node| node.name.clone());
        match change {
            Change::Label { node: name, key, value } => {
                let name = node(name)?;
                self.on(&name, |node| match value {
                    Some(value) => drop(node.labels.insert(key.clone(), value.clone())),
                    None => drop(node.labels.remove(key)),
                });
                self.relabelled.insert(name);
            }
            Change::Taint { node: name, taint } => {
                let name = node(name)?;
                self.on(&name, |node| {
                    node.taints.retain(|one| (&one.key, one.effect) != (&taint.key, taint.effect));
                    node.taints.push(taint.clone());
                });
                self.relabelled.insert(name);
            }
            Change::Untaint { node: name, key, effect } => {
                let name = node(name)?;
                self.on(&name, |node| {
                    let is_it = |one: &Taint| effect.is_none_or(|effect| one.effect == effect);
                    node.taints.retain(|one| one.key != *key || !is_it(one));
                });
                self.relabelled.insert(name);
            }
            Change::Cordon(name) | Change::Drain(name) => {
                let name = node(name)?;
                self.on(&name, |node| node.unschedulable = true);
                let set = if matches!(change, Change::Drain(_)) {
                    &mut self.drained
                } else {
                    &mut self.cordoned
                };
                set.insert(name);
            }
            Change::Uncordon(name) => {
                let name = node(name)?;
                self.on(&name, |node| node.unschedulable = false);
                self.relabelled.insert(name);
            }
            Change::Reinstall(name) => {
                let name = node(name)?;
                self.on(&name, unreachable);
                self.lost.insert(name.clone());
                self.reinstalled.insert(name);
            }
            Change::Lose(place) => {
                for name in nodes_of(self.before, place)? {
                    self.on(&name, unreachable);
                    self.lost.insert(name);
                }
            }
            Change::Apply(_) | Change::Scale { .. } | Change::Evict(_) | Change::RemoveEtcd(_) => {}
        }
        Ok(())
    }

    fn on(&mut self, name: &str, change: impl FnOnce(&mut Node)) {
        let Part::Known(collected) = &mut self.after.nodes else { return };
        if let Some(node) = collected.items.iter_mut().find(|node| node.name == name) {
            change(node);
        }
    }

    /// Finds the pods that cannot stay.
    fn displace(&mut self, workloads: &BTreeMap<(WorkloadKind, String, String), Workload>) {
        for pod in self.before.pods.items().iter().filter(|pod| pod.is_active()) {
            if pod.node.is_empty() {
                continue;
            }
            if self.lost.contains(&pod.node) {
                self.displaced.push((pod, Cause::Lost));
            } else if self.is_driven(pod) {
                self.displaced.push((pod, Cause::Driven));
            } else if self.drained.contains(&pod.node) && !is_of_node(pod)
                || self.evicted.contains(&(pod.namespace.clone(), pod.name.clone()))
            {
                self.displaced.push((pod, Cause::Drained));
            }
        }
        let replaced = workloads
            .iter()
            .filter(|(_, one)| one.is_lasting() && one.kind != WorkloadKind::DaemonSet);
        for (key, one) in replaced {
            let Some(old) = self.before.workload(key.0, &key.1, &key.2) else { continue };
            let is_other = one.template != old.template;
            if !is_other && one.replicas == old.replicas {
                continue;
            }
            self.changed.insert(key.clone());
            let mut pods: Vec<&'a Pod> =
                self.before.pods_of(old).into_iter().filter(|pod| pod.is_active()).collect();
            sort_for_removal(one.kind, &mut pods);
            let surplus = pods.len().saturating_sub(usize::try_from(one.replicas).unwrap_or(0));
            for (at, pod) in pods.into_iter().enumerate() {
                let cause = match (at < surplus, is_other) {
                    (true, _) => Cause::Fewer,
                    (false, true) => Cause::Replaced,
                    (false, false) => continue,
                };
                self.displaced.retain(|(other, _)| !std::ptr::eq(*other, pod));
                self.displaced.push((pod, cause));
            }
        }
    }

    fn is_driven(&self, pod: &Pod) -> bool {
        let is_touched = self.relabelled.contains(&pod.node);
        let node = is_touched.then(|| self.after_node(&pod.node)).flatten();
        node.is_some_and(|node| {
            // What it bears already is no matter of the change.
            let was = self.before.node(&pod.node);
            let is_new = |taint: &Taint| was.is_none_or(|was| !was.taints.contains(taint));
            let drives = |taint: &&Taint| taint.effect == Effect::NoExecute && is_new(taint);
            node.taints.iter().filter(drives).any(|taint| !tolerates(&pod.spec, taint))
        })
    }

    fn after_node(&self, name: &str) -> Option<&Node> {
        self.after.nodes.items().iter().find(|node| node.name == name)
    }

    /// Makes the pods that are to be, of workloads that are new, larger or replaced.
    fn make(&mut self, workloads: &BTreeMap<(WorkloadKind, String, String), Workload>) {
        for (key, one) in workloads.iter().filter(|(_, one)| one.is_lasting()) {
            let old = self.before.workload(key.0, &key.1, &key.2);
            self.changed.insert(key.clone());
            if one.kind == WorkloadKind::DaemonSet {
                if old.is_some_and(|old| old.replicas != one.replicas) {
                    self.notes.insert(format!(
                        "{}: a DaemonSet has as many pods as there are nodes for it",
                        one.reference()
                    ));
                }
                continue;
            }
            let stays = match old {
                Some(old) if old.template == one.template => {
                    self.before.pods_of(old).iter().filter(|pod| pod.is_active()).count()
                }
                _ => 0,
            };
            let wanted = usize::try_from(one.replicas).unwrap_or(0);
            for number in stays..wanted {
                self.made.push(pod_of(one, number));
            }
        }
    }
}

/// The pod of a workload with this number.
pub(crate) fn pod_of(one: &Workload, number: usize) -> Pod {
    let name = match one.kind {
        WorkloadKind::StatefulSet => format!("{}-{number}", one.name),
        _ => format!("{}-new-{}", one.name, number.saturating_add(1)),
    };
    let owner = crate::facts::Owner {
        kind: one.kind.as_str().to_owned(),
        name: one.name.clone(),
        uid: one.uid.clone(),
    };
    Pod {
        name,
        namespace: one.namespace.clone(),
        labels: one.template.labels.clone(),
        spec: one.template.spec.clone(),
        owner: Some(owner),
        phase: crate::facts::Phase::Pending,
        ..Pod::default()
    }
}

/// Those that go first first: of a StatefulSet the highest number, of others as their controller
/// ranks them: without a node, not ready, younger.
pub(crate) fn sort_for_removal(kind: WorkloadKind, pods: &mut [&Pod]) {
    if kind == WorkloadKind::StatefulSet {
        pods.sort_by_key(|pod| std::cmp::Reverse(ordinal(pod)));
    } else {
        pods.sort_by(|a, b| {
            let rank = |pod: &Pod| (!pod.node.is_empty(), pod.is_ready());
            rank(a).cmp(&rank(b)).then(b.created.cmp(&a.created)).then(a.name.cmp(&b.name))
        });
    }
}

/// The number at the end of a StatefulSet's pod's name.
pub(super) fn ordinal(pod: &Pod) -> u32 {
    pod.name.rsplit('-').next().and_then(|end| end.parse().ok()).unwrap_or(0)
}

/// Whether a pod belongs to its node: it does not go elsewhere, and no drain evicts it.
pub(crate) fn is_of_node(pod: &Pod) -> bool {
    pod.owner.as_ref().is_some_and(|owner| ["DaemonSet", "Node"].contains(&owner.kind.as_str()))
}

/// A node as its cluster sees it when it does not answer.
fn unreachable(node: &mut Node) {
    node.conditions.retain(|one| one.kind != "Ready");
    node.conditions.push(Condition {
        kind: "Ready".to_owned(),
        status: Truth::Unknown,
        ..Condition::default()
    });
    for effect in [Effect::NoSchedule, Effect::NoExecute] {
        let key = "node.kubernetes.io/unreachable".to_owned();
        node.taints.push(Taint { key, effect, ..Taint::default() });
    }
}

/// The nodes of a place.
pub(super) fn nodes_of(snapshot: &Snapshot, place: &Place) -> Result<Vec<String>, NameError> {
    let (what, wanted) = match place {
        Place::Node(name) => return Ok(vec![find_node(snapshot, name)?.name.clone()]),
        Place::Region(name) => ("declared region", name),
        Place::Zone(name) => ("zone", name),
    };
    fn place_of<'a>(snapshot: &'a Snapshot, place: &Place, node: &'a Node) -> Option<&'a str> {
        match place {
            Place::Region(_) => region(snapshot, node),
            Place::Node(_) | Place::Zone(_) => label(&node.labels, ZONE),
        }
    }
    let places = snapshot
        .nodes
        .items()
        .iter()
        .filter_map(|node| Some((place_of(snapshot, place, node)?, node.name.clone())));
    let places: Vec<(&str, String)> = places.collect();
    let found: Vec<String> =
        places.iter().filter(|(at, _)| at == wanted).map(|(_, name)| name.clone()).collect();
    if found.is_empty() {
        let known: BTreeSet<&str> = places.iter().map(|(at, _)| *at).collect();
        let known: Vec<&str> = known.into_iter().collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(NameError::Nothing { what, name: wanted.clone(), known });
    }
    Ok(found)
}

fn label<'a>(labels: &'a Labels, key: &str) -> Option<&'a str> {
    labels.get(key).map(String::as_str)
}
