//! The answer for a terminal.

use std::collections::BTreeMap;

use super::super::Page;
use super::{DaemonFate, Excluded, Holding, SetState, Stuck, Tally, WhatIf};
use crate::report::{Look, plural};

/// The text of an answer.
pub fn render(answer: &WhatIf, look: &Look) -> String {
    let mut page = Page::new(look.width);
    let changes = match answer.changes.as_slice() {
        [] => "nothing".to_owned(),
        some => some.join(", "),
    };
    page.head(&format!("{}  {changes}", answer.verdict));
    for one in answer.because.iter().take(look.top) {
        page.line(&format!("{}: {}", one.verdict, one.text));
    }
    more(&mut page, answer.because.len(), look.top);
    pods(&mut page, answer, look.top);
    if !answer.sets.is_empty() {
        page.head("Sets, working now, at the worst moment, in the end");
        answer.sets.iter().for_each(|set| page.line(&told_set(set)));
    }
    if !answer.budgets.is_empty() {
        page.head("Budgets");
        for one in &answer.budgets {
            let word = if one.blocks { "blocks" } else { "allows it" };
            let pods = plural(one.pods, "pod");
            page.line(&format!(
                "{} {word}: {pods} to be evicted, {} may be away; {}",
                one.budget, one.allowed, one.why
            ));
        }
    }
    if !answer.data.is_empty() {
        page.head("Data");
        answer.data.iter().for_each(|one| page.line(&told_data(one)));
    }
    if !answer.dark.is_empty() {
        page.head("Dark");
        for one in &answer.dark {
            let names = match one.names.as_slice() {
                [] => String::new(),
                names => format!(" ({})", names.join(", ")),
            };
            page.line(&format!("{}{names}: {}", one.what, one.why));
        }
    }
    if !answer.steps.is_empty() {
        page.head("Steps");
        for (at, step) in answer.steps.iter().enumerate() {
            page.line(&format!("{}. {}", at.saturating_add(1), step.text));
            if !step.command.is_empty() {
                page.deeper(&step.command);
            }
            if !step.then.is_empty() {
                page.deeper(&format!("go on when {}", step.then));
            }
        }
    }
    if !answer.already.is_empty() {
        page.head("Already so, without any change");
        answer.already.iter().take(look.top).for_each(|one| page.line(one));
        more(&mut page, answer.already.len(), look.top);
    }
    page.head("Not modelled");
    answer.not_modelled.iter().for_each(|one| page.line(&format!("- {one}")));
    page.text
}

fn more(page: &mut Page, all: usize, top: usize) {
    let hidden = all.saturating_sub(top);
    if hidden > 0 {
        page.line(&format!("{hidden} more; --all shows them"));
    }
}

fn pods(page: &mut Page, answer: &WhatIf, top: usize) {
    page.head(&format!(
        "Pods: {} keep all of theirs, {} have to move and can, {} cannot, {} end",
        plural(answer.untouched.len(), "workload"),
        answer.moves.len(),
        answer.stuck.len(),
        answer.ends.len()
    ));
    for one in &answer.affected {
        page.line(&format!("{}: {} ready of {}", one.workload, tally(one.ready), one.wanted));
    }
    for one in answer.moves.iter().take(top) {
        let from = if one.from.is_empty() { String::new() } else { format!(" from {}", one.from) };
        let others = match one.others.as_slice() {
            [] => ", and to no other".to_owned(),
            some if some.len() > 5 => format!(", or to one of {} others", some.len()),
            some => format!(", or to {}", some.join(", ")),
        };
        page.line(&format!("{}{from} to {}{others}", one.pod, one.to));
        if !one.image_unknown.is_empty() {
            let nodes = one.image_unknown.join(", ");
            page.deeper(&format!("whether it has the image is not known of {nodes}"));
        }
    }
    more(page, answer.moves.len(), top);
    answer.stuck.iter().take(top).for_each(|one| stuck(page, one, "cannot be placed"));
    more(page, answer.stuck.len(), top);
    answer.at_risk.iter().take(top).for_each(|one| {
        stuck(page, one, "runs on, and could not be placed again");
    });
    more(page, answer.at_risk.len(), top);
    daemons(page, answer, top);
}

/// Pods of DaemonSets, those of one set with one fate in a line.
fn daemons(page: &mut Page, answer: &WhatIf, top: usize) {
    let mut told: BTreeMap<(String, DaemonFate, &str), Vec<&str>> = BTreeMap::new();
    for one in &answer.daemons {
        let key = (one.workload.to_string(), one.fate, one.why.as_str());
        told.entry(key).or_default().push(&one.node);
    }
    for ((workload, fate, why), nodes) in told.iter().take(top) {
        let on = match nodes.as_slice() {
            some if some.len() > 5 => plural(some.len(), "node"),
            some => some.join(", "),
        };
        let what = match fate {
            DaemonFate::Ends => "its pod ends on",
            DaemonFate::Returns => "its pod is away until the node is back,",
            DaemonFate::Starts => "a pod starts on",
            DaemonFate::Replaced => "its pod is replaced on",
            DaemonFate::CannotStart => "a pod cannot start on",
        };
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        page.line(&format!("{workload}: {what} {on}{why}"));
    }
    more(page, told.len(), top);
}

fn stuck(page: &mut Page, one: &Stuck, what: &str) {
    page.line(&format!("{} {what}: {}", one.pod, one.why));
    for (reason, nodes) in by_reason(&one.nodes) {
        page.deeper(&format!("{}: {reason}", nodes.join(", ")));
    }
}

/// Nodes that are excluded for the same reason stand together.
fn by_reason(nodes: &[Excluded]) -> BTreeMap<String, Vec<&str>> {
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for one in nodes.iter().filter(|one| !one.reasons.is_empty()) {
        found.entry(one.reasons.join(", ")).or_default().push(&one.node);
    }
    found
}

fn tally(one: Tally) -> String {
    format!("{}, {}, {}", one.now, one.at_once, one.later)
}

fn told_set(set: &SetState) -> String {
    let holds = match (set.holds_now, set.holds_at_once, set.holds_later) {
        (false, _, false) => "did not hold before",
        (false, _, true) => "holds again",
        (true, _, false) => "FAILS",
        (true, false, true) => "FAILS for a while",
        (true, true, true) => "holds",
    };
    let leaving = match set.leaving.as_slice() {
        [] => String::new(),
        some => format!("; without {}", some.join(", ")),
    };
    format!(
        "{}: {} of {}, needs {}: {holds}{leaving}",
        set.name,
        tally(set.working),
        set.members,
        set.rule
    )
}

fn told_data(one: &Holding) -> String {
    let copies = match (one.copies.as_slice(), &one.unknown) {
        ([], None) => "its only copy".to_owned(),
        ([], Some(why)) => format!("no other copy is known ({why})"),
        (some, _) => format!("also: {}", some.join(", ")),
    };
    let backup = match (&one.backup, &one.backup_unknown) {
        (Some((at, target)), _) => format!("newest verified backup {at} at {target}"),
        (None, why) => why.clone().unwrap_or_default(),
    };
    let state = if one.is_lost { "goes with" } else { "stays on" };
    format!("{} {state} {}: {copies}; {backup}", one.claim, one.node)
}
