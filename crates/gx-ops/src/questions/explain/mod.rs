//! Why a pod, a node or a workload is as it is, what it needs, and what needs it.

mod links;
mod node;
mod pod;
#[cfg(test)]
mod tests;
mod workload;

use serde::Serialize;

pub(super) use links::references;
pub(crate) use links::{called, needed_by};
pub use node::explain_node;
pub use pod::explain_pod;
pub use workload::explain_workload;

use super::Page;
use crate::facts::ObjectRef;
use crate::placement::Verdict;
use crate::report::Look;

/// One part of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    pub title: &'static str,
    pub lines: Vec<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub subject: ObjectRef,
    /// What it is like, in a line.
    pub state: String,
    pub sections: Vec<Section>,
}

impl Explanation {
    fn new(subject: ObjectRef, state: impl Into<String>) -> Self {
        Self { subject, state: state.into(), sections: Vec::new() }
    }

    /// Adds a part, when it says anything.
    fn add(&mut self, title: &'static str, lines: Vec<String>) {
        if !lines.is_empty() {
            self.sections.push(Section { title, lines });
        }
    }
}

/// The text of an answer.
pub fn render(answer: &Explanation, look: &Look) -> String {
    let mut page = Page::new(look.width);
    page.head(&format!("{}: {}", answer.subject, answer.state));
    for section in &answer.sections {
        page.head(section.title);
        section.lines.iter().take(look.top).for_each(|line| page.line(line));
        let more = section.lines.len().saturating_sub(look.top);
        if more > 0 {
            page.line(&format!("{more} more; --all shows them"));
        }
    }
    page.text
}

/// Nodes by the reason that excludes them; those that nothing excludes are `open`.
fn by_reason(verdicts: &[Verdict]) -> Vec<String> {
    let mut reasons: std::collections::BTreeMap<String, Vec<&str>> =
        std::collections::BTreeMap::new();
    for verdict in verdicts {
        let told: Vec<String> = verdict.reasons.iter().map(ToString::to_string).collect();
        let told = if told.is_empty() { "open".to_owned() } else { told.join(", ") };
        reasons.entry(told).or_default().push(&verdict.node);
    }
    reasons.into_iter().map(|(reason, nodes)| format!("{}: {reason}", nodes.join(", "))).collect()
}
