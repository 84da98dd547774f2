//! What one rule says of a snapshot.

use gx_types::Severity;

use crate::facts::ObjectRef;

/// One thing that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub subject: ObjectRef,
    /// None: the rule's own.
    pub severity: Option<Severity>,
    /// The values that were seen.
    pub evidence: String,
    /// What to do in this case; none: what the rule says.
    pub remedy: Option<String>,
    /// Field of the subject's manifest that is to be changed.
    pub field: Option<&'static str>,
    /// The thing that this is a consequence of.
    pub because: Option<ObjectRef>,
}

impl Problem {
    pub fn new(subject: ObjectRef, evidence: impl Into<String>) -> Self {
        let evidence = evidence.into();
        Self { subject, severity: None, evidence, remedy: None, field: None, because: None }
    }

    /// How bad it is here, when that is not what the rule says.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// What to do here.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    #[must_use]
    pub fn field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// It would not be without something else.
    #[must_use]
    pub fn because(mut self, cause: ObjectRef) -> Self {
        self.because = Some(cause);
        self
    }
}

/// A fact that is missing, so that of one thing nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub subject: ObjectRef,
    /// What is not known of it, and why.
    pub what: String,
    /// How it would be known, when that is not how the rule's facts are collected.
    pub how: Option<&'static str>,
}

/// All that a rule says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub problems: Vec<Problem>,
    pub unknown: Vec<Unknown>,
    /// How many things were held against the rule.
    pub looked: usize,
}

impl Findings {
    /// Another thing is held against the rule.
    pub fn looked(&mut self) {
        self.looked = self.looked.saturating_add(1);
    }

    pub fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A thing of which nothing can be said.
    pub fn unknown(&mut self, subject: ObjectRef, what: impl Into<String>) {
        self.unknown.push(Unknown { subject, what: what.into(), how: None });
    }

    /// The same, of a fact that is collected in a way of its own.
    pub fn unknown_but(&mut self, subject: ObjectRef, what: impl Into<String>, how: &'static str) {
        self.unknown.push(Unknown { subject, what: what.into(), how: Some(how) });
    }
}
