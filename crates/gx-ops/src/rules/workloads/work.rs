//! Whether workers do their work, as their settings and their processes tell.

use std::collections::BTreeMap;

use super::super::shared::{Component, component, lasting, process_of};
use super::super::{Findings, Problem};
use crate::facts::{
    Container, Fact, Known, Object as _, ObjectRef, Pod, Process, Snapshot, Value, Workload,
    environment,
};

/// The value of a setting of a container.
enum Setting {
    Set(String),
    Unset,
    /// Why it cannot be told.
    Unknown(String),
}

fn shown(value: &Value) -> Setting {
    let text = value.plain().map(str::to_owned);
    text.map_or_else(|| Setting::Unknown("it is hidden".to_owned()), Setting::Set)
}

/// The value of a setting, wherever it comes from. The container's own hold over those that it
/// takes as a whole, and of these the last.
fn setting(snapshot: &Snapshot, namespace: &str, container: &Container, name: &str) -> Setting {
    let of_map = |map: &str, key: &str, is_whole: bool| {
        if let Some(why) = snapshot.lacks(Fact::ConfigMaps) {
            return Setting::Unknown(format!("ConfigMap {map}: {why}"));
        }
        match snapshot.config_map(namespace, map).map(|one| one.data.get(key)) {
            Some(Some(value)) => shown(value),
            Some(None) => Setting::Unset,
            None if snapshot.config_maps.is_whole() && is_whole => Setting::Unset,
            None => Setting::Unknown(format!("ConfigMap {map} was not found")),
        }
    };
    if let Some(env) = environment(container).get(name) {
        return match (&env.value, &env.from) {
            (Some(value), _) => shown(value),
            (None, Some(from)) if from.kind == "ConfigMap" => of_map(&from.name, &from.key, false),
            (None, _) => Setting::Unknown("it comes from a Secret or a field".to_owned()),
        };
    }
    for from in container.env_from.iter().rev().filter(|from| from.kind == "ConfigMap") {
        match of_map(&from.name, name, true) {
            Setting::Unset => {}
            known => return known,
        }
    }
    Setting::Unset
}

/// The established name of the setting, and the one that follows from where it stands.
const LAG_THRESHOLDS: [&str; 2] = ["PROJECTION_LAG_THRESHOLD_MS", "GX_READINESS__LAG_THRESHOLD_MS"];
/// Ten minutes.
const LONGEST_LAG: u64 = 600_000;

/// The threshold that a container has, by whichever name.
fn threshold(snapshot: &Snapshot, namespace: &str, container: &Container) -> Setting {
    let mut unset = Setting::Unset;
    for name in LAG_THRESHOLDS {
        match setting(snapshot, namespace, container, name) {
            set @ Setting::Set(_) => return set,
            unknown @ Setting::Unknown(_) => unset = unknown,
            Setting::Unset => {}
        }
    }
    unset
}

/// WRK-12
pub(super) fn lag_threshold(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut by_namespace: BTreeMap<&str, BTreeMap<u64, Vec<&str>>> = BTreeMap::new();
    for workload in lasting(snapshot) {
        for container in &workload.template.spec.containers {
            let subject = workload.reference().container(&container.name);
            let text = match threshold(snapshot, &workload.namespace, container) {
                Setting::Set(text) => text,
                Setting::Unset => continue,
                Setting::Unknown(why) => {
                    findings.unknown(subject, format!("its threshold of projection lag: {why}"));
                    continue;
                }
            };
            let Ok(threshold) = text.parse::<u64>() else {
                findings.unknown(subject, "its threshold of projection lag is no number");
                continue;
            };
            findings.looked();
            let values = by_namespace.entry(&workload.namespace).or_default();
            values.entry(threshold).or_default().push(&workload.name);
            if threshold > LONGEST_LAG {
                let evidence = format!("the threshold is {threshold} ms, {} s", threshold / 1000);
                let problem = Problem::new(subject, evidence);
                findings.add(problem.field("spec.template.spec.containers[].env"));
            }
        }
    }
    for (namespace, values) in by_namespace.into_iter().filter(|(_, values)| values.len() > 1) {
        let told: Vec<String> = values
            .into_iter()
            .map(|(value, names)| format!("{value} ms for {}", names.join(", ")))
            .collect();
        let evidence = format!("the threshold is {}", told.join("; "));
        findings.add(Problem::new(ObjectRef::global("Namespace", namespace), evidence));
    }
    findings
}

/// The processes of a workload's pods that told their figures; of the others it is unknown.
fn told<'a>(
    snapshot: &'a Snapshot,
    workload: &Workload,
    findings: &mut Findings,
) -> Vec<&'a Process> {
    if let Some(why) = snapshot.lacks(Fact::Processes) {
        findings.unknown_but(
            workload.reference(),
            format!("what its processes tell: {why}"),
            Fact::Processes.how(),
        );
        return Vec::new();
    }
    let pods = snapshot.pods_of(workload);
    let pods: Vec<&Pod> = pods.into_iter().filter(|pod| pod.is_active()).collect();
    let own = pods.iter().filter_map(|pod| process_of(snapshot, pod));
    let told: Vec<&Process> = own.filter(|one| one.samples.get().is_some()).collect();
    if told.is_empty() || told.len() < pods.len() {
        let what = format!("the figures of {} of {} pods", told.len(), pods.len());
        findings.unknown_but(workload.reference(), what, Fact::Processes.how());
    }
    told
}

fn workers(snapshot: &Snapshot) -> impl Iterator<Item = &Workload> {
    lasting(snapshot)
        .filter(|one| matches!(component(&one.name), Component::Projector | Component::Submitter))
}

fn projectors(snapshot: &Snapshot) -> impl Iterator<Item = &Workload> {
    lasting(snapshot).filter(|one| component(&one.name) == Component::Projector)
}

/// Newest block that a projector has applied, as either of its exporters names it.
fn applied(process: &Process) -> Option<f64> {
    let names = ["projector_applied_block", "projector_blockchain_height"];
    names.into_iter().find_map(|name| process.figure(name, &[]))
}

/// WRK-13
pub(super) fn projector_stands_still(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in projectors(snapshot) {
        let processes = told(snapshot, workload, &mut findings);
        if processes.is_empty() {
            continue;
        }
        // One process leads, and those that wait repeat what it has written.
        let most = |of: &dyn Fn(&Process) -> Option<f64>| {
            processes.iter().filter_map(|one| of(one)).reduce(f64::max)
        };
        let figure = |name: &'static str| most(&|one: &Process| one.figure(name, &[]));
        let lag = figure("projector_lag_blocks");
        let tip = figure("ledger_tip_block").or_else(|| ledger_height(snapshot, workload));
        let behind = figure("projector_behind_seconds");
        let evidence = match (lag, behind, most(&applied), tip) {
            (_, _, Some(applied), Some(tip)) if applied <= 0.0 && tip > 0.0 => {
                format!("no block is applied, and the ledger has {tip}")
            }
            (_, _, Some(applied), None) if applied <= 0.0 => {
                let what = "no block is applied, and the height of the ledger is not told";
                findings.unknown(workload.reference(), what);
                continue;
            }
            (Some(lag), Some(behind), _, _) if lag > 0.0 && behind > 120.0 => {
                format!("{lag} blocks wait, the oldest for {} s", behind.trunc())
            }
            // Blocks that wait may be applied in the next moment.
            (Some(lag), None, _, _) if lag > 0.0 => {
                let what = format!("how long the {lag} blocks that wait have waited");
                findings.unknown(workload.reference(), what);
                continue;
            }
            (Some(_), _, _, _) => {
                findings.looked();
                continue;
            }
            (None, _, _, _) => {
                findings.unknown(workload.reference(), "its figures have no projector_lag_blocks");
                continue;
            }
        };
        findings.looked();
        findings.add(Problem::new(workload.reference(), evidence));
    }
    findings
}

/// The height of the ledger of a workload's environment.
fn ledger_height(snapshot: &Snapshot, workload: &Workload) -> Option<f64> {
    let environment = snapshot.environment(&workload.namespace)?;
    let ledgers = snapshot.ledgers.items().iter().filter(|one| one.environment == environment);
    let heights = ledgers.flat_map(|one| &one.nodes).filter_map(|node| node.height.get());
    // Figures are told as floating point; no height is beyond what it holds exactly.
    heights.max().and_then(|height| u32::try_from(*height).ok()).map(f64::from)
}

const LEADS: &str = "worker_is_leader";

/// WRK-15
pub(super) fn projectors_without_lease(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in projectors(snapshot) {
        if workload.replicas < 2 {
            findings.looked();
            continue;
        }
        let processes = told(snapshot, workload, &mut findings);
        if processes.is_empty() {
            continue;
        }
        let label = [("worker", "projector")];
        let leads: Vec<f64> =
            processes.iter().filter_map(|one| one.figure(LEADS, &label)).collect();
        findings.looked();
        let leaders = leads.iter().filter(|leads| **leads > 0.0).count();
        let evidence = match (leads.len() < processes.len(), leaders) {
            (true, _) => format!(
                "{} replicas, of which {} do not tell who leads",
                workload.replicas,
                processes.len().saturating_sub(leads.len())
            ),
            (false, 2..) => format!("{leaders} of {} processes lead at once", leads.len()),
            (false, _) => continue,
        };
        findings.add(Problem::new(workload.reference(), evidence).field("spec.replicas"));
    }
    findings
}

/// WRK-27
pub(super) fn healthy_and_not_working(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in workers(snapshot) {
        for process in told(snapshot, workload, &mut findings) {
            let samples = process.samples.get().map(Vec::as_slice).unwrap_or_default();
            let status = samples.iter().find(|one| one.name.ends_with("worker_status"));
            let Some(status) = status else {
                // It keeps no such figure, so that nothing contradicts its answers.
                findings.looked();
                continue;
            };
            let is_down = status.value.parse::<f64>().is_ok_and(|value| value == 0.0);
            let answers = match (&process.ready, &process.live) {
                (Known::Known(ready), _) => *ready,
                (Known::Missing(_), Known::Known(live)) => *live,
                (Known::Missing(missing), Known::Missing(_)) => {
                    let subject = workload.reference();
                    findings.unknown(subject, format!("what it answers: {}", missing.missing));
                    continue;
                }
            };
            findings.looked();
            if is_down && answers == 200 {
                let evidence = format!(
                    "{} answers 200 while {} is {}",
                    process.place, status.name, status.value
                );
                let problem = Problem::new(workload.reference(), evidence);
                findings.add(problem.field("spec.template.spec.containers[].readinessProbe"));
                break;
            }
        }
    }
    findings
}
