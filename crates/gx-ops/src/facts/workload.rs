//! What makes pods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Keyed, Labels, Object, Owner, PodSpec, Resources, Selector, Time, Value};

/// The kinds of workloads.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum WorkloadKind {
    #[default]
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    Job,
    CronJob,
}

impl WorkloadKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
        }
    }
}

facts! {
    /// What the pods of a workload are made from.
    pub struct Template {
        pub labels: Labels,
        pub spec: PodSpec,
    }

    /// A claim that a StatefulSet makes for each of its pods, named `NAME-POD`.
    pub struct ClaimTemplate {
        pub name: String,
        /// None: the default class.
        pub class: Option<String>,
        pub modes: Vec<String>,
        /// Bytes.
        pub bytes: u64,
    }

    pub struct Cron {
        pub schedule: String,
        pub suspended: bool,
        pub last_scheduled: Option<Time>,
        pub last_successful: Option<Time>,
        pub active: u32,
        /// `Allow`, `Forbid` or `Replace`.
        pub concurrency: String,
        pub failed_kept: Option<u32>,
        pub successful_kept: Option<u32>,
    }

    pub struct JobStatus {
        pub completions: Option<u32>,
        pub succeeded: u32,
        pub failed: u32,
        pub active: u32,
        pub finished: Option<Time>,
        /// Seconds after which a finished one is deleted.
        pub ttl_seconds: Option<u32>,
    }

    pub struct Workload {
        pub kind: WorkloadKind,
        pub name: String,
        pub namespace: String,
        pub uid: String,
        pub created: Option<Time>,
        pub deleting: Option<Time>,
        pub finalizers: Vec<String>,
        pub labels: Labels,
        pub annotations: std::collections::BTreeMap<String, Value>,
        pub owner: Option<Owner>,
        /// How many pods there should be; of a DaemonSet, as many as its controller says.
        pub replicas: u32,
        pub ready: u32,
        pub updated: u32,
        pub available: u32,
        pub selector: Selector,
        pub template: Template,
        /// `RollingUpdate`, `Recreate` or `OnDelete`.
        pub strategy: String,
        /// A number or a percentage.
        pub max_unavailable: Option<String>,
        pub max_surge: Option<String>,
        pub paused: bool,
        pub conditions: Vec<Condition>,
        pub generation: Option<i64>,
        pub observed_generation: Option<i64>,
        /// None: Kubernetes' own, which is 10.
        pub revision_history_limit: Option<u32>,
        pub progress_deadline_seconds: Option<u32>,
        /// Revision of a ReplicaSet; of a Deployment the current one.
        pub revision: Option<u64>,
        /// Of a StatefulSet.
        pub current_revision: String,
        pub update_revision: String,
        /// Service that gives the pods of a StatefulSet their names.
        pub service_name: String,
        pub claim_templates: Vec<ClaimTemplate>,
        pub cron: Option<Cron>,
        pub job: Option<JobStatus>,
    }
}

impl Object for Workload {
    fn kind(&self) -> &str {
        self.kind.as_str()
    }
    object_fields!();
}

impl Keyed for Workload {
    fn key(&self) -> String {
        format!("{}/{}/{}", self.namespace, self.kind.as_str(), self.name)
    }
}

impl Workload {
    /// What all its pods request together.
    pub fn total_requests(&self) -> Resources {
        let one = self.template.spec.effective_requests();
        let times = u64::from(self.replicas);
        Resources(one.0.into_iter().map(|(k, v)| (k, v.saturating_mul(times))).collect())
    }

    /// Whether it keeps pods running, rather than starting some that end.
    pub fn is_lasting(&self) -> bool {
        match self.kind {
            WorkloadKind::Deployment
            | WorkloadKind::StatefulSet
            | WorkloadKind::DaemonSet
            | WorkloadKind::ReplicaSet => true,
            WorkloadKind::Job | WorkloadKind::CronJob => false,
        }
    }
}
