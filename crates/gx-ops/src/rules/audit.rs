//! Holds every rule against a snapshot.

use std::collections::BTreeSet;

use gx_types::{Finding, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exclude::{Exclusions, Notes, Verdict};
use super::{Findings, Group, Problem, Rule, group, rules};
use crate::facts::{Known, ObjectRef, Snapshot, Time};

/// Which rules are held against it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Ids, or beginnings of ids such as `SCH`; none: all.
    pub only: Vec<String>,
    pub skip: Vec<String>,
    /// What is less bad than this is left out.
    pub at_least: Option<Severity>,
    /// Findings that were there already, as `RULE SUBJECT`.
    pub known: BTreeSet<String>,
    pub exclusions: Exclusions,
}

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    #[serde(flatten)]
    pub finding: Finding,
    /// The subject, for programs.
    pub object: ObjectRef,
    pub title: String,
    pub why: String,
    /// What happens when nothing is done.
    pub otherwise: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<ObjectRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
}

impl Issue {
    /// What tells it from others: the same in every audit of the same fault.
    pub fn key(&self) -> String {
        format!("{} {}", self.finding.rule, self.finding.subject)
    }
}

/// A question that could not be answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnknownFact {
    pub rule: String,
    /// The thing of which it is asked; none: of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// What is missing, and why.
    pub missing: String,
    /// How to collect it.
    pub how: String,
}

/// How a rule came out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Broken,
    Unknown,
    Passed,
    /// There is nothing that it could be held against.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleOutcome {
    pub rule: String,
    pub outcome: Outcome,
    /// Things that were held against it.
    pub looked: usize,
}

/// Something that breaks a rule, and that somebody answers for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Excluded {
    pub rule: String,
    pub object: ObjectRef,
    pub reason: String,
    pub owner: String,
    pub until: Time,
}

/// All answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// When the snapshot was taken.
    pub taken: Time,
    pub cluster: Known<String>,
    /// Worst first; each group has one cause.
    pub groups: Vec<Group>,
    pub unknown: Vec<UnknownFact>,
    pub outcomes: Vec<RuleOutcome>,
    pub excluded: Vec<Excluded>,
    /// Findings that were left out because they were known before.
    pub known: usize,
    /// Findings that were left out because they are not bad enough.
    pub below: usize,
}

impl Audit {
    pub fn issues(&self) -> impl Iterator<Item = &Issue> {
        self.groups.iter().flat_map(|group| &group.issues)
    }

    /// The worst that was found.
    pub fn worst(&self) -> Option<Severity> {
        self.issues().map(|issue| issue.finding.severity).max()
    }

    /// How many issues are exactly so bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.issues().filter(|issue| issue.finding.severity == severity).count()
    }

    pub fn outcome_count(&self, outcome: Outcome) -> usize {
        self.outcomes.iter().filter(|one| one.outcome == outcome).count()
    }

    /// The exit status: 2 when something is critical, 1 when something is as bad as the threshold
    /// or worse, else 0.
    pub fn exit_status(&self, fail_on: Severity) -> u8 {
        match self.worst() {
            Some(Severity::Critical) => 2,
            Some(worst) if worst >= fail_on => 1,
            Some(_) | None => 0,
        }
    }
}

/// Holds the rules against a snapshot.
pub fn audit(snapshot: &Snapshot, options: &Options) -> Audit {
    let mut audit = Audit {
        taken: snapshot.taken,
        cluster: snapshot.cluster.clone(),
        groups: Vec::new(),
        unknown: Vec::new(),
        outcomes: Vec::new(),
        excluded: Vec::new(),
        known: 0,
        below: 0,
    };
    let mut issues = Vec::new();
    let notes = Notes::new(snapshot);
    for rule in rules().filter(|rule| is_wanted(rule, options)) {
        let findings = run(rule, snapshot, &mut audit.unknown);
        let outcome = outcome(rule, snapshot, &findings);
        let looked = findings.looked;
        audit.outcomes.push(RuleOutcome { rule: rule.id.to_owned(), outcome, looked });
        for problem in findings.problems {
            let issue = issue(rule, problem);
            match options.exclusions.verdict(snapshot, &notes, &issue) {
                Verdict::Counts => issues.push(issue),
                Verdict::Excluded(excluded) => audit.excluded.push(excluded),
            }
        }
    }
    issues.extend(options.exclusions.expired(snapshot, &notes));
    let before = issues.len();
    issues.retain(|issue| !options.known.contains(&issue.key()));
    audit.known = before.saturating_sub(issues.len());
    let before = issues.len();
    issues.retain(|issue| options.at_least.is_none_or(|least| issue.finding.severity >= least));
    audit.below = before.saturating_sub(issues.len());
    audit.unknown.sort();
    audit.unknown.dedup();
    audit.groups = group::group(issues);
    audit
}

fn is_wanted(rule: &Rule, options: &Options) -> bool {
    let named = |list: &[String]| {
        list.iter().any(|one| {
            let beginning = rule.id.get(..one.len());
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(one))
        })
    };
    (options.only.is_empty() || named(&options.only)) && !named(&options.skip)
}

/// Runs a rule when all that it needs is there.
pub(super) fn run(rule: &Rule, snapshot: &Snapshot, unknown: &mut Vec<UnknownFact>) -> Findings {
    let mut is_complete = true;
    for fact in rule.needs {
        if let Some(why) = snapshot.lacks(*fact) {
            is_complete = false;
            unknown.push(UnknownFact {
                rule: rule.id.to_owned(),
                object: None,
                missing: format!("{}: {why}", fact.name()),
                how: fact.how().to_owned(),
            });
        }
    }
    if !is_complete {
        return Findings::default();
    }
    let findings = (rule.check)(snapshot);
    unknown.extend(findings.unknown.iter().map(|one| UnknownFact {
        rule: rule.id.to_owned(),
        object: Some(one.subject.clone()),
        missing: one.what.clone(),
        how: one.how.or(rule.needs.first().map(|fact| fact.how())).unwrap_or_default().to_owned(),
    }));
    findings
}

pub(super) fn outcome(rule: &Rule, snapshot: &Snapshot, findings: &Findings) -> Outcome {
    let lacks = rule.needs.iter().any(|fact| snapshot.lacks(*fact).is_some());
    if !findings.problems.is_empty() {
        Outcome::Broken
    } else if lacks || !findings.unknown.is_empty() {
        Outcome::Unknown
    } else if findings.looked == 0 {
        Outcome::Nothing
    } else {
        Outcome::Passed
    }
}

pub(super) fn issue(rule: &Rule, problem: Problem) -> Issue {
    let remedy = problem.remedy.map_or(rule.remedy.into(), Into::into);
    Issue {
        finding: Finding {
            rule: rule.id.into(),
            subject: problem.subject.to_string(),
            severity: problem.severity.unwrap_or(rule.severity),
            evidence: problem.evidence,
            remedy,
        },
        object: problem.subject,
        title: rule.title.to_owned(),
        why: rule.why.to_owned(),
        otherwise: rule.otherwise.to_owned(),
        field: problem.field.map(str::to_owned),
        because: problem.because,
        runbook: rule.runbook.map(str::to_owned),
    }
}
