//! Commands on their way to the ledger, and blocks on their way back.

use gx_types::Severity;

use super::super::shared::{most_told as most, network_ref, networks};
use super::super::{Findings, Problem};
use crate::facts::Snapshot;

/// Seconds after which a command that is queued has waited.
const WAITED: f64 = 10.0;

/// DAT-08
pub(super) fn queue(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (name, processes) in networks(snapshot, &mut findings) {
        let Some(queued) = most(&processes, "outbox_queue_depth") else {
            findings.unknown(network_ref(name), "how many commands wait: no process tells");
            continue;
        };
        findings.looked();
        let oldest = most(&processes, "outbox_oldest_queued_seconds");
        let has_waited = oldest.is_none_or(|seconds| seconds > WAITED);
        if queued <= 100.0 || !has_waited {
            continue;
        }
        let severity = if queued > 500.0 { Severity::Critical } else { Severity::Medium };
        let age = oldest.map_or_else(String::new, |s| format!(", the oldest for {s:.0} seconds"));
        let problem = Problem::new(network_ref(name), format!("{queued} commands wait{age}"));
        findings.add(problem.severity(severity));
    }
    findings
}

/// DAT-09
pub(super) fn dead(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (name, processes) in networks(snapshot, &mut findings) {
        let Some(dead) = most(&processes, "dead_commands") else {
            findings.unknown(network_ref(name), "how many were set aside: no process tells");
            continue;
        };
        findings.looked();
        let severity = match dead {
            dead if dead > 50.0 => Severity::Critical,
            dead if dead > 10.0 => Severity::High,
            dead if dead > 0.0 => Severity::Medium,
            _ => continue,
        };
        let evidence = format!("{dead} commands were set aside");
        findings.add(Problem::new(network_ref(name), evidence).severity(severity));
    }
    findings
}

/// Classes of errors that pass by themselves.
const PASSING: [&str; 4] = ["unavailable", "timeout", "starting", "waiting"];

/// DAT-10
pub(super) fn lane_stuck(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (name, processes) in networks(snapshot, &mut findings) {
        let checks = processes.iter().flat_map(|one| &one.checks);
        let checks: Vec<_> = checks.filter(|check| check.name == "submission").collect();
        if checks.is_empty() {
            findings.unknown(network_ref(name), "what keeps commands from the ledger");
            continue;
        }
        findings.looked();
        let failing = checks.iter().find(|check| {
            let class = check.detail.split(':').next().unwrap_or_default();
            !check.ok && !PASSING.contains(&class)
        });
        if let Some(check) = failing {
            findings.add(Problem::new(network_ref(name), check.detail.clone()));
        }
    }
    findings
}

/// DAT-11
pub(super) fn projection(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (name, processes) in networks(snapshot, &mut findings) {
        let Some(blocks) = most(&processes, "projector_lag_blocks") else {
            findings.unknown(network_ref(name), "how far read models are: no process tells");
            continue;
        };
        findings.looked();
        let behind = most(&processes, "projector_behind_seconds");
        // A burst of blocks is applied at once; only what stays is lag.
        if blocks > 100.0 && behind.is_none_or(|seconds| seconds > 120.0) {
            let age =
                behind.map_or_else(String::new, |s| format!(", the oldest for {s:.0} seconds"));
            let evidence = format!("{blocks} blocks are not applied{age}");
            findings.add(Problem::new(network_ref(name), evidence));
        }
    }
    findings
}
