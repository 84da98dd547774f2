//! What ledgers and the platform's own records show.

use std::collections::BTreeMap;

use super::super::{Findings, Problem};
use crate::facts::{LedgerNode, ObjectRef, Snapshot};

/// Groups of nodes that tell different things of the same place; none when they agree.
fn sides<'a>(told: impl Iterator<Item = (&'a str, &'a LedgerNode)>) -> Option<String> {
    let mut sides: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (hash, node) in told.filter(|(hash, _)| !hash.is_empty()) {
        sides.entry(hash).or_default().push(&node.name);
    }
    let parts: Vec<String> = sides
        .iter()
        .map(|(hash, names)| {
            let short: String = hash.chars().take(12).collect();
            format!("{short} of {}", names.join(", "))
        })
        .collect();
    (parts.len() > 1).then(|| parts.join(" and "))
}

/// PLT-30
pub(super) fn forks(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ledger in snapshot.ledgers.items() {
        let subject =
            || ObjectRef::global("Ledger", format!("{}/{}", ledger.environment, ledger.name));
        let genesis = ledger.nodes.iter().map(|node| (node.genesis_hash.as_str(), node));
        if let Some(evidence) = sides(genesis) {
            findings.looked();
            findings.add(Problem::new(subject(), format!("they begin with {evidence}")));
            continue;
        }
        let mut heights: BTreeMap<u64, Vec<&LedgerNode>> = BTreeMap::new();
        for node in &ledger.nodes {
            if let Some(height) = node.height.get().filter(|_| !node.block_hash.is_empty()) {
                heights.entry(*height).or_default().push(node);
            }
        }
        // Two nodes at one height are needed to compare anything.
        let comparable = heights.values().any(|nodes| nodes.len() > 1);
        match (comparable, ledger.nodes.len() > 1) {
            (true, _) => findings.looked(),
            (false, true) => findings.unknown(subject(), "the block hashes of two nodes"),
            (false, false) => {}
        }
        for (height, nodes) in heights.into_iter().rev() {
            let told = nodes.into_iter().map(|node| (node.block_hash.as_str(), node));
            if let Some(evidence) = sides(told) {
                let evidence = format!("at height {height} the last block is {evidence}");
                findings.add(Problem::new(subject(), evidence));
                break;
            }
        }
    }
    findings
}

/// PLT-31
pub(super) fn stuck_promotion(snapshot: &Snapshot) -> Findings {
    const HOURS: u64 = 2;
    let mut findings = Findings::default();
    for record in snapshot.deployment_records.items() {
        findings.looked();
        let is_under_way = matches!(record.state.as_str(), "IN_PROGRESS" | "HEALTH_CHECK");
        let hours = snapshot.age(record.at).checked_div(3600).unwrap_or(0);
        if is_under_way && hours >= HOURS {
            let evidence = format!(
                "{} has been on its way to {} for {hours} hours",
                record.service, record.to
            );
            findings.add(Problem::new(ObjectRef::global("Promotion", &record.id), evidence));
        }
    }
    findings
}
