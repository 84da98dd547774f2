//! Network policies: everything is denied, then the pairs of the table are let through.
//!
//! A workload's policy is what the table says of it as one end. Pairs with the other namespace of
//! the network stand with the network, since they name that namespace.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::parts::{Labels, labels, match_labels, named, selector};
use super::{Error, value};
use crate::model::{
    End, NetworkId, Outside, PAIRS_OF_ALL, Pair, Part, SOLVER_PORT, Service, Workload,
    operator_pairs, pairs, promotion_pairs, tracing_pairs,
};

/// Label that every namespace has without anybody's doing.
pub(super) const NAMESPACE: &str = "kubernetes.io/metadata.name";

/// Addresses that documentation is written with: nothing is there until a site states its own.
pub(super) const NOWHERE: &str = "192.0.2.0/24";

/// Networks that are nobody's on the internet.
const PRIVATE: [&str; 12] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
];

/// What the table says of a workload, within its namespace and towards the cluster's own parts.
pub(super) fn of(workload: Workload) -> Result<Vec<Value>, Error> {
    let me = End::Pods(workload);
    let near = |end: End| end.part().is_none_or(|part| part == workload.part());
    let mut into: BTreeMap<u16, BTreeSet<End>> = BTreeMap::new();
    let mut out: BTreeMap<u16, BTreeSet<End>> = BTreeMap::new();
    for pair in pairs() {
        if pair.to == me && near(pair.from) {
            into.entry(pair.port).or_default().insert(pair.from);
        }
        if pair.from == me && near(pair.to) && !matches!(pair.to, End::Outside(_)) {
            out.entry(pair.port).or_default().insert(pair.to);
        }
    }
    policy(&workload.name(), workload, into, out)
}

/// What the table says of a workload and the network's other namespace.
pub(super) fn across(network: NetworkId, part: Part) -> Result<Vec<Value>, Error> {
    let mut objects = Vec::new();
    for workload in Workload::all().into_iter().filter(|one| one.part() == part) {
        let me = End::Pods(workload);
        let far = |end: End| end.part().filter(|other| *other != part);
        let (mut into, mut out) = (Vec::new(), Vec::new());
        for pair in pairs() {
            let ports = Some(vec![tcp(pair.port)]);
            if let (true, Some(other)) = (pair.to == me, far(pair.from)) {
                let from = Some(vec![beyond(pair.from, &other.namespace(network))]);
                into.push(NetworkPolicyIngressRule { from, ports });
            } else if let (true, Some(other)) = (pair.from == me, far(pair.to)) {
                let to = Some(vec![beyond(pair.to, &other.namespace(network))]);
                out.push(NetworkPolicyEgressRule { to, ports });
            }
        }
        if !into.is_empty() || !out.is_empty() {
            let name = format!("{}-across", workload.name());
            objects.push(written(&name, workload, into, out)?);
        }
    }
    Ok(objects)
}

fn policy(
    name: &str,
    workload: Workload,
    into: BTreeMap<u16, BTreeSet<End>>,
    out: BTreeMap<u16, BTreeSet<End>>,
) -> Result<Vec<Value>, Error> {
    if into.is_empty() && out.is_empty() {
        return Ok(Vec::new());
    }
    let peers = |ends: BTreeSet<End>| Some(ends.into_iter().map(peer).collect::<Vec<_>>());
    let into = into.into_iter().map(|(port, ends)| NetworkPolicyIngressRule {
        from: peers(ends),
        ports: Some(vec![tcp(port)]),
    });
    let out = out.into_iter().map(|(port, ends)| NetworkPolicyEgressRule {
        to: peers(ends),
        ports: Some(vec![tcp(port)]),
    });
    Ok(vec![written(name, workload, into.collect(), out.collect())?])
}

fn written(
    name: &str,
    workload: Workload,
    into: Vec<NetworkPolicyIngressRule>,
    out: Vec<NetworkPolicyEgressRule>,
) -> Result<Value, Error> {
    let types = [("Ingress", into.is_empty()), ("Egress", out.is_empty())];
    let types = types.into_iter().filter(|(_, empty)| !empty);
    value(&NetworkPolicy {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels(workload)),
            ..ObjectMeta::default()
        },
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(match_labels(selector(workload))),
            policy_types: Some(types.map(|(name, _)| name.to_owned()).collect()),
            ingress: Some(into).filter(|rules| !rules.is_empty()),
            egress: Some(out).filter(|rules| !rules.is_empty()),
        }),
    })
}

fn tcp(port: u16) -> NetworkPolicyPort {
    over("TCP", port)
}

fn over(protocol: &str, port: u16) -> NetworkPolicyPort {
    NetworkPolicyPort {
        port: Some(IntOrString::Int(port.into())),
        protocol: Some(protocol.to_owned()),
        end_port: None,
    }
}

fn namespace(name: &str) -> LabelSelector {
    match_labels(Labels::from([(NAMESPACE.to_owned(), name.to_owned())]))
}

fn dns() -> NetworkPolicyPeer {
    let pods = Labels::from([("k8s-app".to_owned(), "kube-dns".to_owned())]);
    NetworkPolicyPeer {
        namespace_selector: Some(namespace("kube-system")),
        pod_selector: Some(match_labels(pods)),
        ip_block: None,
    }
}

/// Namespaces of parts that are not ours, as their own manuals name them.
fn peer(end: End) -> NetworkPolicyPeer {
    let whole = |name: &str| NetworkPolicyPeer {
        namespace_selector: Some(namespace(name)),
        ..NetworkPolicyPeer::default()
    };
    match end {
        End::Pods(workload) => NetworkPolicyPeer {
            pod_selector: Some(match_labels(selector(workload))),
            ..NetworkPolicyPeer::default()
        },
        End::Dns => dns(),
        End::Ingress => whole("ingress-nginx"),
        End::Monitoring => whole("monitoring"),
        End::Solver => NetworkPolicyPeer {
            pod_selector: Some(match_labels(solver_labels())),
            ..NetworkPolicyPeer::default()
        },
        End::DatabaseOperator => whole("cnpg-system"),
        End::Outside(outside) => block(outside),
    }
}

fn beyond(end: End, name: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer { namespace_selector: Some(namespace(name)), ..peer(end) }
}

fn block(outside: Outside) -> NetworkPolicyPeer {
    let ip_block = match outside {
        Outside::Mail | Outside::Documents => IPBlock { cidr: NOWHERE.to_owned(), except: None },
        // Where it is differs from cluster to cluster; nothing else listens on its port.
        Outside::Api => IPBlock { cidr: "0.0.0.0/0".to_owned(), except: None },
        Outside::Webhooks => IPBlock {
            cidr: "0.0.0.0/0".to_owned(),
            except: Some(PRIVATE.map(str::to_owned).to_vec()),
        },
    };
    NetworkPolicyPeer { ip_block: Some(ip_block), ..NetworkPolicyPeer::default() }
}

/// The name of the policy that lets a workload out to some addresses.
pub(super) fn outside_name(workload: Workload, outside: Outside) -> String {
    format!("{}-to-{}", workload.name(), outside.as_str())
}

/// Pairs with addresses outside of the cluster, each in a policy that a site can put its own
/// addresses into.
pub(super) fn outside() -> Result<Vec<Value>, Error> {
    let mut objects = Vec::new();
    for pair in pairs() {
        let (End::Pods(workload), End::Outside(outside)) = (pair.from, pair.to) else { continue };
        let rule = NetworkPolicyEgressRule {
            to: Some(vec![block(outside)]),
            ports: Some(vec![tcp(pair.port)]),
        };
        let name = outside_name(workload, outside);
        objects.push(written(&name, workload, Vec::new(), vec![rule])?);
    }
    Ok(objects)
}

/// The label that cert-manager gives to the pods that answer an authority.
fn solver_labels() -> Labels {
    Labels::from([("acme.cert-manager.io/http01-solver".to_owned(), "true".to_owned())])
}

/// Lets the controller reach the pods that answer an authority of certificates.
pub(super) fn solver() -> Result<Value, Error> {
    let rule = NetworkPolicyIngressRule {
        from: Some(vec![peer(End::Ingress)]),
        ports: Some(vec![tcp(SOLVER_PORT)]),
    };
    value(&NetworkPolicy {
        metadata: named("certificate-solver"),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(match_labels(solver_labels())),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(vec![rule]),
            egress: None,
        }),
    })
}

/// What an operator's database needs beside the table.
pub(super) fn operator() -> Result<Vec<Value>, Error> {
    let database = Workload::Postgres;
    let me = End::Pods(database);
    let (mut into, mut out) = (BTreeMap::new(), BTreeMap::new());
    for pair in operator_pairs() {
        if pair.to == me {
            into.entry(pair.port).or_insert_with(BTreeSet::new).insert(pair.from);
        }
        if pair.from == me {
            out.entry(pair.port).or_insert_with(BTreeSet::new).insert(pair.to);
        }
    }
    policy("postgres-operator", database, into, out)
}

/// What a promoter needs beside the table, in its namespace.
pub(super) fn promotion(namespace: &str) -> Result<Vec<Value>, Error> {
    let promoter = Workload::Service(Service::Admin);
    out_of(namespace, "promotion", promoter, promotion_pairs())
}

/// What whoever exports traces needs beside the table, in its namespace.
pub(super) fn tracing(namespace: &str) -> Result<Vec<Value>, Error> {
    let mut objects = Vec::new();
    for pair in tracing_pairs() {
        let End::Pods(workload) = pair.from else { continue };
        let name = format!("{}-traces", workload.name());
        objects.extend(out_of(namespace, &name, workload, vec![pair])?);
    }
    Ok(objects)
}

/// Pairs that lead out of the pods of a workload, as a policy in a namespace.
fn out_of(
    namespace: &str,
    name: &str,
    workload: Workload,
    pairs: Vec<Pair>,
) -> Result<Vec<Value>, Error> {
    let mut out: BTreeMap<u16, BTreeSet<End>> = BTreeMap::new();
    for pair in pairs {
        out.entry(pair.port).or_default().insert(pair.to);
    }
    let mut found = policy(name, workload, BTreeMap::new(), out)?;
    for one in &mut found {
        if let Some(metadata) = one.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
    }
    Ok(found)
}

/// What holds for every pod of a namespace: nothing in, nothing out, but names may be asked for.
pub(super) fn defaults(namespace: &str) -> Result<Vec<Value>, Error> {
    let policy = |name: &str, types: &[&str], egress| NetworkPolicy {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector::default()),
            policy_types: Some(types.iter().map(|one| (*one).to_owned()).collect()),
            egress,
            ingress: None,
        }),
    };
    let ports = vec![over("UDP", PAIRS_OF_ALL), over("TCP", PAIRS_OF_ALL)];
    let ask = NetworkPolicyEgressRule { to: Some(vec![dns()]), ports: Some(ports) };
    Ok(vec![
        value(&policy("default-deny", &["Ingress", "Egress"], None))?,
        value(&policy("name-server", &["Egress"], Some(vec![ask])))?,
    ])
}
