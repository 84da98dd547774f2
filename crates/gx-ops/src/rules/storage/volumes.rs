//! Volumes: whether what they promise is there, and stays.

use gx_types::Severity;

use super::super::{Findings, Problem};
use super::claims::{is_critical, node_of};
use super::local::{ROOTS, host, host_of, is_looked_at};
use crate::facts::{Fact, Host, Known, Object as _, ObjectRef, PersistentVolume, Snapshot, Unit};

/// The claim of a volume by name, or that it has none.
fn claim_of(volume: &PersistentVolume) -> String {
    match &volume.claim {
        Some(claim) => format!("{}/{}", claim.namespace, claim.name),
        None => "no claim".to_owned(),
    }
}

fn local(snapshot: &Snapshot) -> impl Iterator<Item = (&PersistentVolume, &str)> {
    let volumes = snapshot.volumes.items().iter();
    let volumes = volumes.filter(|one| ["hostPath", "local"].contains(&one.source.as_str()));
    volumes.filter_map(|volume| Some((volume, host_of(volume)?)))
}

fn told_under_node(snapshot: &Snapshot, host: &str, problem: Problem) -> Problem {
    match node_of(snapshot, host) {
        Some(node) => problem.because(node),
        None => problem,
    }
}

/// STO-05
pub(super) fn folder_gone(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (volume, name) in local(snapshot).filter(|(volume, _)| volume.phase == "Bound") {
        let Some(host) = host(snapshot, name) else {
            findings.unknown(volume.reference(), format!("what lies on {name}"));
            continue;
        };
        let folders = match &host.volumes {
            Known::Known(folders) => folders,
            Known::Missing(missing) => {
                let what = format!("what lies on {name}: {}", missing.missing);
                findings.unknown(volume.reference(), what);
                continue;
            }
        };
        let is_there = folders.iter().any(|one| one.path == volume.path);
        if !is_there && !is_looked_at(&volume.path) {
            let what = format!("whether {} is on {name}", volume.path);
            findings.unknown_but(volume.reference(), what, "look on the host: ls -la PATH");
            continue;
        }
        findings.looked();
        if !is_there {
            let evidence = format!("{} of {} is not on {name}", volume.path, claim_of(volume));
            let problem = Problem::new(volume.reference(), evidence);
            findings.add(told_under_node(snapshot, name, problem));
        }
    }
    findings
}

/// STO-06
pub(super) fn older_than_node(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (volume, name) in local(snapshot) {
        let node = snapshot.node_of_hostname(name).or_else(|| snapshot.node(name));
        let Some(node) = node else {
            if !snapshot.nodes.is_whole() {
                findings.unknown(volume.reference(), format!("when {name} was registered"));
                continue;
            }
            findings.looked();
            let evidence =
                format!("{} can be used on {name} alone, which is no node", claim_of(volume));
            findings.add(Problem::new(volume.reference(), evidence));
            continue;
        };
        let (Some(made), Some(registered)) = (volume.created, node.created) else {
            findings.unknown(volume.reference(), "when it was made, or its node registered");
            continue;
        };
        findings.looked();
        if made < registered {
            let evidence = format!(
                "{}: made {made} on {}, which was registered {registered}",
                claim_of(volume),
                node.name
            );
            findings.add(Problem::new(volume.reference(), evidence).because(node.reference()));
        }
    }
    findings
}

/// STO-07
pub(super) fn left_over(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for volume in snapshot.volumes.items() {
        findings.looked();
        if !["Failed", "Released"].contains(&volume.phase.as_str()) {
            continue;
        }
        let since = volume.phase_since.map_or_else(String::new, |since| format!(" since {since}"));
        let evidence = format!(
            "{}{since}; it was of {}, and its reclaim policy is {}",
            volume.phase,
            claim_of(volume),
            volume.reclaim
        );
        findings.add(Problem::new(volume.reference(), evidence));
    }
    findings
}

/// STO-08
pub(super) fn deleted_with_claim(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for volume in snapshot.volumes.items().iter().filter(|volume| volume.phase == "Bound") {
        let Some(claim) = volume.claim.as_ref().filter(|claim| is_critical(&claim.name)) else {
            continue;
        };
        findings.looked();
        if volume.reclaim != "Delete" {
            continue;
        }
        // Data of test environments are to be lost from time to time.
        let severity = match snapshot.environment(&claim.namespace) {
            Some("devnet" | "testnet") => Severity::Low,
            _ => Severity::High,
        };
        let evidence = format!("{} is deleted with its claim", claim_of(volume));
        let problem = Problem::new(volume.reference(), evidence).severity(severity);
        findings.add(problem.field("spec.persistentVolumeReclaimPolicy"));
    }
    findings
}

/// A runtime's folder, and the services that use it.
const FOLDERS: [(&str, &[&str]); 3] = [
    ("/var/lib/docker", &["docker.service"]),
    ("/var/lib/containerd", &["containerd.service", "docker.service"]),
    ("/var/lib/rancher/k3s/agent/containerd", &["k3s.service", "k3s-agent.service"]),
];

/// STO-11
pub(super) fn runtime_left_over(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let subject = ObjectRef::global("Host", &host.name);
        let (folders, units) = match (&host.runtime_folders, &host.units) {
            (Known::Known(folders), Known::Known(units)) => (folders, units),
            (Known::Missing(missing), _) | (_, Known::Missing(missing)) => {
                let what = format!("its runtimes and their folders: {}", missing.missing);
                findings.unknown(subject, what);
                continue;
            }
        };
        findings.looked();
        let runs =
            |name: &&str| units.iter().any(|unit| unit.name == **name && unit.active == "active");
        let idle = FOLDERS.iter().filter(|(_, users)| !users.iter().any(runs));
        let idle = idle.filter_map(|(path, _)| folders.iter().find(|one| one.path == *path));
        let large: Vec<String> = idle
            .filter(|one| one.bytes > 1 << 30)
            .map(|one| format!("{} has {} GiB", one.path, one.bytes >> 30))
            .collect();
        if !large.is_empty() {
            let evidence = format!("{}, and no runtime that uses it is active", large.join(", "));
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// STO-13
pub(super) fn replicas_short(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for volume in snapshot.longhorn.items() {
        // Of a volume that no node has attached Longhorn says nothing.
        let is_used = volume.state == "attached";
        let nodes: std::collections::BTreeSet<&str> =
            volume.replica_nodes.iter().map(String::as_str).collect();
        let mut wrong = Vec::new();
        if is_used && volume.robustness != "healthy" {
            wrong.push(format!("it is {}", volume.robustness));
        } else if volume.robustness == "faulted" {
            wrong.push("it is faulted".to_owned());
        }
        if volume.replicas_wanted < 3 {
            wrong.push(format!("numberOfReplicas is {}", volume.replicas_wanted));
        }
        if nodes.len() == 1 {
            let nodes: Vec<&str> = nodes.iter().copied().collect();
            wrong.push(format!("all its replicas are on {}", nodes.join(", ")));
        }
        if wrong.is_empty() && nodes.is_empty() && is_used {
            findings.unknown(volume.reference(), "which nodes hold its replicas");
            continue;
        }
        findings.looked();
        if !wrong.is_empty() {
            let problem = Problem::new(volume.reference(), wrong.join("; "));
            findings.add(problem.field("spec.numberOfReplicas"));
        }
    }
    findings
}

/// Whether Longhorn is there, or is declared to be.
fn wants_longhorn(snapshot: &Snapshot) -> bool {
    let of_name = |name: &str| name == "longhorn-system";
    let declared = snapshot.declared().into_iter().flat_map(|one| &one.must_exist);
    let mut declared = declared.into_iter();
    !snapshot.longhorn.items().is_empty()
        || snapshot.storage_classes.items().iter().any(|one| one.provisioner.contains("longhorn"))
        || snapshot.workloads.items().iter().any(|one| of_name(&one.namespace))
        || declared.any(|one| of_name(&one.namespace) || of_name(&one.name))
}

/// STO-14
pub(super) fn without_iscsi(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    if !wants_longhorn(snapshot) {
        return findings;
    }
    for node in snapshot.nodes.items() {
        let names = [node.hostname(), node.name.as_str()];
        let mut hosts = snapshot.hosts.items().iter();
        let host: Option<&Host> = hosts.find(|host| names.contains(&host.name.as_str()));
        let units = match host.map(|host| &host.units) {
            Some(Known::Known(units)) => units,
            Some(Known::Missing(missing)) => {
                let what = format!("which services it has: {}", missing.missing);
                findings.unknown(node.reference(), what);
                continue;
            }
            None => {
                findings.unknown(node.reference(), "the facts of its host were not collected");
                continue;
            }
        };
        findings.looked();
        let names = ["iscsid.service", "iscsid.socket", "open-iscsi.service"];
        let own: Vec<&Unit> =
            units.iter().filter(|unit| names.contains(&unit.name.as_str())).collect();
        // It is started by its socket when it is needed first.
        let can = |unit: &&Unit| unit.active == "active" || unit.enabled == "enabled";
        if own.iter().any(can) {
            continue;
        }
        let evidence = match own.first() {
            None => "neither iscsid.service nor its socket is there".to_owned(),
            Some(unit) => format!("{} is {}, and not enabled", unit.name, unit.active),
        };
        findings.add(Problem::new(node.reference(), evidence));
    }
    findings
}

/// STO-16
pub(super) fn orphans(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let subject = ObjectRef::global("Host", &host.name);
        let folders = match &host.volumes {
            Known::Known(folders) => folders,
            Known::Missing(missing) => {
                findings.unknown(subject, format!("its folders: {}", missing.missing));
                continue;
            }
        };
        if !folders.is_empty() && !snapshot.volumes.is_whole() {
            let what = "whose its folders are: not all volumes were collected";
            findings.unknown_but(subject, what, Fact::Volumes.how());
            continue;
        }
        findings.looked();
        let has_volume = |path: &str| {
            let volumes = snapshot.volumes.items().iter();
            let mut same = volumes.filter(|one| one.path == path);
            same.any(|one| host_of(one).is_none_or(|at| is_host(snapshot, at, &host.name)))
        };
        let below = folders.iter().filter(|one| is_looked_at(&one.path));
        let orphans: Vec<String> = below
            .filter(|one| !has_volume(&one.path))
            .map(|one| format!("{} ({} MiB)", one.path, one.bytes >> 20))
            .collect();
        if !orphans.is_empty() {
            let some = orphans.get(..orphans.len().min(10)).unwrap_or_default().join(", ");
            let evidence = format!(
                "{} folders below {} are of no volume: {some}",
                orphans.len(),
                ROOTS.join(" or ")
            );
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// Whether the host that a volume is bound to is this one.
fn is_host(snapshot: &Snapshot, bound: &str, name: &str) -> bool {
    bound == name || snapshot.node_of_hostname(bound).is_some_and(|node| node.name == name)
}
