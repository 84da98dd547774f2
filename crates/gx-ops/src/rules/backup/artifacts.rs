//! What lies at the targets: how old, how large, how whole, how well tried.

use gx_types::Severity;

use super::super::shared::{Component, is_backup_name};
use super::super::{Findings, Problem};
use crate::facts::{Artifact, Backup, Known, ObjectRef, Snapshot, WorkloadKind};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

pub(super) fn backup_ref(backup: &Backup) -> ObjectRef {
    let name = match backup.target.as_str() {
        "" => backup.component.clone(),
        target => format!("{} {target}", backup.component),
    };
    ObjectRef::new("Backup", &backup.environment, name)
}

/// Backups that something is known to lie of, or to have been meant to.
fn backups(snapshot: &Snapshot) -> impl Iterator<Item = &Backup> {
    let all = snapshot.backups.items().iter();
    all.filter(|one| !one.target.is_empty() || !one.artifacts.is_empty())
}

pub(super) fn newest(backup: &Backup) -> Option<&Artifact> {
    backup.artifacts.iter().max_by_key(|one| one.at)
}

/// BKP-02
pub(super) fn too_old(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let declared = snapshot.declared().and_then(|one| one.thresholds.backup_hours);
    let most = u64::from(declared.unwrap_or(24)).saturating_mul(HOUR);
    for backup in backups(snapshot) {
        findings.looked();
        let Some(newest) = newest(backup) else {
            findings.add(Problem::new(backup_ref(backup), "there is none at this target"));
            continue;
        };
        let age = snapshot.age(newest.at);
        // One that is made each week is not old after a day.
        let allowed = match backup.interval_seconds {
            Some(interval) => interval.saturating_add(interval / 2),
            None => most,
        };
        if age > allowed {
            let failed = match (backup.last_run, &backup.last_run_failed) {
                (Some(at), Known::Known(true)) => format!("; the run of {at} failed"),
                (_, Known::Known(_) | Known::Missing(_)) => String::new(),
            };
            let evidence =
                format!("the newest is of {}, {} hours ago{failed}", newest.at, age / HOUR);
            findings.add(Problem::new(backup_ref(backup), evidence));
        }
    }
    findings
}

/// Bytes below which a backup is none. An empty gzip has 20; an empty Redis is 88.
fn floor(component: &str) -> u64 {
    if is_backup_name(component, Component::Redis) {
        88
    } else if component != "platform" && is_backup_name(component, Component::Postgres) {
        50_000
    } else {
        21
    }
}

/// BKP-03
pub(super) fn too_small(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for backup in backups(snapshot).filter(|one| !one.artifacts.is_empty()) {
        findings.looked();
        let floor = floor(&backup.component);
        let small: Vec<&Artifact> =
            backup.artifacts.iter().filter(|one| one.bytes < floor).collect();
        let Some(worst) = small.iter().max_by_key(|one| one.at) else { continue };
        let evidence = format!(
            "{} of {} have fewer than {floor} bytes; {} has {}",
            small.len(),
            backup.artifacts.len(),
            worst.name,
            worst.bytes
        );
        findings.add(Problem::new(backup_ref(backup), evidence));
    }
    findings
}

/// BKP-04
pub(super) fn odd_size(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for backup in backups(snapshot) {
        let mut all: Vec<&Artifact> = backup.artifacts.iter().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.at));
        let Some((newest, before)) = all.split_first() else { continue };
        let mut sizes: Vec<u64> = before.iter().take(7).map(|one| one.bytes).collect();
        // Of two or three there is no usual size.
        if sizes.len() < 3 {
            continue;
        }
        findings.looked();
        sizes.sort_unstable();
        let Some(median) = sizes.get(sizes.len() / 2).copied() else { continue };
        let apart = newest.bytes.abs_diff(median);
        if apart.saturating_mul(2) > median {
            let evidence =
                format!("{} has {} bytes, those before it {median}", newest.name, newest.bytes);
            findings.add(Problem::new(backup_ref(backup), evidence));
        }
    }
    findings
}

/// BKP-05
pub(super) fn parts_missing(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for backup in backups(snapshot) {
        let Some(newest) = newest(backup) else { continue };
        findings.looked();
        if !newest.missing_parts.is_empty() {
            let evidence = format!("{} lacks {}", newest.name, newest.missing_parts.join(", "));
            findings.add(Problem::new(backup_ref(backup), evidence));
        }
    }
    findings
}

/// BKP-09
pub(super) fn not_drilled(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for backup in backups(snapshot).filter(|one| !one.artifacts.is_empty()) {
        findings.looked();
        let last = backup.artifacts.iter().filter_map(|one| one.drilled).max();
        let age = last.map(|last| snapshot.age(last));
        let (severity, evidence) = match (last, age) {
            (Some(last), Some(age)) if age > 7 * DAY => {
                let severity = if age > 30 * DAY { Severity::High } else { Severity::Medium };
                (severity, format!("last restored {last}, {} days ago", age / DAY))
            }
            (Some(_), _) => continue,
            (None, _) => (Severity::High, "none of it was ever restored".to_owned()),
        };
        findings.add(Problem::new(backup_ref(backup), evidence).severity(severity));
    }
    findings
}

/// BKP-10
pub(super) fn last_verified_goes(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for backup in backups(snapshot).filter(|one| !one.artifacts.is_empty()) {
        let Some(days) = backup.retention_days else {
            findings.unknown(backup_ref(backup), "for how long it is kept");
            continue;
        };
        findings.looked();
        let kept = u64::from(days).saturating_mul(DAY);
        let verified: Vec<&Artifact> = backup
            .artifacts
            .iter()
            .filter(|one| one.verified.is_some() || one.drilled.is_some())
            .collect();
        let stays = verified.iter().any(|one| snapshot.age(one.at) <= kept);
        if !stays {
            let evidence = match verified.iter().max_by_key(|one| one.at) {
                Some(last) => {
                    format!(
                        "the last one that was verified, {}, is older than {days} days",
                        last.name
                    )
                }
                None => format!("none of {} was verified", backup.artifacts.len()),
            };
            findings.add(Problem::new(backup_ref(backup), evidence));
        }
    }
    findings
}

/// Since when a backup is made: what is told, or when the job of the cluster was made that is
/// named after it.
fn since(snapshot: &Snapshot, backup: &Backup) -> Option<crate::facts::Time> {
    let jobs = snapshot.workloads.items().iter().filter(|one| {
        let environment = snapshot.environment(&one.namespace).unwrap_or_default();
        let words: Vec<&str> = one.name.split('-').collect();
        one.kind == WorkloadKind::CronJob
            && words.contains(&"backup")
            && words.contains(&backup.component.as_str())
            && (backup.environment.is_empty() || environment == backup.environment)
    });
    let made = jobs.filter_map(|one| one.created).min();
    backup.since.or(made)
}

/// BKP-11
pub(super) fn vanished(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for backup in backups(snapshot).filter(|one| !one.artifacts.is_empty()) {
        let Some((days, since)) = backup.retention_days.zip(since(snapshot, backup)) else {
            findings
                .unknown(backup_ref(backup), "since when it is made and for how long it is kept");
            continue;
        };
        findings.looked();
        let kept = u64::from(days).saturating_mul(DAY);
        let oldest = backup.artifacts.iter().map(|one| snapshot.age(one.at)).max().unwrap_or(0);
        // What has only been made for a week cannot be older.
        let expected = kept.min(snapshot.age(since));
        let slack = backup.interval_seconds.unwrap_or(DAY).saturating_mul(2);
        if oldest.saturating_add(slack) < expected {
            let evidence = format!(
                "it is made since {since} and kept for {days} days, and the oldest is {} days old",
                oldest / DAY
            );
            findings.add(Problem::new(backup_ref(backup), evidence));
        }
    }
    findings
}

/// Hours of work that may be lost of a component, when nothing else is declared.
fn promise(component: &str) -> u64 {
    let is_store = [Component::Postgres, Component::Peer, Component::Orderer, Component::Redis];
    let is_store = is_store.iter().any(|one| is_backup_name(component, *one));
    if is_store { 6 } else { 24 }
}

/// BKP-15
pub(super) fn beyond_promise(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let declared = snapshot.declared().and_then(|one| one.thresholds.recovery_point_hours);
    // Of several backups of one thing the newest is what would be restored.
    let mut best: std::collections::BTreeMap<(&str, &str), &Artifact> =
        std::collections::BTreeMap::new();
    for backup in backups(snapshot) {
        let key = (backup.environment.as_str(), backup.component.as_str());
        for artifact in &backup.artifacts {
            let own = best.entry(key).or_insert(artifact);
            if artifact.at > own.at {
                *own = artifact;
            }
        }
    }
    for ((environment, component), artifact) in best {
        findings.looked();
        let hours = declared.map_or_else(|| promise(component), u64::from);
        let age = snapshot.age(artifact.at);
        if age > hours.saturating_mul(HOUR) {
            let is_main = environment == "mainnet" || environment.is_empty();
            let severity = if is_main { Severity::Critical } else { Severity::Medium };
            let evidence = format!("{} hours would be lost, {hours} are promised", age / HOUR);
            let subject = ObjectRef::new("Component", environment, component);
            findings.add(Problem::new(subject, evidence).severity(severity));
        }
    }
    findings
}

/// BKP-21
pub(super) fn stale_etcd(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let known = snapshot.etcd.items().iter().filter_map(|one| one.snapshots.get()).flatten();
    let times: Vec<_> = known.map(|one| one.at).collect();
    let holds_etcd = |name: &str| name.split(['-', '_']).any(|word| word == "etcd");
    for backup in backups(snapshot).filter(|one| holds_etcd(&one.component)) {
        let Some(newest) = newest(backup) else { continue };
        // The newest one that was there when it was made.
        let Some(last) = times.iter().copied().filter(|at| *at <= newest.at).max() else {
            findings.unknown(backup_ref(backup), "which snapshots there were when it was made");
            continue;
        };
        findings.looked();
        let age = newest.at.seconds_since(last);
        if age > HOUR {
            let evidence =
                format!("{} holds a snapshot of {last}, {} hours older", newest.name, age / HOUR);
            findings.add(Problem::new(backup_ref(backup), evidence));
        }
    }
    findings
}

/// BKP-22
pub(super) fn checksum(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for backup in backups(snapshot).filter(|one| !one.artifacts.is_empty()) {
        let broken = backup.artifacts.iter().filter(|one| one.checksum_ok == Known::Known(false));
        let broken: Vec<&str> = broken.map(|one| one.name.as_str()).collect();
        let compared = backup.artifacts.iter().filter(|one| one.checksum_ok.get().is_some());
        let compared = compared.map(|one| snapshot.age(one.at)).min();
        let evidence = match compared {
            Some(_) if !broken.is_empty() => {
                format!("{} are not what was sent", broken.join(", "))
            }
            Some(age) if age > 7 * DAY => {
                format!("the newest that was compared is {} days old", age / DAY)
            }
            Some(_) => {
                findings.looked();
                continue;
            }
            None if backup.artifacts.iter().all(|one| one.sha256.is_empty()) => {
                "none of it has a checksum, and none was compared".to_owned()
            }
            None => {
                findings.unknown(backup_ref(backup), "whether it is what was sent");
                continue;
            }
        };
        findings.looked();
        findings.add(Problem::new(backup_ref(backup), evidence));
    }
    findings
}
