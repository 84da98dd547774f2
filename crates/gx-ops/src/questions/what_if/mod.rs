//! What would be if: a node, a region or a zone were lost, drained, closed, labelled, installed
//! again; a member of etcd removed; a workload scaled; manifests applied. Several at once as well.
//!
//! Where pods could go is decided by the scheduler's own filters (`placement`). The answer judges
//! what the changes do: what is wrong already is told apart (`already`). Since several nodes are
//! not lost in the same instant, the verdict is the worst of the moments on the way: the first
//! change alone, the first two, and so on. So no further loss makes it better.

mod apply;
mod change;
mod count;
mod daemons;
mod data;
mod judge;
mod place;
mod policy;
mod reach;
mod sets;
mod steps;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

pub use change::{Change, Place};
pub(crate) use change::{is_of_node, pod_of, sort_for_removal};
pub use count::{Affected, Tally};
pub use daemons::{Daemon, DaemonFate};
pub use data::Holding;
pub use judge::Because;
pub use place::{Excluded, Move, Stuck};
pub use reach::{BudgetState, Dark};
pub use sets::SetState;
pub use steps::Step;
pub use text::render;

use self::change::World;
use super::NameError;
use crate::facts::{Fact, ObjectRef, Snapshot};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Verdict {
    /// Everything works on.
    #[serde(rename = "SAFE")]
    Safe,
    /// Everything works, or will after minutes, with less room for the next fault.
    #[serde(rename = "DEGRADED")]
    Degraded,
    /// Something does not work.
    #[serde(rename = "OUTAGE")]
    Outage,
    /// Something is gone that nothing else has.
    #[serde(rename = "DATA LOSS")]
    DataLoss,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safe => "SAFE",
            Self::Degraded => "DEGRADED",
            Self::Outage => "OUTAGE",
            Self::DataLoss => "DATA LOSS",
        })
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhatIf {
    /// What was supposed, in the order in which it counts.
    pub changes: Vec<String>,
    pub verdict: Verdict,
    /// Why, the worst first.
    pub because: Vec<Because>,
    /// What is not as it should be without any change.
    pub already: Vec<String>,
    /// Workloads that nothing happens to.
    pub untouched: Vec<ObjectRef>,
    pub affected: Vec<Affected>,
    pub moves: Vec<Move>,
    pub stuck: Vec<Stuck>,
    /// Pods that run on, and could be placed nowhere if they had to start again.
    pub at_risk: Vec<Stuck>,
    /// Pods that end with their node, or because there are to be fewer.
    pub ends: Vec<ObjectRef>,
    /// Pods of DaemonSets that come, go or are replaced, each on its node.
    pub daemons: Vec<Daemon>,
    pub sets: Vec<SetState>,
    pub budgets: Vec<BudgetState>,
    pub data: Vec<Holding>,
    pub dark: Vec<Dark>,
    pub steps: Vec<Step>,
    pub not_modelled: Vec<String>,
}

/// What was left out of account, always.
const NOT_MODELLED: [&str; 7] = [
    "which of the nodes that are open the scheduler prefers: named is the one with the fewest pods \
     of the same owner, then the most room",
    "preemption of pods by more important ones, and autoscalers",
    "quotas, limits of volumes per node, capacity that storage drivers report, devices",
    "whether a pod that is placed becomes ready",
    "policies of the network, and traffic between regions",
    "folders of hosts that pods mount, and data in emptyDir, which end with the pod",
    "the taints that a node gets while it comes and goes",
];

/// Answers.
///
/// # Errors
/// When something is named that the snapshot does not have.
pub fn what_if(snapshot: &Snapshot, changes: &[Change]) -> Result<WhatIf, NameError> {
    let changes = Change::in_order(changes);
    let mut answer = moment(snapshot, &changes)?;
    for count in 1..changes.len() {
        let some: Vec<&Change> = changes.iter().copied().take(count).collect();
        let earlier = moment(snapshot, &some)?;
        if earlier.verdict > answer.verdict {
            let told: Vec<String> = some.iter().map(ToString::to_string).collect();
            let worse = earlier.because.into_iter().filter(|one| one.verdict > answer.verdict);
            let worse = worse.map(|one| Because {
                text: format!("after {} alone: {}", told.join(", "), one.text),
                ..one
            });
            answer.because.splice(0..0, worse);
            answer.verdict = earlier.verdict;
        }
    }
    Ok(answer)
}

/// The answer for changes that happen in one instant.
fn moment(snapshot: &Snapshot, changes: &[&Change]) -> Result<WhatIf, NameError> {
    let world = World::new(snapshot, changes)?;
    let placed = place::place(&world);
    let affected = count::affected(&world, &placed);
    let (sets, no_sets) = sets::states(&world, &placed);
    let (data, no_data) = data::holdings(&world);
    let dark = reach::dark(&world, &placed);
    let budgets = reach::budgets(&world, &placed);
    let because = judge::because(&judge::Seen {
        world: &world,
        placed: &placed,
        affected: &affected,
        sets: &sets,
        data: &data,
        dark: &dark,
        budgets: &budgets,
    });
    let verdict = because.iter().map(|one| one.verdict).max().unwrap_or(Verdict::Safe);
    let known = steps::Known { world: &world, sets: &sets, data: &data, verdict };
    let steps = steps::steps(&known, changes);
    let touched: BTreeSet<&ObjectRef> = affected.iter().map(|one| &one.workload).collect();
    let all = snapshot.top_workloads().filter(|one| one.is_lasting() && one.replicas > 0);
    let all = all.map(crate::facts::Object::reference);
    let untouched = all.filter(|one| !touched.contains(one)).collect();
    let mut not_modelled: Vec<String> = NOT_MODELLED.iter().map(|one| (*one).to_owned()).collect();
    not_modelled.extend(no_sets.into_iter().chain(no_data).chain(world.notes.iter().cloned()));
    not_modelled.extend(lacking(snapshot));
    Ok(WhatIf {
        changes: changes.iter().map(ToString::to_string).collect(),
        verdict,
        because,
        already: count::already(&world),
        untouched,
        affected,
        moves: placed.moves,
        stuck: placed.stuck,
        at_risk: placed.at_risk,
        ends: placed.ends,
        daemons: placed.daemons,
        sets,
        budgets,
        data,
        dark,
        steps,
        not_modelled,
    })
}

/// Parts without which something is not told that may be.
fn lacking(snapshot: &Snapshot) -> impl Iterator<Item = String> {
    const PARTS: [Fact; 10] = [
        Fact::Nodes,
        Fact::Pods,
        Fact::Workloads,
        Fact::Claims,
        Fact::Volumes,
        Fact::StorageClasses,
        Fact::Services,
        Fact::Budgets,
        Fact::Ledgers,
        Fact::Inventory,
    ];
    PARTS.into_iter().filter_map(|fact| {
        let why = snapshot.lacks(fact)?;
        Some(format!("{}, which are missing ({why}): {}", fact.name(), fact.how()))
    })
}
