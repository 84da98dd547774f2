//! Secrets and ConfigMaps: what can be said of them without telling them.

use k8s_openapi::api::core::v1 as core;
use serde_json::Value as Json;

use super::super::Redactor;
use super::super::ask::dashboard_of;
use super::super::careless::{careless, tls_switches};
use super::super::redact::{is_host, is_secret_name};
use super::certificate::certificates;
use super::meta::{changed, meta, object};
use crate::facts::*;

/// Remembers what is secret in an object, so that messages of others are searched for it.
pub(super) fn learn(kind: &str, object: &Json, r: &mut Redactor) {
    match kind {
        "Secret" => {
            for pointer in ["/data", "/stringData"] {
                let data = object.pointer(pointer).and_then(Json::as_object);
                for (key, value) in data.into_iter().flatten() {
                    let Some(text) = value.as_str() else { continue };
                    learn_secret(key, text, pointer == "/data", r);
                }
            }
        }
        "Pod" => learn_env(object.pointer("/spec"), r),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            learn_env(object.pointer("/spec/template/spec"), r);
        }
        "CronJob" => learn_env(object.pointer("/spec/jobTemplate/spec/template/spec"), r),
        _ => {}
    }
}

fn learn_secret(key: &str, text: &str, is_encoded: bool, r: &mut Redactor) {
    use base64::Engine as _;
    // Names of users stand in Secrets as well, and in every message.
    if !is_secret_name(key) && !text.contains("://") && text.len() < 20 {
        return;
    }
    r.learn(text);
    if is_encoded
        && let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text)
        && let Ok(decoded) = String::from_utf8(bytes)
    {
        learn_text(decoded.trim(), r);
    } else {
        learn_text(text, r);
    }
}

fn learn_text(text: &str, r: &mut Redactor) {
    r.learn(text);
    let login = text.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    if let Some((_, password)) = login.and_then(|(login, _)| login.split_once(':')) {
        r.learn(password);
    }
}

fn learn_env(spec: Option<&Json>, r: &mut Redactor) {
    for list in ["containers", "initContainers"] {
        let containers = spec.and_then(|spec| spec.get(list)).and_then(Json::as_array);
        let containers = containers.into_iter().flatten();
        let variables = containers.filter_map(|one| one.get("env")?.as_array()).flatten();
        for variable in variables {
            let (name, value) = (super::text(variable, "/name"), super::text(variable, "/value"));
            if is_secret_name(&name) || value.contains("://") {
                learn_text(&value, r);
            }
        }
    }
}

pub(super) fn secret(secret: core::Secret, r: &Redactor) -> (Secret, Vec<Certificate>) {
    let changed = changed(&secret.metadata);
    let meta = meta(secret.metadata, r);
    let written = secret.string_data.unwrap_or_default().into_iter();
    let written = written.map(|(key, text)| (key, text.into_bytes()));
    let stored = secret.data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0));
    let mut data = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for (key, bytes) in stored.chain(written) {
        let place = format!("Secret {}/{} {key}", meta.namespace, meta.name);
        found.extend(certificates(&place, &bytes));
        data.insert(key, r.secret(&bytes));
    }
    let secret = object!(Secret, meta, {
        kind: secret.type_.unwrap_or_else(|| "Opaque".to_owned()),
        data,
        immutable: secret.immutable.unwrap_or(false),
        changed,
    });
    (secret, found)
}

pub(super) fn config_map(map: core::ConfigMap, r: &Redactor) -> (ConfigMap, Vec<Certificate>) {
    let changed = changed(&map.metadata);
    let meta = meta(map.metadata, r);
    let mut found = Vec::new();
    let mut places = std::collections::BTreeSet::new();
    let mut data = std::collections::BTreeMap::new();
    let mut dashboards = std::collections::BTreeMap::new();
    let mut switches = std::collections::BTreeMap::new();
    let mut scripts = std::collections::BTreeMap::new();
    for (key, text) in map.data.unwrap_or_default() {
        let place = format!("ConfigMap {}/{} {key}", meta.namespace, meta.name);
        found.extend(certificates(&place, text.as_bytes()));
        places.extend(mentioned(&text));
        dashboards.extend(dashboard_of(&text, r));
        data.insert(key.clone(), r.setting(&key, &text));
        switches.extend(tls_switches(&key, &text));
        let habits = careless(&text);
        if !habits.is_empty() {
            scripts.insert(key, habits);
        }
    }
    let binary = map.binary_data.unwrap_or_default().into_keys().collect();
    let places = places.into_iter().collect();
    let (tls_switches, careless) = (switches, scripts);
    let map = object!(ConfigMap, meta, {
        data, binary, changed, places, dashboards, tls_switches, careless
    });
    (map, found)
}

/// Private addresses and names of Services in a text, which may otherwise be hidden: what it leads
/// to has to be known, and none of these is a secret.
fn mentioned(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
    words.map(|word| word.trim_matches('.')).filter(|word| is_place(word)).map(str::to_owned)
}

fn is_place(word: &str) -> bool {
    let is_service = word.ends_with(".svc") || word.ends_with(".svc.cluster.local");
    match word.parse::<std::net::Ipv4Addr>() {
        Ok(address) => address.is_private(),
        Err(_) => is_service && is_host(word),
    }
}

#[cfg(test)]
mod tests {
    use super::mentioned;

    #[test]
    fn places_are_told_and_nothing_else() {
        let text = "url: grpcs://peer0.fabric-testnet.svc.cluster.local:7051\n\
                    ip 10.42.1.7, 8.8.8.8\n\
                    key=a8Fk2Lq9Zx3Vw7.svc password 1.2.3\nversion 10.42.1\n";
        let found: Vec<String> = mentioned(text).collect();
        assert_eq!(found, ["peer0.fabric-testnet.svc.cluster.local", "10.42.1.7"]);
    }
}
