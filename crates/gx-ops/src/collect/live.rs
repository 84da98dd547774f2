//! A live API server: everything is asked for with GET, page by page, and nothing is changed.

use kube::api::ListParams;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{Objects, Origin, Redactor};
use crate::facts::{Known, Snapshot, Time};

/// A cluster that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error("the kubeconfig cannot be used")]
    Config(#[source] Box<kube::config::KubeconfigError>),
    #[error("no client can be made for this cluster")]
    Client(#[source] Box<kube::Error>),
    #[error("the API server does not answer")]
    Unreachable(#[source] Box<kube::Error>),
}

/// Objects of one answer; the rest is asked for afterwards.
const PAGE: u32 = 500;

/// Where each kind is listed.
const PATHS: [(&str, &str); 37] = [
    ("Node", "/api/v1/nodes"),
    ("NodeMetrics", "/apis/metrics.k8s.io/v1beta1/nodes"),
    ("Pod", "/api/v1/pods"),
    ("Deployment", "/apis/apps/v1/deployments"),
    ("StatefulSet", "/apis/apps/v1/statefulsets"),
    ("DaemonSet", "/apis/apps/v1/daemonsets"),
    ("ReplicaSet", "/apis/apps/v1/replicasets"),
    ("Job", "/apis/batch/v1/jobs"),
    ("CronJob", "/apis/batch/v1/cronjobs"),
    ("Service", "/api/v1/services"),
    ("EndpointSlice", "/apis/discovery.k8s.io/v1/endpointslices"),
    ("Endpoints", "/api/v1/endpoints"),
    ("NetworkPolicy", "/apis/networking.k8s.io/v1/networkpolicies"),
    ("Ingress", "/apis/networking.k8s.io/v1/ingresses"),
    ("PersistentVolumeClaim", "/api/v1/persistentvolumeclaims"),
    ("PersistentVolume", "/api/v1/persistentvolumes"),
    ("StorageClass", "/apis/storage.k8s.io/v1/storageclasses"),
    ("Volume", "/apis/longhorn.io/v1beta2/volumes"),
    ("Replica", "/apis/longhorn.io/v1beta2/replicas"),
    ("PodDisruptionBudget", "/apis/policy/v1/poddisruptionbudgets"),
    ("HorizontalPodAutoscaler", "/apis/autoscaling/v2/horizontalpodautoscalers"),
    ("ResourceQuota", "/api/v1/resourcequotas"),
    ("LimitRange", "/api/v1/limitranges"),
    ("Namespace", "/api/v1/namespaces"),
    ("PriorityClass", "/apis/scheduling.k8s.io/v1/priorityclasses"),
    ("Secret", "/api/v1/secrets"),
    ("ConfigMap", "/api/v1/configmaps"),
    ("ServiceAccount", "/api/v1/serviceaccounts"),
    ("Role", "/apis/rbac.authorization.k8s.io/v1/roles"),
    ("ClusterRole", "/apis/rbac.authorization.k8s.io/v1/clusterroles"),
    ("RoleBinding", "/apis/rbac.authorization.k8s.io/v1/rolebindings"),
    ("ClusterRoleBinding", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"),
    ("CustomResourceDefinition", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
    ("Certificate", "/apis/cert-manager.io/v1/certificates"),
    ("Issuer", "/apis/cert-manager.io/v1/issuers"),
    ("ClusterIssuer", "/apis/cert-manager.io/v1/clusterissuers"),
    ("Event", "/api/v1/events"),
];

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default)]
    items: Vec<Json>,
}

#[derive(Debug, Default, Deserialize)]
struct PageMeta {
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// A client of the cluster that the kubeconfig of the environment, or the service account of the
/// pod, leads to, with the cluster's address.
///
/// # Errors
/// When there is no usable configuration.
pub async fn connect(context: Option<String>) -> Result<(kube::Client, String), LiveError> {
    let config = match context {
        None => kube::Config::infer()
            .await
            .map_err(|e| LiveError::Client(Box::new(kube::Error::InferConfig(e))))?,
        Some(context) => {
            let options =
                kube::config::KubeConfigOptions { context: Some(context), ..Default::default() };
            let config = kube::Config::from_kubeconfig(&options).await;
            config.map_err(|e| LiveError::Config(Box::new(e)))?
        }
    };
    let from = config.cluster_url.to_string();
    let client = kube::Client::try_from(config).map_err(|e| LiveError::Client(Box::new(e)))?;
    Ok((client, from))
}

/// Collects the objects that the client may see. What it may not see is missing, with the server's
/// reason.
///
/// # Errors
/// When the server does not answer at all.
pub async fn collect_live(
    client: kube::Client,
    from: &str,
    at: Time,
    redactor: Redactor,
) -> Result<Snapshot, LiveError> {
    let version = client.apiserver_version().await;
    let version = version.map_err(|e| LiveError::Unreachable(Box::new(e)))?;
    let mut objects = Objects::default();
    for (kind, path) in PATHS {
        match list(&client, path).await {
            Ok(items) => objects.add_whole(kind, items),
            // How much nodes use is not nothing because nobody measures it.
            Err(Refusal::NoSuchKind) if kind == "NodeMetrics" => {}
            Err(Refusal::NoSuchKind) => objects.add_whole(kind, Vec::new()),
            Err(Refusal::Other(why)) => objects.refuse(kind, &format!("the API server {why}")),
        }
    }
    let origin = Origin { from: from.to_owned(), at };
    let mut snapshot = objects.into_snapshot(&origin, redactor);
    snapshot.api_version = Known::Known(version.git_version);
    Ok(snapshot)
}

/// All objects of a path, or why there are none to be had.
async fn list(client: &kube::Client, path: &str) -> Result<Vec<Json>, Refusal> {
    let mut items = Vec::new();
    let mut asked = ListParams::default().limit(PAGE);
    loop {
        let request = kube::core::Request::new(path).list(&asked);
        let request = request.map_err(|_| Refusal::Other("its path cannot be asked".to_owned()))?;
        let page: Page = client.request(request).await.map_err(|error| Refusal::of(&error))?;
        items.extend(page.items);
        match page.metadata.next.filter(|next| !next.is_empty()) {
            None => return Ok(items),
            Some(next) => asked = ListParams::default().limit(PAGE).continue_token(&next),
        }
    }
}

/// Why an API server has not given a list.
enum Refusal {
    /// It does not know the kind, so there is nothing of it.
    NoSuchKind,
    Other(String),
}

impl Refusal {
    fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 404 => Self::NoSuchKind,
            kube::Error::Api(status) => {
                Self::Other(format!("answered {} {}", status.code, status.reason))
            }
            _ => Self::Other("gave no answer that can be read".to_owned()),
        }
    }
}
