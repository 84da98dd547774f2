//! What must hold of plans whatever the cluster is: each step leaves the cluster that what-if has
//! promised, no quorum falls below its minimum, and no two members of a set are touched at once.

use std::collections::BTreeMap;

use gx_ops::facts::{Pod, Snapshot, Workload};
use gx_ops::plans::{Action, Plan, PlanError, Request, advance, make};
use gx_ops::questions::what_if::{Change, WhatIf, what_if};

use crate::generate::Random;
use crate::questions::named;

/// A random cluster in which workloads are orderers, peers of two organizations, sentinels and
/// services, with everything known that a plan needs.
fn snapshot(seed: u64) -> Snapshot {
    let mut snapshot = named(seed, &mut Random::new(seed), |at| match at % 6 {
        0 => format!("orderer{at}"),
        1 => format!("peer{at}-org1"),
        2 => format!("peer{at}-org2"),
        3 => "redis-sentinel".to_owned(),
        _ => format!("svc{at}"),
    });
    let mut text = snapshot.to_text().unwrap();
    if seed.is_multiple_of(2) {
        // Sets are larger where all are in one namespace.
        for other in ["two", "three"] {
            let other = format!("\"namespace\":\"{other}\"");
            text = text.replace(&other, "\"namespace\":\"one\"");
        }
    }
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let nothing = serde_json::json!({"sources": json["pods"]["sources"], "items": []});
    for part in ["services", "budgets", "claims", "volumes", "storageClasses"] {
        if json[part].get("items").is_none() {
            json[part] = nothing.clone();
        }
    }
    let mut known = std::collections::BTreeSet::new();
    let workloads = json["workloads"]["items"].as_array_mut().unwrap();
    workloads.retain(|one| known.insert(format!("{}/{}", one["namespace"], one["name"])));
    for part in ["nodes", "workloads", "pods"] {
        for item in json[part]["items"].as_array_mut().unwrap() {
            item["uid"] = item["name"].clone();
        }
    }
    snapshot = Snapshot::parse(&json.to_string()).unwrap();
    snapshot
}

fn requests(snapshot: &Snapshot, random: &mut Random) -> Vec<Request> {
    let mut requests = Vec::new();
    for node in snapshot.nodes.items() {
        let node = node.name.clone();
        requests.push(Request::Drain { node: node.clone() });
        requests.push(Request::Cordon { node: node.clone() });
        requests.push(Request::Uncordon { node: node.clone() });
        let value = (!random.once_in(2)).then(|| "x".to_owned());
        requests.push(Request::Label { node, key: "disk".to_owned(), value });
    }
    for one in snapshot.top_workloads() {
        let workload = full(one);
        let replicas = u32::try_from(random.below(6)).unwrap();
        requests.push(Request::Scale { workload: workload.clone(), replicas });
        let at_once = usize::try_from(1 + random.below(2)).unwrap();
        requests.push(Request::Restart { workloads: vec![workload], at_once, settle_seconds: 0 });
    }
    requests
}

fn full(one: &Workload) -> String {
    format!("{}/{}/{}", one.kind.as_str(), one.namespace, one.name)
}

/// What is to be supposed for a step.
fn change(action: &Action) -> Vec<Change> {
    match action {
        Action::Scale { object, to, .. } => vec![Change::Scale {
            workload: format!("{}/{}/{}", object.kind, object.namespace, object.name),
            replicas: *to,
        }],
        Action::Close { object, closed: true } => vec![Change::Cordon(object.name.clone())],
        Action::Close { object, closed: false } => vec![Change::Uncordon(object.name.clone())],
        Action::Label { object, key, to, .. } => {
            vec![Change::Label { node: object.name.clone(), key: key.clone(), value: to.clone() }]
        }
        Action::Evict { pods } => pods
            .iter()
            .map(|pod| Change::Evict(format!("{}/{}", pod.namespace, pod.name)))
            .collect(),
        other => panic!("{other:?} is asked for by nobody here"),
    }
}

fn place(pod: &Pod) -> String {
    format!("Pod {}/{}", pod.namespace, pod.name)
}

fn places(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let pods = snapshot.pods.items().iter().filter(|pod| pod.is_active());
    pods.map(|pod| (place(pod), pod.node.clone())).collect()
}

/// Where everything is to be after what the answer promises.
fn promised(before: &Snapshot, answer: &WhatIf) -> BTreeMap<String, String> {
    let mut all = places(before);
    for one in &answer.ends {
        all.remove(&one.to_string());
    }
    for one in &answer.stuck {
        all.insert(one.pod.to_string(), String::new());
    }
    for one in &answer.moves {
        all.insert(one.pod.to_string(), one.to.clone());
    }
    all
}

/// Sets by name, with how many of them work.
fn working(answer: &WhatIf, in_the_end: bool) -> BTreeMap<String, usize> {
    let count = |set: &gx_ops::questions::what_if::SetState| match in_the_end {
        true => set.working.later,
        false => set.working.now,
    };
    answer.sets.iter().map(|set| (set.name.clone(), count(set))).collect()
}

/// Goes through all plans that there are, step by step.
fn walk(seeds: u64, mut look: impl FnMut(&str, &Snapshot, &Plan, usize, &Snapshot)) -> usize {
    let mut steps = 0;
    for seed in 0..seeds {
        let before = snapshot(seed);
        for request in requests(&before, &mut Random::new(seed)) {
            let plan = match make(&before, &request, before.taken) {
                Ok(plan) => plan,
                Err(PlanError::Name(error)) => panic!("{seed} {request:?}: {error}"),
                Err(_) => continue,
            };
            let told = format!("{seed} {request:?}");
            let mut state = before.clone();
            for (at, step) in plan.steps.iter().enumerate() {
                let mut after = state.clone();
                advance(&mut after, &step.action);
                look(&told, &state, &plan, at, &after);
                state = after;
                steps += 1;
            }
        }
    }
    steps
}

#[test]
fn a_plan_that_is_applied_leaves_what_what_if_has_promised() {
    let steps = walk(60, |told, state, plan, at, after| {
        let action = &plan.steps[at].action;
        let answer = what_if(state, &change(action)).unwrap();
        assert_eq!(places(after), promised(state, &answer), "{told}: step {at} {action:?}");
        let now = what_if(after, &[]).unwrap();
        assert_eq!(working(&now, false), working(&answer, true), "{told}: step {at}");
        assert!(matches!(action.progress(after), gx_ops::plans::Progress::After), "{told}");
        assert!(matches!(action.progress(state), gx_ops::plans::Progress::Before), "{told}");
    });
    assert!(steps > 500, "{steps} steps are too few to show anything");
}

#[test]
fn no_plan_takes_a_quorum_below_its_minimum() {
    let mut touched = 0;
    walk(60, |told, state, plan, at, after| {
        let action = &plan.steps[at].action;
        let answer = what_if(state, &change(action)).unwrap();
        for set in answer.sets.iter().filter(|set| set.holds_now && set.members > 1) {
            assert!(set.holds_at_once && set.holds_later, "{told}: step {at}: {set:?}");
            touched += usize::from(!set.leaving.is_empty());
        }
        let later = what_if(after, &[]).unwrap();
        let holds: BTreeMap<&str, bool> =
            later.sets.iter().map(|set| (set.name.as_str(), set.holds_now)).collect();
        for set in answer.sets.iter().filter(|set| set.holds_now && set.members > 1) {
            assert_ne!(holds.get(set.name.as_str()), Some(&false), "{told}: after step {at}");
        }
    });
    assert!(touched > 50, "{touched} sets were touched, which shows nothing");
}

/// Names of pods whose workloads stand in for each other, by namespace.
fn set_of(pod: &str) -> Option<String> {
    let (namespace, name) = pod.strip_prefix("Pod ")?.split_once('/')?;
    let words = ["orderer", "peer", "sentinel"];
    let word = words.iter().find(|word| name.contains(**word))?;
    Some(format!("{namespace} {word}"))
}

#[test]
fn two_members_are_never_touched_at_once() {
    let mut alone = 0;
    walk(60, |told, state, plan, at, _| {
        let Action::Evict { pods } = &plan.steps[at].action else { return };
        let mut sets: BTreeMap<String, usize> = BTreeMap::new();
        for pod in pods {
            let owner = state.pod(&pod.namespace, &pod.name).and_then(|pod| state.workload_of(pod));
            let owner = owner.map(|one| format!("Pod {}/{}", one.namespace, one.name));
            if let Some(set) = owner.as_deref().and_then(set_of) {
                *sets.entry(set).or_default() += 1;
            }
        }
        for (set, count) in sets {
            assert_eq!(count, 1, "{told}: step {at} takes {count} of {set}");
            alone += 1;
        }
    });
    assert!(alone > 50, "{alone} members were touched, which shows nothing");
}

#[test]
fn a_plan_ends_as_well_as_all_of_it_at_once_would() {
    let mut drains = 0;
    for seed in 0..60 {
        let before = snapshot(seed);
        for node in before.nodes.items() {
            let request = Request::Drain { node: node.name.clone() };
            let Ok(plan) = make(&before, &request, before.taken) else { continue };
            let mut after = before.clone();
            plan.steps.iter().for_each(|step| advance(&mut after, &step.action));
            for pod in plan.steps.iter().flat_map(|step| step.action.objects()) {
                let now = after.pod(&pod.namespace, &pod.name);
                assert!(now.is_none_or(|now| now.node != node.name), "{seed} {request:?}: {pod:?}");
            }
            let whole = what_if(&before, &[Change::Drain(node.name.clone())]).unwrap();
            let now = what_if(&after, &[]).unwrap();
            for (set, count) in working(&whole, true) {
                assert!(working(&now, false)[&set] >= count, "{seed} {request:?}: {set}");
            }
            drains += 1;
        }
    }
    assert!(drains > 20, "{drains}");
}
