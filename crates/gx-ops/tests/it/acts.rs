//! Plans that are applied: killed at every boundary between steps, continued, taken back; and what
//! stops them.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use gx_ops::acts::{ActError, Answer, Facts, Go, Outcome, Point, Runner, Runs, Watcher};
use gx_ops::collect::{Redactor, Salt, collect_live};
use gx_ops::facts::{Snapshot, Time};
use gx_ops::plans::{Clean, Plan, Request, make};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rig::{self, Rig};
use crate::stand_in::StandIn;

const NOW: i64 = 1_796_000_000;

/// Facts of the API server alone, at a time that stands still unless somebody moves it.
#[derive(Debug)]
struct Alone(Cell<i64>);

impl Facts for Alone {
    fn now(&self, _: Option<&Path>) -> Result<Option<Snapshot>, String> {
        Ok(None)
    }
    fn time(&self) -> Time {
        Time::from_seconds(self.0.get())
    }
    fn redactor(&self) -> Redactor {
        Redactor::new(Salt::new([1; 32]))
    }
    fn draw(&self) -> Result<String, String> {
        Ok("drawn0123456789".to_owned())
    }
}

/// Ends a run at a point of it, counted from the first, and does something at another.
struct Killer<'a> {
    at: Option<usize>,
    seen: usize,
    meanwhile: &'a dyn Fn(Point),
}

impl Killer<'_> {
    fn at(at: Option<usize>) -> Self {
        Self { at, seen: 0, meanwhile: &|_| {} }
    }
}

impl Watcher for Killer<'_> {
    fn tell(&mut self, _: &str) {}
    fn ask(&mut self, _: &str, _: &[String], _: &Path) -> Answer {
        Answer::Done
    }
    fn at(&mut self, point: Point) -> Go {
        (self.meanwhile)(point);
        let is_it = Some(self.seen) == self.at;
        self.seen += 1;
        if is_it { Go::End } else { Go::On }
    }
}

fn runner<'a>(client: kube::Client, facts: &'a Alone, watcher: &'a mut Killer<'_>) -> Runner<'a> {
    Runner {
        client,
        from: "stand-in".to_owned(),
        facts,
        watcher,
        typed: Some("mainnet".to_owned()),
        pause: Duration::from_millis(1),
    }
}

fn node(name: &str) -> Value {
    json!({"kind": "Node", "apiVersion": "v1",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, "spec": {},
        "status": {"allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True"}]}})
}

fn deployment(namespace: &str, name: &str, replicas: u32) -> Value {
    let labels = json!({"app": name});
    json!({"kind": "Deployment", "apiVersion": "apps/v1",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "i"}]}}}})
}

fn service(namespace: &str, name: &str, app: &str) -> Value {
    json!({"kind": "Service", "apiVersion": "v1",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"type": "ClusterIP", "clusterIP": "10.43.0.7", "selector": {"app": app},
            "ports": [{"port": 80}]}})
}

fn cluster() -> StandIn {
    let stand_in = StandIn::default();
    {
        let mut state = stand_in.0.lock().unwrap();
        for name in ["kube-system", "app-devnet", "app-mainnet"] {
            let meta = json!({"name": name});
            state.add(json!({"kind": "Namespace", "apiVersion": "v1", "metadata": meta}));
        }
        ["a", "b", "c"].iter().for_each(|name| state.add(node(name)));
        state.add(deployment("app-devnet", "svc-one", 3));
        state.add(deployment("app-devnet", "svc-two", 2));
        state.add(deployment("app-mainnet", "orderer", 5));
        state.add(service("app-devnet", "one", "svc-one"));
        state.add(service("app-devnet", "old", "svc-gone"));
        state.add(service("app-devnet", "older", "svc-gone"));
        state.settle();
    }
    stand_in
}

async fn plan(client: kube::Client, request: &Request) -> Plan {
    let at = Time::from_seconds(NOW);
    let redactor = Redactor::new(Salt::new([1; 32]));
    let snapshot = collect_live(client, "stand-in", at, redactor).await.unwrap();
    make(&snapshot, request, at).unwrap_or_else(|error| panic!("{request:?}: {error}"))
}

fn services() -> Clean {
    Clean {
        namespaces: Vec::new(),
        finished_hours: None,
        failed_hours: None,
        keep_revisions: None,
        crash_restarts: None,
        services: true,
        volumes: false,
        archive_days: None,
    }
}

fn requests() -> Vec<Request> {
    let named = |name: &str| name.to_owned();
    vec![
        Request::Drain { node: named("a") },
        Request::Scale { workload: named("orderer"), replicas: 3 },
        Request::Scale { workload: named("svc-two"), replicas: 4 },
        Request::Label { node: named("b"), key: named("tier"), value: Some(named("front")) },
        Request::Restart { workloads: vec![named("svc-one")], at_once: 2, settle_seconds: 60 },
        Request::Restart { workloads: vec![named("svc-two")], at_once: 1, settle_seconds: 0 },
        Request::Clean(services()),
    ]
}

/// What plans change, without the pods, which come and go.
fn shape(stand_in: &StandIn) -> Vec<String> {
    let state = stand_in.0.lock().unwrap();
    let all = state.objects.iter().filter(|(_, one)| one["kind"] != "Pod");
    all.map(|(path, one)| {
        let mut spec = one["spec"].clone();
        if spec["unschedulable"] == false {
            spec.as_object_mut().unwrap().remove("unschedulable");
        }
        format!("{path} {spec} {} {}", one["metadata"]["labels"], one["metadata"]["annotations"])
    })
    .collect()
}

/// Applies a plan and returns what came of it, with the changes that were asked for.
async fn run(
    stand_in: &StandIn,
    folder: &Path,
    plan: &Plan,
    at: Option<usize>,
) -> (Outcome, usize) {
    let facts = Alone(Cell::new(NOW));
    let mut killer = Killer::at(at);
    let runs = Runs::open(folder).unwrap();
    let done = runner(stand_in.client(), &facts, &mut killer).apply(&runs, plan).await.unwrap();
    (done, killer.seen)
}

async fn resume(stand_in: &StandIn, folder: &Path, plan: &Plan, is_back: bool) -> Outcome {
    let facts = Alone(Cell::new(NOW));
    let mut killer = Killer::at(None);
    let runs = Runs::open(folder).unwrap();
    let journal = runs.find(&plan.id).unwrap();
    let mut runner = runner(stand_in.client(), &facts, &mut killer);
    match is_back {
        true => runner.roll_back(journal).await.unwrap(),
        false => runner.go_on(journal).await.unwrap(),
    }
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_continued_and_does_nothing_twice() {
    for request in requests() {
        let whole = cluster();
        let plan = plan(whole.client(), &request).await;
        let folder = TempDir::new().unwrap();
        let (done, points) = run(&whole, folder.path(), &plan, None).await;
        assert_eq!(done, Outcome::Ended, "{request:?}");
        assert_eq!(points, 4 * plan.steps.len(), "{request:?}");
        for at in 0..points {
            let stand_in = cluster();
            let folder = TempDir::new().unwrap();
            assert_eq!(run(&stand_in, folder.path(), &plan, Some(at)).await.0, Outcome::Left);
            let so_far = stand_in.changes();
            assert!(whole.changes().starts_with(&so_far), "{request:?} {at}: {so_far:?}");
            assert_eq!(resume(&stand_in, folder.path(), &plan, false).await, Outcome::Ended);
            assert_eq!(stand_in.changes(), whole.changes(), "{request:?} {at}");
            assert_eq!(shape(&stand_in), shape(&whole), "{request:?} {at}");
        }
    }
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_taken_back() {
    for request in requests() {
        let plan = plan(cluster().client(), &request).await;
        for at in 0..4 * plan.steps.len() {
            let stand_in = cluster();
            let before = shape(&stand_in);
            let folder = TempDir::new().unwrap();
            run(&stand_in, folder.path(), &plan, Some(at)).await;
            assert_eq!(resume(&stand_in, folder.path(), &plan, true).await, Outcome::RolledBack);
            assert_eq!(shape(&stand_in), before, "{request:?} {at}");
            // It has ended: nothing is left to go on with.
            assert!(Runs::open(folder.path()).unwrap().find(&plan.id).is_err());
        }
    }
}

#[tokio::test]
async fn nothing_is_changed_when_the_facts_are_others_or_no_name_was_typed() {
    let stand_in = cluster();
    let folder = TempDir::new().unwrap();
    let runs = Runs::open(folder.path()).unwrap();
    let request = Request::Scale { workload: "orderer".to_owned(), replicas: 4 };
    let made = plan(stand_in.client(), &request).await;
    assert_eq!(made.network.as_deref(), Some("mainnet"));
    let facts = Alone(Cell::new(NOW));
    for typed in [None, Some("testnet")] {
        let mut killer = Killer::at(None);
        let mut runner = runner(stand_in.client(), &facts, &mut killer);
        runner.typed = typed.map(str::to_owned);
        let error = runner.apply(&runs, &made).await.unwrap_err();
        assert!(
            matches!(&error, ActError::Plan(why) if why.to_string().contains("unnamed-network"))
        );
    }
    let path = "/apis/apps/v1/namespaces/app-mainnet/deployments/orderer";
    stand_in.0.lock().unwrap().objects.get_mut(path).unwrap()["metadata"]["generation"] = json!(9);
    let mut killer = Killer::at(None);
    let error =
        runner(stand_in.client(), &facts, &mut killer).apply(&runs, &made).await.unwrap_err();
    assert!(matches!(&error, ActError::Changed(lines) if lines[0].contains("generation 9")));
    assert_eq!(stand_in.changes(), Vec::<String>::new());
}

#[tokio::test]
async fn the_first_surprise_stops_it_and_nothing_further_is_done() {
    let stand_in = cluster();
    let folder = TempDir::new().unwrap();
    let request = Request::Scale { workload: "orderer".to_owned(), replicas: 3 };
    let made = plan(stand_in.client(), &request).await;
    let facts = Alone(Cell::new(NOW));
    let path = "/apis/apps/v1/namespaces/app-mainnet/deployments/orderer";
    let meddle = |point: Point| {
        if point == Point::Done(1) {
            let mut state = stand_in.0.lock().unwrap();
            state.objects.get_mut(path).unwrap()["spec"]["replicas"] = json!(7);
            state.settle();
        }
    };
    let runs = Runs::open(folder.path()).unwrap();
    let mut killer = Killer { at: None, seen: 0, meanwhile: &meddle };
    let done = runner(stand_in.client(), &facts, &mut killer).apply(&runs, &made).await.unwrap();
    let Outcome::Stopped { step: 2, why } = done else { panic!("{done:?}") };
    assert!(why.contains("has 7 replicas, neither 4 nor 3"), "{why}");
    assert_eq!(stand_in.changes().len(), 1);
    // Another plan has to wait until somebody has decided on this one.
    let other = plan(stand_in.client(), &Request::Cordon { node: "a".to_owned() }).await;
    let mut killer = Killer::at(None);
    let error = runner(stand_in.client(), &facts, &mut killer).apply(&runs, &other).await;
    assert!(error.unwrap_err().to_string().contains("--continue"));
    // Two at once do not get at the runs either.
    assert!(Runs::open(folder.path()).is_err());
    let journal = runs.find(&made.id).unwrap();
    let record = std::fs::read_to_string(journal.folder().join("record.md")).unwrap();
    assert!(record.contains("## Challenges") && record.contains("neither 4 nor 3"), "{record}");
    assert!(record.contains("- step 2: scale Deployment app-mainnet/orderer from 4 to 3"));
}

#[tokio::test]
async fn a_budget_is_waited_for() {
    let stand_in = cluster();
    let workloads = vec!["svc-two".to_owned()];
    let request = Request::Restart { workloads, at_once: 1, settle_seconds: 0 };
    let made = plan(stand_in.client(), &request).await;
    let budget = json!({"kind": "PodDisruptionBudget", "apiVersion": "policy/v1",
        "metadata": {"namespace": "app-devnet", "name": "two"},
        "spec": {"selector": {"matchLabels": {"app": "svc-two"}}, "minAvailable": 1},
        "status": {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1,
            "expectedPods": 2}});
    // Right before the first pod goes somebody else has one evicted; it is back after three looks.
    let meanwhile = |point: Point| {
        if point == Point::Noted(1) {
            let mut state = stand_in.0.lock().unwrap();
            state.add(budget.clone());
            state.denials = 3;
        }
    };
    let folder = TempDir::new().unwrap();
    let runs = Runs::open(folder.path()).unwrap();
    let facts = Alone(Cell::new(NOW));
    let mut killer = Killer { at: None, seen: 0, meanwhile: &meanwhile };
    let done = runner(stand_in.client(), &facts, &mut killer).apply(&runs, &made).await.unwrap();
    assert_eq!(done, Outcome::Ended);
    let asked = stand_in.changes();
    assert_eq!(asked.len(), 5, "{asked:?}");
    assert_eq!(asked[0], asked[3]);
}

/// Where an object of the rig is patched.
async fn put_status(client: &kube::Client, path: &str, name: &str, status: Value) {
    let patch = kube::api::Patch::Merge(json!({"status": status}));
    let request = kube::core::Request::new(path);
    let request = request.patch_subresource("status", name, &Default::default(), &patch).unwrap();
    // A pod that has gone meanwhile needs none.
    let _ = client.request::<Value>(request).await;
}

async fn pods(client: &kube::Client) -> Vec<Value> {
    let request = kube::core::Request::new("/api/v1/pods").list(&Default::default()).unwrap();
    let found: Value = client.request(request).await.unwrap();
    found["items"].as_array().cloned().unwrap_or_default()
}

/// What kubelets do: pods that have a node become ready, and those that are deleted go.
async fn kubelet(client: &kube::Client) {
    for pod in pods(client).await {
        let meta = &pod["metadata"];
        let (name, space) = (meta["name"].as_str().unwrap(), meta["namespace"].as_str().unwrap());
        let path = format!("/api/v1/namespaces/{space}/pods");
        if meta["deletionTimestamp"].is_string() {
            let now = kube::api::DeleteParams::default().grace_period(0);
            let request = kube::core::Request::new(path.as_str()).delete(name, &now).unwrap();
            let _ = client.request::<Value>(request).await;
        } else if pod["spec"]["nodeName"].is_string() && pod["status"]["phase"] != "Running" {
            let ready = json!({"type": "Ready", "status": "True",
                "lastTransitionTime": "2026-01-01T00:00:00Z"});
            let status = json!({"phase": "Running", "conditions": [ready]});
            put_status(client, &path, name, status).await;
        }
    }
}

/// A real control plane with a Deployment of three pods on three nodes, and its budget.
async fn real(home: &Path) -> Rig {
    let controllers = ["deployment-controller", "replicaset-controller", "disruption-controller"];
    let rig = Rig::start_with(home, &controllers).await;
    let meta = json!({"name": "app-devnet"});
    rig.create(&json!({"kind": "Namespace", "apiVersion": "v1", "metadata": meta})).await;
    for name in ["a", "b", "c"] {
        let mut object = node(name);
        let status = object.as_object_mut().unwrap().remove("status").unwrap();
        rig.create(&object).await;
        put_status(&rig.client, "/api/v1/nodes", name, status).await;
    }
    rig.create(&deployment("app-devnet", "svc-one", 3)).await;
    rig.create(&json!({"kind": "PodDisruptionBudget", "apiVersion": "policy/v1",
        "metadata": {"namespace": "app-devnet", "name": "one"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "svc-one"}}}}))
        .await;
    rig.create(&service("app-devnet", "old", "svc-gone")).await;
    rig
}

/// Waits until three pods are ready and the budget allows one to go.
async fn settled(rig: &Rig) {
    rig::until("all pods are ready, and the budget knows", async || {
        kubelet(&rig.client).await;
        let ready = pods(&rig.client).await;
        let ready = ready.iter().filter(|pod| pod["status"]["phase"] == "Running").count();
        let budget = json!({"kind": "PodDisruptionBudget", "apiVersion": "policy/v1",
            "metadata": {"namespace": "app-devnet", "name": "one"}});
        ready == 3 && rig.get(&budget).await["status"]["disruptionsAllowed"] == 1
    })
    .await;
}

/// Runs something while kubelets do their work.
async fn while_kubelets_work<T>(rig: &Rig, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let deadline = std::time::Instant::now() + Duration::from_secs(120);
    loop {
        assert!(std::time::Instant::now() < deadline, "gave up waiting for the run");
        tokio::select! {
            done = &mut work => return done,
            () = kubelet(&rig.client) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_api_server_is_drained_by_runs_that_are_killed_at_every_boundary() {
    let Some(home) = rig::home() else { return };
    let rig = real(&home).await;
    settled(&rig).await;
    let folder = TempDir::new().unwrap();
    let facts = Alone(Cell::new(NOW));
    let drain = Request::Drain { node: "a".to_owned() };
    let made = plan(rig.client.clone(), &drain).await;
    let objects: Vec<String> = made
        .steps
        .iter()
        .flat_map(|step| step.action.objects())
        .map(|object| object.uid.clone())
        .collect();
    let before = pods(&rig.client).await;
    let runs = Runs::open(folder.path()).unwrap();
    // One run, killed at each of its points in turn: every process sees one more of them.
    let mut killer = Killer::at(Some(0));
    let mut first = runner(rig.client.clone(), &facts, &mut killer);
    let begun = first.apply(&runs, &made);
    assert_eq!(while_kubelets_work(&rig, begun).await.unwrap(), Outcome::Left);
    let mut processes = 1;
    for at in (1..4).cycle() {
        let journal = runs.find(&made.id).unwrap();
        let mut killer = Killer::at(Some(at));
        let mut runner = runner(rig.client.clone(), &facts, &mut killer);
        let done = while_kubelets_work(&rig, runner.go_on(journal)).await.unwrap();
        processes += 1;
        match done {
            Outcome::Ended => break,
            Outcome::Left => assert!(processes < 50, "it never ends"),
            other => panic!("{other:?}"),
        }
    }
    assert!(processes > made.steps.len(), "{processes}");
    settled(&rig).await;
    let after = pods(&rig.client).await;
    assert!(after.iter().all(|pod| pod["spec"]["nodeName"] != "a"));
    // Nothing but what the plan names has gone.
    let uid = |pod: &Value| pod["metadata"]["uid"].as_str().unwrap().to_owned();
    let gone = before.iter().map(uid).filter(|one| !after.iter().any(|pod| uid(pod) == *one));
    assert!(gone.into_iter().all(|one| objects.contains(&one)));
    let node = json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "a"}});
    assert_eq!(rig.get(&node).await["spec"]["unschedulable"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_api_server_has_everything_back_after_a_run_is_taken_back() {
    let Some(home) = rig::home() else { return };
    let rig = real(&home).await;
    settled(&rig).await;
    let facts = Alone(Cell::new(NOW));
    let old = service("app-devnet", "old", "svc-gone");
    let address = rig.get(&old).await["spec"]["clusterIP"].clone();
    let scale = Request::Scale { workload: "svc-one".to_owned(), replicas: 4 };
    let label = Request::Label {
        node: "b".to_owned(),
        key: "tier".to_owned(),
        value: Some("front".to_owned()),
    };
    for request in [Request::Clean(services()), scale, label] {
        let made = plan(rig.client.clone(), &request).await;
        let last = 4 * made.steps.len() - 1;
        for at in [1, last] {
            let folder = TempDir::new().unwrap();
            let runs = Runs::open(folder.path()).unwrap();
            let made = plan(rig.client.clone(), &request).await;
            let mut killer = Killer::at(Some(at));
            let mut first = runner(rig.client.clone(), &facts, &mut killer);
            let begun = first.apply(&runs, &made);
            let _ = while_kubelets_work(&rig, begun).await.unwrap();
            let mut killer = Killer::at(None);
            let mut runner = runner(rig.client.clone(), &facts, &mut killer);
            let back = runner.roll_back(runs.find(&made.id).unwrap());
            let done = while_kubelets_work(&rig, back).await.unwrap();
            assert_eq!(done, Outcome::RolledBack, "{request:?} {at}");
            settled(&rig).await;
        }
    }
    assert_eq!(rig.get(&old).await["spec"]["clusterIP"], address);
    let node = json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "b"}});
    assert_eq!(rig.get(&node).await["metadata"]["labels"]["tier"], Value::Null);
    let one = json!({"kind": "Deployment", "apiVersion": "apps/v1",
        "metadata": {"namespace": "app-devnet", "name": "svc-one"}});
    assert_eq!(rig.get(&one).await["spec"]["replicas"], 3);
}
