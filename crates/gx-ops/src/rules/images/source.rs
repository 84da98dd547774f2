//! Where images come from, what they weigh, and whether they have ever started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::shared::{lasting, stems, tally, told};
use super::super::{Findings, Problem};
use super::held;
use super::names::{Name, own};
use crate::facts::{
    Fact, Known, Object as _, ObjectRef, Pod, PullPolicy, Snapshot, VolumeSource, Workload,
    normal_image,
};

/// IMG-02
pub(super) fn public_by_mistake(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in snapshot.top_workloads() {
        for container in workload.template.spec.all_containers() {
            let name = Name::of(&container.image);
            if !name.is_own(snapshot) {
                continue;
            }
            findings.looked();
            let is_public = name.registry == "docker.io" && !name.is_declared(snapshot);
            // What is never pulled is looked for nowhere.
            if is_public && container.pull_policy != PullPolicy::Never {
                let subject = workload.reference().container(&container.name);
                let evidence = format!(
                    "{} with {:?} is asked for at {}",
                    container.image, container.pull_policy, name.prefix
                );
                let problem = Problem::new(subject, evidence);
                findings.add(problem.field("spec.template.spec.containers[].image"));
            }
        }
    }
    findings
}

/// IMG-03
pub(super) fn many_prefixes(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let images = own(snapshot);
    if images.is_empty() {
        return findings;
    }
    findings.looked();
    let prefixes: Vec<String> = images.iter().map(|image| Name::of(image).prefix).collect();
    let counts = tally(prefixes.iter().map(String::as_str));
    if counts.len() > 1 {
        let subject = ObjectRef::global("Images", "project");
        findings.add(Problem::new(subject, told(&counts, "from")));
    }
    findings
}

/// Programs that are registries.
const REGISTRIES: [&str; 4] = ["distribution", "harbor-registry", "registry", "zot"];

fn registries(snapshot: &Snapshot) -> impl Iterator<Item = &Workload> {
    lasting(snapshot).filter(|workload| {
        let mut images = workload.template.spec.containers.iter();
        let is_named = stems(&workload.name).iter().any(|word| word == "registry");
        is_named
            || images.any(|one| {
                let name = Name::of(&one.image).repository;
                REGISTRIES.contains(&name.as_str())
            })
    })
}

/// IMG-05
pub(super) fn registry_forgets(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in registries(snapshot) {
        let volumes = workload.template.spec.volumes.iter();
        let keeps = !workload.claim_templates.is_empty()
            || volumes.clone().any(|one| matches!(one.source, VolumeSource::Claim(_)));
        if !keeps {
            findings.looked();
            let is_empty = volumes.clone().any(|one| one.source == VolumeSource::EmptyDir);
            let evidence = match is_empty {
                true => "its images lie in an emptyDir",
                false => "it mounts no claim for its images",
            };
            let problem = Problem::new(workload.reference(), evidence);
            findings.add(problem.field("spec.template.spec.volumes"));
            continue;
        }
        if let Some(why) = snapshot.lacks(Fact::Backups) {
            let what = format!("whether its images are backed up: {why}");
            findings.unknown_but(workload.reference(), what, Fact::Backups.how());
            continue;
        }
        findings.looked();
        let is_saved = snapshot.backups.items().iter().any(|one| {
            let of = stems(&one.component);
            let names = ["registry", "image", "images"];
            of.iter().any(|word| names.contains(&word.as_str())) && !one.artifacts.is_empty()
        });
        if !is_saved {
            let evidence = "no backup has its images".to_owned();
            findings.add(Problem::new(workload.reference(), evidence));
        }
    }
    findings
}

/// What kubelet takes when nothing is set.
const HIGH: u64 = 85;

/// IMG-08
pub(super) fn late_removal(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for node in snapshot.nodes.items() {
        let Some(host) = held::host_of(snapshot, node) else {
            findings.unknown(node.reference(), "the facts of its host were not collected");
            continue;
        };
        let (thresholds, mounts) = match (&host.image_removal, &host.mounts) {
            (Known::Known(thresholds), Known::Known(mounts)) => (thresholds, mounts),
            (Known::Missing(missing), _) | (_, Known::Missing(missing)) => {
                let what = format!("its disk or kubelet's thresholds: {}", missing.missing);
                findings.unknown(node.reference(), what);
                continue;
            }
        };
        let folders = host.runtime_folders.get();
        let is_k3s = folders.is_none_or(|all| all.iter().any(|one| one.path == OF_K3S));
        let folder = if is_k3s { OF_K3S } else { "/var/lib/containerd" };
        // Images lie on the file system of the longest path that leads to them.
        let above =
            mounts.iter().filter(|one| one.bytes > 0 && Path::new(folder).starts_with(&one.path));
        let Some(disk) = above.max_by_key(|one| one.path.len()) else {
            findings.unknown(node.reference(), "the disk that its images lie on was not told");
            continue;
        };
        findings.looked();
        let used = disk.used_bytes.saturating_mul(100) / disk.bytes;
        let high = thresholds.get("high").and_then(|percent| percent.parse::<u64>().ok());
        if used > 70 && high.unwrap_or(HIGH) >= HIGH {
            let set = if high.is_some() { "set so" } else { "the default" };
            let evidence = format!(
                "{} is {used} % full, and images are removed from {} % on, which is {set}",
                disk.path,
                high.unwrap_or(HIGH)
            );
            findings.add(Problem::new(node.reference(), evidence));
        }
    }
    findings
}

/// Where K3s keeps the images of a node.
const OF_K3S: &str = "/var/lib/rancher/k3s/agent/containerd";

/// Images by their full name that have started in a place, with the digests that they had there.
fn started(
    snapshot: &Snapshot,
    is_there: impl Fn(&Pod) -> bool,
) -> (BTreeSet<String>, BTreeSet<&str>) {
    let mut names = BTreeSet::new();
    let mut digests = BTreeSet::new();
    for pod in snapshot.pods.items().iter().filter(|pod| is_there(pod)) {
        for status in
            pod.statuses.iter().filter(|one| one.ready || one.ended.as_deref() == Some("Completed"))
        {
            let mut described = pod.spec.all_containers();
            if let Some(container) = described.find(|one| one.name == status.name) {
                names.insert(normal_image(&container.image));
            }
            digests.extend(status.image_id.rsplit('@').next().filter(|id| !id.is_empty()));
        }
    }
    (names, digests)
}

/// Annotation by which whoever has tried an image says so; its value is the image.
const TRIED: &str = "ops.gx/started";

/// IMG-11
pub(super) fn never_started(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    // Another tag of the same digest is the same program.
    let elsewhere = |pod: &Pod| {
        snapshot.environment(&pod.namespace).is_some() && !snapshot.is_mainnet(&pod.namespace)
    };
    let (names, digests) = started(snapshot, elsewhere);
    let records = snapshot.deployment_records.items().iter();
    let promoted: BTreeSet<String> = records
        .filter(|one| one.state.eq_ignore_ascii_case("completed"))
        .map(|one| normal_image(&one.image))
        .collect();
    for workload in lasting(snapshot).filter(|one| snapshot.is_mainnet(&one.namespace)) {
        let tried = workload.annotations.get(TRIED).and_then(|value| value.plain());
        let tried = tried.map(normal_image);
        let running = running_digests(snapshot, workload);
        for container in &workload.template.spec.containers {
            if !Name::of(&container.image).is_own(snapshot) {
                continue;
            }
            let image = normal_image(&container.image);
            let digest = running
                .get(container.name.as_str())
                .copied()
                .or_else(|| image.split_once('@').map(|(_, digest)| digest));
            let is_known = names.contains(&image)
                || digest.is_some_and(|digest| digests.contains(digest))
                || promoted.contains(&image)
                || tried.as_ref() == Some(&image);
            let subject = workload.reference().container(&container.name);
            if is_known {
                findings.looked();
            } else if let Some(why) = snapshot.lacks(Fact::DeploymentRecords) {
                let what = format!("whether {} was promoted: {why}", container.image);
                findings.unknown_but(subject, what, Fact::DeploymentRecords.how());
            } else {
                findings.looked();
                let evidence = format!(
                    "{} has started in no other environment, and no record tells of a trial",
                    container.image
                );
                let problem = Problem::new(subject, evidence);
                findings.add(problem.field("spec.template.spec.containers[].image"));
            }
        }
    }
    findings
}

/// The digest that each container of a workload's pods runs.
fn running_digests<'a>(snapshot: &'a Snapshot, workload: &Workload) -> BTreeMap<&'a str, &'a str> {
    let pods = snapshot.pods_of(workload).into_iter().flat_map(|pod| &pod.statuses);
    let told = pods.filter_map(|one| {
        let digest = one.image_id.rsplit('@').next().filter(|digest| !digest.is_empty())?;
        Some((one.name.as_str(), digest))
    });
    told.collect()
}

/// IMG-12
pub(super) fn heavy(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let sizes = held::sizes(snapshot);
    let templates = snapshot.top_workloads().map(|one| &one.template.spec);
    let images: BTreeSet<String> = templates
        .flat_map(|spec| spec.all_containers())
        .map(|one| normal_image(&one.image))
        .collect();
    for image in images {
        let subject = ObjectRef::global("Image", &image);
        match sizes.get(&image).copied().filter(|bytes| *bytes > 0) {
            None => {
                let what = "no node tells of its size";
                findings.unknown_but(subject, what, Fact::Hosts.how());
            }
            Some(bytes) => {
                findings.looked();
                if bytes > 1 << 30 {
                    findings.add(Problem::new(subject, format!("it has {} MiB", bytes >> 20)));
                }
            }
        }
    }
    findings
}
