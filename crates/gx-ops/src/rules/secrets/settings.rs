//! Settings: what must not stand among them, and what must.

use std::collections::BTreeMap;

use super::super::shared::{
    Component, Found, Variables, all_containers, component, data_of, words,
};
use super::super::{Findings, Problem};
use super::holders::{holders, is_secret_key};
use crate::facts::{
    Class, Container, Fact, Hidden, Inventory, Object as _, ObjectRef, Snapshot, Value,
    VolumeSource, Workload,
};

/// SEC-07
pub(super) fn key_in_config_map(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for map in snapshot.config_maps.items() {
        for (key, value) in &map.data {
            findings.looked();
            if value.hidden().is_some_and(|hidden| hidden.class == Class::PrivateKey) {
                let evidence = format!("{key} holds a private key");
                let subject = map.reference().container(key);
                findings.add(Problem::new(subject, evidence).field("data"));
            }
        }
        // What is not text is not read; by its name alone it may be a key.
        for key in map.binary.iter().filter(|key| is_key_file(key)) {
            let what = format!("what {key} holds: it is no text");
            findings.unknown(map.reference().container(key), what);
        }
    }
    findings
}

fn is_key_file(name: &str) -> bool {
    let ends = [".key", ".pem", ".p12", ".pfx", ".jks", ".der", "_sk"];
    ends.iter().any(|end| name.to_ascii_lowercase().ends_with(end))
}

/// Whether a hidden value is one line that can be a secret. A file is looked at by its content,
/// and a short figure is a setting.
fn is_secret_text(hidden: &Hidden) -> bool {
    let is_line = match hidden.class {
        Class::Empty | Class::Lines | Class::Certificate => false,
        Class::PrivateKey => true,
        Class::Digits => hidden.length >= 8,
        Class::Alphanumeric | Class::UrlSafe | Class::Line | Class::Binary => true,
    };
    is_line && hidden.length >= 6
}

/// SEC-08
pub(super) fn plain_secret(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for holder in holders(snapshot).into_iter().filter(|one| one.place.kind != "Secret") {
        let is_map = holder.place.kind == "ConfigMap";
        findings.looked();
        let what = match holder.value {
            Value::Dsn(dsn) if dsn.password.is_some() => "an address with its password",
            // Keys in ConfigMaps are a rule of their own.
            Value::Hidden(one) if is_map && one.class == Class::PrivateKey => continue,
            Value::Hidden(one) if is_secret_key(holder.key) && is_secret_text(one) => "a secret",
            Value::Hidden(_) | Value::Dsn(_) | Value::Plain(_) => continue,
        };
        let evidence = format!("{} holds {what}", holder.key);
        let field = if is_map { "data" } else { "env" };
        findings.add(Problem::new(holder.place, evidence).field(field));
    }
    for (workload, container) in all_containers(snapshot) {
        if let Some(flag) = secret_argument(container) {
            let subject = workload.reference().container(&container.name);
            let evidence = format!("{flag} is followed by a secret");
            findings.add(Problem::new(subject, evidence).field("args"));
        }
    }
    findings
}

/// A flag for a secret that is followed by one.
fn secret_argument(container: &Container) -> Option<&str> {
    let words: Vec<&Value> = container.command.iter().chain(&container.args).collect();
    let pairs = words.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
    let mut flags = pairs.filter_map(|(flag, value)| {
        let flag = flag.plain()?;
        let hidden = value.hidden()?;
        let is_flag = flag.starts_with('-') && is_secret_key(flag);
        (is_flag && is_secret_text(hidden)).then_some(flag)
    });
    flags.next()
}

/// Beginnings of Fabric's variables, and the files that they hold against.
const FILES: [(&str, &str); 3] = [
    ("CORE_", "core.yaml"),
    ("ORDERER_", "orderer.yaml"),
    ("FABRIC_CA_SERVER_", "fabric-ca-server-config.yaml"),
];

/// SEC-17
pub(super) fn switched_otherwise(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (workload, container) in all_containers(snapshot) {
        let subject = workload.reference().container(&container.name);
        let variables = Variables::of(snapshot, &workload.namespace, container);
        let mut wrong = Vec::new();
        for (name, variable) in &variables.by_name {
            let beginning = FILES.iter().find_map(|(beginning, file)| {
                let rest = name.strip_prefix(beginning)?;
                rest.contains("TLS").then(|| (*file, rest.to_ascii_lowercase().replace('_', ".")))
            });
            let Some((file, path)) = beginning else { continue };
            let Some(value) = variable.value.and_then(Value::plain) else { continue };
            let on = match value {
                "true" => true,
                "false" => false,
                _ => continue,
            };
            let written = switches(snapshot, workload, container);
            for object in &written.unknown {
                findings.unknown(subject.clone(), format!("what {object} says of TLS"));
            }
            if let Some(written) = written.by_path.get(&format!("{file}:{path}")) {
                findings.looked();
                if *written != on {
                    wrong.push(format!("{name} is {on}, {path} of {file} is {written}"));
                }
            }
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(subject, wrong.join("; ")).field("env"));
        }
    }
    findings
}

#[derive(Default)]
struct Switches {
    by_path: BTreeMap<String, bool>,
    unknown: Vec<ObjectRef>,
}

/// What the files that a container mounts say of TLS.
fn switches(snapshot: &Snapshot, workload: &Workload, container: &Container) -> Switches {
    let mut all = Switches::default();
    for mount in &container.mounts {
        let volumes = &workload.template.spec.volumes;
        let source = volumes.iter().find(|one| one.name == mount.volume).map(|one| &one.source);
        let Some(VolumeSource::ConfigMap(files)) = source else { continue };
        match data_of(snapshot, "ConfigMap", &workload.namespace, &files.name) {
            Found::Here(_) => {
                let map = snapshot.config_map(&workload.namespace, &files.name).into_iter();
                all.by_path.extend(map.flat_map(|map| map.tls_switches.clone()));
            }
            Found::Absent => {}
            Found::Unknown => {
                all.unknown.push(ObjectRef::new("ConfigMap", &workload.namespace, &files.name));
            }
        }
    }
    all
}

/// What a program must be told once it is told something else: the variable, its value when that
/// matters, and variables of which one must be there.
const FOLLOWS: [(&str, Option<&str>, &[&str]); 9] = [
    ("NEXTAUTH_URL", None, &["NEXTAUTH_SECRET", "AUTH_SECRET"]),
    ("AUTH_URL", None, &["AUTH_SECRET", "NEXTAUTH_SECRET"]),
    (
        "GX_DATABASE__ENGINE",
        Some("postgres"),
        &["GX_DATABASE__PASSWORD_FILE", "GX_DATABASE__PASSWORD"],
    ),
    ("GX_DATABASE__ENGINE", Some("postgres"), &["GX_DATABASE__HOST"]),
    ("GX_LEDGER__ENGINE", Some("fabric"), &["GX_FABRIC__PEERS"]),
    ("GX_LEDGER__ENGINE", Some("fabric"), &["GX_FABRIC__MSP_ID"]),
    ("GX_LEDGER__ENGINE", Some("fabric"), &["GX_FABRIC__WALLET_DIR"]),
    ("GX_LEDGER__ENGINE", Some("fabric"), &["GX_FABRIC__TLS_CA"]),
    ("MINIO_ROOT_USER", None, &["MINIO_ROOT_PASSWORD", "MINIO_ROOT_PASSWORD_FILE"]),
];

/// The image of PostgreSQL does not start without one of them.
const POSTGRES: [&str; 3] =
    ["POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "POSTGRES_HOST_AUTH_METHOD"];

/// What a container must be told: in each group one of the variables.
fn needs<'a>(
    inventory: Option<&'a Inventory>,
    workload: &Workload,
    container: &Container,
    variables: &Variables<'_>,
) -> Vec<Vec<&'a str>> {
    let mut groups: Vec<Vec<&str>> = Vec::new();
    let image = container.image.rsplit('/').next().unwrap_or_default();
    let is_postgres = image.split([':', '@']).next() == Some("postgres");
    if is_postgres && component(&workload.name) == Component::Postgres && workload.is_lasting() {
        groups.push(POSTGRES.to_vec());
    }
    for (name, value, wanted) in FOLLOWS {
        let is_set = variables.by_name.contains_key(name);
        if is_set && (value.is_none() || variables.plain(name) == value) {
            groups.push(wanted.to_vec());
        }
    }
    let own = format!("{}/{}", workload.namespace, workload.name);
    let is_main =
        workload.template.spec.containers.first().map(|one| &one.name) == Some(&container.name);
    for (pattern, names) in inventory.into_iter().flat_map(|one| &one.required_settings) {
        let is_meant = match pattern.strip_suffix('*') {
            Some(beginning) => own.starts_with(beginning),
            None => own == *pattern,
        };
        if is_meant && is_main {
            groups.extend(names.iter().map(|name| vec![name.as_str()]));
        }
    }
    groups
}

/// SEC-20
pub(super) fn lacks_setting(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let inventory = snapshot.declared();
    if let Some(why) = snapshot.lacks(Fact::Inventory) {
        let subject = ObjectRef::global("Inventory", "inventory");
        let what = format!("which settings workloads must have: {why}");
        findings.unknown_but(subject, what, Fact::Inventory.how());
    }
    for (workload, container) in all_containers(snapshot) {
        let variables = Variables::of(snapshot, &workload.namespace, container);
        let subject = || workload.reference().container(&container.name);
        let mut lacks = Vec::new();
        for group in needs(inventory, workload, container, &variables) {
            // A variable whose key is missing is not set; that it is missing is another rule's.
            if group.iter().any(|name| variables.by_name.contains_key(*name)) {
                findings.looked();
            } else if let Some(object) = variables.unknown.first() {
                let what = format!("whether {object} has {}", group.join(" or "));
                findings.unknown(subject(), what);
            } else {
                findings.looked();
                lacks.push(group.join(" or "));
            }
        }
        if !lacks.is_empty() {
            let evidence = format!("it lacks {}", lacks.join(", "));
            findings.add(Problem::new(subject(), evidence).field("env"));
        }
    }
    findings
}

/// Whether words of a name say that the value is for people or other sites.
pub(super) fn is_public_by_name(name: &str) -> bool {
    const PUBLIC: [&str; 19] = [
        "allowed",
        "callback",
        "canonical",
        "cookie",
        "cors",
        "domain",
        "domains",
        "external",
        "frontend",
        "issuer",
        "nextauth",
        "origin",
        "origins",
        "party",
        "public",
        "redirect",
        "referer",
        "site",
        "web",
    ];
    words(name).iter().any(|word| PUBLIC.contains(&word.as_str()))
}
