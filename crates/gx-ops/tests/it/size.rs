//! A snapshot of 2,000 objects can be sent by mail, and questions are answered at once.

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use gx_ops::collect::{Input, Redactor, Salt, gather};
use gx_ops::facts::{Snapshot, Time};
use gx_ops::questions::what_if::{Change, Place, what_if};
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
    let took = quickest(&crowd(4, 20), 5);
    assert!(is_within(took, Duration::from_millis(50)), "{took:?}");
}

#[test]
fn a_loss_is_told_within_two_seconds_among_500_nodes_and_50_000_objects() {
    let snapshot = if cfg!(debug_assertions) { crowd(50, 60) } else { crowd(500, 60) };
    let objects = snapshot.nodes.items().len()
        + snapshot.pods.items().len()
        + snapshot.workloads.items().len()
        + snapshot.services.items().len();
    assert!(cfg!(debug_assertions) || objects >= 50_000, "{objects}");
    let took = quickest(&snapshot, 2);
    assert!(is_within(took, Duration::from_secs(2)), "{took:?}");
}
