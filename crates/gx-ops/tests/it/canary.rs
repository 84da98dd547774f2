//! A secret in every place where one can stand is in no output.

use base64::Engine as _;
use gx_ops::collect::{Input, Redactor, Salt, gather, read_stream};
use gx_ops::facts::{Snapshot, Time};
use serde_json::{Value, json};

use crate::outputs;

/// One that is in no other place.
fn canary(place: &str) -> String {
    format!("Kq7{place}zT3vXw9Lp")
}

fn encoded(place: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(canary(place))
}

const PLACES: [&str; 27] = [
    "secretdata",
    "secretstring",
    "secretdsn",
    "env",
    "envname",
    "envdsn",
    "envurluser",
    "envurlpath",
    "initenv",
    "arg",
    "argflag",
    "argnext",
    "command",
    "annotation",
    "lastapplied",
    "openannotation",
    "configvalue",
    "configfile",
    "configdsn",
    "configpem",
    "event",
    "eventknown",
    "condition",
    "terminated",
    "nodemessage",
    "probequery",
    "template",
];

fn pod_spec(place: &str) -> Value {
    json!({
        "initContainers": [{"name": "init", "image": "example/init:1",
            "env": [{"name": "SETTING", "value": canary("initenv")}]}],
        "containers": [{
            "name": "main",
            "image": "example/app:1",
            "command": ["/bin/sh", "-c", format!("login {}", canary("command"))],
            "args": [
                canary("arg"),
                format!("--token={}", canary("argflag")),
                "--password",
                canary("argnext"),
            ],
            "env": [
                {"name": "GREETING", "value": canary(place)},
                {"name": "API_PASSWORD", "value": canary("envname")},
                {"name": "DATABASE_URL",
                    "value": format!("postgresql://app:{}@db:5432/app", canary("envdsn"))},
                {"name": "REPOSITORY_URL",
                    "value": format!("https://{}@git.example.org/a", canary("envurluser"))},
                {"name": "WEBHOOK_URL",
                    "value": format!("https://hooks.example.org/{}", canary("envurlpath"))},
            ],
            "livenessProbe": {
                "httpGet": {"path": format!("/livez?key={}", canary("probequery")), "port": 80}
            },
        }],
    })
}

fn documents() -> Vec<Value> {
    let message = |place: &str| format!("cannot log in: password={} refused", canary(place));
    vec![
        json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"namespace": "m", "name": "s"},
            "data": {
                "password": encoded("secretdata"),
                "url": base64::engine::general_purpose::STANDARD
                    .encode(format!("redis://:{}@redis:6379/0", canary("secretdsn"))),
            },
            "stringData": {"note": canary("secretstring")}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "m", "name": "c"},
        "data": {
            "GREETING": canary("configvalue"),
            "app.conf": format!("user app\npassword {}\n", canary("configfile")),
            "DB": format!("mysql://root:{}@db/app", canary("configdsn")),
            "key.pem": format!("-----BEGIN {}-----\n{}\n", "PRIVATE KEY", canary("configpem")),
        }}),
        json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "m", "name": "p", "annotations": {
            "example.org/note": canary("annotation"),
            "kubectl.kubernetes.io/last-applied-configuration": canary("lastapplied"),
            "prometheus.io/path": format!("/m {}", canary("secretdata")),
            "cert-manager.io/x": format!("https://u:{}@h", canary("openannotation")),
        }},
        "spec": pod_spec("env"),
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False",
                "message": message("condition")}],
            "containerStatuses": [{
                "name": "main", "image": "example/app:1", "imageID": "", "ready": false,
                "restartCount": 1,
                "state": {"waiting": {"reason": "CrashLoopBackOff",
                    "message": message("terminated")}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error",
                    "message": message("terminated")}},
            }],
        }}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"namespace": "m", "name": "d"},
            "spec": {"selector": {}, "template": {"spec": pod_spec("template")}}}),
        json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"namespace": "m", "name": "e"},
            "involvedObject": {"kind": "Pod", "namespace": "m", "name": "p"},
            "reason": "Unhealthy", "message": message("event")}),
        json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"namespace": "m", "name": "f"},
            "involvedObject": {"kind": "Pod", "namespace": "m", "name": "p"},
            "reason": "FailedMount",
            "message": format!("{} and password:{} and x://u:{}@h", canary("secretdata"),
                canary("eventknown"), canary("eventknown"))}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"},
            "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "x",
                "message": message("nodemessage")}]}}),
        // What has not the form of its kind is named and not quoted.
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "m", "name": "odd"},
            "spec": {"containers": canary("env")}}),
        json!({"apiVersion": "example.org/v1", "kind": "Vault", "spec": canary("env")}),
    ]
}

fn snapshot() -> Snapshot {
    let text: String = documents().iter().map(|one| format!("{one}\n")).collect();
    let input = Input { name: "dump.json".to_owned(), text, at: Time::from_seconds(1_796_000_000) };
    gather(vec![input], Redactor::new(Salt::new([3; 32]))).unwrap()
}

#[track_caller]
fn assert_silent(text: &str, what: &str) {
    for place in PLACES {
        for form in [canary(place), encoded(place).trim_end_matches('=').to_owned()] {
            assert!(!text.contains(&form), "{what} shows the secret of {place}");
        }
    }
}

#[test]
fn a_secret_in_any_place_is_in_no_output() {
    // Each of them is in the input, or the test would prove nothing.
    let input: String = documents().iter().map(ToString::to_string).collect();
    for place in PLACES {
        let is_there = input.contains(&canary(place)) || input.contains(&encoded(place));
        assert!(is_there || place == "secretdsn", "{place}");
    }
    let snapshot = snapshot();
    assert_eq!(snapshot.pods.items().len(), 1);
    assert_eq!(snapshot.secrets.items().len(), 1);
    let all = outputs::of(&snapshot);
    for wanted in [
        "the snapshot",
        "audit as html",
        "explain pod",
        "explain node",
        "explain workload",
        "what-if",
        "compare",
        "compare environments",
        "images",
        "certs",
        "certs as a calendar",
        "secrets check",
        "score",
    ] {
        assert!(all.iter().any(|(name, _)| name == wanted), "{wanted}");
    }
    for (name, text) in all {
        assert!(!text.trim().is_empty(), "{name} says nothing");
        assert_silent(&text, &name);
    }
}

#[test]
fn errors_quote_nothing() {
    let broken = format!("{{\"kind\": \"Secret\", \"data\": {}}}", canary("secretdata"));
    assert_silent(&format!("{:?}", read_stream(&broken)), "an error of JSON");
    let broken = format!("kind: Secret\ndata: [{}", canary("secretdata"));
    assert_silent(&format!("{:?}", read_stream(&broken)), "an error of YAML");
}

#[test]
fn equal_secrets_are_told_to_be_equal() {
    let snapshot = snapshot();
    let secret = &snapshot.secrets.items()[0];
    let redactor = Redactor::new(Salt::new([3; 32]));
    let password = secret.data["password"].hidden().unwrap();
    assert_eq!(password.equals(&redactor.hide(canary("secretdata").as_bytes())), Some(true));
    let other = Redactor::new(Salt::new([4; 32]));
    assert_eq!(password.equals(&other.hide(canary("secretdata").as_bytes())), None);
}
