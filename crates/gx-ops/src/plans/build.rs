//! From what a request wants to a plan: every step is looked at in the cluster that the steps
//! before it leave, and refused there if it has to be.

use std::collections::BTreeSet;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::action::{Action, Check, Effect};
use super::acts;
use super::advance::advance;
use super::refusals::{Case, REFUSALS, Refused};
use super::{PLAN_VERSION, Plan, PlanError, Request, Stand, Step};
use crate::facts::{Fact, Known, Object as _, Snapshot, Time};
use crate::questions::what_if::{Change, WhatIf, what_if};
use crate::report::plural;
use crate::rules::shared::{Component, environments, sets};

/// Seconds that a step has, unless its planner says otherwise.
pub(super) const WITHIN: u64 = 300;

/// A step before it is looked at.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) title: String,
    pub(super) action: Action,
    pub(super) why: String,
    pub(super) rollback: Vec<String>,
    pub(super) check: Check,
    pub(super) within: u64,
    /// What becomes of dependants beyond what what-if tells.
    pub(super) dependants: Vec<String>,
}

/// What a planner wants.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) steps: Vec<Draft>,
    pub(super) stands_on: Vec<Stand>,
    pub(super) notes: Vec<String>,
    /// Facts beyond those that every plan needs.
    pub(super) needs: Vec<Fact>,
    /// What all steps together come to, where it is judged as one change as well.
    pub(super) changes: Vec<Change>,
}

impl Wanted {
    pub(super) fn stand(&mut self, what: impl Into<String>, is: impl Into<String>) {
        self.stands_on.push(Stand { what: what.into(), is: is.into() });
    }
}

/// Facts without which nobody can say what a change does.
const BASE: [Fact; 9] = [
    Fact::Nodes,
    Fact::Pods,
    Fact::Workloads,
    Fact::Services,
    Fact::Claims,
    Fact::Volumes,
    Fact::StorageClasses,
    Fact::Budgets,
    Fact::Namespaces,
];

/// Makes a plan.
///
/// # Errors
/// When something is named that is not there, when one of the refusals forbids it, when it cannot
/// be done or is done already.
pub fn make(snapshot: &Snapshot, request: &Request, now: Time) -> Result<Plan, PlanError> {
    // Without facts nothing is looked for in them.
    fresh(snapshot, &BASE, now)?;
    let mut wanted = acts::wanted(snapshot, request)?;
    if wanted.steps.is_empty() {
        let why = wanted.notes.first().cloned();
        let why = why.unwrap_or_else(|| "everything is as it is to be".to_owned());
        return Err(PlanError::Nothing(why));
    }
    let needs = parts_of(snapshot, &wanted.needs, wanted.steps.iter().map(|one| &one.action));
    fresh(snapshot, &needs, now)?;
    let network = network(snapshot, &wanted.steps);
    let mut state = snapshot.clone();
    let mut steps = Vec::new();
    for draft in std::mem::take(&mut wanted.steps) {
        let answer = judge(&state, &draft.action, &needs, now, (None, None))?;
        advance(&mut state, &draft.action);
        left_standing(answer.as_ref(), &state)?;
        let mut dependants = dependants(answer.as_ref());
        dependants.extend(draft.dependants);
        steps.push(Step {
            number: steps.len().saturating_add(1),
            title: draft.title,
            action: draft.action,
            why: draft.why,
            dependants,
            rollback: draft.rollback,
            check: within_reach(&state, draft.check),
            within: draft.within,
        });
    }
    whole(snapshot, &wanted.changes)?;
    state_of_sets(snapshot, &mut wanted);
    wanted.stands_on.sort();
    wanted.stands_on.dedup();
    let mut plan = Plan {
        version: PLAN_VERSION,
        id: String::new(),
        cluster: snapshot.cluster.get().cloned(),
        request: request.clone(),
        made: snapshot.taken,
        network,
        needs,
        stands_on: wanted.stands_on,
        steps,
        notes: wanted.notes,
    };
    plan.id = plan.hash();
    Ok(plan)
}

/// Nobody waits for pods that find no place.
fn within_reach(state: &Snapshot, check: Check) -> Check {
    let Check::Ready { workload, ready, seconds } = check else { return check };
    let found = state.top_workloads().find(|one| one.reference() == workload);
    let there = found.map_or(ready, |one| {
        let pods = state.pods_of(one);
        pods.iter().filter(|pod| pod.is_active() && pod.is_ready()).count()
    });
    Check::Ready { workload, ready: ready.min(there), seconds }
}

/// The network whose name has to be typed, and what was typed.
pub(crate) type Named<'a> = (Option<&'a str>, Option<&'a str>);

/// Refuses what is forbidden, and tells what the step does otherwise.
pub(crate) fn judge(
    state: &Snapshot,
    action: &Action,
    needs: &[Fact],
    now: Time,
    named: Named<'_>,
) -> Result<Option<WhatIf>, PlanError> {
    let changes = action.changes();
    let answer = match changes.is_empty() {
        true => None,
        false => Some(what_if(state, &changes)?),
    };
    let (network, typed) = named;
    let answer_ref = answer.as_ref();
    let case = Case { state, action, answer: answer_ref, needs, now, network, typed };
    for refusal in &REFUSALS {
        if let Some(facts) = (refusal.looks)(&case) {
            return Err(PlanError::Refused(Refused::new(refusal, facts)));
        }
    }
    if let Some(blocked) = answer.iter().flat_map(|one| &one.budgets).find(|one| one.blocks) {
        return Err(PlanError::Cannot(format!("{} refuses it: {}", blocked.budget, blocked.why)));
    }
    Ok(answer)
}

/// Refuses what leaves a set that held without what it needs: one that grows by a member that does
/// not start needs more than before.
fn left_standing(answer: Option<&WhatIf>, after: &Snapshot) -> Result<(), PlanError> {
    let Some(answer) = answer else { return Ok(()) };
    let now = what_if(after, &[])?;
    let held = |name: &str| answer.sets.iter().any(|set| set.name == name && set.holds_now);
    let Some(broken) =
        now.sets.iter().find(|set| set.members > 1 && !set.holds_now && held(&set.name))
    else {
        return Ok(());
    };
    let facts = format!(
        "{}: {} of {} would work, it takes {}",
        broken.name, broken.working.now, broken.members, broken.rule
    );
    Err(refused("quorum", facts))
}

fn refused(id: &str, facts: String) -> PlanError {
    match REFUSALS.iter().find(|one| one.id == id) {
        Some(refusal) => PlanError::Refused(Refused::new(refusal, facts)),
        None => PlanError::Cannot(facts),
    }
}

/// What all steps together leave: members that go one by one are members still.
fn whole(snapshot: &Snapshot, changes: &[Change]) -> Result<(), PlanError> {
    if changes.is_empty() {
        return Ok(());
    }
    let answer = what_if(snapshot, changes)?;
    match super::refusals::below_minimum(&answer, true) {
        Some(facts) => Err(refused("quorum", facts)),
        None => Ok(()),
    }
}

/// Refuses facts that are missing or old.
fn fresh(snapshot: &Snapshot, needs: &[Fact], now: Time) -> Result<(), PlanError> {
    match super::refusals::stale(snapshot, needs, now) {
        Some(facts) => Err(refused("old-facts", facts)),
        None => Ok(()),
    }
}

/// The parts that have to be known for these actions.
pub(crate) fn parts_of<'a>(
    snapshot: &Snapshot,
    own: &[Fact],
    actions: impl Iterator<Item = &'a Action>,
) -> Vec<Fact> {
    let mut needs: BTreeSet<Fact> = BASE.into_iter().chain(own.iter().copied()).collect();
    let databases = sets(snapshot, |component| component == Component::Postgres);
    for action in actions {
        let is_of_database = action.objects().iter().any(|object| {
            databases.iter().filter(|set| set.members() > 1).any(|set| {
                let own = set.workloads.iter().any(|one| one.reference() == object.reference());
                own || set.pods(snapshot).iter().any(|pod| pod.reference() == object.reference())
            })
        });
        // Whether servers replicate is what tells how many of them have to stay.
        let takes_pods = matches!(action, Action::Evict { .. } | Action::Scale { .. });
        if is_of_database && takes_pods {
            needs.insert(Fact::Postgres);
        }
        if let Action::Delete { object } = action
            && object.kind.starts_with("PersistentVolume")
        {
            needs.insert(Fact::Backups);
        }
        match action {
            Action::Ask {
                effect: Effect::EtcdRemoved { .. } | Effect::EtcdAdded { .. }, ..
            } => {
                needs.insert(Fact::Etcd);
            }
            Action::Ask { effect: Effect::FileRemoved { .. }, .. } => {
                needs.extend([Fact::Hosts, Fact::Backups]);
            }
            Action::Rotate { .. } => {
                needs.insert(Fact::Secrets);
            }
            _ => {}
        }
    }
    needs.into_iter().collect()
}

/// Mainnet, when a step touches something of it or of the cluster that holds it.
fn network(snapshot: &Snapshot, steps: &[Draft]) -> Option<String> {
    let touches = steps.iter().any(|step| touches_mainnet(snapshot, &step.action));
    touches.then(|| "mainnet".to_owned())
}

/// Whether an action touches mainnet: its namespaces, or a machine that its pods run on or that is
/// for it. What somebody does on a host of a cluster with a mainnet may touch it.
fn touches_mainnet(snapshot: &Snapshot, action: &Action) -> bool {
    let on_node = |name: &str| {
        let pods = snapshot.pods_on(name);
        let node = snapshot.node(name);
        pods.iter().any(|pod| snapshot.is_mainnet(&pod.namespace))
            || node
                .is_some_and(|node| environments(snapshot, node).iter().any(|one| one == "mainnet"))
    };
    if let Action::Ask { .. } = action {
        let mut pods = snapshot.pods.items().iter();
        return pods.any(|pod| snapshot.is_mainnet(&pod.namespace));
    }
    action.objects().iter().any(|object| match object.kind.as_str() {
        "Node" => on_node(&object.name),
        "PersistentVolume" => snapshot.volume(&object.name).is_some_and(|volume| {
            volume.claim.as_ref().is_some_and(|claim| snapshot.is_mainnet(&claim.namespace))
        }),
        _ => snapshot.is_mainnet(&object.namespace),
    })
}

/// Everything that lives by numbers is a fact that a plan stands on, and so are budgets.
fn state_of_sets(snapshot: &Snapshot, wanted: &mut Wanted) {
    for set in sets(snapshot, super::refusals::is_member) {
        let ready = set.pods(snapshot).iter().filter(|pod| pod.is_ready()).count();
        wanted.stand(
            format!("members of {}", set.reference()),
            format!("{ready} of {} ready", set.members()),
        );
    }
    for view in snapshot.etcd.items() {
        let Known::Known(members) = &view.members else { continue };
        let told: Vec<String> = members
            .iter()
            .map(|one| {
                let healthy = one.healthy == Known::Known(true);
                format!("{} {}", one.name, if healthy { "healthy" } else { "not healthy" })
            })
            .collect();
        wanted.stand(format!("etcd seen from {}", view.seen_from), told.join(", "));
    }
}

/// What becomes of everything that depends on a change.
fn dependants(answer: Option<&WhatIf>) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(answer) = answer else { return lines };
    for one in &answer.affected {
        let ready = one.ready;
        lines.push(format!(
            "{}: {} ready now, {} at the worst moment, {} in the end",
            one.workload, ready.now, ready.at_once, ready.later
        ));
    }
    for one in &answer.moves {
        let others = match one.others.len() {
            0 => String::new(),
            count => format!(", or to one of {}", plural(count, "other node")),
        };
        lines.push(format!("{} goes to {}{others}", one.pod, one.to));
    }
    for one in &answer.stuck {
        lines.push(format!("{} waits without a node: {}", one.pod, one.why));
    }
    lines.extend(answer.ends.iter().map(|one| format!("{one} ends")));
    for set in answer.sets.iter().filter(|set| !set.leaving.is_empty()) {
        lines.push(format!(
            "{}: {} of {} work meanwhile, it takes {}",
            set.name, set.working.at_once, set.members, set.rule
        ));
    }
    for one in &answer.dark {
        let back = if one.comes_back { "for a while" } else { "for good" };
        let names = match one.names.as_slice() {
            [] => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        lines.push(format!("{}{names} answers nobody {back}: {}", one.what, one.why));
    }
    for one in &answer.at_risk {
        lines.push(format!("{} runs on, and could not be placed again: {}", one.pod, one.why));
    }
    for one in &answer.budgets {
        lines.push(format!("{} allows it: {} may be away", one.budget, one.allowed));
    }
    lines
}

impl Plan {
    /// The hash over what it does and what it stands on.
    pub(super) fn hash(&self) -> String {
        #[derive(Serialize)]
        struct Content<'a> {
            version: u32,
            cluster: &'a Option<String>,
            request: &'a Request,
            network: &'a Option<String>,
            needs: &'a [Fact],
            stands_on: &'a [Stand],
            steps: Vec<(&'a Action, &'a Check, u64)>,
        }
        let content = Content {
            version: self.version,
            cluster: &self.cluster,
            request: &self.request,
            network: &self.network,
            needs: &self.needs,
            stands_on: &self.stands_on,
            steps: self.steps.iter().map(|one| (&one.action, &one.check, one.within)).collect(),
        };
        // What is plain data has a text.
        let text = serde_json::to_vec(&content).unwrap_or_default();
        let digest = Sha256::digest(&text);
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}
