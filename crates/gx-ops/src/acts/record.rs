//! The record of a run: what was done when, what came of it, and what is left, for people.
//!
//! Pure: a journal gives a text, always the same.

use super::journal::{Entry, Event, Journal};
use crate::facts::{Snapshot, Time};
use crate::questions::what_if::what_if;

/// The record in Markdown, with what holds before and after where that is known.
pub(super) fn record(journal: &Journal, before: Option<&Snapshot>, after: &Snapshot) -> String {
    let plan = journal.plan();
    let entries = journal.entries();
    let mut text = format!("# Plan {}\n\n", plan.id);
    text.push_str(&format!("{}\n\n", outcome(entries)));
    text.push_str("| | |\n|---|---|\n");
    let rows = [
        ("network", plan.network.clone().unwrap_or_else(|| "none that has to be named".to_owned())),
        ("facts of", plan.made.to_string()),
        ("begun", told_time(entries.first().map(|entry| entry.at))),
        ("last event", told_time(entries.last().map(|entry| entry.at))),
    ];
    for (name, value) in rows {
        text.push_str(&format!("| {name} | {} |\n", cell(&value)));
    }
    text.push_str("\n## Steps\n\n| # | What | Why | Begun | Done |\n|---|---|---|---|---|\n");
    for step in &plan.steps {
        let at = |wanted: &dyn Fn(&Event) -> bool| {
            told_time(entries.iter().rev().find(|one| wanted(&one.event)).map(|one| one.at))
        };
        let begun = at(&|event| *event == Event::Starting { step: step.number });
        let done = at(&|event| *event == Event::Done { step: step.number });
        let (title, why) = (cell(&step.title), cell(&step.why));
        text.push_str(&format!("| {} | {title} | {why} | {begun} | {done} |\n", step.number));
    }
    if let Some(before) = before {
        text.push_str(&sets(before, after));
    }
    text.push_str(&challenges(entries));
    text.push_str(&outstanding(journal));
    text
}

fn told_time(at: Option<Time>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn outcome(entries: &[Entry]) -> &'static str {
    match entries.last().map(|entry| &entry.event) {
        Some(Event::Ended) => "Every step is done, and what had to hold after each holds.",
        Some(Event::RolledBack) => "It was taken back.",
        Some(Event::Stopped { .. }) => "It was stopped, and waits to be continued or taken back.",
        _ => "It has not ended.",
    }
}

/// Every set before and after.
fn sets(before: &Snapshot, after: &Snapshot) -> String {
    let (Ok(was), Ok(is)) = (what_if(before, &[]), what_if(after, &[])) else {
        return String::new();
    };
    if was.sets.is_empty() && is.sets.is_empty() {
        return String::new();
    }
    let mut text = "\n## Sets\n\n| Set | Needs | Before | After |\n|---|---|---|---|\n".to_owned();
    for set in &was.sets {
        let now = is.sets.iter().find(|one| one.name == set.name);
        let now = now.map_or_else(
            || "-".to_owned(),
            |one| format!("{} of {}", one.working.now, one.members),
        );
        let (name, rule) = (cell(&set.name), cell(&set.rule));
        text.push_str(&format!(
            "| {name} | {rule} | {} of {} | {now} |\n",
            set.working.now, set.members
        ));
    }
    text
}

fn challenges(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let line = match &entry.event {
            Event::Stopped { step, why } => format!("step {step} was stopped: {why}"),
            Event::Continued => "it was continued".to_owned(),
            Event::RollingBack => "it was begun to take it back".to_owned(),
            Event::Undone { step, how } => format!("step {step}: {how}"),
            Event::Begun
            | Event::Starting { .. }
            | Event::Done { .. }
            | Event::Ended
            | Event::RolledBack => continue,
        };
        if text.is_empty() {
            text.push_str("\n## Challenges\n\n");
        }
        text.push_str(&format!("- {} {line}\n", entry.at));
    }
    text
}

/// What is not done, and how what was done is taken back.
fn outstanding(journal: &Journal) -> String {
    let mut text = String::new();
    let steps = &journal.plan().steps;
    let left: Vec<_> = steps.iter().filter(|step| !journal.is_done(step.number)).collect();
    if !left.is_empty() {
        text.push_str("\n## Outstanding\n\n");
        for step in left {
            text.push_str(&format!("- step {}: {}\n", step.number, step.title));
        }
    }
    text.push_str("\n## Taking it back\n\n");
    for step in steps.iter().rev().filter(|step| journal.is_done(step.number)) {
        for line in &step.rollback {
            text.push_str(&format!("- step {}: {line}\n", step.number));
        }
    }
    text
}
