//! What is watched, with what, and how long it is kept.

use std::collections::BTreeSet;

use super::super::shared::{Component, component, sets};
use super::super::{Findings, Problem};
use super::alerts::watcher_ref;
use crate::facts::{
    Fact, Known, Monitoring, Object as _, ObjectRef, ScrapeTarget, Snapshot, WorkloadKind,
};

fn targets<'a>(watcher: &'a Monitoring, findings: &mut Findings) -> Option<&'a [ScrapeTarget]> {
    match &watcher.targets {
        Known::Known(targets) => Some(targets),
        Known::Missing(missing) => {
            let what = format!("what it watches: {}", missing.missing);
            findings.unknown(watcher_ref(watcher), what);
            None
        }
    }
}

/// MON-01
pub(super) fn down(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for watcher in snapshot.monitoring.items() {
        let Some(targets) = targets(watcher, &mut findings) else { continue };
        findings.looked();
        let down: Vec<&ScrapeTarget> = targets.iter().filter(|one| !one.up).collect();
        if targets.is_empty() {
            findings.add(Problem::new(watcher_ref(watcher), "it watches nothing"));
        } else if down.len().saturating_mul(10) > targets.len() {
            let jobs: BTreeSet<&str> = down.iter().map(|one| one.job.as_str()).collect();
            let jobs: Vec<&str> = jobs.into_iter().collect();
            let evidence = format!(
                "{} of {} targets do not answer: {}",
                down.len(),
                targets.len(),
                jobs.join(", ")
            );
            findings.add(Problem::new(watcher_ref(watcher), evidence));
        }
    }
    findings
}

/// Kinds that mean something to the operator of Prometheus alone.
const MONITORS: [&str; 4] = ["ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe"];

/// MON-04
pub(super) fn monitors_unread(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let kinds = snapshot.custom_kinds.items().iter();
    let known: BTreeSet<&str> = kinds
        .filter(|one| one.group == "monitoring.coreos.com")
        .map(|one| one.kind.as_str())
        .collect();
    // What a collector could not use it names by its kind.
    let given: BTreeSet<&str> = snapshot
        .notes
        .iter()
        .filter_map(|note| {
            MONITORS.into_iter().find(|kind| note.about.split(' ').next() == Some(kind))
        })
        .collect();
    let operators = snapshot.top_workloads().filter(|one| {
        let is_it =
            one.name.contains("prometheus-operator") || one.name.contains("kube-prometheus");
        one.is_lasting() && is_it && one.ready > 0
    });
    let has_operator = operators.count() > 0;
    findings.looked();
    let lost: Vec<&str> = given.iter().copied().filter(|kind| !known.contains(kind)).collect();
    let subject = ObjectRef::global("Operator", "prometheus-operator");
    if !lost.is_empty() {
        let evidence = format!("{} are given, and the cluster does not know them", lost.join(", "));
        findings.add(Problem::new(subject, evidence));
    } else if known.contains("ServiceMonitor") && !has_operator {
        let evidence = "the cluster knows ServiceMonitor, and no operator runs that reads them";
        findings.add(Problem::new(subject, evidence));
    }
    findings
}

/// MON-05
pub(super) fn network_unwatched(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut all: Vec<&ScrapeTarget> = Vec::new();
    for watcher in snapshot.monitoring.items() {
        all.extend(targets(watcher, &mut findings).unwrap_or_default());
    }
    if snapshot.monitoring.items().iter().all(|one| one.targets.get().is_none()) {
        return findings;
    }
    let wanted =
        |one: Component| matches!(one, Component::Orderer | Component::Peer | Component::CouchDb);
    for set in sets(snapshot, wanted) {
        findings.looked();
        let pods = set.pods(snapshot);
        let is_of_it = |target: &&ScrapeTarget| {
            let (host, _) = target.address.rsplit_once(':').unwrap_or((&target.address, ""));
            let by_address = pods.iter().any(|pod| {
                (!pod.ip.is_empty() && pod.ip == host) || host.split('.').next() == Some(&*pod.name)
            });
            let by_name =
                set.workloads.iter().any(|one| host.split('.').next() == Some(&*one.name));
            // A job that is named after them watches them, wherever they are.
            by_address || by_name || component(target.job.trim_end_matches('s')) == set.component
        };
        if !all.iter().any(is_of_it) {
            let evidence = format!("none of {} targets is one of them", all.len());
            findings.add(Problem::new(set.reference(), evidence));
        }
    }
    findings
}

/// MON-06
pub(super) fn no_probe(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for watcher in snapshot.monitoring.items() {
        let Some(targets) = targets(watcher, &mut findings) else { continue };
        findings.looked();
        let words = ["blackbox", "probe", "synthetic"];
        let probes: Vec<&ScrapeTarget> =
            targets.iter().filter(|one| words.iter().any(|word| one.job.contains(word))).collect();
        let evidence = match probes.as_slice() {
            [] => "none of its jobs probes anything from outside",
            all if all.iter().any(|one| one.up) => continue,
            _ => "none of its probes answers",
        };
        findings.add(Problem::new(watcher_ref(watcher), evidence));
    }
    findings
}

/// MON-07
pub(super) fn no_room(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let stores: Vec<_> = sets(snapshot, |one| one == Component::Prometheus);
    let claims: Vec<_> = stores
        .iter()
        .flat_map(|set| set.pods(snapshot))
        .flat_map(|pod| pod.claims().map(move |name| (pod.namespace.clone(), name)))
        .filter_map(|(namespace, name)| snapshot.claim(&namespace, &name))
        .collect();
    for watcher in snapshot.monitoring.items() {
        let (Some(kept), Some(daily)) = (watcher.retention_seconds, watcher.ingested_bytes_per_day)
        else {
            let what = "how much it takes in and how long it keeps it";
            findings.unknown(watcher_ref(watcher), what);
            continue;
        };
        // The largest that any has: with several it cannot be told whose is whose.
        let room = claims.iter().map(|one| one.capacity_bytes.max(one.bytes)).max();
        let Some(room) = room else {
            findings.unknown(watcher_ref(watcher), "which volume it keeps it on");
            continue;
        };
        findings.looked();
        let needed = daily.saturating_mul(kept) / 86_400;
        if needed > room {
            let evidence = format!(
                "{} days of {} MiB are {} GiB, its volume has {}",
                kept / 86_400,
                daily >> 20,
                needed >> 30,
                room >> 30
            );
            findings.add(Problem::new(watcher_ref(watcher), evidence));
        }
    }
    findings
}

/// MON-08
pub(super) fn dashboards_differ(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for watcher in snapshot.monitoring.items() {
        let shown = match &watcher.dashboards {
            Known::Known(shown) => shown,
            Known::Missing(missing) => {
                findings.unknown_but(
                    watcher_ref(watcher),
                    format!("what Grafana shows: {}", missing.missing),
                    "gx ops ask-script | sh -s -- prometheus URL ALERTMANAGER-URL GRAFANA-URL",
                );
                continue;
            }
        };
        for map in snapshot.config_maps.items() {
            for (uid, declared) in &map.dashboards {
                let evidence = match shown.get(uid).map(|shown| shown.equals(declared)) {
                    Some(Some(true)) => {
                        findings.looked();
                        continue;
                    }
                    Some(None) => {
                        let what = format!("{uid} was hidden with another salt");
                        findings.unknown(map.reference(), what);
                        continue;
                    }
                    Some(Some(false)) => format!("Grafana shows another {uid}"),
                    None => format!("Grafana does not show {uid}"),
                };
                findings.looked();
                findings.add(Problem::new(map.reference(), evidence).field("data"));
            }
        }
    }
    findings
}

/// MON-09
pub(super) fn wrong_port(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_active()) {
        let annotation = |key: &str| {
            pod.annotations.get(key).and_then(|value| value.plain()).unwrap_or_default()
        };
        if annotation("prometheus.io/scrape") != "true" {
            continue;
        }
        let Ok(port) = annotation("prometheus.io/port").parse::<u16>() else {
            // Without a port every port of its containers is tried.
            continue;
        };
        let ports: BTreeSet<u16> =
            pod.spec.all_containers().flat_map(|one| &one.ports).map(|port| port.port).collect();
        if ports.is_empty() {
            findings.unknown(pod.reference(), "which ports its containers have");
            continue;
        }
        findings.looked();
        if !ports.contains(&port) {
            let told: Vec<String> = ports.iter().map(ToString::to_string).collect();
            let evidence = format!("it is to be scraped on {port}, it has {}", told.join(", "));
            let subject =
                snapshot.workload_of(pod).map_or_else(|| pod.reference(), |one| one.reference());
            if findings.problems.iter().any(|one| one.subject == subject) {
                continue;
            }
            let field = "spec.template.metadata.annotations";
            findings.add(Problem::new(subject, evidence).field(field));
        }
    }
    findings
}

/// Agents that are to run on every node.
const AGENTS: [&str; 7] =
    ["node-exporter", "promtail", "fluent-bit", "fluentd", "alloy", "vector", "otel-agent"];

/// MON-10
pub(super) fn agent_missing(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    if let (false, Some(source)) = (snapshot.nodes.is_whole(), snapshot.nodes.sources().first()) {
        let subject = ObjectRef::global("Nodes", source.from.clone());
        findings.unknown_but(subject, "whether these are all nodes", Fact::Nodes.how());
    }
    let agents = snapshot.top_workloads().filter(|one| {
        one.kind == WorkloadKind::DaemonSet && AGENTS.iter().any(|agent| one.name.contains(agent))
    });
    for workload in agents {
        findings.looked();
        let pods = snapshot.pods_of(workload).into_iter().filter(|pod| pod.is_active());
        let on: BTreeSet<&str> = pods.map(|pod| pod.node.as_str()).collect();
        let nodes = snapshot.nodes.items().iter().map(|node| node.name.as_str());
        let without: Vec<&str> = nodes.filter(|name| !on.contains(name)).collect();
        if !without.is_empty() {
            let evidence = format!("it does not run on {}", without.join(", "));
            let field = "spec.template.spec.tolerations";
            findings.add(Problem::new(workload.reference(), evidence).field(field));
        }
    }
    findings
}
