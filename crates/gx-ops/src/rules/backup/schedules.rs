//! Whether what is to make backups can, does, and says so when it does not.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Findings, Problem};
use super::artifacts::backup_ref;
use crate::facts::{
    Container, CronLine, Known, Object as _, ObjectRef, Snapshot, Workload, WorkloadKind,
};

/// Words of what makes backups.
const WORDS: [&str; 9] =
    ["backup", "backups", "dump", "pg_dump", "pgdump", "rclone", "restic", "snapshot", "etcd"];

fn is_backup(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.split(['/', '-', '.', ' ', ':']).any(|word| WORDS.contains(&word))
}

fn cron_ref(host: &str, line: &CronLine) -> ObjectRef {
    ObjectRef::global("Cron", format!("{host}:{} {}", line.source, line.program))
}

/// Lines of crontabs that make backups, by host.
fn cron_lines<'a>(snapshot: &'a Snapshot, findings: &mut Findings) -> Vec<(&'a str, &'a CronLine)> {
    let mut lines = Vec::new();
    for host in snapshot.hosts.items() {
        match &host.cron {
            Known::Known(cron) => lines.extend(
                cron.iter()
                    .filter(|line| is_backup(&line.program) || is_backup(&line.source))
                    .map(|line| (host.name.as_str(), line)),
            ),
            Known::Missing(missing) => {
                let subject = ObjectRef::global("Host", &host.name);
                findings.unknown(subject, format!("its crontabs: {}", missing.missing));
            }
        }
    }
    lines
}

/// BKP-06
pub(super) fn cannot_start(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (host, line) in cron_lines(snapshot, &mut findings) {
        findings.looked();
        let path = if line.path.is_empty() { "/usr/bin:/bin" } else { &line.path };
        let evidence = match (line.exists, line.executable) {
            (true, true) => continue,
            (false, _) if !line.program.starts_with('/') => {
                format!("{} is not found in cron's PATH, {path}", line.program)
            }
            (false, _) => format!("{} does not exist", line.program),
            (true, false) => format!("{} may not be executed", line.program),
        };
        findings.add(Problem::new(cron_ref(host, line), evidence));
    }
    findings
}

/// CronJobs that make backups.
fn cron_jobs(snapshot: &Snapshot) -> impl Iterator<Item = &Workload> {
    let all = snapshot.workloads.items().iter();
    all.filter(|one| one.kind == WorkloadKind::CronJob && is_backup(&one.name))
}

/// BKP-07
pub(super) fn job_failing(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in cron_jobs(snapshot) {
        let Some(cron) = &workload.cron else {
            findings.unknown(workload.reference(), "its schedule");
            continue;
        };
        findings.looked();
        let jobs = snapshot.workloads.items().iter().filter(|one| {
            let owner = one.owner.as_ref();
            let is_own = owner.is_some_and(|o| o.kind == "CronJob" && o.name == workload.name);
            one.kind == WorkloadKind::Job && one.namespace == workload.namespace && is_own
        });
        let last = jobs.max_by_key(|one| (one.created, one.name.clone()));
        let has_failed = last.and_then(|one| one.job.as_ref()).is_some_and(|job| {
            // One that is tried again has failed before, and may yet succeed.
            job.failed > 0 && job.succeeded == 0 && job.active == 0
        });
        let (field, evidence) = if cron.suspended {
            ("spec.suspend", "it is suspended".to_owned())
        } else if has_failed {
            let name = last.map_or("", |one| one.name.as_str());
            ("spec.jobTemplate", format!("its last job, {name}, has failed"))
        } else if let (Some(at), None) = (cron.last_scheduled, cron.last_successful) {
            ("spec.jobTemplate", format!("it was started, last {at}, and has never succeeded"))
        } else {
            continue;
        };
        findings.add(Problem::new(workload.reference(), evidence).field(field));
    }
    findings
}

/// BKP-12
pub(super) fn log_faults(snapshot: &Snapshot) -> Findings {
    const HOW: &str = "gx ops ask-script | sh -s -- backup-log COMPONENT ENVIRONMENT < LOG";
    let mut findings = Findings::default();
    for backup in snapshot.backups.items() {
        match &backup.log_faults {
            Known::Missing(missing) => {
                let what = format!("the log of its last run: {}", missing.missing);
                findings.unknown_but(backup_ref(backup), what, HOW);
            }
            Known::Known(faults) => {
                findings.looked();
                if !faults.is_empty() {
                    let evidence = format!("its log says: {}", faults.join(", "));
                    findings.add(Problem::new(backup_ref(backup), evidence));
                }
            }
        }
    }
    findings
}

/// The minutes of a day at which a schedule starts; none when it is not understood.
fn starts(schedule: &str) -> Option<BTreeSet<u32>> {
    let fields: Vec<&str> = match schedule {
        "@hourly" => vec!["0", "*", "*", "*", "*"],
        "@daily" | "@midnight" | "@weekly" | "@monthly" => vec!["0", "0", "*", "*", "*"],
        _ => schedule.split_whitespace().collect(),
    };
    let [minutes, hours, _, _, _] = fields.as_slice() else { return None };
    let (minutes, hours) = (values(minutes, 59)?, values(hours, 23)?);
    let starts = hours.iter().flat_map(|hour| {
        minutes.iter().map(move |minute| hour.saturating_mul(60).saturating_add(*minute))
    });
    Some(starts.collect())
}

/// The values of a field of a schedule, such as `*/15`, `1-5` or `0,30`.
fn values(field: &str, most: u32) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (0, most),
            Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
            None => {
                let one = range.parse().ok()?;
                (one, if part.contains('/') { most } else { one })
            }
        };
        found.extend((from..=to.min(most)).step_by(step));
    }
    Some(found)
}

/// BKP-17
pub(super) fn at_once(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut schedules: BTreeMap<&str, Vec<(String, &str)>> = BTreeMap::new();
    for (host, line) in cron_lines(snapshot, &mut findings) {
        schedules.entry(host).or_default().push((line.program.clone(), &line.schedule));
    }
    for workload in cron_jobs(snapshot) {
        let Some(cron) = workload.cron.as_ref().filter(|cron| !cron.suspended) else { continue };
        let name = format!("{}/{}", workload.namespace, workload.name);
        schedules.entry("cluster").or_default().push((name, &cron.schedule));
    }
    for (place, all) in schedules {
        let kind = if place == "cluster" { "Cluster" } else { "Host" };
        let mut at: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        let mut strange = Vec::new();
        for (name, schedule) in &all {
            match starts(schedule) {
                Some(minutes) => minutes.into_iter().for_each(|minute| {
                    at.entry(minute).or_default().insert(name);
                }),
                // What runs at boot has no time.
                None if schedule.starts_with('@') => {}
                None => strange.push(name.as_str()),
            }
        }
        if !strange.is_empty() {
            let what = format!("when {} start", strange.join(", "));
            findings.unknown(ObjectRef::global(kind, place), what);
        }
        findings.looked();
        if let Some((minute, names)) =
            at.iter().max_by_key(|(minute, names)| (names.len(), std::cmp::Reverse(**minute)))
            && names.len() > 1
        {
            let names: Vec<&str> = names.iter().copied().collect();
            let evidence =
                format!("{} start at {:02}:{:02}", names.join(", "), minute / 60, minute % 60);
            findings.add(Problem::new(ObjectRef::global(kind, place), evidence));
        }
    }
    findings
}

/// Users and databases that a container logs in with, by the names of its settings.
fn logins(container: &Container) -> (Vec<&str>, Vec<&str>) {
    let (mut users, mut databases) = (Vec::new(), Vec::new());
    for env in &container.env {
        let Some(value) = &env.value else { continue };
        if let Some(dsn) = value.dsn().filter(|dsn| dsn.scheme.starts_with("postgres")) {
            users.extend(dsn.user.as_deref());
            databases.extend(dsn.database.as_deref());
        }
        let Some(text) = value.plain() else { continue };
        match env.name.as_str() {
            "PGUSER" | "POSTGRES_USER" | "DB_USER" | "DATABASE_USER" => users.push(text),
            "PGDATABASE" | "POSTGRES_DB" | "DB_NAME" | "DATABASE_NAME" => databases.push(text),
            _ => {}
        }
    }
    (users, databases)
}

/// BKP-18
pub(super) fn wrong_login(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for workload in cron_jobs(snapshot) {
        let (mut users, mut databases) = (Vec::new(), Vec::new());
        for container in workload.template.spec.all_containers() {
            let (own_users, own_databases) = logins(container);
            users.extend(own_users);
            databases.extend(own_databases);
        }
        if users.is_empty() && databases.is_empty() {
            continue;
        }
        let environment = snapshot.environment(&workload.namespace);
        let servers: Vec<_> = snapshot
            .postgres
            .items()
            .iter()
            .filter(|one| {
                let own = super::super::shared::place_environment(snapshot, &one.place);
                own == environment || own.is_none()
            })
            .collect();
        if servers.is_empty() {
            findings.unknown(workload.reference(), "which users and databases there are");
            continue;
        }
        findings.looked();
        let mut wrong = Vec::new();
        let has_role = |name: &&str| {
            servers.iter().any(|one| one.roles.iter().any(|r| r.name == **name && r.can_login))
        };
        for user in users.iter().filter(|user| !has_role(user)) {
            wrong.push(format!("no user {user} may log in"));
        }
        let has_database = |name: &&str| {
            let mut known = servers.iter().filter_map(|one| one.databases.get()).flatten();
            known.any(|one| one.name == **name)
        };
        let is_told = servers.iter().any(|one| one.databases.get().is_some());
        for database in databases.iter().filter(|name| is_told && !has_database(name)) {
            wrong.push(format!("there is no database {database}"));
        }
        if !wrong.is_empty() {
            let problem = Problem::new(workload.reference(), wrong.join("; "));
            findings.add(problem.field("spec.jobTemplate.spec.template.spec.containers.env"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_start_when_cron_starts_them() {
        let of = |schedule: &str| starts(schedule).map(|all| all.into_iter().collect::<Vec<u32>>());
        assert_eq!(of("15 4 * * *"), Some(vec![255]));
        assert_eq!(of("0 */12 * * *"), Some(vec![0, 720]));
        assert_eq!(of("0,30 1-2 * * 0"), Some(vec![60, 90, 120, 150]));
        assert_eq!(of("@daily"), Some(vec![0]));
        assert_eq!(of("@reboot"), None);
        assert_eq!(of("x 4 * * *"), None);
        assert_eq!(of("*/0 4 * * *"), None);
        assert_eq!(values("50/5", 59), Some(vec![50, 55]));
    }
}
