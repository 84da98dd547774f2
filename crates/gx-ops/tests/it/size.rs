//! A snapshot of 2,000 objects can be sent by mail.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use gx_ops::collect::{Input, Redactor, Salt, gather};
use gx_ops::facts::{Snapshot, Time};
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
