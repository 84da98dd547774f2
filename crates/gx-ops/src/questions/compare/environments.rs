//! Two environments that are to be alike but for their names: what one has and the other has not,
//! and values that do not follow the pattern of names.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::Page;
use super::super::explain::references;
use crate::facts::{Env, Snapshot, Value, Workload};
use crate::report::Look;

/// One thing in which they differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unlike {
    /// With `{env}` in place of the environment's name.
    pub what: String,
    pub first: String,
    pub second: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parity {
    pub first: String,
    pub second: String,
    /// How many things were held against each other.
    pub compared: usize,
    pub unlike: Vec<Unlike>,
    pub not_compared: Vec<String>,
}

/// What an environment has, by names with `{env}` in them.
type Traits = BTreeMap<String, String>;

/// Answers.
pub fn environments(first: (&Snapshot, &str), second: (&Snapshot, &str)) -> Parity {
    let (a, b) = (traits(first.0, first.1), traits(second.0, second.1));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let absent = || "-".to_owned();
    let unlike = names.iter().filter_map(|name| {
        let (x, y) = (a.get(*name), b.get(*name));
        (x != y).then(|| Unlike {
            what: (*name).clone(),
            first: x.cloned().unwrap_or_else(absent),
            second: y.cloned().unwrap_or_else(absent),
        })
    });
    let unlike: Vec<Unlike> = unlike.collect();
    let lacks = |(snapshot, name): (&Snapshot, &str)| -> Vec<String> {
        use crate::facts::Fact;
        let parts = [
            Fact::Workloads,
            Fact::Services,
            Fact::NetworkPolicies,
            Fact::ConfigMaps,
            Fact::Secrets,
            Fact::Quotas,
            Fact::Postgres,
        ];
        let lacking = parts.into_iter().filter_map(|fact| {
            Some(format!("{name}: {} ({}): {}", fact.name(), snapshot.lacks(fact)?, fact.how()))
        });
        lacking.collect()
    };
    let mut not_compared = lacks(first);
    not_compared.extend(lacks(second));
    not_compared.push("values that are secret: only whether their keys exist".to_owned());
    Parity {
        first: first.1.to_owned(),
        second: second.1.to_owned(),
        compared: names.len(),
        unlike,
        not_compared,
    }
}

/// A text with `{env}` for the name of the environment, in each of the ways it is written.
fn pattern(text: &str, environment: &str) -> String {
    let mut capital = environment.to_owned();
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let text = text.replace(environment, "{env}").replace(&capital, "{Env}");
    text.replace(&environment.to_ascii_uppercase(), "{ENV}")
}

fn traits(snapshot: &Snapshot, environment: &str) -> Traits {
    let mut found = Traits::new();
    let is_own = |namespace: &str| snapshot.environment(namespace) == Some(environment);
    let name = |kind: &str, namespace: &str, name: &str| {
        format!("{kind} {}/{}", pattern(namespace, environment), pattern(name, environment))
    };
    for one in snapshot.top_workloads().filter(|one| is_own(&one.namespace)) {
        let what = name(one.kind.as_str(), &one.namespace, &one.name);
        workload(one, &what, environment, &mut found);
    }
    for one in snapshot.services.items().iter().filter(|one| is_own(&one.namespace)) {
        let ports = one.ports.iter().map(|port| format!("{}:{}", port.port, port.target));
        let ports: Vec<String> = ports.collect();
        found.insert(name("Service", &one.namespace, &one.name), ports.join(" "));
    }
    for one in snapshot.network_policies.items().iter().filter(|one| is_own(&one.namespace)) {
        let sizes = format!("{} in, {} out", one.ingress.len(), one.egress.len());
        found.insert(name("NetworkPolicy", &one.namespace, &one.name), sizes);
    }
    for one in snapshot.config_maps.items().iter().filter(|one| is_own(&one.namespace)) {
        let what = name("ConfigMap", &one.namespace, &one.name);
        for (key, value) in &one.data {
            found.insert(format!("{what} {key}"), shown(value, environment));
        }
    }
    for one in snapshot.secrets.items().iter().filter(|one| is_own(&one.namespace)) {
        // Tokens and certificates that the cluster makes differ in their names by nature.
        if one.kind.starts_with("kubernetes.io/service-account") || one.kind.starts_with("helm.sh/")
        {
            continue;
        }
        let what = name("Secret", &one.namespace, &one.name);
        for key in one.data.keys() {
            found.insert(format!("{what} {key}"), "a value".to_owned());
        }
    }
    for server in snapshot.postgres.items() {
        let space = server.place.strip_prefix("Pod ").and_then(|place| place.split_once('/'));
        if !space.is_some_and(|(namespace, _)| is_own(namespace)) || server.in_recovery {
            continue;
        }
        for database in server.databases.get().into_iter().flatten() {
            let what = format!("database {}", pattern(&database.name, environment));
            found.insert(format!("{what}, tables"), database.tables.len().to_string());
            found.insert(format!("{what}, schema"), database.schema_hash.clone());
        }
    }
    found
}

fn workload(one: &Workload, what: &str, environment: &str, found: &mut Traits) {
    found.insert(what.to_owned(), "there".to_owned());
    let spec = &one.template.spec;
    for container in spec.all_containers() {
        let of = format!("{what}:{}", container.name);
        found.insert(format!("{of} image"), pattern(&container.image, environment));
        for Env { name, value, from, .. } in &container.env {
            let told = match (value, from) {
                (Some(value), _) => shown(value, environment),
                (None, Some(from)) => {
                    format!("{} {} {}", from.kind, pattern(&from.name, environment), from.key)
                }
                (None, None) => "a field".to_owned(),
            };
            found.insert(format!("{of} env {name}"), told);
        }
        for mount in &container.mounts {
            found.insert(format!("{of} mount {}", mount.path), "there".to_owned());
        }
    }
    for reference in references(spec) {
        let name = pattern(&reference.name, environment);
        found.insert(format!("{what} uses {} {name}", reference.kind), "yes".to_owned());
    }
}

fn shown(value: &Value, environment: &str) -> String {
    match value {
        Value::Plain(text) => pattern(text, environment),
        Value::Hidden(_) => "a value".to_owned(),
        Value::Dsn(dsn) => {
            let database = dsn.database.clone().unwrap_or_default();
            let text = format!("{}://{}/{database}", dsn.scheme, dsn.host);
            pattern(&text, environment)
        }
    }
}

/// The text of an answer.
pub fn render(answer: &Parity, look: &Look) -> String {
    let mut page = Page::new(look.width);
    page.head(&format!(
        "{} and {}: {} of {} things differ",
        answer.first,
        answer.second,
        answer.unlike.len(),
        answer.compared
    ));
    for one in answer.unlike.iter().take(look.top) {
        page.line(&one.what);
        page.deeper(&format!("{}: {}", answer.first, one.first));
        page.deeper(&format!("{}: {}", answer.second, one.second));
    }
    let more = answer.unlike.len().saturating_sub(look.top);
    if more > 0 {
        page.line(&format!("{more} more; --all shows them"));
    }
    page.head("Not compared");
    answer.not_compared.iter().for_each(|line| page.line(&format!("- {line}")));
    page.text
}
