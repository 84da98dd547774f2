//! Claims, volumes, classes of storage, and Longhorn's volumes.

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
    // Newer releases tell of replicas in objects of their own; older ones name their nodes here.
    let nodes = object.pointer("/status/kubernetesStatus/replicaNodes");
    let nodes = nodes.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    Some(object!(LonghornVolume, meta_of(object, r)?, {
        state: text(object, "/status/state"),
        robustness: text(object, "/status/robustness"),
        replicas_wanted: wanted.and_then(|number| u32::try_from(number).ok()).unwrap_or(0),
        replica_nodes: nodes.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
    }))
}
