//! Whether its orderers, peers and authorities are there.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{Component, component, organization, quorum, sets, tally, told};
use super::super::{Findings, Problem};
use crate::facts::{Known, Ledger, LedgerNode, Object as _, ObjectRef, Snapshot, Time, Workload};

pub(super) fn ledger_ref(ledger: &Ledger) -> ObjectRef {
    ObjectRef::new("Ledger", &ledger.environment, &ledger.name)
}

fn node_ref(node: &LedgerNode) -> ObjectRef {
    ObjectRef::global("LedgerNode", &node.name)
}

/// FAB-01
pub(super) fn orderers_away(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for set in sets(snapshot, |component| component == Component::Orderer) {
        findings.looked();
        let members = set.members();
        let pods = set.pods(snapshot);
        let ready = pods.iter().filter(|pod| pod.is_ready()).count();
        if ready >= members {
            continue;
        }
        let needed = quorum(members);
        let severity = if ready < needed { Severity::Critical } else { Severity::High };
        let evidence = format!("{ready} of {members} are ready, {needed} are a majority");
        findings.add(Problem::new(set.reference(), evidence).severity(severity));
    }
    findings
}

/// Blocks that two nodes may be apart because they were not asked at the same moment.
const APART: u64 = 10;
/// Seconds that a node may be without a block that another one has.
const LATE: u64 = 300;

/// FAB-02
pub(super) fn heights_apart(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ledger in snapshot.ledgers.items() {
        let mut heights: Vec<(&LedgerNode, u64)> = Vec::new();
        for node in &ledger.nodes {
            match &node.height {
                Known::Known(height) => heights.push((node, *height)),
                Known::Missing(missing) => {
                    findings.unknown(node_ref(node), format!("its height: {}", missing.missing));
                }
            }
        }
        let Some((newest, most)) = heights.iter().max_by_key(|(_, height)| *height) else {
            continue;
        };
        findings.looked();
        for (node, height) in &heights {
            let behind = most.saturating_sub(*height);
            let is_late = behind > 0 && is_late(newest.last_block, node.last_block);
            if behind <= APART && !is_late {
                continue;
            }
            let severity = if behind > APART { Severity::High } else { Severity::Medium };
            let evidence =
                format!("it has {height} blocks, {} has {most}: {behind} fewer", newest.name);
            findings.add(Problem::new(node_ref(node), evidence).severity(severity));
        }
    }
    findings
}

/// Whether a node's last block is so much older than another's that it is no chance.
fn is_late(newest: Option<Time>, own: Option<Time>) -> bool {
    match (newest, own) {
        (Some(newest), Some(own)) => newest.seconds_since(own) > LATE,
        (None, _) | (_, None) => false,
    }
}

/// FAB-04
pub(super) fn not_joined(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ledger in snapshot.ledgers.items().iter().filter(|one| one.engine != "embedded") {
        for node in &ledger.nodes {
            match &node.joined {
                Known::Known(true) => findings.looked(),
                Known::Known(false) => {
                    findings.looked();
                    let evidence = format!("it is not in the channel {}", ledger.name);
                    findings
                        .add(Problem::new(node_ref(node), evidence).because(ledger_ref(ledger)));
                }
                Known::Missing(missing) => {
                    let what = format!("whether it is in the channel: {}", missing.missing);
                    findings.unknown(node_ref(node), what);
                }
            }
        }
    }
    let declared = snapshot.declared().into_iter().flat_map(|one| &one.environments);
    for (name, environment) in declared.filter(|(_, one)| !one.channel.is_empty()) {
        let of_it = snapshot.ledgers.items().iter().filter(|one| one.environment == *name);
        let names: BTreeSet<&str> =
            of_it.filter(|one| one.engine == "fabric").map(|one| one.name.as_str()).collect();
        if names.is_empty() {
            continue;
        }
        findings.looked();
        if !names.contains(environment.channel.as_str()) {
            let names: Vec<&str> = names.into_iter().collect();
            let evidence =
                format!("declared is {}, found is {}", environment.channel, names.join(", "));
            let subject = ObjectRef::new("Ledger", name, &environment.channel);
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// FAB-11
pub(super) fn organization_away(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut peers: BTreeMap<(&str, String), Vec<&Workload>> = BTreeMap::new();
    // Also those that were scaled to nothing: their organization is still asked for endorsements.
    let all = snapshot.top_workloads().filter(|one| one.is_lasting());
    for workload in all.filter(|one| component(&one.name) == Component::Peer) {
        match organization(workload) {
            Some(name) => peers.entry((&workload.namespace, name)).or_default().push(workload),
            None => findings.unknown(workload.reference(), "which organization it belongs to"),
        }
    }
    for ((namespace, organization), workloads) in peers {
        findings.looked();
        let pods = workloads.iter().flat_map(|one| snapshot.pods_of(one));
        let pods: Vec<_> = pods.filter(|pod| pod.is_active()).collect();
        if pods.iter().any(|pod| pod.is_ready()) {
            continue;
        }
        let names: Vec<&str> = workloads.iter().map(|one| one.name.as_str()).collect();
        let evidence = format!("of {}, no pod is ready ({} run)", names.join(", "), pods.len());
        let subject = ObjectRef::new("Organization", namespace, organization);
        findings.add(Problem::new(subject, evidence));
    }
    findings
}

/// FAB-12
pub(super) fn versions_differ(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut images: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let wanted = |one: Component| matches!(one, Component::Peer | Component::Orderer);
    for set in sets(snapshot, wanted) {
        for workload in set.workloads {
            // Peers and orderers have images of their own; what is compared is their version.
            let container = super::super::shared::main_container(workload);
            let version = container.map(|one| version(&one.image)).unwrap_or_default();
            match version {
                "" => findings.unknown(workload.reference(), "which version its image is of"),
                version => images.entry(set.namespace).or_default().push(version),
            }
        }
    }
    for (namespace, versions) in images {
        findings.looked();
        let counts = tally(versions.into_iter());
        if counts.len() > 1 {
            let subject = ObjectRef::global("Namespace", namespace);
            let problem = Problem::new(subject, told(&counts, "of"));
            findings.add(problem.field("spec.template.spec.containers.image"));
        }
    }
    findings
}

/// The tag of an image; empty when it has none.
fn version(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split_once(':').map_or("", |(_, tag)| tag)
}

/// FAB-16
pub(super) fn authority_away(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let all = snapshot.top_workloads().filter(|one| one.is_lasting());
    for workload in all.filter(|one| component(&one.name) == Component::Authority) {
        findings.looked();
        let pods = snapshot.pods_of(workload).into_iter().filter(|pod| pod.is_active());
        let ready = pods.filter(|pod| pod.is_ready()).count();
        let wanted = usize::try_from(workload.replicas).unwrap_or(usize::MAX);
        // A root authority that is switched off by intent has no replicas.
        if ready < wanted {
            let evidence = format!("{ready} of {wanted} pods are ready");
            findings.add(Problem::new(workload.reference(), evidence));
        }
    }
    let ledgers = snapshot.ledgers.items().iter();
    for authority in ledgers.filter_map(|one| one.authorities.get()).flatten() {
        let subject = ObjectRef::global("Authority", &authority.name);
        match &authority.healthy {
            Known::Known(true) => findings.looked(),
            Known::Known(false) => {
                findings.looked();
                findings.add(Problem::new(subject, "it says that it is not healthy, or nothing"));
            }
            Known::Missing(missing) => {
                findings.unknown(subject, format!("whether it works: {}", missing.missing));
            }
        }
    }
    findings
}
