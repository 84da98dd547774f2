//! What somebody answers for: findings that are accepted for one rule on one thing, until a day.
//!
//! An exclusion hides that and nothing else. One that has run out is a finding itself.

use std::collections::BTreeMap;

use gx_types::{Finding, Severity};
use serde::Deserialize;

use super::Issue;
use super::audit::Excluded;
use crate::facts::{ObjectRef, Snapshot, Time, Value};

/// Annotation on an object, with the rule's id at the end: `ops.gx/accept-SCH-14`. Its value is
/// `reason; owner; 2027-01-31`.
const ANNOTATION: &str = "ops.gx/accept-";

/// One line of the file of exclusions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    pub rule: String,
    /// As findings name it, such as `Pod backend-mainnet/postgres-0`, and with `:CONTAINER` for
    /// one container of it.
    pub subject: String,
    pub reason: String,
    pub owner: String,
    /// Last day, such as `2027-01-31`.
    pub until: String,
}

/// A file of exclusions that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExclusionError {
    #[error("this is no file of exclusions")]
    Toml(#[from] toml::de::Error),
    #[error("the exclusion of {0} gives no {1}")]
    Empty(String, &'static str),
    #[error("the exclusion of {0} ends on no day such as 2027-01-31")]
    Until(String),
    #[error("there is no rule {0}")]
    NoRule(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    exclusion: Vec<Exclusion>,
}

/// All exclusions of a file.
#[derive(Debug, Clone, Default)]
pub struct Exclusions {
    lines: Vec<(Exclusion, Time)>,
    /// Rule and subject of what is accepted for one run.
    given: Vec<(String, String)>,
}

pub(super) enum Verdict {
    Counts,
    Excluded(Excluded),
}

impl Exclusions {
    /// Reads a file, in TOML: `[[exclusion]]` with `rule`, `subject`, `reason`, `owner`, `until`.
    ///
    /// # Errors
    /// When one names no rule, no reason, no owner or no day.
    pub fn parse(text: &str) -> Result<Self, ExclusionError> {
        let file: File = toml::from_str(text)?;
        let mut lines = Vec::new();
        for one in file.exclusion {
            if super::rule(&one.rule).is_none() {
                return Err(ExclusionError::NoRule(one.rule));
            }
            let name = format!("{} on {}", one.rule, one.subject);
            for (field, text) in
                [("subject", &one.subject), ("reason", &one.reason), ("owner", &one.owner)]
            {
                if text.trim().is_empty() {
                    return Err(ExclusionError::Empty(name, field));
                }
            }
            let end = end_of(&one.until).ok_or(ExclusionError::Until(name))?;
            lines.push((one, end));
        }
        Ok(Self { lines, given: Vec::new() })
    }

    /// Accepts one finding for this run alone: `RULE KIND NAMESPACE/NAME`, as findings name it,
    /// with `:CONTAINER` for one container of it.
    ///
    /// # Errors
    /// When it names no rule, or nothing that the rule could find.
    pub fn accept(&mut self, text: &str) -> Result<(), ExclusionError> {
        let (rule, subject) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if super::rule(rule).is_none() {
            return Err(ExclusionError::NoRule(rule.to_owned()));
        }
        if subject.trim().is_empty() {
            return Err(ExclusionError::Empty(rule.to_owned(), "subject"));
        }
        self.given.push((rule.to_owned(), subject.trim().to_owned()));
        Ok(())
    }

    pub(super) fn verdict(&self, snapshot: &Snapshot, notes: &Notes<'_>, issue: &Issue) -> Verdict {
        let is_of = |rule: &str, subject: &str| {
            rule.eq_ignore_ascii_case(&issue.finding.rule) && subject == issue.finding.subject
        };
        let by_file = self
            .lines
            .iter()
            .find(|(one, end)| is_of(&one.rule, &one.subject) && snapshot.taken <= *end);
        if let Some((one, end)) = by_file {
            return Verdict::Excluded(excluded(issue, &one.reason, &one.owner, *end));
        }
        if self.given.iter().any(|(rule, subject)| is_of(rule, subject)) {
            let (reason, owner) = ("accepted for this run", "whoever runs it");
            return Verdict::Excluded(excluded(issue, reason, owner, snapshot.taken));
        }
        match notes.of(issue) {
            Some((reason, owner, end)) if snapshot.taken <= end => {
                Verdict::Excluded(excluded(issue, &reason, &owner, end))
            }
            Some(_) | None => Verdict::Counts,
        }
    }

    /// Those that have run out, and annotations that accept nothing because of how they are
    /// written.
    pub(super) fn expired(&self, snapshot: &Snapshot, notes: &Notes<'_>) -> Vec<Issue> {
        let over = self.lines.iter().filter(|(_, end)| snapshot.taken > *end);
        let over = over.map(|(one, end)| {
            let subject = format!("{} {}", one.rule, one.subject);
            over_issue(&subject, *end, &one.owner, &one.reason)
        });
        over.chain(notes.faults(snapshot)).collect()
    }
}

const NEEDS: &str = "its value is no `reason; owner; 2027-01-31`";

fn over_issue(subject: &str, end: Time, owner: &str, reason: &str) -> Issue {
    let evidence = format!("it ended on {}; {owner} gave it: {reason}", end.date());
    let remedy = "mend what it excused, or have its owner give it another day";
    exclusion_issue(subject, "An exclusion has run out", evidence, remedy)
}

fn exclusion_issue(subject: &str, title: &str, evidence: String, remedy: &'static str) -> Issue {
    let object = ObjectRef::global("Exclusion", subject);
    Issue {
        finding: Finding {
            rule: "EXC-01".into(),
            subject: object.to_string(),
            severity: Severity::Medium,
            evidence,
            remedy: remedy.into(),
        },
        object,
        title: title.to_owned(),
        why: "What was accepted for a time is accepted for ever when nobody looks again."
            .to_owned(),
        otherwise: "The finding counts again.".to_owned(),
        field: None,
        because: None,
        runbook: None,
    }
}

fn excluded(issue: &Issue, reason: &str, owner: &str, until: Time) -> Excluded {
    Excluded {
        rule: issue.finding.rule.to_string(),
        object: issue.object.clone(),
        reason: reason.to_owned(),
        owner: owner.to_owned(),
        until,
    }
}

/// The last second of a day.
fn end_of(day: &str) -> Option<Time> {
    format!("{day}T23:59:59Z").parse().ok()
}

/// The annotations by which objects are excused, by object and what follows `accept-` in the key.
#[derive(Debug)]
pub(super) struct Notes<'a> {
    by_object: BTreeMap<ObjectRef, BTreeMap<&'a str, &'a Value>>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let mut by_object: BTreeMap<ObjectRef, BTreeMap<&str, &Value>> = BTreeMap::new();
        for (object, annotations) in snapshot.annotated() {
            for (key, value) in annotations {
                if let Some(what) = key.strip_prefix(ANNOTATION) {
                    by_object.entry(object.clone()).or_default().insert(what, value);
                }
            }
        }
        Self { by_object }
    }

    /// Reason, owner and end of the annotation that an issue's object has for it.
    fn of(&self, issue: &Issue) -> Option<(String, String, Time)> {
        let object = ObjectRef { container: None, ..issue.object.clone() };
        let key = match &issue.object.container {
            None => issue.finding.rule.to_string(),
            Some(container) => format!("{}.{container}", issue.finding.rule),
        };
        told(self.by_object.get(&object)?.get(key.as_str())?)
    }

    /// Those that have run out or accept nothing.
    fn faults(&self, snapshot: &Snapshot) -> Vec<Issue> {
        let mut found = Vec::new();
        for (object, notes) in &self.by_object {
            for (what, value) in notes {
                let (rule, container) = what.split_once('.').unwrap_or((what, ""));
                let mut named = object.clone();
                named.container = (!container.is_empty()).then(|| container.to_owned());
                let subject = format!("{rule} {named}");
                let title = "An annotation accepts nothing";
                let wrong = |evidence: String| {
                    exclusion_issue(
                        &subject,
                        title,
                        evidence,
                        "write `reason; owner; DAY`, and a rule that there is",
                    )
                };
                match told(value) {
                    _ if super::rule(rule).is_none() => {
                        found.push(wrong(format!("there is no rule {rule}")));
                    }
                    None => found.push(wrong(NEEDS.to_owned())),
                    Some((reason, owner, end)) if snapshot.taken > end => {
                        found.push(over_issue(&subject, end, &owner, &reason));
                    }
                    Some(_) => {}
                }
            }
        }
        found
    }
}

/// `reason; owner; 2027-01-31`
fn told(value: &Value) -> Option<(String, String, Time)> {
    let mut parts = value.plain()?.split(';').map(str::trim);
    let (reason, owner, until) = (parts.next()?, parts.next()?, parts.next()?);
    if reason.is_empty() || owner.is_empty() || parts.next().is_some() {
        return None;
    }
    Some((reason.to_owned(), owner.to_owned(), end_of(until)?))
}
