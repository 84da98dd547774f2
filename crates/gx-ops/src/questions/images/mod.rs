//! Images: where they are missing, how they come there, whether a rollout or a move may go ahead,
//! what may be deleted, and which tags mean different things on different nodes.

mod stock;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use text::render;

use self::stock::{Stock, repository, versions};
use crate::facts::{Object as _, ObjectRef, PullPolicy, Snapshot, WorkloadKind, normal_image};
use crate::placement::{Candidate, Cluster, Reason};

/// Whether something may go ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ahead {
    Yes,
    No,
    /// Of some node it is not known whether it has the image.
    Unknown,
}

/// An image that workloads are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    pub image: String,
    pub workloads: Vec<ObjectRef>,
    /// Whether some of them never pull it, so that it has to be there before.
    pub is_never_pulled: bool,
    /// Nodes that a pod may go to, by whether they have it.
    pub present: Vec<String>,
    pub missing: Vec<String>,
    pub unknown: Vec<String>,
    /// Whether a rollout, or a move to any node that is open, may go ahead.
    pub ahead: Ahead,
}

/// A tag that is not the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drifted {
    pub image: String,
    /// Nodes by digest.
    pub digests: BTreeMap<String, Vec<String>>,
}

/// How an image comes to the nodes that lack it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transfer {
    pub image: String,
    pub from: String,
    pub to: Vec<String>,
    pub commands: Vec<String>,
}

/// What a node could do without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deletable {
    pub node: String,
    pub images: Vec<String>,
    pub bytes: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Images {
    pub wanted: Vec<Wanted>,
    pub drifted: Vec<Drifted>,
    pub transfers: Vec<Transfer>,
    pub deletable: Vec<Deletable>,
    pub notes: Vec<String>,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Versions of each image that are kept to go back to.
    pub keep: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { keep: 3 }
    }
}

/// Answers.
pub fn images(snapshot: &Snapshot, options: &Options) -> Images {
    let stock = Stock::new(snapshot);
    let wanted = wanted(snapshot, &stock);
    let transfers = wanted.iter().filter_map(|one| transfer(&stock, one)).collect();
    let mut notes = Vec::new();
    let told: Vec<&str> = stock.untold(snapshot);
    if !told.is_empty() {
        notes.push(format!(
            "all images of {}: a node tells of at most 50. {}",
            told.join(", "),
            crate::facts::Fact::Hosts.how()
        ));
    }
    Images {
        drifted: stock.drifted(),
        deletable: deletable(snapshot, &stock, options.keep),
        wanted,
        transfers,
        notes,
    }
}

/// Every image of a workload, with the nodes that its pods may go to.
fn wanted(snapshot: &Snapshot, stock: &Stock<'_>) -> Vec<Wanted> {
    let cluster = Cluster::new(snapshot);
    let mut found: BTreeMap<String, (Vec<ObjectRef>, bool, BTreeSet<String>)> = BTreeMap::new();
    for one in snapshot.top_workloads().filter(|one| one.is_lasting() && one.replicas > 0) {
        // A cordon is for a while, and a node that is not ready comes back.
        let passing = [Reason::NotReady, Reason::Unschedulable];
        let verdicts = cluster.eligible(&Candidate::of_workload(snapshot, one));
        let open: BTreeSet<String> = verdicts
            .into_iter()
            .filter(|verdict| verdict.reasons.iter().all(|reason| passing.contains(reason)))
            .map(|verdict| verdict.node)
            .collect();
        for container in one.template.spec.all_containers() {
            let entry = found.entry(normal_image(&container.image)).or_default();
            if entry.0.last() != Some(&one.reference()) {
                entry.0.push(one.reference());
            }
            entry.1 |= container.pull_policy == PullPolicy::Never;
            entry.2.extend(open.iter().cloned());
        }
    }
    let told = found.into_iter().map(|(image, (workloads, is_never_pulled, open))| {
        let of = |wanted: Option<bool>| -> Vec<String> {
            open.iter().filter(|node| stock.has(node, &image) == wanted).cloned().collect()
        };
        let (present, missing, unknown) = (of(Some(true)), of(Some(false)), of(None));
        let ahead = match (is_never_pulled, missing.is_empty(), unknown.is_empty()) {
            // What is pulled comes when it is needed, as far as the registry has it.
            (false, ..) | (true, true, true) => Ahead::Yes,
            (true, false, _) => Ahead::No,
            (true, true, false) => Ahead::Unknown,
        };
        Wanted { image, workloads, is_never_pulled, present, missing, unknown, ahead }
    });
    told.collect()
}

/// The commands that bring an image from a node that has it to those that lack it: each copy is
/// resumed where it broke off, and nothing is taken in whose checksum differs.
fn transfer(stock: &Stock<'_>, one: &Wanted) -> Option<Transfer> {
    if !one.is_never_pulled || one.missing.is_empty() {
        return None;
    }
    let from = one.present.first().cloned().or_else(|| stock.holder(&one.image))?;
    let image = quoted(&one.image);
    let name: String = one
        .image
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '_' })
        .collect();
    let file = format!("/var/tmp/{name}.tar");
    let mut commands = vec![
        format!("ssh {from} 'k3s ctr -n k8s.io images export {file} {image}'"),
        format!("ssh {from} 'cd /var/tmp && sha256sum {name}.tar > {name}.tar.sha256'"),
        format!("rsync --partial --append-verify {from}:{file} {from}:{file}.sha256 ./"),
        format!("sha256sum -c {name}.tar.sha256"),
    ];
    for node in &one.missing {
        commands.push(format!(
            "rsync --partial --append-verify {name}.tar {name}.tar.sha256 {node}:/var/tmp/"
        ));
        commands.push(format!(
            "ssh {node} 'cd /var/tmp && sha256sum -c {name}.tar.sha256 && k3s ctr -n k8s.io images \
             import {name}.tar && rm {name}.tar {name}.tar.sha256'"
        ));
    }
    commands.push(format!("ssh {from} 'rm {file} {file}.sha256'"));
    Some(Transfer { image: one.image.clone(), from, to: one.missing.clone(), commands })
}

/// A name within a command that stands in single quotes itself: images have no quotes in theirs.
fn quoted(image: &str) -> String {
    image.chars().filter(|c| c.is_ascii_graphic() && !"'\"`$\\;&|<>()".contains(*c)).collect()
}

/// References that something is made of, or may be made of again.
fn used(snapshot: &Snapshot) -> BTreeSet<String> {
    let workloads = snapshot.workloads.items().iter();
    // Old ReplicaSets are what a rollout goes back to.
    let specs = workloads.map(|one| &one.template.spec);
    let specs = specs.chain(snapshot.pods.items().iter().map(|pod| &pod.spec));
    let containers = specs.flat_map(|spec| spec.all_containers());
    let images = containers.map(|one| normal_image(&one.image));
    let records = snapshot.deployment_records.items().iter();
    let records = records.flat_map(|one| [&one.image, &one.previous_image]);
    images
        .chain(records.filter(|image| !image.is_empty()).map(|image| normal_image(image)))
        .collect()
}

/// Images of the workloads' own repositories that nothing uses, beyond the newest of each.
fn deletable(snapshot: &Snapshot, stock: &Stock<'_>, keep: usize) -> Vec<Deletable> {
    // Without all that refers to images nothing may go.
    if !snapshot.workloads.is_whole() || !snapshot.pods.is_whole() {
        return Vec::new();
    }
    let used = used(snapshot);
    let top = snapshot.workloads.items().iter().filter(|one| one.kind != WorkloadKind::Job);
    let own: BTreeSet<String> = top
        .flat_map(|one| one.template.spec.all_containers())
        .map(|one| repository(&normal_image(&one.image)).to_owned())
        .collect();
    let mut found = Vec::new();
    for (node, images) in stock.nodes() {
        let mut by_repository: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for image in images.keys().filter(|image| !image.contains('@')) {
            by_repository.entry(repository(image)).or_default().push(image);
        }
        let mut gone: Vec<String> = Vec::new();
        for (repository, mut all) in by_repository {
            if !own.contains(repository) {
                continue;
            }
            all.sort_by(|a, b| versions(b).cmp(&versions(a)).then_with(|| b.cmp(a)));
            let old = all.into_iter().skip(keep).filter(|image| !used.contains(*image));
            gone.extend(old.map(str::to_owned));
        }
        if !gone.is_empty() {
            gone.sort();
            let bytes = gone.iter().filter_map(|image| images.get(image.as_str()));
            let bytes = bytes.fold(0_u64, |sum, one| sum.saturating_add(one.bytes));
            found.push(Deletable { node: node.to_owned(), images: gone, bytes });
        }
    }
    found
}
