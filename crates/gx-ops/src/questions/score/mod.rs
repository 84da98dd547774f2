//! How well an environment's pods are spread, and how many nodes it can lose.
//!
//! Distribution: for each workload ten points times the eligible nodes that it is on, of as many as
//! it could be on; less two points times the part of it that is not ready. A tier is the median of
//! its workloads, all is the mean of the tiers. The strict values, mean and least, stand beside,
//! since a median hides the outliers.
//!
//! Availability: for each workload the largest number of nodes, whichever they are, that it can
//! lose
//! and still have as many pods as it needs. A layer is its weakest workload, at most what etcd can
//! lose: ten points for two nodes, nine for one, else ten times the part that the worst node does
//! not hold. All is the mean of the layers, with the weakest beside.

#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

pub use text::render;

use super::members::etcd_members;
use crate::facts::{Node, Object as _, ObjectRef, Pod, Snapshot, Workload, WorkloadKind};
use crate::placement::{Candidate, Cluster};
use crate::rules::shared::{Component, component, environments, quorum, tally};

/// Thousandths of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Points(pub u32);

impl Points {
    const ALL: Self = Self(10_000);

    /// To whole points, half upwards.
    pub const fn rounded(self) -> u32 {
        self.0.saturating_add(500) / 1000
    }

    /// Ten points times a part of a whole.
    fn part(some: usize, of: usize) -> Self {
        let part = (some as u64).saturating_mul(10_000).saturating_add(of as u64 / 2);
        Self(u32::try_from(part.checked_div(of as u64).unwrap_or(0)).unwrap_or(10_000))
    }

    fn mean(all: &[Self]) -> Option<Self> {
        let sum: u64 = all.iter().map(|one| u64::from(one.0)).sum();
        let count = all.len() as u64;
        let mean = sum.saturating_add(count / 2).checked_div(count)?;
        Some(Self(u32::try_from(mean).unwrap_or(u32::MAX)))
    }

    fn median(all: &[Self]) -> Option<Self> {
        let mut all = all.to_vec();
        all.sort();
        let (low, high) = (all.get(all.len().saturating_sub(1) / 2)?, all.get(all.len() / 2)?);
        Self::mean(&[*low, *high])
    }
}

impl std::fmt::Display for Points {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hundredths = self.0.saturating_add(5) / 10;
        write!(f, "{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 1000.0)
    }
}

/// What is taken off, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deduction {
    pub points: Points,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spread {
    pub workload: ObjectRef,
    pub points: Points,
    pub deductions: Vec<Deduction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tier {
    pub name: &'static str,
    /// The median.
    pub points: Points,
    pub mean: Points,
    pub least: Points,
    pub workloads: Vec<Spread>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Distribution {
    pub points: Points,
    /// The mean of the tiers' means.
    pub strict: Points,
    /// The least that any workload has.
    pub least: Points,
    pub tiers: Vec<Tier>,
}

/// How many nodes a workload can lose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endurance {
    pub workload: ObjectRef,
    pub nodes: usize,
    pub points: Points,
    pub why: String,
    /// Of one that can lose none: whether its pod can start on another node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recoverable: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    pub name: &'static str,
    pub nodes: usize,
    pub points: Points,
    pub deductions: Vec<Deduction>,
    pub workloads: Vec<Endurance>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Availability {
    pub points: Points,
    pub weakest: Option<&'static str>,
    pub layers: Vec<Layer>,
    /// Services of one pod, that were left out.
    pub single: Vec<Endurance>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    pub environment: String,
    /// Nodes that the environment is for.
    pub eligible: Vec<String>,
    pub distribution: Option<Distribution>,
    pub availability: Option<Availability>,
    pub notes: Vec<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub environment: String,
    /// Counts services of one pod with the others, which brings availability to nothing.
    pub single: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { environment: "mainnet".to_owned(), single: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Service,
    Worker,
    Database,
    Ledger,
}

impl Kind {
    fn of(one: &Workload) -> Self {
        match component(&one.name) {
            Component::Submitter | Component::Projector => Self::Worker,
            Component::Postgres | Component::Redis => Self::Database,
            Component::Orderer
            | Component::Peer
            | Component::CouchDb
            | Component::Authority
            | Component::Chaincode => Self::Ledger,
            _ if one.claim_templates.is_empty() => Self::Service,
            _ => Self::Database,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Service => "services",
            Self::Worker => "workers",
            Self::Database => "databases",
            Self::Ledger => "ledger",
        }
    }
}

/// Answers.
pub fn score(snapshot: &Snapshot, options: &Options) -> Score {
    let mut notes = Vec::new();
    let eligible = eligible(snapshot, &options.environment, &mut notes);
    let mut kinds: BTreeMap<Kind, Vec<&Workload>> = BTreeMap::new();
    let lasting = snapshot
        .top_workloads()
        .filter(|one| one.is_lasting() && one.kind != WorkloadKind::DaemonSet && one.replicas > 0);
    for one in lasting {
        if snapshot.environment(&one.namespace) == Some(options.environment.as_str()) {
            kinds.entry(Kind::of(one)).or_default().push(one);
        }
    }
    if kinds.is_empty() {
        notes.push(format!("there is no workload of {}", options.environment));
    }
    let tiers: Vec<Tier> =
        kinds.iter().filter_map(|(kind, all)| tier(snapshot, *kind, all, &eligible)).collect();
    Score {
        environment: options.environment.clone(),
        distribution: distribution(tiers),
        availability: availability(snapshot, &kinds, options, &mut notes),
        eligible: eligible.into_iter().map(str::to_owned).collect(),
        notes,
    }
}

/// The nodes that an environment is for: those that are given to it, or, when none are given to
/// any, those that take pods.
fn eligible<'a>(
    snapshot: &'a Snapshot,
    environment: &str,
    notes: &mut Vec<String>,
) -> BTreeSet<&'a str> {
    let nodes = snapshot.nodes.items().iter();
    let given: Vec<(&Node, Vec<String>)> =
        nodes.map(|node| (node, environments(snapshot, node))).collect();
    if given.iter().all(|(_, of)| of.is_empty()) {
        notes.push(
            "no node is given to an environment, by the inventory or by labels: every node that \
             takes pods counts"
                .to_owned(),
        );
        let open = given.iter().filter(|(node, _)| {
            let keeps_off =
                |one: &crate::facts::Taint| one.effect != crate::facts::Effect::PreferNoSchedule;
            !node.unschedulable && !node.taints.iter().any(keeps_off)
        });
        return open.map(|(node, _)| node.name.as_str()).collect();
    }
    let own = given.iter().filter(|(_, of)| of.iter().any(|one| one == environment));
    own.map(|(node, _)| node.name.as_str()).collect()
}

fn tier(
    snapshot: &Snapshot,
    kind: Kind,
    all: &[&Workload],
    eligible: &BTreeSet<&str>,
) -> Option<Tier> {
    let workloads: Vec<Spread> = all.iter().map(|one| spread(snapshot, one, eligible)).collect();
    let points: Vec<Points> = workloads.iter().map(|one| one.points).collect();
    Some(Tier {
        name: kind.name(),
        points: Points::median(&points)?,
        mean: Points::mean(&points)?,
        least: points.iter().min().copied()?,
        workloads,
    })
}

fn spread(snapshot: &Snapshot, one: &Workload, eligible: &BTreeSet<&str>) -> Spread {
    let pods: Vec<&Pod> = snapshot.pods_of(one).into_iter().filter(|pod| pod.is_active()).collect();
    let on = tally(pods.iter().map(|pod| pod.node.as_str()).filter(|node| !node.is_empty()));
    let good = on.keys().filter(|node| eligible.contains(*node)).count();
    let wanted = usize::try_from(one.replicas).unwrap_or(usize::MAX);
    let could = wanted.min(eligible.len());
    let mut points = Points::part(good.min(could), could);
    let mut deductions = Vec::new();
    if points < Points::ALL {
        let told: Vec<String> = on
            .iter()
            .map(|(node, count)| {
                let kind = if eligible.contains(node) { "" } else { ", which is not eligible" };
                format!("{count} on {node}{kind}")
            })
            .collect();
        let told = if told.is_empty() { "on none".to_owned() } else { told.join(", ") };
        let off = Points(Points::ALL.0.saturating_sub(points.0));
        let why = format!("on {good} of {could} nodes that it could be on: {told}");
        deductions.push(Deduction { points: off, why });
    }
    let ready = pods.iter().filter(|pod| pod.is_ready()).count().min(wanted);
    if ready < wanted {
        let off = Points(Points::part(wanted.saturating_sub(ready), wanted).0 / 5);
        // What is at nothing can lose no more.
        let off = off.min(points);
        points = Points(points.0.saturating_sub(off.0));
        deductions.push(Deduction { points: off, why: format!("{ready} of {wanted} are ready") });
    }
    Spread { workload: one.reference(), points, deductions }
}

fn distribution(tiers: Vec<Tier>) -> Option<Distribution> {
    let points: Vec<Points> = tiers.iter().map(|one| one.points).collect();
    let means: Vec<Points> = tiers.iter().map(|one| one.mean).collect();
    Some(Distribution {
        points: Points::mean(&points)?,
        strict: Points::mean(&means)?,
        least: tiers.iter().map(|one| one.least).min()?,
        tiers,
    })
}

/// What etcd can lose; none when its members are not known.
fn etcd_spare(snapshot: &Snapshot, notes: &mut Vec<String>) -> Option<usize> {
    let Some(members) = etcd_members(snapshot) else {
        let how = crate::facts::Fact::Etcd.how();
        notes
            .push(format!("members of etcd are not known, so that they limit nothing here: {how}"));
        return None;
    };
    let working = members.iter().filter(|(_, _, healthy)| *healthy).count();
    Some(working.saturating_sub(quorum(members.len())))
}

fn availability(
    snapshot: &Snapshot,
    kinds: &BTreeMap<Kind, Vec<&Workload>>,
    options: &Options,
    notes: &mut Vec<String>,
) -> Option<Availability> {
    let cluster = Cluster::new(snapshot);
    let spare = etcd_spare(snapshot, notes);
    let mut layers = Vec::new();
    let mut single = Vec::new();
    // Workers serve nobody who waits: they count for distribution alone.
    for (kind, all) in kinds.iter().filter(|(kind, _)| **kind != Kind::Worker) {
        let mut workloads = Vec::new();
        for group in groups(*kind, all) {
            let endured = endure(snapshot, &cluster, &group, notes);
            let is_single = *kind == Kind::Service && group.iter().all(|one| one.replicas == 1);
            if is_single && !options.single {
                single.push(endured);
            } else {
                workloads.push(endured);
            }
        }
        layers.extend(layer(kind.name(), workloads, spare));
    }
    let points: Vec<Points> = layers.iter().map(|one| one.points).collect();
    let weakest = layers.iter().min_by_key(|one| one.points).map(|one| one.name);
    Some(Availability { points: Points::mean(&points)?, weakest, layers, single })
}

/// Members of one set count together: a StatefulSet for each orderer makes five of one.
fn groups<'a>(kind: Kind, all: &[&'a Workload]) -> Vec<Vec<&'a Workload>> {
    let mut groups: BTreeMap<(String, String), Vec<&Workload>> = BTreeMap::new();
    for one in all {
        let part = component(&one.name);
        let is_set = kind == Kind::Ledger
            && matches!(part, Component::Orderer | Component::Peer | Component::Chaincode);
        let name = if is_set { format!("{part:?}") } else { one.name.clone() };
        groups.entry((one.namespace.clone(), name)).or_default().push(one);
    }
    groups.into_values().collect()
}

/// How many have to be left, and why none may be lost whatever the places are.
fn needed(snapshot: &Snapshot, group: &[&Workload], members: usize) -> (usize, Option<String>) {
    let Some(first) = group.first() else { return (1, None) };
    match component(&first.name) {
        Component::Orderer => (quorum(members), None),
        Component::Postgres | Component::Redis => {
            let pods = snapshot.pods_of(first);
            let servers = super::members::servers(snapshot, &pods);
            let alone = servers.iter().filter(|(_, one)| {
                !one.in_recovery && one.standbys.get().is_some_and(Vec::is_empty)
            });
            let unreplicated = !servers.is_empty() && alone.count() == servers.len();
            let why = "they do not replicate: each holds data of its own".to_owned();
            (quorum(members), (unreplicated && members > 1).then_some(why))
        }
        _ => (1, None),
    }
}

fn endure(
    snapshot: &Snapshot,
    cluster: &Cluster<'_>,
    group: &[&Workload],
    notes: &mut Vec<String>,
) -> Endurance {
    let members: usize = group.iter().map(|one| usize::try_from(one.replicas).unwrap_or(0)).sum();
    let pods = group.iter().flat_map(|one| snapshot.pods_of(one));
    let pods: Vec<&Pod> = pods.filter(|pod| pod.is_active() && pod.is_ready()).collect();
    let on = tally(pods.iter().map(|pod| pod.node.as_str()));
    let (needed, unreplicated) = needed(snapshot, group, members);
    let mut heaviest: Vec<(&str, usize)> = on.into_iter().collect();
    heaviest.sort_by_key(|(node, count)| (std::cmp::Reverse(*count), *node));
    let mut left = pods.len();
    let mut nodes = 0_usize;
    let mut breaks = None;
    for (node, count) in &heaviest {
        left = left.saturating_sub(*count);
        if left < needed {
            breaks = Some(*node);
            break;
        }
        nodes = nodes.saturating_add(1);
    }
    let most = heaviest.first().map_or(0, |(_, count)| *count);
    let reference = match group {
        [one] => one.reference(),
        [one, ..] => {
            let name = format!("{:?}s", component(&one.name)).to_ascii_lowercase();
            ObjectRef::new("Set", one.namespace.clone(), name)
        }
        [] => ObjectRef::default(),
    };
    let why = match (&unreplicated, breaks) {
        (Some(why), _) => why.clone(),
        (None, _) if pods.len() < needed => {
            format!("{} are ready and {needed} are needed", pods.len())
        }
        (None, Some(node)) => {
            let others = match nodes {
                0 => String::new(),
                1 => " and another node".to_owned(),
                more => format!(" and {more} other nodes"),
            };
            format!("without {node}{others} {left} of {members} are left, and {needed} are needed")
        }
        (None, None) => "it is on no node".to_owned(),
    };
    let nodes = if unreplicated.is_some() { 0 } else { nodes };
    let points = match nodes {
        0 => Points::part(pods.len().saturating_sub(most), members.max(1)),
        some => points_of(some),
    };
    let first = group.first().map(|one| component(&one.name));
    if matches!(first, Some(Component::Postgres))
        && snapshot.lacks(crate::facts::Fact::Postgres).is_some()
    {
        let note = format!("{reference}: whether it replicates is not known; a majority counts");
        notes.push(note);
    }
    let recoverable = (nodes == 0).then(|| recoverable(snapshot, cluster, &pods));
    Endurance { workload: reference, nodes, points, why, recoverable }
}

/// Whether a pod can start on another node than its own.
fn recoverable<'a>(snapshot: &'a Snapshot, cluster: &Cluster<'a>, pods: &[&'a Pod]) -> bool {
    !pods.is_empty()
        && pods.iter().all(|pod| {
            let (placement, unknown) = cluster.place_and_start(&Candidate::of_pod(snapshot, pod));
            let mut open = placement.feasible().into_iter();
            open.any(|node| node != pod.node && !unknown.iter().any(|other| other == node))
        })
}

const fn points_of(nodes: usize) -> Points {
    match nodes {
        0 => Points(0),
        1 => Points(9_000),
        _ => Points::ALL,
    }
}

fn layer(name: &'static str, workloads: Vec<Endurance>, spare: Option<usize>) -> Option<Layer> {
    let own = workloads.iter().map(|one| one.nodes).min()?;
    let nodes = spare.map_or(own, |spare| own.min(spare));
    let least = workloads.iter().map(|one| one.points).min()?;
    let mut points = least;
    let weakest = workloads.iter().filter(|one| one.points == least && least < Points::ALL);
    let off = Points(Points::ALL.0.saturating_sub(least.0));
    let mut deductions: Vec<Deduction> = weakest
        .map(|one| Deduction { points: off, why: format!("{}: {}", one.workload, one.why) })
        .collect();
    if nodes < own {
        let capped = points_of(nodes).min(points);
        let off = Points(points.0.saturating_sub(capped.0));
        if off > Points(0) {
            let why = format!("etcd can lose {nodes}, whatever the pods can");
            deductions.push(Deduction { points: off, why });
        }
        points = capped;
    }
    Some(Layer { name, nodes, points, deductions, workloads })
}
