//! Manifests that are to be applied.

use std::collections::BTreeMap;

use super::change::{World, key};
use crate::facts::{
    Container, Fact, Keyed, Part, PodSpec, Probe, PullPolicy, Snapshot, Source, VolumeSource,
    Workload, WorkloadKind,
};

/// Parts whose objects change where pods can go or who reaches them.
const MODELLED: [Fact; 10] = [
    Fact::Nodes,
    Fact::Pods,
    Fact::Workloads,
    Fact::Services,
    Fact::Ingresses,
    Fact::Claims,
    Fact::Volumes,
    Fact::StorageClasses,
    Fact::Budgets,
    Fact::Namespaces,
];

/// Puts the objects of manifests in place of those of the same name, and answers with the
/// workloads that are new or others.
pub(super) fn apply(
    world: &mut World<'_>,
    manifests: &Snapshot,
) -> BTreeMap<(WorkloadKind, String, String), Workload> {
    for fact in Fact::ALL.iter().filter(|fact| !MODELLED.contains(fact)) {
        if manifests.count(*fact) > 0 {
            world.notes.insert(format!("manifests of {}", fact.name()));
        }
    }
    upsert(&mut world.after.services, &manifests.services);
    upsert(&mut world.after.ingresses, &manifests.ingresses);
    upsert(&mut world.after.claims, &manifests.claims);
    upsert(&mut world.after.volumes, &manifests.volumes);
    upsert(&mut world.after.storage_classes, &manifests.storage_classes);
    upsert(&mut world.after.budgets, &manifests.budgets);
    upsert(&mut world.after.namespaces, &manifests.namespaces);
    for node in manifests.nodes.items() {
        let Part::Known(known) = &mut world.after.nodes else { continue };
        match known.items.iter_mut().find(|one| one.name == node.name) {
            Some(one) => {
                one.labels.extend(node.labels.clone());
                one.taints.clone_from(&node.taints);
                one.unschedulable = node.unschedulable;
            }
            None => known.items.push(node.clone()),
        }
        world.relabelled.insert(node.name.clone());
    }
    for pod in manifests.pods.items().iter().filter(|pod| pod.node.is_empty()) {
        if world.before.pod(&pod.namespace, &pod.name).is_none() {
            world.made.push(pod.clone());
        }
    }
    let mut workloads = BTreeMap::new();
    for one in manifests.top_workloads() {
        let one = in_place(world.before, one);
        let old = world.before.workload(one.kind, &one.namespace, &one.name);
        let is_other =
            old.is_none_or(|old| one.template != old.template || one.replicas != old.replicas);
        if is_other {
            workloads.insert(key(&one), one);
        }
    }
    workloads
}

/// A manifest as the API server would keep it, beside what it has already.
fn in_place(before: &Snapshot, manifest: &Workload) -> Workload {
    let mut one = manifest.clone();
    if one.namespace.is_empty() {
        one.namespace = "default".to_owned();
    }
    with_defaults(&mut one.template.spec);
    let Some(old) = before.workload(one.kind, &one.namespace, &one.name) else { return one };
    one.uid.clone_from(&old.uid);
    if one.kind == WorkloadKind::DaemonSet {
        one.replicas = old.replicas;
    }
    let mut was = old.template.clone();
    with_defaults(&mut was.spec);
    blind(&mut one.template.spec, &was.spec);
    // What differs in nothing but what was left to the API server is the same.
    if one.template == was {
        one.template = old.template.clone();
    }
    one
}

/// Takes over secret values of which it cannot be told whether they are the same, because they were
/// hashed with different salts.
fn blind(spec: &mut PodSpec, was: &PodSpec) {
    for container in spec.containers.iter_mut().chain(&mut spec.init_containers) {
        let Some(old) = was.all_containers().find(|one| one.name == container.name) else {
            continue;
        };
        for env in &mut container.env {
            let Some(before) = old.env.iter().find(|one| one.name == env.name) else { continue };
            let (Some(new), Some(known)) = (&env.value, &before.value) else { continue };
            if let (Some(x), Some(y)) = (new.hidden(), known.hidden())
                && x.equals(y).is_none()
            {
                env.value = Some(known.clone());
            }
        }
    }
}

/// Fills in what the API server does.
fn with_defaults(spec: &mut PodSpec) {
    let or = |text: &mut String, default: &str| {
        if text.is_empty() {
            default.clone_into(text);
        }
    };
    or(&mut spec.restart_policy, "Always");
    or(&mut spec.scheduler, "default-scheduler");
    or(&mut spec.service_account, "default");
    spec.grace_seconds.get_or_insert(30);
    for volume in &mut spec.volumes {
        if let VolumeSource::Secret(files) | VolumeSource::ConfigMap(files) = &mut volume.source {
            files.default_mode.get_or_insert(0o644);
        }
    }
    for container in spec.containers.iter_mut().chain(&mut spec.init_containers) {
        container_defaults(container);
    }
}

fn container_defaults(container: &mut Container) {
    let last = container.image.rsplit('/').next().unwrap_or_default();
    let is_latest = last.ends_with(":latest") || !last.contains([':', '@']);
    if is_latest && container.pull_policy == PullPolicy::IfNotPresent {
        container.pull_policy = PullPolicy::Always;
    }
    for (name, amount) in &container.limits.0 {
        container.requests.0.entry(name.clone()).or_insert(*amount);
    }
    for port in &mut container.ports {
        if port.protocol.is_empty() {
            "TCP".clone_into(&mut port.protocol);
        }
    }
    let probes = [&mut container.liveness, &mut container.readiness, &mut container.startup];
    for probe in probes.into_iter().flatten() {
        let Probe { period_seconds, timeout_seconds, failures, path, kind, .. } = probe;
        for (number, default) in [(period_seconds, 10), (timeout_seconds, 1), (failures, 3)] {
            if *number == 0 {
                *number = default;
            }
        }
        if kind == "httpGet" && path.is_empty() {
            "/".clone_into(path);
        }
    }
}

fn upsert<T: Keyed + Clone>(part: &mut Part<T>, more: &Part<T>) {
    if more.items().is_empty() {
        return;
    }
    let all = part.items().iter().chain(more.items()).cloned().collect();
    *part = match std::mem::take(part) {
        Part::Known(mut known) => {
            if let Part::Known(all) = Part::collected(Source::default(), all) {
                known.items = all.items;
            }
            Part::Known(known)
        }
        Part::Missing(_) => Part::collected(Source::default(), all),
    };
}
