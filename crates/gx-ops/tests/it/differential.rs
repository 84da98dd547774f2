//! Placement against the real kube-scheduler.
//!
//! Where `KUBE_HOME` names its programs, random clusters and pods are given to both
//! (`GX_PLACEMENT_CASES` says how many). Cases that were recorded, above all those in which the two
//! once differed, stand in `fixtures/placement` and are asked without the programs.

use std::path::Path;

use gx_ops::collect::{Objects, Origin, Redactor, Salt, collect_live};
use gx_ops::facts::{Fact, Pod, Snapshot, Time};
use gx_ops::placement::{Candidate, Cluster};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::generate::{self, CLASSES, NAMESPACES, Random};
use crate::rig::{self, Rig, until};

/// What the scheduler has done with a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Answer {
    Placed(String),
    /// The message of its condition.
    Refused(String),
}

/// A question with the scheduler's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Case {
    pod: Pod,
    scheduler: Answer,
}

/// Questions about one cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Asked {
    snapshot: Snapshot,
    cases: Vec<Case>,
}

impl Asked {
    /// The cases that are answered otherwise, with the difference.
    fn differences(&self) -> Vec<(&Case, String)> {
        self.cases.iter().filter_map(|one| Some((one, one.difference(&self.snapshot)?))).collect()
    }
}

impl Case {
    /// What is different, if anything is.
    fn difference(&self, snapshot: &Snapshot) -> Option<String> {
        let cluster = Cluster::new(snapshot);
        let placement = cluster.place(&Candidate::of_pod(snapshot, &self.pod));
        let feasible = placement.feasible();
        match &self.scheduler {
            Answer::Placed(node) if feasible.contains(&node.as_str()) => None,
            Answer::Placed(node) => {
                Some(format!("the scheduler has placed it on {node}; {}", placement.message()))
            }
            Answer::Refused(said)
                if feasible.is_empty() && said.starts_with(&placement.message()) =>
            {
                None
            }
            Answer::Refused(said) => {
                Some(format!("the scheduler says: {said}\nplacement says: {}", placement.message()))
            }
        }
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/placement")
}

/// Every reason that a random cluster can come to.
const REASONS: [&str; 15] = [
    "Insufficient cpu",
    "Insufficient memory",
    "Too many pods",
    "node(s) didn't find available persistent volumes to bind",
    "node(s) didn't have free ports for the requested pod ports",
    "node(s) didn't match PersistentVolume's node affinity",
    "node(s) didn't match Pod's node affinity/selector",
    "node(s) didn't match pod affinity rules",
    "node(s) didn't match pod anti-affinity rules",
    "node(s) didn't match pod topology spread constraints",
    "node(s) didn't match pod topology spread constraints (missing required label)",
    "node(s) didn't satisfy existing pods anti-affinity rules",
    "node(s) had untolerated taint(s)",
    "node(s) were unschedulable",
    "pod has unbound immediate PersistentVolumeClaims",
];

#[test]
fn recorded_cases_are_answered_as_the_scheduler_did() {
    let mut count = 0;
    let mut said = String::new();
    for file in std::fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let asked: Asked = serde_json::from_str(line).unwrap();
            let different: Vec<String> =
                asked.differences().into_iter().map(|(_, text)| text).collect();
            assert!(different.is_empty(), "{}: {}", path.display(), different.join("\n"));
            count += asked.cases.len();
            for case in &asked.cases {
                if let Answer::Refused(text) = &case.scheduler {
                    said.push_str(text);
                }
            }
        }
    }
    assert!(count >= 100, "{count} cases are too few");
    for reason in REASONS {
        // With the sign after it, since some reasons begin as others do.
        let is_said = [",", "."].iter().any(|end| said.contains(&format!("{reason}{end}")));
        assert!(is_said, "no recorded case was refused because of: {reason}");
    }
}

const PODS_A_CLUSTER: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_pods_are_placed_as_the_real_scheduler_places_them() {
    let Some(home) = rig::home() else { return };
    let cases: u64 =
        std::env::var("GX_PLACEMENT_CASES").map_or(60, |number| number.parse().unwrap());
    let seed: u64 = std::env::var("GX_SEED").map_or(1, |number| number.parse().unwrap());
    let rig = Rig::start(&home).await;
    for name in NAMESPACES {
        rig.create(&generate::namespace(name)).await;
    }
    for (name, mode) in CLASSES {
        rig.create(&generate::class(name, mode)).await;
    }
    let mut random = Random::new(seed);
    let mut all: Vec<Asked> = Vec::new();
    let mut count = 0;
    while count < cases {
        let asked = one_cluster(&rig, all.len() as u64, &mut random).await;
        count += asked.cases.len() as u64;
        all.push(asked);
    }
    let wrong: Vec<String> =
        all.iter().flat_map(Asked::differences).map(|(_, text)| text).collect();
    if let Some(path) = std::env::var_os("GX_RECORD_PLACEMENT") {
        std::fs::write(path, recorded(&all, wrong.is_empty())).unwrap();
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} cases differ (GX_SEED={seed}; GX_RECORD_PLACEMENT=FILE keeps them):\n{}",
        wrong.len(),
        wrong.iter().take(20).cloned().collect::<Vec<String>>().join("\n")
    );
    let refused = all.iter().flat_map(|asked| &asked.cases);
    let refused = refused.filter(|case| matches!(case.scheduler, Answer::Refused(_))).count();
    let refused = refused as u64 * 10;
    assert!(refused > 2 * count && refused < 8 * count, "{refused} of {count}0 are refused");
}

/// A line for each cluster: the cases that differ, or all of them when none does.
fn recorded(all: &[Asked], keep_all: bool) -> String {
    let mut text = String::new();
    for asked in all {
        let differing = asked.differences().into_iter().map(|(case, _)| case.clone()).collect();
        let cases = if keep_all { asked.cases.clone() } else { differing };
        if !cases.is_empty() {
            let kept = Asked { snapshot: asked.snapshot.clone(), cases };
            text.push_str(&(serde_json::to_string(&kept).unwrap() + "\n"));
        }
    }
    text
}

/// The parts that placement looks at.
const PARTS: [Fact; 6] =
    [Fact::Nodes, Fact::Pods, Fact::Claims, Fact::Volumes, Fact::StorageClasses, Fact::Namespaces];

/// Makes a cluster, asks about some pods, and takes it down.
async fn one_cluster(rig: &Rig, number: u64, random: &mut Random) -> Asked {
    let cluster = generate::cluster(number, random);
    let made = [&cluster.nodes, &cluster.volumes, &cluster.claims, &cluster.pods];
    for object in made.into_iter().flatten() {
        rig.create(object).await;
    }
    for claim in &cluster.claims {
        let name = (
            claim["metadata"]["namespace"].as_str().unwrap().to_owned(),
            claim["metadata"]["name"].as_str().unwrap().to_owned(),
        );
        if cluster.bound.contains(&name) {
            until("the claim is bound", async || {
                rig.get(claim).await["status"]["phase"] == "Bound"
            })
            .await;
        }
    }
    for volume in &cluster.volumes {
        until("the volume is looked at", async || {
            let phase = rig.get(volume).await["status"]["phase"].clone();
            phase == "Available" || phase == "Bound"
        })
        .await;
    }
    let ours: Vec<(String, String)> = cluster
        .claims
        .iter()
        .map(|claim| {
            let text = |key: &str| claim["metadata"][key].as_str().unwrap().to_owned();
            (text("namespace"), text("name"))
        })
        .collect();
    let snapshot = live(rig).await;
    // The scheduler sees nodes, volumes and claims by streams of their own: what it says of a pod
    // that can go nowhere tells that it has seen all of them.
    settle(rig, &snapshot, number, &ours).await;
    let mut cases = Vec::new();
    for n in 0..PODS_A_CLUSTER {
        let pod = generate::pod(&format!("c{number}-{n}"), &ours, random);
        // A claim that is bound by this question would be another one for the next.
        let asked = rig.create(&pod).await;
        let scheduler = answer(rig, &pod).await;
        let pod_facts = facts(&asked);
        rig.delete(&pod).await;
        let has_bound = matches!(scheduler, Answer::Placed(_)) && binds(&snapshot, &pod);
        cases.push(Case { pod: pod_facts, scheduler });
        if has_bound {
            break;
        }
    }
    for object in cluster.pods.iter().chain(&cluster.claims) {
        rig.delete(object).await;
    }
    for object in cluster.volumes.iter().chain(&cluster.nodes) {
        rig.delete(object).await;
    }
    Asked { snapshot, cases }
}

/// Whether a pod would have claims bound that are not.
fn binds(snapshot: &Snapshot, pod: &Value) -> bool {
    let claim = pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"].as_str();
    let namespace = pod["metadata"]["namespace"].as_str().unwrap();
    let claim = claim.and_then(|claim| snapshot.claim(namespace, claim));
    claim.is_some_and(|claim| claim.volume.is_empty() && claim.class.as_deref() == Some("late"))
}

async fn live(rig: &Rig) -> Snapshot {
    let redactor = Redactor::new(Salt::new([9; 32]));
    let client = rig.client.clone();
    let at = Time::from_seconds(1_796_000_000);
    let mut snapshot = collect_live(client, "rig", at, redactor).await.unwrap();
    snapshot.notes.clear();
    let others = Fact::ALL.iter().filter(|fact| !PARTS.contains(fact));
    others.fold(snapshot, |snapshot, fact| snapshot.without(*fact))
}

/// A pod as it is after the API server has completed it, and before it is placed.
fn facts(pod: &Value) -> Pod {
    let mut objects = Objects::default();
    objects.add(pod.clone());
    let origin = Origin { from: "rig".to_owned(), at: Time::default() };
    let snapshot = objects.into_snapshot(&origin, Redactor::new(Salt::new([9; 32])));
    snapshot.pods.items()[0].clone()
}

async fn answer(rig: &Rig, pod: &Value) -> Answer {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let now = rig.get(pod).await;
        if let Some(node) = now["spec"]["nodeName"].as_str() {
            return Answer::Placed(node.to_owned());
        }
        let conditions = now["status"]["conditions"].as_array();
        let placed = conditions
            .into_iter()
            .flatten()
            .find(|one| one["type"] == "PodScheduled" && one["status"] == "False");
        if let Some(message) = placed.and_then(|one| one["message"].as_str()) {
            return Answer::Refused(message.to_owned());
        }
        assert!(std::time::Instant::now() < deadline, "the scheduler does not answer: {now}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Waits until the scheduler has seen the whole cluster: pods that can go nowhere are asked about
/// until its words count all nodes, and know each claim and each pod that is placed.
async fn settle(rig: &Rig, snapshot: &Snapshot, number: u64, claims: &[(String, String)]) {
    let nodes = snapshot.nodes.items();
    let pods: Vec<&Pod> = snapshot.pods.items().iter().collect();
    let mut questions = vec![json!({"metadata": {"namespace": "one"},
        "spec": {"nodeSelector": {"nowhere": "nowhere"}}})];
    for (namespace, claim) in claims {
        questions.push(json!({"metadata": {"namespace": namespace},
            "spec": {"nodeSelector": {"nowhere": "nowhere"}, "volumes": [{"name": "data",
                "persistentVolumeClaim": {"claimName": claim}}]}}));
    }
    for (n, question) in questions.into_iter().enumerate() {
        let expected = {
            let mut pod = question.clone();
            pod["kind"] = json!("Pod");
            pod["apiVersion"] = json!("v1");
            pod["spec"]["containers"] = json!([{"name": "main", "image": "example/app:1"}]);
            let facts = facts(&pod);
            let cluster = Cluster::new(snapshot);
            cluster.place(&Candidate::of_pod(snapshot, &facts)).message()
        };
        let mut attempt = 0;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let mut pod = question.clone();
            pod["kind"] = json!("Pod");
            pod["apiVersion"] = json!("v1");
            pod["metadata"]["name"] = json!(format!("s{number}-{n}-{attempt}"));
            pod["spec"]["containers"] = json!([{"name": "main", "image": "example/app:1"}]);
            rig.create(&pod).await;
            let said = answer(rig, &pod).await;
            rig.delete(&pod).await;
            if matches!(&said, Answer::Refused(said) if said.starts_with(&expected)) {
                break;
            }
            attempt += 1;
            assert!(std::time::Instant::now() < deadline, "{said:?}, expected {expected}");
        }
    }
    // Pods come in one stream: whoever has seen the question has seen those before it.
    assert!(nodes.len() > 1 && pods.iter().all(|pod| !pod.node.is_empty()));
}
