//! What collectors say that they collect they do, and what they cannot use they name.

use gx_ops::collect::{Input, Redactor, Salt, collected_facts, gather};
use gx_ops::facts::{Fact, PullPolicy, Scope, Snapshot, Time, WorkloadKind};
use serde_json::json;

fn read(files: &[(&str, &str)]) -> Snapshot {
    let at = Time::from_seconds(1_796_000_000);
    let input = |(name, text): &(&str, &str)| Input {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
        at,
    };
    let inputs = files.iter().map(input).collect();
    gather(inputs, Redactor::new(Salt::new([2; 32]))).unwrap()
}

/// Kinds as an API server lists them; an empty list of a kind says that there is nothing of it.
const LISTS: [(&str, &str); 27] = [
    ("v1", "Node"),
    ("v1", "Pod"),
    ("apps/v1", "Deployment"),
    ("v1", "Service"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("networking.k8s.io/v1", "Ingress"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("longhorn.io/v1beta2", "Volume"),
    ("policy/v1", "PodDisruptionBudget"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("v1", "Namespace"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("cert-manager.io/v1", "Certificate"),
    ("cert-manager.io/v1", "Issuer"),
    ("v1", "Event"),
    ("apps/v1", "StatefulSet"),
];

#[test]
fn what_is_said_to_be_collected_is_collected() {
    let lists: String = LISTS
        .iter()
        .map(|(version, kind)| {
            let list = json!({"apiVersion": version, "kind": format!("{kind}List"), "items": []});
            format!("{list}\n")
        })
        .collect();
    let host = include_str!("../../fixtures/collect/host.txt");
    let files = [
        ("all.json", lists.as_str()),
        ("a.txt", host),
        ("i.toml", "name = \"example\"\n"),
        ("postgres.json", include_str!("../../fixtures/collect/postgres.json")),
        ("asked.txt", include_str!("../../fixtures/collect/asked.txt")),
        ("deployments.json", r#"{"deployments": [], "pagination": {}}"#),
    ];
    let snapshot = read(&files);
    for fact in collected_facts() {
        assert_eq!(snapshot.lacks(fact), None, "{}", fact.name());
    }
    // And nothing else is claimed to be known.
    for fact in Fact::ALL.iter().filter(|fact| !collected_facts().contains(fact)) {
        assert!(snapshot.lacks(*fact).is_some(), "{}", fact.name());
        assert!(fact.how().contains("no collector"), "{}: {}", fact.name(), fact.how());
    }
}

const DEPLOYMENT: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata:
  namespace: backend-mainnet
  name: svc-tax
  annotations: {deployment.kubernetes.io/revision: "7"}
spec:
  replicas: 3
  selector: {matchLabels: {app: svc-tax}}
  template:
    metadata: {labels: {app: svc-tax}}
    spec:
      nodeSelector: {backend-environment: mainnet}
      containers:
      - name: api
        image: example/tax
        ports: [{containerPort: 3007}]
        resources: {requests: {cpu: 200m, memory: 256Mi}}
        livenessProbe: {httpGet: {path: /livez, port: 3007}}
        env:
        - {name: LOG_LEVEL, value: info}
        - name: DATABASE_URL
          valueFrom: {secretKeyRef: {name: backend-secrets, key: url}}
status: {readyReplicas: 2}
"#;

#[test]
fn json_and_yaml_say_the_same() {
    let yaml = format!("---\n{DEPLOYMENT}\n---\nkind: Widget\n---\n");
    let snapshot = read(&[("a.yaml", &yaml)]);
    let found = snapshot.workload(WorkloadKind::Deployment, "backend-mainnet", "svc-tax").unwrap();
    assert_eq!((found.replicas, found.ready, found.revision), (3, 2, Some(7)));
    let container = &found.template.spec.containers[0];
    // Without a tag it is the latest, and that is always pulled.
    assert_eq!(container.pull_policy, PullPolicy::Always);
    assert_eq!((container.requests.cpu(), container.requests.memory()), (200, 256 << 20));
    assert_eq!(container.env[0].value.as_ref().unwrap().plain(), Some("info"));
    let from = container.env[1].from.as_ref().unwrap();
    assert_eq!((from.kind.as_str(), from.key.as_str()), ("Secret", "url"));
    assert_eq!(container.liveness.as_ref().unwrap().period_seconds, 10);
    assert_eq!(snapshot.notes[0].about, "Widget");
    let object: serde_json::Value = serde_json::json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": "backend-mainnet", "name": "svc-tax",
            "annotations": {"deployment.kubernetes.io/revision": "7"}},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "svc-tax"}}, "template": {
            "metadata": {"labels": {"app": "svc-tax"}},
            "spec": {"nodeSelector": {"backend-environment": "mainnet"}, "containers": [{
                "name": "api", "image": "example/tax", "ports": [{"containerPort": 3007}],
                "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}},
                "livenessProbe": {"httpGet": {"path": "/livez", "port": 3007}},
                "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "DATABASE_URL",
                    "valueFrom": {"secretKeyRef": {"name": "backend-secrets", "key": "url"}}}],
            }]}}},
        "status": {"readyReplicas": 2},
    });
    let dumped = read(&[("a.json", &object.to_string())]);
    assert_eq!(dumped.workloads.items(), snapshot.workloads.items());
}

#[test]
fn a_list_of_one_namespace_is_not_all_there_is() {
    let pod = |namespace: &str, name: &str| {
        let metadata = json!({"namespace": namespace, "name": name});
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {"containers": []}})
    };
    let list = |items: Vec<serde_json::Value>| {
        json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
    };
    let scope = |text: &str| read(&[("pods.json", text)]).pods.sources()[0].scope;
    assert_eq!(scope(&list(vec![pod("a", "x"), pod("a", "y")])), Scope::Some);
    assert_eq!(scope(&list(vec![pod("a", "x"), pod("b", "y")])), Scope::Whole);
    assert_eq!(scope(&pod("a", "x").to_string()), Scope::Some);
    let typed = json!({"apiVersion": "v1", "kind": "PodList", "items": []}).to_string();
    assert_eq!(scope(&typed), Scope::Whole);
    // Two dumps of two namespaces are both there.
    let both =
        read(&[("a.json", &list(vec![pod("a", "x")])), ("b.json", &list(vec![pod("b", "x")]))]);
    assert_eq!(both.pods.items().len(), 2);
}

const CARELESS: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {namespace: m, name: scripts}
data:
  orderer.yaml: |
    General:
      TLS: {Enabled: true}
  run.sh: |
    #!/bin/sh
    ssh -o StrictHostKeyChecking=no backup.example.org
---
apiVersion: batch/v1
kind: CronJob
metadata: {namespace: m, name: dump}
spec:
  schedule: "0 4 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: dump
            image: example/dump
            command: [/bin/sh, -c, 'redis-cli -h redis -a "$REDIS_PASSWORD" BGSAVE']
            env:
            - {name: REDIS_URL, value: "redis://:$(REDIS_PASSWORD)@redis:6379"}
            - {name: COUCHDB_PASSWORD, value: adminpw}
---
apiVersion: v1
kind: Secret
metadata: {namespace: m, name: couchdb}
stringData: {password: adminpw, other: correcthorsebattery}
"#;

#[test]
fn of_scripts_and_secrets_no_more_is_told_than_rules_ask() {
    let snapshot = read(&[("a.yaml", CARELESS)]);
    let [map] = snapshot.config_maps.items() else { panic!("one ConfigMap") };
    assert!(map.tls_switches["orderer.yaml:general.tls.enabled"]);
    assert_eq!(map.careless["run.sh"], ["hostKeysUnchecked"]);
    assert!(!map.careless.contains_key("orderer.yaml"));
    let dump = snapshot.workload(WorkloadKind::CronJob, "m", "dump").unwrap();
    let container = &dump.template.spec.containers[0];
    assert_eq!(container.careless, ["passwordOnCommandLine"]);
    let dsn = container.env[0].value.as_ref().unwrap().dsn().unwrap();
    assert_eq!(dsn.password_variable.as_deref(), Some("REDIS_PASSWORD"));
    let [secret] = snapshot.secrets.items() else { panic!("one Secret") };
    assert!(secret.data["password"].hidden().unwrap().well_known);
    assert!(!secret.data["other"].hidden().unwrap().well_known);
    let text = snapshot.to_text().unwrap();
    for secret in ["adminpw", "correcthorsebattery", "backup.example.org", "BGSAVE"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
