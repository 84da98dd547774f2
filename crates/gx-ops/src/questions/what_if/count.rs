//! How many pods there are now, at the worst moment, and in the end.

use serde::Serialize;

use super::change::World;
use super::place::{Fate, Placed};
use crate::facts::{Object as _, ObjectRef, Pod, Workload, WorkloadKind};

/// Ready pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    pub now: usize,
    /// Before anything has found a new place; where one goes after the other, without one.
    pub at_once: usize,
    /// When everything that can has found its place.
    pub later: usize,
}

/// A workload with other pods than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Affected {
    pub workload: ObjectRef,
    pub wanted: u32,
    pub ready: Tally,
}

/// Counts pods of a kind; `started` are those of it that were not there before.
pub(super) fn tally(placed: &Placed<'_>, pods: &[&Pod], started: usize) -> Tally {
    let fates: Vec<Fate> =
        pods.iter().filter(|pod| pod.is_ready()).map(|pod| placed.fate(pod)).collect();
    let count = |wanted: Fate| fates.iter().filter(|fate| **fate == wanted).count();
    let (stays, relayed) = (count(Fate::Stays), count(Fate::Relayed));
    let (replaced, overlapped) = (count(Fate::Replaced), count(Fate::Overlapped));
    let old = replaced.saturating_add(overlapped);
    // A rollout stops at the first pod that does not come up.
    let new = if started >= old { started } else { old.saturating_sub(usize::from(replaced > 0)) };
    let later = stays.saturating_add(count(Fate::Interrupted)).saturating_add(relayed);
    let later = later.saturating_add(new);
    let gap = usize::from(relayed.saturating_add(replaced) > 0);
    let meanwhile = stays.saturating_add(relayed).saturating_add(old).saturating_sub(gap);
    Tally { now: fates.len(), at_once: meanwhile.min(later), later }
}

/// How many pods of a workload were started.
pub(super) fn started(placed: &Placed<'_>, world: &World<'_>, one: &Workload) -> usize {
    let is_of = |pod: &&&Pod| {
        let known = world.before.workload_of(pod);
        let owner = || {
            pod.namespace == one.namespace
                && pod
                    .owner
                    .as_ref()
                    .is_some_and(|owner| owner.kind == one.kind.as_str() && owner.name == one.name)
        };
        known.map_or_else(owner, |known| std::ptr::eq(known, one))
    };
    placed.started.iter().filter(is_of).count()
}

/// Every workload that has others than before, at some moment.
pub(super) fn affected(world: &World<'_>, placed: &Placed<'_>) -> Vec<Affected> {
    let mut found = Vec::new();
    for one in world.before.top_workloads().filter(|one| one.is_lasting()) {
        let pods = world.before.pods_of(one);
        let started = started(placed, world, one);
        let is_same = started == 0 && pods.iter().all(|pod| placed.fate(pod) == Fate::Stays);
        if is_same {
            continue;
        }
        let ready = tally(placed, &pods, started);
        found.push(Affected { workload: one.reference(), wanted: one.replicas, ready });
    }
    found
}

/// What is not as it should be before anything is changed.
pub(super) fn already(world: &World<'_>) -> Vec<String> {
    let lasting = world.before.top_workloads().filter(|one| one.is_lasting());
    let short = lasting.filter_map(|one| {
        let pods = world.before.pods_of(one);
        let ready = pods.iter().filter(|pod| pod.is_active() && pod.is_ready()).count();
        let wanted = usize::try_from(one.replicas).unwrap_or(usize::MAX);
        let is_known = one.kind != WorkloadKind::DaemonSet || wanted > 0;
        (is_known && ready < wanted)
            .then(|| format!("{}: {ready} of {wanted} are ready", one.reference()))
    });
    let nodes = world.before.nodes.items().iter().filter(|node| !node.is_ready());
    nodes.map(|node| format!("{} is not ready", node.reference())).chain(short).collect()
}
