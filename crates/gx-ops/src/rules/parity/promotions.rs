//! Promotions as they are recorded, and what runs.

use std::collections::BTreeMap;

use super::super::shared::rank;
use super::super::{Findings, Problem};
use super::environments::main_image;
use super::pairs::{environment, side_by_side};
use crate::facts::{
    DeploymentRecord, Fact, Object as _, ObjectRef, Snapshot, Workload, normal_image,
};

/// Whether two references are to one image: by digest where both have one.
fn is_same_image(a: &str, b: &str) -> bool {
    match (a.split_once('@'), b.split_once('@')) {
        (Some((_, a)), Some((_, b))) => a == b,
        _ => normal_image(a) == normal_image(b),
    }
}

/// The numbers of a tag such as `v2.1.0`; none for one that is no version.
fn version(image: &str) -> Option<Vec<u64>> {
    let name = image.split('@').next().unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    let (_, tag) = last.split_once(':')?;
    let numbers = tag.strip_prefix('v').unwrap_or(tag).split('.');
    numbers.map(|number| number.parse().ok()).collect()
}

fn record(one: &DeploymentRecord) -> ObjectRef {
    ObjectRef::global("Promotion", &one.id)
}

/// Whether all pods that should be there are ready.
fn is_healthy(workload: &Workload) -> bool {
    workload.replicas > 0 && workload.ready >= workload.replicas
}

/// ENV-01
pub(super) fn untried_image(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let workloads = snapshot.top_workloads().filter(|one| one.is_lasting());
    let (testnet, mainnet) = (rank("testnet"), rank("mainnet"));
    for sides in side_by_side(snapshot, workloads).into_values() {
        let side = |at: Option<usize>| at.and_then(|at| sides.get(&at).copied());
        let (Some(before), Some(live)) = (side(testnet), side(mainnet)) else { continue };
        let (Some(tried), Some(image)) = (main_image(before), main_image(live)) else { continue };
        if live.replicas == 0 {
            continue;
        }
        let is_there = is_same_image(tried, image);
        let records = snapshot.deployment_records.items().iter();
        let brought = records.filter(|one| {
            one.to == "testnet" && one.state == "COMPLETED" && one.service == before.name
        });
        let was_healthy = brought.into_iter().any(|one| is_same_image(&one.image, image));
        if (is_there && is_healthy(before)) || was_healthy {
            findings.looked();
            continue;
        }
        let newer = version(image).zip(version(tried)).is_some_and(|(live, tried)| live > tried);
        // What is never promoted, such as a database, has no records that could be missing.
        let mut records = snapshot.deployment_records.items().iter();
        let is_known =
            snapshot.deployment_records.is_whole() && records.any(|one| one.service == before.name);
        let evidence = match (is_there, newer) {
            (true, _) if is_known => {
                "testnet runs it, is not healthy, and no promotion to testnet \
                                      with it was completed"
                    .to_owned()
            }
            (false, true) => format!("it runs {image}, testnet runs the older {tried}"),
            (false, false) if is_known => format!(
                "it runs {image}, testnet {tried}; no promotion to testnet with it was completed"
            ),
            (_, _) => {
                let what = format!("whether {image} was healthy in testnet before");
                findings.unknown_but(live.reference(), what, Fact::DeploymentRecords.how());
                continue;
            }
        };
        findings.looked();
        findings.add(
            Problem::new(live.reference(), evidence).field("spec.template.spec.containers.image"),
        );
    }
    findings
}

/// Whether a promotion was called off before it had begun.
fn is_called_off(one: &DeploymentRecord) -> bool {
    ["CANCELLED", "EXPIRED"].contains(&one.state.as_str())
}

/// Whether a promotion has changed what runs, or may have.
fn is_begun(one: &DeploymentRecord) -> bool {
    !is_called_off(one) && !["APPROVED", "PENDING_APPROVAL"].contains(&one.state.as_str())
}

/// GOV-01
pub(super) fn not_adjacent(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for one in snapshot.deployment_records.items().iter().filter(|one| !is_called_off(one)) {
        findings.looked();
        let next = rank(&one.from).map(|from| from.saturating_add(1));
        if next.is_none() || next != rank(&one.to) {
            let evidence = format!("{} went from {} to {}", one.service, one.from, one.to);
            findings.add(Problem::new(record(one), evidence));
        }
    }
    findings
}

/// GOV-02
pub(super) fn not_approved(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let begun = snapshot.deployment_records.items().iter().filter(|one| is_begun(one));
    for one in begun.filter(|one| one.to == "mainnet") {
        findings.looked();
        let evidence = if one.approved_by.is_empty() {
            format!("nobody has approved it, and it is {}", one.state)
        } else if one.approved_by == one.requested_by {
            format!("{} has asked for it and approved it", one.requested_by)
        } else {
            continue;
        };
        findings.add(Problem::new(record(one), evidence));
    }
    findings
}

/// GOV-03
pub(super) fn no_way_back(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let begun = snapshot.deployment_records.items().iter().filter(|one| is_begun(one));
    // One that has failed at its gates has not come to look at what runs.
    for one in begun.filter(|one| one.state != "FAILED") {
        findings.looked();
        if one.previous_image.is_empty() {
            let evidence = format!("{} in {} is {}, without it", one.service, one.to, one.state);
            findings.add(Problem::new(record(one), evidence));
        }
    }
    findings
}

/// GOV-04
pub(super) fn drifted(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut services: BTreeMap<(&str, &str), Vec<&DeploymentRecord>> = BTreeMap::new();
    for one in snapshot.deployment_records.items().iter().filter(|one| is_begun(one)) {
        services.entry((&one.service, &one.to)).or_default().push(one);
    }
    for ((service, to), mut records) in services {
        records.sort_by_key(|one| (one.at, &one.id));
        let is_open =
            |one: &&DeploymentRecord| ["IN_PROGRESS", "HEALTH_CHECK"].contains(&one.state.as_str());
        if records.iter().any(is_open) {
            continue;
        }
        // A failed one has put back what ran before, which the one before it has brought.
        let last = records.iter().rev().find_map(|one| match one.state.as_str() {
            "COMPLETED" => Some((one, one.image.as_str())),
            "ROLLED_BACK" => Some((one, one.previous_image.as_str())),
            _ => None,
        });
        let Some((last, expected)) = last.filter(|(_, expected)| !expected.is_empty()) else {
            continue;
        };
        let live = snapshot.top_workloads().filter(|one| {
            one.name == service
                && one.is_lasting()
                && snapshot.environment(&one.namespace) == Some(to)
                && rank(to).is_some_and(|rank| environment(rank) == to)
        });
        for workload in live {
            let Some(image) = main_image(workload) else { continue };
            findings.looked();
            if !is_same_image(image, expected) {
                let evidence = format!(
                    "it runs {image}; {} has brought {expected} on {}",
                    last.id,
                    last.at.date()
                );
                let field = "spec.template.spec.containers.image";
                findings.add(Problem::new(workload.reference(), evidence).field(field));
            }
        }
    }
    findings
}
