//! What is saved, where to, and whether that is of use.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{Component, is_backup_name, newest_backup, operated_databases, sets};
use super::super::{Findings, Problem};
use super::artifacts::{backup_ref, newest};
use crate::facts::{
    Artifact, Backup, Claim, Fact, Known, Object as _, ObjectRef, Snapshot, Workload, WorkloadKind,
};

const DAY: u64 = 86_400;

/// What cannot be made again when it is lost.
fn is_of_worth(component: Component) -> bool {
    match component {
        Component::Postgres
        | Component::Authority
        | Component::Peer
        | Component::Orderer
        | Component::CouchDb => true,
        Component::Redis
        | Component::Sentinel
        | Component::Chaincode
        | Component::Projector
        | Component::Submitter
        | Component::Prometheus
        | Component::Alertmanager
        | Component::Grafana
        | Component::Other => false,
    }
}

/// Whether a job of the cluster is named after backups of a component.
fn is_job_of(workload: &Workload, component: Component) -> bool {
    let is_backup = workload.name.split('-').any(|word| word == "backup" || word == "dump");
    workload.kind == WorkloadKind::CronJob && is_backup && is_backup_name(&workload.name, component)
}

/// A network for tests may do without.
fn severity(environment: &str) -> Severity {
    match environment {
        "devnet" | "testnet" => Severity::Medium,
        _ => Severity::Critical,
    }
}

/// BKP-01
pub(super) fn nothing_defined(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let sets = sets(snapshot, is_of_worth).into_iter();
    let sets = sets.map(|set| (set.namespace.to_owned(), set.component, set.reference()));
    let operated = operated_databases(snapshot).into_keys().map(|(namespace, name)| {
        let subject = ObjectRef::new("Cluster", namespace, name);
        (namespace.to_owned(), Component::Postgres, subject)
    });
    for (namespace, component, subject) in sets.chain(operated) {
        findings.looked();
        let environment = snapshot.environment(&namespace).unwrap_or_default();
        let is_saved = snapshot.backups.items().iter().any(|one| {
            let is_of_it = one.environment.is_empty() || one.environment == environment;
            is_of_it && is_backup_name(&one.component, component)
        });
        let has_job = snapshot.workloads.items().iter().any(|one| {
            let own = snapshot.environment(&one.namespace).unwrap_or_default();
            own == environment && is_job_of(one, component)
        });
        if !is_saved && !has_job {
            let evidence = format!("no backup of {component:?} is defined");
            findings.add(Problem::new(subject, evidence).severity(severity(environment)));
        }
    }
    // An embedded ledger is a file of the platform, with no workload of its own.
    for ledger in snapshot.ledgers.items().iter().filter(|one| one.engine == "embedded") {
        findings.looked();
        let is_saved = snapshot.backups.items().iter().any(|one| {
            let is_of_it = one.environment.is_empty() || one.environment == ledger.environment;
            is_of_it && is_backup_name(&one.component, Component::Peer)
        });
        if !is_saved {
            let severity = severity(&ledger.environment);
            let subject = ObjectRef::new("Ledger", &ledger.environment, &ledger.name);
            let problem = Problem::new(subject, "no backup of the embedded ledger is defined");
            findings.add(problem.severity(severity));
        }
    }
    findings
}

/// Backups with a target, by environment and component.
fn by_component(snapshot: &Snapshot) -> BTreeMap<(&str, &str), Vec<&Backup>> {
    let mut components: BTreeMap<(&str, &str), Vec<&Backup>> = BTreeMap::new();
    for backup in snapshot.backups.items().iter().filter(|one| !one.target.is_empty()) {
        let key = (backup.environment.as_str(), backup.component.as_str());
        components.entry(key).or_default().push(backup);
    }
    components
}

/// BKP-08
pub(super) fn nothing_off_site(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ((environment, component), backups) in by_component(snapshot) {
        let subject = ObjectRef::new("Component", environment, component);
        let away = backups.iter().filter(|one| one.off_site == Known::Known(true));
        let newest_away = away.filter_map(|one| newest(one)).map(|one| snapshot.age(one.at)).min();
        let unknown = backups.iter().filter_map(|one| one.off_site.reason()).next();
        match (newest_away, unknown) {
            (Some(age), _) if age <= DAY => findings.looked(),
            (_, Some(why)) => findings.unknown(subject, format!("where its copies are: {why}")),
            (Some(age), None) => {
                findings.looked();
                let evidence = format!("the newest copy elsewhere is {} hours old", age / 3600);
                findings.add(Problem::new(subject, evidence));
            }
            (None, None) => {
                findings.looked();
                findings.add(Problem::new(subject, "there is no copy elsewhere"));
            }
        }
    }
    findings
}

/// BKP-13
pub(super) fn in_clear(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for backup in snapshot.backups.items().iter().filter(|one| !one.artifacts.is_empty()) {
        match &backup.off_site {
            Known::Known(true) => {}
            Known::Known(false) => continue,
            Known::Missing(missing) => {
                let what = format!("whether it is elsewhere: {}", missing.missing);
                findings.unknown(backup_ref(backup), what);
                continue;
            }
        }
        let clear: Vec<&Artifact> =
            backup.artifacts.iter().filter(|one| one.encrypted == Known::Known(false)).collect();
        let unknown = backup.artifacts.iter().find_map(|one| one.encrypted.reason());
        if let Some(last) = clear.iter().max_by_key(|one| one.at) {
            findings.looked();
            let evidence = format!(
                "{} of {} are in clear, such as {}",
                clear.len(),
                backup.artifacts.len(),
                last.name
            );
            findings.add(Problem::new(backup_ref(backup), evidence));
        } else if let Some(why) = unknown {
            findings.unknown(backup_ref(backup), format!("whether it is encrypted: {why}"));
        } else {
            findings.looked();
        }
    }
    findings
}

/// BKP-14
pub(super) fn no_room(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for backup in snapshot.backups.items() {
        // What is kept elsewhere needs no room here.
        let is_folder = backup.target.starts_with('/');
        let Some(newest) = newest(backup).filter(|_| is_folder && !backup.host.is_empty()) else {
            continue;
        };
        let host = snapshot.hosts.items().iter().find(|one| one.name == backup.host);
        let Some(mounts) = host.and_then(|host| host.mounts.get()) else {
            let what = format!("how much room {} has", backup.host);
            findings.unknown(backup_ref(backup), what);
            continue;
        };
        let holds = |path: &str| {
            let below = backup.target.strip_prefix(path.trim_end_matches('/'));
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        // The deepest mount point that the target lies below.
        let mount = mounts.iter().filter(|one| holds(&one.path)).max_by_key(|one| one.path.len());
        let Some(mount) = mount else {
            findings.unknown(backup_ref(backup), "on which disk it lies");
            continue;
        };
        findings.looked();
        let needed = newest.bytes.saturating_add(newest.bytes / 5);
        if mount.available_bytes < needed {
            let evidence = format!(
                "{} has {} MiB free, the last backup and a fifth are {} MiB",
                mount.path,
                mount.available_bytes >> 20,
                needed >> 20
            );
            findings.add(Problem::new(backup_ref(backup), evidence));
        }
    }
    findings
}

/// The workload whose pods use a claim, or whose claims are named so.
fn owner<'a>(snapshot: &'a Snapshot, claim: &Claim) -> Option<&'a Workload> {
    let users = snapshot.users_of(claim).into_iter();
    let used = users.filter_map(|pod| snapshot.workload_of(pod)).next();
    used.or_else(|| {
        snapshot.top_workloads().find(|one| {
            let of_it = one.claim_templates.iter().any(|template| {
                let beginning = format!("{}-{}-", template.name, one.name);
                let number = claim.name.strip_prefix(&beginning);
                number.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
            });
            one.namespace == claim.namespace && of_it
        })
    })
}

/// BKP-16
pub(super) fn deleted_unsaved(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for claim in snapshot.claims.items() {
        findings.looked();
        let Some(deleting) = claim.deleting else { continue };
        let Some(workload) = owner(snapshot, claim) else {
            findings.unknown(claim.reference(), "whose data it holds");
            continue;
        };
        let component = super::super::shared::component(&workload.name);
        if !is_of_worth(component) {
            continue;
        }
        let environment = snapshot.environment(&claim.namespace).unwrap_or_default();
        let newest = newest_backup(snapshot, environment, component);
        let is_fresh = newest.is_some_and(|(_, artifact)| {
            let is_proved = artifact.verified.is_some() || artifact.drilled.is_some();
            // One from after the deletion began has all that there was.
            is_proved && deleting.seconds_since(artifact.at) <= 3600
        });
        if !is_fresh {
            let newest = newest.map_or_else(
                || "there is no backup".to_owned(),
                |(_, artifact)| {
                    let proved = if artifact.verified.is_some() { "" } else { ", not verified" };
                    format!("the newest backup is of {}{proved}", artifact.at)
                },
            );
            let evidence = format!("it is being deleted since {deleting}, and {newest}");
            findings.add(Problem::new(claim.reference(), evidence).because(workload.reference()));
        }
    }
    findings
}

/// BKP-19
pub(super) fn several_systems(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ((environment, component), backups) in by_component(snapshot) {
        let subject = ObjectRef::new("Component", environment, component);
        let targets: BTreeSet<&str> = backups.iter().map(|one| one.target.as_str()).collect();
        if targets.len() < 2 {
            findings.looked();
            continue;
        }
        let days: BTreeSet<u32> = backups.iter().filter_map(|one| one.retention_days).collect();
        if backups.iter().any(|one| one.retention_days.is_none()) && days.len() < 2 {
            findings.unknown(subject, "for how long each of its backups is kept");
            continue;
        }
        findings.looked();
        if days.len() > 1 {
            let told: Vec<String> = backups
                .iter()
                .filter_map(|one| Some(format!("{} for {} days", one.target, one.retention_days?)))
                .collect();
            findings.add(Problem::new(subject, told.join(", ")));
        }
    }
    findings
}

/// BKP-20
pub(super) fn wrong_source(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let dumps = snapshot.backups.items().iter().filter(|one| {
        one.component != "platform" && is_backup_name(&one.component, Component::Postgres)
    });
    for backup in dumps {
        if backup.taken_from.is_empty() {
            findings.unknown(backup_ref(backup), "which server it is taken from");
            continue;
        }
        let servers = snapshot.postgres.items();
        let Some(source) = servers.iter().find(|one| one.place == backup.taken_from) else {
            let what = format!("{} was not asked what it is", backup.taken_from);
            findings.unknown_but(backup_ref(backup), what, Fact::Postgres.how());
            continue;
        };
        findings.looked();
        let namespace = |place: &str| place.split('/').next().unwrap_or_default().to_owned();
        let others: Vec<&str> = servers
            .iter()
            .filter(|one| !one.in_recovery && one.place != source.place)
            .filter(|one| namespace(&one.place) == namespace(&source.place))
            .map(|one| one.place.as_str())
            .collect();
        let evidence = match source.in_recovery {
            // A standby that streams has what the primary has.
            true if source.receiver == "streaming" => continue,
            true => format!("{} is a standby that receives nothing", source.place),
            false if others.is_empty() => continue,
            false => format!(
                "{} takes writes, and so does {}: which has the data is not known",
                source.place,
                others.join(", ")
            ),
        };
        findings.add(Problem::new(backup_ref(backup), evidence));
    }
    findings
}
