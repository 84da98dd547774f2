//! The page of a rule, and the overview of all, in Markdown.

use super::platform::FAILURES;
use super::{FAMILIES, Rule};

/// The page of a rule.
pub fn page(rule: &Rule) -> String {
    let needs: Vec<String> =
        rule.needs.iter().map(|fact| format!("- `{}`: `{}`", fact.name(), fact.how())).collect();
    let runbook = rule
        .runbook
        .map_or_else(String::new, |page| format!("\n## Runbook\n\n[{page}](../{page})\n"));
    format!(
        "# {id}: {title}\n\nSeverity: {severity}.\n\n## Why it matters\n\n{why}\n\n\
         ## What to do\n\n{remedy}\n\n## When nothing is done\n\n{otherwise}\n{runbook}\n\
         ## Facts it needs\n\n{needs}\n",
        id = rule.id,
        title = rule.title,
        severity = rule.severity,
        why = rule.why,
        remedy = rule.remedy,
        otherwise = rule.otherwise,
        needs = needs.join("\n"),
    )
}

/// What other tools look for, and which rule looks for the same.
pub(super) const OTHERS: &str = include_str!("others.txt");

/// All rules by family.
pub fn overview() -> String {
    let mut text = String::from(
        "# Rules of `gx ops audit`\n\nEach rule is held against a snapshot. \
         A rule whose facts are missing answers `unknown`, never that all is well.\n",
    );
    for family in FAMILIES.iter().filter(|family| !family.rules.is_empty()) {
        text.push_str(&format!(
            "\n## {}\n\n| Rule | Severity | What is wrong |\n|---|---|---|\n",
            family.title
        ));
        for rule in family.rules {
            text.push_str(&format!(
                "| [{id}]({id}.md) | {severity} | {title} |\n",
                id = rule.id,
                severity = rule.severity,
                title = rule.title
            ));
        }
    }
    text.push_str(
        "\n## How the platform fails, and what looks for it\n\n\
         | Failure | Rule |\n|---|---|\n",
    );
    for (id, failure) in FAILURES {
        text.push_str(&format!("| {failure} | [{id}]({id}.md) |\n"));
    }
    text.push('\n');
    text.push_str(OTHERS);
    text
}
