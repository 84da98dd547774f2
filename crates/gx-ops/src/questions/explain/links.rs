//! What refers to what.

use std::collections::BTreeSet;

use crate::facts::{
    Env, KeyRef, Labels, Object as _, Pod, PodSpec, Service, Snapshot, Value, VolumeSource,
    Workload,
};

/// A Secret or ConfigMap that a pod refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Reference {
    pub(in super::super) kind: String,
    pub(in super::super) name: String,
    /// Empty: all of it.
    pub(in super::super) key: String,
    pub(super) optional: bool,
}

/// Every Secret and ConfigMap that a pod of this description refers to.
pub(in super::super) fn references(spec: &PodSpec) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    let mut add = |kind: &str, name: &str, key: &str, optional: bool| {
        let (kind, name, key) = (kind.to_owned(), name.to_owned(), key.to_owned());
        found.insert(Reference { kind, name, key, optional });
    };
    let key = |one: &KeyRef| (one.kind.clone(), one.name.clone(), one.key.clone(), one.optional);
    let mut keys: Vec<(String, String, String, bool)> = Vec::new();
    for container in spec.all_containers() {
        keys.extend(container.env_from.iter().map(key));
        keys.extend(container.env.iter().filter_map(|env| env.from.as_ref()).map(key));
    }
    for volume in &spec.volumes {
        match &volume.source {
            VolumeSource::Secret(files) => add("Secret", &files.name, "", files.optional),
            VolumeSource::ConfigMap(files) => add("ConfigMap", &files.name, "", files.optional),
            VolumeSource::Projected(all) => keys.extend(all.iter().map(key)),
            _ => {}
        }
    }
    for (kind, name, key, optional) in &keys {
        add(kind, name, key, *optional);
    }
    for name in &spec.pull_secrets {
        add("Secret", name, "", false);
    }
    found
}

/// Whether what is referred to exists; none when that is not known.
pub(super) fn exists(snapshot: &Snapshot, namespace: &str, one: &Reference) -> Option<bool> {
    let keys = if one.kind == "Secret" {
        let mut all = snapshot.secrets.items().iter();
        let found = all.find(|it| it.namespace == namespace && it.name == one.name);
        found.map(|found| found.data.keys().collect::<Vec<_>>())
    } else {
        let mut all = snapshot.config_maps.items().iter();
        let found = all.find(|it| it.namespace == namespace && it.name == one.name);
        found.map(|found| found.data.keys().chain(&found.binary).collect())
    };
    let is_whole = match one.kind.as_str() {
        "Secret" => snapshot.secrets.is_whole(),
        _ => snapshot.config_maps.is_whole(),
    };
    match keys {
        Some(keys) => Some(one.key.is_empty() || keys.contains(&&one.key)),
        None => is_whole.then_some(false),
    }
}

/// Host names that the settings of a pod of this description name, with the variable.
fn hosts<'a>(snapshot: &'a Snapshot, namespace: &str, spec: &'a PodSpec) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |value: &Value| match value {
        Value::Dsn(dsn) => drop(found.insert(dsn.host.clone())),
        Value::Plain(text) => {
            for word in text.split([',', ' ', ';', '"', '\'']) {
                let rest = word.split_once("://").map_or(word, |(_, rest)| rest);
                let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
                found.insert(host.to_owned());
            }
        }
        Value::Hidden(_) => {}
    };
    for container in spec.all_containers() {
        container.env.iter().filter_map(|env: &Env| env.value.as_ref()).for_each(&mut add);
    }
    for reference in references(spec) {
        let is_it = |space: &str, name: &str| space == namespace && name == reference.name;
        let wanted = |key: &str| reference.key.is_empty() || reference.key == key;
        let maps =
            snapshot.config_maps.items().iter().filter(|one| is_it(&one.namespace, &one.name));
        let secrets =
            snapshot.secrets.items().iter().filter(|one| is_it(&one.namespace, &one.name));
        let data = match reference.kind.as_str() {
            "Secret" => secrets.map(|one| &one.data).collect::<Vec<_>>(),
            _ => maps.map(|one| &one.data).collect(),
        };
        for (key, value) in data.into_iter().flatten() {
            // Files of whole programs name much that nobody calls.
            let is_short = value.plain().is_none_or(|text| text.len() < 300);
            if wanted(key) && is_short {
                add(value);
            }
        }
    }
    found.remove("");
    found
}

/// The Services that a pod of this description calls, by the names in its settings.
pub(crate) fn called<'a>(
    snapshot: &'a Snapshot,
    namespace: &str,
    spec: &PodSpec,
) -> Vec<&'a Service> {
    let hosts = hosts(snapshot, namespace, spec);
    let is_named = |service: &&Service| {
        let short = service.name.as_str();
        let full = format!("{short}.{}", service.namespace);
        let is_ours = service.namespace == namespace;
        hosts.iter().any(|host| {
            let ending = |name: &str| {
                let rest =
                    host.strip_suffix(name).map(|rest| rest.is_empty() || rest.ends_with('.'));
                rest == Some(true)
            };
            // A pod of a StatefulSet stands before the name of its Service.
            is_ours && ending(short)
                || [".svc.cluster.local", ".svc", ""]
                    .iter()
                    .any(|end| ending(&format!("{full}{end}")))
        })
    };
    snapshot.services.items().iter().filter(is_named).collect()
}

/// The Services that select these labels.
pub(super) fn selecting<'a>(
    snapshot: &'a Snapshot,
    namespace: &str,
    labels: &Labels,
) -> Vec<&'a Service> {
    let selects = |service: &&Service| {
        service.namespace == namespace
            && !service.selector.is_empty()
            && service.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    };
    snapshot.services.items().iter().filter(selects).collect()
}

/// What pods of this description need, line by line.
pub(super) fn needs(snapshot: &Snapshot, namespace: &str, spec: &PodSpec) -> Vec<String> {
    let mut lines = Vec::new();
    for one in references(spec) {
        let key = if one.key.is_empty() { String::new() } else { format!(", key {}", one.key) };
        let state = match (exists(snapshot, namespace, &one), one.optional) {
            (Some(true), _) => "",
            (Some(false), true) => ": not there, and optional",
            (Some(false), false) => ": NOT THERE",
            (None, _) => ": whether it is there is not known",
        };
        lines.push(format!("{} {namespace}/{}{key}{state}", one.kind, one.name));
    }
    for service in called(snapshot, namespace, spec) {
        let pods = snapshot.pods_in(&service.namespace).into_iter();
        let ready = pods.filter(|pod| {
            pod.is_ready()
                && !service.selector.is_empty()
                && service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
        });
        lines.push(match ready.count() {
            _ if service.selector.is_empty() => {
                format!("{}, without a selector", service.reference())
            }
            0 => format!("{}: NO READY POD behind it", service.reference()),
            count => format!("{}: {count} ready behind it", service.reference()),
        });
    }
    if !spec.service_account.is_empty() {
        lines.push(format!("ServiceAccount {namespace}/{}", spec.service_account));
    }
    for container in spec.all_containers() {
        lines.push(format!("image {} ({:?})", container.image, container.pull_policy));
    }
    lines
}

/// What needs pods of these labels: Services, names that lead to them, and who calls those.
pub(crate) fn needed_by(snapshot: &Snapshot, namespace: &str, labels: &Labels) -> Vec<String> {
    let mut lines = Vec::new();
    let services = selecting(snapshot, namespace, labels);
    for service in &services {
        lines.push(service.reference().to_string());
        for ingress in snapshot.ingresses.items().iter().filter(|one| one.namespace == namespace) {
            let paths = ingress.paths.iter().filter(|path| path.service == service.name);
            lines.extend(
                paths.map(|path| format!("{}: {}{}", ingress.reference(), path.host, path.path)),
            );
        }
    }
    for budget in snapshot.budgets.items().iter().filter(|one| one.namespace == namespace) {
        if budget.selector.as_ref().is_some_and(|selector| selector.matches(labels)) {
            lines.push(format!("{}: {} may be away", budget.reference(), budget.allowed));
        }
    }
    let callers =
        snapshot.top_workloads().filter(|one| one.replicas > 0).filter(|one: &&Workload| {
            let called = called(snapshot, &one.namespace, &one.template.spec);
            called.iter().any(|service| services.iter().any(|own| std::ptr::eq(*own, *service)))
        });
    lines.extend(callers.map(|one| format!("{}, which calls it", one.reference())));
    lines
}

/// What has been told of a thing lately, the last first.
pub(super) fn events(snapshot: &Snapshot, kind: &str, pod: &Pod) -> Vec<String> {
    let about = |one: &&crate::facts::Event| {
        one.about.as_ref().is_some_and(|about| {
            about.kind == kind && about.namespace == pod.namespace && about.name == pod.name
        })
    };
    let mut all: Vec<&crate::facts::Event> = snapshot.events.items().iter().filter(about).collect();
    all.sort_by_key(|one| (std::cmp::Reverse(one.last), one.name.clone()));
    let told = all.iter().map(|one| {
        let at = one.last.map(|at| format!("{at} ")).unwrap_or_default();
        format!("{at}{} {} {} ({} times)", one.kind, one.reason, one.message, one.count.max(1))
    });
    told.collect()
}
