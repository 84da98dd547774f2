//! A record of work: what was done between two snapshots, what is different, what went worse, what
//! is left, in Markdown.
//!
//! Every figure of its tables is counted here, from the same facts before and after; one that is
//! not known says so.

use std::collections::BTreeSet;

use gx_types::Severity;

use super::compare::{Changed, snapshots};
use crate::facts::{Known, Object as _, Part, Snapshot};
use crate::rules::{Audit, Options, Outcome, audit};

/// Something that was applied, with what it told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub name: String,
    /// As it was told, without secrets.
    pub text: String,
}

/// Most lines of one output that a record shows.
const LINES_MAX: usize = 200;
/// Most rows of a table and lines of a list.
const ROWS_MAX: usize = 50;

const UNKNOWN: &str = "not known";

/// The record of what was done between two snapshots.
pub fn record(title: &str, before: &Snapshot, after: &Snapshot, applied: &[Applied]) -> String {
    let options = Options::default();
    let (first, second) = (audit(before, &options), audit(after, &options));
    let changed = snapshots(before, after);
    let mut text = format!(
        "# {}: {}\n\nFrom {} to {}, {} minutes.\n",
        after.taken.date(),
        cell(title),
        before.taken,
        after.taken,
        changed.seconds / 60
    );
    text.push_str("\n## What was done\n");
    if applied.is_empty() {
        text.push_str("\nNo plan was applied that this record was given.\n");
    }
    for one in applied {
        text.push_str(&format!("\n### {}\n\n{}", cell(&one.name), fenced(&one.text)));
    }
    figures(&mut text, (before, &first), (after, &second));
    differences(&mut text, &changed);
    list(&mut text, "Challenges", &changed.worse, "Nothing is worse than before.");
    list(&mut text, "Solved", &changed.better, "Nothing that was wrong before is solved.");
    outstanding(&mut text, &second);
    next(&mut text, &second);
    text
}

fn figures(text: &mut String, before: (&Snapshot, &Audit), after: (&Snapshot, &Audit)) {
    text.push_str("\n## Before and after\n\n| | before | after |\n|---|---|---|\n");
    let (old, new) = (counted(before.0, before.1), counted(after.0, after.1));
    for ((what, was), (_, is)) in old.iter().zip(&new) {
        text.push_str(&format!("| {what} | {was} | {is} |\n"));
    }
}

/// What is counted, always in the same order.
fn counted(snapshot: &Snapshot, audit: &Audit) -> Vec<(&'static str, String)> {
    let of = |severity| audit.count(severity).to_string();
    let rules = |outcome| audit.outcome_count(outcome).to_string();
    vec![
        ("nodes ready", ratio(&snapshot.nodes, |_| true, |node| node.is_ready())),
        ("pods ready", ratio(&snapshot.pods, |pod| !pod.is_finished(), |pod| pod.is_ready())),
        (
            "workloads with all replicas",
            ratio(
                &snapshot.workloads,
                |one| one.replicas > 0 && one.owner().is_none(),
                |one| one.ready >= one.replicas,
            ),
        ),
        ("claims with a volume", ratio(&snapshot.claims, |_| true, |one| one.phase == "Bound")),
        ("restarts of containers", restarts(snapshot)),
        ("fullest disk", fullest(snapshot)),
        ("height of ledgers", heights(snapshot)),
        ("findings, critical", of(Severity::Critical)),
        ("findings, high", of(Severity::High)),
        ("findings, medium", of(Severity::Medium)),
        ("findings, low", of(Severity::Low)),
        ("rules passed", rules(Outcome::Passed)),
        ("rules not known", rules(Outcome::Unknown)),
    ]
}

/// How many of those that count are good.
fn ratio<T>(part: &Part<T>, counts: impl Fn(&T) -> bool, good: impl Fn(&T) -> bool) -> String {
    if part.reason().is_some() {
        return UNKNOWN.to_owned();
    }
    let all: Vec<&T> = part.items().iter().filter(|one| counts(one)).collect();
    format!("{} of {}", all.iter().filter(|one| good(one)).count(), all.len())
}

fn restarts(snapshot: &Snapshot) -> String {
    if snapshot.pods.reason().is_some() {
        return UNKNOWN.to_owned();
    }
    let statuses = snapshot.pods.items().iter().flat_map(|pod| &pod.statuses);
    let sum = statuses.fold(0_u64, |sum, one| sum.saturating_add(u64::from(one.restarts)));
    sum.to_string()
}

fn fullest(snapshot: &Snapshot) -> String {
    let mut found: Option<(u64, String)> = None;
    for host in snapshot.hosts.items() {
        for mount in host.mounts.get().into_iter().flatten().filter(|mount| mount.bytes > 0) {
            let percent = mount.used_bytes.saturating_mul(100) / mount.bytes;
            if found.as_ref().is_none_or(|(most, _)| percent > *most) {
                found = Some((percent, format!("{} {}", host.name, mount.path)));
            }
        }
    }
    found.map_or_else(|| UNKNOWN.to_owned(), |(percent, of)| format!("{percent} % ({of})"))
}

fn heights(snapshot: &Snapshot) -> String {
    let told: Vec<String> = snapshot
        .ledgers
        .items()
        .iter()
        .map(|ledger| {
            let heights: BTreeSet<String> = ledger
                .nodes
                .iter()
                .map(|node| match &node.height {
                    Known::Known(height) => height.to_string(),
                    Known::Missing(_) => UNKNOWN.to_owned(),
                })
                .collect();
            let heights: Vec<String> = heights.into_iter().collect();
            cell(&format!("{}/{}: {}", ledger.environment, ledger.name, heights.join(", ")))
        })
        .collect();
    if told.is_empty() { UNKNOWN.to_owned() } else { told.join("; ") }
}

fn differences(text: &mut String, changed: &Changed) {
    text.push_str("\n## What is different\n\n");
    if changed.differences.is_empty() {
        text.push_str("Nothing that both snapshots know.\n");
    } else {
        text.push_str("| what | change |\n|---|---|\n");
    }
    for one in changed.differences.iter().take(ROWS_MAX) {
        text.push_str(&format!("| {} | {} |\n", cell(&one.what), cell(&one.change)));
    }
    more(text, changed.differences.len());
    for one in &changed.not_compared {
        text.push_str(&format!("\nNot compared: {}\n", cell(one)));
    }
}

fn list(text: &mut String, title: &str, lines: &[String], none: &str) {
    text.push_str(&format!("\n## {title}\n\n"));
    if lines.is_empty() {
        text.push_str(&format!("{none}\n"));
    }
    for one in lines.iter().take(ROWS_MAX) {
        text.push_str(&format!("- {}\n", line(one)));
    }
    more(text, lines.len());
}

fn more(text: &mut String, count: usize) {
    let more = count.saturating_sub(ROWS_MAX);
    if more > 0 {
        text.push_str(&format!("\n{more} more: gx ops compare --all\n"));
    }
}

/// What is wrong still, worst first, and what nobody knows.
fn outstanding(text: &mut String, audit: &Audit) {
    let issues = audit.issues().filter(|issue| issue.finding.severity >= Severity::High);
    let mut lines: Vec<String> = issues
        .map(|issue| {
            let one = &issue.finding;
            format!("{} {} {}: {}", one.severity, one.rule, one.subject, one.evidence)
        })
        .collect();
    let whole = audit.unknown.iter().filter(|one| one.object.is_none());
    let parts: BTreeSet<&str> = whole.filter_map(|one| one.missing.split(": ").next()).collect();
    if !parts.is_empty() {
        let parts: Vec<&str> = parts.into_iter().collect();
        lines.push(format!("not known at all: {}", parts.join(", ")));
    }
    let single = audit.unknown.iter().filter(|one| one.object.is_some()).count();
    if single > 0 {
        lines.push(format!("{single} facts of single things are not known: `gx ops audit`"));
    }
    list(text, "Outstanding", &lines, "Nothing high or critical, and nothing unknown.");
}

/// What to do about the worst causes, once each.
fn next(text: &mut String, audit: &Audit) {
    text.push_str("\n## Next\n\n");
    let mut told = BTreeSet::new();
    let groups = audit.groups.iter().filter_map(|group| group.issues.first());
    for issue in groups.filter(|issue| issue.finding.severity >= Severity::High).take(ROWS_MAX) {
        let one = &issue.finding;
        if told.insert((one.rule.clone(), one.remedy.clone())) {
            let number = told.len();
            text.push_str(&format!("{number}. {}: {}\n", one.rule, line(&one.remedy)));
        }
    }
    if told.is_empty() {
        text.push_str("Nothing that cannot wait.\n");
    }
}

/// Text within a cell of a table.
fn cell(text: &str) -> String {
    escaped(text, false)
}

/// Text within a line, whose code stays code.
fn line(text: &str) -> String {
    escaped(text, text.matches('`').count().is_multiple_of(2))
}

/// Text that Markdown shows as it is.
fn escaped(text: &str, has_code: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut is_code = false;
    for c in text.chars() {
        match c {
            '`' if has_code => {
                is_code = !is_code;
                safe.push(c);
            }
            '|' | '<' | '>' | '`' | '*' | '_' | '#' | '[' | ']' | '\\' if !is_code => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// A block that shows the text as it is, whatever stands in it.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.saturating_add(1).max(3));
    let mut block = format!("{fence}text\n");
    for line in text.lines().take(LINES_MAX) {
        let clean: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        block.push_str(clean.trim_end());
        block.push('\n');
    }
    let more = text.lines().count().saturating_sub(LINES_MAX);
    if more > 0 {
        block.push_str(&format!("… {more} more lines\n"));
    }
    block.push_str(&format!("{fence}\n"));
    block
}

#[cfg(test)]
mod tests;
