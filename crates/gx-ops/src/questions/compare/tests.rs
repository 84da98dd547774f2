//! What is told to have changed, got worse or differ, of small snapshots.

use super::*;
use crate::facts::{Fact, Snapshot};
use crate::report::Look;
use crate::rules::fixture::read;

fn snapshot(text: &str) -> Snapshot {
    read(text).unwrap().snapshot
}

const CLUSTER: &str = include_str!("../../../fixtures/questions/cluster.yaml");

#[test]
fn a_snapshot_is_no_different_from_itself() {
    let one = snapshot(CLUSTER);
    let answer = snapshots(&one, &one);
    assert!(answer.differences.is_empty() && answer.worse.is_empty() && answer.better.is_empty());
}

#[test]
fn what_changed_and_what_got_worse_are_told_apart() {
    let later = CLUSTER
        .replacen("kind: Ready, status: 'True'", "kind: Ready, status: Unknown", 1)
        .replacen("image: 'example/svc-tax:1'", "image: 'example/svc-tax:2'", 1);
    let (before, after) = (snapshot(CLUSTER), snapshot(&later));
    let answer = snapshots(&before, &after);
    let told: Vec<String> =
        answer.differences.iter().map(|one| format!("{}: {}", one.what, one.change)).collect();
    assert_eq!(
        told,
        [
            "Deployment backend-mainnet/svc-tax: image: example/svc-tax:1 → example/svc-tax:2",
            "Node alfa: state: ready → not ready"
        ]
    );
    assert!(answer.worse.iter().any(|one| one.contains("NOD-01")), "{:?}", answer.worse);
    let back = snapshots(&after, &before);
    assert_eq!(back.better.len(), answer.worse.len());
    let text = render_snapshots(&answer, &Look::default());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // What was not collected is not gone.
    let answer = snapshots(&before, &before.clone().without(Fact::Services));
    assert!(answer.differences.is_empty());
    assert!(
        answer.not_compared[0].starts_with("services: the second"),
        "{:?}",
        answer.not_compared
    );
}

#[test]
fn environments_are_alike_when_their_names_follow_the_pattern() {
    let one = |env: &str, channel: &str| {
        format!(
            "- {{kind: Deployment, namespace: backend-{env}, name: svc, replicas: 1, \
             template: {{spec: {{containers: [{{name: main, image: 'example/svc:1', \
             env: [{{name: CHANNEL, value: {channel}}}]}}]}}}}}}\n"
        )
    };
    let alike = format!(
        "workloads:\n{}{}",
        one("testnet", "gxchannel-testnet"),
        one("mainnet", "gxchannel-mainnet")
    );
    let same = snapshot(&alike);
    let answer = environments((&same, "testnet"), (&same, "mainnet"));
    assert!(answer.unlike.is_empty() && answer.compared == 3, "{answer:?}");
    let old = format!(
        "workloads:\n{}{}",
        one("testnet", "gxchannel-testnet"),
        one("mainnet", "gxchannel-prod")
    );
    let other = snapshot(&old);
    let answer = environments((&other, "testnet"), (&other, "mainnet"));
    assert_eq!(answer.unlike.len(), 1);
    assert_eq!(
        (answer.unlike[0].first.as_str(), answer.unlike[0].second.as_str()),
        ("gxchannel-{env}", "gxchannel-prod")
    );
    assert!(answer.unlike[0].what.ends_with("env CHANNEL"));
    assert!(render_environments(&answer, &Look::default()).contains("1 of 3 things differ"));
}

const LEDGERS: &str = "
ledgers:
- {name: one, environment: mainnet, nodes: [{name: p, endpoint: 'old.example.org:7051', height: 5,
   bytes: 53000, genesisHash: aa, lastBlock: 2026-10-29T00:00:00Z}]}
- {name: two, environment: mainnet, nodes: [{name: p, endpoint: 'new.example.org:7051', height: 103,
   bytes: 820000, genesisHash: bb, lastBlock: 2026-11-29T00:00:00Z}]}
workloads:
- {kind: Deployment, namespace: m, name: svc, replicas: 1, template: {spec: {containers: [
   {name: main, env: [{name: PEER, value: 'new.example.org:7051'}]}]}}}
";

#[test]
fn the_ledger_that_counts_is_the_one_for_which_everything_speaks() {
    let all = snapshot(LEDGERS);
    let answer = ledgers((&all, "one"), (&all, "mainnet/two")).unwrap();
    assert_eq!(answer.authoritative.as_deref(), Some("mainnet/two"), "{answer:?}");
    assert!(render_ledgers(&answer, &Look::default()).contains("keep its volumes"));
    // The higher one is called by nobody: nobody but a person can tell.
    let all = snapshot(&LEDGERS.replace("value: 'new", "value: 'old"));
    assert_eq!(ledgers((&all, "one"), (&all, "two")).unwrap().authoritative, None);
    // Without settings it is not known who calls.
    let all = snapshot(LEDGERS).without(Fact::Workloads);
    assert_eq!(ledgers((&all, "one"), (&all, "two")).unwrap().authoritative, None);
    // The same first block: one is a copy that has fallen behind.
    let all = snapshot(&LEDGERS.replace("genesisHash: bb", "genesisHash: aa"));
    let answer = ledgers((&all, "one"), (&all, "two")).unwrap();
    assert!(answer.why.contains("one ledger"));
    assert!(ledgers((&all, "one"), (&all, "three")).is_err());
}
