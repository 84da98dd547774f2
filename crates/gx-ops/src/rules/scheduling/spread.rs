//! Whether replicas are kept apart, by their descriptions, their pods and their volumes.

use std::collections::BTreeMap;

use gx_types::Severity;

use super::super::shared::{
    Component, HOSTNAME, bound_hosts, component, is_of_pattern, keeps_apart, main_container, most,
    quorum, replicated, sets, tally, told,
};
use super::super::{Findings, Problem};
use crate::facts::{
    Autoscaler, Object as _, Phase, Pod, Snapshot, Unsatisfiable, Workload, WorkloadKind,
};
use crate::placement::{Candidate, Cluster};

/// SCH-01
pub(super) fn volumes_share_host(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let sets = replicated(snapshot).filter(|one| one.kind == WorkloadKind::StatefulSet);
    for set in sets.filter(|one| one.replicas > 1) {
        let hosts = bound_hosts(snapshot, set);
        if hosts.is_empty() {
            continue;
        }
        findings.looked();
        let counts = tally(hosts.iter().map(|(_, host)| *host));
        let Some((host, count)) = most(&counts).filter(|(_, count)| *count > 1) else { continue };
        let members = usize::try_from(set.replicas).unwrap_or(usize::MAX);
        let is_majority = count >= quorum(members);
        let replicas: Vec<&str> =
            hosts.iter().filter(|(_, at)| *at == host).map(|(name, _)| name.as_str()).collect();
        let evidence = format!(
            "the volumes of {} can be used on {host} alone, {count} of {members} replicas",
            replicas.join(" and ")
        );
        let severity = if is_majority { Severity::Critical } else { Severity::High };
        findings.add(
            Problem::new(set.reference(), evidence)
                .severity(severity)
                .field("spec.volumeClaimTemplates[].spec.storageClassName"),
        );
    }
    findings
}

/// SCH-02
pub(super) fn volumes_break_quorum(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for set in sets(snapshot, Component::is_quorum) {
        let hosts: Vec<(String, &str)> =
            set.workloads.iter().flat_map(|one| bound_hosts(snapshot, one)).collect();
        let members = set.members();
        if hosts.is_empty() || members < 2 {
            continue;
        }
        findings.looked();
        let counts = tally(hosts.iter().map(|(_, host)| *host));
        let Some((host, count)) = most(&counts) else { continue };
        let left = members.saturating_sub(count);
        if left < quorum(members) {
            let evidence = format!(
                "of {members} members {} have their volumes so: {}; without {host} {left} are \
                 left, and {} are a majority",
                hosts.len(),
                told(&counts, "on"),
                quorum(members)
            );
            findings.add(Problem::new(set.reference(), evidence));
        }
    }
    findings
}

/// SCH-03
pub(super) fn template_not_in_force(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in replicated(snapshot) {
        let pods: Vec<&Pod> =
            snapshot.pods_of(workload).into_iter().filter(|pod| pod.is_active()).collect();
        if pods.is_empty() {
            continue;
        }
        let keeps_apart = keeps_apart(workload).next().is_some();
        if workload.update_revision.is_empty() && !keeps_apart {
            continue;
        }
        findings.looked();
        let running = pods.iter().filter(|pod| pod.phase == Phase::Running && !pod.node.is_empty());
        let counts = tally(running.map(|pod| pod.node.as_str()));
        if let Some((node, count)) = most(&counts).filter(|(_, count)| keeps_apart && *count > 1) {
            let evidence = format!(
                "{count} of its pods run on {node}, although its template requires a node for each"
            );
            let field = "spec.template.spec.affinity.podAntiAffinity";
            findings.add(Problem::new(workload.reference(), evidence).field(field));
            continue;
        }
        let old = pods.iter().filter(|pod| is_older(pod, workload)).count();
        if old > 0 {
            let evidence = format!(
                "{old} of {} pods are of a revision before {}",
                pods.len(),
                workload.update_revision
            );
            findings.add(Problem::new(workload.reference(), evidence));
        }
    }
    findings
}

fn is_older(pod: &Pod, workload: &Workload) -> bool {
    let revision = pod.labels.get("controller-revision-hash");
    !workload.update_revision.is_empty()
        && revision.is_some_and(|revision| *revision != workload.update_revision)
}

/// SCH-08
pub(super) fn nothing_spreads(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in replicated(snapshot).filter(|one| one.replicas > 1) {
        findings.looked();
        let spec = &workload.template.spec;
        let affinity = &spec.affinity;
        let is_apart = !affinity.anti_required.is_empty() || !affinity.anti_preferred.is_empty();
        if is_apart || !spec.spread.is_empty() {
            continue;
        }
        // What people call directly is away when its node is.
        let is_api = main_container(workload).is_some_and(|one| !one.ports.is_empty());
        let is_bad = is_api && snapshot.is_mainnet(&workload.namespace);
        let evidence = format!(
            "{} replicas, with neither podAntiAffinity nor topologySpreadConstraints",
            workload.replicas
        );
        findings.add(
            Problem::new(workload.reference(), evidence)
                .severity(if is_bad { Severity::High } else { Severity::Medium })
                .field("spec.template.spec.topologySpreadConstraints"),
        );
    }
    findings
}

/// SCH-09
pub(super) fn only_preferred(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let is_wanted =
        |one: Component| one.is_quorum() || matches!(one, Component::Postgres | Component::Redis);
    for set in sets(snapshot, is_wanted).into_iter().filter(|set| set.members() > 1) {
        for workload in &set.workloads {
            findings.looked();
            let spec = &workload.template.spec;
            let hard = |one: &crate::facts::Spread| one.when == Unsatisfiable::DoNotSchedule;
            let is_required =
                !spec.affinity.anti_required.is_empty() || spec.spread.iter().any(hard);
            if is_required || spec.affinity.anti_preferred.is_empty() {
                continue;
            }
            let evidence = format!(
                "its {} members prefer to be apart, and nothing requires it",
                set.members()
            );
            let field = "spec.template.spec.topologySpreadConstraints";
            findings.add(Problem::new(workload.reference(), evidence).field(field));
        }
    }
    findings
}

/// SCH-14
pub(super) fn single_replica(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let deployments = replicated(snapshot).filter(|one| one.kind == WorkloadKind::Deployment);
    for workload in deployments.filter(|one| snapshot.is_mainnet(&one.namespace)) {
        findings.looked();
        let is_one_by_design = component(&workload.name) == Component::Projector;
        let is_meant = is_one_by_design || is_declared_single(snapshot, workload);
        if workload.replicas > 1 || is_meant || is_scaled_to_two(snapshot, workload) {
            continue;
        }
        let evidence = "spec.replicas is 1".to_owned();
        findings.add(Problem::new(workload.reference(), evidence).field("spec.replicas"));
    }
    findings
}

/// Whether an autoscaler never leaves it alone; manifests do not say how many there are then.
fn is_scaled_to_two(snapshot: &Snapshot, workload: &Workload) -> bool {
    let of_it = |one: &&Autoscaler| {
        one.namespace == workload.namespace
            && one.target_kind == workload.kind.as_str()
            && one.target == workload.name
    };
    snapshot.autoscalers.items().iter().filter(of_it).any(|one| one.min > 1)
}

fn is_declared_single(snapshot: &Snapshot, workload: &Workload) -> bool {
    let name = format!("{}/{}", workload.namespace, workload.name);
    let declared = snapshot.declared().into_iter().flat_map(|one| &one.single_replica);
    declared.into_iter().any(|pattern| is_of_pattern(pattern, &name))
}

/// SCH-26
pub(super) fn weak_preference(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let cluster = Cluster::new(snapshot);
    for workload in replicated(snapshot).filter(|one| one.replicas > 1) {
        let preferred = workload.template.spec.affinity.anti_preferred.iter();
        let by_host = preferred.filter(|one| one.term.topology_key == HOSTNAME);
        let Some(weight) = by_host.map(|one| one.weight).max() else { continue };
        findings.looked();
        let pods = snapshot.pods_of(workload);
        let placed = pods.iter().filter(|pod| pod.is_active() && !pod.node.is_empty());
        let mut counts: BTreeMap<&str, usize> = tally(placed.map(|pod| pod.node.as_str()));
        let candidate = Candidate::of_workload(snapshot, workload);
        let open = cluster.eligible(&candidate);
        let free: Vec<&str> = open
            .iter()
            .filter(|one| one.reasons.is_empty() && !counts.contains_key(one.node.as_str()))
            .map(|one| one.node.as_str())
            .collect();
        counts.retain(|_, count| *count > 1);
        if weight < 50 && !counts.is_empty() && !free.is_empty() {
            let evidence = format!(
                "its preference has the weight {weight}; it has {} while {} could take one",
                told(&counts, "on"),
                free.join(", ")
            );
            let field = "spec.template.spec.affinity.podAntiAffinity";
            findings.add(Problem::new(workload.reference(), evidence).field(field));
        }
    }
    findings
}
