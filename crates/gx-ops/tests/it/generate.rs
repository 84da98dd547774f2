//! Random clusters and pods, as JSON for an API server. A seed decides everything.

use serde_json::{Value, json};

/// Numbers that only look random.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let at = self.below(list.len() as u64);
        list[usize::try_from(at).unwrap()]
    }
}

pub(crate) const NAMESPACES: [&str; 3] = ["one", "two", "three"];
const APPS: [&str; 3] = ["a", "b", "c"];
const ZONES: [&str; 3] = ["east", "west", "north"];
const TOPOLOGIES: [&str; 3] = ["kubernetes.io/hostname", "topology.kubernetes.io/zone", "rack"];
const KEYS: [&str; 3] = ["disk", "rack", "generation"];

/// Labels of a namespace.
pub(crate) fn namespace(name: &str) -> Value {
    let team = if name == "three" { "blue" } else { "red" };
    json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": name, "labels": {"team": team}}})
}

pub(crate) const CLASSES: [(&str, &str); 2] =
    [("late", "WaitForFirstConsumer"), ("early", "Immediate")];

pub(crate) fn class(name: &str, mode: &str) -> Value {
    json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
        "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": mode})
}

/// A cluster: its nodes, its volumes and claims, and the pods that are placed already.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Value>,
    pub(crate) volumes: Vec<Value>,
    pub(crate) claims: Vec<Value>,
    /// Namespace and name of the claims that are going to be bound.
    pub(crate) bound: Vec<(String, String)>,
    pub(crate) pods: Vec<Value>,
}

pub(crate) fn cluster(number: u64, random: &mut Random) -> Cluster {
    let count = 3 + random.below(5);
    let names: Vec<String> = (0..count).map(|n| format!("n{number}-{n}")).collect();
    let nodes = names.iter().map(|name| node(name, random)).collect();
    let mut volumes = Vec::new();
    let mut claims = Vec::new();
    let mut bound = Vec::new();
    for n in 0..random.below(6) {
        let name = format!("v{number}-{n}");
        let namespace = random.pick(&NAMESPACES);
        let host = random.below(count);
        let host = &names[usize::try_from(host).unwrap()];
        let is_bound = !random.once_in(3);
        let class = if is_bound { random.pick(&["late", "early"]) } else { "late" };
        let mut volume = json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": format!("{}Gi", 1 + random.below(3))},
            "accessModes": ["ReadWriteOnce"], "storageClassName": class,
            "local": {"path": "/data"}, "persistentVolumeReclaimPolicy": "Retain",
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [{
                "key": "kubernetes.io/hostname", "operator": "In", "values": [host]}]}]}},
        }});
        if is_bound {
            volume["spec"]["claimRef"] = json!({"namespace": namespace, "name": name});
            bound.push((namespace.to_owned(), name.clone()));
        }
        volumes.push(volume);
        claims.push(claim(namespace, &name, class, is_bound.then_some(&name), random));
    }
    for n in 0..random.below(3) {
        let name = format!("u{number}-{n}");
        let class = random.pick(&["late", "late", "late", "early"]);
        claims.push(claim(random.pick(&NAMESPACES), &name, class, None, random));
    }
    let pods = (0..4 + random.below(20)).map(|n| {
        let host = random.below(count);
        let host = names[usize::try_from(host).unwrap()].clone();
        let mut pod = pod(&format!("p{number}-{n}"), &[], random);
        pod["spec"]["nodeName"] = json!(host);
        pod
    });
    let pods = pods.collect();
    Cluster { nodes, volumes, claims, bound, pods }
}

fn claim(
    namespace: &str,
    name: &str,
    class: &str,
    volume: Option<&String>,
    random: &mut Random,
) -> Value {
    let size = if volume.is_some() { 1 } else { 1 + random.below(3) };
    let mut spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": class,
        "resources": {"requests": {"storage": format!("{size}Gi")}}});
    if let Some(volume) = volume {
        spec["volumeName"] = json!(volume);
    }
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

fn node(name: &str, random: &mut Random) -> Value {
    let mut labels = json!({"kubernetes.io/hostname": name});
    if !random.once_in(6) {
        labels["topology.kubernetes.io/zone"] = json!(random.pick(&ZONES));
    }
    if !random.once_in(3) {
        labels["disk"] = json!(random.pick(&["ssd", "hdd"]));
    }
    if !random.once_in(3) {
        labels["rack"] = json!(random.pick(&["r1", "r2"]));
    }
    if random.once_in(2) {
        labels["generation"] = json!(random.below(5).to_string());
    }
    let mut taints = Vec::new();
    if random.once_in(4) {
        let effect = random.pick(&["NoSchedule", "NoExecute", "PreferNoSchedule"]);
        let value = random.pick(&["x", "y"]);
        taints.push(json!({"key": "dedicated", "value": value, "effect": effect}));
    }
    let room = json!({
        "cpu": (1 + random.below(4)).to_string(),
        "memory": format!("{}Gi", 1 + random.below(4)),
        "pods": if random.once_in(4) { "3" } else { "110" },
        "ephemeral-storage": "10Gi",
        "example.org/device": random.below(3).to_string(),
    });
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints, "unschedulable": random.once_in(10)},
        "status": {"capacity": room, "allocatable": room, "conditions": [{
            "type": "Ready", "status": "True", "reason": "Test", "message": "",
            "lastHeartbeatTime": "2030-01-01T00:00:00Z",
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})
}

fn requests(random: &mut Random) -> Value {
    let mut requests = json!({});
    if random.once_in(2) {
        requests["cpu"] = json!(format!("{}m", 100 * random.below(12)));
    }
    if random.once_in(3) {
        requests["memory"] = json!(format!("{}Mi", 128 * random.below(12)));
    }
    let mut resources = json!({"requests": requests});
    if random.once_in(12) {
        resources["requests"]["example.org/device"] = json!("1");
        resources["limits"] = json!({"example.org/device": "1"});
    }
    resources
}

fn container(name: &str, random: &mut Random) -> Value {
    let mut container =
        json!({"name": name, "image": "example/app:1", "resources": requests(random)});
    // Two containers of a pod must not want the same port.
    if name == "main" && random.once_in(4) {
        let mut port = json!({"containerPort": 80, "hostPort": 8000 + random.below(2)});
        if random.once_in(2) {
            port["protocol"] = json!("UDP");
        }
        if random.once_in(2) {
            port["hostIP"] = json!(random.pick(&["0.0.0.0", "192.0.2.1", "192.0.2.2"]));
        }
        container["ports"] = json!([port]);
    }
    container
}

fn requirement(random: &mut Random) -> Value {
    let key = random.pick(&KEYS);
    let values = ["ssd", "hdd", "r1", "r2", "1", "3"];
    match random.below(6) {
        0 => json!({"key": key, "operator": "Exists"}),
        1 => json!({"key": key, "operator": "DoesNotExist"}),
        2 => {
            json!({"key": "generation", "operator": "Gt", "values": [random.below(4).to_string()]})
        }
        3 => {
            json!({"key": "generation", "operator": "Lt", "values": [random.below(4).to_string()]})
        }
        n => {
            let operator = if n == 4 { "In" } else { "NotIn" };
            let some = [random.pick(&values), random.pick(&values)];
            json!({"key": key, "operator": operator, "values": some})
        }
    }
}

fn selector(random: &mut Random) -> Value {
    match random.below(6) {
        0 => json!({}),
        1 => json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
        2 => json!({"matchExpressions": [
            {"key": "app", "operator": "NotIn", "values": [random.pick(&APPS)]}]}),
        _ => json!({"matchLabels": {"app": random.pick(&APPS)}}),
    }
}

fn pod_term(random: &mut Random) -> Value {
    let mut term =
        json!({"labelSelector": selector(random), "topologyKey": random.pick(&TOPOLOGIES)});
    match random.below(6) {
        0 => term["namespaces"] = json!([random.pick(&NAMESPACES)]),
        1 => {
            let team = random.pick(&["red", "blue"]);
            term["namespaceSelector"] = json!({"matchLabels": {"team": team}});
        }
        2 => term["namespaceSelector"] = json!({}),
        _ => {}
    }
    match random.below(8) {
        0 => term["matchLabelKeys"] = json!(["version"]),
        1 => term["mismatchLabelKeys"] = json!(["version"]),
        _ => {}
    }
    term
}

fn spread(random: &mut Random) -> Value {
    let mut spread = json!({
        "maxSkew": 1 + random.below(2),
        "topologyKey": random.pick(&TOPOLOGIES),
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": selector(random),
    });
    if random.once_in(4) {
        spread["whenUnsatisfiable"] = json!("ScheduleAnyway");
    } else if random.once_in(4) {
        spread["minDomains"] = json!(1 + random.below(4));
    }
    if random.once_in(4) {
        spread["nodeAffinityPolicy"] = json!(random.pick(&["Honor", "Ignore"]));
    }
    if random.once_in(4) {
        spread["nodeTaintsPolicy"] = json!(random.pick(&["Honor", "Ignore"]));
    }
    if random.once_in(5) {
        spread["matchLabelKeys"] = json!(["version"]);
    }
    spread
}

/// A pod; `claims` are those that it may mount, with their namespaces.
pub(crate) fn pod(name: &str, claims: &[(String, String)], random: &mut Random) -> Value {
    let mut namespace = random.pick(&NAMESPACES).to_owned();
    let mut spec = json!({"containers": [container("main", random)]});
    if random.once_in(4) {
        spec["containers"].as_array_mut().unwrap().push(container("second", random));
    }
    if random.once_in(4) {
        let mut init = vec![container("init", random)];
        if random.once_in(2) {
            init[0]["restartPolicy"] = json!("Always");
            init.push(container("later", random));
        }
        for one in &mut init {
            one.as_object_mut().unwrap().remove("ports");
        }
        spec["initContainers"] = json!(init);
    }
    if random.once_in(8) {
        spec["nodeSelector"] = json!({"disk": random.pick(&["ssd", "hdd"])});
    }
    if random.once_in(4) {
        let value = random.pick(&["x", "y"]);
        spec["tolerations"] = match random.below(3) {
            0 => json!([{"operator": "Exists"}]),
            1 => json!([{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}]),
            _ => json!([{"key": "dedicated", "operator": "Equal", "value": value}]),
        };
    }
    let mut affinity = json!({});
    if random.once_in(6) {
        let terms: Vec<Value> = (0..1 + random.below(2))
            .map(|_| json!({"matchExpressions": [requirement(random)]}))
            .collect();
        affinity["nodeAffinity"] = json!({
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}});
    }
    for (kind, times) in [("podAffinity", 8), ("podAntiAffinity", 4)] {
        if random.once_in(times) {
            let terms: Vec<Value> = (0..1 + random.below(2)).map(|_| pod_term(random)).collect();
            affinity[kind] = json!({"requiredDuringSchedulingIgnoredDuringExecution": terms});
        }
    }
    spec["affinity"] = affinity;
    if random.once_in(3) {
        let mut all: Vec<Value> = (0..1 + random.below(2)).map(|_| spread(random)).collect();
        all.dedup_by_key(|one| one["topologyKey"].clone());
        spec["topologySpreadConstraints"] = json!(all);
    }
    if !claims.is_empty() && random.once_in(4) {
        let at = random.below(claims.len() as u64);
        let (space, claim) = &claims[usize::try_from(at).unwrap()];
        namespace.clone_from(space);
        let claim = if random.once_in(12) { "nowhere" } else { claim };
        spec["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]);
    }
    let labels = json!({"app": random.pick(&APPS), "version": random.pick(&["1", "2"])});
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": labels}, "spec": spec})
}
