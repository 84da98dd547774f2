//! For a ticket or a page.

use super::words;
use crate::rules::Audit;

pub(super) fn render(audit: &Audit) -> String {
    let mut text = format!("# Audit of {}\n\n{}.\n", audit.taken, words::counts(audit));
    text.push_str(&format!("{}.\n", words::rules(audit)));
    for group in &audit.groups {
        let Some(head) = group.head() else { continue };
        text.push_str(&format!(
            "\n## {}: {}\n\n**{}**. {} {}\n\n",
            plain(&group.cause.to_string()),
            plain(&head.title),
            group.severity,
            plain(&head.why),
            plain(&head.otherwise)
        ));
        text.push_str("| Severity | Rule | What | Seen | To do |\n|---|---|---|---|---|\n");
        for issue in &group.issues {
            let field = issue.field.as_ref().map_or_else(String::new, |f| format!(" (`{f}`)"));
            text.push_str(&format!(
                "| {} | {} | {} | {} | {}{field} |\n",
                issue.finding.severity,
                issue.finding.rule,
                plain(&issue.finding.subject),
                plain(&issue.finding.evidence),
                issue.finding.remedy.replace('|', "\\|").replace('\n', " "),
            ));
        }
    }
    let missing = words::missing(audit);
    if !missing.is_empty() {
        text.push_str("\n## Not known\n\n| What | How to know it | Rules |\n|---|---|---|\n");
        for fact in missing {
            let (what, rules) = (plain(&fact.told()), fact.rules.join(", "));
            text.push_str(&format!("| {what} | `{}` | {rules} |\n", fact.how));
        }
    }
    if !audit.excluded.is_empty() {
        text.push_str("\n## Excluded\n\n| Rule | What | Reason | Owner | Until |\n");
        text.push_str("|---|---|---|---|---|\n");
        for one in &audit.excluded {
            text.push_str(&format!(
                "| {} | {} | {} | {} | {} |\n",
                one.rule,
                plain(&one.object.to_string()),
                plain(&one.reason),
                plain(&one.owner),
                one.until.date()
            ));
        }
    }
    text
}

/// Text in which nothing is Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => plain.push(' '),
            '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '\\' | '#' => {
                plain.push('\\');
                plain.push(c);
            }
            c => plain.push(c),
        }
    }
    plain
}
