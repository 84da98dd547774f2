//! What lives by numbers: etcd, orderers, endorsement, databases, Sentinel.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::members::{etcd_members, servers};
use super::super::names::NameError;
use super::change::World;
use super::count::{Tally, started, tally};
use super::place::{Fate, Placed};
use super::policy::Policy;
use crate::facts::{Fact, Pod, Snapshot, Workload};
use crate::rules::shared::{Component, Set, organization, quorum, sets};

/// A set of which so many have to work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SetState {
    /// Such as `etcd` or `orderers fabric-mainnet`.
    pub name: String,
    /// What it takes, in words.
    pub rule: String,
    pub members: usize,
    pub working: Tally,
    pub holds_now: bool,
    /// At the worst moment.
    pub holds_at_once: bool,
    pub holds_later: bool,
    /// Members that go.
    pub leaving: Vec<String>,
}

/// The name of the member that is meant.
pub(super) fn etcd_member(snapshot: &Snapshot, name: &str) -> Result<String, NameError> {
    let members = etcd_members(snapshot).unwrap_or_default();
    let is_it = |(member, node, _): &&(String, Option<String>, bool)| {
        member == name || node.as_deref() == Some(name)
    };
    match members.iter().find(is_it) {
        Some((member, _, _)) => Ok(member.clone()),
        None => {
            let known: Vec<&str> = members.iter().map(|(name, _, _)| name.as_str()).collect();
            let known = if known.is_empty() { "none known".to_owned() } else { known.join(", ") };
            Err(NameError::Nothing { what: "member of etcd", name: name.to_owned(), known })
        }
    }
}

fn etcd(world: &World<'_>) -> Option<SetState> {
    let members = etcd_members(world.before)?;
    let left: Vec<&(String, Option<String>, bool)> =
        members.iter().filter(|(name, _, _)| !world.etcd_removed.contains(name)).collect();
    let is_lost = |node: &Option<String>| node.as_ref().is_some_and(|n| world.lost.contains(n));
    let working = left.iter().filter(|(_, node, healthy)| *healthy && !is_lost(node)).count();
    let now = members.iter().filter(|(_, _, healthy)| *healthy).count();
    let leaving =
        members.iter().filter(|(name, node, _)| world.etcd_removed.contains(name) || is_lost(node));
    let needed = quorum(left.len());
    Some(SetState {
        name: "etcd".to_owned(),
        rule: format!("{needed} of {} members", left.len()),
        members: left.len(),
        working: Tally { now, at_once: working, later: working },
        holds_now: now >= quorum(members.len()),
        holds_at_once: working >= needed && !left.is_empty(),
        holds_later: working >= needed && !left.is_empty(),
        leaving: leaving.map(|(name, _, _)| name.clone()).collect(),
    })
}

fn leaving(placed: &Placed<'_>, pods: &[&Pod]) -> Vec<String> {
    let gone = pods.iter().filter(|pod| placed.fate(pod) != Fate::Stays);
    gone.map(|pod| pod.name.clone()).collect()
}

fn of_set(world: &World<'_>, placed: &Placed<'_>, set: &Set<'_>) -> (Tally, Vec<String>) {
    let pods: Vec<&Pod> = set.workloads.iter().flat_map(|one| world.before.pods_of(one)).collect();
    let new = set.workloads.iter().map(|one| started(placed, world, one)).sum();
    (tally(placed, &pods, new), leaving(placed, &pods))
}

/// A set of which a majority has to work.
fn majority(world: &World<'_>, placed: &Placed<'_>, set: &Set<'_>, what: &str) -> SetState {
    let (working, leaving) = of_set(world, placed, set);
    // Of members, as they are: those that are scaled away are members still.
    let members = set.members();
    let needed = quorum(members);
    SetState {
        name: format!("{what} {}", set.namespace),
        rule: format!("{needed} of {members}"),
        members,
        working,
        holds_now: working.now >= needed,
        holds_at_once: working.at_once >= needed,
        holds_later: working.later >= needed,
        leaving,
    }
}

/// Databases: a majority where they replicate, each for itself where they do not.
fn postgres(world: &World<'_>, placed: &Placed<'_>, set: &Set<'_>) -> SetState {
    let mut state = majority(world, placed, set, "PostgreSQL");
    let pods = set.pods(world.before);
    let servers = servers(world.before, &pods);
    let replicates = servers.iter().any(|(_, one)| {
        one.in_recovery || one.standbys.get().is_some_and(|standbys| !standbys.is_empty())
    });
    let is_told = !servers.is_empty() && servers.len() >= pods.len();
    if set.members() > 1 && is_told && !replicates {
        state.rule = "each: they do not replicate".to_owned();
        state.holds_now = state.working.now >= set.members();
        state.holds_at_once = state.working.at_once >= set.members();
        state.holds_later = state.working.later >= set.members();
    } else if set.members() > 1 && servers.is_empty() {
        state.rule.push_str(", if they replicate, which is not known");
    }
    let primary = servers.iter().find(|(_, one)| !one.in_recovery).map(|(name, _)| name.clone());
    if let Some(name) = primary.filter(|name| state.leaving.contains(name)) {
        state.leaving.retain(|one| *one != name);
        state.leaving.insert(0, format!("{name} (primary)"));
    }
    state
}

/// Peers by organization, and the policies of chaincodes.
fn endorsement(world: &World<'_>, placed: &Placed<'_>) -> Vec<SetState> {
    let mut states = Vec::new();
    for set in sets(world.before, |component| component == Component::Peer) {
        let mut organizations: BTreeMap<String, Vec<&Workload>> = BTreeMap::new();
        for one in &set.workloads {
            let of = organization(one).unwrap_or_else(|| one.name.clone());
            organizations.entry(of).or_default().push(one);
        }
        let mut able: Vec<(String, Tally)> = Vec::new();
        for (name, workloads) in organizations {
            let (namespace, component) = (set.namespace, set.component);
            let part = Set { namespace, component, workloads };
            let (working, leaving) = of_set(world, placed, &part);
            states.push(SetState {
                name: format!("peers of {name} {namespace}"),
                rule: format!("1 of {}", part.members()),
                members: part.members(),
                working,
                holds_now: working.now > 0,
                holds_at_once: working.at_once > 0,
                holds_later: working.later > 0,
                leaving,
            });
            able.push((name, working));
        }
        states.extend(policies(world.before, set.namespace).into_iter().map(
            |(chaincode, text, policy)| {
                policy_state(&able, set.namespace, &chaincode, &text, &policy)
            },
        ));
    }
    states
}

/// Chaincodes of a namespace's environment with their policies.
fn policies(snapshot: &Snapshot, namespace: &str) -> Vec<(String, String, Policy)> {
    let environment = snapshot.environment(namespace);
    let ledgers = snapshot.ledgers.items().iter();
    let ledgers = ledgers.filter(|ledger| Some(ledger.environment.as_str()) == environment);
    let chaincodes = ledgers.filter_map(|ledger| ledger.chaincodes.get()).flatten();
    let mut known: Vec<(String, String, Policy)> = chaincodes
        .filter_map(|one| {
            let policy = Policy::parse(&one.endorsement)?;
            Some((one.name.clone(), one.endorsement.clone(), policy))
        })
        .collect();
    if known.is_empty() {
        let rule = "a majority of organizations, as is usual: no policy is known";
        known.push(("any chaincode".to_owned(), rule.to_owned(), Policy::Majority));
    }
    known
}

fn policy_state(
    organizations: &[(String, Tally)],
    namespace: &str,
    chaincode: &str,
    text: &str,
    policy: &Policy,
) -> SetState {
    let able = |count: fn(&Tally) -> usize| -> Vec<&str> {
        let able = organizations.iter().filter(|(_, working)| count(working) > 0);
        able.map(|(name, _)| name.as_str()).collect()
    };
    let (now, at_once, later) = (able(|t| t.now), able(|t| t.at_once), able(|t| t.later));
    let all = organizations.len();
    let leaving = now.iter().filter(|name| !at_once.contains(name));
    SetState {
        name: format!("endorsement of {chaincode} {namespace}"),
        rule: text.to_owned(),
        members: all,
        holds_now: policy.holds(all, &now),
        holds_at_once: policy.holds(all, &at_once),
        holds_later: policy.holds(all, &later),
        leaving: leaving.map(|name| (*name).to_owned()).collect(),
        working: Tally { now: now.len(), at_once: at_once.len(), later: later.len() },
    }
}

/// Every set, and which of them cannot be told of.
pub(super) fn states(world: &World<'_>, placed: &Placed<'_>) -> (Vec<SetState>, BTreeSet<String>) {
    let mut unknown = BTreeSet::new();
    let mut states: Vec<SetState> = etcd(world).into_iter().collect();
    if states.is_empty() {
        let how = Fact::Etcd.how();
        unknown.insert(format!("etcd, whose members are not known: {how}"));
    }
    for set in sets(world.before, |component| {
        matches!(component, Component::Orderer | Component::Postgres | Component::Sentinel)
    }) {
        states.push(match set.component {
            Component::Orderer => majority(world, placed, &set, "orderers"),
            Component::Sentinel => majority(world, placed, &set, "Sentinel"),
            _ => postgres(world, placed, &set),
        });
    }
    states.extend(endorsement(world, placed));
    (states, unknown)
}
