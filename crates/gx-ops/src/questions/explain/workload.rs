//! Why a workload has the pods that it has, where it has them.

use super::super::names::{NameError, find_workload};
use super::links::{needed_by, needs};
use super::{Explanation, by_reason};
use crate::facts::{Object as _, Pod, Snapshot, Truth, Workload, WorkloadKind};
use crate::placement::{Candidate, Cluster};
use crate::rules::shared::bound_hosts;

/// Explains a workload.
///
/// # Errors
/// When there is none of the name, or more than one.
pub fn explain_workload(snapshot: &Snapshot, name: &str) -> Result<Explanation, NameError> {
    let one = find_workload(snapshot, name)?;
    let pods: Vec<&Pod> =
        snapshot.pods_of(one).into_iter().filter(|pod| !pod.is_finished()).collect();
    let ready = pods.iter().filter(|pod| pod.is_active() && pod.is_ready()).count();
    let mut answer =
        Explanation::new(one.reference(), format!("{ready} ready of {} wanted", one.replicas));
    answer.add("Its pods", told(snapshot, &pods));
    answer.add("What it is doing", doing(one));
    answer.add("Where its next pod could go", next(snapshot, one));
    answer.add("What it needs", {
        let hosts = bound_hosts(snapshot, one).into_iter();
        let hosts = hosts.map(|(pod, host)| format!("{pod} has its volume on {host} alone"));
        hosts.chain(needs(snapshot, &one.namespace, &one.template.spec)).collect()
    });
    answer.add("What needs it", {
        let mut lines = needed_by(snapshot, &one.namespace, &one.template.labels);
        let scalers = snapshot.autoscalers.items().iter().filter(|scaler| {
            scaler.namespace == one.namespace
                && scaler.target == one.name
                && scaler.target_kind == one.kind.as_str()
        });
        lines.extend(scalers.map(|scaler| {
            format!("{}: between {} and {}", scaler.reference(), scaler.min, scaler.max)
        }));
        lines
    });
    Ok(answer)
}

fn told(snapshot: &Snapshot, pods: &[&Pod]) -> Vec<String> {
    let told = pods.iter().map(|pod| {
        let place = if pod.node.is_empty() { "no node" } else { &pod.node };
        let state = match (pod.deleting.is_some(), pod.is_ready()) {
            (true, _) => "being deleted",
            (false, true) => "ready",
            (false, false) => "not ready",
        };
        let waiting = pod.statuses.iter().find_map(|one| one.waiting.as_deref());
        let waiting = waiting.map(|why| format!(", {why}")).unwrap_or_default();
        let down = snapshot.node(&pod.node).is_some_and(|node| !node.is_ready());
        let down = if down { ", whose node is not ready" } else { "" };
        format!("{}: {state} on {place}{down}{waiting}", pod.name)
    });
    told.collect()
}

fn doing(one: &Workload) -> Vec<String> {
    let mut lines = Vec::new();
    if one.paused {
        lines.push("paused: a changed template makes no pods".to_owned());
    }
    if one.replicas == 0 {
        lines.push("scaled to nothing".to_owned());
    }
    if let (Some(seen), Some(now)) = (one.observed_generation, one.generation)
        && seen < now
    {
        lines.push("its controller has not seen the last change".to_owned());
    }
    let is_rolling = one.kind != WorkloadKind::CronJob && one.updated < one.replicas;
    if is_rolling && one.is_lasting() {
        lines.push(format!("{} of {} pods are of the newest template", one.updated, one.replicas));
    }
    if !one.current_revision.is_empty() && one.current_revision != one.update_revision {
        lines.push(format!("from revision {} to {}", one.current_revision, one.update_revision));
    }
    let wrong = one.conditions.iter().filter(|condition| {
        let is_bad = match condition.kind.as_str() {
            "ReplicaFailure" => Truth::True,
            _ => Truth::False,
        };
        condition.status == is_bad
    });
    lines.extend(wrong.map(|one| format!("{} is {:?}: {}", one.kind, one.status, one.reason)));
    lines
}

fn next(snapshot: &Snapshot, one: &Workload) -> Vec<String> {
    if !one.is_lasting() || one.kind == WorkloadKind::DaemonSet {
        return Vec::new();
    }
    let cluster = Cluster::new(snapshot);
    let (placement, _) = cluster.place_and_start(&Candidate::of_workload(snapshot, one));
    match &placement.refusal {
        Some(refusal) => vec![refusal.to_string()],
        None => by_reason(&placement.verdicts),
    }
}
