//! What processes of the platform count and measure of themselves.

use std::collections::BTreeMap;

use gx_types::Severity;

use super::super::shared::{Variables, most_told, network_ref, networks};
use super::super::{Findings, Problem};
use super::process_ref;
use crate::facts::{Process, Sample, Snapshot};

/// The figures of a name that a process tells.
pub(super) fn figures<'a>(
    process: &'a Process,
    name: &'a str,
) -> impl Iterator<Item = (&'a Sample, f64)> {
    let samples = process.samples.get().into_iter().flatten();
    samples.filter(move |one| one.name == name).filter_map(|one| {
        let value: f64 = one.value.parse().ok()?;
        value.is_finite().then_some((one, value))
    })
}

fn label<'a>(sample: &'a Sample, name: &str) -> &'a str {
    sample.labels.get(name).map_or("", String::as_str)
}

/// Processes that tell figures; of the others it is noted that they do not.
pub(super) fn telling<'a>(snapshot: &'a Snapshot, findings: &mut Findings) -> Vec<&'a Process> {
    let mut found = Vec::new();
    for process in snapshot.processes.items() {
        match process.samples.reason() {
            Some(why) => findings.unknown(process_ref(process), format!("its figures: {why}")),
            None => found.push(process),
        }
    }
    found
}

/// Holds the largest of a figure of each network against a limit.
fn of_networks(
    snapshot: &Snapshot,
    figure: &str,
    what: &str,
    judge: impl Fn(f64) -> Option<String>,
) -> Findings {
    let mut findings = Findings::default();
    for (name, processes) in networks(snapshot, &mut findings) {
        let Some(most) = most_told(&processes, figure) else {
            findings.unknown(network_ref(name), format!("{what}: no process tells"));
            continue;
        };
        findings.looked();
        if let Some(evidence) = judge(most) {
            findings.add(Problem::new(network_ref(name), evidence));
        }
    }
    findings
}

/// PLT-01
pub(super) fn not_conserved(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (name, processes) in networks(snapshot, &mut findings) {
        // What is missing and what is too much are both wrong; only one process adds up.
        let told: Vec<f64> = processes
            .iter()
            .flat_map(|one| figures(one, "supply_missing_qirat"))
            .map(|(_, value)| value)
            .collect();
        if told.is_empty() {
            findings.unknown(network_ref(name), "what the accounts hold together: nobody tells");
            continue;
        }
        findings.looked();
        if let Some(missing) = told.into_iter().find(|value| *value != 0.0) {
            let evidence = match missing > 0.0 {
                true => format!("{missing} Qirat are missing"),
                false => format!("there are {} Qirat too many", -missing),
            };
            findings.add(Problem::new(network_ref(name), evidence));
        }
    }
    findings
}

/// Whether one of the processes leads a worker.
fn leads(processes: &[&Process], worker: &str) -> bool {
    let mut told = processes.iter().flat_map(|one| figures(one, "worker_is_leader"));
    told.any(|(sample, value)| value == 1.0 && label(sample, "worker") == worker)
}

/// PLT-02
pub(super) fn not_added_up(snapshot: &Snapshot) -> Findings {
    const HOUR: f64 = 3600.0;
    let mut findings = Findings::default();
    for (name, processes) in networks(snapshot, &mut findings) {
        let figure = "supply_checked_timestamp_seconds";
        let Some(newest) = most_told(&processes, figure) else {
            findings.unknown(network_ref(name), "when the supply was added up: nobody tells");
            continue;
        };
        let asked = processes.iter().map(|one| one.at).max().unwrap_or(snapshot.taken);
        let age = asked.seconds() as f64 - newest;
        // The one that does it may be one that was not asked.
        if age > HOUR && !leads(&processes, "housekeeper") {
            let what = "when the supply was added up: the process that does it was not asked";
            findings.unknown(network_ref(name), what);
            continue;
        }
        findings.looked();
        if age > HOUR {
            let evidence = match newest > 0.0 {
                true => format!("it was last added up {:.0} minutes ago", age / 60.0),
                false => "it was never added up".to_owned(),
            };
            findings.add(Problem::new(network_ref(name), evidence));
        }
    }
    findings
}

/// Rows with the settings that say how long they are kept, and days without them.
const KEPT: [(&str, &str, u32); 4] = [
    ("commands", "GX_RETENTION__SETTLED_COMMANDS_DAYS", 30),
    ("sessions", "GX_RETENTION__ENDED_SESSIONS_DAYS", 30),
    ("notifications", "GX_RETENTION__NOTIFICATIONS_DAYS", 180),
    ("webhook_deliveries", "GX_RETENTION__WEBHOOK_DELIVERIES_DAYS", 30),
];

/// Days for which a process keeps rows of a kind: 0 is for ever, none when it cannot be told.
fn kept_days(snapshot: &Snapshot, process: &Process, setting: &str, usual: u32) -> Option<u32> {
    let (namespace, name) = process.place.strip_prefix("Pod ")?.split_once('/')?;
    let pod = snapshot.pod(namespace, name)?;
    let mut days = usual;
    for container in &pod.spec.containers {
        let variables = Variables::of(snapshot, namespace, container);
        match variables.by_name.get(setting) {
            Some(variable) => days = variable.value?.plain()?.parse().ok()?,
            None if !variables.unknown.is_empty() => return None,
            None => {}
        }
    }
    Some(days)
}

/// PLT-03
pub(super) fn not_removed(snapshot: &Snapshot) -> Findings {
    const DAY: f64 = 86_400.0;
    let mut findings = Findings::default();
    for process in telling(snapshot, &mut findings) {
        for (sample, age) in figures(process, "housekeeping_oldest_kept_seconds") {
            let kind = label(sample, "kind");
            let Some((_, setting, usual)) = KEPT.iter().find(|(of, _, _)| *of == kind) else {
                continue;
            };
            // The rows are within what is usual, or nobody can say.
            let within = |days: u32| age <= (f64::from(days) + 1.0) * DAY;
            match kept_days(snapshot, process, setting, *usual) {
                None if within(*usual) => findings.looked(),
                None => findings.unknown(process_ref(process), format!("its setting {setting}")),
                Some(0) => findings.looked(),
                Some(days) => {
                    findings.looked();
                    if !within(days) {
                        let evidence = format!(
                            "the oldest row of {kind} is {:.0} days old and is to be kept for \
                             {days}",
                            age / DAY
                        );
                        findings.add(Problem::new(process_ref(process), evidence));
                    }
                }
            }
        }
    }
    findings
}

/// PLT-04
pub(super) fn dependency_away(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for process in telling(snapshot, &mut findings) {
        for (sample, value) in figures(process, "dependency_up") {
            findings.looked();
            if value != 0.0 {
                continue;
            }
            let (severity, what) = match label(sample, "dependency") {
                "database" => (Severity::Critical, "its database"),
                "documents" => (Severity::High, "the place of documents"),
                "virus_scanner" => (Severity::High, "the virus scanner"),
                "redis" => (Severity::Medium, "Redis"),
                other => (Severity::Medium, other),
            };
            let problem = Problem::new(process_ref(process), format!("{what} does not answer it"));
            findings.add(problem.severity(severity));
        }
    }
    findings
}

/// PLT-05
pub(super) fn clock_offset(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for process in telling(snapshot, &mut findings) {
        for (_, offset) in figures(process, "database_clock_offset_seconds") {
            findings.looked();
            let off = offset.abs();
            // A lease lasts for three seconds.
            let severity = match off {
                off if off > 3.0 => Severity::Critical,
                off if off > 0.5 => Severity::High,
                _ => continue,
            };
            let way = if offset > 0.0 { "ahead of" } else { "behind" };
            let evidence = format!("the database's clock is {off:.1} seconds {way} its own");
            findings.add(Problem::new(process_ref(process), evidence).severity(severity));
        }
    }
    findings
}

/// PLT-06
pub(super) fn pool_full(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for process in telling(snapshot, &mut findings) {
        let most: BTreeMap<&str, f64> = figures(process, "database_connections_max")
            .map(|(sample, value)| (label(sample, "pool"), value))
            .collect();
        for (sample, used) in figures(process, "database_connections_in_use") {
            let pool = label(sample, "pool");
            // The writer of SQLite is one connection, which works or does not.
            let Some(most) = most.get(pool).filter(|most| **most > 0.0 && pool != "writer") else {
                continue;
            };
            findings.looked();
            if used / most > 0.9 {
                let evidence = format!("{used} of {most} connections of {pool} are in use");
                findings.add(Problem::new(process_ref(process), evidence));
            }
        }
    }
    findings
}

/// PLT-07
pub(super) fn hashing(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for process in telling(snapshot, &mut findings) {
        let of = |name| figures(process, name).next().map(|(_, value)| value);
        let (Some(waiting), Some(most)) =
            (of("password_hashes_waiting"), of("password_hashes_max"))
        else {
            continue;
        };
        findings.looked();
        if most > 0.0 && waiting / most > 0.5 {
            let evidence = format!("{waiting} passwords are hashed or wait, {most} may");
            findings.add(Problem::new(process_ref(process), evidence));
        }
    }
    findings
}

/// PLT-08
pub(super) fn notifier_behind(snapshot: &Snapshot) -> Findings {
    of_networks(snapshot, "notifier_lag_blocks", "of how many blocks nobody was told", |blocks| {
        (blocks > 100.0).then(|| format!("nobody was told of {blocks} applied blocks"))
    })
}

/// PLT-09
pub(super) fn messages(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (name, processes) in networks(snapshot, &mut findings) {
        for (check, what) in [("mail", "mail"), ("texts", "text messages")] {
            let told: Vec<_> = processes
                .iter()
                .flat_map(|one| &one.checks)
                .filter(|one| one.name == check && !one.detail.starts_with("starting"))
                .collect();
            if told.is_empty() {
                findings.unknown(network_ref(name), format!("whether {what} gets away"));
                continue;
            }
            findings.looked();
            if let Some(failing) = told.iter().find(|one| !one.ok) {
                let evidence = format!("{what}: {}", failing.detail);
                findings.add(Problem::new(network_ref(name), evidence));
            }
        }
    }
    findings
}

/// PLT-10
pub(super) fn webhooks(snapshot: &Snapshot) -> Findings {
    let figure = "webhook_deliveries_pending";
    of_networks(snapshot, figure, "how many messages endpoints have not taken", |waiting| {
        (waiting > 1000.0).then(|| format!("{waiting} messages to endpoints wait"))
    })
}

/// PLT-11
pub(super) fn refusals(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (name, processes) in networks(snapshot, &mut findings) {
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for (sample, value) in processes
            .iter()
            .flat_map(|one| figures(one, "commands_settled_total").collect::<Vec<_>>())
        {
            *sums.entry(label(sample, "outcome")).or_default() += value;
        }
        if sums.is_empty() {
            findings.unknown(network_ref(name), "how many commands were refused: nobody tells");
            continue;
        }
        findings.looked();
        let (all, refused): (f64, f64) =
            (sums.values().sum(), sums.get("refused").copied().unwrap_or(0.0));
        // Of a few commands a few refusals say nothing.
        if all >= 100.0 && refused / all > 0.5 {
            let evidence = format!("{refused} of {all} commands were refused since the start");
            findings.add(Problem::new(network_ref(name), evidence));
        }
    }
    findings
}
