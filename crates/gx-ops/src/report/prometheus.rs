//! Prometheus' text form, for a collector of text files.

use super::words::SEVERITIES;
use crate::rules::{Audit, Outcome};

pub(super) fn render(audit: &Audit) -> String {
    let mut text = String::from(
        "# HELP gx_ops_finding Something that breaks a rule.\n# TYPE gx_ops_finding gauge\n",
    );
    for issue in audit.issues() {
        text.push_str(&format!(
            "gx_ops_finding{{rule=\"{}\",severity=\"{}\",subject=\"{}\"}} 1\n",
            label(&issue.finding.rule),
            issue.finding.severity,
            label(&issue.finding.subject)
        ));
    }
    text.push_str("# HELP gx_ops_findings Findings by severity.\n# TYPE gx_ops_findings gauge\n");
    for severity in SEVERITIES {
        let count = audit.count(severity);
        text.push_str(&format!("gx_ops_findings{{severity=\"{severity}\"}} {count}\n"));
    }
    text.push_str("# HELP gx_ops_rules Rules by outcome.\n# TYPE gx_ops_rules gauge\n");
    for (name, outcome) in [
        ("broken", Outcome::Broken),
        ("unknown", Outcome::Unknown),
        ("passed", Outcome::Passed),
        ("nothing", Outcome::Nothing),
    ] {
        let count = audit.outcome_count(outcome);
        text.push_str(&format!("gx_ops_rules{{outcome=\"{name}\"}} {count}\n"));
    }
    text.push_str(&format!(
        "# HELP gx_ops_snapshot_timestamp_seconds When the facts were collected.\n\
         # TYPE gx_ops_snapshot_timestamp_seconds gauge\n\
         gx_ops_snapshot_timestamp_seconds {}\n",
        audit.taken.seconds()
    ));
    text
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
