//! A snapshot of 2,000 objects can be sent by mail, audits and questions are answered at once, and
//! neither needs much memory. Each test prints what it measured as a line of JSON:
//! `cargo nextest run --release -p gx-ops size --success-output final`.

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use gx_ops::collect::{Input, Redactor, Salt, gather};
use gx_ops::facts::{Snapshot, Time};
use gx_ops::questions::what_if::{Change, Place, what_if};
use gx_ops::rules::{Options, audit};
use serde_json::json;

use crate::generate::Random;

#[test]
fn two_thousand_objects_are_below_five_megabytes() {
    let mut random = Random::new(1);
    let mut text = String::new();
    for n in 0..2000 {
        // No two secrets, addresses and digests are alike, so that they do not compress away.
        let word = |random: &mut Random| format!("{:016x}{:016x}", random.next(), random.next());
        let object = match n % 4 {
            0 => json!({"apiVersion": "v1", "kind": "Secret",
                "metadata": {"namespace": "m", "name": format!("s-{n}"), "uid": word(&mut random)},
                "data": {"a": word(&mut random), "b": word(&mut random)}}),
            1 => json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"namespace": "m", "name": format!("c-{n}"), "uid": word(&mut random)},
                "data": {"a.yaml": word(&mut random).repeat(64)}}),
            _ => json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "m", "name": format!("p-{n}"), "uid": word(&mut random),
                "labels": {"app": format!("app-{}", n % 40)}},
            "spec": {"nodeName": format!("n-{}", n % 20), "containers": [{
                "name": "main", "image": format!("example/app:{}", n % 40),
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                "env": [{"name": "A", "value": word(&mut random)}],
            }]},
            "status": {"phase": "Running", "containerStatuses": [{
                "name": "main", "image": "example/app", "ready": true, "restartCount": 0,
                "imageID": format!("sha256:{}", word(&mut random)),
            }]}}),
        };
        text.push_str(&format!("{object}\n"));
    }
    let input = Input { name: "dump.json".to_owned(), text, at: Time::from_seconds(1_796_000_000) };
    let snapshot = gather(vec![input], Redactor::new(Salt::new([5; 32]))).unwrap();
    let objects = snapshot.pods.items().len()
        + snapshot.secrets.items().len()
        + snapshot.config_maps.items().len();
    assert_eq!(objects, 2000);
    let text = snapshot.to_text().unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 5_000_000, "{} bytes", packed.len());
    assert_eq!(Snapshot::parse(&text).unwrap(), snapshot);
}

/// A cluster of so many nodes with so many pods on each, of workloads of three pods.
fn crowd(nodes: usize, pods: usize) -> Snapshot {
    let mut text = String::new();
    for n in 0..nodes {
        let labels = json!({"kubernetes.io/hostname": format!("n-{n}"),
            "topology.kubernetes.io/zone": format!("z-{}", n % 3)});
        let room = json!({"cpu": "64", "memory": "256Gi", "pods": "250"});
        text.push_str(
            &json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": format!("n-{n}"), "labels": labels},
            "status": {"allocatable": room, "conditions": [{"type": "Ready", "status": "True"}]}})
            .to_string(),
        );
        text.push('\n');
    }
    for n in 0..nodes * pods {
        let (workload, namespace) = (n / 3, format!("m-{}", n / 3 % 50));
        let labels = json!({"app": format!("w-{workload}")});
        let spec = json!({
            "containers": [{"name": "main", "image": "example/app:1",
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}],
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"},
            ]}},
            "topologySpreadConstraints": [{"maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule",
                "topologyKey": "topology.kubernetes.io/zone",
                "labelSelector": {"matchLabels": labels}}],
        });
        if n % 3 == 0 {
            text.push_str(
                &json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"namespace": namespace, "name": format!("w-{workload}")},
                "spec": {"replicas": 3, "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": spec}}})
                .to_string(),
            );
            text.push('\n');
            text.push_str(
                &json!({"apiVersion": "v1", "kind": "Service",
                "metadata": {"namespace": namespace, "name": format!("w-{workload}")},
                "spec": {"selector": labels, "ports": [{"port": 80}]}})
                .to_string(),
            );
            text.push('\n');
        }
        let mut placed = spec;
        placed["nodeName"] = json!(format!("n-{}", n % nodes));
        text.push_str(
            &json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": namespace, "name": format!("p-{n}"), "labels": labels,
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "uid": "",
                    "name": format!("w-{workload}"), "controller": true}]},
            "spec": placed,
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
            .to_string(),
        );
        text.push('\n');
    }
    let input =
        Input { name: "crowd.json".to_owned(), text, at: Time::from_seconds(1_796_000_000) };
    gather(vec![input], Redactor::new(Salt::new([5; 32]))).unwrap()
}

/// A cluster as they are: for each workload of three pods its ReplicaSets, Service, budget,
/// settings, credentials, claim and volume; for each namespace its policies; events of both.
fn town(nodes: usize, workloads: usize) -> Snapshot {
    let mut text = String::new();
    let mut add = |object: serde_json::Value| {
        text.push_str(&object.to_string());
        text.push('\n');
    };
    for n in 0..nodes {
        let labels = json!({"kubernetes.io/hostname": format!("n-{n}"),
            "topology.kubernetes.io/zone": format!("z-{}", n % 3)});
        let room = json!({"cpu": "64", "memory": "256Gi", "pods": "250"});
        add(json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": format!("n-{n}"), "labels": labels},
            "status": {"allocatable": room, "capacity": room,
                "conditions": [{"type": "Ready", "status": "True"}]}}));
    }
    for space in 0..50.min(workloads) {
        let namespace = format!("app{space}-mainnet");
        add(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
        add(json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"namespace": namespace, "name": "default-deny"},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}));
        add(json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"namespace": namespace, "name": "inside"},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": {}}]}],
                "egress": [{"to": [{"podSelector": {}}]},
                    {"ports": [{"port": 53, "protocol": "UDP"}]}]}}));
    }
    for n in 0..workloads {
        household(n, nodes, &mut add);
    }
    let input = Input { name: "town.json".to_owned(), text, at: Time::from_seconds(1_796_000_000) };
    gather(vec![input], Redactor::new(Salt::new([5; 32]))).unwrap()
}

/// One workload with all that belongs to it: twelve objects.
fn household(n: usize, nodes: usize, add: &mut impl FnMut(serde_json::Value)) {
    let (name, namespace) = (format!("w-{n}"), format!("app{}-mainnet", n % 50));
    let named = |suffix: &str| json!({"namespace": namespace, "name": format!("{name}{suffix}")});
    let labels = json!({"app": name});
    let spec = json!({
        "containers": [{"name": "main", "image": format!("registry.example.org/app:{}", n % 90),
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            "ports": [{"name": "http", "containerPort": 80}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}},
            "envFrom": [{"configMapRef": {"name": name}}],
            "env": [{"name": "DATABASE_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": name, "key": "password"}}}],
            "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
        "topologySpreadConstraints": [{"maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule",
            "topologyKey": "topology.kubernetes.io/zone",
            "labelSelector": {"matchLabels": labels}}],
    });
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    add(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named(""),
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template},
        "status": {"readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3}}));
    let owner = |kind: &str, name: String| {
        json!([{"apiVersion": "apps/v1", "kind": kind, "uid": "", "name": name,
            "controller": true}])
    };
    let mut set = named("-5f");
    set["ownerReferences"] = owner("Deployment", name.clone());
    add(json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": set,
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template},
        "status": {"replicas": 3, "readyReplicas": 3}}));
    for at in 0..3 {
        let mut meta = named(&format!("-5f-{at}"));
        meta["labels"] = labels.clone();
        meta["ownerReferences"] = owner("ReplicaSet", format!("{name}-5f"));
        let mut placed = spec.clone();
        placed["nodeName"] = json!(format!("n-{}", (n * 3 + at) % nodes));
        add(json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": placed,
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "main", "image": "app", "ready": true,
                    "restartCount": 0, "imageID": format!("app@sha256:{:064x}", n % 90)}]}}));
    }
    add(json!({"apiVersion": "v1", "kind": "Service", "metadata": named(""),
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": "http"}]}}));
    add(json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": named(""),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels}}}));
    add(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named(""),
        "data": {"LOG_LEVEL": "info", "DATABASE_HOST": format!("db.{namespace}.svc")}}));
    add(json!({"apiVersion": "v1", "kind": "Secret", "metadata": named(""),
        "data": {"password": format!("{n:032x}")}}));
    let volume = format!("{namespace}-{name}");
    add(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": named(""),
        "spec": {"accessModes": ["ReadWriteMany"], "storageClassName": "shared",
            "volumeName": volume, "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound"}}));
    add(json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"],
            "storageClassName": "shared", "persistentVolumeReclaimPolicy": "Retain",
            "nfs": {"server": "nfs.example.org", "path": "/"},
            "claimRef": {"namespace": namespace, "name": name}}}));
    add(json!({"apiVersion": "v1", "kind": "Event", "metadata": named(".1"), "type": "Normal",
        "reason": "Pulled", "count": 1, "lastTimestamp": "2026-11-30T00:00:00Z",
        "involvedObject": {"kind": "Pod", "namespace": namespace,
            "name": format!("{name}-5f-0")}}));
}

/// How many things of all kinds a snapshot knows.
fn objects(snapshot: &Snapshot) -> usize {
    gx_ops::facts::Fact::ALL.iter().map(|fact| snapshot.count(*fact)).sum()
}

/// The most memory that this process has had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// How long the quickest of some audits takes.
fn audited(snapshot: &Snapshot, times: u32) -> Duration {
    let ask = |_| {
        let begun = Instant::now();
        let answer = audit(snapshot, &Options::default());
        assert!(!answer.outcomes.is_empty());
        begun.elapsed()
    };
    (0..times).map(ask).min().unwrap()
}

#[expect(clippy::print_stderr, reason = "figures are for whoever runs the test")]
fn measured(what: &str, objects: usize, took: Duration) {
    let milliseconds = took.as_secs_f64() * 1e3;
    let line = json!({"measured": what, "objects": objects, "milliseconds": milliseconds,
        "peakBytes": peak_memory(), "optimized": !cfg!(debug_assertions)});
    eprintln!("{line}");
}

#[test]
fn two_thousand_objects_are_audited_within_a_second_and_200_megabytes() {
    // The snapshot as it is read from a file, not as it was made.
    let text = town(20, 180).to_text().unwrap();
    let before = peak_memory();
    let snapshot = Snapshot::parse(&text).unwrap();
    assert!(objects(&snapshot) >= 2000, "{}", objects(&snapshot));
    let took = audited(&snapshot, 3);
    measured("audit", objects(&snapshot), took);
    assert!(is_within(took, Duration::from_secs(1)), "{took:?}");
    // What made it counts as well, so that this can only be too strict.
    assert!(before < 200_000_000 && peak_memory() < 200_000_000, "{}", peak_memory());
}

#[test]
fn fifty_thousand_objects_on_500_nodes_are_audited_within_15_seconds() {
    let snapshot = if cfg!(debug_assertions) { town(50, 200) } else { town(500, 4200) };
    let count = objects(&snapshot);
    assert!(cfg!(debug_assertions) || count >= 50_000, "{count}");
    let took = audited(&snapshot, 1);
    measured("audit", count, took);
    assert!(is_within(took, Duration::from_secs(15)), "{took:?}");
}

/// How long the quickest of some questions takes: others use the machine as well.
fn quickest(snapshot: &Snapshot, times: u32) -> Duration {
    let change = Change::Lose(Place::Node("n-1".to_owned()));
    let ask = |_| {
        let begun = Instant::now();
        let answer = what_if(snapshot, std::slice::from_ref(&change)).unwrap();
        assert!(!answer.moves.is_empty() && answer.stuck.is_empty());
        begun.elapsed()
    };
    (0..times).map(ask).min().unwrap()
}

/// Bounds are those of a build with optimization (`--release`): without, it is only answered.
fn is_within(took: Duration, bound: Duration) -> bool {
    cfg!(debug_assertions) || took < bound
}

#[test]
fn a_loss_is_told_at_once_in_a_cluster_of_four_nodes() {
    let snapshot = crowd(4, 20);
    let took = quickest(&snapshot, 5);
    measured("what-if", objects(&snapshot), took);
    assert!(is_within(took, Duration::from_millis(50)), "{took:?}");
}

#[test]
fn a_loss_is_told_within_two_seconds_among_500_nodes_and_50_000_objects() {
    let snapshot = if cfg!(debug_assertions) { crowd(50, 60) } else { crowd(500, 60) };
    let count = objects(&snapshot);
    assert!(cfg!(debug_assertions) || count >= 50_000, "{count}");
    let took = quickest(&snapshot, 2);
    measured("what-if", count, took);
    assert!(is_within(took, Duration::from_secs(2)), "{took:?}");
}
