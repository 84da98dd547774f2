//! The order of steps that risks least.

use serde::Serialize;

use super::super::members::etcd_members;
use super::Verdict;
use super::change::{Change, Place, World, nodes_of};
use super::data::Holding;
use super::sets::SetState;
use crate::facts::Object as _;

/// One step, with what shows that the next may follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub command: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub then: String,
}

fn step(text: impl Into<String>, command: impl Into<String>, then: impl Into<String>) -> Step {
    Step { text: text.into(), command: command.into(), then: then.into() }
}

const READY: &str = "all its pods are ready again: kubectl get pods -A -o wide";

/// What the steps are made from.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) sets: &'a [SetState],
    pub(super) data: &'a [Holding],
    pub(super) verdict: Verdict,
}

impl Known<'_> {
    /// What has to be done before anything else.
    fn first(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for one in self.data.iter().filter(|one| one.is_lost && one.is_only_copy()) {
            steps.push(step(
                format!(
                    "{} has its only copy on {}: save it, and read the copy again",
                    one.claim, one.node
                ),
                "gx backup run && gx backup verify",
                "its newest backup is verified and younger than the data",
            ));
        }
        for set in self.sets.iter().filter(|set| set.holds_now && !set.holds_at_once) {
            steps.push(step(
                format!("{} would be below {}: bring another member up first", set.name, set.rule),
                "",
                format!("{} has more working members than it needs", set.name),
            ));
        }
        steps
    }

    /// Nodes in the order in which they are to be drained: those that hold least of what lives by
    /// numbers first, so that whatever goes wrong goes wrong where it costs least.
    fn drains(&self) -> Vec<&String> {
        let weight = |node: &String| {
            let pods = self.world.before.pods_on(node);
            let leaving = self.sets.iter().flat_map(|set| &set.leaving);
            leaving.filter(|name| pods.iter().any(|pod| pod.name == **name)).count()
        };
        let mut nodes: Vec<&String> = self.world.drained.iter().collect();
        nodes.sort_by_key(|node| (weight(node), *node));
        nodes
    }

    /// The member of etcd on a node.
    fn member(&self, node: &str) -> Option<String> {
        let members = etcd_members(self.world.before)?.into_iter();
        let mut own = members.filter(|(_, at, _)| at.as_deref() == Some(node));
        own.next().map(|(name, _, _)| name)
    }
}

/// The steps of all changes.
pub(super) fn steps(known: &Known<'_>, changes: &[&Change]) -> Vec<Step> {
    let mut steps = Vec::new();
    if changes.is_empty() {
        return steps;
    }
    let is_planned = changes.iter().any(|change| !matches!(change, Change::Lose(_)));
    if is_planned && known.verdict >= Verdict::Outage {
        steps.extend(known.first());
    }
    for change in changes {
        steps.extend(one(known, change));
    }
    for node in known.drains() {
        steps.push(step(
            format!("drain {node}, and no other at the same time"),
            format!("kubectl drain {node} --ignore-daemonsets --delete-emptydir-data"),
            READY,
        ));
    }
    steps
}

fn one(known: &Known<'_>, change: &Change) -> Vec<Step> {
    match change {
        Change::Apply(_) => vec![step(
            "apply the manifests",
            "kubectl diff -f FILE; kubectl apply -f FILE",
            "kubectl rollout status of every workload that changes",
        )],
        Change::Label { node, key, value } => {
            let what = value
                .as_ref()
                .map_or_else(|| format!("{key}-"), |value| format!("{key}={value} --overwrite"));
            vec![step(format!("label {node}"), format!("kubectl label node {node} {what}"), "")]
        }
        Change::Taint { node, taint } => {
            let what = format!("{}={}:{:?}", taint.key, taint.value, taint.effect);
            vec![step(format!("taint {node}"), format!("kubectl taint node {node} {what}"), "")]
        }
        Change::Untaint { node, key, .. } => {
            vec![step(
                format!("take the taint from {node}"),
                format!("kubectl taint node {node} {key}-"),
                "",
            )]
        }
        Change::Scale { workload, replicas } => vec![step(
            format!("scale {workload} to {replicas}"),
            scale_command(known.world, workload, *replicas).unwrap_or_default(),
            READY,
        )],
        Change::Cordon(node) => {
            vec![step(format!("cordon {node}"), format!("kubectl cordon {node}"), "")]
        }
        Change::Uncordon(node) => {
            vec![step(format!("open {node} again"), format!("kubectl uncordon {node}"), "")]
        }
        Change::Evict(pod) => {
            let (namespace, name) = pod.split_once('/').unwrap_or(("default", pod));
            let command = format!("kubectl delete pod {name} -n {namespace}");
            vec![step(format!("evict {pod}, as its budget allows"), command, READY)]
        }
        // All drains together, in their own order.
        Change::Drain(_) => Vec::new(),
        Change::RemoveEtcd(member) => vec![
            step(
                "take a snapshot of etcd and copy it to another host",
                "k3s etcd-snapshot save",
                "",
            ),
            step(
                format!("remove the member {member}, when all others are healthy"),
                format!("etcdctl member remove {member}"),
                "all members that are left are healthy: etcdctl endpoint health --cluster",
            ),
        ],
        Change::Reinstall(node) => reinstall(known, node),
        Change::Lose(place) => lost(known, place),
    }
}

fn reinstall(known: &Known<'_>, node: &str) -> Vec<Step> {
    let mut steps = vec![step(
        format!("write down labels and taints of {node}: they do not come back by themselves"),
        format!("kubectl get node {node} -o yaml > {node}.yaml"),
        "",
    )];
    steps.push(step(
        format!("drain {node}"),
        format!("kubectl drain {node} --ignore-daemonsets --delete-emptydir-data"),
        READY,
    ));
    let member = known.member(node);
    if let Some(member) = &member {
        steps.push(step(
            format!("remove its member {member} from etcd"),
            format!("etcdctl member remove {member}"),
            "all members that are left are healthy: etcdctl endpoint health --cluster",
        ));
    }
    steps.push(step(
        format!("delete {node}, install it, let it join"),
        format!("kubectl delete node {node}"),
        "it is Ready, and a member of etcd again if it was one",
    ));
    steps.push(step(
        "give it its labels and taints, and the images that are never pulled",
        format!("kubectl label node {node} …"),
        "",
    ));
    for one in known.data.iter().filter(|one| one.node == *node && one.is_lost) {
        let from = match (one.copies.first(), &one.backup) {
            (Some(copy), _) => format!("from {copy}"),
            (None, Some((at, target))) => format!("from the backup of {at} at {target}"),
            (None, None) => "from whatever was saved before".to_owned(),
        };
        steps.push(step(
            format!("{}: delete the claim and its pod, and fill the new one {from}", one.claim),
            "",
            "the number of rows, or the height, is what it was",
        ));
    }
    steps
}

fn lost(known: &Known<'_>, place: &Place) -> Vec<Step> {
    let nodes = nodes_of(known.world.before, place).unwrap_or_default();
    let mut steps = Vec::new();
    if let Some(etcd) = known.sets.iter().find(|set| set.name == "etcd" && !set.holds_later) {
        let left = etcd.working.later;
        steps.push(step(
            format!("etcd has {left} members left and does not answer: restore it on one server"),
            "k3s server --cluster-reset --cluster-reset-restore-path=SNAPSHOT",
            "kubectl get nodes answers",
        ));
    }
    for node in &nodes {
        if let Some(member) = known.member(node) {
            steps.push(step(
                format!("when {node} does not come back: remove its member {member} from etcd"),
                format!("etcdctl member remove {member}"),
                "",
            ));
        }
        steps.push(step(
            format!("tell the cluster that {node} is gone: pods of StatefulSets wait for that"),
            format!(
                "kubectl taint node {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
            ),
            "pods that can move are ready elsewhere",
        ));
        for one in known.data.iter().filter(|one| one.node == *node && one.is_lost) {
            let text = match (one.copies.first(), &one.backup) {
                (Some(copy), _) => format!("{}: a new replica from {copy}", one.claim),
                (None, Some((at, target))) => {
                    format!("{}: restore the backup of {at} at {target}", one.claim)
                }
                (None, None) => format!("{}: there is nothing to restore it from", one.claim),
            };
            steps.push(step(text, "", ""));
        }
    }
    steps
}

/// The command that names a workload in full.
fn scale_command(world: &World<'_>, name: &str, replicas: u32) -> Option<String> {
    let one = super::super::find_workload(world.before, name).ok()?;
    let kind = one.kind().to_ascii_lowercase();
    Some(format!("kubectl scale {kind}/{} -n {} --replicas={replicas}", one.name, one.namespace))
}
