//! Whether nodes have the images that they may need, and the same ones.

use std::collections::{BTreeMap, BTreeSet};

use super::super::shared::lasting;
use super::super::{Findings, Problem};
use super::held;
use super::names::{Name, own};
use crate::facts::{
    Container, Fact, Known, Node, Object as _, ObjectRef, PullPolicy, Snapshot, Workload,
    WorkloadKind, normal_image,
};
use crate::placement::{Candidate, Cluster};

/// Whether a registry answers, from wherever it was tried; none when nobody has tried.
fn answers(snapshot: &Snapshot, registry: &str) -> Option<bool> {
    let host = registry.split(':').next().unwrap_or_default();
    let tried = snapshot.reached.items().iter().filter(|one| one.to == registry || one.to == host);
    let answers = |outcome: &str| ["ok", "unauthorized"].contains(&outcome);
    tried.map(|one| answers(&one.outcome)).reduce(|one, other| one || other)
}

/// Whether a container's image has to be on its node already; none when that depends on a registry
/// of which nothing is known.
fn must_be_there(snapshot: &Snapshot, container: &Container) -> Option<bool> {
    let name = Name::of(&container.image);
    match container.pull_policy {
        PullPolicy::Never => Some(true),
        PullPolicy::Always => Some(false),
        PullPolicy::IfNotPresent => match answers(snapshot, &name.registry) {
            Some(answers) => Some(!answers),
            // Registries of others are taken to answer.
            None => (!name.is_private()).then_some(false),
        },
    }
}

/// IMG-01
pub(super) fn missing_on_nodes(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let cluster = Cluster::new(snapshot);
    for workload in lasting(snapshot) {
        let containers = workload.template.spec.all_containers();
        let containers: Vec<(&Container, Option<bool>)> = containers
            .map(|container| (container, must_be_there(snapshot, container)))
            .filter(|(_, must)| *must != Some(false))
            .collect();
        if containers.is_empty() {
            continue;
        }
        let verdicts = cluster.eligible(&Candidate::of_workload(snapshot, workload));
        let open = verdicts.iter().filter(|one| one.reasons.is_empty());
        let nodes: Vec<&Node> = open.filter_map(|one| snapshot.node(&one.node)).collect();
        for (container, must) in containers {
            let subject = workload.reference().container(&container.name);
            judge_presence(snapshot, &mut findings, subject, container, must, &nodes);
        }
    }
    findings
}

fn judge_presence(
    snapshot: &Snapshot,
    findings: &mut Findings,
    subject: ObjectRef,
    container: &Container,
    must: Option<bool>,
    nodes: &[&Node],
) {
    let image = &container.image;
    let with = |known: Option<bool>| -> Vec<&str> {
        let of = nodes.iter().filter(|node| held::has(snapshot, node, image) == known);
        of.map(|node| node.name.as_str()).collect()
    };
    let (lacking, untold) = (with(Some(false)), with(None));
    if must.is_none() && !lacking.is_empty() {
        let there = lacking.join(", ");
        let what = format!("whether the registry of {image}, which is not on {there}, answers");
        findings.unknown_but(subject, what, Fact::Reached.how());
    } else if !lacking.is_empty() {
        findings.looked();
        let evidence = format!(
            "{image} is not on {} of {} nodes that its pods may go to: {}",
            lacking.len(),
            nodes.len(),
            lacking.join(", ")
        );
        let problem = Problem::new(subject, evidence);
        findings.add(problem.field("spec.template.spec.containers[].imagePullPolicy"));
    } else if !untold.is_empty() {
        let there = untold.join(", ");
        let what = format!("whether {image} is on {there}, whose lists of images may be cut");
        findings.unknown_but(subject, what, Fact::Hosts.how());
    } else {
        findings.looked();
    }
}

/// The ReplicaSet that an undo would take up: of the newest revision before the current one.
fn previous<'a>(snapshot: &'a Snapshot, workload: &Workload) -> Option<&'a Workload> {
    let sets = snapshot.workloads.items().iter().filter(|one| {
        one.kind == WorkloadKind::ReplicaSet
            && one.namespace == workload.namespace
            && one.owner.as_ref().is_some_and(|owner| owner.name == workload.name)
            && one.revision.is_some()
            && one.revision < workload.revision
    });
    sets.max_by_key(|one| one.revision)
}

/// IMG-06
pub(super) fn no_way_back(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let deployments = lasting(snapshot).filter(|one| one.kind == WorkloadKind::Deployment);
    for workload in deployments.filter(|one| one.revision.is_some_and(|revision| revision > 1)) {
        let Some(set) = previous(snapshot, workload) else {
            if !snapshot.workloads.is_whole() {
                findings.unknown(workload.reference(), "its ReplicaSets were not all collected");
                continue;
            }
            findings.looked();
            let evidence = "no ReplicaSet of an earlier revision is left".to_owned();
            let problem = Problem::new(workload.reference(), evidence);
            findings.add(problem.field("spec.revisionHistoryLimit"));
            continue;
        };
        let mut gone = Vec::new();
        let mut untold = Vec::new();
        for container in set.template.spec.all_containers() {
            let nodes = snapshot.nodes.items().iter();
            let known: Vec<Option<bool>> =
                nodes.map(|node| held::has(snapshot, node, &container.image)).collect();
            let is_pulled = container.pull_policy != PullPolicy::Never;
            match (known.contains(&Some(true)), known.contains(&None), is_pulled) {
                (true, _, _) => {}
                // Nobody deletes from the registries of others.
                (false, _, true) if !Name::of(&container.image).is_own(snapshot) => {}
                (false, false, false) => gone.push(container.image.as_str()),
                (false, _, _) => untold.push(container.image.as_str()),
            }
        }
        if !untold.is_empty() && gone.is_empty() {
            let what = format!("whether {} can still be had", untold.join(", "));
            findings.unknown_but(workload.reference(), what, Fact::Hosts.how());
            continue;
        }
        findings.looked();
        if !gone.is_empty() {
            let evidence = format!("{} of {} is on no node", gone.join(", "), set.name);
            findings.add(Problem::new(workload.reference(), evidence));
        }
    }
    findings
}

/// What is too many.
const MOST: usize = 100;

/// IMG-07
pub(super) fn too_many(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut judge = |subject: ObjectRef, count: usize, of: &str| {
        findings.looked();
        if count > MOST {
            findings.add(Problem::new(subject, format!("{of} has {count} images")));
        }
    };
    let mut untold = Vec::new();
    for node in snapshot.nodes.items() {
        if let Some(images) = held::host_of(snapshot, node).and_then(held::runtime_images) {
            judge(node.reference(), count(images.into_iter()), "containerd");
            continue;
        }
        match node.images.get().map(Vec::len) {
            Some(told) if told != crate::facts::TOLD_IMAGES => {
                judge(node.reference(), told, "the node");
            }
            _ => untold.push(node.reference()),
        }
    }
    for host in snapshot.hosts.items() {
        let images = host.images.get().map(Vec::as_slice).unwrap_or_default();
        let docker = images.iter().filter(|image| image.runtime == "docker");
        let docker = count(docker);
        if docker > 0 {
            judge(ObjectRef::global("Host", &host.name), docker, "docker");
        }
    }
    for subject in untold {
        let what = "how many images it has: its list may be cut";
        findings.unknown_but(subject, what, Fact::Hosts.how());
    }
    findings
}

/// An image stands in a runtime's list once for each of its names.
fn count<'a>(images: impl Iterator<Item = &'a crate::facts::HostImage>) -> usize {
    let digests: BTreeSet<&str> = images
        .map(|image| match image.digest.starts_with("sha256:") {
            true => image.digest.as_str(),
            false => image.reference.as_str(),
        })
        .collect();
    digests.len()
}

/// IMG-09
pub(super) fn unused(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let used = held::used(snapshot);
    for node in snapshot.nodes.items() {
        let held = held::digests(snapshot, node);
        let is_whole = held::host_of(snapshot, node).and_then(held::runtime_images).is_some()
            || node.images.get().is_some_and(|images| images.len() < crate::facts::TOLD_IMAGES);
        if !snapshot.workloads.is_whole() || !snapshot.pods.is_whole() {
            findings.unknown(node.reference(), "not all workloads and pods were collected");
            continue;
        }
        let own = held.keys().filter(|name| Name::of(name).is_own(snapshot));
        let idle: Vec<&str> =
            own.filter(|name| !used.contains(*name)).map(String::as_str).collect();
        if idle.is_empty() && !is_whole {
            let what = "what else it has: its list of images may be cut";
            findings.unknown_but(node.reference(), what, Fact::Hosts.how());
            continue;
        }
        findings.looked();
        if !idle.is_empty() {
            let some: Vec<&str> = idle.iter().take(5).copied().collect();
            let more = if idle.len() > some.len() { ", …" } else { "" };
            let evidence = format!(
                "{} tags of the project are of no workload and no revision kept: {}{more}",
                idle.len(),
                some.join(", ")
            );
            findings.add(Problem::new(node.reference(), evidence));
        }
    }
    findings
}

/// The nodes that have each digest of a reference; of some it is not told which one they have.
type Holders<'a> = BTreeMap<Option<String>, Vec<&'a str>>;

/// IMG-10
pub(super) fn differing(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut found: BTreeMap<(String, &str), Holders<'_>> = BTreeMap::new();
    for node in snapshot.nodes.items() {
        for (reference, digest) in held::digests(snapshot, node) {
            // An image that was built on each architecture has a digest on each.
            let digests = found.entry((reference, node.architecture.as_str())).or_default();
            digests.entry(digest).or_default().push(&node.name);
        }
    }
    let own: BTreeSet<String> = own(snapshot).into_iter().map(normal_image).collect();
    for ((reference, _), mut digests) in found {
        let untold = digests.remove(&None).unwrap_or_default();
        let nodes = digests.values().map(Vec::len).sum::<usize>();
        if nodes + untold.len() < 2 {
            continue;
        }
        let subject = ObjectRef::global("Image", &reference);
        if digests.len() > 1 {
            findings.looked();
            let told: Vec<String> = digests
                .iter()
                .map(|(digest, nodes)| {
                    let digest = digest.as_deref().unwrap_or_default();
                    format!("{} on {}", digest.get(..19).unwrap_or(digest), nodes.join(", "))
                })
                .collect();
            findings.add(Problem::new(subject, told.join("; ")));
        } else if untold.is_empty() {
            findings.looked();
        } else if own.contains(&reference) {
            let what = format!("its digest on {}", untold.join(", "));
            findings.unknown_but(subject, what, Fact::Hosts.how());
        }
    }
    findings
}

/// IMG-04
pub(super) fn without_mirror(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let all = snapshot.workloads.items().iter();
    let images = all.flat_map(|one| one.template.spec.all_containers()).map(|one| &one.image);
    let names: Vec<Name> = images.map(|image| Name::of(image)).collect();
    let mirrored: BTreeSet<&str> = snapshot
        .hosts
        .items()
        .iter()
        .flat_map(|host| host.registries.get().into_iter().flatten())
        .map(String::as_str)
        .collect();
    let is_wanted = |name: &&Name| name.is_private() || mirrored.contains(name.registry.as_str());
    let wanted: BTreeSet<&str> =
        names.iter().filter(is_wanted).map(|name| name.registry.as_str()).collect();
    if wanted.is_empty() {
        return findings;
    }
    for node in snapshot.nodes.items() {
        let Some(host) = held::host_of(snapshot, node) else {
            findings.unknown(node.reference(), "the facts of its host were not collected");
            continue;
        };
        let has = match &host.registries {
            Known::Known(has) => has,
            Known::Missing(missing) => {
                let what = format!("which registries it mirrors: {}", missing.missing);
                findings.unknown(node.reference(), what);
                continue;
            }
        };
        findings.looked();
        let is_there = |name: &str| has.iter().any(|one| one == name || one == "*");
        let lacks: Vec<&str> = wanted.iter().copied().filter(|name| !is_there(name)).collect();
        if !lacks.is_empty() {
            let evidence = format!("its runtime has no settings for {}", lacks.join(", "));
            findings.add(Problem::new(node.reference(), evidence));
        }
    }
    findings
}

/// IMG-13
pub(super) fn other_platform(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let used = held::used(snapshot);
    for node in snapshot.nodes.items() {
        let images = held::host_of(snapshot, node).and_then(held::runtime_images);
        let (Some(images), false) = (images, node.architecture.is_empty()) else {
            let what = "the platforms of its images, or its own";
            findings.unknown(node.reference(), what);
            continue;
        };
        let own = format!("linux/{}", node.architecture);
        for image in images.iter().filter(|one| used.contains(&normal_image(&one.reference))) {
            if image.platforms.is_empty() {
                continue;
            }
            findings.looked();
            // Variants such as linux/arm64/v8 run on their architecture.
            let runs = |one: &String| {
                one.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if !image.platforms.iter().any(runs) {
                let evidence = format!(
                    "on {}, which is {own}, it is for {}",
                    node.name,
                    image.platforms.join(", ")
                );
                let name = normal_image(&image.reference);
                findings.add(Problem::new(ObjectRef::global("Image", name), evidence));
            }
        }
    }
    findings
}
