//! PostgreSQL and Redis: who holds what, and who follows whom.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{
    Component, bound_hosts, component, newest_backup, operated_databases, place_environment, sets,
};
use super::super::{Findings, Problem};
use crate::facts::{
    Known, Object as _, ObjectRef, PgDatabase, Pod, Postgres, Process, Redis, Snapshot, Workload,
};

fn place(pod: &Pod) -> String {
    format!("Pod {}/{}", pod.namespace, pod.name)
}

/// The server that runs in a pod.
fn server<'a>(snapshot: &'a Snapshot, pod: &Pod) -> Option<&'a Postgres> {
    let place = place(pod);
    snapshot.postgres.items().iter().find(|one| one.place == place)
}

fn server_ref(server: &Postgres) -> ObjectRef {
    ObjectRef::global("Postgres", &server.place)
}

/// A database that has several replicas, with its servers that were asked.
struct Replicated<'a> {
    subject: ObjectRef,
    replicas: usize,
    servers: Vec<&'a Postgres>,
}

/// Those of workloads, and those whose pods an operator makes by itself.
fn replicated<'a>(snapshot: &'a Snapshot, findings: &mut Findings) -> Vec<Replicated<'a>> {
    let mut groups: Vec<(ObjectRef, usize, Vec<&Pod>)> = Vec::new();
    for set in sets(snapshot, |one| one == Component::Postgres) {
        for workload in set.workloads {
            let replicas = usize::try_from(workload.replicas).unwrap_or(usize::MAX);
            groups.push((workload.reference(), replicas, snapshot.pods_of(workload)));
        }
    }
    for ((namespace, name), pods) in operated_databases(snapshot) {
        groups.push((ObjectRef::new("Cluster", namespace, name), pods.len(), pods));
    }
    let mut found = Vec::new();
    for (subject, replicas, pods) in groups.into_iter().filter(|(_, replicas, _)| *replicas > 1) {
        let mut servers = Vec::new();
        for pod in pods.into_iter().filter(|pod| pod.is_active()) {
            match server(snapshot, pod) {
                Some(server) => servers.push(server),
                None => findings.unknown(pod.reference(), "its server was not asked"),
            }
        }
        found.push(Replicated { subject, replicas, servers });
    }
    found
}

/// DAT-01
pub(super) fn not_replicating(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for Replicated { subject, replicas, servers } in replicated(snapshot, &mut findings) {
        let primaries: Vec<&&Postgres> = servers.iter().filter(|one| !one.in_recovery).collect();
        if primaries.is_empty() {
            findings.unknown(subject, "none of its servers that were asked is primary");
            continue;
        }
        findings.looked();
        if primaries.len() > 1 {
            let names: Vec<&str> = primaries.iter().map(|one| one.place.as_str()).collect();
            let evidence = format!("{} are all primaries: independent databases", names.join(", "));
            findings.add(Problem::new(subject.clone(), evidence));
            continue;
        }
        for primary in primaries {
            let standbys = match &primary.standbys {
                Known::Known(standbys) => standbys,
                Known::Missing(missing) => {
                    let what = format!("who streams from it: {}", missing.missing);
                    findings.unknown(server_ref(primary), what);
                    continue;
                }
            };
            let streaming = standbys.iter().filter(|one| one.state == "streaming").count();
            let wanted = replicas.saturating_sub(1);
            if streaming < wanted {
                let severity = if streaming == 0 { Severity::Critical } else { Severity::High };
                let evidence =
                    format!("{streaming} of {wanted} replicas stream from {}", primary.place);
                findings.add(Problem::new(subject.clone(), evidence).severity(severity));
            }
        }
    }
    findings
}

/// DAT-02
pub(super) fn tables_differ(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for Replicated { subject, servers, .. } in replicated(snapshot, &mut findings) {
        let mut counts: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for server in &servers {
            let databases = match &server.databases {
                Known::Known(databases) => databases,
                Known::Missing(missing) => {
                    let what = format!("its databases: {}", missing.missing);
                    findings.unknown(server_ref(server), what);
                    continue;
                }
            };
            for database in databases.iter().filter(|one| one.is_told) {
                let own = (database.tables.len(), server.place.as_str());
                counts.entry(&database.name).or_default().push(own);
            }
        }
        for (database, counts) in counts {
            findings.looked();
            let different: BTreeSet<usize> = counts.iter().map(|(count, _)| *count).collect();
            if different.len() > 1 {
                let told: Vec<String> =
                    counts.iter().map(|(count, place)| format!("{count} in {place}")).collect();
                let evidence = format!("tables of {database}: {}", told.join(", "));
                findings.add(Problem::new(subject.clone(), evidence));
            }
        }
    }
    findings
}

/// DAT-03
pub(super) fn service_to_several(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for service in snapshot.services.items() {
        // One without an address of its own names each server; nobody is sent anywhere.
        if service.selector.is_empty() || service.cluster_ip == "None" {
            continue;
        }
        let pods = snapshot.pods_in(&service.namespace).into_iter().filter(|pod| {
            let selects = |(key, value)| pod.labels.get(key) == Some(value);
            pod.is_active() && service.selector.iter().all(selects)
        });
        let pods: Vec<&Pod> = pods.collect();
        let is_database = |pod: &&Pod| {
            let workload = snapshot.workload_of(pod);
            let name = workload.map_or(pod.name.as_str(), |one| one.name.as_str());
            component(name) == Component::Postgres
        };
        if pods.is_empty() || !pods.iter().all(is_database) {
            continue;
        }
        if pods.len() == 1 {
            findings.looked();
            continue;
        }
        let servers: Vec<&Postgres> = pods.iter().filter_map(|pod| server(snapshot, pod)).collect();
        let primaries = servers.iter().filter(|one| !one.in_recovery).count();
        // What is for reading may lead to standbys, whatever else it leads to.
        let words: Vec<&str> = service.name.split('-').collect();
        let is_reading = ["ro", "r", "read", "replica", "replicas", "readonly"];
        let is_reading = words.iter().any(|word| is_reading.contains(word));
        let evidence = format!("{} servers stand behind it, {primaries} take writes", pods.len());
        if primaries > 1 {
            findings.looked();
            findings.add(Problem::new(service.reference(), evidence).field("spec.selector"));
        } else if servers.len() < pods.len() {
            findings.unknown(service.reference(), "not all servers behind it were asked");
        } else {
            findings.looked();
            if primaries == 1 && !is_reading {
                let problem = Problem::new(service.reference(), evidence);
                findings.add(problem.severity(Severity::High).field("spec.selector"));
            }
        }
    }
    findings
}

/// DAT-04
pub(super) fn standby_behind(snapshot: &Snapshot) -> Findings {
    const LAG_MS: u64 = 60_000;
    let mut findings = Findings::default();
    for server in snapshot.postgres.items() {
        let standbys = server.standbys.get().map(Vec::as_slice).unwrap_or_default();
        let late = standbys.iter().filter(|one| one.lag_ms.is_some_and(|lag| lag > LAG_MS));
        let mut wrong: Vec<(Severity, String)> = late
            .map(|one| {
                let seconds = one.lag_ms.unwrap_or(0) / 1000;
                (Severity::Medium, format!("{} is {seconds} seconds behind", one.name))
            })
            .collect();
        if let Some(lag) = server.replay_lag_ms.filter(|lag| *lag > LAG_MS) {
            let evidence = format!("it has {} seconds to replay", lag / 1000);
            wrong.push((Severity::Medium, evidence));
        }
        if server.in_recovery && server.receiver.is_empty() {
            wrong.push((Severity::High, "it receives nothing from any server".to_owned()));
        }
        let slots = match &server.slots {
            Known::Known(slots) => slots.as_slice(),
            Known::Missing(missing) => {
                findings.unknown(server_ref(server), format!("its slots: {}", missing.missing));
                &[]
            }
        };
        for slot in slots.iter().filter(|one| one.wal_status == "lost") {
            wrong.push((Severity::High, format!("the WAL of slot {} is lost", slot.name)));
        }
        if let Some(why) = server.standbys.reason() {
            findings.unknown(server_ref(server), format!("who streams from it: {why}"));
        }
        findings.looked();
        if let Some(severity) = wrong.iter().map(|(severity, _)| *severity).max() {
            let told: Vec<String> = wrong.into_iter().map(|(_, text)| text).collect();
            let problem = Problem::new(server_ref(server), told.join("; "));
            findings.add(problem.severity(severity));
        }
    }
    findings
}

/// DAT-05
pub(super) fn several_masters(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let redis = |pod: &Pod| -> Option<&Redis> {
        let place = place(pod);
        snapshot.redis.items().iter().find(|one| one.place == place)
    };
    for set in sets(snapshot, |one| one == Component::Redis) {
        for workload in set.workloads.iter().filter(|one| one.replicas > 1) {
            let mut masters = Vec::new();
            let mut asked = 0_usize;
            let pods = snapshot.pods_of(workload).into_iter().filter(|pod| pod.is_active());
            for pod in pods {
                match redis(pod) {
                    Some(server) => {
                        asked = asked.saturating_add(1);
                        if server.role == "master" {
                            masters.push(pod.name.as_str());
                        }
                    }
                    None => findings.unknown(pod.reference(), "its server was not asked"),
                }
            }
            if asked == 0 {
                continue;
            }
            findings.looked();
            if masters.len() > 1 {
                let evidence = format!("{} are all masters", masters.join(", "));
                findings.add(Problem::new(workload.reference(), evidence));
                continue;
            }
            let watched = sets(snapshot, |one| one == Component::Sentinel);
            let watched = watched.iter().any(|sentinels| {
                sentinels.namespace == set.namespace && !sentinels.pods(snapshot).is_empty()
            });
            if !watched {
                let evidence = "no sentinel runs that would make another one the master";
                let problem = Problem::new(workload.reference(), evidence);
                findings.add(problem.severity(Severity::High));
            }
        }
    }
    findings
}

/// The environment that a process or a server is of.
fn environment<'a>(snapshot: &'a Snapshot, network: &'a str, place: &'a str) -> Option<&'a str> {
    if network.is_empty() { place_environment(snapshot, place) } else { Some(network) }
}

/// Primaries of an environment; when only one environment is known of, addresses are of it.
fn primaries<'a>(snapshot: &'a Snapshot, of: Option<&str>) -> Vec<&'a Postgres> {
    let servers = snapshot.postgres.items().iter().filter(|one| !one.in_recovery);
    servers
        .filter(|one| {
            let own = place_environment(snapshot, &one.place);
            own == of || own.is_none() && !one.place.starts_with("Pod ")
        })
        .collect()
}

/// DAT-06
pub(super) fn schema_differs(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for process in snapshot.processes.items() {
        let subject = ObjectRef::global("Process", &process.place);
        let wanted = match &process.schema_version {
            Known::Known(version) => *version,
            Known::Missing(missing) => {
                findings.unknown(subject, format!("its schema: {}", missing.missing));
                continue;
            }
        };
        let of = environment(snapshot, &process.network, &process.place);
        let databases = primaries(snapshot, of).into_iter().flat_map(|server| {
            let all = server.databases.get().map(Vec::as_slice).unwrap_or_default();
            all.iter().filter_map(move |one| Some((server, one, *one.schema_version.get()?)))
        });
        let databases: Vec<_> = databases.collect();
        if databases.is_empty() {
            findings.unknown(subject, "which schema its database has");
            continue;
        }
        findings.looked();
        // A newer schema may keep builds of before: then an upgrade is under way, and all is well.
        let is_wrong = |database: &PgDatabase, version: u32| {
            version < wanted || database.schema_keeps.unwrap_or(version) > wanted
        };
        let wrong: Vec<String> = databases
            .iter()
            .filter(|(_, database, version)| is_wrong(database, *version))
            .map(|(server, _, version)| format!("{} has {version}", server.place))
            .collect();
        if !wrong.is_empty() {
            let evidence = format!("it works with schema {wanted}, {}", wrong.join(", "));
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// The connections that a process may open.
fn pools(process: &Process) -> Option<u64> {
    let samples = process.samples.get()?.iter();
    let pools = samples.filter(|one| one.name == "database_connections_max");
    let sizes: Vec<u64> = pools
        .filter_map(|one| one.value.parse::<f64>().ok())
        .filter_map(|size| format!("{size:.0}").parse().ok())
        .collect();
    (!sizes.is_empty()).then(|| sizes.iter().fold(0, |sum: u64, one| sum.saturating_add(*one)))
}

/// DAT-07
pub(super) fn connections(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    // Of each workload the largest pool that one of its processes tells, for all replicas.
    let mut wanted: BTreeMap<Option<&str>, BTreeMap<&str, (u64, u64)>> = BTreeMap::new();
    for process in snapshot.processes.items() {
        let Some(pool) = pools(process) else {
            let subject = ObjectRef::global("Process", &process.place);
            findings.unknown(subject, "how many connections it may open");
            continue;
        };
        let pod = process.place.strip_prefix("Pod ").and_then(|pod| pod.split_once('/'));
        let pod = pod.and_then(|(namespace, name)| snapshot.pod(namespace, name));
        let workload = pod.and_then(|pod| snapshot.workload_of(pod));
        let (name, replicas) = match workload {
            Some(workload) => (workload.name.as_str(), workload.replicas),
            None if process.place.starts_with("Pod ") => {
                let subject = ObjectRef::global("Process", &process.place);
                findings.unknown(subject, "how many replicas it has");
                continue;
            }
            None => (process.place.as_str(), 1),
        };
        let of = environment(snapshot, &process.network, &process.place);
        let own = wanted.entry(of).or_default().entry(name).or_insert((0, 0));
        *own = (own.0.max(pool), u64::from(replicas));
    }
    for (of, workloads) in wanted {
        let sum = workloads.values().fold(0_u64, |sum, (pool, replicas)| {
            sum.saturating_add(pool.saturating_mul(*replicas))
        });
        for server in primaries(snapshot, of) {
            let setting =
                |name: &str| server.settings.get(name).and_then(|n| n.parse::<u64>().ok());
            let Some(most) = setting("max_connections") else {
                findings.unknown(server_ref(server), "how many connections it has");
                continue;
            };
            findings.looked();
            let kept = setting("superuser_reserved_connections").unwrap_or(3);
            let kept = kept.saturating_add(setting("reserved_connections").unwrap_or(0));
            if sum.saturating_add(kept) > most {
                let parts: Vec<String> = workloads
                    .iter()
                    .map(|(name, (pool, replicas))| format!("{name} {pool} × {replicas}"))
                    .collect();
                let evidence = format!(
                    "{sum} may be opened ({}), {kept} are reserved, {most} there are",
                    parts.join(", ")
                );
                findings.add(Problem::new(server_ref(server), evidence));
            }
        }
    }
    findings
}

/// DAT-12
pub(super) fn only_copy(snapshot: &Snapshot) -> Findings {
    const DAY: u64 = 86_400;
    let mut findings = Findings::default();
    let holds = |one: Component| {
        matches!(
            one,
            Component::Postgres | Component::Authority | Component::Peer | Component::Orderer
        )
    };
    for set in sets(snapshot, holds) {
        // Each authority has keys of its own; the members of the others are copies of each other.
        let groups: Vec<Vec<&Workload>> = match set.component {
            Component::Authority => set.workloads.iter().map(|one| vec![*one]).collect(),
            _ => vec![set.workloads.clone()],
        };
        for group in groups {
            let bound = group.iter().flat_map(|one| bound_hosts(snapshot, one));
            let hosts: BTreeSet<&str> = bound.map(|(_, host)| host).collect();
            let members: u32 = group.iter().map(|one| one.replicas).fold(0, u32::saturating_add);
            let mut hosts = hosts.into_iter();
            let (Some(host), None) = (hosts.next(), hosts.next()) else { continue };
            let elsewhere = group.iter().any(|one| has_other_storage(snapshot, one));
            if elsewhere {
                continue;
            }
            findings.looked();
            let environment = snapshot.environment(set.namespace).unwrap_or_default();
            let age = newest_backup(snapshot, environment, set.component)
                .map(|(_, artifact)| snapshot.age(artifact.at));
            if age.is_some_and(|age| age <= DAY) {
                continue;
            }
            let newest = age.map_or_else(
                || "there is no backup".to_owned(),
                |age| format!("the newest backup is {} hours old", age / 3600),
            );
            let subject = match group.as_slice() {
                [one] => one.reference(),
                _ => set.reference(),
            };
            let evidence = format!("all {members} copies are on {host}, and {newest}");
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// Whether a pod of a workload has a volume that is bound to no node.
fn has_other_storage(snapshot: &Snapshot, workload: &Workload) -> bool {
    let volumes = snapshot.volumes_of(workload);
    volumes.iter().any(|(_, volume)| volume.hostnames().is_empty())
}
