//! Whether workloads are described so that they keep running, and do no harm.

use super::super::shared::{is_foreign, is_of_pattern, lasting, replicated};
use super::super::{Findings, Problem};
use crate::facts::{
    Container, Object as _, ObjectRef, Pod, PodSpec, Probe, Resources, Snapshot, VolumeSource,
    Workload, WorkloadKind, normal_image,
};

/// Workloads whose manifests are the operator's own.
fn own(snapshot: &Snapshot) -> impl Iterator<Item = &Workload> {
    lasting(snapshot).filter(|one| !is_foreign(&one.namespace))
}

/// WRK-16
pub(super) fn without_probes(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in own(snapshot) {
        for container in &workload.template.spec.containers {
            findings.looked();
            let probes = [
                ("livenessProbe", container.liveness.is_some()),
                ("readinessProbe", container.readiness.is_some()),
            ];
            let lacks: Vec<&str> =
                probes.into_iter().filter(|(_, has)| !has).map(|(name, _)| name).collect();
            if !lacks.is_empty() {
                let subject = workload.reference().container(&container.name);
                let problem = Problem::new(subject, format!("it has no {}", lacks.join(", no ")));
                findings.add(problem.field("spec.template.spec.containers[].livenessProbe"));
            }
        }
    }
    findings
}

/// What a namespace gives to containers that say nothing.
fn defaults(snapshot: &Snapshot, namespace: &str) -> (Resources, Resources) {
    let mut given = (Resources::default(), Resources::default());
    let ranges = snapshot.limit_ranges.items().iter().filter(|one| one.namespace == namespace);
    for limit in ranges.flat_map(|one| &one.limits).filter(|one| one.kind == "Container") {
        given.0.raise_to(&limit.default_request);
        given.1.raise_to(&limit.default);
    }
    // A limit without a request is the request as well.
    let limits = given.1.clone();
    given.0.raise_to(&limits);
    given
}

/// WRK-17
pub(super) fn without_resources(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in own(snapshot) {
        let (requests, limits) = defaults(snapshot, &workload.namespace);
        for container in &workload.template.spec.containers {
            findings.looked();
            let has = |of: &Resources, given: &Resources, name: &str| {
                of.0.contains_key(name) || given.0.contains_key(name)
            };
            let mut lacks = Vec::new();
            for name in ["cpu", "memory"] {
                // A limit alone is taken for the request too.
                let is_limited = container.limits.0.contains_key(name);
                if !is_limited && !has(&container.requests, &requests, name) {
                    lacks.push(format!("requests.{name}"));
                }
            }
            // A processor is shared by requests; memory is not shared, and needs the limit.
            if !has(&container.limits, &limits, "memory") {
                lacks.push("limits.memory".to_owned());
            }
            if !lacks.is_empty() {
                let subject = workload.reference().container(&container.name);
                let problem = Problem::new(subject, format!("it has no {}", lacks.join(", no ")));
                findings.add(problem.field("spec.template.spec.containers[].resources"));
            }
        }
    }
    findings
}

/// WRK-18
pub(super) fn weak_security(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in own(snapshot) {
        let spec = &workload.template.spec;
        for container in spec.all_containers() {
            findings.looked();
            let lacks = security_lacks(spec, container);
            if !lacks.is_empty() {
                let subject = workload.reference().container(&container.name);
                let problem = Problem::new(subject, format!("it has not {}", lacks.join(", ")));
                findings.add(problem.field("spec.template.spec.containers[].securityContext"));
            }
        }
    }
    findings
}

/// What a container does not forbid itself. What it says of itself holds over what its pod says.
fn security_lacks(spec: &PodSpec, container: &Container) -> Vec<&'static str> {
    let own = &container.security;
    let non_root = own.run_as_non_root.or(spec.security.run_as_non_root) == Some(true);
    let drops_all = own.dropped.iter().any(|one| one.eq_ignore_ascii_case("all"));
    let wanted = [
        ("runAsNonRoot: true", non_root),
        ("readOnlyRootFilesystem: true", own.read_only_root == Some(true)),
        ("allowPrivilegeEscalation: false", own.allow_escalation == Some(false)),
        ("capabilities.drop: [ALL]", drops_all),
    ];
    wanted.into_iter().filter(|(_, has)| !has).map(|(name, _)| name).collect()
}

/// WRK-19
pub(super) fn loose_tag(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in snapshot.top_workloads() {
        for container in workload.template.spec.all_containers() {
            if container.image.is_empty() {
                continue;
            }
            findings.looked();
            // What has a digest is that image, whatever its tag says.
            if !normal_image(&container.image).ends_with(":latest") {
                continue;
            }
            let subject = workload.reference().container(&container.name);
            let problem = Problem::new(subject, format!("its image is {}", container.image));
            findings.add(problem.field("spec.template.spec.containers[].image"));
        }
    }
    findings
}

/// WRK-22
pub(super) fn probe_elsewhere(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in lasting(snapshot) {
        for container in workload.template.spec.all_containers() {
            let probes = [
                ("livenessProbe", &container.liveness),
                ("readinessProbe", &container.readiness),
                ("startupProbe", &container.startup),
            ];
            for (name, probe) in probes {
                let Some(probe) = probe.as_ref().filter(|probe| probe.kind != "exec") else {
                    continue;
                };
                findings.looked();
                let Some(evidence) = no_such_port(&workload.template.spec, container, probe) else {
                    continue;
                };
                let subject = workload.reference().container(&container.name);
                let problem = Problem::new(subject, format!("{name} asks {evidence}"));
                findings.add(problem.field("spec.template.spec.containers[].ports"));
                break;
            }
        }
    }
    findings
}

/// What a probe asks when its container has it not.
fn no_such_port(spec: &PodSpec, container: &Container, probe: &Probe) -> Option<String> {
    // Numbers are asked at the address of the pod, which all its containers share.
    let all = || spec.all_containers().flat_map(|one| &one.ports);
    let told: Vec<String> = all()
        .map(|port| match port.name.as_str() {
            "" => port.port.to_string(),
            name => format!("{} ({name})", port.port),
        })
        .collect();
    let told = if told.is_empty() { "no ports".to_owned() } else { told.join(", ") };
    match probe.port.parse::<u16>() {
        // A container may listen without saying so; one that names ports names all of them.
        Ok(number) => (!container.ports.is_empty() && !all().any(|port| port.port == number))
            .then(|| format!("port {number} ({}), and it has {told}", path(probe))),
        Err(_) => (!container.ports.iter().any(|port| port.name == probe.port))
            .then(|| format!("a port of its own named {:?}, and it has {told}", probe.port)),
    }
}

fn path(probe: &Probe) -> &str {
    if probe.path.is_empty() { &probe.kind } else { &probe.path }
}

/// WRK-24
pub(super) fn without_budget(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in replicated(snapshot).filter(|one| one.replicas > 1) {
        if is_foreign(&workload.namespace) {
            continue;
        }
        findings.looked();
        let mut budgets =
            snapshot.budgets.items().iter().filter(|one| one.namespace == workload.namespace);
        let selects = budgets.any(|budget| {
            budget.selector.as_ref().is_some_and(|one| one.matches(&workload.template.labels))
        });
        if selects {
            continue;
        }
        if !snapshot.budgets.is_whole() {
            findings.unknown(workload.reference(), "not all disruption budgets were collected");
            continue;
        }
        let evidence = format!(
            "{} replicas, and no PodDisruptionBudget of its namespace selects them",
            workload.replicas
        );
        findings.add(Problem::new(workload.reference(), evidence));
    }
    findings
}

/// WRK-26
pub(super) fn privileged(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in snapshot.top_workloads() {
        let name = format!("{}/{}", workload.namespace, workload.name);
        let spec = &workload.template.spec;
        // One that is to run on every node, of the cluster's own, is there to do just that.
        if workload.namespace == "kube-system" && workload.kind == WorkloadKind::DaemonSet {
            continue;
        }
        check_rights(snapshot, &name, spec, workload.reference(), &mut findings);
    }
    let is_bare = |pod: &&Pod| pod.owner.is_none() && !pod.is_finished();
    for pod in snapshot.pods.items().iter().filter(is_bare) {
        let name = format!("{}/{}", pod.namespace, pod.name);
        check_rights(snapshot, &name, &pod.spec, pod.reference(), &mut findings);
    }
    findings
}

fn check_rights(
    snapshot: &Snapshot,
    name: &str,
    spec: &PodSpec,
    subject: ObjectRef,
    findings: &mut Findings,
) {
    findings.looked();
    let mut has = Vec::new();
    for container in spec.all_containers() {
        if container.security.privileged == Some(true) {
            has.push(format!("{} is privileged", container.name));
        }
    }
    for (word, is_set) in [("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc)] {
        if is_set {
            has.push(word.to_owned());
        }
    }
    for volume in &spec.volumes {
        if let VolumeSource::HostPath(path) = &volume.source {
            has.push(format!("it mounts {path} of the host"));
        }
    }
    let allowed = snapshot.declared().into_iter().flat_map(|one| &one.privileged);
    if !has.is_empty() && !allowed.into_iter().any(|pattern| is_of_pattern(pattern, name)) {
        findings.add(Problem::new(subject, has.join(", ")).field("spec.template.spec"));
    }
}
