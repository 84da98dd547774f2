//! What the API server's objects say, in the words of promotion.

use gx_engine::{
    Container, Expression, Node as NodeFacts, Operator, Placement, Pod as PodFacts, Taint,
    Toleration, Workload,
};
use gx_types::TimeMs;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStrategy};
use k8s_openapi::api::core::v1::{
    Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration as KubeToleration,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::MARK;

/// Images that a node tells of at most, unless its operator has said otherwise.
const IMAGES_TOLD: usize = 50;

fn count(number: Option<i32>) -> u32 {
    number.map_or(0, |number| u32::try_from(number).unwrap_or_default())
}

/// A workload; `None` of a Deployment without pods to describe.
pub(super) fn workload(deployment: &Deployment) -> Option<Workload> {
    let spec = deployment.spec.as_ref()?;
    let pods = spec.template.spec.as_ref()?;
    let main = pods.containers.first()?;
    let status = deployment.status.clone().unwrap_or_default();
    let generation = deployment.metadata.generation.unwrap_or_default();
    let annotations = deployment.metadata.annotations.as_ref();
    Some(Workload {
        image: main.image.clone().unwrap_or_default(),
        containers: containers(pods),
        replicas: u32::try_from(spec.replicas.unwrap_or(1)).unwrap_or_default(),
        ready: count(status.ready_replicas),
        updated: count(status.updated_replicas),
        available: count(status.available_replicas),
        existing: count(status.replicas),
        is_observed: status.observed_generation.unwrap_or_default() >= generation,
        is_paused: spec.paused.unwrap_or_default(),
        min_ready_seconds: count(spec.min_ready_seconds),
        is_probed: main.readiness_probe.is_some(),
        rolls_one_by_one: one_by_one(spec.strategy.as_ref()),
        placement: placement(pods),
        mark: annotations.and_then(|annotations| annotations.get(MARK).cloned()),
    })
}

fn containers(pods: &PodSpec) -> Vec<Container> {
    let first = pods.init_containers.iter().flatten().map(|one| (one, true));
    let others = pods.containers.iter().map(|one| (one, false));
    let facts = |(one, is_first): (&k8s_openapi::api::core::v1::Container, bool)| Container {
        name: one.name.clone(),
        image: one.image.clone().unwrap_or_default(),
        is_first,
    };
    first.chain(others).map(facts).collect()
}

fn one_by_one(strategy: Option<&DeploymentStrategy>) -> bool {
    let Some(rolling) = strategy.and_then(|strategy| strategy.rolling_update.as_ref()) else {
        return false;
    };
    rolling.max_surge == Some(IntOrString::Int(1))
        && rolling.max_unavailable == Some(IntOrString::Int(0))
}

/// The labels of a workload's pods, as a request has them.
pub(super) fn selector(deployment: &Deployment) -> Option<String> {
    let selector = &deployment.spec.as_ref()?.selector;
    let has_expressions = selector.match_expressions.as_ref().is_some_and(|all| !all.is_empty());
    let labels = selector.match_labels.as_ref().filter(|labels| !labels.is_empty())?;
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    (!has_expressions).then(|| pairs.join(","))
}

fn placement(pods: &PodSpec) -> Placement {
    let affinity = pods.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = affinity
        .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
    let terms = required.map(|required| required.node_selector_terms.as_slice());
    Placement {
        labels: pods.node_selector.clone().unwrap_or_default(),
        any_of: terms.unwrap_or_default().iter().map(group).collect(),
        tolerations: pods.tolerations.iter().flatten().map(toleration).collect(),
    }
}

fn group(term: &NodeSelectorTerm) -> Vec<Expression> {
    let labels = term.match_expressions.iter().flatten().map(expression);
    // By fields single nodes are named; that is for daemons, and fits no node here.
    let fields = term.match_fields.iter().flatten().map(|one| never(&one.key));
    let group: Vec<Expression> = labels.chain(fields).collect();
    // A group that asks nothing fits no node either.
    if group.is_empty() { vec![never("")] } else { group }
}

/// What no node's label is.
fn never(key: &str) -> Expression {
    Expression { key: key.to_owned(), operator: Operator::In, values: Vec::new() }
}

fn expression(one: &NodeSelectorRequirement) -> Expression {
    let operator = match one.operator.as_str() {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::Gt,
        "Lt" => Operator::Lt,
        _ => return never(&one.key),
    };
    Expression { key: one.key.clone(), operator, values: one.values.clone().unwrap_or_default() }
}

fn toleration(one: &KubeToleration) -> Toleration {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let value = match one.operator.as_deref() {
        Some("Exists") => None,
        _ => Some(one.value.clone().unwrap_or_default()),
    };
    Toleration { key: given(&one.key), value, effect: given(&one.effect) }
}

pub(super) fn pod(pod: &Pod) -> PodFacts {
    let status = pod.status.clone().unwrap_or_default();
    let ready = status.conditions.iter().flatten().find(|condition| condition.type_ == "Ready");
    let since = ready.filter(|condition| condition.status == "True");
    let since = since.and_then(|condition| condition.last_transition_time.as_ref());
    let restarts =
        status.container_statuses.iter().flatten().map(|one| count(Some(one.restart_count)));
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let has_ended = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    PodFacts {
        name: pod.metadata.name.clone().unwrap_or_default(),
        images: containers.filter_map(|container| container.image.clone()).collect(),
        ready_since: since.map(|time| TimeMs(time.0.as_millisecond())),
        restarts: restarts.fold(0, u32::saturating_add),
        is_leaving: has_ended || pod.metadata.deletion_timestamp.is_some(),
    }
}

pub(super) fn node(node: &Node) -> NodeFacts {
    let status = node.status.clone().unwrap_or_default();
    let spec = node.spec.clone().unwrap_or_default();
    let is_ready = |condition: &k8s_openapi::api::core::v1::NodeCondition| {
        condition.type_ == "Ready" && condition.status == "True"
    };
    let images = status.images.unwrap_or_default();
    let taint = |taint: k8s_openapi::api::core::v1::Taint| Taint {
        key: taint.key,
        value: taint.value.unwrap_or_default(),
        effect: taint.effect,
    };
    NodeFacts {
        name: node.metadata.name.clone().unwrap_or_default(),
        labels: node.metadata.labels.clone().unwrap_or_default(),
        is_ready: status.conditions.iter().flatten().any(is_ready),
        is_schedulable: !spec.unschedulable.unwrap_or_default(),
        taints: spec.taints.unwrap_or_default().into_iter().map(taint).collect(),
        may_hide_images: images.len() >= IMAGES_TOLD,
        images: images.into_iter().flat_map(|image| image.names.unwrap_or_default()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn deployment(strategy: serde_json::Value) -> Deployment {
        from_value(json!({
            "metadata": { "generation": 3, "annotations": { MARK: "d1" } },
            "spec": {
                "replicas": 2, "selector": { "matchLabels": { "app": "a", "track": "b" } },
                "strategy": strategy,
                "template": { "spec": {
                    "nodeSelector": { "zone": "eu" },
                    "tolerations": [{ "key": "own", "operator": "Exists" }],
                    "affinity": { "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
                            { "matchExpressions": [
                                { "key": "disk", "operator": "In", "values": ["fast"] },
                            ] },
                        ] },
                    } },
                    "initContainers": [{ "name": "first", "image": "i" }],
                    "containers": [{ "name": "gx", "image": "i", "readinessProbe": {} }],
                } },
            },
            "status": { "observedGeneration": 2, "replicas": 2, "readyReplicas": 1 },
        }))
        .unwrap()
    }

    #[test]
    fn a_deployment_is_read() {
        let rolling = json!({ "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
        let read = deployment(rolling);
        assert_eq!(selector(&read).as_deref(), Some("app=a,track=b"));
        let workload = workload(&read).unwrap();
        assert!(!workload.is_observed && workload.is_probed && workload.rolls_one_by_one);
        assert_eq!((workload.replicas, workload.ready, workload.updated), (2, 1, 0));
        assert_eq!(workload.mark.as_deref(), Some("d1"));
        assert_eq!(workload.containers.len(), 2);
        let other = deployment(json!({ "type": "Recreate" }));
        assert!(!super::workload(&other).unwrap().rolls_one_by_one);
    }

    #[test]
    fn a_pod_goes_where_the_scheduler_would_let_it() {
        let placement = workload(&deployment(json!({}))).unwrap().placement;
        let made = |labels: serde_json::Value, taints: serde_json::Value, ready: &str| {
            let node: Node = from_value(json!({
                "metadata": { "name": "n1", "labels": labels }, "spec": { "taints": taints },
                "status": { "conditions": [{ "type": "Ready", "status": ready }] },
            }))
            .unwrap();
            placement.admits(&super::node(&node))
        };
        let fits = json!({ "zone": "eu", "disk": "fast" });
        let own = json!([{ "key": "own", "value": "x", "effect": "NoSchedule" }]);
        let other = json!([{ "key": "other", "effect": "NoExecute" }]);
        assert!(made(fits.clone(), json!([]), "True"));
        assert!(made(fits.clone(), own, "True"));
        assert!(!made(fits.clone(), other, "True"));
        assert!(!made(fits, json!([]), "Unknown"));
        assert!(!made(json!({ "zone": "eu", "disk": "slow" }), json!([]), "True"));
        assert!(!made(json!({ "disk": "fast" }), json!([]), "True"));
    }
}
