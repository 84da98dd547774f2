//! What runs the workloads of the networks, as the promoter sees it: few questions, one change.

use std::fmt::Debug;
use std::future::Future;

use gx_types::{NetworkId, TimeMs};
use serde::Deserialize;

use super::nodes::{Node, Placement};

/// A fact, or why it cannot be had.
pub type Known<T> = Result<T, String>;

/// Why the cluster did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// It may answer later.
    #[error("the cluster does not answer: {0}")]
    Away(String),
    /// The account may not, or the request does not fit.
    #[error("the cluster refuses: {0}")]
    Refused(String),
}

/// A container of a workload's pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub name: String,
    pub image: String,
    /// Whether it runs to its end before the others begin.
    pub is_first: bool,
}

/// A workload as it is rolled out, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The image that is promoted, as the pods are to run it.
    pub image: String,
    pub containers: Vec<Container>,
    /// How many pods there are to be.
    pub replicas: u32,
    pub ready: u32,
    /// Pods of the newest form.
    pub updated: u32,
    pub available: u32,
    /// All pods there are, also those beyond `replicas` while they are replaced.
    pub existing: u32,
    /// Whether the numbers are of the newest form, and not of an earlier one.
    pub is_observed: bool,
    pub is_paused: bool,
    /// How long a new pod has to be ready before the next one is replaced.
    pub min_ready_seconds: u32,
    /// Whether somebody looks if its pods can serve.
    pub is_probed: bool,
    /// Whether pods are replaced one by one, a new one before an old one goes.
    pub rolls_one_by_one: bool,
    pub placement: Placement,
    /// The promotion that changed it last.
    pub mark: Option<String>,
}

impl Workload {
    /// Whether all pods are of the newest form and serve.
    pub fn is_whole(&self) -> bool {
        let all = self.replicas;
        all > 0
            && self.is_observed
            && !self.is_paused
            && [self.updated, self.ready, self.available, self.existing] == [all; 4]
    }
}

/// A pod of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    pub name: String,
    /// The images of its containers.
    pub images: Vec<String>,
    /// Since when it is ready, if it is.
    pub ready_since: Option<TimeMs>,
    /// How often its containers were started again.
    pub restarts: u32,
    /// Whether it is being removed.
    pub is_leaving: bool,
}

/// What the record of a build says. Whoever builds writes it, a text of JSON for each digest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    #[serde(default)]
    pub git_commit: Option<String>,
    #[serde(default)]
    pub tests: Option<BuildTests>,
    #[serde(default)]
    pub schema: Option<SchemaRange>,
    /// Findings of the highest severity that nobody has closed; absent when nobody has looked.
    #[serde(default)]
    pub critical_findings: Option<u32>,
}

/// How the tests of a build ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildTests {
    pub passed: u32,
    pub failed: u32,
}

/// Which versions of the schema a build goes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaRange {
    /// The version that it brings.
    pub version: i64,
    /// The oldest version that it works on before it is brought up to date.
    pub works_from: i64,
    /// The oldest version whose programs go on working once it is up to date.
    pub keeps: i64,
}

/// A change of a workload; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Containers and the image that each is to run.
    pub images: Vec<(Container, String)>,
    pub min_ready_seconds: Option<u32>,
    pub is_paused: Option<bool>,
    /// The promotion that changes it.
    pub mark: String,
}

/// Whatever runs the workloads. What it is asked ends by itself after a while.
pub trait Cluster: Clone + Debug + Send + Sync + 'static {
    /// A workload; `None` when the network has none of this name.
    fn workload(
        &self,
        network: NetworkId,
        service: &str,
    ) -> impl Future<Output = Result<Option<Workload>, ClusterError>> + Send;

    /// The pods of a workload.
    fn pods(
        &self,
        network: NetworkId,
        service: &str,
    ) -> impl Future<Output = Result<Vec<Pod>, ClusterError>> + Send;

    /// Every node.
    fn nodes(&self) -> impl Future<Output = Result<Vec<Node>, ClusterError>> + Send;

    /// What the target's record says of the build with a digest.
    fn build(
        &self,
        target: NetworkId,
        digest: &str,
    ) -> impl Future<Output = Result<Known<Build>, ClusterError>> + Send;

    /// When the target's last backup was finished that was proved to be good.
    fn last_backup(
        &self,
        target: NetworkId,
    ) -> impl Future<Output = Result<Known<TimeMs>, ClusterError>> + Send;

    /// How many peers of the target's ledger serve.
    fn peers(
        &self,
        target: NetworkId,
    ) -> impl Future<Output = Result<Known<u32>, ClusterError>> + Send;

    /// How much of the target's error budget is left, of 1; less than 0 when it is overdrawn.
    fn error_budget(
        &self,
        target: NetworkId,
    ) -> impl Future<Output = Result<Known<f64>, ClusterError>> + Send;

    /// Changes a workload.
    fn change(
        &self,
        network: NetworkId,
        service: &str,
        change: &Change,
    ) -> impl Future<Output = Result<(), ClusterError>> + Send;
}
