//! JUnit's XML: each rule is a test.

use super::words::escape;
use crate::rules::{Audit, Issue, Outcome};

pub(super) fn render(audit: &Audit) -> String {
    let issues_of = |rule: &str| -> Vec<&Issue> {
        audit.issues().filter(|issue| issue.finding.rule == rule).collect()
    };
    let failed = audit.outcomes.iter().filter(|one| !issues_of(&one.rule).is_empty()).count();
    let skipped = audit
        .outcomes
        .iter()
        .filter(|one| issues_of(&one.rule).is_empty())
        .filter(|one| matches!(one.outcome, Outcome::Unknown | Outcome::Nothing))
        .count();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuite name=\"gx ops audit\" tests=\"{}\" failures=\"{failed}\" \
         skipped=\"{skipped}\" timestamp=\"{}\">\n",
        audit.outcomes.len(),
        audit.taken
    );
    for one in &audit.outcomes {
        let family = one.rule.split('-').next().unwrap_or_default();
        text.push_str(&format!(
            "  <testcase classname=\"{}\" name=\"{}\">",
            escape(family),
            escape(&one.rule)
        ));
        let issues = issues_of(&one.rule);
        let body = if !issues.is_empty() {
            let lines: Vec<String> = issues
                .iter()
                .map(|issue| format!("{}: {}", issue.finding.subject, issue.finding.evidence))
                .map(|line| escape(&line))
                .collect();
            let title = issues.first().map(|issue| escape(&issue.title)).unwrap_or_default();
            format!("<failure message=\"{title}\">{}</failure>", lines.join("\n"))
        } else {
            match one.outcome {
                Outcome::Unknown => {
                    let mut missing = audit.unknown.iter().filter(|fact| fact.rule == one.rule);
                    let why = missing.next().map(|fact| escape(&fact.missing)).unwrap_or_default();
                    format!("<skipped message=\"unknown: {why}\"/>")
                }
                Outcome::Nothing => "<skipped message=\"there is nothing to look at\"/>".to_owned(),
                Outcome::Broken | Outcome::Passed => String::new(),
            }
        };
        text.push_str(&body);
        text.push_str("</testcase>\n");
    }
    text.push_str("</testsuite>\n");
    text
}
