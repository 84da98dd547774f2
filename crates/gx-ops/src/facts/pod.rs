//! Pods, and the description of pods that workloads make.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::node::condition;
use super::{Condition, Effect, Labels, NodeTerm, Resources, Selector, Time, Truth, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    Always,
    #[default]
    IfNotPresent,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Tolerates {
    #[default]
    Equal,
    Exists,
    Gt,
    Lt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Unsatisfiable {
    #[default]
    DoNotSchedule,
    ScheduleAnyway,
}

/// Whether nodes that a pod may not go to anyway count as domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Inclusion {
    Honor,
    Ignore,
}

/// Of a pod, as Kubernetes tells it. Running is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    Pending,
    #[default]
    Running,
    Succeeded,
    Failed,
    Unknown,
}

facts! {
    pub struct Toleration {
        /// Empty with `Exists`: every taint.
        pub key: String,
        pub operator: Tolerates,
        pub value: String,
        /// None: every effect.
        pub effect: Option<Effect>,
        pub seconds: Option<i64>,
    }

    pub struct WeightedNodeTerm {
        pub weight: i32,
        pub term: NodeTerm,
    }

    /// Which pods a pod wants near it, or away from it.
    pub struct PodTerm {
        /// None selects no pod.
        pub selector: Option<Selector>,
        pub namespaces: Vec<String>,
        /// None: the pod's own namespace, unless some are named.
        pub namespace_selector: Option<Selector>,
        pub topology_key: String,
        pub match_label_keys: Vec<String>,
        pub mismatch_label_keys: Vec<String>,
    }

    pub struct WeightedPodTerm {
        pub weight: i32,
        pub term: PodTerm,
    }

    pub struct Affinity {
        /// One of the terms must hold; none: there is no such rule.
        pub node_required: Option<Vec<NodeTerm>>,
        pub node_preferred: Vec<WeightedNodeTerm>,
        pub pod_required: Vec<PodTerm>,
        pub pod_preferred: Vec<WeightedPodTerm>,
        pub anti_required: Vec<PodTerm>,
        pub anti_preferred: Vec<WeightedPodTerm>,
    }

    pub struct Spread {
        pub max_skew: u32,
        pub topology_key: String,
        pub when: Unsatisfiable,
        pub selector: Option<Selector>,
        pub min_domains: Option<u32>,
        /// None: nodes that selector and affinity exclude do not count.
        pub affinity_policy: Option<Inclusion>,
        /// None: tainted nodes count.
        pub taints_policy: Option<Inclusion>,
        pub match_label_keys: Vec<String>,
    }

    /// A key of a Secret or ConfigMap, or all of it.
    pub struct KeyRef {
        /// `Secret` or `ConfigMap`.
        pub kind: String,
        pub name: String,
        /// Empty: all of it.
        pub key: String,
        pub optional: bool,
    }

    pub struct Env {
        pub name: String,
        /// None when it comes from elsewhere.
        pub value: Option<Value>,
        pub from: Option<KeyRef>,
        /// A field of the pod, such as `status.podIP`.
        pub field: Option<String>,
    }

    pub struct Port {
        pub name: String,
        pub port: u16,
        /// `TCP`, `UDP` or `SCTP`; empty is `TCP`.
        pub protocol: String,
        pub host_port: Option<u16>,
        pub host_ip: String,
    }

    pub struct Probe {
        /// `httpGet`, `tcpSocket`, `grpc` or `exec`.
        pub kind: String,
        pub path: String,
        /// A number, or a container port's name.
        pub port: String,
        pub delay_seconds: u32,
        pub period_seconds: u32,
        pub timeout_seconds: u32,
        pub failures: u32,
    }

    pub struct Security {
        pub run_as_non_root: Option<bool>,
        pub run_as_user: Option<i64>,
        pub read_only_root: Option<bool>,
        pub allow_escalation: Option<bool>,
        pub privileged: Option<bool>,
        pub dropped: Vec<String>,
        pub added: Vec<String>,
        /// Type of the seccomp profile.
        pub seccomp: Option<String>,
    }

    pub struct Mount {
        pub volume: String,
        pub path: String,
        pub sub_path: String,
        pub read_only: bool,
    }

    pub struct Container {
        pub name: String,
        pub image: String,
        pub pull_policy: PullPolicy,
        pub command: Vec<Value>,
        pub args: Vec<Value>,
        pub env: Vec<Env>,
        pub env_from: Vec<KeyRef>,
        pub ports: Vec<Port>,
        pub requests: Resources,
        pub limits: Resources,
        pub liveness: Option<Probe>,
        pub readiness: Option<Probe>,
        pub startup: Option<Probe>,
        pub security: Security,
        pub mounts: Vec<Mount>,
        /// Of an init container: it stays beside the others.
        pub is_sidecar: bool,
        /// What its command line does carelessly: `hostKeysUnchecked`, `passwordOnCommandLine`,
        /// `passwordInScript`.
        pub careless: Vec<String>,
    }

    /// One file that a volume is made of.
    pub struct Item {
        pub key: String,
        pub path: String,
        pub mode: Option<u32>,
    }

    /// A Secret or ConfigMap as files.
    pub struct Files {
        pub name: String,
        pub default_mode: Option<u32>,
        pub items: Vec<Item>,
        pub optional: bool,
    }

    pub struct Volume {
        pub name: String,
        pub source: VolumeSource,
    }

    /// What a pod is made from.
    pub struct PodSpec {
        pub containers: Vec<Container>,
        pub init_containers: Vec<Container>,
        pub volumes: Vec<Volume>,
        pub overhead: Resources,
        /// Of the pod as a whole, where Kubernetes knows that.
        pub pod_requests: Resources,
        pub node_selector: Labels,
        pub affinity: Affinity,
        pub tolerations: Vec<Toleration>,
        pub spread: Vec<Spread>,
        pub priority: i32,
        pub priority_class: String,
        /// Empty: the default one.
        pub scheduler: String,
        pub scheduling_gates: Vec<String>,
        pub service_account: String,
        pub automount_token: Option<bool>,
        pub host_network: bool,
        pub host_pid: bool,
        pub host_ipc: bool,
        pub restart_policy: String,
        pub grace_seconds: Option<u32>,
        pub security: Security,
        pub fs_group: Option<i64>,
        pub pull_secrets: Vec<String>,
        pub runtime_class: String,
    }

    pub struct ContainerStatus {
        pub name: String,
        pub image: String,
        /// With its digest.
        pub image_id: String,
        pub is_init: bool,
        pub ready: bool,
        pub restarts: u32,
        /// Why it waits, such as `CrashLoopBackOff`.
        pub waiting: Option<String>,
        pub running_since: Option<Time>,
        /// Why it ended, when it has, such as `Completed`.
        pub ended: Option<String>,
        /// Why the one before ended, such as `OOMKilled`.
        pub last_ended: Option<String>,
        pub last_exit_code: Option<i32>,
        pub last_ended_at: Option<Time>,
    }
}

/// Where a volume comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum VolumeSource {
    /// A PersistentVolumeClaim by name.
    Claim(String),
    /// A claim that is made with the pod, named `POD-VOLUME`.
    Ephemeral,
    Secret(Files),
    ConfigMap(Files),
    Projected(Vec<KeyRef>),
    HostPath(String),
    EmptyDir,
    /// By the driver's name.
    Csi(String),
    /// By its field's name.
    Other(String),
}

impl Default for VolumeSource {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

objects! {
    pub struct Pod = "Pod" {
        pub spec: PodSpec,
        /// Empty while it has none.
        pub node: String,
        /// Node that preemption has promised it.
        pub nominated_node: String,
        pub phase: Phase,
        pub reason: String,
        pub conditions: Vec<Condition>,
        pub statuses: Vec<ContainerStatus>,
        pub ip: String,
        pub started: Option<Time>,
    }
}

impl Pod {
    /// Ready is the condition, never the phase.
    pub fn is_ready(&self) -> bool {
        condition(&self.conditions, "Ready").is_some_and(|one| one.status == Truth::True)
    }

    /// Neither ended nor to be deleted.
    pub fn is_active(&self) -> bool {
        !self.is_finished() && self.deleting.is_none()
    }

    /// It has ended, and needs nothing of its node.
    pub fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// It waits for a node.
    pub fn is_unplaced(&self) -> bool {
        self.node.is_empty() && self.is_active()
    }

    /// The claims that it mounts, by name.
    pub fn claims(&self) -> impl Iterator<Item = String> {
        claims(&self.spec, &self.name)
    }

    /// Of all its containers.
    pub fn restarts(&self) -> u32 {
        self.statuses.iter().fold(0, |sum, one| sum.saturating_add(one.restarts))
    }
}

fn claims<'a>(spec: &'a PodSpec, pod: &'a str) -> impl Iterator<Item = String> + 'a {
    spec.volumes.iter().filter_map(move |volume| match &volume.source {
        VolumeSource::Claim(name) => Some(name.clone()),
        VolumeSource::Ephemeral => Some(format!("{pod}-{}", volume.name)),
        VolumeSource::Secret(_)
        | VolumeSource::ConfigMap(_)
        | VolumeSource::Projected(_)
        | VolumeSource::HostPath(_)
        | VolumeSource::EmptyDir
        | VolumeSource::Csi(_)
        | VolumeSource::Other(_) => None,
    })
}

impl PodSpec {
    /// What the scheduler counts for a pod of this description: the larger of what its containers
    /// need together and what the greediest moment of its start needs, with the overhead.
    pub fn effective_requests(&self) -> Resources {
        let mut running = Resources::default();
        self.containers.iter().for_each(|container| running.add(&container.requests));
        let mut sidecars = Resources::default();
        let mut starting = Resources::default();
        for container in &self.init_containers {
            let mut now = sidecars.clone();
            now.add(&container.requests);
            starting.raise_to(&now);
            if container.is_sidecar {
                sidecars = now;
            }
        }
        running.add(&sidecars);
        running.raise_to(&starting);
        // What is set for the pod as a whole holds in place of the sum.
        self.pod_requests.0.iter().for_each(|(name, amount)| {
            running.0.insert(name.clone(), *amount);
        });
        running.add(&self.overhead);
        running
    }

    /// Containers and init containers.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.init_containers.iter().chain(&self.containers)
    }
}

/// Environment variables of a container by name; the last one of a name holds.
pub fn environment(container: &Container) -> BTreeMap<&str, &Env> {
    container.env.iter().map(|env| (env.name.as_str(), env)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(cpu: u64, is_sidecar: bool) -> Container {
        let requests = Resources([("cpu".to_owned(), cpu)].into());
        Container { requests, is_sidecar, ..Container::default() }
    }

    #[test]
    fn a_pod_needs_what_its_greediest_moment_needs() {
        let overhead = Resources([("cpu".to_owned(), 5)].into());
        let spec = |init: Vec<Container>, main: &[u64]| PodSpec {
            init_containers: init,
            containers: main.iter().map(|cpu| container(*cpu, false)).collect(),
            overhead: overhead.clone(),
            ..PodSpec::default()
        };
        assert_eq!(spec(vec![], &[100, 200]).effective_requests().cpu(), 305);
        assert_eq!(spec(vec![container(900, false)], &[100]).effective_requests().cpu(), 905);
        // A sidecar stays: it counts with the others and with the steps after it.
        let init = vec![container(50, true), container(300, false)];
        assert_eq!(spec(init.clone(), &[100]).effective_requests().cpu(), 355);
        assert_eq!(spec(init, &[400]).effective_requests().cpu(), 455);
    }
}
