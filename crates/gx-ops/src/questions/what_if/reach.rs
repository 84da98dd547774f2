//! Who is still reached, and which evictions budgets refuse.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::change::{Cause, World};
use super::count::tally;
use super::place::{Fate, Placed};
use crate::facts::{DisruptionBudget, Object as _, ObjectRef, Pod, Service};

/// An address that answers nobody, at least for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dark {
    pub what: String,
    pub why: String,
    /// Whether it answers again when pods have found their places.
    pub comes_back: bool,
    /// Names that lead to it.
    pub names: Vec<String>,
}

/// A budget that pods to be evicted fall under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetState {
    pub budget: ObjectRef,
    /// Pods that are to be evicted.
    pub pods: usize,
    /// How many it allows to be away at once.
    pub allowed: u32,
    /// Whether the drain stops at it.
    pub blocks: bool,
    pub why: String,
}

fn matches(service: &Service, pod: &Pod) -> bool {
    !service.selector.is_empty()
        && service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
}

/// What goes dark.
pub(super) fn dark(world: &World<'_>, placed: &Placed<'_>) -> Vec<Dark> {
    let mut found = Vec::new();
    let mut displaced: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for (pod, _) in &world.displaced {
        displaced.entry(&pod.namespace).or_default().push(pod);
    }
    for service in world.after.services.items() {
        let here = displaced.get(service.namespace.as_str());
        if !here.is_some_and(|pods| pods.iter().any(|pod| matches(service, pod))) {
            continue;
        }
        let pods = world.before.pods_in(&service.namespace).into_iter();
        let pods: Vec<&Pod> = pods.filter(|pod| pod.is_active() && matches(service, pod)).collect();
        let new = placed
            .started
            .iter()
            .filter(|pod| pod.namespace == service.namespace && matches(service, pod));
        let ready = tally(placed, &pods, new.count());
        if ready.now == 0 || ready.at_once > 0 {
            continue;
        }
        let why = match ready.later {
            0 => format!("none of its {} pods is left", ready.now),
            later => format!("its {} pods are away until {later} are back", ready.now),
        };
        found.push(Dark {
            what: service.reference().to_string(),
            why,
            comes_back: ready.later > 0,
            names: names_of(world, service),
        });
    }
    found.extend(addresses(world));
    found
}

/// Names that an Ingress leads to a Service.
fn names_of(world: &World<'_>, service: &Service) -> Vec<String> {
    let ingresses = world.after.ingresses.items().iter();
    let mut names: Vec<String> = ingresses
        .filter(|one| one.namespace == service.namespace)
        .flat_map(|one| &one.paths)
        .filter(|path| path.service == service.name && !path.host.is_empty())
        .map(|path| format!("{}{}", path.host, path.path))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Addresses and names of the nodes that go.
fn addresses(world: &World<'_>) -> Vec<Dark> {
    let mut found = Vec::new();
    for node in world.before.nodes.items().iter().filter(|node| world.lost.contains(&node.name)) {
        let own: BTreeSet<&str> = node.addresses.iter().map(|one| one.value.as_str()).collect();
        let comes_back = world.reinstalled.contains(&node.name);
        for service in world.after.services.items() {
            let outer = service.load_balancer.iter().chain(&service.external_ips);
            for address in outer.filter(|address| own.contains(address.as_str())) {
                found.push(Dark {
                    what: format!("{} at {address}", service.reference()),
                    why: format!("it is an address of {}", node.name),
                    comes_back,
                    names: names_of(world, service),
                });
            }
        }
        let declared = world.before.declared();
        let host =
            declared.and_then(|all| all.host(node.hostname()).or_else(|| all.host(&node.name)));
        for name in host.into_iter().flat_map(|host| &host.origin_of) {
            found.push(Dark {
                what: name.clone(),
                why: format!("its records lead to {}", node.name),
                comes_back,
                names: Vec::new(),
            });
        }
    }
    found
}

/// The budgets of pods that are to be evicted.
pub(super) fn budgets(world: &World<'_>, placed: &Placed<'_>) -> Vec<BudgetState> {
    let evicted: Vec<&Pod> = world
        .displaced
        .iter()
        .filter(|(_, cause)| *cause == Cause::Drained)
        .map(|(pod, _)| *pod)
        .collect();
    let mut found = Vec::new();
    let covers = |budget: &DisruptionBudget, pod: &Pod| {
        let selector = budget.selector.as_ref();
        budget.namespace == pod.namespace && selector.is_some_and(|one| one.matches(&pod.labels))
    };
    for budget in world.after.budgets.items() {
        let own: Vec<&&Pod> = evicted.iter().filter(|pod| covers(budget, pod)).collect();
        if own.is_empty() {
            continue;
        }
        let stuck = own.iter().filter(|pod| placed.fate(pod) == Fate::Gone).count();
        let is_double = own.iter().any(|pod| {
            world.after.budgets.items().iter().filter(|other| covers(other, pod)).count() > 1
        });
        let allowed = usize::try_from(budget.allowed).unwrap_or(usize::MAX);
        let (blocks, why) = if is_double {
            (true, "a pod falls under more than one budget, which no eviction passes".to_owned())
        } else if allowed == 0 {
            let (healthy, wanted) = (budget.healthy, budget.desired_healthy);
            (true, format!("{healthy} are healthy and {wanted} have to be: none may be evicted"))
        } else if stuck >= allowed && own.len() > allowed {
            (true, format!("{stuck} of them find no other place, so that the rest has to wait"))
        } else {
            (false, "one after the other, each when the one before is ready again".to_owned())
        };
        found.push(BudgetState {
            budget: budget.reference(),
            pods: own.len(),
            allowed: budget.allowed,
            blocks,
            why,
        });
    }
    found
}
