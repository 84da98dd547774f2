//! Who reaches whom, computed from the rendered policies by the rules of Kubernetes, is the table.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use gx_deploy::model::{
    End, NetworkId, Outside, Pair, Part, Workload, operator_pairs, pairs, promotion_pairs,
    tracing_pairs,
};
use serde_json::Value;

use crate::render::{
    Pods, at, component, has_kubectl, kustomize, list, matches, named, pods, text,
};

/// Something that connects or is connected to.
#[derive(Debug, Clone)]
struct Party {
    name: String,
    namespace: String,
    labels: BTreeMap<String, String>,
    /// Outside of the cluster.
    address: Option<Ipv4Addr>,
    /// Whether policies of ours select it.
    is_ours: bool,
}

/// The name of a pod's group in the table.
fn group(pods: &Pods) -> String {
    let owner = pods.owner.as_str();
    let all = Workload::all().into_iter();
    let mut found = all.filter(|one| one.owners().iter().any(|name| name == owner));
    found.next().unwrap_or_else(|| panic!("{owner} is not in the model")).name()
}

fn parties(objects: &[Value]) -> Vec<Party> {
    let ours = pods(objects).into_iter().map(|pods| Party {
        name: group(&pods),
        namespace: pods.namespace.clone(),
        labels: pods.labels.clone(),
        address: None,
        is_ours: true,
    });
    let of_cluster = |end: End, namespace: &str, label: (&str, &str)| Party {
        name: end.name(),
        namespace: namespace.to_owned(),
        labels: BTreeMap::from([(label.0.to_owned(), label.1.to_owned())]),
        address: None,
        is_ours: false,
    };
    let outside = |outside: Outside, address: [u8; 4]| Party {
        name: End::Outside(outside).name(),
        namespace: String::new(),
        labels: BTreeMap::new(),
        address: Some(address.into()),
        is_ours: false,
    };
    let mut all: Vec<Party> = ours.collect();
    let home = all.iter().find(|one| one.name == "projector").unwrap().namespace.clone();
    all.extend([
        of_cluster(End::Dns, "kube-system", ("k8s-app", "kube-dns")),
        of_cluster(End::Ingress, "ingress-nginx", ("app", "controller")),
        of_cluster(End::Monitoring, "monitoring", ("app", "prometheus")),
        of_cluster(End::DatabaseOperator, "cnpg-system", ("app", "operator")),
        // Documentation's network stands for what a site states.
        Party {
            is_ours: true,
            ..of_cluster(End::Solver, &home, ("acme.cert-manager.io/http01-solver", "true"))
        },
        outside(Outside::Mail, [192, 0, 2, 10]),
        outside(Outside::Webhooks, [8, 8, 4, 4]),
    ]);
    all.push(Party {
        namespace: "default".to_owned(),
        name: "a stranger".to_owned(),
        ..all[0].clone()
    });
    if let Some(stranger) = all.last_mut() {
        stranger.is_ours = false;
        stranger.labels = BTreeMap::new();
    }
    all
}

fn contains(block: &Value, address: Ipv4Addr) -> bool {
    let within = |cidr: &str| {
        let (network, length) = cidr.split_once('/').unwrap();
        let (network, length): (Ipv4Addr, u32) =
            (network.parse().unwrap(), length.parse().unwrap());
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        u32::from(network) & mask == u32::from(address) & mask
    };
    let except = list(block, "except").iter().any(|one| within(one.as_str().unwrap()));
    within(text(block, "cidr")) && !except
}

/// Whether one peer of a rule is a party; `home` is the policy's namespace.
fn is_peer(peer: &Value, party: &Party, home: &str) -> bool {
    let of_namespace =
        BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), party.namespace.clone())]);
    match (peer.get("ipBlock"), party.address) {
        (Some(block), Some(address)) => contains(block, address),
        (Some(_), None) | (None, Some(_)) => false,
        (None, None) => {
            let namespace = peer.get("namespaceSelector");
            let namespace =
                namespace.map_or(party.namespace == home, |one| matches(one, &of_namespace));
            let pod = peer.get("podSelector").is_none_or(|one| matches(one, &party.labels));
            namespace && pod
        }
    }
}

/// Whether policies of a party's namespace let it speak with another one in a direction.
fn lets(objects: &[Value], own: &Party, other: &Party, port: (&str, u16), direction: &str) -> bool {
    if !own.is_ours {
        return true;
    }
    let field = if direction == "Ingress" { "ingress" } else { "egress" };
    let side = if direction == "Ingress" { "from" } else { "to" };
    let mut selected = false;
    for policy in objects.iter().filter(|one| text(one, "kind") == "NetworkPolicy") {
        let (_, namespace, _) = named(policy);
        let types = list(policy, "spec/policyTypes");
        let here = namespace == own.namespace && types.iter().any(|one| one == direction);
        if !here || !matches(at(policy, "spec/podSelector"), &own.labels) {
            continue;
        }
        selected = true;
        for rule in list(policy, &format!("spec/{field}")) {
            let on_port = rule.get("ports").is_none_or(|ports| {
                ports.as_array().unwrap().iter().any(|one| {
                    text(one, "protocol") == port.0 && at(one, "port") == &Value::from(port.1)
                })
            });
            let with = rule.get(side).is_none_or(|peers| {
                peers.as_array().unwrap().iter().any(|peer| is_peer(peer, other, namespace))
            });
            if on_port && with {
                return true;
            }
        }
    }
    !selected
}

type Row = (String, String, u16);

fn computed(objects: &[Value]) -> BTreeSet<Row> {
    let parties = parties(objects);
    let mut ports: BTreeSet<(&str, u16)> =
        BTreeSet::from([("TCP", 22), ("TCP", 80), ("TCP", 443), ("UDP", 53)]);
    for policy in objects.iter().filter(|one| text(one, "kind") == "NetworkPolicy") {
        let rules = list(policy, "spec/ingress").iter().chain(list(policy, "spec/egress"));
        for port in rules.flat_map(|rule| list(rule, "ports")) {
            ports.insert(("TCP", u16::try_from(at(port, "port").as_u64().unwrap()).unwrap()));
        }
    }
    let mut rows = BTreeSet::new();
    for from in &parties {
        for to in parties.iter().filter(|to| from.is_ours || to.is_ours) {
            for port in ports.iter().copied() {
                let out = lets(objects, from, to, port, "Egress");
                if out && lets(objects, to, from, port, "Ingress") {
                    rows.insert((from.name.clone(), to.name.clone(), port.1));
                }
            }
        }
    }
    rows
}

fn table(network: NetworkId) -> BTreeSet<Row> {
    let mut all = pairs();
    if network == NetworkId::Mainnet {
        all.extend(operator_pairs());
    }
    rows(all)
}

fn rows(all: Vec<Pair>) -> BTreeSet<Row> {
    let mut rows: BTreeSet<Row> =
        all.into_iter().map(|pair| (pair.from.name(), pair.to.name(), pair.port)).collect();
    for workload in Workload::all() {
        rows.insert((workload.name(), End::Dns.name(), 53));
    }
    rows.insert((End::Solver.name(), End::Dns.name(), 53));
    // The documentation's network is where mail and documents both are until a site says better,
    // and the API's port is open to everywhere.
    let same = |row: &Row| row.1 == End::Outside(Outside::Documents).name();
    let documents: Vec<Row> = rows.iter().filter(|row| same(row)).cloned().collect();
    rows.retain(|row| !same(row));
    rows.extend(
        documents
            .into_iter()
            .map(|(from, _, port)| (from, End::Outside(Outside::Mail).name(), port)),
    );
    let api: Vec<Row> =
        rows.iter().filter(|row| row.1 == End::Outside(Outside::Api).name()).cloned().collect();
    rows.retain(|row| row.1 != End::Outside(Outside::Api).name());
    for (from, _, port) in api {
        for outside in [Outside::Mail, Outside::Webhooks] {
            rows.insert((from.clone(), End::Outside(outside).name(), port));
        }
    }
    rows
}

#[test]
fn the_policies_let_through_what_the_table_says_and_nothing_else() {
    if !has_kubectl("reachability") {
        return;
    }
    for network in NetworkId::ALL {
        let objects = kustomize(&format!("networks/{network}"));
        is_the_table(network, &computed(&objects), &table(network));
    }
}

fn is_the_table(network: NetworkId, computed: &BTreeSet<Row>, table: &BTreeSet<Row>) {
    let more: Vec<&Row> = computed.difference(table).collect();
    let less: Vec<&Row> = table.difference(computed).collect();
    assert!(more.is_empty() && less.is_empty(), "{network}: more {more:?}, less {less:?}");
}

#[test]
fn a_promoter_reaches_the_cluster_and_nobody_else_does() {
    if !has_kubectl("reachability of a promoter") {
        return;
    }
    let policies = component("promotion/mainnet/promotion.yaml");
    let mut objects = kustomize("networks/mainnet");
    objects.extend(policies.into_iter().filter(|one| text(one, "kind") == "NetworkPolicy"));
    let mut all = pairs();
    all.extend(operator_pairs());
    all.extend(promotion_pairs());
    is_the_table(NetworkId::Mainnet, &computed(&objects), &rows(all));
}

#[test]
fn whoever_exports_traces_reaches_the_collector_and_nobody_else_does() {
    if !has_kubectl("reachability of a collector") {
        return;
    }
    let mut objects = kustomize("networks/mainnet");
    objects.extend(component("traces/mainnet/policies.yaml"));
    let mut all = pairs();
    all.extend(operator_pairs());
    all.extend(tracing_pairs());
    is_the_table(NetworkId::Mainnet, &computed(&objects), &rows(all));
}

#[test]
fn networks_do_not_reach_each_other() {
    if !has_kubectl("reachability between networks") {
        return;
    }
    let mut objects = Vec::new();
    let mut parties_of = BTreeMap::new();
    for network in NetworkId::ALL {
        let own = kustomize(&format!("networks/{network}"));
        parties_of.insert(network, parties(&own));
        objects.extend(own);
    }
    let ports = [53, 443, 5432, 6379, 7050, 7051, 7053, 9443, 9999, 3001];
    for (one, from) in &parties_of {
        for (other, to) in parties_of.iter().filter(|(other, _)| *other != one) {
            for from in from.iter().filter(|party| party.is_ours) {
                for to in to.iter().filter(|party| party.is_ours) {
                    for port in ports {
                        let out = lets(&objects, from, to, ("TCP", port), "Egress");
                        let open = out && lets(&objects, to, from, ("TCP", port), "Ingress");
                        assert!(!open, "{one} {} reaches {other} {} at {port}", from.name, to.name);
                    }
                }
            }
        }
    }
    assert_eq!(Part::Fabric.namespace(NetworkId::Devnet), "fabric-devnet");
}
