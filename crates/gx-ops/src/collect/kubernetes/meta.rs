//! What all objects have, and the small types that many of them use.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value as Json;

use super::super::Redactor;
use super::super::stream::typed;
use crate::facts::*;

/// Metadata as facts keep it.
#[derive(Debug, Default)]
pub(super) struct Meta {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) uid: String,
    pub(super) created: Option<Time>,
    pub(super) deleting: Option<Time>,
    pub(super) finalizers: Vec<String>,
    pub(super) labels: Labels,
    pub(super) annotations: BTreeMap<String, Value>,
    pub(super) owner: Option<Owner>,
}

pub(super) fn meta(meta: api::ObjectMeta, r: &Redactor) -> Meta {
    let owners = meta.owner_references.unwrap_or_default();
    let owner = owners.into_iter().find(|owner| owner.controller == Some(true));
    let annotations = meta.annotations.unwrap_or_default().into_iter();
    Meta {
        name: meta.name.unwrap_or_default(),
        namespace: meta.namespace.unwrap_or_default(),
        uid: meta.uid.unwrap_or_default(),
        created: time(meta.creation_timestamp),
        deleting: time(meta.deletion_timestamp),
        finalizers: meta.finalizers.unwrap_or_default(),
        labels: meta.labels.unwrap_or_default(),
        annotations: annotations
            .filter_map(|(key, text)| Some((key.clone(), r.annotation(&key, &text)?)))
            .collect(),
        owner: owner.map(|one| Owner { kind: one.kind, name: one.name, uid: one.uid }),
    }
}

/// Metadata of an object whose type is not Kubernetes' own.
pub(super) fn meta_of(object: &Json, r: &Redactor) -> Option<Meta> {
    Some(meta(typed(object.get("metadata")?.clone())?, r))
}

/// An object with the metadata and these fields.
macro_rules! object {
    ($type:ident, $meta:expr, { $($fields:tt)* }) => {{
        let meta = $meta;
        $type {
            name: meta.name,
            namespace: meta.namespace,
            uid: meta.uid,
            created: meta.created,
            deleting: meta.deleting,
            finalizers: meta.finalizers,
            labels: meta.labels,
            annotations: meta.annotations,
            owner: meta.owner,
            $($fields)*
        }
    }};
}
pub(super) use object;

pub(super) fn time(time: Option<api::Time>) -> Option<Time> {
    time.map(|time| time.0.into())
}

/// When the data of an object were last written, from the managers of its fields.
pub(super) fn changed(meta: &api::ObjectMeta) -> Option<Time> {
    let managers = meta.managed_fields.iter().flatten();
    let of_data = managers.filter(|one| {
        let fields = one.fields_v1.as_ref();
        fields.is_some_and(|fields| fields.0.get("f:data").is_some())
    });
    of_data.filter_map(|one| time(one.time.clone())).max()
}

/// A count, which Kubernetes never gives below nothing.
pub(super) fn count(number: Option<i32>) -> u32 {
    number.map_or(0, |number| u32::try_from(number).unwrap_or(0))
}

pub(super) fn port(number: Option<i32>) -> Option<u16> {
    number.and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0)
}

pub(super) fn int_or_text(value: IntOrString) -> String {
    match value {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(text) => text,
    }
}

/// Quantities that an API server has taken can be read; of others nothing is said.
pub(super) fn resources(quantities: Option<BTreeMap<String, Quantity>>) -> Resources {
    let mut resources = Resources::default();
    for (name, Quantity(text)) in quantities.unwrap_or_default() {
        if resources.insert(&name, &text).is_err() {
            resources.0.remove(&name);
        }
    }
    resources
}

pub(super) fn bytes(quantities: Option<BTreeMap<String, Quantity>>) -> u64 {
    resources(quantities).of("storage")
}

fn operator(text: &str) -> Operator {
    match text {
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::Gt,
        "Lt" => Operator::Lt,
        _ => Operator::In,
    }
}

pub(super) fn selector(selector: api::LabelSelector) -> Selector {
    let expressions = selector.match_expressions.unwrap_or_default().into_iter();
    let expressions = expressions.map(|one| Requirement {
        key: one.key,
        operator: operator(&one.operator),
        values: one.values.unwrap_or_default(),
    });
    Selector {
        labels: selector.match_labels.unwrap_or_default(),
        expressions: expressions.collect(),
    }
}

fn node_requirements(list: Option<Vec<core::NodeSelectorRequirement>>) -> Vec<Requirement> {
    let list = list.unwrap_or_default().into_iter();
    let one = |one: core::NodeSelectorRequirement| Requirement {
        key: one.key,
        operator: operator(&one.operator),
        values: one.values.unwrap_or_default(),
    };
    list.map(one).collect()
}

pub(super) fn node_term(term: core::NodeSelectorTerm) -> NodeTerm {
    NodeTerm {
        expressions: node_requirements(term.match_expressions),
        fields: node_requirements(term.match_fields),
    }
}

/// A text that some types of conditions may leave out.
pub(super) fn told(text: impl Into<Option<String>>) -> String {
    text.into().unwrap_or_default()
}

pub(super) fn truth(status: &str) -> Truth {
    match status {
        "True" => Truth::True,
        "False" => Truth::False,
        _ => Truth::Unknown,
    }
}

/// Conditions of any object. Their messages are left out: they may repeat what programs print.
macro_rules! conditions {
    ($list:expr) => {
        $list
            .unwrap_or_default()
            .into_iter()
            .map(|one| Condition {
                kind: crate::collect::kubernetes::meta::told(one.type_),
                status: crate::collect::kubernetes::meta::truth(
                    &crate::collect::kubernetes::meta::told(one.status),
                ),
                reason: one.reason.unwrap_or_default(),
                since: crate::collect::kubernetes::meta::time(one.last_transition_time),
            })
            .collect()
    };
}
pub(super) use conditions;

/// Conditions of an object whose type is not Kubernetes' own.
pub(super) fn conditions_of(object: &Json) -> Vec<Condition> {
    let list = object.pointer("/status/conditions").and_then(Json::as_array);
    let list = list.map(Vec::as_slice).unwrap_or_default();
    let one = |one: &Json| Condition {
        kind: super::text(one, "/type"),
        status: truth(&super::text(one, "/status")),
        reason: super::text(one, "/reason"),
        since: super::text(one, "/lastTransitionTime").parse().ok(),
    };
    list.iter().map(one).collect()
}
