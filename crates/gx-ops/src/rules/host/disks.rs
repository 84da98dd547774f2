//! What fills the disks of a machine.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{host_reference, told_by};
use super::super::{Findings, Problem};
use super::DAY;
use crate::facts::{HostImage, Mounted, Snapshot, Time, normal_image};

const GB: u64 = 1_000_000_000;

/// Percent of a disk, as `df` counts: what is kept for root is neither used nor free.
fn percent(mount: &Mounted) -> u64 {
    let room = mount.used_bytes.saturating_add(mount.available_bytes);
    mount.used_bytes.saturating_mul(100).checked_div(room).unwrap_or(0)
}

/// HST-01
pub(super) fn full(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let set = snapshot.declared().map(|inventory| &inventory.thresholds);
    let warn = u64::from(set.and_then(|set| set.disk_warn).unwrap_or(70));
    let critical = u64::from(set.and_then(|set| set.disk_critical).unwrap_or(80));
    for host in snapshot.hosts.items() {
        let Some(mounts) = told_by(&mut findings, host, "its disks", &host.mounts) else {
            continue;
        };
        findings.looked();
        let mut seen = BTreeSet::new();
        let mut worst = 0;
        let mut told = Vec::new();
        // Packages that are mounted are full by their nature; one device is told once.
        let disks = mounts.iter().filter(|mount| !mount.device.starts_with("/dev/loop"));
        for mount in disks.filter(|mount| seen.insert(&mount.device)) {
            let percent = percent(mount);
            if percent >= warn.min(critical) {
                let free = mount.available_bytes / GB;
                told.push(format!("{} is used to {percent} %, {free} GB are free", mount.path));
                worst = worst.max(percent);
            }
        }
        if !told.is_empty() {
            let severity = if worst >= critical { Severity::Critical } else { Severity::Medium };
            let problem = Problem::new(host_reference(&host.name), told.join("; "));
            findings.add(problem.severity(severity));
        }
    }
    findings
}

/// HST-02
pub(super) fn build_cache(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let Some(docker) = told_by(&mut findings, host, "what docker holds", &host.docker) else {
            continue;
        };
        findings.looked();
        if docker.build_cache_bytes > 10 * GB {
            let evidence = format!(
                "the build cache has {} GB, of which {} GB can be freed",
                docker.build_cache_bytes / GB,
                docker.build_cache_reclaimable_bytes / GB
            );
            findings.add(Problem::new(host_reference(&host.name), evidence));
        }
    }
    findings
}

/// HST-03
pub(super) fn unused_images(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let Some(docker) = told_by(&mut findings, host, "what docker holds", &host.docker) else {
            continue;
        };
        findings.looked();
        if docker.images_reclaimable_bytes > 20 * GB {
            let evidence = format!(
                "{} GB of {} GB of images belong to no container",
                docker.images_reclaimable_bytes / GB,
                docker.images_bytes / GB
            );
            findings.add(Problem::new(host_reference(&host.name), evidence));
        }
    }
    findings
}

/// HST-04
pub(super) fn old_archives(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let Some(archives) = told_by(&mut findings, host, "archives", &host.archives) else {
            continue;
        };
        findings.looked();
        let is_old = |at: Option<Time>| at.is_some_and(|at| snapshot.age(at) > 7 * DAY);
        let old: Vec<_> = archives.iter().filter(|one| is_old(one.modified)).collect();
        if old.is_empty() {
            continue;
        }
        let bytes = old.iter().fold(0_u64, |sum, one| sum.saturating_add(one.bytes));
        let names: Vec<&str> = old.iter().take(5).map(|one| one.path.as_str()).collect();
        let more = old.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let evidence =
            format!("{}{more}, {} MB, are older than a week", names.join(", "), bytes >> 20);
        findings.add(Problem::new(host_reference(&host.name), evidence));
    }
    findings
}

/// HST-05
pub(super) fn long_journal(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let Some(bytes) = told_by(&mut findings, host, "its journal", &host.journal_bytes) else {
            continue;
        };
        findings.looked();
        let mut wrong = Vec::new();
        if *bytes > 1 << 30 {
            wrong.push(format!("it has {} MB", bytes >> 20));
        }
        let days = host.journal_oldest.map(|oldest| snapshot.age(oldest) / DAY);
        if let Some(days) = days.filter(|days| *days > 7) {
            wrong.push(format!("its oldest file is {days} days old"));
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(host_reference(&host.name), wrong.join("; ")));
        }
    }
    findings
}

/// An image's name without its tag and digest.
fn repository(reference: &str) -> String {
    let full = normal_image(reference);
    let name = full.split('@').next().unwrap_or_default();
    let end = name.rfind('/').map_or(0, |slash| slash.saturating_add(1));
    let last = name.get(end..).unwrap_or_default();
    let tag = last.find(':').map_or(name.len(), |at| end.saturating_add(at));
    name.get(..tag).unwrap_or_default().to_owned()
}

/// HST-06
pub(super) fn images_twice(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let registries = snapshot.declared().map(|inventory| inventory.registries.as_slice());
    let registries = registries.unwrap_or_default();
    for host in snapshot.hosts.items() {
        let subject = host_reference(&host.name);
        if !host.images_missing.is_empty() {
            for (runtime, why) in &host.images_missing {
                findings.unknown(subject.clone(), format!("the images of {runtime}: {why}"));
            }
            continue;
        }
        let Some(images) = told_by(&mut findings, host, "its images", &host.images) else {
            continue;
        };
        findings.looked();
        let mut held: BTreeMap<String, Vec<&HostImage>> = BTreeMap::new();
        for image in images.iter().filter(|image| !image.reference.contains("<none>")) {
            held.entry(repository(&image.reference)).or_default().push(image);
        }
        let is_of = |image: &&&HostImage, runtime: &str| image.runtime == runtime;
        let is_project = |name: &str| {
            registries.is_empty()
                || registries.iter().any(|prefix| name.starts_with(prefix.as_str()))
        };
        let twice: Vec<(&String, u64)> = held
            .iter()
            .filter(|(name, images)| {
                let has = |runtime| images.iter().any(|image| is_of(&image, runtime));
                is_project(name) && has("docker") && has("containerd")
            })
            .map(|(name, images)| {
                let docker = images.iter().filter(|image| is_of(image, "docker"));
                (name, docker.fold(0_u64, |sum, image| sum.saturating_add(image.bytes)))
            })
            .collect();
        if twice.is_empty() {
            continue;
        }
        let bytes = twice.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        let names: Vec<&str> = twice.iter().take(5).map(|(name, _)| name.as_str()).collect();
        let evidence = format!(
            "{} images are held by docker and by containerd, {} MB of them by docker: {}",
            twice.len(),
            bytes >> 20,
            names.join(", ")
        );
        findings.add(Problem::new(subject, evidence));
    }
    findings
}
