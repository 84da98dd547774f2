//! How bad it is, and why.

use serde::Serialize;

use super::Verdict;
use super::change::World;
use super::count::Affected;
use super::daemons::DaemonFate;
use super::data::Holding;
use super::place::{Fate, Placed};
use super::reach::{BudgetState, Dark};
use super::sets::SetState;
use crate::report::plural;

/// One reason of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Because {
    pub verdict: Verdict,
    pub text: String,
}

/// What is judged.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) placed: &'a Placed<'a>,
    pub(super) affected: &'a [Affected],
    pub(super) sets: &'a [SetState],
    pub(super) data: &'a [Holding],
    pub(super) dark: &'a [Dark],
    pub(super) budgets: &'a [BudgetState],
}

/// All reasons, the worst first.
pub(super) fn because(seen: &Seen<'_>) -> Vec<Because> {
    let mut found: Vec<Because> = Vec::new();
    found.extend(seen.data.iter().filter_map(data));
    found.extend(seen.sets.iter().filter_map(set));
    found.extend(seen.affected.iter().filter_map(workload));
    found.extend(seen.dark.iter().map(|one| {
        let verdict = if one.comes_back { Verdict::Degraded } else { Verdict::Outage };
        Because { verdict, text: format!("{}: {}", one.what, one.why) }
    }));
    let lone = seen.placed.stuck.iter().filter(|one| one.nodes.is_empty() && !one.from.is_empty());
    found.extend(lone.map(|one| Because {
        verdict: Verdict::Outage,
        text: format!("{}: {}", one.pod, one.why),
    }));
    let unmade = seen.placed.stuck.iter().filter(|one| one.from.is_empty());
    found.extend(unmade.map(|one| Because {
        verdict: Verdict::Degraded,
        text: format!("{} finds no place: {}", one.pod, one.why),
    }));
    found.extend(seen.budgets.iter().filter(|one| one.blocks).map(|one| Because {
        verdict: Verdict::Degraded,
        text: format!("{} stops the drain: {}", one.budget, one.why),
    }));
    let at_risk = seen.placed.at_risk.iter();
    let at_risk = at_risk.filter(|one| seen.world.relabelled.contains(&one.from)).count();
    let daemons = seen.placed.daemons.iter().filter(|one| one.fate == DaemonFate::CannotStart);
    found.extend(daemons.map(|one| Because {
        verdict: Verdict::Degraded,
        text: format!("{} has no pod on {}: {}", one.workload, one.node, one.why),
    }));
    if at_risk > 0 {
        let text = format!("{} could not be placed again", plural(at_risk, "pod"));
        found.push(Because { verdict: Verdict::Degraded, text });
    }
    if let Some(one) = sudden(seen) {
        found.push(one);
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.verdict));
    found
}

fn data(one: &Holding) -> Option<Because> {
    if !one.is_lost || !one.is_only_copy() {
        return None;
    }
    let newest = match (&one.backup, &one.backup_unknown) {
        (Some((at, target)), _) => {
            format!("what is newer than the backup of {at} at {target} is lost")
        }
        (None, Some(why)) => why.clone(),
        (None, None) => "there is no backup".to_owned(),
    };
    let copy = match &one.unknown {
        None => "its only copy".to_owned(),
        Some(why) => format!("the only copy that is known of ({why})"),
    };
    let text = format!("{} has {copy} on {}; {newest}", one.claim, one.node);
    Some(Because { verdict: Verdict::DataLoss, text })
}

fn set(one: &SetState) -> Option<Because> {
    let (verdict, what) = if one.holds_now && !one.holds_later {
        (Verdict::Outage, "does not hold any more")
    } else if one.holds_now && !one.holds_at_once {
        (Verdict::Outage, "does not hold until its members are back")
    } else if one.working.later < one.working.now || one.working.at_once < one.working.now {
        (Verdict::Degraded, "holds with fewer")
    } else {
        return None;
    };
    let worst = one.working.at_once;
    let text =
        format!("{}: {worst} of {} work, it takes {}: it {what}", one.name, one.members, one.rule);
    Some(Because { verdict, text })
}

fn workload(one: &Affected) -> Option<Because> {
    let ready = one.ready;
    let (verdict, text) = if ready.now > 0 && ready.later == 0 {
        (Verdict::Outage, format!("no pod of {} is left", one.workload))
    } else if ready.now > 0 && ready.at_once == 0 {
        let text = format!("{} is away until {} is back", one.workload, plural(ready.later, "pod"));
        (Verdict::Degraded, text)
    } else if ready.later < ready.now {
        let text = format!("{}: {} of {} pods are left", one.workload, ready.later, ready.now);
        (Verdict::Degraded, text)
    } else {
        return None;
    };
    Some(Because { verdict, text })
}

/// Pods that are away at once and come back: there is less of everything until then.
fn sudden(seen: &Seen<'_>) -> Option<Because> {
    let away = seen
        .world
        .displaced
        .iter()
        .filter(|(pod, _)| pod.is_ready() && seen.placed.fate(pod) == Fate::Interrupted);
    let text = match away.count() {
        0 => return None,
        1 => "1 pod is away until it has started elsewhere".to_owned(),
        count => format!("{count} pods are away until they have started elsewhere"),
    };
    Some(Because { verdict: Verdict::Degraded, text })
}
