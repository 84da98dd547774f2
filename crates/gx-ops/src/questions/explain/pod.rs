//! Why a pod is where it is, or why it is not.

use super::super::names::{NameError, find_pod};
use super::links::{events, exists, needed_by, needs, references};
use super::{Explanation, by_reason};
use crate::facts::{ContainerStatus, Object as _, Pod, Snapshot, condition};
use crate::placement::{Candidate, Cluster};

/// Explains a pod.
///
/// # Errors
/// When there is none of the name, or more than one.
pub fn explain_pod(snapshot: &Snapshot, name: &str) -> Result<Explanation, NameError> {
    let pod = find_pod(snapshot, name)?;
    let mut answer = Explanation::new(pod.reference(), state(pod));
    answer.add("Why it is not ready", not_ready(snapshot, pod));
    answer.add("Where it is, and why", place(snapshot, pod));
    answer.add("What it needs", needed(snapshot, pod));
    answer.add("What needs it", needed_by(snapshot, &pod.namespace, &pod.labels));
    answer.add("What was told of it", events(snapshot, "Pod", pod));
    Ok(answer)
}

fn state(pod: &Pod) -> String {
    if pod.deleting.is_some() {
        return format!("being deleted, on {}", pod.node);
    }
    if pod.is_finished() {
        return format!("ended: {:?}", pod.phase);
    }
    match (pod.node.is_empty(), pod.is_ready()) {
        (true, _) => "pending, without a node".to_owned(),
        (false, true) => format!("ready on {}", pod.node),
        (false, false) => format!("on {}, {:?}, not ready", pod.node, pod.phase),
    }
}

/// Everything that keeps it from being ready, the first cause first.
fn not_ready(snapshot: &Snapshot, pod: &Pod) -> Vec<String> {
    let mut lines = Vec::new();
    if pod.is_ready() || pod.is_finished() {
        return lines;
    }
    if pod.node.is_empty() {
        let (placement, _) =
            Cluster::new(snapshot).place_and_start(&Candidate::of_pod(snapshot, pod));
        lines.push(placement.message());
        return lines;
    }
    if let Some(node) = snapshot.node(&pod.node).filter(|node| !node.is_ready()) {
        lines.push(format!("{} is not ready", node.reference()));
    }
    for one in references(&pod.spec) {
        if !one.optional && exists(snapshot, &pod.namespace, &one) == Some(false) {
            let what =
                if one.key.is_empty() { String::new() } else { format!("key {} of ", one.key) };
            lines.push(format!("{what}{} {} is not there", one.kind, one.name));
        }
    }
    for name in pod.claims() {
        match snapshot.claim(&pod.namespace, &name) {
            Some(claim) if claim.phase == "Bound" => {}
            Some(claim) => lines.push(format!("{} is {}", claim.reference(), claim.phase)),
            None if snapshot.claims.is_whole() => lines.push(format!("claim {name} is not there")),
            None => {}
        }
    }
    lines.extend(pod.statuses.iter().filter_map(status));
    let ready = condition(&pod.conditions, "Ready");
    if let Some(one) = ready.filter(|one| !one.reason.is_empty()) {
        lines.push(format!("condition Ready is {:?}: {}", one.status, one.reason));
    }
    lines
}

fn status(one: &ContainerStatus) -> Option<String> {
    if one.ready || one.is_init && one.ended.as_deref() == Some("Completed") {
        return None;
    }
    let mut text = format!("container {}: ", one.name);
    match (&one.waiting, &one.ended, one.running_since) {
        (Some(waiting), _, _) => text.push_str(waiting),
        (None, Some(ended), _) => text.push_str(&format!("ended, {ended}")),
        (None, None, Some(since)) => {
            text.push_str(&format!("runs since {since}, and its readiness probe fails"));
        }
        (None, None, None) => text.push_str("not started"),
    }
    if let Some(ended) = &one.last_ended {
        let code = one.last_exit_code.map(|code| format!(" with {code}")).unwrap_or_default();
        text.push_str(&format!("; it ended before: {ended}{code}"));
    }
    if one.restarts > 0 {
        text.push_str(&format!("; {} restarts", one.restarts));
    }
    Some(text)
}

/// What binds it to its place, the hardest first, and where else it could be.
fn place(snapshot: &Snapshot, pod: &Pod) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(one) = snapshot.workload_of(pod) {
        lines.push(format!("made by {}", one.reference()));
    } else if pod.owner.is_none() {
        lines.push("made by nobody: when it goes, nothing makes it again".to_owned());
    }
    for name in pod.claims() {
        let claim = snapshot.claim(&pod.namespace, &name);
        let volume = claim.and_then(|claim| snapshot.volume(&claim.volume));
        if let Some(volume) = volume
            && let [host] = volume.hostnames().as_slice()
        {
            lines.push(format!(
                "cannot leave {host}: claim {name} is bound to volume {} ({}), which is there \
                 alone",
                volume.name, volume.class
            ));
        }
    }
    if !pod.spec.node_selector.is_empty() {
        let labels = pod.spec.node_selector.iter().map(|(key, value)| format!("{key}={value}"));
        lines.push(format!("selects nodes with {}", labels.collect::<Vec<_>>().join(", ")));
    }
    if pod.spec.affinity.node_required.is_some() {
        lines.push("requires an affinity to nodes".to_owned());
    }
    if !pod.spec.affinity.anti_required.is_empty() {
        lines.push("must be apart from some pods".to_owned());
    } else if !pod.spec.affinity.anti_preferred.is_empty() {
        lines.push("prefers to be apart from some pods, which does not keep it apart".to_owned());
    }
    if pod.is_finished() {
        return lines;
    }
    let cluster = Cluster::new(snapshot);
    let (placement, unknown) = cluster.place_and_start(&Candidate::of_pod(snapshot, pod));
    match &placement.refusal {
        Some(refusal) => lines.push(refusal.to_string()),
        None => lines.extend(by_reason(&placement.verdicts)),
    }
    if !unknown.is_empty() {
        let nodes = unknown.join(", ");
        lines.push(format!("{nodes}: whether the image is there is not known"));
    }
    lines
}

fn needed(snapshot: &Snapshot, pod: &Pod) -> Vec<String> {
    let mut lines = Vec::new();
    if !pod.node.is_empty() {
        lines.push(format!("Node {}", pod.node));
    }
    for name in pod.claims() {
        let claim = snapshot.claim(&pod.namespace, &name);
        lines.push(match claim {
            Some(claim) if !claim.volume.is_empty() => {
                format!("{}, volume {}", claim.reference(), claim.volume)
            }
            Some(claim) => format!("{}, {}", claim.reference(), claim.phase),
            None => format!("PersistentVolumeClaim {}/{name}", pod.namespace),
        });
    }
    lines.extend(needs(snapshot, &pod.namespace, &pod.spec));
    lines
}
