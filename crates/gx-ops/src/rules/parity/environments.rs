//! Services, settings, names and quotas of environments side by side.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{Variables, all_containers, holds_credentials, lasting};
use super::super::{Findings, Problem};
use super::pairs::{environment, namespaces, side_by_side, stem};
use crate::facts::{Fact, Object, ObjectRef, Quota, Snapshot, Value, Workload};

/// ENV-02
pub(super) fn lone_service(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let workloads = || snapshot.top_workloads().filter(|one| one.is_lasting());
    // An environment in which nothing runs is none that lacks a service.
    let mut running: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for workload in lasting(snapshot) {
        if let Some((stem, rank)) = stem(snapshot, &workload.namespace) {
            running.entry(stem).or_default().insert(rank);
        }
    }
    for ((stem, _), sides) in side_by_side(snapshot, workloads()) {
        let Some(all) = running.get(&stem).filter(|all| all.len() > 1) else { continue };
        findings.looked();
        let lacks: Vec<&str> = all
            .iter()
            .filter(|rank| !sides.contains_key(rank))
            .map(|rank| environment(*rank))
            .collect();
        let Some(workload) = sides.values().last().filter(|_| !lacks.is_empty()) else { continue };
        let has: Vec<&str> = sides.keys().map(|rank| environment(*rank)).collect();
        let evidence = format!("it is in {}, and not in {}", has.join(", "), lacks.join(", "));
        findings.add(Problem::new(workload.reference(), evidence));
    }
    findings
}

/// ENV-03
pub(super) fn other_keys(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let secrets = snapshot.secrets.items().iter().filter(|one| holds_credentials(&one.kind));
    for sides in side_by_side(snapshot, secrets).into_values() {
        let keys = |secret: &crate::facts::Secret| secret.data.keys().cloned().collect();
        compare_keys(&mut findings, &sides, keys);
    }
    let maps = snapshot.config_maps.items().iter();
    for sides in side_by_side(snapshot, maps).into_values() {
        let keys =
            |map: &crate::facts::ConfigMap| map.data.keys().chain(&map.binary).cloned().collect();
        compare_keys(&mut findings, &sides, keys);
    }
    findings
}

fn compare_keys<T: Object>(
    findings: &mut Findings,
    sides: &BTreeMap<usize, &T>,
    keys: impl Fn(&T) -> BTreeSet<String>,
) {
    if sides.len() < 2 {
        return;
    }
    for (rank, one) in sides {
        findings.looked();
        let own = keys(one);
        let mut lacks: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (other, thing) in sides.iter().filter(|(other, _)| *other != rank) {
            for key in keys(thing).difference(&own) {
                lacks.entry(key.clone()).or_default().push(environment(*other));
            }
        }
        if !lacks.is_empty() {
            let told: Vec<String> = lacks
                .iter()
                .map(|(key, others)| format!("{key} (in {})", others.join(", ")))
                .collect();
            let evidence = format!("it lacks {}", told.join(", "));
            findings.add(Problem::new(one.reference(), evidence).field("data"));
        }
    }
}

/// What names are given to, by the end of the variable's name.
fn kind_of(variable: &str) -> Option<&'static str> {
    let name = variable.to_ascii_uppercase();
    let ends = |list: &[&str]| list.iter().any(|end| name.ends_with(end));
    if ends(&["CHANNEL", "CHANNEL_NAME"]) {
        Some("channel")
    } else if ends(&["CHAINCODE", "CHAINCODE_NAME"]) {
        Some("chaincode")
    } else if ends(&["MSP_ID", "MSPID"]) {
        Some("organization")
    } else {
        None
    }
}

/// A name with its environment, in whatever case, as `{env}`, and numbers as `#`.
fn pattern(name: &str, environment: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let parts: Vec<&str> = match lower.find(environment) {
        // Lower case of ASCII has the same length.
        Some(at) => {
            let end = at.saturating_add(environment.len());
            vec![name.get(..at).unwrap_or_default(), name.get(end..).unwrap_or_default()]
        }
        None => vec![name],
    };
    let text = parts.join("{env}");
    text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect()
}

/// Where a name was seen.
struct Seen {
    place: ObjectRef,
    variable: String,
    name: String,
    pattern: String,
    rank: usize,
}

/// ENV-06
pub(super) fn odd_names(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut seen: BTreeMap<&str, Vec<Seen>> = BTreeMap::new();
    let mut reported = BTreeSet::new();
    if let Some(why) = snapshot.lacks(Fact::Inventory) {
        let subject = ObjectRef::global("Inventory", "inventory");
        let what = format!("which names are declared: {why}");
        findings.unknown_but(subject, what, Fact::Inventory.how());
    }
    for (workload, container) in all_containers(snapshot) {
        let Some((_, rank)) = stem(snapshot, &workload.namespace) else { continue };
        let variables = Variables::of(snapshot, &workload.namespace, container);
        let own = workload.reference().container(&container.name);
        for object in variables.unknown {
            if reported.insert(object.clone()) {
                findings.unknown(object, "which names it gives");
            }
        }
        for (variable, told) in &variables.by_name {
            let name = told.value.and_then(Value::plain).filter(|name| !name.is_empty());
            let Some((kind, name)) = kind_of(variable).zip(name) else { continue };
            let place = match &told.from {
                Some(from) => from.clone().container(*variable),
                None => own.clone(),
            };
            let pattern = pattern(name, environment(rank));
            let (variable, name) = ((*variable).to_owned(), name.to_owned());
            seen.entry(kind).or_default().push(Seen { place, variable, name, pattern, rank });
        }
    }
    for (kind, names) in seen {
        hold_names(snapshot, kind, &names, &mut findings);
    }
    for namespace in namespaces(snapshot) {
        let Some(environment) = snapshot.environment(namespace) else { continue };
        findings.looked();
        if !namespace.ends_with(&format!("-{environment}")) {
            let evidence =
                format!("it belongs to {environment} and does not end with -{environment}");
            findings.add(Problem::new(ObjectRef::global("Namespace", namespace), evidence));
        }
    }
    findings
}

/// Holds names of one kind against those that are declared, else against each other.
fn hold_names(snapshot: &Snapshot, kind: &str, names: &[Seen], findings: &mut Findings) {
    let patterns: BTreeSet<&str> = names.iter().map(|one| one.pattern.as_str()).collect();
    let with_environment = patterns.iter().find(|one| one.contains("{env}"));
    let highest = names.iter().max_by_key(|one| one.rank).map(|one| one.pattern.as_str());
    let right = with_environment.copied().or(highest).unwrap_or_default();
    let mut told: BTreeMap<ObjectRef, BTreeSet<String>> = BTreeMap::new();
    for one in names {
        findings.looked();
        let environment = environment(one.rank);
        let declared = snapshot.declared().and_then(|all| all.environments.get(environment));
        let declared: Vec<&str> = declared.map_or_else(Vec::new, |declared| match kind {
            "channel" => vec![declared.channel.as_str()],
            "chaincode" => vec![declared.chaincode.as_str()],
            _ => declared.msps.iter().map(String::as_str).collect(),
        });
        let declared: Vec<&str> = declared.into_iter().filter(|name| !name.is_empty()).collect();
        let evidence = match declared.as_slice() {
            [] if one.pattern == right => continue,
            [] => format!("{} is {}; elsewhere the {kind} is {right}", one.variable, one.name),
            declared if declared.contains(&one.name.as_str()) => continue,
            declared => format!(
                "{} is {}; the {kind} of {environment} is declared as {}",
                one.variable,
                one.name,
                declared.join(", ")
            ),
        };
        told.entry(one.place.clone()).or_default().insert(evidence);
    }
    for (place, evidence) in told {
        let evidence = evidence.into_iter().collect::<Vec<String>>().join("; ");
        findings.add(Problem::new(place, evidence));
    }
}

/// Two amounts of a quota whose proportion says what fits, by the names that quotas have.
const PROPORTIONS: [(&str, &str); 4] = [
    ("requests.cpu", "requests.memory"),
    ("limits.cpu", "limits.memory"),
    ("requests.cpu", "limits.cpu"),
    ("requests.memory", "limits.memory"),
];

/// ENV-10
pub(super) fn other_quota(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut stems: BTreeMap<String, BTreeMap<usize, &Quota>> = BTreeMap::new();
    for quota in snapshot.quotas.items() {
        let Some((stem, rank)) = stem(snapshot, &quota.namespace) else { continue };
        stems.entry(stem).or_default().entry(rank).or_insert(quota);
    }
    for sides in stems.into_values() {
        let mut sides = sides.into_iter().rev();
        let Some((rank, reference)) = sides.next() else { continue };
        for (_, quota) in sides {
            let mut wrong = Vec::new();
            for (a, b) in PROPORTIONS {
                let amounts = [reference, quota].map(|one| (one.hard.of(a), one.hard.of(b)));
                let [(a1, b1), (a2, b2)] = amounts.map(|(a, b)| (u128::from(a), u128::from(b)));
                if [a1, b1, a2, b2].contains(&0) {
                    continue;
                }
                findings.looked();
                // a1 : b1 and a2 : b2 are apart when their cross products are, by a tenth.
                let (one, other) = (a1.saturating_mul(b2), a2.saturating_mul(b1));
                if one.abs_diff(other).saturating_mul(10) > one.max(other) {
                    wrong.push(format!("{b} to {a}"));
                }
            }
            if !wrong.is_empty() {
                let evidence = format!("{} is not as in {}", wrong.join(", "), environment(rank));
                let problem = Problem::new(quota.reference(), evidence);
                findings.add(problem.severity(Severity::Low).field("spec.hard"));
            }
        }
    }
    findings
}

/// The container that a workload is for, by its image.
pub(super) fn main_image(workload: &Workload) -> Option<&str> {
    let container = super::super::shared::main_container(workload)?;
    Some(container.image.as_str()).filter(|image| !image.is_empty())
}
