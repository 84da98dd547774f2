//! What must hold of answers whatever the cluster is.

use gx_ops::collect::{Objects, Origin, Redactor, Salt};
use gx_ops::facts::{Snapshot, Time};
use gx_ops::questions::what_if::{Change, Place, WhatIf, render, what_if};
use gx_ops::report::Look;
use serde_json::{Value, json};

use crate::generate::{self, CLASSES, NAMESPACES, Random};

/// A random cluster whose pods belong to workloads and are ready.
fn snapshot(number: u64, random: &mut Random) -> Snapshot {
    named(number, random, |at| format!("w{at}"))
}

/// The same, with workloads of these names.
pub(crate) fn named(number: u64, random: &mut Random, name: impl Fn(usize) -> String) -> Snapshot {
    let cluster = generate::cluster(number, random);
    let mut objects = Objects::default();
    let spaces = NAMESPACES.iter().map(|name| generate::namespace(name));
    let classes = CLASSES.iter().map(|(name, mode)| generate::class(name, mode));
    spaces.chain(classes).for_each(|one| objects.add(one));
    let bound = |one: &Value| {
        let name = one["metadata"]["name"].as_str().unwrap();
        cluster.bound.iter().any(|(_, bound)| bound == name)
    };
    for mut one in cluster.volumes.iter().chain(&cluster.claims).cloned() {
        if bound(&one) {
            one["status"] = json!({"phase": "Bound"});
        }
        objects.add(one);
    }
    daemons(&cluster.nodes).into_iter().for_each(|one| objects.add(one));
    cluster.nodes.into_iter().for_each(|one| objects.add(one));
    for (at, mut pod) in cluster.pods.into_iter().enumerate() {
        let owner = name(at / 3);
        pod["metadata"]["uid"] = json!(format!("p{at}"));
        pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1",
            "kind": "Deployment", "name": owner, "uid": owner, "controller": true}]);
        pod["status"] = json!({"phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}]});
        let mut template = pod.clone();
        template["metadata"] = json!({"labels": pod["metadata"]["labels"]});
        objects.add(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"namespace": pod["metadata"]["namespace"], "name": owner, "uid": owner},
            "spec": {"replicas": 3, "selector": {}, "template": template}}));
        objects.add(pod);
    }
    let origin = Origin { from: "random".to_owned(), at: Time::from_seconds(1_796_000_000) };
    objects.into_snapshot(&origin, Redactor::new(Salt::new([5; 32])))
}

/// A DaemonSet that tolerates everything, with its pod on every node.
fn daemons(nodes: &[Value]) -> Vec<Value> {
    let spec = json!({"tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "agent", "image": "example/agent:1"}]});
    let labels = json!({"agent": "yes"});
    let mut made = vec![json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"namespace": "one", "name": "agent", "uid": "agent"},
        "spec": {"selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec}},
        "status": {"desiredNumberScheduled": nodes.len(), "numberReady": nodes.len()}})];
    for node in nodes {
        let node = node["metadata"]["name"].as_str().unwrap();
        let mut placed = spec.clone();
        placed["nodeName"] = json!(node);
        made.push(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "one", "name": format!("agent-{node}"), "labels": labels,
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet",
                    "name": "agent", "uid": "agent", "controller": true}]},
            "spec": placed,
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}));
    }
    made
}

fn nodes(snapshot: &Snapshot) -> Vec<String> {
    snapshot.nodes.items().iter().map(|node| node.name.clone()).collect()
}

fn lose(name: &str) -> Change {
    Change::Lose(Place::Node(name.to_owned()))
}

fn json_of(answer: &WhatIf) -> String {
    serde_json::to_string(answer).unwrap()
}

#[test]
fn what_if_of_nothing_is_the_present() {
    for seed in 0..100 {
        let snapshot = snapshot(seed, &mut Random::new(seed));
        let answer = what_if(&snapshot, &[]).unwrap();
        assert!(answer.because.is_empty() && answer.moves.is_empty() && answer.stuck.is_empty());
        assert!(answer.daemons.is_empty() && answer.ends.is_empty() && answer.dark.is_empty());
        assert!(answer.affected.is_empty() && answer.at_risk.is_empty() && answer.data.is_empty());
        for set in &answer.sets {
            assert!(set.working.now == set.working.later, "{seed}: {set:?}");
        }
    }
}

#[test]
fn losing_more_nodes_never_makes_the_verdict_better() {
    for seed in 0..200 {
        let snapshot = snapshot(seed, &mut Random::new(seed));
        let mut changes = Vec::new();
        let mut before = what_if(&snapshot, &changes).unwrap();
        for node in nodes(&snapshot) {
            changes.push(lose(&node));
            let answer = what_if(&snapshot, &changes).unwrap();
            assert!(answer.verdict >= before.verdict, "{seed}: {:?}", answer.changes);
            let lost = |one: &WhatIf| one.data.iter().filter(|one| one.is_only_copy()).count();
            assert!(lost(&answer) >= lost(&before), "{seed}");
            before = answer;
        }
        // Without a node nothing runs.
        assert!(before.moves.is_empty(), "{seed}");
        assert!(before.affected.iter().all(|one| one.ready.later == 0), "{seed}");
    }
}

#[test]
fn every_pod_of_a_lost_node_is_told_of_once_and_goes_where_it_may() {
    for seed in 0..200 {
        let snapshot = snapshot(seed, &mut Random::new(seed));
        for node in nodes(&snapshot) {
            let answer = what_if(&snapshot, &[lose(&node)]).unwrap();
            let mut told: Vec<String> = answer
                .moves
                .iter()
                .map(|one| one.pod.to_string())
                .chain(answer.stuck.iter().map(|one| one.pod.to_string()))
                .chain(answer.ends.iter().map(ToString::to_string))
                .collect();
            told.sort();
            let mut were: Vec<String> = snapshot
                .pods_on(&node)
                .iter()
                .map(|pod| format!("Pod {}/{}", pod.namespace, pod.name))
                .collect();
            were.sort();
            assert_eq!(told, were, "{seed} {node}");
            let is_daemon = |name: &str| name.starts_with("agent-");
            assert!(answer.moves.iter().all(|one| !is_daemon(&one.pod.name)), "{seed}");
            let ends: Vec<&str> = answer.daemons.iter().map(|one| one.node.as_str()).collect();
            assert_eq!(ends, [node.as_str()], "{seed}");
            assert!(answer.moves.iter().all(|one| one.to != node && !one.others.contains(&node)));
            for one in &answer.stuck {
                let open = one.nodes.iter().filter(|node| node.reasons.is_empty());
                assert!(open.count() == 0 || one.why.contains("nodes are available"), "{one:?}");
            }
        }
    }
}

#[test]
fn the_same_question_has_the_same_answer() {
    for seed in 0..50 {
        let one = snapshot(seed, &mut Random::new(seed));
        let changes = [Change::Drain(nodes(&one)[0].clone()), lose(&nodes(&one)[1])];
        let answer = what_if(&one, &changes).unwrap();
        // The order of changes of different kinds does not matter.
        let turned = [changes[1].clone(), changes[0].clone()];
        assert_eq!(json_of(&answer), json_of(&what_if(&one.clone(), &turned).unwrap()));
        assert!(render(&answer, &Look::default()).starts_with(&answer.verdict.to_string()));
    }
}
