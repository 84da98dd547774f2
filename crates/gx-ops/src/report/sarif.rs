//! SARIF 2.1.0, for code hosts.

use std::collections::BTreeSet;

use gx_types::Severity;
use serde_json::{Value, json};

use crate::rules::{Audit, rule};

pub(super) fn render(audit: &Audit) -> Result<String, serde_json::Error> {
    let ids: BTreeSet<String> =
        audit.issues().map(|issue| issue.finding.rule.to_string()).collect();
    let rules: Vec<Value> = ids.iter().map(|id| told(id)).collect();
    let results: Vec<Value> = audit
        .issues()
        .map(|issue| {
            let place = issue.finding.subject.clone();
            json!({
                "ruleId": issue.finding.rule,
                "level": level(issue.finding.severity),
                "message": {
                    "text": format!("{}: {}. {}", issue.title, issue.finding.evidence,
                        issue.finding.remedy)
                },
                "locations": [{"logicalLocations": [{
                    "fullyQualifiedName": place,
                    "kind": issue.object.kind,
                }]}],
                "partialFingerprints": {"subject/v1": issue.key()},
            })
        })
        .collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "gx ops",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn told(id: &str) -> Value {
    match rule(id) {
        None => json!({"id": id}),
        Some(rule) => json!({
            "id": rule.id,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.why},
            "help": {"text": rule.remedy},
            "defaultConfiguration": {"level": level(rule.severity)},
        }),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
        Severity::Passed => "none",
    }
}
