//! The tree itself: what is referenced, routed, restricted, budgeted and bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use gx_deploy::check::settings;
use gx_deploy::kubernetes::{
    BASE_SETTINGS, IMAGES, Route, SECRETS, network_settings, routes, tree,
};
use gx_deploy::model::{
    Ca, DRAIN_SECONDS, NetworkId, ORDERERS, Org, PEERS, PROJECTOR_PORT, SUBMITTER_PORT, Service,
    Workload,
};
use gx_deploy::{KUBERNETES, yaml};
use serde_json::Value;

use crate::render::{at, has_kubectl, kustomize, list, matches, named, pods, repository, text};

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn openapi() -> String {
    read("openapi/openapi.json")
}

#[test]
fn every_file_is_made_and_a_kustomization_names_it() {
    let made = tree(&openapi()).unwrap();
    let paths: BTreeSet<&str> = made.iter().map(|file| file.path.as_str()).collect();
    let mut referenced = BTreeSet::new();
    for file in made.iter().filter(|file| file.path.ends_with("/kustomization.yaml")) {
        referenced.insert(file.path.clone());
        let (folder, _) = file.path.rsplit_once('/').unwrap();
        let index = yaml::read(&file.text).unwrap().remove(0);
        let maps = list(&index, "configMapGenerator").iter();
        let files = maps.flat_map(|map| list(map, "files").iter().chain(list(map, "envs")));
        let resources = list(&index, "resources").iter().chain(list(&index, "components"));
        for name in resources.chain(files) {
            let name = name.as_str().unwrap();
            let name = name.split_once('=').map_or(name, |(_, file)| file);
            let mut path: Vec<&str> = folder.split('/').collect();
            for part in name.split('/') {
                if part == ".." {
                    path.pop();
                } else {
                    path.push(part)
                }
            }
            let path = path.join("/");
            let folder = format!("{path}/kustomization.yaml");
            let found = if paths.contains(folder.as_str()) { folder } else { path };
            assert!(paths.contains(found.as_str()), "{}: there is no {name}", file.path);
            referenced.insert(found);
        }
    }
    let pages = ["reachability.md", "reachability.json"].map(|name| format!("{KUBERNETES}/{name}"));
    for path in paths {
        let named = referenced.contains(path) || pages.iter().any(|page| page == path);
        assert!(named, "no kustomization names {path}");
        assert_eq!(read(path), made.iter().find(|file| file.path == path).unwrap().text, "{path}");
    }
}

/// As ingress-nginx matches: longer expressions first, from the beginning of the path.
fn routed(routes: &[Route], path: &str) -> Option<Service> {
    let fits = |route: &&Route| {
        let (pattern, rest) = match route.path.strip_suffix("(/|$)") {
            Some(pattern) => (pattern, true),
            None => (route.path.strip_suffix("/?$").unwrap(), false),
        };
        let pattern = pattern.replace("[^/]+", "*").replace("[.]", ".");
        let (pattern, path): (Vec<&str>, Vec<&str>) =
            (pattern.split('/').collect(), path.split('/').collect());
        let enough = if rest { path.len() >= pattern.len() } else { path.len() == pattern.len() };
        enough && pattern.iter().zip(&path).all(|(part, own)| *part == "*" || part == own)
    };
    routes.iter().find(fits).map(|route| route.service)
}

#[test]
fn every_path_of_the_api_reaches_its_service_and_no_other_path_any() {
    let routes = routes(&openapi()).unwrap();
    let description: Value = serde_json::from_str(&openapi()).unwrap();
    let mut seen = BTreeSet::new();
    for (path, methods) in at(&description, "paths").as_object().unwrap() {
        // An id, and one that looks like a word of a neighbouring path.
        for id in ["0190", "pending"] {
            let mut real = String::new();
            for part in path.split('/').filter(|part| !part.is_empty()) {
                real.push('/');
                real.push_str(if part.starts_with('{') { id } else { part });
            }
            for tag in methods.as_object().unwrap().values().flat_map(|method| list(method, "tags"))
            {
                let tag = tag.as_str().unwrap();
                let found = routed(&routes, &real);
                if tag == "system" {
                    let open = ["/.well-known/gx", "/health", "/version"].contains(&real.as_str());
                    assert_eq!(found, open.then_some(Service::Identity), "{real}");
                } else {
                    let taken = id == "pending" && found.is_some_and(|one| one.as_str() != tag);
                    let literal = at(&description, "paths").get(&real).is_some();
                    assert!(!taken || literal, "{real} is {tag}'s, and goes to {found:?}");
                    seen.extend(found);
                }
            }
            let pair = (routed(&routes, &real), routed(&routes, &format!("/x{real}")));
            assert_eq!(pair.1, None, "/x{real} beside {:?}", pair.0);
        }
    }
    assert_eq!(Vec::from_iter(seen), Service::ALL);
    for inside in ["/metrics", "/readyz", "/livez", "/"] {
        assert_eq!(routed(&routes, inside), None, "{inside}");
    }
}

#[test]
fn ports_and_settings_are_those_of_the_program() {
    let defaults = read("crates/gx-server/src/config/default.toml");
    let known = settings(&defaults);
    let networks = NetworkId::ALL.into_iter().flat_map(network_settings).map(|(name, _)| name);
    for name in BASE_SETTINGS.iter().map(|(name, _)| *name).chain(networks) {
        assert!(known.contains(name), "gx has no setting {name}");
    }
    let value = |key: &str| {
        let line = defaults.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
        line.unwrap_or_else(|| panic!("no {key}")).trim_matches('"').to_owned()
    };
    assert_eq!(value("submitter_port"), SUBMITTER_PORT.to_string());
    assert_eq!(value("projector_port"), PROJECTOR_PORT.to_string());
    assert_eq!(value("shutdown_grace_ms"), (DRAIN_SECONDS * 1000).to_string());
    assert_eq!(value("channel"), gx_deploy::model::CHANNEL);
    assert_eq!(value("chaincode"), gx_deploy::model::CHAINCODE);
    for service in Service::ALL {
        assert_eq!(value(service.as_str()), service.default_port().to_string());
    }
    let flags = read("crates/gx-cli/src/fabric/chaincode.rs");
    for name in
        ["CHAINCODE_SERVER_ADDRESS", "CHAINCODE_ID", "CHAINCODE_ACCESS", "FABRIC_CHAINCODE_NAME"]
    {
        assert!(flags.contains(&format!("env = \"{name}\"")), "gx chaincode reads no {name}");
    }
    let commands = read("crates/gx/tests/it/help.txt");
    for args in Workload::all().into_iter().filter_map(Workload::gx_args) {
        assert!(commands.contains(&format!("\n  {} ", args[0])), "gx has no command {}", args[0]);
    }
}

#[test]
fn every_variable_in_every_file_is_a_setting_of_the_program() {
    let known = settings(&read("crates/gx-server/src/config/default.toml"));
    for file in tree(&openapi()).unwrap() {
        let words =
            file.text.split(|c: char| !c.is_ascii_uppercase() && c != '_' && !c.is_ascii_digit());
        for word in words.filter(|word| word.starts_with("GX_")) {
            assert!(known.contains(word), "{}: gx has no setting {word}", file.path);
        }
    }
}

#[test]
fn each_network_is_rendered_within_five_seconds() {
    if !has_kubectl("rendering") {
        return;
    }
    for network in NetworkId::ALL {
        let begin = Instant::now();
        let path = repository().join(KUBERNETES).join(format!("networks/{network}"));
        let run =
            std::process::Command::new("kubectl").arg("kustomize").arg(path).output().unwrap();
        let took = begin.elapsed();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        assert!(took < Duration::from_secs(5), "{network}: {took:?}");
    }
}

#[test]
fn each_network_has_what_the_records_name() {
    if !has_kubectl("inventory") {
        return;
    }
    for network in NetworkId::ALL {
        let all = pods(&kustomize(&format!("networks/{network}")));
        let count = |kind: &str, begins: &str| {
            all.iter().filter(|one| one.kind == kind && one.owner.starts_with(begins)).count()
        };
        assert_eq!(count("Deployment", "svc-"), Service::ALL.len(), "{network}");
        assert_eq!(count("StatefulSet", "orderer"), usize::from(ORDERERS), "{network}");
        assert_eq!(count("StatefulSet", "peer"), usize::from(PEERS) * Org::ALL.len(), "{network}");
        assert_eq!(count("StatefulSet", "ca-"), Ca::ALL.len(), "{network}");
        assert_eq!(count("Deployment", "gx-chaincode-"), Org::ALL.len(), "{network}");
        for owner in ["outbox-submitter", "projector", "migrate", "channel", "redis", "postgres"] {
            assert_eq!(all.iter().filter(|one| one.owner == owner).count(), 1, "{network} {owner}");
        }
    }
}

#[test]
fn no_peer_is_without_its_file_of_settings() {
    if !has_kubectl("core.yaml") {
        return;
    }
    for network in NetworkId::ALL {
        let objects = kustomize(&format!("networks/{network}"));
        let mut peers = 0;
        for pods in pods(&objects).iter().filter(|one| one.owner.starts_with("peer")) {
            peers += 1;
            let mounted = list(&pods.spec, "volumes").iter().any(|volume| {
                let map = text(volume, "configMap/name");
                objects.iter().any(|one| {
                    named(one) == ("ConfigMap", pods.namespace.as_str(), map)
                        && !text(one, "data/core.yaml").is_empty()
                })
            });
            let folder = "/etc/fabric/config";
            let container = &list(&pods.spec, "containers")[0];
            let variables = list(container, "env").iter();
            let named = variables.filter(|one| text(one, "name") == "FABRIC_CFG_PATH");
            assert!(mounted, "{network} {}", pods.owner);
            assert!(named.into_iter().all(|one| text(one, "value") == folder));
            let mounts = list(container, "volumeMounts").iter();
            assert!(
                mounts.into_iter().any(|one| text(one, "mountPath") == folder),
                "{}",
                pods.owner
            );
        }
        assert_eq!(peers, 4);
    }
}

#[test]
fn a_budget_selects_the_pods_of_one_workload_and_lets_a_node_be_drained() {
    if !has_kubectl("budgets") {
        return;
    }
    let objects = kustomize("networks/mainnet");
    let all = pods(&objects);
    let mut budgeted = BTreeMap::new();
    for budget in objects.iter().filter(|one| text(one, "kind") == "PodDisruptionBudget") {
        let (_, namespace, name) = named(budget);
        let selector = at(budget, "spec/selector");
        let selected: Vec<_> = all
            .iter()
            .filter(|one| one.namespace == namespace && matches(selector, &one.labels))
            .collect();
        let owners: Vec<&str> = selected.iter().map(|one| one.owner.as_str()).collect();
        let workload = Workload::all().into_iter().find(|one| one.name() == name).unwrap();
        assert_eq!(owners, workload.owners(), "{name}");
        let count: u64 = selected.iter().map(|one| one.replicas).sum();
        let least = at(budget, "spec/minAvailable").as_u64();
        let away = at(budget, "spec/maxUnavailable").as_u64();
        let away = away.or_else(|| least.map(|least| count - least)).unwrap();
        assert!(away >= 1 && away < count, "{name}: {away} of {count}");
        budgeted.insert(name.to_owned(), (count, away));
    }
    assert_eq!(budgeted["orderer"], (5, 2), "three of five must stay");
    for org in Org::ALL {
        assert_eq!(
            budgeted[&format!("peer-{}", org.name())],
            (2, 1),
            "one peer of each organization"
        );
    }
    let expected: BTreeSet<String> = Workload::all()
        .into_iter()
        .filter(|one| one.least().is_some())
        .map(Workload::name)
        .collect();
    assert_eq!(budgeted.keys().cloned().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn pods_end_later_than_their_last_request() {
    if !has_kubectl("grace periods") {
        return;
    }
    for pods in pods(&kustomize("networks/mainnet")).iter().filter(|one| one.kind == "Deployment") {
        let grace = at(&pods.spec, "terminationGracePeriodSeconds").as_i64().unwrap();
        let lingers = at(&list(&pods.spec, "containers")[0], "lifecycle/preStop/sleep/seconds");
        let drain = if pods.owner.starts_with("gx-chaincode") { 25 } else { DRAIN_SECONDS };
        assert!(grace >= lingers.as_i64().unwrap_or(0) + drain + 5, "{}: {grace}", pods.owner);
    }
}

/// Thousandths, or MiB.
fn amount(text: &str) -> u64 {
    let number = |unit: &str| text.strip_suffix(unit).and_then(|rest| rest.parse::<u64>().ok());
    number("m")
        .or(number("Mi"))
        .or(number("Gi").map(|gib| gib * 1024))
        .unwrap_or_else(|| text.parse::<u64>().unwrap_or_else(|_| panic!("{text}")) * 1000)
}

#[test]
fn quotas_admit_everything_at_its_largest_in_the_middle_of_a_roll_out() {
    if !has_kubectl("quotas") {
        return;
    }
    for network in NetworkId::ALL {
        let objects = kustomize(&format!("networks/{network}"));
        for quota in objects.iter().filter(|one| text(one, "kind") == "ResourceQuota") {
            let (_, namespace, _) = named(quota);
            let mut needed: BTreeMap<String, u64> = BTreeMap::new();
            let here = pods(&objects).into_iter().filter(|one| one.namespace == namespace);
            for pods in here {
                let most = objects.iter().find(|one| {
                    text(one, "kind") == "HorizontalPodAutoscaler"
                        && named(one).2 == pods.owner
                        && named(one).1 == namespace
                });
                let most =
                    most.map_or(pods.replicas, |one| at(one, "spec/maxReplicas").as_u64().unwrap());
                let count = most + u64::from(pods.kind == "Deployment");
                *needed.entry("pods".to_owned()).or_default() += count;
                let Some(container) = list(&pods.spec, "containers").first() else { continue };
                for side in ["requests", "limits"] {
                    for what in ["cpu", "memory"] {
                        let own = amount(text(container, &format!("resources/{side}/{what}")));
                        *needed.entry(format!("{side}.{what}")).or_default() += count * own;
                    }
                }
            }
            for (what, needed) in needed {
                let hard = at(quota, "spec/hard").get(&what).and_then(Value::as_str).unwrap();
                let hard = if what == "pods" { hard.parse().unwrap() } else { amount(hard) };
                assert!(needed <= hard, "{namespace} {what}: {needed} of {hard}");
                assert!(
                    hard <= 2 * needed + 8000,
                    "{namespace} {what}: {hard} for {needed} bounds nothing"
                );
            }
        }
        for range in objects.iter().filter(|one| text(one, "kind") == "LimitRange") {
            let least = at(&list(range, "spec/limits")[0], "min");
            assert!(amount(text(least, "cpu")) <= 10 && amount(text(least, "memory")) <= 64);
        }
    }
}

#[test]
fn images_are_named_once_and_secrets_are_files() {
    if !has_kubectl("images") {
        return;
    }
    let mut images = BTreeSet::new();
    for network in NetworkId::ALL {
        for pods in pods(&kustomize(&format!("networks/{network}"))) {
            for container in list(&pods.spec, "containers") {
                images.insert(text(container, "image").to_owned());
                let from_secrets = container.to_string();
                assert!(!from_secrets.contains("secretKeyRef"), "{}", pods.owner);
                assert!(!from_secrets.contains("secretRef"), "{}", pods.owner);
            }
        }
    }
    assert_eq!(Vec::from_iter(images), IMAGES);
    let base = read(&format!("{KUBERNETES}/base/platform/settings.env"))
        + &read(&format!("{KUBERNETES}/base/platform/mail.env"));
    for (key, _) in SECRETS {
        let used = base.contains(&format!("/run/gx/secrets/{key}\n"));
        assert!(used, "no setting names the file of {key}");
    }
}
