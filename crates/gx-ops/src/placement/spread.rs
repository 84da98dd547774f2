//! How evenly pods have to be spread.

use std::collections::BTreeMap;

use super::filters::{matches_affinity, untolerated};
use super::{Candidate, Cluster, Occupied, Reason};
use crate::facts::{Inclusion, Node, Operator, Requirement, Selector, Spread, Unsatisfiable};

#[derive(Debug)]
struct Constraint<'a> {
    spread: &'a Spread,
    selector: Option<Selector>,
    /// Pods that match, by the value of the topology's label.
    matching: BTreeMap<&'a str, u32>,
}

#[derive(Debug)]
pub(super) struct Counts<'a> {
    constraints: Vec<Constraint<'a>>,
}

impl<'a> Counts<'a> {
    pub(super) fn new(cluster: &Cluster<'a>, pod: &Candidate<'a>) -> Self {
        let hard = pod.spec.spread.iter().filter(|one| one.when == Unsatisfiable::DoNotSchedule);
        let mut constraints: Vec<Constraint<'a>> = hard
            .map(|spread| Constraint {
                spread,
                selector: selector(spread, pod),
                matching: BTreeMap::new(),
            })
            .collect();
        let keys: Vec<&str> = constraints.iter().map(|c| c.spread.topology_key.as_str()).collect();
        for at in &cluster.nodes {
            if !keys.iter().all(|key| at.node.labels.contains_key(*key)) {
                continue;
            }
            for constraint in &mut constraints {
                constraint.count(pod, at.node, &at.pods);
            }
        }
        Self { constraints }
    }

    pub(super) fn exclude(&self, pod: &Candidate<'_>, at: &Occupied<'_>) -> Vec<Reason> {
        for constraint in &self.constraints {
            let Some(value) = at.node.labels.get(&constraint.spread.topology_key) else {
                return vec![Reason::SpreadLabel];
            };
            let own = constraint.selector.as_ref().is_some_and(|one| one.matches(pod.labels));
            let here = constraint.matching.get(value.as_str()).copied().unwrap_or(0);
            let here = here.saturating_add(u32::from(own));
            if here > constraint.least().saturating_add(constraint.spread.max_skew) {
                return vec![Reason::Spread];
            }
        }
        Vec::new()
    }
}

impl<'a> Constraint<'a> {
    fn count(&mut self, pod: &Candidate<'_>, node: &'a Node, pods: &[&crate::facts::Pod]) {
        let honors_affinity = self.spread.affinity_policy != Some(Inclusion::Ignore);
        let honors_taints = self.spread.taints_policy == Some(Inclusion::Honor);
        if honors_affinity && !matches_affinity(pod.spec, node)
            || honors_taints && untolerated(pod.spec, node).is_some()
        {
            return;
        }
        let Some(value) = node.labels.get(&self.spread.topology_key) else { return };
        // An empty selector counts nothing, as in the scheduler.
        let selector = self.selector.as_ref().filter(|selector| !selector.is_empty());
        let counted = pods.iter().filter(|other| {
            other.deleting.is_none()
                && other.namespace == pod.namespace
                && !pod.is(other)
                && selector.is_some_and(|selector| selector.matches(&other.labels))
        });
        let counted = u32::try_from(counted.count()).unwrap_or(u32::MAX);
        let sum = self.matching.entry(value).or_default();
        *sum = sum.saturating_add(counted);
    }

    /// Pods of the domain with the fewest; none when there are too few domains.
    fn least(&self) -> u32 {
        let wanted = usize::try_from(self.spread.min_domains.unwrap_or(1)).unwrap_or(usize::MAX);
        if self.matching.len() < wanted {
            return 0;
        }
        self.matching.values().copied().min().unwrap_or(0)
    }
}

/// The selector with what `matchLabelKeys` add.
fn selector(spread: &Spread, pod: &Candidate<'_>) -> Option<Selector> {
    let mut selector = spread.selector.clone()?;
    for key in &spread.match_label_keys {
        if let Some(value) = pod.labels.get(key) {
            let (key, values) = (key.clone(), vec![value.clone()]);
            selector.expressions.push(Requirement { key, operator: Operator::In, values });
        }
    }
    Some(selector)
}
