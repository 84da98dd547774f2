//! Nodes: closed, opened, emptied, labelled.

use super::super::PlanError;
use super::super::action::{Action, Check, Exact};
use super::super::build::{Draft, WITHIN, Wanted};
use crate::facts::{Node, Object as _, Pod, Snapshot, Taint};
use crate::placement::tolerates;
use crate::questions::find_node;
use crate::questions::what_if::{Change, is_of_node};

/// Tells of a node what a plan stands on.
fn stand(wanted: &mut Wanted, node: &Node) {
    let open = if node.unschedulable { "closed" } else { "open" };
    let ready = if node.is_ready() { "ready" } else { "not ready" };
    wanted.stand(node.reference().to_string(), format!("{} {open}, {ready}", node.uid));
}

fn closing(node: &Node, closed: bool, why: &str) -> Draft {
    let (verb, back) = if closed { ("close", "uncordon") } else { ("open", "cordon") };
    Draft {
        title: format!("{verb} {}", node.reference()),
        action: Action::Close { object: Exact::of(node), closed },
        why: why.to_owned(),
        rollback: vec![format!("kubectl {back} {}", node.name)],
        check: Check::Done,
        within: WITHIN,
        dependants: Vec::new(),
    }
}

/// Closes a node, or opens it.
pub(super) fn close(snapshot: &Snapshot, name: &str, closed: bool) -> Result<Wanted, PlanError> {
    let node = find_node(snapshot, name)?;
    let mut wanted = Wanted::default();
    if node.unschedulable == closed {
        let is = if closed { "closed" } else { "open" };
        return Err(PlanError::Nothing(format!("{} is {is} already", node.reference())));
    }
    stand(&mut wanted, node);
    let why = if closed { "no pod shall come to it" } else { "pods may come to it again" };
    wanted.steps.push(closing(node, closed, why));
    Ok(wanted)
}

/// Labels a node, or takes a label away.
pub(super) fn label(
    snapshot: &Snapshot,
    name: &str,
    key: &str,
    value: Option<&str>,
) -> Result<Wanted, PlanError> {
    let node = find_node(snapshot, name)?;
    let from = node.labels.get(key).cloned();
    if from.as_deref() == value {
        return Err(PlanError::Nothing(format!("{} has that label already", node.reference())));
    }
    if key == "kubernetes.io/hostname" {
        return Err(PlanError::Cannot(format!(
            "{key} is what volumes know a node by; it is never changed"
        )));
    }
    let mut wanted = Wanted::default();
    stand(&mut wanted, node);
    let is = from.as_deref().unwrap_or("not there");
    wanted.stand(format!("{} label {key}", node.reference()), is);
    let back = match &from {
        Some(value) => format!("kubectl label node {} {key}={value} --overwrite", node.name),
        None => format!("kubectl label node {} {key}-", node.name),
    };
    let title = match value {
        Some(value) => format!("label {} {key}={value}", node.reference()),
        None => format!("take the label {key} from {}", node.reference()),
    };
    wanted.steps.push(Draft {
        title,
        why: format!("it is {is} now"),
        action: Action::Label {
            object: Exact::of(node),
            key: key.to_owned(),
            from,
            to: value.map(str::to_owned),
        },
        rollback: vec![back],
        check: Check::Done,
        within: WITHIN,
        dependants: Vec::new(),
    });
    Ok(wanted)
}

/// Pods in the order in which they are to go: the most important find their places first.
fn in_order(snapshot: &Snapshot, node: &str) -> Vec<Pod> {
    let pods = snapshot.pods_on(node).into_iter();
    let mut pods: Vec<Pod> =
        pods.filter(|pod| pod.is_active() && !is_of_node(pod)).cloned().collect();
    pods.sort_by(|a, b| {
        let place = |pod: &Pod| (pod.namespace.clone(), pod.name.clone());
        b.spec.priority.cmp(&a.spec.priority).then_with(|| place(a).cmp(&place(b)))
    });
    pods
}

/// Whether a pod goes to a node that is closed as well.
fn comes_back(pod: &Pod) -> bool {
    let key = "node.kubernetes.io/unschedulable".to_owned();
    tolerates(&pod.spec, &Taint { key, ..Taint::default() })
}

/// Closes a node and evicts its pods, one after the other.
pub(super) fn drain(snapshot: &Snapshot, name: &str) -> Result<Wanted, PlanError> {
    let node = find_node(snapshot, name)?;
    let mut wanted = Wanted::default();
    let (back, pods): (Vec<Pod>, Vec<Pod>) =
        in_order(snapshot, &node.name).into_iter().partition(comes_back);
    wanted.notes.extend(back.iter().map(|pod| {
        format!("{} tolerates that the node is closed, and would come back to it", pod.reference())
    }));
    if pods.is_empty() && node.unschedulable {
        return Err(PlanError::Nothing(format!("{} is closed and empty", node.reference())));
    }
    stand(&mut wanted, node);
    if let Some(lone) = pods.iter().find(|pod| pod.owner.is_none()) {
        return Err(PlanError::Cannot(format!(
            "{} has no controller: nothing would make it again. Delete it by hand when nobody \
             needs it",
            lone.reference()
        )));
    }
    if !node.unschedulable {
        wanted.steps.push(closing(node, true, "what leaves shall not come back to it"));
    }
    let opened = format!("kubectl uncordon {}", node.name);
    for pod in &pods {
        wanted.steps.push(eviction(snapshot, pod, &format!("it is on {}", node.name), &opened));
    }
    wanted.changes.push(Change::Drain(node.name.clone()));
    Ok(wanted)
}

/// One pod leaves, and its workload is whole again before the next one does.
fn eviction(snapshot: &Snapshot, pod: &Pod, why: &str, back: &str) -> Draft {
    let workload = snapshot.workload_of(pod).filter(|one| one.is_lasting());
    // As many as there shall be; those that find no place are told of, and not waited for.
    let check = workload.map_or(Check::Done, |one| Check::Ready {
        workload: one.reference(),
        ready: usize::try_from(one.replicas).unwrap_or(usize::MAX),
        seconds: 0,
    });
    Draft {
        title: format!("evict {}", pod.reference()),
        action: Action::Evict { pods: vec![Exact::of(pod)] },
        why: why.to_owned(),
        rollback: vec![back.to_owned()],
        check,
        within: WITHIN.saturating_add(u64::from(pod.spec.grace_seconds.unwrap_or(30))),
        dependants: Vec::new(),
    }
}
