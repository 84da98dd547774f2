//! Every refusal with a case that it refuses and a near one that passes; and plans that an operator
//! would ask for.

use super::refusals::Case;
use super::*;
use crate::facts::{
    Artifact, Backup, ContainerStatus, Fact, Host, HostPath, Known, Part, Snapshot, Source, Truth,
};
use crate::questions::what_if::what_if;
use crate::report::Look;
use crate::rules::fixture::read;

const CLUSTER: &str = include_str!("../../fixtures/questions/cluster.yaml");
const PAGE: &str = include_str!("../../../../docs/operations/acts.md");

/// The cluster of the questions, with objects that can be told apart.
fn cluster() -> Snapshot {
    let mut snapshot = read(CLUSTER).unwrap().snapshot;
    for pod in snapshot.pods.items_mut().unwrap() {
        pod.uid = format!("uid-{}", pod.name);
    }
    for one in snapshot.workloads.items_mut().unwrap() {
        one.uid = format!("uid-{}", one.name);
        one.generation = Some(1);
        one.observed_generation = Some(1);
    }
    for node in snapshot.nodes.items_mut().unwrap() {
        node.uid = format!("uid-{}", node.name);
    }
    snapshot.forget_index();
    snapshot
}

fn exact(snapshot: &Snapshot, namespace: &str, name: &str) -> Exact {
    Exact::of(snapshot.pod(namespace, name).unwrap())
}

fn fail(snapshot: &mut Snapshot, names: &[&str]) {
    for pod in snapshot.pods.items_mut().unwrap() {
        if names.contains(&pod.name.as_str()) {
            pod.conditions[0].status = Truth::False;
        }
    }
    snapshot.forget_index();
}

/// One look at a snapshot, an action, minutes since it was collected, and what was typed.
struct Tried {
    snapshot: Snapshot,
    action: Action,
    seconds: i64,
    typed: Option<&'static str>,
}

impl Tried {
    fn new(snapshot: Snapshot, action: Action) -> Self {
        Self { snapshot, action, seconds: 0, typed: Some("mainnet") }
    }

    fn facts(&self, id: &str) -> Option<String> {
        let changes = self.action.changes();
        let answer = what_if(&self.snapshot, &changes).unwrap();
        let refusal = REFUSALS.iter().find(|one| one.id == id).unwrap();
        (refusal.looks)(&Case {
            state: &self.snapshot,
            action: &self.action,
            answer: (!changes.is_empty()).then_some(&answer),
            needs: &[Fact::Pods],
            now: Time::from_seconds(self.snapshot.taken.seconds() + self.seconds),
            network: Some("mainnet"),
            typed: self.typed,
        })
    }
}

fn evict(snapshot: Snapshot, namespace: &str, names: &[&str]) -> Tried {
    let pods = names.iter().map(|name| exact(&snapshot, namespace, name)).collect();
    Tried::new(snapshot, Action::Evict { pods })
}

/// A volume of the database whose folder was written at a time.
fn written(at: &str) -> Tried {
    let mut snapshot = cluster();
    for volume in snapshot.volumes.items_mut().unwrap() {
        volume.path = format!("/data/{}", volume.name);
    }
    let folder = HostPath {
        path: "/data/pv-postgres-0".to_owned(),
        bytes: 7,
        modified: Some(at.parse().unwrap()),
        ..HostPath::default()
    };
    let volumes = Known::Known(vec![folder]);
    let host = Host { name: "delta".to_owned(), volumes, ..Host::default() };
    snapshot.hosts = Part::collected(Source::default(), vec![host]);
    snapshot.forget_index();
    let object = Exact::of(snapshot.volume("pv-postgres-0").unwrap());
    Tried::new(snapshot, Action::Delete { object })
}

fn authority(is_backed_up: bool) -> Tried {
    let mut snapshot = cluster();
    if is_backed_up {
        let at = snapshot.taken;
        let artifact = Artifact { at, verified: Some(at), ..Artifact::default() };
        snapshot.backups.items_mut().unwrap().push(Backup {
            component: "ca".to_owned(),
            environment: "mainnet".to_owned(),
            artifacts: vec![artifact],
            ..Backup::default()
        });
    }
    let mut all = snapshot.top_workloads();
    let object = Exact::of(all.find(|one| one.name == "ca-org1").unwrap());
    Tried::new(snapshot.clone(), Action::Delete { object })
}

fn relabelled(key: &str) -> Tried {
    let mut snapshot = cluster();
    for pod in snapshot.pods.items_mut().unwrap() {
        if pod.name == "svc-identity-0" {
            pod.spec.node_selector.insert("tier".to_owned(), "front".to_owned());
        }
    }
    for node in snapshot.nodes.items_mut().unwrap().iter_mut().filter(|node| node.name == "alfa") {
        node.labels.insert("tier".to_owned(), "front".to_owned());
    }
    snapshot.forget_index();
    let object = Exact::of(snapshot.node("alfa").unwrap());
    let (from, to) = (Some("front".to_owned()), Some("back".to_owned()));
    let from = if key == "tier" { from } else { None };
    Tried::new(snapshot, Action::Label { object, key: key.to_owned(), from, to })
}

fn removed(name: &str) -> Tried {
    let (host, path) = ("vault".to_owned(), format!("/var/tmp/{name}"));
    let effect = Effect::FileRemoved { host, path };
    Tried::new(cluster(), Action::Ask { place: "vault".to_owned(), run: Vec::new(), effect })
}

/// What is refused, and what is near it and is not.
fn cases(id: &str) -> (Tried, Tried) {
    let mut spoiled = cluster();
    let orderer = |snapshot, name: &str| evict(snapshot, "fabric-mainnet", &[name]);
    match id {
        "quorum" => {
            let mut broken = cluster();
            fail(&mut broken, &["orderer1-0", "orderer3-0"]);
            fail(&mut spoiled, &["orderer1-0"]);
            (orderer(broken, "orderer0-0"), orderer(spoiled, "orderer0-0"))
        }
        "two-members" => {
            fail(&mut spoiled, &["orderer1-0"]);
            // The one that does not work may start again: no other is touched.
            (orderer(spoiled.clone(), "orderer0-0"), orderer(spoiled, "orderer1-0"))
        }
        "only-copy" => (written("2026-11-30T01:00:00Z"), written("2026-11-28T23:00:00Z")),
        "authority-key" => (authority(false), authority(true)),
        "relabelling" => (relabelled("tier"), relabelled("rack")),
        "all-at-once" => {
            let names = ["svc-identity-0", "svc-identity-1", "svc-identity-2"];
            let all = evict(cluster(), "backend-mainnet", &names);
            (all, evict(spoiled, "backend-mainnet", &names[..2]))
        }
        // Only the first was ever read again.
        "last-backup" => (removed("one"), removed("two")),
        "old-facts" => {
            let at = |seconds| Tried { seconds, ..orderer(cluster(), "orderer0-0") };
            (at(601), at(600))
        }
        "unnamed-network" => {
            let typed = |typed| Tried { typed, ..orderer(cluster(), "orderer0-0") };
            (typed(Some("testnet")), typed(Some("mainnet")))
        }
        other => panic!("no case of {other}"),
    }
}

#[test]
fn every_refusal_refuses_and_lets_pass() {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    let told: Vec<(&str, &str)> = rows
        .filter_map(|line| line.split_once("` | "))
        .map(|(id, rest)| (id, rest.trim_end_matches(" |")))
        .collect();
    let listed: Vec<(&str, &str)> = REFUSALS.iter().map(|one| (one.id, one.sentence)).collect();
    let told: Vec<(&str, &str)> =
        told.into_iter().filter(|(id, _)| listed.iter().any(|(known, _)| known == id)).collect();
    assert_eq!(told, listed, "the page lists other refusals, or in another order");
    for refusal in &REFUSALS {
        let (refused, passes) = cases(refusal.id);
        let facts = refused.facts(refusal.id);
        assert!(facts.is_some_and(|facts| facts.len() > 10), "{} refuses nothing", refusal.id);
        assert_eq!(passes.facts(refusal.id), None, "{}", refusal.id);
    }
}

fn plan(snapshot: &Snapshot, request: &Request) -> Plan {
    let plan = make(snapshot, request, snapshot.taken).unwrap();
    for width in [80, 200] {
        let look = Look { width, ..Look::default() };
        for line in render(&plan, &look).lines() {
            assert!(line.chars().count() <= width || !line.trim().contains(' '), "{line}");
        }
    }
    assert_eq!(Plan::parse(&plan.to_text().unwrap()).unwrap(), plan);
    plan
}

fn refused(snapshot: &Snapshot, request: &Request) -> &'static str {
    match make(snapshot, request, snapshot.taken) {
        Err(PlanError::Refused(refused)) => refused.id,
        other => panic!("{other:?}"),
    }
}

fn restart(names: &[&str], at_once: usize) -> Request {
    let workloads = names.iter().map(|name| (*name).to_owned()).collect();
    Request::Restart { workloads, at_once, settle_seconds: 30 }
}

fn titles(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.title.as_str()).collect()
}

#[test]
fn a_restart_begins_with_a_canary_and_goes_one_by_one() {
    let made = plan(&cluster(), &restart(&["orderer0", "orderer1"], 1));
    assert_eq!(
        titles(&made),
        ["restart Pod fabric-mainnet/orderer0-0", "restart Pod fabric-mainnet/orderer1-0"]
    );
    assert_eq!(made.network.as_deref(), Some("mainnet"));
    let two = plan(&cluster(), &restart(&["svc-identity"], 2));
    assert_eq!(two.steps[0].action.objects().len(), 1);
    assert_eq!(two.steps[1].action.objects().len(), 2);
    assert!(matches!(two.steps[0].check, Check::Ready { ready: 3, seconds: 30, .. }));
    assert_eq!(refused(&cluster(), &restart(&["svc-identity"], 3)), "all-at-once");
    let mut spoiled = cluster();
    fail(&mut spoiled, &["orderer2-0"]);
    assert_eq!(refused(&spoiled, &restart(&["orderer0"], 1)), "two-members");
}

#[test]
fn members_of_a_set_go_one_by_one_and_never_too_many() {
    let mut snapshot = read(
        "nodes: [{name: a, uid: a, conditions: [{kind: Ready, status: 'True'}],
            allocatable: {cpu: '9', memory: 9Gi, pods: '99'}}]
pods: []
workloads: [{kind: StatefulSet, namespace: m, name: orderer, uid: o, replicas: 5}]
services: []
claims: []
volumes: []
storageClasses: []
budgets: []
namespaces: [{name: m}]",
    )
    .unwrap()
    .snapshot;
    let pods = (0..5).map(|n| {
        let text = format!(
            "{{\"namespace\":\"m\",\"name\":\"orderer-{n}\",\"uid\":\"{n}\",\"node\":\"a\",\
             \"owner\":{{\"kind\":\"StatefulSet\",\"name\":\"orderer\"}},\
             \"conditions\":[{{\"kind\":\"Ready\",\"status\":\"True\"}}]}}"
        );
        serde_json::from_str(&text).unwrap()
    });
    snapshot.pods.items_mut().unwrap().extend(pods);
    snapshot.forget_index();
    let scale = |replicas| Request::Scale { workload: "orderer".to_owned(), replicas };
    let down = plan(&snapshot, &scale(3));
    assert_eq!(
        titles(&down),
        ["scale StatefulSet m/orderer from 5 to 4", "scale StatefulSet m/orderer from 4 to 3"]
    );
    assert_eq!(down.network, None);
    // Of five members three have to work, however slowly they go.
    assert_eq!(refused(&snapshot, &scale(2)), "quorum");
}

#[test]
fn what_is_missing_or_old_is_told_with_the_way_to_have_it() {
    let snapshot = cluster();
    let request = Request::Drain { node: "alfa".to_owned() };
    let later = Time::from_seconds(snapshot.taken.seconds() + 601);
    let text = make(&snapshot, &request, later).unwrap_err().to_string();
    assert!(text.contains("old-facts") && text.contains("kubectl get"), "{text}");
    let without = cluster().without(Fact::Budgets);
    let text = make(&without, &request, without.taken).unwrap_err().to_string();
    assert!(text.contains("budgets is missing"), "{text}");
    // Whether databases replicate decides how many of them have to stay.
    let text = make(&snapshot, &restart(&["postgres"], 1), snapshot.taken).unwrap_err().to_string();
    assert!(text.contains("postgres is missing"), "{text}");
}

#[test]
fn a_drain_closes_the_node_and_evicts_what_is_not_of_the_node() {
    let made = plan(&cluster(), &Request::Cordon { node: "alfa".to_owned() });
    assert_eq!(titles(&made), ["close Node alfa"]);
    // Two orderers are on it, with volumes that are nowhere else.
    let drain = Request::Drain { node: "alfa".to_owned() };
    assert_eq!(refused(&cluster(), &drain), "two-members");
    let mut lighter = cluster();
    let pods = lighter.pods.items_mut().unwrap();
    pods.retain(|pod| pod.node != "alfa" || pod.name.starts_with("svc"));
    pods.push(
        serde_json::from_str(
            r#"{"namespace":"m","name":"agent","node":"alfa",
        "owner":{"kind":"DaemonSet","name":"agent"}}"#,
        )
        .unwrap(),
    );
    lighter.forget_index();
    let made = plan(&lighter, &drain);
    let expected = [
        "close Node alfa",
        "evict Pod backend-mainnet/svc-identity-0",
        "evict Pod backend-mainnet/svc-tax-0",
    ];
    assert_eq!(titles(&made), expected);
    assert_eq!(made.steps[1].rollback, ["kubectl uncordon alfa"]);
    assert!(made.steps[1].dependants.iter().any(|line| line.contains("goes to")));
}

#[test]
fn the_same_facts_make_the_same_plan_and_others_are_told_apart() {
    let snapshot = cluster();
    let request = restart(&["svc-identity"], 1);
    let one = plan(&snapshot, &request);
    assert_eq!(one.id, plan(&snapshot.clone(), &request).id);
    let mut other = cluster();
    for pod in other.pods.items_mut().unwrap() {
        if pod.name == "svc-identity-1" {
            pod.uid = "another".to_owned();
        }
    }
    for one in other.workloads.items_mut().unwrap() {
        if one.name == "svc-identity" {
            one.generation = Some(2);
        }
    }
    other.forget_index();
    let now = plan(&other, &request);
    assert_ne!(one.id, now.id);
    let told = one.differences(&now);
    assert!(told.iter().any(|line| line.contains("generation 2")), "{told:?}");
    // A plan that somebody has edited is none.
    let edited = one.to_text().unwrap().replace("uid-svc-identity-1", "uid-svc-identity-9");
    assert!(matches!(Plan::parse(&edited), Err(PlanReadError::Changed)));
}

#[test]
fn what_nobody_needs_is_cleaned_and_nothing_else() {
    let mut snapshot = read(CLEAN).unwrap().snapshot;
    let crash = ContainerStatus {
        waiting: Some("CrashLoopBackOff".to_owned()),
        restarts: 797,
        ..ContainerStatus::default()
    };
    for pod in snapshot.pods.items_mut().unwrap() {
        if pod.name.starts_with("crash") {
            pod.statuses.push(crash.clone());
        }
    }
    let policy = Clean {
        namespaces: Vec::new(),
        finished_hours: Some(24),
        failed_hours: None,
        keep_revisions: Some(2),
        crash_restarts: Some(20),
        services: true,
        volumes: false,
        archive_days: None,
    };
    let made = plan(&snapshot, &Request::Clean(policy.clone()));
    assert_eq!(
        titles(&made),
        [
            "delete Pod d-devnet/done",
            "delete ReplicaSet d-devnet/app-2",
            "delete ReplicaSet d-devnet/app-1",
            "scale Deployment d-devnet/crash from 3 to 0",
            "delete Service d-devnet/nowhere",
        ]
    );
    let parked = &made.steps[3];
    assert!(matches!(parked.action, Action::Scale { remember: true, from: 3, to: 0, .. }));
    assert_eq!(parked.rollback, ["kubectl scale deployment/crash -n d-devnet --replicas=3"]);
    assert!(made.notes.iter().any(|note| note.contains("m-mainnet/crash-too")), "{:?}", made.notes);
    assert_eq!(made.network, None);
    // Those that failed tell why, unless somebody says that they have told it.
    let all = Clean { failed_hours: Some(24), ..policy };
    assert!(titles(&plan(&snapshot, &Request::Clean(all))).contains(&"delete Pod d-devnet/failed"));
}

const CLEAN: &str = "
nodes: [{name: a, uid: a, conditions: [{kind: Ready, status: 'True'}]}]
pods:
- {namespace: d-devnet, name: done, uid: p1, phase: Succeeded, created: 2026-11-29T00:00:00Z}
- {namespace: d-devnet, name: young, uid: p2, phase: Succeeded, created: 2026-11-30T00:00:00Z}
- {namespace: d-devnet, name: failed, uid: p3, phase: Failed, created: 2026-11-29T00:00:00Z}
- {namespace: d-devnet, name: crash-a, uid: p4, phase: Running, owner: {kind: Deployment,
   name: crash}}
- {namespace: m-mainnet, name: crash-b, uid: p5, phase: Running, owner: {kind: Deployment,
   name: crash-too}}
- {namespace: kube-system, name: done, uid: p6, phase: Succeeded, created: 2026-11-29T00:00:00Z}
workloads:
- {kind: Deployment, namespace: d-devnet, name: crash, uid: w1, replicas: 3}
- {kind: Deployment, namespace: m-mainnet, name: crash-too, uid: w2, replicas: 3}
- {kind: Deployment, namespace: d-devnet, name: app, uid: w3, replicas: 0, revision: 5,
   template: {labels: {app: app}}}
- {kind: ReplicaSet, namespace: d-devnet, name: app-1, uid: r1, revision: 1,
   owner: {kind: Deployment, name: app}}
- {kind: ReplicaSet, namespace: d-devnet, name: app-2, uid: r2, revision: 2,
   owner: {kind: Deployment, name: app}}
- {kind: ReplicaSet, namespace: d-devnet, name: app-3, uid: r3, revision: 3,
   owner: {kind: Deployment, name: app}}
- {kind: ReplicaSet, namespace: d-devnet, name: app-4, uid: r4, revision: 4,
   owner: {kind: Deployment, name: app}}
- {kind: ReplicaSet, namespace: d-devnet, name: app-5, uid: r5, revision: 5,
   owner: {kind: Deployment, name: app}}
services:
- {namespace: d-devnet, name: nowhere, uid: s1, kind: ClusterIP, selector: {app: none}}
- {namespace: d-devnet, name: app, uid: s2, kind: ClusterIP, selector: {app: app}}
- {namespace: d-devnet, name: called, uid: s3, kind: ClusterIP, selector: {app: none}}
ingresses:
- {namespace: d-devnet, name: i, paths: [{host: example.org, path: /, service: called, port: '80'}]}
configMaps: []
secrets: []
claims: []
volumes: []
storageClasses: []
budgets: []
namespaces: [{name: d-devnet}, {name: m-mainnet}]
";
