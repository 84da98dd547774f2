//! The scores for a terminal.

use super::super::Page;
use super::{Availability, Distribution, Score};
use crate::report::{Look, plural};

/// The text of an answer.
pub fn render(score: &Score, look: &Look) -> String {
    let mut page = Page::new(look.width);
    let overall = |points: Option<u32>| points.map_or("-".to_owned(), |all| format!("{all}/10"));
    page.head(&format!(
        "{}: distribution {}, availability {}",
        score.environment,
        overall(score.distribution.as_ref().map(|one| one.points.rounded())),
        overall(score.availability.as_ref().map(|one| one.points.rounded()))
    ));
    page.line(&format!(
        "eligible nodes: {}",
        match score.eligible.as_slice() {
            [] => "none".to_owned(),
            some => some.join(", "),
        }
    ));
    if let Some(one) = &score.distribution {
        distribution(&mut page, one);
    }
    if let Some(one) = &score.availability {
        availability(&mut page, one);
    }
    if !score.notes.is_empty() {
        page.head("Not known");
        score.notes.iter().for_each(|note| page.line(&format!("- {note}")));
    }
    page.text
}

fn distribution(page: &mut Page, all: &Distribution) {
    let parts: Vec<String> = all.tiers.iter().map(|tier| tier.points.to_string()).collect();
    page.head(&format!(
        "Distribution {} = mean of {} (strict {}, least {})",
        all.points,
        parts.join(", "),
        all.strict,
        all.least
    ));
    for tier in &all.tiers {
        let workloads = plural(tier.workloads.len(), "workload");
        page.line(&format!(
            "{} {}: median of {workloads} (mean {}, least {})",
            tier.name, tier.points, tier.mean, tier.least
        ));
        for one in tier.workloads.iter().filter(|one| !one.deductions.is_empty()) {
            page.deeper(&format!("{} {}", one.workload, one.points));
            for deduction in &one.deductions {
                page.deeper(&format!("  -{} {}", deduction.points, deduction.why));
            }
        }
    }
}

fn availability(page: &mut Page, all: &Availability) {
    let parts: Vec<String> = all.layers.iter().map(|layer| layer.points.to_string()).collect();
    let weakest = all.weakest.unwrap_or_default();
    page.head(&format!(
        "Availability {} = mean of {} (weakest: {weakest})",
        all.points,
        parts.join(", ")
    ));
    for layer in &all.layers {
        page.line(&format!(
            "{} {}: any {} may be lost",
            layer.name,
            layer.points,
            plural(layer.nodes, "node")
        ));
        for deduction in &layer.deductions {
            page.deeper(&format!("-{} {}", deduction.points, deduction.why));
        }
    }
    for one in &all.single {
        let recovers = match one.recoverable {
            Some(true) => "it can start on another node",
            _ => "it can start on no other node",
        };
        page.line(&format!("left out, of one pod: {}: {recovers}", one.workload));
    }
}
