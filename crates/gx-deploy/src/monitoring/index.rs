//! The index of runbooks: every alert, how soon somebody has to come, and its page.

use std::fmt::Write as _;

use super::GROUPS;

pub(super) const PATH: &str = "docs/runbooks/README.md";

const HEAD: &str = "# Runbooks

One page for each alert: what it means, what it does to people, how to find the cause, what to do, \
and how it came about before. `critical` calls somebody at once, `warning` waits for the day, \
`info` is only kept.

This page is made from the table of alerts in `crates/gx-deploy/src/monitoring/alerts` by `cargo \
xtask gen`.
";

/// Fills in what a label would say.
fn plain(summary: &str) -> String {
    let mut parts = summary.split("{{ $labels.");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (label, rest) = part.split_once(" }}").unwrap_or((part, ""));
        let _ = write!(text, "‹{label}›{rest}");
    }
    text
}

pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    for group in GROUPS {
        let name = group.name.strip_prefix("gx-").unwrap_or(group.name);
        let _ = writeln!(page, "\n## {name}\n\n| Alert | Severity | Meaning |\n|---|---|---|");
        for alert in group.alerts {
            let (name, severity) = (alert.name, alert.severity.as_str());
            let summary = plain(alert.summary);
            let _ = writeln!(page, "| [{name}]({name}.md) | {severity} | {summary} |");
        }
    }
    page
}
