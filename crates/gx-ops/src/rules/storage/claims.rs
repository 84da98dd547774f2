//! Claims: whether they have what they ask for, and where it lies.

use gx_types::Severity;

use super::super::shared::{CRITICAL, Component, newest_backup, stems};
use super::super::{Findings, Problem};
use super::local::{folder, is_local};
use crate::facts::{
    BindingMode, Claim, Fact, Object as _, ObjectRef, Pod, Snapshot, StorageClass, VolumeSource,
    WorkloadKind,
};

const FIVE_MINUTES: u64 = 300;
const DAY: u64 = 86_400;

fn has_word(name: &str, wanted: &[&str]) -> bool {
    stems(name).iter().any(|word| wanted.contains(&word.as_str()))
}

/// Whether the loss of a claim's data is a loss. What backups and exporters keep is not the data.
pub(super) fn is_critical(name: &str) -> bool {
    let is_copy = stems(name).iter().any(|word| word.starts_with("backup") || word == "exporter");
    !is_copy && has_word(name, &CRITICAL)
}

const AUTHORITIES: [&str; 5] = ["authority", "authorities", "ca", "cas", "tlsca"];

/// STO-01
pub(super) fn authority_on_one_host(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for claim in snapshot.claims.items().iter().filter(|one| has_word(&one.name, &AUTHORITIES)) {
        let host = match is_local(snapshot, claim) {
            Ok(Some(host)) => host,
            Ok(None) => {
                findings.looked();
                continue;
            }
            Err(why) => {
                findings.unknown(claim.reference(), why);
                continue;
            }
        };
        if let Some(why) = snapshot.lacks(Fact::Backups) {
            let what = format!("whether its keys are backed up: {why}");
            findings.unknown_but(claim.reference(), what, Fact::Backups.how());
            continue;
        }
        findings.looked();
        let environment = snapshot.environment(&claim.namespace).unwrap_or_default();
        let newest = newest_backup(snapshot, environment, Component::Authority);
        let newest = newest.map(|(backup, artifact)| (snapshot.age(artifact.at), backup));
        let evidence = match newest {
            None => format!("it lies on {host} alone, and no backup has it"),
            Some((age, _)) if age > DAY => {
                format!("it lies on {host} alone; its newest backup is {} hours old", age / 3600)
            }
            Some((_, backup)) if !backup.host.is_empty() && backup.host == host => {
                format!("it lies on {host} alone, and so does its backup")
            }
            Some(_) => continue,
        };
        findings.add(Problem::new(claim.reference(), evidence));
    }
    findings
}

const DATABASES: [&str; 7] = ["couchdb", "database", "db", "mongo", "mysql", "postgres", "redis"];

/// STO-02
pub(super) fn database_on_one_host(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let claims = snapshot.claims.items().iter().filter(|claim| {
        let is_copy = stems(&claim.name).iter().any(|word| word.starts_with("backup"));
        snapshot.is_mainnet(&claim.namespace) && has_word(&claim.name, &DATABASES) && !is_copy
    });
    for claim in claims {
        match is_local(snapshot, claim) {
            Err(why) => findings.unknown(claim.reference(), why),
            Ok(None) => findings.looked(),
            Ok(Some(host)) => {
                findings.looked();
                let class = claim.class.as_deref().unwrap_or("no class");
                let evidence = format!("{class} keeps it on {host} alone");
                let problem = Problem::new(claim.reference(), evidence);
                findings.add(problem.field("spec.storageClassName"));
            }
        }
    }
    findings
}

/// STO-03
pub(super) fn no_such_claim(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let workloads = snapshot.top_workloads().filter(|one| {
        // What is scaled to nothing mounts nothing.
        one.replicas > 0 || one.kind == WorkloadKind::CronJob
    });
    for workload in workloads {
        for volume in &workload.template.spec.volumes {
            let VolumeSource::Claim(name) = &volume.source else { continue };
            // A StatefulSet makes the claims of its templates itself.
            if workload.claim_templates.iter().any(|template| template.name == volume.name) {
                continue;
            }
            if snapshot.claim(&workload.namespace, name).is_some() {
                findings.looked();
                continue;
            }
            if !snapshot.claims.is_whole() {
                let what = format!("whether there is a claim {name}: not all were collected");
                findings.unknown(workload.reference(), what);
                continue;
            }
            findings.looked();
            let there = snapshot.claims.items().iter();
            let there: Vec<&str> = there
                .filter(|claim| claim.namespace == workload.namespace)
                .map(|claim| claim.name.as_str())
                .collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            let evidence = format!(
                "its volume {} names the claim {name}; the claims of the namespace are {there}",
                volume.name
            );
            let problem = Problem::new(workload.reference(), evidence);
            findings
                .add(problem.field("spec.template.spec.volumes[].persistentVolumeClaim.claimName"));
        }
    }
    findings
}

/// The class of a claim: the one that it names, else the default one.
fn class<'a>(snapshot: &'a Snapshot, claim: &Claim) -> Option<&'a StorageClass> {
    let classes = snapshot.storage_classes.items();
    match &claim.class {
        Some(name) => classes.iter().find(|one| one.name == *name),
        None => classes.iter().find(|one| one.is_default),
    }
}

/// STO-04
pub(super) fn not_bound(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for claim in snapshot.claims.items() {
        if claim.phase == "Lost" {
            findings.looked();
            let evidence = format!("Lost: its volume {} is not there", claim.volume);
            findings.add(Problem::new(claim.reference(), evidence));
            continue;
        }
        if claim.phase != "Pending" {
            findings.looked();
            continue;
        }
        let Some(created) = claim.created else {
            findings.unknown(claim.reference(), "since when it is pending is not told");
            continue;
        };
        findings.looked();
        let age = snapshot.age(created);
        let class = class(snapshot, claim);
        let users = snapshot.users_of(claim);
        let users: Vec<&&Pod> = users.iter().filter(|pod| pod.is_active()).collect();
        // Such a claim is bound when somebody needs it, and not before.
        let waits = class.is_some_and(|one| one.binding == BindingMode::WaitForFirstConsumer);
        if age <= FIVE_MINUTES || (waits && users.is_empty()) {
            continue;
        }
        let of = match (class, &claim.class) {
            (Some(class), _) => format!("of class {}", class.name),
            (None, Some(name)) => format!("of the class {name}, which there is not"),
            (None, None) => "of no class, and there is no default one".to_owned(),
        };
        let evidence = format!("Pending for {} minutes, {of}", age / 60);
        let problem = Problem::new(claim.reference(), evidence).field("spec.storageClassName");
        // A volume is made where its pod goes; a pod that no node takes has none.
        let held = users.iter().find(|pod| waits && pod.is_unplaced());
        findings.add(match held {
            Some(pod) => problem.because(pod.reference()),
            None => problem,
        });
    }
    findings
}

/// STO-09
pub(super) fn stuck_deleting(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for claim in snapshot.claims.items() {
        findings.looked();
        let Some(deleting) = claim.deleting else { continue };
        let age = snapshot.age(deleting);
        if age <= 2 * FIVE_MINUTES {
            continue;
        }
        let users = snapshot.users_of(claim);
        let users: Vec<String> = users.iter().map(|pod| pod.reference().to_string()).collect();
        let users = if users.is_empty() { "no pod mounts it".to_owned() } else { users.join(", ") };
        let evidence = format!(
            "being deleted for {} minutes; finalizers {}; {users}",
            age / 60,
            claim.finalizers.join(", ")
        );
        findings.add(Problem::new(claim.reference(), evidence));
    }
    findings
}

/// STO-10
pub(super) fn nearly_full(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for claim in snapshot.claims.items().iter().filter(|claim| claim.phase == "Bound") {
        // What was asked for counts only until there is a volume; more may have been asked since.
        let has = [claim.capacity_bytes, claim.bytes].into_iter().find(|bytes| *bytes > 0);
        let capacity = has.unwrap_or(0);
        let used = claim.used_bytes.or_else(|| folder(snapshot, claim).map(|one| one.bytes));
        let (Some(used), false) = (used, capacity == 0) else {
            findings.unknown_but(claim.reference(), "how much of it is used", STATS);
            continue;
        };
        findings.looked();
        let percent = used.saturating_mul(100) / capacity;
        let severity = match percent {
            96.. => Severity::Critical,
            81.. => Severity::Medium,
            _ => continue,
        };
        let evidence = format!("{percent} % used, {} of {} MiB", used >> 20, capacity >> 20);
        let problem = Problem::new(claim.reference(), evidence).severity(severity);
        findings.add(problem.field("spec.resources.requests.storage"));
    }
    findings
}

const STATS: &str = "kubectl get --raw /api/v1/nodes/NODE/proxy/stats/summary";

/// STO-12
pub(super) fn cannot_grow(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let growing: Vec<&Claim> =
        snapshot.claims.items().iter().filter(|claim| is_critical(&claim.name)).collect();
    for claim in &growing {
        if class(snapshot, claim).is_none() && claim.class.as_deref() != Some("") {
            findings.unknown(claim.reference(), "its class was not collected, or is not there");
        }
    }
    for class_ in snapshot.storage_classes.items() {
        let of = growing
            .iter()
            .filter(|claim| class(snapshot, claim).is_some_and(|one| one.name == class_.name));
        let names: Vec<String> =
            of.map(|claim| format!("{}/{}", claim.namespace, claim.name)).collect();
        if names.is_empty() {
            continue;
        }
        findings.looked();
        if !class_.expandable {
            let some = names.get(..names.len().min(5)).unwrap_or_default().join(", ");
            let evidence = format!(
                "allowVolumeExpansion is not true, and {} claims of growing data have it: {some}",
                names.len()
            );
            let problem = Problem::new(class_.reference(), evidence);
            findings.add(problem.field("allowVolumeExpansion"));
        }
    }
    findings
}

/// STO-15
pub(super) fn quota_used_up(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for quota in snapshot.quotas.items() {
        let of_claims = quota
            .hard
            .0
            .iter()
            .filter(|(name, _)| name.rsplit('/').next() == Some("persistentvolumeclaims"));
        for (name, hard) in of_claims {
            let Some(used) = quota.used.0.get(name) else {
                findings.unknown(quota.reference(), format!("how much of {name} is used"));
                continue;
            };
            findings.looked();
            if used.saturating_add(1) >= *hard {
                let evidence = format!("{used} of {hard} {name} are used");
                let problem = Problem::new(quota.reference(), evidence);
                findings.add(problem.field("spec.hard.persistentvolumeclaims"));
            }
        }
    }
    findings
}

/// The node that a host name is of, for findings that follow from it.
pub(super) fn node_of(snapshot: &Snapshot, host: &str) -> Option<ObjectRef> {
    snapshot.node_of_hostname(host).or_else(|| snapshot.node(host)).map(|node| node.reference())
}
