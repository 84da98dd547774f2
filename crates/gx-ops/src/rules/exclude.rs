//! What somebody answers for: findings that are accepted for one rule on one thing, until a day.
//!
//! An exclusion hides that and nothing else. One that has run out is a finding itself.

use gx_types::{Finding, Severity};
use serde::Deserialize;

use super::Issue;
use super::audit::Excluded;
use crate::facts::{Object, ObjectRef, Snapshot, Time, Value};

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
        Ok(Self { lines })
    }

    pub(super) fn verdict(&self, snapshot: &Snapshot, issue: &Issue) -> Verdict {
        let by_file = self.lines.iter().find(|(one, end)| {
            one.rule.eq_ignore_ascii_case(&issue.finding.rule)
                && one.subject == issue.finding.subject
                && snapshot.taken <= *end
        });
        if let Some((one, end)) = by_file {
            return Verdict::Excluded(excluded(issue, &one.reason, &one.owner, *end));
        }
        match annotation(snapshot, issue) {
            Some((reason, owner, end)) if snapshot.taken <= end => {
                Verdict::Excluded(excluded(issue, &reason, &owner, end))
            }
            Some(_) | None => Verdict::Counts,
        }
    }

    /// Those that have run out.
    pub(super) fn expired(&self, snapshot: &Snapshot) -> Vec<Issue> {
        let over = self.lines.iter().filter(|(_, end)| snapshot.taken > *end);
        let issue = |(one, end): &(Exclusion, Time)| {
            let object = ObjectRef::global("Exclusion", format!("{} {}", one.rule, one.subject));
            Issue {
                finding: Finding {
                    rule: "EXC-01".into(),
                    subject: object.to_string(),
                    severity: Severity::Medium,
                    evidence: format!(
                        "it ended on {}; {} gave it: {}",
                        end.date(),
                        one.owner,
                        one.reason
                    ),
                    remedy: "mend what it excused, or have its owner give it another day".into(),
                },
                object,
                title: "An exclusion has run out".to_owned(),
                why: "What was accepted for a time is accepted for ever when nobody looks again."
                    .to_owned(),
                otherwise: "The finding counts again.".to_owned(),
                field: None,
                because: None,
                runbook: None,
            }
        };
        over.map(issue).collect()
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

/// Reason, owner and end of the annotation on the object itself.
fn annotation(snapshot: &Snapshot, issue: &Issue) -> Option<(String, String, Time)> {
    let object = &issue.object;
    let key = match &object.container {
        None => format!("{ANNOTATION}{}", issue.finding.rule),
        Some(container) => format!("{ANNOTATION}{}.{container}", issue.finding.rule),
    };
    let is_it = |one: &dyn Object| {
        one.kind() == object.kind
            && one.namespace() == object.namespace
            && one.name() == object.name
    };
    let of = |one: &dyn Object| one.annotations().get(&key).cloned();
    let workload = snapshot.workloads.items().iter().find(|one| is_it(*one)).and_then(|o| of(o));
    let pod = || snapshot.pods.items().iter().find(|one| is_it(*one)).and_then(|o| of(o));
    let node = || snapshot.nodes.items().iter().find(|one| is_it(*one)).and_then(|o| of(o));
    let service = || snapshot.services.items().iter().find(|one| is_it(*one)).and_then(|o| of(o));
    let claim = || snapshot.claims.items().iter().find(|one| is_it(*one)).and_then(|o| of(o));
    let value: Option<Value> = workload.or_else(pod).or_else(node).or_else(service).or_else(claim);
    let text = value?.plain()?.to_owned();
    let mut parts = text.split(';').map(str::trim);
    let (reason, owner, until) = (parts.next()?, parts.next()?, parts.next()?);
    if reason.is_empty() || owner.is_empty() {
        return None;
    }
    Some((reason.to_owned(), owner.to_owned(), end_of(until)?))
}
