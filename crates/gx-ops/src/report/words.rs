//! What all forms say in the same words.

use gx_types::Severity;

use crate::rules::{Audit, Outcome};

/// From the worst to the least.
pub(super) const SEVERITIES: [Severity; 4] =
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

/// `2 critical, 1 high, 0 medium, 3 low`.
pub(super) fn counts(audit: &Audit) -> String {
    let parts = SEVERITIES.iter().map(|one| format!("{} {one}", audit.count(*one)));
    parts.collect::<Vec<String>>().join(", ")
}

/// How the rules came out, and what was left out; every rule is counted once.
pub(super) fn rules(audit: &Audit) -> String {
    let count = |outcome| audit.outcome_count(outcome);
    let mut text = format!(
        "{} rules: {} broken, {} unknown, {} passed, {} with nothing to look at",
        audit.outcomes.len(),
        count(Outcome::Broken),
        count(Outcome::Unknown),
        count(Outcome::Passed),
        count(Outcome::Nothing)
    );
    for (number, what) in [
        (audit.excluded.len(), "findings are excluded"),
        (audit.known, "were known before"),
        (audit.below, "are below the level"),
    ] {
        if number > 0 {
            text.push_str(&format!("; {number} {what}"));
        }
    }
    text
}

/// The missing facts with the rules that ask for them, most asked for first.
pub(super) fn missing(audit: &Audit) -> Vec<(String, String, Vec<String>)> {
    let mut facts: Vec<(String, String, Vec<String>)> = Vec::new();
    for unknown in &audit.unknown {
        let what = match &unknown.object {
            Some(object) => format!("{object}: {}", unknown.missing),
            None => unknown.missing.clone(),
        };
        match facts.iter_mut().find(|(known, _, _)| *known == what) {
            Some((_, _, rules)) => rules.push(unknown.rule.clone()),
            None => facts.push((what, unknown.how.clone(), vec![unknown.rule.clone()])),
        }
    }
    facts.sort_by(|a, b| b.2.len().cmp(&a.2.len()).then_with(|| a.0.cmp(&b.0)));
    facts
}

/// Text in HTML and XML. Characters that XML cannot have are left out.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' => escaped.push(' '),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}
