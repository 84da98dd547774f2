//! What nobody needs any more: pods that have ended, superseded ReplicaSets, workloads that only
//! crash, Services that lead nowhere, volumes that nothing uses, archives on hosts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::action::{Action, Check, Effect, Exact};
use super::super::build::{Draft, WITHIN, Wanted};
use super::workloads::{scaling, stand};
use crate::facts::{
    Claim, Fact, Object as _, PersistentVolume, Phase, Pod, Service, Snapshot, VolumeSource,
    Workload, WorkloadKind,
};
use crate::questions::explain::called;
use crate::rules::shared::is_foreign;

/// What is cleaned, and from when on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Clean {
    /// These alone; empty: all that belong to the platform.
    pub namespaces: Vec<String>,
    /// Pods that succeeded, so many hours after they were made.
    pub finished_hours: Option<u64>,
    /// Pods that failed; kept unless this is set, because they tell why.
    pub failed_hours: Option<u64>,
    /// Old ReplicaSets of each Deployment that stay, to go back to.
    pub keep_revisions: Option<usize>,
    /// Restarts after which a workload that only crashes is parked.
    pub crash_restarts: Option<u32>,
    pub services: bool,
    pub volumes: bool,
    /// Archives below temporary folders of hosts, after so many days.
    pub archive_days: Option<u64>,
}

impl Clean {
    fn is_wanted(&self, namespace: &str) -> bool {
        match self.namespaces.is_empty() {
            true => !is_foreign(namespace),
            false => self.namespaces.iter().any(|one| one == namespace),
        }
    }
}

/// The steps, the harmless first.
pub(in super::super) fn clean(snapshot: &Snapshot, policy: &Clean) -> Wanted {
    let mut wanted = Wanted::default();
    finished(snapshot, policy, &mut wanted);
    superseded(snapshot, policy, &mut wanted);
    crashing(snapshot, policy, &mut wanted);
    if policy.services {
        services(snapshot, policy, &mut wanted);
    }
    if policy.volumes {
        volumes(snapshot, policy, &mut wanted);
    }
    archives(snapshot, policy, &mut wanted);
    wanted
}

fn deletion(object: Exact, why: String, rollback: String) -> Draft {
    Draft {
        title: format!("delete {}", object.reference()),
        action: Action::Delete { object },
        why,
        rollback: vec![rollback],
        check: Check::Done,
        within: WITHIN,
        dependants: Vec::new(),
    }
}

/// Pods that have ended.
fn finished(snapshot: &Snapshot, policy: &Clean, wanted: &mut Wanted) {
    for pod in snapshot.pods.items().iter().filter(|pod| policy.is_wanted(&pod.namespace)) {
        let hours = match pod.phase {
            Phase::Succeeded => policy.finished_hours,
            Phase::Failed => policy.failed_hours,
            Phase::Pending | Phase::Running | Phase::Unknown => None,
        };
        let Some(hours) = hours.filter(|_| pod.deleting.is_none()) else { continue };
        let Some(age) = pod.created.map(|at| snapshot.age(at)) else { continue };
        if age < hours.saturating_mul(3600) || runs_on(snapshot, pod) {
            continue;
        }
        wanted.stand(pod.reference().to_string(), format!("{} {:?}", pod.uid, pod.phase));
        wanted.steps.push(deletion(
            Exact::of(pod),
            format!("it {} and is {} hours old", ended(pod.phase), age / 3600),
            "none: it has ended, and its log goes with it".to_owned(),
        ));
    }
}

const fn ended(phase: Phase) -> &'static str {
    match phase {
        Phase::Succeeded => "succeeded",
        Phase::Failed => "failed",
        Phase::Pending | Phase::Running | Phase::Unknown => "runs",
    }
}

/// Whether the Job of a pod has still to do with it.
fn runs_on(snapshot: &Snapshot, pod: &Pod) -> bool {
    let Some(owner) = pod.owner.as_ref().filter(|owner| owner.kind == "Job") else { return false };
    let job = snapshot.workload(WorkloadKind::Job, &pod.namespace, &owner.name);
    job.is_some_and(|job| job.job.as_ref().is_none_or(|job| job.finished.is_none()))
}

/// ReplicaSets that a Deployment would go back to, beyond those that are kept.
fn superseded(snapshot: &Snapshot, policy: &Clean, wanted: &mut Wanted) {
    let Some(keep) = policy.keep_revisions else { return };
    let mut old: BTreeMap<(&str, &str), Vec<&Workload>> = BTreeMap::new();
    for one in snapshot.workloads.items() {
        let owner = one.owner.as_ref().filter(|owner| owner.kind == "Deployment");
        if let (WorkloadKind::ReplicaSet, Some(owner)) = (one.kind, owner) {
            old.entry((&one.namespace, &owner.name)).or_default().push(one);
        }
    }
    for ((namespace, name), mut sets) in old {
        let Some(owner) = snapshot.workload(WorkloadKind::Deployment, namespace, name) else {
            continue;
        };
        if !policy.is_wanted(namespace) {
            continue;
        }
        let is_settled = owner.observed_generation == owner.generation
            && owner.updated == owner.replicas
            && owner.ready == owner.replicas;
        let current = owner.revision;
        let is_told = sets.iter().all(|one| one.revision.is_some()) && current.is_some();
        if sets.len() > keep.saturating_add(1) && (!is_settled || !is_told) {
            wanted.notes.push(format!(
                "{}: its ReplicaSets stay, because {}",
                owner.reference(),
                if is_told { "a rollout is under way" } else { "their revisions are not known" }
            ));
            continue;
        }
        sets.retain(|one| one.revision != current && one.replicas == 0 && one.deleting.is_none());
        sets.sort_by_key(|one| std::cmp::Reverse(one.revision));
        let gone: Vec<&Workload> = sets.into_iter().skip(keep).collect();
        if !gone.is_empty() {
            stand(snapshot, wanted, owner);
        }
        for one in gone {
            let revision = one.revision.unwrap_or(0);
            wanted.stand(one.reference().to_string(), format!("{} 0 replicas", one.uid));
            wanted.steps.push(deletion(
                Exact::of(one),
                format!(
                    "it is revision {revision} of {}, which is at {}; the newest {keep} before \
                     that stay",
                    owner.reference(),
                    current.unwrap_or(0)
                ),
                format!(
                    "none: revision {revision} cannot be gone back to any more, later ones can: \
                     kubectl rollout history deployment/{name} -n {namespace}"
                ),
            ));
        }
    }
}

/// Workloads of which every pod only crashes.
fn crashing(snapshot: &Snapshot, policy: &Clean, wanted: &mut Wanted) {
    let Some(least) = policy.crash_restarts else { return };
    for one in snapshot.top_workloads().filter(|one| one.replicas > 0) {
        let is_kind = matches!(one.kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet);
        if !is_kind || !policy.is_wanted(&one.namespace) {
            continue;
        }
        let pods = snapshot.pods_of(one);
        let pods: Vec<&Pod> = pods.into_iter().filter(|pod| pod.is_active()).collect();
        let crashes = |pod: &&Pod| {
            let waits = |reason: &Option<String>| reason.as_deref() == Some("CrashLoopBackOff");
            !pod.is_ready() && pod.statuses.iter().any(|status| waits(&status.waiting))
        };
        let restarts = pods.iter().map(|pod| pod.restarts()).max().unwrap_or(0);
        if pods.is_empty() || !pods.iter().all(crashes) || restarts < least {
            continue;
        }
        match snapshot.environment(&one.namespace) {
            Some("mainnet") | None => {
                wanted.notes.push(format!(
                    "{} crashes, {restarts} times by now, and is not parked: {}",
                    one.reference(),
                    match snapshot.environment(&one.namespace) {
                        Some(_) => "it belongs to mainnet",
                        None => "which environment it belongs to is not known",
                    }
                ));
            }
            Some(_) => {
                stand(snapshot, wanted, one);
                let why = format!("every pod of it crashes, {restarts} times by now");
                let mut step = scaling(one, one.replicas, 0, why, true);
                step.dependants = crate::questions::explain::needed_by(
                    snapshot,
                    &one.namespace,
                    &one.template.labels,
                );
                wanted.steps.push(step);
            }
        }
    }
}

/// Services that select nothing, and that nothing names.
fn services(snapshot: &Snapshot, policy: &Clean, wanted: &mut Wanted) {
    let needs = [Fact::Ingresses, Fact::ConfigMaps, Fact::Secrets, Fact::Services, Fact::Workloads];
    wanted.needs.extend(needs);
    for one in snapshot.services.items().iter().filter(|one| policy.is_wanted(&one.namespace)) {
        let is_plain =
            one.owner.is_none() && !one.selector.is_empty() && one.external_name.is_empty();
        if !is_plain || one.deleting.is_some() || leads(snapshot, one) || is_named(snapshot, one) {
            continue;
        }
        wanted.stand(one.reference().to_string(), format!("{} selects nothing", one.uid));
        wanted.steps.push(deletion(
            Exact::of(one),
            "no pod and no workload has the labels that it selects; no Ingress, no StatefulSet and \
             no setting that is shown names it"
                .to_owned(),
            format!(
                "kubectl create -f OBJECTS/Service.{}.{}.json, as saved before it is deleted",
                one.namespace, one.name
            ),
        ));
    }
}

/// Whether something has, or would have, the labels that it selects.
fn leads(snapshot: &Snapshot, service: &Service) -> bool {
    let matches = |labels: &crate::facts::Labels| {
        service.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    };
    let pods = snapshot.pods_in(&service.namespace);
    let workloads = snapshot.workloads.items().iter();
    // What gives pods their names adds a label that templates do not have.
    let is_one_pods = service.selector.contains_key("statefulset.kubernetes.io/pod-name");
    is_one_pods
        || pods.iter().any(|pod| matches(&pod.labels))
        || workloads
            .filter(|one| one.namespace == service.namespace)
            .any(|one| matches(&one.template.labels))
}

fn is_named(snapshot: &Snapshot, service: &Service) -> bool {
    let ingresses = snapshot.ingresses.items().iter();
    let mut ingresses = ingresses.filter(|one| one.namespace == service.namespace);
    ingresses.any(|one| {
        one.default_service == service.name
            || one.paths.iter().any(|path| path.service == service.name)
    }) || snapshot.workloads.items().iter().any(|one| {
        one.namespace == service.namespace && one.service_name == service.name
            || called(snapshot, &one.namespace, &one.template.spec)
                .iter()
                .any(|other| std::ptr::eq(*other, service))
    })
}

/// Claims that nothing mounts, and volumes that nothing claims.
fn volumes(snapshot: &Snapshot, policy: &Clean, wanted: &mut Wanted) {
    for claim in snapshot.claims.items().iter().filter(|one| policy.is_wanted(&one.namespace)) {
        if claim.deleting.is_some() || claim.owner.is_some() || is_used(snapshot, claim) {
            continue;
        }
        let volume = snapshot.volume(&claim.volume);
        let goes = volume.is_some_and(|volume| volume.reclaim == "Delete");
        wanted.stand(claim.reference().to_string(), format!("{} unused", claim.uid));
        wanted.steps.push(deletion(
            Exact::of(claim),
            format!("no pod mounts it and no workload names it{}", proof(snapshot, volume)),
            match goes {
                true => {
                    "none: the volume is deleted with the claim; restore from the backup".to_owned()
                }
                false => format!(
                    "the volume {} stays: kubectl create -f \
                     OBJECTS/PersistentVolumeClaim.{}.{}.json",
                    claim.volume, claim.namespace, claim.name
                ),
            },
        ));
    }
    for volume in snapshot.volumes.items() {
        let namespace = volume.claim.as_ref().map_or("", |claim| claim.namespace.as_str());
        let is_left = ["Released", "Failed"].contains(&volume.phase.as_str());
        if !is_left || volume.deleting.is_some() || !policy.is_wanted(namespace) {
            continue;
        }
        wanted.stand(volume.reference().to_string(), format!("{} {}", volume.uid, volume.phase));
        wanted.steps.push(deletion(
            Exact::of(volume),
            format!("its claim is gone{}", proof(snapshot, Some(volume))),
            format!("kubectl create -f OBJECTS/PersistentVolume..{}.json", volume.name),
        ));
    }
}

/// What is known of what lies in a volume.
fn proof(snapshot: &Snapshot, volume: Option<&PersistentVolume>) -> String {
    let Some(volume) = volume else { return "; it never had a volume".to_owned() };
    let folders = snapshot.hosts.items().iter().filter_map(|host| host.volumes.get()).flatten();
    let folder = folders.into_iter().find(|one| !volume.path.is_empty() && one.path == volume.path);
    match folder {
        Some(one) if one.bytes == 0 => format!("; {} is empty", one.path),
        Some(one) => {
            format!("; {} holds {} bytes, which a verified backup has", one.path, one.bytes)
        }
        None => "; a verified backup has what it holds".to_owned(),
    }
}

/// Whether something mounts a claim, or would.
fn is_used(snapshot: &Snapshot, claim: &Claim) -> bool {
    if !snapshot.users_of(claim).is_empty() {
        return true;
    }
    let mut all = snapshot.workloads.items().iter().filter(|one| one.namespace == claim.namespace);
    all.any(|one| {
        let named = one.template.spec.volumes.iter().any(
            |volume| matches!(&volume.source, VolumeSource::Claim(name) if *name == claim.name),
        );
        // Claims of pods that a StatefulSet had, or will have again.
        let own = one.claim_templates.iter().any(|template| {
            let rest = claim.name.strip_prefix(&format!("{}-{}-", template.name, one.name));
            rest.is_some_and(|rest| rest.parse::<u32>().is_ok())
        });
        named || own
    })
}

/// Archives that lie below temporary folders.
fn archives(snapshot: &Snapshot, policy: &Clean, wanted: &mut Wanted) {
    let Some(days) = policy.archive_days else { return };
    wanted.needs.extend([Fact::Hosts, Fact::Backups]);
    for host in snapshot.hosts.items() {
        let archives = host.archives.get().into_iter().flatten();
        for one in archives {
            let age = one.modified.map(|at| snapshot.age(at));
            let Some(age) = age.filter(|age| *age >= days.saturating_mul(86_400)) else { continue };
            let is_safe = one.path.starts_with('/') && !one.path.contains('\'');
            if !is_safe {
                wanted
                    .notes
                    .push(format!("an archive on {} has a name that no command takes", host.name));
                continue;
            }
            wanted.stand(format!("{} on {}", one.path, host.name), format!("{} bytes", one.bytes));
            wanted.steps.push(Draft {
                title: format!("delete {} on {}", one.path, host.name),
                action: Action::Ask {
                    place: host.name.clone(),
                    run: vec![format!("ssh {} rm -- '{}'", host.name, one.path)],
                    effect: Effect::FileRemoved { host: host.name.clone(), path: one.path.clone() },
                },
                why: format!("it is {} days old and has {} bytes", age / 86_400, one.bytes),
                rollback: vec!["none: a file that is deleted is gone".to_owned()],
                check: Check::Said { what: "the file is gone".to_owned() },
                within: WITHIN,
                dependants: Vec::new(),
            });
        }
    }
}
