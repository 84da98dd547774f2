//! Suites and phases for a terminal.

use super::super::Page;
use super::{Checked, PhaseAnswer, PhaseState, State, SuiteAnswer};
use crate::report::{Look, plural};

/// The text of a suite's answer.
pub fn render_suite(answer: &SuiteAnswer, look: &Look) -> String {
    let mut page = Page::new(look.width);
    page.head(&format!("{}: {}", answer.title, counted(&answer.checks)));
    list(&mut page, &answer.checks, look);
    page.text
}

/// The text of a phase's answer.
pub fn render_phase(answer: &PhaseAnswer, look: &Look) -> String {
    let mut page = Page::new(look.width);
    let state = match answer.state {
        PhaseState::Done => "done",
        PhaseState::Unsigned => "all checks pass, and it is not signed off",
        PhaseState::Failed => "not done",
        PhaseState::Unknown => "not known to be done",
    };
    page.head(&format!("Phase {}, {}: {state}", answer.number, answer.title));
    let after: Vec<String> = answer.after.iter().map(ToString::to_string).collect();
    if !after.is_empty() {
        page.line(&format!("after phase {}", after.join(" and ")));
    }
    page.head("Steps");
    answer.steps.iter().for_each(|step| page.line(&format!("- {step}")));
    page.head(&format!("Done when: {}", counted(&answer.checks)));
    list(&mut page, &answer.checks, look);
    page.head("Signed off by");
    answer.signed.iter().for_each(|one| page.line(one));
    answer.unsigned.iter().for_each(|role| page.line(&format!("nobody yet as {role}")));
    page.text
}

fn counted(checks: &[Checked]) -> String {
    let count = |state| checks.iter().filter(|one| one.state == state).count();
    format!(
        "{} passed, {} failed, {} not known",
        count(State::Passed),
        count(State::Failed),
        count(State::Unknown)
    )
}

fn list(page: &mut Page, checks: &[Checked], look: &Look) {
    for one in checks {
        let word = match one.state {
            State::Passed => "passed   ",
            State::Failed => "FAILED   ",
            State::Unknown => "not known",
        };
        let looked = match one.state {
            State::Passed => format!(" ({})", plural(one.looked, "thing")),
            State::Failed | State::Unknown => String::new(),
        };
        page.line(&format!("{word}  {}: {}{looked}", one.id, one.what));
        one.lines.iter().take(look.top).for_each(|line| page.deeper(line));
        let more = one.lines.len().saturating_sub(look.top);
        if more > 0 {
            page.deeper(&format!("{more} more; --all shows them"));
        }
    }
}
