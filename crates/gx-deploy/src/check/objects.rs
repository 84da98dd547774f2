//! The objects of a rendered tree, and where each comes from.

use std::path::PathBuf;

use gx_types::{Finding, Rule};
use serde_json::Value;

/// One object, and the file that it was made in.
#[derive(Debug, Clone)]
pub struct Object {
    pub value: Value,
    pub(super) origin: String,
}

/// All objects, and the files of the overlay that they were rendered from.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    pub all: Vec<Object>,
    /// Path and text of the files that people have written.
    pub(super) written: Vec<(PathBuf, String)>,
}

/// The field at a path of keys with dots between them; keys with dots in them are not found.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    let keys = path.split('.').filter(|key| !key.is_empty());
    keys.fold(value, |value, key| match (value, key.parse::<usize>()) {
        (Value::Array(items), Ok(number)) => items.get(number).unwrap_or(&Value::Null),
        _ => value.get(key).unwrap_or(&Value::Null),
    })
}

pub(super) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// The pairs of an object of texts.
pub(super) fn pairs<'a>(value: &'a Value, path: &str) -> Vec<(&'a str, &'a str)> {
    let fields = at(value, path).as_object().into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
}

impl Object {
    pub fn kind(&self) -> &str {
        text(&self.value, "kind")
    }

    pub fn name(&self) -> &str {
        text(&self.value, "metadata.name")
    }

    /// Namespace; empty for what belongs to the whole cluster.
    pub fn namespace(&self) -> &str {
        text(&self.value, "metadata.namespace")
    }

    /// Where its template of pods is, for what makes pods.
    pub(super) fn template(&self) -> Option<&'static str> {
        match self.kind() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => Some("spec.template"),
            "CronJob" => Some("spec.jobTemplate.spec.template"),
            _ => None,
        }
    }

    pub(super) fn pod_labels(&self) -> Vec<(&str, &str)> {
        let template = self.template().unwrap_or_default();
        pairs(at(&self.value, template), "metadata.labels")
    }

    /// Pods that it makes, when it says so; an autoscaler may say otherwise.
    pub(super) fn replicas(&self) -> u64 {
        match self.kind() {
            "Job" => 1,
            "Cluster" => at(&self.value, "spec.instances").as_u64().unwrap_or(1),
            _ => at(&self.value, "spec.replicas").as_u64().unwrap_or(1),
        }
    }

    pub(super) fn is(&self, component: &str) -> bool {
        let wanted = ("app.kubernetes.io/component", component);
        self.template().is_some() && self.pod_labels().contains(&wanted)
    }
}

impl Objects {
    pub(super) fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        self.all.iter().filter(move |object| object.kind() == kind)
    }

    /// What makes pods.
    pub(super) fn workloads(&self) -> impl Iterator<Item = &Object> {
        self.all.iter().filter(|object| object.template().is_some())
    }

    /// The network that a namespace is of.
    pub(super) fn network(&self, namespace: &str) -> &str {
        let mut namespaces = self.of("Namespace").filter(|object| object.name() == namespace);
        let labels = namespaces.next().map(|found| pairs(&found.value, "metadata.labels"));
        let mut labels = labels.into_iter().flatten();
        labels.find(|(key, _)| *key == "gx-protocol/network").map_or("", |(_, name)| name)
    }

    /// A broken rule, with the file that has to be changed: the one that people have written with
    /// one of these words in it, or the one that the object comes from.
    pub(super) fn broken(
        &self,
        rule: Rule,
        object: &Object,
        field: &str,
        evidence: impl Into<String>,
        words: &[&str],
    ) -> Finding {
        let line = |word: &&str| {
            self.written.iter().find_map(|(path, text)| {
                let number = text.lines().position(|line| line.contains(*word))?;
                Some(format!("{}:{}", path.display(), number + 1))
            })
        };
        let place = words.iter().filter(|word| !word.is_empty()).find_map(line);
        let place = place.unwrap_or_else(|| object.origin.clone());
        let (kind, name) = (object.kind(), object.name());
        rule.broken(format!("{place}: {kind} {name}: {field}"), evidence)
    }
}
