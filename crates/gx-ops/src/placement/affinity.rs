//! Which pods want to be together, and which apart.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Cluster, Occupied, Reason};
use crate::facts::{Labels, Operator, Pod, PodTerm, Requirement, Selector};

/// Key and value of a label of nodes.
type Domain = (String, String);

/// A term of one pod, with everything that its namespaces, keys and labels lead to.
#[derive(Debug)]
struct Term<'a> {
    topology_key: &'a str,
    selector: Option<Cow<'a, Selector>>,
    namespaces: Vec<&'a str>,
    /// None: no namespace is selected by labels.
    namespace_selector: Option<&'a Selector>,
}

impl<'a> Term<'a> {
    fn new(term: &'a PodTerm, namespace: &'a str, labels: &Labels) -> Self {
        let names_none = term.namespaces.is_empty() && term.namespace_selector.is_none();
        let own = names_none.then_some(namespace);
        let named = term.namespaces.iter().map(String::as_str);
        Self {
            topology_key: &term.topology_key,
            selector: term.selector.as_ref().map(|selector| with_keys(selector, term, labels)),
            namespaces: named.chain(own).collect(),
            namespace_selector: term.namespace_selector.as_ref(),
        }
    }

    fn matches(
        &self,
        namespace: &str,
        labels: &Labels,
        namespaces: &BTreeMap<&str, &Labels>,
    ) -> bool {
        let by_label = || {
            let none = Labels::new();
            let labels = namespaces.get(namespace).copied().unwrap_or(&none);
            self.namespace_selector.is_some_and(|selector| selector.matches(labels))
        };
        (self.namespaces.contains(&namespace) || by_label())
            && self.selector.as_ref().is_some_and(|selector| selector.matches(labels))
    }
}

/// The selector with what the API server adds for `matchLabelKeys` and `mismatchLabelKeys`.
fn with_keys<'a>(selector: &'a Selector, term: &PodTerm, labels: &Labels) -> Cow<'a, Selector> {
    let mut selector = Cow::Borrowed(selector);
    let keys = term.match_label_keys.iter().map(|key| (key, Operator::In));
    let others = term.mismatch_label_keys.iter().map(|key| (key, Operator::NotIn));
    for (key, operator) in keys.chain(others) {
        if let Some(value) = labels.get(key) {
            let (key, values) = (key.clone(), vec![value.clone()]);
            selector.to_mut().expressions.push(Requirement { key, operator, values });
        }
    }
    selector
}

/// What the pods that there are mean for one more.
#[derive(Debug)]
pub(super) struct Counts<'a> {
    near: Vec<Term<'a>>,
    away: Vec<Term<'a>>,
    /// Domains with a pod that all terms of affinity match.
    near_found: BTreeSet<Domain>,
    /// Domains with a pod that a term of anti-affinity matches.
    away_found: BTreeSet<Domain>,
    /// Domains with a pod that does not want this one.
    unwanted: BTreeSet<Domain>,
    /// The pod may be the first of those that want to be together.
    is_first: bool,
}

impl<'a> Counts<'a> {
    pub(super) fn new(cluster: &Cluster<'a>, pod: &Candidate<'a>) -> Self {
        let terms = |list: &'a [PodTerm]| -> Vec<Term<'a>> {
            list.iter().map(|term| Term::new(term, pod.namespace, pod.labels)).collect()
        };
        let near = terms(&pod.spec.affinity.pod_required);
        let away = terms(&pod.spec.affinity.anti_required);
        let mut near_found = BTreeSet::new();
        let mut away_found = BTreeSet::new();
        let mut unwanted = BTreeSet::new();
        let spaces = &cluster.namespaces;
        for at in &cluster.nodes {
            let domain = |key: &str| {
                let value = at.node.labels.get(key)?;
                Some((key.to_owned(), value.clone()))
            };
            for other in at.pods.iter().filter(|other| !pod.is(other)) {
                let matches =
                    |term: &&Term<'_>| term.matches(&other.namespace, &other.labels, spaces);
                if !near.is_empty() && near.iter().all(|term| matches(&term)) {
                    near_found.extend(near.iter().filter_map(|term| domain(term.topology_key)));
                }
                let away = away.iter().filter(matches);
                away_found.extend(away.filter_map(|term| domain(term.topology_key)));
                unwanted.extend(unwanted_by(other, pod, spaces).filter_map(|key| domain(&key)));
            }
        }
        let matches_itself =
            near.iter().all(|term| term.matches(pod.namespace, pod.labels, spaces));
        let is_first = near_found.is_empty() && matches_itself;
        Self { near, away, near_found, away_found, unwanted, is_first }
    }

    pub(super) fn exclude(&self, _: &Candidate<'_>, at: &Occupied<'_>) -> Vec<Reason> {
        let labels = &at.node.labels;
        let found = |set: &BTreeSet<Domain>, key: &str| {
            labels.get(key).is_some_and(|value| set.contains(&(key.to_owned(), value.clone())))
        };
        let has_labels = self.near.iter().all(|term| labels.contains_key(term.topology_key));
        let is_near = self.near.iter().all(|term| found(&self.near_found, term.topology_key));
        if !has_labels || !is_near && !self.is_first {
            return vec![Reason::PodAffinity];
        }
        if self.away.iter().any(|term| found(&self.away_found, term.topology_key)) {
            return vec![Reason::AntiAffinity];
        }
        if self.unwanted.iter().any(|(key, value)| labels.get(key) == Some(value)) {
            return vec![Reason::OthersAntiAffinity];
        }
        Vec::new()
    }
}

/// Keys of the domains that a pod does not want another one in.
fn unwanted_by<'b>(
    other: &'b Pod,
    pod: &'b Candidate<'_>,
    namespaces: &'b BTreeMap<&str, &Labels>,
) -> impl Iterator<Item = String> + 'b {
    // Most terms are about the namespace of their own pod: that is asked before anything is made.
    let may_concern = move |term: &&PodTerm| {
        !term.namespaces.is_empty()
            || term.namespace_selector.is_some()
            || other.namespace == pod.namespace
    };
    let terms = other.spec.affinity.anti_required.iter().filter(may_concern);
    terms.filter_map(move |term| {
        let term = Term::new(term, &other.namespace, &other.labels);
        let matches = term.matches(pod.namespace, pod.labels, namespaces);
        matches.then(|| term.topology_key.to_owned())
    })
}
