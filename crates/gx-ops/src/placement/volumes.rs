//! Filters that look at the volumes of a pod.

use super::{Candidate, ClaimUse, Reason, Refusal};
use crate::facts::{
    BindingMode, Claim, ClaimRef, Fact, Node, NodeTerm, PersistentVolume, Snapshot, StorageClass,
};

/// Storage that nobody makes by itself.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// What keeps the pod from every node.
pub(super) fn refusal(snapshot: &Snapshot, pod: &Candidate<'_>) -> Option<Refusal> {
    for claim in &pod.claims {
        let claim = match claim {
            ClaimUse::Existing(claim) => claim,
            ClaimUse::Future { .. } => continue,
            ClaimUse::Absent { name, is_ephemeral: true } => {
                return Some(Refusal::NoEphemeralClaim(name.clone()));
            }
            ClaimUse::Absent { name, is_ephemeral: false } => {
                return Some(Refusal::NoClaim(name.clone()));
            }
        };
        if claim.phase == "Lost" {
            let (claim, volume) = (claim.name.clone(), claim.volume.clone());
            return Some(Refusal::LostClaim { claim, volume });
        }
        if claim.deleting.is_some() {
            return Some(Refusal::DeletedClaim(claim.name.clone()));
        }
    }
    let unbound = existing(pod).any(|claim| !is_bound(claim) && !waits(snapshot, claim));
    unbound.then_some(Refusal::UnboundClaims)
}

fn existing<'a>(pod: &Candidate<'a>) -> impl Iterator<Item = &'a Claim> {
    pod.claims.iter().filter_map(|claim| match claim {
        ClaimUse::Existing(claim) => Some(*claim),
        ClaimUse::Future { .. } | ClaimUse::Absent { .. } => None,
    })
}

fn is_bound(claim: &Claim) -> bool {
    let completed = claim.annotations.contains_key("pv.kubernetes.io/bind-completed");
    !claim.volume.is_empty() && (completed || claim.phase == "Bound")
}

/// Whether its volume is found or made when a pod comes.
fn waits(snapshot: &Snapshot, claim: &Claim) -> bool {
    let class = class_of(snapshot, claim.class.as_deref());
    let waits = class.is_some_and(|class| class.binding == BindingMode::WaitForFirstConsumer);
    claim.volume.is_empty() && waits
}

fn class_of<'a>(snapshot: &'a Snapshot, name: Option<&str>) -> Option<&'a StorageClass> {
    let mut classes = snapshot.storage_classes.items().iter();
    match name {
        Some(name) => classes.find(|class| class.name == name),
        None => classes.find(|class| class.is_default),
    }
}

/// Whether a claim that only one pod may use is used by another.
pub(super) fn is_held_by_another(snapshot: &Snapshot, pod: &Candidate<'_>) -> bool {
    let mut alone =
        existing(pod).filter(|claim| claim.modes.iter().any(|m| m == "ReadWriteOncePod"));
    alone.any(|claim| {
        let users = snapshot.users_of(claim).into_iter();
        users.filter(|user| !pod.is(user)).any(|user| !user.node.is_empty() && !user.is_finished())
    })
}

/// Why the pod's volumes cannot be used, found or made on a node.
pub(super) fn exclude(snapshot: &Snapshot, pod: &Candidate<'_>, node: &Node) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let (bound, unbound): (Vec<&Claim>, Vec<&Claim>) = existing(pod).partition(|c| is_bound(c));
    for claim in bound {
        match snapshot.volume(&claim.volume) {
            None => {
                reasons.push(Reason::NoSuchVolume);
                break;
            }
            Some(volume) if !volume.is_usable_on(&node.name, &node.labels) => {
                reasons.push(Reason::VolumeElsewhere);
                break;
            }
            Some(_) => {}
        }
    }
    if !is_found_or_made(snapshot, pod, unbound, node) {
        reasons.push(Reason::NoVolume);
    }
    reasons.sort_by_key(|reason| *reason == Reason::NoSuchVolume);
    reasons
}

fn is_found_or_made(
    snapshot: &Snapshot,
    pod: &Candidate<'_>,
    mut unbound: Vec<&Claim>,
    node: &Node,
) -> bool {
    let chosen_elsewhere =
        |claim: &&Claim| !claim.selected_node.is_empty() && claim.selected_node != node.name;
    if unbound.iter().any(chosen_elsewhere) {
        return false;
    }
    // The smallest claims choose first, as in the scheduler.
    unbound.sort_by_key(|claim| claim.bytes);
    let mut chosen: Vec<&str> = Vec::new();
    for claim in unbound {
        let found = match claim.selected_node.is_empty() {
            true => find(snapshot, claim, node, &chosen),
            false => None,
        };
        match found {
            Some(volume) => chosen.push(&volume.name),
            None if can_make(class_of(snapshot, claim.class.as_deref()), node) => {}
            None => return false,
        }
    }
    pod.claims.iter().all(|claim| match claim {
        // Without a word of classes nothing speaks against it.
        ClaimUse::Future { class } => {
            snapshot.lacks(Fact::StorageClasses).is_some()
                || can_make(class_of(snapshot, *class), node)
        }
        ClaimUse::Existing(_) | ClaimUse::Absent { .. } => true,
    })
}

/// The smallest volume that is free, or meant for this claim, and can be used on the node.
fn find<'a>(
    snapshot: &'a Snapshot,
    claim: &Claim,
    node: &Node,
    chosen: &[&str],
) -> Option<&'a PersistentVolume> {
    let is_meant = |meant: &ClaimRef| {
        meant.name == claim.name
            && meant.namespace == claim.namespace
            && (meant.uid.is_empty() || meant.uid == claim.uid)
    };
    let fits = |volume: &&PersistentVolume| {
        volume.class == claim.class.as_deref().unwrap_or_default()
            && volume.deleting.is_none()
            && !chosen.contains(&volume.name.as_str())
            && volume.bytes >= claim.bytes
            && claim.modes.iter().all(|mode| volume.modes.contains(mode))
            && volume.is_usable_on(&node.name, &node.labels)
            && match &volume.claim {
                Some(meant) => is_meant(meant),
                None => {
                    let selector = claim.volume_selector.as_ref();
                    volume.phase == "Available"
                        && selector.is_none_or(|selector| selector.matches(&volume.labels))
                }
            }
    };
    let volumes = snapshot.volumes.items().iter().filter(fits);
    volumes.min_by_key(|volume| (volume.claim.is_none(), volume.bytes))
}

/// Whether a volume of the class can be made for this node.
fn can_make(class: Option<&StorageClass>, node: &Node) -> bool {
    let Some(class) = class else { return false };
    let topologies = &class.allowed_topologies;
    let allowed = |term: &NodeTerm| term.expressions.iter().all(|one| one.holds(&node.labels));
    !class.provisioner.is_empty()
        && class.provisioner != NO_PROVISIONER
        && (topologies.is_empty() || topologies.iter().any(allowed))
}

const ZONES: [(&str, &str); 4] = [
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("topology.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone"),
];

/// Whether the labels of a volume name other zones than the node's.
pub(super) fn exclude_zone(
    snapshot: &Snapshot,
    pod: &Candidate<'_>,
    node: &Node,
) -> Option<Reason> {
    if !ZONES.iter().any(|(key, _)| node.labels.contains_key(*key)) {
        return None;
    }
    let volumes = existing(pod).filter_map(|claim| snapshot.volume(&claim.volume));
    let mut elsewhere = volumes.flat_map(|volume| {
        ZONES.iter().filter_map(|(key, now)| Some((*key, *now, volume.labels.get(*key)?)))
    });
    let is_elsewhere = elsewhere.any(|(key, now, zones)| {
        let zone = node.labels.get(key).or_else(|| node.labels.get(now));
        // A volume of several zones names them with two underscores between them.
        !zone.is_some_and(|zone| zones.split("__").any(|one| one == zone))
    });
    is_elsewhere.then_some(Reason::VolumeZone)
}
