//! Whether pods can be spread over the nodes there are, and whether a node can be drained or lost.

use gx_types::{Finding, Rule, Severity};
use serde_json::Value;

use super::objects::{Object, Objects, at, list, pairs, text};

const SPREAD: Rule = Rule {
    id: "replicas-cannot-be-spread",
    severity: Severity::High,
    remedy: "run as many as there are nodes for, or let two stand on a node",
};
const LOST: Rule = Rule {
    id: "node-takes-all",
    severity: Severity::High,
    remedy: "run more of them, or over more nodes: one node that is lost must leave enough",
};
const BUDGET: Rule = Rule {
    id: "budget-stops-drain",
    severity: Severity::High,
    remedy: "let the budget allow what stands on the fullest node to be moved",
};
const NOBODY: Rule = Rule {
    id: "budget-selects-nothing",
    severity: Severity::Medium,
    remedy: "select pods by the labels that they have",
};

const HOST: &str = "kubernetes.io/hostname";

pub(super) fn check(objects: &Objects, nodes: u16) -> Vec<Finding> {
    let nodes = u64::from(nodes.max(1));
    let mut findings = Vec::new();
    let mainnet = |object: &&Object| objects.network(object.namespace()) == "mainnet";
    for object in objects.workloads().filter(mainnet) {
        findings.extend(apart(objects, object, nodes));
        findings.extend(lost(objects, object, nodes));
    }
    for object in objects.of("Cluster").filter(mainnet) {
        let affinity = at(&object.value, "spec.affinity");
        let (instances, required) = (object.replicas(), text(affinity, "podAntiAffinityType"));
        if required == "required" && instances > nodes {
            let evidence =
                format!("{instances} instances, each on a node of its own, on {nodes} nodes");
            let words = ["instances"];
            findings.push(objects.broken(SPREAD, object, "spec.instances", evidence, &words));
        }
    }
    findings.extend(budgets(objects, nodes));
    findings
}

/// The autoscaler of what makes pods, when it has one.
fn scaler<'a>(objects: &'a Objects, object: &Object) -> Option<&'a Object> {
    objects.of("HorizontalPodAutoscaler").find(|one| {
        let target = at(&one.value, "spec.scaleTargetRef");
        one.namespace() == object.namespace()
            && text(target, "kind") == object.kind()
            && text(target, "name") == object.name()
    })
}

/// How many pods there may be at once: those of an autoscaler, one more in a roll-out.
fn most(objects: &Objects, object: &Object) -> u64 {
    let most = scaler(objects, object).and_then(|one| at(&one.value, "spec.maxReplicas").as_u64());
    let surge = match (object.kind(), at(&object.value, "spec.strategy.rollingUpdate.maxSurge")) {
        ("Deployment", Value::Number(number)) => number.as_u64().unwrap_or(0),
        ("Deployment", _) => 1,
        _ => 0,
    };
    most.unwrap_or_default().max(least(objects, object)).saturating_add(surge)
}

/// How many pods there are without any load.
fn least(objects: &Objects, object: &Object) -> u64 {
    let scaled = |one: &Object| at(&one.value, "spec.minReplicas").as_u64().unwrap_or(1);
    scaler(objects, object).map_or(object.replicas(), scaled)
}

/// Pods that may not stand on one node, of which there are more than nodes.
fn apart(objects: &Objects, object: &Object, nodes: u64) -> Option<Finding> {
    let template = object.template()?;
    let path = "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    let rules = list(at(&object.value, template), path);
    let mut own = rules.iter().filter(|rule| text(rule, "topologyKey") == HOST);
    let selector = at(own.next()?, "labelSelector");
    let kin: u64 = objects
        .workloads()
        .filter(|other| other.namespace() == object.namespace() && selects(selector, other))
        .map(|other| most(objects, other))
        .sum();
    let evidence = format!("{kin} pods at once, each on a node of its own, on {nodes} nodes");
    let field = format!("{template}.{path}");
    (kin > nodes).then(|| objects.broken(SPREAD, object, &field, evidence, &[object.name()]))
}

/// What is alone though it could be two, and a quorum that one node holds too much of.
fn lost(objects: &Objects, object: &Object, nodes: u64) -> Option<Finding> {
    let replicas = least(objects, object);
    if object.kind() == "Deployment" && replicas < 2 {
        let evidence = format!("{replicas} pod: the node that it stands on takes it along");
        return Some(objects.broken(LOST, object, "spec.replicas", evidence, &[object.name()]));
    }
    if object.is("orderer") {
        let kin: Vec<&Object> = objects
            .workloads()
            .filter(|other| other.is("orderer") && other.namespace() == object.namespace())
            .collect();
        // They are one quorum, so the first one is told of.
        if kin.first().is_some_and(|first| first.name() != object.name()) {
            return None;
        }
        let all: u64 = kin.iter().map(|one| one.replicas()).sum();
        let (on_one, spare) = (all.div_ceil(nodes), all.saturating_sub(all / 2 + 1));
        let evidence =
            format!("{all} orderers on {nodes} nodes: {on_one} on one, and {spare} may be away");
        let broken = || objects.broken(LOST, object, "spec.replicas", evidence, &["orderer"]);
        return (on_one > spare).then(broken);
    }
    None
}

fn selects(selector: &Value, object: &Object) -> bool {
    let labels = object.pod_labels();
    let wanted = pairs(selector, "matchLabels");
    !wanted.is_empty() && wanted.iter().all(|pair| labels.contains(pair))
}

fn budgets(objects: &Objects, nodes: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    for budget in objects.of("PodDisruptionBudget") {
        let selector = at(&budget.value, "spec.selector");
        let selected: Vec<&Object> = objects
            .workloads()
            .filter(|one| one.namespace() == budget.namespace() && selects(selector, one))
            .collect();
        let pods: u64 = selected.iter().map(|one| least(objects, one)).sum();
        if selected.is_empty() {
            let evidence = "no pods have these labels";
            let name = [budget.name()];
            findings.push(objects.broken(NOBODY, budget, "spec.selector", evidence, &name));
            continue;
        }
        let nodes = if objects.network(budget.namespace()) == "mainnet" { nodes } else { 1 };
        let (field, may_be_away) = match at(&budget.value, "spec.minAvailable").as_u64() {
            Some(least) => ("spec.minAvailable", pods.saturating_sub(least)),
            None => {
                let away = at(&budget.value, "spec.maxUnavailable").as_u64().unwrap_or(1);
                ("spec.maxUnavailable", away)
            }
        };
        // Those of a Deployment are moved one after the other.
        let at_once = match field {
            "spec.maxUnavailable" => 1,
            _ => pods.div_ceil(nodes),
        };
        if may_be_away < at_once {
            let evidence =
                format!("{at_once} of {pods} pods may stand on a node, {may_be_away} may be away");
            findings.push(objects.broken(BUDGET, budget, field, evidence, &[budget.name()]));
        }
    }
    findings
}
