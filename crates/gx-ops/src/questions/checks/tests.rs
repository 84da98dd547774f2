//! Suites and phases are the listed ones, and no check of theirs passes without having looked.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;
use crate::collect::collected_facts;
use crate::report::Look;
use crate::rules::fixture::read;
use crate::rules::rule;

const CLUSTER: &str = include_str!("../../../fixtures/questions/cluster.yaml");

fn snapshot(text: &str) -> Snapshot {
    read(text).unwrap_or_else(|error| panic!("{error}: {text}")).snapshot
}

/// Every check, with the suite or phase that it stands in.
fn all() -> Vec<(String, &'static Check)> {
    let suites = SUITES.iter().map(|suite| (suite.name.to_owned(), suite.checks));
    let phases = PHASES.iter().map(|phase| (phase.number.to_string(), phase.checks));
    let lists = suites.chain(phases);
    lists.flat_map(|(name, checks)| checks.iter().map(move |one| (name.clone(), one))).collect()
}

fn one(check: &Check, now: &Snapshot, before: Option<&Snapshot>) -> Checked {
    checked(&[*check], Seen { now, before }, &[]).remove(0)
}

#[test]
fn suites_and_phases_are_the_listed_ones() {
    let listed = include_str!("../../../fixtures/checks/list.txt");
    let found: Vec<String> = all().iter().map(|(of, one)| format!("{of} {}", one.id)).collect();
    assert_eq!(found, listed.lines().collect::<Vec<_>>(), "as they are now:\n{}", found.join("\n"));
    let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
    assert_eq!(names, ["net", "k8s", "fabric", "app", "db", "e2e", "ha"]);
    let numbers: Vec<u8> = PHASES.iter().map(|phase| phase.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len(), "an id stands twice");
}

#[test]
fn every_check_can_be_judged() {
    for (of, check) in all() {
        match check.judge {
            Judge::Rule(id) => assert!(rule(id).is_some(), "{of} {}: {id}", check.id),
            Judge::Suite(name) => assert!(SUITES.iter().any(|one| one.name == name), "{name}"),
            Judge::Facts(needs, _) => {
                assert!(!needs.is_empty(), "{of} {}", check.id);
                let collected = collected_facts();
                assert!(needs.iter().all(|fact| collected.contains(fact)), "{of} {}", check.id);
            }
            Judge::Person => {}
        }
    }
    for phase in PHASES {
        assert!(phase.after.iter().all(|after| *after < phase.number), "{}", phase.title);
        assert!(!phase.steps.is_empty() && !phase.roles.is_empty(), "{}", phase.title);
    }
}

#[test]
fn nothing_passes_without_having_looked() {
    let missing = Snapshot::empty(snapshot("{}").taken);
    let mut nothing = String::new();
    for fact in Fact::ALL {
        nothing.push_str(&format!("{}: []\n", crate::rules::fixture::camel(fact.name())));
    }
    for seen in [missing, snapshot(&nothing)] {
        for (of, check) in all() {
            let answer = one(check, &seen, Some(&seen));
            // Of nothing at all some rules know that it is too little.
            assert_ne!(answer.state, State::Passed, "{of} {}: {answer:?}", check.id);
            assert!(!answer.lines.is_empty(), "{of} {} does not say why", check.id);
        }
    }
}

#[test]
fn checks_by_rules_fail_and_pass_with_the_fixtures_of_these() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    for (of, check) in all() {
        let Judge::Rule(id) = check.judge else { continue };
        let mut passed = 0;
        let mut failed = 0;
        for entry in fs::read_dir(root.join(id)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let answer = one(check, &snapshot(&fs::read_to_string(&path).unwrap()), None);
            if name.starts_with("fail") {
                assert_eq!(answer.state, State::Failed, "{of} {} {name}", check.id);
                assert!(!answer.lines.is_empty(), "{of} {} {name}", check.id);
                failed += 1;
            } else if name.starts_with("pass") {
                assert_ne!(answer.state, State::Failed, "{of} {} {name}", check.id);
                passed += usize::from(answer.state == State::Passed);
            }
        }
        assert!(passed > 0 && failed > 0, "{of} {} {id}: {passed} {failed}", check.id);
    }
}

const LEDGER: &str = "
ledgers:
- name: main
  environment: mainnet
  engine: fabric
  nodes: [{name: peer0, endpoint: 'peer0.example.org:7051', height: 7}]
  orderers:
  - {name: one, endpoint: 'one.example.org:7050', isLeader: true}
  - {name: two, endpoint: 'two.example.org:7050'}";

/// Of each check of facts: its id, what shows it failing, and what shows it passing.
fn shown() -> Vec<(&'static str, String, String)> {
    let hosts = |used: u64, free: u64| {
        format!(
            "hosts: [{{name: a, memoryBytes: 100, memoryAvailableBytes: {free}, mounts: \
             [{{path: /, bytes: 100, usedBytes: {used}}}]}}]"
        )
    };
    let reached = |outcome: &str| {
        let tries = [
            ("192.0.2.11", 22),
            ("192.0.2.11", 6443),
            ("peer0.example.org", 7051),
            ("one.example.org", 7050),
            ("two.example.org", 7050),
        ];
        let tries = tries.map(|(to, port)| {
            format!("- {{from: b, to: {to}, port: {port}, outcome: {outcome}}}\n")
        });
        format!(
            "nodes: [{{name: a, labels: {{node-role.kubernetes.io/control-plane: 'true'}}, \
             addresses: [{{kind: InternalIP, value: 192.0.2.11}}]}}]\n\
             inventory: [{{name: i, hosts: [{{name: a, addresses: [192.0.2.11]}}]}}]\n\
             reached:\n{}{LEDGER}",
            tries.join("")
        )
    };
    let edge = |status: u16| {
        format!(
            "reached: [{{from: b, to: api.example.org, port: 443, outcome: ok, path: /health, \
             status: {status}}}]"
        )
    };
    let process = |ready: u16| {
        format!(
            "processes: [{{place: Pod m/p, live: 200, ready: {ready}, checks: [{{name: database, \
             ok: false}}]}}]"
        )
    };
    let redis = |used: u64| {
        format!("redis: [{{place: Pod m/r, role: master, usedBytes: {used}, maxBytes: 100}}]")
    };
    let certificate = |day: &str| {
        format!("certificates: [{{place: Secret m/tls, commonName: a, notAfter: {day}T00:00:00Z}}]")
    };
    let bare = "nodes: [{name: a}, {name: b}]\npods: []\nworkloads: []\nclaims: []\nvolumes: []";
    vec![
        ("ssh", reached("filtered"), reached("ok")),
        ("api-servers", reached("refused"), reached("tls")),
        ("ledger-ports", reached("unresolved"), reached("tls")),
        ("leader", LEDGER.replace(", isLeader: true", ""), LEDGER.to_owned()),
        ("alive-and-ready", process(503), process(200)),
        ("edge", edge(502), edge(401)),
        ("redis-room", redis(90), redis(89)),
        ("growth", LEDGER.replace("height: 7", "height: 5"), LEDGER.to_owned()),
        ("one-node-less", CLUSTER.to_owned(), bare.to_owned()),
        ("disk", hosts(50, 50), hosts(49, 50)),
        ("memory", hosts(10, 20), hosts(10, 21)),
        ("certificates", certificate("2026-12-29"), certificate("2026-12-31")),
    ]
}

#[test]
fn checks_of_facts_fail_and_pass() {
    let shown = shown();
    let before = snapshot(&LEDGER.replace("height: 7", "height: 5"));
    for (of, check) in all() {
        if !matches!(check.judge, Judge::Facts(..)) {
            continue;
        }
        let (_, bad, good) = shown
            .iter()
            .find(|(id, ..)| *id == check.id)
            .unwrap_or_else(|| panic!("nothing shows {of} {}", check.id));
        let answer = one(check, &snapshot(bad), Some(&before));
        assert_eq!(answer.state, State::Failed, "{of} {}: {answer:?}", check.id);
        let answer = one(check, &snapshot(good), Some(&before));
        assert_eq!(answer.state, State::Passed, "{of} {}: {answer:?}", check.id);
    }
}

#[test]
fn what_nobody_tried_and_what_nobody_compared_is_unknown() {
    let untried = format!("reached: []\n{LEDGER}");
    let answer = suite("net", &snapshot(&untried), None).unwrap();
    let ports = answer.checks.iter().find(|one| one.id == "ledger-ports").unwrap();
    assert_eq!((ports.state, ports.looked), (State::Unknown, 0));
    assert!(ports.lines[0].contains("nobody has tried its port 7051"), "{ports:?}");
    // Without an earlier snapshot no ledger is seen to grow, however high it is.
    let answer = suite("e2e", &snapshot(LEDGER), None).unwrap();
    assert_eq!((answer.checks[0].id, answer.checks[0].state), ("growth", State::Unknown));
    assert!(suite("nothing", &snapshot(LEDGER), None).is_none());
}

const SIGNED: &str = "
[[signature]]
phase = 0
name = 'A. Example'
role = 'Operations'
on = '2026-11-30'
[[signature]]
phase = 0
name = 'B. Example'
role = 'technical lead'
on = '2026-11-30'
";

#[test]
fn signatures_close_what_passes_and_heal_nothing() {
    let signatures = Signatures::parse(SIGNED).unwrap();
    let now = snapshot("hosts: [{name: a, mounts: [{path: /, bytes: 100, usedBytes: 68}]}]");
    let answer = phase(0, &now, None, &signatures).unwrap();
    assert_eq!(answer.state, PhaseState::Failed);
    assert!(answer.unsigned.is_empty() && answer.signed.len() == 2, "{answer:?}");
    // What a person answers for passes by name alone.
    let nobody = phase(1, &now, None, &Signatures::default()).unwrap();
    let of = |answer: &PhaseAnswer, id: &str| {
        answer.checks.iter().find(|one| one.id == id).map(|one| one.state)
    };
    assert_eq!(of(&nobody, "way-back"), Some(State::Unknown));
    let text = SIGNED.replacen("phase = 0", "phase = 1\ncheck = 'way-back'", 1);
    let somebody = phase(1, &now, None, &Signatures::parse(&text).unwrap()).unwrap();
    assert_eq!(of(&somebody, "way-back"), Some(State::Passed));
    // A signature for one check does not sign the phase off.
    assert_eq!(somebody.unsigned, ["technical lead", "operations"]);
    assert!(phase(8, &now, None, &signatures).is_none());
}

#[test]
fn a_phase_is_done_when_all_passes_and_all_have_signed() {
    let checks =
        [Checked { id: "a", what: "a", state: State::Passed, looked: 1, lines: Vec::new() }];
    assert_eq!(green(&checks), State::Passed);
    assert_eq!(green(&[]), State::Unknown);
}

#[test]
fn signatures_without_name_day_or_check_are_refused() {
    for (from, to, wrong) in [
        ("phase = 0", "phase = 9", "there is no phase 9"),
        ("'A. Example'", "' '", "gives no name"),
        ("'2026-11-30'", "'today'", "is of no day"),
        ("phase = 0", "phase = 0\ncheck = 'disk'", "has no check disk"),
        ("phase = 0", "phase = 0\ncolour = 'red'", "no file of signatures"),
    ] {
        let error = Signatures::parse(&SIGNED.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
    }
}

#[test]
fn answers_fit_a_terminal() {
    let now = snapshot(CLUSTER);
    let mut texts = Vec::new();
    for one in SUITES {
        texts.push(render_suite(&suite(one.name, &now, None).unwrap(), &Look::default()));
    }
    for one in PHASES {
        let answer = phase(one.number, &now, None, &Signatures::default()).unwrap();
        texts.push(render_phase(&answer, &Look::default()));
    }
    for text in &texts {
        for line in text.lines() {
            assert!(line.chars().count() <= 80 || !line.trim().contains(' '), "{line}");
        }
    }
    assert!(texts[1].starts_with("Kubernetes: "), "{}", texts[1]);
    assert!(texts[7].contains("nobody yet as technical lead"), "{}", texts[7]);
}
