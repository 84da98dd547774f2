//! What is wrong with pods: they do not start, do not stay, or do not go.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{lasting, lost_node, process_of, told_under};
use super::super::{Findings, Problem};
use crate::facts::{
    ContainerStatus, Event, Known, Object as _, ObjectRef, Pod, Snapshot, Time, WorkloadKind,
    condition, normal_image,
};

pub(super) const FIVE_MINUTES: u64 = 300;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// A problem of a pod or one container of it, told under what it follows from.
fn problem(snapshot: &Snapshot, pod: &Pod, subject: ObjectRef, evidence: String) -> Problem {
    let problem = Problem::new(subject, evidence);
    match told_under(snapshot, pod) {
        Some(cause) => problem.because(cause),
        None => problem,
    }
}

fn status_reference(pod: &Pod, status: &ContainerStatus) -> ObjectRef {
    pod.reference().container(&status.name)
}

/// WRK-02
pub(super) fn crash_loop(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_active()) {
        findings.looked();
        let is_looping =
            |one: &&ContainerStatus| one.waiting.as_deref() == Some("CrashLoopBackOff");
        for status in pod.statuses.iter().filter(is_looping) {
            let mut evidence = format!("CrashLoopBackOff, {} restarts", status.restarts);
            if let Some(reason) = &status.last_ended {
                let code = status.last_exit_code.map_or_else(String::new, |c| format!(" ({c})"));
                evidence.push_str(&format!("; the last run ended with {reason}{code}"));
            }
            findings.add(problem(snapshot, pod, status_reference(pod, status), evidence));
        }
    }
    findings
}

/// What kubelet says while it cannot have an image.
const NO_IMAGE: [&str; 6] = [
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImageInspectError",
    "ImagePullBackOff",
    "InvalidImageName",
    "RegistryUnavailable",
];

/// WRK-03
pub(super) fn image_missing(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_active()) {
        findings.looked();
        for status in &pod.statuses {
            let Some(reason) = status.waiting.as_deref().filter(|why| NO_IMAGE.contains(why))
            else {
                continue;
            };
            let image = image_of(pod, status);
            let evidence = format!("{reason} of {image} on {}", pod.node);
            let found = problem(snapshot, pod, status_reference(pod, status), evidence);
            findings.add(found.field("spec.template.spec.containers[].image"));
        }
    }
    findings
}

/// The image that a container is to have, as its description names it.
fn image_of<'a>(pod: &'a Pod, status: &'a ContainerStatus) -> &'a str {
    let mut containers = pod.spec.all_containers();
    let described = containers.find(|container| container.name == status.name);
    described.map_or(status.image.as_str(), |container| container.image.as_str())
}

/// WRK-04
pub(super) fn restarts(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_active()) {
        let count = pod.restarts();
        if count == 0 {
            findings.looked();
            continue;
        }
        let Some(age) = pod.started.or(pod.created).map(|since| snapshot.age(since)) else {
            findings.unknown(pod.reference(), format!("in what time its {count} restarts were"));
            continue;
        };
        findings.looked();
        // What was restarted long ago and has run since is mended.
        let ends = pod.statuses.iter().filter(|one| one.restarts > 0).map(|one| one.last_ended_at);
        let last = ends.collect::<Option<Vec<Time>>>().and_then(|ends| ends.into_iter().max());
        if last.is_some_and(|last| snapshot.age(last) > DAY) {
            continue;
        }
        let per_day = u64::from(count).saturating_mul(DAY) / age.max(DAY);
        let severity = match (per_day, age < HOUR && count >= 3) {
            (51.., _) => Severity::Critical,
            (_, true) => Severity::High,
            (11.., false) => Severity::Medium,
            _ => continue,
        };
        let evidence = format!("{count} restarts in {}, {per_day} a day", span(age));
        findings.add(problem(snapshot, pod, pod.reference(), evidence).severity(severity));
    }
    findings
}

/// So many days, hours or minutes.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..HOUR => format!("{} minutes", seconds / 60),
        HOUR..DAY => format!("{} hours", seconds / HOUR),
        _ => format!("{} days", seconds / DAY),
    }
}

/// WRK-05
pub(super) fn finished(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_finished()) {
        let ended = condition(&pod.conditions, "Ready").and_then(|one| one.since);
        let Some(age) = ended.or(pod.started).or(pod.created).map(|since| snapshot.age(since))
        else {
            findings.unknown(pod.reference(), "when it ended is not told");
            continue;
        };
        let kept = match kept_seconds(snapshot, pod) {
            Ok(kept) => kept,
            Err(why) => {
                findings.unknown(pod.reference(), why);
                continue;
            }
        };
        findings.looked();
        if kept.is_some_and(|kept| age > kept) {
            let evidence = format!("{:?} for {}", pod.phase, span(age));
            findings.add(Problem::new(pod.reference(), evidence));
        }
    }
    findings
}

/// How long a pod that has ended is of use; none: as long as its Job is kept.
fn kept_seconds(snapshot: &Snapshot, pod: &Pod) -> Result<Option<u64>, String> {
    let Some(owner) = pod.owner.as_ref().filter(|owner| owner.kind == "Job") else {
        return Ok(Some(HOUR));
    };
    let Some(job) = snapshot.workload(WorkloadKind::Job, &pod.namespace, &owner.name) else {
        let is_gone = snapshot.workloads.is_whole();
        return is_gone.then_some(Some(HOUR)).ok_or(format!("its Job {}", owner.name));
    };
    let Some(cron) = &job.owner else {
        // Somebody has started it by hand, and may want to read what it said.
        return Ok(Some(DAY));
    };
    let alike = snapshot.workloads.items().iter().filter(|one| {
        one.kind == WorkloadKind::Job
            && one.namespace == job.namespace
            && one.owner.as_ref().is_some_and(|owner| owner.name == cron.name)
    });
    let is_latest = alike.map(|one| one.created).max() == Some(job.created);
    Ok((!is_latest).then_some(HOUR))
}

/// WRK-09
pub(super) fn stuck_leaving(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for pod in snapshot.pods.items() {
        findings.looked();
        let Some(deleting) = pod.deleting else { continue };
        let grace = u64::from(pod.spec.grace_seconds.unwrap_or(30));
        let age = snapshot.age(deleting);
        if age <= grace.saturating_add(FIVE_MINUTES) {
            continue;
        }
        let mut evidence = format!("being deleted since {deleting}, {}", span(age));
        if !pod.finalizers.is_empty() {
            evidence.push_str(&format!("; finalizers {}", pod.finalizers.join(", ")));
        }
        let found = Problem::new(pod.reference(), evidence);
        findings.add(match lost_node(snapshot, pod) {
            Some(node) => found.because(node),
            None => found,
        });
    }
    findings
}

/// WRK-10
pub(super) fn cannot_mount(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let events = mount_failures(snapshot);
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_active() && !pod.node.is_empty()) {
        let waits = ["ContainerCreating", "PodInitializing"];
        let is_waiting =
            |one: &ContainerStatus| one.waiting.as_deref().is_some_and(|why| waits.contains(&why));
        // Containers wait for init containers as well, which then run or have a fault of their own.
        let is_held = pod.statuses.iter().any(is_waiting)
            && pod.statuses.iter().all(|one| is_waiting(one) || one.ended.is_some());
        if !is_held {
            findings.looked();
            continue;
        }
        let Some(since) = pod.started.or(pod.created) else {
            findings.unknown(pod.reference(), "since when its containers are being created");
            continue;
        };
        if snapshot.age(since) <= FIVE_MINUTES {
            findings.looked();
            continue;
        }
        let Some(event) = events.get(&(pod.namespace.as_str(), pod.name.as_str())) else {
            let what = "its containers are being created for long, and no event says why";
            findings.unknown(pod.reference(), what);
            continue;
        };
        findings.looked();
        let evidence = format!("{} times {}: {}", event.count, event.reason, event.message);
        let found = Problem::new(pod.reference(), evidence);
        let cause = local_volume(snapshot, pod).or_else(|| told_under(snapshot, pod));
        findings.add(match cause {
            Some(cause) => found.because(cause),
            None => found,
        });
    }
    findings
}

fn mount_failures(snapshot: &Snapshot) -> BTreeMap<(&str, &str), &Event> {
    let mut found: BTreeMap<(&str, &str), &Event> = BTreeMap::new();
    for event in snapshot.events.items() {
        let Some(about) = event.about.as_ref().filter(|about| about.kind == "Pod") else {
            continue;
        };
        if ["FailedAttachVolume", "FailedMount"].contains(&event.reason.as_str()) {
            let newest = found.entry((&about.namespace, &about.name)).or_insert(event);
            if event.last > newest.last {
                *newest = event;
            }
        }
    }
    found
}

/// The one volume of a pod that can be used on one host alone.
fn local_volume(snapshot: &Snapshot, pod: &Pod) -> Option<ObjectRef> {
    let claims = pod.claims().filter_map(|name| snapshot.claim(&pod.namespace, &name));
    let volumes = claims.filter_map(|claim| snapshot.volume(&claim.volume));
    let bound: Vec<_> = volumes.filter(|volume| !volume.hostnames().is_empty()).collect();
    match bound.as_slice() {
        [one] => Some(one.reference()),
        _ => None,
    }
}

/// The digest of an image id, with what kind of digest it is: of a manifest that was pulled, or of
/// an image that was brought. They cannot be compared.
fn digest(id: &str) -> Option<(bool, &str)> {
    match id.rsplit_once('@') {
        Some((_, digest)) => Some((true, digest)),
        None => id.starts_with("sha256:").then_some((false, id)),
    }
}

/// Where each digest of a reference runs.
type Digests<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// WRK-21
pub(super) fn tag_of_many(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut references: BTreeMap<(String, bool, &str), Digests<'_>> = BTreeMap::new();
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_active() && !pod.node.is_empty()) {
        // Images of two architectures have two digests.
        let architecture = snapshot.node(&pod.node).map_or("", |node| node.architecture.as_str());
        for status in &pod.statuses {
            let reference = normal_image(image_of(pod, status));
            let Some((kind, digest)) = digest(&status.image_id) else { continue };
            if !reference.contains('@') {
                let digests = references.entry((reference, kind, architecture)).or_default();
                digests.entry(digest).or_default().insert(&pod.node);
            }
        }
    }
    for ((reference, _, _), digests) in references {
        findings.looked();
        if digests.len() > 1 {
            let told: Vec<String> = digests
                .into_iter()
                .map(|(digest, nodes)| {
                    let nodes: Vec<&str> = nodes.into_iter().collect();
                    format!("{} on {}", digest.get(..19).unwrap_or(digest), nodes.join(", "))
                })
                .collect();
            findings.add(Problem::new(ObjectRef::global("Image", reference), told.join("; ")));
        }
    }
    findings
}

/// WRK-23
pub(super) fn out_of_memory(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for pod in snapshot.pods.items() {
        for status in &pod.statuses {
            findings.looked();
            // 137 is the status of anything that was killed; only the reason tells of memory.
            let was = [&status.ended, &status.last_ended];
            if !was.into_iter().flatten().any(|reason| reason == "OOMKilled") {
                continue;
            }
            let mut containers = pod.spec.all_containers();
            let limit =
                containers.find(|one| one.name == status.name).map_or(0, |one| one.limits.memory());
            let limit = match limit {
                0 => "without a limit of its own".to_owned(),
                limit => format!("at a limit of {} MiB", limit >> 20),
            };
            let at = status.last_ended_at.map_or_else(String::new, |at| format!(", last at {at}"));
            let evidence = format!("OOMKilled {limit}{at}; {} restarts", status.restarts);
            let found = problem(snapshot, pod, status_reference(pod, status), evidence);
            findings.add(found.field("spec.template.spec.containers[].resources.limits.memory"));
        }
    }
    findings
}

/// WRK-25
pub(super) fn bare(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for pod in snapshot.pods.items().iter().filter(|pod| pod.is_active()) {
        // Pods that a node makes itself are owned by it.
        if pod.owner.is_some() || pod.annotations.contains_key("kubernetes.io/config.mirror") {
            findings.looked();
            continue;
        }
        let Some(created) = pod.created else {
            findings.unknown(pod.reference(), "when it was made is not told");
            continue;
        };
        findings.looked();
        let age = snapshot.age(created);
        if age > HOUR {
            let evidence = format!("nothing owns it, and it is {} old", span(age));
            findings.add(Problem::new(pod.reference(), evidence));
        }
    }
    findings
}

/// WRK-11
pub(super) fn running_and_not_ready(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in lasting(snapshot) {
        let pods = snapshot.pods_of(workload);
        let pods: Vec<&Pod> = pods.into_iter().filter(|pod| pod.is_active()).collect();
        let is_running = |pod: &&Pod| {
            let mains = || pod.statuses.iter().filter(|one| !one.is_init);
            // Liveness would have restarted what has run for longer than it waits.
            let has_run = |since: Time| snapshot.age(since) > FIVE_MINUTES;
            mains().next().is_some() && mains().all(|one| one.running_since.is_some_and(has_run))
        };
        if pods.is_empty() {
            continue;
        }
        findings.looked();
        if !pods.iter().all(is_running) || pods.iter().any(|pod| pod.is_ready()) {
            continue;
        }
        let mut evidence = format!("all {} pods run, and none is ready", pods.len());
        let failing = failing_checks(snapshot, &pods);
        if !failing.is_empty() {
            evidence.push_str(&format!("; not ok: {}", failing.join(", ")));
        }
        findings.add(Problem::new(workload.reference(), evidence));
    }
    findings
}

/// Checks of `/readyz` that fail, of the processes in these pods.
fn failing_checks(snapshot: &Snapshot, pods: &[&Pod]) -> Vec<String> {
    let processes = pods.iter().filter_map(|pod| process_of(snapshot, pod));
    let failing = processes.flat_map(|process| process.checks.iter().filter(|check| !check.ok));
    let names: BTreeSet<String> = failing.map(|check| check.name.clone()).collect();
    names.into_iter().collect()
}

/// WRK-28
pub(super) fn permanent_errors(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for host in snapshot.hosts.items() {
        let errors = match &host.log_errors {
            Known::Known(errors) => errors,
            Known::Missing(missing) => {
                let subject = ObjectRef::global("Host", &host.name);
                findings.unknown(subject, format!("what its pods log: {}", missing.missing));
                continue;
            }
        };
        findings.looked();
        for one in errors.iter().filter(|one| one.lines > 0) {
            let subject = ObjectRef::new("Pod", &one.namespace, &one.pod).container(&one.container);
            let evidence =
                format!("{} lines with {:?} in its newest log", one.lines, one.signature);
            let pod = snapshot.pod(&one.namespace, &one.pod);
            findings.add(match pod {
                Some(pod) => problem(snapshot, pod, subject, evidence),
                None => Problem::new(subject, evidence),
            });
        }
    }
    findings
}
