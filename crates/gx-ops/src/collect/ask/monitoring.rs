//! What Prometheus, Alertmanager and Grafana answer.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::bundle::Bundle;
use super::{Redactor, items, name, text};
use crate::facts::{AlertRule, Hidden, Known, Monitoring, ScrapeTarget};

/// Whether a document is one of their answers.
pub(super) fn is_answer(document: &Json) -> bool {
    is_alertmanager(document) || is_dashboard(document) || is_prometheus(document)
}

fn is_prometheus(document: &Json) -> bool {
    let is_list = |pointer: &str| items(document, pointer).is_some();
    text(document, "/status") == "success"
        && (is_list("/data/activeTargets")
            || is_list("/data/groups")
            || document.pointer("/data/storage.tsdb.retention.time").is_some()
            || items(document, "/data").is_some_and(|all| all.iter().all(Json::is_string)))
}

fn is_alertmanager(document: &Json) -> bool {
    document.get("versionInfo").is_some() && document.pointer("/config/original").is_some()
}

fn is_dashboard(document: &Json) -> bool {
    document.pointer("/dashboard/uid").is_some() && document.get("meta").is_some()
}

pub(super) fn bundle(watcher: &mut Monitoring, bundle: &Bundle<'_>, r: &Redactor) {
    for section in ["targets", "rules", "names", "flags", "alertmanager"] {
        match bundle.json(section) {
            Some(document) if is_answer(&document) => answer(watcher, &document, r),
            Some(_) | None => unanswered(watcher, section, bundle),
        }
    }
    let rate = bundle.json("ingested").and_then(|document| {
        let value = text(&document, "/data/result/0/value/1");
        value.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate >= 0.0)
    });
    // The rate is told in bytes a second.
    watcher.ingested_bytes_per_day =
        rate.and_then(|rate| format!("{:.0}", rate * 86_400.0).parse().ok());
    for body in bundle.bodies("dashboard") {
        if let Ok(document) = serde_json::from_str::<Json>(body) {
            answer(watcher, &document, r);
        }
    }
}

fn unanswered(watcher: &mut Monitoring, section: &str, bundle: &Bundle<'_>) {
    match section {
        "targets" => watcher.targets = bundle.why(section),
        "rules" => watcher.rules = bundle.why(section),
        "names" => watcher.metric_names = bundle.why(section),
        "alertmanager" => watcher.receivers = bundle.why(section),
        _ => {}
    }
}

pub(super) fn answer(watcher: &mut Monitoring, document: &Json, r: &Redactor) {
    if is_alertmanager(document) {
        alertmanager(watcher, &text(document, "/config/original"));
    } else if is_dashboard(document) {
        let shown = document.get("dashboard").map(ToString::to_string).unwrap_or_default();
        let mut known = watcher.dashboards.get().cloned().unwrap_or_default();
        known.extend(dashboard_of(&shown, r));
        watcher.dashboards = Known::Known(known);
    } else if let Some(targets) = items(document, "/data/activeTargets") {
        watcher.targets = Known::Known(targets.iter().map(target).collect());
    } else if let Some(groups) = items(document, "/data/groups") {
        let rules = groups.iter().filter_map(|group| items(group, "/rules")).flatten();
        let alerts = rules.filter(|rule| text(rule, "/type") == "alerting");
        watcher.rules = Known::Known(alerts.map(|rule| alert(rule, r)).collect());
    } else if let Some(names) = items(document, "/data") {
        let names = names.iter().filter_map(Json::as_str);
        watcher.metric_names = Known::Known(names.map(name).collect());
    } else {
        let retention = text(document, "/data/storage.tsdb.retention.time");
        // Prometheus keeps 15 days when nothing is said.
        watcher.retention_seconds = seconds(&retention).filter(|n| *n > 0).or(Some(15 * 86_400));
    }
}

fn target(one: &Json) -> ScrapeTarget {
    ScrapeTarget {
        job: name(&text(one, "/labels/job")),
        address: name(&text(one, "/labels/instance")),
        up: text(one, "/health") == "up",
    }
}

fn alert(rule: &Json, r: &Redactor) -> AlertRule {
    let expression = text(rule, "/query");
    let is_address = expression.contains("://");
    AlertRule {
        name: name(&text(rule, "/name")),
        expression: if is_address { r.message(&expression) } else { expression },
        severity: name(&text(rule, "/labels/severity")),
        firing: text(rule, "/state") == "firing",
    }
}

/// Receivers by the ways in which they tell people. Nothing else of the configuration is kept.
fn alertmanager(watcher: &mut Monitoring, original: &str) {
    let Ok(config) = serde_saphyr::from_str::<Json>(original) else {
        watcher.receivers = Known::missing("its configuration is not readable");
        return;
    };
    let mut receivers = BTreeMap::new();
    for receiver in items(&config, "/receivers").unwrap_or_default() {
        let ways = receiver.as_object().into_iter().flatten().filter_map(|(key, value)| {
            let way = key.strip_suffix("_configs")?;
            value.as_array().is_some_and(|all| !all.is_empty()).then(|| way.to_owned())
        });
        receivers.insert(name(&text(receiver, "/name")), ways.collect());
    }
    watcher.receivers = Known::Known(receivers);
    watcher.default_receiver = name(&text(&config, "/route/receiver"));
}

/// A duration such as `30d` or `1h30m`.
fn seconds(text: &str) -> Option<u64> {
    let units =
        [("y", 31_536_000), ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let mut rest = text;
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(end)?;
        let number: u64 = number.parse().ok()?;
        if let Some(after) = after.strip_prefix("ms") {
            rest = after;
            continue;
        }
        let (unit, factor) = units.iter().find(|(unit, _)| after.starts_with(unit))?;
        sum = sum.checked_add(number.checked_mul(*factor)?)?;
        rest = after.strip_prefix(unit)?;
    }
    Some(sum)
}

/// The uid of a dashboard of Grafana, and a hash of what it shows; none when the text is none.
/// What Grafana itself numbers does not count.
pub(in crate::collect) fn dashboard_of(text: &str, r: &Redactor) -> Option<(String, Hidden)> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let board: Json = serde_json::from_str(text).ok()?;
    let uid = board.get("uid").and_then(Json::as_str).map(name).filter(|uid| !uid.is_empty())?;
    board.get("panels").and_then(Json::as_array)?;
    let numbered = ["id", "version", "iteration"];
    let fields = board.as_object()?.iter().filter(|(key, _)| !numbered.contains(&key.as_str()));
    let fields: BTreeMap<&String, String> =
        fields.map(|(key, value)| (key, sorted(value))).collect();
    let text: String = fields.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    Some((uid, r.hide(text.as_bytes())))
}

/// JSON whose fields are in order.
fn sorted(value: &Json) -> String {
    match value {
        Json::Object(fields) => {
            let fields: BTreeMap<&String, String> =
                fields.iter().map(|(key, value)| (key, sorted(value))).collect();
            format!("{fields:?}")
        }
        Json::Array(items) => format!("{:?}", items.iter().map(sorted).collect::<Vec<_>>()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.to_string(),
    }
}
