//! What workloads refer to: whether it is there, can be read, and is what they run with.

use std::collections::{BTreeMap, BTreeSet};

use super::super::shared::{Component, Found, all_containers, component, data_of};
use super::super::{Findings, Problem};
use crate::facts::{
    Container, Fact, Files, KeyRef, Object as _, ObjectRef, Phase, Pod, PodSpec, Snapshot, Time,
    VolumeSource, Workload, environment,
};

/// Whether an object has a key, which may be one of binary data.
fn has_key(snapshot: &Snapshot, kind: &str, namespace: &str, name: &str, key: &str) -> Found<bool> {
    match data_of(snapshot, kind, namespace, name) {
        Found::Here(data) => {
            let map = snapshot.config_map(namespace, name);
            let is_binary = kind == "ConfigMap"
                && map.is_some_and(|map| map.binary.iter().any(|one| one == key));
            Found::Here(key.is_empty() || data.contains_key(key) || is_binary)
        }
        Found::Absent => Found::Absent,
        Found::Unknown => Found::Unknown,
    }
}

/// How objects of a kind are collected.
fn how(kind: &str) -> &'static str {
    if kind == "Secret" { Fact::Secrets.how() } else { Fact::ConfigMaps.how() }
}

/// All that a description of pods cannot do without, with the containers that ask for it.
fn needed(spec: &PodSpec) -> Vec<(String, KeyRef)> {
    let mut all = Vec::new();
    for container in spec.all_containers() {
        let keys = container.env.iter().filter_map(|env| env.from.as_ref());
        let keys = keys.chain(&container.env_from);
        all.extend(keys.map(|key| (container.name.clone(), key.clone())));
    }
    for volume in &spec.volumes {
        let whole = |kind: &str, files: &Files| KeyRef {
            kind: kind.to_owned(),
            name: files.name.clone(),
            key: String::new(),
            optional: files.optional,
        };
        match &volume.source {
            VolumeSource::Secret(files) => all.push((String::new(), whole("Secret", files))),
            VolumeSource::ConfigMap(files) => all.push((String::new(), whole("ConfigMap", files))),
            VolumeSource::Projected(keys) => {
                all.extend(keys.iter().map(|key| (String::new(), key.clone())));
            }
            VolumeSource::Claim(_)
            | VolumeSource::Ephemeral
            | VolumeSource::HostPath(_)
            | VolumeSource::EmptyDir
            | VolumeSource::Csi(_)
            | VolumeSource::Other(_) => {}
        }
    }
    all.retain(|(_, key)| !key.optional && !key.name.is_empty());
    all
}

/// SEC-04
pub(super) fn missing(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in snapshot.top_workloads() {
        let mut lacks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for (container, key) in needed(&workload.template.spec) {
            findings.looked();
            let place = ObjectRef::new(&key.kind, &workload.namespace, &key.name);
            match has_key(snapshot, &key.kind, &workload.namespace, &key.name, &key.key) {
                Found::Here(true) => {}
                Found::Here(false) => {
                    lacks
                        .entry(container)
                        .or_default()
                        .insert(format!("{place} has no {}", key.key));
                }
                Found::Absent => {
                    lacks.entry(container).or_default().insert(format!("there is no {place}"));
                }
                Found::Unknown => {
                    unknown.insert(place.to_string());
                }
            }
        }
        for (container, what) in lacks {
            let subject = workload.reference();
            let subject = if container.is_empty() { subject } else { subject.container(container) };
            let evidence = what.into_iter().collect::<Vec<String>>().join("; ");
            findings.add(Problem::new(subject, evidence).field("spec.template.spec"));
        }
        if !unknown.is_empty() {
            let names = unknown.into_iter().collect::<Vec<String>>().join(", ");
            let is_secret = names.split(", ").any(|name| name.starts_with("Secret "));
            let how = how(if is_secret { "Secret" } else { "ConfigMap" });
            findings.unknown_but(workload.reference(), format!("whether there is {names}"), how);
        }
    }
    findings
}

/// Whether a container's user is another than root; none when neither it nor its pod says so.
fn is_other_than_root(spec: &PodSpec, container: &Container) -> Option<bool> {
    let user = container.security.run_as_user.or(spec.security.run_as_user);
    let non_root = container.security.run_as_non_root.or(spec.security.run_as_non_root);
    match (user, non_root) {
        (Some(user), _) => Some(user != 0),
        (None, Some(true)) => Some(true),
        (None, Some(false) | None) => None,
    }
}

/// SEC-15
pub(super) fn unreadable(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in snapshot.top_workloads() {
        let spec = &workload.template.spec;
        for volume in &spec.volumes {
            let VolumeSource::Secret(files) = &volume.source else { continue };
            let modes = files.items.iter().filter_map(|item| item.mode);
            let modes: Vec<u32> = modes.chain(files.default_mode).collect();
            // With fsGroup the kubelet gives the group the right to read.
            let closed = modes.iter().find(|mode| **mode & 0o044 == 0);
            let users = spec.all_containers().filter(|container| {
                container.mounts.iter().any(|mount| mount.volume == volume.name)
            });
            for container in users {
                let subject = workload.reference().container(&container.name);
                let Some(mode) = closed.filter(|_| spec.fs_group.is_none()) else {
                    findings.looked();
                    continue;
                };
                match is_other_than_root(spec, container) {
                    Some(true) => {
                        findings.looked();
                        let evidence = format!(
                            "Secret {} is mounted with the mode {mode:04o}, there is no fsGroup, \
                             and it does not run as root",
                            files.name
                        );
                        let field = "spec.template.spec.securityContext.fsGroup";
                        findings.add(Problem::new(subject, evidence).field(field));
                    }
                    Some(false) => findings.looked(),
                    None => {
                        let what = format!(
                            "the user that reads Secret {} with the mode {mode:04o}: the image \
                             decides",
                            files.name
                        );
                        findings.unknown(subject, what);
                    }
                }
            }
        }
    }
    findings
}

/// When an object was made, and when its data were last changed, where that is told.
fn times(snapshot: &Snapshot, object: &ObjectRef) -> Found<(Option<Time>, Option<Time>)> {
    let (namespace, name) = (object.namespace.as_str(), object.name.as_str());
    let (found, is_whole) = if object.kind == "Secret" {
        let found = snapshot.secret(namespace, name);
        (found.map(|one| (one.created, one.changed)), snapshot.secrets.is_whole())
    } else {
        let found = snapshot.config_map(namespace, name);
        (found.map(|one| (one.created, one.changed)), snapshot.config_maps.is_whole())
    };
    match (found, is_whole) {
        (Some(times), _) => Found::Here(times),
        (None, true) => Found::Absent,
        (None, false) => Found::Unknown,
    }
}

/// When an object has become another than the one that was there; none when that is not known.
/// One that is made again is another one, whoever has changed it.
fn changed(times: (Option<Time>, Option<Time>), since: Time) -> Option<Time> {
    match times {
        (Some(made), _) if made > since => Some(made),
        (_, changed) => changed,
    }
}

/// Objects whose values a container reads once, at its start.
fn read_once(pod: &Pod, container: &Container) -> BTreeSet<ObjectRef> {
    let mut names: Vec<(&str, &str)> = Vec::new();
    let keys = container.env.iter().filter_map(|env| env.from.as_ref());
    names.extend(keys.chain(&container.env_from).map(|key| (key.kind.as_str(), key.name.as_str())));
    for mount in container.mounts.iter().filter(|mount| !mount.sub_path.is_empty()) {
        let volume = pod.spec.volumes.iter().find(|volume| volume.name == mount.volume);
        match volume.map(|volume| &volume.source) {
            Some(VolumeSource::Secret(files)) => names.push(("Secret", &files.name)),
            Some(VolumeSource::ConfigMap(files)) => names.push(("ConfigMap", &files.name)),
            _ => {}
        }
    }
    names.into_iter().map(|(kind, name)| ObjectRef::new(kind, &pod.namespace, name)).collect()
}

/// SEC-16
pub(super) fn changed_since(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut stale: BTreeMap<(ObjectRef, ObjectRef), Vec<String>> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    let running = |pod: &&Pod| pod.is_active() && pod.phase == Phase::Running;
    for pod in snapshot.pods.items().iter().filter(running) {
        for container in &pod.spec.containers {
            let status = pod.statuses.iter().find(|one| one.name == container.name);
            let since = status.and_then(|status| status.running_since).or(pod.started);
            for object in read_once(pod, container) {
                let at = match (since, times(snapshot, &object)) {
                    // That it is missing is another rule's matter.
                    (_, Found::Absent) => continue,
                    (Some(since), Found::Here(times)) => {
                        changed(times, since).map(|at| (since, at))
                    }
                    (None, _) | (_, Found::Unknown) => None,
                };
                let Some((since, at)) = at else {
                    unknown.insert(object);
                    continue;
                };
                findings.looked();
                if at > since {
                    let owner = snapshot.workload_of(pod).map(|one| one.reference());
                    let subject = owner.unwrap_or_else(|| pod.reference());
                    let evidence = format!("{} runs since {since}, changed {at}", pod.name);
                    stale.entry((subject, object)).or_default().push(evidence);
                }
            }
        }
    }
    for ((subject, object), pods) in stale {
        let evidence = format!("{object}: {}", pods.join("; "));
        findings.add(Problem::new(subject, evidence).because(object));
    }
    for object in unknown {
        let how = how(&object.kind);
        findings.unknown_but(object, "when it was changed, and since when its readers run", how);
    }
    findings
}

/// The files that a volume gives, by the path below where it is mounted; none when not all of them
/// are known.
fn files_of(
    snapshot: &Snapshot,
    namespace: &str,
    source: &VolumeSource,
) -> Option<Vec<(String, ObjectRef)>> {
    let (kind, files) = match source {
        VolumeSource::Secret(files) => ("Secret", files),
        VolumeSource::ConfigMap(files) => ("ConfigMap", files),
        VolumeSource::EmptyDir => return Some(Vec::new()),
        _ => return None,
    };
    let object = ObjectRef::new(kind, namespace, &files.name);
    if !files.items.is_empty() {
        let items = files.items.iter().map(|item| (item.path.clone(), object.clone()));
        return Some(items.collect());
    }
    let Found::Here(data) = data_of(snapshot, kind, namespace, &files.name) else { return None };
    let map = snapshot.config_map(namespace, &files.name).filter(|_| kind == "ConfigMap");
    let binary = map.into_iter().flat_map(|one| one.binary.iter().cloned());
    Some(data.keys().cloned().chain(binary).map(|key| (key, object.clone())).collect())
}

/// SEC-19
pub(super) fn missing_file(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in snapshot.top_workloads() {
        for volume in &workload.template.spec.volumes {
            let (kind, files) = match &volume.source {
                VolumeSource::Secret(files) => ("Secret", files),
                VolumeSource::ConfigMap(files) => ("ConfigMap", files),
                _ => continue,
            };
            if files.optional {
                continue;
            }
            for item in &files.items {
                let found = has_key(snapshot, kind, &workload.namespace, &files.name, &item.key);
                let place = ObjectRef::new(kind, &workload.namespace, &files.name);
                match found {
                    Found::Here(true) => findings.looked(),
                    Found::Here(false) => {
                        findings.looked();
                        let evidence = format!("{place} has no {}, which items name", item.key);
                        let field = "spec.template.spec.volumes";
                        findings.add(Problem::new(workload.reference(), evidence).field(field));
                    }
                    // That all of it is missing is another rule's matter.
                    Found::Absent => {}
                    Found::Unknown => {
                        let what = format!("whether {place} has {}", item.key);
                        findings.unknown(workload.reference(), what);
                    }
                }
            }
        }
        for container in workload.template.spec.all_containers() {
            sub_paths(snapshot, workload, container, &mut findings);
        }
    }
    findings
}

fn sub_paths(
    snapshot: &Snapshot,
    workload: &Workload,
    container: &Container,
    findings: &mut Findings,
) {
    for mount in container.mounts.iter().filter(|mount| !mount.sub_path.is_empty()) {
        let volumes = &workload.template.spec.volumes;
        let source = volumes.iter().find(|one| one.name == mount.volume).map(|one| &one.source);
        let Some(source @ (VolumeSource::Secret(_) | VolumeSource::ConfigMap(_))) = source else {
            continue;
        };
        let subject = workload.reference().container(&container.name);
        let Some(files) = files_of(snapshot, &workload.namespace, source) else {
            let what = format!("the files of its volume {}", mount.volume);
            findings.unknown(subject, what);
            continue;
        };
        findings.looked();
        let folder = format!("{}/", mount.sub_path);
        let is_there =
            files.iter().any(|(path, _)| *path == mount.sub_path || path.starts_with(&folder));
        if !is_there {
            let evidence = format!("its volume {} has no {}", mount.volume, mount.sub_path);
            let field = "spec.template.spec.containers.volumeMounts";
            findings.add(Problem::new(subject, evidence).field(field));
        }
    }
}

/// Where Fabric's own images have their configuration.
const OWN_FOLDER: &str = "/etc/hyperledger/fabric";

/// SEC-18
pub(super) fn no_configuration(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (workload, container) in all_containers(snapshot) {
        let file = match component(&workload.name) {
            Component::Peer => "core.yaml",
            Component::Orderer => "orderer.yaml",
            _ => continue,
        };
        let main = workload.template.spec.containers.first();
        if !workload.is_lasting() || main.map(|main| &main.name) != Some(&container.name) {
            continue;
        }
        let subject = workload.reference().container(&container.name);
        let variables = environment(container);
        let folder = match variables.get("FABRIC_CFG_PATH").map(|env| &env.value) {
            None => OWN_FOLDER,
            Some(value) => match value.as_ref().and_then(|value| value.plain()) {
                Some(folder) => folder.trim_end_matches('/'),
                None => {
                    findings.unknown(subject, "the folder that FABRIC_CFG_PATH names");
                    continue;
                }
            },
        };
        match has_file(snapshot, workload, container, folder, file) {
            Some(true) => findings.looked(),
            // The image brings one in its own folder, unless something is mounted over it.
            Some(false) if folder == OWN_FOLDER && !is_covered(container, folder) => {
                findings.looked();
            }
            Some(false) => {
                findings.looked();
                let evidence = format!("nothing that is mounted puts {file} into {folder}");
                let field = "spec.template.spec.containers.volumeMounts";
                findings.add(Problem::new(subject, evidence).field(field));
            }
            None => findings.unknown(subject, format!("whether {folder} has {file}")),
        }
    }
    findings
}

fn is_covered(container: &Container, folder: &str) -> bool {
    container.mounts.iter().any(|mount| mount.path.trim_end_matches('/') == folder)
}

/// Whether a mount puts a file into a folder; none when what is mounted there is not known.
fn has_file(
    snapshot: &Snapshot,
    workload: &Workload,
    container: &Container,
    folder: &str,
    file: &str,
) -> Option<bool> {
    let wanted = format!("{folder}/{file}");
    // The longest path holds: it is mounted over the others.
    let mut mounts: Vec<_> = container
        .mounts
        .iter()
        .filter(|mount| {
            let path = mount.path.trim_end_matches('/');
            wanted == path || wanted.starts_with(&format!("{path}/"))
        })
        .collect();
    mounts.sort_by_key(|mount| mount.path.trim_end_matches('/').len());
    let Some(mount) = mounts.last() else { return Some(false) };
    let path = mount.path.trim_end_matches('/');
    let volumes = &workload.template.spec.volumes;
    let source = volumes.iter().find(|one| one.name == mount.volume).map(|one| &one.source);
    let below = wanted.strip_prefix(path).unwrap_or_default().trim_start_matches('/');
    let inside = match (mount.sub_path.as_str(), below) {
        ("", below) => below.to_owned(),
        (sub, "") => sub.to_owned(),
        (sub, below) => format!("{sub}/{below}"),
    };
    let files = files_of(snapshot, &workload.namespace, source?)?;
    Some(files.iter().any(|(path, _)| *path == inside))
}
