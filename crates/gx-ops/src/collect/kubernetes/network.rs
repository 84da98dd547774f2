//! Services, the addresses behind them, policies and ingresses.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1 as discovery;
use k8s_openapi::api::networking::v1 as networking;

use super::super::Redactor;
use super::meta::{int_or_text, meta, object, port, selector};
use crate::facts::*;

fn protocol(protocol: Option<String>) -> String {
    protocol.filter(|one| one != "TCP").unwrap_or_default()
}

pub(super) fn service(service: core::Service, r: &Redactor) -> Service {
    let spec = service.spec.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default().into_iter().filter_map(|one| {
        Some(ServicePort {
            port: port(Some(one.port))?,
            name: one.name.unwrap_or_default(),
            target: one.target_port.map_or_else(|| one.port.to_string(), int_or_text),
            protocol: protocol(one.protocol),
            node_port: port(one.node_port),
        })
    });
    let balancer = service.status.and_then(|status| status.load_balancer);
    let balancer = balancer.and_then(|one| one.ingress).unwrap_or_default().into_iter();
    object!(Service, meta(service.metadata, r), {
        kind: spec.type_.unwrap_or_else(|| "ClusterIP".to_owned()),
        cluster_ip: spec.cluster_ip.unwrap_or_default(),
        selector: spec.selector.unwrap_or_default(),
        ports: ports.collect(),
        external_ips: spec.external_ips.unwrap_or_default(),
        load_balancer: balancer.filter_map(|one| one.ip.or(one.hostname)).collect(),
        external_name: spec.external_name.unwrap_or_default(),
        publish_not_ready: spec.publish_not_ready_addresses.unwrap_or(false),
        session_affinity: spec.session_affinity.filter(|one| one != "None").unwrap_or_default(),
    })
}

fn pod_of(target: Option<core::ObjectReference>) -> String {
    let pod = target.filter(|target| target.kind.as_deref() == Some("Pod"));
    pod.and_then(|pod| pod.name).unwrap_or_default()
}

/// The older form; where the newer one is there as well, both say the same.
pub(super) fn endpoints(
    one: core::Endpoints,
    r: &Redactor,
    into: &mut BTreeMap<String, Endpoints>,
) {
    let mut told = object!(Endpoints, meta(one.metadata, r), {
        addresses: Vec::new(),
        ports: Vec::new(),
    });
    for subset in one.subsets.unwrap_or_default() {
        let ready = subset.addresses.unwrap_or_default().into_iter().map(|one| (one, true));
        let others = subset.not_ready_addresses.unwrap_or_default().into_iter();
        for (address, ready) in ready.chain(others.map(|one| (one, false))) {
            told.addresses.push(Endpoint {
                ip: address.ip,
                ready,
                node: address.node_name.unwrap_or_default(),
                pod: pod_of(address.target_ref),
            });
        }
        let ports = subset.ports.unwrap_or_default().into_iter().filter_map(|one| {
            Some(EndpointPort {
                port: port(Some(one.port))?,
                name: one.name.unwrap_or_default(),
                protocol: protocol(one.protocol),
            })
        });
        told.ports.extend(ports);
    }
    into.entry(told.key()).or_insert(told);
}

/// One of the slices that a Service's addresses are cut into.
pub(super) fn slice(
    slice: discovery::EndpointSlice,
    r: &Redactor,
    into: &mut BTreeMap<String, Endpoints>,
) {
    let mut meta = meta(slice.metadata, r);
    if let Some(service) = meta.labels.get("kubernetes.io/service-name") {
        meta.name = service.clone();
    }
    let key = format!("{}/{}", meta.namespace, meta.name);
    let addresses = slice.endpoints.into_iter().flat_map(|one| {
        let ready = one.conditions.and_then(|conditions| conditions.ready).unwrap_or(true);
        let (node, pod) = (one.node_name.unwrap_or_default(), pod_of(one.target_ref));
        one.addresses.into_iter().map(move |ip| Endpoint {
            ip,
            ready,
            node: node.clone(),
            pod: pod.clone(),
        })
    });
    let ports = slice.ports.unwrap_or_default().into_iter().filter_map(|one| {
        Some(EndpointPort {
            port: port(one.port)?,
            name: one.name.unwrap_or_default(),
            protocol: protocol(one.protocol),
        })
    });
    let told = into
        .entry(key)
        .or_insert_with(|| object!(Endpoints, meta, { addresses: Vec::new(), ports: Vec::new() }));
    for address in addresses {
        if !told.addresses.iter().any(|known| known.ip == address.ip) {
            told.addresses.push(address);
        }
    }
    for port in ports {
        if !told.ports.contains(&port) {
            told.ports.push(port);
        }
    }
}

fn peer(peer: networking::NetworkPolicyPeer) -> Peer {
    let block = peer
        .ip_block
        .map(|block| IpBlock { cidr: block.cidr, except: block.except.unwrap_or_default() });
    Peer {
        pods: peer.pod_selector.map(selector),
        namespaces: peer.namespace_selector.map(selector),
        block,
    }
}

fn policy_port(one: networking::NetworkPolicyPort) -> PolicyPort {
    PolicyPort {
        port: one.port.map(int_or_text).unwrap_or_default(),
        end_port: port(one.end_port),
        protocol: protocol(one.protocol),
    }
}

pub(super) fn policy(policy: networking::NetworkPolicy, r: &Redactor) -> NetworkPolicy {
    let spec = policy.spec.unwrap_or_default();
    let types = spec.policy_types.unwrap_or_default();
    let limits = |kind: &str| types.iter().any(|one| one == kind);
    let egress = spec.egress.unwrap_or_default();
    // Without types a policy limits what comes, and what goes when it says something of it.
    let limits_ingress = types.is_empty() || limits("Ingress");
    let limits_egress = limits("Egress") || types.is_empty() && !egress.is_empty();
    let ingress = spec.ingress.unwrap_or_default().into_iter().map(|rule| PolicyRule {
        peers: rule.from.unwrap_or_default().into_iter().map(peer).collect(),
        ports: rule.ports.unwrap_or_default().into_iter().map(policy_port).collect(),
    });
    let egress = egress.into_iter().map(|rule| PolicyRule {
        peers: rule.to.unwrap_or_default().into_iter().map(peer).collect(),
        ports: rule.ports.unwrap_or_default().into_iter().map(policy_port).collect(),
    });
    object!(NetworkPolicy, meta(policy.metadata, r), {
        selector: spec.pod_selector.map(selector).unwrap_or_default(),
        limits_ingress,
        limits_egress,
        ingress: ingress.collect(),
        egress: egress.collect(),
    })
}

fn service_of(backend: networking::IngressBackend) -> (String, String) {
    let Some(service) = backend.service else { return Default::default() };
    let port = service.port.unwrap_or_default();
    let number = port.number.map(|number| number.to_string());
    (service.name, port.name.or(number).unwrap_or_default())
}

pub(super) fn ingress(ingress: networking::Ingress, r: &Redactor) -> Ingress {
    let spec = ingress.spec.unwrap_or_default();
    let paths = spec.rules.unwrap_or_default().into_iter().flat_map(|rule| {
        let host = rule.host.unwrap_or_default();
        let paths = rule.http.map(|http| http.paths).unwrap_or_default().into_iter();
        paths.map(move |path| {
            let (service, port) = service_of(path.backend);
            let path = path.path.unwrap_or_default();
            IngressPath { host: host.clone(), path, service, port }
        })
    });
    let tls = spec.tls.unwrap_or_default().into_iter().map(|one| IngressTls {
        hosts: one.hosts.unwrap_or_default(),
        secret: one.secret_name.unwrap_or_default(),
    });
    let balancer = ingress.status.and_then(|status| status.load_balancer);
    let balancer = balancer.and_then(|one| one.ingress).unwrap_or_default().into_iter();
    object!(Ingress, meta(ingress.metadata, r), {
        class: spec.ingress_class_name.unwrap_or_default(),
        paths: paths.collect(),
        tls: tls.collect(),
        default_service: spec.default_backend.map(|one| service_of(one).0).unwrap_or_default(),
        addresses: balancer.filter_map(|one| one.ip.or(one.hostname)).collect(),
    })
}
