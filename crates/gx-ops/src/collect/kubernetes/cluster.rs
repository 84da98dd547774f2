//! Nodes, namespaces, budgets, quotas, rights and events.

use k8s_openapi::api::autoscaling::v2 as autoscaling;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::policy::v1 as policy;
use k8s_openapi::api::rbac::v1 as rbac;
use k8s_openapi::api::scheduling::v1 as scheduling;
use serde_json::Value as Json;

use super::super::Redactor;
use super::meta::{
    conditions, count, int_or_text, meta, meta_of, object, resources, selector, time, truth,
};
use super::pod::{effect, names};
use super::text;
use crate::facts::*;

pub(super) fn node(node: core::Node, r: &Redactor) -> Node {
    let spec = node.spec.unwrap_or_default();
    let status = node.status.unwrap_or_default();
    let taints = spec.taints.unwrap_or_default().into_iter().filter_map(|taint| {
        Some(Taint {
            effect: effect(&taint.effect)?,
            key: taint.key,
            value: taint.value.unwrap_or_default(),
            since: time(taint.time_added),
        })
    });
    let conditions = status.conditions.unwrap_or_default().into_iter().map(|one| Condition {
        kind: one.type_,
        status: truth(&one.status),
        reason: one.reason.unwrap_or_default(),
        since: time(one.last_transition_time),
    });
    let images = status.images.map(|images| {
        let one = |image: core::ContainerImage| NodeImage {
            names: image.names.unwrap_or_default(),
            bytes: image.size_bytes.map_or(0, |bytes| u64::try_from(bytes).unwrap_or(0)),
        };
        images.into_iter().map(one).collect()
    });
    let images: Known<Vec<NodeImage>> =
        images.map_or_else(|| Known::missing("the node tells of no images"), Known::Known);
    let addresses = status.addresses.unwrap_or_default().into_iter();
    let attached = status.volumes_attached.unwrap_or_default().into_iter();
    let info = status.node_info;
    let told = |get: fn(&core::NodeSystemInfo) -> &String| {
        info.as_ref().map(|info| get(info).clone()).unwrap_or_default()
    };
    object!(Node, meta(node.metadata, r), {
        unschedulable: spec.unschedulable.unwrap_or(false),
        taints: taints.collect(),
        conditions: conditions.collect(),
        capacity: resources(status.capacity),
        allocatable: resources(status.allocatable),
        images,
        usage: Known::default(),
        addresses: addresses.map(|one| Address { kind: one.type_, value: one.address }).collect(),
        pod_cidrs: spec.pod_cidrs.unwrap_or_default(),
        kubelet: told(|info| &info.kubelet_version),
        kernel: told(|info| &info.kernel_version),
        os: told(|info| &info.os_image),
        runtime: told(|info| &info.container_runtime_version),
        architecture: told(|info| &info.architecture),
        volumes_attached: attached.map(|one| one.name).collect(),
    })
}

/// What a node uses now.
pub(super) fn node_metrics(object: &Json) -> Option<(String, Resources)> {
    let name = text(object, "/metadata/name");
    let mut usage = Resources::default();
    for (resource, amount) in object.get("usage")?.as_object()? {
        usage.insert(resource, amount.as_str()?).ok()?;
    }
    (!name.is_empty()).then_some((name, usage))
}

pub(super) fn namespace(namespace: core::Namespace, r: &Redactor) -> Namespace {
    let phase = namespace.status.and_then(|status| status.phase).unwrap_or_default();
    object!(Namespace, meta(namespace.metadata, r), { phase })
}

pub(super) fn priority(class: scheduling::PriorityClass, r: &Redactor) -> PriorityClass {
    object!(PriorityClass, meta(class.metadata, r), {
        value: class.value,
        is_default: class.global_default.unwrap_or(false),
    })
}

pub(super) fn budget(budget: policy::PodDisruptionBudget, r: &Redactor) -> DisruptionBudget {
    let spec = budget.spec.unwrap_or_default();
    let status = budget.status.unwrap_or_default();
    object!(DisruptionBudget, meta(budget.metadata, r), {
        selector: spec.selector.map(selector),
        min_available: spec.min_available.map(int_or_text),
        max_unavailable: spec.max_unavailable.map(int_or_text),
        expected: count(Some(status.expected_pods)),
        healthy: count(Some(status.current_healthy)),
        desired_healthy: count(Some(status.desired_healthy)),
        allowed: count(Some(status.disruptions_allowed)),
    })
}

pub(super) fn autoscaler(one: autoscaling::HorizontalPodAutoscaler, r: &Redactor) -> Autoscaler {
    let spec = one.spec.unwrap_or_default();
    let status = one.status.unwrap_or_default();
    let metrics = spec.metrics.unwrap_or_default().into_iter().map(|metric| {
        let resource = metric.resource;
        let percent = resource.as_ref().and_then(|one| one.target.average_utilization);
        HpaMetric {
            kind: metric.type_,
            name: resource.map(|one| one.name).unwrap_or_default(),
            target_percent: percent.map(|percent| count(Some(percent))),
        }
    });
    object!(Autoscaler, meta(one.metadata, r), {
        target_kind: spec.scale_target_ref.kind,
        target: spec.scale_target_ref.name,
        min: count(spec.min_replicas.or(Some(1))),
        max: count(Some(spec.max_replicas)),
        current: count(status.current_replicas),
        metrics: metrics.collect(),
        conditions: conditions!(status.conditions),
    })
}

pub(super) fn quota(quota: core::ResourceQuota, r: &Redactor) -> Quota {
    let status = quota.status.unwrap_or_default();
    let hard = quota.spec.and_then(|spec| spec.hard).or(status.hard);
    object!(Quota, meta(quota.metadata, r), {
        hard: resources(hard),
        used: resources(status.used),
    })
}

pub(super) fn limit_range(range: core::LimitRange, r: &Redactor) -> LimitRange {
    let limits = range.spec.map(|spec| spec.limits).unwrap_or_default().into_iter();
    let limits = limits.map(|one| Limit {
        kind: one.type_,
        min: resources(one.min),
        max: resources(one.max),
        default: resources(one.default),
        default_request: resources(one.default_request),
    });
    object!(LimitRange, meta(range.metadata, r), { limits: limits.collect() })
}

pub(super) fn service_account(account: core::ServiceAccount, r: &Redactor) -> ServiceAccount {
    object!(ServiceAccount, meta(account.metadata, r), {
        pull_secrets: names(account.image_pull_secrets),
        automount_token: account.automount_service_account_token,
    })
}

fn permissions(rules: Option<Vec<rbac::PolicyRule>>) -> Vec<Permission> {
    let one = |rule: rbac::PolicyRule| Permission {
        groups: rule.api_groups.unwrap_or_default(),
        resources: rule.resources.unwrap_or_default(),
        names: rule.resource_names.unwrap_or_default(),
        verbs: rule.verbs,
    };
    rules.unwrap_or_default().into_iter().map(one).collect()
}

pub(super) fn role(role: rbac::Role, r: &Redactor) -> Role {
    object!(Role, meta(role.metadata, r), { rules: permissions(role.rules) })
}

pub(super) fn cluster_role(role: rbac::ClusterRole, r: &Redactor) -> Role {
    object!(Role, meta(role.metadata, r), { rules: permissions(role.rules) })
}

fn subjects(list: Option<Vec<rbac::Subject>>) -> Vec<Subject> {
    let one = |one: rbac::Subject| Subject {
        kind: one.kind,
        namespace: one.namespace.unwrap_or_default(),
        name: one.name,
    };
    list.unwrap_or_default().into_iter().map(one).collect()
}

pub(super) fn binding(binding: rbac::RoleBinding, r: &Redactor) -> RoleBinding {
    object!(RoleBinding, meta(binding.metadata, r), {
        role_kind: binding.role_ref.kind,
        role: binding.role_ref.name,
        subjects: subjects(binding.subjects),
    })
}

pub(super) fn cluster_binding(binding: rbac::ClusterRoleBinding, r: &Redactor) -> RoleBinding {
    object!(RoleBinding, meta(binding.metadata, r), {
        role_kind: binding.role_ref.kind,
        role: binding.role_ref.name,
        subjects: subjects(binding.subjects),
    })
}

pub(super) fn custom_kind(object: &Json, r: &Redactor) -> Option<CustomKind> {
    let versions = object.pointer("/spec/versions").and_then(Json::as_array)?;
    Some(object!(CustomKind, meta_of(object, r)?, {
        group: text(object, "/spec/group"),
        kind: text(object, "/spec/names/kind"),
        versions: versions.iter().map(|one| text(one, "/name")).collect(),
    }))
}

/// Reasons whose messages are Kubernetes' own words and quote no program.
const TOLD_REASONS: [&str; 13] = [
    "BackOff",
    "FailedAttachVolume",
    "FailedBinding",
    "FailedCreate",
    "FailedMount",
    "FailedScheduling",
    "FreeDiskSpaceFailed",
    "ImageGCFailed",
    "NodeNotReady",
    "Preempted",
    "ProvisioningFailed",
    "Scheduled",
    "TaintManagerEviction",
];

pub(super) fn event(event: core::Event, r: &Redactor) -> Event {
    let about = event.involved_object;
    let reference = ObjectRef::new(
        about.kind.unwrap_or_default(),
        about.namespace.unwrap_or_default(),
        about.name.unwrap_or_default(),
    );
    let reason = event.reason.unwrap_or_default();
    let is_told = TOLD_REASONS.contains(&reason.as_str());
    let message = event.message.filter(|_| is_told).map(|text| r.message(&text));
    let series = event.series.unwrap_or_default();
    let at = event.event_time.map(|time| Time::from(time.0));
    let last = series.last_observed_time.map(|time| Time::from(time.0));
    let source = event.source.and_then(|source| source.component);
    object!(Event, meta(event.metadata, r), {
        kind: event.type_.unwrap_or_default(),
        reason,
        message: message.unwrap_or_default(),
        about: Some(reference),
        count: count(event.count.or(series.count).or(Some(1))),
        first: time(event.first_timestamp).or(at),
        last: time(event.last_timestamp).or(last).or(at),
        component: source.or(event.reporting_component).unwrap_or_default(),
    })
}
