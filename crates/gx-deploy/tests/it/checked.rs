//! What `gx deploy check` says of an overlay that is right, and of each thing that can be wrong.

use std::fs;
use std::path::{Path, PathBuf};

use gx_deploy::check::{self, Circumstances};
use gx_types::Finding;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::render::{has_kubectl, repository};

fn circumstances(nodes: u16) -> Circumstances {
    let defaults = repository().join("crates/gx-server/src/config/default.toml");
    Circumstances { nodes, settings: check::settings(&fs::read_to_string(defaults).unwrap()) }
}

/// The overlay that deploy/README.md has a reader make, of a site that exists.
struct Overlay {
    folder: TempDir,
}

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What the page shows, word for word: the block of code that follows a line with the file's name.
fn shown(file: &str) -> String {
    let page = fs::read_to_string(repository().join("deploy/README.md")).unwrap();
    let (_, rest) = page.split_once(&format!("`{file}`:\n\n```yaml\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

impl Overlay {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        let up: PathBuf = path.components().skip(1).map(|_| "..").collect();
        let tree = up.join(repository().strip_prefix("/").unwrap()).join("deploy/kubernetes");
        let index = shown("kustomization.yaml")
            .replace("../gx-protocol/deploy/kubernetes", tree.to_str().unwrap());
        let index = index.replace("sha256:…", DIGEST).replace("example.org", "gx-currency.test");
        let site = shown("site.yaml")
            .replace("example.org", "gx-currency.test")
            .replace("192.0.2.", "198.51.100.");
        let site = site.replace("sha256:…", DIGEST);
        fs::write(path.join("kustomization.yaml"), index).unwrap();
        fs::write(path.join("site.yaml"), site).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}:\n{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn line_of(&self, word: &str) -> String {
        let text = fs::read_to_string(self.path().join("kustomization.yaml")).unwrap();
        text.lines().find(|line| line.contains(word)).unwrap().to_owned()
    }

    fn take(&self, components: &[&str]) {
        for name in components {
            let taken = "components/secrets-external/mainnet\n";
            let line = self.line_of("components/secrets-external/mainnet");
            let more = line.replace("secrets-external/mainnet", name);
            self.change("kustomization.yaml", taken, &format!("{taken}{more}\n"));
        }
    }

    fn add(&self, lines: &str) {
        let path = self.path().join("kustomization.yaml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{text}{lines}")).unwrap();
    }

    fn findings(&self) -> Vec<Finding> {
        check::check(&check::overlay(self.path()).unwrap(), &circumstances(3))
    }

    /// That there is a finding of the first rule, with these words about file, object and field,
    /// and none of a rule that is not named.
    fn is_refused(&self, rules: &[&str], words: &[&str]) {
        let rule = rules[0];
        let findings = self.findings();
        let told: Vec<String> = findings.iter().map(Finding::to_string).collect();
        let fits = |one: &&Finding| {
            one.rule == rule && words.iter().all(|word| one.to_string().contains(word))
        };
        assert!(
            findings.iter().any(|one| fits(&one)),
            "no {rule} with {words:?}:\n{}",
            told.join("\n")
        );
        assert!(
            findings.iter().all(|one| rules.contains(&one.rule.as_ref())),
            "others than {rules:?}:\n{}",
            told.join("\n")
        );
    }
}

/// What the overlay of the page is rendered to.
pub(crate) fn page() -> Vec<Value> {
    let objects = check::overlay(Overlay::new().path()).unwrap();
    objects.all.into_iter().map(|object| object.value).collect()
}

#[test]
fn every_component_can_be_taken_in_by_an_overlay() {
    if !has_kubectl("components") {
        return;
    }
    let overlay = Overlay::new();
    let more =
        ["autoscale-by-requests", "pod-monitors/mainnet", "promotion/mainnet", "traces/mainnet"];
    overlay.take(&more);
    overlay.change("kustomization.yaml", "storage-local-path", "storage-longhorn");
    let objects = check::overlay(overlay.path()).unwrap();
    assert_eq!(overlay.findings(), []);
    let all: Vec<String> = objects.all.iter().map(|object| object.value.to_string()).collect();
    let words = [
        "http_requests_per_second",
        "PodMonitor",
        "\"longhorn\"",
        "GX_PROMOTION__TARGET",
        "GX_TELEMETRY__OTLP__ENDPOINT",
    ];
    for word in words {
        assert!(all.iter().any(|text| text.contains(word)), "{word}");
    }
    let whole =
        ["Namespace", "PriorityClass", "ClusterIssuer", "ClusterRole", "ClusterRoleBinding"];
    for object in objects.all.iter().filter(|object| !whole.contains(&object.kind())) {
        assert_ne!(object.namespace(), "", "{} {} would go anywhere", object.kind(), object.name());
    }
}

#[test]
fn the_overlay_of_the_page_is_right() {
    if has_kubectl("check of an overlay") {
        let findings = Overlay::new().findings();
        assert_eq!(
            findings,
            [],
            "{}",
            findings.iter().map(|one| format!("{one}\n")).collect::<String>()
        );
    }
}

/// Lines of a kustomization that change what a target finds.
fn patch(target: Value, change: Value) -> String {
    // JSON is YAML.
    format!("\npatches:\n- target: {target}\n  patch: {}\n", Value::from(change.to_string()))
}

fn delete(version: &str, kind: &str, name: &str, namespace: &str) -> String {
    let target = json!({ "kind": kind, "name": name, "namespace": namespace });
    let gone = json!({ "$patch": "delete", "apiVersion": version, "kind": kind,
        "metadata": { "name": name } });
    patch(target, gone)
}

fn settings(literal: &str) -> String {
    let map = json!({
        "name": "gx-settings", "namespace": "backend-mainnet", "behavior": "merge",
        "literals": [literal],
    });
    format!("\nconfigMapGenerator:\n- {map}\n")
}

#[test]
fn wrong_names_and_secrets_are_refused_with_file_and_field() {
    if !has_kubectl("check of wrong names") {
        return;
    }
    refused(
        |one| one.add(&settings("GX_NETWORK=mainnnet")),
        "network-unknown",
        &["kustomization.yaml", "ConfigMap gx-settings", "data.GX_NETWORK", "mainnnet"],
    );
    refused(
        |one| one.add(&settings("GX_NETWORK=testnet")),
        "network-unknown",
        &["data.GX_NETWORK", "testnet in a namespace of mainnet"],
    );
    refused(
        |one| one.change("kustomization.yaml", "secrets-external/mainnet", "autoscale-by-requests"),
        "secret-missing",
        &["Deployment projector", "gx-wallet is not in backend-mainnet"],
    );
    let (pinned, loose) = (format!("- name: redis\n  digest: {DIGEST}"), "- name: redis\n");
    refused(
        |one| one.change("kustomization.yaml", &pinned, &format!("{loose}  newTag: \"7\"")),
        "image-without-digest",
        &["kustomization.yaml", "StatefulSet redis", "containers.0.image"],
    );
    refused(
        |one| one.change("site.yaml", "api.gx-currency.test", "api.gx.example.org"),
        "placeholder-left",
        &["site.yaml", "Ingress gx-api", "spec.rules.0.host", "api.gx.example.org"],
    );
    refused(
        |one| one.add(&settings("GX_HTTP__PROT=1")),
        "setting-unknown",
        &["kustomization.yaml", "data.GX_HTTP__PROT"],
    );
    refused(
        |one| one.add(&settings("GX_DATABASE__PASSWORD=open")),
        "secret-in-the-open",
        &["kustomization.yaml", "data.GX_DATABASE__PASSWORD"],
    );
}

#[test]
fn what_a_lost_node_would_take_along_is_refused_with_file_and_field() {
    if !has_kubectl("check of wrong numbers") {
        return;
    }
    let overlay = Overlay::new();
    overlay.add(&delete("apps/v1", "StatefulSet", "orderer4", "fabric-mainnet"));
    let words = ["kustomization.yaml", "spec.replicas", "4 orderers in fabric-mainnet"];
    // Of four, two stand on one node of three, and one may be away.
    overlay.is_refused(&["orderers-even", "node-takes-all", "budget-stops-drain"], &words);
    let kin = json!({ "matchLabels": { "app.kubernetes.io/name": "svc-tax" } });
    let rule = json!({ "topologyKey": "kubernetes.io/hostname", "labelSelector": kin });
    let apart = json!({
        "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [rule] },
    });
    let path = "/spec/template/spec/affinity";
    let apart = json!([{ "op": "add", "path": path, "value": apart }]);
    refused(
        |one| one.add(&patch(json!({ "kind": "Deployment", "name": "svc-tax" }), apart.clone())),
        "replicas-cannot-be-spread",
        &["kustomization.yaml", "Deployment svc-tax", "podAntiAffinity", "4 pods at once"],
    );
    refused(
        |one| one.add("\nreplicas:\n- {name: svc-tax, count: 1}\n"),
        "node-takes-all",
        &["kustomization.yaml", "Deployment svc-tax", "spec.replicas"],
    );
    let target = json!({ "kind": "PodDisruptionBudget", "name": "orderer" });
    let four = json!([{ "op": "replace", "path": "/spec/minAvailable", "value": 4 }]);
    refused(
        |one| one.add(&patch(target.clone(), four.clone())),
        "budget-stops-drain",
        &["PodDisruptionBudget orderer", "spec.minAvailable", "2 of 5 pods may stand on a node"],
    );
}

#[test]
fn pods_that_could_do_more_or_not_start_are_refused_with_file_and_field() {
    if !has_kubectl("check of wrong pods") {
        return;
    }
    let peer = json!({ "kind": "StatefulSet", "name": "peer0-org1" });
    let path = "/spec/template/spec/securityContext/runAsNonRoot";
    let root = json!([{ "op": "replace", "path": path, "value": false }]);
    refused(
        |one| one.add(&patch(peer.clone(), root.clone())),
        "pod-unrestricted",
        &["StatefulSet peer0-org1", "securityContext.runAsNonRoot"],
    );
    let path = "/spec/template/spec/containers/0/volumeMounts/0";
    let bare = json!([{ "op": "remove", "path": path }]);
    refused(
        |one| one.add(&patch(peer.clone(), bare.clone())),
        "peer-without-core-yaml",
        &["StatefulSet peer0-org1", "spec.template.spec.volumes"],
    );
    let version = "networking.k8s.io/v1";
    refused(
        |one| one.add(&delete(version, "NetworkPolicy", "default-deny", "fabric-mainnet")),
        "nothing-denied",
        &["fabric-mainnet has no policy that denies everything"],
    );
}

/// That the page's overlay is refused by a rule after a change, and by no other.
fn refused(change: impl Fn(&Overlay), rule: &str, words: &[&str]) {
    let overlay = Overlay::new();
    change(&overlay);
    overlay.is_refused(&[rule], words);
}

#[test]
fn rendered_yaml_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orderers.yaml");
    let labels = json!({ "app.kubernetes.io/component": "orderer" });
    let two = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": "orderers", "namespace": "f" },
        "spec": { "replicas": 2, "template": {
            "metadata": { "labels": labels }, "spec": { "containers": [] },
        } },
    });
    fs::write(&file, two.to_string()).unwrap();
    for path in [folder.path(), &file] {
        let findings = check::check(&check::rendered(path).unwrap(), &circumstances(3));
        let rules: Vec<&str> = findings.iter().map(|one| one.rule.as_ref()).collect();
        assert!(rules.contains(&"orderers-even") && rules.contains(&"nothing-denied"), "{rules:?}");
        let subject = &findings.iter().find(|one| one.rule == "orderers-even").unwrap().subject;
        let place = format!("{}:", file.display());
        assert!(
            subject.starts_with(&place) && subject.ends_with("StatefulSet orderers: spec.replicas"),
            "{subject}"
        );
    }
    fs::write(&file, "a: [1\n").unwrap();
    let error = gx_types::with_causes(&check::rendered(&file).unwrap_err());
    assert!(error.contains("orderers.yaml") && error.contains("no YAML"), "{error}");
    let missing = gx_types::with_causes(&check::rendered(&folder.path().join("x")).unwrap_err());
    assert!(missing.contains("cannot read"), "{missing}");
}

#[test]
fn an_overlay_that_kustomize_refuses_is_told_with_its_words() {
    if has_kubectl("check of a broken overlay") {
        let overlay = Overlay::new();
        overlay.change("kustomization.yaml", "- site.yaml", "- sight.yaml");
        let error = check::overlay(overlay.path()).unwrap_err().to_string();
        assert!(error.contains("sight.yaml"), "{error}");
    }
}
