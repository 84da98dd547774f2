//! What is refused, always, with the facts that say so: one list, one function each.

use std::fmt;

use serde::Serialize;

use super::action::{Action, Effect, Exact, pod, workload};
use crate::facts::{
    Artifact, Backup, Claim, Fact, Known, Object as _, PersistentVolume, Pod, Snapshot, Time,
    VolumeSource, Workload,
};
use crate::questions::what_if::WhatIf;
use crate::report::plural;
use crate::rules::shared::{Component, Set, component, is_backup_name, sets};

/// Seconds after which facts are too old to act on.
pub const OLD: u64 = 600;

/// What a refusal looks at: one action, in the cluster as it is before it.
#[derive(Debug)]
pub struct Case<'a> {
    pub state: &'a Snapshot,
    pub action: &'a Action,
    /// What would be; none for what changes nothing that is placed or counted.
    pub answer: Option<&'a WhatIf>,
    /// Parts that have to be known.
    pub needs: &'a [Fact],
    pub now: Time,
    /// The network whose name has to be typed.
    pub network: Option<&'a str>,
    /// What was typed.
    pub typed: Option<&'a str>,
}

/// One reason to refuse.
#[derive(Debug)]
pub struct Refusal {
    pub id: &'static str,
    /// What is never done.
    pub sentence: &'static str,
    /// The facts that say so, when they do.
    pub looks: fn(&Case<'_>) -> Option<String>,
}

/// All reasons, in the order in which they are told.
pub const REFUSALS: [Refusal; 9] = [
    Refusal {
        id: "quorum",
        sentence: "what leaves a quorum below its minimum",
        looks: |case| below_minimum(case.answer?, false),
    },
    Refusal { id: "two-members", sentence: "two members at once", looks: two_members },
    Refusal {
        id: "only-copy",
        sentence: "what destroys the only copy of data without a verified backup newer than the \
                   data",
        looks: only_copy,
    },
    Refusal {
        id: "authority-key",
        sentence: "deleting a node, volume or StatefulSet that holds a certificate authority's \
                   only key",
        looks: authority_key,
    },
    Refusal {
        id: "relabelling",
        sentence: "relabelling that would unplace a running pod",
        looks: relabelling,
    },
    Refusal {
        id: "all-at-once",
        sentence: "restarting all members of a set at once",
        looks: all_at_once,
    },
    Refusal { id: "last-backup", sentence: "pruning the last verified backup", looks: last_backup },
    Refusal {
        id: "old-facts",
        sentence: "anything on facts older than 10 minutes",
        looks: |case| stale(case.state, case.needs, case.now),
    },
    Refusal {
        id: "unnamed-network",
        sentence: "anything on mainnet without its name",
        looks: unnamed,
    },
];

/// Something that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub id: &'static str,
    pub sentence: &'static str,
    pub facts: String,
}

impl Refused {
    pub(crate) fn new(refusal: &Refusal, facts: String) -> Self {
        Self { id: refusal.id, sentence: refusal.sentence, facts }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused, as always: {} ({}): {}", self.sentence, self.id, self.facts)
    }
}

impl std::error::Error for Refused {}

/// Sets that live by numbers, or whose members stand in for each other.
pub(super) fn is_member(component: Component) -> bool {
    matches!(
        component,
        Component::Orderer
            | Component::Peer
            | Component::CouchDb
            | Component::Postgres
            | Component::Redis
            | Component::Sentinel
    )
}

/// A set that loses members by this and does not hold without them. A single one is no quorum: what
/// becomes of it is told instead.
pub(super) fn below_minimum(answer: &WhatIf, in_the_end: bool) -> Option<String> {
    let broken = answer.sets.iter().find(|set| {
        let (worst, holds) = match in_the_end {
            true => (set.working.later, set.holds_later),
            false => {
                (set.working.at_once.min(set.working.later), set.holds_at_once && set.holds_later)
            }
        };
        let loses = worst < set.working.now || !set.leaving.is_empty();
        let counted = set.members > 1 || set.leaving.len() > set.members;
        counted && loses && !holds
    })?;
    let worst = broken.working.at_once.min(broken.working.later);
    Some(format!(
        "{}: {worst} of {} would work, it takes {}{}",
        broken.name,
        broken.members,
        broken.rule,
        match broken.leaving.as_slice() {
            [] => String::new(),
            some => format!("; without {}", some.join(", ")),
        }
    ))
}

/// The pods that an action takes away, for a while or for good.
fn taken<'a>(case: &Case<'a>) -> Vec<&'a Pod> {
    match case.action {
        Action::Evict { pods } => pods.iter().filter_map(|one| pod(case.state, one)).collect(),
        Action::Delete { object } if object.kind == "Pod" => {
            let found = pod(case.state, object).filter(|pod| pod.is_active());
            found.into_iter().collect()
        }
        Action::Delete { object } => {
            let own = workload(case.state, object);
            own.map(|one| case.state.pods_of(one)).unwrap_or_default()
        }
        Action::Scale { object, to, .. } => {
            let Some(one) = workload(case.state, object) else { return Vec::new() };
            let mut pods: Vec<&Pod> =
                case.state.pods_of(one).into_iter().filter(|pod| pod.is_active()).collect();
            crate::questions::what_if::sort_for_removal(one.kind, &mut pods);
            let stay = usize::try_from(*to).unwrap_or(usize::MAX);
            let gone = pods.len().saturating_sub(stay);
            pods.into_iter().take(gone).collect()
        }
        Action::Close { .. } | Action::Label { .. } | Action::Rotate { .. } => Vec::new(),
        Action::Ask { effect: Effect::PrimaryMoved { from, .. }, .. } => {
            let pods = case.state.pods.items().iter();
            pods.filter(|pod| pod.reference().to_string() == *from).collect()
        }
        Action::Ask { .. } => Vec::new(),
    }
}

/// The etcd that an action changes has members that are not well, besides the one that goes.
fn sick_etcd(case: &Case<'_>) -> Option<String> {
    let goes = match case.action {
        Action::Ask { effect: Effect::EtcdRemoved { member }, .. } => Some(member.as_str()),
        Action::Ask { effect: Effect::EtcdAdded { .. }, .. } => None,
        _ => return None,
    };
    let views = case.state.etcd.items().iter().filter_map(|one| one.members.get());
    let members = views.max_by_key(|members| members.len())?;
    let sick = members.iter().find(|one| {
        Some(one.name.as_str()) != goes && (one.healthy == Known::Known(false) || one.is_learner)
    })?;
    Some(format!("etcd: {} is not healthy, or a learner, at the same time", sick.name))
}

fn two_members(case: &Case<'_>) -> Option<String> {
    if let Some(sick) = sick_etcd(case) {
        return Some(sick);
    }
    let taken = taken(case);
    if taken.is_empty() {
        return None;
    }
    for set in sets(case.state, is_member).iter().filter(|set| set.members() > 1) {
        let pods = set.pods(case.state);
        let own: Vec<&&Pod> =
            pods.iter().filter(|pod| taken.iter().any(|one| is_same(one, pod))).collect();
        // One that does not work anyway takes nothing away from those that do.
        let working = own.iter().filter(|pod| pod.is_ready()).count();
        if own.is_empty() || working == 0 {
            continue;
        }
        let ready = pods.iter().filter(|pod| pod.is_ready()).count();
        let others = set.members().saturating_sub(ready);
        let spoiled = own.len().saturating_sub(working);
        let away = others.saturating_sub(spoiled);
        if own.len() > 1 || away > 0 {
            let names: Vec<&str> = own.iter().map(|pod| pod.name.as_str()).collect();
            return Some(format!(
                "{}: {} would be away, and {away} of its {} members do not work already",
                told_set(set),
                names.join(", "),
                set.members()
            ));
        }
    }
    None
}

fn is_same(one: &Pod, other: &Pod) -> bool {
    one.namespace == other.namespace && one.name == other.name
}

fn told_set(set: &Set<'_>) -> String {
    set.reference().to_string()
}

/// The claim and the volume that an action destroys.
fn destroyed<'a>(case: &Case<'a>) -> Option<(Option<&'a Claim>, Option<&'a PersistentVolume>)> {
    let Action::Delete { object } = case.action else { return None };
    match object.kind.as_str() {
        "PersistentVolumeClaim" => {
            let claim = case.state.claim(&object.namespace, &object.name)?;
            Some((Some(claim), case.state.volume(&claim.volume)))
        }
        "PersistentVolume" => {
            let volume = case.state.volume(&object.name)?;
            let claim = volume.claim.as_ref();
            let claim = claim.and_then(|one| case.state.claim(&one.namespace, &one.name));
            Some((claim, Some(volume)))
        }
        _ => None,
    }
}

/// When data of a volume were written last, as far as that is known; with the bytes there are.
fn written(state: &Snapshot, volume: &PersistentVolume) -> Option<(Time, Option<u64>)> {
    let folders = state.hosts.items().iter().filter_map(|host| host.volumes.get()).flatten();
    let folder = folders.into_iter().find(|one| !volume.path.is_empty() && one.path == volume.path);
    if let Some(at) = folder.and_then(|one| one.modified) {
        return Some((at, folder.map(|one| one.bytes)));
    }
    // Nobody writes to what nobody has claimed any more.
    let released = ["Released", "Failed"].contains(&volume.phase.as_str());
    volume.phase_since.filter(|_| released).map(|at| (at, None))
}

/// Backups that count: read again or restored, whole.
fn counts(artifact: &Artifact) -> bool {
    (artifact.verified.is_some() || artifact.drilled.is_some())
        && artifact.checksum_ok != Known::Known(false)
        && artifact.missing_parts.is_empty()
}

/// The newest backup of something by this name that counts.
fn newest<'a>(state: &'a Snapshot, namespace: &str, name: &str) -> Option<(&'a Backup, Time)> {
    let environment = state.environment(namespace).unwrap_or_default();
    let kind = component(name);
    let all = state.backups.items().iter().filter(|one| {
        let is_here = one.environment.is_empty() || one.environment == environment;
        is_here && (one.component == name || is_backup_name(&one.component, kind))
    });
    let good = all.flat_map(|one| one.artifacts.iter().map(move |artifact| (one, artifact)));
    good.filter(|(_, artifact)| counts(artifact))
        .map(|(one, artifact)| (one, artifact.at))
        .max_by_key(|(_, at)| *at)
}

/// The name of what a claim belongs to, as backups may be called.
fn belongs_to<'a>(state: &'a Snapshot, namespace: &str, claim: &'a str) -> &'a str {
    let sets = state.top_workloads().filter(|one| one.namespace == namespace);
    let owner = sets.into_iter().find(|one| {
        one.claim_templates.iter().any(|template| {
            let rest = claim.strip_prefix(&format!("{}-{}-", template.name, one.name));
            rest.is_some_and(|rest| rest.parse::<u32>().is_ok())
        })
    });
    owner.map_or(claim, |one| one.name.as_str())
}

fn only_copy(case: &Case<'_>) -> Option<String> {
    if let Some(lone) = taken(case).into_iter().find_map(|pod| ends_with_pod(case, pod)) {
        return Some(lone);
    }
    let (claim, volume) = destroyed(case)?;
    let at = claim.map(|one| (one.namespace.as_str(), one.name.as_str())).or_else(|| {
        let claim = volume?.claim.as_ref()?;
        Some((claim.namespace.as_str(), claim.name.as_str()))
    });
    let (namespace, name) = at.unwrap_or_default();
    let Some(volume) = volume else {
        // A claim without a volume holds nothing.
        return None;
    };
    let replicas = case.state.longhorn.items().iter().any(|one| one.name == volume.name);
    let what = match replicas {
        true => format!("{}, with all its replicas", volume.name),
        false => volume.name.clone(),
    };
    let Some((data, bytes)) = written(case.state, volume) else {
        return Some(format!(
            "{what} ({namespace}/{name}): when it was written last is not known: {}",
            Fact::Hosts.how()
        ));
    };
    if bytes == Some(0) {
        return None;
    }
    let of = belongs_to(case.state, namespace, name);
    match newest(case.state, namespace, of) {
        Some((_, at)) if at > data => None,
        Some((backup, at)) => Some(format!(
            "{what} ({namespace}/{name}) was written on {data}, and the newest verified backup at \
             {} is of {at}",
            backup.target
        )),
        None => Some(format!(
            "{what} ({namespace}/{name}) was written on {data}, and there is no verified backup \
             of it"
        )),
    }
}

/// Data of a server that lie in the pod itself, and in no other member that works.
fn ends_with_pod(case: &Case<'_>, pod: &Pod) -> Option<String> {
    let one = case.state.workload_of(pod)?;
    let kind = component(&one.name);
    let keeps = [Component::Authority, Component::Orderer, Component::Peer, Component::Postgres];
    if !keeps.contains(&kind) || lies_outside(pod) {
        return None;
    }
    let is_alike = |set: &Set<'_>| {
        set.workloads.iter().any(|other| std::ptr::eq(*other, one)) && kind != Component::Authority
    };
    let others = sets(case.state, |component| component == kind);
    let others = others.iter().filter(|set| is_alike(set)).flat_map(|set| set.pods(case.state));
    // Databases are copies of each other only when they say so themselves; none is asked here.
    let has_copy = kind != Component::Postgres
        && others.into_iter().any(|other| other.is_ready() && !is_same(other, pod));
    let has_backup = newest(case.state, &pod.namespace, &one.name).is_some();
    (!has_copy && !has_backup).then(|| {
        format!(
            "{}: its data lie in the pod and end with it, and nothing else has them",
            pod.reference()
        )
    })
}

/// Whether what a pod keeps outlives it.
fn lies_outside(pod: &Pod) -> bool {
    pod.claims().next().is_some()
        || pod.spec.volumes.iter().any(|volume| {
            matches!(
                volume.source,
                VolumeSource::HostPath(_) | VolumeSource::Csi(_) | VolumeSource::Secret(_)
            )
        })
}

/// Authorities whose key lies on what an action deletes.
fn authorities<'a>(case: &Case<'a>) -> Vec<&'a Workload> {
    let Action::Delete { object } = case.action else { return Vec::new() };
    let state = case.state;
    let all = state.top_workloads().filter(|one| component(&one.name) == Component::Authority);
    all.filter(|one| match object.kind.as_str() {
        "StatefulSet" | "Deployment" => one.reference() == object.reference(),
        "PersistentVolume" => {
            let own = state.volumes_of(one);
            own.iter().any(|(_, volume)| volume.name == object.name)
                || is_claimed_by(state, one, object)
        }
        "PersistentVolumeClaim" => {
            object.namespace == one.namespace
                && (state.pods_of(one).iter().any(|pod| pod.claims().any(|it| it == object.name))
                    || belongs_to(state, &one.namespace, &object.name) == one.name)
        }
        "Node" => state.volumes_of(one).iter().any(|(_, volume)| {
            let hostnames = volume.hostnames();
            hostnames.len() == 1
                && hostnames.iter().any(|name| {
                    let node = state.node_of_hostname(name).or_else(|| state.node(name));
                    node.is_some_and(|node| node.name == object.name)
                })
        }),
        _ => false,
    })
    .collect()
}

fn is_claimed_by(state: &Snapshot, one: &Workload, object: &Exact) -> bool {
    let claim = state.volume(&object.name).and_then(|volume| volume.claim.as_ref());
    claim.is_some_and(|claim| {
        claim.namespace == one.namespace
            && belongs_to(state, &one.namespace, &claim.name) == one.name
    })
}

fn authority_key(case: &Case<'_>) -> Option<String> {
    let one = authorities(case)
        .into_iter()
        .find(|one| newest(case.state, &one.namespace, &one.name).is_none())?;
    let object = case.action.objects().first().map(|object| object.reference().to_string());
    Some(format!(
        "{} holds the key of {}, of which no verified backup is known",
        object.unwrap_or_default(),
        one.reference()
    ))
}

fn relabelling(case: &Case<'_>) -> Option<String> {
    let Action::Label { object, key, .. } = case.action else { return None };
    let answer = case.answer?;
    let unplaced: Vec<String> = answer
        .at_risk
        .iter()
        .chain(&answer.stuck)
        .map(|one| one.pod.to_string())
        .chain(answer.ends.iter().map(ToString::to_string))
        .collect();
    let first = unplaced.first()?;
    let more = match unplaced.len() {
        1 => String::new(),
        count => format!(" and {}", plural(count.saturating_sub(1), "other pod")),
    };
    Some(format!("without {key} as it is on {}, {first}{more} would have no place", object.name))
}

fn all_at_once(case: &Case<'_>) -> Option<String> {
    let Action::Evict { pods } = case.action else { return None };
    let taken: Vec<&Pod> = pods.iter().filter_map(|one| pod(case.state, one)).collect();
    if taken.len() < 2 {
        return None;
    }
    let all = case.state.top_workloads().filter(|one| one.is_lasting() && one.replicas > 1);
    all.filter_map(|one| {
        let ready: Vec<&Pod> = case
            .state
            .pods_of(one)
            .into_iter()
            .filter(|pod| pod.is_active() && pod.is_ready())
            .collect();
        let is_taken = |pod: &&Pod| taken.iter().any(|other| is_same(other, pod));
        let all = !ready.is_empty() && ready.iter().all(is_taken);
        all.then(|| format!("all {} ready pods of {} at once", ready.len(), one.reference()))
    })
    .next()
}

fn last_backup(case: &Case<'_>) -> Option<String> {
    let is_held = |backup: &Backup, artifact: &Artifact| match case.action {
        Action::Ask { effect: Effect::FileRemoved { host, path }, .. } => {
            let name = path.rsplit('/').next().unwrap_or_default();
            (backup.host == *host || backup.host.is_empty() || backup.taken_from == *host)
                && (artifact.name == *path || artifact.name == name)
        }
        Action::Delete { object } if object.kind == "Node" => backup.host == object.name,
        _ => false,
    };
    case.state.backups.items().iter().find_map(|backup| {
        let good: Vec<&Artifact> =
            backup.artifacts.iter().filter(|artifact| counts(artifact)).collect();
        let goes = good.iter().filter(|artifact| is_held(backup, artifact)).count();
        if goes == 0 || goes < good.len() {
            return None;
        }
        // The same component at another target is another backup.
        let elsewhere = case.state.backups.items().iter().any(|other| {
            other.component == backup.component
                && other.environment == backup.environment
                && (&other.target, &other.host) != (&backup.target, &backup.host)
                && other.artifacts.iter().any(counts)
        });
        (!elsewhere).then(|| {
            format!(
                "the last verified backup of {} ({}) lies there",
                backup.component, backup.environment
            )
        })
    })
}

/// The first part that is missing or old.
pub(super) fn stale(state: &Snapshot, needs: &[Fact], now: Time) -> Option<String> {
    needs.iter().find_map(|fact| {
        if let Some(why) = state.lacks(*fact) {
            return Some(format!("{} is missing ({why}): {}", fact.name(), fact.how()));
        }
        let at = state.sources(*fact).iter().map(|source| source.at).max()?;
        let age = now.seconds_since(at);
        (age > OLD)
            .then(|| format!("{} of {at} is {} minutes old: {}", fact.name(), age / 60, fact.how()))
    })
}

fn unnamed(case: &Case<'_>) -> Option<String> {
    let network = case.network?;
    match case.typed {
        Some(typed) if typed == network => None,
        Some(typed) => Some(format!("it touches {network}, and {typed:?} was typed")),
        None => Some(format!("it touches {network}, and no name was typed")),
    }
}
