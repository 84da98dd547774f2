//! A plan for a terminal.

use super::{Action, Plan, Step};
use crate::questions::Page;
use crate::report::{Look, plural};

/// The text of a plan, with the way to apply it.
pub fn render(plan: &Plan, look: &Look) -> String {
    let mut page = page(plan, look);
    page.head("Nothing was changed. To apply it");
    let named = match &plan.network {
        Some(network) => format!(" --network {network}"),
        None => String::new(),
    };
    page.line(&format!("gx ops apply PLAN.json{named}"));
    page.into_text()
}

/// The text of a plan alone.
pub fn render_steps(plan: &Plan, look: &Look) -> String {
    page(plan, look).into_text()
}

fn page(plan: &Plan, look: &Look) -> Page {
    let mut page = Page::new(look.width);
    page.head(&format!("Plan {}  {}", plan.id, plural(plan.steps.len(), "step")));
    page.line(&format!("made from facts of {}", plan.made));
    if let Some(network) = &plan.network {
        page.line(&format!("touches {network}: its name has to be typed to apply it"));
    }
    for step in &plan.steps {
        step_text(&mut page, step);
    }
    if !plan.notes.is_empty() {
        page.head("Left as it is");
        plan.notes.iter().for_each(|note| page.line(note));
    }
    page.head("Stands on");
    let shown = plan.stands_on.iter().take(look.top);
    shown.for_each(|stand| page.line(&format!("{}: {}", stand.what, stand.is)));
    let hidden = plan.stands_on.len().saturating_sub(look.top);
    if hidden > 0 {
        page.line(&format!("{hidden} more; --all shows them"));
    }
    page
}

fn step_text(page: &mut Page, step: &Step) {
    page.head(&format!("{}. {}", step.number, step.title));
    page.line(&format!("why: {}", step.why));
    let objects: Vec<String> = step
        .action
        .objects()
        .iter()
        .filter(|object| !object.uid.is_empty())
        .map(|object| match object.generation {
            Some(generation) => {
                format!("{} uid {} generation {generation}", object.reference(), object.uid)
            }
            None => format!("{} uid {}", object.reference(), object.uid),
        })
        .collect();
    if !objects.is_empty() {
        page.line(&format!("exactly: {}", objects.join(", ")));
    }
    if let Action::Ask { place, run, .. } = &step.action {
        page.line(&format!("by hand, on {place}:"));
        run.iter().for_each(|command| page.deeper(command));
    }
    step.dependants.iter().for_each(|line| page.line(&format!("then: {line}")));
    page.line(&format!("holds within {} s: {}", step.within, step.check.told()));
    step.rollback.iter().for_each(|line| page.line(&format!("back: {line}")));
}
