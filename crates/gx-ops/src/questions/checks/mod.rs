//! Checks that are held against facts: the seven suites of tests, and the phases of the plan by
//! which a platform was put in order.
//!
//! A check passes when it has looked at something and found nothing wrong. One that had nothing to
//! look at, or lacks a fact, is unknown, and an unknown check keeps its suite or phase from being
//! green. What a rule of the audit judges already is judged by that rule.

mod look;
mod phases;
mod signatures;
mod suites;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::facts::{Fact, Snapshot};
use crate::rules::{Audit, Findings, Options, Outcome, audit};

use phases::PHASES;
pub use phases::{PhaseAnswer, PhaseState, phase};
pub use signatures::{Signature, SignatureError, Signatures};
use suites::SUITES;
pub use suites::{SuiteAnswer, suite};
pub use text::{render_phase, render_suite};

/// What a check looks at: the present, and an earlier snapshot where there is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    now: &'a Snapshot,
    before: Option<&'a Snapshot>,
}

/// Who judges.
#[derive(Debug, Clone, Copy)]
pub(super) enum Judge {
    /// A rule of the audit.
    Rule(&'static str),
    /// A look at parts of the snapshot, without which nothing can be said.
    Facts(&'static [Fact], fn(Seen<'_>) -> Findings),
    /// All checks of a suite.
    Suite(&'static str),
    /// A person, who signs for it by name.
    Person,
}

/// One thing that has to hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    /// Stable, and one of its kind in its suite or phase.
    id: &'static str,
    /// What holds when it passes.
    what: &'static str,
    judge: Judge,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Passed,
    Failed,
    Unknown,
}

/// The answer of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub id: &'static str,
    pub what: &'static str,
    pub state: State,
    /// How many things were looked at.
    pub looked: usize,
    /// What is wrong, or what is not known and how it would be.
    pub lines: Vec<String>,
}

/// Holds the checks against what is seen; the rules among them run once, together.
fn checked(checks: &[Check], seen: Seen<'_>, signatures: &[&Signature]) -> Vec<Checked> {
    let rules: BTreeSet<&str> = checks
        .iter()
        .filter_map(|check| match check.judge {
            Judge::Rule(id) => Some(id),
            Judge::Facts(..) | Judge::Suite(_) | Judge::Person => None,
        })
        .collect();
    let only: Vec<String> = rules.into_iter().map(str::to_owned).collect();
    // Without a name all rules would run.
    let audit =
        (!only.is_empty()).then(|| audit(seen.now, &Options { only, ..Options::default() }));
    let answers = checks.iter().map(|check| {
        let (state, looked, lines) = match check.judge {
            Judge::Rule(id) => by_rule(id, audit.as_ref()),
            Judge::Facts(needs, look) => by_facts(needs, look, seen),
            Judge::Suite(name) => by_suite(name, seen),
            Judge::Person => by_person(check, signatures),
        };
        Checked { id: check.id, what: check.what, state, looked, lines }
    });
    answers.collect()
}

fn by_rule(id: &str, audit: Option<&Audit>) -> (State, usize, Vec<String>) {
    let outcomes = audit.into_iter().flat_map(|audit| &audit.outcomes);
    let Some(outcome) = outcomes.into_iter().find(|one| one.rule == id) else {
        return (State::Unknown, 0, vec![format!("there is no rule {id}")]);
    };
    let audit = audit.into_iter();
    match outcome.outcome {
        Outcome::Passed => (State::Passed, outcome.looked, Vec::new()),
        Outcome::Nothing => (State::Unknown, 0, vec![format!("{id} had nothing to look at")]),
        Outcome::Unknown => {
            let unknown = audit.flat_map(|audit| &audit.unknown).filter(|one| one.rule == id);
            let told = unknown.map(|one| {
                let of = one.object.as_ref().map(|of| format!("{of}: ")).unwrap_or_default();
                format!("{of}{}; {}", one.missing, one.how)
            });
            (State::Unknown, outcome.looked, told.collect())
        }
        Outcome::Broken => {
            let issues = audit.flat_map(|audit| audit.issues());
            let found = issues.filter(|issue| issue.finding.rule == id).map(|issue| {
                format!("{}: {} ({id})", issue.finding.subject, issue.finding.evidence)
            });
            (State::Failed, outcome.looked, found.collect())
        }
    }
}

fn by_facts(
    needs: &[Fact],
    look: fn(Seen<'_>) -> Findings,
    seen: Seen<'_>,
) -> (State, usize, Vec<String>) {
    let lacks = |fact: &Fact| {
        let why = seen.now.lacks(*fact)?;
        Some(format!("{}: {why}; {}", fact.name(), fact.how()))
    };
    let missing: Vec<String> = needs.iter().filter_map(lacks).collect();
    if !missing.is_empty() {
        return (State::Unknown, 0, missing);
    }
    let Findings { problems, unknown, looked } = look(seen);
    if !problems.is_empty() {
        let told = problems.iter().map(|one| format!("{}: {}", one.subject, one.evidence));
        return (State::Failed, looked, told.collect());
    }
    let mut told: Vec<String> = unknown
        .iter()
        .map(|one| {
            let how = one.how.map(|how| format!("; {how}")).unwrap_or_default();
            format!("{}: {}{how}", one.subject, one.what)
        })
        .collect();
    if told.is_empty() && looked > 0 {
        return (State::Passed, looked, told);
    }
    if told.is_empty() {
        told.push("there was nothing to look at".to_owned());
    }
    (State::Unknown, looked, told)
}

fn by_suite(name: &str, seen: Seen<'_>) -> (State, usize, Vec<String>) {
    let Some(suite) = SUITES.iter().find(|suite| suite.name == name) else {
        return (State::Unknown, 0, vec![format!("there is no suite {name}")]);
    };
    let answers = checked(suite.checks, seen, &[]);
    let of = |state| answers.iter().filter(move |one| one.state == state);
    let told = of(State::Failed).chain(of(State::Unknown)).map(|one| {
        let word = if one.state == State::Failed { "failed" } else { "not known" };
        format!("{}: {word}", one.id)
    });
    (green(&answers), answers.len(), told.collect())
}

fn by_person(check: &Check, signatures: &[&Signature]) -> (State, usize, Vec<String>) {
    match signatures.iter().find(|one| one.check.as_deref() == Some(check.id)) {
        Some(one) => (State::Passed, 1, vec![one.told()]),
        None => {
            let how =
                format!("nobody has signed for it: [[signature]] with check = \"{}\"", check.id);
            (State::Unknown, 0, vec![how])
        }
    }
}

/// Passed when all have, failed when one has; else unknown.
fn green(answers: &[Checked]) -> State {
    if answers.iter().any(|one| one.state == State::Failed) {
        State::Failed
    } else if answers.is_empty() || answers.iter().any(|one| one.state == State::Unknown) {
        State::Unknown
    } else {
        State::Passed
    }
}
