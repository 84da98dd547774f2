//! Whether workloads have as many pods as they should, of the version that they should be.

use std::collections::BTreeMap;

use gx_types::Severity;

use super::super::shared::{lasting, lost_node, tally, told};
use super::super::{Findings, Problem};
use super::pods::{FIVE_MINUTES, span};
use crate::facts::{
    Object as _, ObjectRef, Pod, Snapshot, Time, Truth, Workload, WorkloadKind, condition,
};

/// The pods of a workload that are there to stay.
fn active<'a>(snapshot: &'a Snapshot, workload: &Workload) -> Vec<&'a Pod> {
    snapshot.pods_of(workload).into_iter().filter(|pod| pod.is_active()).collect()
}

/// WRK-01
pub(super) fn not_all_ready(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in lasting(snapshot) {
        if workload.ready >= workload.replicas {
            findings.looked();
            continue;
        }
        let pods = active(snapshot, workload);
        let Some(since) = short_since(workload, &pods) else {
            findings.unknown(workload.reference(), "since when it lacks replicas is not told");
            continue;
        };
        findings.looked();
        let age = snapshot.age(since);
        if age <= FIVE_MINUTES {
            continue;
        }
        let is_bad = snapshot.is_mainnet(&workload.namespace);
        let severity = if is_bad { Severity::Critical } else { Severity::High };
        let evidence =
            format!("{} of {} are ready, for {}", workload.ready, workload.replicas, span(age));
        let problem = Problem::new(workload.reference(), evidence).severity(severity);
        findings.add(match held_by(snapshot, &pods) {
            Some(cause) => problem.because(cause),
            None => problem,
        });
    }
    findings
}

/// Since when a workload has been short of ready pods: of those that it lacks, the longest.
fn short_since(workload: &Workload, pods: &[&Pod]) -> Option<Time> {
    let not_ready = pods.iter().filter(|pod| !pod.is_ready()).filter_map(|pod| {
        let ready = condition(&pod.conditions, "Ready").and_then(|one| one.since);
        ready.or(pod.created)
    });
    let oldest = not_ready.min();
    if pods.len() >= usize::try_from(workload.replicas).unwrap_or(usize::MAX) {
        return oldest;
    }
    // Pods that were never made have no times of their own.
    let failing = [("Available", Truth::False), ("ReplicaFailure", Truth::True)];
    let told = failing.into_iter().filter_map(|(kind, status)| {
        condition(&workload.conditions, kind).filter(|one| one.status == status)?.since
    });
    oldest.into_iter().chain(told).min().or(workload.created)
}

/// What holds pods up, when it is not of the workload: a lost node, or a pod that no node takes.
fn held_by(snapshot: &Snapshot, pods: &[&Pod]) -> Option<ObjectRef> {
    let mut waiting = pods.iter().filter(|pod| !pod.is_ready());
    waiting.find_map(|pod| match pod.is_unplaced() {
        true => Some(pod.reference()),
        false => lost_node(snapshot, pod),
    })
}

/// The ReplicaSets of a Deployment.
fn replica_sets<'a>(snapshot: &'a Snapshot, of: &Workload) -> Vec<&'a Workload> {
    snapshot.made_by(of).filter(|one| one.kind == WorkloadKind::ReplicaSet).collect()
}

fn deployments(snapshot: &Snapshot) -> impl Iterator<Item = &Workload> {
    snapshot.top_workloads().filter(|one| one.kind == WorkloadKind::Deployment)
}

/// As many as the API server sets when nothing is said.
const DEFAULT_HISTORY: u32 = 10;
/// How many are of use for going back.
const HISTORY: usize = 3;

/// WRK-06
pub(super) fn old_replica_sets(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in deployments(snapshot) {
        findings.looked();
        let old = replica_sets(snapshot, workload)
            .into_iter()
            .filter(|set| set.replicas == 0 && set.revision != workload.revision);
        let count = old.count();
        let limit = workload.revision_history_limit.unwrap_or(DEFAULT_HISTORY);
        let is_default = limit == DEFAULT_HISTORY;
        let allowed = if is_default { HISTORY } else { usize::try_from(limit).unwrap_or(HISTORY) };
        if count <= allowed {
            continue;
        }
        let evidence = format!(
            "{count} ReplicaSets of earlier revisions are kept; revisionHistoryLimit is {}",
            if is_default { format!("the default, {limit}") } else { limit.to_string() }
        );
        let severity = if count > 5 { Severity::Medium } else { Severity::Low };
        let problem = Problem::new(workload.reference(), evidence).severity(severity);
        findings.add(problem.field("spec.revisionHistoryLimit"));
    }
    findings
}

/// Seconds after which a rollout that has not come on is stuck.
fn deadline(workload: &Workload) -> u64 {
    u64::from(workload.progress_deadline_seconds.unwrap_or(600))
}

/// When the rollout of a workload last made a pod.
fn last_step(pods: &[&Pod]) -> Option<Time> {
    pods.iter().map(|pod| pod.created).collect::<Option<Vec<Time>>>()?.into_iter().max()
}

/// WRK-07
pub(super) fn two_rollouts(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in deployments(snapshot) {
        let sets = replica_sets(snapshot, workload);
        if sets.is_empty() {
            continue;
        }
        let running: Vec<&Workload> = sets.into_iter().filter(|set| set.replicas > 0).collect();
        if running.len() < 2 {
            findings.looked();
            continue;
        }
        let Some(current) = running.iter().find(|set| set.revision == workload.revision) else {
            findings.unknown(workload.reference(), "which of its ReplicaSets is the current one");
            continue;
        };
        // Going back takes an old ReplicaSet up again; its pods tell when.
        let own: Vec<&Pod> = snapshot
            .pods_in(&current.namespace)
            .into_iter()
            .filter(|pod| pod.owner.as_ref().is_some_and(|owner| owner.name == current.name))
            .collect();
        let Some(since) = current.created.max(last_step(&own)) else {
            findings.unknown(workload.reference(), "when its rollout began is not told");
            continue;
        };
        findings.looked();
        let age = snapshot.age(since);
        if age <= deadline(workload) {
            continue;
        }
        let others = running.iter().filter(|set| set.revision != workload.revision);
        let others: Vec<String> =
            others.map(|set| format!("{} of {}", set.replicas, set.name)).collect();
        let evidence = format!(
            "{} is current for {}, and there are still {}",
            current.name,
            span(age),
            others.join(", ")
        );
        findings.add(Problem::new(workload.reference(), evidence));
    }
    findings
}

/// WRK-08
pub(super) fn rollout_stuck(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    // What is updated by hand alone waits for a hand.
    for workload in lasting(snapshot).filter(|one| one.strategy != "OnDelete") {
        let progress = condition(&workload.conditions, "Progressing");
        if let Some(stuck) = progress.filter(|one| one.status == Truth::False) {
            findings.looked();
            let evidence = format!(
                "Progressing is False: {}; {} of {} are updated",
                stuck.reason, workload.updated, workload.replicas
            );
            findings.add(Problem::new(workload.reference(), evidence));
            continue;
        }
        if workload.updated >= workload.replicas || workload.kind == WorkloadKind::ReplicaSet {
            findings.looked();
            continue;
        }
        let pods = active(snapshot, workload);
        let Some(since) = last_step(&pods).or(workload.created) else {
            findings.unknown(workload.reference(), "when its rollout came on is not told");
            continue;
        };
        findings.looked();
        let age = snapshot.age(since);
        if age <= deadline(workload) {
            continue;
        }
        let paused = if workload.paused { "; it is paused" } else { "" };
        let evidence = format!(
            "{} of {} are updated, and no pod was made for {}{paused}",
            workload.updated,
            workload.replicas,
            span(age)
        );
        let problem = Problem::new(workload.reference(), evidence);
        findings.add(match held_by(snapshot, &pods) {
            Some(cause) => problem.because(cause),
            None => problem,
        });
    }
    findings
}

/// WRK-14
pub(super) fn service_of_nothing(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for service in snapshot.services.items().iter().filter(|one| !one.selector.is_empty()) {
        let selects = |labels: &crate::facts::Labels| {
            service.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        };
        let workloads = snapshot
            .top_workloads_in(&service.namespace)
            .filter(|one| one.is_lasting() && selects(&one.template.labels));
        let workloads: Vec<&Workload> = workloads.collect();
        if workloads.is_empty() {
            continue;
        }
        findings.looked();
        let pods = snapshot.pods_in(&service.namespace).into_iter();
        let has_pods = pods.filter(|pod| pod.is_active()).any(|pod| selects(&pod.labels));
        if has_pods || workloads.iter().any(|one| one.replicas > 0) {
            continue;
        }
        for workload in workloads.iter().filter(|one| one.kind == WorkloadKind::Deployment) {
            let evidence =
                format!("spec.replicas is 0, and Service {} selects nothing else", service.name);
            findings.add(Problem::new(workload.reference(), evidence).field("spec.replicas"));
        }
    }
    findings
}

/// WRK-20
pub(super) fn different_images(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in lasting(snapshot).filter(|one| one.strategy != "OnDelete") {
        let pods = active(snapshot, workload);
        if pods.len() < 2 {
            continue;
        }
        let mut images: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for container in pods.iter().flat_map(|pod| &pod.spec.containers) {
            images.entry(&container.name).or_default().push(&container.image);
        }
        let differing = images.into_iter().map(|(name, images)| (name, tally(images.into_iter())));
        let differing: Vec<_> = differing.filter(|(_, counts)| counts.len() > 1).collect();
        if differing.is_empty() {
            findings.looked();
            continue;
        }
        let Some(since) = last_step(&pods) else {
            findings.unknown(workload.reference(), "whether a rollout goes on is not told");
            continue;
        };
        findings.looked();
        // A rollout that goes on is meant to have both.
        if snapshot.age(since) <= deadline(workload) {
            continue;
        }
        for (name, counts) in differing {
            let subject = workload.reference().container(name);
            let problem = Problem::new(subject, format!("its pods have {}", told(&counts, "of")));
            findings.add(problem.because(workload.reference()));
        }
    }
    findings
}
