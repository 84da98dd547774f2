//! The three networks on a real control plane: accepted, placed, budgeted, and nobody can do more
//! than they need.

mod control_plane;

use std::collections::{BTreeMap, BTreeSet};

use gx_deploy::model::{NetworkId, Part, Workload};
use gx_deploy::yaml;
use serde_json::{Value, json};

use crate::checked::page;
use crate::render::{
    at, component, has_kubectl, kustomize, labels, list, matches, named, pods, repository, text,
};
use control_plane::{ControlPlane, wait};

/// The recorded nodes: three for mainnet, each on a continent, and one for what is no production.
const NODES: [(&str, &str); 4] =
    [("node-my", "apac"), ("node-us", "americas"), ("node-de", "emea"), ("node-non", "apac")];

fn node(name: &str, region: &str) -> Value {
    let mut labels = json!({
        "kubernetes.io/hostname": name,
        "topology.kubernetes.io/region": region,
    });
    let mut taints = json!([]);
    if name == "node-non" {
        labels["environment"] = "nonprod".into();
        taints = json!([{ "key": "environment", "value": "nonprod", "effect": "NoSchedule" }]);
    }
    json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels },
        "spec": { "taints": taints },
    })
}

fn add_node(plane: &ControlPlane, name: &str, region: &str) {
    let node = node(name, region);
    plane.apply(std::slice::from_ref(&node));
    let amounts =
        json!({ "cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100Gi" });
    let ready = json!([{
        "type": "Ready", "status": "True", "reason": "Test", "message": "",
        "lastHeartbeatTime": "2030-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]);
    let status =
        json!({ "status": { "capacity": amounts, "allocatable": amounts, "conditions": ready } });
    plane.kubectl(&[
        "patch",
        "node",
        name,
        "--subresource=status",
        "--type=merge",
        "-p",
        &status.to_string(),
    ]);
    // The API server marks new nodes until something says that they are ready.
    let taints = json!({ "spec": { "taints": node["spec"]["taints"] } });
    plane.kubectl(&["patch", "node", name, "--type=merge", "-p", &taints.to_string()]);
}

/// Disks as local-path makes them: bound to the node that a pod was placed on.
fn disks() -> Vec<Value> {
    let mut objects = vec![json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {
            "name": "local-path",
            "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer",
    })];
    for (node, _) in NODES {
        for number in 0..40 {
            let term = json!({ "matchExpressions": [
                { "key": "kubernetes.io/hostname", "operator": "In", "values": [node] },
            ] });
            objects.push(json!({
                "apiVersion": "v1", "kind": "PersistentVolume",
                "metadata": { "name": format!("{node}-{number}") },
                "spec": {
                    "capacity": { "storage": "100Gi" }, "accessModes": ["ReadWriteOnce"],
                    "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "local-path",
                    "local": { "path": "/srv/disk" },
                    "nodeAffinity": { "required": { "nodeSelectorTerms": [term] } },
                },
            }));
        }
    }
    objects
}

/// The kinds of operators that networks and components use; their fields are for those to check.
fn foreign_kinds() -> Vec<Value> {
    let kinds = [
        ("postgresql.cnpg.io", "v1", "Cluster", "clusters", "Namespaced"),
        ("external-secrets.io", "v1", "ExternalSecret", "externalsecrets", "Namespaced"),
        ("cert-manager.io", "v1", "ClusterIssuer", "clusterissuers", "Cluster"),
        ("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors", "Namespaced"),
    ];
    let kind = |(group, version, kind, plural, scope): (&str, &str, &str, &str, &str)| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("{plural}.{group}") },
            "spec": {
                "group": group, "scope": scope,
                "names": { "kind": kind, "plural": plural, "singular": kind.to_lowercase() },
                "versions": [{
                    "name": version, "served": true, "storage": true,
                    "schema": { "openAPIV3Schema": {
                        "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                    } },
                }],
            },
        })
    };
    kinds.map(kind).to_vec()
}

/// The database's pods, as the operator makes them from the Cluster.
fn database(cluster: &Value) -> Value {
    let (_, namespace, name) = named(cluster);
    let spec = at(cluster, "spec");
    let labels = at(spec, "inheritedMetadata/labels");
    let mine = json!({ "matchLabels": { "app.kubernetes.io/name": name } });
    let away = json!({ "labelSelector": mine, "topologyKey": text(spec, "affinity/topologyKey") });
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "replicas": at(spec, "instances"), "serviceName": name, "selector": mine,
            "podManagementPolicy": "Parallel",
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "affinity": { "podAntiAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [away],
                    } },
                    "priorityClassName": text(spec, "priorityClassName"),
                    "securityContext": {
                        "runAsNonRoot": true, "runAsUser": 26,
                        "seccompProfile": { "type": "RuntimeDefault" },
                    },
                    "containers": [{
                        "name": "postgres", "image": "postgres",
                        "resources": at(spec, "resources"),
                        "securityContext": {
                            "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] },
                        },
                    }],
                },
            },
            "volumeClaimTemplates": [{
                "metadata": { "name": "data" },
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": { "requests": { "storage": text(spec, "storage/size") } },
                },
            }],
        },
    })
}

/// A pod of the cluster.
#[derive(Debug, Clone)]
struct Pod {
    namespace: String,
    name: String,
    labels: BTreeMap<String, String>,
    /// Empty while it is nowhere.
    node: String,
    /// Why it is nowhere.
    why: String,
    value: Value,
}

fn is_of(namespace: &str, network: NetworkId) -> bool {
    Part::ALL.iter().any(|part| part.namespace(network) == namespace)
}

fn pods_of(plane: &ControlPlane, network: NetworkId) -> Vec<Pod> {
    let all = plane.get(&["pods", "--all-namespaces"]);
    let pods = list(&all, "items").iter().map(|one| {
        let (_, namespace, name) = named(one);
        let conditions = list(one, "status/conditions").iter();
        let why = conditions.map(|one| text(one, "message")).collect::<Vec<_>>().join("; ");
        Pod {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            labels: labels(at(one, "metadata/labels")),
            node: text(one, "spec/nodeName").to_owned(),
            why,
            value: one.clone(),
        }
    });
    pods.filter(|pod| is_of(&pod.namespace, network)).collect()
}

/// How many pods there are of a network when every controller has done its part.
fn expected(network: NetworkId) -> usize {
    let all = pods(&kustomize(&format!("networks/{network}")));
    all.iter().map(|one| usize::try_from(one.replicas).unwrap()).sum()
}

/// Waits until so many pods are there and all are placed but those that may wait.
fn placed(
    plane: &ControlPlane,
    network: NetworkId,
    count: usize,
    may_wait: &dyn Fn(&Pod) -> bool,
) -> Vec<Pod> {
    let mut last = Vec::new();
    wait(
        || {
            last = pods_of(plane, network);
            last.len() == count && last.iter().all(|pod| !pod.node.is_empty() || may_wait(pod))
        },
        || format!("pods of {network} are placed"),
    );
    let nowhere = last.iter().filter(|pod| pod.node.is_empty() && !may_wait(pod));
    let nowhere: Vec<String> = nowhere.map(|pod| format!("{}: {}", pod.name, pod.why)).collect();
    assert!(
        nowhere.is_empty() && last.len() == count,
        "{} of {count} pods; {nowhere:#?}",
        last.len()
    );
    last
}

/// All objects of a network as they are wanted, without what the cluster adds to them.
fn wanted(plane: &ControlPlane, objects: &[Value]) -> Value {
    let mut found = plane.get_all(objects);
    for object in found["items"].as_array_mut().unwrap() {
        object.as_object_mut().unwrap().remove("status");
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.remove("managedFields");
        metadata.remove("resourceVersion");
        if let Some(annotations) = metadata.get_mut("annotations") {
            // The controllers count what they have done.
            annotations.as_object_mut().unwrap().remove("deployment.kubernetes.io/revision");
        }
    }
    found
}

#[test]
fn a_control_plane_takes_the_networks_and_places_them() {
    let test = "the networks on a control plane";
    if !has_kubectl(test) {
        return;
    }
    let Some(plane) = ControlPlane::start(test) else { return };
    plane.apply(&foreign_kinds());
    plane.apply(&disks());
    for (name, region) in NODES {
        add_node(&plane, name, region);
    }
    takes_the_page(&plane);
    let mut rendered = BTreeMap::new();
    for network in NetworkId::ALL {
        let objects = kustomize(&format!("networks/{network}"));
        plane.apply(&objects);
        for cluster in objects.iter().filter(|one| text(one, "kind") == "Cluster") {
            plane.apply(&[database(cluster)]);
        }
        rendered.insert(network, objects);
    }
    let nobody = |_: &Pod| false;
    for network in NetworkId::ALL {
        let pods = placed(&plane, network, expected(network), &nobody);
        for pod in pods {
            let non = pod.node == "node-non";
            assert_eq!(non, network != NetworkId::Mainnet, "{} on {}", pod.name, pod.node);
        }
    }
    for (network, objects) in &rendered {
        let before = wanted(&plane, objects);
        plane.apply(objects);
        assert_eq!(wanted(&plane, objects), before, "{network}: a second time changes it");
    }
    restricted(&plane);
    budgets(&plane);
    accounts(&plane, &rendered[&NetworkId::Mainnet]);
    promoters(&plane);
    lost_nodes(&plane);
    roll_out(&plane);
}

/// The overlay that deploy/README.md has a reader make is taken as it stands there.
fn takes_the_page(plane: &ControlPlane) {
    let (first, rest): (Vec<Value>, Vec<Value>) = page()
        .into_iter()
        .partition(|one| ["Namespace", "PriorityClass"].contains(&text(one, "kind")));
    plane.apply(&first);
    let args = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
    let taken = plane.kubectl_with(&args, &yaml::documents(&rest));
    assert_eq!(taken.lines().count(), rest.len(), "{taken}");
}

fn restricted(plane: &ControlPlane) {
    for network in NetworkId::ALL {
        for part in Part::ALL {
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": "open", "namespace": part.namespace(network) },
                "spec": { "containers": [
                    { "name": "c", "image": "c", "securityContext": { "privileged": true } },
                ] },
            });
            let refusal = plane.refused(&[pod]);
            assert!(refusal.contains("violates PodSecurity \"restricted"), "{refusal}");
        }
    }
}

/// Says of all pods that they are ready, as kubelets would.
fn make_ready(plane: &ControlPlane, pods: &[Pod]) {
    let ready = |pod: &Pod| {
        let mut pod = pod.value.clone();
        let since = "2026-01-01T00:00:00Z";
        let condition =
            |name: &str| json!({ "type": name, "status": "True", "lastTransitionTime": since });
        let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition);
        pod["status"]["phase"] = "Running".into();
        pod["status"]["conditions"] = json!(conditions);
        pod["metadata"].as_object_mut().unwrap().remove("resourceVersion");
        pod
    };
    let all: Vec<Value> = pods.iter().map(ready).collect();
    plane.kubectl_with(&["replace", "--subresource=status", "-f", "-"], &yaml::documents(&all));
}

fn budgets(plane: &ControlPlane) {
    let pods = pods_of(plane, NetworkId::Mainnet);
    make_ready(plane, &pods);
    let found = || {
        let all = plane.get(&["poddisruptionbudgets", "--all-namespaces"]);
        let items = list(&all, "items").to_vec();
        items.into_iter().filter(|one| is_of(named(one).1, NetworkId::Mainnet)).collect::<Vec<_>>()
    };
    let counts = |one: &Value, name: &str| at(one, &format!("status/{name}")).as_u64().unwrap_or(0);
    wait(
        || {
            found().iter().all(|one| {
                counts(one, "expectedPods") > 0
                    && counts(one, "currentHealthy") == counts(one, "expectedPods")
            })
        },
        || "budgets have counted their pods".to_owned(),
    );
    let budgets = found();
    let names = Workload::all().into_iter().filter(|one| one.least().is_some()).count();
    assert_eq!(budgets.len(), names);
    for budget in budgets {
        let (_, namespace, name) = named(&budget);
        let selector = at(&budget, "spec/selector");
        let mine: Vec<&Pod> = pods
            .iter()
            .filter(|pod| pod.namespace == namespace && matches(selector, &pod.labels))
            .collect();
        assert_eq!(mine.len() as u64, counts(&budget, "expectedPods"), "{name}");
        let allowed = counts(&budget, "disruptionsAllowed");
        for (node, _) in NODES {
            let here = mine.iter().filter(|pod| pod.node == node).count() as u64;
            assert!(here <= allowed, "{node} has {here} of {name}, of which {allowed} may be away");
        }
        if name == "orderer" {
            for (node, _) in NODES {
                let left = mine.iter().filter(|pod| pod.node != node).count();
                assert!(left >= 3, "without {node} there are {left} orderers");
            }
        }
    }
}

/// What an account may do, a right a line.
fn rights(plane: &ControlPlane, namespace: &str, name: &str) -> String {
    let user = format!("--as=system:serviceaccount:{namespace}:{name}");
    let can = plane.kubectl(&["auth", "can-i", "--list", "-n", namespace, &user]);
    let mut lines: Vec<String> =
        can.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines.join("\n") + "\n"
}

/// What is checked in of what accounts may do.
fn allowed(file: &str) -> String {
    let folder = repository().join("crates/gx-deploy/tests/it/cluster");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

/// A promoter may do what its component gives it, in its own network; before and elsewhere nothing.
fn promoters(plane: &ControlPlane) {
    let all = allowed("can-i.txt");
    let (testnet, mainnet) = ("backend-testnet", "backend-mainnet");
    plane.apply(&component("promotion/mainnet/promotion.yaml"));
    let more = allowed("can-i-promoter.txt");
    let mut expected: Vec<&str> = all.lines().chain(more.lines()).collect();
    expected.sort_unstable();
    assert_eq!(rights(plane, mainnet, "svc-admin"), expected.join("\n") + "\n");
    assert_eq!(rights(plane, testnet, "svc-admin"), all, "the source's own service");
    assert_eq!(rights(plane, mainnet, "svc-identity"), all, "another service");
    let promoter = format!("--as=system:serviceaccount:{mainnet}:svc-admin");
    for (namespace, verb, what, may) in [
        (testnet, "get", "deployments/svc-admin", "yes"),
        (testnet, "patch", "deployments/svc-admin", "no"),
        (testnet, "list", "pods", "no"),
        (mainnet, "get", "secrets", "no"),
        ("fabric-mainnet", "list", "pods", "yes"),
        ("fabric-mainnet", "patch", "statefulsets", "no"),
    ] {
        let asked = ["auth", "can-i", verb, what, "-n", namespace, &promoter];
        // The answer no is a failure as well.
        let answer = plane.try_kubectl(&asked, "").unwrap_or_else(|_| "no".to_owned());
        assert_eq!(answer.trim(), may, "{verb} {what} in {namespace}");
    }
}

/// What each account may do is what anybody may who is logged in, and that is checked in.
fn accounts(plane: &ControlPlane, objects: &[Value]) {
    let expected = allowed("can-i.txt");
    let accounts: BTreeSet<(&str, &str)> = objects
        .iter()
        .filter(|one| text(one, "kind") == "ServiceAccount")
        .map(|one| (named(one).1, named(one).2))
        .collect();
    assert!(accounts.len() > 20);
    for (namespace, name) in accounts {
        assert_eq!(rights(plane, namespace, name), expected, "{namespace}/{name}");
    }
}

/// Each node in turn is gone for good: what is not bound to its disks is placed on the others.
fn lost_nodes(plane: &ControlPlane) {
    let count = pods_of(plane, NetworkId::Mainnet).len();
    for (lost, region) in NODES.iter().take(3) {
        let before = pods_of(plane, NetworkId::Mainnet);
        let there: Vec<&Pod> = before.iter().filter(|pod| pod.node == *lost).collect();
        assert!(!there.is_empty(), "{lost} holds nothing");
        let bound: BTreeSet<String> = there
            .iter()
            .filter(|pod| pod.value.to_string().contains("persistentVolumeClaim"))
            .map(|pod| pod.name.clone())
            .collect();
        plane.kubectl(&["delete", "node", lost]);
        for namespace in Part::ALL.map(|part| part.namespace(NetworkId::Mainnet)) {
            let names: Vec<&str> = there
                .iter()
                .filter(|pod| pod.namespace == namespace)
                .map(|pod| pod.name.as_str())
                .collect();
            if !names.is_empty() {
                let mut args =
                    vec!["delete", "pods", "--force", "--grace-period=0", "-n", &namespace];
                args.extend(names);
                plane.kubectl(&args);
            }
        }
        let on_its_disk = |pod: &Pod| bound.contains(&pod.name);
        let after = placed(plane, NetworkId::Mainnet, count, &on_its_disk);
        assert!(after.iter().all(|pod| pod.node != *lost && pod.node != "node-non"));
        let orderer = |pod: &&Pod| {
            pod.labels.get("app.kubernetes.io/name").is_some_and(|name| name == "orderer")
        };
        let running = after.iter().filter(orderer).filter(|pod| !pod.node.is_empty()).count();
        assert!(running >= 3, "{running} orderers without {lost}");
        add_node(plane, lost, region);
        placed(plane, NetworkId::Mainnet, count, &|_| false);
    }
}

/// All Deployments at once, each with one pod more than it has.
fn roll_out(plane: &ControlPlane) {
    let count = pods_of(plane, NetworkId::Mainnet).len();
    make_ready(plane, &pods_of(plane, NetworkId::Mainnet));
    wait(
        || {
            let all = plane.get(&["deployments", "--all-namespaces"]);
            let ours =
                list(&all, "items").iter().filter(|one| is_of(named(one).1, NetworkId::Mainnet));
            ours.into_iter()
                .all(|one| at(one, "status/availableReplicas") == at(one, "spec/replicas"))
        },
        || "all Deployments are available".to_owned(),
    );
    let mut deployments = 0;
    for namespace in Part::ALL.map(|part| part.namespace(NetworkId::Mainnet)) {
        let out = plane.kubectl(&["rollout", "restart", "deployment", "-n", &namespace]);
        deployments += out.lines().count();
    }
    assert_eq!(deployments, Workload::all().iter().filter(|one| one.is_deployment()).count());
    let pods = placed(plane, NetworkId::Mainnet, count + deployments, &|_| false);
    assert!(pods.iter().all(|pod| pod.node != "node-non"));
}
