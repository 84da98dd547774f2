//! Where the pods that cannot stay would go.

use std::collections::BTreeMap;

use serde::Serialize;

use super::change::{Cause, World, is_of_node};
use super::daemons::{self, Daemon};
use crate::facts::{Object as _, ObjectRef, Pod, VolumeSource, Workload, WorkloadKind};
use crate::placement::{Candidate, ClaimUse, Cluster, Reason};

/// A pod that finds a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    pub pod: ObjectRef,
    /// Empty for one that had no node before.
    pub from: String,
    /// The likeliest.
    pub to: String,
    /// Others that it may go to.
    pub others: Vec<String>,
    /// Of these it is not known whether they have an image that the pod is never to pull.
    pub image_unknown: Vec<String>,
}

/// Why a pod cannot go to a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excluded {
    pub node: String,
    pub reasons: Vec<String>,
}

/// A pod that finds no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stuck {
    pub pod: ObjectRef,
    /// Empty for one that had no node before.
    pub from: String,
    /// As the scheduler would say it, or why nobody would make the pod again.
    pub why: String,
    pub nodes: Vec<Excluded>,
}

/// What becomes of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    /// It is away for a while, at once with all others, and comes back.
    Interrupted,
    /// It goes elsewhere, one after the other.
    Relayed,
    /// Another is made in its place after it has gone, one after the other.
    Replaced,
    /// Another is there before it goes.
    Overlapped,
    Gone,
    /// Of those there are to be fewer.
    Dropped,
}

/// Everything that was decided about pods.
#[derive(Debug, Default)]
pub(super) struct Placed<'a> {
    pub(super) moves: Vec<Move>,
    pub(super) stuck: Vec<Stuck>,
    pub(super) at_risk: Vec<Stuck>,
    /// Pods that end with their node, or because there are to be fewer.
    pub(super) ends: Vec<ObjectRef>,
    pub(super) daemons: Vec<Daemon>,
    fates: BTreeMap<(&'a str, &'a str), Fate>,
    /// Pods that were not there, or had no node, and get one.
    pub(super) started: Vec<&'a Pod>,
}

impl<'a> Placed<'a> {
    pub(super) fn fate(&self, pod: &Pod) -> Fate {
        let place = (pod.namespace.as_str(), pod.name.as_str());
        self.fates.get(&place).copied().unwrap_or(Fate::Stays)
    }

    /// Its node comes back, and has it again.
    pub(super) fn comes_back(&mut self, pod: &'a Pod) {
        self.ends.retain(|one| *one != pod.reference());
        self.end(pod, Fate::Interrupted);
    }

    fn end(&mut self, pod: &'a Pod, fate: Fate) {
        self.fates.insert((&pod.namespace, &pod.name), fate);
    }
}

/// Finds places, the most important pods first.
pub(super) fn place<'a>(world: &'a World<'a>) -> Placed<'a> {
    let mut cluster = Cluster::new(&world.after);
    let mut placed = Placed::default();
    for (pod, cause) in &world.displaced {
        match cause {
            Cause::Fewer => {
                placed.ends.push(pod.reference());
                placed.end(pod, Fate::Dropped);
            }
            Cause::Lost | Cause::Driven if is_of_node(pod) => {
                placed.ends.push(pod.reference());
                placed.end(pod, Fate::Gone);
            }
            Cause::Replaced => {
                let overlaps = world.before.workload_of(pod).is_some_and(keeps_all);
                placed.end(pod, if overlaps { Fate::Overlapped } else { Fate::Replaced });
            }
            Cause::Lost | Cause::Driven | Cause::Drained => {}
        }
    }
    placed.daemons = daemons::place(world, &mut cluster, &mut placed);
    let mut wanted: Vec<(&'a Pod, Option<Cause>)> = Vec::new();
    for (pod, cause) in &world.displaced {
        let is_settled = placed.fates.contains_key(&(pod.namespace.as_str(), pod.name.as_str()));
        if !is_settled {
            wanted.push((pod, Some(*cause)));
        }
    }
    by_importance(&mut wanted);
    for (pod, cause) in wanted {
        let sudden = matches!(cause, Some(Cause::Lost | Cause::Driven));
        let fate = if sudden { Fate::Interrupted } else { Fate::Relayed };
        if pod.owner.is_none() {
            let why = "it has no controller: nothing makes it again".to_owned();
            let (pod_ref, from) = (pod.reference(), pod.node.clone());
            placed.stuck.push(Stuck { pod: pod_ref, from, why, nodes: Vec::new() });
            placed.end(pod, Fate::Gone);
            continue;
        }
        let found = find(world, &mut cluster, pod);
        placed.end(pod, if found.is_ok() { fate } else { Fate::Gone });
        placed.note(found);
    }
    make(world, &mut cluster, &mut placed);
    risk(world, &cluster, &mut placed);
    placed
}

fn by_importance(pods: &mut [(&Pod, Option<Cause>)]) {
    pods.sort_by(|(a, _), (b, _)| {
        let name = |pod: &Pod| (pod.namespace.clone(), pod.name.clone());
        b.spec.priority.cmp(&a.spec.priority).then_with(|| name(a).cmp(&name(b)))
    });
}

impl Placed<'_> {
    fn note(&mut self, found: Result<Move, Box<Stuck>>) {
        match found {
            Ok(one) => self.moves.push(one),
            Err(stuck) => self.stuck.push(*stuck),
        }
    }
}

/// Places new pods, and those that had no node before.
fn make<'a>(world: &'a World<'a>, cluster: &mut Cluster<'a>, placed: &mut Placed<'a>) {
    let mut blocked: Vec<&Workload> = Vec::new();
    for pod in &world.made {
        let workload = replaced_by(world, pod);
        if workload.is_some_and(|one| blocked.iter().any(|other| std::ptr::eq(*other, one))) {
            continue;
        }
        if let Some(one) = workload.filter(|one| keeps_all(one)) {
            // The successor has to find room beside those that it is to replace.
            let old: Vec<&Pod> = world.before.pods_of(one);
            let old: Vec<&Pod> =
                old.into_iter().filter(|pod| pod.is_active() && !pod.node.is_empty()).collect();
            old.iter().for_each(|pod| cluster.add(pod, &pod.node));
            let first = look(world, cluster, pod);
            old.iter().for_each(|pod| cluster.remove(pod, &pod.node));
            if let Err(stuck) = first {
                placed.stuck.push(*stuck);
                blocked.push(one);
                for pod in old {
                    placed.end(pod, Fate::Stays);
                    cluster.add(pod, &pod.node);
                }
                continue;
            }
        }
        let found = find(world, cluster, pod);
        if found.is_ok() {
            placed.started.push(pod);
        }
        placed.note(found);
    }
    if world.changed.is_empty() && world.relabelled.is_empty() {
        return;
    }
    for pod in world.before.pods.items().iter().filter(|pod| pod.is_unplaced()) {
        if let Ok(one) = find(world, cluster, pod) {
            placed.moves.push(one);
            placed.started.push(pod);
        }
    }
}

/// The workload whose pods this one is to replace.
fn replaced_by<'a>(world: &World<'a>, pod: &Pod) -> Option<&'a Workload> {
    let owner = pod.owner.as_ref()?;
    let mut all = world.before.top_workloads().filter(|one| {
        one.kind.as_str() == owner.kind && one.name == owner.name && one.namespace == pod.namespace
    });
    all.next().filter(|one| one.template.spec != pod.spec || one.template.labels != pod.labels)
}

/// Whether a rollout takes no pod away before another is there.
fn keeps_all(workload: &Workload) -> bool {
    if workload.kind != WorkloadKind::Deployment || workload.strategy == "Recreate" {
        return false;
    }
    let text = workload.max_unavailable.as_deref().unwrap_or("25%");
    let number = match text.strip_suffix('%') {
        Some(percent) => {
            percent.parse::<u32>().unwrap_or(0).saturating_mul(workload.replicas) / 100
        }
        None => text.parse().unwrap_or(0),
    };
    number == 0
}

/// Looks for a place, and takes it.
fn find<'a>(
    world: &'a World<'a>,
    cluster: &mut Cluster<'a>,
    pod: &'a Pod,
) -> Result<Move, Box<Stuck>> {
    let found = look(world, cluster, pod)?;
    cluster.add(pod, &found.to);
    Ok(found)
}

fn look<'a>(world: &'a World<'a>, cluster: &Cluster<'a>, pod: &'a Pod) -> Result<Move, Box<Stuck>> {
    let candidate = candidate(world, pod);
    let (mut placement, image_unknown) = cluster.place_and_start(&candidate);
    for verdict in &mut placement.verdicts {
        // What tolerates everything is not for that reason on a node that is gone.
        if world.lost.contains(&verdict.node) && verdict.reasons.is_empty() {
            verdict.reasons.push(Reason::NotReady);
        }
    }
    let open = placement.feasible();
    let sure: Vec<&str> = open
        .iter()
        .copied()
        .filter(|node| !image_unknown.iter().any(|other| other == node))
        .collect();
    let among = if sure.is_empty() { &open } else { &sure };
    let Some(to) = cluster.likeliest(pod, among) else {
        let nodes = placement.verdicts.iter().map(|verdict| Excluded {
            node: verdict.node.clone(),
            reasons: verdict
                .reasons
                .iter()
                .map(|reason| told(world, &verdict.node, reason))
                .collect(),
        });
        return Err(Box::new(Stuck {
            pod: pod.reference(),
            from: pod.node.clone(),
            why: placement.message(),
            nodes: nodes.collect(),
        }));
    };
    let others = open.iter().filter(|node| **node != to).map(|node| (*node).to_owned());
    Ok(Move {
        pod: pod.reference(),
        from: pod.node.clone(),
        to: to.to_owned(),
        others: others.collect(),
        image_unknown,
    })
}

/// A reason, with what it is on this node where that is known.
fn told(world: &World<'_>, node: &str, reason: &Reason) -> String {
    if world.lost.contains(node) {
        return "the node is gone".to_owned();
    }
    let Some(at) = world.after.node(node).filter(|_| *reason == Reason::Taint) else {
        return reason.to_string();
    };
    let taints: Vec<String> = at
        .taints
        .iter()
        .filter(|one| one.effect != crate::facts::Effect::PreferNoSchedule)
        .map(|one| format!("{}={}:{:?}", one.key, one.value, one.effect))
        .collect();
    format!("{reason}: {}", taints.join(", "))
}

/// The pod as it would be made again: claims that live with a pod are made anew, and those that
/// its StatefulSet would make need not exist.
fn candidate<'a>(world: &'a World<'a>, pod: &'a Pod) -> Candidate<'a> {
    let mut candidate = Candidate::of_pod(&world.after, pod);
    let of_pod: Vec<String> = pod
        .spec
        .volumes
        .iter()
        .filter(|volume| volume.source == VolumeSource::Ephemeral)
        .map(|volume| format!("{}-{}", pod.name, volume.name))
        .collect();
    for claim in &mut candidate.claims {
        match claim {
            ClaimUse::Existing(one) if of_pod.contains(&one.name) => {
                *claim = ClaimUse::Future { class: one.class.as_deref() };
            }
            ClaimUse::Absent { is_ephemeral: true, .. } => {
                *claim = ClaimUse::Future { class: None };
            }
            ClaimUse::Existing(_) | ClaimUse::Absent { .. } | ClaimUse::Future { .. } => {}
        }
    }
    if pod.node.is_empty()
        && let Some(one) = stateful(world, pod)
    {
        for template in &one.claim_templates {
            let name = format!("{}-{}", template.name, pod.name);
            let is_named = pod.claims().any(|claim| claim == name);
            match world.after.claim(&pod.namespace, &name) {
                Some(_) if is_named => {}
                Some(claim) => candidate.claims.push(ClaimUse::Existing(claim)),
                None => {
                    let class = template.class.as_deref();
                    candidate.claims.push(ClaimUse::Future { class });
                }
            }
        }
    }
    candidate
}

fn stateful<'a>(world: &World<'a>, pod: &Pod) -> Option<&'a Workload> {
    let owner = pod.owner.as_ref().filter(|owner| owner.kind == "StatefulSet")?;
    world.before.workload(WorkloadKind::StatefulSet, &pod.namespace, &owner.name)
}

/// Pods that run on where they are, and could be placed nowhere if they had to start again.
fn risk<'a>(world: &'a World<'a>, cluster: &Cluster<'a>, placed: &mut Placed<'a>) {
    let mut present: Option<Cluster<'_>> = None;
    let touched = world.relabelled.iter().chain(&world.cordoned);
    for node in touched {
        for pod in world.before.pods_on(node) {
            let stays = pod.is_active() && placed.fate(pod) == Fate::Stays;
            if !stays || is_of_node(pod) || pod.owner.is_none() {
                continue;
            }
            let Err(stuck) = look(world, cluster, pod) else { continue };
            // What could not be placed before either is not at risk by this.
            let present = present.get_or_insert_with(|| Cluster::new(world.before));
            let (before, _) = present.place_and_start(&Candidate::of_pod(world.before, pod));
            if !before.feasible().is_empty() {
                placed.at_risk.push(*stuck);
            }
        }
    }
}
