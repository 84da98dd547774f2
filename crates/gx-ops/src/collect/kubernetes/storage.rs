//! Claims, volumes, classes of storage, and Longhorn's volumes.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1 as storage;
use serde_json::Value as Json;

use super::super::Redactor;
use super::meta::{bytes, meta, meta_of, node_term, object, selector, time};
use super::text;
use crate::facts::*;

pub(super) fn claim(claim: core::PersistentVolumeClaim, r: &Redactor) -> Claim {
    let spec = claim.spec.unwrap_or_default();
    let status = claim.status.unwrap_or_default();
    let meta = meta(claim.metadata, r);
    let selected = meta.annotations.get("volume.kubernetes.io/selected-node");
    let selected_node = selected.and_then(Value::plain).unwrap_or_default().to_owned();
    object!(Claim, meta, {
        class: spec.storage_class_name,
        volume: spec.volume_name.unwrap_or_default(),
        phase: status.phase.unwrap_or_else(|| "Pending".to_owned()),
        modes: spec.access_modes.unwrap_or_default(),
        bytes: bytes(spec.resources.and_then(|resources| resources.requests)),
        capacity_bytes: bytes(status.capacity),
        used_bytes: None,
        volume_selector: spec.selector.map(selector),
        selected_node,
    })
}

pub(super) fn volume(volume: core::PersistentVolume, r: &Redactor) -> PersistentVolume {
    let spec = volume.spec.unwrap_or_default();
    let status = volume.status.unwrap_or_default();
    let mut path = String::new();
    let mut driver = String::new();
    let source = if let Some(one) = spec.local {
        path = one.path;
        "local"
    } else if let Some(one) = spec.host_path {
        path = one.path;
        "hostPath"
    } else if let Some(one) = spec.csi {
        driver = one.driver;
        "csi"
    } else if spec.nfs.is_some() {
        "nfs"
    } else {
        "other"
    };
    let terms = spec.node_affinity.and_then(|affinity| affinity.required);
    let claim = spec.claim_ref.map(|claim| ClaimRef {
        namespace: claim.namespace.unwrap_or_default(),
        name: claim.name.unwrap_or_default(),
        uid: claim.uid.unwrap_or_default(),
    });
    object!(PersistentVolume, meta(volume.metadata, r), {
        class: spec.storage_class_name.unwrap_or_default(),
        bytes: bytes(spec.capacity),
        reclaim: spec.persistent_volume_reclaim_policy.unwrap_or_else(|| "Retain".to_owned()),
        modes: spec.access_modes.unwrap_or_default(),
        phase: status.phase.unwrap_or_else(|| "Available".to_owned()),
        claim,
        node_terms: terms.map(|one| one.node_selector_terms.into_iter().map(node_term).collect()),
        source: source.to_owned(),
        path,
        driver,
        phase_since: time(status.last_phase_transition_time),
    })
}

pub(super) fn class(class: storage::StorageClass, r: &Redactor) -> StorageClass {
    let meta = meta(class.metadata, r);
    let default = meta.annotations.get("storageclass.kubernetes.io/is-default-class");
    let is_default = default.and_then(Value::plain) == Some("true");
    let topologies = class.allowed_topologies.unwrap_or_default().into_iter().map(|term| {
        let expressions = term.match_label_expressions.unwrap_or_default().into_iter();
        let expressions = expressions.map(|one| Requirement {
            key: one.key,
            operator: Operator::In,
            values: one.values,
        });
        NodeTerm { expressions: expressions.collect(), fields: Vec::new() }
    });
    object!(StorageClass, meta, {
        provisioner: class.provisioner,
        binding: match class.volume_binding_mode.as_deref() {
            Some("WaitForFirstConsumer") => BindingMode::WaitForFirstConsumer,
            _ => BindingMode::Immediate,
        },
        reclaim: class.reclaim_policy.unwrap_or_else(|| "Delete".to_owned()),
        expandable: class.allow_volume_expansion.unwrap_or(false),
        is_default,
        allowed_topologies: topologies.collect(),
    })
}

pub(super) fn longhorn(object: &Json, r: &Redactor) -> Option<LonghornVolume> {
    let wanted = object.pointer("/spec/numberOfReplicas").and_then(Json::as_u64);
    Some(object!(LonghornVolume, meta_of(object, r)?, {
        state: text(object, "/status/state"),
        robustness: text(object, "/status/robustness"),
        replicas_wanted: wanted.and_then(|number| u32::try_from(number).ok()).unwrap_or(0),
        replica_nodes: Vec::new(),
    }))
}

/// Adds the node of a replica that works to those of its volume.
pub(super) fn replica(object: &Json, nodes: &mut BTreeMap<String, BTreeSet<String>>) -> Option<()> {
    let volume = text(object, "/spec/volumeName");
    let node = text(object, "/spec/nodeID");
    if volume.is_empty() {
        return None;
    }
    // One that has failed keeps its node until it is built again.
    let works = text(object, "/spec/failedAt").is_empty()
        && !["error", "unknown"].contains(&text(object, "/status/currentState").as_str());
    let nodes = nodes.entry(volume).or_default();
    if works && !node.is_empty() {
        nodes.insert(node);
    }
    Some(())
}

/// Bytes used of the claims that pods of a node mount, by namespace and name, from what its kubelet
/// answers under `/stats/summary`.
pub(super) fn used(summary: &Json) -> Vec<((String, String), u64)> {
    let list = |json: &Json, name: &str| -> Vec<Json> {
        json.get(name).and_then(Json::as_array).cloned().unwrap_or_default()
    };
    let volumes = list(summary, "pods").into_iter().flat_map(|pod| list(&pod, "volume"));
    let of_claim = volumes.filter_map(|volume| {
        let used = volume.get("usedBytes").and_then(Json::as_u64)?;
        let place = (text(&volume, "/pvcRef/namespace"), text(&volume, "/pvcRef/name"));
        (!place.1.is_empty()).then_some((place, used))
    });
    of_claim.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::{Objects, Origin, Redactor, Salt};
    use crate::facts::*;

    #[test]
    fn use_and_replicas_are_told_of_claims_and_volumes() {
        let mut objects = Objects::default();
        let named = |kind: &str, name: &str| {
            let metadata = json!({"namespace": "m", "name": name});
            json!({"apiVersion": "v1", "kind": kind, "metadata": metadata})
        };
        objects.add(named("PersistentVolumeClaim", "data"));
        objects.add(named("PersistentVolumeClaim", "other"));
        let claim = json!({"namespace": "m", "name": "data"});
        objects.add(json!({"node": {"nodeName": "alfa"}, "pods": [
            {"podRef": {"name": "db-0"}, "volume": [
                {"name": "tmp", "usedBytes": 9},
                {"name": "data", "usedBytes": 7, "pvcRef": claim},
            ]},
        ]}));
        objects.add(json!({"apiVersion": "longhorn.io/v1beta2", "kind": "Volume",
            "metadata": {"name": "pvc-1"}, "spec": {"numberOfReplicas": 3}}));
        for (name, node, failed) in [("a", "alfa", ""), ("b", "bravo", "2026-11-30T00:00:00Z")] {
            objects.add(json!({"apiVersion": "longhorn.io/v1beta2", "kind": "Replica",
                "metadata": {"name": name}, "status": {"currentState": "running"},
                "spec": {"volumeName": "pvc-1", "nodeID": node, "failedAt": failed}}));
        }
        let origin = Origin { from: "a".to_owned(), at: Time::default() };
        let snapshot = objects.into_snapshot(&origin, Redactor::new(Salt::new([3; 32])));
        assert!(snapshot.notes.is_empty(), "{:?}", snapshot.notes);
        assert_eq!(snapshot.claim("m", "data").unwrap().used_bytes, Some(7));
        assert_eq!(snapshot.claim("m", "other").unwrap().used_bytes, None);
        assert_eq!(snapshot.longhorn.items()[0].replica_nodes, ["alfa"]);
    }
}
