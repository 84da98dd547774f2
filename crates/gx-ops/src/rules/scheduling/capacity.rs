//! Whether there is room.

use gx_types::Severity;

use super::super::{Findings, Problem};
use crate::facts::{
    Autoscaler, Object as _, Resources, Snapshot, Truth, Workload, WorkloadKind, condition,
};

/// SCH-22
pub(super) fn requested_to_the_last(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        let room = node.allocatable.cpu();
        if room == 0 {
            findings.unknown(node.reference(), "the node does not say what it has to give");
            continue;
        }
        findings.looked();
        let mut requested = Resources::default();
        for pod in snapshot.pods_on(&node.name).into_iter().filter(|pod| !pod.is_finished()) {
            requested.add(&pod.spec.effective_requests());
        }
        let percent = requested.cpu().saturating_mul(100) / room;
        let severity = match percent {
            95.. => Severity::High,
            85.. => Severity::Medium,
            _ => continue,
        };
        let evidence = format!("{}m of {room}m are requested, {percent} %", requested.cpu());
        findings.add(Problem::new(node.reference(), evidence).severity(severity));
    }
    findings
}

fn target<'a>(snapshot: &'a Snapshot, one: &Autoscaler) -> Option<&'a Workload> {
    let kind = match one.target_kind.as_str() {
        "Deployment" => WorkloadKind::Deployment,
        "StatefulSet" => WorkloadKind::StatefulSet,
        "ReplicaSet" => WorkloadKind::ReplicaSet,
        _ => return None,
    };
    snapshot.workload(kind, &one.namespace, &one.target)
}

/// SCH-23
pub(super) fn autoscaler_blind(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for one in snapshot.autoscalers.items() {
        findings.looked();
        let active = condition(&one.conditions, "ScalingActive");
        if let Some(inactive) = active.filter(|condition| condition.status == Truth::False) {
            let evidence = format!("ScalingActive is False: {}", inactive.reason);
            findings.add(Problem::new(one.reference(), evidence));
            continue;
        }
        let Some(target) = target(snapshot, one) else {
            let evidence = format!("there is no {} {}", one.target_kind, one.target);
            findings.add(Problem::new(one.reference(), evidence).field("spec.scaleTargetRef"));
            continue;
        };
        let measured = one.metrics.iter().filter(|one| one.target_percent.is_some());
        for metric in measured {
            let containers = &target.template.spec.containers;
            let without = containers.iter().filter(|one| one.requests.of(&metric.name) == 0);
            let without: Vec<&str> = without.map(|one| one.name.as_str()).collect();
            if !without.is_empty() {
                let evidence = format!(
                    "it goes by {} in percent of requests, and {} of {} requests none",
                    metric.name,
                    without.join(", "),
                    target.reference()
                );
                findings.add(Problem::new(one.reference(), evidence).because(target.reference()));
                break;
            }
        }
    }
    findings
}

/// SCH-24
pub(super) fn autoscaler_over_quota(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for one in snapshot.autoscalers.items() {
        let Some(target) = target(snapshot, one) else { continue };
        let quotas = snapshot.quotas.items().iter();
        for quota in quotas.filter(|quota| quota.namespace == one.namespace) {
            findings.looked();
            let mut need = Resources::default();
            for pod in snapshot.pods_in(&one.namespace) {
                let is_own = snapshot
                    .workload_of(pod)
                    .is_some_and(|of| of.uid == target.uid && of.name == target.name);
                if !pod.is_finished() && !is_own {
                    need.add(&pod.spec.effective_requests());
                }
            }
            let each = target.template.spec.effective_requests();
            for name in ["cpu", "memory"] {
                let key = format!("requests.{name}");
                // A quota may leave the word away.
                let bare = quota.hard.0.get(name).copied();
                let Some(hard) = quota.hard.0.get(&key).copied().or(bare) else { continue };
                let most = each.of(name).saturating_mul(u64::from(one.max));
                let sum = most.saturating_add(need.of(name));
                if sum > hard {
                    let unit = if name == "cpu" { "m" } else { " bytes" };
                    let evidence = format!(
                        "{} replicas request {most}{unit} of {name} and others {}{unit}; the quota \
                         {} allows {hard}{unit}",
                        one.max,
                        need.of(name),
                        quota.name
                    );
                    findings.add(Problem::new(one.reference(), evidence).field("spec.maxReplicas"));
                    break;
                }
            }
        }
    }
    findings
}
