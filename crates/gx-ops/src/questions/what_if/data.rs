//! What lies on nodes that go, and where else it is.

use std::collections::BTreeSet;

use serde::Serialize;

use super::super::members::servers;
use super::change::World;
use crate::facts::{
    Artifact, Backup, Fact, Known, Object as _, ObjectRef, PersistentVolume, Pod, Redis, Snapshot,
    Time, Workload,
};
use crate::rules::shared::{Component, component};

/// Data that can be used on one of these nodes alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Holding {
    /// `NAMESPACE/NAME`, or the volume when none claims it.
    pub claim: String,
    pub volume: String,
    pub node: String,
    pub workload: Option<ObjectRef>,
    /// Whether the node is gone with it, rather than closed for a while.
    pub is_lost: bool,
    /// What has the same data and stays.
    pub copies: Vec<String>,
    /// Why nothing can be said of copies.
    pub unknown: Option<String>,
    /// When the newest backup that was read again was made, and where it lies.
    pub backup: Option<(Time, String)>,
    /// Why there is none that counts.
    pub backup_unknown: Option<String>,
}

impl Holding {
    /// Whether nothing that stays is known to have it.
    pub fn is_only_copy(&self) -> bool {
        self.copies.is_empty()
    }
}

/// The node that a volume can be used on, when it is but one.
fn bound_node<'a>(snapshot: &'a Snapshot, volume: &PersistentVolume) -> Option<&'a str> {
    let hostnames = volume.hostnames();
    let [name] = hostnames.as_slice() else { return None };
    let node = snapshot.node_of_hostname(name).or_else(|| snapshot.node(name))?;
    Some(node.name.as_str())
}

/// What is held by the nodes that go or are closed.
pub(super) fn holdings(world: &World<'_>) -> (Vec<Holding>, BTreeSet<String>) {
    let mut found = Vec::new();
    let mut unknown = BTreeSet::new();
    let snapshot = world.before;
    let leaves = |node: &str| world.lost.contains(node) || world.drained.contains(node);
    for volume in snapshot.volumes.items().iter().filter(|volume| volume.claim.is_some()) {
        let replicas = snapshot.longhorn.items().iter().find(|one| one.name == volume.name);
        if let Some(one) = replicas {
            let (gone, left): (Vec<&String>, Vec<&String>) =
                one.replica_nodes.iter().partition(|node| world.lost.contains(*node));
            if let Some(node) = gone.first() {
                let mut holding = holding(world, volume, node);
                holding.unknown = None;
                holding.copies =
                    left.into_iter().map(|node| format!("replica on {node}")).collect();
                found.push(holding);
            }
            continue;
        }
        match bound_node(snapshot, volume) {
            Some(node) if leaves(node) => found.push(holding(world, volume, node)),
            Some(_) => {}
            None if volume.node_terms.is_none() && !world.lost.is_empty() => {
                unknown.insert("where volumes lie that are bound to no node".to_owned());
            }
            None => {}
        }
    }
    found.sort_by(|a, b| (!a.is_lost, &a.claim).cmp(&(!b.is_lost, &b.claim)));
    (found, unknown)
}

fn holding(world: &World<'_>, volume: &PersistentVolume, node: &str) -> Holding {
    let snapshot = world.before;
    let claim = volume.claim.as_ref();
    let namespace = claim.map(|claim| claim.namespace.as_str()).unwrap_or_default();
    let name = claim.map(|claim| claim.name.as_str()).unwrap_or_default();
    let claimed = snapshot.claim(namespace, name);
    let pod = claimed.and_then(|claim| snapshot.users_of(claim).into_iter().next());
    let workload =
        pod.and_then(|pod| snapshot.workload_of(pod)).or_else(|| owner(snapshot, namespace, name));
    let of = workload.map_or(name, |one| one.name.as_str());
    let (copies, unknown) = match (workload, pod) {
        (Some(one), pod) => copies(world, one, pod),
        (None, _) => (Vec::new(), None),
    };
    let backup = backup(world, component(of), of, namespace);
    Holding {
        claim: format!("{namespace}/{name}"),
        volume: volume.name.clone(),
        node: node.to_owned(),
        workload: workload.map(|one| one.reference()),
        is_lost: world.lost.contains(node),
        copies,
        unknown,
        backup_unknown: backup.as_ref().err().cloned(),
        backup: backup.ok(),
    }
}

/// The StatefulSet whose claim this is by its name, when no pod mounts it.
fn owner<'a>(snapshot: &'a Snapshot, namespace: &str, claim: &str) -> Option<&'a Workload> {
    let mut all = snapshot.top_workloads().filter(|one| one.namespace == namespace);
    all.find(|one| {
        one.claim_templates.iter().any(|template| {
            let rest = claim.strip_prefix(&format!("{}-{}-", template.name, one.name));
            rest.is_some_and(|rest| rest.parse::<u32>().is_ok())
        })
    })
}

/// What else has the data of a pod of a workload.
fn copies(
    world: &World<'_>,
    workload: &Workload,
    pod: Option<&Pod>,
) -> (Vec<String>, Option<String>) {
    let kind = component(&workload.name);
    let alike = match kind {
        Component::Orderer => vec![Component::Orderer],
        // The state database of a peer is made again from the ledger.
        Component::Peer | Component::CouchDb => vec![Component::Peer],
        Component::Postgres => return servers_with(world, workload, pod),
        Component::Redis => return replicas_with(world, workload, pod),
        _ => return (Vec::new(), None),
    };
    let members = world
        .before
        .top_workloads()
        .filter(|one| one.namespace == workload.namespace && alike.contains(&component(&one.name)));
    let pods = members.flat_map(|one| world.before.pods_of(one));
    let stay = pods.filter(|other| {
        let is_itself = pod.is_some_and(|pod| std::ptr::eq(pod, *other));
        !is_itself && other.is_ready() && other.is_active() && survives(world, other)
    });
    (stay.map(|pod| pod.name.clone()).collect(), None)
}

/// Whether the data of a pod are on none of the nodes that go.
fn survives(world: &World<'_>, pod: &Pod) -> bool {
    !world.lost.contains(&pod.node) && !world.drained.contains(&pod.node)
}

/// Servers that replicate with the one of this pod, and stay.
fn servers_with(
    world: &World<'_>,
    workload: &Workload,
    pod: Option<&Pod>,
) -> (Vec<String>, Option<String>) {
    let snapshot = world.before;
    let pods = snapshot.pods_of(workload);
    let servers = servers(snapshot, &pods);
    let own = pod.and_then(|pod| servers.iter().find(|(name, _)| *name == pod.name));
    let Some((own_name, own)) = own else {
        let why = format!("whether it replicates: {}", Fact::Postgres.how());
        return (Vec::new(), (workload.replicas > 1).then_some(why));
    };
    let stays = |name: &str| pods.iter().any(|pod| pod.name == name && survives(world, pod));
    let same = servers.iter().filter(|(name, other)| {
        // Two that both take writes have nothing to do with each other.
        name != own_name && stays(name) && (own.in_recovery || other.in_recovery)
    });
    (same.map(|(name, _)| name.clone()).collect(), None)
}

fn replicas_with(
    world: &World<'_>,
    workload: &Workload,
    pod: Option<&Pod>,
) -> (Vec<String>, Option<String>) {
    let pods = world.before.pods_of(workload);
    let server = |pod: &Pod| -> Option<&Redis> {
        let place = format!("Pod {}/{}", pod.namespace, pod.name);
        world.before.redis.items().iter().find(|one| one.place == place)
    };
    let Some((own_pod, own)) = pod.and_then(|pod| Some((pod, server(pod)?))) else {
        let why = format!("whether it replicates: {}", Fact::Redis.how());
        return (Vec::new(), (workload.replicas > 1).then_some(why));
    };
    let linked = |one: &Redis| one.role == "slave" && one.link_up == Some(true);
    let same = pods.iter().filter(|other| {
        other.name != own_pod.name
            && survives(world, other)
            && server(other).is_some_and(|other| {
                linked(own) && (other.role == "master" || linked(other))
                    || own.role == "master" && linked(other)
            })
    });
    (same.map(|pod| pod.name.clone()).collect(), None)
}

/// Names that backups of a component go by.
fn names(kind: Component) -> &'static [&'static str] {
    match kind {
        Component::Postgres => &["postgres", "postgresql"],
        Component::Redis => &["redis"],
        Component::Orderer | Component::Peer | Component::CouchDb => &["ledger", "fabric"],
        Component::Authority => &["ca", "fabric-ca", "authorities"],
        _ => &[],
    }
}

/// The newest backup that was read again or restored, complete, and not on a node that goes.
fn backup(
    world: &World<'_>,
    kind: Component,
    name: &str,
    namespace: &str,
) -> Result<(Time, String), String> {
    if let Some(why) = world.before.lacks(Fact::Backups) {
        return Err(format!("nothing is known of backups: {why}"));
    }
    let environment = world.before.environment(namespace).unwrap_or_default();
    let is_of = |one: &&Backup| {
        let of = one.environment.is_empty() || one.environment == environment;
        of && (one.component == name || names(kind).contains(&one.component.as_str()))
    };
    let all: Vec<&Backup> = world.before.backups.items().iter().filter(is_of).collect();
    if all.is_empty() {
        return Err("there is no backup of it".to_owned());
    }
    let stays = |one: &&&Backup| !world.lost.contains(&one.host);
    let counts = |one: &&Artifact| {
        (one.verified.is_some() || one.drilled.is_some())
            && one.checksum_ok != Known::Known(false)
            && one.missing_parts.is_empty()
    };
    let artifacts = all.iter().filter(stays).flat_map(|one| {
        one.artifacts.iter().filter(counts).map(|artifact| (artifact.at, one.target.clone()))
    });
    artifacts.max().ok_or_else(|| {
        "no backup of it was read again and found whole, and lies elsewhere".to_owned()
    })
}
