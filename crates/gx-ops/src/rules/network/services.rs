//! Services and Ingresses, and what stands behind them.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{Component, component, lasting, tally};
use super::super::{Findings, Problem};
use super::cidr::Cidr;
use super::is_acme;
use super::places::{behind, target_port};
use crate::facts::{
    Fact, Ingress, Issuer, Object as _, ObjectRef, Service, Snapshot, Value, Workload,
};

/// NET-11
pub(super) fn nothing_behind(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let services = snapshot.services.items().iter();
    for service in services.filter(|one| !one.selector.is_empty() && one.kind != "ExternalName") {
        let mut all = snapshot.endpoints.items().iter();
        let own = all.find(|one| one.namespace == service.namespace && one.name == service.name);
        if own.is_none() && !snapshot.endpoints.is_whole() {
            findings.unknown(service.reference(), "not all endpoints are known");
            continue;
        }
        findings.looked();
        let addresses = own.map(|own| own.addresses.as_slice()).unwrap_or_default();
        // One that is announced before it is ready is meant to be.
        if addresses.iter().any(|one| one.ready || service.publish_not_ready) {
            continue;
        }
        let workloads = behind(snapshot, service);
        let is_parked = !workloads.is_empty() && workloads.iter().all(|one| one.replicas == 0);
        let evidence = match (addresses.len(), is_parked) {
            (_, true) => "what is behind it is scaled to zero".to_owned(),
            (0, false) => "no pod has the labels that it selects".to_owned(),
            (count, false) => format!("none of {count} addresses is ready"),
        };
        let severity = if is_parked { Severity::Medium } else { Severity::High };
        let mut problem = Problem::new(service.reference(), evidence).severity(severity);
        problem.because = workloads.first().map(|one| one.reference());
        findings.add(problem.field("spec.selector"));
    }
    findings
}

/// NET-12
pub(super) fn wrong_port(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for service in snapshot.services.items() {
        let mut wrong = BTreeSet::new();
        let mut silent = BTreeSet::new();
        for workload in behind(snapshot, service) {
            let containers = &workload.template.spec.containers;
            let known: BTreeSet<u16> =
                containers.iter().flat_map(|one| &one.ports).map(|port| port.port).collect();
            for port in &service.ports {
                match target_port(&port.target, containers) {
                    // A container may listen at ports that it does not declare, when it declares
                    // none.
                    Some(_) if known.is_empty() => {
                        silent.insert(workload.name.as_str());
                    }
                    Some(number) if known.contains(&number) => findings.looked(),
                    _ => {
                        let has: Vec<String> = known.iter().map(u16::to_string).collect();
                        wrong.insert(format!(
                            "{} leads to {}, {} has {}",
                            port.port,
                            port.target,
                            workload.name,
                            if has.is_empty() { "no such port".to_owned() } else { has.join(", ") }
                        ));
                    }
                }
            }
        }
        if !wrong.is_empty() {
            findings.looked();
            let told: Vec<String> = wrong.into_iter().collect();
            let problem = Problem::new(service.reference(), told.join("; "));
            findings.add(problem.field("spec.ports[].targetPort"));
        } else if !silent.is_empty() {
            let names: Vec<&str> = silent.into_iter().collect();
            let what = format!("the containers of {} declare no ports", names.join(", "));
            findings.unknown(service.reference(), what);
        }
    }
    findings
}

/// NET-13
pub(super) fn no_backend(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ingress in snapshot.ingresses.items() {
        let mut wrong = BTreeSet::new();
        let named = ingress.paths.iter().map(|path| (path.service.as_str(), path.port.as_str()));
        let named = named.chain([(ingress.default_service.as_str(), "")]);
        for (name, port) in named.filter(|(name, _)| !name.is_empty()) {
            let service = snapshot.service(&ingress.namespace, name);
            let Some(service) = service else {
                if snapshot.services.is_whole() {
                    wrong.insert(format!("there is no Service {name}"));
                } else {
                    findings.unknown(ingress.reference(), "not all Services are known");
                }
                continue;
            };
            findings.looked();
            let has = service
                .ports
                .iter()
                .any(|one| one.port.to_string() == port || one.name == port && !port.is_empty());
            if !has && !port.is_empty() {
                wrong.insert(format!("{name} has no port {port}"));
            }
        }
        if !wrong.is_empty() {
            findings.looked();
            let told: Vec<String> = wrong.into_iter().collect();
            let problem = Problem::new(ingress.reference(), told.join("; "));
            findings.add(problem.field("spec.rules[].http.paths[].backend"));
        }
    }
    findings
}

/// Ports of stores.
const STORES: [u16; 6] = [3306, 5432, 5984, 6379, 26379, 27017];

/// Whether what is behind a Service keeps data.
pub(super) fn is_store(snapshot: &Snapshot, service: &Service) -> bool {
    use Component::{CouchDb, Postgres, Redis, Sentinel};
    let is = |name: &str| matches!(component(name), Postgres | Redis | Sentinel | CouchDb);
    let by_port = service.ports.iter().any(|port| {
        STORES.contains(&port.port) || port.target.parse().is_ok_and(|one| STORES.contains(&one))
    });
    by_port || is(&service.name) || behind(snapshot, service).iter().any(|one| is(&one.name))
}

/// NET-14
pub(super) fn open_store(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for service in snapshot.services.items() {
        if !is_store(snapshot, service) {
            continue;
        }
        findings.looked();
        let is_open = ["LoadBalancer", "NodePort"].contains(&service.kind.as_str());
        if !is_open && service.external_ips.is_empty() {
            continue;
        }
        let nodes = service.ports.iter().filter_map(|port| port.node_port);
        let ports: Vec<String> = nodes.map(|port| port.to_string()).collect();
        let evidence = match (is_open, ports.is_empty()) {
            (true, false) => format!("{}, at {} of every node", service.kind, ports.join(", ")),
            (true, true) => service.kind.clone(),
            (false, _) => format!("it answers at {}", service.external_ips.join(", ")),
        };
        findings.add(Problem::new(service.reference(), evidence).field("spec.type"));
    }
    findings
}

/// NET-16
pub(super) fn no_address(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let services = snapshot.services.items().iter();
    for service in services.filter(|one| one.kind == "LoadBalancer") {
        findings.looked();
        if service.load_balancer.is_empty() {
            let evidence = "no balancer has given it an address";
            findings.add(Problem::new(service.reference(), evidence));
        }
    }
    findings
}

/// Literal addresses of pods in a text of a configuration.
fn literals<'a>(text: &'a str, ranges: &[Cidr]) -> Vec<&'a str> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    let is_pod = |word: &&str| {
        word.parse().is_ok_and(|address| ranges.iter().any(|range| range.has(address)))
    };
    words.filter(is_pod).collect()
}

/// NET-18
pub(super) fn fixed_address(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let nodes = snapshot.nodes.items().iter();
    let ranges: Vec<Cidr> =
        nodes.flat_map(|node| &node.pod_cidrs).filter_map(|one| Cidr::read(one)).collect();
    if ranges.is_empty() {
        let subject = ObjectRef::global("Cluster", "pod-cidr");
        findings.unknown(subject, "no node tells the addresses of its pods");
        return findings;
    }
    for workload in lasting(snapshot) {
        findings.looked();
        let mut found = BTreeSet::new();
        for container in workload.template.spec.all_containers() {
            for env in &container.env {
                let text = match &env.value {
                    Some(Value::Plain(text)) => text.as_str(),
                    Some(Value::Dsn(dsn)) => dsn.host.as_str(),
                    Some(Value::Hidden(_)) | None => continue,
                };
                let addresses = literals(text, &ranges);
                found.extend(addresses.into_iter().map(|one| format!("{} is {one}", env.name)));
            }
        }
        if !found.is_empty() {
            let told: Vec<String> = found.into_iter().collect();
            let problem = Problem::new(workload.reference(), told.join("; "));
            findings.add(problem.field("spec.template.spec.containers[].env"));
        }
    }
    for map in snapshot.config_maps.items() {
        findings.looked();
        let found: Vec<&str> =
            map.places.iter().flat_map(|place| literals(place, &ranges)).collect();
        // What the cluster's own parts keep there they change themselves.
        if !found.is_empty() && map.namespace != "kube-system" {
            let evidence = format!("it names {}", found.join(", "));
            findings.add(Problem::new(map.reference(), evidence).field("data"));
        }
    }
    for host in snapshot.hosts.items() {
        let rules = host.dnat.get().into_iter().flatten();
        let found: Vec<String> = rules
            .filter(|rule| !literals(&rule.target, &ranges).is_empty())
            .map(|rule| format!("port {} is led to {}", rule.port, rule.target))
            .collect();
        if !found.is_empty() {
            let subject = ObjectRef::global("Host", &host.name);
            findings.add(Problem::new(subject, found.join("; ")));
        }
    }
    for fact in [Fact::ConfigMaps, Fact::Hosts] {
        if let Some(why) = snapshot.lacks(fact) {
            let subject = ObjectRef::global("Cluster", fact.name());
            findings.unknown_but(subject, format!("what they name: {why}"), fact.how());
        }
    }
    findings
}

/// NET-20
pub(super) fn one_name_server(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let is_server = |one: &&Workload| {
        one.namespace == "kube-system"
            && (one.template.labels.get("k8s-app").is_some_and(|app| app == "kube-dns")
                || one.name == "coredns")
    };
    let servers: Vec<&Workload> = lasting(snapshot).filter(is_server).collect();
    if servers.is_empty() {
        let subject = ObjectRef::new("Deployment", "kube-system", "coredns");
        findings.unknown(subject, "which pods resolve names");
    }
    for server in servers {
        findings.looked();
        let pods = snapshot.pods_of(server).into_iter();
        // Running is not ready.
        let ready: Vec<&str> =
            pods.filter(|pod| pod.is_ready()).map(|pod| pod.node.as_str()).collect();
        let nodes = tally(ready.iter().copied());
        let evidence = match (ready.len(), nodes.len()) {
            (0 | 1, _) => format!("{} of {} replicas are ready", ready.len(), server.replicas),
            (count, 1) => {
                let node = ready.first().copied().unwrap_or_default();
                format!("all {count} ready replicas are on {node}")
            }
            _ => continue,
        };
        findings.add(Problem::new(server.reference(), evidence).field("spec.replicas"));
    }
    findings
}

/// The issuer that an Ingress asks for, by the name in its annotations.
fn asked(ingress: &Ingress) -> Option<&str> {
    let keys = ["cert-manager.io/cluster-issuer", "cert-manager.io/issuer"];
    keys.iter().find_map(|key| ingress.annotations.get(*key)?.plain())
}

/// NET-24
pub(super) fn trial_certificate(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut asking: BTreeMap<ObjectRef, (&str, &str)> = BTreeMap::new();
    for ingress in snapshot.ingresses.items() {
        if let Some(issuer) = asked(ingress).filter(|_| snapshot.is_mainnet(&ingress.namespace)) {
            asking.insert(ingress.reference(), (&ingress.namespace, issuer));
        }
    }
    for certificate in snapshot.managed_certificates.items() {
        if snapshot.is_mainnet(&certificate.namespace) {
            // Those that are made for an Ingress are its consequence.
            let is_own = certificate.owner.as_ref().is_none_or(|owner| owner.kind != "Ingress");
            if is_own {
                let place = (certificate.namespace.as_str(), certificate.issuer.as_str());
                asking.insert(certificate.reference(), place);
            }
        }
    }
    for (subject, (namespace, name)) in asking {
        let mut issuers = snapshot.issuers.items().iter();
        let is_near = |one: &&Issuer| one.namespace.is_empty() || one.namespace == namespace;
        let issuer = issuers.find(|one| one.name == name && is_near(one));
        // The server says what it is; the name only what somebody meant.
        let is_trial = match issuer {
            Some(issuer) if is_acme(issuer) => issuer.acme_server.contains("staging"),
            Some(_) => false,
            None if name.contains("staging") => true,
            None => {
                let what = format!("whether {name} is one for trials was not collected");
                findings.unknown_but(subject, what, Fact::Issuers.how());
                continue;
            }
        };
        findings.looked();
        if is_trial {
            let field = "metadata.annotations";
            findings.add(Problem::new(subject, format!("{name} signs for trials")).field(field));
        }
    }
    findings
}

/// Whether an Ingress leads to what administrators use.
fn is_admin(ingress: &Ingress) -> bool {
    let has = |text: &str| text.split(['-', '.', '/', '_']).any(|word| word == "admin");
    has(&ingress.name)
        || ingress.paths.iter().any(|path| has(&path.host) || has(&path.path) || has(&path.service))
}

/// NET-25
pub(super) fn open_admin(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ingress in snapshot.ingresses.items().iter().filter(|one| is_admin(one)) {
        findings.looked();
        let covers = |name: &str, host: &str| {
            let beyond = name.strip_prefix("*.");
            name == host
                || beyond.is_some_and(|rest| {
                    host.split_once('.').is_some_and(|(_, parent)| parent == rest)
                })
        };
        let is_covered = |host: &str| {
            let mut named = ingress.tls.iter().flat_map(|tls| &tls.hosts);
            named.any(|name| covers(name, host))
        };
        let hosts: BTreeSet<&str> = ingress.paths.iter().map(|path| path.host.as_str()).collect();
        let bare: Vec<&str> = hosts.into_iter().filter(|host| !is_covered(host)).collect();
        let mut wrong = Vec::new();
        if ingress.tls.is_empty() || !bare.is_empty() {
            let names: Vec<&str> = bare
                .into_iter()
                .map(|host| if host.is_empty() { "any host" } else { host })
                .collect();
            wrong.push(format!("without TLS: {}", names.join(", ")));
        }
        let of = |key: &str| {
            let key = format!("nginx.ingress.kubernetes.io/{key}");
            ingress
                .annotations
                .get(&key)
                .map(|value| value.plain().unwrap_or("(hidden)").to_owned())
        };
        let is_shared = of("enable-cors").is_some_and(|value| value == "true");
        // Unless it says otherwise everybody is asked in.
        let origins = of("cors-allow-origin").unwrap_or_else(|| "*".to_owned());
        if is_shared && origins.split(',').any(|one| one.trim() == "*") {
            wrong.push("pages of every origin may use it".to_owned());
        }
        if !wrong.is_empty() {
            let problem = Problem::new(ingress.reference(), wrong.join("; "));
            findings.add(problem.field("spec.tls"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_texts() {
        let ranges = [Cidr::read("10.42.0.0/24").unwrap()];
        assert_eq!(literals("grpc://10.42.0.7:7051,10.43.0.7", &ranges), ["10.42.0.7"]);
        assert!(literals("version 10.42.0 and 10.42.0.300", &ranges).is_empty());
    }
}
