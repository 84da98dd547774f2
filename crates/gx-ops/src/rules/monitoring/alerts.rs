//! Alerts: whether they can fire, and whom they reach.

use std::collections::BTreeSet;

use gx_types::Severity;

use super::super::{Findings, Problem};
use super::expression::metrics;
use crate::facts::{Known, Monitoring, ObjectRef, Snapshot};

pub(super) fn watcher_ref(watcher: &Monitoring) -> ObjectRef {
    ObjectRef::global("Monitoring", &watcher.place)
}

/// MON-02
pub(super) fn unknown_metrics(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for watcher in snapshot.monitoring.items() {
        let (Known::Known(rules), Known::Known(names)) = (&watcher.rules, &watcher.metric_names)
        else {
            let why = watcher.rules.reason().or(watcher.metric_names.reason()).unwrap_or_default();
            findings.unknown(watcher_ref(watcher), format!("its rules and metrics: {why}"));
            continue;
        };
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        for rule in rules {
            findings.looked();
            let asked = metrics(&rule.expression);
            let missing: Vec<&str> =
                asked.iter().map(String::as_str).filter(|name| !names.contains(name)).collect();
            if missing.is_empty() {
                continue;
            }
            // One of several may be of something that has not happened yet.
            let is_all = missing.len() == asked.len();
            let severity = if is_all { Severity::Critical } else { Severity::Medium };
            let evidence = format!("nothing has {}", missing.join(", "));
            let subject = ObjectRef::global("Alert", &rule.name);
            findings.add(Problem::new(subject, evidence).severity(severity).field("expr"));
        }
    }
    findings
}

/// MON-03
pub(super) fn no_receiver(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for watcher in snapshot.monitoring.items() {
        let receivers = match &watcher.receivers {
            Known::Known(receivers) => receivers,
            Known::Missing(missing) => {
                let what = format!("whom it tells: {}", missing.missing);
                findings.unknown(watcher_ref(watcher), what);
                continue;
            }
        };
        findings.looked();
        let reaches = |name: &str| receivers.get(name).is_some_and(|ways| !ways.is_empty());
        if !receivers.keys().any(|name| reaches(name)) {
            let names: Vec<&str> = receivers.keys().map(String::as_str).collect();
            let evidence = format!("no receiver has an address: {}", names.join(", "));
            findings.add(Problem::new(watcher_ref(watcher), evidence).field("receivers"));
        } else if !reaches(&watcher.default_receiver) {
            let evidence = format!(
                "what no route takes goes to {:?}, which has none",
                watcher.default_receiver
            );
            let problem = Problem::new(watcher_ref(watcher), evidence).field("route.receiver");
            findings.add(problem.severity(Severity::Medium));
        }
    }
    findings
}

/// MON-11
pub(super) fn no_watchdog(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for watcher in snapshot.monitoring.items() {
        let rules = match &watcher.rules {
            Known::Known(rules) => rules,
            Known::Missing(missing) => {
                let what = format!("its rules: {}", missing.missing);
                findings.unknown(watcher_ref(watcher), what);
                continue;
            }
        };
        findings.looked();
        let always = |expression: &str| {
            let text: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
            text == "vector(1)"
        };
        let watchdogs: Vec<_> = rules.iter().filter(|rule| always(&rule.expression)).collect();
        let evidence = match watchdogs.as_slice() {
            [] => "no alert always fires",
            all if all.iter().any(|rule| rule.firing) => continue,
            _ => "the alert that always fires does not",
        };
        findings.add(Problem::new(watcher_ref(watcher), evidence));
    }
    findings
}
