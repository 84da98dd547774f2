//! What a snapshot is after a step: the cluster as its controllers and its scheduler leave it.
//!
//! Pure, and written without what-if, so that one can be held against the other.

use super::action::{Action, Effect, Exact, workload};
use crate::facts::{
    Condition, Known, Node, Object as _, Pod, Snapshot, Truth, Workload, WorkloadKind,
};
use crate::placement::{Candidate, ClaimUse, Cluster};
use crate::questions::what_if::{pod_of, sort_for_removal};

/// Does a step to a snapshot.
pub fn advance(snapshot: &mut Snapshot, action: &Action) {
    match action {
        Action::Delete { object } => delete(snapshot, object),
        Action::Scale { object, to, .. } => scale(snapshot, object, *to),
        Action::Close { object, closed } => {
            on_node(snapshot, &object.name, |node| node.unschedulable = *closed);
            if !closed {
                place_waiting(snapshot);
            }
        }
        Action::Label { object, key, to, .. } => {
            on_node(snapshot, &object.name, |node| match to {
                Some(value) => drop(node.labels.insert(key.clone(), value.clone())),
                None => drop(node.labels.remove(key)),
            });
            place_waiting(snapshot);
        }
        Action::Evict { pods } => evict(snapshot, pods),
        Action::Ask { effect, .. } => asked(snapshot, effect),
        // Values are hidden; nothing that is placed or counted changes.
        Action::Rotate { .. } => {}
    }
    snapshot.forget_index();
}

fn on_node(snapshot: &mut Snapshot, name: &str, change: impl FnOnce(&mut Node)) {
    let node = snapshot.nodes.items_mut().and_then(|all| all.iter_mut().find(|n| n.name == name));
    if let Some(node) = node {
        change(node);
    }
    snapshot.forget_index();
}

fn asked(snapshot: &mut Snapshot, effect: &Effect) {
    match effect {
        Effect::EtcdRemoved { member } => {
            for view in snapshot.etcd.items_mut().into_iter().flatten() {
                if let Known::Known(members) = &mut view.members {
                    members.retain(|one| one.name != *member);
                }
            }
        }
        Effect::PrimaryMoved { from, to } => {
            for server in snapshot.postgres.items_mut().into_iter().flatten() {
                if server.place == *from {
                    server.in_recovery = true;
                } else if server.place == *to {
                    server.in_recovery = false;
                }
            }
        }
        Effect::FileRemoved { host, path } => {
            for one in snapshot.hosts.items_mut().into_iter().flatten() {
                if let (true, Known::Known(archives)) = (one.name == *host, &mut one.archives) {
                    archives.retain(|archive| archive.path != *path);
                }
            }
        }
        Effect::EtcdAdded { .. } | Effect::Nothing => {}
    }
}

fn delete(snapshot: &mut Snapshot, object: &Exact) {
    let is_it = |namespace: &str, name: &str| namespace == object.namespace && name == object.name;
    match object.kind.as_str() {
        "Pod" => {
            let pods = snapshot.pods.items_mut().into_iter();
            pods.for_each(|all| all.retain(|one| !is_it(&one.namespace, &one.name)));
        }
        "Service" => {
            let services = snapshot.services.items_mut().into_iter();
            services.for_each(|all| all.retain(|one| !is_it(&one.namespace, &one.name)));
        }
        "PersistentVolumeClaim" => {
            let claims = snapshot.claims.items_mut().into_iter();
            claims.for_each(|all| all.retain(|one| !is_it(&one.namespace, &one.name)));
        }
        "PersistentVolume" => {
            let volumes = snapshot.volumes.items_mut().into_iter();
            volumes.for_each(|all| all.retain(|one| one.name != object.name));
        }
        kind => {
            let workloads = snapshot.workloads.items_mut().into_iter();
            workloads.for_each(|all| {
                all.retain(|one| one.kind() != kind || !is_it(&one.namespace, &one.name));
            });
        }
    }
}

fn is_pod(pod: &Pod, exact: &Exact) -> bool {
    pod.namespace == exact.namespace && pod.name == exact.name
}

/// Each leaves its node, and its owner makes another, which is placed where it can be.
fn evict(snapshot: &mut Snapshot, pods: &[Exact]) {
    for pod in snapshot.pods.items_mut().into_iter().flatten() {
        if pods.iter().any(|exact| is_pod(pod, exact)) {
            begin_again(pod);
        }
    }
    snapshot.forget_index();
    for exact in pods {
        let lone = super::action::pod(snapshot, exact).is_none_or(|pod| pod.owner.is_none());
        if lone {
            delete(snapshot, exact);
            snapshot.forget_index();
        } else {
            place(snapshot, &exact.namespace, &exact.name);
        }
    }
    recount(snapshot);
}

/// A pod as its owner makes it.
fn begin_again(pod: &mut Pod) {
    pod.node.clear();
    pod.uid.clear();
    pod.ip.clear();
    pod.statuses.clear();
    pod.conditions.clear();
    pod.phase = crate::facts::Phase::Pending;
}

/// Puts a pod that waits onto the likeliest of the nodes that are open to it.
fn place(snapshot: &mut Snapshot, namespace: &str, name: &str) {
    let found = {
        let Some(pod) = snapshot.pod(namespace, name) else { return };
        let cluster = Cluster::new(snapshot);
        let mut candidate = Candidate::of_pod(snapshot, pod);
        with_own_claims(snapshot, pod, &mut candidate);
        let (placement, unsure) = cluster.place_and_start(&candidate);
        let open = placement.feasible();
        let sure: Vec<&str> =
            open.iter().copied().filter(|node| !unsure.iter().any(|other| other == node)).collect();
        let among = if sure.is_empty() { &open } else { &sure };
        cluster.likeliest(pod, among).map(str::to_owned)
    };
    let Some(node) = found else { return };
    let pods = snapshot.pods.items_mut().into_iter().flatten();
    for pod in pods.filter(|pod| pod.namespace == namespace && pod.name == name) {
        pod.node.clone_from(&node);
        pod.phase = crate::facts::Phase::Running;
        pod.conditions.push(Condition {
            kind: "Ready".to_owned(),
            status: Truth::True,
            ..Condition::default()
        });
    }
    snapshot.forget_index();
}

/// Claims that live with the pod are made anew, and those of its StatefulSet need not exist yet.
fn with_own_claims<'a>(snapshot: &'a Snapshot, pod: &'a Pod, candidate: &mut Candidate<'a>) {
    for claim in &mut candidate.claims {
        if let ClaimUse::Absent { is_ephemeral: true, .. } = claim {
            *claim = ClaimUse::Future { class: None };
        }
    }
    let owner = pod.owner.as_ref().filter(|owner| owner.kind == "StatefulSet");
    let set = owner.and_then(|owner| {
        snapshot.workload(WorkloadKind::StatefulSet, &pod.namespace, &owner.name)
    });
    for template in set.into_iter().flat_map(|set| &set.claim_templates) {
        let name = format!("{}-{}", template.name, pod.name);
        if !pod.claims().any(|claim| claim == name) {
            candidate.claims.push(match snapshot.claim(&pod.namespace, &name) {
                Some(claim) => ClaimUse::Existing(claim),
                None => ClaimUse::Future { class: template.class.as_deref() },
            });
        }
    }
}

/// Pods that had no node try again, in the order in which they are listed.
fn place_waiting(snapshot: &mut Snapshot) {
    let waiting = snapshot.pods.items().iter().filter(|pod| pod.is_unplaced());
    let waiting: Vec<(String, String)> =
        waiting.map(|pod| (pod.namespace.clone(), pod.name.clone())).collect();
    for (namespace, name) in waiting {
        place(snapshot, &namespace, &name);
    }
    recount(snapshot);
}

fn scale(snapshot: &mut Snapshot, object: &Exact, to: u32) {
    let Some(one) = workload(snapshot, object).cloned() else { return };
    let mut pods: Vec<&Pod> =
        snapshot.pods_of(&one).into_iter().filter(|pod| pod.is_active()).collect();
    sort_for_removal(one.kind, &mut pods);
    let wanted = usize::try_from(to).unwrap_or(usize::MAX);
    let gone: Vec<(String, String)> = pods
        .iter()
        .take(pods.len().saturating_sub(wanted))
        .map(|pod| (pod.namespace.clone(), pod.name.clone()))
        .collect();
    let there = pods.len();
    if let Some(all) = snapshot.pods.items_mut() {
        all.retain(|pod| !gone.contains(&(pod.namespace.clone(), pod.name.clone())));
        all.extend((there..wanted).map(|number| pod_of(&one, number)));
    }
    for one in snapshot.workloads.items_mut().into_iter().flatten() {
        if one.kind() == object.kind && one.namespace == object.namespace && one.name == object.name
        {
            one.replicas = to;
        }
    }
    snapshot.forget_index();
    for number in there..wanted {
        let pod = pod_of(&one, number);
        place(snapshot, &pod.namespace, &pod.name);
    }
    place_waiting(snapshot);
}

/// What controllers count: pods that are ready.
fn recount(snapshot: &mut Snapshot) {
    let counts: Vec<Option<u32>> = snapshot
        .workloads
        .items()
        .iter()
        .map(|one| {
            let is_top = one.is_lasting() && one.owner.is_none();
            is_top.then(|| ready(snapshot, one))
        })
        .collect();
    let workloads = snapshot.workloads.items_mut().into_iter().flatten();
    for (one, ready) in workloads.zip(counts) {
        one.ready = ready.unwrap_or(one.ready);
    }
}

fn ready(snapshot: &Snapshot, one: &Workload) -> u32 {
    let pods = snapshot.pods_of(one).into_iter();
    let count = pods.filter(|pod| pod.is_active() && pod.is_ready()).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}
