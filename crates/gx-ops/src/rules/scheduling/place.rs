//! Whether there is a node for each pod.

use std::collections::BTreeSet;

use super::super::shared::{CRITICAL, HOSTNAME, keeps_apart, lasting, replicated, stems};
use super::super::{Findings, Problem};
use crate::facts::{Effect, Node, Object as _, ObjectRef, Snapshot, Workload, WorkloadKind};
use crate::placement::{Candidate, Cluster, Reason, Verdict};

/// SCH-04
pub(super) fn more_replicas_than_nodes(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let cluster = Cluster::new(snapshot);
    for workload in replicated(snapshot) {
        let Some(selector) = keeps_apart(workload).next() else { continue };
        findings.looked();
        // One StatefulSet for each member is the same as one for all of them.
        let alike = replicated(snapshot).filter(|other| {
            other.namespace == workload.namespace && selector.matches(&other.template.labels)
        });
        let replicas: u32 = alike.map(|one| one.replicas).fold(0, u32::saturating_add);
        let eligible = cluster.eligible(&Candidate::of_workload(snapshot, workload));
        let open = eligible.iter().filter(|one| one.reasons.is_empty());
        let hosts: BTreeSet<&str> = open
            .filter_map(|one| snapshot.node(&one.node))
            .filter_map(|node| node.labels.get(HOSTNAME).map(String::as_str))
            .collect();
        if usize::try_from(replicas).unwrap_or(usize::MAX) > hosts.len() {
            let evidence = format!(
                "{replicas} replicas need a node each; {} of {} nodes may take one{}",
                hosts.len(),
                eligible.len(),
                excluded(&eligible)
            );
            let field = "spec.template.spec.affinity.podAntiAffinity";
            findings.add(Problem::new(workload.reference(), evidence).field(field));
        }
    }
    findings
}

/// Why which nodes are excluded, as a list to be added to a sentence.
fn excluded(verdicts: &[Verdict]) -> String {
    let closed = verdicts.iter().filter(|one| !one.reasons.is_empty());
    let closed: Vec<String> = closed
        .map(|one| {
            let reasons: Vec<String> =
                one.reasons.iter().map(|r| r.to_string().replace("node(s) ", "")).collect();
            format!("{} {}", one.node, reasons.join(" and "))
        })
        .collect();
    if closed.is_empty() { String::new() } else { format!(" ({})", closed.join("; ")) }
}

/// SCH-05
pub(super) fn volume_where_pod_may_not_go(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let cluster = Cluster::new(snapshot);
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_unplaced()) {
        let claims = pod.claims().filter_map(|name| snapshot.claim(&pod.namespace, &name));
        let volumes = claims.filter_map(|claim| snapshot.volume(&claim.volume));
        let bound = volumes.filter(|volume| volume.node_terms.is_some());
        let Some(volume) = bound.into_iter().next() else { continue };
        findings.looked();
        let verdicts = cluster.eligible(&Candidate::of_pod(snapshot, pod));
        if verdicts.iter().any(|one| one.reasons.is_empty()) {
            continue;
        }
        let hosts = volume.hostnames();
        let is_there = |one: &&Verdict| !one.reasons.contains(&Reason::VolumeElsewhere);
        let there: Vec<&Verdict> = verdicts.iter().filter(is_there).collect();
        // What keeps the pod away is said of the node, when there is one.
        let node = hosts.first().and_then(|host| snapshot.node_of_hostname(host));
        let cause = node.map_or_else(|| volume.reference(), |node| node.reference());
        let evidence = match there.as_slice() {
            [] => format!(
                "{} can be used on {} alone, which is no node of the cluster",
                volume.name,
                hosts.join(", ")
            ),
            _ => format!(
                "{} can be used on {} alone, where the pod may not go{}",
                volume.name,
                hosts.join(", "),
                excluded(&there.into_iter().cloned().collect::<Vec<Verdict>>())
            ),
        };
        findings.add(Problem::new(pod.reference(), evidence).because(cause));
    }
    findings
}

/// Nodes that selector and required affinity of a workload lead to.
fn selected<'a>(snapshot: &'a Snapshot, workload: &Workload) -> Vec<&'a Node> {
    let spec = &workload.template.spec;
    let nodes = snapshot.nodes.items().iter();
    let is_selected = |node: &&Node| {
        let labels = spec.node_selector.iter();
        let mut labels = labels.map(|(key, value)| node.labels.get(key) == Some(value));
        let terms = spec.affinity.node_required.as_ref();
        let affinity =
            terms.is_none_or(|terms| terms.iter().any(|one| one.matches(&node.name, &node.labels)));
        labels.all(|holds| holds) && affinity
    };
    nodes.filter(is_selected).collect()
}

fn selects(workload: &Workload) -> bool {
    let spec = &workload.template.spec;
    !spec.node_selector.is_empty() || spec.affinity.node_required.is_some()
}

/// SCH-06
pub(super) fn selected_are_tainted(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let cluster = Cluster::new(snapshot);
    for workload in lasting(snapshot).filter(|one| selects(one)) {
        let nodes = selected(snapshot, workload);
        if nodes.is_empty() {
            continue;
        }
        findings.looked();
        let verdicts = cluster.eligible(&Candidate::of_workload(snapshot, workload));
        let is_tainted = |node: &&Node| {
            let verdict = verdicts.iter().find(|one| one.node == node.name);
            verdict.is_some_and(|one| one.reasons.contains(&Reason::Taint))
        };
        if !nodes.iter().all(is_tainted) {
            continue;
        }
        let told: Vec<String> = nodes
            .iter()
            .map(|node| {
                let hard = node.taints.iter().filter(|one| one.effect != Effect::PreferNoSchedule);
                let taints: Vec<String> =
                    hard.map(|one| format!("{}={}:{:?}", one.key, one.value, one.effect)).collect();
                format!("{} has {}", node.name, taints.join(", "))
            })
            .collect();
        let field = "spec.template.spec.tolerations";
        findings.add(Problem::new(workload.reference(), told.join("; ")).field(field));
    }
    findings
}

/// SCH-07
pub(super) fn nothing_selected(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    // A DaemonSet for a kind of node that is not there is as it should be.
    let workloads = lasting(snapshot).filter(|one| one.kind != WorkloadKind::DaemonSet);
    for workload in workloads.filter(|one| selects(one)) {
        findings.looked();
        if !selected(snapshot, workload).is_empty() {
            continue;
        }
        let spec = &workload.template.spec;
        let labels = spec.node_selector.iter().map(|(key, value)| format!("{key}={value}"));
        let terms = spec.affinity.node_required.iter().flatten();
        let wanted = terms.flat_map(|term| term.expressions.iter().chain(&term.fields));
        let wanted =
            wanted.map(|one| format!("{} {:?} {}", one.key, one.operator, one.values.join(",")));
        let wanted: Vec<String> = labels.chain(wanted).collect();
        let evidence =
            format!("none of {} nodes has {}", snapshot.nodes.items().len(), wanted.join(", "));
        let field = "spec.template.spec.nodeSelector";
        findings.add(Problem::new(workload.reference(), evidence).field(field));
    }
    findings
}

/// SCH-25
pub(super) fn backup_beside_data(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let is_backup = |name: &str| stems(name).iter().any(|word| word.starts_with("backup"));
    let hosts = |volume: &str| -> Vec<&str> {
        snapshot.volume(volume).map(|volume| volume.hostnames()).unwrap_or_default()
    };
    let claims = snapshot.claims.items();
    for backup in claims.iter().filter(|claim| is_backup(&claim.name)) {
        if snapshot.volume(&backup.volume).is_none() {
            continue;
        }
        findings.looked();
        let at = hosts(&backup.volume);
        // A backup names what it protects; one that does not protects all of its namespace.
        let own: Vec<String> = stems(&backup.name);
        let named: Vec<&&str> =
            CRITICAL.iter().filter(|word| own.iter().any(|own| own == **word)).collect();
        let beside = claims.iter().filter(|claim| {
            let is_data = stems(&claim.name).iter().any(|word| {
                let word = word.as_str();
                if named.is_empty() { CRITICAL.contains(&word) } else { named.contains(&&word) }
            });
            claim.namespace == backup.namespace
                && !is_backup(&claim.name)
                && is_data
                && hosts(&claim.volume).iter().any(|host| at.contains(host))
        });
        let beside: Vec<&str> = beside.map(|claim| claim.name.as_str()).collect();
        if !beside.is_empty() {
            let evidence = format!("it lies on {} with {}", at.join(", "), beside.join(", "));
            let cause = ObjectRef::new(backup.kind(), &backup.namespace, &backup.name);
            findings.add(Problem::new(cause, evidence).field("spec.storageClassName"));
        }
    }
    findings
}
