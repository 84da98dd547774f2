//! Names, images, secrets, settings, hosts, the number of orderers, and what must deny.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::{Finding, NetworkId, Rule, Severity};

use super::objects::{Object, Objects, at, list, pairs, text};

const NETWORK: Rule = Rule {
    id: "network-unknown",
    severity: Severity::Critical,
    remedy: "name devnet, testnet or mainnet, the same in namespaces and settings",
};
const ORDERERS: Rule = Rule {
    id: "orderers-even",
    severity: Severity::High,
    remedy: "run an odd number: one more needs a larger quorum, and no more of them can be lost",
};
const SECRET: Rule = Rule {
    id: "secret-missing",
    severity: Severity::High,
    remedy: "make it with a secretGenerator, or take a component for secrets in",
};
const MAP: Rule = Rule {
    id: "configuration-missing",
    severity: Severity::High,
    remedy: "make it with a configMapGenerator, or correct its name",
};
const IMAGE: Rule = Rule {
    id: "image-without-digest",
    severity: Severity::High,
    remedy: "name registry and digest under images: in the overlay's kustomization.yaml",
};
const HOST: Rule = Rule {
    id: "placeholder-left",
    severity: Severity::High,
    remedy: "put your own into site.yaml, and take the component site in",
};
const SETTING: Rule = Rule {
    id: "setting-unknown",
    severity: Severity::High,
    remedy: "use a name that gx config prints: GX_SECTION__KEY",
};
const OPEN_SECRET: Rule = Rule {
    id: "secret-in-the-open",
    severity: Severity::Critical,
    remedy: "keep it in a Secret, and name its file in the setting that ends with _FILE",
};
const DENY: Rule = Rule {
    id: "nothing-denied",
    severity: Severity::High,
    remedy: "take the network's namespaces.yaml in, which denies what no policy allows",
};

/// Hosts and networks that documentation is written with.
const PLACEHOLDERS: [&str; 5] =
    ["example.org", "example.com", "example.net", ".example", "192.0.2."];

/// Settings that are secrets themselves.
const SECRETS: [&str; 9] = [
    "GX_DATABASE__URL",
    "GX_DATABASE__PASSWORD",
    "GX_AUTH__SIGNING_SECRET",
    "GX_AUTH__PREVIOUS_SIGNING_SECRET",
    "GX_AUTH__IDENTITY_PEPPER",
    "GX_DOCUMENTS__SECRET_KEY",
    "GX_MAIL__PASSWORD",
    "GX_TEXTS__BEARER",
    "GX_REDIS__URL",
];

pub(super) fn check(objects: &Objects, settings: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = networks(objects);
    findings.extend(orderers(objects));
    findings.extend(references(objects));
    findings.extend(images(objects));
    findings.extend(placeholders(objects));
    findings.extend(variables(objects, settings));
    findings.extend(denied(objects));
    findings
}

fn networks(objects: &Objects) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut held = |object: &Object, field: &str, name: &str| {
        if name.parse::<NetworkId>().is_err() {
            let evidence = format!("there is no network {name:?}");
            findings.push(objects.broken(NETWORK, object, field, evidence, &["GX_NETWORK", name]));
        }
    };
    for object in objects.of("Namespace") {
        let field = "metadata.labels.gx-protocol/network";
        let labels = pairs(&object.value, "metadata.labels");
        if let Some((_, name)) = labels.iter().find(|(key, _)| *key == "gx-protocol/network") {
            held(object, field, name);
        }
    }
    for object in objects.of("ConfigMap") {
        if let Some((_, name)) =
            pairs(&object.value, "data").iter().find(|(key, _)| *key == "GX_NETWORK")
        {
            held(object, "data.GX_NETWORK", name);
        }
    }
    findings.extend(contradictions(objects));
    findings
}

/// Settings of one network in a namespace of another.
fn contradictions(objects: &Objects) -> Vec<Finding> {
    let maps = objects.of("ConfigMap").filter_map(|object| {
        let (_, name) =
            pairs(&object.value, "data").into_iter().find(|(key, _)| *key == "GX_NETWORK")?;
        let of_namespace = objects.network(object.namespace());
        let evidence = format!("{name} in a namespace of {of_namespace}");
        let wrong = !of_namespace.is_empty() && of_namespace != name;
        wrong.then(|| objects.broken(NETWORK, object, "data.GX_NETWORK", evidence, &["GX_NETWORK"]))
    });
    maps.collect()
}

fn orderers(objects: &Objects) -> Vec<Finding> {
    let mut by_namespace: BTreeMap<&str, (u64, &Object)> = BTreeMap::new();
    for object in objects.workloads().filter(|object| object.is("orderer")) {
        let (count, _) = by_namespace.entry(object.namespace()).or_insert((0, object));
        *count = count.saturating_add(object.replicas());
    }
    let even = by_namespace.into_values().filter(|(count, _)| count % 2 == 0);
    let finding = |(count, object): (u64, &Object)| {
        let evidence = format!("{count} orderers in {}", object.namespace());
        objects.broken(ORDERERS, object, "spec.replicas", evidence, &["orderer"])
    };
    even.map(finding).collect()
}

/// Kinds that make a Secret, and where its name stands.
fn made_secrets(objects: &Objects) -> BTreeSet<(&str, String)> {
    let mut made = BTreeSet::new();
    for object in &objects.all {
        let name = match object.kind() {
            "Secret" | "SealedSecret" => object.name(),
            "ExternalSecret" => match text(&object.value, "spec.target.name") {
                "" => object.name(),
                name => name,
            },
            "Certificate" => text(&object.value, "spec.secretName"),
            // The operator makes the authority of its database.
            "Cluster" => {
                made.insert((object.namespace(), format!("{}-ca", object.name())));
                continue;
            }
            "Ingress" => {
                let annotations = pairs(&object.value, "metadata.annotations");
                let made_here =
                    annotations.iter().any(|(key, _)| key.starts_with("cert-manager.io/"));
                let names =
                    list(&object.value, "spec.tls").iter().map(|tls| text(tls, "secretName"));
                let names =
                    names.filter(|_| made_here).map(|name| (object.namespace(), name.to_owned()));
                made.extend(names);
                continue;
            }
            _ => continue,
        };
        made.insert((object.namespace(), name.to_owned()));
    }
    made
}

/// The cluster's own authority, which a cluster puts into every namespace by itself.
const AUTHORITY: &str = "kube-root-ca.crt";

fn references(objects: &Objects) -> Vec<Finding> {
    let secrets = made_secrets(objects);
    let maps: BTreeSet<(&str, &str)> =
        objects.of("ConfigMap").map(|object| (object.namespace(), object.name())).collect();
    let mut findings = Vec::new();
    for object in &objects.all {
        for reference in named(object) {
            let Named { field, is_secret, name } = reference;
            let there = match is_secret {
                true => secrets.contains(&(object.namespace(), name.to_owned())),
                false => name == AUTHORITY || maps.contains(&(object.namespace(), name)),
            };
            if !there {
                let rule = if is_secret { SECRET } else { MAP };
                let evidence = format!("{name} is not in {}", object.namespace());
                findings.push(objects.broken(rule, object, &field, evidence, &[name]));
            }
        }
    }
    findings
}

/// A Secret or ConfigMap that an object names.
struct Named<'a> {
    field: String,
    is_secret: bool,
    name: &'a str,
}

fn named<'a>(object: &'a Object) -> Vec<Named<'a>> {
    let mut found = Vec::new();
    let mut add = |field: String, is_secret: bool, name: &'a str| {
        if !name.is_empty() {
            found.push(Named { field, is_secret, name });
        }
    };
    match object.kind() {
        "Ingress" => {
            for (number, tls) in list(&object.value, "spec.tls").iter().enumerate() {
                add(format!("spec.tls.{number}.secretName"), true, text(tls, "secretName"));
            }
        }
        "Cluster" => {
            let field = "spec.bootstrap.initdb.secret.name";
            add(field.to_owned(), true, text(&object.value, field));
        }
        _ => {}
    }
    let Some(template) = object.template() else { return found };
    let spec = at(at(&object.value, template), "spec");
    for (number, volume) in list(spec, "volumes").iter().enumerate() {
        let field = format!("{template}.spec.volumes.{number}");
        add(format!("{field}.secret.secretName"), true, text(volume, "secret.secretName"));
        add(format!("{field}.configMap.name"), false, text(volume, "configMap.name"));
        for (part, source) in list(volume, "projected.sources").iter().enumerate() {
            let field = format!("{field}.projected.sources.{part}");
            add(format!("{field}.secret.name"), true, text(source, "secret.name"));
            add(format!("{field}.configMap.name"), false, text(source, "configMap.name"));
        }
    }
    for (number, container) in list(spec, "containers").iter().enumerate() {
        for (part, source) in list(container, "envFrom").iter().enumerate() {
            let field =
                format!("{template}.spec.containers.{number}.envFrom.{part}.configMapRef.name");
            add(field, false, text(source, "configMapRef.name"));
        }
    }
    found
}

/// Name and field of every image of an object.
fn images(objects: &Objects) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in &objects.all {
        let mut held = |field: String, image: &str| {
            let digest = image.rsplit_once("@sha256:").map_or("", |(_, digest)| digest);
            if digest.len() != 64 || !digest.chars().all(|c| c.is_ascii_hexdigit()) {
                let name = image.split(['@', ':']).next().unwrap_or_default();
                findings.push(objects.broken(IMAGE, object, &field, image, &[image, name]));
            }
        };
        if object.kind() == "Cluster" {
            held("spec.imageName".to_owned(), text(&object.value, "spec.imageName"));
        }
        let Some(template) = object.template() else { continue };
        for group in ["initContainers", "containers"] {
            let path = format!("{template}.spec.{group}");
            for (number, container) in list(&object.value, &path).iter().enumerate() {
                held(format!("{path}.{number}.image"), text(container, "image"));
            }
        }
    }
    findings
}

/// Every text of an object, with its field.
fn texts<'a>(value: &'a serde_json::Value, field: &str, found: &mut Vec<(String, &'a str)>) {
    let under =
        |key: &str| if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") };
    match value {
        serde_json::Value::String(text) => found.push((field.to_owned(), text)),
        serde_json::Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                texts(item, &under(&number.to_string()), found);
            }
        }
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                texts(value, &under(key), found);
            }
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn placeholders(objects: &Objects) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in objects.all.iter().filter(|object| object.kind() != "CustomResourceDefinition") {
        let mut found = Vec::new();
        texts(&object.value, "", &mut found);
        for (field, text) in found {
            let is_file = text.contains('\n');
            let placeholder = PLACEHOLDERS.iter().find(|placeholder| text.contains(**placeholder));
            // What is excepted from the internet is nobody's either.
            let is_excepted = field.contains("ipBlock.except");
            if placeholder.is_some() && !is_file && !is_excepted {
                findings.push(objects.broken(HOST, object, &field, text, &[text]));
            }
        }
    }
    findings
}

fn variables(objects: &Objects, settings: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in &objects.all {
        let mut held = |field: String, name: &str| {
            if SECRETS.contains(&name) {
                let evidence = format!("{name} is a secret");
                findings.push(objects.broken(OPEN_SECRET, object, &field, evidence, &[name]));
            } else if name.starts_with("GX_") && !settings.contains(name) {
                let evidence = format!("gx has no setting {name}");
                findings.push(objects.broken(SETTING, object, &field, evidence, &[name]));
            }
        };
        if object.kind() == "ConfigMap" {
            for (name, _) in pairs(&object.value, "data") {
                held(format!("data.{name}"), name);
            }
        }
        let Some(template) = object.template() else { continue };
        let path = format!("{template}.spec.containers");
        for (number, container) in list(&object.value, &path).iter().enumerate() {
            for (at, variable) in list(container, "env").iter().enumerate() {
                held(format!("{path}.{number}.env.{at}"), text(variable, "name"));
            }
        }
    }
    findings
}

/// Namespaces with pods of ours in which not everything is denied that no policy allows.
fn denied(objects: &Objects) -> Vec<Finding> {
    let denies = |object: &&Object| {
        let spec = at(&object.value, "spec");
        let selects_all =
            at(spec, "podSelector").as_object().is_some_and(serde_json::Map::is_empty);
        let rules = list(spec, "ingress").len() + list(spec, "egress").len();
        selects_all && list(spec, "policyTypes").len() == 2 && rules == 0
    };
    let denied: BTreeSet<&str> =
        objects.of("NetworkPolicy").filter(denies).map(Object::namespace).collect();
    let mut open: BTreeMap<&str, &Object> = BTreeMap::new();
    for object in objects.workloads().filter(|one| !denied.contains(one.namespace())) {
        open.entry(object.namespace()).or_insert(object);
    }
    let finding = |(namespace, object): (&str, &Object)| {
        let evidence = format!("{namespace} has no policy that denies everything");
        objects.broken(DENY, object, "metadata.namespace", evidence, &[])
    };
    open.into_iter().map(finding).collect()
}
