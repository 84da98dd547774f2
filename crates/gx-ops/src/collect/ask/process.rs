//! `/livez`, `/readyz`, `/version` and `/metrics`.

use serde_json::Value as Json;

use super::bundle::Bundle;
use super::{Redactor, name, text};
use crate::facts::{Known, Labels, Process, ReadyCheck, Sample};

/// Whether a document is what a process tells of itself.
pub(super) fn is_answer(document: &Json) -> bool {
    is_readiness(document) || is_version(document)
}

fn is_readiness(document: &Json) -> bool {
    let has = |key: &str| document.get(key).is_some();
    has("ready") && document.get("checks").is_some_and(Json::is_object)
}

fn is_version(document: &Json) -> bool {
    document.get("configDigest").is_some() && document.get("schemaVersion").is_some()
}

/// Takes over one that came by itself.
pub(super) fn answer(process: &mut Process, document: &Json, r: &Redactor) {
    if is_readiness(document) {
        let is_ready = document.get("ready").and_then(Json::as_bool).unwrap_or(false);
        process.ready = Known::Known(if is_ready { 200 } else { 503 });
        process.checks = checks(document, r);
    } else {
        version(process, document);
    }
}

pub(super) fn bundle(process: &mut Process, bundle: &Bundle<'_>, r: &Redactor) {
    process.at = bundle.at;
    process.live = bundle.status("livez");
    process.ready = bundle.status("readyz");
    let readiness = bundle.body("readyz").and_then(|body| serde_json::from_str::<Json>(body).ok());
    process.checks = readiness.map(|document| checks(&document, r)).unwrap_or_default();
    match bundle.json("version") {
        Some(document) if is_version(&document) => version(process, &document),
        Some(_) | None => {
            process.version = bundle.why("version");
            process.schema_version = bundle.why("version");
            process.commit = bundle.why("version");
        }
    }
    let figures = match bundle.status("metrics").get() {
        Some(200) => bundle.body("metrics").and_then(samples),
        Some(_) | None => None,
    };
    process.samples = figures.map_or_else(|| bundle.why("metrics"), Known::Known);
}

fn checks(document: &Json, r: &Redactor) -> Vec<ReadyCheck> {
    let checks = document.get("checks").and_then(Json::as_object).into_iter().flatten();
    checks
        .map(|(key, check)| {
            let (error, message) = (text(check, "/error"), text(check, "/message"));
            let detail = match (error.is_empty(), message.is_empty()) {
                (true, _) => message,
                (false, true) => error,
                (false, false) => format!("{error}: {message}"),
            };
            ReadyCheck {
                name: name(key),
                ok: text(check, "/status") != "unhealthy",
                detail: r.message(&detail).chars().take(300).collect(),
            }
        })
        .collect()
}

fn version(process: &mut Process, document: &Json) {
    process.version = Known::Known(name(&text(document, "/version")));
    process.network = name(&text(document, "/network"));
    process.config_digest = name(&text(document, "/configDigest"));
    process.commit = Known::Known(name(&text(document, "/gitHash")));
    process.ledger = name(&text(document, "/ledger"));
    process.database = name(&text(document, "/database"));
    let schema = document.get("schemaVersion").and_then(Json::as_u64);
    process.schema_version = schema
        .and_then(|version| u32::try_from(version).ok())
        .map_or_else(|| Known::missing("it tells no number"), Known::Known);
}

/// The figures of a text in the form of Prometheus or OpenMetrics, without the steps of
/// histograms; none when it has another form.
pub(super) fn samples(text: &str) -> Option<Vec<Sample>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with('#'));
    let found: Option<Vec<Sample>> = lines.map(sample).collect();
    let mut found = found?;
    found.retain(|sample| !sample.name.ends_with("_bucket"));
    Some(found)
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (metric, rest) = line.split_at_checked(end)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if metric.is_empty() || !metric.chars().all(allowed) {
        return None;
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        None => (Labels::new(), rest),
        Some(rest) => labels(rest)?,
    };
    let value = rest.split_whitespace().next()?;
    value.parse::<f64>().ok()?;
    Some(Sample { name: metric.to_owned(), labels, value: value.to_owned() })
}

/// Labels up to the closing brace, and what follows it.
fn labels(text: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (key, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start().strip_prefix('"')?)?;
        labels.insert(key.trim().to_owned(), name(&value));
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
}

/// A text up to the closing quotation mark, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match (is_escaped, c) {
            (false, '\\') => is_escaped = true,
            (false, '"') => return Some((value, text.get(at.checked_add(1)?..)?)),
            (true, 'n') => {
                value.push('\n');
                is_escaped = false;
            }
            (_, c) => {
                value.push(c);
                is_escaped = false;
            }
        }
    }
    None
}
