//! Puts findings that share a cause together, the cause first.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Issue;
use crate::facts::ObjectRef;

/// One cause with everything that follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The thing at the root.
    pub cause: ObjectRef,
    /// Of the worst of its issues.
    pub severity: Severity,
    /// What is wrong with the thing itself, then what follows, worst first.
    pub issues: Vec<Issue>,
}

impl Group {
    /// The issues of the cause itself; when nothing is known of it, those that follow.
    pub fn head(&self) -> Option<&Issue> {
        self.issues.first()
    }
}

/// Groups issues by the thing at the end of their causes.
pub(super) fn group(issues: Vec<Issue>) -> Vec<Group> {
    // What each thing is a consequence of; the first one that says so is believed.
    let mut causes: BTreeMap<ObjectRef, ObjectRef> = BTreeMap::new();
    for issue in &issues {
        if let Some(cause) = issue.because.as_ref().filter(|cause| **cause != issue.object) {
            causes.entry(issue.object.clone()).or_insert_with(|| cause.clone());
        }
    }
    let mut groups: BTreeMap<ObjectRef, Vec<Issue>> = BTreeMap::new();
    for issue in issues {
        let begin = issue.because.clone().unwrap_or_else(|| issue.object.clone());
        groups.entry(root(&causes, begin)).or_default().push(issue);
    }
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|(cause, mut issues)| {
            issues.sort_by(|a, b| {
                let own = |issue: &Issue| issue.object != cause;
                (own(a), std::cmp::Reverse(a.finding.severity), a.key()).cmp(&(
                    own(b),
                    std::cmp::Reverse(b.finding.severity),
                    b.key(),
                ))
            });
            let severity = issues.iter().map(|issue| issue.finding.severity).max();
            Group { cause, severity: severity.unwrap_or(Severity::Passed), issues }
        })
        .collect();
    groups.sort_by(|a, b| {
        let place = |group: &Group| {
            let size = std::cmp::Reverse(group.issues.len());
            (std::cmp::Reverse(group.severity), size, group.cause.clone())
        };
        place(a).cmp(&place(b))
    });
    groups
}

/// Follows causes to the last one; a circle ends where it is entered again.
fn root(causes: &BTreeMap<ObjectRef, ObjectRef>, begin: ObjectRef) -> ObjectRef {
    let mut seen = BTreeSet::from([begin.clone()]);
    let mut at = begin;
    while let Some(next) = causes.get(&at) {
        if !seen.insert(next.clone()) {
            break;
        }
        at = next.clone();
    }
    at
}

#[cfg(test)]
mod tests {
    use gx_types::Finding;

    use super::*;

    fn issue(subject: &str, because: Option<&str>, severity: Severity) -> Issue {
        let object = ObjectRef::global("Thing", subject);
        Issue {
            finding: Finding {
                rule: "X-01".into(),
                subject: object.to_string(),
                severity,
                evidence: String::new(),
                remedy: "".into(),
            },
            object,
            title: String::new(),
            why: String::new(),
            otherwise: String::new(),
            field: None,
            because: because.map(|name| ObjectRef::global("Thing", name)),
            runbook: None,
        }
    }

    fn shape(groups: &[Group]) -> Vec<(String, Vec<String>)> {
        let names = |group: &Group| group.issues.iter().map(|i| i.object.name.clone()).collect();
        groups.iter().map(|group| (group.cause.name.clone(), names(group))).collect()
    }

    #[test]
    fn consequences_stand_under_their_cause() {
        let groups = group(vec![
            issue("other", None, Severity::Medium),
            issue("pod", Some("volume"), Severity::High),
            issue("volume", Some("node"), Severity::High),
            issue("node", None, Severity::Low),
            issue("second-pod", Some("volume"), Severity::Critical),
        ]);
        let expected =
            [("node", vec!["node", "second-pod", "pod", "volume"]), ("other", vec!["other"])];
        let expected: Vec<(String, Vec<String>)> = expected
            .into_iter()
            .map(|(cause, all)| (cause.to_owned(), all.into_iter().map(str::to_owned).collect()))
            .collect();
        assert_eq!(shape(&groups), expected);
        assert_eq!(groups[0].severity, Severity::Critical);
    }

    #[test]
    fn a_circle_of_causes_comes_to_an_end() {
        let groups = group(vec![
            issue("a", Some("b"), Severity::High),
            issue("b", Some("a"), Severity::High),
        ]);
        assert_eq!(groups.iter().map(|group| group.issues.len()).sum::<usize>(), 2);
    }
}
