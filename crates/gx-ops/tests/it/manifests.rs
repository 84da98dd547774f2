//! What this repository deploys is what it would want of others: its own rules find nothing in it.
#![expect(clippy::print_stderr, reason = "what was not tested has to be seen")]

use std::path::Path;
use std::process::Command;

use gx_ops::collect::{Input, Redactor, Salt, gather};
use gx_ops::facts::Time;
use gx_ops::rules::{Options, audit};
use gx_types::{Finding, NetworkId, Severity};

/// The manifests of a network as they would be applied; none without the program that renders them.
fn rendered(network: NetworkId) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes/networks");
    let path = folder.join(network.as_str());
    let Ok(run) = Command::new("kubectl").arg("kustomize").arg(path).output() else {
        eprintln!("SKIPPED: kubectl is not installed");
        return None;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(with_digests(&String::from_utf8(run.stdout).unwrap()))
}

/// Where images are from is for an overlay to say.
fn with_digests(text: &str) -> String {
    let digest = "0123456789abcdef".repeat(4);
    let line = |line: &str| match line.split_once("image: ") {
        Some((indent, name)) if indent.trim_matches([' ', '-']).is_empty() => {
            format!("{indent}image: registry.example.org/{name}@sha256:{digest}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn nothing_above_low_is_found_in_the_networks() {
    for network in NetworkId::ALL {
        let Some(text) = rendered(network) else { return };
        let at = Time::from_seconds(1_796_000_000);
        let input = Input { name: format!("{network}.yaml"), text, at };
        let snapshot = gather(vec![input], Redactor::new(Salt::new([3; 32]))).unwrap();
        let options = Options { at_least: Some(Severity::Medium), ..Options::default() };
        let found = audit(&snapshot, &options);
        // A new network's authorities are enrolled with the root's, which is scaled to none after.
        let is_meant = |one: &Finding| one.rule == "SEC-29" && one.subject.ends_with("/ca-root");
        let found = found.issues().map(|issue| &issue.finding).filter(|one| !is_meant(one));
        let told: Vec<String> = found.map(ToString::to_string).collect();
        assert!(told.is_empty(), "{network}:\n{}", told.join("\n"));
    }
}
