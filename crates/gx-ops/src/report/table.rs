//! On a terminal: the worst causes first, each with its evidence, its remedy and what follows.

use gx_types::Severity;

use super::Look;
use super::words;
use crate::rules::{Audit, Group, Issue, Rule};

pub(super) fn render(audit: &Audit, look: &Look) -> String {
    let mut text = String::new();
    for group in audit.groups.iter().take(look.top) {
        text.push_str(&cause(group, look));
        text.push('\n');
    }
    let hidden = audit.groups.len().saturating_sub(look.top);
    if hidden > 0 {
        text.push_str(&format!("{hidden} more causes; --all shows them.\n\n"));
    }
    let missing = words::missing(audit);
    if !missing.is_empty() {
        text.push_str("Not known:\n");
        for fact in missing.iter().take(look.top) {
            let rules = plural(fact.rules.len(), "rule");
            let line = format!("{} ({rules}); {}", fact.told(), fact.how);
            text.push_str(&wrapped(&line, "  ", "    ", look.width));
        }
        let more = missing.len().saturating_sub(look.top);
        if more > 0 {
            text.push_str(&format!("  {more} more\n"));
        }
        text.push('\n');
    }
    text.push_str(&wrapped(&words::counts(audit), "", "", look.width));
    text.push_str(&wrapped(&words::rules(audit), "", "  ", look.width));
    text
}

/// A rule as `gx ops explain` tells it.
pub fn explain(rule: &Rule, look: &Look) -> String {
    let head = format!("{}  {}", rule.id, rule.title);
    let mut text = wrapped(&head, "", "        ", look.width);
    text.push_str(&format!("        {}\n\n", rule.severity));
    for (name, words) in [("Why", rule.why), ("Do", rule.remedy), ("Otherwise", rule.otherwise)] {
        text.push_str(&wrapped(words, &format!("{name:<11}"), "           ", look.width));
    }
    if let Some(page) = rule.runbook {
        text.push_str(&format!("{:<11}docs/{page}\n", "See"));
    }
    for (at, fact) in rule.needs.iter().enumerate() {
        let name = if at == 0 { "Needs" } else { "" };
        let line = format!("{}: {}", fact.name(), fact.how());
        text.push_str(&wrapped(&line, &format!("{name:<11}"), "             ", look.width));
    }
    text
}

fn cause(group: &Group, look: &Look) -> String {
    let Some(head) = group.head() else { return String::new() };
    let mut text = String::new();
    let mark = painted(&format!("{:<9}", group.severity), group.severity, look);
    let title = format!("{}: {}", group.cause, head.title);
    let line = wrapped(&title, "         ", "           ", look.width);
    text.push_str(&mark);
    text.push_str(line.get(9..).unwrap_or_default());
    // When nothing is wrong with the cause itself, whatever follows is told from the first.
    let is_own = head.object == group.cause;
    let (own, rest) =
        group.issues.split_at(group.issues.iter().take_while(|i| i.object == head.object).count());
    for issue in own {
        text.push_str(&told(issue, is_own, look));
    }
    if !rest.is_empty() {
        text.push_str(&format!("         and {}:\n", plural(rest.len(), "consequence")));
    }
    for issue in rest {
        let line = format!(
            "{} {} {}: {}",
            issue.finding.severity,
            issue.finding.rule,
            issue.finding.subject,
            issue.finding.evidence
        );
        text.push_str(&wrapped(&line, "         - ", "           ", look.width));
    }
    text
}

fn told(issue: &Issue, is_own: bool, look: &Look) -> String {
    let subject = if is_own { String::new() } else { format!("{}: ", issue.finding.subject) };
    let seen = format!("{} {subject}{}", issue.finding.rule, issue.finding.evidence);
    let mut text = wrapped(&seen, "         ", "           ", look.width);
    text.push_str(&wrapped(&issue.finding.remedy, "         do: ", "             ", look.width));
    if let Some(field) = &issue.field {
        text.push_str(&wrapped(field, "         at: ", "             ", look.width));
    }
    if let Some(page) = &issue.runbook {
        text.push_str(&format!("         see: docs/{page}\n"));
    }
    text
}

fn painted(text: &str, severity: Severity, look: &Look) -> String {
    let code = match severity {
        Severity::Critical => "1;31",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low | Severity::Passed => "36",
    };
    if look.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

pub(crate) fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// Lines of at most so many columns; a word that is longer stands alone.
pub(crate) fn wrapped(text: &str, first: &str, rest: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let room = width.saturating_sub(line.chars().count());
        let space = usize::from(!is_empty);
        if !is_empty && word.chars().count().saturating_add(space) > room {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = rest.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}
