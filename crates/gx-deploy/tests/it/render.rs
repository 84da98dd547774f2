//! Networks as `kubectl kustomize` renders them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use gx_deploy::yaml;
use serde_json::Value;

pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Whether there is a kubectl; a visible line when there is none.
pub(crate) fn has_kubectl(test: &str) -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    let there = *THERE.get_or_init(|| {
        Command::new("kubectl")
            .args(["version", "--client"])
            .output()
            .is_ok_and(|run| run.status.success())
    });
    if !there {
        println!("{test}: not run, there is no kubectl");
    }
    there
}

pub(crate) fn kustomize(folder: &str) -> Vec<Value> {
    static RENDERED: Mutex<BTreeMap<String, Vec<Value>>> = Mutex::new(BTreeMap::new());
    let mut rendered = RENDERED.lock().unwrap_or_else(PoisonError::into_inner);
    let render = || {
        let path = repository().join("deploy/kubernetes").join(folder);
        let run = Command::new("kubectl").arg("kustomize").arg(path).output().unwrap();
        let (out, err) = (String::from_utf8(run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{folder}: {err}");
        assert_eq!(err, "", "{folder}");
        yaml::read(&out.unwrap()).unwrap()
    };
    rendered.entry(folder.to_owned()).or_insert_with(render).clone()
}

/// The objects in a file of the components.
pub(crate) fn component(file: &str) -> Vec<Value> {
    let path = repository().join("deploy/kubernetes/components").join(file);
    yaml::read(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The field at keys with a slash between them.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    value.pointer(&format!("/{path}")).unwrap_or(&Value::Null)
}

pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

pub(crate) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn named(object: &Value) -> (&str, &str, &str) {
    let metadata = at(object, "metadata");
    (text(object, "kind"), text(metadata, "namespace"), text(metadata, "name"))
}

/// A template of pods, and how many there will be of it.
#[derive(Debug, Clone)]
pub(crate) struct Pods {
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) owner: String,
    pub(crate) replicas: u64,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) spec: Value,
}

pub(crate) fn labels(value: &Value) -> BTreeMap<String, String> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// All templates of a network, those of the operator's database as the operator makes them.
pub(crate) fn pods(objects: &[Value]) -> Vec<Pods> {
    let mut found = Vec::new();
    for object in objects {
        let (kind, namespace, owner) = named(object);
        let template = at(object, "spec/template");
        let mut replicas = at(object, "spec/replicas").as_u64().unwrap_or(1);
        for scaler in objects.iter().filter(|one| text(one, "kind") == "HorizontalPodAutoscaler") {
            if text(scaler, "spec/scaleTargetRef/name") == owner && named(scaler).1 == namespace {
                replicas = at(scaler, "spec/minReplicas").as_u64().unwrap();
            }
        }
        let (labels_at, spec) = match kind {
            "Deployment" | "StatefulSet" | "Job" => {
                (at(template, "metadata/labels"), at(template, "spec"))
            }
            "Cluster" => {
                replicas = at(object, "spec/instances").as_u64().unwrap();
                (at(object, "spec/inheritedMetadata/labels"), &Value::Null)
            }
            _ => continue,
        };
        found.push(Pods {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            owner: owner.to_owned(),
            replicas,
            labels: labels(labels_at),
            spec: spec.clone(),
        });
    }
    found
}

pub(crate) fn matches(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    assert!(selector.get("matchExpressions").is_none(), "not used here: {selector}");
    let wanted = at(selector, "matchLabels").as_object().into_iter().flatten();
    wanted.into_iter().all(|(key, value)| labels.get(key).map(String::as_str) == value.as_str())
}
