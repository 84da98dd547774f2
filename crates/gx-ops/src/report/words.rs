//! What all forms say in the same words.

use std::collections::BTreeMap;

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

/// A fact that is missing.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) what: String,
    pub(super) how: String,
    /// Rules that ask for it.
    pub(super) rules: Vec<String>,
    /// Things of which it is missing; empty: it is missing altogether.
    pub(super) of: Vec<String>,
}

impl Missing {
    /// What is missing, and of what.
    pub(super) fn told(&self) -> String {
        match self.of.as_slice() {
            [] => self.what.clone(),
            [one] => format!("{one}: {}", self.what),
            [one, more @ ..] => format!("{one} and {} more: {}", more.len(), self.what),
        }
    }
}

/// The missing facts, those that most rules ask for first.
pub(super) fn missing(audit: &Audit) -> Vec<Missing> {
    let mut facts: BTreeMap<(&str, bool), Missing> = BTreeMap::new();
    for unknown in &audit.unknown {
        let key = (unknown.missing.as_str(), unknown.object.is_none());
        let known = facts.entry(key).or_insert_with(|| Missing {
            what: unknown.missing.clone(),
            how: unknown.how.clone(),
            rules: Vec::new(),
            of: Vec::new(),
        });
        known.rules.push(unknown.rule.clone());
        known.of.extend(unknown.object.as_ref().map(ToString::to_string));
    }
    let mut facts: Vec<Missing> = facts.into_values().collect();
    for fact in &mut facts {
        fact.rules.sort();
        fact.rules.dedup();
        fact.of.sort();
        fact.of.dedup();
    }
    facts.sort_by(|a, b| b.rules.len().cmp(&a.rules.len()).then_with(|| a.what.cmp(&b.what)));
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
