//! What the platform needs of PostgreSQL.

use std::collections::BTreeSet;

use gx_types::Severity;

use super::super::shared::{Variables, all_containers, place_environment};
use super::super::{Findings, Problem};
use crate::facts::{Fact, Known, ObjectRef, Postgres, Snapshot};

fn server_ref(server: &Postgres) -> ObjectRef {
    ObjectRef::global("Postgres", &server.place)
}

/// PLT-24
pub(super) fn careless_settings(snapshot: &Snapshot) -> Findings {
    let wanted = [
        ("fsync", Severity::Critical),
        ("full_page_writes", Severity::Critical),
        ("synchronous_commit", Severity::High),
    ];
    let mut findings = Findings::default();
    for server in snapshot.postgres.items() {
        for (setting, severity) in wanted {
            let Some(value) = server.settings.get(setting) else {
                findings.unknown(server_ref(server), format!("its setting {setting}"));
                continue;
            };
            findings.looked();
            if value == "off" {
                let problem = Problem::new(server_ref(server), format!("{setting} is off"));
                findings.add(problem.severity(severity));
            }
        }
    }
    findings
}

/// PLT-25
pub(super) fn transaction_ids(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for server in snapshot.postgres.items() {
        let databases = match &server.databases {
            Known::Known(databases) => databases,
            Known::Missing(missing) => {
                findings.unknown(server_ref(server), format!("databases: {}", missing.missing));
                continue;
            }
        };
        for database in databases {
            findings.looked();
            // At two thousand millions it takes no more writes.
            let severity = match database.xid_age {
                age if age > 1_500_000_000 => Severity::Critical,
                age if age > 800_000_000 => Severity::High,
                _ => continue,
            };
            let evidence =
                format!("{} has used {} since its last freeze", database.name, database.xid_age);
            findings.add(Problem::new(server_ref(server), evidence).severity(severity));
        }
    }
    findings
}

/// PLT-26
pub(super) fn slots(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for server in snapshot.postgres.items() {
        let slots = match &server.slots {
            Known::Known(slots) => slots,
            Known::Missing(missing) => {
                findings.unknown(server_ref(server), format!("its slots: {}", missing.missing));
                continue;
            }
        };
        findings.looked();
        // One whose log is lost holds nothing back any more.
        let idle: Vec<&str> = slots
            .iter()
            .filter(|one| !one.active && one.wal_status != "lost")
            .map(|one| one.name.as_str())
            .collect();
        if !idle.is_empty() {
            let evidence = format!("nobody reads {}", idle.join(", "));
            findings.add(Problem::new(server_ref(server), evidence));
        }
    }
    findings
}

/// PLT-27
pub(super) fn not_archived(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for server in snapshot.postgres.items() {
        let Some(mode) = server.settings.get("archive_mode") else {
            findings.unknown(server_ref(server), "its setting archive_mode");
            continue;
        };
        // A standby archives with `always` alone, and whoever archives nothing relies on dumps.
        if mode == "off" || (server.in_recovery && mode != "always") {
            findings.looked();
            continue;
        }
        let archiver = match &server.archiver {
            Known::Known(archiver) => archiver,
            Known::Missing(missing) => {
                findings.unknown(server_ref(server), format!("archiving: {}", missing.missing));
                continue;
            }
        };
        findings.looked();
        let evidence = match (archiver.archived, archiver.failed) {
            (None, Some(at)) => format!("it was never archived, and failed on {at}"),
            (Some(done), Some(failed)) if failed > done => {
                format!("it was last archived at {done} and failed at {failed}")
            }
            _ => continue,
        };
        findings.add(Problem::new(server_ref(server), evidence));
    }
    findings
}

/// PLT-28
pub(super) fn locks(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for server in snapshot.postgres.items() {
        findings.looked();
        if server.waiting > 0 && server.longest_wait_seconds > 30 {
            let evidence = format!(
                "{} sessions wait for a lock, the longest for {} seconds",
                server.waiting, server.longest_wait_seconds
            );
            findings.add(Problem::new(server_ref(server), evidence));
        }
    }
    findings
}

/// Users as whom the containers of an environment log in to PostgreSQL, with who they are.
fn users<'a>(
    snapshot: &'a Snapshot,
    environment: Option<&str>,
) -> (BTreeSet<(&'a str, String)>, bool) {
    let mut found = BTreeSet::new();
    let mut is_complete = true;
    for (workload, container) in all_containers(snapshot) {
        if snapshot.environment(&workload.namespace) != environment {
            continue;
        }
        let variables = Variables::of(snapshot, &workload.namespace, container);
        is_complete &= variables.unknown.is_empty();
        let names = variables.by_name.values().filter_map(|one| one.value);
        let dsn = names.filter_map(|value| value.dsn());
        let dsn = dsn.filter(|dsn| dsn.scheme.starts_with("postgres"));
        let user = dsn.filter_map(|dsn| Some((dsn.user.as_deref()?, workload.name.clone())));
        found.extend(user);
        if let Some(variable) = variables.by_name.get("GX_DATABASE__USER") {
            match variable.value.and_then(|value| value.plain()) {
                Some(user) => {
                    found.insert((user, workload.name.clone()));
                }
                None => is_complete = false,
            }
        }
    }
    (found, is_complete)
}

/// PLT-29
pub(super) fn superuser(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for server in snapshot.postgres.items() {
        let environment = place_environment(snapshot, &server.place);
        let (users, is_complete) = users(snapshot, environment);
        let is_super =
            |user: &str| server.roles.iter().any(|role| role.name == user && role.is_superuser);
        let by: Vec<String> = users
            .iter()
            .filter(|(user, _)| is_super(user))
            .map(|(user, workload)| format!("{workload} as {user}"))
            .collect();
        if !by.is_empty() {
            findings.looked();
            findings.add(Problem::new(server_ref(server), by.join(", ")));
        } else if !is_complete
            || snapshot.lacks(Fact::Secrets).is_some()
            || snapshot.lacks(Fact::ConfigMaps).is_some()
        {
            findings.unknown(server_ref(server), "as whom all workloads log in");
        } else if !users.is_empty() {
            findings.looked();
        }
    }
    findings
}
