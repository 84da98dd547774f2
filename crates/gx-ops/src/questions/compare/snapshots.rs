//! What has changed from one snapshot to another, and what has got worse by it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::Page;
use crate::facts::{Fact, Node, Part, Snapshot, Workload};
use crate::report::Look;
use crate::rules::{Options, audit};

/// One thing that is different.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    pub what: String,
    pub change: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// Seconds from the first to the second.
    pub seconds: i64,
    pub differences: Vec<Difference>,
    /// What the second one's audit finds and the first one's does not.
    pub worse: Vec<String>,
    /// The other way round.
    pub better: Vec<String>,
    /// Parts that only one of them has, so that nothing is compared.
    pub not_compared: Vec<String>,
}

/// Answers.
pub fn snapshots(before: &Snapshot, after: &Snapshot) -> Changed {
    let mut found = Vec::new();
    let mut not_compared = Vec::new();
    if let (Some(a), Some(b)) = (before.cluster.get(), after.cluster.get())
        && a != b
    {
        let change = "they are of two clusters".to_owned();
        found.push(Difference { what: "cluster".to_owned(), change });
    }
    for fact in Fact::ALL {
        match (before.lacks(*fact), after.lacks(*fact)) {
            (None, Some(why)) => not_compared.push(format!("{}: the second: {why}", fact.name())),
            (Some(why), None) => not_compared.push(format!("{}: the first: {why}", fact.name())),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
    both(&before.nodes, &after.nodes, &mut found, node);
    both(&before.workloads, &after.workloads, &mut found, workload);
    both(&before.claims, &after.claims, &mut found, |a, b, add| {
        add("phase", a.phase.clone(), b.phase.clone());
        add("volume", a.volume.clone(), b.volume.clone());
    });
    both(&before.services, &after.services, &mut found, |a, b, add| {
        add("kind", a.kind.clone(), b.kind.clone());
        add("selector", told(&a.selector), told(&b.selector));
    });
    both(&before.network_policies, &after.network_policies, &mut found, |a, b, add| {
        let same = a.selector == b.selector && a.ingress == b.ingress && a.egress == b.egress;
        add("rules", String::new(), if same { String::new() } else { "others".to_owned() });
    });
    both(&before.config_maps, &after.config_maps, &mut found, |a, b, add| {
        keys(&a.data, &b.data, |x, y| x == y, add);
    });
    both(&before.secrets, &after.secrets, &mut found, |a, b, add| {
        // Hashes of two salts are never called different.
        let same = |x: &crate::facts::Value, y: &crate::facts::Value| match (x.hidden(), y.hidden())
        {
            (Some(x), Some(y)) => x.equals(y) != Some(false),
            _ => x == y,
        };
        keys(&a.data, &b.data, same, add);
    });
    found.sort();
    let (first, second) = (issues(before), issues(after));
    Changed {
        seconds: after.taken.seconds().saturating_sub(before.taken.seconds()),
        differences: found,
        worse: only(&second, &first),
        better: only(&first, &second),
        not_compared,
    }
}

/// Objects of a kind that both know; those that only one has are named when both know all.
fn both<T: crate::facts::Object>(
    before: &Part<T>,
    after: &Part<T>,
    found: &mut Vec<Difference>,
    compare: impl Fn(&T, &T, &mut dyn FnMut(&str, String, String)),
) {
    if before.reason().is_some() || after.reason().is_some() {
        return;
    }
    let by_name = |part: &Part<T>| -> BTreeMap<String, usize> {
        let named = part.items().iter().enumerate();
        let top =
            named.filter(|(_, one)| one.owner().is_none_or(|owner| owner.kind != "Deployment"));
        top.map(|(at, one)| (one.reference().to_string(), at)).collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    for (what, at) in &old {
        let Some(one) = before.items().get(*at) else { continue };
        let Some(other) = new.get(what).and_then(|at| after.items().get(*at)) else {
            if after.is_whole() {
                found.push(Difference { what: what.clone(), change: "gone".to_owned() });
            }
            continue;
        };
        compare(one, other, &mut |field, a, b| {
            if a != b {
                let change = match (a.is_empty(), b.is_empty()) {
                    (true, _) => format!("{field}: {b}"),
                    (_, true) => format!("{field}: {a} no more"),
                    (false, false) => format!("{field}: {a} → {b}"),
                };
                found.push(Difference { what: what.clone(), change });
            }
        });
        if !one.uid().is_empty() && !other.uid().is_empty() && one.uid() != other.uid() {
            let change = "made again under the same name".to_owned();
            found.push(Difference { what: what.clone(), change });
        }
    }
    if before.is_whole() {
        let new = new.keys().filter(|what| !old.contains_key(*what));
        found.extend(new.map(|what| Difference { what: what.clone(), change: "new".to_owned() }));
    }
}

fn told(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

fn node(a: &Node, b: &Node, add: &mut dyn FnMut(&str, String, String)) {
    let ready = |node: &Node| if node.is_ready() { "ready" } else { "not ready" }.to_owned();
    let cordoned = |node: &Node| if node.unschedulable { "cordoned" } else { "" }.to_owned();
    let taints = |node: &Node| {
        let all =
            node.taints.iter().map(|one| format!("{}={}:{:?}", one.key, one.value, one.effect));
        all.collect::<Vec<_>>().join(" ")
    };
    add("state", ready(a), ready(b));
    add("cordon", cordoned(a), cordoned(b));
    add("taints", taints(a), taints(b));
    add("kubelet", a.kubelet.clone(), b.kubelet.clone());
    add("kernel", a.kernel.clone(), b.kernel.clone());
    let names: BTreeSet<&String> = a.labels.keys().chain(b.labels.keys()).collect();
    for name in names {
        let value = |node: &Node| node.labels.get(name).cloned().unwrap_or_default();
        add(&format!("label {name}"), value(a), value(b));
    }
}

fn workload(a: &Workload, b: &Workload, add: &mut dyn FnMut(&str, String, String)) {
    add("replicas", a.replicas.to_string(), b.replicas.to_string());
    add("ready", a.ready.to_string(), b.ready.to_string());
    let images = |one: &Workload| {
        let all = one.template.spec.all_containers().map(|one| one.image.clone());
        all.collect::<Vec<_>>().join(" ")
    };
    add("image", images(a), images(b));
    let same = {
        let mut other = b.template.clone();
        let mut own = a.template.clone();
        for spec in [&mut other.spec, &mut own.spec] {
            spec.containers.iter_mut().chain(&mut spec.init_containers).for_each(|one| {
                one.image.clear();
            });
        }
        own == other
    };
    add("template", String::new(), if same { String::new() } else { "another".to_owned() });
}

fn keys<V>(
    a: &BTreeMap<String, V>,
    b: &BTreeMap<String, V>,
    same: impl Fn(&V, &V) -> bool,
    add: &mut dyn FnMut(&str, String, String),
) {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for name in names {
        let change = match (a.get(name), b.get(name)) {
            (Some(x), Some(y)) if !same(x, y) => "changed",
            (Some(_), None) => "gone",
            (None, Some(_)) => "new",
            _ => continue,
        };
        add(&format!("key {name}"), String::new(), change.to_owned());
    }
}

/// What an audit finds, by what tells one finding from another.
fn issues(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let audit = audit(snapshot, &Options::default());
    let told = audit.issues().map(|issue| {
        let one = &issue.finding;
        (issue.key(), format!("{} {} {}: {}", one.severity, one.rule, one.subject, one.evidence))
    });
    told.collect()
}

fn only(these: &BTreeMap<String, String>, those: &BTreeMap<String, String>) -> Vec<String> {
    let own = these.iter().filter(|(key, _)| !those.contains_key(*key));
    own.map(|(_, text)| text.clone()).collect()
}

/// The text of an answer.
pub fn render(answer: &Changed, look: &Look) -> String {
    let mut page = Page::new(look.width);
    page.head(&format!(
        "{} differences in {} minutes; {} findings more, {} fewer",
        answer.differences.len(),
        answer.seconds / 60,
        answer.worse.len(),
        answer.better.len()
    ));
    for one in answer.differences.iter().take(look.top) {
        page.line(&format!("{}: {}", one.what, one.change));
    }
    let more = answer.differences.len().saturating_sub(look.top);
    if more > 0 {
        page.line(&format!("{more} more; --all shows them"));
    }
    for (title, lines) in [
        ("Worse", &answer.worse),
        ("Better", &answer.better),
        ("Not compared", &answer.not_compared),
    ] {
        if !lines.is_empty() {
            page.head(title);
            lines.iter().for_each(|line| page.line(line));
        }
    }
    page.text
}
