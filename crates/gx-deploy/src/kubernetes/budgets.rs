//! Budgets and autoscalers: how many pods stay while a node is drained, and how many there may be.

use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget,
    ResourceMetricSource,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::parts::{match_labels, meta, selector};
use super::{Error, value};
use crate::model::Workload;

/// The budget of a workload, and its autoscaler; neither for what is alone.
pub(super) fn of(workload: Workload) -> Result<Vec<Value>, Error> {
    let mut objects = Vec::new();
    if let Some(least) = workload.least() {
        objects.push(value(&budget(workload, least))?);
    }
    if let Some(most) = workload.replicas_max() {
        objects.push(value(&autoscaler(workload, most))?);
    }
    Ok(objects)
}

/// Of what grows and shrinks one may be away; of a quorum so many must stay.
fn budget(workload: Workload, least: u16) -> PodDisruptionBudget {
    let (available, unavailable) = match workload.is_deployment() {
        true => (None, Some(IntOrString::Int(1))),
        false => (Some(IntOrString::Int(least.into())), None),
    };
    PodDisruptionBudget {
        metadata: meta(workload, &workload.name()),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: unavailable,
            min_available: available,
            selector: Some(match_labels(selector(workload))),
            // A pod that is ill anyway must not hold up the drain of its node.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
        }),
        status: None,
    }
}

fn autoscaler(workload: Workload, most: u16) -> HorizontalPodAutoscaler {
    let rule = |pods: i32, window: i32| HPAScalingRules {
        policies: Some(vec![HPAScalingPolicy {
            period_seconds: 60,
            type_: "Pods".to_owned(),
            value: pods,
        }]),
        stabilization_window_seconds: Some(window),
        ..HPAScalingRules::default()
    };
    HorizontalPodAutoscaler {
        metadata: meta(workload, &workload.name()),
        spec: Some(HorizontalPodAutoscalerSpec {
            behavior: Some(HorizontalPodAutoscalerBehavior {
                scale_up: Some(rule(2, 60)),
                scale_down: Some(rule(1, 300)),
            }),
            max_replicas: most.into(),
            metrics: Some(vec![processor()]),
            min_replicas: Some(workload.replicas().into()),
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: workload.name(),
            },
        }),
        status: None,
    }
}

/// Seven tenths of what the pods have asked for: there is room for the half minute until more run.
fn processor() -> MetricSpec {
    MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource {
            name: "cpu".to_owned(),
            target: MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(70),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    }
}
