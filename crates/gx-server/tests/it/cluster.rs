//! A Kubernetes API server as small as promotion needs one, with the controller that replaces pods,
//! and Prometheus beside it. It plays no more than is asked, and keeps what it was asked to change.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use gx_server::Workers;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::server::Server;

/// The token that the kubeconfig gives.
const TOKEN: &str = "made-up-token";

const REPLICAS: usize = 2;

/// What the platform's own roll-outs have; longer is a promotion's.
const MIN_READY: u64 = 0;

pub(crate) fn image(digit: &str) -> String {
    format!("registry.example.org/gx@sha256:{}", digit.repeat(64))
}

/// A Deployment and its pods.
#[derive(Debug, Clone)]
struct Work {
    image: String,
    generation: u64,
    paused: bool,
    min_ready: u64,
    /// The image of each pod.
    pods: Vec<String>,
    annotations: BTreeMap<String, String>,
}

impl Work {
    fn new(image: &str) -> Self {
        Self {
            image: image.to_owned(),
            generation: 1,
            paused: false,
            min_ready: MIN_READY,
            pods: vec![image.to_owned(); REPLICAS],
            annotations: BTreeMap::new(),
        }
    }

    fn updated(&self) -> usize {
        self.pods.iter().filter(|image| **image == self.image).count()
    }

    /// What the controller does next: a new pod first, the others once that has been available.
    fn reconcile(&mut self) {
        if self.paused || (self.updated() == REPLICAS && self.pods.len() == REPLICAS) {
            return;
        }
        if self.min_ready == MIN_READY {
            self.pods = vec![self.image.clone(); REPLICAS];
        } else if self.updated() == 0 {
            self.pods.push(self.image.clone());
        }
    }
}

/// What there is, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Facts {
    works: HashMap<(String, String), Work>,
    /// Texts of ConfigMaps in the target's namespace, by map and key.
    pub(crate) maps: BTreeMap<String, BTreeMap<String, String>>,
    /// Images on the one node.
    pub(crate) images: Vec<String>,
    /// What Prometheus says is left of the budget; nothing when it has no figures.
    pub(crate) budget: Option<&'static str>,
    /// How often pods of the image `a` were started again.
    pub(crate) restarts: u32,
    /// Whether pods of the image `a` become ready.
    pub(crate) ready: bool,
    pub(crate) is_away: bool,
    /// Namespace and name of what was changed.
    pub(crate) changed: Vec<(String, String)>,
}

impl Facts {
    fn is_ready(&self, pod: &str) -> bool {
        self.ready || pod != image("a")
    }

    fn deployment(&mut self, namespace: &str, name: &str) -> Option<Value> {
        let work = self.works.get_mut(&(namespace.to_owned(), name.to_owned()))?;
        work.reconcile();
        let work = work.clone();
        let ready = work.pods.iter().filter(|pod| self.is_ready(pod)).count();
        let probe = json!({ "httpGet": { "path": "/readyz", "port": 3000 } });
        Some(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": name, "namespace": namespace, "generation": work.generation,
                "annotations": work.annotations,
            },
            "spec": {
                "replicas": REPLICAS, "paused": work.paused, "minReadySeconds": work.min_ready,
                "selector": { "matchLabels": { "app.kubernetes.io/name": name } },
                "strategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 },
                },
                "template": { "spec": { "containers": [
                    { "name": "gx", "image": work.image, "readinessProbe": probe },
                ] } },
            },
            "status": {
                "observedGeneration": work.generation, "replicas": work.pods.len(),
                "readyReplicas": ready, "availableReplicas": ready,
                "updatedReplicas": work.updated(),
            },
        }))
    }

    fn pods(&self, namespace: &str, name: &str) -> Vec<Value> {
        let Some(work) = self.works.get(&(namespace.to_owned(), name.to_owned())) else {
            return Vec::new();
        };
        let pod = |(number, own): (usize, &String)| {
            let restarts = if *own == image("a") { self.restarts } else { 0 };
            let ready = if self.is_ready(own) { "True" } else { "False" };
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": format!("{name}-{number}"), "namespace": namespace },
                "spec": { "containers": [{ "name": "gx", "image": own }] },
                "status": {
                    "phase": "Running",
                    "conditions": [{
                        "type": "Ready", "status": ready,
                        "lastTransitionTime": "2020-01-01T00:00:00Z",
                    }],
                    "containerStatuses": [{
                        "name": "gx", "image": own, "imageID": "", "ready": ready == "True",
                        "restartCount": restarts,
                    }],
                },
            })
        };
        work.pods.iter().enumerate().map(pod).collect()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    address: SocketAddr,
    facts: Arc<Mutex<Facts>>,
    folder: Arc<TempDir>,
}

/// The workloads that the tests promote.
const SERVICES: [&str; 9] = [
    "svc-identity",
    "svc-admin",
    "svc-tokenomics",
    "svc-organization",
    "svc-loanpool",
    "svc-governance",
    "svc-tax",
    "outbox-submitter",
    "projector",
];

/// The record of a build that may go on.
pub(crate) fn record(version: u32) -> Value {
    json!({
        "gitCommit": "0123456789abcdef", "tests": { "passed": 900, "failed": 0 },
        "schema": { "version": version, "worksFrom": version - 1, "keeps": version - 1 },
        "criticalFindings": 0,
    })
}

fn key(digit: &str) -> String {
    format!("sha256-{}", digit.repeat(64))
}

impl Cluster {
    /// Devnet runs the image `a`, testnet `b`, and nothing stands in the way.
    pub(crate) async fn start() -> Self {
        let mut works = HashMap::new();
        for (namespace, image) in [("backend-devnet", image("a")), ("backend-testnet", image("b"))]
        {
            for service in SERVICES {
                works.insert((namespace.to_owned(), service.to_owned()), Work::new(&image));
            }
        }
        let builds = BTreeMap::from([
            (key("a"), record(24).to_string()),
            (key("b"), record(23).to_string()),
        ]);
        let now = jiff::Timestamp::now().to_string();
        let backups = BTreeMap::from([("finished-at".to_owned(), now)]);
        let facts = Facts {
            works,
            maps: BTreeMap::from([
                ("gx-builds".to_owned(), builds),
                ("gx-backups".to_owned(), backups),
            ]),
            images: vec![image("a"), image("b")],
            budget: Some("0.5"),
            restarts: 0,
            ready: true,
            is_away: false,
            changed: Vec::new(),
        };
        let facts = Arc::new(Mutex::new(facts));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route(
                "/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
                get(deployment).patch(patch),
            )
            .route("/api/v1/namespaces/{namespace}/pods", get(pods))
            .route("/api/v1/namespaces/{namespace}/configmaps/{name}", get(config_map))
            .route("/api/v1/nodes", get(nodes))
            .route("/api/v1/query", get(query))
            .with_state(facts.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let cluster = Self { address, facts, folder };
        std::fs::write(cluster.kubeconfig(), cluster.access().to_string()).unwrap();
        cluster
    }

    fn kubeconfig(&self) -> std::path::PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The content of a kubeconfig, which may be JSON.
    fn access(&self) -> Value {
        let pair = KeyPair::generate().unwrap();
        let authority = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let authority = BASE64.encode(authority.self_signed(&pair).unwrap().pem());
        let server = format!("http://{}", self.address);
        let cluster = json!({ "server": server, "certificate-authority-data": authority });
        let context = json!({ "cluster": "tests", "user": "promoter" });
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "tests",
            "clusters": [{ "name": "tests", "cluster": cluster }],
            "users": [{ "name": "promoter", "user": { "token": TOKEN } }],
            "contexts": [{ "name": "tests", "context": context }],
        })
    }

    /// A server that promotes to testnet on it.
    pub(crate) async fn server(&self, settings: &[(&str, &str)]) -> Server {
        let kubeconfig = self.kubeconfig().display().to_string();
        let prometheus = format!("http://{}", self.address);
        let mut all = vec![
            ("promotion.target", "testnet"),
            ("promotion.kubeconfig", kubeconfig.as_str()),
            ("promotion.prometheus", prometheus.as_str()),
            ("promotion.backups", "gx-backups"),
            ("promotion.look_ms", "20"),
            ("promotion.canary_seconds", "1"),
            ("promotion.watch_seconds", "1"),
            ("promotion.step_max_seconds", "3"),
        ];
        all.extend(settings);
        Server::start_with(&all, Workers::ALL).await
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts.lock().unwrap());
    }

    /// The image that testnet's workload is to run, and those that its pods run.
    pub(crate) fn testnet(&self, service: &str) -> (String, Vec<String>) {
        let facts = self.facts.lock().unwrap();
        let work = &facts.works[&("backend-testnet".to_owned(), service.to_owned())];
        (work.image.clone(), work.pods.clone())
    }

    /// Has a service of devnet run another image, or be away.
    pub(crate) fn devnet(&self, service: &str, image: Option<&str>) {
        let place = ("backend-devnet".to_owned(), service.to_owned());
        self.set(|facts| match image {
            Some(image) => drop(facts.works.insert(place, Work::new(image))),
            None => drop(facts.works.remove(&place)),
        });
    }

    pub(crate) fn changed(&self) -> Vec<(String, String)> {
        self.facts.lock().unwrap().changed.clone()
    }

    /// Another record of a build.
    pub(crate) fn set_record(&self, digit: &str, record: Option<Value>) {
        self.set(|facts| {
            let builds = facts.maps.get_mut("gx-builds").unwrap();
            match record {
                Some(record) => drop(builds.insert(key(digit), record.to_string())),
                None => drop(builds.remove(&key(digit))),
            }
        });
    }
}

type Shared = State<Arc<Mutex<Facts>>>;

/// A refusal as the API server writes it.
fn refused(status: StatusCode, reason: &str) -> Response {
    let body = json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "message": reason, "reason": reason, "code": status.as_u16(),
    });
    (status, Json(body)).into_response()
}

fn found(object: Option<Value>) -> Response {
    match object {
        Some(object) => Json(object).into_response(),
        None => refused(StatusCode::NOT_FOUND, "NotFound"),
    }
}

fn listed(kind: &str, items: Vec<Value>) -> Response {
    let list = json!({ "apiVersion": "v1", "kind": kind, "metadata": {}, "items": items });
    Json(list).into_response()
}

async fn deployment(
    State(facts): Shared,
    Path((namespace, name)): Path<(String, String)>,
) -> Response {
    let mut facts = facts.lock().unwrap();
    if facts.is_away {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    }
    found(facts.deployment(&namespace, &name))
}

async fn patch(
    State(facts): Shared,
    Path((namespace, name)): Path<(String, String)>,
    body: String,
) -> Response {
    let mut facts = facts.lock().unwrap();
    // What the promoter's account may change.
    if namespace != "backend-testnet" {
        return refused(StatusCode::FORBIDDEN, "Forbidden");
    }
    let patch: Value = serde_json::from_str(&body).unwrap();
    facts.changed.push((namespace.clone(), name.clone()));
    let Some(work) = facts.works.get_mut(&(namespace.clone(), name.clone())) else {
        return found(None);
    };
    let spec = &patch["spec"];
    if let Some(paused) = spec["paused"].as_bool() {
        work.paused = paused;
    }
    if let Some(seconds) = spec["minReadySeconds"].as_u64() {
        work.min_ready = seconds;
    }
    let containers = spec["template"]["spec"]["containers"].as_array();
    for container in containers.into_iter().flatten() {
        assert_eq!(container["name"], "gx");
        work.image = container["image"].as_str().unwrap().to_owned();
        // Pods of the form before it are what there is again.
        if work.updated() == REPLICAS {
            work.pods = vec![work.image.clone(); REPLICAS];
        }
    }
    for (key, value) in patch["metadata"]["annotations"].as_object().into_iter().flatten() {
        work.annotations.insert(key.clone(), value.as_str().unwrap().to_owned());
    }
    work.generation += 1;
    found(facts.deployment(&namespace, &name))
}

async fn pods(
    State(facts): Shared,
    Path(namespace): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let selector = query.get("labelSelector").cloned().unwrap_or_default();
    let name = selector.rsplit('=').next().unwrap_or_default();
    listed("PodList", facts.lock().unwrap().pods(&namespace, name))
}

async fn nodes(State(facts): Shared) -> Response {
    let names = facts.lock().unwrap().images.clone();
    let node = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": "node-1" }, "spec": {},
        "status": {
            "conditions": [{ "type": "Ready", "status": "True" }],
            "images": names.iter().map(|name| json!({ "names": [name] })).collect::<Vec<_>>(),
        },
    });
    listed("NodeList", vec![node])
}

async fn config_map(
    State(facts): Shared,
    Path((namespace, name)): Path<(String, String)>,
) -> Response {
    let data = facts.lock().unwrap().maps.get(&name).cloned();
    found(data.map(|data| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": name, "namespace": namespace }, "data": data,
        })
    }))
}

async fn query(State(facts): Shared, Query(asked): Query<HashMap<String, String>>) -> Response {
    assert!(asked["query"].contains("backend-testnet"), "{asked:?}");
    let budget = facts.lock().unwrap().budget;
    let result: Vec<Value> =
        budget.iter().map(|left| json!({ "metric": {}, "value": [1.5, left] })).collect();
    let data = json!({ "resultType": "vector", "result": result });
    Json(json!({ "status": "success", "data": data })).into_response()
}
