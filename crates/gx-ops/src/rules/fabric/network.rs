//! Whether there is one network, and what protects it from those who mean well.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Severity;

use super::super::shared::{Component, component, organization, quorum, sets};
use super::super::{Findings, Problem};
use super::nodes::ledger_ref;
use crate::facts::{DisruptionBudget, Fact, Known, Object as _, ObjectRef, Snapshot, Workload};

/// FAB-06
pub(super) fn two_networks(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ledger in snapshot.ledgers.items() {
        findings.looked();
        let mut geneses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut tips: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for node in &ledger.nodes {
            if !node.genesis_hash.is_empty() {
                geneses.entry(&node.genesis_hash).or_default().push(&node.name);
            }
            if let (Known::Known(height), false) = (&node.height, node.block_hash.is_empty()) {
                tips.entry(*height).or_default().insert(&node.block_hash);
            }
        }
        if geneses.len() > 1 {
            let groups: Vec<String> = geneses.values().map(|names| names.join(", ")).collect();
            let evidence = format!("block 0 differs between {}", groups.join(" and "));
            findings.add(Problem::new(ledger_ref(ledger), evidence));
        } else if let Some((height, _)) = tips.iter().find(|(_, hashes)| hashes.len() > 1) {
            let evidence = format!("at height {height} its nodes have different last blocks");
            findings.add(Problem::new(ledger_ref(ledger), evidence));
        }
    }
    beside_the_cluster(snapshot, &mut findings);
    findings
}

/// Members of a network that run on hosts, beside members that run in the cluster.
fn beside_the_cluster(snapshot: &Snapshot, findings: &mut Findings) {
    for fact in [Fact::Hosts, Fact::Workloads] {
        if let Some(why) = snapshot.lacks(fact) {
            let subject = ObjectRef::global("Hosts", "containers");
            let what = format!("what runs beside the cluster: {}: {why}", fact.name());
            findings.unknown_but(subject, what, fact.how());
            return;
        }
    }
    let wanted = |one: Component| matches!(one, Component::Peer | Component::Orderer);
    let inside = sets(snapshot, wanted);
    if inside.is_empty() {
        return;
    }
    for host in snapshot.hosts.items() {
        let subject = ObjectRef::global("Host", &host.name);
        let containers = match &host.containers {
            Known::Known(containers) => containers,
            Known::Missing(missing) => {
                findings.unknown(subject, format!("its containers: {}", missing.missing));
                continue;
            }
        };
        findings.looked();
        let running = containers.iter().filter(|one| {
            // Those that Kubernetes runs are named by it, and are its own.
            let is_own = one.name.starts_with("k8s_") || one.runtime == "containerd";
            let state = one.state.to_ascii_lowercase();
            !is_own && (state.starts_with("up") || state == "running")
        });
        let names: Vec<&str> =
            running.map(|one| one.name.as_str()).filter(|name| wanted(component(name))).collect();
        if !names.is_empty() {
            let evidence = format!("{} run here, beside the cluster's own", names.join(", "));
            findings.add(Problem::new(subject, evidence));
        }
    }
}

/// Whether a worker of the platform is set up for Fabric: its environment names it, or what its
/// environment is taken from does. None: that was not collected.
fn is_for_fabric(snapshot: &Snapshot, workload: &Workload) -> Option<bool> {
    let containers: Vec<_> = workload.template.spec.all_containers().collect();
    let mut variables = containers.iter().flat_map(|one| &one.env);
    if variables.any(|env| env.name.contains("FABRIC")) {
        return Some(true);
    }
    let sources = containers.iter().flat_map(|one| &one.env_from);
    let mut is_known = true;
    for source in sources.filter(|source| source.kind == "ConfigMap") {
        let mut all = snapshot.config_maps.items().iter();
        let map = all.find(|one| one.namespace == workload.namespace && one.name == source.name);
        let Some(map) = map else {
            is_known = false;
            continue;
        };
        let engine = map.data.get("GX_LEDGER__ENGINE").and_then(|value| value.plain());
        match engine {
            Some(engine) => return Some(engine == "fabric"),
            None if map.data.keys().any(|key| key.contains("FABRIC")) => return Some(true),
            None => {}
        }
    }
    is_known.then_some(false)
}

/// FAB-07
pub(super) fn no_network(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut platforms: BTreeSet<&str> = BTreeSet::new();
    for set in sets(snapshot, |one| one == Component::Submitter) {
        for workload in &set.workloads {
            match is_for_fabric(snapshot, workload) {
                Some(true) => {
                    platforms.insert(set.namespace);
                }
                Some(false) => findings.looked(),
                None => findings.unknown_but(
                    workload.reference(),
                    "which ledger it is set up for",
                    Fact::ConfigMaps.how(),
                ),
            }
        }
    }
    let wanted = |one: Component| matches!(one, Component::Peer | Component::Orderer);
    let networks = sets(snapshot, wanted);
    for namespace in platforms {
        let subject = ObjectRef::global("Namespace", namespace);
        let Some(environment) = snapshot.environment(namespace) else {
            findings.unknown(subject, "which environment it is of");
            continue;
        };
        findings.looked();
        let of_it = networks.iter().filter(|set| {
            set.namespace == namespace || snapshot.environment(set.namespace) == Some(environment)
        });
        let of_it: Vec<_> = of_it.collect();
        let has = |wanted: Component| {
            let mut sets = of_it.iter().filter(|set| set.component == wanted);
            sets.any(|set| !set.pods(snapshot).is_empty())
        };
        let missing: Vec<&str> = [(Component::Orderer, "orderers"), (Component::Peer, "peers")]
            .into_iter()
            .filter(|(wanted, _)| !has(*wanted))
            .map(|(_, name)| name)
            .collect();
        if !missing.is_empty() {
            let evidence = format!("{environment} has no {}", missing.join(" and no "));
            findings.add(Problem::new(subject, evidence));
        }
    }
    findings
}

/// Whether a budget is for a workload's pods.
fn covers(budget: &DisruptionBudget, workload: &Workload) -> bool {
    let selects =
        budget.selector.as_ref().is_some_and(|one| one.matches(&workload.template.labels));
    budget.namespace == workload.namespace && selects
}

/// A number, or a percentage of the members, rounded up as Kubernetes does.
fn count(text: &str, members: usize) -> Option<usize> {
    match text.strip_suffix('%') {
        None => text.parse().ok(),
        Some(percent) => {
            let percent: usize = percent.parse().ok()?;
            Some(percent.saturating_mul(members).div_ceil(100))
        }
    }
}

/// FAB-08
pub(super) fn orderer_budget(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for set in sets(snapshot, |one| one == Component::Orderer) {
        let members = set.members();
        let needed = quorum(members);
        for budget in snapshot.budgets.items() {
            let covered = set.workloads.iter().filter(|one| covers(budget, one));
            let covered: usize =
                covered.map(|one| usize::try_from(one.replicas).unwrap_or(0)).sum();
            if covered == 0 {
                continue;
            }
            findings.looked();
            let kept = match (&budget.min_available, &budget.max_unavailable) {
                (Some(least), _) => count(least, covered),
                (None, Some(most)) => count(most, covered).map(|most| covered.saturating_sub(most)),
                (None, None) => None,
            };
            let Some(kept) = kept else {
                findings.unknown(budget.reference(), "how many it keeps");
                continue;
            };
            // Members that it does not cover may all go at once.
            let problem = if kept < needed {
                let evidence = format!(
                    "it keeps {kept} of the {covered} that it covers; {needed} of {members} are \
                     a majority"
                );
                Some((Severity::High, evidence))
            } else if budget.allowed == 0
                && budget.healthy >= budget.expected
                && budget.expected > 0
            {
                let evidence = format!("all {} are healthy, and it lets none go", budget.expected);
                Some((Severity::Medium, evidence))
            } else {
                None
            };
            if let Some((severity, evidence)) = problem {
                let problem = Problem::new(budget.reference(), evidence).severity(severity);
                findings.add(problem.field("spec.minAvailable"));
            }
        }
    }
    findings
}

/// FAB-09
pub(super) fn shared_budget(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let peers = snapshot.top_workloads().filter(|one| component(&one.name) == Component::Peer);
    let peers: Vec<&Workload> = peers.filter(|one| one.is_lasting()).collect();
    for budget in snapshot.budgets.items() {
        let of_it: Vec<&&Workload> = peers.iter().filter(|one| covers(budget, one)).collect();
        if of_it.is_empty() {
            continue;
        }
        findings.looked();
        let organizations: BTreeSet<String> =
            of_it.iter().filter_map(|one| organization(one)).collect();
        if organizations.len() > 1 {
            let names: Vec<String> = organizations.into_iter().collect();
            let evidence = format!("it covers peers of {}", names.join(", "));
            findings.add(Problem::new(budget.reference(), evidence).field("spec.selector"));
        }
    }
    findings
}

/// FAB-10
pub(super) fn empty_budget(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for budget in snapshot.budgets.items() {
        findings.looked();
        let selects = |labels| budget.selector.as_ref().is_some_and(|one| one.matches(labels));
        let pods = snapshot.pods_in(&budget.namespace).into_iter();
        let has_pods = pods.filter(|pod| pod.is_active()).any(|pod| selects(&pod.labels));
        // What is scaled to nothing has no pods, and comes back under the same labels.
        let mut workloads = snapshot.top_workloads().filter(|one| covers(budget, one));
        if !has_pods && workloads.all(|one| !one.is_lasting()) {
            let evidence = "its selector matches no pod, and nothing that would make one";
            findings.add(Problem::new(budget.reference(), evidence).field("spec.selector"));
        }
    }
    findings
}
