//! A record adds up, shows what was wrong before and after, and cannot be broken by its inputs.

use super::*;
use crate::rules::fixture::read;

fn snapshot(text: &str) -> Snapshot {
    read(text).unwrap_or_else(|error| panic!("{error}")).snapshot
}

const BEFORE: &str = "
taken: 2026-11-30T10:00:00Z
nodes:
- {name: a, conditions: [{kind: Ready, status: 'True'}]}
- {name: b, conditions: [{kind: Ready, status: 'False'}]}
pods:
- {namespace: m, name: p, phase: Running, node: a, statuses: [{name: c, restarts: 4}]}
hosts:
- {name: a, mounts: [{path: /, bytes: 100, usedBytes: 79}, {path: /srv, bytes: 100, usedBytes: 5}]}
";

fn after() -> String {
    BEFORE
        .replace("T10:00", "T11:30")
        .replace("status: 'False'", "status: 'True'")
        .replace("usedBytes: 79", "usedBytes: 68")
        .replace("restarts: 4", "restarts: 5")
}

#[test]
fn tables_show_before_and_after_and_what_is_unknown() {
    let text = record("a|node", &snapshot(BEFORE), &snapshot(&after()), &[]);
    assert!(text.starts_with("# 2026-11-30: a\\|node\n"), "{text}");
    for row in [
        "90 minutes",
        "| nodes ready | 1 of 2 | 2 of 2 |",
        "| pods ready | 0 of 1 | 0 of 1 |",
        "| workloads with all replicas | not known | not known |",
        "| restarts of containers | 4 | 5 |",
        "| fullest disk | 79 % (a /) | 68 % (a /) |",
        "| height of ledgers | not known | not known |",
        "| Node b | state: not ready → ready |",
        "No plan was applied that this record was given.",
        "critical NOD-01 Node b",
    ] {
        assert!(text.contains(row), "{row}: {text}");
    }
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(
        heads,
        [
            "## What was done",
            "## Before and after",
            "## What is different",
            "## Challenges",
            "## Solved",
            "## Outstanding",
            "## Next",
        ]
    );
}

#[test]
fn what_went_wrong_is_a_challenge_and_is_outstanding() {
    // The other way round, the node has gone.
    let text = record("b", &snapshot(&after()), &snapshot(BEFORE), &[]);
    let part = |from: &str, to: &str| {
        let rest = text.split(&format!("## {from}\n")).nth(1).unwrap();
        rest.split(&format!("## {to}\n")).next().unwrap().to_owned()
    };
    assert!(part("Challenges", "Solved").contains("NOD-01 Node b"), "{text}");
    assert!(part("Outstanding", "Next").contains("NOD-01 Node b"), "{text}");
    assert!(part("Outstanding", "Next").contains("volumes, workloads"), "{text}");
    let next = text.split("## Next\n").nth(1).unwrap();
    assert!(next.contains("NOD-01: ") && next.contains("`kubectl describe node NODE`"), "{text}");
}

#[test]
fn what_was_applied_stands_in_a_block_that_it_cannot_leave() {
    let hostile = "ok\u{1b}[31m\n````\n# a heading\n".to_owned() + &"line\n".repeat(300);
    let applied = [Applied { name: "drain.txt".to_owned(), text: hostile }];
    let text = record("c", &snapshot(BEFORE), &snapshot(&after()), &applied);
    assert!(text.contains("### drain.txt\n\n`````text\nok [31m\n````\n# a heading\n"), "{text}");
    assert!(text.contains("… 103 more lines\n`````\n"), "{text}");
}

#[test]
fn the_same_facts_give_the_same_record() {
    let (before, after) = (snapshot(BEFORE), snapshot(&after()));
    assert_eq!(record("d", &before, &after, &[]), record("d", &before, &after, &[]));
}
