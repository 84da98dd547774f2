//! What a check has found: one form for everything that is looked at, by programs and by people.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad it is. The order is from what is fine to what is worst.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It was looked at, and all is well.
    Passed,
    /// Style, or what may become a fault one day.
    Low,
    /// It works, with less room for the next fault.
    Medium,
    /// Something does not work, or will soon not.
    High,
    /// Money, keys or data are wrong, lost, or about to be.
    Critical,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A rule that something is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable, in words with hyphens: what exclusions and dashboards name.
    pub id: &'static str,
    /// How bad it is when the rule is broken.
    pub severity: Severity,
    /// What to do then.
    pub remedy: &'static str,
}

impl Rule {
    /// The rule is broken.
    pub fn broken(&self, subject: impl Into<String>, evidence: impl Into<String>) -> Finding {
        Finding {
            rule: self.id.into(),
            subject: subject.into(),
            severity: self.severity,
            evidence: evidence.into(),
            remedy: self.remedy.into(),
        }
    }

    /// The rule holds.
    pub fn holds(&self, subject: impl Into<String>, evidence: impl Into<String>) -> Finding {
        let remedy = Cow::Borrowed("");
        Finding { severity: Severity::Passed, remedy, ..self.broken(subject, evidence) }
    }
}

/// One rule, held against one thing.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Finding {
    pub rule: Cow<'static, str>,
    /// The thing: a file and line, a host, a row, a block.
    pub subject: String,
    pub severity: Severity,
    /// What was seen, with its figures.
    pub evidence: String,
    /// What to do; empty when all is well.
    pub remedy: Cow<'static, str>,
}

impl Finding {
    pub fn is_wrong(&self) -> bool {
        self.severity > Severity::Passed
    }

    /// Says what to do in this case rather than what the rule says.
    #[must_use]
    pub fn with_remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = remedy.into();
        self
    }
}

/// One line for people.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, subject, severity, evidence, remedy } = self;
        write!(f, "{severity:<8} {rule}: {subject}: {evidence}")?;
        if self.is_wrong() { write!(f, "; {remedy}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Rule =
        Rule { id: "clock", severity: Severity::Medium, remedy: "set the clock with NTP" };

    #[test]
    fn what_is_wrong_comes_with_its_remedy_and_what_is_well_without() {
        let (broken, holds) = (CLOCK.broken("host-a", "6 s ahead"), CLOCK.holds("host-b", "0 s"));
        assert_eq!(broken.to_string(), "medium   clock: host-a: 6 s ahead; set the clock with NTP");
        assert_eq!(holds.to_string(), "passed   clock: host-b: 0 s");
        assert!(broken.is_wrong() && !holds.is_wrong());
        assert_eq!(broken.with_remedy("wait").remedy, "wait");
    }

    #[test]
    fn programs_read_what_was_written() {
        let finding = CLOCK.broken("host-a", "6 s ahead");
        let text = serde_json::to_string(&finding).unwrap();
        assert!(text.contains(r#""severity":"medium""#), "{text}");
        assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), finding);
        assert!(Severity::Passed < Severity::Low && Severity::High < Severity::Critical);
    }
}
