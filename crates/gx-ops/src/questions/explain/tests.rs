//! What is told of pods, nodes and workloads, of small snapshots.

use super::*;
use crate::facts::{Fact, Snapshot};
use crate::rules::fixture::read;

const CLUSTER: &str = include_str!("../../../fixtures/questions/cluster.yaml");

fn cluster() -> Snapshot {
    read(CLUSTER).unwrap().snapshot
}

fn text(answer: &Explanation) -> String {
    let text = render(answer, &Look { top: usize::MAX, ..Look::default() });
    for line in text.lines() {
        assert!(line.chars().count() <= 80 || !line.trim().contains(' '), "{line}");
    }
    text.replace("\n    ", " ")
}

#[test]
fn a_pod_with_a_local_volume_cannot_leave() {
    let text = text(&explain_pod(&cluster(), "postgres-0").unwrap());
    assert!(text.contains("ready on delta"), "{text}");
    assert!(
        text.contains("cannot leave delta: claim data-postgres-0 is bound to volume"),
        "{text}"
    );
    assert!(
        text.contains("alfa, bravo, charlie: node(s) didn't match PersistentVolume's"),
        "{text}"
    );
    assert!(
        text.contains("PodDisruptionBudget backend-mainnet/postgres-pdb: 1 may be away"),
        "{text}"
    );
}

#[test]
fn a_pending_pod_says_what_the_scheduler_says() {
    let fixture = "
        nodes:
        - {name: a, allocatable: {pods: 10, cpu: '1'}, conditions: [{kind: Ready, status: 'True'}]}
        pods:
        - {namespace: m, name: p, phase: Pending, spec: {nodeSelector: {disk: ssd}}}
        secrets: []";
    let text = text(&explain_pod(&read(fixture).unwrap().snapshot, "m/p").unwrap());
    assert!(text.contains("pending, without a node"), "{text}");
    assert!(text.contains("0/1 nodes are available: 1 node(s) didn't match Pod's node"), "{text}");
}

#[test]
fn running_is_not_ready_and_the_cause_is_named() {
    let fixture = "
        nodes: [{name: a}]
        pods:
        - namespace: m
          name: p
          node: a
          spec:
            containers:
            - name: main
              envFrom: [{kind: Secret, name: gone}, {kind: Secret, name: maybe, optional: true}]
          statuses: [{name: main, waiting: CreateContainerConfigError, restarts: 3}]
        secrets: []
        configMaps: []";
    let text = text(&explain_pod(&read(fixture).unwrap().snapshot, "p").unwrap());
    assert!(text.contains("Node a is not ready"), "{text}");
    assert!(text.contains("Secret gone is not there"), "{text}");
    assert!(!text.contains("Secret maybe is not there"), "{text}");
    assert!(text.contains("main: CreateContainerConfigError; 3 restarts"), "{text}");
}

#[test]
fn a_node_tells_what_lies_on_it_and_what_its_loss_would_be() {
    let text = text(&explain_node(&cluster(), "bravo").unwrap());
    assert!(text.contains("member bravo-0a1b2c of etcd, healthy, one of 3"), "{text}");
    assert!(text.contains("claim fabric-mainnet/data-ca-org1-0"), "{text}");
    assert!(text.contains("DATA LOSS"), "{text}");
    let without = cluster().without(Fact::Inventory);
    let text = render(&explain_node(&without, "bravo").unwrap(), &Look::default());
    assert!(text.contains("no region is declared for it"), "{text}");
}

#[test]
fn a_workload_tells_where_its_pods_are_and_could_be() {
    let text = text(&explain_workload(&cluster(), "svc-tax").unwrap());
    assert!(text.contains("1 ready of 1 wanted"), "{text}");
    assert!(text.contains("svc-tax-0: ready on alfa"), "{text}");
    assert!(text.contains("Service backend-mainnet/svc-tax"), "{text}");
    assert!(text.contains("api.example.org/tax"), "{text}");
    assert!(text.contains("alfa, bravo, charlie, delta: open"), "{text}");
    let text =
        self::text(&explain_workload(&cluster(), "StatefulSet/backend-mainnet/postgres").unwrap());
    assert!(text.contains("postgres-2 has its volume on bravo alone"), "{text}");
}

#[test]
fn names_that_lead_nowhere_are_answered_with_those_that_do() {
    let error = explain_workload(&cluster(), "svc-taxes").unwrap_err().to_string();
    assert!(error.contains("backend-mainnet/svc-tax"), "{error}");
}
