//! Workloads: another number of pods, and pods that start again.

use super::super::PlanError;
use super::super::action::{Action, Check, Exact};
use super::super::build::{Draft, WITHIN, Wanted};
use super::super::refusals::is_member;
use crate::facts::{Object as _, Pod, Snapshot, Workload, WorkloadKind};
use crate::questions::find_workload;
use crate::questions::what_if::{Change, sort_for_removal};
use crate::report::plural;
use crate::rules::shared::component;

/// Tells of a workload what a plan stands on.
pub(super) fn stand(snapshot: &Snapshot, wanted: &mut Wanted, one: &Workload) {
    let pods = snapshot.pods_of(one);
    let ready = pods.iter().filter(|pod| pod.is_active() && pod.is_ready()).count();
    let generation =
        one.generation.map_or_else(String::new, |number| format!(", generation {number}"));
    let is = format!("{} {} replicas, {ready} ready{generation}", one.uid, one.replicas);
    wanted.stand(one.reference().to_string(), is);
}

/// What sets the number of pods by itself.
fn autoscaled(snapshot: &Snapshot, one: &Workload) -> Option<String> {
    let mut all = snapshot.autoscalers.items().iter();
    let found = all.find(|auto| {
        auto.namespace == one.namespace
            && auto.target_kind == one.kind.as_str()
            && auto.target == one.name
    })?;
    Some(format!("{} sets its number between {} and {}", found.reference(), found.min, found.max))
}

/// One step from a number of pods to another.
pub(super) fn scaling(one: &Workload, from: u32, to: u32, why: String, remember: bool) -> Draft {
    let object = Exact { generation: None, ..Exact::of_workload(one) };
    let back = format!("kubectl scale {} --replicas={from}", object.kubectl());
    Draft {
        title: format!("scale {} from {from} to {to}", one.reference()),
        why,
        rollback: vec![back],
        check: match to {
            0 => Check::Done,
            to => Check::Ready {
                workload: one.reference(),
                ready: usize::try_from(to).unwrap_or(usize::MAX),
                seconds: 0,
            },
        },
        within: WITHIN,
        dependants: Vec::new(),
        action: Action::Scale { object, from, to, remember },
    }
}

/// Another number of pods. Members of a set come and go one by one.
pub(super) fn scale(snapshot: &Snapshot, name: &str, to: u32) -> Result<Wanted, PlanError> {
    let one = find_workload(snapshot, name)?;
    if !matches!(one.kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet) {
        return Err(PlanError::Cannot(format!("{} has no number to set", one.reference())));
    }
    if let Some(why) = autoscaled(snapshot, one) {
        return Err(PlanError::Cannot(format!("{}: {why}; change that", one.reference())));
    }
    if one.replicas == to {
        return Err(PlanError::Nothing(format!("{} has {to} replicas", one.reference())));
    }
    let mut wanted = Wanted::default();
    stand(snapshot, &mut wanted, one);
    let why = format!("{} are wanted", plural(usize::try_from(to).unwrap_or(0), "pod"));
    if is_member(component(&one.name)) {
        let mut from = one.replicas;
        while from != to {
            let next = if to > from { from.saturating_add(1) } else { from.saturating_sub(1) };
            wanted.steps.push(scaling(one, from, next, why.clone(), false));
            from = next;
        }
    } else {
        wanted.steps.push(scaling(one, one.replicas, to, why, false));
    }
    wanted.changes.push(Change::Scale {
        workload: format!("{}/{}/{}", one.kind.as_str(), one.namespace, one.name),
        replicas: to,
    });
    if one.kind == WorkloadKind::StatefulSet && to < one.replicas {
        wanted.notes.push(
            "claims of pods that go stay, unless the StatefulSet's own retention policy says \
             otherwise: look at spec.persistentVolumeClaimRetentionPolicy"
                .to_owned(),
        );
    }
    Ok(wanted)
}

/// Pods start again, so many at once; the first alone is watched for longer.
pub(super) fn restart(
    snapshot: &Snapshot,
    names: &[String],
    at_once: usize,
    settle_seconds: u64,
) -> Result<Wanted, PlanError> {
    let mut wanted = Wanted::default();
    let mut is_canary = true;
    for name in names {
        let one = find_workload(snapshot, name)?;
        if !one.is_lasting() {
            return Err(PlanError::Cannot(format!("{} ends by itself", one.reference())));
        }
        stand(snapshot, &mut wanted, one);
        let mut pods: Vec<&Pod> =
            snapshot.pods_of(one).into_iter().filter(|pod| pod.is_active()).collect();
        let ready = pods.iter().filter(|pod| pod.is_ready()).count();
        sort_for_removal(one.kind, &mut pods);
        for group in groups(&pods, at_once.max(1), &mut is_canary) {
            let is_first = wanted.steps.is_empty();
            wanted.steps.push(again(one, &group, ready, is_first, settle_seconds));
        }
    }
    Ok(wanted)
}

/// The canary alone, then so many at a time.
fn groups<'a>(pods: &[&'a Pod], at_once: usize, is_canary: &mut bool) -> Vec<Vec<&'a Pod>> {
    let mut groups: Vec<Vec<&'a Pod>> = Vec::new();
    let mut rest = pods;
    // A canary of a workload whose pods go all at once anyway is none.
    if let (true, true, Some((first, others))) =
        (*is_canary, at_once < pods.len(), rest.split_first())
    {
        groups.push(vec![first]);
        rest = others;
    }
    *is_canary &= pods.is_empty();
    groups.extend(rest.chunks(at_once).map(<[&Pod]>::to_vec));
    groups
}

fn again(one: &Workload, pods: &[&Pod], ready: usize, is_first: bool, settle: u64) -> Draft {
    let names: Vec<String> = pods.iter().map(|pod| pod.reference().to_string()).collect();
    // Those that did not work shall work afterwards; that is what they start again for.
    let spoiled = pods.iter().filter(|pod| !pod.is_ready()).count();
    let grace = pods.iter().filter_map(|pod| pod.spec.grace_seconds).max().unwrap_or(30);
    let seconds = if is_first { settle } else { 0 };
    Draft {
        title: format!("restart {}", names.join(" and ")),
        action: Action::Evict { pods: pods.iter().map(|pod| Exact::of(*pod)).collect() },
        why: match is_first {
            true => format!("the canary of {}: the others follow when it works", one.reference()),
            false => format!("the next of {}", one.reference()),
        },
        rollback: vec![format!(
            "kubectl describe {}: a pod is made again by itself; what does not start is a matter \
             of its template",
            Exact::of(one).kubectl()
        )],
        check: Check::Ready {
            workload: one.reference(),
            ready: ready.saturating_add(spoiled),
            seconds,
        },
        within: WITHIN.saturating_add(u64::from(grace)).saturating_add(seconds),
        dependants: Vec::new(),
    }
}
