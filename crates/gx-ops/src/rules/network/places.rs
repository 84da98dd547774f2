//! Where workloads are told to go, by their environment.

use std::collections::BTreeSet;

use super::reach::{Spot, Wanted};
use crate::facts::{Container, KeyRef, Service, Snapshot, Value, Workload, environment};

/// A server that a workload is told to use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Name of the variable that says so.
    pub(super) variable: String,
    /// Whether it is one of all settings of an object that several workloads take as a whole, of
    /// which each uses what is its own.
    pub(super) is_shared: bool,
}

impl Place {
    /// The same setting for all workloads of a namespace.
    pub(super) fn key(&self, namespace: &str) -> (String, String, Option<u16>) {
        (format!("{namespace} {}", self.variable), self.host.clone(), self.port)
    }
}

/// What the environment of a workload says.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) known: BTreeSet<Place>,
    /// Variables whose values stand in objects that were not collected.
    pub(super) unknown: BTreeSet<String>,
}

/// Last words of variables that name servers.
const WORDS: [&str; 13] = [
    "ADDR",
    "ADDRESS",
    "BROKERS",
    "ENDPOINT",
    "ENDPOINTS",
    "HOST",
    "HOSTNAME",
    "ORDERER",
    "PEER",
    "PEERS",
    "SERVER",
    "URI",
    "URL",
];

/// Ports of servers whose addresses name none.
const PORTS: [(&str, u16); 11] = [
    ("amqp", 5672),
    ("couchdb", 5984),
    ("http", 80),
    ("https", 443),
    ("mongodb", 27017),
    ("mysql", 3306),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("redis", 6379),
    ("rediss", 6379),
    ("smtp", 25),
];

/// All servers that a workload is told to use.
pub(super) fn places(snapshot: &Snapshot, workload: &Workload) -> Places {
    let mut places = Places::default();
    for container in workload.template.spec.all_containers() {
        let own = environment(container);
        for (name, env) in &own {
            if let Some(value) = &env.value {
                let port = sibling(snapshot, workload, container, name);
                add(&mut places, name, value, port, false);
            } else if let Some(from) = &env.from {
                match values(snapshot, workload, from) {
                    Some(values) => {
                        let port = sibling(snapshot, workload, container, name);
                        values
                            .iter()
                            .for_each(|(_, value)| add(&mut places, name, value, port, false));
                    }
                    None if !from.optional => {
                        places.unknown.insert((*name).to_owned());
                    }
                    None => {}
                }
            }
        }
        for from in &container.env_from {
            match values(snapshot, workload, from) {
                Some(values) => {
                    for (name, value) in &values {
                        let beside = port_name(name);
                        let beside =
                            values.iter().find(|(other, _)| Some(*other) == beside.as_deref());
                        let port = beside.and_then(|(_, value)| value.plain()?.parse().ok());
                        add(&mut places, name, value, port, true);
                    }
                }
                None if !from.optional => {
                    places.unknown.insert(format!("{} {}", from.kind, from.name));
                }
                None => {}
            }
        }
    }
    places
}

/// The keys of a Secret or ConfigMap that a reference means; none when it was not collected.
fn values<'a>(
    snapshot: &'a Snapshot,
    workload: &Workload,
    from: &KeyRef,
) -> Option<Vec<(&'a str, &'a Value)>> {
    let data = match from.kind.as_str() {
        "Secret" => &snapshot.secret(&workload.namespace, &from.name)?.data,
        _ => &snapshot.config_map(&workload.namespace, &from.name)?.data,
    };
    let wanted = data.iter().filter(|(key, _)| from.key.is_empty() || **key == from.key);
    Some(wanted.map(|(key, value)| (key.as_str(), value)).collect())
}

/// `DB_PORT` of `DB_HOST`.
fn port_name(name: &str) -> Option<String> {
    let (stem, _) = name.rsplit_once('_')?;
    Some(format!("{stem}_PORT"))
}

fn sibling(
    snapshot: &Snapshot,
    workload: &Workload,
    container: &Container,
    name: &str,
) -> Option<u16> {
    let wanted = port_name(name)?;
    let own = environment(container);
    if let Some(env) = own.get(wanted.as_str()) {
        let direct = env.value.as_ref().and_then(Value::plain);
        let from = env.from.as_ref().and_then(|from| values(snapshot, workload, from));
        let from = from.and_then(|values| values.first().and_then(|(_, value)| value.plain()));
        return direct.or(from)?.parse().ok();
    }
    None
}

fn add(places: &mut Places, name: &str, value: &Value, port: Option<u16>, is_shared: bool) {
    let upper = name.to_ascii_uppercase();
    // Where pages come from that may call is nowhere to go.
    if upper.contains("ORIGIN") {
        return;
    }
    let said = |host: &str, port| Place {
        host: host.to_owned(),
        port,
        variable: name.to_owned(),
        is_shared,
    };
    if let Some(dsn) = value.dsn() {
        let default = PORTS.iter().find(|(scheme, _)| *scheme == dsn.scheme).map(|(_, port)| *port);
        insert(places, said(&dsn.host, dsn.port.or(port).or(default)));
        return;
    }
    let last = upper.rsplit(['_', '-', '.']).next().unwrap_or_default();
    let Some(text) = value.plain().filter(|_| WORDS.contains(&last)) else { return };
    for one in text.split(',').map(str::trim) {
        let (host, own) = match one.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (one, None),
        };
        insert(places, said(host, own.or(port)));
    }
}

fn insert(places: &mut Places, place: Place) {
    let host = place.host.as_str();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_own =
        host.starts_with("127.") || ["localhost", "0.0.0.0", "true", "false"].contains(&host);
    if !host.is_empty() && !is_own && host.chars().all(is_name) {
        places.known.insert(place);
    }
}

/// The Service that a name means in a namespace: `db`, `db.ns`, `db.ns.svc…`, and the same with one
/// of its pods before it.
pub(super) fn service_of<'a>(
    snapshot: &'a Snapshot,
    namespace: &str,
    host: &str,
) -> Option<&'a Service> {
    let parts: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    match parts.as_slice() {
        [name] => snapshot.service(namespace, name),
        [first, second] => {
            snapshot.service(second, first).or_else(|| snapshot.service(namespace, second))
        }
        [name, of, "svc", ..] => snapshot.service(of, name),
        [_, name, of] | [_, name, of, "svc", ..] => snapshot.service(of, name),
        _ => None,
    }
}

/// Whether a name is one that only a cluster knows.
pub(super) fn is_inner(host: &str) -> bool {
    !host.contains('.') || host.split('.').any(|part| part == "svc") || host.ends_with(".local")
}

/// The workloads behind a Service.
pub(super) fn behind<'a>(snapshot: &'a Snapshot, service: &Service) -> Vec<&'a Workload> {
    if service.selector.is_empty() {
        return Vec::new();
    }
    let labels = |one: &Workload| {
        let wanted = &mut service.selector.iter();
        wanted.all(|(key, value)| one.template.labels.get(key) == Some(value))
    };
    let workloads = snapshot.top_workloads_in(&service.namespace);
    workloads.filter(|one| one.is_lasting() && labels(one)).collect()
}

/// The container's port that a Service leads to; none when the containers have none of that name.
pub(super) fn target_port(target: &str, containers: &[Container]) -> Option<u16> {
    if let Ok(number) = target.parse() {
        return Some(number);
    }
    let mut ports = containers.iter().flat_map(|one| &one.ports);
    ports.find(|port| port.name == target).map(|port| port.port)
}

/// Where a place is in the cluster: the workloads behind it, with the port of their pods.
pub(super) fn targets<'a>(
    snapshot: &'a Snapshot,
    namespace: &str,
    place: &Place,
) -> Vec<(&'a Workload, Spot<'a>, Wanted)> {
    let Some(service) = service_of(snapshot, namespace, &place.host) else { return Vec::new() };
    let ports = service.ports.iter().filter(|one| place.port.is_none_or(|port| one.port == port));
    let mut targets = Vec::new();
    for port in ports {
        for workload in behind(snapshot, service) {
            let containers = &workload.template.spec.containers;
            if let Some(target) = target_port(&port.target, containers) {
                let wanted = Wanted { port: target, is_udp: port.protocol == "UDP" };
                targets.push((workload, Spot::of(snapshot, workload), wanted));
            }
        }
    }
    targets
}
