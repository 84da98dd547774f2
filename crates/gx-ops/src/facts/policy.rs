//! Budgets, autoscalers, quotas, limits and namespaces.

use super::{Condition, Resources, Selector};

facts! {
    pub struct HpaMetric {
        /// `Resource`, `Pods`, `Object`, `External` or `ContainerResource`.
        pub kind: String,
        /// Such as `cpu`.
        pub name: String,
        /// Percent of what is requested.
        pub target_percent: Option<u32>,
    }

    pub struct Limit {
        /// `Container`, `Pod` or `PersistentVolumeClaim`.
        pub kind: String,
        pub min: Resources,
        pub max: Resources,
        pub default: Resources,
        pub default_request: Resources,
    }
}

objects! {
    pub struct DisruptionBudget = "PodDisruptionBudget" {
        /// None selects no pod; an empty one all of the namespace.
        pub selector: Option<Selector>,
        /// A number or a percentage.
        pub min_available: Option<String>,
        pub max_unavailable: Option<String>,
        pub expected: u32,
        pub healthy: u32,
        pub desired_healthy: u32,
        pub allowed: u32,
    }

    pub struct Autoscaler = "HorizontalPodAutoscaler" {
        pub target_kind: String,
        pub target: String,
        pub min: u32,
        pub max: u32,
        pub current: u32,
        pub metrics: Vec<HpaMetric>,
        pub conditions: Vec<Condition>,
    }

    pub struct Quota = "ResourceQuota" {
        /// By the names of quotas, such as `requests.cpu`; cores in whole units are rounded up.
        pub hard: Resources,
        pub used: Resources,
    }

    pub struct LimitRange = "LimitRange" {
        pub limits: Vec<Limit>,
    }

    pub struct Namespace = "Namespace" {
        pub phase: String,
    }

    pub struct PriorityClass = "PriorityClass" {
        pub value: i32,
        pub is_default: bool,
    }
}
