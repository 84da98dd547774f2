//! Pods and their descriptions.

use k8s_openapi::api::core::v1 as core;

use super::super::Redactor;
use super::super::careless::careless;
use super::meta::{
    conditions, count, int_or_text, meta, node_term, object, port, resources, selector, time,
};
use crate::facts::*;

pub(super) fn pod(pod: core::Pod, r: &Redactor) -> Pod {
    let mut spec = pod.spec.unwrap_or_default();
    let node = spec.node_name.take().unwrap_or_default();
    let status = pod.status.unwrap_or_default();
    let main = status.container_statuses.unwrap_or_default().into_iter();
    let init = status.init_container_statuses.unwrap_or_default().into_iter();
    let statuses = init.map(|one| container_status(one, true));
    let statuses = statuses.chain(main.map(|one| container_status(one, false)));
    object!(Pod, meta(pod.metadata, r), {
        spec: pod_spec(spec, r),
        node,
        nominated_node: status.nominated_node_name.unwrap_or_default(),
        phase: match status.phase.as_deref() {
            Some("Running") => Phase::Running,
            Some("Succeeded") => Phase::Succeeded,
            Some("Failed") => Phase::Failed,
            Some("Unknown") => Phase::Unknown,
            _ => Phase::Pending,
        },
        reason: status.reason.unwrap_or_default(),
        conditions: conditions!(status.conditions),
        statuses: statuses.collect(),
        ip: status.pod_ip.unwrap_or_default(),
        started: time(status.start_time),
    })
}

fn container_status(one: core::ContainerStatus, is_init: bool) -> ContainerStatus {
    let state = one.state.unwrap_or_default();
    let last = one.last_state.and_then(|last| last.terminated);
    ContainerStatus {
        name: one.name,
        image: one.image,
        image_id: one.image_id,
        is_init,
        ready: one.ready,
        restarts: count(Some(one.restart_count)),
        waiting: state.waiting.map(|waiting| waiting.reason.unwrap_or_default()),
        running_since: state.running.and_then(|running| time(running.started_at)),
        ended: state.terminated.map(|ended| ended.reason.unwrap_or_default()),
        last_exit_code: last.as_ref().map(|last| last.exit_code),
        last_ended_at: last.as_ref().and_then(|last| time(last.finished_at.clone())),
        last_ended: last.map(|last| last.reason.unwrap_or_default()),
    }
}

pub(super) fn pod_spec(spec: core::PodSpec, r: &Redactor) -> PodSpec {
    let containers = spec.containers.into_iter().map(|one| container(one, r)).collect();
    let init = spec.init_containers.unwrap_or_default().into_iter();
    let security = spec.security_context.unwrap_or_default();
    let gates = spec.scheduling_gates.unwrap_or_default().into_iter();
    let grace = spec.termination_grace_period_seconds;
    PodSpec {
        containers,
        init_containers: init.map(|one| container(one, r)).collect(),
        volumes: spec.volumes.unwrap_or_default().into_iter().map(volume).collect(),
        overhead: resources(spec.overhead),
        pod_requests: resources(spec.resources.and_then(|one| one.requests)),
        node_selector: spec.node_selector.unwrap_or_default(),
        affinity: affinity(spec.affinity.unwrap_or_default()),
        tolerations: spec.tolerations.unwrap_or_default().into_iter().map(toleration).collect(),
        spread: spec
            .topology_spread_constraints
            .unwrap_or_default()
            .into_iter()
            .map(spread)
            .collect(),
        priority: spec.priority.unwrap_or(0),
        priority_class: spec.priority_class_name.unwrap_or_default(),
        scheduler: spec.scheduler_name.filter(|one| one != "default-scheduler").unwrap_or_default(),
        scheduling_gates: gates.map(|gate| gate.name).collect(),
        service_account: spec.service_account_name.unwrap_or_default(),
        automount_token: spec.automount_service_account_token,
        host_network: spec.host_network.unwrap_or(false),
        host_pid: spec.host_pid.unwrap_or(false),
        host_ipc: spec.host_ipc.unwrap_or(false),
        restart_policy: spec.restart_policy.unwrap_or_default(),
        grace_seconds: grace.and_then(|seconds| u32::try_from(seconds).ok()),
        fs_group: security.fs_group,
        security: Security {
            run_as_non_root: security.run_as_non_root,
            run_as_user: security.run_as_user,
            seccomp: security.seccomp_profile.map(|profile| profile.type_),
            ..Security::default()
        },
        pull_secrets: names(spec.image_pull_secrets),
        runtime_class: spec.runtime_class_name.unwrap_or_default(),
    }
}

pub(super) fn names(list: Option<Vec<core::LocalObjectReference>>) -> Vec<String> {
    list.unwrap_or_default().into_iter().map(|one| one.name).collect()
}

fn container(one: core::Container, r: &Redactor) -> Container {
    let resources_of = one.resources.unwrap_or_default();
    let image = one.image.unwrap_or_default();
    let is_latest = normal_image(&image).ends_with(":latest");
    let command = one.command.unwrap_or_default();
    let arguments = one.args.unwrap_or_default();
    let line: Vec<&str> = command.iter().chain(&arguments).map(String::as_str).collect();
    let careless = careless(&line.join(" "));
    let mounts = one.volume_mounts.unwrap_or_default().into_iter().map(|mount| Mount {
        volume: mount.name,
        path: mount.mount_path,
        sub_path: mount.sub_path.unwrap_or_default(),
        read_only: mount.read_only.unwrap_or(false),
    });
    let ports = one.ports.unwrap_or_default().into_iter().filter_map(|one| {
        Some(Port {
            name: one.name.unwrap_or_default(),
            port: port(Some(one.container_port))?,
            protocol: one.protocol.filter(|protocol| protocol != "TCP").unwrap_or_default(),
            host_port: port(one.host_port),
            host_ip: one.host_ip.unwrap_or_default(),
        })
    });
    Container {
        name: one.name,
        image,
        pull_policy: match one.image_pull_policy.as_deref() {
            Some("Always") => PullPolicy::Always,
            Some("Never") => PullPolicy::Never,
            None if is_latest => PullPolicy::Always,
            _ => PullPolicy::IfNotPresent,
        },
        args: r.arguments(&arguments, false),
        command: r.arguments(&command, true),
        env: one.env.unwrap_or_default().into_iter().map(|env| variable(env, r)).collect(),
        env_from: one.env_from.unwrap_or_default().into_iter().filter_map(all_of).collect(),
        ports: ports.collect(),
        requests: resources(resources_of.requests),
        limits: resources(resources_of.limits),
        liveness: one.liveness_probe.map(probe),
        readiness: one.readiness_probe.map(probe),
        startup: one.startup_probe.map(probe),
        security: security(one.security_context.unwrap_or_default()),
        mounts: mounts.collect(),
        is_sidecar: one.restart_policy.as_deref() == Some("Always"),
        careless,
    }
}

fn key_ref(kind: &str, name: String, key: String, optional: Option<bool>) -> KeyRef {
    KeyRef { kind: kind.to_owned(), name, key, optional: optional.unwrap_or(false) }
}

fn variable(env: core::EnvVar, r: &Redactor) -> Env {
    let mut from = None;
    let mut field = None;
    if let Some(source) = env.value_from {
        let secret = source.secret_key_ref;
        let secret = secret.map(|one| key_ref("Secret", one.name, one.key, one.optional));
        let map = source.config_map_key_ref;
        let map = map.map(|one| key_ref("ConfigMap", one.name, one.key, one.optional));
        from = secret.or(map);
        field = source.field_ref.map(|one| one.field_path);
        field = field.or(source.resource_field_ref.map(|one| one.resource));
    }
    let has_source = from.is_some() || field.is_some();
    let value = (!has_source).then(|| r.setting(&env.name, &env.value.unwrap_or_default()));
    Env { name: env.name, value, from, field }
}

fn all_of(source: core::EnvFromSource) -> Option<KeyRef> {
    let secret = source.secret_ref;
    let secret = secret.map(|one| key_ref("Secret", one.name, String::new(), one.optional));
    let map = source.config_map_ref;
    secret.or(map.map(|one| key_ref("ConfigMap", one.name, String::new(), one.optional)))
}

fn probe(probe: core::Probe) -> Probe {
    let mut told = Probe {
        delay_seconds: count(probe.initial_delay_seconds),
        period_seconds: count(probe.period_seconds.or(Some(10))),
        timeout_seconds: count(probe.timeout_seconds.or(Some(1))),
        failures: count(probe.failure_threshold.or(Some(3))),
        ..Probe::default()
    };
    if let Some(get) = probe.http_get {
        let path = get.path.unwrap_or_default();
        told.kind = "httpGet".to_owned();
        told.path = path.split('?').next().unwrap_or_default().to_owned();
        told.port = int_or_text(get.port);
    } else if let Some(tcp) = probe.tcp_socket {
        told.kind = "tcpSocket".to_owned();
        told.port = int_or_text(tcp.port);
    } else if let Some(grpc) = probe.grpc {
        told.kind = "grpc".to_owned();
        told.port = grpc.port.to_string();
    } else {
        told.kind = "exec".to_owned();
    }
    told
}

fn security(context: core::SecurityContext) -> Security {
    let capabilities = context.capabilities.unwrap_or_default();
    Security {
        run_as_non_root: context.run_as_non_root,
        run_as_user: context.run_as_user,
        read_only_root: context.read_only_root_filesystem,
        allow_escalation: context.allow_privilege_escalation,
        privileged: context.privileged,
        dropped: capabilities.drop.unwrap_or_default(),
        added: capabilities.add.unwrap_or_default(),
        seccomp: context.seccomp_profile.map(|profile| profile.type_),
    }
}

fn items(list: Option<Vec<core::KeyToPath>>) -> Vec<Item> {
    let mode = |mode: i32| u32::try_from(mode).ok();
    let list = list.unwrap_or_default().into_iter();
    list.map(|one| Item { key: one.key, path: one.path, mode: one.mode.and_then(mode) }).collect()
}

fn files(
    name: String,
    mode: Option<i32>,
    list: Option<Vec<core::KeyToPath>>,
    optional: Option<bool>,
) -> Files {
    Files {
        name,
        default_mode: mode.and_then(|mode| u32::try_from(mode).ok()),
        items: items(list),
        optional: optional.unwrap_or(false),
    }
}

fn volume(volume: core::Volume) -> Volume {
    let source = if let Some(claim) = volume.persistent_volume_claim {
        VolumeSource::Claim(claim.claim_name)
    } else if volume.ephemeral.is_some() {
        VolumeSource::Ephemeral
    } else if let Some(one) = volume.secret {
        let name = one.secret_name.unwrap_or_default();
        VolumeSource::Secret(files(name, one.default_mode, one.items, one.optional))
    } else if let Some(one) = volume.config_map {
        VolumeSource::ConfigMap(files(one.name, one.default_mode, one.items, one.optional))
    } else if let Some(one) = volume.projected {
        let sources = one.sources.unwrap_or_default().into_iter();
        VolumeSource::Projected(sources.flat_map(projected).collect())
    } else if let Some(one) = volume.host_path {
        VolumeSource::HostPath(one.path)
    } else if volume.empty_dir.is_some() {
        VolumeSource::EmptyDir
    } else if let Some(one) = volume.csi {
        VolumeSource::Csi(one.driver)
    } else if volume.nfs.is_some() {
        VolumeSource::Other("nfs".to_owned())
    } else if volume.downward_api.is_some() {
        VolumeSource::Other("downwardAPI".to_owned())
    } else {
        VolumeSource::Other("other".to_owned())
    };
    Volume { name: volume.name, source }
}

fn projected(source: core::VolumeProjection) -> Vec<KeyRef> {
    let keys = |kind: &str, name: String, list: Option<Vec<core::KeyToPath>>, optional| {
        let list = list.unwrap_or_default();
        if list.is_empty() {
            return vec![key_ref(kind, name, String::new(), optional)];
        }
        let one = |item: core::KeyToPath| key_ref(kind, name.clone(), item.key, optional);
        list.into_iter().map(one).collect::<Vec<KeyRef>>()
    };
    let secret = source.secret.map(|one| keys("Secret", one.name, one.items, one.optional));
    let map = source.config_map.map(|one| keys("ConfigMap", one.name, one.items, one.optional));
    secret.or(map).unwrap_or_default()
}

fn toleration(one: core::Toleration) -> Toleration {
    Toleration {
        key: one.key.unwrap_or_default(),
        operator: match one.operator.as_deref() {
            Some("Exists") => Tolerates::Exists,
            Some("Gt") => Tolerates::Gt,
            Some("Lt") => Tolerates::Lt,
            _ => Tolerates::Equal,
        },
        value: one.value.unwrap_or_default(),
        effect: one.effect.as_deref().and_then(effect),
        seconds: one.toleration_seconds,
    }
}

pub(super) fn effect(text: &str) -> Option<Effect> {
    match text {
        "NoSchedule" => Some(Effect::NoSchedule),
        "PreferNoSchedule" => Some(Effect::PreferNoSchedule),
        "NoExecute" => Some(Effect::NoExecute),
        _ => None,
    }
}

fn spread(one: core::TopologySpreadConstraint) -> Spread {
    let inclusion = |policy: Option<String>| match policy.as_deref() {
        Some("Honor") => Some(Inclusion::Honor),
        Some("Ignore") => Some(Inclusion::Ignore),
        _ => None,
    };
    Spread {
        max_skew: count(Some(one.max_skew)),
        topology_key: one.topology_key,
        when: match one.when_unsatisfiable.as_str() {
            "ScheduleAnyway" => Unsatisfiable::ScheduleAnyway,
            _ => Unsatisfiable::DoNotSchedule,
        },
        selector: one.label_selector.map(selector),
        min_domains: one.min_domains.map(|number| count(Some(number))),
        affinity_policy: inclusion(one.node_affinity_policy),
        taints_policy: inclusion(one.node_taints_policy),
        match_label_keys: one.match_label_keys.unwrap_or_default(),
    }
}

fn pod_term(term: core::PodAffinityTerm) -> PodTerm {
    PodTerm {
        selector: term.label_selector.map(selector),
        namespaces: term.namespaces.unwrap_or_default(),
        namespace_selector: term.namespace_selector.map(selector),
        topology_key: term.topology_key,
        match_label_keys: term.match_label_keys.unwrap_or_default(),
        mismatch_label_keys: term.mismatch_label_keys.unwrap_or_default(),
    }
}

fn weighted(list: Option<Vec<core::WeightedPodAffinityTerm>>) -> Vec<WeightedPodTerm> {
    let list = list.unwrap_or_default().into_iter();
    list.map(|one| WeightedPodTerm { weight: one.weight, term: pod_term(one.pod_affinity_term) })
        .collect()
}

fn affinity(affinity: core::Affinity) -> Affinity {
    let node = affinity.node_affinity.unwrap_or_default();
    let near = affinity.pod_affinity.unwrap_or_default();
    let away = affinity.pod_anti_affinity.unwrap_or_default();
    let required = node.required_during_scheduling_ignored_during_execution;
    let preferred = node.preferred_during_scheduling_ignored_during_execution.unwrap_or_default();
    let terms = |list: Option<Vec<core::PodAffinityTerm>>| {
        list.unwrap_or_default().into_iter().map(pod_term).collect()
    };
    Affinity {
        node_required: required
            .map(|one| one.node_selector_terms.into_iter().map(node_term).collect()),
        node_preferred: preferred
            .into_iter()
            .map(|one| WeightedNodeTerm { weight: one.weight, term: node_term(one.preference) })
            .collect(),
        pod_required: terms(near.required_during_scheduling_ignored_during_execution),
        pod_preferred: weighted(near.preferred_during_scheduling_ignored_during_execution),
        anti_required: terms(away.required_during_scheduling_ignored_during_execution),
        anti_preferred: weighted(away.preferred_during_scheduling_ignored_during_execution),
    }
}
