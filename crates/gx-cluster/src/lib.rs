//! The cluster that promotion works on: workloads by the Kubernetes API, facts from ConfigMaps, and
//! an error budget that somebody else counts.
//!
//! It reads Deployments, pods, nodes and two ConfigMaps, and patches Deployments of the target; the
//! account needs nothing else (docs/promotion.md lists it). What it may not read is a fact that
//! cannot be had, which a gate then says.

mod reading;

use std::fmt::Debug;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gx_engine::{
    Build, Change, Cluster, ClusterError, Known, Node as NodeFacts, Pod as PodFacts, Workload,
};
use gx_types::{NetworkId, TimeMs, with_causes};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod};
use kube::api::{ListParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config as KubeConfig};
use serde_json::{Map, Value, json};

/// The annotation that says which promotion has changed a workload last.
const MARK: &str = "gx-protocol/deployment";

/// How the API server's record of changes names us.
const MANAGER: &str = "gx-promoter";

/// The key of the ConfigMap that says when the last backup was finished.
const FINISHED_AT: &str = "finished-at";

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the cluster is reached, and where things stand in it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Empty for that of the pod that this runs in.
    pub kubeconfig: PathBuf,
    /// Namespaces of the platform and of Fabric, with [`NETWORK`] in them.
    pub namespaces: String,
    pub fabric_namespaces: String,
    /// Labels of the pods of Fabric's peers.
    pub fabric_selector: String,
    /// The ConfigMap with the records of builds.
    pub builds: String,
    /// The ConfigMap that says when the last backup was; empty when there is none.
    pub backups: String,
}

/// What stands for the network in a pattern of namespaces.
pub const NETWORK: &str = "{network}";

impl Settings {
    /// The namespace of a network's workloads.
    fn namespace(&self, network: NetworkId) -> String {
        self.namespaces.replace(NETWORK, network.as_str())
    }

    /// The namespace of a network's Fabric.
    fn fabric_namespace(&self, network: NetworkId) -> String {
        self.fabric_namespaces.replace(NETWORK, network.as_str())
    }
}

/// What is answered later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whoever counts failures.
pub trait ErrorBudget: Debug + Send + Sync {
    /// How much of the budget of a namespace's services is left, of 1; or why that is not known.
    fn left<'a>(&'a self, namespace: &'a str) -> Later<'a, Known<f64>>;
}

/// The cluster. Cheap to clone.
#[derive(Clone)]
pub struct KubeCluster {
    client: Client,
    settings: Arc<Settings>,
    budget: Option<Arc<dyn ErrorBudget>>,
}

impl std::fmt::Debug for KubeCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KubeCluster").finish_non_exhaustive()
    }
}

impl KubeCluster {
    /// The cluster that the settings name. Nothing is asked of it yet.
    ///
    /// # Errors
    /// Says why the access cannot be used, or that this is no pod of a cluster.
    pub async fn new(
        settings: Settings,
        budget: Option<Arc<dyn ErrorBudget>>,
    ) -> Result<Self, String> {
        let wrong = |error: &dyn std::error::Error| with_causes(error);
        let config = if settings.kubeconfig.as_os_str().is_empty() {
            KubeConfig::incluster().map_err(|error| wrong(&error))?
        } else {
            let file =
                Kubeconfig::read_from(&settings.kubeconfig).map_err(|error| wrong(&error))?;
            let options = KubeConfigOptions::default();
            let config = KubeConfig::from_custom_kubeconfig(file, &options);
            config.await.map_err(|error| wrong(&error))?
        };
        let client = Client::try_from(config).map_err(|error| wrong(&error))?;
        Ok(Self { client, settings: Arc::new(settings), budget })
    }

    fn deployments(&self, network: NetworkId) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), &self.settings.namespace(network))
    }

    async fn deployment(
        &self,
        network: NetworkId,
        service: &str,
    ) -> Result<Option<Deployment>, ClusterError> {
        let deployments = self.deployments(network);
        in_time(deployments.get_opt(service)).await
    }

    /// A text of a ConfigMap in the target's namespace.
    async fn text(
        &self,
        target: NetworkId,
        map: &str,
        key: &str,
    ) -> Result<Known<String>, ClusterError> {
        let namespace = self.settings.namespace(target);
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), &namespace);
        let found = match in_time(maps.get_opt(map)).await {
            Ok(found) => found,
            Err(ClusterError::Refused(why)) => return Ok(Err(format!("ConfigMap {map}: {why}"))),
            Err(error) => return Err(error),
        };
        let Some(found) = found else {
            return Ok(Err(format!("there is no ConfigMap {map} in {namespace}")));
        };
        let text = found.data.and_then(|mut data| data.remove(key));
        Ok(text.ok_or_else(|| format!("ConfigMap {map} in {namespace} has no key {key}")))
    }
}

/// What the API server answers in time.
async fn in_time<T>(
    asked: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ClusterError> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answered) => answered.map_err(|error| fault(&error)),
        Err(_) => Err(ClusterError::Away(format!("not within {} s", PATIENCE.as_secs()))),
    }
}

fn fault(error: &kube::Error) -> ClusterError {
    match error {
        kube::Error::Api(status) if status.code < 500 && status.code != 429 => {
            ClusterError::Refused(format!("{} {}", status.code, status.message))
        }
        kube::Error::Api(status) => {
            ClusterError::Away(format!("{} {}", status.code, status.message))
        }
        other => ClusterError::Away(with_causes(other)),
    }
}

impl Cluster for KubeCluster {
    async fn workload(
        &self,
        network: NetworkId,
        service: &str,
    ) -> Result<Option<Workload>, ClusterError> {
        let found = self.deployment(network, service).await?;
        Ok(found.as_ref().and_then(reading::workload))
    }

    async fn pods(&self, network: NetworkId, service: &str) -> Result<Vec<PodFacts>, ClusterError> {
        let Some(deployment) = self.deployment(network, service).await? else {
            return Ok(Vec::new());
        };
        let Some(selector) = reading::selector(&deployment) else {
            let why = format!("{service} selects its pods by more than labels");
            return Err(ClusterError::Refused(why));
        };
        let namespace = self.settings.namespace(network);
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &namespace);
        let found = in_time(pods.list(&ListParams::default().labels(&selector))).await?;
        Ok(found.items.iter().map(reading::pod).collect())
    }

    async fn nodes(&self) -> Result<Vec<NodeFacts>, ClusterError> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let found = in_time(nodes.list(&ListParams::default())).await?;
        Ok(found.items.iter().map(reading::node).collect())
    }

    async fn build(&self, target: NetworkId, digest: &str) -> Result<Known<Build>, ClusterError> {
        // Keys of a ConfigMap have no colon.
        let key = digest.replace(':', "-");
        let text = self.text(target, &self.settings.builds, &key).await?;
        let read = |text: String| {
            let unread = |error| format!("the record {key} cannot be read: {error}");
            serde_json::from_str(&text).map_err(unread)
        };
        Ok(text.and_then(read))
    }

    async fn last_backup(&self, target: NetworkId) -> Result<Known<TimeMs>, ClusterError> {
        let map = &self.settings.backups;
        if map.is_empty() {
            let missing = "nothing says when the last backup was: promotion.backups is not set";
            return Ok(Err(missing.to_owned()));
        }
        let text = self.text(target, map, FINISHED_AT).await?;
        let read = |text: String| {
            let at = text.trim().parse::<jiff::Timestamp>();
            let unread = |_| format!("{FINISHED_AT} of ConfigMap {map} is no time");
            at.map(|at| TimeMs(at.as_millisecond())).map_err(unread)
        };
        Ok(text.and_then(read))
    }

    async fn peers(&self, target: NetworkId) -> Result<Known<u32>, ClusterError> {
        let namespace = self.settings.fabric_namespace(target);
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &namespace);
        let params = ListParams::default().labels(&self.settings.fabric_selector);
        match in_time(pods.list(&params)).await {
            Ok(found) => {
                let pods = found.items.iter().map(reading::pod);
                let serving = pods.filter(|pod| pod.ready_since.is_some() && !pod.is_leaving);
                Ok(Ok(u32::try_from(serving.count()).unwrap_or(u32::MAX)))
            }
            Err(ClusterError::Refused(why)) => Ok(Err(why)),
            Err(error) => Err(error),
        }
    }

    async fn error_budget(&self, target: NetworkId) -> Result<Known<f64>, ClusterError> {
        Ok(match &self.budget {
            Some(budget) => budget.left(&self.settings.namespace(target)).await,
            None => Err("nobody counts failures: promotion.prometheus is not set".to_owned()),
        })
    }

    async fn change(
        &self,
        network: NetworkId,
        service: &str,
        change: &Change,
    ) -> Result<(), ClusterError> {
        let deployments = self.deployments(network);
        let patch = Patch::Strategic(patch(change));
        let params = PatchParams::apply(MANAGER);
        in_time(deployments.patch(service, &params, &patch)).await.map(drop)
    }
}

/// The change as a strategic merge patch: containers are found by their names.
fn patch(change: &Change) -> Value {
    let images = |is_first: bool| -> Vec<Value> {
        let own = change.images.iter().filter(|(container, _)| container.is_first == is_first);
        own.map(|(container, image)| json!({ "name": container.name, "image": image })).collect()
    };
    let mut spec = Map::new();
    if let Some(seconds) = change.min_ready_seconds {
        spec.insert("minReadySeconds".to_owned(), json!(seconds));
    }
    if let Some(is_paused) = change.is_paused {
        spec.insert("paused".to_owned(), json!(is_paused));
    }
    let mut pods = Map::new();
    for (key, images) in [("initContainers", images(true)), ("containers", images(false))] {
        if !images.is_empty() {
            pods.insert(key.to_owned(), json!(images));
        }
    }
    if !pods.is_empty() {
        spec.insert("template".to_owned(), json!({ "spec": pods }));
    }
    json!({ "metadata": { "annotations": { MARK: change.mark } }, "spec": spec })
}

#[cfg(test)]
mod tests {
    use gx_engine::Container;

    use super::*;

    #[test]
    fn a_patch_says_what_changes_and_nothing_else() {
        let only = Change { is_paused: Some(true), mark: "d1".to_owned(), ..Change::default() };
        let marked = json!({ "annotations": { MARK: "d1" } });
        assert_eq!(patch(&only), json!({ "metadata": marked, "spec": { "paused": true } }));
        let container = |name: &str, is_first| {
            let (name, image) = (name.to_owned(), "old".to_owned());
            (Container { name, image, is_first }, "new".to_owned())
        };
        let both = Change {
            images: vec![container("migrate", true), container("gx", false)],
            min_ready_seconds: Some(7),
            ..only
        };
        let spec = &patch(&both)["spec"];
        assert_eq!(spec["minReadySeconds"], 7);
        let pods = json!({
            "containers": [{ "name": "gx", "image": "new" }],
            "initContainers": [{ "name": "migrate", "image": "new" }],
        });
        assert_eq!(spec["template"]["spec"], pods);
    }
}
