//! What all objects have in common: labels, ports, probes, volumes, the security of pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, EnvVar,
    HTTPGetAction, PersistentVolumeClaim, PersistentVolumeClaimSpec, PodSecurityContext, PodSpec,
    PodTemplateSpec, Probe, ResourceRequirements, SeccompProfile, SecretVolumeSource,
    SecurityContext, Service, ServiceAccount, ServicePort, ServiceSpec, TCPSocketAction,
    TopologySpreadConstraint, Volume, VolumeMount, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::model::{NetworkId, Org, Size, Workload, size};

pub(super) type Labels = BTreeMap<String, String>;

/// The host name that stands where an overlay has to put its own.
pub const HOST: &str = "api.gx.example.org";

/// The images; an overlay gives each a registry and a digest.
pub const IMAGES: [&str; 7] = [
    "gx",
    "hyperledger/fabric-ca",
    "hyperledger/fabric-orderer",
    "hyperledger/fabric-peer",
    "hyperledger/fabric-tools",
    "postgres",
    "redis",
];

pub(super) const NAME: &str = "app.kubernetes.io/name";
pub(super) const ORGANIZATION: &str = "gx-protocol/organization";
pub(super) const NODE: &str = "gx-protocol/node";
pub(super) const NETWORK: &str = "gx-protocol/network";

/// The user that everything runs as, unless its image wants another.
pub(super) const USER: i64 = 10001;

/// What selects all pods of a workload, and no others.
pub(super) fn selector(workload: Workload) -> Labels {
    let organization = match workload {
        Workload::Peer(org) | Workload::Chaincode(org) | Workload::OrganizationJob(org) => {
            Some(org)
        }
        _ => None,
    };
    let name = match workload {
        Workload::Peer(_) => "peer".to_owned(),
        Workload::Chaincode(_) => "gx-chaincode".to_owned(),
        Workload::OrganizationJob(_) => "chaincode".to_owned(),
        _ => workload.name(),
    };
    let mut labels = Labels::from([(NAME.to_owned(), name)]);
    labels.extend(organization.map(|org: Org| (ORGANIZATION.to_owned(), org.name())));
    labels
}

/// The labels of a workload's objects.
pub(super) fn labels(workload: Workload) -> Labels {
    let mut labels = selector(workload);
    let component = workload.component().to_owned();
    labels.insert("app.kubernetes.io/component".to_owned(), component);
    labels.insert("app.kubernetes.io/part-of".to_owned(), "gx-protocol".to_owned());
    labels
}

pub(super) fn meta(workload: Workload, name: &str) -> ObjectMeta {
    let labels = Some(labels(workload));
    ObjectMeta { name: Some(name.to_owned()), labels, ..ObjectMeta::default() }
}

pub(super) fn match_labels(labels: Labels) -> LabelSelector {
    LabelSelector { match_labels: Some(labels), ..LabelSelector::default() }
}

pub(super) fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

/// An account that can do nothing, and whose token no pod gets.
pub(super) fn account(workload: Workload) -> ServiceAccount {
    ServiceAccount {
        metadata: meta(workload, &workload.name()),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

pub(super) fn resources(workload: Workload, network: NetworkId) -> ResourceRequirements {
    let Size { cpu, cpu_max, memory, memory_max } = size(workload, network);
    let of = |cpu: u32, memory: u32| {
        let (cpu, memory) = (Quantity(format!("{cpu}m")), Quantity(format!("{memory}Mi")));
        Some(BTreeMap::from([("cpu".to_owned(), cpu), ("memory".to_owned(), memory)]))
    };
    ResourceRequirements {
        requests: of(cpu, memory),
        limits: of(cpu_max, memory_max),
        ..ResourceRequirements::default()
    }
}

/// A container without any right, on a root file system that it cannot write.
pub(super) fn container(workload: Workload, image: &str) -> Container {
    let ports = workload.ports().into_iter().map(|port| ContainerPort {
        name: Some(port.name.to_owned()),
        container_port: port.number.into(),
        ..ContainerPort::default()
    });
    let capabilities = Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None };
    Container {
        name: workload.component().to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        ports: Some(ports.collect::<Vec<_>>()).filter(|ports| !ports.is_empty()),
        resources: Some(resources(workload, NetworkId::Mainnet)),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(capabilities),
            read_only_root_filesystem: Some(true),
            ..SecurityContext::default()
        }),
        ..Container::default()
    }
}

/// A pod of one container, spread over hosts as evenly as there are hosts for it.
pub(super) fn pod(
    workload: Workload,
    container: Container,
    volumes: Vec<Volume>,
    more: Labels,
) -> PodTemplateSpec {
    let mut labels = labels(workload);
    labels.extend(more);
    let metadata = ObjectMeta { labels: Some(labels), ..ObjectMeta::default() };
    let spec = PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![container],
        enable_service_links: Some(false),
        priority_class_name: Some(priority(workload).to_owned()),
        security_context: Some(as_user(USER)),
        service_account_name: Some(workload.name()),
        topology_spread_constraints: spread(workload),
        volumes: Some(volumes).filter(|volumes| !volumes.is_empty()),
        ..PodSpec::default()
    };
    PodTemplateSpec { metadata: Some(metadata), spec: Some(spec) }
}

pub(super) fn as_user(user: i64) -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(user),
        run_as_group: Some(user),
        fs_group: Some(user),
        fs_group_change_policy: Some("OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..PodSecurityContext::default()
    }
}

/// Who is stopped last when a node is full.
pub(super) fn priority(workload: Workload) -> &'static str {
    match workload {
        Workload::Orderer | Workload::Peer(_) | Workload::Postgres => "gx-ledger",
        Workload::Chaincode(_) | Workload::Submitter | Workload::Projector => "gx-ledger",
        Workload::Service(_) | Workload::Redis | Workload::RedisReplica => "gx-platform",
        Workload::Ca(_) => "gx-platform",
        Workload::Migrate | Workload::ChannelJob | Workload::OrganizationJob(_) => "gx-platform",
    }
}

/// Evenly over hosts without exception, and over regions where that is possible. Only hosts count
/// that the pod could run on, so that a host that is cordoned or lost leaves the others to it; and
/// in a roll-out only pods of the same version, so that the old ones are in nobody's way.
fn spread(workload: Workload) -> Option<Vec<TopologySpreadConstraint>> {
    if workload.pods() < 2 && !workload.is_deployment() {
        return None;
    }
    let version = workload.is_deployment().then(|| vec!["pod-template-hash".to_owned()]);
    let over = |key: &str, otherwise: &str| TopologySpreadConstraint {
        label_selector: Some(match_labels(selector(workload))),
        match_label_keys: version.clone(),
        max_skew: 1,
        node_affinity_policy: Some("Honor".to_owned()),
        node_taints_policy: Some("Honor".to_owned()),
        topology_key: key.to_owned(),
        when_unsatisfiable: otherwise.to_owned(),
        ..TopologySpreadConstraint::default()
    };
    Some(vec![
        over("kubernetes.io/hostname", "DoNotSchedule"),
        over("topology.kubernetes.io/region", "ScheduleAnyway"),
    ])
}

/// A Service before the pods that a selector finds.
pub(super) fn service(workload: Workload, name: &str, pods: Labels) -> Service {
    let ports = workload.ports().into_iter().map(|port| ServicePort {
        name: Some(port.name.to_owned()),
        port: port.number.into(),
        target_port: Some(IntOrString::String(port.name.to_owned())),
        ..ServicePort::default()
    });
    Service {
        metadata: meta(workload, name),
        spec: Some(ServiceSpec {
            ports: Some(ports.collect()),
            selector: Some(pods),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

pub(super) fn http_get(path: &str, port: &str) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(port.to_owned()),
            ..HTTPGetAction::default()
        }),
        ..Probe::default()
    }
}

pub(super) fn tcp(port: &str) -> Probe {
    let port = IntOrString::String(port.to_owned());
    Probe { tcp_socket: Some(TCPSocketAction { port, host: None }), ..Probe::default() }
}

/// How often it is asked, how long an answer may take, seconds, and how often it may fail.
pub(super) fn asked(probe: Probe, every: i32, within: i32, failures: i32) -> Probe {
    Probe {
        period_seconds: Some(every),
        timeout_seconds: Some(within),
        failure_threshold: Some(failures),
        ..probe
    }
}

/// Probes of something that is alive as soon as it answers, and may take two minutes until then.
pub(super) fn probed(container: &mut Container, live: Probe, ready: Probe) {
    container.startup_probe = Some(asked(live.clone(), 2, 2, 60));
    container.liveness_probe = Some(asked(live, 10, 5, 3));
    container.readiness_probe = Some(asked(ready, 5, 3, 2));
}

pub(super) fn env(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.into()), value_from: None }
}

pub(super) fn mount(name: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

pub(super) fn scratch(name: &str, mib: u32) -> Volume {
    let size_limit = Some(Quantity(format!("{mib}Mi")));
    let empty_dir = Some(EmptyDirVolumeSource { size_limit, medium: None });
    Volume { name: name.to_owned(), empty_dir, ..Volume::default() }
}

/// Files of a secret, readable by the pod's group alone.
pub(super) fn secret(name: &str, secret: &str) -> Volume {
    let secret = Some(SecretVolumeSource {
        secret_name: Some(secret.to_owned()),
        default_mode: Some(0o440),
        ..SecretVolumeSource::default()
    });
    Volume { name: name.to_owned(), secret, ..Volume::default() }
}

pub(super) fn config(name: &str, map: &str) -> Volume {
    let config_map =
        Some(ConfigMapVolumeSource { name: map.to_owned(), ..ConfigMapVolumeSource::default() });
    Volume { name: name.to_owned(), config_map, ..Volume::default() }
}

/// A disk of its own for each pod of a StatefulSet.
pub(super) fn claim(gib: u32) -> PersistentVolumeClaim {
    let size = Quantity(format!("{gib}Gi"));
    PersistentVolumeClaim {
        metadata: named("data"),
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), size)])),
                limits: None,
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}
