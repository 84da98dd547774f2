//! Everything that the commands can say of a snapshot.

use gx_ops::facts::{Fact, Snapshot};
use gx_ops::questions::certs::{calendar, certs};
use gx_ops::questions::what_if::{Change, Place, what_if};
use gx_ops::questions::{compare, explain, images, score, secrets, what_if};
use gx_ops::report::{Format, Look, render};
use gx_ops::rules::{Options, audit};
use serde::Serialize;

/// An answer in both of its forms.
fn told<T: Serialize>(name: &str, answer: &T, text: String) -> [(String, String); 2] {
    let json = serde_json::to_string_pretty(answer).unwrap();
    [(name.to_owned(), text), (format!("{name} as JSON"), json)]
}

/// All outputs with their names: the snapshot itself, an audit in all forms, and every question.
pub(crate) fn of(snapshot: &Snapshot) -> Vec<(String, String)> {
    let look = Look { top: usize::MAX, ..Look::default() };
    let mut all = vec![("the snapshot".to_owned(), snapshot.to_text().unwrap())];
    let found = audit(snapshot, &Options::default());
    for (name, format) in Format::ALL {
        all.push((format!("audit as {name}"), render(&found, format, &look).unwrap()));
    }
    for pod in snapshot.pods.items() {
        let name = format!("{}/{}", pod.namespace, pod.name);
        let answer = explain::explain_pod(snapshot, &name).unwrap();
        all.extend(told("explain pod", &answer, explain::render(&answer, &look)));
    }
    for node in snapshot.nodes.items() {
        let answer = explain::explain_node(snapshot, &node.name).unwrap();
        all.extend(told("explain node", &answer, explain::render(&answer, &look)));
        for change in changes(snapshot, &node.name) {
            let answer = what_if(snapshot, &[change]).unwrap();
            all.extend(told("what-if", &answer, what_if::render(&answer, &look)));
        }
    }
    for workload in snapshot.top_workloads() {
        let name = format!("{}/{}/{}", workload.kind.as_str(), workload.namespace, workload.name);
        let answer = explain::explain_workload(snapshot, &name).unwrap();
        all.extend(told("explain workload", &answer, explain::render(&answer, &look)));
    }
    comparisons(snapshot, &look, &mut all);
    let answer = images::images(snapshot, &images::Options { keep: 3 });
    all.extend(told("images", &answer, images::render(&answer, &look)));
    let answer = certs(snapshot);
    all.push(("certs as a calendar".to_owned(), calendar(&answer)));
    all.extend(told("certs", &answer, gx_ops::questions::certs::render(&answer, &look)));
    let answer = secrets::check(snapshot);
    all.extend(told("secrets check", &answer, secrets::render(&answer, &look)));
    let options = score::Options { environment: "mainnet".to_owned(), single: true };
    let answer = score::score(snapshot, &options);
    all.extend(told("score", &answer, score::render(&answer, &look)));
    all
}

fn changes(snapshot: &Snapshot, node: &str) -> Vec<Change> {
    let manifests = snapshot.clone();
    vec![
        Change::Lose(Place::Node(node.to_owned())),
        Change::Drain(node.to_owned()),
        Change::Cordon(node.to_owned()),
        Change::Reinstall(node.to_owned()),
        Change::Apply(Box::new(manifests)),
    ]
}

fn comparisons(snapshot: &Snapshot, look: &Look, all: &mut Vec<(String, String)>) {
    // Against one that has none of it, so that all of it is new.
    for fact in Fact::ALL {
        let answer = compare::snapshots(&snapshot.clone().without(*fact), snapshot);
        all.extend(told("compare", &answer, compare::render_snapshots(&answer, look)));
    }
    let answer = compare::snapshots(&Snapshot::empty(snapshot.taken), snapshot);
    all.extend(told("compare", &answer, compare::render_snapshots(&answer, look)));
    let answer = compare::environments((snapshot, "testnet"), (snapshot, "mainnet"));
    all.extend(told("compare environments", &answer, compare::render_environments(&answer, look)));
    for ledger in snapshot.ledgers.items() {
        if let Ok(answer) = compare::ledgers((snapshot, &ledger.name), (snapshot, &ledger.name)) {
            all.extend(told("compare ledgers", &answer, compare::render_ledgers(&answer, look)));
        }
    }
}
