//! Who leads, and under which identities.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::{Role, Severity};

use super::super::shared::network_of;
use super::super::{Findings, Problem};
use super::figures::{figures, telling};
use super::process_ref;
use crate::facts::{Object as _, ObjectRef, Process, Snapshot};

/// For a time after a lease has changed hands two answers can both be true.
const APART: u64 = 15;

/// Workers of a network, each with the processes that know it and whether they lead it.
type Workers<'a> = BTreeMap<(&'a str, &'a str), Vec<(&'a Process, bool)>>;

fn workers<'a>(snapshot: &'a Snapshot, findings: &mut Findings) -> Workers<'a> {
    let mut found = Workers::new();
    for process in telling(snapshot, findings) {
        for (sample, value) in figures(process, "worker_is_leader") {
            let worker = sample.labels.get("worker").map_or("", String::as_str);
            let key = (network_of(snapshot, process), worker);
            found.entry(key).or_default().push((process, value == 1.0));
        }
    }
    found
}

fn worker_ref(network: &str, worker: &str) -> ObjectRef {
    ObjectRef::global("Worker", format!("{network}/{worker}"))
}

/// Pods of the same workloads as these processes that were not asked.
fn not_asked(snapshot: &Snapshot, asked: &[(&Process, bool)]) -> Vec<ObjectRef> {
    let places: BTreeSet<&str> =
        snapshot.processes.items().iter().map(|one| one.place.as_str()).collect();
    let pods = asked.iter().filter_map(|(process, _)| {
        let (namespace, name) = process.place.strip_prefix("Pod ")?.split_once('/')?;
        snapshot.workload_of(snapshot.pod(namespace, name)?)
    });
    let all: BTreeSet<(&str, &str)> = pods
        .flat_map(|workload| snapshot.pods_of(workload))
        .filter(|pod| pod.is_active() && !places.contains(pod.reference().to_string().as_str()))
        .map(|pod| (pod.namespace.as_str(), pod.name.as_str()))
        .collect();
    all.into_iter().map(|(namespace, name)| ObjectRef::new("Pod", namespace, name)).collect()
}

/// PLT-12
pub(super) fn without_leader(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ((network, worker), told) in workers(snapshot, &mut findings) {
        if told.iter().any(|(_, leads)| *leads) {
            findings.looked();
            continue;
        }
        let others = not_asked(snapshot, &told);
        if let Some(other) = others.first() {
            let what = format!("who leads it: {other} was not asked");
            findings.unknown(worker_ref(network, worker), what);
            continue;
        }
        findings.looked();
        let severity = match worker {
            "submitter" | "projector" => Severity::Critical,
            _ => Severity::High,
        };
        let evidence = format!("none of {} processes leads it", told.len());
        findings.add(Problem::new(worker_ref(network, worker), evidence).severity(severity));
    }
    findings
}

/// PLT-13
pub(super) fn several_leaders(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ((network, worker), told) in workers(snapshot, &mut findings) {
        let leaders: Vec<&Process> =
            told.iter().filter(|(_, leads)| *leads).map(|(process, _)| *process).collect();
        let first = leaders.iter().map(|one| one.at).min();
        let last = leaders.iter().map(|one| one.at).max();
        let apart = first.zip(last).map_or(0, |(first, last)| last.seconds_since(first));
        let names: Vec<&str> = leaders.iter().map(|one| one.place.as_str()).collect();
        if names.len() > 1 && apart > APART {
            let what = format!("whether it has one leader: they were asked {apart} seconds apart");
            findings.unknown(worker_ref(network, worker), what);
            continue;
        }
        findings.looked();
        if names.len() > 1 {
            let evidence = format!("{} lead it", names.join(" and "));
            findings.add(Problem::new(worker_ref(network, worker), evidence));
        }
    }
    findings
}

/// Days until the certificates of a process end, by the role that signs with them.
fn certificates(process: &Process) -> BTreeMap<&str, f64> {
    let told = figures(process, "certificate_expiry_days");
    told.filter_map(|(sample, days)| Some((sample.labels.get("role")?.as_str(), days))).collect()
}

/// PLT-14
pub(super) fn lane_without_identity(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for process in telling(snapshot, &mut findings) {
        let signs = certificates(process);
        // A process on the embedded ledger signs nothing, nor does one that only serves.
        if signs.is_empty() {
            continue;
        }
        findings.looked();
        let missing: Vec<&str> =
            Role::ALL.iter().map(Role::as_str).filter(|role| !signs.contains_key(role)).collect();
        if !missing.is_empty() {
            let evidence = format!("its wallet has no identity for {}", missing.join(", "));
            findings.add(Problem::new(process_ref(process), evidence));
        }
    }
    findings
}

/// PLT-15
pub(super) fn lane_certificate(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for process in telling(snapshot, &mut findings) {
        for (role, days) in certificates(process) {
            findings.looked();
            let severity = match days {
                days if days < 3.0 => Severity::Critical,
                days if days < 14.0 => Severity::High,
                _ => continue,
            };
            let evidence = match days > 0.0 {
                true => format!("the certificate of {role} ends in {days:.0} days"),
                false => format!("the certificate of {role} has ended"),
            };
            findings.add(Problem::new(process_ref(process), evidence).severity(severity));
        }
    }
    findings
}
