//! The gates by facts, and the steps on a cluster that lives in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gx_store::deployments::{self, Deployment, DeploymentStatus, NewDeployment};
use gx_store::{Engine, Store};
use gx_types::{NetworkId, TimeMs};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::rig::{Rig, until};
use crate::*;

const NOW: TimeMs = TimeMs(1_700_000_000_000);
const HOUR_MS: i64 = 3_600_000;
const TERMS: GateTerms = GateTerms { backup_age_max_ms: 24 * HOUR_MS };

fn image(digit: &str) -> String {
    format!("registry.example.org/gx@sha256:{}", digit.repeat(64))
}

/// What the cluster is, and what goes wrong in it.
#[derive(Debug, Clone)]
struct Facts {
    source: Workload,
    target: Workload,
    nodes: Vec<Node>,
    new: Known<Build>,
    running: Known<Build>,
    backup: Known<TimeMs>,
    peers: Known<u32>,
    budget: Known<f64>,
    /// The new image's pods restart so often.
    restarts: u32,
    /// The new image's pods are never ready.
    is_slow: bool,
    is_away: bool,
    changes: u32,
}

fn workload(image: &str) -> Workload {
    let containers = ["migrate", "gx"].map(|name| Container {
        name: name.to_owned(),
        image: image.to_owned(),
        is_first: name == "migrate",
    });
    Workload {
        image: image.to_owned(),
        containers: containers.into(),
        replicas: 2,
        ready: 2,
        updated: 2,
        available: 2,
        existing: 2,
        is_observed: true,
        is_paused: false,
        min_ready_seconds: 5,
        is_probed: true,
        rolls_one_by_one: true,
        placement: Placement::default(),
        mark: None,
    }
}

fn build(version: i64) -> Build {
    Build {
        git_commit: Some("0123abcd".to_owned()),
        tests: Some(BuildTests { passed: 900, failed: 0 }),
        schema: Some(SchemaRange { version, works_from: version - 1, keeps: version - 1 }),
        critical_findings: Some(0),
    }
}

impl Facts {
    fn good() -> Self {
        let (new, old) = (image("a"), image("b"));
        let node = Node {
            name: "n1".to_owned(),
            is_ready: true,
            is_schedulable: true,
            images: vec![new.clone(), old.clone()],
            ..Node::default()
        };
        Self {
            source: workload(&new),
            target: workload(&old),
            nodes: vec![node],
            new: Ok(build(24)),
            running: Ok(build(23)),
            backup: Ok(TimeMs(NOW.0 - HOUR_MS)),
            peers: Ok(4),
            budget: Ok(0.5),
            restarts: 0,
            is_slow: false,
            is_away: false,
            changes: 0,
        }
    }

    /// The pods of the target, as a Deployment's controller would have them.
    fn pods(&self) -> Vec<Pod> {
        let is_new = self.target.image == image("a");
        let count = if is_new { self.target.updated } else { self.target.replicas };
        let pod = |number| Pod {
            name: format!("pod-{number}"),
            images: vec![self.target.image.clone()],
            ready_since: (!is_new || !self.is_slow).then_some(TimeMs(0)),
            restarts: if is_new { self.restarts } else { 0 },
            is_leaving: false,
        };
        (0..count).map(pod).collect()
    }

    fn change(&mut self, change: &Change) {
        self.changes += 1;
        let target = &mut self.target;
        target.mark = Some(change.mark.clone());
        if let Some((_, image)) = change.images.first() {
            for container in &mut target.containers {
                container.image.clone_from(image);
            }
            target.image.clone_from(image);
            (target.updated, target.existing) = (1, target.replicas + 1);
        }
        target.min_ready_seconds = change.min_ready_seconds.unwrap_or(target.min_ready_seconds);
        target.is_paused = change.is_paused.unwrap_or(target.is_paused);
        if !target.is_paused && target.min_ready_seconds <= 5 {
            (target.updated, target.existing) = (target.replicas, target.replicas);
        }
    }
}

#[derive(Debug, Clone)]
struct Memory(Arc<Mutex<Facts>>);

impl Memory {
    fn new(facts: Facts) -> Self {
        Self(Arc::new(Mutex::new(facts)))
    }

    fn facts(&self) -> Result<Facts, ClusterError> {
        let facts = self.0.lock().unwrap().clone();
        let away = ClusterError::Away("cut".to_owned());
        if facts.is_away { Err(away) } else { Ok(facts) }
    }

    fn set(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.0.lock().unwrap());
    }
}

impl Cluster for Memory {
    async fn workload(
        &self,
        network: NetworkId,
        _: &str,
    ) -> Result<Option<Workload>, ClusterError> {
        let facts = self.facts()?;
        Ok(Some(if network == NetworkId::Testnet { facts.source } else { facts.target }))
    }

    async fn pods(&self, _: NetworkId, _: &str) -> Result<Vec<Pod>, ClusterError> {
        Ok(self.facts()?.pods())
    }

    async fn nodes(&self) -> Result<Vec<Node>, ClusterError> {
        Ok(self.facts()?.nodes)
    }

    async fn build(&self, _: NetworkId, digest: &str) -> Result<Known<Build>, ClusterError> {
        let facts = self.facts()?;
        Ok(if digest.ends_with('a') { facts.new } else { facts.running })
    }

    async fn last_backup(&self, _: NetworkId) -> Result<Known<TimeMs>, ClusterError> {
        Ok(self.facts()?.backup)
    }

    async fn peers(&self, _: NetworkId) -> Result<Known<u32>, ClusterError> {
        Ok(self.facts()?.peers)
    }

    async fn error_budget(&self, _: NetworkId) -> Result<Known<f64>, ClusterError> {
        Ok(self.facts()?.budget)
    }

    async fn change(&self, _: NetworkId, _: &str, change: &Change) -> Result<(), ClusterError> {
        self.facts()?;
        self.set(|facts| facts.change(change));
        Ok(())
    }
}

/// Spoils a fact, with a reason where it cannot be had.
type Spoil = fn(&mut Facts, String);

async fn gates(facts: Facts) -> Vec<GateResult> {
    let new = image("a");
    let wanted = Wanted {
        service: "svc-tax",
        source: NetworkId::Testnet,
        target: NetworkId::Mainnet,
        image: &new,
    };
    look_at_gates(&Memory::new(facts), wanted, TERMS, NOW).await.unwrap()
}

#[tokio::test]
async fn every_gate_stands_in_the_way_of_what_it_is_for() {
    let results = gates(Facts::good()).await;
    assert_eq!(in_the_way(&results), None);
    assert_eq!(results.len(), Gate::ALL.len());
    let missing = || "nobody knows".to_owned();
    let table: [(Gate, Verdict, Spoil); 22] = [
        (Gate::SourceHealthy, Verdict::Failed, |f, _| f.source.ready = 1),
        (Gate::SourceHealthy, Verdict::Failed, |f, _| f.source.image = image("c")),
        (Gate::TargetHealthy, Verdict::Failed, |f, _| f.target.ready = 1),
        (Gate::TargetHealthy, Verdict::Failed, |f, _| f.target.is_paused = true),
        (Gate::TargetHealthy, Verdict::Failed, |f, _| f.target.is_probed = false),
        (Gate::TargetHealthy, Verdict::Failed, |f, _| f.target.rolls_one_by_one = false),
        (Gate::TestsRecorded, Verdict::Unknown, |f, why| f.new = Err(why)),
        (Gate::TestsRecorded, Verdict::Failed, |f, _| {
            f.new.as_mut().unwrap().tests = Some(BuildTests { passed: 900, failed: 1 });
        }),
        (Gate::TestsRecorded, Verdict::Unknown, |f, _| f.new.as_mut().unwrap().tests = None),
        (Gate::ImagePresent, Verdict::Failed, |f, _| f.nodes[0].images = vec![image("b")]),
        (Gate::ImagePresent, Verdict::Failed, |f, _| f.nodes[0].is_ready = false),
        (Gate::ImagePresent, Verdict::Unknown, |f, _| {
            f.nodes[0].images = vec![image("b")];
            f.nodes[0].may_hide_images = true;
        }),
        (Gate::RollbackImagePresent, Verdict::Failed, |f, _| f.nodes[0].images = vec![image("a")]),
        (Gate::RollbackImagePresent, Verdict::Unknown, |f, _| f.target.image = "gx:1".to_owned()),
        (Gate::SchemaCompatible, Verdict::Failed, |f, _| f.new = Ok(build(22))),
        (Gate::SchemaCompatible, Verdict::Failed, |f, _| f.new = Ok(build(25))),
        (Gate::SchemaCompatible, Verdict::Unknown, |f, why| f.running = Err(why)),
        (Gate::ErrorBudget, Verdict::Failed, |f, _| f.budget = Ok(-0.1)),
        (Gate::ErrorBudget, Verdict::Unknown, |f, why| f.budget = Err(why)),
        (Gate::BackupFresh, Verdict::Failed, |f, _| f.backup = Ok(TimeMs(NOW.0 - 25 * HOUR_MS))),
        (Gate::BackupFresh, Verdict::Unknown, |f, why| f.backup = Err(why)),
        (Gate::NoCriticalFinding, Verdict::Failed, |f, _| {
            f.new.as_mut().unwrap().critical_findings = Some(1);
        }),
    ];
    for (gate, verdict, spoil) in table {
        let mut facts = Facts::good();
        spoil(&mut facts, missing());
        let results = gates(facts).await;
        let found = results.iter().find(|one| one.gate == gate).unwrap();
        assert_eq!(found.verdict, verdict, "{found}");
        assert!(in_the_way(&results).unwrap().contains(gate.as_str()));
    }
    let mut facts = Facts::good();
    facts.peers = Ok(0);
    assert!(in_the_way(&gates(facts).await).unwrap().starts_with("ledger_present failed"));
}

async fn begun(store: &Store) {
    let asked = NewDeployment {
        deployment_id: "d1".to_owned(),
        service: "svc-tax".to_owned(),
        source: NetworkId::Testnet,
        target: NetworkId::Mainnet,
        image: image("a"),
        git_commit: None,
        reason: "The yearly rates".to_owned(),
        requester: "one".to_owned(),
        gates: "[]".to_owned(),
        created_at: NOW,
        expires_at: TimeMs(NOW.0 + HOUR_MS),
    };
    let mut tx = store.begin().await.unwrap();
    deployments::create(&mut tx, &asked).await.unwrap();
    assert!(deployments::approve(&mut tx, "d1", "two", NOW).await.unwrap());
    assert!(deployments::execute(&mut tx, "d1", "two", NOW).await.unwrap());
    tx.commit().await.unwrap();
}

fn start(rig: &Rig, cluster: &Memory) -> JoinHandle<()> {
    let promoter = Promoter {
        store: rig.store.clone(),
        cluster: cluster.clone(),
        metrics: rig.metrics.clone(),
        clock: Clock::at(NOW),
        pace: Pace {
            look: Duration::from_millis(5),
            canary: Duration::from_millis(20),
            watch: Duration::ZERO,
            step_max: Duration::from_secs(60),
        },
        terms: TERMS,
    };
    tokio::spawn(promoter.run(holder_name(&Random::system()), CancellationToken::new()))
}

async fn row(store: &Store) -> Deployment {
    deployments::get(store, "d1", NOW).await.unwrap().unwrap()
}

async fn ended(store: &Store) -> Deployment {
    until("the promotion is over", || async { row(store).await.finished_at.is_some() }).await;
    row(store).await
}

#[tokio::test]
async fn mainnet_gets_what_testnet_runs() {
    let rig = Rig::new(Engine::Sqlite).await;
    let cluster = Memory::new(Facts::good());
    begun(&rig.store).await;
    let _worker = start(&rig, &cluster);
    let ended = ended(&rig.store).await;
    assert_eq!(ended.status, DeploymentStatus::Completed, "{:?}", ended.failure);
    assert_eq!(ended.previous.unwrap().image, image("b"));
    let target = cluster.facts().unwrap().target;
    assert_eq!((target.image, target.min_ready_seconds), (image("a"), 5));
    assert!(
        target.containers.iter().all(|one| one.image == image("a")),
        "those that run first too"
    );
    let lines = deployments::logs(&rig.store, "d1", 0, 100).await.unwrap();
    let steps: Vec<&str> = lines.iter().map(|line| line.step.as_str()).collect();
    for step in ["GATES", "CANARY", "SPREAD", "WATCH"] {
        assert!(steps.contains(&step), "{steps:?}");
    }
}

#[tokio::test]
async fn what_a_gate_refuses_changes_nothing() {
    let rig = Rig::new(Engine::Sqlite).await;
    let mut facts = Facts::good();
    facts.backup = Err("no source".to_owned());
    let cluster = Memory::new(facts);
    begun(&rig.store).await;
    let _worker = start(&rig, &cluster);
    let ended = ended(&rig.store).await;
    assert_eq!(ended.status, DeploymentStatus::Failed);
    assert!(ended.failure.unwrap().contains("backup_fresh unknown: no source"));
    assert_eq!(cluster.facts().unwrap().changes, 0);
}

#[tokio::test]
async fn what_is_ill_is_taken_back_by_itself() {
    let rig = Rig::new(Engine::Sqlite).await;
    let mut facts = Facts::good();
    facts.restarts = 3;
    let cluster = Memory::new(facts);
    begun(&rig.store).await;
    let _worker = start(&rig, &cluster);
    let ended = ended(&rig.store).await;
    assert_eq!(ended.status, DeploymentStatus::RolledBack);
    assert!(ended.failure.unwrap().contains("started again"));
    let target = cluster.facts().unwrap().target;
    assert_eq!((target.image, target.is_paused), (image("b"), false));
}

#[tokio::test]
async fn whoever_dies_between_two_steps_is_followed_by_another() {
    let rig = Rig::new(Engine::Sqlite).await;
    let cluster = Memory::new(Facts::good());
    begun(&rig.store).await;
    // Killed after every look: each process gets no further than the next change.
    let mut changes = 0;
    while row(&rig.store).await.finished_at.is_none() {
        let worker = start(&rig, &cluster);
        until("something happens", || async {
            let now = cluster.facts().unwrap().changes;
            now > changes || row(&rig.store).await.finished_at.is_some()
        })
        .await;
        changes = cluster.facts().unwrap().changes;
        worker.abort();
    }
    assert_eq!(row(&rig.store).await.status, DeploymentStatus::Completed);
    assert_eq!(cluster.facts().unwrap().target.image, image("a"));
}

#[tokio::test]
async fn what_somebody_else_has_changed_is_left_alone() {
    let rig = Rig::new(Engine::Sqlite).await;
    let mut facts = Facts::good();
    (facts.is_slow, facts.is_away) = (true, true);
    let cluster = Memory::new(facts);
    begun(&rig.store).await;
    let _worker = start(&rig, &cluster);
    until("it is noted that the cluster is away", || async {
        !deployments::logs(&rig.store, "d1", 0, 10).await.unwrap().is_empty()
    })
    .await;
    cluster.set(|facts| facts.is_away = false);
    until("one replica is tried", || async { cluster.facts().unwrap().changes > 1 }).await;
    cluster.set(|facts| facts.target.image = image("c"));
    let ended = ended(&rig.store).await;
    assert_eq!(ended.status, DeploymentStatus::Failed);
    assert!(ended.failure.unwrap().contains("somebody else"));
    assert_eq!(cluster.facts().unwrap().target.image, image("c"));
}
