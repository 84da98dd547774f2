//! A stand-in for an API server, in the process of the test: objects by their paths, with versions,
//! UIDs, preconditions, budgets, and controllers that make pods and find them nodes at once.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};

/// Everything that is there, and what was asked to be changed, in order.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<String, Value>,
    pub(crate) changes: Vec<String>,
    /// Evictions that budgets refuse before they allow one.
    pub(crate) denials: u32,
    made: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct StandIn(pub(crate) Arc<Mutex<State>>);

/// Where objects of a kind stand.
fn folder(kind: &str, namespace: &str) -> String {
    let (group, plural) = match kind {
        "Deployment" => ("/apis/apps/v1", "deployments"),
        "PodDisruptionBudget" => ("/apis/policy/v1", "poddisruptionbudgets"),
        "Node" => ("/api/v1", "nodes"),
        "Namespace" => ("/api/v1", "namespaces"),
        "Pod" => ("/api/v1", "pods"),
        "Service" => ("/api/v1", "services"),
        "Secret" => ("/api/v1", "secrets"),
        other => panic!("no {other} here"),
    };
    match namespace {
        "" => format!("{group}/{plural}"),
        namespace => format!("{group}/namespaces/{namespace}/{plural}"),
    }
}

/// Kinds that it knows besides those that it has some of.
const EMPTY: [&str; 11] = [
    "/apis/apps/v1/statefulsets",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/replicasets",
    "/apis/batch/v1/jobs",
    "/apis/batch/v1/cronjobs",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
    "/apis/networking.k8s.io/v1/ingresses",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/api/v1/persistentvolumeclaims",
    "/api/v1/persistentvolumes",
    "/api/v1/configmaps",
];

impl State {
    pub(crate) fn add(&mut self, mut object: Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        let namespace = text(&object["metadata"]["namespace"]);
        self.made += 1;
        object["metadata"]["uid"] = json!(format!("uid-{}", self.made));
        object["metadata"]["resourceVersion"] = json!(self.made.to_string());
        if kind == "Deployment" {
            object["metadata"]["generation"] = json!(1);
        }
        let path = format!("{}/{name}", folder(&kind, &namespace));
        self.objects.insert(path, object);
    }

    fn of_kind(&self, kind: &str) -> Vec<Value> {
        let all = self.objects.values();
        all.filter(|one| one["kind"] == kind).cloned().collect()
    }

    /// What controllers, the scheduler and kubelets do, all at once.
    pub(crate) fn settle(&mut self) {
        for deployment in self.of_kind("Deployment") {
            let meta = &deployment["metadata"];
            let (name, namespace) = (meta["name"].as_str().unwrap(), &meta["namespace"]);
            let wanted = usize::try_from(deployment["spec"]["replicas"].as_u64().unwrap()).unwrap();
            let own = |one: &Value| {
                one["kind"] == "Pod" && one["metadata"]["ownerReferences"][0]["uid"] == meta["uid"]
            };
            let pods = |state: &Self| -> Vec<String> {
                let all = state.objects.iter().filter(|(_, one)| own(one));
                all.map(|(path, _)| path.clone()).collect()
            };
            for path in pods(self).iter().skip(wanted) {
                self.objects.remove(path);
            }
            while pods(self).len() < wanted {
                let node = self.freest();
                let pod = json!({
                    "kind": "Pod", "apiVersion": "v1",
                    "metadata": {"namespace": namespace, "name": format!("{name}-{}", self.made),
                        "labels": deployment["spec"]["template"]["metadata"]["labels"],
                        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment",
                            "name": name, "uid": meta["uid"], "controller": true}]},
                    "spec": {"nodeName": node, "containers": [{"name": "main", "image": "i"}]},
                    "status": {"phase": "Running", "conditions": [{"type": "Ready",
                        "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
                });
                self.add(pod);
            }
        }
    }

    /// The open node with the fewest pods.
    fn freest(&self) -> String {
        let nodes = self.of_kind("Node");
        let open = nodes.iter().filter(|node| node["spec"]["unschedulable"] != true);
        let pods = self.of_kind("Pod");
        let names = open.map(|node| node["metadata"]["name"].as_str().unwrap().to_owned());
        let count =
            |name: &String| pods.iter().filter(|pod| pod["spec"]["nodeName"] == **name).count();
        names.min_by_key(|name| (count(name), name.clone())).unwrap()
    }

    fn answer(&mut self, method: &Method, path: &str, body: &Value) -> (u16, Value) {
        if path == "/version" {
            let fields = [
                "major",
                "minor",
                "gitVersion",
                "gitCommit",
                "gitTreeState",
                "buildDate",
                "goVersion",
                "compiler",
                "platform",
            ];
            return (200, fields.iter().map(|one| ((*one).to_owned(), json!("1"))).collect());
        }
        if method != Method::GET {
            self.changes.push(format!("{method} {path}"));
        }
        let answer = match *method {
            Method::GET => return self.read(path),
            Method::PATCH => self.patch(path, body),
            Method::DELETE => self.delete(path, &body["preconditions"]["uid"]),
            Method::POST => match path.strip_suffix("/eviction") {
                Some(pod) => self.evict(pod, &body["deleteOptions"]["preconditions"]["uid"]),
                None => {
                    self.add(body.clone());
                    (201, body.clone())
                }
            },
            _ => (405, json!({})),
        };
        self.settle();
        answer
    }

    fn read(&self, path: &str) -> (u16, Value) {
        if let Some(object) = self.objects.get(path) {
            return (200, object.clone());
        }
        let (group, plural) = path.rsplit_once('/').unwrap();
        let is_of = |key: &&String| {
            let (folder, _) = key.rsplit_once('/').unwrap();
            folder.starts_with(group) && folder.ends_with(&format!("/{plural}"))
        };
        let items: Vec<Value> =
            self.objects.iter().filter(|(key, _)| is_of(key)).map(|(_, one)| one.clone()).collect();
        match items.is_empty() && !EMPTY.contains(&path) && plural != "secrets" {
            true if path.starts_with("/api/v1/") && path.split('/').count() == 4 => {
                (200, json!({"kind": "List", "metadata": {}, "items": []}))
            }
            true if plural == "poddisruptionbudgets" => {
                (200, json!({"kind": "List", "metadata": {}, "items": []}))
            }
            true => refusal(404, "NotFound"),
            false => (200, json!({"kind": "List", "metadata": {}, "items": items})),
        }
    }

    fn patch(&mut self, path: &str, body: &Value) -> (u16, Value) {
        self.made += 1;
        let version = self.made.to_string();
        let Some(object) = self.objects.get_mut(path) else { return refusal(404, "NotFound") };
        if body["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
            return refusal(409, "Conflict");
        }
        merge(object, body);
        object["metadata"]["resourceVersion"] = json!(version);
        if let Some(generation) = object["metadata"]["generation"].as_i64() {
            object["metadata"]["generation"] = json!(generation + 1);
        }
        (200, object.clone())
    }

    fn delete(&mut self, path: &str, uid: &Value) -> (u16, Value) {
        match self.objects.get(path) {
            None => refusal(404, "NotFound"),
            Some(object) if object["metadata"]["uid"] != *uid => refusal(409, "Conflict"),
            Some(_) => (200, self.objects.remove(path).unwrap()),
        }
    }

    fn evict(&mut self, path: &str, uid: &Value) -> (u16, Value) {
        if self.denials > 0 {
            self.denials -= 1;
            return refusal(429, "TooManyRequests");
        }
        self.delete(path, uid)
    }
}

fn refusal(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": reason, "reason": reason, "code": code});
    (code, status)
}

/// A merge patch: nothing takes away.
fn merge(object: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else { return *object = patch.clone() };
    if !object.is_object() {
        *object = json!({});
    }
    for (key, value) in patch {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(key)),
            value => merge(&mut object[key], value),
        }
    }
}

impl tower_service::Service<Request<Body>> for StandIn {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let state = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect_bytes().await.unwrap();
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            let (code, answer) =
                state.lock().unwrap().answer(&parts.method, parts.uri.path(), &body);
            let status = StatusCode::from_u16(code).unwrap();
            let text = serde_json::to_vec(&answer).unwrap();
            let made: Ready<Response<Body>> =
                ready(Response::builder().status(status).body(Body::from(text)).unwrap());
            Ok(made.await)
        })
    }
}

impl StandIn {
    pub(crate) fn client(&self) -> kube::Client {
        kube::Client::new(self.clone(), "default")
    }

    pub(crate) fn changes(&self) -> Vec<String> {
        self.0.lock().unwrap().changes.clone()
    }
}
