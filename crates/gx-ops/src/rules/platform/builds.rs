//! What runs: builds, settings, engines, images.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{
    Component, component, is_of_pattern, lasting, main_container, network_of, network_ref,
    organization,
};
use super::super::{Findings, Problem};
use super::process_ref;
use crate::facts::{
    Fact, Known, Object as _, ObjectRef, Process, Snapshot, Workload, WorkloadKind, normal_image,
};

/// The label that everything of the platform's own manifests has.
const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "gx-protocol");

fn is_platform(workload: &Workload) -> bool {
    let of = |labels: &crate::facts::Labels| labels.get(PART_OF.0).is_some_and(|v| v == PART_OF.1);
    of(&workload.template.labels) || of(&workload.labels)
}

/// The workload that a process is a pod of.
fn workload_of<'a>(snapshot: &'a Snapshot, process: &Process) -> Option<&'a Workload> {
    let (namespace, name) = process.place.strip_prefix("Pod ")?.split_once('/')?;
    snapshot.workload_of(snapshot.pod(namespace, name)?)
}

/// Whether a workload is being changed to another revision.
fn is_rolling(workload: &Workload) -> bool {
    workload.is_lasting() && workload.updated < workload.replicas
}

fn by_network(snapshot: &Snapshot) -> BTreeMap<&str, Vec<&Process>> {
    let mut found: BTreeMap<&str, Vec<&Process>> = BTreeMap::new();
    for process in snapshot.processes.items() {
        found.entry(network_of(snapshot, process)).or_default().push(process);
    }
    found
}

/// `3 of 1.2.0 0123abc, 1 of 1.1.0`
fn counted(all: &BTreeMap<String, Vec<&str>>) -> String {
    let parts: Vec<String> = all
        .iter()
        .map(|(what, places)| match places.as_slice() {
            [one] => format!("{what} by {one}"),
            many => format!("{what} by {} processes", many.len()),
        })
        .collect();
    parts.join(", ")
}

/// PLT-16
pub(super) fn version_skew(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (network, processes) in by_network(snapshot) {
        let mut builds: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut is_rolled = false;
        for process in processes {
            let (Known::Known(version), Known::Known(commit)) = (&process.version, &process.commit)
            else {
                findings.unknown(process_ref(process), "which build it is");
                continue;
            };
            is_rolled |= workload_of(snapshot, process).is_some_and(is_rolling);
            let build = format!("{version} {commit}").trim_end().to_owned();
            builds.entry(build).or_default().push(&process.place);
        }
        if builds.is_empty() {
            continue;
        }
        findings.looked();
        // Between the first pod of a rollout and its last one both builds are there.
        if builds.len() > 1 && !is_rolled {
            findings.add(Problem::new(network_ref(network), counted(&builds)));
        }
    }
    findings
}

/// PLT-17
pub(super) fn settings_differ(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut workloads: BTreeMap<ObjectRef, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for process in snapshot.processes.items() {
        let Some(workload) = workload_of(snapshot, process) else {
            // A process on a host is its own workload; a pod whose workload is not known is not.
            if process.place.starts_with("Pod ") {
                findings.unknown(process_ref(process), "which workload it is of");
            } else {
                findings.looked();
            }
            continue;
        };
        if process.config_digest.is_empty() {
            findings.unknown(process_ref(process), "how it is set");
            continue;
        }
        let of = workloads.entry(workload.reference()).or_default();
        of.entry(process.config_digest.clone()).or_default().push(&process.place);
    }
    for (workload, digests) in workloads {
        findings.looked();
        if digests.len() > 1 {
            let evidence = format!("its pods show {}", counted(&digests));
            findings.add(Problem::new(workload, evidence));
        }
    }
    findings
}

/// PLT-18
pub(super) fn engines_differ(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (network, processes) in by_network(snapshot) {
        let mut engines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for process in processes {
            if process.ledger.is_empty() || process.database.is_empty() {
                findings.unknown(process_ref(process), "which ledger and database it uses");
                continue;
            }
            let both = format!("{} and {}", process.ledger, process.database);
            engines.entry(both).or_default().push(&process.place);
        }
        if engines.is_empty() {
            continue;
        }
        findings.looked();
        if engines.len() > 1 {
            findings.add(Problem::new(network_ref(network), counted(&engines)));
        }
    }
    findings
}

/// The machine or pod that a process is in.
fn machine(place: &str) -> &str {
    match place.starts_with("Pod ") {
        true => place,
        false => place.rsplit_once(':').map_or(place, |(host, _)| host),
    }
}

/// PLT-19
pub(super) fn several_files(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (network, processes) in by_network(snapshot) {
        let mut machines: BTreeSet<&str> = BTreeSet::new();
        let mut is_known = false;
        for process in processes {
            match process.database.as_str() {
                "" => findings.unknown(process_ref(process), "which database it uses"),
                database => {
                    is_known = true;
                    if database == "sqlite" {
                        machines.insert(machine(&process.place));
                    }
                }
            }
        }
        if !is_known {
            continue;
        }
        findings.looked();
        if machines.len() > 1 {
            let names: Vec<&str> = machines.into_iter().collect();
            let evidence = format!("{} have a file each", names.join(", "));
            findings.add(Problem::new(network_ref(network), evidence));
        }
    }
    findings
}

/// PLT-20
pub(super) fn nameless_build(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for process in snapshot.processes.items() {
        if network_of(snapshot, process) != "mainnet" {
            continue;
        }
        match &process.commit {
            Known::Missing(missing) => {
                let what = format!("which commit it is: {}", missing.missing);
                findings.unknown(process_ref(process), what);
            }
            Known::Known(commit) => {
                findings.looked();
                if commit.is_empty() {
                    let version = process.version.get().map_or("", String::as_str);
                    let evidence = format!("version {version} of no commit");
                    findings.add(Problem::new(process_ref(process), evidence));
                }
            }
        }
    }
    findings
}

fn image(workload: &Workload) -> Option<String> {
    let image = normal_image(&main_container(workload)?.image);
    Some(image.rsplit_once('@').map_or(image.clone(), |(_, digest)| digest.to_owned()))
}

/// PLT-21
pub(super) fn contracts_differ(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut networks: BTreeMap<&str, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    let mut rolled: BTreeSet<&str> = BTreeSet::new();
    for workload in lasting(snapshot).filter(|one| component(&one.name) == Component::Chaincode) {
        let environment = snapshot.environment(&workload.namespace);
        let network = environment.unwrap_or(&workload.namespace);
        let Some(image) = image(workload) else { continue };
        let of = organization(workload).unwrap_or_else(|| workload.name.clone());
        networks.entry(network).or_default().entry(image).or_default().insert(of);
        if is_rolling(workload) {
            rolled.insert(network);
        }
    }
    for (network, images) in networks {
        findings.looked();
        if images.len() > 1 {
            let parts: Vec<String> = images
                .iter()
                .map(|(image, of)| {
                    let names: Vec<&str> = of.iter().map(String::as_str).collect();
                    format!("{} of {image}", names.join(", "))
                })
                .collect();
            let problem = Problem::new(network_ref(network), parts.join("; "));
            // An upgrade goes one organization at a time.
            let severity =
                if rolled.contains(network) { Severity::Medium } else { Severity::Critical };
            findings.add(problem.severity(severity));
        }
    }
    findings
}

/// PLT-22
pub(super) fn migration(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let is_migration = |one: &&Workload| {
        one.kind == WorkloadKind::Job
            && one.name.split('-').any(|word| matches!(word, "migrate" | "migration"))
            && is_platform(one)
    };
    // Of several in a namespace the newest counts.
    let mut newest: BTreeMap<&str, &Workload> = BTreeMap::new();
    for job in snapshot.workloads.items().iter().filter(is_migration) {
        let known = newest.entry(&job.namespace).or_insert(job);
        if known.created <= job.created {
            *known = job;
        }
    }
    for (namespace, job) in newest {
        let services = lasting(snapshot).filter(|one| one.namespace == namespace);
        let images: BTreeSet<String> = services
            .filter(|one| is_platform(one) && component(&one.name) != Component::Chaincode)
            .filter_map(image)
            .collect();
        let status = job.job.clone().unwrap_or_default();
        findings.looked();
        if status.succeeded == 0 && status.failed > 0 {
            let evidence = format!("it has failed {} times and never ended well", status.failed);
            findings.add(Problem::new(job.reference(), evidence).severity(Severity::Critical));
            continue;
        }
        let Some(own) = image(job).filter(|own| !images.is_empty() && !images.contains(own)) else {
            continue;
        };
        let others: Vec<&str> = images.iter().map(String::as_str).collect();
        let evidence = format!("it was {own}, what runs is {}", others.join(", "));
        findings.add(Problem::new(job.reference(), evidence));
    }
    findings
}

/// PLT-23
pub(super) fn token(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let allowed: Vec<&String> =
        snapshot.declared().into_iter().flat_map(|one| &one.privileged).collect();
    for workload in snapshot.top_workloads().filter(|one| is_platform(one)) {
        let spec = &workload.template.spec;
        let mounts = match spec.automount_token {
            Some(mounts) => mounts,
            None => {
                let account = match spec.service_account.as_str() {
                    "" => "default",
                    name => name,
                };
                if let Some(why) = snapshot.lacks(Fact::ServiceAccounts) {
                    let what = format!("ServiceAccount {account}: {why}");
                    findings.unknown(workload.reference(), what);
                    continue;
                }
                let mut accounts = snapshot.service_accounts.items().iter();
                let own = |namespace: &str, name: &str| {
                    namespace == workload.namespace && name == account
                };
                let found = accounts.find(|one| own(&one.namespace, &one.name));
                found.and_then(|one| one.automount_token).unwrap_or(true)
            }
        };
        findings.looked();
        let name = format!("{}/{}", workload.namespace, workload.name);
        if mounts && !allowed.iter().any(|pattern| is_of_pattern(pattern, &name)) {
            let problem = Problem::new(workload.reference(), "its pods get a token of the API");
            findings.add(problem.field("spec.template.spec.automountServiceAccountToken"));
        }
    }
    findings
}
